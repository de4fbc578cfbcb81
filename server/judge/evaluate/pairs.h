/* Value and sample rate of samples, side by side: for clauses that speak of one and the same sample.
 *
 * Ownership: pairs_free. Initialise with {0}. Equal pairs share one place, so that memory goes by distinct pairs.
 * Errors: -1 when out of memory.
 */
#ifndef JUDGE_EVALUATE_PAIRS_H
#define JUDGE_EVALUATE_PAIRS_H

#include <stddef.h>

struct pair {
    double value; /* NaN: a text */
    double upto;  /* the greatest value of a sketch, whose least one is `value`; else the value */
    double rate;  /* NaN: none that is a number */
};

struct pairs {
    struct pair *items;
    size_t n, cap;
};

int pairs_add(struct pairs *p, double value, double upto, double rate);
void pairs_free(struct pairs *p);

#endif
