/* What the tests of growth share: counting what the store does, and recordings of a size.
 *
 * Work is steps of SQLite's machine, and samples that are looked at. Eight times as much may take twelve times the work; a square would take
 * sixty-four. With SHOW in the environment both figures of each question are printed. */
#ifndef UNIT_HTTP_GROWTH_H
#define UNIT_HTTP_GROWTH_H

#include "asking.h"

#include "core/clock.h"
#include "ingest/loop.h"
#include "store/sqlite/private.h"
#include "store/sqlite/rows.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FEW           2000
#define MANY          (8 * FEW)
#define SOME          100  /* requests, sessions, claims; and eight times as many */
#define LINES         40   /* of a datagram */
#define NOTHING       2000 /* work that a question costs in any recording, and more */
#define QUESTIONS_MAX 100

/* --- a recorder -------------------------------------------------------------------------------------------- */

static inline int commit_when_asked(struct store *s, void *arg, struct err *err) {
    (void)s, (void)arg, (void)err;
    server.rig.ingest->commit_ns = 3600 * NS_PER_S;
    return 0;
}

/* One that commits nothing because time has passed: rows, and so the work, would be others on a slower machine. */
static inline void start_timeless(void) {
    struct err err = {0};
    start();
    EQ_INT(ingest_call(server.rig.ingest, INGEST_NOTHING, commit_when_asked, NULL, &err), 0);
}

/* --- counting ------------------------------------------------------------------------------------------ */

static atomic_ullong steps;

static inline int count_step(void *arg) {
    (void)arg;
    steps++;
    return 0;
}

static inline void count_steps(bool on) {
    struct store_pool *pool = &server.rig.store->pool;
    for (size_t i = 0; i < STORE_READERS; i++)
        sqlite3_progress_handler(((struct rows *)pool->readers[i])->db, on, on ? count_step : NULL, NULL);
}

static inline uint64_t looked(void) {
    struct store_pool *pool = &server.rig.store->pool;
    uint64_t n = 0;
    for (size_t i = 0; i < STORE_READERS; i++)
        n += ((struct rows *)pool->readers[i])->n_looked;
    return n;
}

/* --- the writer ----------------------------------------------------------------------------------------- */

/* Steps of all statements of the writer so far. */
static inline int sum_steps(struct store *s, void *sum, struct err *err) {
    (void)err;
    for (int i = 0; i < SQL_N; i++)
        if (s->sql[i])
            *(uint64_t *)sum += (uint64_t)sqlite3_stmt_status(s->sql[i], SQLITE_STMTSTATUS_VM_STEP, 0);
    return 0;
}

static inline uint64_t steps_of_writer(void) {
    struct err err = {0};
    uint64_t sum = 0;
    EQ_INT(ingest_call(server.rig.ingest, INGEST_ALL, sum_steps, &sum, &err), 0);
    return sum;
}

/* --- recordings ---------------------------------------------------------------------------------------- */

enum shape {
    MORE_SAMPLES,  /* of as many series */
    MORE_SERIES,   /* of one sample each, but the first, which has 100 */
    MORE_RECORDS,  /* events, checks, lines that are refused */
    MORE_OF_NAMES, /* series of a hundred names */
    N_SHAPES
};

static inline void put_line(struct buf *text, enum shape shape, int i) {
    if (shape == MORE_SAMPLES && i % 8 == 5) /* what lint looked at sample by sample */
        buf_printf(text, i % 16 == 5 ? "g.%d:%d|g\n" : "old.%d:%d|c|T1600000000\n", i % 100, i);
    else if (shape == MORE_SAMPLES)
        buf_printf(text, "m.%d:%d|d|#env:ci,shard:%d\n", i % 100, i, i % 7);
    else if (shape == MORE_SERIES)
        buf_printf(text, "m.%d:%d|d|#env:ci,shard:%d\n", i % 10 == 0 && i < 1000 ? 0 : i, i, i % 7);
    else if (shape == MORE_OF_NAMES)
        buf_printf(text, "m.%d:%d|d|#env:ci,id:%d\n", i % 100, i, i);
    else if (i == 2) /* so that Datadog's questions about one metric have an answer */
        buf_str(text, "m.0:1|d|#env:ci,shard:1\n");
    else if (i % 3 == 0)
        buf_printf(text, "_e{3,1}:e%02d|t|#env:ci\n", i % 100);
    else if (i % 3 == 1)
        buf_printf(text, "_sc|check.%d|%d\n", i % 100, i % 4);
    else
        buf_printf(text, "m.%d:bad|c\n", i % 100);
}

static inline void record(enum shape shape, int n) {
    int fd = rig_connect(&server.rig.at.at, SOURCE_UNIXGRAM);
    uint64_t last_id;
    struct err err = {0};
    for (int i = 0; i < n;) {
        struct buf text = {0};
        for (int k = 0; k < LINES; k++)
            put_line(&text, shape, i++);
        rig_send(fd, SOURCE_UNIXGRAM, text.p, text.n);
        buf_free(&text);
        if (i % (10 * LINES) == 0) /* a commit, so that each series has many chunks */
            CU_ASSERT(ingest_barrier(server.rig.ingest, INGEST_ALL, &last_id, &err) == 0);
    }
    close(fd);
}

/* --- questions ----------------------------------------------------------------------------------------- */

enum growth {
    WITH_ALL,
    WITH_SERIES, /* as much work with more samples of the same series */
    CONSTANT     /* the answer is as large in any recording, and so is the work for it */
};

struct question {
    const char *request, *body;
    enum growth growth;
};

static inline uint64_t work_of(const struct question *q) {
    uint64_t before = looked();
    steps = 0;
    count_steps(true);
    int status =
        client_ask(&client, q->request, q->body ? "Content-Type: application/json\r\n" : NULL, q->body);
    count_steps(false);
    if (status != 200)
        fprintf(stderr, "%s %s: %d %s\n", q->request, q->body ? q->body : "", status, client.body);
    EQ_INT(status, 200);
    return steps + looked() - before;
}

static inline void work_of_all(enum shape shape, int n, const struct question *list, size_t n_list,
                               uint64_t *work) {
    start_timeless();
    record(shape, n);
    for (size_t i = 0; i < n_list; i++)
        work[i] = work_of(&list[i]);
    stop();
}

static inline void compare(enum shape shape, const struct question *list, size_t n_list) {
    uint64_t few[QUESTIONS_MAX], many[QUESTIONS_MAX];
    CU_ASSERT_FATAL(n_list <= QUESTIONS_MAX);
    work_of_all(shape, FEW, list, n_list, few);
    work_of_all(shape, MANY, list, n_list, many);
    for (size_t i = 0; i < n_list; i++) {
        const struct question *q = &list[i];
        bool constant = q->growth == CONSTANT || (q->growth == WITH_SERIES && shape == MORE_SAMPLES);
        uint64_t most = constant ? few[i] + few[i] / 2 + NOTHING : 12 * few[i] + NOTHING;
        if (many[i] > most || getenv("SHOW"))
            fprintf(stderr, "%s %s: %llu of %d, %llu of %d\n", q->request, q->body ? q->body : "",
                    (unsigned long long)few[i], FEW, (unsigned long long)many[i], MANY);
        CU_ASSERT(many[i] <= most);
    }
}

static inline uint64_t work_of_some(const char *request, const char *body) {
    return work_of(&(struct question){request, body, WITH_ALL});
}

/* Each of the questions, of more samples, series and records. */
#define COMPARE_ALL(questions)                                                                               \
    static void more_samples(void) {                                                                         \
        compare(MORE_SAMPLES, questions, sizeof questions / sizeof questions[0]);                            \
    }                                                                                                        \
    static void more_series(void) {                                                                          \
        compare(MORE_SERIES, questions, sizeof questions / sizeof questions[0]);                             \
    }                                                                                                        \
    static void more_records(void) {                                                                         \
        compare(MORE_RECORDS, questions, sizeof questions / sizeof questions[0]);                            \
    }

/* few, many: of SOME and of eight times as many. */
static inline void compare_two(const char *what, const uint64_t work[2], enum growth growth) {
    uint64_t most = growth == CONSTANT ? work[0] + work[0] / 2 + NOTHING : 12 * work[0] + NOTHING;
    if (work[1] > most || getenv("SHOW"))
        fprintf(stderr, "%s: %llu, %llu\n", what, (unsigned long long)work[0], (unsigned long long)work[1]);
    CU_ASSERT(work[1] <= most);
}

#endif
