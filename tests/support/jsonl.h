/* Fixtures of one JSON object per line, and byte strings in them: "text" or {"b64": "…"}. */
#ifndef SUPPORT_JSONL_H
#define SUPPORT_JSONL_H

#include "core/span.h"
#include <jansson.h>

/* Calls run(arg, case) for each line; aborts with a message when the file cannot be read. Returns how many.
 */
size_t jsonl_each(const char *path, void (*run)(void *arg, const json_t *line), void *arg);
/* The bytes of a string, or of base64 text; p == NULL for null or none. In a static buffer of 1 MiB that is
 * used in turn: what was returned stays valid for as long as the same case is looked at. */
struct span jsonl_bytes(const json_t *text);
struct span jsonl_base64(const char *text);

#endif
