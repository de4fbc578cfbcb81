/* Expectations: asked of the server, whose report is handed on. */
#include "emit/error.h"
#include "report/question.h"
#include <stdlib.h>

/* NULL: not UTF-8, or memory is out. */
static json_t *make_question(const struct statwit_session *session, const char *expectations,
                             const struct statwit_expect_options *options) {
    json_t *body = json_object(), *list = json_array(), *source = json_string(expectations);
    int failed = !body || !list || !source;
    if (options->file && source) {
        json_t *text = source;
        source = json_object();
        failed |= json_object_set_new(source, "text", text) | question_text(source, "file", options->file);
    }
    failed |= json_array_append_new(list, source);
    failed |= json_object_set_new(body, "expect", list);
    failed |= question_text(body, "session", statwit_session_name(session));
    failed |= question_number(body, "within_ms", options->within_ms) |
              question_number(body, "settle_ms", options->settle_ms);
    failed |= question_since(body, options->since);
    failed |= question_text(body, "prefix", options->prefix) |
              question_text(body, "ignore_tags", options->ignore_tags);
    if (options->all_covered)
        failed |= json_object_set_new(body, "all_covered", json_true());
    failed |= question_flag(body, "no_rejects", options->no_rejects);
    failed |= question_as(body, options->as_datadog);
    if (!failed)
        return body;
    json_decref(body);
    return NULL;
}

int statwit_expect(struct statwit_session *session, const char *expectations,
                   const struct statwit_expect_options *options, struct statwit_report *report,
                   struct statwit_error *error) {
    static const struct statwit_expect_options none;
    options = options ? options : &none;
    *report = report_empty;
    json_t *question = make_question(session, expectations, options);
    if (!question)
        return error_set(error, STATWIT_INVALID, "an expectation is not UTF-8, or memory is out");
    /* The server may go on for a while after `within` when data does not settle. */
    int64_t wait_ms = (int64_t)options->within_ms + 11 * (int64_t)options->settle_ms + REPORT_MS;
    return report_ask(session, "/recorder/v1/expect", question, wait_ms > INT32_MAX ? -1 : (int)wait_ms,
                      report, error);
}

enum statwit_verdict statwit_verify(struct statwit_session *session, const char *expectations, int within_ms,
                                    const char *file, int line) {
    struct statwit_report report;
    struct statwit_error error = {0};
    struct statwit_expect_options options = {.within_ms = within_ms};
    statwit_expect(session, expectations, &options, &report, &error);
    enum statwit_verdict verdict = statwit_report_show(&report, &error, "expectation", file, line);
    statwit_report_free(&report);
    return verdict;
}

void statwit_require(struct statwit_session *session, const char *expectations, int within_ms,
                     const char *file, int line) {
    if (statwit_verify(session, expectations, within_ms, file, line) != STATWIT_PASS)
        abort();
}
