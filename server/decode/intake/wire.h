/* Private to decode/intake and decode/capture: a cursor on the protobuf wire, and what all protobuf formats share.
 *
 *     struct wire w = wire_of(body);
 *     while (wire_next(&w, &f))
 *         switch (f.number) {
 *         case 2: wire_bytes(&w, &f, &name); break;
 *         …                                             a field nobody asks for is skipped
 *     }
 *     if (w.failed) …
 *
 * Ownership: spans point into the body.
 * Errors: after the first one the cursor stays failed and gives nothing more.
 * Rules: those of Go's gogo/protobuf, which the intake uses.
 *   - A field that is given twice counts the second time; a message that is given twice is merged.
 *   - Numbers come packed or one by one.
 *   - A varint has at most 10 bytes, and bits past the 64th are dropped. A 32-bit field keeps the low 32 bits.
 *   - A message is malformed when a field number is 0, when a length is longer than the rest, or when a known field has another
 *     wire type. A group of an unknown number is skipped.
 *   - Unlike in Go, a number that ends behind its packed list is malformed.
 * Source: tests/interop/go-protobuf compares with the Agent's own types.
 */
#ifndef DECODE_INTAKE_WIRE_H
#define DECODE_INTAKE_WIRE_H

#include "decode/intake/series.h"
#include <endian.h>

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_GROUP = 3, /* skipped; no field is one */
    WIRE_GROUP_END = 4,
    WIRE_FIXED32 = 5
};

struct wire {
    const unsigned char *at, *end;
    bool failed;
};

struct wire_field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;    /* but of WIRE_BYTES */
    struct span bytes; /* of WIRE_BYTES */
};

static inline struct wire wire_of(struct span body) {
    const unsigned char *p = (const unsigned char *)body.p;
    return (struct wire){.at = p, .end = body.n ? p + body.n : p};
}

bool wire_long_varint(struct wire *w, uint64_t *value);

static inline bool wire_varint(struct wire *w, uint64_t *value) {
    if (w->at == w->end || *w->at >= 0x80)
        return wire_long_varint(w, value);
    *value = *w->at++;
    return true;
}

/* A varint and as many bytes as it says. */
static inline bool wire_text(struct wire *w, struct span *text) {
    uint64_t n;
    if (!wire_varint(w, &n) || n > (uint64_t)(w->end - w->at))
        return false;
    *text = span_of((const char *)w->at, (size_t)n);
    w->at += n;
    return true;
}

bool wire_any(struct wire *w, struct wire_field *f);

/* The next field; false at the end, or with `failed`. Nearly all have a small number, and are a short text, a double or a varint:
 *
 *     12 05 68 6F 73 74 73     field 2 of type 2: five bytes
 */
static inline bool wire_next(struct wire *w, struct wire_field *f) {
    const unsigned char *p = w->at;
    if (w->failed || w->end - p < 9 || p[0] < 8 || p[0] >= 0x80)
        return wire_any(w, f);
    f->number = p[0] >> 3;
    f->type = (enum wire_type)(p[0] & 7);
    if (f->type == WIRE_BYTES && p[1] < 0x80 && p[1] <= w->end - p - 2) {
        f->bytes = span_of((const char *)p + 2, p[1]);
        w->at = p + 2 + p[1];
        return true;
    }
    if (f->type == WIRE_FIXED64) {
        memcpy(&f->value, p + 1, sizeof f->value);
        f->value = le64toh(f->value);
        w->at = p + 9;
        return true;
    }
    if (f->type == WIRE_VARINT) {
        unsigned n = 1;
        f->value = p[1] & 0x7F;
        for (; n < 7 && p[n] >= 0x80; n++)
            f->value |= (uint64_t)(p[n + 1] & 0x7F) << 7 * n;
        if (p[n] >= 0x80)
            return wire_any(w, f);
        w->at = p + n + 1;
        return true;
    }
    return wire_any(w, f);
}

/* The field at hand as what it must be; else the message is malformed, and 0 or nothing comes out. */
static inline bool wire_is(struct wire *w, const struct wire_field *f, enum wire_type type) {
    if (f->type != type)
        w->failed = true;
    return !w->failed;
}

static inline bool wire_bytes(struct wire *w, const struct wire_field *f, struct span *bytes) {
    *bytes = wire_is(w, f, WIRE_BYTES) ? f->bytes : SPAN("");
    return !w->failed;
}

static inline uint64_t wire_integer(struct wire *w, const struct wire_field *f) {
    return wire_is(w, f, WIRE_VARINT) ? f->value : 0;
}

static inline double wire_double(struct wire *w, const struct wire_field *f) {
    double value = 0;
    if (wire_is(w, f, WIRE_FIXED64))
        memcpy(&value, &f->value, sizeof value);
    return value;
}

/* The type of the numbers in a list: int32_t, uint32_t, int32_t in zigzag, … */
enum wire_kind {
    WIRE_INT32,
    WIRE_UINT32,
    WIRE_SINT32,
    WIRE_INT64,
    WIRE_UINT64,
    WIRE_SINT64,
    WIRE_FLOAT,
    WIRE_DOUBLE
};

/* Appends the field's numbers to the *n that are in items; NULL: only counts them. */
void wire_numbers(struct wire *w, const struct wire_field *f, enum wire_kind kind, void *items, size_t *n);

/* A payload: calls one(in, bytes, their offset) for each element of its repeated field 1, and `other`, if any, for every
 * other field; ends at the first refusal. */
enum intake_status wire_each(struct intake *in, struct span body,
                             enum intake_status (*one)(struct intake *, struct span bytes, size_t offset),
                             void (*other)(struct wire *, const struct wire_field *));
/* The body is refused: its message at the offset is no protobuf. */
enum intake_status wire_refuse(struct intake *in, size_t offset);

/* The text with U+FFFD for each run of bytes that is not UTF-8; the same text when it is. */
struct span wire_mend(struct arena *arena, struct span text);

#endif
