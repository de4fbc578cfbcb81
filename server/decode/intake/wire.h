/* Private to decode/intake: the protobuf wire, where a whole message at once would cost too much memory, and
 * what all protobuf formats share.
 */
#ifndef DECODE_INTAKE_WIRE_H
#define DECODE_INTAKE_WIRE_H

#include "decode/intake/series.h"
#include <protobuf-c/protobuf-c.h>

struct wire {
    struct span body;
    size_t at;
    bool failed;
};

/* A varint of at most 10 bytes. */
bool wire_varint(struct wire *w, uint64_t *value);
/* The next length-delimited field of that number; others are skipped. False at the end, or with `failed`. */
bool wire_field(struct wire *w, uint32_t number, struct span *bytes);
/* A payload: calls one(in, bytes, their offset) for each element of its repeated field 1; ends at the first refusal. */
enum intake_status wire_each(struct intake *in, struct span body,
                             enum intake_status (*one)(struct intake *, struct span bytes, size_t offset));

/* Makes protobuf-c allocate from the arena; nothing need be freed. */
ProtobufCAllocator wire_allocator(struct arena *arena);

static inline struct span wire_span(ProtobufCBinaryData bytes) {
    return span_of(bytes.data ? (const char *)bytes.data : "", bytes.len);
}

/* The text with U+FFFD for each run of bytes that is not UTF-8; the same text when it is. */
struct span wire_mend(struct arena *arena, struct span text);

#endif
