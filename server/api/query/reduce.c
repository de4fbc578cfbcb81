/* One number for a series, and the choice of groups by it. */
#include "api/query/functions.h"

#include <math.h>
#include <stdlib.h>

enum query_reduce reduce_of(struct span word) {
    static const struct {
        const char *word;
        enum query_reduce how;
    } words[] = {{"avg", REDUCE_AVG},   {"mean", REDUCE_AVG},      {"sum", REDUCE_SUM},
                 {"min", REDUCE_MIN},   {"max", REDUCE_MAX},       {"last", REDUCE_LAST},
                 {"area", REDUCE_AREA}, {"l2norm", REDUCE_L2NORM}, {"percentile", REDUCE_PERCENTILE}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (span_eq(word, span_str(words[i].word)))
            return words[i].how;
    return REDUCE_NONE;
}

double reduce_values(enum query_reduce how, const struct query_table *t, const double *values) {
    double sum = 0, squares = 0, min = INFINITY, max = -INFINITY, last = NAN, n = 0;
    for (size_t i = 0; i < t->n_times; i++) {
        double v = values[i];
        if (!isfinite(v))
            continue;
        sum += v;
        squares += v * v;
        min = v < min ? v : min;
        max = v > max ? v : max;
        last = v;
        n++;
    }
    if (n == 0)
        return NAN;
    switch (how) {
    case REDUCE_SUM:
        return sum;
    case REDUCE_MIN:
        return min;
    case REDUCE_MAX:
        return max;
    case REDUCE_LAST:
        return last;
    case REDUCE_L2NORM:
        return sqrt(squares);
    case REDUCE_AREA:
        return sum * (double)t->interval_s;
    case REDUCE_NONE:
    case REDUCE_AVG:
    case REDUCE_PERCENTILE: /* there is one value */
    default:
        return sum / n;
    }
}

struct ranked {
    double rank;
    size_t at;
    struct query_group group;
};

/* Those without a value last, equal ones as they stood. */
static int compare(const void *x, const void *y) {
    const struct ranked *a = x, *b = y;
    if (isnan(a->rank) != isnan(b->rank))
        return isnan(a->rank) - isnan(b->rank);
    if (a->rank < b->rank || a->rank > b->rank)
        return a->rank < b->rank ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

bool reduce_select(struct query_table *t, enum query_reduce how, size_t count, bool ascending) {
    struct ranked *list = malloc((t->n_groups + 1) * sizeof *list);
    if (!list)
        return false;
    for (size_t g = 0; g < t->n_groups; g++) {
        double rank = reduce_values(how, t, t->groups[g].values);
        list[g] = (struct ranked){ascending ? rank : -rank, g, t->groups[g]};
    }
    qsort(list, t->n_groups, sizeof *list, compare);
    t->n_groups = count < t->n_groups ? count : t->n_groups;
    for (size_t g = 0; g < t->n_groups; g++)
        t->groups[g] = list[g].group;
    free(list);
    return true;
}
