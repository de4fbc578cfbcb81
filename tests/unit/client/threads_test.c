/* Many threads, closing under them, fork: run under the thread and address sanitizers as well. */
#include "emit/metrics.h"
#include "sink.h"
#include "statwit.h"
#include "unit.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_THREADS 8

static struct statwit_metrics *metrics;
static atomic_bool stop;
static atomic_int n_running, n_closing;

static void *emit_all(void *context) {
    int64_t number = (int64_t)(intptr_t)context;
    n_running++;
    for (int64_t i = 0; !stop || i < 100; i++) {
        statwit_global_tags(scope, i % 2 == 0, STATWIT_TAGS({"thread", "x"}));
        statwit_incr(metrics, "a.count", .tags = STATWIT_TAGS({"n", STATWIT_INTEGER(number)}),
                     .sample_rate = 0.9);
        statwit_gauge(metrics, "a.gauge", i);
        statwit_timing(metrics, "a.timing", i);
        statwit_set(metrics, "a.set", i % 10);
        if (i % 16 == 0)
            statwit_event(metrics, "an event", "with text");
        if (i % 64 == 0)
            statwit_flush(metrics, 0);
    }
    return NULL;
}

static void *close_it(void *context) {
    (void)context;
    statwit_close(metrics);
    atomic_fetch_sub(&n_closing, 1);
    return NULL;
}

/* Eight threads emit and flush, two more close after a while, this one looks at the health all the time; the
 * eight go on. */
static void close_under(struct statwit_options options) {
    pthread_t threads[N_THREADS + 2];
    struct statwit_error error = {0};
    struct statwit_health health;
    options.ignore_environment = true;
    options.close_timeout_ms = 100;
    metrics = statwit_open(&options, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(metrics);
    stop = false;
    n_running = 0;
    for (int i = 0; i < N_THREADS; i++)
        pthread_create(&threads[i], NULL, emit_all, (void *)(intptr_t)i);
    do
        statwit_health(metrics, &health);
    while (n_running < N_THREADS || health.metrics < 2000);
    n_closing = 2;
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[N_THREADS + i], NULL, close_it, NULL);
    do
        statwit_health(metrics, &health);
    while (n_closing > 0 || health.dropped_late == 0);
    stop = true;
    for (int i = 0; i < N_THREADS + 2; i++)
        pthread_join(threads[i], NULL);
    do /* a request that is on its way when the client closes may outlive it for a moment */
        statwit_health(metrics, &health);
    while (health.waiting_bytes > 0);
}

static void test_buffered(void) {
    int port, fd = sink_udp(&port);
    close_under((struct statwit_options){.port = port, .telemetry = true, .flush_interval_ms = 1});
    close_under((struct statwit_options){.port = port, .unbuffered = true});
    close(fd);
}

static void test_aggregated(void) {
    int port, fd = sink_udp(&port);
    close_under(
        (struct statwit_options){.port = port, .aggregate = true, .flush_interval_ms = 1, .max_series = 50});
    close(fd);
}

static void test_http(void) {
    static const struct http_reply accepted[] = {{.status = 202}};
    struct http_sink *sink = http_sink_start(accepted, 1);
    close_under((struct statwit_options){
        .backend = "datadog", .api_key = "k", .api_host = sink->url, .queue_bytes = 20000});
    http_sink_stop(sink);
}

/* ---- scopes ---- */

static void *open_and_close_scopes(void *context) {
    (void)context;
    for (int i = 0; i < 5000; i++) {
        statwit_global_tags(scope, true, STATWIT_TAGS({"for", "all"}));
    }
    n_running = 0;
    return NULL;
}

/* Who emits looks at the scopes for all threads only while it holds their lock, also when it held it before and
 * the first scope comes in the middle of a call. */
static void test_scopes_come_and_go(void) {
    int port, fd = sink_udp(&port);
    pthread_t thread;
    metrics = statwit_open(
        &(struct statwit_options){.port = port, .aggregate = true, .ignore_environment = true}, NULL);
    {
        statwit_global_tags(scope, true, STATWIT_TAGS({"for", "all"}));
        statwit_incr(metrics, "within");
    }
    n_running = 1;
    pthread_create(&thread, NULL, open_and_close_scopes, NULL);
    do
        statwit_gauge(metrics, "without", 1, .timestamp_s = 5);
    while (n_running > 0);
    pthread_join(thread, NULL);
    struct statwit_health health;
    statwit_health(metrics, &health);
    EQ_INT(health.dropped_invalid + health.dropped_large, 0);
    statwit_close(metrics);
    close(fd);
}

/* ---- lines ---- */

/* No line is lost, doubled or torn. */
static void *emit_counted(void *context) {
    for (int i = 0; i < 2000; i++)
        statwit_incr(metrics, context, .tags = STATWIT_TAGS({"some", "tag"}));
    return NULL;
}

static void test_every_line_arrives(void) {
    char directory[64], path[128], url[192], got[65536];
    static char names[N_THREADS][16];
    long counts[N_THREADS] = {0};
    pthread_t threads[N_THREADS];
    sink_directory(directory);
    snprintf(path, sizeof path, "%s/dsd.socket", directory);
    snprintf(url, sizeof url, "unixgram://%s", path);
    int fd = sink_unix(path, false);
    metrics = statwit_open(
        &(struct statwit_options){.url = url, .queue_bytes = 8 << 20, .ignore_environment = true}, NULL);
    for (int i = 0; i < N_THREADS; i++) {
        snprintf(names[i], sizeof names[i], "thread%d", i);
        pthread_create(&threads[i], NULL, emit_counted, names[i]);
    }
    long n_lines = 0;
    while (n_lines < N_THREADS * 2000 && sink_read(fd, got, sizeof got, PATIENCE_MS) > 0)
        for (char *line = strtok(got, "\n"); line; line = strtok(NULL, "\n")) {
            unsigned number = (unsigned)(line[6] - '0');
            CU_ASSERT(strncmp(line, "thread", 6) == 0 && number < N_THREADS &&
                      strcmp(line + 7, ":1|c|#some:tag") == 0);
            if (number < N_THREADS)
                counts[number]++;
            n_lines++;
        }
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
        EQ_INT(counts[i], 2000);
    }
    statwit_close(metrics);
    close(fd);
    sink_remove(directory);
}

/* ---- threads that come one behind the other ---- */

#define N_IN_TURN 40 /* more than there are lanes */

static void *set_gauge(void *context) {
    statwit_gauge(metrics, "a.gauge", (int64_t)(intptr_t)context);
    statwit_incr(metrics, "a.count");
    return NULL;
}

/* As if every thread had met another one: each has a lane of its own. */
static void all_met(struct statwit_metrics *client) {
    atomic_store(&client->outbox.apart, ~0u);
}

/* Each is alone with the client, and leaves its lines where they are. */
static void set_in_turn(void) {
    for (intptr_t i = 1; i <= N_IN_TURN; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, set_gauge, (void *)i);
        pthread_join(thread, NULL);
    }
}

static long count_gauges(char *got, long *last) {
    long n = 0;
    for (char *line = strtok(got, "\n"); line; line = strtok(NULL, "\n")) {
        if (strncmp(line, "a.gauge:", 8) != 0)
            continue;
        long value = strtol(line + 8, NULL, 10);
        CU_ASSERT(value > *last);
        *last = value;
        n++;
    }
    return n;
}

static void gauges_in_turn(struct statwit_options options, long wanted) {
    char got[65536];
    int port, fd = sink_udp(&port);
    options.port = port;
    options.flush_interval_ms = 3600000;
    options.ignore_environment = true;
    metrics = statwit_open(&options, NULL);
    all_met(metrics);
    set_in_turn();
    CU_ASSERT_TRUE(statwit_flush(metrics, PATIENCE_MS));
    long n = 0, last = 0;
    while (n < wanted && sink_read(fd, got, sizeof got, PATIENCE_MS) > 0)
        n += count_gauges(got, &last);
    EQ_INT(n, wanted);
    EQ_INT(last, N_IN_TURN);
    statwit_close(metrics);
    close(fd);
}

/* The gauge that was set last arrives last, whichever thread set it. */
static void test_gauges_keep_their_order(void) {
    gauges_in_turn((struct statwit_options){0}, N_IN_TURN);
    gauges_in_turn((struct statwit_options){.unbuffered = true}, N_IN_TURN);
    gauges_in_turn((struct statwit_options){.aggregate = true}, 1);
}

/* The calls of threads that take turns arrive in their order. */
static void test_turns_keep_their_order(void) {
    char got[65536];
    int port, fd = sink_udp(&port);
    metrics = statwit_open(
        &(struct statwit_options){.port = port, .flush_interval_ms = 3600000, .ignore_environment = true},
        NULL);
    set_in_turn();
    CU_ASSERT_TRUE(statwit_flush(metrics, PATIENCE_MS));
    long n = 0;
    while (n < 2 * N_IN_TURN && sink_read(fd, got, sizeof got, PATIENCE_MS) > 0)
        for (char *line = strtok(got, "\n"); line; line = strtok(NULL, "\n"), n++)
            CU_ASSERT(strncmp(line, n % 2 == 0 ? "a.gauge" : "a.count", 7) == 0);
    EQ_INT(n, 2 * N_IN_TURN);
    statwit_close(metrics);
    close(fd);
}

/* What other threads' lanes hold is no reason to drop: the queue here has room for three datagrams. */
static void test_a_small_queue_and_many_threads(void) {
    struct statwit_health health;
    int port, fd = sink_udp(&port);
    metrics = statwit_open(
        &(struct statwit_options){
            .port = port, .queue_bytes = 5000, .flush_interval_ms = 3600000, .ignore_environment = true},
        NULL);
    set_in_turn();
    CU_ASSERT_TRUE(statwit_flush(metrics, PATIENCE_MS));
    statwit_health(metrics, &health);
    EQ_INT(health.metrics, 2 * N_IN_TURN);
    EQ_INT(health.dropped_full, 0);
    statwit_close(metrics);
    close(fd);
}

/* ---- fork ---- */

#ifndef __SANITIZE_THREAD__

static long count_lines(int fd, const char *what, long wanted) {
    char got[65536];
    long n = 0;
    while (n < wanted && sink_read(fd, got, sizeof got, PATIENCE_MS) > 0)
        for (const char *at = got; (at = strstr(at, what)); at++)
            n++;
    while (sink_read(fd, got, sizeof got, 20) > 0)
        for (const char *at = got; (at = strstr(at, what)); at++)
            n++;
    return n;
}

/* What the parent had buffered is sent once, by it; the child emits on its own. */
static void fork_story(struct statwit_options options, const char *parent, const char *child) {
    int port, fd = sink_udp(&port);
    options.port = port;
    options.ignore_environment = true;
    options.flush_interval_ms = 3600000;
    metrics = statwit_open(&options, NULL);
    statwit_incr(metrics, "parent");
    pid_t pid = fork();
    if (pid == 0) {
        statwit_incr(metrics, "child");
        bool sent = statwit_flush(metrics, PATIENCE_MS);
        statwit_close(metrics);
        _exit(sent ? 0 : 1);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    EQ_INT(status, 0);
    EQ_INT(count_lines(fd, child, 1), 1);
    statwit_close(metrics);
    EQ_INT(count_lines(fd, parent, 1), 1);
    close(fd);
}

static void test_fork(void) {
    fork_story((struct statwit_options){0}, "parent:1|c", "child:1|c");
    fork_story((struct statwit_options){.aggregate = true}, "parent:1|c", "child:1|c");
}

/* What was counted before the fork is told once, by the parent. */
static void test_fork_and_telemetry(void) {
    char got[8192];
    int port, fd = sink_udp(&port);
    metrics = statwit_open(
        &(struct statwit_options){
            .port = port, .ignore_environment = true, .telemetry = true, .flush_interval_ms = 3600000},
        NULL);
    statwit_incr(metrics, "parent");
    statwit_incr(metrics, "parent");
    pid_t pid = fork();
    if (pid == 0) {
        statwit_incr(metrics, "child");
        statwit_close(metrics);
        _exit(0);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    EQ_INT(status, 0);
    CU_ASSERT(sink_read(fd, got, sizeof got, PATIENCE_MS) > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "client.metrics:1|c"));
    statwit_close(metrics);
    CU_ASSERT(sink_read(fd, got, sizeof got, PATIENCE_MS) > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "client.metrics:2|c"));
    close(fd);
}

/* A fork while other threads hold every lock there is. */
static void test_fork_among_threads(void) {
    int port, fd = sink_udp(&port);
    pthread_t threads[2];
    metrics = statwit_open(
        &(struct statwit_options){
            .port = port, .aggregate = true, .flush_interval_ms = 1, .ignore_environment = true},
        NULL);
    stop = false;
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, emit_all, (void *)(intptr_t)i);
    for (int i = 0; i < 20; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            alarm(120); /* a deadlock is a failure, not a hanging test */
            statwit_incr(metrics, "child", .tags = STATWIT_TAGS({"a", "b"}));
            statwit_flush(metrics, 1000);
            /* Not _exit: valgrind would find what the parent's threads had in hand, which nobody here can free. */
            execl("/bin/true", "true", (char *)NULL);
            _exit(1);
        }
        int status = -1;
        waitpid(pid, &status, 0);
        EQ_INT(status, 0);
    }
    stop = true;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    statwit_close(metrics);
    close(fd);
}

#endif

#ifdef __SANITIZE_THREAD__
#define FORK_TESTS /* the thread sanitizer ends a child of fork that starts a thread */
#else
#define FORK_TESTS                                                                                           \
    , {"fork", test_fork}, {"fork and telemetry", test_fork_and_telemetry}, {                                \
        "fork among threads", test_fork_among_threads                                                        \
    }
#endif

UNIT_MAIN("client/threads", {"closed under threads", test_buffered},
          {"closed while aggregating", test_aggregated}, {"closed while posting", test_http},
          {"scopes come and go", test_scopes_come_and_go}, {"every line arrives", test_every_line_arrives},
          {"gauges keep their order", test_gauges_keep_their_order},
          {"turns keep their order", test_turns_keep_their_order},
          {"a small queue and many threads", test_a_small_queue_and_many_threads} FORK_TESTS)
