/* A full disk, and a file that was damaged. */
#include "store/fixture.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

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

/* --- a damaged file ---------------------------------------------------------------------------- */

static int ignore_points(void *arg, const struct points_row *row) {
    (void)arg, (void)row;
    return 0;
}

static int ignore_numbers(void *arg, const struct numbers_row *row) {
    (void)arg, (void)row;
    return 0;
}

static void read_series(struct reader *r, uint64_t id) {
    if (r->ops->begin(r, &(struct err){0}) != 0)
        return;
    r->ops->points(r, id, ignore_points, NULL, &(struct err){0});
    r->ops->numbers(r, id, ignore_numbers, NULL, &(struct err){0});
    r->ops->end(r);
}

static void damage(void) {
    static const char *const harms[] = {
        "UPDATE chunk SET vals = '{\"0\":'",
        "UPDATE chunk SET vals = '{\"5\":1,\"3\":2}'",
        "UPDATE chunk SET vals = '\"abc'",
        "UPDATE chunk SET vals = ''",
        "UPDATE chunk SET vals = '{\"0\":{\"ts\":0,\"n\":1'",
        "UPDATE chunk SET vals = x'00ff'",
        "UPDATE chunk SET step = NULL",
        "UPDATE chunk SET step = 2",
        "UPDATE chunk SET step = -1",
        "UPDATE chunk SET step = 9223372036854775807",
        "UPDATE chunk SET step = 'x'",
        "UPDATE chunk SET vals = '{\"0\":[1,2'",
        "UPDATE chunk SET vals = '{\"0\":[1,2],\"1\":[3]}'",
        "UPDATE chunk SET vals = '{\"9223372036854775806\":[1,2,3]}', step = 4294967295",
        "UPDATE chunk SET vals = '{\"0\":[]}', step = 1",
        "UPDATE chunk SET prev = id + 1",
        "UPDATE metric SET tags = '[\"a'",
        "UPDATE metric SET type = 99",
        "UPDATE context SET tags = 'x'",
        "DELETE FROM context",
        "UPDATE metric SET spelling = NULL",
        "UPDATE metric SET spelling = x'00', spelled = 'x'",
        "UPDATE metric SET spelling = x'0102030405060708090a0b0c', spelled = '[1'",
        "INSERT INTO context (id, metric_id, hash, tags, interval) SELECT id, id + 7, hash, tags, 0 FROM metric",
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
            for (int again = 0; again <= k % 2; again++) {
                put_in(s, 1, SOURCE_UDP, AT, "a", k, METRIC_COUNT, "t:1");
                put_in(s, 1, SOURCE_UDP, AT, "b", k, METRIC_SET, "t:1");
            }
            for (int other = 0; other < 20; other++) /* so that the chains of the others are walked */
                put_in(s, 1, SOURCE_UDP, AT, "c", k, METRIC_COUNT, "t:1");
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
        for (uint64_t id = 1; r && id <= 2; id++)
            read_series(r, id);
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

UNIT_MAIN("store/damage", {"disk full (tmpfs) and back", full_disk},
          {"disk full (size limit) and back", full_quota}, {"damaged rows", damage},
          {"torn files", torn_files})
