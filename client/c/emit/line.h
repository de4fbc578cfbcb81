/* One line of text in a buffer of fixed size, and what may stand in it.
 *
 * Ownership: the buffer is the caller's.
 * Errors: sticky: what does not fit sets overflow and is left out.
 * Threads: any.
 * Source: datadogpy's normalize_tags: a character that is neither letter nor digit nor one of "_-:/." becomes '_'.
 */
#ifndef CLIENT_EMIT_LINE_H
#define CLIENT_EMIT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The largest payload of a UDP datagram over IPv4: no line is ever longer. */
#define LINE_MAX_BYTES 65507

struct line {
    char *start, *at, *end;
    bool overflow;
};

/* The bytes that a part of a line may hold; other bytes become '_'. */
enum line_part {
    LINE_NAME,  /* anything but : | and control characters */
    LINE_TAG,   /* letters and digits of any script, _ - : / . */
    LINE_VALUE, /* anything but | and control characters */
};

static inline struct line line_in(char *buffer, size_t size) {
    return (struct line){.start = buffer, .at = buffer, .end = buffer + size};
}

static inline size_t line_size(const struct line *line) {
    return (size_t)(line->at - line->start);
}

/* memcpy for what is mostly short: two moves that may overlap instead of a call. */
static inline void line_copy(char *to, const char *from, size_t size) {
    if (size > 16) {
        memcpy(to, from, size);
    } else if (size >= 8) {
        uint64_t first, last;
        memcpy(&first, from, 8);
        memcpy(&last, from + size - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + size - 8, &last, 8);
    } else if (size >= 4) {
        uint32_t first, last;
        memcpy(&first, from, 4);
        memcpy(&last, from + size - 4, 4);
        memcpy(to, &first, 4);
        memcpy(to + size - 4, &last, 4);
    } else {
        for (size_t i = 0; i < size; i++)
            to[i] = from[i];
    }
}

static inline void line_put(struct line *line, const char *bytes, size_t size) {
    if (size > (size_t)(line->end - line->at)) {
        line->overflow = true;
        return;
    }
    memcpy(line->at, bytes, size);
    line->at += size;
}

static inline void line_char(struct line *line, char c) {
    if (line->at == line->end)
        line->overflow = true;
    else
        *line->at++ = c;
}

void line_string(struct line *line, const char *string);
void line_integer(struct line *line, int64_t value);
void line_real(struct line *line, double value);
/* The text up to its NUL, cleaned. */
void line_clean(struct line *line, enum line_part part, const char *text);

#endif
