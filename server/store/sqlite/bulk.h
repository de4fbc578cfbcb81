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
    sqlite3 *db;  /* of the statement */
    bool appends; /* bulk_append, and no other program writes */
    bool
        shared; /* another one does: some row got an id that was not meant. From then on each row says its own */
    int64_t id; /* of the row, when it appends */
};

int bulk_register(sqlite3 *db, struct bulk *feed, struct err *err);
/* Runs the statement over n rows; none: does nothing. */
int bulk_run(sqlite3 *db, sqlite3_stmt *stmt, struct bulk *feed, size_t n,
             bool (*row)(void *arg, size_t i, struct bulk_value *values), void *arg, struct err *err);

/* The same for INSERTs whose first column is the id: rising ids, greater than all that are in the table. SQLite looks for the place of an id that
 * it is given, but not of one that it gives itself, which is one more than the last: so it gives those of rows that follow each other.
 * Where another program has put a row with a greater id there, or a trigger, that is an error, once: later rows say their ids. */
int bulk_append(sqlite3 *db, sqlite3_stmt *stmt, struct bulk *feed, size_t n,
                bool (*row)(void *arg, size_t i, struct bulk_value *values), void *arg, struct err *err);

/* Rows that are kept until they are appended: at most as many as the caller lets them become. */
struct bulk_list {
    size_t columns; /* of each row; the caller's, never changed */
    struct bulk_value *values;
    size_t n, cap;
    struct arena texts;
};

/* A new row to fill; NULL when out of memory. */
struct bulk_value *bulk_list_add(struct bulk_list *list);
/* A copy that the list keeps; texts.failed when out of memory. */
void bulk_list_text(struct bulk_list *list, struct bulk_value *v, struct span text);
void bulk_list_blob(struct bulk_list *list, struct bulk_value *v, struct span bytes);
int bulk_list_run(sqlite3 *db, sqlite3_stmt *stmt, struct bulk *feed, struct bulk_list *list,
                  struct err *err);
void bulk_list_clear(struct bulk_list *list);
void bulk_list_free(struct bulk_list *list);

/* They fill a value where it stands. One that was returned would be stored in pieces, and the processor waits for these before it copies the whole:
 * that was an eighth of the time of a commit of 100,000 series. */
static inline void bulk_integer(struct bulk_value *v, int64_t integer) {
    v->kind = FEED_INTEGER;
    v->integer = integer;
}
static inline void bulk_id(struct bulk_value *v, uint64_t id) {
    bulk_integer(v, (int64_t)id);
}
static inline void bulk_number(struct bulk_value *v, double number) {
    v->kind = FEED_NUMBER;
    v->number = number;
}
static inline void bulk_text(struct bulk_value *v, struct span text) {
    v->kind = FEED_TEXT;
    v->text = text;
}
static inline void bulk_blob(struct bulk_value *v, struct span bytes) {
    v->kind = FEED_BLOB;
    v->text = bytes;
}
static inline void bulk_null(struct bulk_value *v) {
    bulk_text(v, (struct span){NULL, 0});
}
static inline void bulk_id_if(struct bulk_value *v, bool there, uint64_t id) {
    if (there)
        bulk_id(v, id);
    else
        bulk_null(v);
}

#endif
