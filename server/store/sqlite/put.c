/* Records into the slice (metrics) or rows of their own (everything else). */
#include "core/clock.h"
#include "core/stray.h"
#include "store/sqlite/private.h"
#include <errno.h>
#include <math.h>

static uint64_t next_id(struct store *s) {
    s->pending++;
    return ++s->last_id;
}

/* --- records ----------------------------------------------------------------------------------- */

static int put_value(struct store *s, uint32_t ix, const struct metric *m, const struct value *v,
                     struct err *err) {
    uint64_t id = next_id(s);
    if (!slice_has_room(&s->slice, id, s->slice_ids) && store_flush(s, err) != 0)
        return -1;
    if (!store_put_value(s, id, ix, m, v, &s->arrival.when))
        return err_set(err, ENOMEM, "cannot record");
    s->now.samples++;
    s->now.received_samples++;
    return 0;
}

static int put_metric(struct store *s, const struct metric *m, size_t n, const struct value *values,
                      struct err *err) {
    uint32_t ix;
    if (store_identify(s, m, &ix, err) != 0)
        return -1;
    if (ix == INTERN_NONE) {
        s->arrival.session->n_refused += n;
        s->pending += n; /* as the loss that tells of them is */
        s->now.received_samples += n;
        s->arrival.counted += n;
        s->refused = true;
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        if (put_value(s, ix, m, &values[i], err) != 0)
            return -1;
    return 0;
}

static void bind_common(struct store *s, sqlite3_stmt *stmt) {
    s->rows = true;
    db_bind_id(stmt, 1, next_id(s));
    db_bind_id(stmt, 2, s->arrival.session_id);
    sqlite3_bind_int64(stmt, 3, s->arrival.when.received_at);
    sqlite3_bind_int(stmt, 4, (int)s->arrival.when.source);
}

/* Parameters `at` and the next. The texts live in s->key until the statement is done. */
static int bind_remarks(struct store *s, sqlite3_stmt *stmt, int at, const struct remarks *r,
                        struct err *err) {
    struct span json;
    if (store_remarks_json(&s->key, r, &json, err) != 0)
        return -1;
    db_bind_span(stmt, at, json);
    db_bind_span(stmt, at + 1, store_remarks_line(r));
    return 0;
}

static int put_event(struct store *s, const struct event *e, struct err *err) {
    struct span tags;
    sqlite3_stmt *stmt = s->sql[SQL_EVENT];
    bind_common(s, stmt);
    if (store_json_tags(&s->tags, e->n_tags, e->tags, &tags, err) != 0)
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
    store_bind_origin(stmt, 14, &e->origin);
    if (bind_remarks(s, stmt, 20, e->remarks, err) != 0)
        return -1;
    s->now.events++;
    s->arrival.session->held.events++;
    return db_done(s->db, stmt, err);
}

static int put_check(struct store *s, const struct service_check *c, struct err *err) {
    struct span tags;
    sqlite3_stmt *stmt = s->sql[SQL_CHECK];
    bind_common(s, stmt);
    if (store_json_tags(&s->tags, c->n_tags, c->tags, &tags, err) != 0)
        return -1;
    db_bind_span(stmt, 5, c->name.p ? c->name : SPAN(""));
    sqlite3_bind_int(stmt, 6, c->status);
    db_bind_span(stmt, 7, c->message);
    sqlite3_bind_int64(stmt, 8, c->timestamp);
    db_bind_span(stmt, 9, tags);
    db_bind_span(stmt, 10, c->origin.host);
    store_bind_origin(stmt, 11, &c->origin);
    if (bind_remarks(s, stmt, 17, c->remarks, err) != 0)
        return -1;
    s->now.checks++;
    s->arrival.session->held.checks++;
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
    s->arrival.session->held.rejects++;
    return db_done(s->db, stmt, err);
}

int store_arrival(struct store *s, uint64_t session_id, enum source source, int64_t received_at,
                  struct err *err) {
    (void)err;
    if (s->arrival.session_id != session_id || !s->arrival.session) {
        store_count_samples(s);
        s->arrival.session_id = session_id;
        s->arrival.session = store_find_session(s, session_id);
    }
    s->arrival.when.source = source;
    s->arrival.when.received_at = received_at;
    return 0;
}

int store_put_values(struct store *s, const struct metric *metric, size_t n, const struct value *values,
                     struct err *err) {
    if (!s->open_transaction && store_begin(s, err) != 0)
        return -1;
    if (!s->arrival.session)
        return 0;
    return put_metric(s, metric, n, values, err) == 0 ? 0 : store_roll_back(s, err);
}

/* Apart: what it keeps on the stack would cost each metric. */
__attribute__((noinline)) static int put_other(struct store *s, const struct record *record,
                                               struct err *err) {
    if (store_begin(s, err) != 0)
        return -1;
    if (!s->arrival.session)
        return 0;
    int result = -1;
    switch (record->kind) {
    case RECORD_EVENT:
        result = put_event(s, &record->event, err);
        break;
    case RECORD_SERVICE_CHECK:
        result = put_check(s, &record->check, err);
        break;
    case RECORD_REJECT:
        result = put_reject(s, &record->reject, err);
        break;
    case RECORD_METRIC:
        break;
    }
    return result == 0 ? 0 : store_roll_back(s, err);
}

int store_put(struct store *s, const struct record *record, struct err *err) {
    const struct metric *m = &record->metric;
    return record->kind == RECORD_METRIC ? store_put_values(s, m, m->n_values, m->values, err)
                                         : put_other(s, record, err);
}

/* Of the request that was put last. */
static int put_payload(struct store *s, const struct posted_body *p, struct err *err) {
    sqlite3_stmt *stmt = s->sql[SQL_PAYLOAD];
    s->rows = true;
    db_bind_id(stmt, 1, s->last_id);
    db_bind_id(stmt, 2, s->arrival.session_id);
    sqlite3_bind_int64(stmt, 3, s->arrival.when.received_at);
    db_bind_span(stmt, 4, p->path);
    db_bind_span(stmt, 5, p->api_key);
    db_bind_span(stmt, 6, p->headers);
    sqlite3_bind_blob64(stmt, 7, p->bytes.n ? p->bytes.p : "", p->bytes.n, SQLITE_STATIC);
    s->now.payloads++;
    s->now.payload_bytes += p->bytes.n;
    return db_done(s->db, stmt, err);
}

int store_request(struct store *s, const struct request *r, struct err *err) {
    if (store_begin(s, err) != 0)
        return -1;
    if (!s->arrival.session)
        return 0;
    s->now.requests++;
    if (store_add_request(s, next_id(s), r, err) != 0 || (r->payload && put_payload(s, r->payload, err) != 0))
        return store_roll_back(s, err);
    return 0;
}

/* The commit writes it down. */
static void note_large(struct store *s, size_t n) {
    bool over_agent = n > DATAGRAM_AGENT_MAX;
    if (!s->arrival.session || (!over_agent && s->arrival.when.source != SOURCE_UDP))
        return;
    s->arrival.session->large[over_agent].n++;
    s->arrival.session->large[over_agent].last_id = s->last_id + 1;
    if (n > s->arrival.session->large[over_agent].largest)
        s->arrival.session->large[over_agent].largest = n;
    s->large = true;
}

bool store_keeps_datagrams(const struct store *s) {
    return s->options.keep_datagrams;
}

int store_datagram(struct store *s, struct span bytes, struct err *err) {
    if (bytes.n > DATAGRAM_PACKET_MAX)
        note_large(s, bytes.n);
    if (!s->options.keep_datagrams)
        return 0;
    if (store_begin(s, err) != 0)
        return -1;
    if (!s->arrival.session)
        return 0;
    sqlite3_stmt *stmt = s->sql[SQL_DATAGRAM];
    s->rows = true;
    db_bind_id(stmt, 1, s->arrival.session_id);
    sqlite3_bind_int64(stmt, 2, s->arrival.when.received_at);
    sqlite3_bind_int(stmt, 3, (int)s->arrival.when.source);
    db_bind_id(stmt, 4, s->last_id);
    sqlite3_bind_blob64(stmt, 5, bytes.n ? bytes.p : "", bytes.n, SQLITE_STATIC);
    s->now.datagrams++;
    return db_done(s->db, stmt, err) == 0 ? 0 : store_roll_back(s, err);
}
