/* What the samples of a claim amount to, told by a reader that would have to send each of them: of a fleet there may be a thousand million.
 * The number is the one that the judge would find by itself. */
#include "judge/evaluate/private.h"

#include <math.h>
#include <stdlib.h>

/* Fewer samples are read: that is one question for all claims. */
#define TOLD_LEAST 256

struct told_asking {
    struct judge *judge;
    struct reader *reader;
    struct claim *claim;
    uint64_t *series; /* the ids, in order */
    size_t n;
    uint64_t samples;
    bool sampled;
    struct err *err;
};

double told_percentile(const struct told *told, double percentile) {
    for (size_t i = 0; i < told->n; i++)
        if (told->percentiles[i] == percentile)
            return told->numbers[i];
    return NAN;
}

void judge_free_told(struct claim *claim) {
    if (claim->told)
        bag_free(&claim->told->values);
    free(claim->told);
    claim->told = NULL;
}

/* --- which claims -------------------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The series that the claim is about; false when of one of them not all samples count, or not by their values alone. */
static bool list_series(struct told_asking *t) {
    const struct judge *j = t->judge;
    const struct links *links = &t->claim->witnesses;
    for (size_t i = 0; i < links->n; i++) {
        const struct witness *w = &j->witnesses[links->items[i].index];
        if (links->items[i].form != FORM_NONE || w->tally.samples == 0)
            continue;
        if (!w->summed || (w->tally.sampled && (t->claim->needs & NEED_SAMPLING)))
            return false;
        t->series[t->n++] = w->id;
        t->samples += w->tally.samples;
        t->sampled = t->sampled || w->tally.sampled;
    }
    qsort(t->series, t->n, sizeof *t->series, by_id);
    return t->samples >= TOLD_LEAST;
}

static bool may_be_told(const struct claim *claim) {
    const struct expectation *e = claim->e;
    return e->subject == SUBJECT_METRIC && e->n_conditions == 0 &&
           !(claim->needs & (NEED_PAIRS | NEED_RATES)) && (claim->needs & (NEED_VALUES | NEED_DISTINCT));
}

/* --- one claim ----------------------------------------------------------------------------------------------- */

static int add_value(void *arg, const struct values_row *row) {
    double weight = metric_weigh(row->type, row->rate).count;
    return bag_add(arg, row->value, weight * (double)row->times) != 0;
}

/* By their ranks where each sample weighs 1; else, and for `each`, from all different values. */
static int ask_values(struct told_asking *t, struct told *told) {
    const struct expectation *e = t->claim->e;
    const struct reader_ops *ops = t->reader->ops;
    bool ranks = !t->sampled;
    size_t n = 0;
    for (size_t i = 0; i < e->n_clauses; i++) {
        const struct clause *c = &e->clauses[i];
        ranks = ranks && !(c->stat == STAT_EACH && clause_asks_between(c, e->no));
        if (c->stat == STAT_MEDIAN || c->stat == STAT_PERCENTILE)
            told->percentiles[n++] = c->percentile;
    }
    int result = ranks ? ops->ranked(t->reader, t->n, t->series, n, told->percentiles, told->numbers, t->err)
                       : ops->values(t->reader, t->n, t->series, add_value, &told->values, t->err);
    told->n = ranks && result == 0 ? n : 0;
    if (result == 0 && bag_settle(&told->values) != 0)
        result = err_set(t->err, 0, "out of memory");
    return result;
}

/* 1: it cannot be told. */
static int ask_claim(struct told_asking *t) {
    struct told *told = calloc(1, sizeof *told);
    int result = told ? 0 : err_set(t->err, 0, "out of memory");
    t->claim->told = told;
    if (result == 0 && (t->claim->needs & NEED_VALUES))
        result = ask_values(t, told);
    if (result == 0 && (t->claim->needs & NEED_DISTINCT)) {
        result = t->reader->ops->distinct(t->reader, t->n, t->series, &told->distinct, t->err);
        told->has_distinct = result == 0;
    }
    if (result != 0)
        judge_free_told(t->claim);
    return result;
}

static int ask_claims(struct told_asking *t, bool *some) {
    struct judge *j = t->judge;
    for (size_t i = 0; i < j->n_claims; i++) {
        t->claim = &j->claims[i];
        t->n = 0;
        t->samples = 0;
        t->sampled = false;
        if (!may_be_told(t->claim) || !list_series(t))
            continue;
        int result = ask_claim(t);
        if (result < 0)
            return -1;
        *some = *some || result == 0;
    }
    return 0;
}

/* --- which samples nobody needs any more --------------------------------------------------------------------- */

/* What claims that were not told need of it. */
static unsigned needs_left(const struct judge *j, const struct witness *w) {
    unsigned needs = w->needs & (unsigned)(NEED_FORM | NEED_SIFT);
    for (size_t i = 0; i < w->claims.n; i++) {
        const struct claim *claim = &j->claims[w->claims.items[i].index];
        unsigned of_claim = w->claims.items[i].form == FORM_NONE ? claim->needs : 0;
        needs |= claim->told ? of_claim & ~(unsigned)(NEED_VALUES | NEED_DISTINCT) : of_claim;
    }
    return needs;
}

static int leave_readings(struct judge *j, uint64_t *wanted) {
    for (size_t i = 0; i < j->n_witnesses; i++) {
        struct witness *w = &j->witnesses[i];
        if (!w->reading || !w->summed || w->sifted)
            continue;
        unsigned needs = needs_left(j, w), by_summary = w->tally.sampled ? 0 : NEED_RATES | NEED_SAMPLING;
        bool sketched = metric_is(w->type, METRIC_SKETCHED) && w->tally.count != (double)w->tally.samples;
        by_summary |= sketched ? 0 : NEED_LAST;
        if (needs & ~by_summary)
            continue;
        *wanted -= w->tally.samples;
        if (witness_leave_reading(w) != 0)
            return -1;
    }
    return 0;
}

int judge_ask_told(struct judge *j, struct reader *reader, uint64_t *wanted, struct err *err) {
    struct told_asking t = {.judge = j, .reader = reader, .err = err};
    bool some = false;
    if (!reader->ops->ranked || *wanted < TOLD_LEAST)
        return 0;
    t.series = malloc((j->n_witnesses + 1) * sizeof *t.series);
    int failed = t.series ? ask_claims(&t, &some) : err_set(err, 0, "out of memory");
    if (!failed && some && leave_readings(j, wanted) != 0)
        failed = err_set(err, 0, "out of memory");
    free(t.series);
    return failed;
}
