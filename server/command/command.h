/* The command line: one file per subcommand, one table of commands (command.c), one of options (options.c).
 *
 * Exit codes, the same for every command.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

enum exit_code {
    EXIT_PASS = 0,
    EXIT_FAIL = 1,         /* an expectation failed */
    EXIT_USAGE = 2,        /* usage, or a malformed expectation */
    EXIT_CANNOT = 3,       /* cannot start, or cannot reach the server */
    EXIT_INCONCLUSIVE = 4, /* a loss could have changed the verdict */
    EXIT_TIMEOUT = 124,    /* --timeout of run */
};

int command_main(int argc, char **argv);

#endif
