/* Bodies of the fake intake as agents send them: 1,000 names, four tags, a host, so many points of each series.
 * Ownership: they are added to the caller's buffer. */
#ifndef BENCH_BODIES_H
#define BENCH_BODIES_H

#include "core/buf.h"

void body_json(struct buf *b, int n_series, int n_points);     /* POST /api/v1/series */
void body_protobuf(struct buf *b, int n_series, int n_points); /* POST /api/v2/series */

#endif
