#include "decode/intake/wire.h"

#include "core/utf8.h"

bool wire_varint(struct wire *w, uint64_t *value) {
    uint64_t bits = 0;
    for (unsigned shift = 0; shift < 70 && w->at < w->body.n; shift += 7) {
        unsigned char byte = (unsigned char)w->body.p[w->at++];
        bits |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *value = bits;
            return !(shift == 63 && byte > 1);
        }
    }
    return false;
}

/* Past n bytes. */
static bool wire_take(struct wire *w, uint64_t n, struct span *bytes) {
    if (n > w->body.n - w->at)
        return false;
    *bytes = span_of(w->body.p + w->at, (size_t)n);
    w->at += (size_t)n;
    return true;
}

bool wire_field(struct wire *w, uint32_t number, struct span *bytes) {
    while (w->at < w->body.n) {
        uint64_t tag, unused;
        struct span skipped;
        bool ok = wire_varint(w, &tag) && tag >> 3 != 0 && tag >> 3 <= 0x1FFFFFFF;
        switch (ok ? tag & 7 : 7) {
        case 0:
            ok = wire_varint(w, &unused);
            break;
        case 1:
            ok = wire_take(w, 8, &skipped);
            break;
        case 2:
            ok = wire_varint(w, &unused) && wire_take(w, unused, bytes);
            if (ok && tag >> 3 == number)
                return true;
            break;
        case 5:
            ok = wire_take(w, 4, &skipped);
            break;
        default:
            ok = false;
        }
        if (!ok) {
            w->failed = true;
            return false;
        }
    }
    return false;
}

static void *allocate(void *arena, size_t n) {
    return arena_alloc(arena, n);
}

static void keep(void *arena, void *p) {
    (void)arena, (void)p;
}

ProtobufCAllocator wire_allocator(struct arena *arena) {
    return (ProtobufCAllocator){.alloc = allocate, .free = keep, .allocator_data = arena};
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
            memcpy(to, "\xEF\xBF\xBD", 3);
            to += 3;
        }
        bad = true;
        i++;
    }
    return span_of(start, (size_t)(to - start));
}

enum intake_status wire_each(struct intake *in, struct span body,
                             enum intake_status (*one)(struct intake *, struct span bytes, size_t offset)) {
    struct wire wire = {.body = body};
    struct span bytes;
    while (wire_field(&wire, 1, &bytes)) {
        enum intake_status status = one(in, bytes, (size_t)(bytes.p - body.p));
        if (status != INTAKE_OK)
            return status;
    }
    if (wire.failed)
        return intake_refuse(in, REASON_INVALID_BODY, wire.at,
                             "proto: cannot parse invalid wire-format data");
    return INTAKE_OK;
}
