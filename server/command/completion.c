/* Shell completion: the words of the two tables in each shell's own language. */
#include "command/commands.h"
#include "command/help.h"

#include "core/log.h"

static void flags_of(const struct command *c) {
    for (size_t i = 0; i < n_option_table; i++)
        if (option_taken(&option_table[i], c))
            printf(" --%s", option_table[i].flag);
}

static void words(const char *choices) {
    for (; *choices; choices++)
        putchar(*choices == '|' ? ' ' : *choices);
}

/* Case branches for a command's options whose value is one of some words. */
static void bash_values(const struct command *c) {
    for (size_t i = 0; i < n_option_table; i++) {
        const struct option *option = &option_table[i];
        if (option->kind == KIND_WORD && option_taken(option, c)) {
            printf("    '%s --%s') COMPREPLY=($(compgen -W '", c->name, option->flag);
            words(option->arg);
            puts("' -- \"$word\")); return ;;");
        }
    }
}

static void bash(void) {
    fputs("_statwit() {\n    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} flags=\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W '",
          stdout);
    for (size_t i = 0; i < n_commands; i++)
        printf("%s ", commands[i].name);
    puts(
        "--help --version' -- \"$word\"))\n        return\n    fi\n    case \"${COMP_WORDS[1]} $before\" in");
    for (size_t i = 0; i < n_commands; i++)
        bash_values(&commands[i]);
    puts("    esac\n    case ${COMP_WORDS[1]} in");
    for (size_t i = 0; i < n_commands; i++) {
        printf("    %s) flags='", commands[i].name);
        flags_of(&commands[i]);
        puts("' ;;");
    }
    puts("    esac\n    case $word in\n    -*) COMPREPLY=($(compgen -W \"$flags\" -- \"$word\")) ;;\n"
         "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n    esac\n}\ncomplete -F _statwit statwit");
}

/* Text between single quotes, with what zsh would take for its own syntax in front of a backslash. */
static void quoted(const char *text, const char *special) {
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\'", stdout);
        else if (strchr(special, *text))
            putchar('\\');
        putchar(*text);
    }
}

static void zsh_option(const struct option *option) {
    printf("            '%s--%s%s[", option->kind == KIND_LIST ? "*" : "", option->flag,
           option->arg ? "=" : "");
    quoted(option->help, "[]:\\");
    putchar(']');
    if (option->arg)
        printf(":%s:", option->kind == KIND_WORD ? "word" : option->arg);
    if (option->kind == KIND_WORD) {
        putchar('(');
        words(option->arg);
        putchar(')');
    } else if (option->arg && (strcmp(option->arg, "FILE") == 0 || strcmp(option->arg, "PATH") == 0))
        fputs("_files", stdout);
    puts("' \\");
}

static void zsh(void) {
    puts("#compdef statwit\n_statwit() {\n    local -a commands\n    commands=(");
    for (size_t i = 0; i < n_commands; i++) {
        printf("        '%s:", commands[i].name);
        quoted(commands[i].summary, ":\\");
        puts("'");
    }
    puts(
        "    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n        return\n    fi\n"
        "    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n    case $command in");
    for (size_t i = 0; i < n_commands; i++) {
        printf("    %s)\n        _arguments -s \\\n", commands[i].name);
        for (size_t j = 0; j < n_option_table; j++)
            if (option_taken(&option_table[j], &commands[i]))
                zsh_option(&option_table[j]);
        puts("            '*:argument:_files' ;;");
    }
    puts(
        "    esac\n}\nif [ \"$funcstack[1]\" = _statwit ]; then _statwit \"$@\"; else compdef _statwit statwit; fi");
}

static void fish(void) {
    puts("complete -c statwit -f");
    for (size_t i = 0; i < n_commands; i++) {
        printf("complete -c statwit -n __fish_use_subcommand -a %s -d '", commands[i].name);
        quoted(commands[i].summary, "\\");
        puts("'");
        for (size_t j = 0; j < n_option_table; j++) {
            const struct option *option = &option_table[j];
            if (!option_taken(option, &commands[i]))
                continue;
            printf("complete -c statwit -n '__fish_seen_subcommand_from %s' -l %s", commands[i].name,
                   option->flag);
            if (option->letter)
                printf(" -s %c", option->letter);
            if (option->kind == KIND_WORD) {
                fputs(" -x -a '", stdout);
                words(option->arg);
                putchar('\'');
            } else if (option->arg)
                fputs(" -r -F", stdout);
            fputs(" -d '", stdout);
            quoted(option->help, "\\");
            puts("'");
        }
    }
}

int completion_command(const struct options *o) {
    const char *shell = o->args[0];
    if (strcmp(shell, "bash") == 0)
        bash();
    else if (strcmp(shell, "zsh") == 0)
        zsh();
    else if (strcmp(shell, "fish") == 0)
        fish();
    else {
        log_error("statwit completion takes bash, zsh or fish, not %s", shell);
        return EXIT_USAGE;
    }
    return EXIT_PASS;
}
