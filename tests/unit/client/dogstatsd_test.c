/* Over real sockets: buffering, sampling, bad input, servers that come late, are full or not there. */
#include "emit/metrics.h"
#include "sink.h"
#include "statwit.h"
#include "unit.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct statwit_metrics *open_at(struct statwit_options options) {
    struct statwit_error error = {0};
    options.ignore_environment = true;
    if (options.flush_interval_ms == 0)
        options.flush_interval_ms = 600000; /* nothing is sent by the clock, however slow the machine */
    struct statwit_metrics *metrics = statwit_open(&options, &error);
    if (!metrics)
        fprintf(stderr, "%s\n", error.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(metrics);
    return metrics;
}

#define OPEN(...) open_at((struct statwit_options){__VA_ARGS__})

static struct statwit_health health_of(struct statwit_metrics *metrics) {
    struct statwit_health health;
    statwit_health(metrics, &health);
    return health;
}

static void test_macros(void) {
    int port, fd = sink_udp(&port);
    char got[4096];
    struct statwit_metrics *metrics = OPEN(.port = port);
    float half = 0.5f;
    unsigned char small = 200;
    statwit_incr(metrics, "a");
    statwit_incr(metrics, "b", .amount = 7, .instance = "x");
    statwit_count(metrics, "c", 0);
    statwit_count(metrics, "c", half, .sample_rate = 1);
    statwit_gauge(metrics, "d", small, .tags = STATWIT_TAGS({"k", STATWIT_INTEGER(-3)}, {"", "bare"}));
    statwit_set(metrics, "s", "text");
    statwit_gauge(metrics, "t", 1, .timestamp_s = 1700000000, .cardinality = "low");
    CU_ASSERT(statwit_flush(metrics, PATIENCE_MS));
    CU_ASSERT(sink_read(fd, got, sizeof got, PATIENCE_MS) > 0);
    EQ_STR(
        got,
        "a:1|c\nb:7|c|#instance:x\nc:0|c\nc:0.5|c\nd:200|g|#k:-3,bare\ns:text|s\nt:1|g|card:low|T1700000000\n");
    statwit_close(metrics);
    close(fd);
}

/* DogStatsD takes a time for counts and gauges only; with another type a server would refuse the line. */
static void test_no_time_where_none_is_taken(void) {
    int port, fd = sink_udp(&port);
    char got[4096];
    struct statwit_metrics *metrics = OPEN(.port = port);
    statwit_count(metrics, "c", 1, .timestamp_s = 1700000000);
    statwit_timing(metrics, "t", 1, .timestamp_s = 1700000000);
    statwit_set(metrics, "s", 1, .timestamp_s = 1700000000);
    statwit_close(metrics);
    sink_read(fd, got, sizeof got, PATIENCE_MS);
    EQ_STR(got, "c:1|c|T1700000000\nt:1|ms\ns:1|s\n");
    close(fd);
}

/* Whichever was opened first: those for all threads, those of the thread, the call. */
static void test_order_of_scopes(void) {
    int port, fd = sink_udp(&port);
    char got[4096];
    struct statwit_metrics *metrics = OPEN(.port = port);
    {
        statwit_global_tags(mine, false, STATWIT_TAGS({"a", "thread"}, {"t", "1"}));
        statwit_global_tags(ours, true, STATWIT_TAGS({"a", "all"}, {"z", "1"}));
        statwit_incr(metrics, "k", .tags = STATWIT_TAGS({"z", "call"}), .instance = "i");
    }
    statwit_incr(metrics, "k");
    statwit_close(metrics);
    sink_read(fd, got, sizeof got, PATIENCE_MS);
    EQ_STR(got, "k:1|c|#a:thread,z:call,t:1,instance:i\nk:1|c\n");
    close(fd);
}

static void test_timer(void) {
    int port, fd = sink_udp(&port);
    char got[4096];
    double elapsed = -1;
    struct statwit_metrics *metrics = OPEN(.port = port);
    struct timespec pause = {.tv_nsec = 3000000};
    {
        statwit_timer(timer, metrics, "job", .tags = STATWIT_TAGS({"q", "1"}, {"late", "no"}));
        statwit_timer_tag(&timer, "late", "yes");
        nanosleep(&pause, NULL);
    }
    {
        statwit_timer(timer, metrics, "job");
        statwit_timer_fail(&timer);
        statwit_timer_stop(&timer);
    }
    statwit_close(metrics);
    sink_read(fd, got, sizeof got, PATIENCE_MS);
    sscanf(got, "job:%lf|", &elapsed);
    CU_ASSERT(elapsed >= 3 && elapsed < 60000); /* milliseconds, not seconds */
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "|ms|#q:1,late:yes,result:success\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "|ms|#result:failure\n"));
    EQ_INT(health_of(metrics).metrics, 2);
    close(fd);
}

static void test_datagram_sizes(void) {
    int port, fd = sink_udp(&port);
    char got[70000], large[3000];
    struct statwit_metrics *metrics = OPEN(.port = port);
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    for (int i = 0; i < 500; i++)
        statwit_gauge(metrics, "some.metric.with.a.name", i, .tags = STATWIT_TAGS({"env", "ci"}));
    statwit_incr(metrics, large); /* goes alone */
    statwit_incr(metrics, "after");
    CU_ASSERT(statwit_flush(metrics, PATIENCE_MS));
    size_t lines = 0, alone = 0;
    for (long n; lines < 502 && (n = sink_read(fd, got, sizeof got, PATIENCE_MS)) > 0;) {
        CU_ASSERT(n <= 1432 || n == 2999 + 5);
        alone += n > 1432;
        CU_ASSERT(got[n - 1] == '\n');
        for (long i = 0; i < n; i++)
            lines += got[i] == '\n';
    }
    EQ_INT(lines, 502);
    EQ_INT(alone, 1);
    CU_ASSERT(sink_read(fd, got, sizeof got, 0) < 0);
    EQ_INT(health_of(metrics).metrics, 502);
    statwit_close(metrics);
    close(fd);
}

static void test_flush_interval(void) {
    int port, fd = sink_udp(&port);
    char got[4096];
    struct statwit_metrics *metrics = OPEN(.port = port, .flush_interval_ms = 1);
    for (int i = 0; i < 3; i++) { /* by itself, again and again */
        statwit_incr(metrics, "a");
        CU_ASSERT(sink_read(fd, got, sizeof got, PATIENCE_MS) > 0);
        EQ_STR(got, "a:1|c\n");
    }
    statwit_close(metrics);
    close(fd);
}

static void test_bad_input(void) {
    int port, fd = sink_udp(&port);
    static struct statwit_tag many[10001];
    static char huge[70000], keys[10000][STATWIT_NUMBER_SIZE];
    char got[70000];
    struct statwit_metrics *metrics = OPEN(.port = port, .unbuffered = true);
    statwit_incr(metrics, NULL);
    statwit_incr(metrics, "");
    statwit_gauge(metrics, "nan", (double)NAN);
    statwit_gauge(metrics, "inf", (double)INFINITY);
    statwit_emit_text(metrics, STATWIT_GAUGE, "text", "no number", NULL);
    statwit_emit_text(metrics, STATWIT_SET, "set", NULL, NULL);
    statwit_emit_integer(metrics, (enum statwit_type)99, "type", 1, NULL);
    statwit_event(metrics, NULL, NULL);
    statwit_check(metrics, "name", (enum statwit_check_status)7);
    EQ_INT(health_of(metrics).dropped_invalid, 9);
    for (size_t i = 0; i < 10000; i++)
        many[i] = (struct statwit_tag){statwit_integer_text(keys[i], (int64_t)i), "v"};
    statwit_incr(metrics, "many", .tags = many);
    memset(huge, 'h', sizeof huge - 1);
    statwit_incr(metrics, "huge", .tags = STATWIT_TAGS({huge, "v"}));
    statwit_event(metrics, huge, "text");
    EQ_INT(health_of(metrics).dropped_large, 3);
    CU_ASSERT(sink_read(fd, got, sizeof got, 0) < 0);
    statwit_incr(metrics,
                 "a:b|c\nd\x01\xff"
                 "e",
                 .sample_rate = (double)NAN);
    sink_read(fd, got, sizeof got, PATIENCE_MS);
    EQ_STR(got, "a_b_c_d__e:1|c\n");
    statwit_incr(metrics, "k", .tags = STATWIT_TAGS({"bad\xc3", "\xed\xa0\x80\xf0\x9f"}));
    sink_read(fd, got, sizeof got, PATIENCE_MS);
    EQ_STR(got, "k:1|c|#bad_:_____\n");
    statwit_set(metrics, "s", "a|b:c\n");
    sink_read(fd, got, sizeof got, PATIENCE_MS);
    EQ_STR(got, "s:a_b:c_|s\n");
    statwit_event(metrics, "a|b", NULL);
    sink_read(fd, got, sizeof got, PATIENCE_MS);
    EQ_STR(got, "_e{3,0}:a|b|\n");
    statwit_incr(NULL, "no client");
    statwit_close(NULL);
    statwit_close(metrics);
    close(fd);
}

static void test_sampling(void) {
    int port, fd = sink_udp(&port);
    struct statwit_metrics *metrics = OPEN(.port = port, .sample_rate = 0.25);
    for (int i = 0; i < 10000; i++)
        statwit_incr(metrics, "a");
    struct statwit_health health = health_of(metrics);
    EQ_INT(health.metrics + health.sampled_out, 10000);
    CU_ASSERT(health.metrics > 2100 && health.metrics < 2900); /* nine standard deviations */
    statwit_close(metrics);
    close(fd);
}

static int n_internal;
static char internal_key[64];
static int64_t internal_amount;

static void on_internal(void *context, const char *key, int64_t amount) {
    (void)context;
    n_internal++;
    internal_amount = amount;
    snprintf(internal_key, sizeof internal_key, "%s", key);
}

static void test_internal(void) {
    int port, fd = sink_udp(&port);
    char got[4096];
    struct statwit_metrics *metrics =
        OPEN(.port = port, .prefix = "sentry.", .internal = on_internal, .tags = STATWIT_TAGS({"env", "ci"}),
             .skip_internal_prefixes = (const char *const[]){"quiet.", NULL});
    {
        statwit_global_tags(scope, false, STATWIT_TAGS({"global", "g"}));
        statwit_incr(metrics, "login", .instance = "failure", .amount = 5, .internal = true);
    }
    EQ_STR(internal_key, "login.failure");
    EQ_INT(internal_amount, 5);
    statwit_incr(metrics, "quiet.one", .internal = true);
    statwit_incr(metrics, "plain");
    EQ_INT(n_internal, 1);
    statwit_close(metrics);
    sink_read(fd, got, sizeof got, PATIENCE_MS);
    EQ_STR(got, "sentry.login:5|c|#global:g,env:ci,instance:failure\n"
                "sentry.internal_metrics.incr:1|c|#env:ci,instance:login\n"
                "sentry.quiet.one:1|c|#env:ci\nsentry.plain:1|c|#env:ci\n");
    metrics = OPEN(.backend = "dummy", .internal = on_internal);
    statwit_incr(metrics, "counts.still", .internal = true);
    EQ_STR(internal_key, "counts.still");
    statwit_close(metrics);
    close(fd);
}

/* ---- servers ---- */

static void test_late_server(void) {
    int port, fd = sink_udp(&port);
    close(fd);
    struct statwit_metrics *metrics = OPEN(.port = port, .unbuffered = true);
    statwit_incr(metrics, "nobody"); /* its ECONNREFUSED comes back on the next call */
    struct statwit_health health;
    for (int i = 0; i < 10; i++)
        statwit_incr(metrics, "still.nobody");
    health = health_of(metrics);
    EQ_INT(health.packets_sent + health.dropped_refused, 11);
    statwit_close(metrics);
}

static void test_refused_once_is_sent_again(void) {
    int port, fd = sink_udp(&port);
    char got[4096];
    close(fd);
    struct statwit_metrics *metrics = OPEN(.port = port, .unbuffered = true);
    statwit_incr(metrics, "lost");
    fd = sink_udp_at(port);
    if (fd >= 0) { /* unless somebody else was given the port meanwhile */
        statwit_incr(metrics, "first");
        do { /* the kernel may have taken its time with the one that was to be lost */
            CU_ASSERT_FATAL(sink_read(fd, got, sizeof got, PATIENCE_MS) > 0);
        } while (strcmp(got, "lost:1|c\n") == 0);
        EQ_STR(got, "first:1|c\n");
        EQ_INT(health_of(metrics).dropped_refused, 0);
        close(fd);
    }
    statwit_close(metrics);
}

static void unix_story(const char *scheme, bool stream) {
    char directory[64], path[128], url[192], got[70000];
    sink_directory(directory);
    snprintf(path, sizeof path, "%s/dsd.socket", directory);
    snprintf(url, sizeof url, "%s://%s", scheme, path);
    struct statwit_metrics *metrics = OPEN(.url = url, .flush_interval_ms = 1);
    statwit_incr(metrics, "early"); /* nobody there: it waits */
    CU_ASSERT(!statwit_flush(metrics, 20));
    int listener = sink_unix(path, stream), fd = listener;
    CU_ASSERT(statwit_flush(metrics, PATIENCE_MS));
    if (stream)
        fd = accept(listener, NULL, NULL);
    long n = sink_read(fd, got, sizeof got, PATIENCE_MS);
    if (stream) {
        EQ_INT(n, 4 + 10);
        CU_ASSERT(memcmp(got, "\x0a\0\0\0early:1|c\n", 14) == 0);
        close(fd);
    } else {
        EQ_STR(got, "early:1|c\n");
    }
    close(listener);
    unlink(path);
    listener = fd = sink_unix(path, stream); /* replaced: the client connects anew */
    statwit_incr(metrics, "again");
    statwit_flush(metrics, PATIENCE_MS);
    if (stream) {
        /* What went into the old connection before its end was noticed is lost with it. */
        statwit_incr(metrics, "again");
        CU_ASSERT(statwit_flush(metrics, PATIENCE_MS));
        fd = accept(listener, NULL, NULL);
        CU_ASSERT(sink_read(fd, got, sizeof got, PATIENCE_MS) > 0);
        CU_ASSERT(strstr(got + 4, "again:1|c\n") != NULL);
        close(fd);
    } else {
        CU_ASSERT(sink_read(fd, got, sizeof got, PATIENCE_MS) > 0);
        EQ_STR(got, "again:1|c\n");
    }
    close(listener);
    statwit_close(metrics);
    sink_remove(directory);
}

static void test_unixgram(void) {
    unix_story("unixgram", false);
}

static void test_unixstream(void) {
    unix_story("unixstream", true);
}

/* A server that reads nothing: calls return, memory stays within the bound, what did not fit is counted. */
/* Metrics that came whole: lines of datagrams, or of packets of a stream that has ended. */
static unsigned long lines_arrived(int fd, bool stream) {
    static char bytes[65536];
    unsigned long n_lines = 0;
    int from = stream ? accept(fd, NULL, NULL) : fd;
    for (;;) {
        uint32_t size = sizeof bytes;
        if (stream && recv(from, &size, 4, MSG_WAITALL) != 4)
            break;
        CU_ASSERT_FATAL(size <= sizeof bytes);
        ssize_t n = recv(from, bytes, size, stream ? MSG_WAITALL : MSG_DONTWAIT);
        if (n <= 0 || (stream && (uint32_t)n != size))
            break;
        for (ssize_t i = 0; i < n; i++)
            n_lines += bytes[i] == '\n';
    }
    if (stream)
        close(from);
    return n_lines;
}

static void full_story(const char *scheme, bool stream, bool unbuffered) {
    char directory[64], path[128], url[192];
    sink_directory(directory);
    snprintf(path, sizeof path, "%s/dsd.socket", directory);
    snprintf(url, sizeof url, "%s://%s", scheme, path);
    int fd = sink_unix(path, stream);
    struct statwit_metrics *metrics =
        OPEN(.url = url, .queue_bytes = 65536, .buffer_bytes = stream ? 30000 : 0, .close_timeout_ms = 20,
             .unbuffered = unbuffered);
    statwit_incr(metrics, "a.metric.that.nobody.reads");
    CU_ASSERT(statwit_flush(metrics, PATIENCE_MS));
    int little = 4608; /* so that it takes half a packet */
    if (stream)
        setsockopt(metrics->outbox.wire.fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    for (int i = 1; i < 100000; i++)
        statwit_incr(metrics, "a.metric.that.nobody.reads", .tags = STATWIT_TAGS({"env", "ci"}));
    struct statwit_health health = health_of(metrics);
    EQ_INT(health.metrics, 100000);
    CU_ASSERT(health.dropped_full > 0);
    CU_ASSERT(health.waiting_bytes <= 65536);
    CU_ASSERT(strstr(health.last_trouble, "full") != NULL);
    statwit_close(metrics);
    health = health_of(metrics);
    CU_ASSERT(health.dropped_late > 0);
    if (!unbuffered) /* then lines aren't ended */
        EQ_INT(lines_arrived(fd, stream) + health.dropped_full + health.dropped_late, 100000);
    close(fd);
    sink_remove(directory);
}

static void test_full(void) {
    full_story("unixgram", false, false);
    full_story("unixgram", false, true);
    full_story("unixstream", true, false);
}

static int n_logged;

static void on_log(void *context, const char *text) {
    (void)context;
    CU_ASSERT(strstr(text, "Unable to record backend metric") == text);
    n_logged++;
}

static void test_log_is_limited(void) {
    struct statwit_metrics *metrics = OPEN(.port = 9, .log = on_log);
    for (int i = 0; i < 1000; i++)
        statwit_incr(metrics, "");
    EQ_INT(n_logged, 1);
    EQ_INT(health_of(metrics).dropped_invalid, 1000);
    statwit_close(metrics);
}

static void test_unknown_host(void) {
    struct statwit_metrics *metrics = OPEN(.host = "no-such-host.invalid", .close_timeout_ms = 50);
    for (int i = 0; i < 100; i++)
        statwit_incr(metrics, "a");
    CU_ASSERT(!statwit_flush(metrics, 10));
    statwit_close(metrics);
    struct statwit_health health = health_of(metrics);
    EQ_INT(health.dropped_late, 100);
    EQ_INT(health.packets_sent, 0);
}

static void test_closed(void) {
    int port, fd = sink_udp(&port);
    struct statwit_metrics *metrics = OPEN(.port = port);
    statwit_close(metrics);
    statwit_close(metrics);
    statwit_incr(metrics, "late");
    statwit_flush(metrics, 10);
    EQ_INT(health_of(metrics).dropped_late, 1);
    close(fd);
}

/* Nobody is there, which the socket says by errno. */
static void test_errno_stays(void) {
    struct statwit_metrics *metrics =
        OPEN(.socket_path = "/nowhere/socket", .unbuffered = true, .close_timeout_ms = 1);
    errno = EDOM;
    statwit_incr(metrics, "a");
    EQ_INT(errno, EDOM);
    statwit_close(metrics);
    metrics = OPEN(.socket_path = "/nowhere/socket", .unbuffered = true, .close_timeout_ms = 1);
    errno = EDOM;
    statwit_event(metrics, "an event", "with text");
    EQ_INT(errno, EDOM);
    statwit_close(metrics);
    metrics = OPEN(.socket_path = "/nowhere/socket", .unbuffered = true, .close_timeout_ms = 1);
    {
        statwit_timer(timer, metrics, "job");
        errno = EDOM;
    }
    EQ_INT(errno, EDOM);
    statwit_close(metrics);
}

static void test_telemetry(void) {
    int port, fd = sink_udp(&port);
    char got[8192];
    struct statwit_metrics *metrics = OPEN(.port = port, .telemetry = true);
    statwit_incr(metrics, "a");
    statwit_incr(metrics, "b");
    statwit_close(metrics);
    sink_read(fd, got, sizeof got, PATIENCE_MS);
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "\ndatadog.dogstatsd.client.metrics:2|c|#client:c,client_version:"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got, ",client_transport:udp\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "datadog.dogstatsd.client.packets_dropped:0|c"));
    statwit_close(metrics); /* tells nothing more, and that nothing was lost by it */
    CU_ASSERT(sink_read(fd, got, sizeof got, 0) < 0);
    EQ_STR(health_of(metrics).last_trouble, "");
    close(fd);
}

static void tell(struct statwit_metrics *metrics) {
    pthread_mutex_lock(&metrics->telemetry.lock); /* the client's thread looks at it, too */
    metrics->telemetry.due_ns = 1;
    pthread_mutex_unlock(&metrics->telemetry.lock);
    telemetry_put(metrics, false);
}

/* What the full queue refused was marked as told, so nobody ever heard how many metrics there had been. */
static void test_telemetry_refused_is_told_later(void) {
    char directory[64], path[128], got[65536];
    sink_directory(directory);
    snprintf(path, sizeof path, "%s/dsd.socket", directory);
    int fd = sink_unix(path, false);
    struct statwit_metrics *metrics =
        OPEN(.socket_path = path, .queue_bytes = 65536, .close_timeout_ms = 20, .telemetry = true);
    while (health_of(metrics).dropped_full == 0)
        statwit_incr(metrics, "a.metric.that.nobody.reads");
    tell(metrics);
    EQ_INT(metrics->telemetry.told.metrics, 0);
    EQ_INT(metrics->telemetry.told_packets_dropped, 0);
    while (sink_read(fd, got, sizeof got, 0) >= 0)
        statwit_flush(metrics, 0);
    tell(metrics);
    EQ_INT(metrics->telemetry.told.metrics, health_of(metrics).metrics);
    CU_ASSERT(metrics->telemetry.told_packets_dropped > 0);
    statwit_close(metrics);
    close(fd);
    sink_remove(directory);
}

UNIT_MAIN("client/dogstatsd", {"macros", test_macros},
          {"no time where none is taken", test_no_time_where_none_is_taken},
          {"order of scopes", test_order_of_scopes}, {"timer", test_timer},
          {"datagram sizes", test_datagram_sizes}, {"flush interval", test_flush_interval},
          {"bad input", test_bad_input}, {"sampling", test_sampling}, {"internal metrics", test_internal},
          {"no server", test_late_server}, {"refused once is sent again", test_refused_once_is_sent_again},
          {"unixgram", test_unixgram}, {"unixstream", test_unixstream}, {"a full socket", test_full},
          {"log is limited", test_log_is_limited}, {"unknown host", test_unknown_host},
          {"closed", test_closed}, {"errno stays", test_errno_stays}, {"telemetry", test_telemetry},
          {"telemetry that was refused is told later", test_telemetry_refused_is_told_later})
