#include "judge/evaluate/tally.h"

#include <math.h>

static void add_range(struct tally *t, double min, double max) {
    t->min = t->numbers == 0 ? min : fmin(t->min, min);
    t->max = t->numbers == 0 ? max : fmax(t->max, max);
}

void tally_take_series(struct tally *t, const struct series_row *row) {
    *t = (struct tally){.samples = row->samples,
                        .series = row->samples > 0,
                        .numbers = metric_is(row->type, METRIC_TEXT) ? 0 : row->samples,
                        .count = row->count,
                        .weight = metric_is(row->type, METRIC_TEXT) ? 0 : row->count,
                        .sum = metric_is(row->type, METRIC_TEXT) ? 0 : row->sum,
                        .min = row->min,
                        .max = row->max,
                        .first = row->samples == 1 ? row->last : NAN,
                        .last = row->last,
                        .first_id = row->first_id,
                        .last_id = row->last_id,
                        .sampled = row->sampled};
    if (metric_is(row->type, METRIC_TEXT)) {
        t->first = t->last = NAN;
        t->count = (double)row->samples;
    }
    t->sum_sampling.exact = t->sum;
    t->count_sampling.exact = t->count;
}

void tally_begin_reading(struct tally *t) {
    t->sum_sampling = t->count_sampling = (struct sampling){0};
}

static bool is_vague(const struct sketch *sketch) {
    return sketch && sketch->min < sketch->max;
}

void tally_read_sample(struct tally *t, enum metric_type type, const struct sample_row *row) {
    const struct sketch *sketch = row->value.sketch;
    bool vague = is_vague(sketch);
    double rate = row->spelling->sample_rate,
           value = metric_is(type, METRIC_TEXT) || vague ? NAN : row->value.number;
    struct metric_weight weight = metric_weigh(type, rate);
    if (t->first_id == 0 || row->id <= t->first_id) {
        t->first = value;
        t->first_id = row->id;
    }
    if (row->id >= t->last_id) {
        t->last = value;
        t->last_id = row->id;
    }
    if (metric_is(type, METRIC_TEXT))
        return;
    t->vague += vague;
    if (sketch) { /* the client's own summary: what it sampled away is not told */
        t->sum_sampling.exact += sketch->sum;
        t->count_sampling.exact += (double)sketch->count;
        return;
    }
    sampling_add(&t->sum_sampling, value, weight.factor, rate);
    sampling_add(&t->count_sampling, 1, weight.factor, rate);
    if (weight.factor != 1 && sampling_is_random(rate)) {
        double s = (1 - rate) / (rate * rate);
        t->spread[0] += s;
        t->spread[1] += s * value;
        t->spread[2] += s * value * value;
    }
}

void tally_add_sample(struct tally *t, enum metric_type type, const struct sample_row *row) {
    const struct sketch *sketch = row->value.sketch;
    double rate = row->spelling->sample_rate, value = row->value.number;
    struct metric_weight weight = metric_weigh(type, rate);
    double count = sketch ? (double)sketch->count : weight.count;
    t->series = 1;
    t->samples++;
    t->sampled |= rate != 1;
    t->count += count;
    if (!metric_is(type, METRIC_TEXT)) {
        t->sum += sketch ? sketch->sum : value * weight.factor;
        add_range(t, sketch ? sketch->min : value, sketch ? sketch->max : value);
        t->numbers++;
        t->weight += count;
    }
    tally_read_sample(t, type, row);
}

void tally_add_all(struct tally *t, const struct tally *from) {
    if (from->samples == 0)
        return;
    if (t->samples == 0 || from->first_id < t->first_id) {
        t->first = from->first;
        t->first_id = from->first_id;
    }
    if (t->samples == 0 || from->last_id > t->last_id) {
        t->last = from->last;
        t->last_id = from->last_id;
    }
    if (from->numbers)
        add_range(t, from->min, from->max);
    t->samples += from->samples;
    t->series += from->series;
    t->numbers += from->numbers;
    t->count += from->count;
    t->weight += from->weight;
    t->sum += from->sum;
    t->sampled |= from->sampled;
    t->vague += from->vague;
    sampling_add_all(&t->sum_sampling, &from->sum_sampling);
    sampling_add_all(&t->count_sampling, &from->count_sampling);
    for (int i = 0; i < 3; i++)
        t->spread[i] += from->spread[i];
}
