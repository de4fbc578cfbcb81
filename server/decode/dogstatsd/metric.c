#include "core/number.h"
#include "decode/dogstatsd/line.h"

#include <math.h>

/* A metric line while it is read. Each step stands under the part that it reads:
 *
 *   page.views:1:2|ms|@0.5|#env:ci,a|T1657100430
 */
struct metric_parts {
    const char *line;
    struct span name;
    struct span value;
    bool packed;      /* the value holds a ':' */
    bool json;        /* each value is a JSON number, too */
    const char *rest; /* behind the first '|' */
    enum metric_type type;
    double rate;
    const char *rate_at; /* its '@'; NULL: none */
    int64_t timestamp;
    const char *timestamp_at; /* its 'T'; NULL: none */
    size_t n_values, n_non_finite;
};

/* Where the reader stands: the last stop taken, and where. */
struct line_reader {
    struct stops stops;
    char stop;
    const char *at;
};

static inline void next(struct line_reader *r) {
    r->stop = stops_next(&r->stops, &r->at);
}

static bool refuse(struct dogstatsd *d, const struct metric_parts *m, enum reason reason, const char *at,
                   const char *end) {
    const char *newline = line_find(m->line, end, '\n');
    struct span line = line_span(m->line, line_part_end(m->line, '\n', newline));
    line_reject(d, reason, SPAN("metric"), line, at, m->name);
    return false;
}

/*   page.views:1:2|
 *   ^^^^^^^^^^ ^^^
 */
static inline bool read_name_and_value(struct dogstatsd *d, struct metric_parts *m, struct line_reader *r) {
    const char *end = r->stops.end;
    do
        next(r);
    while (r->stop == ',');
    if (r->stop == ':') {
        const char *colon = r->at;
        m->name = line_span(m->line, colon);
        for (next(r); r->stop == ':' || r->stop == ','; next(r))
            m->packed |= r->stop == ':';
        m->value = line_span(colon + 1, r->at);
    } else if (r->stop == '|') {
        return refuse(d, m, REASON_NO_COLON, r->at, end);
    }
    if (r->stop != '|')
        return refuse(d, m, REASON_NO_PIPE, line_part_end(m->line, '\n', r->at), end);
    if (m->name.n == 0)
        return refuse(d, m, REASON_EMPTY_NAME, m->line, end);
    if (m->value.n == 0)
        return refuse(d, m, REASON_EMPTY_VALUE, r->at, end);
    m->rest = r->at + 1;
    return true;
}

/*   |ms|
 *    ^^
 */
static inline int type_of(const char *p, const char *end) {
    size_t n = (size_t)(end - p);
#define X(id, word, letter, nearest, weighing, family, traits)                                               \
    if (sizeof letter > 1 && n == sizeof letter - 1 && memcmp(p, letter, sizeof letter - 1) == 0)            \
        return id;
    METRIC_TYPES(X)
#undef X
    return -1;
}

static inline bool read_type(struct dogstatsd *d, struct metric_parts *m, struct line_reader *r) {
    do
        next(r);
    while (r->stop == ':' || r->stop == ',');
    int type = type_of(m->rest, line_part_end(m->rest, r->stop, r->at));
    if (type < 0)
        return refuse(d, m, REASON_INVALID_TYPE, m->rest, r->stops.end);
    m->type = (enum metric_type)type;
    return true;
}

/* One value, up to its end. */
static inline bool read_value(struct dogstatsd *d, struct metric_parts *m, const char *p, const char *end,
                              const char *line_end) {
    struct value *value = &d->values[m->n_values];
    double number;
    bool json;
    enum number_result result = number_read(line_span(p, end), &number, &json);
    if (result != NUMBER_OK)
        return refuse(d, m, result == NUMBER_INVALID ? REASON_INVALID_VALUE : REASON_VALUE_OUT_OF_RANGE, p,
                      line_end);
    *value = (struct value){.number = number, .text = line_span(p, end)};
    m->json &= json;
    if (json || isfinite(number))
        m->n_values++;
    else
        m->n_non_finite++;
    return true;
}

/*   :1:2|
 *    ^ ^     pieces between colons, empty ones skipped
 */
__attribute__((noinline)) static bool read_packed(struct dogstatsd *d, struct metric_parts *m,
                                                  const char *line_end) {
    const char *end = m->value.p + m->value.n;
    for (const char *p = m->value.p, *stop; p < end; p = stop + 1) {
        stop = line_find(p, end, ':');
        if (stop > p && !read_value(d, m, p, stop, line_end))
            return false;
    }
    return m->n_values + m->n_non_finite > 0 || refuse(d, m, REASON_NO_VALUE_FOUND, m->value.p, line_end);
}

/* A set's value is one piece, colons and all. */
static inline bool read_values(struct dogstatsd *d, struct metric_parts *m, const char *line_end) {
    if (metric_is(m->type, METRIC_TEXT)) {
        d->values[m->n_values++] = (struct value){.text = m->value};
        m->json = false;
        return true;
    }
    return m->packed ? read_packed(d, m, line_end)
                     : read_value(d, m, m->value.p, m->value.p + m->value.n, line_end);
}

/* The field at `first` has come once more, at `again`. */
__attribute__((cold, noinline)) static void remark_repeated(struct dogstatsd *d, const char *first,
                                                            const char *again) {
    line_remark(d, REMARK_REPEATED_FIELD, line_span(first, line_find(first, again, '|')));
}

/*   |T1657100430
 *    ^^^^^^^^^^^
 */
static bool read_timestamp(struct dogstatsd *d, struct metric_parts *m, struct span field,
                           const char *line_end) {
    struct span digits = span_from(field, 1);
    if (m->timestamp_at)
        remark_repeated(d, m->timestamp_at, field.p);
    if (number_parse_int(digits, &m->timestamp) != NUMBER_OK)
        return refuse(d, m, REASON_INVALID_TIMESTAMP, digits.p, line_end);
    if (m->timestamp < 1)
        return refuse(d, m, REASON_TIMESTAMP_NOT_POSITIVE, digits.p, line_end);
    m->timestamp_at = field.p;
    return true;
}

/*   |@0.5|#env:ci,a|
 *    ^^^^            the tags have been noted by fields_next
 */
static inline bool read_field(struct dogstatsd *d, struct metric_parts *m, struct line_fields *fields,
                              struct span field, const char *line_end) {
    switch (field.n ? field.p[0] : '#') {
    case '#':
        return true;
    case '@':
        if (m->rate_at)
            remark_repeated(d, m->rate_at, field.p);
        m->rate_at = field.p;
        return number_parse(span_from(field, 1), &m->rate) == NUMBER_OK ||
               refuse(d, m, REASON_INVALID_SAMPLE_RATE, field.p + 1, line_end);
    case 'T':
        return d->options.ignore_timestamps || read_timestamp(d, m, field, line_end);
    default:
        fields_take(d, fields, field);
        return true;
    }
}

/* The type and what follows it, less every T field. */
static struct span without_timestamps(struct dogstatsd *d, struct span rest) {
    const char *end = rest.p + rest.n;
    size_t n = 0;
    for (const char *p = rest.p;;) {
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

/* The key, which must not be that of a line without this remark: "c|#x" becomes "c|#x|+". Values and T fields are no part of a key,
 * so there is room in d->text: each of these remarks is about two bytes and more that are left out. */
static void add_to_key(struct dogstatsd *d, char mark) {
    struct span *rest = &d->metric.metric.key_rest;
    if (rest->p != d->text) {
        memcpy(d->text, rest->p, rest->n);
        rest->p = d->text;
    }
    d->text[rest->n++] = '|';
    d->text[rest->n++] = mark;
}

/* A line of which the Agent ignores a part, or one whose value has a '+'. */
__attribute__((cold, noinline)) static void emit_odd(struct dogstatsd *d, const struct metric_parts *m,
                                                     const char *end) {
    struct metric *metric = &d->metric.metric;
    if (m->value.p[0] == '+' && metric_is(m->type, METRIC_LEVEL))
        line_remark(d, REMARK_PLUS_SIGN, span_of(m->value.p, 1));
    metric->remarks = line_remarks(d, line_span(m->line, end));
    for (size_t i = 0; metric->remarks && i < metric->remarks->n; i++) {
        char first = metric->remarks->list[i].text.p[0];
        if (first == 'T' || metric->remarks->list[i].kind == REMARK_PLUS_SIGN)
            add_to_key(d, first);
    }
    d->emit(d->arg, &d->metric);
    d->remarks.n = 0;
    metric->remarks = NULL;
}

static inline void emit_metric(struct dogstatsd *d, const struct metric_parts *m,
                               const struct line_fields *fields, const char *end) {
    struct metric *metric = &d->metric.metric;
    metric->type = m->type;
    metric->name = m->name;
    metric->sample_rate = m->rate;
    metric->n_values = m->n_values;
    metric->values = d->values;
    metric->json = m->json;
    metric->tags = d->tags;
    metric->n_tags = fields->n_tags;
    metric->key_name = m->name;
    metric->key_rest = line_span(m->rest, end);
    if (m->timestamp_at) {
        metric->key_rest = without_timestamps(d, metric->key_rest);
        for (size_t i = 0; i < m->n_values; i++)
            d->values[i].timestamp = m->timestamp;
    }
    bool plain = !fields->consumable && !fields->given && !d->options.n_constant_tags;
    if (!plain)
        metric->n_tags = enrich(d, fields, &metric->origin);
    bool odd = d->remarks.n > 0 || m->value.p[0] == '+';
    if (__builtin_expect(odd, false))
        emit_odd(d, m, end);
    else
        d->emit(d->arg, &d->metric);
    if (!plain)
        metric->origin = (struct origin){0};
}

/* Read once more, as they are rare: each value that is not finite. */
static void refuse_non_finite(struct dogstatsd *d, const struct metric_parts *m, const char *line_end) {
    const char *end = m->value.p + m->value.n;
    for (const char *p = m->value.p, *stop; p < end; p = stop + 1) {
        stop = m->packed ? line_find(p, end, ':') : end;
        double number;
        if (number_parse(line_span(p, stop), &number) == NUMBER_OK && !isfinite(number))
            refuse(d, m, REASON_NON_FINITE_VALUE, p, line_end);
    }
}

/* Reads on until the line is emitted or refused. */
static inline void decode(struct dogstatsd *d, struct metric_parts *m, struct line_reader *r) {
    if (!read_name_and_value(d, m, r) || !read_type(d, m, r) || !read_values(d, m, r->stops.end))
        return;
    struct line_fields fields; /* the spans are set where `given` says so */
    fields.n_tags = 0;
    fields.consumable = false;
    fields.given = 0;
    const char *end = line_part_end(m->rest, r->stop, r->at);
    while (r->stop == '|') {
        struct span field = fields_next(d, &fields, r->at + 1, &r->stops, &r->stop, &r->at);
        if (!read_field(d, m, &fields, field, r->stops.end))
            return;
        end = field.p + field.n;
    }
    if (m->timestamp_at && !metric_is(m->type, METRIC_TIMED)) {
        refuse(d, m, REASON_TIMESTAMP_UNSUPPORTED_TYPE, m->timestamp_at, r->stops.end);
        return;
    }
    if (m->n_values > 0)
        emit_metric(d, m, &fields, end);
    if (m->n_non_finite > 0)
        refuse_non_finite(d, m, r->stops.end);
}

const char *metric_decode(struct dogstatsd *d, const char *line, struct stops *stops) {
    /* What is not set here is set when it is read; an initialiser would clear all of it for every line. */
    struct metric_parts m;
    m.line = line;
    m.name = (struct span){NULL, 0};
    m.packed = false;
    m.json = true;
    m.rate = 1;
    m.timestamp_at = m.rate_at = NULL;
    m.n_values = m.n_non_finite = 0;
    struct line_reader r = {.stops = *stops};
    decode(d, &m, &r);
    while (r.stop != '\n')
        next(&r);
    *stops = r.stops;
    return r.at;
}
