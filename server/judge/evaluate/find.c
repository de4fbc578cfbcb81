#include "judge/evaluate/find.h"

#include "judge/evaluate/settle.h"
#include <math.h>

/* A clause over every sample: all must satisfy it, or under `no`, any. */
static void judge_each(struct finding *f, bool any, bool holds, uint64_t samples) {
    f->known = samples > 0;
    f->holds = samples > 0 && holds;
    f->settled_later = f->settled_lost = samples > 0 && f->holds == any;
}

void find_leave_open(struct finding *f, bool no, const char *untold) {
    *f = (struct finding){.clause = f->clause, .holds = no, .untold = untold};
}

static const char untold_by_sketches[] = "can't be told from sketches, which hold single values only roughly";

bool find_may_lie_between(const struct clause *c, const struct tally *t, bool any) {
    return clause_asks_between(c, any) && t->min < c->value && c->value < t->max;
}

static bool bag_satisfies(const struct bag *b, const struct clause *c, bool any) {
    for (size_t i = 0; i < b->n; i++)
        if (clause_holds(c, b->items[i].value) == any)
            return any;
    return !any;
}

/* All ops but != want a value from one range, so the ends of what was seen tell about all. What lies between is known one by
 * one, but for sketches. */
static void find_each(const struct view *v, struct finding *f, bool any) {
    const struct tally *t = &v->total;
    const struct clause *c = f->clause;
    bool low = t->numbers && clause_holds(c, t->min), high = t->numbers && clause_holds(c, t->max);
    bool holds = any ? low || high : low && high;
    if (t->vague && low != any && high != any && find_may_lie_between(c, t, any)) {
        find_leave_open(f, any, untold_by_sketches);
        return;
    }
    if (clause_asks_between(c, any) && holds != any)
        holds = bag_satisfies(&v->values, c, any);
    judge_each(f, any, holds, t->numbers);
    /* Shown: the end that is wrong (under `no`: that is right). */
    bool upper = c->op == OP_LT || c->op == OP_LE, lower = c->op == OP_GT || c->op == OP_GE;
    f->value = (upper ? any : lower ? !any : low == any) ? t->min : t->max;
}

static void find_rate(const struct view *v, struct finding *f, bool any) {
    const struct bag *b = &v->rates;
    bool holds = bag_satisfies(b, f->clause, any) && (any || v->odd_rates == 0);
    judge_each(f, any, holds, v->total.samples);
    f->value = v->odd_rates && !any ? NAN : (b->n ? b->items[0].value : NAN);
    for (size_t i = 0; i < b->n; i++)
        if (clause_holds(f->clause, b->items[i].value) == any) {
            f->value = b->items[i].value;
            break;
        }
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

void find_number(const struct view *v, struct finding *f) {
    const struct tally *t = &v->total;
    const struct clause *c = f->clause;
    if (is_vague(t, c->stat)) {
        find_leave_open(f, v->claim->e->no, untold_by_sketches);
        return;
    }
    bool numbers = t->numbers > 0;
    f->untold = t->samples && !numbers ? "a set holds texts, not numbers" : NULL;
    switch (c->stat) {
    case STAT_SAMPLES:
        f->value = (double)t->samples;
        break;
    case STAT_COUNT:
        f->value = t->count;
        break;
    case STAT_SERIES:
        f->value = (double)t->series;
        break;
    case STAT_DISTINCT:
        f->value = (double)v->distinct.n;
        break;
    case STAT_SUM:
        f->value = numbers || !t->samples ? t->sum : NAN;
        break;
    case STAT_AVG: /* as the Agent does: the sum over the number that the samples stand for */
        f->value = numbers ? t->sum / t->weight : NAN;
        break;
    case STAT_MIN:
        f->value = numbers ? t->min : NAN;
        break;
    case STAT_MAX:
        f->value = numbers ? t->max : NAN;
        break;
    case STAT_FIRST:
        f->value = t->samples ? t->first : NAN;
        break;
    case STAT_LAST:
        f->value = t->samples ? t->last : NAN;
        break;
    default: /* STAT_MEDIAN, STAT_PERCENTILE */
        f->value = bag_percentile(&v->values, c->percentile);
        break;
    }
    f->known = !isnan(f->value);
    f->holds = f->known && clause_holds(c, f->value);
    if (c->op == OP_ABOUT && !c->has_tolerance)
        range_by_sampling(v, f);
    settle_by_trend(f, settle_trend_of(v->claim->e, t, c->stat));
    if (c->stat == STAT_FIRST)
        f->settled_later = t->samples > 0;
}

void find_itself(const struct view *v, struct finding *f) {
    if (f->clause->stat == STAT_EACH)
        find_each(v, f, v->claim->e->no);
    else if (f->clause->stat == STAT_RATE)
        find_rate(v, f, v->claim->e->no);
    else
        find_number(v, f);
}
