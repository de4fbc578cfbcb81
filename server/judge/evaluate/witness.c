#include "judge/evaluate/witness.h"

#include "core/array.h"
#include "judge/evaluate/bins.h"
#include <math.h>
#include <stdlib.h>

unsigned needs_of(const struct expectation *e) {
    unsigned needs = expectation_asks_for_one(e) ? NEED_PAIRS : 0;
    needs |= e->subject == SUBJECT_METRIC && e->n_conditions ? NEED_SIFT : 0;
    for (size_t i = 0; i < e->n_clauses; i++) {
        const struct clause *c = &e->clauses[i];
        if (c->stat == STAT_MEDIAN || c->stat == STAT_PERCENTILE)
            needs |= NEED_VALUES;
        if (c->stat == STAT_EACH && clause_asks_between(c, e->no) && !(needs & NEED_PAIRS))
            needs |= NEED_VALUES;
        if (c->stat == STAT_RATE && !(needs & NEED_PAIRS))
            needs |= NEED_RATES;
        if (c->stat == STAT_DISTINCT)
            needs |= NEED_DISTINCT;
        if (c->stat == STAT_FIRST)
            needs |= NEED_FIRST;
        if (c->stat == STAT_LAST)
            needs |= NEED_LAST;
        if (c->op == OP_ABOUT && !c->has_tolerance)
            needs |= NEED_SAMPLING;
    }
    return needs;
}

int links_add(struct links *links, struct link link) {
    if (!array_room(&links->items, links->n, &links->cap, sizeof *links->items))
        return -1;
    links->items[links->n++] = link;
    return 0;
}

static int add_bins(struct witness *w, const struct sketch *s) {
    for (size_t i = 0; i < s->n_bins; i++)
        if (bag_add(&w->values, bins_value(s, s->keys[i]), s->counts[i]) != 0)
            return -1;
    return 0;
}

static int add_values(struct witness *w, const struct sample_row *row) {
    if (row->value.sketch)
        return add_bins(w, row->value.sketch);
    return bag_add(&w->values, row->value.number, metric_weigh(w->type, row->spelling->sample_rate).count);
}

/* The flushes of an aggregating client: a rate stands for rate times interval. */
static void add_flushed(struct witness *w, const struct sample_row *row) {
    struct tally *t = &w->flushed;
    double value = row->value.number;
    int64_t interval = row->spelling->interval;
    if (metric_is(w->type, METRIC_PER_SECOND) && interval <= 0) {
        w->spanless++;
        return;
    }
    t->series = 1;
    t->min = t->samples ? fmin(t->min, value) : value;
    t->max = t->samples ? fmax(t->max, value) : value;
    t->samples++;
    t->numbers++;
    t->sum += metric_is(w->type, METRIC_PER_SECOND) ? value * (double)interval : value;
    if (t->first_id == 0)
        t->first_id = row->id;
    t->last_id = row->id;
}

static int add_pairs(struct witness *w, const struct sample_row *row) {
    const struct sketch *s = row->value.sketch;
    double rate = row->spelling->sample_rate,
           value = metric_is(w->type, METRIC_TEXT) ? (double)NAN : row->value.number;
    return s ? pairs_add(&w->pairs, s->min, s->max, rate) : pairs_add(&w->pairs, value, value, rate);
}

/* The values that are kept beside the tally. */
static int keep_sample(struct witness *w, const struct sample_row *row, uint64_t *n_values) {
    if ((w->needs & NEED_FORM) && row->source == SOURCE_HTTP)
        add_flushed(w, row);
    if (w->needs & NEED_RATES) {
        double rate = row->spelling->sample_rate;
        if (isnan(rate))
            w->odd_rates++;
        else if (bag_add(&w->rates, rate, 1) != 0)
            return -1;
    }
    if (w->needs & (NEED_VALUES | NEED_DISTINCT | NEED_PAIRS))
        ++*n_values;
    if ((w->needs & NEED_VALUES) && !metric_is(w->type, METRIC_TEXT) && add_values(w, row) != 0)
        return -1;
    bool pairs = (w->needs & NEED_PAIRS) || ((w->needs & NEED_VALUES) && row->value.sketch);
    if (pairs && add_pairs(w, row) != 0)
        return -1;
    if (w->needs & NEED_DISTINCT)
        return metric_is(w->type, METRIC_TEXT) ? distinct_add_text(&w->distinct, row->text)
                                               : distinct_add_number(&w->distinct, row->value.number);
    return 0;
}

int witness_add_sample(struct witness *w, const struct sample_row *row, uint64_t *n_values) {
    tally_add_sample(&w->tally, w->type, row);
    return keep_sample(w, row, n_values);
}

int witness_read_sample(struct witness *w, const struct sample_row *row, uint64_t *n_values) {
    tally_read_sample(&w->tally, w->type, row);
    return keep_sample(w, row, n_values);
}

bool witness_needs_samples(const struct witness *w, const struct series_row *row) {
    if (w->needs & (NEED_VALUES | NEED_DISTINCT | NEED_FORM | NEED_PAIRS | NEED_SIFT))
        return true;
    if ((w->needs & NEED_FIRST) && row->samples > 1)
        return true;
    /* Sketches, which are of any number of values, have no first one and no last. */
    if ((w->needs & (NEED_FIRST | NEED_LAST)) && metric_is(row->type, METRIC_SKETCHED) &&
        row->count != (double)row->samples)
        return true;
    return (w->needs & (NEED_RATES | NEED_SAMPLING)) && row->sampled;
}

bool witness_needs_values(const struct witness *w, const struct series_row *row) {
    if (w->sifted || row->sampled || metric_is(row->type, METRIC_TEXT) ||
        (w->needs & (NEED_DISTINCT | NEED_FIRST | NEED_FORM | NEED_SIFT | NEED_PAIRS)))
        return false;
    return (w->needs & NEED_VALUES) && !((w->needs & NEED_LAST) && metric_is(row->type, METRIC_SKETCHED));
}

int witness_read_values(struct witness *w, const struct numbers_row *row, struct bag_hints *hints) {
    const struct sketch *s = row->sketch;
    double rate = row->spelling->sample_rate;
    if (!s)
        return bag_add_many(&w->values, row->n, row->values, metric_weigh(w->type, rate).count, hints);
    w->tally.vague += s->min < s->max;
    return add_bins(w, s) != 0 ? -1 : pairs_add(&w->pairs, s->min, s->max, rate);
}

int witness_take_series(struct witness *w, const struct series_row *row, bool reading) {
    tally_take_series(&w->tally, row);
    w->summed = true;
    if (reading) {
        tally_begin_reading(&w->tally);
        return 0;
    }
    return (w->needs & NEED_RATES) ? bag_add(&w->rates, 1, (double)row->samples) : 0;
}

int witness_leave_reading(struct witness *w) {
    w->reading = false;
    w->tally.sum_sampling.exact = w->tally.sum;
    w->tally.count_sampling.exact = w->tally.count;
    return (w->needs & NEED_RATES) ? bag_add(&w->rates, 1, (double)w->tally.samples) : 0;
}

void witness_free(struct witness *w) {
    bag_free(&w->values);
    bag_free(&w->rates);
    pairs_free(&w->pairs);
    distinct_free(&w->distinct);
    free(w->claims.items);
}
