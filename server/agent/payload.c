#include "agent/payload.h"

#include "core/clock.h"
#include "core/glob.h"
#include <inttypes.h>

#define PAYLOAD_RECORDS_MAX ((size_t)256 << 20) /* bytes of the events, or checks, of a flush */

static const struct {
    const char *word, *content_type;
} formats[] = {
    [PAYLOAD_JSON] = {"json", "application/json"},
    [PAYLOAD_TABLE] = {"table", "text/plain; charset=utf-8"},
    [PAYLOAD_SERIES] = {"v2-protobuf", "application/x-protobuf"},
    [PAYLOAD_SKETCHES] = {"sketches-protobuf", "application/x-protobuf"},
};

int payload_format_of(struct span word) {
    for (int i = 0; i < (int)(sizeof formats / sizeof formats[0]); i++)
        if (span_eq(word, span_str(formats[i].word)))
            return i;
    return -1;
}

const char *payload_content_type(enum payload_format format) {
    return formats[format].content_type;
}

void payload_put_seconds(struct buf *b, int64_t ns) {
    size_t start = b->n;
    buf_printf(b, "%lld.%09lld", ns / NS_PER_S, ns % NS_PER_S);
    while (b->n > start && b->p[b->n - 1] == '0')
        b->n--;
    if (b->n > start && b->p[b->n - 1] == '.')
        b->n--;
    if (b->p)
        b->p[b->n] = '\0';
}

void payload_begin(struct agent_payload *p) {
    if (p->format == PAYLOAD_JSON)
        buf_char(p->out, '[');
}

void payload_end(struct agent_payload *p) {
    if (p->format == PAYLOAD_JSON)
        buf_str(p->out, "]\n");
}

/* --- a flush ---------------------------------------------------------------------------------------------------------- */

static void put_head(struct agent_payload *p) {
    if (p->begun)
        return;
    p->begun = true;
    if (p->format == PAYLOAD_JSON) {
        buf_str(p->out, p->any ? ",\n{\"flush_at\":" : "{\"flush_at\":");
        payload_put_seconds(p->out, p->at_ns);
        buf_str(p->out, ",\"series\":[");
    } else if (p->format == PAYLOAD_TABLE) {
        char time[CLOCK_RFC3339_SIZE];
        clock_rfc3339(p->at_ns, time);
        buf_str(p->out, p->any ? "\nflush at " : "flush at ");
        payload_put_seconds(p->out, p->at_ns);
        buf_printf(p->out, " (%s)\n", time);
    }
    p->any = true;
}

/* Ends the parts of the JSON before this one. */
static void go_to_part(struct agent_payload *p, int part) {
    static const char *const between[] = {"],\"sketches\":[", "],\"no_aggregation_series\":["};
    put_head(p);
    while (p->part < part) {
        if (p->format == PAYLOAD_JSON)
            buf_str(p->out, between[p->part]);
        p->part++;
        p->any_in_part = false;
    }
}

static void begin_flush(void *arg, int64_t at_ns) {
    struct agent_payload *p = arg;
    p->at_ns = at_ns;
    p->begun = false;
    p->part = 0;
    p->any_in_part = false;
}

/* Whether the series is to be shown; then its place is made. Without a glob an explanation is about what it explains. */
static bool begin_series(struct agent_payload *p, int part, struct span metric,
                         const struct agent_causes *causes) {
    if (p->only ? !glob_match(span_str(p->only), metric) : p->explains && !causes)
        return false;
    go_to_part(p, part);
    if (p->format == PAYLOAD_JSON)
        buf_str(p->out, p->any_in_part ? "," : "");
    p->any_in_part = true;
    return true;
}

static void put_series(struct agent_payload *p, int part, const struct agent_series *series) {
    if (p->format == PAYLOAD_SKETCHES || !begin_series(p, part, series->metric, series->points[0].causes))
        return;
    if (p->format == PAYLOAD_JSON)
        payload_json_series(p->out, series, p->explains);
    else if (p->format == PAYLOAD_TABLE)
        payload_table_series(p->out, series, p->explains, part == 2);
    else
        payload_protobuf_series(p->out, series);
}

static void take_series(void *arg, const struct agent_series *series) {
    put_series(arg, 0, series);
}

static void take_timed(void *arg, const struct agent_series *series) {
    put_series(arg, 2, series);
}

static void take_sketch(void *arg, const struct agent_sketch_series *sketch) {
    struct agent_payload *p = arg;
    if (p->format == PAYLOAD_SERIES || !begin_series(p, 1, sketch->metric, sketch->points[0].causes))
        return;
    if (p->format == PAYLOAD_JSON)
        payload_json_sketch(p->out, sketch, p->explains);
    else if (p->format == PAYLOAD_TABLE)
        payload_table_sketch(p->out, sketch, p->explains);
    else
        payload_protobuf_sketch(p->out, sketch);
}

void payload_free(struct agent_payload *p) {
    buf_free(&p->events);
    buf_free(&p->checks);
}

void payload_record(struct agent_payload *p, bool is_check, struct span json) {
    struct buf *to = is_check ? &p->checks : &p->events;
    if (p->only || p->explains || (p->format != PAYLOAD_JSON && p->format != PAYLOAD_TABLE))
        return;
    to->max = PAYLOAD_RECORDS_MAX;
    if (p->format == PAYLOAD_JSON)
        buf_str(to, to->n ? ",\n" : "");
    else
        buf_str(to, is_check ? "check        " : "event        ");
    buf_span(to, json);
    if (p->format == PAYLOAD_TABLE)
        buf_char(to, '\n');
}

static void put_records(struct agent_payload *p, const char *name, struct buf *records) {
    if (records->n && p->format == PAYLOAD_JSON)
        buf_printf(p->out, ",\"%s\":[", name);
    buf_span(p->out, buf_view(records));
    if (records->n && p->format == PAYLOAD_JSON)
        buf_char(p->out, ']');
    p->out->failed |= records->failed;
    buf_clear(records);
}

static void end_flush(void *arg) {
    struct agent_payload *p = arg;
    if (!p->begun && !p->show_empty && !p->events.n && !p->checks.n)
        return;
    go_to_part(p, 2);
    if (p->format == PAYLOAD_JSON)
        buf_char(p->out, ']');
    put_records(p, "events", &p->events);
    put_records(p, "service_checks", &p->checks);
    if (p->format == PAYLOAD_JSON)
        buf_char(p->out, '}');
}

const struct agent_sink payload_sink = {begin_flush, take_series, take_sketch, take_timed, end_flush};
