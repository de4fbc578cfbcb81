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
 * Fields come in any order, so a series is read in turns: where its points are; all else, unless it is known; the points.
 */
#include "core/utf8.h"
#include "decode/intake/wire.h"

/* metric.key_kind of what split_series cuts. */
#define KEY_PROTOBUF 'P'
#define POINT        4 /* its field */

struct series_point {
    double value;
    int64_t timestamp;
};

struct series_reading {
    struct intake *in;
    int32_t type;
    bool bad_text;      /* not UTF-8, and nobody may mend it */
    bool mended;        /* some tag was */
    struct wire points; /* from the first point's field to the end of the last one's */
    bool scattered;     /* other fields stand between them */
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
    bool valid = utf8_valid(tag);
    if (!valid && r->in->options.from_agent) {
        tag = wire_mend(&r->in->scratch, tag);
        r->mended = true;
    } else if (!valid)
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
    struct metric *m = &r->in->series->record.metric;
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
    case POINT:
        read_point(w, f);
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

/* Finds the points. What is malformed is found again, and told, by who reads it. */
static void split_series(struct series_reading *r, struct span bytes) {
    struct wire w = wire_of(bytes), before = w;
    struct wire_field f;
    r->points = wire_of(span_of(bytes.p, 0));
    for (; wire_next(&w, &f); before = w) {
        if (f.number != POINT)
            continue;
        if (r->points.at == r->points.end)
            r->points.at = before.at;
        else if (before.at != r->points.end)
            r->scattered = true;
        r->points.end = w.at;
    }
}

static bool has_points(const struct series_reading *r) {
    return r->points.at != r->points.end;
}

static struct span before_points(const struct series_reading *r, struct span bytes) {
    return span_of(bytes.p, (size_t)((const char *)r->points.at - bytes.p));
}

static struct span behind_points(const struct series_reading *r, struct span bytes) {
    return span_from(bytes, (size_t)((const char *)r->points.end - bytes.p));
}

/* Whether the series is the one that the caller expects: its bytes before and behind, and only points between them. Those bytes were
 * read as a series once, so they end where a field ends. */
static bool is_expected(struct series_reading *r, struct span bytes) {
    const struct metric *m = series_guess(r->in, KEY_PROTOBUF, bytes);
    if (!m || bytes.n <= m->key_name.n + m->key_rest.n)
        return false;
    size_t behind = bytes.n - m->key_rest.n;
    if (m->key_rest.n && memcmp(bytes.p + behind, m->key_rest.p, m->key_rest.n) != 0)
        return false;
    struct wire w = wire_of(span_of(bytes.p + m->key_name.n, behind - m->key_name.n));
    struct wire_field f;
    r->points = w;
    while (wire_next(&w, &f))
        if (f.number != POINT)
            return false;
    if (w.failed)
        return false;
    series_again(r->in, m);
    return true;
}

/* All but the points; false when it is malformed. */
static bool read_series(struct series_reading *r, struct span bytes) {
    struct wire w = wire_of(bytes);
    struct wire_field f;
    struct metric *m = &r->in->series->record.metric;
    m->name = SPAN("");
    while (wire_next(&w, &f))
        take_field(r, &w, &f);
    if (!utf8_valid(m->name) || !utf8_valid(m->unit) || !utf8_valid(m->source_type))
        r->bad_text = true;
    if (m->unit.n == 0)
        m->unit = (struct span){NULL, 0};
    if (m->source_type.n == 0)
        m->source_type = (struct span){NULL, 0};
    if (has_points(r) && !r->scattered) {
        m->key_kind = KEY_PROTOBUF;
        m->key_name = before_points(r, bytes);
        m->key_rest = behind_points(r, bytes);
    }
    return !w.failed;
}

/* False when one is malformed. */
static bool read_points(struct series_reading *r) {
    const struct span none = {NULL, 0};
    struct wire points = r->points;
    struct wire_field f;
    while (wire_next(&points, &f)) {
        if (f.number != POINT)
            continue;
        struct series_point point = read_point(&points, &f);
        if (!points.failed)
            series_point(r->in, (double)point.timestamp, point.value, none, none, NULL);
    }
    return !points.failed;
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
    struct series_reading reading = {.in = in}, *r = &reading;
    bool known = is_expected(r, bytes);
    if (!known) {
        split_series(r, bytes);
        known = has_points(r) && !r->scattered &&
                series_known(in, KEY_PROTOBUF, before_points(r, bytes), behind_points(r, bytes));
    }
    if (known) {
        if (!read_points(r))
            return wire_refuse(in, offset);
        series_end(in);
        return INTAKE_OK;
    }
    series_begin(in, METRIC_GAUGE);
    if (!read_series(r, bytes))
        return wire_refuse(in, offset);
    if (r->bad_text)
        return intake_refuse(in, REASON_INVALID_BODY, offset, "proto: string field contains invalid UTF-8");
    if (!type_of(r->type, &in->series->record.metric.type)) {
        in->series->n_points++;
        intake_reject(in, REASON_UNKNOWN_TYPE, in->series->record.metric.name, in->series->raw,
                      (struct span){NULL, 0});
        return INTAKE_OK;
    }
    if (!series_accepts(in))
        return INTAKE_OK;
    if (in->series->record.metric.key_kind && !r->mended)
        series_learn(in, KEY_PROTOBUF, before_points(r, bytes), behind_points(r, bytes));
    read_points(r);
    series_end(in);
    return INTAKE_OK;
}

enum intake_status series_v2_decode(struct intake *in, struct span body) {
    return wire_each(in, body, decode_series, NULL);
}
