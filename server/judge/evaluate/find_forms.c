#include "judge/evaluate/find.h"

static const char untold_by_forms[] = "can't be told from aggregated forms";

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
        find_leave_open(f, any, untold_by_forms);
        return;
    }
    f->known = true;
    f->value = t.max;
    f->ranged = t.samples > 1;
    f->low = t.min;
    f->high = t.max;
    bool low = clause_holds(c, t.min), high = clause_holds(c, t.max),
         between = find_may_lie_between(c, &t, any);
    f->holds = any ? low || high || between : low && high && !between;
}

/* The metric itself and what an aggregating client made of it, as if both were one recording. What lacks the form that tells
 * is like samples that were lost. */
void find_with_forms(struct view *v, struct finding *f) {
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
        find_leave_open(f, any, untold_by_forms);
    v->total = itself;
}

/* What an aggregating client made of metrics. */
void find_collect_forms(struct view *v) {
    for (enum form form = FORM_AVG; form < FORM_PERCENTILE; form++) {
        struct tally t = add_form(v, form, 0);
        if (t.samples > v->flushed.samples)
            v->flushed = t;
    }
    const struct links *links = &v->claim->witnesses;
    bool tried[101] = {
        false}; /* adding up goes over all links: once for each percentile, not for each link */
    for (size_t i = 0; i < links->n && v->flushed.samples == 0; i++) {
        const struct link *link = &links->items[i];
        if (link->form != FORM_PERCENTILE || tried[(size_t)link->percentile])
            continue;
        tried[(size_t)link->percentile] = true;
        v->flushed = add_form(v, FORM_PERCENTILE, link->percentile);
    }
    collect_wholes(v, FORM_NONE, 0, &v->wholes);
}
