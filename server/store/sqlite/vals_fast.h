/* The common case of a chunk's text: ,"12":[1700000000,4.25] or ,"12":4.25 or, in a run, ,4.25 with short numbers.
 *
 * Eight bytes are looked at at once. What is slow about a value is to know where the next one begins, so that depends on as little as it can:
 * a key is taken to be as long as the one before it, and the end of a number is found before the number is read.
 * Limits: up to FAST_MOST bytes from where it begins may be read.
 */
#ifndef STORE_SQLITE_VALS_FAST_H
#define STORE_SQLITE_VALS_FAST_H

#include "core/number.h"
#include "store/sqlite/vals.h"
#include <endian.h>
#include <stdint.h>
#include <string.h>

#define FAST_MOST   VALS_PADDING
#define FAST_INLINE static inline __attribute__((always_inline))

/* Eight bytes of text from p on, the first one lowest; a digit is its value. */
FAST_INLINE uint64_t fast_eight(const char *p) {
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return le64toh(w) ^ UINT64_C(0x3030303030303030);
}

/* The highest bit of each of them that is no digit. */
FAST_INLINE uint64_t fast_others(uint64_t w) {
    return ((w + UINT64_C(0x7676767676767676)) | w) & UINT64_C(0x8080808080808080);
}

/* How many bytes stand before the first one; 8: all. */
FAST_INLINE unsigned fast_before(uint64_t others) {
    return others ? (unsigned)__builtin_ctzll(others) / 8 : 8;
}

FAST_INLINE unsigned fast_digits(uint64_t w) {
    return fast_before(fast_others(w));
}

/* The number that the first n of them are, 1 to 8, all of them digits. */
FAST_INLINE uint64_t fast_number_in(uint64_t w, unsigned n) {
    w <<= 64 - 8 * n; /* zeros before them */
    w = w * 2561 >> 8;
    w = (w & UINT64_C(0x00ff00ff00ff00ff)) * 6553601 >> 16;
    return (w & UINT64_C(0x0000ffff0000ffff)) * UINT64_C(42949672960001) >> 32;
}

/* What a key of n digits, up to seven, looks like: digits, then something else. */
struct fast_key {
    unsigned n;
    uint64_t bits, end;
};

FAST_INLINE struct fast_key fast_key_of(unsigned n) {
    uint64_t end = n < 8 ? UINT64_C(0x80) << 8 * n : 0;
    return (struct fast_key){n, end ? end | (end - 1) : UINT64_MAX, end};
}

FAST_INLINE bool fast_has_key(const struct fast_key *key, uint64_t w) {
    return (fast_others(w) & key->bits) == key->end;
}

FAST_INLINE unsigned fast_digit(const char *p) {
    return (unsigned char)*p - (unsigned)'0';
}

/* Ten digits. Those of one chunk mostly begin alike, so the first eight are compared before they are read. */
FAST_INLINE const char *fast_stamp(struct vals_reader *r, const char *p, int64_t *timestamp) {
    uint64_t text;
    memcpy(&text, p, sizeof text);
    if (text != r->stamp_text) {
        uint64_t stamp = 0;
        for (size_t i = 0; i < 8; i++) {
            if (fast_digit(p + i) > 9)
                return NULL;
            stamp = stamp * 10 + fast_digit(p + i);
        }
        r->stamp_text = text;
        r->stamp = stamp;
    }
    unsigned tens = fast_digit(p + 8), ones = fast_digit(p + 9);
    if (tens > 9 || ones > 9 || p[10] != ',')
        return NULL;
    *timestamp = (int64_t)(r->stamp * 100 + tens * 10 + ones);
    return p + 11;
}

/* Digits from p on, behind those that *number has already; how many. At most so many eights are read. */
FAST_INLINE size_t fast_more(const char *p, unsigned eights, uint64_t *number) {
    static const uint64_t tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    size_t n = 0;
    for (unsigned some = 8; some == 8 && eights > 0; eights--) {
        uint64_t w = fast_eight(p + n);
        some = fast_digits(w);
        if (some)
            *number = *number * tens[some] + fast_number_in(w, some);
        n += some;
    }
    return n;
}

/* As a float is that was written in full. */
static inline const char *fast_long(const char *p, double *number) {
    uint64_t digits = 0;
    size_t n = fast_more(p, 2, &digits), parts = 0;
    p += n;
    if (n && *p == '.') {
        parts = fast_more(p + 1, 3, &digits);
        p += 1 + parts;
    }
    if (n == 0 || n + parts > NUMBER_EXACT)
        return NULL;
    *number = number_decimal(digits, parts);
    return p;
}

/* Up to seven digits, or six and a point among them: such a quotient is exact to the last bit. */
FAST_INLINE const char *fast_short(const char *p, double *number) {
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
    uint64_t w = fast_eight(p), others = fast_others(w);
    if (others == 0 || (others & 0x80))
        return NULL;
    unsigned n = fast_before(others);
    if (p[n] != '.') {
        *number = (double)(int64_t)fast_number_in(w, n);
        return p + n;
    }
    others &= others - 1;
    unsigned end = fast_before(others), parts = end - n - 1;
    if (others == 0 || parts == 0)
        return NULL;
    uint64_t after = UINT64_MAX << 8 * n;
    w = (w & ~after) | (w >> 8 & after); /* the point goes */
    *number = (double)(int64_t)fast_number_in(w, end - 1) / powers[parts];
    return p + end;
}

FAST_INLINE const char *fast_positive(const char *p, double *number) {
    const char *end = fast_short(p, number);
    return end ? end : fast_long(p, number);
}

/* On its own, so that where a number begins is not computed of whether there is a sign. */
static __attribute__((noinline)) const char *fast_negative(const char *p, double *number) {
    double size = 0;
    const char *end = fast_positive(p, &size);
    *number = -size;
    return end;
}

FAST_INLINE const char *fast_number(const char *p, double *number) {
    return *p == '-' ? fast_negative(p + 1, number) : fast_positive(p, number);
}

/* The value at p, and behind it a comma or `close`; NULL: it is another case. */
FAST_INLINE const char *fast_value(struct vals_reader *r, const char *p, char close, int64_t *timestamp,
                                   double *number) {
    bool stamped = *p == '[';
    if (stamped)
        p = fast_stamp(r, p + 1, timestamp);
    p = p ? fast_number(p, number) : NULL;
    if (!p || (stamped && *p++ != ']') || (*p != ',' && *p != close))
        return NULL;
    return p;
}

/* The key at p with its colon; NULL: it is another case. */
FAST_INLINE const char *fast_offset(const char *p, uint64_t *offset) {
    if (*p++ != '"')
        return NULL;
    uint64_t w = fast_eight(p);
    unsigned n = fast_digits(w);
    if (n == 0 || n == 8 || p[n] != '"' || p[n + 1] != ':')
        return NULL;
    *offset = fast_number_in(w, n);
    return p + n + 2;
}

/* ],"12":[ at p, the first value of another run behind it; NULL: it is another case, or the offset is less than *offset. */
FAST_INLINE const char *fast_run(const char *p, uint64_t *offset) {
    uint64_t begin;
    if (memcmp(p, "],", 2) != 0 || !(p = fast_offset(p + 2, &begin)) || *p != '[' || begin < *offset)
        return NULL;
    *offset = begin;
    return p + 1;
}

#endif
