/* --since and --until, as marks of the recording that the command is about.
 *
 * Threads: one.
 * Errors: printed; the exit code is returned.
 */
#ifndef COMMAND_MOMENTS_H
#define COMMAND_MOMENTS_H

#include "command/options.h"

/* Makes marks of ages, times and `now`: the server is asked, or the file of --db is looked at. An --until behind all that a file
 * holds is forgotten, so that it bounds nothing. */
int moments_resolve(struct options *o);
/* The mark of `text` (NULL: now), as moments_resolve finds it. */
int moments_mark(const struct options *o, const char *text, uint64_t *mark, bool *later);

#endif
