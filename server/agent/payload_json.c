#include "agent/payload.h"

#include "core/json.h"
#include "core/number.h"
#include <inttypes.h>
#include <math.h>

static void put_number(struct buf *b, double value) {
    char text[NUMBER_SIZE];
    size_t n = number_format(value, text);
    const char *quote = isfinite(value) ? "" : "\"";
    buf_str(b, quote);
    buf_add(b, text, n);
    buf_str(b, quote);
}

/* A flush of sketches is mostly whole numbers: printf takes longer than the rest together. */
static void put_whole(struct buf *b, int64_t n) {
    if (n < 0)
        buf_char(b, '-');
    buf_u64(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

static void put_name_and_host(struct buf *b, struct span metric, struct span host) {
    buf_str(b, "\"metric\":");
    json_put_string(b, metric);
    buf_str(b, ",\"host\":");
    json_put_string(b, host);
}

static void put_cause(struct buf *b, const struct agent_cause *cause) {
    buf_printf(b, "{\"id\":%" PRIu64 ",\"received_at\":", cause->id);
    json_put_time(b, cause->at_ns);
    buf_printf(b, ",\"type\":\"%s\",\"value\":", metric_word(cause->type));
    if (metric_is(cause->type, METRIC_TEXT))
        json_put_string(b, cause->text);
    else
        put_number(b, cause->value);
    buf_str(b, ",\"sample_rate\":");
    put_number(b, cause->rate);
    buf_char(b, '}');
}

static void put_causes(struct buf *b, const struct agent_causes *causes) {
    buf_char(b, '[');
    for (size_t i = 0; causes && i < causes->n_shown; i++) {
        buf_str(b, i ? "," : "");
        put_cause(b, &causes->shown[i]);
    }
    if (causes && causes->n > causes->n_shown)
        buf_printf(b, ",{\"not_shown\":%" PRIu64 "}", causes->n - causes->n_shown);
    buf_char(b, ']');
}

void payload_json_series(struct buf *b, const struct agent_series *s, bool explains) {
    buf_char(b, '{');
    put_name_and_host(b, s->metric, s->host);
    buf_printf(b, ",\"type\":\"%s\",\"interval\":%" PRId64 ",\"device\":", s->type, s->interval);
    if (s->device.p)
        json_put_string(b, s->device);
    else
        buf_str(b, "null");
    buf_str(b, ",\"tags\":");
    json_put_strings(b, s->n_tags, s->tags);
    buf_str(b, ",\"points\":[");
    for (size_t i = 0; i < s->n_points; i++) {
        buf_str(b, i ? ",[" : "[");
        put_whole(b, s->points[i].at_s);
        buf_char(b, ',');
        put_number(b, s->points[i].value);
        buf_char(b, ']');
    }
    buf_char(b, ']');
    if (explains && s->points[0].causes) {
        buf_str(b, ",\"samples\":[");
        for (size_t i = 0; i < s->n_points; i++) {
            buf_str(b, i ? "," : "");
            put_causes(b, s->points[i].causes);
        }
        buf_char(b, ']');
    }
    buf_char(b, '}');
}

static void put_sketch_point(struct buf *b, const struct agent_sketch_point *p) {
    static const char *const names[] = {",\"min\":", ",\"max\":", ",\"avg\":", ",\"sum\":"};
    const double numbers[] = {p->min, p->max, p->avg, p->sum};
    buf_printf(b, "{\"ts\":%" PRId64 ",\"cnt\":%" PRId64, p->at_s, p->count);
    for (size_t i = 0; i < 4; i++) {
        buf_str(b, names[i]);
        put_number(b, numbers[i]);
    }
    buf_str(b, ",\"k\":[");
    for (size_t i = 0; i < p->n_bins; i++) {
        buf_str(b, i ? "," : "");
        put_whole(b, p->keys[i]);
    }
    buf_str(b, "],\"n\":[");
    for (size_t i = 0; i < p->n_bins; i++) {
        buf_str(b, i ? "," : "");
        put_whole(b, p->counts[i]);
    }
    buf_str(b, "]}");
}

void payload_json_sketch(struct buf *b, const struct agent_sketch_series *s, bool explains) {
    buf_char(b, '{');
    put_name_and_host(b, s->metric, s->host);
    buf_str(b, ",\"tags\":");
    json_put_strings(b, s->n_tags, s->tags);
    buf_printf(b, ",\"interval\":%" PRId64 ",\"points\":[", s->interval);
    for (size_t i = 0; i < s->n_points; i++) {
        buf_str(b, i ? "," : "");
        put_sketch_point(b, &s->points[i]);
    }
    buf_char(b, ']');
    if (explains && s->points[0].causes) {
        buf_str(b, ",\"samples\":[");
        for (size_t i = 0; i < s->n_points; i++) {
            buf_str(b, i ? "," : "");
            put_causes(b, s->points[i].causes);
        }
        buf_char(b, ']');
    }
    buf_char(b, '}');
}
