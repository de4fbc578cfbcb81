#include "report/names.h"

#include "catalog/diff.h"
#include "catalog/infer.h"
#include "catalog/lint.h"
#include "catalog/snapshot.h"
#include "catalog/verify.h"
#include "judge/language/text.h"
#include "report/diff.h"
#include "report/report.h"
#include "report/request.h"

#include <stdlib.h>

struct asked_side {
    bool live; /* a session, to be read */
    struct scope scope;
    struct catalog *catalog;
    struct snapshot *snapshot;
};

struct catalog_question {
    enum catalog_kind kind;
    struct arena arena;
    struct scope scope;
    struct effort effort;
    struct catalog *catalog;
    bool strict, counts, values;
    double near;
    struct span prefix, ignore_tags, mask, file;
    uint64_t silenced;
    struct snapshot *check;
    struct asked_side sides[2];
};

/* --- questions ---------------------------------------------------------------------------------------------------- */

#define ONLY(object, ...)                                                                                    \
    request_only(object, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *),                  \
                 (const char *const[]){__VA_ARGS__}, e)

static int read_verify(struct catalog_question *q, const json_t *r, struct catalog_error *e) {
    if (ONLY(r, "catalog", "session", "since", "as", "strict", "near", "prefix", "ignore_tags") ||
        request_scope(&q->arena, r, &q->scope, e) || request_flag(r, "strict", &q->strict, e) ||
        request_share(r, "near", &q->near, e) || request_text(&q->arena, r, "prefix", &q->prefix, e) ||
        request_list(&q->arena, r, "ignore_tags", &q->ignore_tags, e))
        return -1;
    int given = request_catalog(r, &q->catalog, e);
    return given == 0 ? request_complain(e, "is missing", "catalog") : given < 0 ? -1 : 0;
}

static int read_lint(struct catalog_question *q, const json_t *r, struct catalog_error *e) {
    const json_t *silence = json_object_get(r, "silence"), *item;
    size_t i;
    if (ONLY(r, "catalog", "session", "since", "as", "strict", "silence", "name") ||
        request_scope(&q->arena, r, &q->scope, e) || request_text(&q->arena, r, "name", &q->scope.name, e) ||
        request_flag(r, "strict", &q->strict, e) || request_catalog(r, &q->catalog, e) < 0)
        return -1;
    if (silence && !json_is_array(silence))
        return request_complain(e, "must be a list of rules", "silence");
    json_array_foreach(silence, i, item) {
        int rule = lint_rule_of(span_str(json_is_string(item) ? json_string_value(item) : ""));
        if (rule < 0)
            return catalog_fail(e, NULL, 0, 0, "no lint rule is called '%s'",
                                json_is_string(item) ? json_string_value(item) : "?");
        q->silenced |= UINT64_C(1) << rule;
    }
    return 0;
}

static int read_snapshot(struct catalog_question *q, const json_t *r, struct catalog_error *e) {
    struct span check = {NULL, 0};
    if (ONLY(r, "session", "since", "as", "counts", "values", "mask", "check", "file") ||
        request_scope(&q->arena, r, &q->scope, e) || request_flag(r, "counts", &q->counts, e) ||
        request_flag(r, "values", &q->values, e) || request_list(&q->arena, r, "mask", &q->mask, e) ||
        request_text(&q->arena, r, "check", &check, e) || request_text(&q->arena, r, "file", &q->file, e))
        return -1;
    if (check.p && (q->counts || q->values || q->mask.p))
        return catalog_fail(e, NULL, 0, 0, "counts, values and mask are in the snapshot that is checked");
    for (size_t i = 0; i < q->mask.n; i++)
        if ((unsigned char)q->mask.p[i] <= ' ')
            return request_complain(e, "must be keys joined by commas, without blanks", "mask");
    if (check.p) {
        q->check = snapshot_parse(q->file.p ? q->file.p : "", check, e);
        if (!q->check)
            return -1;
    }
    bool numbers =
        q->counts || q->values || (q->check && (q->check->options.counts || q->check->options.values));
    return numbers && q->scope.since
               ? catalog_fail(e, NULL, 0, 0, "counts and values are of a whole session: leave out since")
               : 0;
}

static int read_infer(struct catalog_question *q, const json_t *r, struct catalog_error *e) {
    return ONLY(r, "session", "since", "as", "name") || request_scope(&q->arena, r, &q->scope, e)
               ? -1
               : request_text(&q->arena, r, "name", &q->scope.name, e);
}

static int read_side(struct catalog_question *q, const json_t *r, const char *name, struct asked_side *side,
                     struct catalog_error *e) {
    const json_t *v = json_object_get(r, name);
    struct span snapshot = {NULL, 0}, file = {NULL, 0};
    if (!json_is_object(v))
        return request_complain(e, "must be an object with session, snapshot or catalog", name);
    if (ONLY(v, "session", "since", "snapshot", "file", "catalog") ||
        request_scope(&q->arena, v, &side->scope, e) ||
        request_text(&q->arena, v, "snapshot", &snapshot, e) || request_text(&q->arena, v, "file", &file, e))
        return -1;
    int given = request_catalog(v, &side->catalog, e);
    if (given < 0)
        return -1;
    side->live = side->scope.session.p != NULL;
    if (!side->live && side->scope.since)
        return request_complain(e, "is of a session", "since");
    if (given + (snapshot.p != NULL) + side->live != 1)
        return request_complain(e, "needs one of session, snapshot and catalog", name);
    if (snapshot.p)
        side->snapshot = snapshot_parse(file.p ? file.p : name, snapshot, e);
    return snapshot.p && !side->snapshot ? -1 : 0;
}

static int read_diff(struct catalog_question *q, const json_t *r, struct catalog_error *e) {
    return ONLY(r, "a", "b") || read_side(q, r, "a", &q->sides[0], e) ? -1
                                                                      : read_side(q, r, "b", &q->sides[1], e);
}

struct catalog_question *catalog_question_new(enum catalog_kind kind, const json_t *request,
                                              struct catalog_error *error) {
    static int (*const readers[])(struct catalog_question *, const json_t *, struct catalog_error *) = {
        [ASK_VERIFY] = read_verify, [ASK_LINT] = read_lint, [ASK_SNAPSHOT] = read_snapshot,
        [ASK_INFER] = read_infer,   [ASK_DIFF] = read_diff,
    };
    struct catalog_question *q = calloc(1, sizeof *q);
    if (!q) {
        catalog_fail(error, NULL, 0, 0, "out of memory");
        return NULL;
    }
    q->kind = kind;
    if (readers[kind](q, request, error) == 0)
        return q;
    catalog_question_free(q);
    return NULL;
}

void catalog_question_free(struct catalog_question *q) {
    if (!q)
        return;
    catalog_free(q->catalog);
    snapshot_free(q->check);
    for (size_t i = 0; i < 2; i++) {
        catalog_free(q->sides[i].catalog);
        snapshot_free(q->sides[i].snapshot);
    }
    arena_free(&q->arena);
    free(q);
}

static struct span named_session(const struct scope *scope) {
    struct span session = scope_session(scope);
    return session.p ? session : SPAN(EVERY_SESSION);
}

size_t catalog_question_sessions(const struct catalog_question *q, struct span sessions[2]) {
    size_t n = 0;
    if (q->kind != ASK_DIFF)
        sessions[n++] = named_session(&q->scope);
    for (size_t i = 0; i < 2; i++)
        if (q->sides[i].live)
            sessions[n++] = named_session(&q->sides[i].scope);
    return n;
}

static struct scope *scope_of(struct catalog_question *q, size_t i) {
    return q->kind != ASK_DIFF ? &q->scope : &q->sides[q->sides[0].live ? i : 1].scope;
}

int catalog_question_found(struct catalog_question *q, size_t i, struct span session) {
    struct scope *scope = scope_of(q, i);
    if (!scope->session.p || span_eq(scope->session, session))
        return 0;
    scope->session = arena_copy(&q->arena, session);
    return scope->session.p ? 0 : -1;
}

bool catalog_question_as_datadog(const struct catalog_question *q, struct span *session, uint64_t *since) {
    *session = named_session(&q->scope);
    *since = q->scope.since;
    return q->scope.as_datadog;
}

void catalog_question_own_run(struct catalog_question *q, size_t i, uint64_t mark, uint64_t earlier) {
    struct scope *scope = scope_of(q, i);
    if (scope->since_given)
        return;
    scope->since = mark;
    scope->earlier = earlier;
}

/* Answers that are no findings: those tell by themselves. */
static json_t *with_earlier(const struct catalog_question *q, json_t *answer) {
    uint64_t n = q->scope.earlier + q->sides[0].scope.earlier + q->sides[1].scope.earlier;
    if (answer && n)
        json_object_set_new(answer, "earlier", json_integer((json_int_t)n));
    return answer;
}

/* What was lost of the scope, each with the side of a diff that it is of. */
static int add_losses(json_t *losses, const struct scope *scope, const char *side, struct reader *reader,
                      struct err *err) {
    struct findings f;
    int result = findings_start(&f, scope, reader, err);
    for (size_t i = 0; result == 0 && i < json_array_size(f.losses); i++) {
        json_t *loss = json_array_get(f.losses, i);
        if ((side && json_object_set_new(loss, "side", json_string(side)) != 0) ||
            json_array_append(losses, loss) != 0)
            result = err_set(err, 0, "out of memory");
    }
    findings_free(&f);
    return result;
}

static json_t *with_losses(struct catalog_question *q, json_t *answer, struct reader *reader,
                           struct err *err) {
    json_t *losses = json_array();
    if (!answer || !losses)
        goto failed;
    if (q->kind != ASK_DIFF && add_losses(losses, &q->scope, NULL, reader, err) != 0)
        goto failed;
    for (size_t i = 0; i < 2; i++)
        if (q->sides[i].live && add_losses(losses, &q->sides[i].scope, i ? "b" : "a", reader, err) != 0)
            goto failed;
    if (json_object_set_new(answer, "losses", losses) == 0)
        return with_earlier(q, answer);
    losses = NULL; /* json_object_set_new has given it back */
failed:
    json_decref(losses);
    json_decref(answer);
    return NULL;
}

bool catalog_question_knows_marks(const struct catalog_question *q, uint64_t last_id, struct err *err) {
    return judge_is_mark(q->scope.since, last_id, err) &&
           judge_is_mark(q->sides[0].scope.since, last_id, err) &&
           judge_is_mark(q->sides[1].scope.since, last_id, err);
}

void catalog_question_unsaved(struct catalog_question *q, uint64_t n) {
    q->scope.unsaved = q->sides[0].scope.unsaved = q->sides[1].scope.unsaved = n;
}

bool catalog_question_was_too_much(const struct catalog_question *q) {
    return effort_is_spent(&q->effort);
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

static json_t *no_memory(struct err *err) {
    err_set(err, 0, "out of memory");
    return NULL;
}

static json_t *text_answer(const char *field, struct buf *text, struct err *err) {
    json_t *string = text->failed ? NULL : text_json(buf_view(text));
    json_t *answer = string ? json_pack("{s:o}", field, string) : NULL;
    return answer ? answer : no_memory(err);
}

/* "text": the report for a person. */
static json_t *with_text(json_t *report, struct err *err) {
    struct buf text = {0};
    if (!report)
        return NULL;
    report_text(report, false, &text);
    bool failed = text.failed || json_object_set_new(report, "text", text_json(buf_view(&text)));
    buf_free(&text);
    if (!failed)
        return report;
    json_decref(report);
    return no_memory(err);
}

static json_t *answer_snapshot(struct catalog_question *q, struct reader *reader, struct err *err) {
    if (q->check)
        return with_text(snapshot_check(q->check, q->file.p ? q->file.p : "", &q->scope, reader, err), err);
    struct snapshot_options options = {
        .scope = q->scope, .counts = q->counts, .values = q->values, .mask = q->mask};
    struct buf text = {0};
    json_t *answer =
        snapshot_write(&options, reader, &text, err) ? NULL : text_answer("snapshot", &text, err);
    buf_free(&text);
    return with_losses(q, answer, reader, err);
}

static json_t *answer_infer(struct catalog_question *q, struct reader *reader, struct err *err) {
    struct catalog *c = catalog_infer(&q->scope, reader, err);
    struct buf text = {0};
    if (!c)
        return NULL;
    catalog_write(c, CATALOG_JSON, true, &text);
    json_t *answer = text_answer("catalog", &text, err);
    buf_free(&text);
    catalog_free(c);
    return answer;
}

/* A session as its snapshot, with the keys masked that the other side's snapshot masks. */
static int take_snapshot(struct asked_side *side, const struct asked_side *other, struct reader *reader,
                         struct err *err) {
    struct snapshot_options options = {.scope = side->scope};
    struct catalog_error wrong = {0};
    struct buf text = {0};
    if (other->snapshot)
        options.mask = other->snapshot->options.mask;
    int result = snapshot_write(&options, reader, &text, err);
    if (result == 0)
        side->snapshot = snapshot_parse("", buf_view(&text), &wrong);
    if (result == 0 && !side->snapshot)
        result = err_set(err, 0, "%s", wrong.message);
    buf_free(&text);
    return result;
}

static json_t *answer_diff(struct catalog_question *q, struct reader *reader, struct err *err) {
    struct inventory *inventories[2] = {NULL, NULL};
    for (size_t i = 0; i < 2; i++) {
        struct asked_side *side = &q->sides[i];
        if (side->live && take_snapshot(side, &q->sides[1 - i], reader, err))
            return NULL;
    }
    for (size_t i = 0; i < 2; i++)
        inventories[i] = q->sides[i].catalog ? inventory_of_catalog(q->sides[i].catalog)
                                             : inventory_of_snapshot(q->sides[i].snapshot);
    json_t *report = inventories[0] && inventories[1] ? diff_report(inventories[0], inventories[1]) : NULL;
    struct buf text = {0}, markdown = {0};
    bool failed = !report;
    if (report) {
        diff_text(report, &text);
        diff_markdown(report, &markdown);
        failed = text.failed || markdown.failed ||
                 json_object_set_new(report, "text", text_json(buf_view(&text))) ||
                 json_object_set_new(report, "markdown", text_json(buf_view(&markdown)));
    }
    buf_free(&text);
    buf_free(&markdown);
    inventory_free(inventories[0]);
    inventory_free(inventories[1]);
    if (!failed)
        return report;
    json_decref(report);
    return no_memory(err);
}

json_t *catalog_question_answer(struct catalog_question *q, struct reader *reader, struct err *err) {
    struct verify_options verify = {.scope = q->scope,
                                    .prefix = q->prefix,
                                    .ignore_tags = q->ignore_tags,
                                    .near = q->near,
                                    .strict = q->strict,
                                    .effort = &q->effort};
    struct lint_options lint = {q->scope, q->catalog, q->silenced, q->strict, &q->effort};
    uint64_t last_id = 0;
    if (reader &&
        (reader->ops->last_id(reader, &last_id, err) != 0 || !catalog_question_knows_marks(q, last_id, err)))
        return NULL;
    switch (q->kind) {
    case ASK_VERIFY:
        return with_text(catalog_verify(q->catalog, &verify, reader, err), err);
    case ASK_LINT:
        return with_text(catalog_lint(&lint, reader, err), err);
    case ASK_SNAPSHOT:
        return answer_snapshot(q, reader, err);
    case ASK_INFER:
        return with_losses(q, answer_infer(q, reader, err), reader, err);
    case ASK_DIFF:
        return with_losses(q, answer_diff(q, reader, err), reader, err);
    }
    return NULL;
}
