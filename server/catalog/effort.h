/* How much work a question about names and tags may be: the visits and comparisons that it takes, counted where they are made.
 * A count is the same on every machine, so that a limit refuses the same questions everywhere and a test can hold the work to
 * what it should grow with.
 *
 * Ownership: the caller's; initialise with {0}.
 * Threads: one at a time.
 */
#ifndef CATALOG_EFFORT_H
#define CATALOG_EFFORT_H

#include "core/err.h"

#include <stdint.h>

#define EFFORT_MAX UINT64_C(1000000000) /* steps of one question; a few seconds */

struct effort {
    uint64_t steps;
    uint64_t max; /* 0: EFFORT_MAX */
};

bool effort_is_spent(const struct effort *effort);
/* Whether the limit was kept; else err names it. */
bool effort_was_enough(const struct effort *effort, struct err *err);

#endif
