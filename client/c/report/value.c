/* One number: an expectation that ends with its stat. */
#include "emit/error.h"
#include "report/question.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double read_observed(const json_t *observed) {
    static const char *const statuses[] = {"ok", "warning", "critical", "unknown"};
    for (int i = 0; i < 4; i++)
        if (json_is_string(observed) && strcmp(json_string_value(observed), statuses[i]) == 0)
            return i;
    return json_is_number(observed) ? json_number_value(observed) : (double)NAN;
}

/* NULL: not UTF-8, or memory is out. */
static json_t *make_question(const struct statwit_session *session, const char *what, const char *stat) {
    json_t *list = json_pack("[s+++]", what, " ", stat, "");
    json_t *question = json_pack("{s:o}", "expect", list);
    int failed = !question || question_text(question, "session", statwit_session_name(session)) ||
                 question_flag(question, "value", true);
    if (!failed)
        return question;
    json_decref(question);
    return NULL;
}

enum statwit_verdict statwit_expect_value(struct statwit_session *session, const char *what, const char *stat,
                                          double *number) {
    struct statwit_report report = report_empty;
    struct statwit_error error = {0};
    *number = NAN;
    if (report_ask(session, "/recorder/v1/expect", make_question(session, what, stat), REPORT_MS, &report,
                   &error) == 0) {
        const json_t *result = json_array_get(json_object_get(report.document, "results"), 0);
        const json_t *clause = json_array_get(json_object_get(result, "clauses"), 0);
        *number = read_observed(json_object_get(clause, "observed"));
    }
    enum statwit_verdict verdict = report.verdict;
    if (verdict != STATWIT_PASS)
        fprintf(stderr, "statwit_expect_value: %s %s: %s\n", what, stat,
                verdict == STATWIT_ERROR ? error.text
                : report.n_results       ? report.results[0].why
                                         : "");
    statwit_report_free(&report);
    return verdict;
}
