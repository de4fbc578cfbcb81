/* Shell completion: the words of the two tables in each shell's own language. */
#include "catalog/rules.h"
#include "command/commands.h"
#include "command/emitters.h"
#include "command/help.h"
#include "core/metric.h"

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

/* The words that an option's value is one of, separated by '|'; NULL: it may be anything. */
static const char *choices_of(const struct option *option) {
#define TYPE_WORD(id, word, letter, nearest, weighing, family, traits) word "|"
#define RULE_WORD(id, word, ...)                                       word "|"
    if (option->kind == KIND_WORD)
        return option->arg;
    if (option->id == OPT_TYPE)
        return METRIC_TYPES(TYPE_WORD) "event|check|any";
    if (option->id == OPT_BY)
        return EMITTER_WORDS;
    if (option->id == OPT_SILENCE || option->id == OPT_EXPLAIN)
        return LINT_RULES(RULE_WORD) "all";
    return NULL;
}

static bool takes_path(const struct option *option) {
    return option->arg && (strcmp(option->arg, "FILE") == 0 || strcmp(option->arg, "PATH") == 0);
}

/* Of "new [NAME]|ls|rm [--keep] NAME…" the words new, ls and rm. */
static void first_words(const struct command *c) {
    const char *at = c->args;
    while (at) {
        at += *at == '[';
        size_t n = strspn(at, "abcdefghijklmnopqrstuvwxyz");
        printf("%.*s%s", (int)n, at, n ? " " : "");
        at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL;
    }
}

static bool has_first_words(const struct command *c) {
    const char *at = c->args + (c->args[0] == '[');
    return *at >= 'a' && *at <= 'z';
}

/* Whether an argument may be a file: FILE, the command to run, or one of two to compare. */
static bool takes_files(const struct command *c) {
    return strstr(c->args, "FILE") || strstr(c->args, "CMD") || strcmp(c->args, "A B") == 0;
}

/* Case branches for what follows an option: one of some words, a file, or something that nobody can guess. */
static void bash_values(const struct command *c) {
    for (size_t i = 0; i < n_option_table; i++) {
        const struct option *option = &option_table[i];
        if (!option->arg || !option_taken(option, c))
            continue;
        printf("    '%s --%s'", c->name, option->flag);
        if (option->letter)
            printf(" | '%s -%c'", c->name, option->letter);
        const char *choices = choices_of(option);
        fputs(choices || takes_path(option) ? ") COMPREPLY=($(compgen " : ") ", stdout);
        if (choices) {
            fputs("-W '", stdout);
            words(choices);
            puts("' -- \"$word\")); return ;;");
        } else
            puts(takes_path(option) ? "-f -- \"$word\")); return ;;" : "return ;;");
    }
}

static void bash(void) {
    fputs(
        "_statwit() {\n    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} flags= first= files=\n"
        "    local commands='",
        stdout);
    for (size_t i = 0; i < n_commands; i++)
        printf("%s ", commands[i].name);
    puts(
        "'\n    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
        "        COMPREPLY=($(compgen -W \"$commands help --help --version\" -- \"$word\"))\n        return\n    fi\n"
        "    case \"${COMP_WORDS[1]} $before\" in");
    for (size_t i = 0; i < n_commands; i++)
        bash_values(&commands[i]);
    puts("    esac\n    case ${COMP_WORDS[1]} in\n    help) first=$commands ;;");
    for (size_t i = 0; i < n_commands; i++) {
        printf("    %s) flags='", commands[i].name);
        flags_of(&commands[i]);
        fputs("' first='", stdout);
        first_words(&commands[i]);
        printf("' files=%s ;;\n", takes_files(&commands[i]) ? "1" : "");
    }
    puts(
        "    esac\n    case $word in\n    -*) COMPREPLY=($(compgen -W \"$flags\" -- \"$word\")) ;;\n"
        "    *) if [ \"$COMP_CWORD\" -eq 2 ] && [ -n \"$first\" ]; then\n"
        "            COMPREPLY=($(compgen -W \"$first\" -- \"$word\"))\n"
        "        elif [ -n \"$files\" ]; then\n            COMPREPLY=($(compgen -f -- \"$word\"))\n        fi ;;\n"
        "    esac\n}\ncomplete -F _statwit statwit");
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

static void zsh_spec(const struct option *option, const char *name, const char *before_value) {
    printf("            '%s%s%s[", option->kind == KIND_LIST ? "*" : "", name,
           option->arg ? before_value : "");
    quoted(option->help, "[]:\\");
    putchar(']');
    if (option->arg)
        printf(":%s:", choices_of(option) ? "word" : option->arg);
    if (choices_of(option)) {
        putchar('(');
        words(choices_of(option));
        putchar(')');
    } else if (takes_path(option))
        fputs("_files", stdout);
    puts("' \\");
}

static void zsh_option(const struct option *option) {
    char name[64];
    snprintf(name, sizeof name, "--%s", option->flag);
    zsh_spec(option, name, "=");
    snprintf(name, sizeof name, "-%c", option->letter);
    if (option->letter)
        zsh_spec(option, name, "+");
}

static void zsh(void) {
    puts("#compdef statwit\n_statwit() {\n    local -a commands\n    commands=(");
    for (size_t i = 0; i < n_commands; i++) {
        printf("        '%s:", commands[i].name);
        quoted(commands[i].summary, ":\\");
        puts("'");
    }
    puts("    )\n    if (( CURRENT == 2 )); then\n"
         "        if [[ $words[2] == -* ]]; then\n"
         "            compadd -- --help --version\n"
         "        else\n"
         "            commands+=('help:what a command does')\n"
         "            _describe command commands\n"
         "        fi\n"
         "        return\n    fi\n"
         "    if [[ $words[2] == help ]]; then\n"
         "        (( CURRENT == 3 )) && _describe command commands\n"
         "        return\n    fi\n"
         "    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n    case $command in");
    for (size_t i = 0; i < n_commands; i++) {
        printf("    %s)\n        _arguments -s \\\n", commands[i].name);
        for (size_t j = 0; j < n_option_table; j++)
            if (option_taken(&option_table[j], &commands[i]))
                zsh_option(&option_table[j]);
        if (has_first_words(&commands[i])) {
            fputs("            '1:word:(", stdout);
            first_words(&commands[i]);
            puts(")' \\");
        }
        puts(takes_files(&commands[i]) ? "            '*:argument:_files' ;;"
                                       : "            '*:argument:' ;;");
    }
    puts(
        "    esac\n}\nif [ \"$funcstack[1]\" = _statwit ]; then _statwit \"$@\"; else compdef _statwit statwit; fi");
}

/* A word of another command's, as in `statwit ls session`, is none: so the second word decides. */
static void fish_functions(void) {
    puts("function __statwit_of\n"
         "    set -l before (commandline -opc)\n"
         "    test (count $before) -gt 1; and test $before[2] = $argv[1]\n"
         "end\n"
         "function __statwit_first\n"
         "    set -l before (commandline -opc)\n"
         "    test (count $before) -eq 2; and test $before[2] = $argv[1]\n"
         "end\n"
         "function __statwit_none\n"
         "    test (count (commandline -opc)) -eq 1\n"
         "end\n"
         "complete -c statwit -f");
}

static void fish_option(const struct command *c, const struct option *option) {
    printf("complete -c statwit -n '__statwit_of %s' -l %s", c->name, option->flag);
    if (option->letter)
        printf(" -s %c", option->letter);
    if (choices_of(option)) {
        fputs(" -x -a '", stdout);
        words(choices_of(option));
        putchar('\'');
    } else if (option->arg)
        fputs(takes_path(option) ? " -r -F" : " -x", stdout);
    fputs(" -d '", stdout);
    quoted(option->help, "\\");
    puts("'");
}

static void fish(void) {
    fish_functions();
    for (size_t i = 0; i < n_commands; i++) {
        const struct command *c = &commands[i];
        if (has_first_words(c)) {
            printf("complete -c statwit -n '__statwit_first %s' -a '", c->name);
            first_words(c);
            puts("'");
        }
        if (takes_files(c))
            printf("complete -c statwit -n '__statwit_of %s' -F\n", c->name);
        for (int help = 0; help < 2; help++) {
            printf("complete -c statwit -n '%s' -a %s -d '", help ? "__statwit_first help" : "__statwit_none",
                   c->name);
            quoted(c->summary, "\\");
            puts("'");
        }
        for (size_t j = 0; j < n_option_table; j++)
            if (option_taken(&option_table[j], c))
                fish_option(c, &option_table[j]);
    }
    puts("complete -c statwit -n __statwit_none -a help -d 'what a command does'\n"
         "complete -c statwit -n __statwit_none -l help -d 'this text'\n"
         "complete -c statwit -n __statwit_none -l version -d 'the version'");
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
