/* Questions to the server whose answer is a report, and their fields.
 *
 * Threads: as the session.
 * Errors: -1; with the report empty and the error filled where there are any.
 */
#ifndef CLIENT_REPORT_QUESTION_H
#define CLIENT_REPORT_QUESTION_H

#include "report/recorder.h"

#define REPORT_MS 30000 /* for judging, beside what it was told to wait */

extern const struct statwit_report report_empty;

/* Fields that are left out when they say nothing: NULL, 0, false. */
int question_text(json_t *question, const char *name, const char *text);
int question_number(json_t *question, const char *name, int64_t number);
/* A mark, 0 or STATWIT_EVERY_RUN. */
int question_since(json_t *question, int64_t since);
int question_flag(json_t *question, const char *name, bool flag);
/* "as": "datadog" */
int question_as(json_t *question, bool datadog);

/* Asks and fills the report. Steals the question; NULL: it could not be made. */
int report_ask(struct statwit_session *session, const char *path, json_t *question, int timeout_ms,
               struct statwit_report *report, struct statwit_error *error);

#endif
