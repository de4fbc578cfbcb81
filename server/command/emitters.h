/* ls --by: who sends, and since when. Series are put together by what they have in common: by the labels of the recordings
 * that they were pushed in, and by what they say themselves.
 *
 * Threads: one.
 * Errors: printed; functions return the exit code.
 * Limits: EMITTER_BY_MAX words; the groups are held in memory.
 */
#ifndef COMMAND_EMITTERS_H
#define COMMAND_EMITTERS_H

#include "command/options.h"

/* For --by and for those who complete it. */
#define EMITTER_WORDS "name|type|session|host|tags|repo|branch|commit|job|run|label."

int emitters_list(const struct options *o);

#endif
