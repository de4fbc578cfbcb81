/* RowBinary, ClickHouse's plain format of rows: numbers little-endian, texts and arrays with their length as a varint before them.
 *
 * Ownership: what take_ gives points into the answer.
 * Errors: sticky. Past the end, `failed` is set and everything taken is 0.
 * Source: ClickHouse's manual, "RowBinary". x86-64 and arm64 are little-endian, which is asserted.
 */
#ifndef STORE_CLICKHOUSE_ROWBINARY_H
#define STORE_CLICKHOUSE_ROWBINARY_H

#include "core/buf.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are copied as they lie in memory");

struct fleet_uuid {
    uint64_t high, low;
};

static inline void put_raw(struct buf *b, const void *p, size_t n) {
    if (n == 0)
        return;
    if (b->cap - b->n > n && !b->failed) {
        memcpy(b->p + b->n, p, n);
        b->n += n;
    } else
        buf_add(b, p, n);
}
static inline void put_u8(struct buf *b, uint8_t n) {
    put_raw(b, &n, 1);
}
static inline void put_u16(struct buf *b, uint16_t n) {
    put_raw(b, &n, 2);
}
static inline void put_u32(struct buf *b, uint32_t n) {
    put_raw(b, &n, 4);
}
static inline void put_u64(struct buf *b, uint64_t n) {
    put_raw(b, &n, 8);
}
static inline void put_i64(struct buf *b, int64_t n) {
    put_raw(b, &n, 8);
}
static inline void put_f64(struct buf *b, double n) {
    put_raw(b, &n, 8);
}
static inline void put_uuid(struct buf *b, struct fleet_uuid u) {
    put_raw(b, &u.high, 8);
    put_raw(b, &u.low, 8);
}
static inline void put_size(struct buf *b, uint64_t n) {
    unsigned char bytes[10];
    size_t used = 0;
    for (; n > 127; n >>= 7)
        bytes[used++] = (unsigned char)(n | 128);
    bytes[used++] = (unsigned char)n;
    put_raw(b, bytes, used);
}
/* {NULL, 0} becomes "". */
static inline void put_text(struct buf *b, struct span s) {
    put_size(b, s.n);
    if (s.n)
        put_raw(b, s.p, s.n);
}
static inline void put_texts(struct buf *b, size_t n, const struct span *list) {
    put_size(b, n);
    for (size_t i = 0; i < n; i++)
        put_text(b, list[i]);
}

struct taker {
    const char *at, *end;
    bool failed;
};

static inline void take_raw(struct taker *t, void *to, size_t n) {
    if (n == 0)
        return;
    if (t->failed || (size_t)(t->end - t->at) < n) {
        t->failed = true;
        memset(to, 0, n);
        return;
    }
    memcpy(to, t->at, n);
    t->at += n;
}
static inline bool take_more(const struct taker *t) {
    return !t->failed && t->at < t->end;
}
static inline uint8_t take_u8(struct taker *t) {
    uint8_t n;
    take_raw(t, &n, 1);
    return n;
}
static inline uint16_t take_u16(struct taker *t) {
    uint16_t n;
    take_raw(t, &n, 2);
    return n;
}
static inline uint32_t take_u32(struct taker *t) {
    uint32_t n;
    take_raw(t, &n, 4);
    return n;
}
static inline uint64_t take_u64(struct taker *t) {
    uint64_t n;
    take_raw(t, &n, 8);
    return n;
}
static inline int64_t take_i64(struct taker *t) {
    return (int64_t)take_u64(t);
}
static inline double take_f64(struct taker *t) {
    double n;
    take_raw(t, &n, 8);
    return n;
}
static inline struct fleet_uuid take_uuid(struct taker *t) {
    struct fleet_uuid u;
    u.high = take_u64(t);
    u.low = take_u64(t);
    return u;
}
static inline uint64_t take_size(struct taker *t) {
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = take_u8(t);
        n |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return n;
    }
    t->failed = true;
    return 0;
}
static inline struct span take_text(struct taker *t) {
    uint64_t n = take_size(t);
    if (t->failed || n > (uint64_t)(t->end - t->at)) {
        t->failed = true;
        return SPAN("");
    }
    struct span s = span_of(t->at, (size_t)n);
    t->at += n;
    return s;
}
/* A length that the rest of the answer can hold, with `least` bytes for each. */
static inline size_t take_count(struct taker *t, size_t least) {
    uint64_t n = take_size(t);
    if (t->failed || n > (uint64_t)(t->end - t->at) / least) {
        t->failed = true;
        return 0;
    }
    return (size_t)n;
}

#endif
