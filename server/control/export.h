/* The formats of an export that are lists of rows; `openmetrics`, the other one, is render/openmetrics.h. */
#ifndef CONTROL_EXPORT_H
#define CONTROL_EXPORT_H

#include "control/listing.h"

/* jsonl, csv, dogstatsd; NULL: none of them. safe: as rows_sample_csv. */
const struct listing_format *export_format(struct span name, bool safe);
/* dogstatsd with raw: the datagrams as they came. */
extern const struct listing_format export_raw;

#endif
