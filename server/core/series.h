/* Series summed up anew from their samples: for questions that the kept summaries cannot answer (`since`,
 * `source`). */
#ifndef CORE_SERIES_H
#define CORE_SERIES_H

#include "core/reader.h"

/* As reader_ops.series, but over the samples that the filter lets through (session, since, until, source, …).
 */
int series_since(struct reader *r, const struct filter *filter, int (*row)(void *, const struct series_row *),
                 void *arg, struct err *err);

#endif
