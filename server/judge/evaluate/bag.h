/* Weighted values, sorted when asked: quantiles, and whether all or any satisfy something.
 *
 * Ownership: bag_free. Initialise with {0}. Equal values share one place, so that memory goes by distinct values.
 * Errors: -1 when out of memory.
 */
#ifndef JUDGE_EVALUATE_BAG_H
#define JUDGE_EVALUATE_BAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weighted {
    double value, weight;
};

struct bag {
    struct weighted *items; /* the first n_sorted are sorted and distinct */
    size_t n, cap, n_sorted;
    double *plain; /* of weight 1, until they are sorted: half the memory */
    size_t n_plain, cap_plain;
    /* Of all that was added: */
    double least, most, total; /* total: of the weights */
    bool odd;                  /* values that are NaN, weights that are no whole numbers */
    unsigned asked;            /* for quantiles without being sorted */
    struct bag_ranges *ranges; /* of what is not sorted, where a quantile lies; */
    bool ranged;               /* they are right */
};

/* Where values came lately that may come again: for bag_add_many, which then need not sort to join them. Initialise with {0}. */
#define BAG_HINT_BITS 11
struct bag_hints {
    uint32_t places[1 << BAG_HINT_BITS][2];
    uint64_t tried, hits;
};

int bag_add(struct bag *b, double value, double weight);
int bag_add_many(struct bag *b, size_t n, const double *values, double weight, struct bag_hints *hints);
/* Adds everything of another. */
int bag_add_all(struct bag *b, const struct bag *from);
/* Sorts and joins what is equal. */
int bag_settle(struct bag *b);
/* Before bag_percentile: settles it unless it is large and was seldom asked, so that finding a place in it is cheaper than sorting. */
int bag_settle_for_percentile(struct bag *b);
/* Of a settled or prepared bag, nearest rank: the first value whose cumulative weight reaches `percentile` per cent of
 * all. NaN when there is no weight. With whole weights and percentiles this is the Agent's rule for .median
 * and .NNpercentile (schema/protocol/dogstatsd.md section 7.3), and goes on evenly for fractions. */
double bag_percentile(const struct bag *b, double percentile);
void bag_free(struct bag *b);

#endif
