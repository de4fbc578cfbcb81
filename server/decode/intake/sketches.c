/* POST /api/beta/sketches: SketchPayload, one Sketch at a time. */
#include "core/utf8.h"
#include "decode/intake/wire.h"
#include "intake_v2.pb-c.h"

static void reject(struct intake *in, const char *detail) {
    in->series->n_points++;
    intake_reject(in, REASON_INVALID_SKETCH, in->series->metric.name, (struct span){NULL, 0},
                  span_str(detail));
}

static void take_sketch(struct intake *in, int64_t timestamp, const struct sketch *sketch) {
    if (sketch->count <= 0)
        reject(in, "its count is not above 0");
    else
        series_point(in, (double)timestamp, sketch->avg, (struct span){NULL, 0}, (struct span){NULL, 0},
                     sketch);
}

static void take_dogsketch(struct intake *in, const Intake__Dogsketch *d) {
    if (d->n_k != d->n_n) {
        reject(in, "k and n differ in length");
        return;
    }
    struct sketch sketch = {d->cnt, d->sum, d->min, d->max, d->avg, d->n_k, d->k, d->n};
    take_sketch(in, d->ts, &sketch);
}

static void take_distribution(struct intake *in, const Intake__Distribution *d) {
    struct sketch sketch = {.count = d->cnt, .sum = d->sum, .min = d->min, .max = d->max, .avg = d->avg};
    take_sketch(in, d->ts, &sketch);
}

static bool take_texts(struct series *s, const Intake__Sketch *m) {
    s->metric.name = wire_span(m->metric);
    s->metric.origin.host = wire_span(m->host);
    bool valid = utf8_valid(s->metric.name) && utf8_valid(s->metric.origin.host);
    for (size_t i = 0; valid && i < m->n_tags; i++) {
        series_tag(s, wire_span(m->tags[i]));
        valid = utf8_valid(wire_span(m->tags[i]));
    }
    return valid;
}

static enum intake_status decode_sketch(struct intake *in, struct span bytes, size_t offset) {
    series_begin(in, METRIC_DISTRIBUTION);
    ProtobufCAllocator allocator = wire_allocator(&in->scratch);
    Intake__Sketch *m = intake__sketch__unpack(&allocator, bytes.n, (const uint8_t *)bytes.p);
    if (!m)
        return intake_refuse(in, REASON_INVALID_BODY, offset, "proto: cannot parse invalid wire-format data");
    if (!take_texts(in->series, m))
        return intake_refuse(in, REASON_INVALID_BODY, offset, "proto: string field contains invalid UTF-8");
    if (m->metadata && m->metadata->origin) {
        const Intake__Origin *o = m->metadata->origin;
        series_origin(in->series, o->origin_product, o->origin_category, o->origin_service);
    }
    if (!series_accepts(in))
        return INTAKE_OK;
    for (size_t i = 0; i < m->n_distributions; i++)
        take_distribution(in, m->distributions[i]);
    for (size_t i = 0; i < m->n_dogsketches; i++)
        take_dogsketch(in, m->dogsketches[i]);
    series_end(in);
    return INTAKE_OK;
}

enum intake_status sketches_decode(struct intake *in, struct span body) {
    return wire_each(in, body, decode_sketch);
}
