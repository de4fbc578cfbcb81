/* The protobuf of Datadog's intake. Which field is what: schema/protocol/datadog-http.md sections 3 and 5. */
#include "agent/payload.h"

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2 };
enum { TYPE_RATE = 2, TYPE_GAUGE = 3 };

static void put_varint(struct buf *b, uint64_t n) {
    for (; n >= 0x80; n >>= 7)
        buf_char(b, (char)(n | 0x80));
    buf_char(b, (char)n);
}

static void put_tag(struct buf *b, unsigned field, unsigned wire) {
    put_varint(b, field << 3 | wire);
}

static void put_count(struct buf *b, unsigned field, uint64_t n) {
    put_tag(b, field, WIRE_VARINT);
    put_varint(b, n);
}

static void put_double(struct buf *b, unsigned field, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_tag(b, field, WIRE_FIXED64);
    for (int i = 0; i < 8; i++)
        buf_char(b, (char)(bits >> 8 * i));
}

static void put_bytes(struct buf *b, unsigned field, struct span bytes) {
    put_tag(b, field, WIRE_BYTES);
    put_varint(b, bytes.n);
    buf_span(b, bytes);
}

static void put_resource(struct buf *b, struct buf *scratch, struct span type, struct span name) {
    buf_clear(scratch);
    put_bytes(scratch, 1, type);
    put_bytes(scratch, 2, name);
    put_bytes(b, 1, buf_view(scratch));
}

static void put_series(struct buf *b, const struct agent_series *s) {
    struct buf scratch = {.max = 1 << 20};
    put_resource(b, &scratch, SPAN("host"), s->host);
    if (s->device.p)
        put_resource(b, &scratch, SPAN("device"), s->device);
    put_bytes(b, 2, s->metric);
    for (size_t i = 0; i < s->n_tags; i++)
        put_bytes(b, 3, s->tags[i]);
    for (size_t i = 0; i < s->n_points; i++) {
        buf_clear(&scratch);
        put_double(&scratch, 1, s->points[i].value);
        put_count(&scratch, 2, (uint64_t)s->points[i].at_s);
        put_bytes(b, 4, buf_view(&scratch));
    }
    put_count(b, 5, strcmp(s->type, "rate") == 0 ? TYPE_RATE : TYPE_GAUGE);
    put_count(b, 8, (uint64_t)s->interval);
    b->failed |= scratch.failed;
    buf_free(&scratch);
}

void payload_protobuf_series(struct buf *b, const struct agent_series *s) {
    struct buf series = {0};
    put_series(&series, s);
    b->failed |= series.failed;
    put_bytes(b, 1, buf_view(&series));
    buf_free(&series);
}

static void put_sketch_point(struct buf *b, const struct agent_sketch_point *p) {
    struct buf packed = {0};
    put_count(b, 1, (uint64_t)p->at_s);
    put_count(b, 2, (uint64_t)p->count);
    put_double(b, 3, p->min);
    put_double(b, 4, p->max);
    put_double(b, 5, p->avg);
    put_double(b, 6, p->sum);
    for (size_t i = 0; i < p->n_bins; i++)
        put_varint(&packed, (uint32_t)p->keys[i] << 1 ^ (p->keys[i] < 0 ? UINT32_MAX : 0));
    put_bytes(b, 7, buf_view(&packed));
    buf_clear(&packed);
    for (size_t i = 0; i < p->n_bins; i++)
        put_varint(&packed, p->counts[i]);
    put_bytes(b, 8, buf_view(&packed));
    b->failed |= packed.failed;
    buf_free(&packed);
}

void payload_protobuf_sketch(struct buf *b, const struct agent_sketch_series *s) {
    struct buf sketch = {0}, point = {0};
    put_bytes(&sketch, 1, s->metric);
    put_bytes(&sketch, 2, s->host);
    for (size_t i = 0; i < s->n_tags; i++)
        put_bytes(&sketch, 4, s->tags[i]);
    for (size_t i = 0; i < s->n_points; i++) {
        buf_clear(&point);
        put_sketch_point(&point, &s->points[i]);
        put_bytes(&sketch, 7, buf_view(&point));
    }
    b->failed |= sketch.failed || point.failed;
    put_bytes(b, 1, buf_view(&sketch));
    buf_free(&sketch);
    buf_free(&point);
}
