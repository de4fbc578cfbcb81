#include "render/rows.h"

#include "core/cause.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/utf8.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* --- pieces: each writes ,"name":value but for the first of an object, which starts it ------------------- */

static void begin(struct buf *b, uint64_t id) {
    buf_str(b, "{\"id\":");
    buf_u64(b, id);
}

/* The name as it is written: one piece, because there are twenty in a row. */
#define KEY(name) SPAN(",\"" name "\":")

static void base64_field(struct buf *b, struct span key, struct span s) {
    buf_add(b, key.p, key.n - 2);
    buf_str(b, "_b64\":");
    json_put_base64(b, s);
}

static void string_field(struct buf *b, struct span key, struct span s) {
    buf_span(b, key);
    if (!s.p) {
        buf_add(b, "null", 4);
        return;
    }
    json_put_string(b, s);
    if (!utf8_valid(s))
        base64_field(b, key, s);
}

static void word_field(struct buf *b, struct span key, const char *word) {
    buf_span(b, key);
    buf_char(b, '"');
    buf_str(b, word);
    buf_char(b, '"');
}

static void number_field(struct buf *b, struct span key, double value) {
    buf_span(b, key);
    json_put_number(b, value);
}

static void count_field(struct buf *b, struct span key, uint64_t n) {
    buf_span(b, key);
    buf_u64(b, n);
}

/* 0 means that none was given. */
static void seconds_field(struct buf *b, struct span key, int64_t seconds) {
    buf_span(b, key);
    if (seconds)
        buf_printf(b, "%" PRId64, seconds);
    else
        buf_add(b, "null", 4);
}

static void time_field(struct buf *b, struct span key, int64_t wall_ns) {
    buf_span(b, key);
    json_put_time(b, wall_ns);
}

static void tags_field(struct buf *b, size_t n, const struct span *tags) {
    buf_span(b, KEY("tags"));
    json_put_strings(b, n, tags);
    bool valid = true;
    for (size_t i = 0; i < n && valid; i++)
        valid = utf8_valid(tags[i]);
    if (valid)
        return;
    buf_span(b, KEY("tags_b64"));
    for (size_t i = 0; i < n; i++) {
        buf_char(b, i ? ',' : '[');
        json_put_base64(b, tags[i]);
    }
    buf_char(b, ']');
}

static void arrival_fields(struct buf *b, struct span session, int64_t received_at, enum source source) {
    string_field(b, KEY("session"), session);
    time_field(b, KEY("received_at"), received_at);
    word_field(b, KEY("source"), source_word(source));
}

static void origin_fields(struct buf *b, const struct origin *o) {
    string_field(b, KEY("container_id"), o->container_id);
    string_field(b, KEY("external_data"), o->external_data);
    string_field(b, KEY("cardinality"), o->cardinality);
    string_field(b, KEY("entity_id"), o->entity_id);
    string_field(b, KEY("jmx_check_name"), o->jmx_check_name);
    buf_span(b, KEY("inode"));
    if (o->has_inode)
        buf_u64(b, o->inode);
    else
        buf_add(b, "null", 4);
}

/* Only where there are some: nearly every row has none. */
static void remarks_fields(struct buf *b, const struct remarks *r) {
    if (!r)
        return;
    buf_span(b, KEY("remarks"));
    for (size_t i = 0; i < r->n; i++) {
        const struct remark *remark = &r->list[i];
        buf_printf(b, "%s{\"offset\":%zu", i ? "," : "[", remark->offset);
        word_field(b, KEY("remark"), remark_word(remark->kind));
        string_field(b, KEY("detail"), span_str(remark_sentence(remark->kind)));
        string_field(b, KEY("text"), remark->text);
        buf_char(b, '}');
    }
    buf_char(b, ']');
    string_field(b, KEY("remarked_line"), r->line);
}

/* --- metrics --------------------------------------------------------------------------------------------- */

static void put_series(struct buf *b, const struct series_row *row) {
    begin(b, row->id);
    string_field(b, KEY("session"), row->session);
    string_field(b, KEY("name"), row->name);
    word_field(b, KEY("type"), metric_word(row->type));
    tags_field(b, row->n_tags, row->tags);
    string_field(b, KEY("host"), row->host);
    string_field(b, KEY("device"), row->device);
    count_field(b, KEY("samples"), row->samples);
    number_field(b, KEY("count"), row->count);
    number_field(b, KEY("sum"), row->sum);
    number_field(b, KEY("min"), row->min);
    number_field(b, KEY("max"), row->max);
    number_field(b, KEY("last"), row->last);
    time_field(b, KEY("first_at"), row->first_at);
    time_field(b, KEY("last_at"), row->last_at);
}

void rows_series_json(struct buf *b, const struct series_row *row) {
    put_series(b, row);
    buf_char(b, '}');
}

void rows_series_p95_json(struct buf *b, const struct series_row *row, double p95) {
    put_series(b, row);
    number_field(b, KEY("p95"), p95);
    buf_char(b, '}');
}

void rows_emitter_json(struct buf *b, size_t n, const struct emitter_by *by, const struct emitter_row *row) {
    size_t start = b->n;
    for (size_t i = 0; i < n; i++) {
        struct buf key = {.max = 65536};
        buf_char(&key, ',');
        json_put_string(&key, by[i].text);
        buf_char(&key, ':');
        if (by[i].word == EMITTER_TAGS)
            tags_field(b, row->n_tags, row->tags);
        else
            string_field(b, buf_view(&key), row->values[i]);
        b->failed = b->failed || key.failed;
        buf_free(&key);
    }
    count_field(b, KEY("recordings"), row->recordings);
    count_field(b, KEY("series"), row->series);
    count_field(b, KEY("samples"), row->samples);
    time_field(b, KEY("first_at"), row->first_at);
    time_field(b, KEY("last_at"), row->last_at);
    buf_char(b, '}');
    if (!b->failed)
        b->p[start] = '{'; /* in the place of the first comma */
}

static void sketch_field(struct buf *b, const struct sketch *sketch) {
    buf_span(b, KEY("sketch"));
    if (!sketch) {
        buf_add(b, "null", 4);
        return;
    }
    buf_printf(b, "{\"count\":%" PRId64, sketch->count);
    number_field(b, KEY("sum"), sketch->sum);
    number_field(b, KEY("min"), sketch->min);
    number_field(b, KEY("max"), sketch->max);
    number_field(b, KEY("avg"), sketch->avg);
    buf_span(b, KEY("bins"));
    buf_char(b, '[');
    for (size_t i = 0; i < sketch->n_bins; i++)
        buf_printf(b, "%s[%" PRId32 ",%" PRIu32 "]", i ? "," : "", sketch->keys[i], sketch->counts[i]);
    buf_add(b, "]}", 2);
}

void rows_sample_json(struct buf *b, const struct sample_row *row) {
    const struct metric *m = row->spelling;
    bool set = metric_is(m->type, METRIC_TEXT);
    begin(b, row->id);
    arrival_fields(b, row->session, row->received_at, row->source);
    string_field(b, KEY("name"), m->name);
    word_field(b, KEY("type"), metric_word(m->type));
    number_field(b, KEY("value"), set ? (double)NAN : row->value.number);
    string_field(b, KEY("text"), set ? row->text : (struct span){NULL, 0});
    number_field(b, KEY("sample_rate"), m->sample_rate);
    tags_field(b, m->n_tags, m->tags);
    string_field(b, KEY("host"), m->origin.host);
    seconds_field(b, KEY("timestamp"), row->value.timestamp);
    seconds_field(b, KEY("interval"), m->interval);
    string_field(b, KEY("unit"), m->unit);
    origin_fields(b, &m->origin);
    string_field(b, KEY("device"), m->device);
    string_field(b, KEY("source_type"), m->source_type);
    buf_span(b, KEY("resources"));
    if (m->resources.p && utf8_valid(m->resources))
        buf_span(b, m->resources);
    else
        buf_add(b, "null", 4);
    sketch_field(b, row->value.sketch);
    if (row->line.p)
        string_field(b, KEY("line"), row->line);
    remarks_fields(b, m->remarks);
    buf_char(b, '}');
}

void rows_leave_out_nulls(struct buf *b, size_t from) {
    char *p = b->p;
    size_t to = from;
    int depth = 0;
    bool quoted = false;
    for (size_t i = from; i < b->n; i++) {
        char c = p[i];
        if (quoted && c == '\\') {
            p[to++] = p[i++];
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == '{' || c == '[')) {
            depth++;
        } else if (!quoted && (c == '}' || c == ']')) {
            depth--;
        } else if (!quoted && c == ',' && depth == 1) { /* ,"key":null */
            const char *end = memchr(p + i + 2, '"', b->n - i - 2);
            if (end && (size_t)(p + b->n - end) > 6 && memcmp(end, "\":null", 6) == 0) {
                i = (size_t)(end - p) + 5;
                continue;
            }
        }
        p[to++] = p[i];
    }
    b->n = to;
}

/* --- everything else ------------------------------------------------------------------------------------- */

void rows_datagram_json(struct buf *b, const struct datagram_row *row) {
    begin(b, row->id);
    arrival_fields(b, row->session, row->received_at, row->source);
    count_field(b, KEY("after_id"), row->after_id);
    count_field(b, KEY("bytes"), row->bytes.n);
    string_field(b, KEY("text"), row->bytes.p ? row->bytes : SPAN(""));
    buf_char(b, '}');
}

void rows_datagram_raw(struct buf *b, const struct datagram_row *row) {
    buf_span(b, row->bytes);
    if (row->bytes.n && row->bytes.p[row->bytes.n - 1] != '\n')
        buf_char(b, '\n');
}

void rows_event_json(struct buf *b, const struct event_row *row) {
    const struct event *e = &row->event;
    begin(b, row->id);
    arrival_fields(b, row->session, row->received_at, row->source);
    string_field(b, KEY("title"), e->title);
    string_field(b, KEY("text"), e->text);
    seconds_field(b, KEY("timestamp"), e->timestamp);
    string_field(b, KEY("aggregation_key"), e->aggregation_key);
    string_field(b, KEY("priority"), e->priority);
    string_field(b, KEY("alert_type"), e->alert_type);
    string_field(b, KEY("source_type_name"), e->source_type_name);
    tags_field(b, e->n_tags, e->tags);
    string_field(b, KEY("host"), e->origin.host);
    origin_fields(b, &e->origin);
    remarks_fields(b, e->remarks);
    buf_char(b, '}');
}

const char *rows_check_status(int status) {
    static const char *const words[] = {"ok", "warning", "critical", "unknown"};
    return words[status >= 0 && status <= 3 ? status : 3];
}

void rows_check_json(struct buf *b, const struct check_row *row) {
    const struct service_check *c = &row->check;
    begin(b, row->id);
    arrival_fields(b, row->session, row->received_at, row->source);
    string_field(b, KEY("name"), c->name);
    word_field(b, KEY("status"), rows_check_status(c->status));
    string_field(b, KEY("message"), c->message);
    seconds_field(b, KEY("timestamp"), c->timestamp);
    tags_field(b, c->n_tags, c->tags);
    string_field(b, KEY("host"), c->origin.host);
    origin_fields(b, &c->origin);
    remarks_fields(b, c->remarks);
    buf_char(b, '}');
}

void rows_reject_json(struct buf *b, const struct reject_row *row) {
    const struct reject *r = &row->reject;
    begin(b, row->id);
    arrival_fields(b, row->session, row->received_at, row->source);
    word_field(b, KEY("reason"), reason_word(r->reason));
    struct buf detail = {.max = 64 << 10};
    buf_str(&detail, reason_sentence(r->reason));
    if (r->detail.n) {
        buf_str(&detail, ": ");
        buf_span(&detail, r->detail);
    }
    const char *cause = cause_of(r);
    buf_str(&detail, cause ? "; " : "");
    buf_str(&detail, cause ? cause : "");
    string_field(b, KEY("detail"), buf_view(&detail));
    buf_free(&detail);
    string_field(b, KEY("text"), r->text);
    count_field(b, KEY("offset"), r->offset);
    string_field(b, KEY("family"), r->family);
    string_field(b, KEY("name"), r->name);
    buf_char(b, '}');
}

void rows_request_json(struct buf *b, const struct request_row *row) {
    const struct request *r = &row->request;
    begin(b, row->id);
    string_field(b, KEY("session"), row->session);
    time_field(b, KEY("received_at"), row->received_at);
    string_field(b, KEY("method"), r->method);
    string_field(b, KEY("path"), r->path);
    string_field(b, KEY("query"), r->query);
    count_field(b, KEY("status"), (uint64_t)r->status);
    count_field(b, KEY("wire_bytes"), r->wire_bytes);
    count_field(b, KEY("body_bytes"), r->body_bytes);
    string_field(b, KEY("encoding"), r->encoding);
    string_field(b, KEY("content_type"), r->content_type);
    string_field(b, KEY("user_agent"), r->user_agent);
    string_field(b, KEY("api_key"), r->api_key);
    string_field(b, KEY("body"), r->body);
    string_field(b, KEY("note"), r->note);
    buf_char(b, '}');
}
