/* Which refused lines an expectation may have been about: by the name that was read, by the name that its author may have
 * meant, by the text.
 *
 * Errors: -1 with err when the recording cannot be read.
 * Limits: the newest CLOSEST_RECORDS lines, CLOSEST_NOTES_PAIRS.
 */
#ifndef REPORT_CLOSEST_REJECTS_H
#define REPORT_CLOSEST_REJECTS_H

#include "report/candidates.h"

/* notes: for `no` claims that passed, only lines that would have broken them. */
int closest_read_rejects(struct closest_search *s, struct reader *reader, bool notes, struct err *err);

#endif
