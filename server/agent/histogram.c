/* Histograms and timings. schema/protocol/dogstatsd.md section 7.3. */
#include "agent/private.h"

/* The whole part, as an Agent on amd64 gets it: what no int64 holds (NaN too) is the lowest one. */
static int64_t whole_part(double x) {
    return x > -9223372036854775808.0 && x < 9223372036854775808.0 ? (int64_t)x : INT64_MIN;
}

/* Sums of weights wrap around, as the Agent's do. */
static int64_t wrap(uint64_t n) {
    return (int64_t)n;
}

int agent_histogram_add(struct agent *a, struct agent_histogram *h, double value, double rate,
                        struct err *err) {
    double times = 1 / (rate == 0 ? 1 : rate);
    int64_t weight = whole_part(times);
    if (agent_room(a, &h->samples, h->n, &h->cap, sizeof *h->samples, err) != 0)
        return -1;
    h->samples[h->n++] = (struct agent_weighted){value, weight};
    h->sum += value * times;
    h->count = wrap((uint64_t)h->count + (uint64_t)weight);
    return 0;
}

static int by_value(const void *a, const void *b) {
    double x = ((const struct agent_weighted *)a)->value, y = ((const struct agent_weighted *)b)->value;
    return (x > y) - (x < y);
}

/* The first value at which the summed weight is above the target; false when it never is. */
static bool value_above(const struct agent_histogram *h, int64_t target, double *value) {
    int64_t weight = 0;
    for (size_t i = 0; i < h->n; i++) {
        weight = wrap((uint64_t)weight + (uint64_t)h->samples[i].weight);
        if (weight > target) {
            *value = h->samples[i].value;
            return true;
        }
    }
    return false;
}

static double aggregate_of(const struct agent_histogram *h, enum agent_aggregate aggregate) {
    double median = 0;
    switch (aggregate) {
    case AGENT_MAX:
        return h->samples[h->n - 1].value;
    case AGENT_MIN:
        return h->samples[0].value;
    case AGENT_MEDIAN:
        value_above(h, wrap((uint64_t)h->count - 1) / 2, &median);
        return median;
    case AGENT_AVG:
        return h->sum / (double)h->count;
    case AGENT_SUM:
        return h->sum;
    case AGENT_COUNT:
        return (double)h->count / AGENT_BUCKET_S;
    case AGENT_N_AGGREGATES:
        break;
    }
    return 0;
}

int agent_histogram_rows(struct agent *a, struct agent_object *o, struct err *err) {
    const struct agent_histogram *h = &o->histogram;
    if (h->n == 0)
        return 0;
    qsort(h->samples, h->n, sizeof *h->samples, by_value);
    for (int i = 0; i < AGENT_N_AGGREGATES; i++)
        if (a->options.aggregates & 1U << i && agent_row_add(a, o, 1 + (size_t)i, i == AGENT_COUNT,
                                                             aggregate_of(h, (enum agent_aggregate)i), err))
            return -1;
    for (size_t i = 0; i < a->options.n_percentiles; i++) {
        uint64_t share = (uint64_t)a->options.percentiles[i] * (uint64_t)h->count;
        double value;
        if (value_above(h, wrap(share - 1) / 100, &value) &&
            agent_row_add(a, o, 1 + AGENT_N_AGGREGATES + i, false, value, err) != 0)
            return -1;
    }
    return 0;
}
