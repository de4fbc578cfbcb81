/* POST /api/v2/series as protobuf: MetricPayload, one MetricSeries at a time. */
#include "core/utf8.h"
#include "decode/intake/wire.h"
#include "intake_v2.pb-c.h"

static bool texts_valid(const Intake__MetricSeries *m) {
    bool valid = utf8_valid(wire_span(m->metric)) && utf8_valid(wire_span(m->unit)) &&
                 utf8_valid(wire_span(m->source_type_name));
    for (size_t i = 0; valid && i < m->n_resources; i++)
        valid = utf8_valid(wire_span(m->resources[i]->type)) && utf8_valid(wire_span(m->resources[i]->name));
    return valid;
}

/* False when one is not UTF-8 and nobody may mend it. */
static bool take_tags(struct intake *in, const Intake__MetricSeries *m) {
    for (size_t i = 0; i < m->n_tags; i++) {
        struct span tag = wire_span(m->tags[i]);
        if (in->options.from_agent)
            tag = wire_mend(&in->scratch, tag);
        else if (!utf8_valid(tag))
            return false;
        series_tag(in->series, tag);
    }
    return true;
}

static bool type_of(int32_t number, enum metric_type *type) {
    static const enum metric_type types[] = {METRIC_GAUGE /* unspecified */, METRIC_COUNT, METRIC_RATE,
                                             METRIC_GAUGE};
    if (number < 0 || number > 3)
        return false;
    *type = types[number];
    return true;
}

static void take_fields(struct series *s, const Intake__MetricSeries *m) {
    s->metric.name = wire_span(m->metric);
    if (m->unit.len)
        s->metric.unit = wire_span(m->unit);
    if (m->source_type_name.len)
        s->metric.source_type = wire_span(m->source_type_name);
    s->metric.interval = m->interval;
    for (size_t i = 0; i < m->n_resources; i++)
        series_resource(s, wire_span(m->resources[i]->type), wire_span(m->resources[i]->name));
    if (m->metadata && m->metadata->origin) {
        const Intake__Origin *o = m->metadata->origin;
        series_origin(s, o->origin_product, o->origin_category, o->origin_service);
    }
}

static enum intake_status decode_series(struct intake *in, struct span bytes, size_t offset) {
    series_begin(in, METRIC_GAUGE);
    ProtobufCAllocator allocator = wire_allocator(&in->scratch);
    Intake__MetricSeries *m = intake__metric_series__unpack(&allocator, bytes.n, (const uint8_t *)bytes.p);
    if (!m)
        return intake_refuse(in, REASON_INVALID_BODY, offset, "proto: cannot parse invalid wire-format data");
    take_fields(in->series, m);
    if (!texts_valid(m) || !take_tags(in, m))
        return intake_refuse(in, REASON_INVALID_BODY, offset, "proto: string field contains invalid UTF-8");
    if (!type_of(m->type, &in->series->metric.type)) {
        in->series->n_points++;
        intake_reject(in, REASON_UNKNOWN_TYPE, in->series->metric.name, in->series->raw,
                      (struct span){NULL, 0});
        return INTAKE_OK;
    }
    if (!series_accepts(in))
        return INTAKE_OK;
    for (size_t i = 0; i < m->n_points; i++)
        series_point(in, (double)m->points[i]->timestamp, m->points[i]->value, (struct span){NULL, 0},
                     (struct span){NULL, 0}, NULL);
    series_end(in);
    return INTAKE_OK;
}

enum intake_status series_v2_decode(struct intake *in, struct span body) {
    return wire_each(in, body, decode_series);
}
