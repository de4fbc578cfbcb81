/* format=json of GET /fakeintake/payloads: bodies as the lists that fakeintake's own parsers make of them. JSON is handed on; protobuf is
 * read by the decoders that read it when it came. */
#include "compat/payloads.h"

#include "core/json.h"
#include "core/metric.h"
#include "decode/intake/intake.h"
#include "http/body.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

enum shape { SHAPE_SERIES_V1, SHAPE_SERIES_V2, SHAPE_SERIES_V3, SHAPE_SKETCHES, SHAPE_LIST, SHAPE_OBJECT };

static const struct {
    const char *endpoint;
    enum shape shape;
} shapes[] = {
    {"/api/v1/series", SHAPE_SERIES_V1},
    {"/api/v2/series", SHAPE_SERIES_V2},
    {"/api/intake/metrics/v3/series", SHAPE_SERIES_V3},
    {"/api/beta/sketches", SHAPE_SKETCHES},
    {"/api/v1/check_run", SHAPE_LIST},
    {"/api/v2/logs", SHAPE_LIST},
    {"/api/v2/apmtelemetry", SHAPE_OBJECT},
};
#define N_SHAPES (sizeof shapes / sizeof shapes[0])

static int shape_of(struct span endpoint) {
    for (size_t i = 0; i < N_SHAPES; i++)
        if (span_eq(endpoint, span_str(shapes[i].endpoint)))
            return (int)shapes[i].shape;
    return -1;
}

bool parsed_knows(struct span endpoint) {
    return shape_of(endpoint) >= 0;
}

/* --- JSON ------------------------------------------------------------------------------------------------ */

static int put_piece(const char *p, size_t n, void *arg) {
    buf_add(arg, p, n);
    return ((struct buf *)arg)->failed ? -1 : 0;
}

static void put_json(struct buf *b, const json_t *value) {
    json_dump_callback(value, put_piece, b, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
}

static int hand_on(struct buf *b, struct span plain, enum shape shape, char why[240]) {
    json_error_t error;
    json_t *body = json_loadb(plain.p, plain.n, 0, &error);
    const json_t *list = shape == SHAPE_LIST ? body : json_object_get(body, "series");
    int result = 0;
    if (!body) {
        snprintf(why, 240, "a body is not JSON: %.160s", error.text);
        result = -1;
    } else if (shape == SHAPE_OBJECT) {
        buf_char(b, '[');
        put_json(b, body);
        buf_char(b, ']');
    } else if (json_is_array(list))
        put_json(b, list);
    else if (json_is_object(body) && json_object_size(body) == 0)
        buf_str(b, "[]");
    else {
        snprintf(why, 240, shape == SHAPE_LIST ? "a body is no list" : "a body has no list `series`");
        result = -1;
    }
    json_decref(body);
    return result;
}

/* --- protobuf -------------------------------------------------------------------------------------------- */

struct parsed_body {
    struct buf *b;
    enum shape shape;
    bool any;
};

static void put_field(struct buf *b, const char *name, struct span text) {
    if (!text.n)
        return;
    buf_printf(b, ",\"%s\":", name);
    json_put_string(b, text);
}

/* The host and the device are resources to fakeintake. */
static void put_resources(struct buf *b, const struct metric *m) {
    json_t *rest = m->resources.n ? json_loadb(m->resources.p, m->resources.n, 0, NULL) : NULL;
    const json_t *others = json_object_get(rest, "resources"), *origin = json_object_get(rest, "origin");
    const char *separator = ",\"resources\":[";
    const struct span given[2] = {m->origin.host, m->device};
    for (int i = 0; i < 2; i++)
        if (given[i].n) {
            buf_printf(b, "%s{\"type\":\"%s\",\"name\":", separator, i ? "device" : "host");
            json_put_string(b, given[i]);
            buf_char(b, '}');
            separator = ",";
        }
    size_t i;
    json_t *other;
    json_array_foreach(others, i, other) {
        buf_str(b, separator);
        put_json(b, other);
        separator = ",";
    }
    if (separator[1] == '\0')
        buf_char(b, ']');
    if (origin)
        buf_printf(b,
                   ",\"metadata\":{\"origin\":{\"origin_product\":%" JSON_INTEGER_FORMAT
                   ",\"origin_category\":%" JSON_INTEGER_FORMAT ",\"origin_service\":%" JSON_INTEGER_FORMAT
                   "}}",
                   json_integer_value(json_object_get(origin, "product")),
                   json_integer_value(json_object_get(origin, "category")),
                   json_integer_value(json_object_get(origin, "service")));
    json_decref(rest);
}

static void put_tags(struct buf *b, const struct metric *m) {
    if (!m->n_tags)
        return;
    buf_str(b, ",\"tags\":");
    json_put_strings(b, m->n_tags, m->tags);
}

static void put_points(struct buf *b, const struct metric *m) {
    buf_str(b, ",\"points\":[");
    for (size_t i = 0; i < m->n_values; i++) {
        buf_str(b, i ? ",{\"value\":" : "{\"value\":");
        json_put_number(b, m->values[i].number);
        buf_printf(b, ",\"timestamp\":%" PRId64 "}", m->values[i].timestamp);
    }
    buf_char(b, ']');
}

static void put_bins(struct buf *b, const struct sketch *s) {
    buf_str(b, ",\"k\":[");
    for (size_t i = 0; i < s->n_bins; i++)
        buf_printf(b, i ? ",%" PRId32 : "%" PRId32, s->keys[i]);
    buf_str(b, "],\"n\":[");
    for (size_t i = 0; i < s->n_bins; i++)
        buf_printf(b, i ? ",%" PRIu32 : "%" PRIu32, s->counts[i]);
    buf_str(b, "]}");
}

static void put_sketches(struct buf *b, const struct metric *m) {
    buf_str(b, ",\"dogsketches\":[");
    for (size_t i = 0; i < m->n_values; i++) {
        const struct sketch *s = m->values[i].sketch;
        if (!s)
            continue;
        const struct {
            const char *name;
            double value;
        } numbers[] = {{"min", s->min}, {"max", s->max}, {"avg", s->avg}, {"sum", s->sum}};
        buf_printf(b, "%s{\"ts\":%" PRId64 ",\"cnt\":%" PRId64, i ? "," : "", m->values[i].timestamp,
                   s->count);
        for (size_t k = 0; k < 4; k++) {
            buf_printf(b, ",\"%s\":", numbers[k].name);
            json_put_number(b, numbers[k].value);
        }
        put_bins(b, s);
    }
    buf_char(b, ']');
}

static int type_number(enum metric_type type) {
    return type == METRIC_COUNT ? 1 : type == METRIC_RATE ? 2 : type == METRIC_GAUGE ? 3 : 0;
}

static void put_record(void *arg, const struct record *record) {
    struct parsed_body *p = arg;
    const struct metric *m = &record->metric;
    if (record->kind != RECORD_METRIC)
        return;
    buf_str(p->b, p->any ? ",{\"metric\":" : "{\"metric\":");
    p->any = true;
    json_put_string(p->b, m->name);
    bool sketch = m->n_values && m->values[0].sketch;
    if (sketch)
        put_field(p->b, "host", m->origin.host);
    else {
        if (type_number(m->type))
            buf_printf(p->b, ",\"type\":%d", type_number(m->type));
        put_resources(p->b, m);
    }
    put_tags(p->b, m);
    if (sketch)
        put_sketches(p->b, m);
    else
        put_points(p->b, m);
    put_field(p->b, "unit", m->unit);
    put_field(p->b, "source_type_name", m->source_type);
    if (m->interval)
        buf_printf(p->b, ",\"interval\":%" PRId64, m->interval);
    buf_char(p->b, '}');
}

static int decode(struct buf *b, struct span plain, enum shape shape, char why[240]) {
    static const enum intake_format formats[] = {[SHAPE_SERIES_V2] = INTAKE_SERIES_V2,
                                                 [SHAPE_SERIES_V3] = INTAKE_SERIES_V3,
                                                 [SHAPE_SKETCHES] = INTAKE_SKETCHES};
    struct parsed_body p = {.b = b, .shape = shape};
    struct intake_options options = {.any_age = true};
    struct intake_error error = {.reason = REASON_INVALID_BODY};
    buf_char(b, '[');
    if (!span_eq(plain, SPAN("{}")) &&
        intake_decode(formats[shape], plain, &options, put_record, &p, &error) != INTAKE_OK) {
        snprintf(why, 240, "a body cannot be read: %.200s", error.text);
        return -1;
    }
    buf_char(b, ']');
    return 0;
}

int parsed_put(struct buf *b, const struct payload_row *row, char why[240]) {
    enum shape shape = (enum shape)shape_of(row->payload.path);
    struct buf room = {0};
    struct span plain = row->payload.bytes;
    char detail[96];
    enum body_result undone =
        body_decode(row->payload.bytes, row->encoding, PAYLOADS_PLAIN_MAX, &room, &plain, detail);
    int result = -1;
    if (undone == BODY_UNKNOWN) /* as it is, like fakeintake */
        plain = row->payload.bytes;
    bool is_json = shape == SHAPE_SERIES_V1 || shape == SHAPE_LIST || shape == SHAPE_OBJECT ||
                   (shape == SHAPE_SERIES_V2 && span_eq(row->content_type, SPAN("application/json")));
    if (undone != BODY_OK && undone != BODY_UNKNOWN)
        snprintf(why, 240, "a body cannot be decompressed: %s", detail);
    else
        result = is_json ? hand_on(b, plain, shape, why) : decode(b, plain, shape, why);
    buf_free(&room);
    return result;
}
