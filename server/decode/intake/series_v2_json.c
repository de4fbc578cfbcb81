/* POST /api/v2/series as JSON.
 *
 *     {"series":[{"metric":"a.b","type":3,"points":[{"timestamp":1700000000,"value":1.5}],
 *                 "resources":[{"type":"host","name":"h1"}],"metadata":{"origin":{"product":10}}}]}
 */
#include "decode/intake/fields.h"

struct draft_v2 {
    struct fields fields;
    double type;
    size_t points; /* where their value starts; 0: not given */
};

static void take_tag(void *arg, struct span tag) {
    series_tag(arg, tag);
}

/* Enters the object at hand; else notes that it should be one and skips it. */
static bool enters_object(struct fields *f, const char *key) {
    enum pull_kind kind = pull_kind(f->pull);
    if (kind == PULL_OBJECT) {
        pull_enter(f->pull);
        return true;
    }
    if (kind != PULL_NULL)
        fields_wrong(f, key, "an object");
    pull_skip(f->pull, NULL);
    return false;
}

static void read_resource(struct fields *f, struct series *s) {
    struct span key, type = {NULL, 0}, name = {NULL, 0};
    if (!enters_object(f, "a resource"))
        return;
    while (pull_key(f->pull, &key)) {
        if (fields_equal(key, "type"))
            field_string(f, "resources.type", &type);
        else if (fields_equal(key, "name"))
            field_string(f, "resources.name", &name);
        else
            pull_skip(f->pull, NULL);
    }
    series_resource(s, type, name);
}

static void read_resources(struct fields *f, struct series *s) {
    enum pull_kind kind = pull_kind(f->pull);
    if (kind != PULL_ARRAY) {
        if (kind != PULL_NULL)
            fields_wrong(f, "resources", "a list");
        pull_skip(f->pull, NULL);
        return;
    }
    pull_enter(f->pull);
    while (pull_element(f->pull))
        read_resource(f, s);
}

static void read_origin(struct fields *f, struct series *s) {
    struct span key;
    int64_t product = 0, category = 0, service = 0;
    if (!enters_object(f, "metadata.origin"))
        return;
    while (pull_key(f->pull, &key)) {
        if (fields_equal(key, "product"))
            field_integer(f, "metadata.origin.product", &product);
        else if (fields_equal(key, "metric_type"))
            field_integer(f, "metadata.origin.metric_type", &category);
        else if (fields_equal(key, "service"))
            field_integer(f, "metadata.origin.service", &service);
        else
            pull_skip(f->pull, NULL);
    }
    series_origin(s, product, category, service);
}

static void read_metadata(struct fields *f, struct series *s) {
    struct span key;
    if (!enters_object(f, "metadata"))
        return;
    while (pull_key(f->pull, &key)) {
        if (fields_equal(key, "origin"))
            read_origin(f, s);
        else
            pull_skip(f->pull, NULL);
    }
}

static void read_member(struct draft_v2 *d, struct series *s, struct span key) {
    struct fields *f = &d->fields;
    if (fields_equal(key, "metric"))
        field_string(f, "metric", &s->record.metric.name);
    else if (fields_equal(key, "tags"))
        field_tags(f, "tags", take_tag, s);
    else if (fields_equal(key, "type"))
        field_number(f, "type", &d->type);
    else if (fields_equal(key, "resources"))
        read_resources(f, s);
    else if (fields_equal(key, "interval"))
        field_integer(f, "interval", &s->record.metric.interval);
    else if (fields_equal(key, "unit"))
        field_string(f, "unit", &s->record.metric.unit);
    else if (fields_equal(key, "source_type_name"))
        field_string(f, "source_type_name", &s->record.metric.source_type);
    else if (fields_equal(key, "metadata"))
        read_metadata(f, s);
    else if (fields_equal(key, "points")) {
        pull_kind(f->pull);
        d->points = f->pull->at;
        pull_skip(f->pull, NULL);
    } else
        pull_skip(f->pull, NULL);
}

static bool type_of(double number, enum metric_type *type) {
    static const enum metric_type types[] = {METRIC_GAUGE /* unspecified */, METRIC_COUNT, METRIC_RATE,
                                             METRIC_GAUGE};
    for (int i = 0; i < 4; i++)
        if (number == i) {
            *type = types[i];
            return true;
        }
    return false;
}

static void read_point(struct intake *in, struct pull *p) {
    struct fields f = {.pull = p};
    struct span key, raw, text = {NULL, 0};
    double timestamp = 0, value = 0;
    bool timed = false, valued = false;
    size_t from = p->at;
    pull_enter(p);
    while (pull_key(p, &key)) {
        if (fields_equal(key, "timestamp"))
            timed = field_number(&f, "timestamp", &timestamp);
        else if (fields_equal(key, "value") && pull_kind(p) == PULL_NUMBER)
            valued = pull_number(p, &value, &text);
        else
            pull_skip(p, NULL);
    }
    raw = span_of(p->body.p + from, p->at - from);
    if (!timed)
        fields_reject_point(in, REASON_INVALID_POINT, raw);
    else if (!valued)
        fields_reject_point(in, REASON_INVALID_VALUE, raw);
    else
        series_point(in, timestamp, value, text, raw, NULL);
}

static void read_series(struct intake *in, struct pull *p) {
    if (fields_known_series(in, p, PULL_OBJECT, read_point))
        return;
    series_begin(in, METRIC_GAUGE);
    struct series *s = in->series;
    struct draft_v2 d = {.fields = {.pull = p}};
    size_t from = p->at;
    struct span key;
    pull_enter(p);
    while (pull_key(p, &key))
        read_member(&d, s, key);
    bool known = type_of(d.type, &s->record.metric.type);
    fields_end_series(&d.fields, in, from, known, d.points, PULL_OBJECT, read_point);
}

enum intake_status series_v2_json_decode(struct intake *in, struct span body) {
    return fields_series(in, body, read_series);
}
