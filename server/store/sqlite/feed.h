/* Rows that stand in memory go into a table with one statement, however many they are:
 *
 *     INSERT INTO t (a, b) SELECT c0, c1 FROM feed
 *
 * `feed` is a table that exists only for the connection that it was registered with. Cheaper than a statement for each
 * row, which starts and ends every time, and than binding the rows of a long VALUES.
 *
 * Ownership: the struct is the caller's and must outlive the connection. What a row's texts point to must hold until the
 * next row is asked for. Threads: the connection's.
 * Errors: -1 with err; a row function that returns false is out of memory.
 */
#ifndef STORE_SQLITE_FEED_H
#define STORE_SQLITE_FEED_H

#include "core/arena.h"
#include "store/sqlite/db.h"
#include <stdbool.h>

#define FEED_COLUMNS 15

struct feed_value {
    enum { FEED_INTEGER, FEED_NUMBER, FEED_TEXT, FEED_BLOB } kind;
    union {
        int64_t integer;
        double number;    /* NaN is NULL */
        struct span text; /* {NULL, 0} is NULL */
    };
};

struct feed {
    size_t n;
    /* Fills the values of row i; called once for each row, in order. */
    bool (*row)(void *arg, size_t i, struct feed_value *values);
    void *arg;
    struct feed_value values[FEED_COLUMNS];
};

int feed_register(sqlite3 *db, struct feed *feed, struct err *err);
/* Runs the statement over n rows; none: does nothing. */
int feed_run(sqlite3 *db, sqlite3_stmt *stmt, struct feed *feed, size_t n,
             bool (*row)(void *arg, size_t i, struct feed_value *values), void *arg, struct err *err);

/* Rows that are kept until they are written: at most as many as the caller lets them become. */
struct feed_list {
    size_t columns; /* of each row; the caller's, never changed */
    struct feed_value *values;
    size_t n, cap;
    struct arena texts;
};

/* A new row to fill; NULL when out of memory. */
struct feed_value *feed_list_add(struct feed_list *list);
/* A copy that the list keeps; texts.failed when out of memory. */
struct feed_value feed_list_text(struct feed_list *list, struct span text);
struct feed_value feed_list_blob(struct feed_list *list, struct span bytes);
int feed_list_run(sqlite3 *db, sqlite3_stmt *stmt, struct feed *feed, struct feed_list *list,
                  struct err *err);
void feed_list_clear(struct feed_list *list);
void feed_list_free(struct feed_list *list);

static inline struct feed_value feed_integer(int64_t integer) {
    return (struct feed_value){.kind = FEED_INTEGER, .integer = integer};
}
static inline struct feed_value feed_id(uint64_t id) {
    return feed_integer((int64_t)id);
}
static inline struct feed_value feed_number(double number) {
    return (struct feed_value){.kind = FEED_NUMBER, .number = number};
}
static inline struct feed_value feed_text(struct span text) {
    return (struct feed_value){.kind = FEED_TEXT, .text = text};
}
static inline struct feed_value feed_blob(struct span bytes) {
    return (struct feed_value){.kind = FEED_BLOB, .text = bytes};
}
static inline struct feed_value feed_null(void) {
    return feed_text((struct span){NULL, 0});
}

#endif
