#include "command/help.h"

#include "core/version.h"
#include <unistd.h>

#define WIDTH  100 /* columns of help text */
#define COLUMN 30  /* where an option's help starts */

static bool bold;

static void heading(const char *text, FILE *to) {
    fprintf(to, bold ? "\n\033[1m%s\033[0m\n" : "\n%s\n", text);
}

/* Words of text from column `at` on, wrapped and indented to COLUMN. */
static void wrapped(const char *text, size_t at, FILE *to) {
    for (bool first = true; *text; first = false) {
        size_t n = strcspn(text, " "), blank = first ? 0 : 1;
        if (!first && at + blank + n > WIDTH) {
            fprintf(to, "\n%*s", COLUMN, "");
            at = COLUMN;
            blank = 0;
        }
        fprintf(to, "%*s%.*s", (int)blank, "", (int)n, text);
        at += blank + n;
        text += n + strspn(text + n, " ");
    }
    fputc('\n', to);
}

static void option_line(const struct option *option, FILE *to) {
    char left[160], help[512], env[OPTION_ENV_SIZE];
    bool words = option->kind == KIND_WORD;
    int n =
        snprintf(left, sizeof left, option->letter ? "  -%c, --%s%s%s" : "  %.0d    --%s%s%s", option->letter,
                 option->flag, option->arg ? " " : "", option->arg ? (words ? "WORD" : option->arg) : "");
    option_env(option, env);
    bool shown = option->fallback && option->fallback[0];
    snprintf(help, sizeof help, "%s%s%s%s%s%s%s%s", option->help, words ? ": " : "", words ? option->arg : "",
             shown ? " (default " : "", shown ? option->fallback : "", shown ? ")" : "",
             option->dd ? "; also " : "", option->dd ? option->dd : "");
    fputs(left, to);
    if (n >= COLUMN)
        fprintf(to, "\n%*s", COLUMN, "");
    else
        fprintf(to, "%*s", COLUMN - n, "");
    wrapped(help, COLUMN, to);
}

static void usage_line(const struct command *c, FILE *to) {
    fprintf(to, "usage: statwit %s [OPTION]…%s%s\n", c->name, c->args[0] ? " " : "", c->args);
}

void help_command(const struct command *c, FILE *to) {
    bold = to == stdout && isatty(STDOUT_FILENO);
    fprintf(to, "%s\n\n", c->summary);
    usage_line(c, to);
    if (c->about)
        fprintf(to, "\n%s\n", c->about);
    heading("Options", to);
    for (size_t i = 0; i < n_option_table; i++)
        if (option_taken(&option_table[i], c))
            option_line(&option_table[i], to);
    fputs(
        "\nEvery option is also an environment variable: --http-port is STATWIT_HTTP_PORT. The flag wins.\n",
        to);
    if (c->examples) {
        heading("Examples", to);
        fprintf(to, "%s\n", c->examples);
    }
}

void help_program(FILE *to) {
    bold = to == stdout && isatty(STDOUT_FILENO);
    fputs(
        "statwit records every metric sent as DogStatsD or to the Datadog API, and answers questions about them.\n\n"
        "usage: statwit COMMAND [OPTION]… [ARGUMENT]…\n",
        to);
    heading("Commands", to);
    for (size_t i = 0; i < n_commands; i++)
        fprintf(to, "  %-12s %s\n", commands[i].name, commands[i].summary);
    fputs("\n  statwit COMMAND --help says what a command takes; statwit --version which one this is.\n", to);
    heading("Examples", to);
    fputs("  statwit serve                                        # listen on 127.0.0.1:8125, UDP and HTTP\n"
          "  statwit send 'login.attempt:1|c|#instance:failure'   # or let your application send\n"
          "  statwit ls                                           # what was recorded\n"
          "  statwit expect 'incr login.attempt sum == 1'         # pass or fail, with the reason\n"
          "  statwit run --expect metrics.expect -- pytest        # all of it around a test command\n",
          to);
    heading("Exit codes", to);
    fputs(
        "  0 pass   1 an expectation failed   2 usage, or a malformed expectation\n"
        "  3 cannot start, or cannot reach the server   4 inconclusive: something was lost   124 run's --timeout\n",
        to);
}
