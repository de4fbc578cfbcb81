/* GET /recorder/v1/stream?every_ms=: what arrived in each period as one event that stays small in a flood. See batch.c.
 *
 * Errors: http_error has answered.
 */
#ifndef CONTROL_BATCH_H
#define CONTROL_BATCH_H

#include "control/ask.h"

#define BATCH_EVERY_MIN_MS 100
#define BATCH_EVERY_MAX_MS 60000
#define BATCH_ROWS_DEFAULT 40
#define BATCH_ROWS_MAX     200

/* What ends a stream of a recording in whose place another one is. The empty id: a client that comes back does not name one of before. */
#define BATCH_REPLACED                                                                                       \
    "event: end\nid:\ndata: {\"error\":\"another recording is in the place of this one: its ids begin anew\"}\n\n"

/* `cursor`: the newest record that the client knows. session_id 0: the stream is about all sessions. `replaced`: store_view_replaced, when
 * nothing of it had been read. */
void batch_answer(struct http_request *rq, const struct ask *ask, uint64_t session_id, uint64_t cursor,
                  uint64_t replaced);

#endif
