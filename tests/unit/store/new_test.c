/* A new recording is written as bytes that were made when statwit was built (store/sqlite/template.h). */
#include "store/fixture.h"

#include "core/clock.h"
#include "store/sqlite/template.h"
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void is_what_sqlite_makes(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    CU_ASSERT(store_is_new(s));
    store_close(s);
    EXPECT_SQL(p.path, "PRAGMA integrity_check", "ok");
    EXPECT_SQL(p.path, "PRAGMA user_version", SCHEMA_VERSION);
    EXPECT_SQL(p.path, "PRAGMA journal_mode", "wal");
    EXPECT_SQL(p.path, "PRAGMA page_size", "8192");
    EXPECT_SQL(p.path, "PRAGMA freelist_count", "0");
    EXPECT_SQL(p.path, "SELECT group_concat(word) FROM (SELECT word FROM types ORDER BY id)",
               "count,gauge,timing,histogram,distribution,set,rate");
    s = open_at(p.path);
    CU_ASSERT(!store_is_new(s));
    store_close(s);
    place_remove(&p);
}

static void is_made_now(char name[33]) {
    struct place p;
    char sql[160], now[32];
    int64_t before = clock_wall_ns();
    place_make(&p);
    struct store *s = open_at(p.path);
    store_recording(s, name);
    store_close(s);
    EXPECT_SQL(
        p.path,
        "SELECT count(DISTINCT value) FROM counters WHERE name = 'hash_seed' OR name LIKE 'recording%'", "3");
    EXPECT_SQL(p.path, "SELECT value FROM counters WHERE name = 'last_id'", "0");
    snprintf(sql, sizeof sql, "SELECT created_at BETWEEN %lld AND %lld FROM session WHERE id = 1",
             (long long)before,
             (long long)clock_wall_ns()); /* time() is that of the last tick, which may be a second less */
    ask_sql(p.path, sql, now, sizeof now);
    EQ_STR(now, "1");
    place_remove(&p);
}

static void is_made_now_and_like_no_other(void) {
    char first[33], second[33];
    is_made_now(first);
    is_made_now(second);
    CU_ASSERT(strcmp(first, second) != 0);
    CU_ASSERT_EQUAL(strspn(first, "0123456789abcdef"), 32);
}

/* Whatever a recorder that dies leaves of a new file, the next one takes. */
static void begun_and_not_finished(void) {
    struct place p;
    place_make(&p);
    store_close(open_at(p.path));
    struct buf whole = read_file(p.path);
    memset(whole.p + 60, 0, 4); /* the version is the last that is written */
    const size_t sizes[] = {0, 100, 4096, whole.n};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        write_file(p.path, whole.p, sizes[i]);
        struct store *s = open_at(p.path);
        CU_ASSERT(store_is_new(s));
        put_number(s, "a", 1);
        COMMIT(s);
        store_close(s);
        EXPECT_SQL(p.path, "PRAGMA integrity_check", "ok");
        EXPECT_SQL(p.path, "SELECT group_concat(name) FROM samples", "a");
    }
    buf_free(&whole);
    place_remove(&p);
}

/* A file that cannot grow: the error says why, and nothing is left that a later recorder would stumble over. */
static void no_room(void) {
    struct place p;
    place_make(&p);
    int empty = open(p.path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit small = {.rlim_cur = 20000, .rlim_max = 20000};
        setrlimit(RLIMIT_FSIZE, &small);
        struct err why = {0};
        _exit(template_write(empty, false, 1, &why) == -1 && why.sys == EFBIG &&
                      lseek(empty, 0, SEEK_END) == 0
                  ? 0
                  : 1);
    }
    int status;
    waitpid(child, &status, 0);
    EQ_INT(status, 0);
    close(empty);
    store_close(open_at(p.path));
    place_remove(&p);
}

/* --- what it costs ------------------------------------------------------------------------------ */

static sqlite3 *first;
static int n_connections, n_statements;

static int count_statement(unsigned kind, void *arg, void *statement, void *text) {
    (void)kind;
    (void)arg;
    (void)statement;
    (void)text;
    n_statements++;
    return 0;
}

static int count_connection(sqlite3 *db, char **error, const struct sqlite3_api_routines *api) {
    (void)error;
    (void)api;
    first = first ? first : db;
    n_connections++;
    return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, count_statement, NULL);
}

/* `statwit run -- true` in a loop: once the 60 statements of the schema were run each time, and a new file was searched for what an
 * older one may hold. Each costs some 30 us. */
static void a_new_one_costs_few_statements(void) {
    struct err why = {0};
    sqlite3_auto_extension((void (*)(void))count_connection);
    struct store *s = store_open(&(struct store_options){.path = ":memory:"}, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    EQ_INT(n_connections, 8); /* one writes, seven read: they cannot be opened later */
    CU_ASSERT(n_statements > 0 && n_statements <= 60);
    if (n_statements > 60)
        fprintf(stderr, "%d statements to open\n", n_statements);
    sqlite3_stmt *views = NULL;
    CU_ASSERT_EQUAL(
        sqlite3_prepare_v2(first, "SELECT * FROM sqlite_schema WHERE type = 'view'", -1, &views, NULL),
        SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_step(views), SQLITE_DONE); /* half of the schema's text, for nobody */
    sqlite3_finalize(views);
    n_statements = 0;
    store_close(s);
    EQ_INT(n_statements, 0); /* nobody reads it any more */
    sqlite3_cancel_auto_extension((void (*)(void))count_connection);
}

static uint64_t n_prepared(void) {
    uint64_t n = 0;
    for (sqlite3_stmt *at = NULL; (at = sqlite3_next_stmt(first, at));)
        n++;
    return n;
}

static int64_t pages_written(const char *path) {
    char log[512];
    struct stat st;
    snprintf(log, sizeof log, "%s-wal", path);
    return stat(log, &st) == 0 ? (st.st_size - 32) / (24 + 8192) : 0;
}

/* A suite has one for each test. Some 20 statements were prepared and 13 pages written to remove one, with nothing in it. */
static void a_session_costs_few_pages(void) {
    struct place p;
    struct err why = {0};
    uint64_t id, before = 0;
    int64_t pages = 0;
    place_make(&p);
    first = NULL;
    sqlite3_auto_extension((void (*)(void))count_connection);
    struct store *s = open_at(p.path);
    sqlite3_cancel_auto_extension((void (*)(void))count_connection);
    for (int round = 0; round < 3; round++) {
        before = n_prepared();
        pages = pages_written(p.path);
        OK(store_session_add(s, SPAN("one"), SPAN("key"), 0, &id, &why));
        OK(store_session_remove(s, id, &why));
    }
    EQ_INT(n_prepared(), before); /* they are kept */
    CU_ASSERT(before > 15);
    pages = pages_written(p.path) - pages;
    CU_ASSERT(pages > 0 && pages <= 9);
    if (pages > 9)
        fprintf(stderr, "%d pages for a session\n", (int)pages);
    store_close(s);
    place_remove(&p);
}

UNIT_MAIN("store/new", {"it is what SQLite would have made", is_what_sqlite_makes},
          {"it was made now, and has a name of its own", is_made_now_and_like_no_other},
          {"one that was begun and not finished is begun again", begun_and_not_finished},
          {"no room: an error, and an empty file", no_room},
          {"it costs few statements", a_new_one_costs_few_statements},
          {"a session costs few pages", a_session_costs_few_pages})
