/* The runs of recorders that a file tells of: how they ended, what they left. */
#include "store/fixture.h"

#include <signal.h>
#include <sys/wait.h>

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
    char name[RECORDING_NAME_SIZE], now[RECORDING_NAME_SIZE];
    store_recording(s, name);
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
    store_recording(s, now);
    EQ_STR(now, name);
    EQ_INT(store_run_mark(s), last);
    put_number(s, "a", 1);
    COMMIT(s);
    EXPECT_EARLIER(s, 1, 10, 11, 1);
    EXPECT_EARLIER(s, other, 1, 1, 1);
    EXPECT_EARLIER(s, 0, 11, 12, 2);
    for (int i = 0; i < 14; i++) {
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
    store_recording(s, now);
    CU_ASSERT(strcmp(now, name) != 0); /* another recording altogether */
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

UNIT_MAIN("store/run", {"a recorder that died is a loss", a_recorder_that_died_is_a_loss},
          {"a copy made meanwhile is not complete", a_copy_made_meanwhile_is_not_complete},
          {"a spoiled run has no clean end", a_spoiled_run_has_no_clean_end},
          {"what earlier runs left", what_earlier_runs_left}, {"ports used", ports_used})
