/* Small words over sqlite3: every SQL call of the store goes through these, so errors read the same
 * everywhere.
 *
 * Ownership: as sqlite3.
 * Errors: -1 with err, which names what the system said (a full disk becomes ENOSPC in err->sys).
 */
#ifndef STORE_SQLITE_DB_H
#define STORE_SQLITE_DB_H

#include "core/err.h"
#include "core/span.h"
#include <sqlite3.h>
#include <stdint.h>

/* Before the first connection of the process: a connection that does little then costs little memory, and the locks on the index
 * of a log are each connection's own. Later calls do nothing. */
void db_settings(void);
/* Fills err from the connection's last error; always -1. */
int db_fail(sqlite3 *db, struct err *err, const char *doing);
/* Runs statements without results. */
int db_run(sqlite3 *db, const char *sql, struct err *err);
sqlite3_stmt *db_prepare(sqlite3 *db, const char *sql, struct err *err);
/* Steps a statement that returns no row, and makes it ready for the next time. */
int db_done(sqlite3 *db, sqlite3_stmt *stmt, struct err *err);
/* 1: a row, 0: no more (the statement is reset), -1. */
int db_row(sqlite3 *db, sqlite3_stmt *stmt, struct err *err);
/* The first column of the first row, `none` without one. */
int db_int(sqlite3 *db, const char *sql, int64_t none, int64_t *value, struct err *err);

/* {NULL, 0} is NULL. Not copied: must live until the step. */
void db_bind_span(sqlite3_stmt *stmt, int at, struct span s);
static inline void db_bind_id(sqlite3_stmt *stmt, int at, uint64_t id) {
    sqlite3_bind_int64(stmt, at, (sqlite3_int64)id);
}

/* Columns; valid until the next step. */
struct span db_span(sqlite3_stmt *stmt, int column);
double db_number(sqlite3_stmt *stmt, int column); /* NULL is NaN */
static inline uint64_t db_id(sqlite3_stmt *stmt, int column) {
    return (uint64_t)sqlite3_column_int64(stmt, column);
}

/* Joins `context` x and `metric` m to the spelling of this id. One without a row in `context` is the series' own: then the two ids are the same,
 * and x is NULL. */
#define DB_SPELLING(id)                                                                                      \
    " LEFT JOIN context x ON x.id = " id " CROSS JOIN metric m ON m.id = coalesce(x.metric_id, " id ")"

#endif
