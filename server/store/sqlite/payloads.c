/* What was kept byte for byte: bodies of requests, and datagrams. */
#include "store/sqlite/rows.h"

#define SESSION_IS(column) column " = (SELECT id FROM session WHERE name = ?1)"

/* Sets ?1 session, ?2 since, ?3 until, ?4 limit. */
static sqlite3_stmt *bounded(struct rows *r, const char *sql, const struct filter *f, struct err *err) {
    sqlite3_stmt *stmt = rows_statement(r, sql, err);
    if (!stmt)
        return NULL;
    db_bind_span(stmt, 1, f->session);
    db_bind_id(stmt, 2, f->since);
    sqlite3_bind_int64(stmt, 3, f->until ? (int64_t)f->until : INT64_MAX);
    sqlite3_bind_int64(stmt, 4, f->limit ? (int64_t)f->limit : -1);
    return stmt;
}

/* --- bodies ------------------------------------------------------------------------------------ */

#define PAYLOADS                                                                                             \
    "SELECT p.id, p.received_at, s.name, q.method, q.query, q.encoding, q.content_type, p.path, p.api_key,"  \
    " p.headers, p.bytes FROM payload p CROSS JOIN request q ON q.id = p.id"                                 \
    " CROSS JOIN session s ON s.id = p.session_id WHERE "
#define PAYLOADS_END " AND p.id > ?2 AND p.id <= ?3 ORDER BY p.id LIMIT ?4"

int rows_payloads(struct reader *reader, const struct filter *f,
                  int (*row)(void *, const struct payload_row *), void *arg, struct err *err) {
    struct rows *r = (struct rows *)reader;
    const char *sql = f->name.p      ? PAYLOADS SESSION_IS("p.session_id") " AND p.path = ?5" PAYLOADS_END
                      : f->session.p ? PAYLOADS SESSION_IS("+p.session_id") PAYLOADS_END
                                     : PAYLOADS "?1 IS NULL" PAYLOADS_END;
    sqlite3_stmt *stmt = bounded(r, sql, f, err);
    if (!stmt)
        return -1;
    if (f->name.p)
        db_bind_span(stmt, 5, f->name);
    int got;
    while ((got = db_row(r->db, stmt, err)) == 1) {
        const struct payload_row payload = {.id = db_id(stmt, 0),
                                            .received_at = sqlite3_column_int64(stmt, 1),
                                            .session = db_span(stmt, 2),
                                            .method = db_span(stmt, 3),
                                            .query = db_span(stmt, 4),
                                            .encoding = db_span(stmt, 5),
                                            .content_type = db_span(stmt, 6),
                                            .payload = {.path = db_span(stmt, 7),
                                                        .api_key = db_span(stmt, 8),
                                                        .headers = db_span(stmt, 9),
                                                        .bytes = db_span(stmt, 10)}};
        if (row(arg, &payload))
            break;
    }
    rows_done(r, stmt);
    return got < 0 ? -1 : 0;
}

int rows_posted(struct reader *reader, struct span session, bool payloads,
                int (*row)(void *, const struct posted_row *), void *arg, struct err *err) {
    struct rows *r = (struct rows *)reader;
    sqlite3_stmt *stmt =
        rows_statement(r,
                       payloads ? "SELECT path, count(*) FROM payload WHERE " SESSION_IS(
                                      "session_id") " GROUP BY path ORDER BY path"
                                : "SELECT path, count(*) FROM request WHERE " SESSION_IS(
                                      "session_id") " AND method = 'POST' GROUP BY path ORDER BY path",
                       err);
    if (!stmt)
        return -1;
    db_bind_span(stmt, 1, session);
    int got;
    while ((got = db_row(r->db, stmt, err)) == 1) {
        const struct posted_row posted = {db_span(stmt, 0), db_id(stmt, 1)};
        if (row(arg, &posted))
            break;
    }
    rows_done(r, stmt);
    return got < 0 ? -1 : 0;
}

/* --- datagrams --------------------------------------------------------------------------------- */

#define DATAGRAMS                                                                                            \
    "SELECT d.id, d.received_at, d.source, s.name, d.after_id, d.bytes FROM datagram d"                      \
    " CROSS JOIN session s ON s.id = d.session_id WHERE (?1 IS NULL OR " SESSION_IS("d.session_id") ")"
#define DATAGRAMS_END " AND (?5 < 0 OR d.source = ?5) AND d.id > ?6"

/* The newest of those before a record; of several that hold nothing, the last one. */
#define DATAGRAM_OF                                                                                          \
    "SELECT d.id, d.received_at, d.source, s.name, d.after_id, d.bytes FROM datagram d"                      \
    " CROSS JOIN session s ON s.id = d.session_id WHERE d.after_id < ?6 ORDER BY d.after_id DESC, d.id DESC LIMIT 1"

int rows_datagrams(struct reader *reader, const struct filter *f,
                   int (*row)(void *, const struct datagram_row *), void *arg, struct err *err) {
    struct rows *r = (struct rows *)reader;
    const char *sql = f->series_id ? DATAGRAM_OF
                      : f->newest  ? "SELECT * FROM (" DATAGRAMS
                                    " AND d.after_id >= ?2 AND d.after_id < ?3" DATAGRAMS_END
                                    " ORDER BY d.id DESC LIMIT ?4) ORDER BY 1"
                                  : DATAGRAMS " AND d.after_id >= ?2 AND d.after_id < ?3" DATAGRAMS_END
                                              " ORDER BY d.id LIMIT ?4";
    sqlite3_stmt *stmt = f->series_id ? rows_statement(r, sql, err) : bounded(r, sql, f, err);
    if (!stmt)
        return -1;
    db_bind_id(stmt, 6, f->series_id ? f->series_id : f->after_series);
    if (!f->series_id)
        sqlite3_bind_int(stmt, 5, f->has_source ? (int)f->source : -1);
    int got;
    while ((got = db_row(r->db, stmt, err)) == 1) {
        int source = sqlite3_column_int(stmt, 2);
        const struct datagram_row datagram = {.id = db_id(stmt, 0),
                                              .received_at = sqlite3_column_int64(stmt, 1),
                                              .source = source >= 0 && source < SOURCE_N ? (enum source)source
                                                                                         : SOURCE_UDP,
                                              .session = db_span(stmt, 3),
                                              .after_id = db_id(stmt, 4),
                                              .bytes = db_span(stmt, 5)};
        if (row(arg, &datagram))
            break;
    }
    rows_done(r, stmt);
    return got < 0 ? -1 : 0;
}
