#include "store/sqlite/bulk.h"

#include "unit.h"

struct fixture {
    sqlite3 *db;
    sqlite3_stmt *insert;
    struct bulk feed;
    struct err err;
};

static void begin(struct fixture *f) {
    *f = (struct fixture){0};
    CU_ASSERT_FATAL(sqlite3_open(":memory:", &f->db) == SQLITE_OK);
    CU_ASSERT_FATAL(bulk_register(f->db, &f->feed, &f->err) == 0);
    CU_ASSERT_FATAL(db_run(f->db, "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER NOT NULL)", &f->err) ==
                    0);
    f->insert = db_prepare(f->db, "INSERT INTO t (id, v) SELECT c0, c1 FROM feed", &f->err);
    CU_ASSERT_FATAL(f->insert != NULL);
}

static void end(struct fixture *f) {
    sqlite3_finalize(f->insert);
    CU_ASSERT(sqlite3_close(f->db) == SQLITE_OK);
}

static bool id_row(void *arg, size_t i, struct bulk_value *values) {
    const uint64_t *ids = arg;
    bulk_id(&values[0], ids[i]);
    bulk_id(&values[1], ids[i] * 10);
    return true;
}

static int append(struct fixture *f, size_t n, uint64_t *ids) {
    return bulk_append(f->db, f->insert, &f->feed, n, id_row, ids, &f->err);
}

static int64_t number(struct fixture *f, const char *sql) {
    int64_t n = -1;
    CU_ASSERT(db_int(f->db, sql, -1, &n, &f->err) == 0);
    return n;
}

/* Whoever gives them. */
static void keeps_ids(void) {
    struct fixture f;
    uint64_t first[] = {5, 6, 7, 20, 21, 30}, then[] = {31, 32, 1000, 1001};
    begin(&f);
    CU_ASSERT(append(&f, 0, NULL) == 0);
    CU_ASSERT(append(&f, 6, first) == 0);
    CU_ASSERT(append(&f, 4, then) == 0);
    EQ_INT(number(&f, "SELECT count(*) FROM t WHERE v = id * 10"), 10);
    for (size_t i = 0; i < 6; i++) {
        char sql[64];
        snprintf(sql, sizeof sql, "SELECT count(*) FROM t WHERE id = %d", (int)first[i]);
        EQ_INT(number(&f, sql), 1);
    }
    EQ_INT(number(&f, "SELECT sum(id) FROM t WHERE id > 30"), 31 + 32 + 1000 + 1001);
    end(&f);
}

/* A row that got another id than its own would be another record: nothing of the statement stays. Later ones say their ids. */
static void finds_greater_ids(void) {
    struct fixture f;
    static const char *const harms[] = {
        "INSERT INTO t VALUES (100, 1)",
        "CREATE TABLE u (v); INSERT INTO u VALUES (1);"
        "CREATE TRIGGER harm AFTER INSERT ON t BEGIN UPDATE u SET v = v; END"};
    uint64_t ids[] = {5, 6, 7}, end_ids[] = {5, 6};
    for (size_t i = 0; i < 4; i++) {
        size_t n = i < 2 ? 3 : 2;
        begin(&f);
        CU_ASSERT(db_run(f.db, harms[i % 2], &f.err) == 0);
        CU_ASSERT(append(&f, n, n == 3 ? ids : end_ids) == -1);
        CU_ASSERT(strstr(f.err.text, "another program") != NULL);
        EQ_INT(number(&f, "SELECT count(*) FROM t WHERE id < 100"), 0);
        f.err = (struct err){0};
        CU_ASSERT(append(&f, n, n == 3 ? ids : end_ids) == 0);
        EQ_INT(number(&f, "SELECT sum(v = id * 10) FROM t"), n);
        end(&f);
    }
}

static void replaces(void) {
    struct fixture f;
    uint64_t ids[] = {1, 2, 3, 4}, some[] = {2, 3};
    begin(&f);
    CU_ASSERT(append(&f, 4, ids) == 0);
    CU_ASSERT(db_run(f.db, "UPDATE t SET v = 0", &f.err) == 0);
    sqlite3_stmt *replace =
        db_prepare(f.db, "INSERT OR REPLACE INTO t (id, v) SELECT c0, c1 FROM feed", &f.err);
    CU_ASSERT(bulk_run(f.db, replace, &f.feed, 2, id_row, some, &f.err) == 0);
    EQ_INT(number(&f, "SELECT sum(v) FROM t"), 50);
    EQ_INT(number(&f, "SELECT count(*) FROM t"), 4);
    sqlite3_finalize(replace);
    end(&f);
}

UNIT_MAIN("store/bulk", {"rows get their ids, those that follow each other too", keeps_ids},
          {"a table with greater ids is an error", finds_greater_ids}, {"replaces rows", replaces})
