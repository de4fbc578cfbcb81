/* A growing buffer of bytes with a stated maximum.
 *
 * Ownership: the struct is the caller's; buf_free gives its bytes back. Initialise with {.max = N}.
 * Errors: sticky. Past max, or out of memory, `failed` is set, nothing more is appended, and the bytes so far stay
 * valid; check once at the end.
 * The bytes are always followed by a NUL that does not count.
 */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include "core/span.h"
#include <stdint.h>

struct buf {
    char *p;
    size_t n;
    size_t cap;
    size_t max; /* bytes; 0 means 1 GiB */
    bool failed;
};

/* Room for n more bytes; false (and failed) past the maximum. */
bool buf_reserve(struct buf *b, size_t n);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_u64(struct buf *b, uint64_t n);
void buf_free(struct buf *b);

/* The same, where there nearly always is room. */
static inline bool buf_room(struct buf *b, size_t n) {
    return (!b->failed && n < b->cap - b->n) || buf_reserve(b, n);
}

/* Inline, because rows are made of short pieces. */
static inline void buf_add(struct buf *b, const void *p, size_t n) {
    if ((b->failed || n >= b->cap - b->n) && !buf_reserve(b, n))
        return;
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}

static inline void buf_str(struct buf *b, const char *s) {
    buf_add(b, s, strlen(s));
}

static inline void buf_char(struct buf *b, char c) {
    buf_add(b, &c, 1);
}

static inline void buf_span(struct buf *b, struct span s) {
    buf_add(b, s.p, s.n);
}

static inline void buf_clear(struct buf *b) {
    b->n = 0;
    b->failed = false;
    if (b->p)
        b->p[0] = '\0';
}

static inline struct span buf_view(const struct buf *b) {
    return span_of(b->p ? b->p : "", b->n);
}

#endif
