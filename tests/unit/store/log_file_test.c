/* Frames of a commit that go out together: readers see them, and nothing of a commit that failed is written later. */
#include "store/fixture.h"
#include "store/sqlite/log_file.h"

#include <signal.h>
#include <sys/resource.h>

static sqlite3 *open_db(const char *path, const char *vfs) {
    sqlite3 *db;
    CU_ASSERT_EQUAL_FATAL(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs),
                          SQLITE_OK);
    CU_ASSERT_EQUAL_FATAL(sqlite3_exec(db,
                                       "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
                                       "CREATE TABLE IF NOT EXISTS t (a INTEGER PRIMARY KEY, b BLOB)",
                                       NULL, NULL, NULL),
                          SQLITE_OK);
    return db;
}

static int run(sqlite3 *db, const char *sql) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int commit(sqlite3 *db) {
    log_file_begin(db);
    int code = run(db, "COMMIT");
    log_file_end(db);
    return code;
}

/* Calls of this process that write. */
static long writes(void) {
    char text[1024] = "";
    FILE *f = fopen("/proc/self/io", "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        fclose(f);
    text[n] = '\0';
    const char *at = strstr(text, "syscw: ");
    return at ? atol(at + 7) : 0;
}

#define ROWS(n, from)                                                                                        \
    "INSERT INTO t WITH RECURSIVE c(x) AS (VALUES(" #from ") UNION ALL SELECT x + 1 FROM c WHERE x < " #from \
    " + " #n " - 1) SELECT x, zeroblob(3000) FROM c"

static void a_commit_is_one_write(void) {
    struct place p;
    place_make(&p);
    sqlite3 *db = open_db(p.path, log_file_vfs());
    CU_ASSERT_EQUAL(run(db, "BEGIN IMMEDIATE; " ROWS(10, 1)), SQLITE_OK);
    long before = writes();
    CU_ASSERT_EQUAL(commit(db), SQLITE_OK);
    EQ_INT(writes() - before, 1);
    EXPECT_SQL(p.path, "SELECT count(*) FROM t", "10");
    CU_ASSERT_EQUAL(run(db, "BEGIN IMMEDIATE; " ROWS(200, 100)), SQLITE_OK);
    before = writes();
    CU_ASSERT_EQUAL(commit(db), SQLITE_OK); /* of some 800 KB */
    CU_ASSERT(writes() - before < 12);
    EXPECT_SQL(p.path, "SELECT count(*) FROM t", "210");
    CU_ASSERT_EQUAL(run(db, "PRAGMA wal_checkpoint(TRUNCATE); BEGIN IMMEDIATE; DELETE FROM t WHERE a > 5"),
                    SQLITE_OK);
    CU_ASSERT_EQUAL(commit(db), SQLITE_OK);
    EXPECT_SQL(p.path, "SELECT count(*) FROM t", "5");
    EXPECT_SQL(p.path, "PRAGMA integrity_check", "ok");
    sqlite3_close(db);
    place_remove(&p);
}

/* What was gathered is not written over what another program has written since. */
static void a_failed_commit_is_dropped(void) {
    struct place p;
    place_make(&p);
    sqlite3 *db = open_db(p.path, log_file_vfs()), *other = open_db(p.path, NULL);
    struct rlimit all, few = {0};
    struct stat log;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &all);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(run(db, "BEGIN IMMEDIATE; " ROWS(20, 1000)), SQLITE_OK);
        CU_ASSERT_EQUAL_FATAL(stat(p.log, &log), 0);
        few = (struct rlimit){(rlim_t)log.st_size + (rlim_t)i * 9000, all.rlim_max};
        setrlimit(RLIMIT_FSIZE, &few);
        CU_ASSERT_NOT_EQUAL(commit(db), SQLITE_OK);
        setrlimit(RLIMIT_FSIZE, &all);
        run(db, "ROLLBACK");
        CU_ASSERT_EQUAL(run(other, "BEGIN IMMEDIATE"), SQLITE_OK);
        CU_ASSERT_EQUAL(run(other, ROWS(5, (SELECT coalesce(max(a), 0) + 1 FROM t))), SQLITE_OK);
        CU_ASSERT_EQUAL(run(other, "COMMIT"), SQLITE_OK);
        CU_ASSERT_EQUAL(run(db, "BEGIN IMMEDIATE; DELETE FROM t WHERE a = (SELECT min(a) FROM t)"),
                        SQLITE_OK);
        CU_ASSERT_EQUAL(commit(db), SQLITE_OK);
    }
    EXPECT_SQL(p.path, "SELECT count(*) FROM t", "12");
    EXPECT_SQL(p.path, "PRAGMA integrity_check", "ok");
    sqlite3_close(other);
    sqlite3_close(db);
    place_remove(&p);
}

/* What a recorder that is killed now leaves behind: the file and its log, without the memory that tells what holds. */
static void expect_left(const struct place *p, const char *sql, const char *want) {
    static const char *const ends[] = {"", "-wal"};
    struct place copy;
    place_make(&copy);
    for (size_t i = 0; i < 2; i++) {
        char from[FILENAME_MAX], to[FILENAME_MAX], block[8192];
        size_t n;
        snprintf(from, sizeof from, "%s%s", p->path, ends[i]);
        snprintf(to, sizeof to, "%s%s", copy.path, ends[i]);
        FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
        CU_ASSERT_FATAL(in && out);
        while ((n = fread(block, 1, sizeof block, in)) > 0)
            CU_ASSERT_EQUAL_FATAL(fwrite(block, 1, n, out), n);
        fclose(in);
        fclose(out);
    }
    EXPECT_SQL(copy.path, sql, want);
    EXPECT_SQL(copy.path, "PRAGMA integrity_check", "ok");
    place_remove(&copy);
}

/* Frames of what is larger than the cache go out before the commit, or the roll-back. Of pages that changed again after that, the commit
 * writes the frames' checksums anew, the last frame's, too: without it this commit and all later ones would be gone after a kill. */
static void a_large_transaction(void) {
    struct place p;
    place_make(&p);
    sqlite3 *db = open_db(p.path, log_file_vfs());
    CU_ASSERT_EQUAL(run(db, "PRAGMA cache_size = 5; BEGIN IMMEDIATE; " ROWS(300, 1)), SQLITE_OK);
    CU_ASSERT_EQUAL(run(db, "UPDATE t SET b = zeroblob(2900) WHERE a % 7 = 0"), SQLITE_OK);
    CU_ASSERT_EQUAL(commit(db), SQLITE_OK);
    expect_left(&p, "SELECT count(*) FROM t", "300");
    CU_ASSERT_EQUAL(run(db, "BEGIN IMMEDIATE; " ROWS(300, 1000)), SQLITE_OK);
    CU_ASSERT_EQUAL(run(db, "ROLLBACK"), SQLITE_OK);
    CU_ASSERT_EQUAL(run(db, "BEGIN IMMEDIATE; " ROWS(3, 2000)), SQLITE_OK);
    CU_ASSERT_EQUAL(commit(db), SQLITE_OK);
    expect_left(&p, "SELECT count(*) FROM t", "303");
    EXPECT_SQL(p.path, "SELECT count(*) || ' ' || sum(length(b)) FROM t", "303 904800");
    EXPECT_SQL(p.path, "PRAGMA integrity_check", "ok");
    sqlite3_close(db);
    place_remove(&p);
}

UNIT_MAIN("store/log_file", {"a commit is one write", a_commit_is_one_write},
          {"a failed commit is dropped", a_failed_commit_is_dropped},
          {"a large transaction", a_large_transaction})
