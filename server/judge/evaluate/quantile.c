#include "judge/evaluate/quantile.h"

#include "judge/evaluate/bag.h"
#include "judge/evaluate/bins.h"
#include <math.h>
#include <stdlib.h>

struct quantile {
    struct bag bag;
    struct bag_hints hints;
    bool no_memory;
};

static int add_values(struct quantile *q, const struct numbers_row *row) {
    const struct metric *m = row->spelling;
    double weight = metric_weigh(m->type, m->sample_rate).count;
    int failed = row->sketch ? 0 : bag_add_many(&q->bag, row->n, row->values, weight, &q->hints);
    for (size_t i = 0; row->sketch && i < row->sketch->n_bins && !failed; i++)
        failed = bag_add(&q->bag, bins_value(row->sketch, row->sketch->keys[i]), row->sketch->counts[i]);
    q->no_memory = failed;
    return failed;
}

static int take_values(void *arg, const struct numbers_row *row) {
    return add_values(arg, row);
}

static int take_points(void *arg, const struct points_row *row) {
    return add_values(arg, &(struct numbers_row){row->spelling, row->n, row->values, row->sketch});
}

static int read_bag(struct reader *r, uint64_t series_id, struct quantile *q, struct err *err) {
    return r->ops->numbers ? r->ops->numbers(r, series_id, take_values, q, err)
                           : r->ops->points(r, series_id, take_points, q, err);
}

int quantile_of(struct reader *r, const struct series_row *row, double percentile, uint64_t *budget,
                double *value, struct err *err) {
    *value = (double)NAN;
    if (!metric_is(row->type, METRIC_POOLED) || row->samples > QUANTILE_SAMPLES_MAX || row->samples > *budget)
        return 0;
    *budget -= row->samples;
    struct quantile *q = calloc(1, sizeof *q);
    if (!q)
        return err_set(err, 0, "out of memory for a percentile");
    int result = read_bag(r, row->id, q, err);
    if (result == 0 && (q->no_memory || bag_settle_for_percentile(&q->bag) != 0))
        result = err_set(err, 0, "out of memory for a percentile");
    if (result == 0)
        *value = bag_percentile(&q->bag, percentile);
    bag_free(&q->bag);
    free(q);
    return result;
}
