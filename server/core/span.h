/* A span: bytes that somebody else owns.
 *
 * Ownership: none; a span is valid as long as the buffer it points into.
 * Not NUL-terminated, and NUL is an ordinary byte. {NULL, 0} means "not given" where a header says so.
 */
#ifndef CORE_SPAN_H
#define CORE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
    const char *p;
    size_t n;
};

/* A span over a string literal. */
#define SPAN(literal) ((struct span){"" literal, sizeof(literal) - 1})
/* printf: "%.*s", SPAN_ARG(s) */
#define SPAN_ARG(s) (int)(s).n, (s).p

static inline struct span span_of(const char *p, size_t n) {
    return (struct span){p, n};
}

/* s may be NULL: the span that is not given. */
static inline struct span span_str(const char *s) {
    return (struct span){s, s ? strlen(s) : 0};
}

static inline bool span_eq(struct span a, struct span b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool span_starts(struct span s, struct span prefix) {
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

/* The rest of s from byte i on (i <= s.n). */
static inline struct span span_from(struct span s, size_t i) {
    return (struct span){i ? s.p + i : s.p, s.n - i}; /* NULL + 0 is undefined */
}

/* Order by bytes, a prefix before what it starts: the order of tags in a series' identity. */
static inline int span_cmp(struct span a, struct span b) {
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

#endif
