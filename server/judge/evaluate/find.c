#include "judge/evaluate/find.h"

#include "judge/evaluate/settle.h"
#include <math.h>
#include <stdlib.h>

bool find_is_counted(struct view *v, struct distinct *counted, const struct witness *w) {
    struct span identity = span_of((const char *)&w->everywhere, sizeof w->everywhere);
    if (!w->everywhere || distinct_has_text(counted, identity))
        return w->everywhere;
    if (distinct_add_text(counted, identity) != 0)
        v->no_memory = true;
    return false;
}

/* A clause over every sample: all must satisfy it, or under `no`, any. */
static void judge_each(struct finding *f, bool any, bool holds, uint64_t samples) {
    f->known = samples > 0;
    f->holds = samples > 0 && holds;
    f->settled_later = f->settled_lost = samples > 0 && f->holds == any;
}

void find_leave_open(struct finding *f, bool no, const char *untold) {
    *f = (struct finding){.clause = f->clause, .holds = no, .untold = untold};
}

static const char untold_by_texts[] = "has no value: a set holds texts, not numbers";
static const char untold_by_sketches[] = "can't be told from sketches, which hold single values only roughly";

bool find_may_lie_between(const struct clause *c, const struct tally *t, bool any) {
    return clause_asks_between(c, any) && t->min < c->value && c->value < t->max;
}

/* The value that decides: the first one that satisfies the clause, or where all must, the first one that does not. NULL: none. */
static const struct weighted *bag_decides(const struct bag *b, const struct clause *c, bool any) {
    for (size_t i = 0; i < b->n; i++)
        if (clause_holds(c, b->items[i].value) == any)
            return &b->items[i];
    return NULL;
}

/* The same of each sketch by itself: between all of them together there may be what none can hold. */
static bool may_lie_in_one(const struct view *v, const struct clause *c, bool any) {
    const struct links *links = &v->claim->witnesses;
    bool may = v->by_ends && find_may_lie_between(c, &v->total, any);
    for (size_t i = 0; i < links->n && !may && clause_asks_between(c, any); i++) {
        const struct pairs *pairs = &v->witnesses[links->items[i].index].pairs;
        for (size_t k = 0; links->items[i].form == FORM_NONE && k < pairs->n && !may; k++)
            may = pairs->items[k].value < c->value && c->value < pairs->items[k].upto;
    }
    return may;
}

/* All ops but != want a value from one range, so the ends of what was seen tell about all. What lies between is known one by
 * one, but for sketches. */
static void find_each(const struct view *v, struct finding *f, bool any) {
    const struct tally *t = &v->total;
    const struct clause *c = f->clause;
    bool low = t->numbers && clause_holds(c, t->min), high = t->numbers && clause_holds(c, t->max);
    bool holds = any ? low || high : low && high;
    if (t->vague && low != any && high != any && may_lie_in_one(v, c, any)) {
        find_leave_open(f, any, untold_by_sketches);
        return;
    }
    const struct weighted *between =
        clause_asks_between(c, any) && holds != any ? bag_decides(&v->values, c, any) : NULL;
    if (between)
        holds = any;
    judge_each(f, any, holds, t->numbers);
    f->untold = t->samples && !t->numbers ? untold_by_texts : NULL;
    /* Shown: the end that is wrong (under `no`: that is right), or the value between them that is. */
    bool upper = c->op == OP_LT || c->op == OP_LE, lower = c->op == OP_GT || c->op == OP_GE;
    f->value = (upper ? any : lower ? !any : low == any) ? t->min : t->max;
    if (between)
        f->value = between->value;
}

/* --- one sample for several clauses ---------------------------------------------------------------------- */

static bool one_satisfies(const struct expectation *e, double value, double rate) {
    for (size_t i = 0; i < e->n_clauses; i++) {
        const struct clause *c = &e->clauses[i];
        if (clause_is_of_one_sample(c) && !clause_holds(c, c->stat == STAT_EACH ? value : rate))
            return false;
    }
    return true;
}

static int by_number(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Whether some value between the least and the greatest of a sketch would do. What a clause says of values changes only at its own ends, so
 * those and what lies half-way between two neighbours stand for all. */
static bool one_may_lie_in(const struct expectation *e, const struct pair *sketch) {
    double ends[2 * JUDGE_CLAUSES_MAX + 2] = {sketch->value, sketch->upto};
    size_t n = 2;
    for (size_t i = 0; i < e->n_clauses; i++) {
        const struct clause *c = &e->clauses[i];
        double slack = clause_slack(c, c->value);
        if (c->stat != STAT_EACH)
            continue;
        ends[n++] = c->value - slack;
        ends[n++] = c->value + slack;
    }
    qsort(ends, n, sizeof *ends, by_number);
    for (size_t i = 0; i < n; i++) {
        double at[] = {ends[i], i ? ends[i - 1] + (ends[i] - ends[i - 1]) / 2 : ends[i]};
        for (size_t k = 0; k < 2; k++)
            if (sketch->value < at[k] && at[k] < sketch->upto && one_satisfies(e, at[k], sketch->rate))
                return true;
    }
    return false;
}

/* Whether a sample satisfies all clauses of one sample; *one is it then. The ends of a sketch are values that it holds. *vague:
 * there may be such a value between them. */
static bool find_in_pair(const struct expectation *e, const struct pair *p, struct pair *one, bool *vague) {
    *one = *p;
    if (one_satisfies(e, one->value, one->rate))
        return true;
    if (!(p->value < p->upto))
        return false;
    one->value = p->upto;
    if (one_satisfies(e, one->value, one->rate))
        return true;
    *vague |= one_may_lie_in(e, p);
    return false;
}

static bool find_one(const struct view *v, struct pair *one, bool *vague) {
    const struct expectation *e = v->claim->e;
    const struct links *links = &v->claim->witnesses;
    for (size_t i = 0; i < links->n; i++) {
        const struct pairs *pairs = &v->witnesses[links->items[i].index].pairs;
        for (size_t k = 0; links->items[i].form == FORM_NONE && k < pairs->n; k++)
            if (find_in_pair(e, &pairs->items[k], one, vague))
                return true;
    }
    struct pair all = {.value = v->total.min, .upto = v->total.max, .rate = 1};
    return v->by_ends && find_in_pair(e, &all, one, vague);
}

/* Under `no`: the clauses `each` and `rate` hold together, by one sample, or none of them does. */
static void find_together(const struct view *v, struct finding *f) {
    struct pair one = {0};
    bool vague = false, found = find_one(v, &one, &vague), each = f->clause->stat == STAT_EACH;
    if (!found && vague) {
        find_leave_open(f, true, untold_by_sketches);
        return;
    }
    judge_each(f, true, found, v->total.samples);
    f->value = found ? (each ? one.value : one.rate) : NAN;
    f->known &= found;
    f->no_sample = v->total.samples && !found;
}

static void find_rate(const struct view *v, struct finding *f, bool any) {
    const struct bag *b = &v->rates;
    const struct weighted *one = bag_decides(b, f->clause, any);
    bool holds = any ? one != NULL : !one && v->odd_rates == 0;
    judge_each(f, any, holds, v->total.samples);
    f->value = one ? one->value : v->odd_rates && !any ? NAN : b->n ? b->items[0].value : NAN;
}

/* The interval that random sampling explains, for ~ without a tolerance. */
static void range_by_sampling(const struct view *v, struct finding *f) {
    const struct tally *t = &v->total;
    struct interval in = {NAN, NAN};
    double thinned = t->spread[0]; /* > 0: some samples were thinned out */
    if (!t->sampled || thinned <= 0 || !f->known)
        return;
    if (f->clause->stat == STAT_SUM)
        in = sampling_interval(&t->sum_sampling);
    else if (f->clause->stat == STAT_COUNT)
        in = sampling_interval(&t->count_sampling);
    else if (f->clause->stat == STAT_AVG && t->numbers > 1) {
        double n = (double)t->numbers,
               variance = t->spread[2] - 2 * f->value * t->spread[1] + f->value * f->value * t->spread[0];
        double reach = SAMPLING_Z * sqrt(fmax(variance, 0) * n / (n - 1)) / t->weight;
        in = (struct interval){f->value - reach, f->value + reach};
    } else if (f->clause->stat == STAT_MEDIAN || f->clause->stat == STAT_PERCENTILE) {
        double p = f->clause->percentile / 100, kept = fmin((double)t->numbers / t->weight, 1);
        double reach = SAMPLING_Z * sqrt(p * (1 - p) * (1 - kept) / (double)t->numbers);
        in = (struct interval){bag_percentile(&v->values, 100 * fmax(p - reach, 0)),
                               bag_percentile(&v->values, 100 * fmin(p + reach, 1))};
    }
    if (isnan(in.low))
        return;
    f->ranged = true;
    f->low = fmin(in.low, f->value);
    f->high = fmax(in.high, f->value);
    f->holds |= f->clause->value >= f->low && f->clause->value <= f->high;
}

static bool is_vague(const struct tally *t, enum stat stat) {
    return t->vague && (stat == STAT_DISTINCT || (stat == STAT_FIRST && isnan(t->first)) ||
                        (stat == STAT_LAST && isnan(t->last)));
}

static double number_of(const struct view *v, const struct clause *c) {
    const struct tally *t = &v->total;
    const struct told *told = v->claim->told;
    bool numbers = t->numbers > 0;
    switch (c->stat) {
    case STAT_SAMPLES:
        return (double)t->samples;
    case STAT_COUNT:
        return t->count;
    case STAT_SERIES:
        return (double)t->series;
    case STAT_PER_SERIES:
        return (double)v->most;
    case STAT_DISTINCT:
        return (double)(told && told->has_distinct ? told->distinct : v->distinct.n);
    case STAT_SUM:
        return numbers || !t->samples ? t->sum : NAN;
    case STAT_AVG: /* as the Agent does: the sum over the number that the samples stand for */
        return numbers ? t->sum / t->weight : NAN;
    case STAT_MIN:
        return numbers ? t->min : NAN;
    case STAT_MAX:
        return numbers ? t->max : NAN;
    case STAT_FIRST:
        return t->samples ? t->first : NAN;
    case STAT_LAST:
        return t->samples ? t->last : NAN;
    default: /* STAT_MEDIAN, STAT_PERCENTILE */
        return !numbers          ? NAN
               : told && told->n ? told_percentile(told, c->percentile)
                                 : bag_percentile(&v->values, c->percentile);
    }
}

void find_number(const struct view *v, struct finding *f) {
    const struct tally *t = &v->total;
    const struct clause *c = f->clause;
    if (is_vague(t, c->stat)) {
        find_leave_open(f, v->claim->e->no, untold_by_sketches);
        return;
    }
    bool of_one = c->stat == STAT_FIRST || c->stat == STAT_LAST;
    f->value = number_of(v, c);
    f->known = !isnan(f->value);
    if (!f->known && t->numbers && !of_one) {
        find_leave_open(f, v->claim->e->no, "can't be told: with a sample rate that came it is no number");
        return;
    }
    if (!f->known && t->samples)
        f->untold = !t->numbers             ? untold_by_texts
                    : c->stat == STAT_FIRST ? "has no value: the oldest sample is of a set, a text"
                                            : "has no value: the newest sample is of a set, a text";
    f->holds = f->known && clause_holds(c, f->value);
    if (c->op == OP_ABOUT && !c->has_tolerance)
        range_by_sampling(v, f);
    settle_by_trend(f, settle_trend_of(v->claim->e, t, c));
    if (c->stat == STAT_SUM) /* what was lost may have been below zero */
        f->settled_lost = false;
    if (c->stat == STAT_FIRST)
        f->settled_later = t->samples > 0;
    if (c->stat == STAT_LAST)
        f->settled_lost = t->samples > 0 && v->lost == LOST_OLDEST;
    settle_number_asked(f);
}

void find_itself(const struct view *v, struct finding *f) {
    if (v->for_one && clause_is_of_one_sample(f->clause))
        find_together(v, f);
    else if (f->clause->stat == STAT_EACH)
        find_each(v, f, v->claim->e->no);
    else if (f->clause->stat == STAT_RATE)
        find_rate(v, f, v->claim->e->no);
    else
        find_number(v, f);
}
