/* A growing text with a stated maximum.
 *
 * Ownership: the owner frees bytes with text_free; {.max = N} is an empty one that has allocated nothing.
 * Errors: sticky: after an allocation failed or the maximum was met, `failed` is set and later puts do
 * nothing. Once something was put without failure, bytes is NUL-terminated.
 */
#ifndef CLIENT_EMIT_TEXT_H
#define CLIENT_EMIT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *bytes;
    size_t size, cap;
    size_t max; /* of size */
    bool failed;
};

void text_put(struct text *text, const void *bytes, size_t size);
void text_puts(struct text *text, const char *string);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void text_put_json(struct text *text, const char *bytes, size_t size);
void text_free(struct text *text);

#endif
