/* The answer as JSON. */
#include "report/report.h"

#include "judge/language/text.h"
#include "report/closest.h"
#include "report/describe.h"

#include <stdlib.h>

#define WHY_MAX       ((size_t)1 << 20)
#define SERIES_SHOWN  20 /* names of series used, of each expectation */
#define UNCOVERED_MAX 1000

static json_t *clause_json(const struct finding *f) {
    const struct clause *c = f->clause;
    bool status = c->stat == STAT_STATUS;
    json_t *expected = c->asks  ? NULL
                       : status ? json_string(text_status(c->value))
                                : text_json_number(c->value);
    json_t *observed = !f->known ? json_null()
                       : status  ? json_string(text_status(f->value))
                                 : text_json_number(f->value);
    json_t *json =
        c->asks ? json_pack("{s:o, s:o, s:b}", "clause", text_json(c->text), "observed", observed, "holds",
                            f->holds)
                : json_pack("{s:o, s:s, s:o, s:o, s:b}", "clause", text_json(c->text), "op", op_word(c->op),
                            "value", expected, "observed", observed, "holds", f->holds);
    if (json && f->ranged) {
        json_object_set_new(json, "low", text_json_number(f->low));
        json_object_set_new(json, "high", text_json_number(f->high));
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

static json_t *result_json(struct judge *j, struct claim *claim, const struct closest *closest) {
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
    json_t *json =
        json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "expectation", text_json(e->text), "verdict",
                  verdict_word(a.verdict), "observed", text_json_buf(&observed), "why", text_json_buf(&why),
                  "clauses", clauses, "series", series_json(j, claim), "closest", near);
    if (json && e->n_conditions)
        json_object_set_new(json, "where", where_json(e));
    if (json && e->prefixed)
        json_object_set_new(json, "pattern", text_json(e->name));
    if (json && e->file.p)
        json_object_set_new(json, "file", text_json(e->file));
    if (json && (e->file.p || e->line > 1))
        json_object_set_new(json, "line", json_integer((json_int_t)e->line));
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

static json_t *results_json(struct judge *j, const struct closest_search *search) {
    json_t *results = json_array();
    size_t next = 0;
    for (size_t i = 0; i < j->n_claims; i++) {
        struct claim *claim = &j->claims[i];
        const struct closest *closest = NULL;
        if (next < search->n && search->list[next].claim == claim)
            closest = &search->list[next++];
        json_t *result = result_json(j, claim, closest);
        if (!result || json_array_append_new(results, result) != 0) {
            json_decref(results);
            return NULL;
        }
    }
    return results;
}

static void add_text(json_t *report) {
    struct buf text = {0};
    report_text(report, false, &text);
    json_object_set_new(report, "text", text_json_buf(&text));
    buf_free(&text);
}

json_t *judge_report(struct judge *j, struct reader *reader, struct err *err) {
    enum verdict verdict = judge_verdict(j);
    struct closest_search search = {0};
    struct claim **open = calloc(j->n_claims + 1, sizeof *open);
    size_t n = 0;
    json_t *report = NULL, *results;
    if (!open)
        goto out;
    for (size_t i = 0; i < j->n_claims; i++)
        if (j->claims[i].verdict != VERDICT_PASS)
            open[n++] = &j->claims[i];
    if (closest_find(&search, j, open, n, reader, err) != 0)
        goto out;
    results = results_json(j, &search);
    if (!results)
        goto out;
    report = json_pack("{s:s, s:o, s:o}", "verdict", verdict_word(verdict), "results", results, "losses",
                       losses_json(j));
    if (report && j->all_covered) {
        json_object_set_new(report, "uncovered", uncovered_json(j));
        json_object_set_new(report, "n_uncovered", json_integer((json_int_t)j->n_uncovered));
    }
    if (report && j->earlier)
        json_object_set_new(report, "earlier", json_integer((json_int_t)j->earlier));
    if (report)
        add_text(report);
out:
    if (!report)
        err_set(err, 0, "out of memory while explaining");
    closest_free(&search);
    free(open);
    return report;
}
