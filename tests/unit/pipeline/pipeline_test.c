/* The queue between producers and the one writer: order, tickets, bounds, and what happens when the store fails. */
#include "core/clock.h"
#include "pipeline/pipeline.h"
#include "unit.h"
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct store *store;
static struct pipeline *pipeline;
static atomic_int n_freed;

struct work {
    struct batch batch;
    int left;          /* records to put, one a call */
    _Atomic int *told; /* its result once it is freed; NULL: nobody asks from another thread */
    const char *name;
};

static int feed(struct batch *batch, struct store *s, struct err *err) {
    struct work *w = (struct work *)batch;
    struct value value = {.number = w->left, .text = SPAN("1")};
    struct record record = {.kind = RECORD_METRIC,
                            .metric = {.type = METRIC_COUNT,
                                       .name = span_str(w->name),
                                       .sample_rate = 1,
                                       .n_values = 1,
                                       .values = &value}};
    if (store_put(s, &record, err) != 0)
        return -1;
    w->left--;
    batch->n_left--;
    return w->left == 0;
}

static void release(struct batch *batch) {
    struct work *w = (struct work *)batch;
    atomic_fetch_add(&n_freed, 1);
    if (w->told)
        atomic_store(w->told, *batch->result);
    free(w);
}

static struct batch *work(const char *name, int n, size_t n_bytes, int *result) {
    struct work *w = calloc(1, sizeof *w);
    *w = (struct work){.batch = {.session_id = 1,
                                 .n_bytes = n_bytes,
                                 .n_left = (size_t)n,
                                 .feed = feed,
                                 .free = release,
                                 .result = result},
                       .left = n,
                       .name = name};
    return &w->batch;
}

static void enter_on(const char *path) {
    struct err err = {0};
    struct store_options options = {.path = path};
    store = store_open(&options, &err);
    CU_ASSERT_FATAL(store != NULL);
    CU_ASSERT_FATAL(store_arrival(store, 1, SOURCE_HTTP, clock_wall_ns(), &err) == 0);
    pipeline = pipeline_new(store, PIPELINE_CAP_MIN, &err);
    CU_ASSERT_FATAL(pipeline != NULL);
    atomic_store(&n_freed, 0);
}

static void enter(void) {
    enter_on(":memory:");
}

static void leave(void) {
    pipeline_free(pipeline);
    store_close(store);
}

static void run_dry(void) {
    while (pipeline_step(pipeline, 0, NS_PER_MS)) {
    }
    pipeline_commit(pipeline);
}

static uint64_t recorded(void) {
    struct store_stats stats;
    store_stats(store, &stats);
    return stats.samples;
}

static void stored_in_order(void) {
    enter();
    struct batch *a = work("a", 3, 100, NULL), *b = work("b", 2, 100, NULL);
    CU_ASSERT(pipeline_put(pipeline, &a) == 0 && a == NULL);
    uint64_t first = pipeline_mark(pipeline);
    CU_ASSERT(pipeline_put(pipeline, &b) == 0 && pipeline_mark(pipeline) == first + 1);
    CU_ASSERT(poll(&(struct pollfd){pipeline_fd(pipeline), POLLIN, 0}, 1, 0) == 1);
    EQ_INT(pipeline_backlog(pipeline, NULL), 200);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT(!pipeline_stored(pipeline, 1, first) && !pipeline_stored(pipeline, 0, first));
        CU_ASSERT(pipeline_step(pipeline, 0, 0));
    }
    CU_ASSERT(pipeline_stored(pipeline, 1, first) && pipeline_stored(pipeline, 0, first));
    CU_ASSERT(!pipeline_stored(pipeline, 1, first + 1));
    run_dry();
    CU_ASSERT(pipeline_stored(pipeline, 1, first + 1));
    EQ_INT(recorded(), 5);
    EQ_INT(atomic_load(&n_freed), 2);
    EQ_INT(pipeline_backlog(pipeline, NULL), 0);
    leave();
}

static struct batch *work_of(uint64_t session_id, int n) {
    struct batch *b = work("x", n, 100, NULL);
    b->session_id = session_id;
    return b;
}

/* One step feeds one record here: the budget is 0. */
static void lanes_take_turns(void) {
    enter();
    struct batch *a = work_of(2, 100), *b = work_of(3, 2), *c = work_of(4, 1);
    CU_ASSERT_FATAL(pipeline_put(pipeline, &a) == 0 && pipeline_put(pipeline, &b) == 0);
    CU_ASSERT_FATAL(pipeline_put(pipeline, &c) == 0);
    uint64_t mark = pipeline_mark(pipeline);
    for (int i = 1; i <= 5; i++) { /* a b c a b */
        pipeline_step(pipeline, 0, 0);
        EQ_INT(pipeline_stored(pipeline, 4, mark), i >= 3);
        EQ_INT(pipeline_stored(pipeline, 3, mark), i >= 5);
    }
    CU_ASSERT(!pipeline_stored(pipeline, 2, mark));
    CU_ASSERT(pipeline_stored(pipeline, 5, mark)); /* it has nothing */
    leave();
}

static void a_lane_ahead_of_its_turn(void) {
    enter();
    struct batch *a = work_of(2, 100), *b = work_of(3, 2), *late = work_of(3, 7);
    CU_ASSERT_FATAL(pipeline_put(pipeline, &a) == 0 && pipeline_put(pipeline, &b) == 0);
    uint64_t mark = pipeline_mark(pipeline);
    CU_ASSERT_FATAL(pipeline_put(pipeline, &late) == 0);
    while (!pipeline_stored(pipeline, 3, mark))
        CU_ASSERT_FATAL(pipeline_step(pipeline, 3, 0));
    pipeline_commit(pipeline);
    EQ_INT(recorded(), 2); /* nothing of the other lane, nor of what came later */
    while (pipeline_step(pipeline, 3, 0)) {
    }
    CU_ASSERT(!pipeline_stored(pipeline, 2, mark));
    run_dry(); /* a lane that was emptied out of turn is in nobody's way */
    EQ_INT(recorded(), 109);
    struct batch *again = work_of(3, 1);
    CU_ASSERT_FATAL(pipeline_put(pipeline, &again) == 0);
    run_dry();
    EQ_INT(recorded(), 110);
    leave();
}

/* Whoever fills the queue leaves room for what the loop has to read. */
static void the_reserve_is_the_loops(void) {
    enter();
    struct batch *a = work("a", 1, PIPELINE_CAP_MIN - PIPELINE_RESERVE, NULL), *b = work("b", 1, 1, NULL);
    CU_ASSERT(pipeline_put(pipeline, &a) == 0);
    CU_ASSERT(pipeline_put(pipeline, &b) == -1);
    CU_ASSERT(pipeline_has_room(pipeline, PIPELINE_RESERVE));
    CU_ASSERT(pipeline_append(pipeline, &b) == 0);
    leave();
}

static void bounded(void) {
    enter();
    struct batch *a = work("a", 1, PIPELINE_CAP_MIN, NULL), *b = work("b", 1, 1, NULL), *same = b;
    CU_ASSERT(pipeline_put(pipeline, &a) == 0);
    CU_ASSERT(!pipeline_has_room(pipeline, 1));
    CU_ASSERT(pipeline_put(pipeline, &b) == -1 && b == same); /* still the caller's */
    run_dry();
    CU_ASSERT(pipeline_put(pipeline, &b) == 0);
    run_dry();
    EQ_INT(recorded(), 2);
    size_t peak;
    EQ_INT(pipeline_backlog(pipeline, &peak), 0);
    EQ_INT(peak, PIPELINE_CAP_MIN);
    leave();
}

static int count_loss(void *arg, const struct loss_row *row) {
    if (row->loss == LOSS_DISK_FULL)
        *(uint64_t *)arg += row->n;
    return 0;
}

static uint64_t told_lost(void) {
    struct err err = {0};
    struct filter all = {0};
    uint64_t lost = 0;
    struct reader *reader = store_reader_take(store, &err);
    CU_ASSERT(reader->ops->begin(reader, &err) == 0 &&
              reader->ops->losses(reader, &all, count_loss, &lost, &err) == 0);
    reader->ops->end(reader);
    store_reader_give(store, reader);
    return lost;
}

/* The disk is full: a limit on the size of files stands for it. */
static void a_failing_store_is_a_counted_loss(void) {
    char directory[] = "/tmp/statwit-pipe-XXXXXX", path[64];
    CU_ASSERT_FATAL(mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/db", directory);
    enter_on(path);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before, full;
    getrlimit(RLIMIT_FSIZE, &before);
    full = before;
    full.rlim_cur = 4096;
    int bad = 7, good = 7;
    struct batch *a = work("a", 5, 10, &bad);
    CU_ASSERT(setrlimit(RLIMIT_FSIZE, &full) == 0);
    CU_ASSERT(pipeline_put(pipeline, &a) == 0);
    run_dry();
    CU_ASSERT(setrlimit(RLIMIT_FSIZE, &before) == 0);
    EQ_INT(bad, -1);
    EQ_INT(pipeline_unsaved_loss(pipeline), 5);
    struct batch *b = work("b", 4, 10, &good);
    CU_ASSERT(pipeline_put(pipeline, &b) == 0);
    run_dry();
    EQ_INT(good, 0);
    EQ_INT(recorded(), 4);
    EQ_INT(pipeline_unsaved_loss(pipeline), 0);
    EQ_INT(told_lost(), 5);
    leave();
    unlink(path);
    CU_ASSERT(rmdir(directory) == 0);
}

/* What was put has no place until it is let in; what the loop appends meanwhile stands in front of it. */
static void held_until_it_is_let_in(void) {
    enter();
    pipeline_hold(pipeline);
    int result = 7;
    struct batch *a = work("a", 1, 10, &result), *b = work("b", 1, 10, NULL);
    CU_ASSERT(pipeline_put(pipeline, &a) == 0 && a == NULL);
    EQ_INT(pipeline_backlog(pipeline, NULL), 10);
    CU_ASSERT(!pipeline_step(pipeline, 0, NS_PER_S));
    struct batch *taken = pipeline_take(pipeline);
    CU_ASSERT(taken != NULL && pipeline_take(pipeline) == NULL);
    CU_ASSERT(pipeline_append(pipeline, &b) == 0);
    pipeline_let_in(pipeline, taken);
    EQ_INT(pipeline_mark(pipeline), 2);
    run_dry();
    EQ_INT(result, 0);
    EQ_INT(recorded(), 2);
    struct batch *never = work("c", 1, 10, NULL);
    CU_ASSERT(pipeline_put(pipeline, &never) == 0); /* freed with the queue */
    leave();
    EQ_INT(n_freed, 3);
}

static void what_is_discarded_is_told(void) {
    enter();
    int result = 7;
    struct batch *a = work("a", 3, 10, NULL), *b = work("b", 4, 10, &result), *c = work("c", 5, 10, NULL);
    c->session_id = 2;
    CU_ASSERT(pipeline_put(pipeline, &a) == 0 && pipeline_put(pipeline, &b) == 0 &&
              pipeline_put(pipeline, &c) == 0);
    EQ_INT(pipeline_discard(pipeline, LOSS_STOPPED, SPAN("")), 8); /* b's producer is told */
    EQ_INT(result, -1);
    EQ_INT(n_freed, 3);
    EQ_INT(pipeline_backlog(pipeline, NULL), 0);
    pipeline_commit(pipeline);
    struct store_stats stats;
    store_stats(store, &stats);
    EQ_INT(stats.losses[LOSS_STOPPED], 8);
    EQ_INT(recorded(), 0);
    leave();
}

static void *producer(void *arg) {
    (void)arg;
    for (int i = 0; i < 500; i++) {
        int result = 7;
        _Atomic int told = 7;
        uint64_t commits = pipeline_commits(pipeline);
        struct batch *b = work("p", 2, 100, &result);
        ((struct work *)b)->told = &told;
        while (pipeline_put(pipeline, &b) != 0) {
        }
        while (told == 7)
            commits = pipeline_watch(pipeline, commits, clock_mono_ns() + NS_PER_MS);
        if (told != 0)
            return "a batch was not stored";
    }
    return NULL;
}

struct watching {
    uint64_t seen;
    atomic_int stop;
};

static void *watcher(void *arg) {
    struct watching *w = arg;
    while (!atomic_load(&w->stop))
        w->seen = pipeline_watch(pipeline, w->seen, clock_mono_ns() + NS_PER_MS);
    return NULL;
}

static void many_producers(void) {
    enter();
    pthread_t threads[4], watching;
    struct watching w = {0};
    pthread_create(&watching, NULL, watcher, &w);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, producer, NULL);
    while (recorded() < 4 * 500 * 2) {
        pipeline_step(pipeline, 0, NS_PER_MS);
        pipeline_commit(pipeline);
    }
    for (int i = 0; i < 4; i++) {
        void *complaint;
        pthread_join(threads[i], &complaint);
        CU_ASSERT_PTR_NULL(complaint);
    }
    atomic_store(&w.stop, 1);
    pthread_join(watching, NULL);
    EQ_INT(recorded(), 4000);
    leave();
}

/* A waiting question's answer once came with the next commit of what another session was flooded with. */
static void what_is_waited_for(void) {
    enter();
    struct batch *first = work("a", 1, 100, NULL), *second = work("b", 1, 100, NULL),
                 *third = work("c", 1, 100, NULL);
    first->session_id = 2;
    pipeline_want(pipeline, 1);
    CU_ASSERT(pipeline_put(pipeline, &first) == 0);
    pipeline_step(pipeline, 0, 0);
    CU_ASSERT_FALSE(pipeline_wanted(pipeline));
    CU_ASSERT(pipeline_put(pipeline, &second) == 0);
    CU_ASSERT_FALSE(pipeline_wanted(pipeline));
    pipeline_step(pipeline, 0, 0);
    CU_ASSERT_TRUE(pipeline_wanted(pipeline));
    run_dry();
    CU_ASSERT_FALSE(pipeline_wanted(pipeline));
    pipeline_want_no_more(pipeline, 1);
    CU_ASSERT(pipeline_put(pipeline, &third) == 0);
    pipeline_step(pipeline, 0, 0);
    CU_ASSERT_FALSE(pipeline_wanted(pipeline));
    third = work("d", 1, 100, NULL);
    pipeline_want(pipeline, 0);
    CU_ASSERT(pipeline_put(pipeline, &third) == 0);
    pipeline_step(pipeline, 0, 0);
    CU_ASSERT_TRUE(pipeline_wanted(pipeline));
    leave();
}

/* A producer is answered, and what it brought becomes visible with the next commit. */
static void kept_is_not_committed(void) {
    enter();
    int result = -1;
    int64_t since_ns;
    struct batch *first = work("a", 1, 100, NULL), *second = work("a", 1, 100, &result);
    CU_ASSERT(pipeline_put(pipeline, &first) == 0);
    run_dry(); /* the series is known */
    uint64_t commits = pipeline_commits(pipeline);
    CU_ASSERT(pipeline_put(pipeline, &second) == 0);
    pipeline_step(pipeline, 0, 0);
    CU_ASSERT(pipeline_owes(pipeline));
    pipeline_keep(pipeline);
    CU_ASSERT_FALSE(pipeline_owes(pipeline));
    CU_ASSERT_EQUAL(result, 0);
    CU_ASSERT_EQUAL(store_kept(store), 1);
    CU_ASSERT_EQUAL(pipeline_commits(pipeline), commits);
    CU_ASSERT(pipeline_dirty(pipeline, &since_ns));
    pipeline_commit(pipeline);
    CU_ASSERT_EQUAL(store_kept(store), 0);
    CU_ASSERT_EQUAL(pipeline_commits(pipeline), commits + 1);
    CU_ASSERT_FALSE(pipeline_dirty(pipeline, &since_ns));
    leave();
}

static void run_sql(const char *path, const char *sql) {
    sqlite3 *db;
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* The disk is full when there is nothing to be committed but a loss, or what stands for one. */
static void losses_alone_are_not_forgotten(void) {
    char directory[] = "/tmp/statwit-pipe-XXXXXX", path[64];
    struct err err = {0};
    CU_ASSERT_FATAL(mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/db", directory);
    store = store_open(&(struct store_options){.path = path, .max_series = 1}, &err);
    CU_ASSERT_FATAL(store && store_arrival(store, 1, SOURCE_UDP, clock_wall_ns(), &err) == 0);
    pipeline = pipeline_new(store, PIPELINE_CAP_MIN, &err);
    struct batch *first = work("a", 1, 100, NULL), *refused = work("b", 2, 100, NULL);
    CU_ASSERT(pipeline_put(pipeline, &first) == 0);
    run_dry();
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before, full;
    getrlimit(RLIMIT_FSIZE, &before);
    full = before;
    full.rlim_cur = 4096;
    CU_ASSERT(setrlimit(RLIMIT_FSIZE, &full) == 0);
    pipeline_loss(pipeline, 1, LOSS_KERNEL_DROP, 3, SPAN("udp"));
    pipeline_commit(pipeline);
    EQ_INT(pipeline_unsaved_loss(pipeline), 1);
    CU_ASSERT(setrlimit(RLIMIT_FSIZE, &before) == 0);
    pipeline_loss(pipeline, 1, LOSS_KERNEL_DROP, 1, SPAN("udp"));
    pipeline_commit(pipeline);
    EQ_INT(pipeline_unsaved_loss(pipeline), 0);
    EQ_INT(told_lost(), 1);
    CU_ASSERT(setrlimit(RLIMIT_FSIZE, &full) == 0);
    CU_ASSERT(pipeline_put(pipeline, &refused) == 0);
    run_dry();
    EQ_INT(pipeline_unsaved_loss(pipeline), 2);
    CU_ASSERT(setrlimit(RLIMIT_FSIZE, &before) == 0);
    leave();
    unlink(path);
    CU_ASSERT(rmdir(directory) == 0);
}

/* It takes with it what was stored before it, so that nobody is told that it was. */
static void a_loss_that_cannot_be_noted(void) {
    char directory[] = "/tmp/statwit-pipe-XXXXXX", path[64];
    CU_ASSERT_FATAL(mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/db", directory);
    enter_on(path);
    int result = 7;
    struct batch *first = work("a", 1, 100, NULL), *second = work("a", 2, 100, &result);
    CU_ASSERT(pipeline_put(pipeline, &first) == 0);
    run_dry();
    run_sql(path, "CREATE TRIGGER full BEFORE INSERT ON loss BEGIN SELECT raise(ABORT, 'full'); END");
    CU_ASSERT(pipeline_put(pipeline, &second) == 0);
    while (pipeline_step(pipeline, 0, NS_PER_MS)) {
    }
    CU_ASSERT(pipeline_owes(pipeline));
    pipeline_loss(pipeline, 1, LOSS_KERNEL_DROP, 3, SPAN("udp"));
    EQ_INT(pipeline_unsaved_loss(pipeline), 5);
    run_sql(path, "DROP TRIGGER full");
    pipeline_keep(pipeline);
    pipeline_commit(pipeline);
    EQ_INT(result, -1);
    EQ_INT(recorded(), 1);
    EQ_INT(told_lost(), 5);
    leave();
    unlink(path);
    CU_ASSERT(rmdir(directory) == 0);
}

UNIT_MAIN("pipeline/pipeline", {"kept is not committed", kept_is_not_committed},
          {"stored in order, marks in order", stored_in_order}, {"lanes take turns", lanes_take_turns},
          {"a lane ahead of its turn", a_lane_ahead_of_its_turn},
          {"the reserve is the loop's", the_reserve_is_the_loops}, {"bounded", bounded},
          {"a failing store is a counted loss", a_failing_store_is_a_counted_loss},
          {"losses alone are not forgotten", losses_alone_are_not_forgotten},
          {"a loss that cannot be noted", a_loss_that_cannot_be_noted},
          {"what is waited for", what_is_waited_for}, {"held until it is let in", held_until_it_is_let_in},
          {"what is discarded is told", what_is_discarded_is_told}, {"many producers", many_producers})
