/* Rows as DogStatsD lines and as CSV. */
#include "core/json.h"
#include "core/number.h"
#include "core/utf8.h"
#include "render/rows.h"

#include "core/clock.h"
#include <inttypes.h>

/* --- DogStatsD ------------------------------------------------------------------------------------------- */

static void tag(struct buf *b, bool *any, const char *key, struct span s) {
    buf_str(b, *any ? "," : "|#");
    *any = true;
    buf_str(b, key);
    buf_span(b, s);
}

/* Whether all tags are one empty tag: "|#" alone has none, so a tag that the Agent takes out and forgets stands beside it. */
static bool is_one_empty(size_t n, const struct span *tags) {
    return n == 1 && tags[0].n == 0;
}

/* The tags, and as tags what the Agent took out of them. */
static void put_tags(struct buf *b, size_t n, const struct span *tags, const struct origin *o,
                     struct span device) {
    bool any = false;
    for (size_t i = 0; i < n; i++)
        tag(b, &any, "", tags[i]);
    if (o->host.p)
        tag(b, &any, "host:", o->host);
    if (device.p)
        tag(b, &any, "device:", device);
    if (o->entity_id.p)
        tag(b, &any, "dd.internal.entity_id:", o->entity_id);
    if (o->jmx_check_name.p)
        tag(b, &any, "dd.internal.jmx_check_name:", o->jmx_check_name);
    else if (is_one_empty(n, tags))
        tag(b, &any, "dd.internal.jmx_check_name:", SPAN(""));
}

/* A line's last carriage return is taken for a part of its end: what ends in one gets one more. */
static void end_line(struct buf *b) {
    if (b->n && b->p[b->n - 1] == '\r')
        buf_char(b, '\r');
}

static void field(struct buf *b, const char *key, struct span s) {
    if (!s.p)
        return;
    buf_str(b, key);
    buf_span(b, s);
}

static void put_origin(struct buf *b, const struct origin *o) {
    if (o->container_id.p || o->has_inode) {
        buf_str(b, "|c:");
        field(b, "ci-", o->container_id);
        if (o->has_inode)
            buf_printf(b, "%sin-%" PRIu64, o->container_id.p ? "," : "", o->inode);
    }
    field(b, "|e:", o->external_data);
    field(b, "|card:", o->cardinality);
}

static void put_number(struct buf *b, double value) {
    char text[NUMBER_SIZE];
    buf_add(b, text, number_format(value, text));
}

void rows_sample_dogstatsd(struct buf *b, const struct sample_row *row) {
    const struct metric *m = row->spelling;
    buf_span(b, m->name);
    buf_char(b, ':');
    if (metric_is(m->type, METRIC_TEXT))
        buf_span(b, row->text);
    else
        put_number(b, row->value.number);
    buf_char(b, '|');
    /* A rate arrives over HTTP only; the nearest that DogStatsD has is a gauge. */
    buf_str(b, metric_letter(m->type));
    if (m->sample_rate != 1) {
        buf_str(b, "|@");
        put_number(b, m->sample_rate);
    }
    put_tags(b, m->n_tags, m->tags, &m->origin, m->device);
    if (row->value.timestamp > 0 && metric_is(m->type, METRIC_TIMED))
        buf_printf(b, "|T%" PRId64, row->value.timestamp);
    put_origin(b, &m->origin);
    end_line(b);
}

/* Line feeds are written \n, as they must be inside a line. */
static void put_escaped(struct buf *b, struct span s) {
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\n')
            buf_str(b, "\\n");
        else
            buf_char(b, s.p[i]);
}

static size_t escaped_length(struct span s) {
    size_t n = s.n;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '\n';
    return n;
}

void rows_event_dogstatsd(struct buf *b, const struct event_row *row) {
    const struct event *e = &row->event;
    buf_printf(b, "_e{%zu,%zu}:", escaped_length(e->title), escaped_length(e->text));
    put_escaped(b, e->title);
    buf_char(b, '|');
    put_escaped(b, e->text);
    if (e->timestamp)
        buf_printf(b, "|d:%" PRId64, e->timestamp);
    field(b, "|k:", e->aggregation_key);
    if (!span_eq(e->priority, SPAN("normal")))
        field(b, "|p:", e->priority);
    field(b, "|s:", e->source_type_name);
    if (!span_eq(e->alert_type, SPAN("info")))
        field(b, "|t:", e->alert_type);
    put_tags(b, e->n_tags, e->tags, &e->origin, (struct span){NULL, 0});
    put_origin(b, &e->origin);
    end_line(b);
}

void rows_check_dogstatsd(struct buf *b, const struct check_row *row) {
    const struct service_check *c = &row->check;
    buf_str(b, "_sc|");
    buf_span(b, c->name);
    buf_printf(b, "|%d", c->status);
    if (c->timestamp)
        buf_printf(b, "|d:%" PRId64, c->timestamp);
    put_tags(b, c->n_tags, c->tags, &c->origin, (struct span){NULL, 0});
    put_origin(b, &c->origin);
    if (c->message.n)
        field(b, "|m:", c->message);
    end_line(b);
}

/* --- CSV ------------------------------------------------------------------------------------------------- */

/* What a spreadsheet takes for a formula. */
static bool is_formula(struct span s) {
    return s.n > 0 && memchr("=+-@\t\r", s.p[0], 6);
}

/* The charset that the header promises, whatever came. */
static void put_mended(struct buf *b, struct span s) {
    for (size_t i = 0, taken; i < s.n; i += taken) {
        buf_span(b, utf8_mended(span_from(s, i), &taken));
        if (s.p[i] == '"')
            buf_char(b, '"');
    }
}

static void cell(struct buf *b, bool safe, struct span s) {
    bool quote = false, defuse = safe && is_formula(s);
    for (size_t i = 0; i < s.n && !quote; i++)
        quote = s.p[i] == ',' || s.p[i] == '"' || s.p[i] == '\n' || s.p[i] == '\r';
    buf_str(b, quote ? ",\"" : ",");
    buf_str(b, defuse ? "'" : "");
    put_mended(b, s);
    buf_str(b, quote ? "\"" : "");
}

void rows_sample_csv(struct buf *b, const struct sample_row *row, bool safe) {
    const struct metric *m = row->spelling;
    bool set = metric_is(m->type, METRIC_TEXT);
    char at[CLOCK_RFC3339_SIZE];
    clock_rfc3339(row->received_at, at);
    buf_u64(b, row->id);
    cell(b, safe, row->session);
    cell(b, safe, span_str(at));
    cell(b, safe, span_str(source_word(row->source)));
    cell(b, safe, m->name);
    cell(b, safe, span_str(metric_word(m->type)));
    buf_char(b, ',');
    if (!set)
        put_number(b, row->value.number);
    cell(b, safe, set ? row->text : (struct span){NULL, 0});
    buf_char(b, ',');
    put_number(b, m->sample_rate);
    struct buf tags = {.max = 1 << 20};
    json_put_strings(&tags, m->n_tags, m->tags);
    cell(b, safe, buf_view(&tags));
    buf_free(&tags);
    cell(b, safe, m->origin.host);
    buf_char(b, ',');
    if (row->value.timestamp)
        buf_printf(b, "%" PRId64, row->value.timestamp);
}
