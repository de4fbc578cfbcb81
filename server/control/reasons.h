/* GET /recorder/v1/rejects?group=true: how many were refused for each reason, and the newest of each.
 *
 * Limits: the newest REASONS_READ rejects are counted; with more, the answer says "partial":true.
 */
#ifndef CONTROL_REASONS_H
#define CONTROL_REASONS_H

#include "control/ask.h"

#define REASONS_READ 100000

void reasons_answer(struct http_request *rq, const struct ask *ask);

#endif
