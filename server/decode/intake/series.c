#include "decode/intake/series.h"

#include "core/json.h"
#include "core/number.h"
#include "core/utf8.h"
#include "decode/intake/wire.h"

#include <math.h>
#include <stdio.h>

void series_begin(struct intake *in, enum metric_type type) {
    struct series *s = in->series;
    arena_reset(&in->scratch);
    s->record.kind = RECORD_METRIC;
    s->record.metric = (struct metric){.type = type, .sample_rate = 1, .tags = s->tags, .values = s->values};
    s->raw = (struct span){NULL, 0};
    s->n_tags = s->tag_bytes = s->n_long_tags = s->n_resources = s->n_values = s->n_points = 0;
    s->has_origin = s->again = false;
    buf_clear(&s->resources);
}

void series_again(struct intake *in, const struct metric *known) {
    struct series *s = in->series;
    struct metric *m = &s->record.metric;
    arena_reset(&in->scratch);
    s->record.kind = RECORD_METRIC;
    if (!s->again) /* else the rest is empty already */
        *m = (struct metric){.sample_rate = 1, .values = s->values};
    s->again = true;
    m->type = known->type;
    m->name = known->name;
    m->known = known;
    s->raw = (struct span){NULL, 0};
    s->n_values = s->n_points = 0;
}

bool series_known(struct intake *in, char kind, struct span before, struct span behind) {
    const struct metric *m = in->options.known ? in->options.known(in->arg, kind, before, behind) : NULL;
    if (m)
        series_again(in, m);
    return m != NULL;
}

void series_learn(struct intake *in, char kind, struct span before, struct span behind) {
    struct metric *m = &in->series->record.metric;
    if (!in->options.learn || in->series->n_long_tags > 0) /* each of those is a reject, each time */
        return;
    m->key_kind = kind;
    m->key_name = before;
    m->key_rest = behind;
    m->known = in->options.learn(in->arg, m);
}

/* At most INTAKE_TAG_BYTES, whole characters. */
static struct span cut_tag(struct span tag) {
    size_t n = INTAKE_TAG_BYTES;
    while (n > INTAKE_TAG_BYTES - 4 && ((unsigned char)tag.p[n] & 0xC0) == 0x80)
        n--;
    return span_of(tag.p, n);
}

void series_tag(struct series *s, struct span tag) {
    s->tag_bytes += tag.n;
    if (s->n_tags < INTAKE_TAGS_MAX) {
        if (tag.n > INTAKE_TAG_BYTES) {
            s->long_tags[s->n_long_tags++] = tag;
            tag = cut_tag(tag);
        }
        s->tags[s->n_tags] = tag;
    }
    s->n_tags++;
}

void series_resource(struct series *s, struct span type, struct span name) {
    if (!name.p)
        name = SPAN("");
    s->n_resources++;
    if (span_eq(type, SPAN("host"))) {
        s->record.metric.origin.host = name;
    } else if (span_eq(type, SPAN("device"))) {
        s->record.metric.device = name;
    } else if (s->n_resources <= INTAKE_RESOURCES_MAX) {
        buf_str(&s->resources, s->resources.n ? "," : "{\"resources\":[");
        buf_str(&s->resources, "{\"type\":");
        json_put_string(&s->resources, type);
        buf_str(&s->resources, ",\"name\":");
        json_put_string(&s->resources, name);
        buf_char(&s->resources, '}');
    }
}

void series_origin(struct series *s, int64_t product, int64_t category, int64_t service) {
    s->has_origin = true;
    s->origin[0] = product;
    s->origin[1] = category;
    s->origin[2] = service;
}

/* message Origin   { uint32 origin_product = 4, origin_category = 5, origin_service = 6; }
 * message Metadata { Origin origin = 1; }
 */
static void read_origin(struct series *s, struct wire *outer, const struct wire_field *field) {
    struct span bytes;
    struct wire_field f;
    if (!wire_bytes(outer, field, &bytes))
        return;
    if (!s->has_origin)
        series_origin(s, 0, 0, 0);
    struct wire w = wire_of(bytes);
    while (wire_next(&w, &f))
        if (f.number >= 4 && f.number <= 6)
            s->origin[f.number - 4] = (uint32_t)wire_integer(&w, &f);
    outer->failed = w.failed;
}

void series_metadata(struct series *s, struct wire *outer, const struct wire_field *field) {
    struct span bytes;
    struct wire_field f;
    if (!wire_bytes(outer, field, &bytes))
        return;
    struct wire w = wire_of(bytes);
    while (wire_next(&w, &f))
        if (f.number == 1)
            read_origin(s, &w, &f);
    outer->failed = w.failed;
}

static void finish_resources(struct series *s) {
    if (s->resources.n)
        buf_char(&s->resources, ']');
    if (s->has_origin) {
        buf_str(&s->resources, s->resources.n ? "," : "{");
        buf_printf(&s->resources, "\"origin\":{\"product\":%lld,\"category\":%lld,\"service\":%lld}",
                   (long long)s->origin[0], (long long)s->origin[1], (long long)s->origin[2]);
    }
    if (s->resources.n) {
        buf_char(&s->resources, '}');
        s->record.metric.resources = buf_view(&s->resources);
    }
}

static bool has_letter(struct span name) {
    for (size_t i = 0; i < name.n; i++) {
        char c = (char)(name.p[i] | 0x20);
        if (c >= 'a' && c <= 'z')
            return true;
    }
    return false;
}

static void reject_series(struct intake *in, enum reason reason, struct span detail) {
    intake_reject(in, reason, in->series->record.metric.name, in->series->raw, detail);
}

static bool refused(struct intake *in, enum reason reason, const char *what, size_t n) {
    char detail[96];
    int length = snprintf(detail, sizeof detail, "%s: %zu", what, n);
    reject_series(in, reason, span_of(detail, (size_t)length));
    return false;
}

bool series_accepts(struct intake *in) {
    struct series *s = in->series;
    finish_resources(s);
    if (s->record.metric.name.n == 0) {
        reject_series(in, REASON_EMPTY_NAME, (struct span){NULL, 0});
        return false;
    }
    if (s->record.metric.name.n > INTAKE_NAME_BYTES)
        return refused(in, REASON_NAME_TOO_LONG, "bytes", s->record.metric.name.n);
    if (!has_letter(s->record.metric.name)) {
        reject_series(in, REASON_NAME_WITHOUT_LETTER, (struct span){NULL, 0});
        return false;
    }
    if (s->n_tags > INTAKE_TAGS_MAX)
        return refused(in, REASON_TOO_MANY_TAGS, "tags", s->n_tags);
    if (s->tag_bytes > INTAKE_TAGS_BYTES)
        return refused(in, REASON_TAGS_TOO_LARGE, "bytes", s->tag_bytes);
    if (s->n_resources > INTAKE_RESOURCES_MAX)
        return refused(in, REASON_TOO_MANY_RESOURCES, "resources", s->n_resources);
    if (s->record.metric.origin.host.n > INTAKE_HOST_BYTES)
        return refused(in, REASON_HOST_TOO_LONG, "bytes", s->record.metric.origin.host.n);
    for (size_t i = 0; i < s->n_long_tags; i++)
        intake_reject(in, REASON_TAG_TOO_LONG, s->record.metric.name, s->long_tags[i],
                      (struct span){NULL, 0});
    s->record.metric.n_tags = s->n_tags;
    return true;
}

static void flush(struct intake *in) {
    struct series *s = in->series;
    if (s->n_values == 0)
        return;
    s->record.metric.n_values = s->n_values;
    in->emit(in->arg, &s->record);
    s->n_values = 0;
}

static void reject_point(struct intake *in, enum reason reason, double timestamp, double number,
                         struct span raw) {
    char t[NUMBER_SIZE], v[NUMBER_SIZE], detail[96];
    number_format(timestamp, t);
    number_format(number, v);
    int n = snprintf(detail, sizeof detail, "value %s at timestamp %s, now %lld", v, t,
                     (long long)in->options.now_s);
    intake_reject(in, reason, in->series->record.metric.name, raw, span_of(detail, (size_t)n));
}

static bool finite_sketch(const struct sketch *sketch) {
    return isfinite(sketch->sum) && isfinite(sketch->min) && isfinite(sketch->max) && isfinite(sketch->avg);
}

static double oldest(const struct intake_options *o) {
    return o->any_age ? 0 : (double)(o->now_s - INTAKE_AGE_MAX_S);
}

static double newest(const struct intake_options *o) {
    return o->any_age ? INTAKE_YEAR_9999_S : (double)(o->now_s + INTAKE_AHEAD_MAX_S);
}

void series_point(struct intake *in, double timestamp, double number, struct span text, struct span raw,
                  const struct sketch *sketch) {
    struct series *s = in->series;
    s->n_points++;
    if (!isfinite(number) || (sketch && !finite_sketch(sketch)))
        reject_point(in, REASON_NON_FINITE_VALUE, timestamp, number, raw);
    else if (!(timestamp <= newest(&in->options)))
        reject_point(in, REASON_TIMESTAMP_TOO_NEW, timestamp, number, raw);
    else if (timestamp < oldest(&in->options))
        reject_point(in, REASON_TIMESTAMP_TOO_OLD, timestamp, number, raw);
    else {
        s->values[s->n_values++] = (struct value){number, text, (int64_t)floor(timestamp), sketch};
        /* A sketch is the caller's, so it goes out at once. */
        if (s->n_values == INTAKE_VALUES || sketch)
            flush(in);
    }
}

void series_end(struct intake *in) {
    if (in->series->n_points == 0)
        reject_series(in, REASON_NO_POINTS, (struct span){NULL, 0});
    flush(in);
}
