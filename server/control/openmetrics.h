/* The series of a recording as OpenMetrics text.
 *
 * Counts become counters, gauges and rates gauges, timings, histograms and distributions summaries (count and
 * sum), sets gauges of the samples received. Names and labels are made to fit: other bytes than [a-zA-Z0-9_:]
 * become _. Limits: OPENMETRICS_MAX bytes; a family's series stand together, so this one is sorted in memory.
 */
#ifndef CONTROL_OPENMETRICS_H
#define CONTROL_OPENMETRICS_H

#include "control/ask.h"

#define OPENMETRICS_MAX ((size_t)256 << 20)

/* -1 with err; err->sys is EFBIG when there are too many series. */
int openmetrics_write(struct reader *r, const struct filter *filter, uint64_t limit, struct buf *text,
                      struct err *err);
void openmetrics_answer(struct http_request *rq, const struct ask *ask);

#endif
