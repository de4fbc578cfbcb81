/* The work that an answer takes grows with the answer, not with the square of the recording. Work is what the store does: steps of SQLite's
 * machine, and samples that are looked at. Eight times as much may take twelve times the work; a square would take
 * sixty-four. What is about one series, or about the first or the newest rows, takes as much in a large recording as in a small
 * one. Neither do records cost more when there are more who wait for others, nor a stream when there are more. */
#include "growth.h"

#include "control/held.h"
#include "control/window.h"
#include "core/clock.h"
#include "http/follow.h"
#include "judge/judge.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct question questions[] = {
    {"GET /recorder/v1/samples?limit=50", NULL, CONSTANT},
    {"GET /recorder/v1/samples?limit=50&session=*", NULL, CONSTANT},
    {"GET /recorder/v1/samples?limit=50&newest=true", NULL, WITH_ALL},
    {"GET /recorder/v1/samples?limit=50&name=m.0", NULL, WITH_ALL},
    {"GET /recorder/v1/samples?limit=10&name=m.0&newest=true", NULL, CONSTANT},
    {"GET /recorder/v1/samples?limit=1000000", NULL, WITH_ALL},
    {"GET /recorder/v1/samples?limit=1000000&tag=shard:1", NULL, WITH_ALL},
    {"GET /recorder/v1/series?limit=50", NULL, CONSTANT},
    {"GET /recorder/v1/series?limit=1000000", NULL, WITH_ALL},
    {"GET /recorder/v1/series?limit=1000000&p95=true", NULL, WITH_ALL},
    {"GET /recorder/v1/series?name=m.0", NULL, CONSTANT},
    {"GET /recorder/v1/events?limit=50", NULL, CONSTANT},
    {"GET /recorder/v1/events?limit=50&newest=true", NULL, CONSTANT},
    {"GET /recorder/v1/events?limit=1000000", NULL, WITH_ALL},
    {"GET /recorder/v1/service_checks?limit=50", NULL, CONSTANT},
    {"GET /recorder/v1/service_checks?limit=1000000", NULL, WITH_ALL},
    {"GET /recorder/v1/rejects?limit=50", NULL, CONSTANT},
    {"GET /recorder/v1/rejects?limit=1000000", NULL, WITH_ALL},
    {"GET /recorder/v1/export", NULL, WITH_ALL},
    {"GET /recorder/v1/export?format=csv", NULL, WITH_ALL},
    {"GET /recorder/v1/export?format=dogstatsd", NULL, WITH_ALL},
    {"GET /recorder/v1/export?format=openmetrics", NULL, WITH_ALL},
    {"GET /recorder/v1/sessions", NULL, CONSTANT},
    {"GET /recorder/v1/metrics", NULL, WITH_ALL},
    {"GET /recorder/v1/tags", NULL, WITH_SERIES},
    {"GET /recorder/v1/timeline?name=m.0", NULL, WITH_ALL},
    {"GET /recorder/v1/histogram?name=m.1", NULL, WITH_ALL},
    {"GET /recorder/v1/flush", NULL, WITH_ALL},
    {"GET /recorder/v1/datagrams?limit=20", NULL, CONSTANT},
    {"GET /recorder/v1/datagrams?limit=1000000", NULL, WITH_ALL},
    {"GET /recorder/v1/status", NULL, CONSTANT},
    {"GET /metrics", NULL, CONSTANT},
    {"POST /recorder/v1/lint", "{}", WITH_SERIES},
    {"POST /recorder/v1/verify", "{\"catalog\":{\"metrics\":{\"m.*\":{\"tags\":{\"env\":\"required\"}}}}}",
     WITH_SERIES},
    {"POST /recorder/v1/snapshot", "{}", WITH_SERIES},
    {"POST /recorder/v1/infer", "{}", WITH_SERIES},
    {"POST /recorder/v1/diff", "{\"a\":{\"session\":\"default\"},\"b\":{\"session\":\"default\"}}",
     WITH_SERIES},
    {"POST /recorder/v1/expect", "{\"expect\":[\"distribution m.0 samples >= 0\"]}", CONSTANT},
    {"POST /recorder/v1/expect", "{\"expect\":[\"distribution m.* each >= 0\",\"no any bad.*\"]}", WITH_ALL},
    {"POST /recorder/v1/expect", "{\"expect\":[\"distribution m.2 p95 >= 0 and distinct >= 1\"]}", WITH_ALL},
    {"POST /recorder/v1/expect", "{\"expect\":[\"incr missing\"]}", WITH_ALL},
    {"POST /recorder/v1/expect", "{\"expect\":[\"no reject *\",\"event * samples >= 1\"]}", WITH_ALL},
};

/* Of samples: each page of an export walked all chains back to its beginning, and a million took 14 s, ten million 454 s. Of records: a
 * flush read all lines that were refused again for each 4096 of its events. */
COMPARE_ALL(questions)

/* --- requests, sessions, claims ---------------------------------------------------------------- */

static void more_requests(void) {
    uint64_t first[2], newest[2], all[2];
    for (int many = 0; many < 2; many++) {
        start_timeless();
        for (int i = 0; i < (many ? 8 * SOME : SOME); i++)
            EQ_INT(client_ask(&client, "POST /api/v1/check_run",
                              "DD-API-KEY: 1\r\nContent-Type: application/json\r\n",
                              "{\"check\":\"c\",\"host_name\":\"h\",\"status\":0}"),
                   202);
        first[many] = work_of_some("GET /recorder/v1/requests?limit=20", NULL);
        newest[many] = work_of_some("GET /recorder/v1/requests?limit=20&newest=true", NULL);
        all[many] = work_of_some("GET /recorder/v1/requests?limit=100000", NULL);
        stop();
    }
    compare_two("first requests", first, CONSTANT);
    compare_two("newest requests", newest, CONSTANT);
    compare_two("all requests", all, WITH_ALL);
}

static void more_sessions(void) {
    uint64_t all[2], one[2], claim[2], every[2];
    for (int many = 0; many < 2; many++) {
        start_timeless();
        for (int i = 0; i < (many ? 8 * SOME : SOME); i++) {
            char body[32];
            snprintf(body, sizeof body, "{\"name\":\"s%d\"}", i);
            EQ_INT(post_json("POST /recorder/v1/sessions", body), 201);
        }
        record(MORE_SAMPLES, FEW);
        one[many] = work_of_some("GET /recorder/v1/sessions/default", NULL);
        all[many] = work_of_some("GET /recorder/v1/sessions", NULL);
        claim[many] = work_of_some("POST /recorder/v1/expect", "{\"expect\":[\"distribution m.0\"]}");
        every[many] =
            work_of_some("POST /recorder/v1/expect", "{\"expect\":[\"distribution m.0\"],\"session\":\"*\"}");
        stop();
    }
    compare_two("all sessions", all, WITH_ALL);
    compare_two("one session", one, WITH_ALL); /* counts all, of 4,096 at most */
    compare_two("a claim", claim, CONSTANT);
    compare_two("a claim about every session", every, WITH_ALL);
}

static uint64_t work_of_claims(const char *path, int n, const char *claim) {
    struct buf body = {0};
    for (int i = 0; i < n; i++) {
        buf_str(&body, i ? "," : "{\"expect\":[");
        buf_printf(&body, claim, i % 100);
    }
    buf_str(&body, "]}");
    uint64_t work = work_of_some(path, body.p);
    buf_free(&body);
    return work;
}

static void more_claims(void) {
    static const char *const claims[] = {"\"distribution m.%d samples >= 0\"",
                                         "\"distribution m.%d p95 >= 0\"", "\"no any bad.%d.*\"",
                                         "\"incr missing.%d\""};
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        uint64_t work[2];
        for (int many = 0; many < 2; many++) {
            start_timeless();
            record(MORE_SAMPLES, FEW);
            work[many] = work_of_claims("POST /recorder/v1/expect", many ? 8 * SOME : SOME, claims[i]);
            stop();
        }
        compare_two(claims[i], work, WITH_ALL);
    }
}

/* --- a page -------------------------------------------------------------------------------------------- */

static const struct question looks[] = {
    {"GET /recorder/v1/metrics?limit=50", NULL, true},
    {"GET /recorder/v1/metrics?limit=50&desc=1", NULL, true},
    {"GET /recorder/v1/metrics?limit=50&q=m.7", NULL, true},
    {"GET /recorder/v1/metrics?limit=50&sort=samples&desc=1", NULL, true},
    {"GET /recorder/v1/metrics?name=m.7", NULL, true},
    {"GET /recorder/v1/sessions", NULL, true},
    {"GET /recorder/v1/sessions/default", NULL, true},
};
#define N_LOOKS (sizeof looks / sizeof looks[0])

/* A look at the list of names summed up every series: 154 ms of 100,000. So did the list of sessions. */
static void more_series_of_names(void) {
    uint64_t work[2][N_LOOKS];
    for (int many = 0; many < 2; many++) {
        start_timeless();
        record(MORE_OF_NAMES, 4 * (many ? MANY : FEW)); /* enough that each name has totals */
        for (size_t i = 0; i < N_LOOKS; i++)
            work[many][i] = work_of(&looks[i]);
        stop();
    }
    for (size_t i = 0; i < N_LOOKS; i++) {
        if (work[1][i] > work[0][i] + work[0][i] / 2 + NOTHING || getenv("SHOW"))
            fprintf(stderr, "%s: %llu, %llu\n", looks[i].request, (unsigned long long)work[0][i],
                    (unsigned long long)work[1][i]);
        CU_ASSERT(work[1][i] <= work[0][i] + work[0][i] / 2 + NOTHING);
    }
}

/* The names are counted once; after that a page takes as long as it has rows. */
static void more_names(void) {
    uint64_t first[2], again[2], sorted[2];
    for (int many = 0; many < 2; many++) {
        start_timeless();
        record(MORE_SERIES, many ? MANY : FEW);
        first[many] = work_of(&looks[0]);
        again[many] = work_of(&looks[0]);
        sorted[many] = work_of(&looks[3]);
        stop();
    }
    CU_ASSERT(first[1] <= 12 * first[0] && sorted[1] <= 12 * sorted[0]);
    CU_ASSERT(again[1] <= again[0] + again[0] / 2 + NOTHING);
}

/* --- waiting ------------------------------------------------------------------------------------------- */

#define WAITERS 1600

static struct judge *judges[WAITERS];
static struct waiter waiters[WAITERS];

static void wait_for_names(struct follow *f, int n) {
    struct err err = {0};
    struct reader *r = store_reader_take(server.rig.store, &err);
    CU_ASSERT_FATAL(r && r->ops->begin(r, &err) == 0);
    for (int i = 0; i < n; i++) {
        char text[64];
        snprintf(text, sizeof text, "distribution wait.%d samples >= 1", i);
        struct judge_source source = {.text = span_str(text)};
        struct judge_error error;
        judges[i] = judge_parse(&source, 1, NULL, &error);
        CU_ASSERT_FATAL(judges[i] && judge_start(judges[i], r, &err) == 0);
        waiters[i] = (struct waiter){.session = "default",
                                     .session_id = 1,
                                     .takes = &judge_takes,
                                     .taker = judges[i],
                                     .cursor = judge_seen(judges[i])};
        CU_ASSERT(follow_newest_series(r, &waiters[i].series, &err) == 0);
        follow_add(f, &waiters[i]);
    }
    r->ops->end(r);
    store_reader_give(server.rig.store, r);
}

/* Work of one look of all waiters; *touched: how many have something new. */
static uint64_t work_of_look(struct follow *f, size_t *touched) {
    struct err err = {0};
    uint64_t before = looked();
    steps = 0;
    *touched = 0;
    count_steps(true);
    EQ_INT(follow_new(f, server.http, &err), 0);
    count_steps(false);
    while (follow_touched(f))
        ++*touched;
    return steps + looked() - before;
}

static void send_samples(int n) {
    uint64_t last_id;
    struct err err = {0};
    record(MORE_SAMPLES, n);
    CU_ASSERT(ingest_barrier(server.rig.ingest, INGEST_ALL, &last_id, &err) == 0);
}

/* others: of samples that nobody waits for; mine: of one that the first one waits for, beside as many others. */
static void work_of_waiting(int n_waiters, int n_samples, uint64_t *others, uint64_t *mine) {
    struct follow f = {0};
    size_t touched;
    start_timeless();
    send_samples(400); /* so that their series are known */
    wait_for_names(&f, n_waiters);
    work_of_look(&f, &touched);
    EQ_INT(touched, n_waiters);
    send_samples(n_samples);
    *others = work_of_look(&f, &touched);
    EQ_INT(touched, 0);
    send_samples(n_samples);
    send_line("wait.0:1|d");
    send_samples(40);
    *mine = work_of_look(&f, &touched);
    EQ_INT(touched, 1);
    EQ_INT(judge_verdict(judges[0]), VERDICT_PASS);
    for (int i = 0; i < n_waiters; i++) {
        follow_remove(&f, &waiters[i]);
        judge_free(judges[i]);
    }
    follow_free(&f);
    stop();
}

/* Each sample was offered to each waiter: 1,000 waiters beside a million samples woke after 5.4 s. */
static void more_waiters(void) {
    uint64_t few, many, mine_few, mine_many;
    work_of_waiting(WAITERS / 8, FEW, &few, &mine_few);
    work_of_waiting(WAITERS, FEW, &many, &mine_many);
    CU_ASSERT(many <= few + few / 2 + NOTHING && mine_many <= mine_few + mine_few / 2 + NOTHING);
    work_of_waiting(WAITERS / 8, MANY, &many, &mine_many);
    CU_ASSERT(many <= 12 * few && mine_many <= 12 * mine_few);
    CU_ASSERT(many < 2 * MANY); /* of chunks, not of samples */
}

/* --- streams ------------------------------------------------------------------------------------------- */

/* What it takes `n` streams to read all that is recorded, a window at a time in turn; *events: of all of them. */
static uint64_t work_of_streams(size_t n, size_t *events) {
    enum { STREAMS_MAX = 16 };
    struct window *windows[STREAMS_MAX] = {NULL};
    uint64_t cursors[STREAMS_MAX] = {0}, before = looked();
    struct ask ask = {.filter = {.session = SPAN("default")}};
    struct err err = {0};
    size_t more = 1, n_events;
    steps = 0;
    *events = 0;
    count_steps(true);
    for (size_t i = 0; i < n; i++)
        windows_begin(server.http);
    while (more) {
        more = 0;
        for (size_t i = 0; i < n; i++) {
            uint64_t since = cursors[i];
            window_drop(server.http, windows[i]);
            windows[i] = window_next(server.http, &ask, 0, &cursors[i], &err);
            CU_ASSERT_PTR_NOT_NULL_FATAL(windows[i]);
            window_events(windows[i], since, &n_events);
            more += n_events;
        }
        *events += more;
    }
    for (size_t i = 0; i < n; i++)
        windows_end(server.http, windows[i]);
    count_steps(false);
    return steps + looked() - before;
}

/* After each window a stream read the recording once more, and found nothing. */
static void a_stream_has_all(void) {
    struct ask ask = {.filter = {.session = SPAN("default")}};
    struct err err = {0};
    uint64_t cursor = 0, commits = 0;
    start_timeless();
    send_samples(WINDOW_IDS + WINDOW_IDS / 2);
    windows_begin(server.http);
    struct window *w = window_next(server.http, &ask, 0, &cursor, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    CU_ASSERT_FALSE(window_is_last(w, &commits));
    window_drop(server.http, w);
    w = window_next(server.http, &ask, 0, &cursor, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    CU_ASSERT_TRUE(window_is_last(w, &commits));
    EQ_INT(commits, pipeline_commits(server.http->pipeline));
    windows_end(server.http, w);
    stop();
}

/* Each stream looked for itself: a hundred of them got a tenth of 20,000 samples a second. */
static void more_streams(void) {
    size_t events;
    start_timeless();
    send_samples(FEW);
    uint64_t one = work_of_streams(1, &events);
    EQ_INT(events, FEW);
    uint64_t many = work_of_streams(16, &events);
    EQ_INT(events, 16 * FEW);
    CU_ASSERT(many <= one + one / 2 + 16 * NOTHING / 10);
    send_samples(MANY - FEW);
    many = work_of_streams(1, &events);
    EQ_INT(events, MANY);
    CU_ASSERT(many <= 12 * one);
    stop();
}

/* --- an export that nobody takes ----------------------------------------------------------------------- */

#define LARGE 40000 /* samples: more bytes of export than sockets hold */

/* By hand: under a sanitizer each strstr measures all that is left. */
static size_t rows_in(const char *body) {
    static const char key[] = "\"received_at\"";
    size_t rows = 0;
    for (const char *p = body; *p; p++)
        rows += *p == '"' && strncmp(p, key, sizeof key - 1) == 0;
    return rows;
}

static void wait_until_none_is_held(void) {
    while (server.http->n_looks_held > 0)
        sched_yield();
}

/* A look that is kept for the next page keeps SQLite's log from being used again, so it is closed when its client takes nothing.
 * The export goes on with a new one, from where it was. */
static void slow_exports_hold_nothing(void) {
    static const char request[] = "GET /recorder/v1/export HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct client slow[3];
    int small = 256 << 10;
    start_timeless();
    send_samples(LARGE);
    for (int i = 0; i < 3; i++) {
        client_open(&slow[i], &server);
        setsockopt(slow[i].fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        client_send(&slow[i], request, sizeof request - 1);
    }
    while (server.http->n_looks_kept == 0)
        sched_yield(); /* one may be closed again when this thread looks */
    CU_ASSERT(server.http->n_looks_held <= HELD_MAX);
    EQ_INT(ask("GET /recorder/v1/series?limit=1"), 200);
    EQ_INT(post_json("POST /recorder/v1/expect", "{\"expect\":[\"distribution m.0\"]}"), 200);
    wait_until_none_is_held();
    send_samples(LINES);
    for (int i = 0; i < 3; i++) {
        EQ_INT(client_receive(&slow[i]), 200);
        EQ_INT(rows_in(slow[i].body), LARGE);
        client_close(&slow[i]);
    }
    stop();
}

/* --- posts --------------------------------------------------------------------------------------------- */

static void post_points(int n_series, int n_points) {
    struct buf body = {0};
    long long now = (long long)(clock_wall_ns() / NS_PER_S);
    buf_str(&body, "{\"series\":[");
    for (int i = 0; i < n_series; i++) {
        buf_printf(&body, "%s{\"metric\":\"p.%d\",\"points\":[", i ? "," : "", i);
        for (int k = 0; k < n_points; k++)
            buf_printf(&body, "%s[%lld,%d]", k ? "," : "", now - k, i + k);
        buf_printf(&body, "],\"tags\":[\"env:ci\",\"shard:%d\"]}", i % 7);
    }
    buf_str(&body, "]}");
    EQ_INT(client_ask(&client, "POST /api/v1/series", "Content-Type: application/json\r\nDD-API-KEY: k\r\n",
                      body.p),
           202);
    buf_free(&body);
}

/* What the writer does for one body, to the end: those of series never seen, of the same again, and of as many points in few series. */
static void work_of_posts(int n, uint64_t work[3]) {
    start_timeless();
    post_points(1, 1); /* statements are prepared with the first */
    uint64_t before = steps_of_writer(), after;
    for (int i = 0; i < 3; i++) {
        post_points(i == 2 ? 10 : n, i == 2 ? n / 10 : 1);
        after = steps_of_writer();
        work[i] = after - before;
        before = after;
    }
    stop();
}

/* A commit of its own for each body wrote two rows for each of its series. */
static void more_points(void) {
    uint64_t few[3], many[3];
    work_of_posts(FEW / 8, few);
    work_of_posts(FEW, many);
    for (int i = 0; i < 3; i++) {
        if (getenv("SHOW"))
            fprintf(stderr, "post %d: %llu, %llu\n", i, (unsigned long long)few[i],
                    (unsigned long long)many[i]);
        CU_ASSERT(few[i] > 0 && many[i] <= 12 * few[i]);
    }
    CU_ASSERT(many[2] <= few[2] + NOTHING); /* rows are of series, not of points */
}

UNIT_MAIN("http/growth", {"eight times the points of a POST", more_points},
          {"slow exports hold nothing", slow_exports_hold_nothing},
          {"sixteen times the streams", more_streams}, {"a stream has all", a_stream_has_all},
          {"eight times the waiters", more_waiters},
          {"eight times the series of as many names", more_series_of_names},
          {"eight times the names", more_names}, {"eight times the samples", more_samples},
          {"eight times the series", more_series},
          {"eight times the events, checks and rejects", more_records},
          {"eight times the requests", more_requests}, {"eight times the sessions", more_sessions},
          {"eight times the claims", more_claims})
