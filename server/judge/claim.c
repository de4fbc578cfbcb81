#include "judge/claim.h"

#include "judge/settle.h"
#include <math.h>

/* What the clauses of one expectation look at. */
struct view {
    const struct claim *claim;
    struct witness *witnesses;
    struct tally total;     /* of the metric itself */
    struct tally flushed;   /* of the aggregated form with most samples */
    struct distinct wholes; /* what has aggregated forms */
    bool grown;             /* values, rates, distinct are copies of several witnesses' */
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
    *f = (struct finding){.clause = f->clause, .holds = no, .untold = untold};
}

static const char untold_by_sketches[] = "can't be told from sketches, which hold single values only roughly";
static const char untold_by_forms[] = "can't be told from aggregated forms";

/* Whether what is known by its ends alone may hold the value that decides. */
static bool may_lie_between(const struct clause *c, const struct tally *t, bool any) {
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
    if (t->vague && low != any && high != any && may_lie_between(c, t, any)) {
        leave_open(f, any, untold_by_sketches);
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

static void find_itself(const struct view *v, struct finding *f) {
    if (f->clause->stat == STAT_EACH)
        find_each(v, f, v->claim->e->no);
    else if (f->clause->stat == STAT_RATE)
        find_rate(v, f, v->claim->e->no);
    else
        find_number(v, f);
}

/* --- aggregated forms ------------------------------------------------------------------------------------ */

static bool is_form(const struct link *link, enum form form, double percentile) {
    return link->form == form && (form != FORM_PERCENTILE || link->percentile == percentile);
}

/* The witnesses of one form added up. */
static struct tally add_form(const struct view *v, enum form form, double percentile) {
    struct tally t = {0};
    const struct links *links = &v->claim->witnesses;
    for (size_t i = 0; i < links->n; i++)
        if (is_form(&links->items[i], form, percentile))
            tally_add_all(&t, &v->witnesses[links->items[i].index].flushed);
    return t;
}

/* Which metrics have this form; FORM_NONE: any. */
static void collect_wholes(struct view *v, enum form form, double percentile, struct distinct *wholes) {
    const struct links *links = &v->claim->witnesses;
    for (size_t i = 0; i < links->n; i++) {
        const struct witness *w = &v->witnesses[links->items[i].index];
        bool wanted = form == FORM_NONE ? links->items[i].form != FORM_NONE
                                        : is_form(&links->items[i], form, percentile);
        if (wanted && w->flushed.samples &&
            distinct_add_text(wholes, span_of((const char *)&w->whole, sizeof w->whole)) != 0)
            v->no_memory = true;
    }
}

/* Adds what a form says to t; false when it isn't there for all that was aggregated. */
static bool take_form(struct view *v, enum form form, double percentile, struct tally *t) {
    struct tally flushed = add_form(v, form, percentile);
    struct distinct wholes = {0};
    flushed.series = 0;
    flushed.count = flushed.sum; /* the clause asks for one of both */
    flushed.sum_sampling.exact = flushed.count_sampling.exact = flushed.sum;
    tally_add_all(t, &flushed);
    collect_wholes(v, form, percentile, &wholes);
    bool all = wholes.n == v->wholes.n;
    distinct_free(&wholes);
    return all;
}

/* `each` is told by the ends, of which one may do. */
static bool take_ends(struct view *v, const struct clause *c, bool any, struct tally *t) {
    bool up = c->op == OP_GE || c->op == OP_GT, down = c->op == OP_LE || c->op == OP_LT;
    bool least = take_form(v, FORM_MIN, 0, t), greatest = take_form(v, FORM_MAX, 0, t);
    t->vague++; /* what lies between */
    return (up || down) ? (up != any ? least : greatest) : least && greatest;
}

/* The whole lies between the least and the greatest point that was flushed, and what of the metric itself came is one more:
 * all must satisfy the clause, and under `no` none may. */
static void find_in_points(struct view *v, struct finding *f, enum form form, bool any) {
    const struct clause *c = f->clause;
    struct tally t = {0};
    struct finding itself = {.clause = c};
    if (v->total.samples)
        find_number(v, &itself);
    if (itself.known)
        t = (struct tally){.samples = 1, .numbers = 1, .min = itself.value, .max = itself.value};
    if (!take_form(v, form, c->percentile, &t)) {
        leave_open(f, any, untold_by_forms);
        return;
    }
    f->known = true;
    f->value = t.max;
    f->ranged = t.samples > 1;
    f->low = t.min;
    f->high = t.max;
    bool low = clause_holds(c, t.min), high = clause_holds(c, t.max), between = may_lie_between(c, &t, any);
    f->holds = any ? low || high || between : low && high && !between;
}

/* The metric itself and what an aggregating client made of it, as if both were one recording. What lacks the form that tells
 * is like samples that were lost. */
static void find_with_forms(struct view *v, struct finding *f) {
    const struct clause *c = f->clause;
    bool any = v->claim->e->no, told = false;
    struct tally itself = v->total;
    switch (c->stat) {
    case STAT_AVG:
        find_in_points(v, f, FORM_AVG, any);
        return;
    case STAT_MEDIAN:
        find_in_points(v, f, FORM_MEDIAN, any);
        return;
    case STAT_PERCENTILE:
        find_in_points(v, f, FORM_PERCENTILE, any);
        return;
    case STAT_SAMPLES:
    case STAT_SERIES:
        told = true;
        break;
    case STAT_COUNT:
        told = take_form(v, FORM_COUNT, 0, &v->total);
        break;
    case STAT_SUM:
        told = take_form(v, FORM_SUM, 0, &v->total);
        break;
    case STAT_MIN:
        told = take_form(v, FORM_MIN, 0, &v->total);
        break;
    case STAT_MAX:
        told = take_form(v, FORM_MAX, 0, &v->total);
        break;
    case STAT_EACH:
        told = take_ends(v, c, any, &v->total);
        break;
    default: /* STAT_FIRST, STAT_LAST, STAT_DISTINCT, STAT_RATE */
        break;
    }
    v->total.samples = itself.samples + v->flushed.samples;
    v->total.series = itself.series + v->flushed.series;
    if (told || v->total.numbers)
        find_itself(v, f);
    if (!f->known || (!told && !f->settled_lost))
        leave_open(f, any, untold_by_forms);
    v->total = itself;
}

/* --- events and checks ----------------------------------------------------------------------------------- */

static void find_records(const struct claim *claim, struct finding *f) {
    f->known = true;
    f->value = (double)claim->records;
    f->holds = clause_holds(f->clause, f->value);
    settle_by_trend(f, TREND_GROWS);
}

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

/* What an aggregating client made of metrics. */
static void collect_forms(struct view *v) {
    for (enum form form = FORM_AVG; form < FORM_PERCENTILE; form++) {
        struct tally t = add_form(v, form, 0);
        if (t.samples > v->flushed.samples)
            v->flushed = t;
    }
    const struct links *links = &v->claim->witnesses;
    for (size_t i = 0; i < links->n && v->flushed.samples == 0; i++)
        if (links->items[i].form == FORM_PERCENTILE)
            v->flushed = add_form(v, FORM_PERCENTILE, links->items[i].percentile);
    collect_wholes(v, FORM_NONE, 0, &v->wholes);
}

static void find(struct view *v, struct finding *f) {
    const struct claim *claim = v->claim;
    if (claim->e->subject == SUBJECT_METRIC && v->flushed.samples)
        find_with_forms(v, f);
    else if (claim->e->subject == SUBJECT_METRIC)
        find_itself(v, f);
    else if (f->clause->stat == STAT_STATUS)
        find_status(claim, f);
    else
        find_records(claim, f);
}

/* All clauses together, turned round by `no`. */
static void conclude(const struct expectation *e, bool lost, struct answer *a) {
    bool holds = true, all_later = true, all_lost = true, broken_later = false, broken_lost = false;
    bool all_can = true, any_can = false;
    for (size_t i = 0; i < a->n; i++) {
        struct finding *f = &a->findings[i];
        holds &= f->holds;
        all_later &= f->holds && f->settled_later;
        all_lost &= f->holds && f->settled_lost;
        broken_later |= !f->holds && f->settled_later;
        broken_lost |= !f->holds && f->settled_lost;
        all_can &= settle_can(e, &a->total, f->clause, true);
        any_can |= settle_can(e, &a->total, f->clause, false);
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
        if (match_has_forms(e))
            collect_forms(&v);
    } else {
        v.total = (struct tally){
            .samples = claim->records, .first_id = claim->first_id, .last_id = claim->newest_id};
    }
    a->n = e->n_clauses ? e->n_clauses : 1;
    a->aggregated = v.flushed.samples > 0;
    a->total = v.total;
    tally_add_all(&a->total, &v.flushed);
    for (size_t i = 0; i < a->n; i++) {
        a->findings[i] = (struct finding){.clause = e->n_clauses ? &e->clauses[i] : &implied};
        find(&v, &a->findings[i]);
    }
    conclude(e, lost, a);
    a->no_memory = v.no_memory;
    if (v.no_memory) {
        a->verdict = VERDICT_INCONCLUSIVE;
        a->final = false;
    }
    distinct_free(&v.wholes);
    if (v.grown) {
        bag_free(&v.values);
        bag_free(&v.rates);
        distinct_free(&v.distinct);
    }
}
