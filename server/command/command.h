/* The command line: one file per subcommand, one table of commands (command.c), one of options (options.c).
 *
 * To add a command: its row in command.c, its function in a file of its own, and its options in options.c.
 * Help, completion, the check of what was given, and the suggestions for what was misspelt all come from the
 * two tables.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include "command/options.h"

/* The same for every command. */
enum exit_code {
    EXIT_PASS = 0,
    EXIT_FAIL = 1,         /* an expectation failed */
    EXIT_USAGE = 2,        /* usage, or a malformed expectation */
    EXIT_CANNOT = 3,       /* cannot start, or cannot reach the server */
    EXIT_INCONCLUSIVE = 4, /* a loss could have changed the verdict */
    EXIT_TIMEOUT = 124,    /* --timeout of run */
};

struct command {
    const char *name;
    const char *args; /* as in the usage line: "[GLOB]" */
    int min_args;     /* positional arguments; max_args -1: any number */
    int max_args;
    bool stops_at_arg;           /* what follows the first positional argument is not ours to read */
    struct option_groups groups; /* the options it takes */
    const char *summary;         /* a line */
    const char *about;           /* what else is to know; lines, may be NULL */
    const char *examples;        /* lines "command # what it does" */
    int (*run)(const struct options *o);
};

extern const struct command commands[];
extern const size_t n_commands;
/* NULL: there is none of that name. */
const struct command *command_find(const char *name);

int command_main(int argc, char **argv);

#endif
