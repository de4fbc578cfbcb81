/* The conditions behind `where`: which single records an expectation looks at.
 *
 * A sketch holds many values of which only the bins are known. A condition on `value` keeps those of its bins that satisfy it: numbers
 * are compared by the bins that they fall into, but the least and the greatest value, which a sketch knows exactly.
 *
 * Ownership: a sieve belongs to its claim. What sift_sample gives in `part` is valid until sift_free.
 * Limits: what matching takes is counted in steps, for the caller to bound.
 * Source: statwit-expect(7); schema/protocol/dogstatsd.md section 7.4 (bins).
 */
#ifndef JUDGE_EVALUATE_SIFT_H
#define JUDGE_EVALUATE_SIFT_H

#include "core/reader.h"
#include "judge/language/expectation.h"

#define SIEVE_SHOWN 160 /* bytes of a value that is told */

/* What a claim's conditions have left out, for its explanation. */
struct sieve {
    uint64_t dropped; /* records that match but for the conditions */
    uint64_t newest_id;
    const struct condition *missed; /* the first one that the newest of them does not satisfy */
    struct field_value value;       /* what it has there; text points into `shown` */
    char shown[SIEVE_SHOWN];
    bool by_bins; /* some sketch was kept in part, by its bins */
};

/* A sample of which a part was kept. */
struct part {
    struct sketch sketch;
    int32_t *keys;
    uint32_t *counts;
};

enum sifted { SIFT_DROPS, SIFT_KEEPS, SIFT_KEEPS_PART, SIFT_NO_MEMORY };

/* *part is filled for SIFT_KEEPS_PART, and part_free comes then. */
enum sifted sift_sample(const struct expectation *e, enum metric_type type, const struct sample_row *row,
                        struct sieve *sieve, struct part *part, uint64_t *steps);
void part_free(struct part *part);
bool sift_event(const struct expectation *e, const struct event_row *row, struct sieve *sieve,
                uint64_t *steps);
bool sift_check(const struct expectation *e, const struct check_row *row, struct sieve *sieve,
                uint64_t *steps);
bool sift_reject(const struct expectation *e, const struct reject_row *row, struct sieve *sieve,
                 uint64_t *steps);

#endif
