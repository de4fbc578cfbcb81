/* Whether nothing at all arrived where an expectation looked: the client sent elsewhere, or has not sent yet.
 *
 * Ownership: the text is the caller's to free.
 * Errors: -1 with err when the recording cannot be read.
 */
#ifndef REPORT_QUIET_H
#define REPORT_QUIET_H

#include "core/buf.h"
#include "judge/evaluate/private.h"

/* A sentence with the addresses that were listened on; nothing when any record arrived. */
int quiet_tell(const struct judge *j, struct reader *reader, struct buf *text, struct err *err);

#endif
