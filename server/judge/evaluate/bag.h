/* Weighted values, sorted when asked: quantiles, and whether all or any satisfy something.
 *
 * Ownership: bag_free. Initialise with {0}. Equal values share one place, so that memory goes by distinct values.
 * Errors: -1 when out of memory.
 */
#ifndef JUDGE_EVALUATE_BAG_H
#define JUDGE_EVALUATE_BAG_H

#include <stddef.h>

struct weighted {
    double value, weight;
};

struct bag {
    struct weighted *items; /* the first n_sorted are sorted and distinct */
    size_t n, cap, n_sorted;
};

int bag_add(struct bag *b, double value, double weight);
/* Adds everything of another. */
int bag_add_all(struct bag *b, const struct bag *from);
/* Sorts and joins what is equal. */
int bag_settle(struct bag *b);
/* Of a settled bag, nearest rank: the first value whose cumulative weight reaches `percentile` per cent of
 * all. NaN when there is no weight. With whole weights and percentiles this is the Agent's rule for .median
 * and .NNpercentile (schema/protocol/dogstatsd.md section 7.3), and goes on evenly for fractions. */
double bag_percentile(const struct bag *b, double percentile);
void bag_free(struct bag *b);

#endif
