/* The series of a recording as OpenMetrics text.
 *
 * Counts become counters, gauges and rates gauges, timings, histograms and distributions summaries (count and sum), sets gauges
 * of the samples received. What has a value that its kind must not have (a negative count, a sum that is not a number) is
 * `unknown` instead. Tags become labels: `k` is k="true", and `k:` is none, since an empty label is a missing one; several values of a key stand in one
 * label with commas between. Names are made to fit, and no two become one (openmetrics_names.h). With every session, a label tells
 * the session. Series that still look alike get a label `series` with their id. So the text is always valid.
 *
 * Threads: one, between reader_begin and reader_end; the series are read twice.
 * Errors: -1 with err; err->sys is EFBIG when there are too many series.
 * Limits: OPENMETRICS_MAX bytes; the series of a family stand together, so they are sorted in memory.
 * Source: the OpenMetrics specification 1.0.
 */
#ifndef RENDER_OPENMETRICS_H
#define RENDER_OPENMETRICS_H

#include "core/buf.h"
#include "core/reader.h"

#define OPENMETRICS_MAX  ((size_t)256 << 20)
#define OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

int openmetrics_write(struct reader *r, const struct filter *filter, uint64_t limit, struct buf *text,
                      struct err *err);

#endif
