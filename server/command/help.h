/* Help and shell completion, made from the tables of commands and options. Threads: one. */
#ifndef COMMAND_HELP_H
#define COMMAND_HELP_H

#include "command/command.h"
#include <stdio.h>

/* The program's. */
void help_program(FILE *to);
void help_command(const struct command *command, FILE *to);

#endif
