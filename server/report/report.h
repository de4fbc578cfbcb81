/* A verdict's report for people and for CI: pure functions from the JSON that judge_report makes (and that
 * POST /recorder/v1/expect answers) into bytes.
 *
 * Ownership: the report is borrowed, the buffer is the caller's.
 * Errors: sticky in the buffer. A report of another shape gives what can be read of it, never a crash.
 * The output never holds a control character that was received: they are shown as \xNN, and XML is always
 * valid.
 * A result that passed and has a "severity" (catalog/findings.h) is a warning: text and annotations show it
 * as one.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "core/buf.h"
#include <jansson.h>

/* For a terminal: one line for each expectation that passed, at most ten for one that did not, a summary. */
void report_text(const json_t *report, bool colour, struct buf *out);
/* One test suite, one test case for each expectation; `inconclusive` is an <error>, `fail` a <failure>. */
void report_junit(const json_t *report, struct buf *out);
/* TAP version 13. */
void report_tap(const json_t *report, struct buf *out);
/* ::error annotations, with file and line where the expectation came from a file: print when GITHUB_ACTIONS
 * is set. */
void report_github(const json_t *report, struct buf *out);

#endif
