#include "judge/evaluate/claim.h"

#include "judge/evaluate/find.h"
#include "judge/evaluate/settle.h"

static const struct clause implied = {
    .stat = STAT_SAMPLES, .op = OP_GE, .value = 1, .text = {"samples >= 1", 12}};

/* --- events and checks ----------------------------------------------------------------------------------- */

static void find_records(const struct claim *claim, struct finding *f) {
    f->known = true;
    f->value = (double)claim->records;
    f->holds = clause_holds(f->clause, f->value);
    settle_by_trend(f, TREND_GROWS);
    settle_number_asked(f);
}

/* Under `no` the clauses speak of one and the same check, as `each` and `rate` do of a sample. */
static bool status_satisfies(const struct expectation *e, int status) {
    for (size_t i = 0; i < e->n_clauses; i++)
        if (e->clauses[i].stat == STAT_STATUS && !clause_holds(&e->clauses[i], status))
            return false;
    return true;
}

static void find_status(const struct claim *claim, enum lost lost, struct finding *f) {
    bool any = claim->e->no;
    f->known = claim->records > 0;
    f->value = claim->newest_status;
    f->holds = f->known && clause_holds(f->clause, f->value);
    f->settled_lost = f->known && lost == LOST_OLDEST;
    settle_number_asked(f);
    if (!any)
        return;
    f->holds = false;
    for (int s = 0; s < 4; s++)
        if (claim->statuses[s] && status_satisfies(claim->e, s)) {
            f->holds = true;
            f->value = s;
        }
    if (!f->holds && clause_holds(f->clause, f->value)) { /* but for no check that satisfies the rest */
        f->no_sample = f->known;
        f->known = false;
    }
    f->settled_later = f->settled_lost = f->holds;
}

/* --- the whole ------------------------------------------------------------------------------------------- */

/* Whether the values are wanted one after the other, not just at some place. */
static bool asks_each(const struct expectation *e) {
    bool asks = false;
    for (size_t i = 0; i < e->n_clauses; i++)
        asks |= e->clauses[i].stat == STAT_EACH;
    return asks;
}

static int settle_values(const struct claim *claim, struct bag *values) {
    return asks_each(claim->e) ? bag_settle(values) : bag_settle_for_percentile(values);
}

/* Adds up the metric itself, and keeps what must be looked at value by value. */
static void collect(struct view *v) {
    const struct links *links = &v->claim->witnesses;
    unsigned needs = v->claim->needs;
    struct witness *only = NULL;
    size_t n = 0;
    struct distinct counted = {0};
    for (size_t i = 0; i < links->n; i++) {
        struct witness *w = &v->witnesses[links->items[i].index];
        if (links->items[i].form != FORM_NONE || w->tally.samples == 0)
            continue;
        tally_add_all(&v->total, &w->tally);
        v->total.series -= find_is_counted(v, &counted, w);
        v->odd_rates += w->odd_rates;
        only = n++ == 0 ? w : NULL;
    }
    distinct_free(&counted);
    if (v->claim->told) {
        v->values = v->claim->told->values;
        return;
    }
    if (only) {
        if (settle_values(v->claim, &only->values) != 0 || bag_settle(&only->rates) != 0)
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
    if (settle_values(v->claim, &v->values) != 0 || bag_settle(&v->rates) != 0)
        v->no_memory = true;
}

/* One sample of NAME itself, later or lost, puts the forms aside, and with them whatever they tell. And an Agent makes other
 * points of one sample more: the first of a bucket says what all of them are. */
static bool settles_nothing(const struct view *v) {
    return (v->flushed.samples && !v->by_rates) || v->claim->e->as_datadog;
}

static void find_metric(struct view *v, struct finding *f) {
    if (v->flushed.samples)
        find_with_forms(v, f);
    else
        find_itself(v, f);
    if (settles_nothing(v))
        f->settled_later = f->settled_lost = false;
}

static void find(struct view *v, struct finding *f) {
    const struct claim *claim = v->claim;
    if (claim->e->subject == SUBJECT_METRIC)
        find_metric(v, f);
    else if (f->clause->stat == STAT_STATUS)
        find_status(claim, v->lost, f);
    else
        find_records(claim, f);
}

/* All clauses together, turned round by `no`. */
static void conclude(const struct expectation *e, enum lost lost, struct answer *a) {
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
    bool told = lost == LOST_NONE || a->settled_lost || (lost == LOST_MAYBE && a->holds);
    a->verdict = !told ? VERDICT_INCONCLUSIVE : a->holds ? VERDICT_PASS : VERDICT_FAIL;
    bool may_settle = e->no ? any_can : all_can;
    a->final = (!a->holds && a->settled_later) || (!told && lost != LOST_MAYBE && !may_settle);
}

static void ask_for_most(struct view *v) {
    const struct expectation *e = v->claim->e;
    bool asks = false;
    for (size_t i = 0; i < e->n_clauses; i++)
        asks |= e->clauses[i].stat == STAT_PER_SERIES;
    if (asks)
        find_most(v);
}

static void ask_for_one(struct view *v) {
    const struct expectation *e = v->claim->e;
    v->for_one = expectation_asks_for_one(e);
    for (size_t i = 0; i < e->n_clauses; i++)
        v->asks_rate |= e->clauses[i].stat == STAT_RATE;
}

void claim_evaluate(struct claim *claim, struct witness *witnesses, enum lost lost, struct answer *a) {
    const struct expectation *e = claim->e;
    struct view v = {.claim = claim, .witnesses = witnesses, .lost = lost};
    if (e->subject == SUBJECT_METRIC) {
        collect(&v);
        ask_for_one(&v);
        if (match_has_forms(e) || match_has_rates(e))
            find_collect_forms(&v);
        ask_for_most(&v);
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
