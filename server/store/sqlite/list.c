/* DESIGN. Each kind is a table, its columns and three words: which tags, does the name match, hand over the
 * row. With `newest`, a first pass downwards finds where the newest `limit` matches begin; the second reads
 * on from there. Series with certain names are read one by one, by the ids that named.c has found. */
#include "store/sqlite/rows.h"
#include <errno.h>

struct kind {
    const char *select; /* columns and tables; the first column is the id */
    struct rows_columns columns;
    int name_column, tags_column; /* -1: none */
    bool by_name;                 /* named.c finds its rows */
    /* Fills the row and calls back; the result is the callback's. */
    int (*emit)(struct rows *r, sqlite3_stmt *stmt, const struct rows_tags *tags, const void *call);
};

/* A row callback with its argument, whatever it takes. */
struct call {
    union {
        int (*series)(void *, const struct series_row *);
        int (*event)(void *, const struct event_row *);
        int (*check)(void *, const struct check_row *);
        int (*reject)(void *, const struct reject_row *);
        int (*request)(void *, const struct request_row *);
    };
    void *arg;
};

#define DAMAGED (-2)

/* Steps to the next row that matches: 1, 0: no more, -1. */
static int next_match(struct rows *r, sqlite3_stmt *stmt, const struct kind *kind, const struct filter *f,
                      struct rows_tags *tags, bool tags_wanted, struct err *err) {
    int got;
    while ((got = db_row(r->db, stmt, err)) == 1) {
        if (kind->name_column >= 0 && !rows_name_matches(f, db_span(stmt, kind->name_column)))
            continue;
        if (kind->tags_column >= 0 && (tags_wanted || f->n_tags > 0)) {
            if (rows_tags(tags, db_span(stmt, kind->tags_column), err) != 0)
                return -1;
            if (!rows_tags_match(f, tags))
                continue;
        }
        return 1;
    }
    return got;
}

enum order { UP, DOWN, ONE };

/* From the row of that id on, up or down, or that row alone. */
static sqlite3_stmt *prepare(struct rows *r, const struct kind *kind, const struct rows_where *w,
                             uint64_t from, enum order order, struct err *err) {
    struct buf sql = {.max = 16384};
    buf_str(&sql, kind->select);
    buf_span(&sql, buf_view(&w->sql));
    buf_printf(&sql, "%s %s %s ?%d", w->sql.n ? " AND" : " WHERE", kind->columns.id,
               order == ONE ? "=" : ">=", w->n + 1);
    if (order != ONE)
        buf_printf(&sql, " ORDER BY %s%s", kind->columns.id, order == DOWN ? " DESC" : "");
    sqlite3_stmt *stmt = sql.failed ? NULL : rows_statement(r, sql.p, err);
    buf_free(&sql);
    if (!stmt) {
        err_set(err, ENOMEM, "cannot read the recording");
        return NULL;
    }
    rows_where_bind(w, stmt);
    db_bind_id(stmt, w->n + 1, from);
    return stmt;
}

/* Where the newest `limit` matches begin. */
static int find_start(struct rows *r, const struct kind *kind, const struct filter *f,
                      const struct rows_where *w, struct rows_tags *tags, uint64_t *from, struct err *err) {
    sqlite3_stmt *stmt = prepare(r, kind, w, 0, DOWN, err);
    if (!stmt)
        return -1;
    int got = 0;
    for (uint64_t n = 0; n < f->limit && (got = next_match(r, stmt, kind, f, tags, false, err)) == 1; n++)
        *from = db_id(stmt, 0);
    rows_done(r, stmt);
    return got < 0 ? -1 : 0;
}

static int read_matches(struct rows *r, const struct kind *kind, const struct filter *f,
                        const struct rows_where *w, struct rows_tags *tags, const struct call *call,
                        struct err *err) {
    uint64_t from = 0;
    if (f->limit && f->newest && find_start(r, kind, f, w, tags, &from, err) != 0)
        return -1;
    sqlite3_stmt *stmt = prepare(r, kind, w, from, UP, err);
    if (!stmt)
        return -1;
    int got = 0;
    for (uint64_t n = 0;
         (!f->limit || n < f->limit) && (got = next_match(r, stmt, kind, f, tags, true, err)) == 1; n++) {
        int stop = kind->emit(r, stmt, tags, call);
        if (stop == DAMAGED)
            got = rows_damaged(err);
        if (stop)
            break;
    }
    rows_done(r, stmt);
    return got < 0 ? -1 : 0;
}

/* The rows of these ids. */
static int read_ids(struct rows *r, const struct kind *kind, const struct filter *f,
                    const struct rows_where *w, const struct rows_ids *ids, struct rows_tags *tags,
                    const struct call *call, struct err *err) {
    sqlite3_stmt *stmt = prepare(r, kind, w, 0, ONE, err);
    if (!stmt)
        return -1;
    uint64_t n = 0;
    int got = 0, stop = 0;
    for (size_t i = 0; i < ids->n && !stop && got >= 0 && (!f->limit || n < f->limit); i++) {
        sqlite3_reset(stmt);
        db_bind_id(stmt, w->n + 1, ids->list[i]);
        got = next_match(r, stmt, kind, f, tags, true, err);
        if (got == 1) {
            n++;
            stop = kind->emit(r, stmt, tags, call);
        }
        if (stop == DAMAGED)
            got = rows_damaged(err);
    }
    rows_done(r, stmt);
    return got < 0 ? -1 : 0;
}

static int read_named(struct rows *r, const struct kind *kind, const struct filter *f,
                      const struct rows_where *w, struct rows_tags *tags, const struct call *call,
                      struct err *err) {
    struct rows_ids ids = {0};
    int result = rows_named(r, f, &ids, err);
    if (result == 0)
        result = ids.all ? read_matches(r, kind, f, w, tags, call, err)
                         : read_ids(r, kind, f, w, &ids, tags, call, err);
    rows_ids_free(&ids);
    return result;
}

static int read_kind(struct reader *reader, const struct kind *kind, const struct filter *f, struct call call,
                     struct err *err) {
    struct rows_where w;
    struct rows_tags tags = {0};
    int result = 0;
    rows_where(&w, f, &kind->columns);
    if (!w.nothing)
        result = (kind->by_name && rows_by_name(f) ? read_named : read_matches)((struct rows *)reader, kind,
                                                                                f, &w, &tags, &call, err);
    buf_free(&w.sql);
    rows_tags_free(&tags);
    return result;
}

/* Columns session, received_at, source at 1, 2, 3 are the same of all records. */
static enum source source_at(sqlite3_stmt *stmt, int column) {
    int source = sqlite3_column_int(stmt, column);
    return source >= 0 && source < SOURCE_N ? (enum source)source : SOURCE_UDP;
}

/* --- series ------------------------------------------------------------------------------------ */

static int emit_series(struct rows *r, sqlite3_stmt *stmt, const struct rows_tags *tags, const void *p) {
    (void)r;
    const struct call *call = p;
    int type = sqlite3_column_int(stmt, 3);
    if (type < 0 || type >= METRIC_N_TYPES)
        return DAMAGED;
    struct series_row row = {.id = db_id(stmt, 0),
                             .session = db_span(stmt, 1),
                             .name = db_span(stmt, 2),
                             .type = (enum metric_type)type,
                             .n_tags = tags->n,
                             .tags = tags->tags,
                             .host = db_span(stmt, 5),
                             .device = db_span(stmt, 6),
                             .samples = db_id(stmt, 7),
                             .count = db_number(stmt, 8),
                             .sum = db_number(stmt, 9),
                             .min = db_number(stmt, 10),
                             .max = db_number(stmt, 11),
                             .last = db_number(stmt, 12),
                             .first_at = sqlite3_column_int64(stmt, 13),
                             .last_at = sqlite3_column_int64(stmt, 14),
                             .first_id = db_id(stmt, 15),
                             .last_id = db_id(stmt, 16),
                             .sampled = sqlite3_column_int(stmt, 17) != 0,
                             .fall_known = sqlite3_column_type(stmt, 18) != SQLITE_NULL,
                             .fell_id = db_id(stmt, 18)};
    return call->series(call->arg, &row) ? 1 : 0;
}

static const struct kind series_kind = {
    .select =
        "SELECT m.id, s.name, m.name, m.type, m.tags, m.host, m.device, y.samples, y.count, y.sum, y.min, y.max, y.last,"
        " y.first_at, y.last_at, y.first_id, y.last_id, y.sampled, y.fell_id FROM metric m CROSS JOIN summary y"
        " ON y.metric_id = m.id CROSS JOIN session s ON s.id = m.session_id",
    .columns = {.id = "m.id",
                .session_id = "m.session_id",
                .name = "m.name",
                .type = "m.type",
                .series_id = "m.id",
                .remarks = ROWS_SERIES_REMARKS,
                .sampled = "y.sampled",
                .has_tags = true,
                .has_names = true,
                .all_ids = true},
    .name_column = 2,
    .tags_column = 4,
    .by_name = true,
    .emit = emit_series,
};

int rows_series(struct reader *reader, const struct filter *f, int (*row)(void *, const struct series_row *),
                void *arg, struct err *err) {
    struct filter without = *f; /* a series has no source of its own */
    without.has_source = false;
    if (rows_one_type((struct rows *)reader, &without, err) != 0)
        return -1;
    return read_kind(reader, &series_kind, &without, (struct call){.series = row, .arg = arg}, err);
}

/* --- events ------------------------------------------------------------------------------------ */

static int emit_event(struct rows *r, sqlite3_stmt *stmt, const struct rows_tags *tags, const void *p) {
    const struct call *call = p;
    struct event_row row = {
        .id = db_id(stmt, 0),
        .session = db_span(stmt, 1),
        .received_at = sqlite3_column_int64(stmt, 2),
        .source = source_at(stmt, 3),
        .event = {.title = db_span(stmt, 4),
                  .text = db_span(stmt, 5),
                  .timestamp = sqlite3_column_int64(stmt, 6),
                  .aggregation_key = db_span(stmt, 7),
                  .priority = db_span(stmt, 8),
                  .alert_type = db_span(stmt, 9),
                  .source_type_name = db_span(stmt, 10),
                  .n_tags = tags->n,
                  .tags = tags->tags},
    };
    if (rows_remarks(&r->remarks, db_span(stmt, 19), db_span(stmt, 20), &(struct err){0}) != 0)
        return DAMAGED;
    row.event.remarks = r->remarks.remarks.n ? &r->remarks.remarks : NULL;
    row.event.origin.host = db_span(stmt, 12);
    rows_origin(stmt, 13, &row.event.origin);
    return call->event(call->arg, &row) ? 1 : 0;
}

static const struct kind event_kind = {
    .select =
        "SELECT e.id, s.name, e.received_at, e.source, e.title, e.text, e.timestamp, e.aggregation_key, e.priority,"
        " e.alert_type, e.source_type_name, e.tags, e.host, e.container_id, e.external_data, e.cardinality, e.entity_id,"
        " e.jmx_check_name, e.inode, e.remarks, e.line FROM event e CROSS JOIN session s ON s.id = e.session_id",
    .columns = {.id = "e.id",
                .session_id = "e.session_id",
                .name = "e.title",
                .source = "e.source",
                .remarks = "e.remarks",
                .has_tags = true},
    .name_column = 4,
    .tags_column = 11,
    .emit = emit_event,
};

int rows_events(struct reader *reader, const struct filter *f, int (*row)(void *, const struct event_row *),
                void *arg, struct err *err) {
    return read_kind(reader, &event_kind, f, (struct call){.event = row, .arg = arg}, err);
}

/* --- service checks ---------------------------------------------------------------------------- */

static int emit_check(struct rows *r, sqlite3_stmt *stmt, const struct rows_tags *tags, const void *p) {
    const struct call *call = p;
    struct check_row row = {
        .id = db_id(stmt, 0),
        .session = db_span(stmt, 1),
        .received_at = sqlite3_column_int64(stmt, 2),
        .source = source_at(stmt, 3),
        .check = {.name = db_span(stmt, 4),
                  .status = sqlite3_column_int(stmt, 5),
                  .message = db_span(stmt, 6),
                  .timestamp = sqlite3_column_int64(stmt, 7),
                  .n_tags = tags->n,
                  .tags = tags->tags},
    };
    if (rows_remarks(&r->remarks, db_span(stmt, 16), db_span(stmt, 17), &(struct err){0}) != 0)
        return DAMAGED;
    row.check.remarks = r->remarks.remarks.n ? &r->remarks.remarks : NULL;
    row.check.origin.host = db_span(stmt, 9);
    rows_origin(stmt, 10, &row.check.origin);
    return call->check(call->arg, &row) ? 1 : 0;
}

static const struct kind check_kind = {
    .select =
        "SELECT c.id, s.name, c.received_at, c.source, c.name, c.status, c.message, c.timestamp, c.tags, c.host,"
        " c.container_id, c.external_data, c.cardinality, c.entity_id, c.jmx_check_name, c.inode,"
        " c.remarks, c.line"
        " FROM service_check c CROSS JOIN session s ON s.id = c.session_id",
    .columns = {.id = "c.id",
                .session_id = "c.session_id",
                .name = "c.name",
                .source = "c.source",
                .remarks = "c.remarks",
                .has_tags = true},
    .name_column = 4,
    .tags_column = 8,
    .emit = emit_check,
};

int rows_checks(struct reader *reader, const struct filter *f, int (*row)(void *, const struct check_row *),
                void *arg, struct err *err) {
    return read_kind(reader, &check_kind, f, (struct call){.check = row, .arg = arg}, err);
}

/* --- rejects ----------------------------------------------------------------------------------- */

static int emit_reject(struct rows *r, sqlite3_stmt *stmt, const struct rows_tags *tags, const void *p) {
    (void)r, (void)tags;
    const struct call *call = p;
    int reason = reason_of(db_span(stmt, 5));
    if (reason < 0)
        return DAMAGED;
    struct reject_row row = {
        .id = db_id(stmt, 0),
        .session = db_span(stmt, 1),
        .received_at = sqlite3_column_int64(stmt, 2),
        .source = source_at(stmt, 3),
        .reject = {.name = db_span(stmt, 4),
                   .reason = (enum reason)reason,
                   .family = db_span(stmt, 6),
                   .text = db_span(stmt, 7),
                   .offset = (size_t)db_id(stmt, 8),
                   .detail = db_span(stmt, 9)},
    };
    return call->reject(call->arg, &row) ? 1 : 0;
}

static const struct kind reject_kind = {
    .select =
        "SELECT r.id, s.name, r.received_at, r.source, r.name, r.reason, r.family, r.text, r.offset, r.detail"
        " FROM reject r CROSS JOIN session s ON s.id = r.session_id",
    .columns = {.id = "r.id", .session_id = "r.session_id", .name = "r.name", .source = "r.source"},
    .name_column = 4,
    .tags_column = -1,
    .emit = emit_reject,
};

int rows_rejects(struct reader *reader, const struct filter *f, int (*row)(void *, const struct reject_row *),
                 void *arg, struct err *err) {
    return read_kind(reader, &reject_kind, f, (struct call){.reject = row, .arg = arg}, err);
}

/* --- requests ---------------------------------------------------------------------------------- */

static int emit_request(struct rows *r, sqlite3_stmt *stmt, const struct rows_tags *tags, const void *p) {
    (void)r, (void)tags;
    const struct call *call = p;
    struct request_row row = {
        .id = db_id(stmt, 0),
        .session = db_span(stmt, 1),
        .received_at = sqlite3_column_int64(stmt, 2),
        .request = {.method = db_span(stmt, 4),
                    .path = db_span(stmt, 5),
                    .query = db_span(stmt, 6),
                    .status = sqlite3_column_int(stmt, 7),
                    .wire_bytes = db_id(stmt, 8),
                    .body_bytes = db_id(stmt, 9),
                    .encoding = db_span(stmt, 10),
                    .content_type = db_span(stmt, 11),
                    .user_agent = db_span(stmt, 12),
                    .api_key = db_span(stmt, 13),
                    .body = db_span(stmt, 14),
                    .note = db_span(stmt, 15)},
    };
    return call->request(call->arg, &row) ? 1 : 0;
}

static const struct kind request_kind = {
    .select =
        "SELECT q.id, s.name, q.received_at, q.source, q.method, q.path, q.query, q.status, q.wire_bytes, q.body_bytes,"
        " q.encoding, q.content_type, q.user_agent, q.api_key,"
        " coalesce(q.body, (SELECT bytes FROM payload p WHERE p.id = q.id)), q.note"
        " FROM request q CROSS JOIN session s ON s.id = q.session_id",
    .columns = {.id = "q.id",
                .session_id = "q.session_id",
                .name = "q.path",
                .source = "q.source",
                .method = "q.method",
                .status = "q.status"},
    .name_column = 5,
    .tags_column = -1,
    .emit = emit_request,
};

int rows_requests(struct reader *reader, const struct filter *f,
                  int (*row)(void *, const struct request_row *), void *arg, struct err *err) {
    return read_kind(reader, &request_kind, f, (struct call){.request = row, .arg = arg}, err);
}
