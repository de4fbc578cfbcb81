/* Writing JSON text into a buffer: for long lists, where building a tree first would cost more than the list.
 * (Reading JSON is jansson's job.)
 * All names start with json_put_, so that none is one of jansson's (json_string, …), which would take its
 * place at link time.
 *
 * Bytes that are not UTF-8 become U+FFFD, counted as utf8_invalid_length says, so the output is valid UTF-8
 * (but for json_put_string_raw).
 */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include "core/buf.h"

/* A quoted string. */
void json_put_string(struct buf *b, struct span s);
/* A quoted string that keeps bytes >= 0x80 as they are, valid UTF-8 or not: for text that must come back
 * exactly. */
void json_put_string_raw(struct buf *b, struct span s);
/* "…" in base64. */
void json_put_base64(struct buf *b, struct span s);
/* A number; null when it is not finite. */
void json_put_number(struct buf *b, double value);
/* ["a","b"]; each element through json_put_string. */
void json_put_strings(struct buf *b, size_t n, const struct span *list);
/* A quoted RFC 3339 time. */
void json_put_time(struct buf *b, int64_t wall_ns);

#endif
