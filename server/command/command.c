#include "command/command.h"

#include "command/commands.h"
#include "command/help.h"
#include "core/log.h"
#include "core/version.h"
#include <stdio.h>

#define ANY (-1)

const struct command commands[] = {
    {"serve", "", 0, 0, false, TAKES_SERVE | TAKES_RECORDER | TAKES_QUIET, "run the recorder in the foreground",
     "When everything listens, one line of JSON goes to stdout (a few words for people on a terminal). SIGTERM and\n"
     "SIGINT drain the sockets, commit and end it with exit code 0. Logs go to stderr.",
     "  statwit serve\n"
     "  statwit serve --dogstatsd-port 0 --http-port 0 --db :memory: --ready-file ready.json\n"
     "  statwit serve --dogstatsd-socket /tmp/dsd.sock --retention-age 1h",
     serve_command},
    {"completion", "bash|zsh|fish", 1, 1, false, 0, "shell completion", NULL,
     "  eval \"$(statwit completion bash)\"\n"
     "  statwit completion fish >~/.config/fish/completions/statwit.fish",
     completion_command},
};
const size_t n_commands = sizeof commands / sizeof commands[0];

const struct command *command_find(const char *name) {
    for (size_t i = 0; i < n_commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int unknown_command(const char *name) {
    const char *names[sizeof commands / sizeof commands[0]];
    for (size_t i = 0; i < n_commands; i++)
        names[i] = commands[i].name;
    const char *near = option_nearest(name, n_commands, names);
    if (near)
        log_error("there is no command '%s': did you mean %s?", name, near);
    else
        log_error("there is no command '%s': statwit --help lists them", name);
    return EXIT_USAGE;
}

static int help(const char *name) {
    const struct command *command = name ? command_find(name) : NULL;
    if (name && !command)
        return unknown_command(name);
    if (command)
        help_command(command, stdout);
    else
        help_program(stdout);
    return EXIT_PASS;
}

int command_main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    if (!name[0]) {
        help_program(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0 || strcmp(name, "version") == 0) {
        printf("statwit %s\n", STATWIT_SERVER_VERSION);
        return EXIT_PASS;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return help(argc > 2 ? argv[2] : NULL);
    const struct command *command = command_find(name);
    if (!command)
        return unknown_command(name);

    struct options o;
    struct err err = {0};
    int status = EXIT_USAGE;
    if (options_read(&o, command, argc - 2, argv + 2, &err) != 0)
        log_error("%s", err.text);
    else if (option_on(&o, OPT_HELP))
        status = help(name);
    else
        status = command->run(&o);
    options_free(&o);
    return status;
}
