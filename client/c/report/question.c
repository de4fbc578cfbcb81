#include "report/question.h"

#include "emit/error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct statwit_report report_empty = {.verdict = STATWIT_ERROR, .text = "", .diff = ""};

int question_text(json_t *question, const char *name, const char *text) {
    return text ? json_object_set_new(question, name, json_string(text)) : 0;
}

int question_number(json_t *question, const char *name, int64_t number) {
    return number ? json_object_set_new(question, name, json_integer(number)) : 0;
}

int question_since(json_t *question, int64_t since) {
    if (since == 0)
        return 0;
    return json_object_set_new(question, "since", json_integer(since == STATWIT_EVERY_RUN ? 0 : since));
}

int question_flag(json_t *question, const char *name, bool flag) {
    return flag ? json_object_set_new(question, name, json_true()) : 0;
}

int question_as(json_t *question, bool datadog) {
    return question_text(question, "as", datadog ? "datadog" : NULL);
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
                                                     .why = answer_string(result, "why", ""),
                                                     .rule = answer_string(result, "rule", NULL),
                                                     .severity = answer_string(result, "severity", NULL),
                                                     .name = answer_string(result, "name", NULL),
                                                     .file = answer_string(result, "file", NULL),
                                                     .line = answer_count(result, "line")};
    }
    report->text = answer_string(report->document, "text", "");
    report->diff = answer_string(report->document, "diff", "");
    if (json_object_get(report->document, "waited_ms"))
        report->waited_ms = answer_number(report->document, "waited_ms");
    return 0;
}

int report_ask(struct statwit_session *session, const char *path, json_t *question, int timeout_ms,
               struct statwit_report *report, struct statwit_error *error) {
    *report = report_empty;
    if (!question)
        return error_set(error, STATWIT_INVALID, "a question is not UTF-8, or memory is out");
    report->document = answer_get(session_recorder(session), "POST", path, question, timeout_ms, error);
    if (report->document && read_report(report, session->recorder->url, error) == 0)
        return 0;
    statwit_report_free(report);
    return -1;
}

void statwit_report_free(struct statwit_report *report) {
    free(report->results);
    json_decref(report->document);
    *report = report_empty;
}

enum statwit_verdict statwit_report_show(const struct statwit_report *report,
                                         const struct statwit_error *error, const char *what,
                                         const char *file, int line) {
    if (report->verdict == STATWIT_FAIL)
        fprintf(stderr, "%s:%d: %s failed\n%s%s\n", file, line, what, report->diff, report->text);
    else if (report->verdict == STATWIT_INCONCLUSIVE)
        fprintf(stderr, "%s:%d: INCONCLUSIVE: something was lost that could have changed the verdict\n%s%s\n",
                file, line, report->diff, report->text);
    else if (report->verdict == STATWIT_ERROR)
        fprintf(stderr, "%s:%d: no verdict: %s\n", file, line, error ? error->text : "");
    return report->verdict;
}
