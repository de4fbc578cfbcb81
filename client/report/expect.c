/* Expectations: asked of the server, whose report is handed on. */
#include "emit/error.h"
#include "report/recorder.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MS 30000 /* for judging, beside what it was told to wait */

static int set(json_t *object, const char *name, const char *string) {
    return string ? json_object_set_new(object, name, json_string(string)) : 0;
}

static int set_number(json_t *object, const char *name, int64_t number) {
    return number ? json_object_set_new(object, name, json_integer(number)) : 0;
}

/* NULL: not UTF-8, or memory is out. */
static json_t *make_question(const struct statwit_session *session, const char *expectations,
                             const struct statwit_expect_options *options) {
    json_t *body = json_object(), *list = json_array(), *source = json_string(expectations);
    int failed = !body || !list || !source;
    if (options->file && source) {
        json_t *text = source;
        source = json_object();
        failed |= json_object_set_new(source, "text", text) | set(source, "file", options->file);
    }
    failed |= json_array_append_new(list, source);
    failed |= json_object_set_new(body, "expect", list);
    failed |= set(body, "session", session->name);
    failed |=
        set_number(body, "within_ms", options->within_ms) | set_number(body, "settle_ms", options->settle_ms);
    failed |= set_number(body, "since", options->since);
    failed |= set(body, "prefix", options->prefix) | set(body, "ignore_tags", options->ignore_tags);
    if (options->all_covered)
        failed |= json_object_set_new(body, "all_covered", json_true());
    if (!failed)
        return body;
    json_decref(body);
    return NULL;
}

static enum statwit_verdict read_verdict(const json_t *object) {
    static const char *const words[] = {
        [STATWIT_PASS] = "pass", [STATWIT_FAIL] = "fail", [STATWIT_INCONCLUSIVE] = "inconclusive"};
    const char *word = answer_string(object, "verdict", "");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i]) == 0)
            return (enum statwit_verdict)i;
    return STATWIT_ERROR;
}

static int read_report(struct statwit_report *report, const char *url, struct statwit_error *error) {
    const json_t *results = json_object_get(report->document, "results");
    report->verdict = read_verdict(report->document);
    if (report->verdict == STATWIT_ERROR)
        return error_set(error, STATWIT_PROTOCOL, "%.200s answered without a verdict", url);
    report->n_results = json_array_size(results);
    report->results = calloc(report->n_results + 1, sizeof *report->results);
    if (!report->results)
        return error_memory(error);
    for (size_t i = 0; i < report->n_results; i++) {
        const json_t *result = json_array_get(results, i);
        report->results[i] = (struct statwit_result){.expectation = answer_string(result, "expectation", ""),
                                                     .verdict = read_verdict(result),
                                                     .observed = answer_string(result, "observed", ""),
                                                     .why = answer_string(result, "why", "")};
    }
    report->text = answer_string(report->document, "text", "");
    report->waited_ms = answer_number(report->document, "waited_ms");
    return 0;
}

int statwit_expect(struct statwit_session *session, const char *expectations,
                   const struct statwit_expect_options *options, struct statwit_report *report,
                   struct statwit_error *error) {
    static const struct statwit_expect_options none;
    options = options ? options : &none;
    *report = (struct statwit_report){.verdict = STATWIT_ERROR, .text = ""};
    json_t *question = make_question(session, expectations, options);
    if (!question)
        return error_set(error, STATWIT_INVALID, "an expectation is not UTF-8, or memory is out");
    /* The server may go on for a while after `within` when data does not settle. */
    int64_t wait_ms = (int64_t)options->within_ms + 11 * (int64_t)options->settle_ms + ANSWER_MS;
    report->document = answer_get(session->recorder, "POST", "/recorder/v1/expect", question,
                                  wait_ms > INT32_MAX ? -1 : (int)wait_ms, error);
    if (report->document && read_report(report, session->recorder->url, error) == 0)
        return 0;
    statwit_report_free(report);
    return -1;
}

void statwit_report_free(struct statwit_report *report) {
    free(report->results);
    json_decref(report->document);
    *report = (struct statwit_report){.verdict = STATWIT_ERROR, .text = ""};
}

enum statwit_verdict statwit_verify(struct statwit_session *session, const char *expectations, int within_ms,
                                    const char *file, int line) {
    struct statwit_report report;
    struct statwit_error error = {0};
    struct statwit_expect_options options = {.within_ms = within_ms};
    statwit_expect(session, expectations, &options, &report, &error);
    enum statwit_verdict verdict = report.verdict;
    if (verdict == STATWIT_FAIL)
        fprintf(stderr, "%s:%d: expectation failed\n%s\n", file, line, report.text);
    else if (verdict == STATWIT_INCONCLUSIVE)
        fprintf(stderr, "%s:%d: INCONCLUSIVE: something was lost that could have changed the verdict\n%s\n",
                file, line, report.text);
    else if (verdict == STATWIT_ERROR)
        fprintf(stderr, "%s:%d: no verdict: %s\n", file, line, error.text);
    statwit_report_free(&report);
    return verdict;
}

void statwit_require(struct statwit_session *session, const char *expectations, int within_ms,
                     const char *file, int line) {
    if (statwit_verify(session, expectations, within_ms, file, line) != STATWIT_PASS)
        abort();
}
