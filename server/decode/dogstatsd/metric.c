#include "core/number.h"
#include "decode/dogstatsd/line.h"

#include <math.h>

/* A metric line while it is read. Each step stands under the part that it reads:
 *
 *   page.views:1:2|ms|@0.5|#env:ci,a|T1657100430
 */
struct parts {
    struct span line;
    struct span name;
    struct span value;
    enum metric_type type;
    const char *rest; /* after the first '|' */
    double rate;
    int64_t timestamp;
    const char *timestamp_at; /* its 'T'; NULL: none */
    size_t n_values, n_non_finite;
    struct fields fields;
};

static bool refuse(struct dogstatsd *d, const struct parts *m, enum reason reason, const char *at) {
    line_reject(d, reason, SPAN("metric"), m->line, at, m->name);
    return false;
}

/*   page.views:1:2|
 *   ^^^^^^^^^^ ^^^
 */
static bool read_name_and_value(struct dogstatsd *d, struct parts *m) {
    const char *from = m->line.p, *end = from + m->line.n;
    const char *pipe = line_find(from, end, '|');
    const char *colon = line_find(from, pipe, ':');
    if (colon < pipe)
        m->name = line_span(from, colon);
    if (pipe == end)
        return refuse(d, m, REASON_NO_PIPE, end);
    if (colon == pipe)
        return refuse(d, m, REASON_NO_COLON, pipe);
    if (colon == from)
        return refuse(d, m, REASON_EMPTY_NAME, from);
    if (colon + 1 == pipe)
        return refuse(d, m, REASON_EMPTY_VALUE, pipe);
    m->value = line_span(colon + 1, pipe);
    m->rest = pipe + 1;
    return true;
}

/*   |ms|
 *    ^^
 */
static int type_of(const char *p, const char *end) {
    if (end - p == 1)
        switch (*p) {
        case 'c':
            return METRIC_COUNT;
        case 'g':
            return METRIC_GAUGE;
        case 'h':
            return METRIC_HISTOGRAM;
        case 'd':
            return METRIC_DISTRIBUTION;
        case 's':
            return METRIC_SET;
        default:
            return -1;
        }
    return end - p == 2 && p[0] == 'm' && p[1] == 's' ? METRIC_TIMING : -1;
}

/*   :1:2|
 *    ^ ^     pieces between colons, empty ones skipped; a set's value is one piece, colons and all
 */
static bool read_values(struct dogstatsd *d, struct parts *m) {
    if (m->type == METRIC_SET) {
        d->values[m->n_values++] = (struct value){.text = m->value};
        return true;
    }
    const char *end = m->value.p + m->value.n;
    for (const char *p = m->value.p, *stop; p < end; p = stop + 1) {
        stop = line_find(p, end, ':');
        if (stop == p)
            continue;
        struct value *value = &d->values[m->n_values];
        *value = (struct value){.text = line_span(p, stop)};
        switch (number_parse(value->text, &value->number)) {
        case NUMBER_INVALID:
            return refuse(d, m, REASON_INVALID_VALUE, p);
        case NUMBER_OUT_OF_RANGE:
            return refuse(d, m, REASON_VALUE_OUT_OF_RANGE, p);
        case NUMBER_OK:
            if (isfinite(value->number))
                m->n_values++;
            else
                m->n_non_finite++;
        }
    }
    if (m->n_values + m->n_non_finite == 0)
        return refuse(d, m, REASON_NO_VALUE_FOUND, m->value.p);
    return true;
}

/*   |T1657100430
 *    ^^^^^^^^^^^
 */
static bool read_timestamp(struct dogstatsd *d, struct parts *m, struct span field) {
    struct span digits = span_from(field, 1);
    if (number_parse_int(digits, &m->timestamp) != NUMBER_OK)
        return refuse(d, m, REASON_INVALID_TIMESTAMP, digits.p);
    if (m->timestamp < 1)
        return refuse(d, m, REASON_TIMESTAMP_NOT_POSITIVE, digits.p);
    m->timestamp_at = field.p;
    return true;
}

/*   |@0.5|#env:ci,a|
 *    ^^^^ ^^^^^^^^^
 */
static bool read_field(struct dogstatsd *d, struct parts *m, struct span field) {
    if (field.n == 0)
        return true;
    switch (field.p[0]) {
    case '@':
        if (number_parse(span_from(field, 1), &m->rate) != NUMBER_OK)
            return refuse(d, m, REASON_INVALID_SAMPLE_RATE, field.p + 1);
        return true;
    case 'T':
        return d->options.ignore_timestamps || read_timestamp(d, m, field);
    default:
        fields_take(&d->options, &m->fields, field);
        return true;
    }
}

/* The type and what follows it, less every T field: what tells two contexts apart besides the name. */
static struct span rest_without_timestamps(struct dogstatsd *d, const struct parts *m) {
    const char *end = m->line.p + m->line.n;
    size_t n = 0;
    for (const char *p = m->rest;;) {
        const char *stop = line_find(p, end, '|');
        if (p == stop || *p != 'T') {
            if (n > 0)
                d->text[n++] = '|';
            memcpy(d->text + n, p, (size_t)(stop - p));
            n += (size_t)(stop - p);
        }
        if (stop == end)
            return span_of(d->text, n);
        p = stop + 1;
    }
}

static void emit_metric(struct dogstatsd *d, const struct parts *m) {
    struct metric *metric = &d->metric.metric;
    metric->type = m->type;
    metric->name = m->name;
    metric->sample_rate = m->rate;
    metric->n_values = m->n_values;
    metric->values = d->values;
    enrich(d, &m->fields, &metric->origin, &metric->tags, &metric->n_tags);
    metric->key_name = m->name;
    metric->key_rest = line_span(m->rest, m->line.p + m->line.n);
    if (m->timestamp_at) {
        metric->key_rest = rest_without_timestamps(d, m);
        for (size_t i = 0; i < m->n_values; i++)
            d->values[i].timestamp = m->timestamp;
    }
    d->emit(d->arg, &d->metric);
}

/* Read once more, as they are rare: each value that is not finite. */
static void refuse_non_finite(struct dogstatsd *d, const struct parts *m) {
    const char *end = m->value.p + m->value.n;
    for (const char *p = m->value.p, *stop; p < end; p = stop + 1) {
        stop = line_find(p, end, ':');
        double number;
        if (number_parse(line_span(p, stop), &number) == NUMBER_OK && !isfinite(number))
            refuse(d, m, REASON_NON_FINITE_VALUE, p);
    }
}

void metric_decode(struct dogstatsd *d, struct span line) {
    struct parts m = {.line = line, .rate = 1};
    if (!read_name_and_value(d, &m))
        return;
    const char *end = line.p + line.n;
    const char *p = line_find(m.rest, end, '|');
    int type = type_of(m.rest, p);
    if (type < 0) {
        refuse(d, &m, REASON_INVALID_TYPE, m.rest);
        return;
    }
    m.type = (enum metric_type)type;
    if (!read_values(d, &m))
        return;
    while (p < end) {
        const char *from = p + 1;
        p = line_find(from, end, '|');
        if (!read_field(d, &m, line_span(from, p)))
            return;
    }
    if (m.timestamp_at && m.type != METRIC_COUNT && m.type != METRIC_GAUGE) {
        refuse(d, &m, REASON_TIMESTAMP_UNSUPPORTED_TYPE, m.timestamp_at);
        return;
    }
    if (m.n_values > 0)
        emit_metric(d, &m);
    if (m.n_non_finite > 0)
        refuse_non_finite(d, &m);
}
