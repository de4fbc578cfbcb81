#include "judge/claim.h"

#include "judge/settle.h"
#include <math.h>

/* What the clauses of one expectation look at. */
struct view {
    const struct claim *claim;
    struct witness *witnesses;
    struct tally total;
    bool aggregated;
    bool grown; /* values, rates, distinct are copies of several witnesses' */
    struct bag values, rates;
    struct distinct distinct;
    uint64_t odd_rates;
    bool no_memory;
};

static const struct clause implied = {
    .stat = STAT_SAMPLES, .op = OP_GE, .value = 1, .text = {"samples >= 1", 12}};

/* --- single clauses -------------------------------------------------------------------------------------- */

/* A clause over every sample: all must satisfy it, or under `no`, any. */
static void judge_each(struct finding *f, bool any, bool holds, uint64_t samples) {
    f->known = samples > 0;
    f->holds = samples > 0 && holds;
    f->settled_later = f->settled_lost = samples > 0 && f->holds == any;
}

/* What can't be told makes no claim pass: one that wants it fails, and so does a `no` that it might break. */
static void leave_open(struct finding *f, bool no, const char *untold) {
    f->holds = no;
    f->untold = untold;
}

static const char untold_by_sketches[] = "can't be told from sketches, which hold single values only roughly";

/* Whether what is known by its ends alone may hold the value that decides. */
static bool may_lie_between(const struct clause *c, const struct tally *t, bool any) {
    return clause_asks_between(c, any) && t->min < c->value && c->value < t->max;
}

static bool bag_satisfies(const struct bag *b, const struct clause *c, bool any) {
    for (size_t i = 0; i < b->n; i++)
        if (clause_holds(c, b->items[i].value) == any)
            return any;
    return !any && b->n > 0;
}

/* All ops but != want a value from one range, so the ends of what was seen tell about all. What lies between is known one by
 * one, but for sketches. */
static void find_each(const struct view *v, struct finding *f, bool any) {
    const struct tally *t = &v->total;
    const struct clause *c = f->clause;
    bool low = t->numbers && clause_holds(c, t->min), high = t->numbers && clause_holds(c, t->max);
    bool holds = any ? low || high : low && high;
    if (t->vague && low != any && high != any && may_lie_between(c, t, any)) {
        leave_open(f, any, untold_by_sketches);
        return;
    }
    if (clause_asks_between(c, any))
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

static void find_number(const struct view *v, struct finding *f) {
    const struct tally *t = &v->total;
    const struct clause *c = f->clause;
    if (is_vague(t, c->stat)) {
        leave_open(f, v->claim->e->no, untold_by_sketches);
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

/* --- aggregated forms ------------------------------------------------------------------------------------ */

/* The witnesses of one form added up. */
static struct tally add_form(const struct view *v, enum form form, double percentile) {
    struct tally t = {0};
    const struct links *links = &v->claim->witnesses;
    for (size_t i = 0; i < links->n; i++)
        if (links->items[i].form == form &&
            (form != FORM_PERCENTILE || links->items[i].percentile == percentile))
            tally_add_all(&t, &v->witnesses[links->items[i].index].flushed);
    return t;
}

/* The whole lies between the least and the greatest point that was flushed: all must satisfy the clause, and under `no` none
 * may. */
static void find_in_points(struct finding *f, const struct tally *t, bool any) {
    f->known = true;
    f->value = t->max;
    f->ranged = t->samples > 1;
    f->low = t->min;
    f->high = t->max;
    bool low = clause_holds(f->clause, t->min), high = clause_holds(f->clause, t->max);
    bool between = may_lie_between(f->clause, t, any);
    f->holds = any ? low || high || between : low && high && !between;
}

/* each OP V, told by .min and .max. */
static void find_each_in_forms(const struct view *v, struct finding *f, bool any) {
    struct tally min = add_form(v, FORM_MIN, 0), max = add_form(v, FORM_MAX, 0);
    const struct clause *c = f->clause;
    bool up = c->op == OP_GE || c->op == OP_GT, down = c->op == OP_LE || c->op == OP_LT;
    bool by_min = any ? down : up, by_max = any ? up : down;
    if ((!by_min && !by_max) || (by_min ? min.samples : max.samples) == 0) {
        leave_open(f, any, "single values can't be told from aggregated forms");
        return;
    }
    f->value = by_min ? min.min : max.max;
    judge_each(f, any, clause_holds(c, f->value), by_min ? min.samples : max.samples);
}

static void find_total(struct finding *f, double value, enum trend trend) {
    f->known = true;
    f->value = value;
    f->holds = clause_holds(f->clause, value);
    settle_by_trend(f, trend);
}

static void find_in_forms(const struct view *v, struct finding *f) {
    const struct clause *c = f->clause;
    struct tally t = {0};
    leave_open(f, v->claim->e->no, "can't be told from aggregated forms");
    switch (c->stat) {
    case STAT_SAMPLES:
        find_total(f, (double)v->total.samples, TREND_GROWS);
        return;
    case STAT_SERIES:
        find_total(f, (double)v->total.series, TREND_GROWS);
        return;
    case STAT_COUNT:
    case STAT_SUM:
        t = add_form(v, c->stat == STAT_COUNT ? FORM_COUNT : FORM_SUM, 0);
        if (t.samples)
            find_total(f, t.sum, settle_trend_of(v->claim->e, &t, c->stat));
        return;
    case STAT_MIN:
        t = add_form(v, FORM_MIN, 0);
        if (t.samples)
            find_total(f, t.min, TREND_FALLS);
        return;
    case STAT_MAX:
        t = add_form(v, FORM_MAX, 0);
        if (t.samples)
            find_total(f, t.max, TREND_GROWS);
        return;
    case STAT_AVG:
        t = add_form(v, FORM_AVG, 0);
        break;
    case STAT_MEDIAN:
        t = add_form(v, FORM_MEDIAN, 0);
        break;
    case STAT_PERCENTILE:
        t = add_form(v, FORM_PERCENTILE, c->percentile);
        break;
    case STAT_EACH:
        find_each_in_forms(v, f, v->claim->e->no);
        return;
    default:
        return;
    }
    if (t.samples)
        find_in_points(f, &t, v->claim->e->no);
}

/* --- events and checks ----------------------------------------------------------------------------------- */

static void find_status(const struct claim *claim, struct finding *f) {
    bool any = claim->e->no;
    f->known = claim->records > 0;
    f->value = claim->newest_status;
    f->holds = f->known && clause_holds(f->clause, f->value);
    if (!any)
        return;
    f->holds = false;
    for (int s = 0; s < 4; s++)
        if (claim->statuses[s] && clause_holds(f->clause, s)) {
            f->holds = true;
            f->value = s;
        }
    f->settled_later = f->settled_lost = f->holds;
}

/* --- the whole ------------------------------------------------------------------------------------------- */

/* Adds up the metric itself, and keeps what must be looked at value by value. */
static void collect(struct view *v) {
    const struct links *links = &v->claim->witnesses;
    unsigned needs = v->claim->needs;
    struct witness *only = NULL;
    size_t n = 0;
    for (size_t i = 0; i < links->n; i++) {
        struct witness *w = &v->witnesses[links->items[i].index];
        if (links->items[i].form != FORM_NONE || w->tally.samples == 0)
            continue;
        tally_add_all(&v->total, &w->tally);
        v->odd_rates += w->odd_rates;
        only = n++ == 0 ? w : NULL;
    }
    if (only) {
        if (bag_settle(&only->values) != 0 || bag_settle(&only->rates) != 0)
            v->no_memory = true;
        v->values = only->values;
        v->rates = only->rates;
        v->distinct = only->distinct;
        return;
    }
    v->grown = true;
    for (size_t i = 0; i < links->n && (needs & (NEED_VALUES | NEED_RATES | NEED_DISTINCT)); i++) {
        struct witness *w = &v->witnesses[links->items[i].index];
        if (links->items[i].form != FORM_NONE)
            continue;
        if (((needs & NEED_VALUES) && bag_add_all(&v->values, &w->values) != 0) ||
            ((needs & NEED_RATES) && bag_add_all(&v->rates, &w->rates) != 0) ||
            ((needs & NEED_DISTINCT) && distinct_add_all(&v->distinct, &w->distinct) != 0))
            v->no_memory = true;
    }
    if (bag_settle(&v->values) != 0 || bag_settle(&v->rates) != 0)
        v->no_memory = true;
}

/* When the metric itself never came: what an aggregating client made of it. */
static void collect_forms(struct view *v) {
    for (enum form form = FORM_AVG; form < FORM_PERCENTILE; form++) {
        struct tally t = add_form(v, form, 0);
        if (t.samples > v->total.samples)
            v->total = t;
    }
    const struct links *links = &v->claim->witnesses;
    for (size_t i = 0; i < links->n && v->total.samples == 0; i++)
        if (links->items[i].form == FORM_PERCENTILE)
            v->total = add_form(v, FORM_PERCENTILE, links->items[i].percentile);
    v->aggregated = v->total.samples > 0;
}

static void find(const struct view *v, struct finding *f) {
    const struct claim *claim = v->claim;
    if (claim->e->subject != SUBJECT_METRIC) {
        if (f->clause->stat == STAT_STATUS)
            find_status(claim, f);
        else
            find_total(f, (double)claim->records, TREND_GROWS);
    } else if (v->aggregated) {
        find_in_forms(v, f);
    } else if (f->clause->stat == STAT_EACH) {
        find_each(v, f, claim->e->no);
    } else if (f->clause->stat == STAT_RATE) {
        find_rate(v, f, claim->e->no);
    } else {
        find_number(v, f);
    }
}

/* All clauses together, turned round by `no`. What was told by forms is not settled: once a sample of the
 * metric itself comes, they no longer count. */
static void conclude(const struct view *v, bool lost, struct answer *a) {
    const struct expectation *e = v->claim->e;
    bool holds = true, all_later = true, all_lost = true, broken_later = false, broken_lost = false;
    bool all_can = true, any_can = false;
    for (size_t i = 0; i < a->n; i++) {
        struct finding *f = &a->findings[i];
        if (v->aggregated && f->clause != &implied)
            f->settled_later = f->settled_lost = false;
        holds &= f->holds;
        all_later &= f->holds && f->settled_later;
        all_lost &= f->holds && f->settled_lost;
        broken_later |= !f->holds && f->settled_later;
        broken_lost |= !f->holds && f->settled_lost;
        all_can &= settle_can(e, &v->total, f->clause, true);
        any_can |= settle_can(e, &v->total, f->clause, false);
    }
    a->holds = holds != e->no;
    a->settled_later = holds ? all_later : broken_later;
    a->settled_lost = holds ? all_lost : broken_lost;
    bool told = !lost || a->settled_lost;
    a->verdict = !told ? VERDICT_INCONCLUSIVE : a->holds ? VERDICT_PASS : VERDICT_FAIL;
    bool may_settle = e->no ? any_can : all_can;
    a->final = (!a->holds && a->settled_later) || (!told && !may_settle);
}

void claim_evaluate(struct claim *claim, struct witness *witnesses, bool lost, struct answer *a) {
    const struct expectation *e = claim->e;
    struct view v = {.claim = claim, .witnesses = witnesses};
    if (e->subject == SUBJECT_METRIC) {
        collect(&v);
        if (v.total.samples == 0 && match_has_forms(e))
            collect_forms(&v);
    } else {
        v.total = (struct tally){
            .samples = claim->records, .first_id = claim->first_id, .last_id = claim->newest_id};
    }
    a->n = e->n_clauses ? e->n_clauses : 1;
    a->aggregated = v.aggregated;
    a->total = v.total;
    a->no_memory = v.no_memory;
    for (size_t i = 0; i < a->n; i++) {
        a->findings[i] = (struct finding){.clause = e->n_clauses ? &e->clauses[i] : &implied};
        find(&v, &a->findings[i]);
    }
    conclude(&v, lost, a);
    if (v.no_memory) {
        a->verdict = VERDICT_INCONCLUSIVE;
        a->final = false;
    }
    if (v.grown) {
        bag_free(&v.values);
        bag_free(&v.rates);
        distinct_free(&v.distinct);
    }
}
