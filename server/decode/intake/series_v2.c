/* POST /api/v2/series as protobuf: MetricPayload { repeated MetricSeries series = 1; }, one series at a time.
 *
 *     message MetricSeries {                              message Resource {    message MetricPoint {
 *       repeated Resource resources = 1;                    string type = 1;      double value = 1;
 *       string metric = 2;                                  string name = 2;      int64 timestamp = 2;
 *       repeated string tags = 3;                         }                     }
 *       repeated MetricPoint points = 4;
 *       int32 type = 5;      // 0 unspecified, 1 count, 2 rate, 3 gauge
 *       string unit = 6;
 *       string source_type_name = 7;
 *       int64 interval = 8;
 *       Metadata metadata = 9;
 *     }
 *
 * Fields come in any order, so a series is read twice: first all but its points, which are only seen to be well
 * formed, then the points.
 */
#include "core/utf8.h"
#include "decode/intake/wire.h"

struct series_point {
    double value;
    int64_t timestamp;
};

struct series_reading {
    struct intake *in;
    int32_t type;
    bool bad_text;      /* not UTF-8, and nobody may mend it */
    struct wire points; /* what is left from the first point's field on */
    size_t n_points;
    struct series_point point;       /* the last one */
    const unsigned char *points_end; /* behind the last point's field */
    bool scattered;                  /* other fields stand between points */
};

static void take_resource(struct series_reading *r, struct wire *outer, const struct wire_field *field) {
    struct span bytes, type = SPAN(""), name = SPAN("");
    struct wire_field f;
    if (!wire_bytes(outer, field, &bytes))
        return;
    struct wire w = wire_of(bytes);
    while (wire_next(&w, &f)) {
        if (f.number == 1)
            wire_bytes(&w, &f, &type);
        else if (f.number == 2)
            wire_bytes(&w, &f, &name);
    }
    outer->failed = w.failed;
    if (!utf8_valid(type) || !utf8_valid(name))
        r->bad_text = true;
    else
        series_resource(r->in->series, type, name);
}

static void take_tag(struct series_reading *r, struct wire *w, const struct wire_field *f) {
    struct span tag;
    if (!wire_bytes(w, f, &tag))
        return;
    if (r->in->options.from_agent)
        tag = wire_mend(&r->in->scratch, tag);
    else if (!utf8_valid(tag))
        r->bad_text = true;
    series_tag(r->in->series, tag);
}

static struct series_point read_point(struct wire *outer, const struct wire_field *field) {
    struct series_point point = {0};
    struct span bytes;
    struct wire_field f;
    if (!wire_bytes(outer, field, &bytes))
        return point;
    struct wire w = wire_of(bytes);
    while (wire_next(&w, &f)) {
        if (f.number == 1)
            point.value = wire_double(&w, &f);
        else if (f.number == 2)
            point.timestamp = (int64_t)wire_integer(&w, &f);
    }
    outer->failed = w.failed;
    return point;
}

static void take_field(struct series_reading *r, struct wire *w, const struct wire_field *f) {
    struct metric *m = &r->in->series->metric;
    switch (f->number) {
    case 1:
        take_resource(r, w, f);
        break;
    case 2:
        wire_bytes(w, f, &m->name);
        break;
    case 3:
        take_tag(r, w, f);
        break;
    case 4:
        r->point = read_point(w, f);
        r->n_points++;
        break;
    case 5:
        r->type = (int32_t)wire_integer(w, f);
        break;
    case 6:
        wire_bytes(w, f, &m->unit);
        break;
    case 7:
        wire_bytes(w, f, &m->source_type);
        break;
    case 8:
        m->interval = (int64_t)wire_integer(w, f);
        break;
    case 9:
        series_metadata(r->in->series, w, f);
        break;
    default: /* not known: skipped */
        break;
    }
}

/* All but the points; false when it is malformed. */
static bool read_series(struct series_reading *r, struct span bytes) {
    struct wire w = wire_of(bytes), before = w;
    struct wire_field f;
    struct metric *m = &r->in->series->metric;
    m->name = SPAN("");
    while (wire_next(&w, &f)) {
        if (f.number == 4) {
            if (r->n_points == 0)
                r->points = before;
            else if (before.at != r->points_end)
                r->scattered = true;
            r->points_end = w.at;
        }
        take_field(r, &w, &f);
        before = w;
    }
    if (!utf8_valid(m->name) || !utf8_valid(m->unit) || !utf8_valid(m->source_type))
        r->bad_text = true;
    if (m->unit.n == 0)
        m->unit = (struct span){NULL, 0};
    if (m->source_type.n == 0)
        m->source_type = (struct span){NULL, 0};
    if (r->n_points > 0 && !r->scattered) {
        const char *from = (const char *)r->points.at, *to = (const char *)r->points_end;
        m->key_kind = 'P';
        m->key_name = span_of(bytes.p, (size_t)(from - bytes.p));
        m->key_rest = span_of(to, (size_t)(bytes.p + bytes.n - to));
    }
    return !w.failed;
}

static void take_point(struct series_reading *r, struct series_point point) {
    const struct span none = {NULL, 0};
    series_point(r->in, (double)point.timestamp, point.value, none, none, NULL);
}

static void read_points(struct series_reading *r) {
    struct wire_field f;
    if (r->n_points == 1) {
        take_point(r, r->point);
        return;
    }
    while (r->n_points > 0 && wire_next(&r->points, &f))
        if (f.number == 4) {
            take_point(r, read_point(&r->points, &f));
            r->n_points--;
        }
}

static bool type_of(int32_t number, enum metric_type *type) {
    static const enum metric_type types[] = {METRIC_GAUGE /* unspecified */, METRIC_COUNT, METRIC_RATE,
                                             METRIC_GAUGE};
    if (number < 0 || number > 3)
        return false;
    *type = types[number];
    return true;
}

static enum intake_status decode_series(struct intake *in, struct span bytes, size_t offset) {
    struct series_reading reading = {.in = in};
    series_begin(in, METRIC_GAUGE);
    if (!read_series(&reading, bytes))
        return wire_refuse(in, offset);
    if (reading.bad_text)
        return intake_refuse(in, REASON_INVALID_BODY, offset, "proto: string field contains invalid UTF-8");
    if (!type_of(reading.type, &in->series->metric.type)) {
        in->series->n_points++;
        intake_reject(in, REASON_UNKNOWN_TYPE, in->series->metric.name, in->series->raw,
                      (struct span){NULL, 0});
        return INTAKE_OK;
    }
    if (!series_accepts(in))
        return INTAKE_OK;
    read_points(&reading);
    series_end(in);
    return INTAKE_OK;
}

enum intake_status series_v2_decode(struct intake *in, struct span body) {
    return wire_each(in, body, decode_series, NULL);
}
