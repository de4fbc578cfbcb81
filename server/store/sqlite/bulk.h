/* Rows that stand in memory go into a table with one statement, however many they are:
 *
 *     INSERT INTO t (a, b) SELECT c0, c1 FROM feed
 *
 * `feed` is a table that exists only for the connection that it was registered with. Cheaper than a statement for each
 * row, which starts and ends every time, and than binding the rows of a long VALUES.
 *
 * Ownership: the struct is the caller's and must outlive the connection. What a row's texts point to must hold until the next
 * row is asked for.
 * Threads: the connection's.
 * Errors: -1 with err; a row function that returns false is out of memory.
 */
#ifndef STORE_SQLITE_BULK_H
#define STORE_SQLITE_BULK_H

#include "core/arena.h"
#include "store/sqlite/db.h"
#include <stdbool.h>

#define FEED_COLUMNS 17

struct bulk_value {
    enum { FEED_INTEGER, FEED_NUMBER, FEED_TEXT, FEED_BLOB } kind;
    union {
        int64_t integer;
        double number;    /* NaN is NULL */
        struct span text; /* {NULL, 0} is NULL */
    };
};

struct bulk {
    size_t n;
    /* Fills the values of row i; called once for each row, in order. */
    bool (*row)(void *arg, size_t i, struct bulk_value *values);
    void *arg;
    struct bulk_value values[FEED_COLUMNS];
};

int bulk_register(sqlite3 *db, struct bulk *feed, struct err *err);
/* Runs the statement over n rows; none: does nothing. */
int bulk_run(sqlite3 *db, sqlite3_stmt *stmt, struct bulk *feed, size_t n,
             bool (*row)(void *arg, size_t i, struct bulk_value *values), void *arg, struct err *err);

/* Rows that are kept until they are written: at most as many as the caller lets them become. */
struct bulk_list {
    size_t columns; /* of each row; the caller's, never changed */
    struct bulk_value *values;
    size_t n, cap;
    struct arena texts;
};

/* A new row to fill; NULL when out of memory. */
struct bulk_value *bulk_list_add(struct bulk_list *list);
/* A copy that the list keeps; texts.failed when out of memory. */
struct bulk_value bulk_list_text(struct bulk_list *list, struct span text);
struct bulk_value bulk_list_blob(struct bulk_list *list, struct span bytes);
int bulk_list_run(sqlite3 *db, sqlite3_stmt *stmt, struct bulk *feed, struct bulk_list *list,
                  struct err *err);
void bulk_list_clear(struct bulk_list *list);
void bulk_list_free(struct bulk_list *list);

static inline struct bulk_value bulk_integer(int64_t integer) {
    return (struct bulk_value){.kind = FEED_INTEGER, .integer = integer};
}
static inline struct bulk_value bulk_id(uint64_t id) {
    return bulk_integer((int64_t)id);
}
static inline struct bulk_value bulk_number(double number) {
    return (struct bulk_value){.kind = FEED_NUMBER, .number = number};
}
static inline struct bulk_value bulk_text(struct span text) {
    return (struct bulk_value){.kind = FEED_TEXT, .text = text};
}
static inline struct bulk_value bulk_blob(struct span bytes) {
    return (struct bulk_value){.kind = FEED_BLOB, .text = bytes};
}
static inline struct bulk_value bulk_null(void) {
    return bulk_text((struct span){NULL, 0});
}

#endif
