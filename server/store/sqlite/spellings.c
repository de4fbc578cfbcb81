/* The spellings of series: contexts, without a look at their samples. The oldest of a series may have no row of its own. */
#include "store/sqlite/rows.h"

/* Whether the series, whose newest chunk is `head`, has a chunk of this context behind `since`: 1, 0, -1. A mark falls between two
 * commits and a chunk never lies over one, so a chunk's id tells. */
static int came_after(struct rows *r, uint64_t head, uint64_t context_id, uint64_t since, struct err *err) {
    sqlite3_stmt *stmt = rows_statement(r, "SELECT prev, context_id FROM chunk WHERE id = ?", err);
    if (!stmt)
        return -1;
    int result = 0;
    for (uint64_t id = head; id > since && result == 0;) {
        db_bind_id(stmt, 1, id);
        int got = db_row(r->db, stmt, err);
        if (got != 1) { /* 0: evicted, the chain ends here */
            result = got;
            break;
        }
        result = db_id(stmt, 1) == context_id;
        uint64_t prev = db_id(stmt, 0);
        sqlite3_reset(stmt);
        if (prev >= id)
            result = rows_damaged(err);
        id = prev;
    }
    rows_done(r, stmt);
    return result;
}

/* Hands out the spelling of the statement's row if it is asked for. As a row callback, or -1. */
static int take_spelling(struct rows *r, sqlite3_stmt *stmt, uint64_t context_id, const struct filter *f,
                         struct rows_tags *tags, int (*row)(void *, const struct spelling_row *), void *arg,
                         struct err *err) {
    if (!rows_name_matches(f, db_span(stmt, 4)))
        return 0;
    if (f->n_tags > 0) {
        if (rows_tags(tags, db_span(stmt, 5), err) != 0)
            return -1;
        if (!rows_tags_match(f, tags))
            return 0;
    }
    if (db_id(stmt, 2) <= f->since) { /* the series had begun: this spelling may be older */
        int after = came_after(r, db_id(stmt, 3), context_id, f->since, err);
        if (after != 1)
            return after;
    }
    struct rows_spelling *spelling = rows_spelling(r, context_id, err);
    if (!spelling)
        return -1;
    if ((f->remarked && !spelling->metric.remarks) || (f->sampled && spelling->metric.sample_rate == 1))
        return 0;
    return row(arg, &(struct spelling_row){context_id, spelling->series_id, spelling->session,
                                           &spelling->metric}) != 0;
}

/* The next row: that of a spelling, or, first, of a series that has one without a row. */
static int take_row(struct rows *r, sqlite3_stmt *stmt, const struct filter *f, struct rows_tags *tags,
                    uint64_t *series_id, int (*row)(void *, const struct spelling_row *), void *arg,
                    struct err *err) {
    int result = 0;
    bool own = sqlite3_column_int(stmt, 6) && !f->remarked && !f->sampled; /* it has neither */
    if (own && db_id(stmt, 1) != *series_id)
        result = take_spelling(r, stmt, db_id(stmt, 1), f, tags, row, arg, err);
    *series_id = db_id(stmt, 1);
    if (result == 0 && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
        result = take_spelling(r, stmt, db_id(stmt, 0), f, tags, row, arg, err);
    return result;
}

int rows_spellings(struct reader *reader, const struct filter *f,
                   int (*row)(void *, const struct spelling_row *), void *arg, struct err *err) {
    static const struct rows_columns columns = {.id = "m.id",
                                                .session_id = "m.session_id",
                                                .name = "m.name",
                                                .type = "m.type",
                                                .series_id = "m.id",
                                                .remarks = "x.remarks",
                                                .sampled = "y.sampled",
                                                .has_tags = true,
                                                .all_ids = true};
    struct rows *r = (struct rows *)reader;
    struct filter of_series = *f; /* a spelling has no source of its own */
    of_series.has_source = false;
    struct rows_where w;
    rows_where(&w, &of_series, &columns);
    struct buf sql = {.max = 16384};
    buf_str(&sql, "SELECT x.id, m.id, y.first_id, y.last_chunk, m.name, m.tags, m.spelling IS NOT NULL"
                  " FROM metric m CROSS JOIN summary y ON y.metric_id = m.id"
                  " LEFT JOIN context x ON x.metric_id = m.id");
    buf_span(&sql, buf_view(&w.sql));
    buf_str(&sql, " ORDER BY m.id");
    sqlite3_stmt *stmt = sql.failed ? NULL : rows_statement(r, sql.p, err);
    struct rows_tags tags = {0};
    uint64_t series_id = 0;
    int got = -1, result = 0;
    if (stmt) {
        rows_where_bind(&w, stmt);
        while (result == 0 && (got = db_row(r->db, stmt, err)) == 1)
            result = take_row(r, stmt, f, &tags, &series_id, row, arg, err);
        rows_done(r, stmt);
    }
    buf_free(&sql);
    buf_free(&w.sql);
    rows_tags_free(&tags);
    return got < 0 || result < 0 ? -1 : 0;
}
