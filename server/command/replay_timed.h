/* replay --timed: a recording again, with the pauses that it was received with.
 *
 * Threads: one; it sleeps as long as the recording did. Errors: printed; exit codes. Limits: REPLAY_RECORDS_MAX bytes of events and
 * checks, which are held to be sent among the samples.
 */
#ifndef COMMAND_REPLAY_TIMED_H
#define COMMAND_REPLAY_TIMED_H

#include "command/sender.h"

#define REPLAY_RECORDS_MAX ((size_t)512 << 20)

/* o: --db and --session say what is sent. */
int replay_timed(const struct options *o, struct sender *sender);

#endif
