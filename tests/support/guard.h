/* Bytes that touch an unmapped page, so that reading one byte too many ends the test at once.
 *
 * Ownership: one mapping for the whole program; a span stays valid until the next call.
 * Limits: GUARD_MAX bytes.
 */
#ifndef SUPPORT_GUARD_H
#define SUPPORT_GUARD_H

#include "core/span.h"

#define GUARD_MAX ((size_t)1 << 17)

/* A copy whose last byte is the last one readable. */
struct span guard_end(struct span bytes);
/* A copy whose first byte is the first one readable. */
struct span guard_start(struct span bytes);

#endif
