/* DESIGN. Of a metric that was seen before, store_put hashes the key, finds its context and appends the
 * values to the slice. Of a new one it makes the context, and the series if that is new too, in the open
 * transaction. */
#include "core/clock.h"
#include "core/json.h"
#include "store/private.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define KEY_ON_STACK  1024
#define SCRATCH_MAX   ((size_t)256 << 20)
#define LOSS_AGAIN_NS NS_PER_S

static int no_memory(struct err *err) {
    return err_set(err, ENOMEM, "cannot record");
}

static uint64_t next_id(struct store *s) {
    s->pending++;
    return ++s->last_id;
}

/* --- keys: bytes that are equal exactly when what they stand for is ---------------------------- */

struct key_head {
    uint64_t session_id, era;
    uint32_t kind; /* 'K' decoder's key, 'C' context, 'S' series */
    uint32_t n;
};

static void key_start(struct store *s, char kind, uint32_t n) {
    const struct store_session *session = s->arrival.session;
    struct key_head head = {session->id, session->era, (uint32_t)kind, n};
    s->key.max = SCRATCH_MAX;
    buf_clear(&s->key);
    buf_add(&s->key, &head, sizeof head);
}

static void key_span(struct store *s, struct span span) {
    uint64_t n = span.p ? span.n : UINT64_MAX;
    buf_add(&s->key, &n, sizeof n);
    buf_span(&s->key, span);
}

static void key_tags(struct store *s, size_t n_tags, const struct span *tags) {
    uint64_t n = n_tags;
    buf_add(&s->key, &n, sizeof n);
    for (size_t i = 0; i < n_tags; i++)
        key_span(s, tags[i]);
}

/* The key of the decoder: the way of nearly every metric, so without a buffer when it is short. */
static struct intern_hash hash_given(struct store *s, const struct metric *m) {
    const struct store_session *session = s->arrival.session;
    size_t n = m->key_name.n + m->key_rest.n;
    if (n > KEY_ON_STACK) {
        key_start(s, 'K', 0);
        key_span(s, m->key_name);
        key_span(s, m->key_rest);
        return intern_hash(&s->intern, buf_view(&s->key));
    }
    struct {
        struct key_head head;
        char text[KEY_ON_STACK];
    } key;
    key.head = (struct key_head){session->id, session->era, 'K', (uint32_t)m->key_name.n};
    memcpy(key.text, m->key_name.p, m->key_name.n);
    if (m->key_rest.n)
        memcpy(key.text + m->key_name.n, m->key_rest.p, m->key_rest.n);
    return intern_hash(&s->intern, span_of((const char *)&key, sizeof key.head + n));
}

static struct intern_hash hash_context(struct store *s, const struct metric *m) {
    const struct origin *o = &m->origin;
    double rate = isnan(m->sample_rate) ? (double)NAN : m->sample_rate;
    const struct span spans[] = {m->name,        o->host,        o->container_id,   o->external_data,
                                 o->cardinality, o->entity_id,   o->jmx_check_name, m->device,
                                 m->unit,        m->source_type, m->resources};
    key_start(s, 'C', (uint32_t)m->type);
    buf_add(&s->key, &rate, sizeof rate);
    buf_add(&s->key, &m->interval, sizeof m->interval);
    uint64_t inode[] = {o->has_inode, o->has_inode ? o->inode : 0};
    buf_add(&s->key, inode, sizeof inode);
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
        key_span(s, spans[i]);
    key_tags(s, m->n_tags, m->tags);
    return intern_hash(&s->intern, buf_view(&s->key));
}

static int by_bytes(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

/* s->sorted: the metric's tags in order, once each. */
static int sort_tags(struct store *s, const struct metric *m, size_t *n, struct err *err) {
    if (m->n_tags > s->cap_sorted) {
        struct span *more = realloc(s->sorted, m->n_tags * sizeof *more);
        if (!more)
            return no_memory(err);
        s->sorted = more;
        s->cap_sorted = m->n_tags;
    }
    *n = 0;
    if (m->n_tags == 0)
        return 0;
    memcpy(s->sorted, m->tags, m->n_tags * sizeof *s->sorted);
    qsort(s->sorted, m->n_tags, sizeof *s->sorted, by_bytes);
    for (size_t i = 0; i < m->n_tags; i++)
        if (*n == 0 || !span_eq(s->sorted[*n - 1], s->sorted[i]))
            s->sorted[(*n)++] = s->sorted[i];
    return 0;
}

static struct intern_hash hash_series(struct store *s, const struct metric *m, size_t n_sorted) {
    key_start(s, 'S', (uint32_t)m->type);
    key_span(s, m->name);
    key_span(s, m->origin.host);
    key_span(s, m->device);
    key_tags(s, n_sorted, s->sorted);
    return intern_hash(&s->intern, buf_view(&s->key));
}

/* --- what is new ------------------------------------------------------------------------------- */

static int json_tags(struct buf *b, size_t n, const struct span *tags, struct span *text, struct err *err) {
    b->max = SCRATCH_MAX;
    buf_clear(b);
    buf_char(b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_char(b, ',');
        json_put_string_raw(b, tags[i]);
    }
    buf_char(b, ']');
    *text = buf_view(b);
    return b->failed ? no_memory(err) : 0;
}

static void bind_hash(sqlite3_stmt *stmt, int at, struct intern_hash hash) {
    char bytes[12];
    memcpy(bytes, &hash.low, 8);
    memcpy(bytes + 8, &hash.high, 4);
    sqlite3_bind_blob(stmt, at, bytes, sizeof bytes, SQLITE_TRANSIENT);
}

/* container_id, external_data, cardinality, entity_id, jmx_check_name, inode from parameter `at` on. */
static void bind_origin(sqlite3_stmt *stmt, int at, const struct origin *o) {
    const struct span spans[] = {o->container_id, o->external_data, o->cardinality, o->entity_id,
                                 o->jmx_check_name};
    for (int i = 0; i < 5; i++)
        db_bind_span(stmt, at + i, spans[i]);
    if (o->has_inode)
        db_bind_id(stmt, at + 5, o->inode);
    else
        sqlite3_bind_null(stmt, at + 5);
}

static int new_series(struct store *s, const struct metric *m, size_t n_sorted, struct intern_hash hash,
                      uint32_t *ix, struct err *err) {
    struct span tags;
    sqlite3_stmt *stmt = s->sql[SQL_METRIC];
    if (json_tags(&s->tags_sorted, n_sorted, s->sorted, &tags, err) != 0)
        return -1;
    struct intern_series series = {.id = s->next_metric_id, .min = (double)NAN, .max = (double)NAN};
    db_bind_id(stmt, 1, series.id);
    db_bind_id(stmt, 2, s->arrival.session_id);
    bind_hash(stmt, 3, hash);
    db_bind_span(stmt, 4, m->name);
    sqlite3_bind_int(stmt, 5, (int)m->type);
    db_bind_span(stmt, 6, tags);
    db_bind_span(stmt, 7, m->origin.host);
    db_bind_span(stmt, 8, m->device);
    if (db_done(s->db, stmt, err) != 0)
        return -1;
    *ix = intern_add_series(&s->intern, &series);
    if (*ix == INTERN_NONE || !intern_lead(&s->intern, hash, *ix))
        return no_memory(err);
    s->next_metric_id++;
    s->now.series++;
    s->arrival.session->n_interned++;
    return 0;
}

static int new_context(struct store *s, const struct metric *m, uint32_t series, struct intern_hash hash,
                       uint32_t *ix, struct err *err) {
    struct span tags;
    sqlite3_stmt *stmt = s->sql[SQL_CONTEXT];
    if (json_tags(&s->tags, m->n_tags, m->tags, &tags, err) != 0)
        return -1;
    struct metric_weight weight = metric_weigh(m->type, m->sample_rate);
    struct intern_context context = {.id = s->next_context_id,
                                     .count = weight.count,
                                     .factor = weight.factor,
                                     .series = series & INTERN_SERIES_MAX,
                                     .sampled = m->sample_rate != 1,
                                     .group = INTERN_NONE};
    db_bind_id(stmt, 1, context.id);
    db_bind_id(stmt, 2, s->intern.series[series].id);
    bind_hash(stmt, 3, hash);
    db_bind_span(stmt, 4, tags);
    db_bind_number(stmt, 5, m->sample_rate);
    bind_origin(stmt, 6, &m->origin);
    db_bind_span(stmt, 12, m->unit);
    sqlite3_bind_int64(stmt, 13, m->interval);
    db_bind_span(stmt, 14, m->source_type);
    db_bind_span(stmt, 15, m->resources);
    if (db_done(s->db, stmt, err) != 0)
        return -1;
    *ix = intern_add_context(&s->intern, &context);
    if (*ix == INTERN_NONE || !intern_lead(&s->intern, hash, *ix))
        return no_memory(err);
    s->next_context_id++;
    s->arrival.session->n_interned++;
    return 0;
}

/* The context of a metric, by all its fields. INTERN_NONE: there are too many already. */
static int find_context(struct store *s, const struct metric *m, uint32_t *ix, struct err *err) {
    struct intern_hash hash = hash_context(s, m);
    if (s->key.failed)
        return no_memory(err);
    *ix = intern_find(&s->intern, hash);
    if (*ix != INTERN_NONE || s->intern.n_contexts >= s->max_contexts)
        return 0;
    size_t n_sorted = 0;
    if (sort_tags(s, m, &n_sorted, err) != 0)
        return -1;
    struct intern_hash series_hash = hash_series(s, m, n_sorted);
    uint32_t series = intern_find(&s->intern, series_hash);
    if (series == INTERN_NONE) {
        if (s->intern.n_series >= s->max_series)
            return 0;
        if (new_series(s, m, n_sorted, series_hash, &series, err) != 0)
            return -1;
    }
    return new_context(s, m, series, hash, ix, err);
}

static int intern_metric(struct store *s, const struct metric *m, uint32_t *ix, struct err *err) {
    if (m->key_name.n == 0)
        return find_context(s, m, ix, err);
    struct intern_hash given = hash_given(s, m);
    *ix = intern_find(&s->intern, given);
    if (*ix != INTERN_NONE)
        return 0;
    if (find_context(s, m, ix, err) != 0)
        return -1;
    if (*ix == INTERN_NONE)
        return 0;
    s->arrival.session->n_interned++;
    return intern_lead(&s->intern, given, *ix) ? 0 : no_memory(err);
}

/* --- records ----------------------------------------------------------------------------------- */

static void summarise(struct slice_group *g, const struct intern_context *context, enum metric_type type,
                      const struct value *v, int64_t received_at) {
    double number = type == METRIC_SET ? (double)NAN : v->number;
    double min = number, max = number;
    if (v->sketch) { /* has its own weights: every value it was made of counts */
        g->count += (double)v->sketch->count;
        g->sum += v->sketch->sum;
        min = v->sketch->min;
        max = v->sketch->max;
    } else {
        g->count += context->count;
        g->sum += number * context->factor;
    }
    if (!(g->min <= min))
        g->min = min;
    if (!(g->max >= max))
        g->max = max;
    g->last_value = number;
    if (g->n == 1)
        g->first_at = received_at;
    g->last_at = received_at;
}

static int put_value(struct store *s, uint32_t ix, enum metric_type type, const struct value *v,
                     struct err *err) {
    struct slice *slice = &s->slice;
    uint64_t id = next_id(s);
    if (!slice_has_room(slice, id, s->slice_ids) && store_flush(s, err) != 0)
        return -1;
    if (slice_is_empty(slice))
        slice->first_id = id;
    struct intern_context *context = &s->intern.contexts[ix];
    if (context->group == INTERN_NONE) {
        if (!slice_add_group(slice, ix, context->series))
            return no_memory(err);
        context->group = (uint32_t)slice->n_groups - 1;
        slice->groups[context->group].sampled = context->sampled;
    }
    struct slice_group *g = &slice->groups[context->group];
    if (!slice_add_value(slice, g, id, type, v) ||
        !slice_add_run(slice, id, s->arrival.received_at, s->arrival.source))
        return no_memory(err);
    summarise(g, context, type, v, s->arrival.received_at);
    s->now.samples++;
    s->now.received_samples++;
    return 0;
}

static int put_metric(struct store *s, const struct metric *m, struct err *err) {
    uint32_t ix;
    if (intern_metric(s, m, &ix, err) != 0)
        return -1;
    if (ix == INTERN_NONE) {
        s->arrival.session->n_refused += m->n_values;
        s->now.received_samples += m->n_values;
        s->refused = true;
        return 0;
    }
    for (size_t i = 0; i < m->n_values; i++)
        if (put_value(s, ix, m->type, &m->values[i], err) != 0)
            return -1;
    return 0;
}

static void bind_common(struct store *s, sqlite3_stmt *stmt) {
    db_bind_id(stmt, 1, next_id(s));
    db_bind_id(stmt, 2, s->arrival.session_id);
    sqlite3_bind_int64(stmt, 3, s->arrival.received_at);
    sqlite3_bind_int(stmt, 4, (int)s->arrival.source);
}

static int put_event(struct store *s, const struct event *e, struct err *err) {
    struct span tags;
    sqlite3_stmt *stmt = s->sql[SQL_EVENT];
    bind_common(s, stmt);
    if (json_tags(&s->tags, e->n_tags, e->tags, &tags, err) != 0)
        return -1;
    db_bind_span(stmt, 5, e->title.p ? e->title : SPAN(""));
    db_bind_span(stmt, 6, e->text);
    sqlite3_bind_int64(stmt, 7, e->timestamp);
    db_bind_span(stmt, 8, e->aggregation_key);
    db_bind_span(stmt, 9, e->priority);
    db_bind_span(stmt, 10, e->alert_type);
    db_bind_span(stmt, 11, e->source_type_name);
    db_bind_span(stmt, 12, tags);
    db_bind_span(stmt, 13, e->origin.host);
    bind_origin(stmt, 14, &e->origin);
    s->now.events++;
    return db_done(s->db, stmt, err);
}

static int put_check(struct store *s, const struct service_check *c, struct err *err) {
    struct span tags;
    sqlite3_stmt *stmt = s->sql[SQL_CHECK];
    bind_common(s, stmt);
    if (json_tags(&s->tags, c->n_tags, c->tags, &tags, err) != 0)
        return -1;
    db_bind_span(stmt, 5, c->name.p ? c->name : SPAN(""));
    sqlite3_bind_int(stmt, 6, c->status);
    db_bind_span(stmt, 7, c->message);
    sqlite3_bind_int64(stmt, 8, c->timestamp);
    db_bind_span(stmt, 9, tags);
    db_bind_span(stmt, 10, c->origin.host);
    bind_origin(stmt, 11, &c->origin);
    s->now.checks++;
    return db_done(s->db, stmt, err);
}

static int put_reject(struct store *s, const struct reject *r, struct err *err) {
    sqlite3_stmt *stmt = s->sql[SQL_REJECT];
    bind_common(s, stmt);
    db_bind_span(stmt, 5, r->name);
    db_bind_span(stmt, 6, span_str(reason_word(r->reason)));
    db_bind_span(stmt, 7, r->family);
    db_bind_span(stmt, 8, r->text);
    sqlite3_bind_int64(stmt, 9, (sqlite3_int64)r->offset);
    db_bind_span(stmt, 10, r->detail);
    s->now.rejects++;
    return db_done(s->db, stmt, err);
}

int store_arrival(struct store *s, uint64_t session_id, enum source source, int64_t received_at,
                  struct err *err) {
    (void)err;
    if (s->arrival.session_id != session_id || !s->arrival.session) {
        s->arrival.session_id = session_id;
        s->arrival.session = store_find_session(s, session_id);
    }
    s->arrival.source = source;
    s->arrival.received_at = received_at;
    return 0;
}

int store_put(struct store *s, const struct record *record, struct err *err) {
    if (store_begin(s, err) != 0)
        return -1;
    if (!s->arrival.session)
        return 0;
    int result = -1;
    switch (record->kind) {
    case RECORD_METRIC:
        result = put_metric(s, &record->metric, err);
        break;
    case RECORD_EVENT:
        result = put_event(s, &record->event, err);
        break;
    case RECORD_SERVICE_CHECK:
        result = put_check(s, &record->check, err);
        break;
    case RECORD_REJECT:
        result = put_reject(s, &record->reject, err);
        break;
    }
    return result == 0 ? 0 : store_roll_back(s, err);
}

int store_request(struct store *s, const struct request *r, struct err *err) {
    if (store_begin(s, err) != 0)
        return -1;
    if (!s->arrival.session)
        return 0;
    sqlite3_stmt *stmt = s->sql[SQL_REQUEST];
    bind_common(s, stmt);
    db_bind_span(stmt, 5, r->method);
    db_bind_span(stmt, 6, r->path);
    db_bind_span(stmt, 7, r->query);
    sqlite3_bind_int(stmt, 8, r->status);
    db_bind_id(stmt, 9, r->wire_bytes);
    db_bind_id(stmt, 10, r->body_bytes);
    const struct span spans[] = {r->encoding, r->content_type, r->user_agent, r->api_key, r->body, r->note};
    for (int i = 0; i < 6; i++)
        db_bind_span(stmt, 11 + i, spans[i]);
    s->now.requests++;
    return db_done(s->db, stmt, err) == 0 ? 0 : store_roll_back(s, err);
}

int store_datagram(struct store *s, struct span bytes, struct err *err) {
    if (!s->options.keep_datagrams)
        return 0;
    if (store_begin(s, err) != 0)
        return -1;
    if (!s->arrival.session)
        return 0;
    sqlite3_stmt *stmt = s->sql[SQL_DATAGRAM];
    db_bind_id(stmt, 1, s->arrival.session_id);
    sqlite3_bind_int64(stmt, 2, s->arrival.received_at);
    sqlite3_bind_int(stmt, 3, (int)s->arrival.source);
    db_bind_id(stmt, 4, s->last_id);
    sqlite3_bind_blob64(stmt, 5, bytes.n ? bytes.p : "", bytes.n, SQLITE_STATIC);
    s->now.datagrams++;
    return db_done(s->db, stmt, err) == 0 ? 0 : store_roll_back(s, err);
}

/* Losses come in floods: what repeats within a second raises the count of its row, and takes the newest id.
 */
static bool is_loss_again(const struct store *s, uint64_t session_id, enum loss loss, int64_t at,
                          uint64_t detail_hash) {
    return s->last_loss.id > 0 && s->last_loss.session_id == session_id && s->last_loss.loss == loss &&
           s->last_loss.detail_hash == detail_hash && at - s->last_loss.at < LOSS_AGAIN_NS &&
           at >= s->last_loss.at;
}

int store_loss(struct store *s, uint64_t session_id, enum loss loss, uint64_t n, struct span detail,
               struct err *err) {
    if (store_begin(s, err) != 0)
        return -1;
    int64_t at = clock_wall_ns();
    uint64_t detail_hash = intern_hash(&s->intern, detail).low;
    uint64_t id = ++s->last_id; /* from the one sequence: a mark made before the loss does not hide it */
    sqlite3_stmt *stmt;
    if (is_loss_again(s, session_id, loss, at, detail_hash)) {
        stmt = s->sql[SQL_LOSS_AGAIN];
        db_bind_id(stmt, 1, id);
        db_bind_id(stmt, 2, n);
        db_bind_id(stmt, 3, s->last_loss.id);
        s->last_loss.id = id;
    } else {
        stmt = s->sql[SQL_LOSS];
        db_bind_id(stmt, 1, id);
        sqlite3_bind_int64(stmt, 2, at);
        db_bind_id(stmt, 3, session_id);
        db_bind_span(stmt, 4, span_str(loss_word(loss)));
        db_bind_id(stmt, 5, n);
        db_bind_span(stmt, 6, detail);
        s->last_loss.id = id;
        s->last_loss.session_id = session_id;
        s->last_loss.loss = loss;
        s->last_loss.at = at;
        s->last_loss.detail_hash = detail_hash;
    }
    s->now.losses[loss] += n;
    return db_done(s->db, stmt, err) == 0 ? 0 : store_roll_back(s, err);
}
