/* A log that lies beside a file is read and put into it only when it is its own. */
#include "store/ended.h"
#include "store/sqlite/file.h"
#include "store/sqlite/private.h"

#include <errno.h>
#include <fcntl.h>

static int count_name(void *arg, const struct sample_row *row) {
    ++((int *)arg)[row->spelling->name.p[0] == 'o' ? 0 : 1];
    return 0;
}

/* Samples that a reader of the file finds: of names with 'o' and of others. */
static void expect_samples(const char *path, int of_o, int of_others) {
    struct err why = {0};
    int n[2] = {0};
    struct reader *r = store_reader_open(path, &why);
    if (!r)
        fprintf(stderr, "%s\n", why.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    OK(r->ops->begin(r, &err));
    OK(r->ops->samples(r, &everything, false, count_name, n, &err));
    r->ops->end(r);
    reader_close(r);
    EQ_INT(n[0], of_o);
    EQ_INT(n[1], of_others);
}

static void expect_left_out(struct reader *r) {
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    const char *note = r->ops->note(r);
    CU_ASSERT_PTR_NOT_NULL_FATAL(note);
    CU_ASSERT_PTR_NOT_NULL(strstr(note, "it is left out"));
}

/* How many logs were put aside; they go. */
static int asides(const char *path) {
    char name[160];
    int n = 0;
    do
        snprintf(name, sizeof name, "%s-wal.%d", path, ++n);
    while (unlink(name) == 0);
    return n - 1;
}

static void copy_file(const char *from, const char *to) {
    struct buf bytes = read_file(from);
    write_file(to, bytes.p, bytes.n);
    buf_free(&bytes);
}

/* Readers and the next recorder go by what is there now alone. */
static void moved_over(int was, int is) {
    struct place p;
    char other[160];
    place_make(&p);
    snprintf(other, sizeof other, "%s.other", p.path);
    record(p.path, "other", 3);
    record_killed(p.path, "other", was);
    record(other, "new", is);
    CU_ASSERT_EQUAL(rename(other, p.path), 0);
    expect_samples(p.path, 0, is);
    record_killed(p.path, "new", 1);
    expect_samples(p.path, 0, is + 1);
    record(p.path, "new", 1);
    expect_samples(p.path, 0, is + 2);
    EXPECT_SQL(p.path, "PRAGMA integrity_check", "ok");
    EQ_INT(asides(p.path), 1);
    place_remove(&p);
}

static void another_recording(void) {
    moved_over(1, 1);
    moved_over(1, 9000);
    moved_over(9000, 1);
    moved_over(90000, 90000);
}

/* Another recording in the place of one whose recorder was killed. */
static void expect_foreign(const char *path) {
    char other[160];
    snprintf(other, sizeof other, "%s.other", path);
    record(other, "new", 2);
    CU_ASSERT_EQUAL(rename(other, path), 0);
    expect_samples(path, 0, 2);
    record(path, "new", 1);
    expect_samples(path, 0, 3);
    EXPECT_SQL(path, "PRAGMA integrity_check", "ok");
    EQ_INT(asides(path), 1);
}

/* The first recorder of a file may be killed, too, as soon as it has recorded something. */
static void of_a_first_run(void) {
    struct place p;
    place_make(&p);
    record_killed(p.path, "other", 5);
    expect_foreign(p.path);
    place_remove(&p);
}

/* --- one that somebody reads from its beginning ---------------------------------------------------- */

static const char *read_from;
static sqlite3 *early;

/* SQLite calls it with each connection that is opened. */
static int read_early(sqlite3 *db, char **why, const struct sqlite3_api_routines *api) {
    const char *path = read_from;
    (void)db, (void)why, (void)api;
    read_from = NULL;
    if (!path)
        return SQLITE_OK;
    EQ_INT(sqlite3_open_v2(path, &early, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    EQ_INT(sqlite3_exec(early, "BEGIN; SELECT * FROM counters", NULL, NULL, NULL), SQLITE_OK);
    return SQLITE_OK;
}

static void put_as_it_is_read(const char *path) {
    read_from = path;
    EQ_INT(sqlite3_auto_extension((void (*)(void))read_early), SQLITE_OK);
    put_numbers(path, "other", 5, false);
    CU_ASSERT_PTR_NOT_NULL(early);
    _exit(CU_get_number_of_failures() > 0);
}

/* Nothing of its log comes into a new file as long as somebody reads that, so it is all in the first log. */
static void of_a_new_file(void) {
    struct place p;
    place_make(&p);
    pid_t child = fork();
    if (child == 0)
        put_as_it_is_read(p.path);
    int status;
    waitpid(child, &status, 0);
    EQ_INT(status, 0);
    expect_foreign(p.path);
    place_remove(&p);
}

/* --- whatever its first commit is ------------------------------------------------------------------- */

static int die_with_log(unsigned what, void *log, void *stmt, void *ns) {
    struct stat st;
    (void)what, (void)stmt, (void)ns;
    if (stat(log, &st) == 0 && st.st_size > 0)
        _exit(CU_get_number_of_failures() > 0);
    return 0;
}

static char *dies_with;

static int watch_log(sqlite3 *db, char **why, const struct sqlite3_api_routines *api) {
    (void)why, (void)api;
    sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, die_with_log, dies_with); /* after each statement */
    return SQLITE_OK;
}

/* Opens it; the process is gone as soon as something stands in the log. */
static void die_at_once(struct place *p) {
    pid_t child = fork();
    if (child == 0) {
        dies_with = p->log;
        sqlite3_auto_extension((void (*)(void))watch_log);
        open_at(p->path);
        _exit(2);
    }
    int status;
    waitpid(child, &status, 0);
    EQ_INT(status, 0);
}

static void first_is_the_run(void) {
    struct place p;
    place_make(&p);
    record(p.path, "other", 5);
    die_at_once(&p);
    expect_foreign(p.path);
    place_remove(&p);
}

static void first_closes_sessions(void) {
    struct place p;
    uint64_t id;
    place_make(&p);
    struct store *s = open_at(p.path);
    OK(store_session_add(s, SPAN("open"), SPAN("k"), 0, &id, &err));
    store_close(s);
    die_at_once(&p);
    expect_foreign(p.path);
    place_remove(&p);
}

static void first_migrates(void) {
    struct place p;
    place_make(&p);
    record(p.path, "other", 5);
    run_sql(p.path, TO_VERSION_7);
    die_at_once(&p);
    expect_foreign(p.path);
    place_remove(&p);
}

static void first_ends_the_run(void) {
    struct place p;
    place_make(&p);
    pid_t child = fork();
    if (child == 0) {
        struct store *s = open_at(p.path);
        put_number(s, "other", 1);
        COMMIT(s);
        log_copy(s);
        store_run_end(s);
        _exit(CU_get_number_of_failures() > 0);
    }
    int status;
    waitpid(child, &status, 0);
    EQ_INT(status, 0);
    expect_foreign(p.path);
    place_remove(&p);
}

/* Three samples, where a recorder was killed that had twelve. */
static void put_older_copy_back(const struct place *p) {
    char copy[160];
    snprintf(copy, sizeof copy, "%s.copy", p->path);
    record(p->path, "one", 3);
    copy_file(p->path, copy);
    record(p->path, "one", 4);
    record_killed(p->path, "one", 5);
    CU_ASSERT_EQUAL(rename(copy, p->path), 0);
}

/* --- one that cannot be read for now ---------------------------------------------------------------- */

static int touches;

/* Who reads a file alone notices that. */
static int touch_file(sqlite3 *db, char **why, const struct sqlite3_api_routines *api) {
    const char *path = sqlite3_db_filename(db, "main");
    const struct timespec times[2] = {{.tv_sec = touches}, {.tv_sec = touches}};
    (void)why, (void)api;
    if (touches > 0 && sqlite3_uri_boolean(path, "immutable", 0)) {
        touches--;
        EQ_INT(utimensat(AT_FDCWD, path, times, 0), 0);
    }
    return SQLITE_OK;
}

/* Nothing is known then, and it is looked at again. */
static void is_changed_while_it_is_read(void) {
    struct place p;
    place_make(&p);
    put_older_copy_back(&p);
    EQ_INT(sqlite3_auto_extension((void (*)(void))touch_file), SQLITE_OK);
    touches = 2;
    expect_samples(p.path, 3, 0);
    EQ_INT(touches, 0);
    touches = 2;
    record(p.path, "one", 1);
    EQ_INT(touches, 0);
    sqlite3_cancel_auto_extension((void (*)(void))touch_file);
    expect_samples(p.path, 4, 0);
    EXPECT_SQL(p.path, "PRAGMA integrity_check", "ok");
    EQ_INT(asides(p.path), 1);
    place_remove(&p);
}

static void cannot_be_opened(const char *path) {
    struct err why = {0};
    CU_ASSERT_PTR_NULL(store_open(&(struct store_options){.path = path}, &why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "which cannot be put aside"));
}

/* It is not removed because there is no name for it, nor read, nor is another one that was put aside. */
static void no_name_for_it(void) {
    struct place p;
    char name[160];
    place_make(&p);
    put_older_copy_back(&p);
    for (int i = 1; i < 100; i++) {
        snprintf(name, sizeof name, "%s-wal.%d", p.path, i);
        write_file(name, "put aside", 9);
    }
    cannot_be_opened(p.path);
    CU_ASSERT(access(p.log, F_OK) == 0);
    struct buf last = read_file(name);
    EQ_INT(last.n, 9);
    buf_free(&last);
    expect_samples(p.path, 3, 0);
    CU_ASSERT_EQUAL(unlink(name), 0);
    record(p.path, "one", 1);
    expect_samples(p.path, 4, 0);
    EQ_INT(asides(p.path), 99);
    place_remove(&p);
}

/* A new recording is made where one lay that was moved, and its log was forgotten. */
static void beside_a_new_one(void) {
    struct place p;
    char old[160], aside[160];
    place_make(&p);
    snprintf(old, sizeof old, "%s.old", p.path);
    snprintf(aside, sizeof aside, "%s-wal.1", p.path);
    record_killed(p.path, "one", 5);
    CU_ASSERT_EQUAL(rename(p.path, old), 0);
    CU_ASSERT_EQUAL(mkdir(aside, 0700), 0);
    record(p.path, "new", 2);
    expect_samples(p.path, 0, 2);
    CU_ASSERT_EQUAL(rmdir(aside), 0);
    aside[strlen(aside) - 1] = '2';
    CU_ASSERT_EQUAL(rename(old, p.path), 0);
    CU_ASSERT_EQUAL(rename(aside, p.log), 0);
    expect_samples(p.path, 5, 0);
    place_remove(&p);
}

/* Each of them had as many logs as the other since. */
static void copies_that_went_on(void) {
    struct place p;
    char copy[160];
    place_make(&p);
    snprintf(copy, sizeof copy, "%s.copy", p.path);
    record(p.path, "one", 3);
    copy_file(p.path, copy);
    record(copy, "new", 2);
    record_killed(p.path, "other", 5);
    CU_ASSERT_EQUAL(rename(copy, p.path), 0);
    expect_samples(p.path, 3, 2);
    record(p.path, "new", 1);
    expect_samples(p.path, 3, 3);
    EXPECT_SQL(p.path, "PRAGMA integrity_check", "ok");
    EQ_INT(asides(p.path), 1);
    place_remove(&p);
}

/* Its logs were counted, or nothing was said of them. */
static void of_an_earlier_version(void) {
    struct place p;
    sqlite3 *db;
    place_make(&p);
    record(p.path, "one", 3);
    run_sql(p.path, "DELETE FROM counters WHERE name LIKE 'log%'; INSERT INTO counters VALUES ('logs', 7)");
    EQ_INT(sqlite3_open(p.path, &db), SQLITE_OK);
    EQ_INT(sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL), SQLITE_OK);
    EQ_INT(sqlite3_exec(
               db, "UPDATE counters SET value = 8 WHERE name = 'logs'; UPDATE run SET version = 'earlier'",
               NULL, NULL, NULL),
           SQLITE_OK);
    sqlite3_close(db);
    expect_samples(p.path, 3, 0);
    record_killed(p.path, "one", 2);
    expect_samples(p.path, 5, 0);
    record(p.path, "one", 1);
    expect_samples(p.path, 6, 0);
    EXPECT_SQL(p.path, "SELECT version FROM run ORDER BY id LIMIT 1", "earlier");
    EQ_INT(asides(p.path), 0);
    place_remove(&p);
}

/* A copy from before has the file's number, but not those of the logs that came since. */
static void an_older_copy(void) {
    struct place p;
    place_make(&p);
    put_older_copy_back(&p);
    expect_samples(p.path, 3, 0);
    struct reader *r = store_reader_open(p.path, NULL);
    expect_left_out(r);
    reader_close(r);
    record(p.path, "one", 1);
    expect_samples(p.path, 4, 0);
    EXPECT_SQL(p.path, "PRAGMA integrity_check", "ok");
    EQ_INT(asides(p.path), 1);
    place_remove(&p);
}

/* A file that is moved with its log, to where somebody still has the index of another log mapped. */
static void the_index_alone(void) {
    struct place p, other;
    place_make(&p);
    place_make(&other);
    for (int i = 0; i < 2; i++) {
        record(p.path, "new", 1);
        record_killed(p.path, "new", i ? 9000 : 1);
        struct reader *r = store_reader_open(p.path, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(r);
        OK(r->ops->begin(r, &err));
        record(other.path, "one", 3);
        record_killed(other.path, "one", i ? 1 : 5000);
        CU_ASSERT_EQUAL(rename(other.path, p.path), 0);
        CU_ASSERT_EQUAL(rename(other.log, p.log), 0);
        expect_samples(p.path, i ? 4 : 5003, 0);
        record(p.path, "one", 1);
        expect_samples(p.path, i ? 5 : 5004, 0);
        EXPECT_SQL(p.path, "PRAGMA integrity_check", "ok");
        r->ops->end(r);
        reader_close(r);
        file_drop_logs(p.path);
        file_drop_logs(other.path);
        unlink(p.path);
    }
    place_remove(&p);
    place_remove(&other);
}

/* The log and the index of two other recordings: then a copy is read, without either. */
static void left_out_of_a_copy(void) {
    struct place p, other;
    const char *path = p.path;
    place_make(&p);
    place_make(&other);
    record_killed(p.path, "other", 1);
    record_killed(other.path, "other", 2);
    CU_ASSERT_EQUAL(rename(other.log, p.log), 0);
    file_drop_logs(other.path);
    unlink(other.path);
    record(other.path, "new", 3);
    CU_ASSERT_EQUAL(rename(other.path, p.path), 0);
    struct reader *r = store_reader_open(p.path, NULL);
    expect_left_out(r);
    reader_close(r);
    expect_samples(p.path, 0, 3);
    struct store *s = store_open_view(&path, 1, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    r = store_reader_take(s, NULL);
    expect_left_out(r);
    store_reader_give(s, r);
    store_close(s);
    place_remove(&p);
    place_remove(&other);
}

/* Connections of a process to a file share an index, also when the next recorder has made another one. Nothing is read by it then. */
static void an_index_that_is_gone(void) {
    struct place p;
    char other[160];
    struct err why = {0};
    sqlite3 *db;
    int go[2], status;
    place_make(&p);
    snprintf(other, sizeof other, "%s.other", p.path);
    record(p.path, "other", 3);
    record_killed(p.path, "other", 9000);
    CU_ASSERT_EQUAL_FATAL(pipe(go), 0);
    pid_t recorder = fork(); /* before this process has the index open */
    if (recorder == 0) {
        char byte;
        if (read(go[0], &byte, 1) == 1)
            put_numbers(p.path, "new", 2, false);
        _exit(CU_get_number_of_failures() > 0);
    }
    record(other, "new", 5);
    CU_ASSERT_EQUAL(rename(other, p.path), 0);
    EQ_INT(sqlite3_open_v2(p.path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    sqlite3_exec(db, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL);
    EQ_INT(write(go[1], "", 1), 1);
    waitpid(recorder, &status, 0);
    EQ_INT(status, 0);
    close(go[0]);
    close(go[1]);
    struct reader *r = store_reader_open(p.path, &why);
    CU_ASSERT_PTR_NULL(r);
    EQ_INT(why.sys, EAGAIN);
    CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "ask again"));
    reader_close(r);
    sqlite3_close(db);
    expect_samples(p.path, 0, 7);
    record(p.path, "new", 1);
    expect_samples(p.path, 0, 8);
    EQ_INT(asides(p.path), 1);
    place_remove(&p);
}

/* As many commits as it takes for the log to begin anew, at times beside a reader that keeps it from that. Never ends. */
static void go_on(const char *path, int commits) {
    struct store *s = open_at(path);
    struct reader *r = NULL;
    struct err why;
    for (int i = 0; i < commits; i++) {
        for (int k = 0; k < 300; k++)
            put_number(s, "one", k * 1.37);
        if (i % 5 == 0)
            put_in(s, 1, SOURCE_UDP, AT, "one", 1, METRIC_COUNT, "i:0"), put_number(s, "one", 1);
        COMMIT(s);
        store_shorten_log(s);
        if (i % 40 == 20 && (r = store_reader_open(path, &why)))
            r->ops->begin(r, &why);
        if (i % 40 == 35 && r) {
            r->ops->end(r);
            reader_close(r);
            r = NULL;
        }
    }
    _exit(CU_get_number_of_failures() > 0);
}

static int samples_of(int commits) {
    return commits * 300 + (commits + 4) / 5 * 2;
}

/* Nothing of a log of its own is lost, wherever its recorder is killed, and by whichever way it is read. */
static void its_own(void) {
    static const int commits[] = {1, 2, 20, 37, 90, 161, 3};
    struct place p, copy;
    int n = 0;
    place_make(&p);
    place_make(&copy);
    for (size_t i = 0; i < sizeof commits / sizeof commits[0]; i++) {
        int status;
        pid_t child = fork();
        if (child == 0)
            go_on(p.path, commits[i]);
        waitpid(child, &status, 0);
        EQ_INT(status, 0);
        n += samples_of(commits[i]);
        expect_samples(p.path, n, 0);
        copy_file(p.path, copy.path);
        copy_file(p.log, copy.log);
        expect_samples(copy.path, n, 0);
    }
    record(p.path, "one", 1);
    expect_samples(p.path, n + 1, 0);
    place_remove(&p);
    place_remove(&copy);
}

/* Also as long as somebody writes it. */
static void beside_a_recorder(void) {
    struct place p;
    sqlite3 *db;
    int looked = 0, foreign = 0, status;
    place_make(&p);
    record(p.path, "one", 1);
    pid_t child = fork();
    if (child == 0)
        go_on(p.path, 400);
    EQ_INT(sqlite3_open_v2(p.path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    for (bool ended = false; !ended || looked < 10; looked++) {
        foreign += log_whose(db, p.path, true, NULL) == LOG_FOREIGN;
        ended = ended || waitpid(child, &status, WNOHANG) == child;
    }
    EQ_INT(status, 0);
    EQ_INT(foreign, 0);
    sqlite3_close(db);
    expect_samples(p.path, samples_of(400) + 1, 0);
    place_remove(&p);
}

UNIT_MAIN("store/foreign_log", {"of another recording", another_recording},
          {"of another one's first run", of_a_first_run}, {"of a new file", of_a_new_file},
          {"its first commit is the run", first_is_the_run},
          {"its first commit closes sessions", first_closes_sessions},
          {"its first commit migrates", first_migrates},
          {"its first commit ends the run", first_ends_the_run}, {"an older copy", an_older_copy},
          {"copies that went on apart", copies_that_went_on},
          {"of an earlier version", of_an_earlier_version},
          {"is changed while it is read", is_changed_while_it_is_read}, {"no name for it", no_name_for_it},
          {"beside a new one", beside_a_new_one}, {"the index alone", the_index_alone},
          {"left out of a copy", left_out_of_a_copy}, {"an index that is gone", an_index_that_is_gone},
          {"its own", its_own}, {"beside a recorder", beside_a_recorder})
