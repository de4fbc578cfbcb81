/* Pushing a recording, for `push` and for `run --push`. */
#ifndef COMMAND_PUSHING_H
#define COMMAND_PUSHING_H

#include "command/options.h"
#include "core/reader.h"

/* After a verdict: the reader's recording goes to where --push says, in the time that --push-timeout gives. What fails is a warning, and an
 * error (EXIT_CANNOT) only with --push-required. `kept`: the file that holds the recording, NULL: none does. */
int pushing_after(const struct options *o, struct reader *from, const char *kept);
/* EXIT_USAGE once the error was printed: --push is no URL. */
int pushing_check(const struct options *o);

#endif
