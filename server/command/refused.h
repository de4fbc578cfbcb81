/* What `run` says of lines that were refused: a recording in memory is gone with it, so nobody can ask later.
 *
 * Errors: none. What cannot be read is not told.
 * Limits: the first REFUSED_SHOWN lines.
 */
#ifndef COMMAND_REFUSED_H
#define COMMAND_REFUSED_H

#include "command/recorder.h"

#define REFUSED_SHOWN 5

/* Warns of n refused lines and shows the first; nothing when n is 0. db: the recording, or ":memory:". */
void refused_tell(const struct recorder *r, uint64_t n, const char *db);

#endif
