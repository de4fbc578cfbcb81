/* Names that resemble a name, found without comparing it to all others.
 *
 * Two names are compared only when they become equal once each loses at most one character, or at most one of
 * its segments (between `.`, `_`, `-`): that finds every name one edit away, most that are two away, and any
 * change within one segment. Time and memory grow with the sum of the names' lengths.
 *
 * Ownership: borrows the names.
 * Threads: read-only once built.
 * Limits: of a longer name only the first SIMILAR_BYTES count; at most SIMILAR_TRIED names are compared with one.
 */
#ifndef CATALOG_SIMILAR_H
#define CATALOG_SIMILAR_H

#include "core/span.h"
#include <stdint.h>

#define SIMILAR_BYTES     128
#define SIMILAR_TRIED     256
#define SIMILAR_STEPS_MAX UINT64_C(1000000000) /* of one caller; a few seconds */

struct similar;
/* NULL when out of memory. */
struct similar *similar_new(size_t n, const struct span *names);
void similar_free(struct similar *s);

struct near {
    size_t i;        /* which name */
    size_t distance; /* edits between the two */
    double likeness; /* 0 to 1 */
};
/* The most alike first, at most `max` of them; none below a likeness of 0.5. The name itself is left out. Adds to *steps what
 * it took; past SIMILAR_STEPS_MAX nothing more is found. */
size_t similar_find(const struct similar *s, struct span name, size_t max, struct near *found,
                    uint64_t *steps);

/* 1 - edits / length of the longer; names of the same segments in another order are 0.9 alike. */
double likeness(struct span a, struct span b, size_t *edits);

#endif
