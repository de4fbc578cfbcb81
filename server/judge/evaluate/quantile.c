#include "judge/evaluate/quantile.h"

#include "judge/evaluate/bag.h"
#include "judge/evaluate/bins.h"
#include <math.h>

struct quantile {
    struct bag bag;
    bool no_memory;
};

static int take_points(void *arg, const struct points_row *row) {
    struct quantile *q = arg;
    const struct metric *m = row->spelling;
    double weight = metric_weigh(m->type, m->sample_rate).count;
    int failed = 0;
    for (size_t i = 0; !row->sketch && i < row->n && !failed; i++)
        failed = bag_add(&q->bag, row->values[i], weight);
    for (size_t i = 0; row->sketch && i < row->sketch->n_bins && !failed; i++)
        failed = bag_add(&q->bag, bins_value(row->sketch, row->sketch->keys[i]), row->sketch->counts[i]);
    q->no_memory = failed;
    return failed;
}

int quantile_of(struct reader *r, const struct series_row *row, double percentile, uint64_t *budget,
                double *value, struct err *err) {
    struct quantile q = {0};
    *value = (double)NAN;
    if (!metric_is(row->type, METRIC_POOLED) || row->samples > QUANTILE_SAMPLES_MAX || row->samples > *budget)
        return 0;
    *budget -= row->samples;
    int result = r->ops->points(r, row->id, take_points, &q, err);
    if (result == 0 && (q.no_memory || bag_settle(&q.bag) != 0))
        result = err_set(err, 0, "out of memory for a percentile");
    if (result == 0)
        *value = bag_percentile(&q.bag, percentile);
    bag_free(&q.bag);
    return result;
}
