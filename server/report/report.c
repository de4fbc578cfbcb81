/* The answer as JSON. */
#include "report/report.h"

#include "judge/language/text.h"
#include "report/closest.h"
#include "report/describe.h"
#include "report/quiet.h"

#include <stdlib.h>

#define WHY_MAX       ((size_t)1 << 20)
#define SERIES_SHOWN  20 /* names of series used, of each expectation */
#define UNCOVERED_MAX 1000
#define NOTE_LINE_MAX 200 /* bytes of a refused line in a sentence */

/* An object that lacks a field for want of memory is none. json_pack would do, at twice the price. */
static void put(json_t **object, const char *key, json_t *value) {
    if (json_object_set_new_nocheck(*object, key, value) == 0)
        return;
    json_decref(*object);
    *object = NULL;
}

static json_t *clause_json(const struct finding *f) {
    const struct clause *c = f->clause;
    bool status = c->stat == STAT_STATUS;
    json_t *json = json_object();
    put(&json, "clause", text_json(c->text));
    if (!c->asks) {
        put(&json, "op", json_string(op_word(c->op)));
        put(&json, "value", status ? json_string(text_status(c->value)) : text_json_number(c->value));
    }
    put(&json, "observed",
        !f->known ? json_null()
        : status  ? json_string(text_status(f->value))
                  : text_json_number(f->value));
    put(&json, "holds", json_boolean(f->holds));
    if (f->ranged) {
        put(&json, "low", text_json_number(f->low));
        put(&json, "high", text_json_number(f->high));
    }
    return json;
}

static json_t *test_json(const struct text_test *test) {
    if (test->regex)
        return text_json(test->regex_text);
    return test->n ? text_json(test->globs[0]) : json_null();
}

/* [{"field", "op", "value", "tolerance"?, "text"}] */
static json_t *where_json(const struct expectation *e) {
    json_t *list = json_array();
    for (size_t i = 0; i < e->n_conditions; i++) {
        const struct condition *c = &e->conditions[i];
        json_t *value = !c->of_number                   ? test_json(&c->test)
                        : c->number.stat == STAT_STATUS ? json_string(text_status(c->number.value))
                                                        : text_json_number(c->number.value);
        json_t *json = json_pack("{s:s, s:s, s:o, s:o}", "field", field_word(c->field), "op", op_word(c->op),
                                 "value", value, "text", text_json(c->text));
        if (json && c->number.has_tolerance)
            json_object_set_new(json, "tolerance", text_json_number(c->number.tolerance));
        json_array_append_new(list, json);
    }
    return list;
}

/* The series that the answer was told from. */
static json_t *series_json(const struct judge *j, const struct claim *claim) {
    json_t *list = json_array();
    for (size_t i = 0; i < claim->witnesses.n && json_array_size(list) < SERIES_SHOWN; i++) {
        const struct link *link = &claim->witnesses.items[i];
        const struct witness *w = &j->witnesses[link->index];
        if (link->form != FORM_NONE ? !link->used : w->tally.samples == 0)
            continue;
        struct buf b = {.max = 65536};
        buf_span(&b, w->name);
        text_put_tags(&b, w->n_tags, w->tags, w->host, w->device);
        json_array_append_new(list, text_json_buf(&b));
        buf_free(&b);
    }
    return list;
}

/* A value that looks like another unit's is marked on the series that it was told from. */
static void mark_unit(const struct answer *a, json_t *closest) {
    struct buf unit = {.max = 1024};
    for (size_t i = 0; i < a->n && unit.n == 0; i++)
        describe_unit(&a->findings[i], &unit);
    for (size_t i = 0; unit.n && i < json_array_size(closest); i++) {
        json_t *marks = json_object_get(json_array_get(closest, i), "marks");
        const char *first = json_string_value(json_object_get(json_array_get(marks, 0), "mark"));
        if (first && strcmp(first, "matched") == 0)
            json_array_append_new(
                marks, json_pack("{s:s, s:o}", "mark", "value_unit", "text", text_json_buf(&unit)));
    }
    buf_free(&unit);
}

/* What the results of one report are told with. */
struct telling {
    struct judge *judge;
    struct closest_search open, passed; /* claims that did not pass; `no` claims that did */
    struct buf quiet;                   /* a sentence when nothing at all arrived */
};

/* A `no` that passed although an Agent was sent what it forbids, in a form that an Agent refuses. */
static void put_note(const struct closest *c, struct buf *note) {
    uint64_t n = 0;
    for (size_t i = 0; i < c->n; i++)
        n += c->best[i].row.samples;
    if (n == 0)
        return;
    text_put_plural(note, n, "line");
    buf_printf(note,
               "%s of that name %s refused, as an Agent would: ", c->n == CLOSEST_SHOWN ? " or more" : "",
               n == 1 ? "was" : "were");
    text_put_visible(note, c->best[0].text, NOTE_LINE_MAX);
    buf_printf(note, " (%s: %s)", reason_word(c->best[0].reason), reason_sentence(c->best[0].reason));
}

static void put_more(json_t **json, const struct telling *t, const struct claim *claim,
                     const struct answer *a, const struct closest *closest, struct buf *why) {
    struct buf note = {.max = WHY_MAX};
    if (claim->e->no && a->verdict == VERDICT_PASS && closest)
        put_note(closest, &note);
    if (note.n)
        put(json, "note", text_json_buf(&note));
    if (!claim->e->no && a->verdict != VERDICT_PASS && t->quiet.n)
        buf_span(&note, buf_view(&t->quiet));
    buf_str(why, note.n ? "; " : "");
    buf_span(why, buf_view(&note));
    buf_free(&note);
}

static json_t *result_json(const struct telling *t, struct claim *claim, const struct closest *closest) {
    struct judge *j = t->judge;
    const struct expectation *e = claim->e;
    struct answer a;
    struct buf observed = {.max = WHY_MAX}, why = {.max = WHY_MAX};
    claim_evaluate(claim, j->witnesses, judge_lost_for(j, e), &a);
    describe_observed(claim, &a, &observed);
    describe_why(j, claim, &a, &why);
    json_t *clauses = json_array(), *near = json_array();
    for (size_t i = 0; i < a.n; i++)
        json_array_append_new(clauses, clause_json(&a.findings[i]));
    for (size_t i = 0; closest && i < closest->n; i++)
        json_array_append_new(near, closest_json(&closest->best[i], e));
    mark_unit(&a, near);
    json_t *json = json_object();
    put(&json, "expectation", text_json(e->text));
    put(&json, "verdict", json_string(verdict_word(a.verdict)));
    put(&json, "observed", text_json_buf(&observed));
    put(&json, "clauses", clauses);
    put(&json, "series", series_json(j, claim));
    put(&json, "closest", near);
    put_more(&json, t, claim, &a, closest, &why);
    put(&json, "why", text_json_buf(&why));
    if (e->n_conditions)
        put(&json, "where", where_json(e));
    if (e->prefixed)
        put(&json, "pattern", text_json(e->name));
    if (e->file.p)
        put(&json, "file", text_json(e->file));
    if (e->file.p || e->line > 1)
        put(&json, "line", json_integer((json_int_t)e->line));
    buf_free(&observed);
    buf_free(&why);
    return json;
}

static json_t *losses_json(const struct judge *j) {
    json_t *list = json_array();
    for (size_t i = 0; i < j->n_losses; i++) {
        const struct loss_seen *l = &j->losses[i];
        json_array_append_new(list, json_pack("{s:s, s:I, s:s, s:o, s:o}", "loss", loss_word(l->loss), "n",
                                              (json_int_t)l->n, "text", loss_sentence(l->loss), "detail",
                                              text_json(l->detail), "session",
                                              l->session.p ? text_json(l->session) : json_null()));
    }
    for (size_t i = 0; i < j->n_witnesses; i++) {
        const struct witness *w = &j->witnesses[i];
        if (!judge_is_evidence(w))
            continue;
        struct buf b = {.max = 65536};
        buf_span(&b, w->name);
        text_put_tags(&b, w->n_tags, w->tags, w->host, w->device);
        json_array_append_new(list,
                              json_pack("{s:s, s:o, s:s, s:o, s:o}", "loss", "client", "n",
                                        text_json_number(w->tally.sum), "text", DROPPED_BY_CLIENT, "detail",
                                        text_json_buf(&b), "session",
                                        j->session.p && !w->apart ? text_json(j->session) : json_null()));
        buf_free(&b);
    }
    return list;
}

static json_t *uncovered_json(const struct judge *j) {
    json_t *list = json_array();
    for (size_t i = 0; i < j->n_witnesses && json_array_size(list) < UNCOVERED_MAX; i++) {
        const struct witness *w = &j->witnesses[i];
        if (!w->uncovered)
            continue;
        json_t *tags = json_array();
        for (size_t k = 0; k < w->n_tags; k++)
            json_array_append_new(tags, text_json(w->tags[k]));
        struct buf text = {.max = 1 << 20};
        text_put_series(&text, w->type, w->name, w->n_tags, w->tags);
        json_array_append_new(list,
                              json_pack("{s:o, s:s, s:o, s:I, s:o}", "name", text_json(w->name), "type",
                                        metric_word(w->type), "tags", tags, "samples",
                                        (json_int_t)w->tally.samples, "expectation", text_json_buf(&text)));
        buf_free(&text);
    }
    return list;
}

/* What was found for the claim, in a list that has its claims in the judge's order. */
static const struct closest *found_for(const struct closest_search *s, size_t *next,
                                       const struct claim *claim) {
    return *next < s->n && s->list[*next].claim == claim ? &s->list[(*next)++] : NULL;
}

static json_t *results_json(const struct telling *t) {
    struct judge *j = t->judge;
    json_t *results = json_array();
    size_t next_open = 0, next_passed = 0;
    for (size_t i = 0; i < j->n_claims; i++) {
        struct claim *claim = &j->claims[i];
        const struct closest *closest = found_for(&t->open, &next_open, claim);
        if (!closest)
            closest = found_for(&t->passed, &next_passed, claim);
        json_t *result = result_json(t, claim, closest);
        if (!result || json_array_append_new(results, result) != 0) {
            json_decref(results);
            return NULL;
        }
    }
    return results;
}

static void add_text(json_t **report) {
    struct buf text = {0};
    report_text(*report, false, &text);
    put(report, "text", text_json_buf(&text));
    buf_free(&text);
}

static int look_again(struct telling *t, struct reader *reader, struct err *err) {
    struct judge *j = t->judge;
    struct claim **open = calloc(2 * j->n_claims + 1, sizeof *open); /* those that passed stand behind */
    size_t n_open = 0, n_passed = 0;
    bool claims_something = false;
    if (!open)
        return err_set(err, 0, "out of memory while explaining");
    struct claim **passed = open + j->n_claims;
    for (size_t i = 0; i < j->n_claims; i++) {
        struct claim *claim = &j->claims[i];
        if (claim->verdict != VERDICT_PASS)
            open[n_open++] = claim;
        else if (claim->e->no)
            passed[n_passed++] = claim;
        claims_something |= claim->verdict != VERDICT_PASS && !claim->e->no;
    }
    int result = closest_find(&t->open, j, open, n_open, reader, err);
    if (result == 0)
        result = closest_find_refused(&t->passed, j, passed, n_passed, reader, err);
    if (result == 0 && claims_something)
        result = quiet_tell(j, reader, &t->quiet, err);
    free(open);
    return result;
}

bool judge_report_reads(struct judge *j) {
    bool reads = judge_verdict(j) != VERDICT_PASS;
    for (size_t i = 0; i < j->n_claims && !reads; i++)
        reads = j->claims[i].verdict != VERDICT_PASS || j->claims[i].e->no;
    return reads;
}

json_t *judge_report(struct judge *j, struct reader *reader, struct err *err) {
    enum verdict verdict = judge_verdict(j);
    struct telling telling = {.judge = j, .quiet = {.max = WHY_MAX}};
    json_t *report = NULL, *results;
    if (look_again(&telling, reader, err) != 0)
        goto out;
    results = results_json(&telling);
    if (!results)
        goto out;
    report = json_object();
    put(&report, "verdict", json_string(verdict_word(verdict)));
    put(&report, "results", results);
    put(&report, "losses", losses_json(j));
    if (j->all_covered) {
        put(&report, "covered", json_string(verdict_word(judge_covered(j))));
        put(&report, "uncovered", uncovered_json(j));
        put(&report, "n_uncovered", json_integer((json_int_t)j->n_uncovered));
    }
    if (j->earlier)
        put(&report, "earlier", json_integer((json_int_t)j->earlier));
    if (report)
        add_text(&report);
out:
    if (!report)
        err_set(err, 0, "out of memory while explaining");
    closest_free(&telling.open);
    closest_free(&telling.passed);
    buf_free(&telling.quiet);
    return report;
}
