#include "store/clickhouse/kinds.h"
#include "store/clickhouse/pushing.h"

#include "core/clock.h"
#include "core/version.h"
#include <xxhash.h>

/* --- what every row begins with ------------------------------------------------------------------------------- */

static struct buf *begin_row(struct pushing *p) {
    put_u32(&p->rows, (uint32_t)p->push.low);
    put_uuid(&p->rows, p->push);
    put_u16(&p->rows, p->day);
    p->n_rows++;
    return &p->rows;
}

/* As a row callback. */
static int end_row(struct pushing *p) {
    if (p->n_rows >= PUSH_ROWS || p->rows.n >= PUSH_BYTES)
        p->outcome = p->send(p);
    return p->outcome != PUSH_DONE;
}

/* --- a first look ------------------------------------------------------------------------------------------- */

static void saw(struct pushing *p, int64_t first_at, int64_t last_at) {
    if (p->started_at == 0 || first_at < p->started_at)
        p->started_at = first_at;
    if (last_at > p->ended_at)
        p->ended_at = last_at;
}

static int see_series(void *arg, const struct series_row *row) {
    struct pushing *p = arg;
    bool added;
    saw(p, row->first_at, row->last_at);
    p->total += row->samples;
    if (!table_put(&p->seen, XXH3_64bits_withSeed(row->name.p, row->name.n, (XXH64_hash_t)row->type), 0,
                   &added))
        return 1;
    if (added) {
        put_text(&p->names, row->name);
        put_u8(&p->names, (uint8_t)row->type);
    }
    return 0;
}

#define SEE(kind)                                                                                            \
    static int see_##kind(void *arg, const struct kind##_row *row) {                                         \
        saw(arg, row->received_at, row->received_at);                                                        \
        return 0;                                                                                            \
    }
SEE(event)
SEE(check)
SEE(reject)
SEE(request)

int push_survey(struct pushing *p) {
    static const struct filter all;
    const struct reader_ops *ops = p->from->ops;
    if (ops->series(p->from, &all, see_series, p, p->err) != 0 ||
        ops->events(p->from, &all, see_event, p, p->err) != 0 ||
        ops->checks(p->from, &all, see_check, p, p->err) != 0 ||
        ops->rejects(p->from, &all, see_reject, p, p->err) != 0 ||
        ops->requests(p->from, &all, see_request, p, p->err) != 0 ||
        ops->last_id(p->from, &p->last_id, p->err) != 0)
        return -1;
    if (p->seen.failed || p->names.failed)
        return err_set(p->err, 0, "out of memory");
    if (p->started_at == 0)
        p->started_at = p->ended_at = clock_wall_ns();
    p->day = (uint16_t)(p->started_at / (86400 * NS_PER_S));
    return 0;
}

/* --- series, spellings, samples ------------------------------------------------------------------------------- */

static int put_series(void *arg, const struct series_row *row) {
    struct pushing *p = arg;
    struct buf *b = begin_row(p);
    put_text(b, row->session);
    put_u64(b, row->id);
    put_text(b, row->name);
    put_u8(b, (uint8_t)row->type);
    put_texts(b, row->n_tags, row->tags);
    put_text(b, row->host);
    put_text(b, row->device);
    put_u8(b, (uint8_t)((row->host.p ? 1 : 0) | (row->device.p ? 2 : 0)));
    put_u64(b, row->samples);
    const double numbers[] = {row->count, row->sum, row->min, row->max, row->last};
    put_raw(b, numbers, sizeof numbers);
    put_i64(b, row->first_at);
    put_i64(b, row->last_at);
    put_u64(b, row->first_id);
    put_u64(b, row->last_id);
    put_u8(b, row->sampled);
    return end_row(p);
}

static int put_spelling(void *arg, const struct spelling_row *row) {
    struct pushing *p = arg;
    struct buf *b = begin_row(p);
    const struct metric *m = row->spelling;
    const struct remarks *remarks = m->remarks;
    struct span line = remarks ? remarks->line : (struct span){NULL, 0};
    const struct span texts[] = {m->origin.container_id,
                                 m->origin.external_data,
                                 m->origin.cardinality,
                                 m->origin.entity_id,
                                 m->origin.jmx_check_name,
                                 {NULL, 0},
                                 m->unit,
                                 m->source_type,
                                 m->resources,
                                 line};
    size_t n = sizeof texts / sizeof texts[0], inode = 5;
    unsigned given = m->origin.has_inode ? 1u << inode : 0;
    for (size_t i = 0; i < n; i++)
        given |= texts[i].p ? 1u << i : 0;
    put_u64(b, row->series_id);
    put_u32(b, (uint32_t)row->id);
    put_texts(b, m->n_tags, m->tags);
    put_f64(b, m->sample_rate);
    put_u16(b, (uint16_t)given);
    for (size_t i = 0; i < n; i++) {
        if (i == inode)
            put_u64(b, m->origin.inode);
        else
            put_text(b, texts[i]);
    }
    put_i64(b, m->interval);
    size_t n_remarks = remarks ? remarks->n : 0;
    put_size(b, n_remarks);
    for (size_t i = 0; i < n_remarks; i++)
        put_text(b, span_str(remark_word(remarks->list[i].kind)));
    put_size(b, n_remarks);
    for (size_t i = 0; i < n_remarks; i++)
        put_text(b, remarks->list[i].text);
    put_size(b, n_remarks);
    for (size_t i = 0; i < n_remarks; i++)
        put_u64(b, remarks->list[i].offset);
    return end_row(p);
}

static void put_sketch(struct buf *b, const struct sketch *sketch) {
    static const struct sketch none;
    if (!sketch)
        sketch = &none;
    put_i64(b, sketch->count);
    put_f64(b, sketch->sum);
    put_f64(b, sketch->min);
    put_f64(b, sketch->max);
    put_size(b, sketch->n_bins);
    put_raw(b, sketch->keys, sketch->n_bins * sizeof *sketch->keys);
    put_size(b, sketch->n_bins);
    put_raw(b, sketch->counts, sketch->n_bins * sizeof *sketch->counts);
}

static int put_sample(void *arg, const struct sample_row *row) {
    struct pushing *p = arg;
    struct buf *b = begin_row(p);
    put_u32(b, p->block);
    put_text(b, row->spelling->name);
    put_u8(b, (uint8_t)row->spelling->type);
    put_u64(b, row->series_id);
    put_u64(b, row->id);
    put_u32(b, (uint32_t)row->spelling_id);
    put_i64(b, row->received_at);
    put_u8(b, (uint8_t)row->source);
    put_f64(b, row->spelling->sample_rate);
    put_f64(b, row->value.number);
    put_text(b, row->text);
    put_i64(b, row->value.timestamp);
    put_sketch(b, row->value.sketch);
    return end_row(p);
}

/* --- all else ----------------------------------------------------------------------------------------------- */

/* texts[0] is the session, texts[1] the name. */
static int put_record(struct pushing *p, enum fleet_kind kind, uint64_t id, int64_t at, enum source source,
                      size_t n_tags, const struct span *tags, const struct span *texts, size_t n_texts,
                      const int64_t *numbers, size_t n_numbers, const struct remarks *remarks) {
    struct buf *b = begin_row(p);
    uint32_t given = 0;
    size_t n_remarks = remarks ? remarks->n : 0;
    for (size_t i = 0; i < n_texts; i++)
        given |= texts[i].p ? UINT32_C(1) << i : 0;
    for (size_t i = n_texts; i < n_texts + 2 * n_remarks && i < 32; i++)
        given |= UINT32_C(1) << i;
    put_u8(b, (uint8_t)kind);
    put_u64(b, id);
    put_u32(b, given);
    put_text(b, texts[0]);
    put_i64(b, at);
    put_u8(b, (uint8_t)source);
    put_text(b, texts[1]);
    put_texts(b, n_tags, tags);
    put_size(b, n_texts - 2 + 2 * n_remarks);
    for (size_t i = 2; i < n_texts; i++)
        put_text(b, texts[i]);
    for (size_t i = 0; i < n_remarks; i++) {
        put_text(b, span_str(remark_word(remarks->list[i].kind)));
        put_text(b, remarks->list[i].text);
    }
    put_size(b, n_numbers + n_remarks);
    put_raw(b, numbers, n_numbers * sizeof *numbers);
    for (size_t i = 0; i < n_remarks; i++)
        put_i64(b, (int64_t)remarks->list[i].offset);
    return end_row(p);
}

#define PUT(p, kind, row, at, source, n_tags, tags, texts, numbers, remarks)                                 \
    put_record(p, kind, (row)->id, at, source, n_tags, tags, texts, sizeof(texts) / sizeof(texts)[0],        \
               numbers, sizeof(numbers) / sizeof(numbers)[0], remarks)

#define LINE_OF(remarks) ((remarks) ? (remarks)->line : (struct span){NULL, 0})
#define ORIGIN(o)                                                                                            \
    (o).host, (o).container_id, (o).external_data, (o).cardinality, (o).entity_id, (o).jmx_check_name

static int put_event(void *arg, const struct event_row *row) {
    const struct event *e = &row->event;
    const struct span texts[] = {row->session,        e->title,          e->text,
                                 e->aggregation_key,  e->priority,       e->alert_type,
                                 e->source_type_name, ORIGIN(e->origin), LINE_OF(e->remarks)};
    const int64_t numbers[] = {e->timestamp, e->origin.has_inode, (int64_t)e->origin.inode};
    return PUT(arg, FLEET_EVENT, row, row->received_at, row->source, e->n_tags, e->tags, texts, numbers,
               e->remarks);
}

static int put_check(void *arg, const struct check_row *row) {
    const struct service_check *c = &row->check;
    const struct span texts[] = {row->session, c->name, c->message, ORIGIN(c->origin), LINE_OF(c->remarks)};
    const int64_t numbers[] = {c->timestamp, c->origin.has_inode, (int64_t)c->origin.inode, c->status};
    return PUT(arg, FLEET_CHECK, row, row->received_at, row->source, c->n_tags, c->tags, texts, numbers,
               c->remarks);
}

static int put_reject(void *arg, const struct reject_row *row) {
    const struct reject *j = &row->reject;
    const struct span texts[] = {row->session, j->name, span_str(reason_word(j->reason)),
                                 j->family,    j->text, j->detail};
    const int64_t numbers[] = {(int64_t)j->offset};
    return PUT(arg, FLEET_REJECT, row, row->received_at, row->source, 0, NULL, texts, numbers, NULL);
}

static int put_request(void *arg, const struct request_row *row) {
    struct pushing *p = arg;
    const struct request *q = &row->request;
    struct span body = p->o->with_requests ? q->body : (struct span){NULL, 0};
    const struct span texts[] = {row->session,    q->path,       q->method,  q->query, q->encoding,
                                 q->content_type, q->user_agent, q->api_key, body,     q->note};
    const int64_t numbers[] = {q->status, (int64_t)q->wire_bytes, (int64_t)q->body_bytes};
    return PUT(p, FLEET_REQUEST, row, row->received_at, SOURCE_HTTP, 0, NULL, texts, numbers, NULL);
}

static int put_loss(void *arg, const struct loss_row *row) {
    struct pushing *p = arg;
    const struct span texts[] = {row->session, span_str(loss_word(row->loss)), row->detail};
    const int64_t numbers[] = {(int64_t)row->n};
    p->lost += loss_kinds(row->loss) == LOST_IN_DOUBT ? 0 : row->n;
    return PUT(p, FLEET_LOSS, row, row->at, SOURCE_UDP, 0, NULL, texts, numbers, NULL);
}

static int put_run(void *arg, const struct run_row *row) {
    const struct span texts[] = {{NULL, 0}, {NULL, 0}, row->version};
    const int64_t numbers[] = {row->ended_at, (int64_t)row->mark};
    return PUT(arg, FLEET_RUN, row, row->started_at, SOURCE_UDP, 0, NULL, texts, numbers, NULL);
}

struct large_of {
    struct pushing *p;
    struct span session;
};

static int put_large(void *arg, const struct large_row *row) {
    struct large_of *of = arg;
    const struct span texts[] = {of->session, {NULL, 0}};
    const int64_t numbers[] = {(int64_t)row->n, (int64_t)row->largest, (int64_t)row->last_id};
    return put_record(of->p, FLEET_LARGE, row->over, 0, SOURCE_UDP, 0, NULL, texts, 2, numbers, 3, NULL);
}

/* An API key that was given to a session is nobody else's business. */
static int put_session(void *arg, const struct session_row *row) {
    struct pushing *p = arg;
    const struct span texts[] = {row->name, row->name};
    const int64_t numbers[] = {row->expires_at, row->open, (int64_t)row->reset_id};
    struct large_of of = {p, row->name};
    int stop = PUT(p, FLEET_SESSION, row, row->created_at, SOURCE_UDP, 0, NULL, texts, numbers, NULL);
    if (!stop && p->from->ops->large(p->from, row->name, put_large, &of, p->err) != 0)
        p->outcome = PUSH_FAILED;
    return p->outcome != PUSH_DONE;
}

static int read_records(struct pushing *p) {
    static const struct filter all;
    struct reader *r = p->from;
    const struct reader_ops *ops = r->ops;
    p->lost = 0;
    if (ops->sessions(r, put_session, p, p->err) != 0 || ops->events(r, &all, put_event, p, p->err) != 0 ||
        ops->checks(r, &all, put_check, p, p->err) != 0 ||
        ops->rejects(r, &all, put_reject, p, p->err) != 0 ||
        ops->requests(r, &all, put_request, p, p->err) != 0 || ops->losses(r, &all, put_loss, p, p->err) != 0)
        return -1;
    return ops->runs(r, INT64_MAX, put_run, p, p->err);
}

/* --- tables ------------------------------------------------------------------------------------------------- */

enum push_outcome push_rows(struct pushing *p, enum push_table table) {
    static const struct filter all;
    struct reader *r = p->from;
    const struct reader_ops *ops = r->ops;
    int failed = -1;
    p->table = table;
    p->outcome = PUSH_DONE;
    buf_clear(&p->rows);
    p->n_rows = 0;
    switch (table) {
    case PUSH_SERIES:
        failed = ops->series(r, &all, put_series, p, p->err);
        break;
    case PUSH_SPELLINGS:
        failed = ops->spellings(r, &all, put_spelling, p, p->err);
        break;
    case PUSH_SAMPLES:
        failed = ops->samples(r, &all, false, put_sample, p, p->err);
        break;
    case PUSH_RECORDS:
        failed = read_records(p);
        break;
    case PUSH_TABLES:
        break;
    }
    if (p->outcome != PUSH_DONE)
        return p->outcome;
    return failed ? PUSH_FAILED : p->send(p);
}

void push_row_of_recording(struct pushing *p, int64_t now_ns) {
    const struct push_options *o = p->o;
    struct buf *b = &p->rows;
    buf_clear(b);
    put_u32(b, (uint32_t)p->push.low);
    put_uuid(b, p->recording);
    put_uuid(b, p->push);
    put_u16(b, p->day);
    put_i64(b, now_ns);
    put_i64(b, p->started_at);
    put_i64(b, p->ended_at);
    put_u64(b, p->last_id);
    for (int i = 0; i < PUSH_TABLES; i++)
        put_u64(b, p->done[i]);
    put_u64(b, p->lost);
    for (int i = 0; i < FLEET_LABELS; i++)
        put_text(b, o->labels[i]);
    put_size(b, o->n_others);
    for (size_t i = 0; i < o->n_others; i++)
        put_text(b, o->others[i].key);
    put_size(b, o->n_others);
    for (size_t i = 0; i < o->n_others; i++)
        put_text(b, o->others[i].value);
    p->n_rows = 1;
}
