/* How many different values there were, texts and numbers.
 *
 * Values are kept as 128-bit hashes: 16 bytes each, and two different values count as one with a chance of
 * 10^-26 at a million. Ownership: distinct_free. Initialise with {0}. Errors: -1 when out of memory.
 */
#ifndef JUDGE_EVALUATE_DISTINCT_H
#define JUDGE_EVALUATE_DISTINCT_H

#include "core/span.h"
#include <stdint.h>

struct distinct {
    struct distinct_key {
        uint64_t low, high; /* high is 0: free */
    } * slots;
    size_t n, cap;
};

int distinct_add_text(struct distinct *d, struct span text);
int distinct_add_number(struct distinct *d, double number);
bool distinct_has_text(const struct distinct *d, struct span text);
int distinct_add_all(struct distinct *d, const struct distinct *from);
void distinct_free(struct distinct *d);

#endif
