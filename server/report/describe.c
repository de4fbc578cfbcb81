#include "report/describe.h"

#include "judge/language/text.h"

#include <math.h>

#define FULLEST_MAX 1000 /* bytes of a name */
#define LOSSES_TOLD 10   /* to each claim; the report lists all */

static void put_stat(const struct clause *c, struct buf *b) {
    if (c->stat == STAT_PERCENTILE) {
        buf_char(b, 'p');
        text_put_number(b, c->percentile);
    } else {
        buf_str(b, stat_word(c->stat));
    }
}

static void put_value(const struct finding *f, double value, struct buf *b) {
    if (f->clause->stat == STAT_STATUS)
        buf_str(b, text_status(value));
    else
        text_put_number(b, value);
}

static const char *record_word(const struct expectation *e) {
    static const char *const words[] = {"sample", "event", "service check", "reject"};
    return words[e->subject];
}

void describe_observed(const struct claim *claim, const struct answer *a, struct buf *b) {
    bool nothing = a->total.samples == 0;
    for (size_t i = 0; i < a->n; i++)
        nothing &= !a->findings[i].known || a->findings[i].value == 0;
    if (nothing) {
        buf_str(b, "nothing");
        return;
    }
    for (size_t i = 0; i < a->n; i++) {
        const struct finding *f = &a->findings[i];
        buf_str(b, i ? ", " : "");
        put_stat(f->clause, b);
        buf_char(b, ' ');
        if (f->known)
            put_value(f, f->value, b);
        else
            buf_printf(b, f->no_sample ? "of no %s" : "unknown", record_word(claim->e));
    }
}

/* --- hints ----------------------------------------------------------------------------------------------- */

/* 1000, 60, 1e6, 1e9 and their inverses usually mean that two sides think in different units. */
void describe_unit(const struct finding *f, struct buf *b) {
    static const double factors[] = {1000, 60, 1e6, 1e9};
    const struct clause *c = f->clause;
    bool counts = c->stat == STAT_SAMPLES || c->stat == STAT_COUNT || c->stat == STAT_SERIES ||
                  c->stat == STAT_DISTINCT || c->stat == STAT_RATE || c->stat == STAT_STATUS;
    if (counts || !f->known || f->holds || (c->op != OP_EQ && c->op != OP_ABOUT) || c->value == 0 ||
        f->value == 0)
        return;
    double ratio = f->value / c->value;
    for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++)
        if (fabs(ratio / factors[i] - 1) < 0.01 || fabs(ratio * factors[i] - 1) < 0.01) {
            buf_printf(b, "that is %s%g times the expected value: another unit?", ratio > 1 ? "" : "1/",
                       factors[i]);
            return;
        }
}

/* Etsy's StatsD takes a gauge's "+4" for a difference. */
static void put_delta(const struct expectation *e, const struct finding *f, const struct answer *a,
                      struct buf *b) {
    const struct clause *c = f->clause;
    if (!metric_is(e->type, METRIC_LEVEL) || e->any_type || c->stat != STAT_LAST || !f->known ||
        a->total.samples < 2)
        return;
    bool adds_up = a->total.sum != f->value && clause_holds(c, a->total.sum);
    if (adds_up || a->total.min < 0)
        buf_printf(b, "; %sa sign makes no difference of it: an Agent takes +4 as 4 and -4 as -4",
                   adds_up ? "its values add up to that, but " : "");
}

static void put_hints(const struct expectation *e, const struct finding *f, const struct answer *a,
                      struct buf *b) {
    const struct clause *c = f->clause;
    if (f->holds)
        return;
    if (c->op == OP_EQ && !c->has_tolerance && fabs(f->value - c->value) <= 1e-9 * fabs(c->value))
        buf_str(b, "; the difference is only rounding: '~' allows for it");
    if (metric_is(e->type, METRIC_LEVEL) && c->stat == STAT_SUM && a->total.samples > 1)
        buf_printf(b, "; a gauge's sum adds up all its samples%s",
                   clause_holds(c, a->total.last) ? ": 'last' would hold" : "");
    put_delta(e, f, a, b);
    struct buf unit = {.max = 1024};
    describe_unit(f, &unit);
    buf_str(b, unit.n ? "; " : "");
    buf_span(b, buf_view(&unit));
    buf_free(&unit);
}

/* --- why ------------------------------------------------------------------------------------------------- */

/* The series with so many samples: the one that per_series speaks of. */
static void put_fullest(const struct judge *j, const struct claim *claim, const struct finding *f,
                        struct buf *b) {
    for (size_t i = 0; i < claim->witnesses.n && f->value > 0; i++) {
        const struct witness *w = &j->witnesses[claim->witnesses.items[i].index];
        if ((double)w->tally.samples != f->value)
            continue;
        buf_str(b, ", of ");
        text_put_shown(b, w->name, false, FULLEST_MAX);
        text_put_tags(b, w->n_tags, w->tags, w->host, w->device);
        return;
    }
}

static void put_finding(const struct judge *j, const struct claim *claim, const struct finding *f,
                        const struct answer *a, struct buf *b) {
    const struct expectation *e = claim->e;
    const struct clause *c = f->clause;
    bool each = c->stat == STAT_EACH || c->stat == STAT_RATE;
    put_stat(c, b);
    if (!f->known) {
        if (f->no_sample)
            buf_printf(b, " holds for no %s that satisfies the rest as well", record_word(e));
        else if (f->untold)
            buf_printf(b, " %s", f->untold);
        else
            buf_str(b, " has no value, as nothing matched");
        return;
    }
    buf_str(b, each && f->holds == e->no ? " is, once, " : " is ");
    put_value(f, f->value, b);
    if (!f->holds) {
        buf_str(b, ", expected ");
        buf_span(b, c->text);
    }
    if (c->stat == STAT_PER_SERIES)
        put_fullest(j, claim, f, b);
    if (f->ranged && a->aggregated) {
        buf_str(b, " (over all points ");
        text_put_number(b, f->low);
        buf_str(b, " to ");
        text_put_number(b, f->high);
        buf_char(b, ')');
    } else if (f->ranged) {
        buf_str(b, " (sampled: random sampling explains ");
        text_put_number(b, f->low);
        buf_str(b, " to ");
        text_put_number(b, f->high);
        buf_str(b, " at 99.99 %)");
    }
    put_hints(e, f, a, b);
}

static bool was_evicted(const struct judge *j, const struct expectation *e) {
    static const enum loss evictions[] = {LOSS_EVICTED, LOSS_EVICTED_EVENTS, LOSS_EVICTED_CHECKS,
                                          LOSS_EVICTED_REJECTS};
    for (size_t i = 0; i < j->n_losses; i++)
        for (size_t k = 0; k < sizeof evictions / sizeof evictions[0]; k++)
            if (j->losses[i].loss == evictions[k] && (loss_kinds(evictions[k]) & judge_kind(e)))
                return true;
    return false;
}

/* What matched but for the conditions, and what the newest of it has instead. */
static void put_dropped(const struct claim *claim, struct buf *b) {
    const struct sieve *s = claim->sieve;
    const struct field_value *v = &s->value;
    text_put_plural(b, s->dropped, record_word(claim->e));
    buf_printf(b, " matched but for 'where': the %s", s->dropped == 1 ? "" : "newest ");
    buf_printf(b, "%s has ", record_word(claim->e));
    if (!v->is_text && !v->known)
        buf_printf(b, "no %s", field_word(s->missed->field));
    else
        buf_printf(b, "%s ", field_word(s->missed->field));
    if (v->is_text) {
        buf_char(b, '\'');
        buf_span(b, v->text);
        buf_char(b, '\'');
    } else if (v->known && s->missed->number.stat == STAT_STATUS)
        buf_str(b, text_status(v->number));
    else if (v->known)
        text_put_number(b, v->number);
    buf_str(b, ", not ");
    buf_span(b, s->missed->text);
}

static void put_nothing(const struct judge *j, const struct claim *claim, struct buf *b) {
    if (claim->sieve && claim->sieve->dropped) {
        put_dropped(claim, b);
        return;
    }
    buf_printf(b, "no %s that matches %s", record_word(claim->e),
               was_evicted(j, claim->e) ? "is still recorded" : "was received");
}

static bool is_used(const struct judge *j, const struct link *link, bool forms) {
    const struct witness *w = &j->witnesses[link->index];
    return (link->form != FORM_NONE) == forms && (forms ? link->used : w->tally.samples > 0);
}

/* The series that a claim looked at, at most three by name; of aggregated forms ten, which is one metric's.
 */
static void put_names(const struct judge *j, const struct claim *claim, bool forms, struct buf *b) {
    size_t n = 0, shown = 0;
    for (size_t i = 0; i < claim->witnesses.n; i++) {
        const struct link *link = &claim->witnesses.items[i];
        const struct witness *w = &j->witnesses[link->index];
        if (!is_used(j, link, forms))
            continue;
        n++;
        if (shown == (forms ? 10 : 3))
            continue;
        buf_str(b, shown++ ? ", " : "");
        buf_span(b, w->name);
        text_put_tags(b, w->n_tags, w->tags, w->host, w->device);
    }
    if (n > shown)
        buf_printf(b, " and %zu more", n - shown);
}

static void put_clauses(const struct judge *j, const struct claim *claim, const struct answer *a,
                        struct buf *b) {
    bool failing = false;
    for (size_t i = 0; i < a->n; i++)
        failing |= !a->findings[i].holds;
    const char *before = "";
    for (size_t i = 0; i < a->n; i++) {
        /* When some failed, only those are of interest. */
        if (failing && a->findings[i].holds)
            continue;
        buf_str(b, before);
        put_finding(j, claim, &a->findings[i], a, b);
        before = "; ";
    }
}

static void put_basis(const struct judge *j, const struct claim *claim, const struct answer *a,
                      struct buf *b) {
    const struct expectation *e = claim->e;
    if (a->no_memory) {
        buf_str(b, "out of memory while judging");
        return;
    }
    if (a->total.samples == 0 && (!a->holds || e->no)) {
        put_nothing(j, claim, b);
        bool default_claim = e->n_clauses == 0 || e->no || e->clauses[0].asks;
        if (!default_claim) {
            buf_str(b, "; expected ");
            buf_span(b, a->findings[0].clause->text);
        }
        return;
    }
    if (e->no && !a->holds) {
        text_put_plural(b, a->total.samples, record_word(e));
        buf_str(b, " matched");
        if (e->subject == SUBJECT_METRIC) {
            buf_str(b, ": ");
            bool forms = a->aggregated;
            for (size_t i = 0; i < claim->witnesses.n && forms; i++)
                forms = !is_used(j, &claim->witnesses.items[i], false);
            put_names(j, claim, forms, b);
        }
        for (size_t i = 0; i < CLAIM_SHOWN && claim->shown[i].p; i++) {
            buf_str(b, i ? ", " : ": ");
            buf_span(b, claim->shown[i]);
        }
        if (claim->shown[0].p && a->total.samples > CLAIM_SHOWN)
            buf_str(b, ", …");
        if (e->n_clauses)
            buf_str(b, "; ");
    }
    if (!e->no || e->n_clauses)
        put_clauses(j, claim, a, b);
    if (a->aggregated) {
        buf_str(b, "; told from what an aggregating client sent: ");
        put_names(j, claim, true, b);
    }
}

void describe_losses(const struct judge *j, enum loss_kind kind, struct buf *b) {
    const char *before = "";
    size_t told = 0; /* every claim tells them: not all of 1,000 */
    for (size_t i = 0; i < j->n_losses && told <= LOSSES_TOLD; i++) {
        const struct loss_seen *l = &j->losses[i];
        if (!(loss_kinds(l->loss) & kind))
            continue;
        if (told++ == LOSSES_TOLD)
            break;
        buf_str(b, before);
        buf_u64(b, l->n);
        buf_printf(b, " %s", loss_sentence(l->loss));
        if (l->detail.n) {
            buf_str(b, " (");
            buf_span(b, l->detail);
            buf_char(b, ')');
        }
        before = ", ";
    }
    for (uint32_t at = j->telemetry; at && told <= LOSSES_TOLD; at = j->witnesses[at - 1].next_telemetry) {
        const struct witness *w = &j->witnesses[at - 1];
        if (!judge_is_evidence(w))
            continue;
        if (told++ == LOSSES_TOLD)
            break;
        buf_str(b, before);
        text_put_number(b, w->tally.sum);
        buf_str(b, " that a client says it dropped (");
        buf_span(b, w->name);
        buf_char(b, ')');
        before = ", ";
    }
    if (told > LOSSES_TOLD)
        buf_str(b, " and more");
}

static void put_why(const struct judge *j, const struct claim *claim, const struct answer *a, struct buf *b) {
    enum lost lost = judge_lost_for(j, claim->e);
    if (a->verdict != VERDICT_INCONCLUSIVE || a->no_memory) {
        put_basis(j, claim, a, b);
        if (lost == LOST_MAYBE && !a->settled_lost && claim->e->no && a->verdict == VERDICT_PASS) {
            buf_str(b, "; as far as was received: ");
            describe_losses(j, LOST_IN_DOUBT, b);
        }
        return;
    }
    buf_printf(b, "what %s lost could have changed this: ", lost == LOST_MAYBE ? "may have been" : "was");
    describe_losses(j, lost == LOST_MAYBE ? LOST_IN_DOUBT : judge_kind(claim->e), b);
    buf_str(b, "; as far as is known, ");
    put_basis(j, claim, a, b);
}

void describe_why(const struct judge *j, const struct claim *claim, const struct answer *a, struct buf *b) {
    put_why(j, claim, a, b);
    if (claim->sieve && claim->sieve->by_bins)
        buf_str(b, "; 'where' was told from the bins of sketches, which know a value to within 1 %");
}
