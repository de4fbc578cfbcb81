/* DESIGN. An eponymous virtual table: it has no schema of its own in the file, one cursor at a time walks it from the
 * first row to the last, and there is no other way to read it. */
#include "store/sqlite/bulk.h"

#include "core/array.h"
#include <stdlib.h>

struct bulk_table {
    sqlite3_vtab base;
    struct bulk *feed;
};

struct bulk_cursor {
    sqlite3_vtab_cursor base;
    size_t at;
};

static struct bulk *bulk_of(sqlite3_vtab_cursor *cursor) {
    return ((struct bulk_table *)cursor->pVtab)->feed;
}

static int connect(sqlite3 *db, void *feed, int argc, const char *const *argv, sqlite3_vtab **out,
                   char **error) {
    (void)argc, (void)argv, (void)error;
    int code =
        sqlite3_declare_vtab(db, "CREATE TABLE feed (c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12,"
                                 " c13, c14, c15, c16)");
    struct bulk_table *table = code == SQLITE_OK ? sqlite3_malloc(sizeof *table) : NULL;
    if (!table)
        return code == SQLITE_OK ? SQLITE_NOMEM : code;
    *table = (struct bulk_table){.feed = feed};
    *out = &table->base;
    return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *table) {
    sqlite3_free(table);
    return SQLITE_OK;
}

static int best_index(sqlite3_vtab *table, sqlite3_index_info *info) {
    (void)table;
    info->estimatedCost = 1;
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **out) {
    (void)table;
    struct bulk_cursor *cursor = sqlite3_malloc(sizeof *cursor);
    if (!cursor)
        return SQLITE_NOMEM;
    *cursor = (struct bulk_cursor){0};
    *out = &cursor->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *cursor) {
    sqlite3_free(cursor);
    return SQLITE_OK;
}

/* The row before got the id that its caller meant. */
static bool is_as_meant(const struct bulk *feed, size_t row) {
    return !feed->appends || row == 0 || sqlite3_last_insert_rowid(feed->db) == feed->id;
}

static int go_to(sqlite3_vtab_cursor *cursor, size_t row) {
    struct bulk *feed = bulk_of(cursor);
    ((struct bulk_cursor *)cursor)->at = row;
    if (!is_as_meant(feed, row)) {
        feed->shared = true;
        return SQLITE_CORRUPT;
    }
    if (row >= feed->n)
        return SQLITE_OK;
    if (!feed->row(feed->arg, row, feed->values))
        return SQLITE_NOMEM;
    int64_t before = feed->id;
    feed->id = feed->values[0].integer;
    if (feed->appends && row > 0 && feed->id == before + 1)
        bulk_null(&feed->values[0]);
    return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *cursor, int plan, const char *text, int argc, sqlite3_value **argv) {
    (void)plan, (void)text, (void)argc, (void)argv;
    return go_to(cursor, 0);
}

static int next_row(sqlite3_vtab_cursor *cursor) {
    return go_to(cursor, ((struct bulk_cursor *)cursor)->at + 1);
}

static int eof(sqlite3_vtab_cursor *cursor) {
    return ((struct bulk_cursor *)cursor)->at >= bulk_of(cursor)->n;
}

static int column(sqlite3_vtab_cursor *cursor, sqlite3_context *out, int i) {
    const struct bulk_value *v = &bulk_of(cursor)->values[i];
    switch (v->kind) {
    case FEED_INTEGER:
        sqlite3_result_int64(out, v->integer);
        break;
    case FEED_NUMBER:
        sqlite3_result_double(out, v->number);
        break;
    case FEED_BLOB:
        sqlite3_result_blob64(out, v->text.p, v->text.n, SQLITE_STATIC);
        break;
    case FEED_TEXT:
    default:
        if (v->text.p)
            sqlite3_result_text64(out, v->text.p, v->text.n, SQLITE_STATIC, SQLITE_UTF8);
        break;
    }
    return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *out) {
    *out = (sqlite3_int64)((struct bulk_cursor *)cursor)->at;
    return SQLITE_OK;
}

int bulk_register(sqlite3 *db, struct bulk *feed, struct err *err) {
    static const sqlite3_module module = {
        .xConnect = connect, /* without xCreate: it is there by its name, and only so */
        .xBestIndex = best_index,
        .xDisconnect = disconnect,
        .xOpen = open_cursor,
        .xClose = close_cursor,
        .xFilter = filter,
        .xNext = next_row,
        .xEof = eof,
        .xColumn = column,
        .xRowid = rowid,
    };
    return sqlite3_create_module(db, "feed", &module, feed) == SQLITE_OK
               ? 0
               : db_fail(db, err, "use the recording");
}

int bulk_run(sqlite3 *db, sqlite3_stmt *stmt, struct bulk *feed, size_t n,
             bool (*row)(void *arg, size_t i, struct bulk_value *values), void *arg, struct err *err) {
    if (n == 0)
        return 0;
    feed->db = db;
    feed->n = n;
    feed->row = row;
    feed->arg = arg;
    int result = db_done(db, stmt, err);
    feed->arg = NULL; /* it may stand on the caller's stack */
    return result;
}

int bulk_append(sqlite3 *db, sqlite3_stmt *stmt, struct bulk *feed, size_t n,
                bool (*row)(void *arg, size_t i, struct bulk_value *values), void *arg, struct err *err) {
    struct err why = {0};
    bool appends = feed->appends = !feed->shared;
    int result = bulk_run(db, stmt, feed, n, row, arg, &why);
    feed->appends = false;
    if (result != 0 && appends && feed->shared)
        return err_set(err, 0, "cannot write the recording: another program has written into its tables");
    return result == 0 ? 0 : err_pass(err, &why, NULL);
}

/* --- rows that wait --------------------------------------------------------------------------- */

struct bulk_value *bulk_list_add(struct bulk_list *list) {
    if (!array_room(&list->values, list->n, &list->cap, list->columns * sizeof *list->values))
        return NULL;
    return list->values + list->n++ * list->columns;
}

void bulk_list_text(struct bulk_list *list, struct bulk_value *v, struct span text) {
    bulk_text(v, arena_copy(&list->texts, text));
}

void bulk_list_blob(struct bulk_list *list, struct bulk_value *v, struct span bytes) {
    bulk_blob(v, arena_copy(&list->texts, bytes));
}

static bool list_row(void *arg, size_t i, struct bulk_value *values) {
    const struct bulk_list *list = arg;
    memcpy(values, list->values + i * list->columns, list->columns * sizeof *values);
    return true;
}

int bulk_list_run(sqlite3 *db, sqlite3_stmt *stmt, struct bulk *feed, struct bulk_list *list,
                  struct err *err) {
    if (bulk_append(db, stmt, feed, list->n, list_row, list, err) != 0)
        return -1;
    bulk_list_clear(list);
    return 0;
}

void bulk_list_clear(struct bulk_list *list) {
    list->n = 0;
    arena_reset(&list->texts);
}

void bulk_list_free(struct bulk_list *list) {
    free(list->values);
    arena_free(&list->texts);
    *list = (struct bulk_list){.columns = list->columns};
}
