#include "decode/intake/wire.h"

#include "core/utf8.h"

bool wire_long_varint(struct wire *w, uint64_t *value) {
    uint64_t bits = 0;
    for (unsigned shift = 0; shift < 70 && w->at < w->end; shift += 7) {
        unsigned char byte = *w->at++;
        bits |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *value = bits;
            return true;
        }
    }
    return false;
}

/* A number of n bytes, at most 8. */
static bool wire_fixed(struct wire *w, size_t n, uint64_t *value) {
    if ((size_t)(w->end - w->at) < n)
        return false;
    uint64_t bytes = 0;
    memcpy(&bytes, w->at, n);
    *value = le64toh(bytes);
    w->at += n;
    return true;
}

/* Reads the content of a field that is no group. */
static bool wire_value(struct wire *w, struct wire_field *f) {
    switch (f->type) {
    case WIRE_VARINT:
        return wire_varint(w, &f->value);
    case WIRE_FIXED64:
        return wire_fixed(w, 8, &f->value);
    case WIRE_BYTES:
        return wire_text(w, &f->bytes);
    case WIRE_FIXED32:
        return wire_fixed(w, 4, &f->value);
    default:
        return false;
    }
}

/* Past a group's end, the groups in it too. As in Go, only the types in it matter. */
static bool wire_group(struct wire *w) {
    struct wire_field inner;
    uint64_t tag;
    for (size_t depth = 1; depth > 0;) {
        if (!wire_varint(w, &tag))
            return false;
        inner.type = (enum wire_type)(tag & 7);
        if (inner.type == WIRE_GROUP)
            depth++;
        else if (inner.type == WIRE_GROUP_END)
            depth--;
        else if (!wire_value(w, &inner))
            return false;
    }
    return true;
}

/*   0A 04 68 6F 73 74     field 1 of type 2: four bytes, "host"
 *   10 96 01              field 2 of type 0: 150
 */
bool wire_any(struct wire *w, struct wire_field *f) {
    if (w->failed || w->at == w->end)
        return false;
    uint64_t tag = 0;
    bool ok = wire_varint(w, &tag) && (int32_t)(tag >> 3) > 0;
    f->number = (uint32_t)(tag >> 3);
    f->type = (enum wire_type)(tag & 7);
    ok = ok && (f->type == WIRE_GROUP ? wire_group(w) : wire_value(w, f));
    w->failed = !ok;
    return ok;
}

/* --- lists of numbers ------------------------------------------------------------------------------------ */

static const struct {
    unsigned char size, type;
} kinds[] = {
    [WIRE_INT32] = {4, WIRE_VARINT},  [WIRE_UINT32] = {4, WIRE_VARINT},  [WIRE_SINT32] = {4, WIRE_VARINT},
    [WIRE_INT64] = {8, WIRE_VARINT},  [WIRE_UINT64] = {8, WIRE_VARINT},  [WIRE_SINT64] = {8, WIRE_VARINT},
    [WIRE_FLOAT] = {4, WIRE_FIXED32}, [WIRE_DOUBLE] = {8, WIRE_FIXED64},
};

static uint64_t unzigzag(uint64_t value) {
    return value >> 1 ^ (0 - (value & 1));
}

static void put_number(enum wire_kind kind, void *items, size_t *n, uint64_t value) {
    size_t i = (*n)++;
    if (!items)
        return;
    if (kind == WIRE_SINT32)
        value = unzigzag((uint32_t)value);
    else if (kind == WIRE_SINT64)
        value = unzigzag(value);
    if (kinds[kind].size == 4) {
        uint32_t low = (uint32_t)value;
        memcpy((char *)items + i * sizeof low, &low, sizeof low);
    } else {
        memcpy((char *)items + i * sizeof value, &value, sizeof value);
    }
}

void wire_numbers(struct wire *w, const struct wire_field *f, enum wire_kind kind, void *items, size_t *n) {
    if (f->type != WIRE_BYTES) {
        if (wire_is(w, f, kinds[kind].type))
            put_number(kind, items, n, f->value);
        return;
    }
    struct wire packed = wire_of(f->bytes);
    while (packed.at < packed.end) {
        uint64_t value;
        if (kinds[kind].type == WIRE_VARINT ? !wire_varint(&packed, &value)
                                            : !wire_fixed(&packed, kinds[kind].size, &value)) {
            w->failed = true;
            return;
        }
        put_number(kind, items, n, value);
    }
}

/* --- what the formats share ------------------------------------------------------------------------------ */

enum intake_status wire_refuse(struct intake *in, size_t offset) {
    return intake_refuse(in, REASON_INVALID_BODY, offset, "proto: cannot parse invalid wire-format data");
}

enum intake_status wire_each(struct intake *in, struct span body,
                             enum intake_status (*one)(struct intake *, struct span bytes, size_t offset),
                             void (*other)(struct wire *, const struct wire_field *)) {
    struct wire w = wire_of(body);
    struct wire_field f;
    while (wire_next(&w, &f)) {
        if (f.number != 1) {
            if (other)
                other(&w, &f);
            continue;
        }
        struct span bytes;
        if (!wire_bytes(&w, &f, &bytes))
            break;
        enum intake_status status = one(in, bytes, (size_t)(bytes.p - body.p));
        if (status != INTAKE_OK)
            return status;
    }
    return w.failed ? wire_refuse(in, (size_t)((const char *)w.at - body.p)) : INTAKE_OK;
}

struct span wire_mend(struct arena *arena, struct span text) {
    if (utf8_valid(text))
        return text;
    char *const start = arena_alloc(arena, text.n * 3);
    if (!start)
        return SPAN("");
    char *to = start;
    bool bad = false; /* the byte before was */
    for (size_t i = 0; i < text.n;) {
        size_t length = utf8_length(span_from(text, i));
        if (length) {
            memcpy(to, text.p + i, length);
            to += length;
            i += length;
            bad = false;
            continue;
        }
        if (!bad) {
            memcpy(to, UTF8_REPLACEMENT, 3);
            to += 3;
        }
        bad = true;
        i++;
    }
    return span_of(start, (size_t)(to - start));
}
