/* Judges the metrics that an aggregating client made of others.
 *
 * Of a timing, histogram or distribution: forms, NAME.avg and the like. Of a count: a rate. A form alone proves nothing, for
 * anybody may call a gauge so. It counts where the rate NAME.count came with the same tags and host, as every aggregating client
 * sends it, and where the session holds no samples of NAME itself. A rate with an interval needs no such proof: it came over
 * HTTP, by its own name.
 */
#include "judge/evaluate/find.h"

static const char untold_by_forms[] = "can't be told from aggregated forms";
static const char untold_by_rates[] =
    "can't be told from a rate, in which a client has added up single values: ask for 'sum'";

static bool is_form(const struct link *link, enum form form, double percentile) {
    return link->used && link->form == form && (form != FORM_PERCENTILE || link->percentile == percentile);
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

static struct span whole_of(const struct witness *w) {
    return span_of((const char *)&w->whole, sizeof w->whole);
}

/* Whether all that was aggregated has this form. */
static bool all_have(struct view *v, enum form form, double percentile) {
    struct distinct wholes = {0};
    const struct links *links = &v->claim->witnesses;
    for (size_t i = 0; i < links->n; i++)
        if (is_form(&links->items[i], form, percentile) &&
            distinct_add_text(&wholes, whole_of(&v->witnesses[links->items[i].index])) != 0)
            v->no_memory = true;
    bool all = wholes.n == v->wholes.n;
    distinct_free(&wholes);
    return all && (form != FORM_COUNT || v->spanless == 0);
}

/* Adds what a form says to t; false when it isn't there for all that was aggregated. */
static bool take_form(struct view *v, enum form form, double percentile, struct tally *t) {
    struct tally flushed = add_form(v, form, percentile);
    flushed.series = 0;
    flushed.count = flushed.sum; /* the clause asks for one of both */
    flushed.sum_sampling.exact = flushed.count_sampling.exact = flushed.sum;
    tally_add_all(t, &flushed);
    return v->by_rates || all_have(v, form, percentile);
}

/* `each` is told by the ends, of which one may do. */
static bool take_ends(struct view *v, const struct clause *c, bool any, struct tally *t) {
    if (v->for_one && v->asks_rate) /* no form tells the rate of the sample with that value */
        return false;
    bool up = c->op == OP_GE || c->op == OP_GT, down = c->op == OP_LE || c->op == OP_LT;
    bool least = take_form(v, FORM_MIN, 0, t), greatest = take_form(v, FORM_MAX, 0, t);
    v->by_ends = true;
    t->vague++; /* what lies between */
    return (up || down) && !v->for_one ? (up != any ? least : greatest) : least && greatest;
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

/* Adds to the total the number that the forms tell for the clause; false when they do not tell it. */
static bool add_forms(struct view *v, const struct clause *c, bool any) {
    switch (c->stat) {
    case STAT_SAMPLES:
    case STAT_SERIES:
    case STAT_PER_SERIES:
        return true;
    case STAT_COUNT:
        return take_form(v, v->by_rates ? FORM_RATE : FORM_COUNT, 0, &v->total);
    case STAT_SUM:
        return take_form(v, v->by_rates ? FORM_RATE : FORM_SUM, 0, &v->total);
    case STAT_MIN:
        return !v->by_rates && take_form(v, FORM_MIN, 0, &v->total);
    case STAT_MAX:
        return !v->by_rates && take_form(v, FORM_MAX, 0, &v->total);
    case STAT_EACH:
        return !v->by_rates && take_ends(v, c, any, &v->total);
    default: /* STAT_FIRST, STAT_LAST, STAT_DISTINCT, STAT_RATE; of rates all but their sum */
        return false;
    }
}

/* Conditions are about single values, which what was aggregated does not tell: like samples that were lost. */
static void find_beside_forms(struct view *v, struct finding *f) {
    enum lost lost = v->lost;
    v->lost = LOST_SOME;
    find_itself(v, f);
    v->lost = lost;
    if (!f->settled_lost)
        find_leave_open(f, v->claim->e->no, v->by_rates ? untold_by_rates : untold_by_forms);
}

/* The metric itself and what an aggregating client made of it, as if both were one recording. What lacks the form that tells
 * is like samples that were lost. */
void find_with_forms(struct view *v, struct finding *f) {
    const struct clause *c = f->clause;
    bool any = v->claim->e->no;
    if (v->claim->e->n_conditions) {
        find_beside_forms(v, f);
        return;
    }
    struct tally itself = v->total;
    enum form in_points = c->stat == STAT_AVG          ? FORM_AVG
                          : c->stat == STAT_MEDIAN     ? FORM_MEDIAN
                          : c->stat == STAT_PERCENTILE ? FORM_PERCENTILE
                                                       : FORM_NONE;
    if (in_points != FORM_NONE && !v->by_rates) {
        find_in_points(v, f, in_points, any);
        return;
    }
    bool told = in_points == FORM_NONE && add_forms(v, c, any);
    enum lost lost = v->lost;
    v->total.samples = itself.samples + v->flushed.samples;
    v->total.series = itself.series + v->flushed.series;
    if (!told)
        v->lost = LOST_SOME;
    if (told || v->total.numbers)
        find_itself(v, f);
    if (v->by_rates &&
        c->stat == STAT_COUNT) /* a rate that was lost may have been below zero, as a sum may */
        f->settled_lost = false;
    bool between = f->untold && v->total.vague > itself.vague; /* the ends, and is not told by them */
    if ((!told && !f->settled_lost) || between)
        find_leave_open(f, any, v->by_rates ? untold_by_rates : untold_by_forms);
    v->by_ends = false;
    v->lost = lost;
    v->total = itself;
}

/* --- which of them count --------------------------------------------------------------------------------- */

static bool is_aggregate(const struct link *link) {
    return link->form != FORM_NONE && link->form < FORM_RATE;
}

/* The metrics of which there is a rate .count, but those whose session holds samples of the name itself. */
static void collect_wholes(struct view *v) {
    struct distinct sessions = {0};
    const struct links *links = &v->claim->witnesses;
    for (size_t i = 0; i < links->n; i++) {
        const struct witness *w = &v->witnesses[links->items[i].index];
        if (!is_aggregate(&links->items[i]) && w->tally.samples &&
            distinct_add_text(&sessions, w->session) != 0)
            v->no_memory = true;
    }
    for (size_t i = 0; i < links->n; i++) {
        const struct witness *w = &v->witnesses[links->items[i].index];
        bool there = links->items[i].form == FORM_COUNT && w->flushed.samples + w->spanless > 0;
        if (there && !distinct_has_text(&sessions, w->session) &&
            distinct_add_text(&v->wholes, whole_of(w)) != 0)
            v->no_memory = true;
    }
    distinct_free(&sessions);
}

static bool is_used(const struct view *v, const struct link *link) {
    const struct witness *w = &v->witnesses[link->index];
    if (is_aggregate(link))
        return w->flushed.samples + w->spanless > 0 && distinct_has_text(&v->wholes, whole_of(w));
    return link->form == FORM_RATE && w->flushed.samples > 0;
}

/* Each whole has one .count in its session. */
void find_collect_forms(struct view *v) {
    const struct links *links = &v->claim->witnesses;
    struct distinct counted = {0};
    v->by_rates = match_has_rates(v->claim->e);
    if (!v->by_rates)
        collect_wholes(v);
    for (size_t i = 0; i < links->n; i++) {
        struct link *link = &links->items[i];
        const struct witness *w = &v->witnesses[link->index];
        link->used = is_used(v, link);
        if (!link->used || (link->form != FORM_COUNT && link->form != FORM_RATE))
            continue;
        uint64_t series = v->flushed.series + !find_is_counted(v, &counted, w);
        tally_add_all(&v->flushed, &w->flushed);
        v->flushed.series = series;
        if (link->form == FORM_RATE)
            continue;
        v->flushed.samples += w->spanless;
        v->spanless += w->spanless;
    }
    distinct_free(&counted);
}
