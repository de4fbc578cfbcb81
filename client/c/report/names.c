/* Names and tags: verify, lint, snapshot and diff, asked of the server. */
#include "emit/error.h"
#include "report/files.h"
#include "report/question.h"
#include <stdlib.h>
#include <string.h>

#define V1           "/recorder/v1"
#define SNAPSHOT_MAX (64u << 20)
#define UPDATED_TEXT "the snapshot was written\n"

/* NULL when a part of it could not be made. */
static json_t *finished(json_t *question, int failed) {
    if (!failed)
        return question;
    json_decref(question);
    return NULL;
}

static json_t *question_about(const struct statwit_session *session, int64_t since, int *failed) {
    json_t *question = json_object();
    *failed = !question;
    *failed |=
        question_text(question, "session", statwit_session_name(session)) | question_since(question, since);
    return question;
}

/* ---- verify and lint ---- */

int statwit_verify_catalog(struct statwit_session *session, const char *catalog,
                           const struct statwit_verify_options *options, struct statwit_report *report,
                           struct statwit_error *error) {
    static const struct statwit_verify_options none;
    options = options ? options : &none;
    *report = report_empty;
    json_t *files = files_catalog(catalog, error);
    if (!files)
        return -1;
    int failed;
    json_t *question = question_about(session, options->since, &failed);
    failed |= json_object_set_new(question, "catalog", files);
    failed |= question_flag(question, "strict", options->strict);
    failed |= question_text(question, "prefix", options->prefix);
    failed |= question_text(question, "ignore_tags", options->ignore_tags);
    failed |= question_as(question, options->as_datadog);
    return report_ask(session, V1 "/verify", finished(question, failed), REPORT_MS, report, error);
}

/* "a,b" as ["a","b"] */
static int put_rules(json_t *question, const char *rules) {
    json_t *list = json_array();
    int failed = !list;
    for (const char *at = rules; at && *at; at += strspn(at, ", ")) {
        size_t n = strcspn(at, ", ");
        if (n > 0)
            failed |= json_array_append_new(list, json_stringn(at, n));
        at += n;
    }
    return failed | json_object_set_new(question, "silence", list);
}

int statwit_lint(struct statwit_session *session, const struct statwit_lint_options *options,
                 struct statwit_report *report, struct statwit_error *error) {
    static const struct statwit_lint_options none;
    options = options ? options : &none;
    *report = report_empty;
    json_t *files = options->catalog ? files_catalog(options->catalog, error) : NULL;
    if (options->catalog && !files)
        return -1;
    int failed;
    json_t *question = question_about(session, options->since, &failed);
    if (files)
        failed |= json_object_set_new(question, "catalog", files);
    failed |= question_flag(question, "strict", options->strict) | put_rules(question, options->silence);
    failed |= question_as(question, options->as_datadog);
    return report_ask(session, V1 "/lint", finished(question, failed), REPORT_MS, report, error);
}

/* ---- snapshots ---- */

char *statwit_snapshot(struct statwit_session *session, const struct statwit_snapshot_options *options,
                       struct statwit_error *error) {
    static const struct statwit_snapshot_options none;
    options = options ? options : &none;
    int failed;
    json_t *question = question_about(session, options->since, &failed);
    failed |= question_flag(question, "counts", options->counts);
    failed |= question_flag(question, "values", options->values);
    failed |= question_text(question, "mask", options->mask);
    failed |= question_as(question, options->as_datadog);
    question = finished(question, failed);
    if (!question) {
        error_set(error, STATWIT_INVALID, "the mask is not UTF-8, or memory is out");
        return NULL;
    }
    json_t *answer =
        answer_get(session_recorder(session), "POST", V1 "/snapshot", question, REPORT_MS, error);
    const char *text = answer_string(answer, "snapshot", NULL);
    char *copy = text ? strdup(text) : NULL;
    if (answer && !text)
        error_set(error, STATWIT_PROTOCOL, "%.200s answered without a snapshot", session->recorder->url);
    else if (text && !copy)
        error_memory(error);
    json_decref(answer);
    return copy;
}

/* Compares with the text of a file. */
static int check(struct statwit_session *session, const char *file, const char *text, size_t size,
                 const struct statwit_snapshot_options *options, struct statwit_report *report,
                 struct statwit_error *error) {
    int failed;
    json_t *question = question_about(session, options ? options->since : 0, &failed);
    failed |= question_as(question, options && options->as_datadog);
    failed |= json_object_set_new(question, "check", json_stringn(text, size));
    failed |= question_text(question, "file", file);
    return report_ask(session, V1 "/snapshot", finished(question, failed), REPORT_MS, report, error);
}

static bool is_set(const char *variable) {
    const char *value = getenv(variable);
    return value && *value && strcmp(value, "0") != 0 && strcmp(value, "false") != 0;
}

/* What is recorded now, in the way of the file where there is one and no options say otherwise. */
static char *taken_anew(struct statwit_session *session, const char *file, const char *text, size_t size,
                        const struct statwit_snapshot_options *options, struct statwit_error *error) {
    struct statwit_report report;
    if (!text || options)
        return statwit_snapshot(session, options, error);
    if (check(session, file, text, size, NULL, &report, error) != 0)
        return NULL;
    char *now = strdup(answer_string(report.document, "snapshot", ""));
    if (!now)
        error_memory(error);
    statwit_report_free(&report);
    return now;
}

static int update(struct statwit_session *session, const char *file, const char *text, size_t size,
                  const struct statwit_snapshot_options *options, struct statwit_report *report,
                  struct statwit_error *error) {
    if (is_set("CI"))
        return error_set(error, STATWIT_INVALID,
                         "CI is set: a snapshot is not written there; unset STATWIT_UPDATE");
    char *now = taken_anew(session, file, text, size, options, error);
    int result = now ? files_write(file, now, error) : -1;
    free(now);
    if (result == 0) {
        report->verdict = STATWIT_PASS;
        report->text = UPDATED_TEXT;
    }
    return result;
}

int statwit_snapshot_check(struct statwit_session *session, const char *file,
                           const struct statwit_snapshot_options *options, struct statwit_report *report,
                           struct statwit_error *error) {
    bool updates = is_set("STATWIT_UPDATE"), missing;
    size_t size = 0;
    *report = report_empty;
    char *text = files_read(file, SNAPSHOT_MAX, &size, &missing, error);
    int result = -1;
    if (!text && missing && !updates)
        error_set(error, STATWIT_INVALID, "there is no snapshot %.300s yet: STATWIT_UPDATE=1 writes it",
                  file);
    else if (updates && (text || missing))
        result = update(session, file, text, size, options, report, error);
    else if (text)
        result = check(session, file, text, size, options, report, error);
    free(text);
    return result;
}

/* ---- diff ---- */

static int put_snapshot(json_t *side, const char *file, struct statwit_error *error) {
    size_t size = 0;
    char *text = files_read(file, SNAPSHOT_MAX, &size, NULL, error);
    if (!text)
        return -1;
    int failed = json_object_set_new(side, "snapshot", json_stringn(text, size));
    failed |= question_text(side, "file", file);
    free(text);
    return failed ? error_set(error, STATWIT_INVALID, "%.300s is not UTF-8, or memory is out", file) : 0;
}

/* The server tells what is missing or too much in it. */
static json_t *make_side(const struct statwit_side *from, struct statwit_error *error) {
    json_t *side = json_object();
    int result = side && question_text(side, "session", from->session) == 0
                     ? 0
                     : error_set(error, STATWIT_INVALID, "the session's name is not UTF-8, or memory is out");
    if (result == 0 && from->snapshot)
        result = put_snapshot(side, from->snapshot, error);
    if (result == 0 && from->catalog) {
        json_t *files = files_catalog(from->catalog, error);
        result = files ? json_object_set_new(side, "catalog", files) : -1;
    }
    return finished(side, result);
}

static const struct {
    const char *member;
    enum statwit_change_kind kind;
} changes[] = {{"added", STATWIT_ADDED},
               {"removed", STATWIT_REMOVED},
               {"renamed", STATWIT_RENAMED},
               {"changed", STATWIT_CHANGED}};
#define N_CHANGES (sizeof changes / sizeof changes[0])

static int read_diff(struct statwit_diff *diff, struct statwit_error *error) {
    size_t n = 0;
    for (size_t i = 0; i < N_CHANGES; i++)
        n += json_array_size(json_object_get(diff->document, changes[i].member));
    diff->changes = calloc(n + 1, sizeof *diff->changes);
    if (!diff->changes)
        return error_memory(error);
    for (size_t i = 0; i < N_CHANGES; i++) {
        const json_t *list = json_object_get(diff->document, changes[i].member), *one;
        bool renamed = changes[i].kind == STATWIT_RENAMED;
        size_t k;
        json_array_foreach(list, k, one) {
            diff->changes[diff->n_changes++] =
                (struct statwit_change){.kind = changes[i].kind,
                                        .name = answer_string(one, renamed ? "from" : "name", ""),
                                        .to = answer_string(one, "to", NULL),
                                        .likelihood = renamed ? answer_number(one, "likelihood") : 0};
        }
    }
    diff->same = json_is_true(json_object_get(diff->document, "same"));
    diff->text = answer_string(diff->document, "text", "");
    diff->markdown = answer_string(diff->document, "markdown", "");
    return 0;
}

int statwit_diff(struct statwit_recorder *recorder, const struct statwit_side *a,
                 const struct statwit_side *b, struct statwit_diff *diff, struct statwit_error *error) {
    *diff = (struct statwit_diff){.text = "", .markdown = ""};
    json_t *question = json_object(), *of_a = make_side(a, error), *of_b = of_a ? make_side(b, error) : NULL;
    bool read_both = of_a && of_b;
    int failed = json_object_set_new(question, "a", of_a) | json_object_set_new(question, "b", of_b);
    question = finished(question, failed);
    if (!question)
        return read_both ? error_memory(error) : -1;
    diff->document = answer_get(recorder, "POST", V1 "/diff", question, REPORT_MS, error);
    if (diff->document && read_diff(diff, error) == 0)
        return 0;
    statwit_diff_free(diff);
    return -1;
}

void statwit_diff_free(struct statwit_diff *diff) {
    free(diff->changes);
    json_decref(diff->document);
    *diff = (struct statwit_diff){.text = "", .markdown = ""};
}
