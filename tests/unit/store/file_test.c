/* What only a file can show: what outlives the process, and what is refused. */
#include "store/fixture.h"
#include "store/sqlite/db.h"
#include "store/sqlite/file.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/wait.h>

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
    EXPECT_SQL(p.path, "SELECT count(*) || (SELECT count(*) FROM context) FROM metric", "20");
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

static void expect_refused(const char *path, const char *why) {
    struct err err = {0};
    struct store *s = store_open(&(struct store_options){.path = path}, &err);
    CU_ASSERT_PTR_NULL(s);
    if (!strstr(err.text, why))
        fprintf(stderr, "\"%s\" is not in \"%s\"\n", why, err.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, why));
    store_close(s);
}

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

/* All columns and indexes of all tables, in their order. */
#define SHAPE                                                                                                                  \
    "SELECT group_concat(line, char(10)) FROM (SELECT t.name || ' ' || c.cid || c.name || c.type || c.\"notnull\" || c.pk || " \
    "ifnull(c.dflt_value, '') AS line FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' UNION ALL "     \
    "SELECT name || ' ' || ifnull(sql, '') FROM sqlite_schema WHERE type = 'index' UNION ALL SELECT name FROM counters ORDER BY 1)"

/* As an earlier version left it. What its runs were nobody knows, so nothing is said of their end. */
static void migrate_from(int version) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    put_number(s, "kept", 1);
    COMMIT(s);
    store_close(s);
    static char of_new[32768], migrated[32768];
    ask_sql(p.path, SHAPE, of_new, sizeof of_new);
    run_sql(p.path, TO_VERSION_7);
    if (version <= 6)
        run_sql(p.path, FROM_7_TO_6);
    if (version <= 5)
        run_sql(p.path, FROM_6_TO_5);
    if (version <= 4)
        run_sql(p.path, FROM_5_TO_4);
    if (version <= 3)
        run_sql(p.path, FROM_4_TO_3);
    if (version <= 2)
        run_sql(p.path, FROM_3_TO_2);
    if (version == 1)
        run_sql(p.path, "DROP VIEW large_datagrams; DROP TABLE large_datagram; PRAGMA user_version = 1");
    struct err err = {0};
    CU_ASSERT_PTR_NULL(store_reader_open(p.path, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "was recorded by an older statwit"));
    s = open_at(p.path);
    struct store_earlier earlier;
    store_earlier(s, 0, &earlier);
    EQ_INT(earlier.samples, 1);
    char name[RECORDING_NAME_SIZE];
    store_recording(s, name);
    CU_ASSERT(strlen(name) == 32 && strspn(name, "0") < 32);
    EQ_INT(count_of(s, LOSSES_READ, everything), 0);
    store_close(s);
    EXPECT_SQL(p.path, "SELECT group_concat(name) FROM samples", "kept");
    EXPECT_SQL(p.path, "SELECT count(*) FROM large_datagrams", "0");
    EXPECT_SQL(p.path, "SELECT count(*)||min(ended_cleanly) FROM runs", version < 3 ? "11" : "21");
    EXPECT_SQL(p.path, "SELECT count(*) FROM remarks", "0");
    EXPECT_SQL(p.path, "SELECT count(*) FROM verdicts", "0");
    EXPECT_SQL(p.path, "SELECT (SELECT count(*) FROM payloads) || (SELECT count(*) FROM datagrams)", "00");
    EXPECT_SQL(p.path, "PRAGMA user_version", SCHEMA_VERSION);
    ask_sql(p.path, SHAPE, migrated, sizeof migrated);
    CU_ASSERT(strlen(of_new) > 4000);
    EQ_STR(migrated, of_new);
    place_remove(&p);
}

static void older_is_migrated(void) {
    migrate_from(1);
    migrate_from(2);
    migrate_from(3);
    migrate_from(4);
    migrate_from(5);
    migrate_from(6);
    migrate_from(7);
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

static bool is_index_kept(const struct place *p) {
    char index[160];
    snprintf(index, sizeof index, "%s-shm", p->path);
    int fd = open(p->path, O_RDWR | O_CLOEXEC);
    file_drop_index(p->path, fd);
    close(fd);
    return access(index, F_OK) == 0;
}

/* Whoever has it open would not see what is recorded from then on. */
static void index_of_a_log(void) {
    struct place p;
    sqlite3 *db;
    place_make(&p);
    store_close(open_at(p.path));
    db_settings();
    OK(sqlite3_open(p.path, &db));
    OK(sqlite3_exec(db, "SELECT * FROM run", NULL, NULL,
                    NULL)); /* a reader made it, of a log that is empty */
    CU_ASSERT(is_index_kept(&p));
    OK(sqlite3_exec(db, "UPDATE counters SET value = value + 1", NULL, NULL, NULL));
    CU_ASSERT(is_index_kept(&p));
    CU_ASSERT_EQUAL(truncate(p.log, 0), 0); /* as who removed the log leaves it */
    CU_ASSERT(!is_index_kept(&p));
    sqlite3_close(db);
    place_remove(&p);
}

enum { LOCKS = 400, LOCKS_LOOKS = 3000 };

struct locks {
    int fds[LOCKS];
    atomic_bool over;
};

/* Locks come and go, some of them in the first part of the system's list. */
static void *keep_locking(void *arg) {
    struct locks *l = arg;
    for (unsigned i = 0; !l->over; i++) {
        flock(l->fds[i % LOCKS], LOCK_UN);
        flock(l->fds[i % LOCKS], LOCK_EX | LOCK_NB);
    }
    return NULL;
}

/* "Nobody records it" made a reader answer as if the file held all. */
static void recorder_is_found_among_locks_that_come_and_go(void) {
    static struct locks l;
    struct place p;
    char name[160];
    pthread_t locker;
    const char *path = place_make(&p);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), unseen = 0;
    CU_ASSERT_FATAL(fd >= 0);
    for (int i = 0; i < LOCKS; i++) {
        snprintf(name, sizeof name, "%s.%d", path, i);
        l.fds[i] = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        CU_ASSERT_FATAL(l.fds[i] >= 0 && flock(l.fds[i], LOCK_EX | LOCK_NB) == 0);
        if (i == LOCKS / 2)
            CU_ASSERT(flock(fd, LOCK_EX | LOCK_NB) == 0);
        unlink(name);
    }
    CU_ASSERT_FATAL(pthread_create(&locker, NULL, keep_locking, &l) == 0);
    for (int i = 0; i < LOCKS_LOOKS; i++)
        unseen += file_lock_holder(path) != getpid();
    l.over = true;
    pthread_join(locker, NULL);
    EQ_INT(unseen, 0);
    for (int i = 0; i < LOCKS; i++)
        close(l.fds[i]);
    close(fd);
    place_remove(&p);
}

UNIT_MAIN("store/file", {"opened again", reopen}, {"kill -9 loses nothing that was committed", crash},
          {"nothing of :memory: remains", nothing_of_memory_remains},
          {"foreign and newer files are left alone", foreign_files},
          {"older ones are migrated", older_is_migrated}, {"newer only in the log", newer_in_the_log},
          {"paths that cannot be", bad_paths}, {"a second writer is told who the first is", second_writer},
          {"a recorder is found among locks that come and go",
           recorder_is_found_among_locks_that_come_and_go},
          {"the file is moved or deleted", moved_away}, {"the index of a log", index_of_a_log})
