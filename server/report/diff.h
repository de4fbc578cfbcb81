/* The findings of diff (catalog/diff.h), for people: pure functions from its JSON into bytes.
 *
 * Ownership: the report is borrowed, the buffer is the caller's.
 * Errors: sticky in the buffer.
 */
#ifndef REPORT_DIFF_H
#define REPORT_DIFF_H

#include "core/buf.h"
#include <jansson.h>

/* For a terminal: "+ count a.b", "- …", "~ a -> b (87 %)", … */
void diff_text(const json_t *report, struct buf *out);
/* Tables for a pull request. */
void diff_markdown(const json_t *report, struct buf *out);

#endif
