/* What only a file can show: what outlives the process, what is refused, and the views that a person reads. */
#include "core/clock.h"
#include "store/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void expect_refused(const char *path, const char *why) {
    struct err err = {0};
    struct store *s = store_open(&(struct store_options){.path = path}, &err);
    CU_ASSERT_PTR_NULL(s);
    if (!strstr(err.text, why))
        fprintf(stderr, "\"%s\" is not in \"%s\"\n", why, err.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, why));
    store_close(s);
}

static void write_file(const char *path, const void *bytes, size_t n) {
    FILE *f = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static struct buf read_file(const char *path) {
    struct buf b = {0};
    char part[4096];
    FILE *f = fopen(path, "rb");
    for (size_t n; f && (n = fread(part, 1, sizeof part, f)) > 0;)
        buf_add(&b, part, n);
    if (f)
        fclose(f);
    return b;
}

/* The first column of the first row, as text. */
static void ask_sql(const char *path, const char *sql, char *answer, size_t size) {
    sqlite3 *db;
    sqlite3_stmt *stmt = NULL;
    answer[0] = '\0';
    CU_ASSERT_EQUAL_FATAL(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
    CU_ASSERT_PTR_NOT_NULL_FATAL(stmt);
    if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_text(stmt, 0))
        snprintf(answer, size, "%s", (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}

static void run_sql(const char *path, const char *sql) {
    sqlite3 *db;
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

#define EXPECT_SQL(path, sql, want)                                                                          \
    do {                                                                                                     \
        char answer_[1024];                                                                                  \
        ask_sql(path, sql, answer_, sizeof answer_);                                                         \
        EQ_STR(answer_, want);                                                                               \
    } while (0)

/* --- what outlives the process ----------------------------------------------------------------- */

static void reopen(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    uint64_t session;
    OK(store_session_add(s, SPAN("kept"), SPAN("k"), 9, &session, &err));
    put_number(s, "a", 1);
    put_in(s, session, SOURCE_HTTP, AT, "a", 5, METRIC_GAUGE, "t:1");
    OK(store_loss(s, 0, LOSS_QUEUE_FULL, 4, SPAN("d"), &err));
    COMMIT(s);
    uint64_t last = store_last_id(s);
    store_close(s);
    CU_ASSERT(access(p.path, F_OK) == 0);
    char wal[160];
    snprintf(wal, sizeof wal, "%s-wal", p.path);
    CU_ASSERT(access(wal, F_OK) != 0); /* one file to keep */
    s = open_at(p.path);
    EQ_INT(store_last_id(s), last);
    struct store_stats stats;
    store_stats(s, &stats);
    EQ_INT(stats.samples, 2);
    EQ_INT(stats.series, 2);
    EQ_INT(stats.losses[LOSS_QUEUE_FULL], 4);
    EQ_INT(stats.received_samples, 0);
    struct lines got = lines_of(s, SESSIONS, everything);
    EXPECT_LINE(got, 0, "1 open=1");
    EXPECT_LINE(got, 1, "open=0 samples=1 series=1"); /* its sockets are gone */
    lines_free(&got);
    uint64_t again;
    OK(store_session_add(s, SPAN("kept"), SPAN("k2"), 0, &again, &err));
    CU_ASSERT(again > session); /* a new one: empty */
    got = lines_of(s, SESSIONS, everything);
    EXPECT_LINE(got, 1, "open=0 samples=1 series=1");
    EXPECT_LINE(got, 1, "name='kept@2'");
    EXPECT_LINE(got, 2, "open=1 samples=0 series=0");
    EXPECT_LINE(got, 2, "name='kept'");
    lines_free(&got);
    put_number(s, "a", 2); /* the same series, and spelling, as before */
    COMMIT(s);
    got = lines_of(s, SERIES, (struct filter){.session = SPAN("default")});
    EQ_INT(got.n, 1);
    EXPECT_LINE(got, 0, "samples=2 count=2 sum=3 min=1 max=2 last=2");
    lines_free(&got);
    store_close(s);
    EXPECT_SQL(p.path, "SELECT count(*) FROM context", "2");
    place_remove(&p);
}

static void crash(void) {
    struct place p;
    place_make(&p);
    for (int round = 0; round < 5; round++) {
        pid_t child = fork();
        if (child == 0) {
            struct store *s = open_at(p.path);
            for (int i = 0; i < 1000; i++) {
                put_number(s, i % 3 ? "a" : "b", 1);
                if (i % 100 == 99)
                    COMMIT(s);
            }
            put_number(s, "never", 1);
            kill(getpid(), SIGKILL);
        }
        int status;
        waitpid(child, &status, 0);
        CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        struct err why = {0};
        struct reader *r = store_reader_open(p.path, &why); /* a file nobody is writing */
        CU_ASSERT_PTR_NOT_NULL_FATAL(r);
        struct lines got = {0};
        OK(read_lines(r, SAMPLES, &everything, &got, &err));
        EQ_INT(got.n, 1000 * (round + 1));
        lines_free(&got);
        reader_close(r);
    }
    EXPECT_SQL(p.path, "PRAGMA integrity_check", "ok");
    EXPECT_SQL(p.path,
               "SELECT count(*) FROM (SELECT series_id, count(*) n, sum(value) v FROM samples GROUP BY 1) a"
               " JOIN series s ON s.id = a.series_id WHERE s.samples = a.n AND s.sum = a.v",
               "2");
    place_remove(&p);
}

/* --- runs -------------------------------------------------------------------------------------- */

/* What a reader of the file is told was lost. */
static struct lines losses_of_file(const char *path, struct filter f) {
    struct lines got = {0};
    struct err why = {0};
    struct reader *r = store_reader_open(path, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    OK(r->ops->begin(r, &err));
    OK(read_lines(r, LOSSES_READ, &f, &got, &err));
    r->ops->end(r);
    reader_close(r);
    return got;
}

static void die_recording(const char *path) {
    pid_t child = fork();
    if (child == 0) {
        struct store *s = open_at(path);
        put_number(s, "before", 1);
        COMMIT(s);
        put_number(s, "never", 1);
        kill(getpid(), SIGKILL);
    }
    int status;
    waitpid(child, &status, 0);
    CU_ASSERT(WIFSIGNALED(status));
}

static void copy_file(const char *from, const char *to) {
    struct buf bytes = read_file(from);
    write_file(to, bytes.p, bytes.n);
    buf_free(&bytes);
}

/* A recorder that died was judged as if it had been complete. */
static void a_recorder_that_died_is_a_loss(void) {
    struct place p;
    place_make(&p);
    store_close(open_at(p.path));
    struct lines got = losses_of_file(p.path, everything);
    EQ_INT(got.n, 0); /* a clean stop is none */
    lines_free(&got);
    die_recording(p.path);
    got = losses_of_file(p.path, (struct filter){.session = SPAN("default"), .since = 1});
    EQ_INT(got.n, 1); /* no mark hides what came last */
    EXPECT_LINE(got, 0, "unclean_end n=1 session=- detail='the\\20run\\20of\\20");
    lines_free(&got);
    /* The next recorder writes it down, before its own mark: later sessions and judgements are not concerned. */
    struct store *s = open_at(p.path);
    EQ_INT(count_of(s, LOSSES_READ, everything), 1);
    EQ_INT(count_of(s, LOSSES_READ, (struct filter){.since = 1}), 1);
    EQ_INT(count_of(s, LOSSES_READ, (struct filter){.since = store_run_mark(s)}), 0);
    uint64_t fresh;
    OK(store_session_add(s, SPAN("fresh"), SPAN("k"), 0, &fresh, &err));
    EQ_INT(count_of(s, LOSSES_READ, (struct filter){.session = SPAN("fresh")}), 0);
    store_close(s);
    got = losses_of_file(p.path, everything);
    EQ_INT(got.n, 1); /* once, and for all */
    lines_free(&got);
    s = open_at(p.path);
    EQ_INT(count_of(s, LOSSES_READ, everything), 1);
    OK(store_reset(s, 1, NULL, &err));
    OK(store_reset(s, fresh, NULL, &err));
    EQ_INT(count_of(s, LOSSES_READ, everything), 0); /* forgotten with what it concerned */
    store_close(s);
    EXPECT_SQL(p.path, "SELECT group_concat(ended_cleanly, '') FROM runs", "1011");
    place_remove(&p);
}

/* Its log is not copied, or only what it held then. */
static void a_copy_made_meanwhile_is_not_complete(void) {
    struct place p;
    place_make(&p);
    char copy[200];
    snprintf(copy, sizeof copy, "%s/copy", p.directory);
    struct store *s = open_at(p.path);
    put_number(s, "a", 1);
    COMMIT(s);
    copy_file(p.path, copy);
    struct lines got = losses_of_file(p.path, everything);
    EXPECT_LINE(got, 0, "unwritten"); /* somebody is at work */
    EQ_INT(got.n, 1);
    lines_free(&got);
    store_close(s);
    got = losses_of_file(copy, everything);
    EXPECT_LINE(got, 0, "unclean_end");
    lines_free(&got);
    CU_ASSERT(chmod(p.path, 0400) == 0);
    got = losses_of_file(p.path, everything);
    EQ_INT(got.n, 0);
    lines_free(&got);
    CU_ASSERT(unlink(copy) == 0);
    place_remove(&p);
}

/* A full disk takes the loss too: then the mark has to stay. */
static void a_spoiled_run_has_no_clean_end(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    store_spoil_run(s);
    store_close(s);
    struct lines got = losses_of_file(p.path, everything);
    EXPECT_LINE(got, 0, "unclean_end");
    lines_free(&got);
    place_remove(&p);
}

#define EXPECT_EARLIER(s, session, n_samples, n_records, n_sessions)                                         \
    do {                                                                                                     \
        struct store_earlier earlier_;                                                                       \
        store_earlier(s, session, &earlier_);                                                                \
        EQ_INT(earlier_.samples, n_samples);                                                                 \
        EQ_INT(earlier_.records, n_records);                                                                 \
        EQ_INT(earlier_.sessions, n_sessions);                                                               \
    } while (0)

static void what_earlier_runs_left(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    char name[33];
    snprintf(name, sizeof name, "%s", store_recording(s));
    uint64_t other;
    EXPECT_EARLIER(s, 0, 0, 0, 0);
    OK(store_session_add(s, SPAN("other"), SPAN("k"), 0, &other, &err));
    for (int i = 0; i < 10; i++)
        put_number(s, "a", 1);
    struct record event = {.kind = RECORD_EVENT, .event = {.title = SPAN("t")}};
    OK(store_put(s, &event, &err));
    put_in(s, other, SOURCE_UDP, AT, "a", 1, METRIC_COUNT, NULL);
    COMMIT(s);
    uint64_t last = store_last_id(s);
    EXPECT_EARLIER(s, 0, 0, 0, 0);
    store_close(s);
    s = open_with((struct store_options){.path = p.path, .retention_samples = 16});
    EQ_STR(store_recording(s), name);
    EQ_INT(store_run_mark(s), last);
    put_number(s, "a", 1);
    COMMIT(s);
    EXPECT_EARLIER(s, 1, 10, 11, 1);
    EXPECT_EARLIER(s, other, 1, 1, 1);
    EXPECT_EARLIER(s, 0, 11, 12, 2);
    for (int i = 0; i < 10; i++) {
        put_number(s, "a", 1);
        COMMIT(s);
    }
    struct store_earlier earlier;
    store_earlier(s, 0, &earlier);
    CU_ASSERT(earlier.samples < 11); /* retention took some, */
    OK(store_reset(s, 1, NULL, &err));
    EXPECT_EARLIER(s, 1, 0, 0, 0); /* and a reset all */
    OK(store_empty(s, &err));
    EXPECT_EARLIER(s, 0, 0, 0, 0);
    CU_ASSERT(strcmp(store_recording(s), name) != 0); /* another recording altogether */
    store_close(s);
    EXPECT_SQL(p.path, "SELECT count(*) FROM runs", "1");
    place_remove(&p);
}

static void ports_used(void) {
    struct place p;
    place_make(&p);
    int ports[STORE_PORTS_KEPT];
    size_t n;
    struct store *s = open_at(p.path);
    for (int i = 0; i < STORE_PORTS_KEPT + 3; i++)
        OK(store_port_used(s, 1000 + i, &err));
    COMMIT(s);
    store_close(s);
    s = open_at(p.path);
    OK(store_ports(s, ports, &n, &err));
    EQ_INT(n, STORE_PORTS_KEPT);
    EQ_INT(ports[0], 1003);
    EQ_INT(ports[n - 1], 1000 + STORE_PORTS_KEPT + 2);
    store_close(s);
    place_remove(&p);
}

static void nothing_of_memory_remains(void) {
    struct store *s = open_at(":memory:");
    put_number(s, "a", 1);
    COMMIT(s);
    EQ_INT(count_of(s, SAMPLES, everything), 1);
    char links[64], target[256];
    int unlinked = 0;
    for (int fd = 3; fd < 64; fd++) {
        snprintf(links, sizeof links, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(links, target, sizeof target - 1);
        if (n < 0)
            continue;
        target[n] = '\0';
        if (strstr(target, "/statwit-") && strstr(target, "/db")) {
            CU_ASSERT_PTR_NOT_NULL(strstr(target, " (deleted)"));
            unlinked++;
        }
    }
    CU_ASSERT(unlinked > 0);
    store_close(s);
}

/* --- what is refused, and left as it is -------------------------------------------------------- */

static void expect_untouched(const char *path, const char *why) {
    struct buf before = read_file(path);
    expect_refused(path, why);
    struct buf after = read_file(path);
    EQ_INT(after.n, before.n);
    CU_ASSERT(before.n == after.n && memcmp(before.p, after.p, after.n) == 0);
    char wal[160];
    snprintf(wal, sizeof wal, "%s-wal", path);
    CU_ASSERT(access(wal, F_OK) != 0);
    buf_free(&before);
    buf_free(&after);
}

static void foreign_files(void) {
    struct place p;
    place_make(&p);
    write_file(p.path, "hello", 5);
    expect_untouched(p.path, "is not a recording");
    char noise[4096];
    memset(noise, 'x', sizeof noise);
    write_file(p.path, noise, sizeof noise);
    expect_untouched(p.path, "is not a recording");
    unlink(p.path);
    run_sql(p.path, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    expect_untouched(p.path, "is an SQLite database of something else");
    unlink(p.path);
    store_close(open_at(p.path));
    run_sql(p.path, "PRAGMA journal_mode = DELETE; PRAGMA user_version = 99");
    expect_untouched(p.path, "recorded by a newer statwit");
    unlink(p.path);
    write_file(p.path, "", 0); /* nothing at all is a new recording */
    store_close(open_at(p.path));
    place_remove(&p);
}

/* As an earlier version left it. What its runs were nobody knows, so nothing is said of their end. */
static void migrate_from(int version) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    put_number(s, "kept", 1);
    COMMIT(s);
    store_close(s);
    run_sql(p.path, "DROP VIEW runs; DROP TABLE run; DROP TABLE used_port; PRAGMA user_version = 2;"
                    "DELETE FROM counters WHERE name IN ('recording_high', 'recording_low')");
    if (version == 1)
        run_sql(p.path, "DROP VIEW large_datagrams; DROP TABLE large_datagram; PRAGMA user_version = 1");
    struct err err = {0};
    CU_ASSERT_PTR_NULL(store_reader_open(p.path, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "was recorded by an older statwit"));
    s = open_at(p.path);
    struct store_earlier earlier;
    store_earlier(s, 0, &earlier);
    EQ_INT(earlier.samples, 1);
    CU_ASSERT(strlen(store_recording(s)) == 32 && strspn(store_recording(s), "0") < 32);
    EQ_INT(count_of(s, LOSSES_READ, everything), 0);
    store_close(s);
    EXPECT_SQL(p.path, "SELECT group_concat(name) FROM samples", "kept");
    EXPECT_SQL(p.path, "SELECT count(*) FROM large_datagrams", "0");
    EXPECT_SQL(p.path, "SELECT count(*)||min(ended_cleanly) FROM runs", "11");
    EXPECT_SQL(p.path, "PRAGMA user_version", "3");
    place_remove(&p);
}

static void older_is_migrated(void) {
    migrate_from(1);
    migrate_from(2);
}

/* A newer version that stands only in the log. */
static void newer_in_the_log(void) {
    struct place p;
    place_make(&p);
    store_close(open_at(p.path));
    pid_t child = fork();
    if (child == 0) {
        run_sql(p.path, "SELECT 1");
        sqlite3 *db;
        sqlite3_open(p.path, &db);
        sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    struct buf before = read_file(p.path);
    expect_refused(p.path, "recorded by a newer statwit");
    struct buf after = read_file(p.path);
    CU_ASSERT(before.n == after.n && memcmp(before.p, after.p, after.n) == 0);
    buf_free(&before);
    buf_free(&after);
    place_remove(&p);
}

static void bad_paths(void) {
    struct place p;
    place_make(&p);
    char path[200];
    expect_refused(p.directory, "give --db the path of a file");
    snprintf(path, sizeof path, "%s/no/r.db", p.directory);
    expect_refused(path, "make the directory first");
    snprintf(path, sizeof path, "%s/fifo", p.directory);
    CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
    expect_refused(path, "not a regular file");
    unlink(path);
    expect_refused("/proc/self/r.db", "/proc/self/r.db");
    snprintf(path, sizeof path, "%s/file:odd?mode=memory", p.directory); /* a name like any other */
    store_close(open_at(path));
    CU_ASSERT_EQUAL(unlink(path), 0);
    struct err err = {0};
    CU_ASSERT_PTR_NULL(store_reader_open(p.path, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "No such file"));
    write_file(p.path, "hello", 5);
    CU_ASSERT_PTR_NULL(store_reader_open(p.path, &(struct err){0}));
    place_remove(&p);
}

static void second_writer(void) {
    struct place p;
    place_make(&p);
    int ready[2], done[2];
    CU_ASSERT(pipe(ready) == 0 && pipe(done) == 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *s = open_at(p.path);
        put_number(s, "a", 1);
        COMMIT(s);
        char byte = 'r';
        if (write(ready[1], &byte, 1) != 1 || read(done[0], &byte, 1) != 1)
            _exit(1);
        store_close(s);
        _exit(0);
    }
    char byte, pid[32];
    CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
    snprintf(pid, sizeof pid, "by process %d", (int)child);
    expect_refused(p.path, pid);
    struct reader *r = store_reader_open(p.path, &(struct err){0}); /* reading is always possible */
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    struct lines got = {0};
    OK(read_lines(r, SAMPLES, &everything, &got, &err));
    EQ_INT(got.n, 1);
    lines_free(&got);
    reader_close(r);
    CU_ASSERT_EQUAL(write(done[1], &byte, 1), 1);
    int status;
    waitpid(child, &status, 0);
    EQ_INT(status, 0);
    store_close(open_at(p.path));
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(done[i]);
    }
    place_remove(&p);
}

/* Moved or deleted under the writer: it goes on, for who asks it and for the file it had. */
static void moved_away(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    put_number(s, "a", 1);
    COMMIT(s);
    char moved[200];
    snprintf(moved, sizeof moved, "%s/moved", p.directory);
    CU_ASSERT_EQUAL(rename(p.path, moved), 0);
    write_file(p.path, "somebody else's", 15);
    put_number(s, "a", 2);
    COMMIT(s);
    EQ_INT(count_of(s, SAMPLES, everything), 2);
    CU_ASSERT_EQUAL(unlink(moved), 0);
    put_number(s, "a", 3);
    COMMIT(s);
    EQ_INT(count_of(s, SAMPLES, everything), 3);
    store_close(s);
    struct buf left = read_file(p.path);
    EQ_STR(left.p, "somebody else's");
    buf_free(&left);
    place_remove(&p);
}

/* --- the disk is full -------------------------------------------------------------------------- */

static void fill_disk(struct store *s) {
    char name[16];
    bool failed = false;
    uint64_t committed = 0;
    for (int i = 0; i < 200 && !failed; i++) {
        for (int k = 0; k < 2000; k++) {
            snprintf(name, sizeof name, "m%d", k % 50 + (k < 3 ? i * 100 : 0));
            put_number(s, name, k);
        }
        struct err err = {0};
        failed = store_commit(s, &err) != 0;
        if (!failed)
            committed += 2000;
        else
            CU_ASSERT(err.text[0] != '\0');
    }
    CU_ASSERT(failed);
    struct store_stats stats;
    store_stats(s, &stats);
    EQ_INT(stats.samples, committed);
    EQ_INT(count_of(s, SAMPLES, everything), committed); /* what was committed is there, and nothing else */
}

static void after_full_disk(struct store *s) {
    struct store_stats stats;
    store_stats(s, &stats);
    OK(store_loss(s, 0, LOSS_DISK_FULL, 2000, SPAN("full"), &err));
    put_number(s, "after", 1);
    put_number(s, "m3", 1);
    COMMIT(s);
    EQ_INT(count_of(s, SAMPLES, everything), stats.samples + 2);
    EQ_INT(count_of(s, LOSSES_READ, everything), 1);
}

static void expect_sums(const char *path) {
    EXPECT_SQL(
        path,
        "SELECT count(*) FROM series s LEFT JOIN (SELECT series_id, count(*) n, sum(value) v FROM samples GROUP BY 1) a"
        " ON s.id = a.series_id WHERE s.samples IS NOT a.n OR abs(s.sum - a.v) > 1e-6",
        "0");
    EXPECT_SQL(path, "PRAGMA integrity_check", "ok");
}

static void full_disk(void) {
    struct place p;
    place_make(&p);
    if (mount("none", p.directory, "tmpfs", 0, "size=4m") != 0) {
        printf("(no mount here) ");
        CU_ASSERT_EQUAL(rmdir(p.directory), 0);
        return;
    }
    char ballast[200];
    snprintf(ballast, sizeof ballast, "%s/ballast", p.directory);
    char *bytes = calloc(1, 1 << 20);
    write_file(ballast, bytes, 1 << 20);
    free(bytes);
    struct store *s = open_at(p.path);
    fill_disk(s);
    unlink(ballast);
    after_full_disk(s);
    store_close(s);
    expect_sums(p.path);
    CU_ASSERT_EQUAL(umount(p.directory), 0);
    CU_ASSERT_EQUAL(rmdir(p.directory), 0);
}

/* The same where nothing can be mounted: files may not grow beyond a limit. */
static void full_quota(void) {
    struct place p;
    place_make(&p);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit limit = {1 << 20, RLIM_INFINITY};
        setrlimit(RLIMIT_FSIZE, &limit);
        struct store *s = open_at(p.path);
        fill_disk(s);
        limit.rlim_cur = RLIM_INFINITY;
        setrlimit(RLIMIT_FSIZE, &limit);
        after_full_disk(s);
        store_close(s);
        _exit(CU_get_number_of_failures() > 0);
    }
    int status;
    waitpid(child, &status, 0);
    EQ_INT(status, 0);
    expect_sums(p.path);
    place_remove(&p);
}

/* --- the views --------------------------------------------------------------------------------- */

static void views(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    struct record event = {.kind = RECORD_EVENT,
                           .event = {.title = SPAN("t"), .text = SPAN("x"), .timestamp = 3}};
    struct record check = {.kind = RECORD_SERVICE_CHECK, .check = {.name = SPAN("c"), .status = 2}};
    struct record reject = {.kind = RECORD_REJECT, .reject = {.reason = REASON_NO_PIPE, .text = SPAN("x:1")}};
    int32_t key = 3;
    uint32_t count = 2;
    struct sketch sketch = {
        .count = 2, .sum = 5, .min = 2, .max = 3, .avg = 2.5, .n_bins = 1, .keys = &key, .counts = &count};
    struct span tags[] = {SPAN("b"), SPAN("a:1")};
    struct value values[] = {{.number = 1.5, .text = SPAN("1.5")},
                             {.number = 2, .timestamp = 77},
                             {.number = 2.5, .sketch = &sketch}};
    struct record metric = {.kind = RECORD_METRIC,
                            .metric = {.type = METRIC_DISTRIBUTION,
                                       .name = SPAN("login.attempt"),
                                       .sample_rate = 0.5,
                                       .n_tags = 2,
                                       .tags = tags,
                                       .n_values = 3,
                                       .values = values}};
    put_in(s, 1, SOURCE_UDP, AT + 1, "users", 7, METRIC_SET, "env:ci");
    for (int i = 0; i < 3; i++)
        OK(store_put(s, &metric, &err));
    OK(store_put(s, &event, &err));
    OK(store_put(s, &check, &err));
    OK(store_put(s, &reject, &err));
    OK(store_request(s, &(struct request){.method = SPAN("GET"), .path = SPAN("/"), .status = 200}, &err));
    OK(store_loss(s, 0, LOSS_TRUNCATED, 2, SPAN("d"), &err));
    COMMIT(s);
    store_close(s);
    EXPECT_SQL(
        p.path,
        "SELECT name||'|'||type||'|'||value||'|'||tags FROM samples WHERE name = 'login.attempt' LIMIT 1",
        "login.attempt|distribution|1.5|[\"b\",\"a:1\"]");
    EXPECT_SQL(
        p.path,
        "SELECT group_concat(id||'='||value||coalesce('@'||timestamp,'')) FROM samples WHERE name = 'login.attempt'",
        "2=1.5,3=2@77,4=2.5,5=1.5,6=2@77,7=2.5,8=1.5,9=2@77,10=2.5");
    EXPECT_SQL(
        p.path,
        "SELECT text||coalesce(value,'-')||received_at||source||session FROM samples WHERE type = 'set'",
        "7-2023-11-14T22:13:20.000000001Zudpdefault");
    EXPECT_SQL(p.path, "SELECT count(*) FROM samples, json_each(samples.tags) j WHERE j.value = 'a:1'", "9");
    EXPECT_SQL(
        p.path,
        "SELECT tags||samples||'/'||count||'/'||sum||'/'||min||'/'||max||'/'||last FROM series WHERE name = 'login.attempt'",
        "[\"a:1\",\"b\"]9/18.0/36.0/1.5/3.0/2.5");
    EXPECT_SQL(p.path, "SELECT title||text||timestamp||session||source FROM events", "tx3defaultudp");
    EXPECT_SQL(p.path, "SELECT name||status FROM service_checks", "ccritical");
    EXPECT_SQL(p.path, "SELECT reason||text||offset FROM rejects", "no_pipex:10");
    EXPECT_SQL(p.path, "SELECT method||path||status FROM requests", "GET/200");
    EXPECT_SQL(p.path, "SELECT name||open FROM sessions", "default1");
    EXPECT_SQL(p.path, "SELECT loss||n||detail||coalesce(session,'all') FROM losses", "truncated2dall");
    EXPECT_SQL(p.path, "PRAGMA application_id", "1400133492");
    EXPECT_SQL(p.path, "SELECT (ended_at > started_at)||ended_cleanly||mark FROM runs", "110");
    EXPECT_SQL(p.path, "PRAGMA user_version", "3");
    place_remove(&p);
}

/* Every step of the plan but the opening of JSON is a search in an index. */
static void views_use_indexes(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    put_number(s, "x", 1);
    COMMIT(s);
    store_close(s);
    sqlite3 *db;
    sqlite3_stmt *stmt;
    sqlite3_open_v2(p.path, &db, SQLITE_OPEN_READONLY, NULL);
    CU_ASSERT_EQUAL_FATAL(
        sqlite3_prepare_v2(db,
                           "EXPLAIN QUERY PLAN SELECT name, type, value, tags FROM samples WHERE name = 'x'",
                           -1, &stmt, NULL),
        SQLITE_OK);
    int searches = 0;
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(stmt, 3);
        static const char *const tables[] = {"SCAN m", "SCAN y", "SCAN s", "SCAN t",
                                             "SCAN c", "SCAN x", "SCAN l", "SCAN a"};
        for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
            CU_ASSERT(strncmp(step, tables[i], strlen(tables[i])) != 0 ||
                      (step[strlen(tables[i])] != ' ' && step[strlen(tables[i])] != '\0'));
        searches += strstr(step, "USING INDEX metric_name") != NULL;
    }
    EQ_INT(searches, 1);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    place_remove(&p);
}

/* The small numbers in the tables mean what the lists in core/ say. */
static void words(void) {
    struct place p;
    place_make(&p);
    store_close(open_at(p.path));
    char sql[80];
    for (int i = 0; i < METRIC_N_TYPES; i++) {
        snprintf(sql, sizeof sql, "SELECT word FROM types WHERE id = %d", i);
        EXPECT_SQL(p.path, sql, metric_word((enum metric_type)i));
    }
    for (int i = 0; i < SOURCE_N; i++) {
        snprintf(sql, sizeof sql, "SELECT word FROM sources WHERE id = %d", i);
        EXPECT_SQL(p.path, sql, source_word((enum source)i));
    }
    place_remove(&p);
}

/* --- a damaged file ---------------------------------------------------------------------------- */

static void damage(void) {
    static const char *const harms[] = {
        "UPDATE chunk SET vals = '{\"0\":'",
        "UPDATE chunk SET vals = '{\"5\":1,\"3\":2}'",
        "UPDATE chunk SET vals = '\"abc'",
        "UPDATE chunk SET vals = ''",
        "UPDATE chunk SET vals = '{\"0\":{\"ts\":0,\"n\":1'",
        "UPDATE chunk SET vals = x'00ff'",
        "UPDATE chunk SET prev = id + 1",
        "UPDATE metric SET tags = '[\"a'",
        "UPDATE metric SET type = 99",
        "UPDATE context SET tags = 'x'",
        "DELETE FROM context",
        "DELETE FROM arrival",
        "DELETE FROM chunk WHERE id = 1",
        "UPDATE summary SET last_chunk = 999, last_id = 999",
        "UPDATE loss SET loss = 'x'",
        "UPDATE reject SET reason = 'x'",
        "DELETE FROM session",
        "UPDATE metric SET name = NULL || x'ff'",
    };
    for (size_t i = 0; i < sizeof harms / sizeof harms[0]; i++) {
        struct place p;
        place_make(&p);
        struct store *s = open_at(p.path);
        struct record reject = {.kind = RECORD_REJECT, .reject = {.reason = REASON_NO_PIPE}};
        for (int k = 0; k < 5; k++) {
            put_in(s, 1, SOURCE_UDP, AT, "a", k, METRIC_COUNT, "t:1");
            put_in(s, 1, SOURCE_UDP, AT, "b", k, METRIC_SET, "t:1");
            COMMIT(s);
        }
        OK(store_put(s, &reject, &err));
        OK(store_loss(s, 0, LOSS_TRUNCATED, 2, SPAN("d"), &err));
        COMMIT(s);
        store_close(s);
        sqlite3 *db;
        sqlite3_open(p.path, &db);
        sqlite3_exec(db, harms[i], NULL, NULL, NULL);
        sqlite3_close(db);
        struct err err = {0};
        struct reader *r = store_reader_open(p.path, &err);
        for (int what = SAMPLES; r && what <= SESSIONS; what++) {
            struct lines got = {0};
            read_lines(r, (enum what)what, &everything, &got, &(struct err){0});
            read_lines(r, (enum what)what, &(struct filter){.name = SPAN("a"), .limit = 2, .newest = true},
                       &got, &(struct err){0});
            lines_free(&got);
        }
        reader_close(r);
        s = store_open(&(struct store_options){.path = p.path}, &(struct err){0});
        store_close(s);
        place_remove(&p);
    }
}

/* A cut-off, a flipped byte: an error perhaps, never a crash. */
static void torn_files(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    for (int k = 0; k < 300; k++)
        put_in(s, 1, SOURCE_UDP, AT, k % 2 ? "a" : "b", k, METRIC_COUNT, "t:1");
    COMMIT(s);
    store_close(s);
    struct buf whole = read_file(p.path);
    for (size_t i = 0; i < 60; i++) {
        struct buf torn = {0};
        buf_span(&torn, buf_view(&whole));
        if (i < 20)
            torn.n = torn.n * i / 20;
        else
            for (size_t k = 100 + i; k < torn.n; k += 997 + 13 * i)
                torn.p[k] = (char)(torn.p[k] ^ (1 << (i % 8)));
        write_file(p.path, torn.p, torn.n);
        struct err err = {0};
        struct reader *r = store_reader_open(p.path, &err);
        for (int what = SAMPLES; r && what <= SESSIONS; what++) {
            struct lines got = {0};
            read_lines(r, (enum what)what, &everything, &got, &(struct err){0});
            lines_free(&got);
        }
        reader_close(r);
        buf_free(&torn);
    }
    buf_free(&whole);
    place_remove(&p);
}

UNIT_MAIN("store/file", {"opened again", reopen}, {"kill -9 loses nothing that was committed", crash},
          {"nothing of :memory: remains", nothing_of_memory_remains},
          {"foreign and newer files are left alone", foreign_files},
          {"a recorder that died is a loss", a_recorder_that_died_is_a_loss},
          {"a copy made meanwhile is not complete", a_copy_made_meanwhile_is_not_complete},
          {"a spoiled run has no clean end", a_spoiled_run_has_no_clean_end},
          {"what earlier runs left", what_earlier_runs_left}, {"ports used", ports_used},
          {"older ones are migrated", older_is_migrated}, {"newer only in the log", newer_in_the_log},
          {"paths that cannot be", bad_paths}, {"a second writer is told who the first is", second_writer},
          {"the file is moved or deleted", moved_away}, {"disk full (tmpfs) and back", full_disk},
          {"disk full (size limit) and back", full_quota}, {"views", views},
          {"views use indexes", views_use_indexes}, {"words of the tables", words}, {"damaged rows", damage},
          {"torn files", torn_files})
