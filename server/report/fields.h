/* Reading the fields of a question: a JSON object that came from outside, whoever asks (/expect, /sessions, /verify …).
 *
 * A field that is missing or null leaves its target as it was.
 *
 * Ownership: texts point into the object.
 * Threads: any.
 * Errors: -1 with err, which names the field; a field's reader gives 1 when the field is there and 0 when it is not.
 */
#ifndef REPORT_FIELDS_H
#define REPORT_FIELDS_H

#include "core/err.h"
#include "core/span.h"

#include <jansson.h>
#include <stdint.h>

/* Refuses what is not an object, and fields that are not among the names. `where` is put before a field's name: "http[0].". */
int field_only(const json_t *object, const char *where, size_t n, const char *const *names, struct err *err);

int field_text(const json_t *object, const char *name, struct span *text, struct err *err);
int field_flag(const json_t *object, const char *name, bool *on, struct err *err);
/* A whole number, also one written as 3.0 or 3e2. */
int field_count(const json_t *object, const char *name, uint64_t max, uint64_t *number, struct err *err);

#endif
