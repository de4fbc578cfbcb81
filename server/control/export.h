/* The formats of an export that are lists of rows; `openmetrics`, the other one, has openmetrics.h. */
#ifndef CONTROL_EXPORT_H
#define CONTROL_EXPORT_H

#include "control/listing.h"

/* jsonl, csv, dogstatsd; NULL: none of them. */
const struct listing_format *export_format(struct span name);

#endif
