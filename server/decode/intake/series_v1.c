/* POST /api/v1/series and /api/v1/distribution_points.
 *
 *     {"series":[{"metric":"a.b","points":[[1700000000,1.5]],"type":"gauge","host":"h1","tags":["env:ci"]}]}
 *                                ^^^^^^^^^^^^^^^^^^
 *
 * The points are passed over at first. They are read when the rest of the series is known. A text where a number belongs refuses the whole
 * body, also behind series that are good.
 */
#include "decode/intake/fields.h"

struct draft_v1 {
    struct fields fields;
    struct span type;
    size_t points; /* where their value starts; 0: not given */
};

static void take_tag(void *arg, struct span tag) {
    series_tag(arg, tag);
}

static void read_member(struct draft_v1 *d, struct series *s, struct span key) {
    struct fields *f = &d->fields;
    if (fields_equal(key, "metric"))
        field_string(f, "metric", &s->record.metric.name);
    else if (fields_equal(key, "tags"))
        field_tags(f, "tags", take_tag, s);
    else if (fields_equal(key, "type"))
        field_string(f, "type", &d->type);
    else if (fields_equal(key, "host"))
        field_string(f, "host", &s->record.metric.origin.host);
    else if (fields_equal(key, "interval"))
        field_integer(f, "interval", &s->record.metric.interval);
    else if (fields_equal(key, "device") || fields_equal(key, "device_name"))
        field_string(f, "device", &s->record.metric.device);
    else if (fields_equal(key, "unit"))
        field_string(f, "unit", &s->record.metric.unit);
    else if (fields_equal(key, "source_type_name"))
        field_string(f, "source_type_name", &s->record.metric.source_type);
    else if (fields_equal(key, "points")) {
        pull_kind(f->pull);
        d->points = f->pull->at;
        pull_skip(f->pull, NULL);
    } else
        pull_skip(f->pull, NULL);
}

static bool type_of(struct span word, enum metric_type *type) {
    static const struct {
        const char *word;
        enum metric_type type;
    } types[] = {
        {"", METRIC_GAUGE},        {"gauge", METRIC_GAUGE}, {"count", METRIC_COUNT},
        {"counter", METRIC_COUNT}, {"rate", METRIC_RATE},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (fields_equal(word, types[i].word)) {
            *type = types[i].type;
            return true;
        }
    return false;
}

/* Whether a time or a value is a number, or at least null; else the body is refused. */
static void check_number(struct intake *in, const struct pull *p, enum pull_kind kind) {
    if (kind == PULL_NUMBER || kind == PULL_NULL || kind == PULL_NOTHING || in->refused)
        return;
    in->refused = true;
    intake_refuse(in, REASON_INVALID_BODY, p->at, "json: cannot unmarshal %s into Go value of type float64",
                  fields_kind(kind));
}

static void read_distribution_values(struct intake *in, struct pull *p, double timestamp, size_t from) {
    pull_enter(p);
    while (pull_element(p)) {
        struct span text, raw;
        double value;
        check_number(in, p, pull_kind(p));
        if (pull_number(p, &value, &text)) {
            series_point(in, timestamp, value, text, text, NULL);
        } else if (pull_skip(p, &raw)) {
            fields_reject_point(in, REASON_INVALID_VALUE, span_of(p->body.p + from, p->at - from));
        }
    }
}

/*   [1700000000, 1.5]      a series' point
 *   [1700000000, [1, 2]]   a distribution's
 *   ^ at hand
 */
static void read_point(struct intake *in, struct pull *p) {
    struct pull start = *p;
    struct span raw = {NULL, 0}, text = {NULL, 0};
    double timestamp = 0, value = 0;
    size_t from = p->at, n = 0;
    enum pull_kind kinds[2] = {PULL_NOTHING, PULL_NOTHING};
    enum pull_kind wanted = in->format == INTAKE_DISTRIBUTIONS ? PULL_ARRAY : PULL_NUMBER;
    pull_enter(p);
    for (; pull_element(p); n++) {
        enum pull_kind kind = pull_kind(p);
        if (n < 2)
            kinds[n] = kind;
        if (n == 0 || (n == 1 && wanted == PULL_NUMBER))
            check_number(in, p, kind);
        if (n == 0 && kind == PULL_NUMBER)
            pull_number(p, &timestamp, &text);
        else if (n == 1 && kind == PULL_NUMBER)
            pull_number(p, &value, &text);
        else
            pull_skip(p, NULL);
    }
    raw = span_of(p->body.p + from, p->at - from);
    if (n != 2 || kinds[0] != PULL_NUMBER) {
        fields_reject_point(in, REASON_INVALID_POINT, raw);
    } else if (kinds[1] != wanted) {
        fields_reject_point(in, REASON_INVALID_VALUE, raw);
    } else if (wanted == PULL_NUMBER) {
        series_point(in, timestamp, value, text, raw, NULL);
    } else {
        pull_enter(&start);
        pull_element(&start);
        pull_skip(&start, NULL);
        pull_element(&start);
        pull_kind(&start);
        read_distribution_values(in, &start, timestamp, from);
    }
}

static void read_series(struct intake *in, struct pull *p) {
    if (fields_known_series(in, p, PULL_ARRAY, read_point))
        return;
    bool distribution = in->format == INTAKE_DISTRIBUTIONS;
    series_begin(in, distribution ? METRIC_DISTRIBUTION : METRIC_GAUGE);
    struct series *s = in->series;
    struct draft_v1 d = {.fields = {.pull = p}};
    size_t from = p->at;
    struct span key;
    pull_enter(p);
    while (pull_key(p, &key))
        read_member(&d, s, key);
    bool known = distribution ? !d.type.n || fields_equal(d.type, "distribution")
                              : type_of(d.type, &s->record.metric.type);
    fields_end_series(&d.fields, in, from, known, d.points, PULL_ARRAY, read_point);
}

enum intake_status series_v1_decode(struct intake *in, struct span body) {
    return fields_series(in, body, read_series);
}
