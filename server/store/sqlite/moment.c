/* The first record of a time: ids are given in the order in which records are stored, which is that in which they came but for
 * the turns that sessions take. So each table is halved until the place is found. */
#include "store/sqlite/rows.h"

#include <stdio.h>

struct timeline {
    const char *table, *id, *at;
};

/* The first row from that id on: 1, 0: there is none, -1. */
static int row_from(struct rows *r, const struct timeline *t, uint64_t from, uint64_t *id, int64_t *at,
                    struct err *err) {
    char sql[160];
    snprintf(sql, sizeof sql, "SELECT %s, %s FROM %s WHERE %s >= ? ORDER BY %s LIMIT 1", t->id, t->at,
             t->table, t->id, t->id);
    sqlite3_stmt *stmt = rows_statement(r, sql, err);
    if (!stmt)
        return -1;
    db_bind_id(stmt, 1, from);
    int got = db_row(r->db, stmt, err);
    if (got == 1) {
        *id = db_id(stmt, 0);
        *at = sqlite3_column_int64(stmt, 1);
    }
    rows_done(r, stmt);
    return got;
}

/* Lowers *first to the first row that came at wall_ns or later. */
static int halve(struct rows *r, const struct timeline *t, int64_t wall_ns, uint64_t last_id, uint64_t *first,
                 struct err *err) {
    uint64_t low = 0, high = last_id + 1, id = 0;
    int64_t at = 0;
    int got = 0;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        got = row_from(r, t, middle, &id, &at, err);
        if (got < 0)
            return -1;
        if (got == 0 || at >= wall_ns)
            high = middle;
        else
            low = id + 1;
    }
    got = row_from(r, t, low, &id, &at, err);
    if (got == 1 && at >= wall_ns && (*first == 0 || id < *first))
        *first = id;
    return got < 0 ? -1 : 0;
}

int rows_first_at(struct reader *reader, int64_t wall_ns, uint64_t *id, struct err *err) {
    static const struct timeline timelines[] = {
        {"arrival", "first_id", "received_at"}, {"event", "id", "received_at"},
        {"service_check", "id", "received_at"}, {"reject", "id", "received_at"},
        {"request", "id", "received_at"},       {"loss", "id", "at"}};
    uint64_t last_id;
    *id = 0;
    if (reader->ops->last_id(reader, &last_id, err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof timelines / sizeof timelines[0]; i++)
        if (halve((struct rows *)reader, &timelines[i], wall_ns, last_id, id, err) != 0)
            return -1;
    return 0;
}
