/* Keeps the reports of expect and verify, so that somebody who comes later sees which claim failed and why.
 *
 * Threads: any.
 * Limits: STORE_VERDICTS_MAX reports of STORE_VERDICT_SIZE_MAX bytes. A longer one loses its text, then what passed, then the last of
 * what failed; "omitted" counts the results that it lost.
 */
#ifndef CONTROL_VERDICTS_H
#define CONTROL_VERDICTS_H

#include "control/ask.h"

/* `answer` as JSON and as text. It may be made shorter here. What cannot be kept is not: a report is worth more than a copy of it. */
void verdicts_keep(struct http_request *rq, struct span kind, struct span session, json_t *answer,
                   struct span text);

#endif
