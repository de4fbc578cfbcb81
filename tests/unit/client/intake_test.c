/* The datadog backend against an HTTP server that answers by a script. */
#include "emit/intake.h"

#include "bad_input.h"
#include "sink.h"
#include "unit.h"
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static struct statwit_metrics *open_to(struct http_sink *sink, struct statwit_options options) {
    struct statwit_error error = {0};
    options.backend = "datadog";
    options.api_key = "secret";
    options.api_host = sink->url;
    options.hostname = "web1";
    options.ignore_environment = true;
    options.flush_interval_ms = 10000;
    options.backoff_ms = 1;
    if (options.close_timeout_ms == 0)
        options.close_timeout_ms = PATIENCE_MS;
    struct statwit_metrics *metrics = statwit_open(&options, &error);
    if (!metrics)
        fprintf(stderr, "%s\n", error.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(metrics);
    return metrics;
}

static struct statwit_health health_of(struct statwit_metrics *metrics) {
    struct statwit_health health;
    statwit_health(metrics, &health);
    return health;
}

/* After a close that does not wait for a server that is in no hurry: once its thread has ended too. */
static struct statwit_health final_health(struct statwit_metrics *metrics) {
    struct statwit_health health;
    do
        health = health_of(metrics);
    while (health.waiting_bytes > 0);
    return health;
}

/* An interval that is not over before the client is closed, so that no test straddles two. */
#define LATER .timestamp_s = 4000000000

/* The body with its times replaced by T. */
static const char *timeless(const char *body) {
    static char text[65536];
    size_t n = 0;
    while (*body && n < sizeof text - 1) {
        if (strncmp(body, "[[", 2) == 0) {
            memcpy(text + n, "[[T", 3);
            n += 3;
            body += 2 + strspn(body + 2, "0123456789");
        } else {
            text[n++] = *body++;
        }
    }
    text[n] = '\0';
    return text;
}

static const struct http_reply accepted[] = {{.status = 202}};

#define AFTER(type) "]],\"type\":\"" type "\",\"host\":\"web1\",\"device\":null,\"tags\":[],\"interval\":10}"

static void test_body(void) {
    struct http_sink *sink = http_sink_start(accepted, 1);
    struct statwit_metrics *metrics =
        open_to(sink, (struct statwit_options){.prefix = "sentry.", .app_key = "app"});
    statwit_incr(metrics, "hits", .amount = 3, LATER);
    statwit_incr(metrics, "hits", .amount = 2, .sample_rate = 0.0001, LATER); /* the rate is ignored */
    statwit_gauge(metrics, "level", 1, LATER);
    statwit_gauge(metrics, "level", 7, LATER);
    statwit_set(metrics, "users", "a", LATER);
    statwit_set(metrics, "users", "b", LATER);
    statwit_set(metrics, "users", "a", LATER);
    for (int i = 1; i <= 4; i++)
        statwit_timing(metrics, "t", i, LATER);
    statwit_close(metrics);
    CU_ASSERT(http_sink_wait(sink, 1, PATIENCE_MS));
    EQ_STR(sink->received[0].line, "POST /api/v1/series HTTP/1.1");
    CU_ASSERT_PTR_NOT_NULL(strstr(sink->received[0].headers, "DD-API-KEY: secret"));
    CU_ASSERT_PTR_NOT_NULL(strstr(sink->received[0].headers, "DD-APPLICATION-KEY: app"));
    EQ_STR(
        timeless(sink->received[0].body),
        "{\"series\":[{\"metric\":\"sentry.hits\",\"points\":[[T,0.5" AFTER("rate") ",{\"metric\":\"sentry.level\",\"points\":[[T,7" AFTER("gauge") ",{\"metric\":\"sentry.users\",\"points\":[[T,2" AFTER("gauge") ",{\"metric\":\"sentry.t.min\",\"points\":[[T,1" AFTER("gauge") ",{\"metric\":\"sentry.t.max\",\"points\":[[T,4" AFTER("gauge") ",{\"metric\":\"sentry.t.count\",\"points\":[[T,0.4" AFTER("rate") ",{\"metric\":\"sentry.t.avg\",\"points\":[[T,2.5" AFTER(
            "gauge") ",{\"metric\":\"sentry.t.75percentile\",\"points\":[[T,3" AFTER("gauge") ",{\"metric\":\"sentry.t.85percentile\",\"points\":[[T,3" AFTER("gauge") ",{\"metric\":\"sentry.t.95percentile\",\"points\":[[T,4" AFTER("gauge") ",{\"metric\":\"sentry.t.99percentile\",\"points\":[[T,4" AFTER("gauge") "]}");
    EQ_INT(health_of(metrics).packets_sent, 1);
    EQ_INT(health_of(metrics).waiting_bytes, 0);
    http_sink_stop(sink);
}

static void test_distribution_and_tags(void) {
    struct http_sink *sink = http_sink_start(accepted, 1);
    struct statwit_metrics *metrics =
        open_to(sink, (struct statwit_options){.tags = STATWIT_TAGS({"env", "ci"})});
    statwit_distribution(metrics, "d", 2, LATER, .tags = STATWIT_TAGS({"b", "1"}, {"a", "\"2\""}));
    statwit_distribution(metrics, "d", 1.5, LATER,
                         .tags = STATWIT_TAGS({"a", "\"2\""}, {"b", "1"})); /* the same series */
    statwit_close(metrics);
    EQ_STR(sink->received[0].line, "POST /api/v1/distribution_points HTTP/1.1");
    EQ_STR(
        timeless(sink->received[0].body),
        "{\"series\":[{\"metric\":\"d\",\"points\":[[T,[2.0,1.5]]],\"type\":\"distribution\",\"host\":\"web1\","
        "\"device\":null,\"tags\":[\"b:1\",\"a:_2_\",\"env:ci\"],\"interval\":10}]}");
    http_sink_stop(sink);
}

static void test_event_and_check(void) {
    struct http_sink *sink = http_sink_start(accepted, 1);
    struct statwit_metrics *metrics = open_to(sink, (struct statwit_options){0});
    statwit_event(metrics, "title \"q\"", "line\n\xff", .timestamp_s = 5, .alert_type = "error");
    statwit_check(metrics, "app.ok", STATWIT_CHECK_WARNING, .timestamp_s = 6, .message = "m");
    statwit_close(metrics);
    EQ_INT(sink->n_received, 2);
    EQ_STR(sink->received[0].line, "POST /api/v1/events HTTP/1.1");
    EQ_STR(sink->received[0].body,
           "{\"title\":\"title \\\"q\\\"\",\"text\":\"line\\n\xef\xbf\xbd\",\"date_happened\":5,"
           "\"host\":\"web1\",\"alert_type\":\"error\",\"tags\":[]}");
    EQ_STR(sink->received[1].line, "POST /api/v1/check_run HTTP/1.1");
    EQ_STR(sink->received[1].body,
           "{\"check\":\"app.ok\",\"host_name\":\"web1\",\"status\":1,\"timestamp\":6,"
           "\"message\":\"m\",\"tags\":[]}");
    http_sink_stop(sink);
}

static void test_percentiles(void) {
    double values[100];
    for (int i = 0; i < 100; i++)
        values[i] = i;
    /* index int(round(p * n - 1)), half to even */
    CU_ASSERT(intake_percentile(values, 1, 0.75) == 0);
    CU_ASSERT(intake_percentile(values, 2, 0.75) == 0);  /* 0.5 -> 0 */
    CU_ASSERT(intake_percentile(values, 6, 0.75) == 4);  /* 3.5 -> 4 */
    CU_ASSERT(intake_percentile(values, 10, 0.75) == 6); /* 6.5 -> 6 */
    CU_ASSERT(intake_percentile(values, 10, 0.85) == 8); /* 7.5 -> 8 */
    CU_ASSERT(intake_percentile(values, 10, 0.95) == 8); /* 8.5 -> 8 */
    CU_ASSERT(intake_percentile(values, 100, 0.99) == 98);
}

static void test_gives_up(void) {
    static const int statuses[] = {400, 401, 403, 404, 413};
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct http_reply no[] = {{.status = statuses[i]}};
        struct http_sink *sink = http_sink_start(no, 1);
        struct statwit_metrics *metrics = open_to(sink, (struct statwit_options){0});
        statwit_incr(metrics, "a", LATER);
        statwit_incr(metrics, "b", LATER);
        statwit_close(metrics);
        EQ_INT(sink->n_received, 1);
        struct statwit_health health = health_of(metrics);
        EQ_INT(health.dropped_refused, 2);
        EQ_INT(health.retries, 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(health.last_trouble, "/api/v1/series answered 4"));
        CU_ASSERT_PTR_NULL(strstr(health.last_trouble, "secret"));
        http_sink_stop(sink);
    }
}

static void test_tries_again(void) {
    static const struct http_reply replies[] = {{.status = 500},
                                                {.status = 429},
                                                {.status = 408},
                                                {.manner = HTTP_CUT},
                                                {.status = 503, .headers = "Retry-After: 0\r\n"},
                                                {.status = 202, .manner = HTTP_CUT_HALF}};
    struct http_sink *sink = http_sink_start(replies, sizeof replies / sizeof replies[0]);
    struct statwit_metrics *metrics = open_to(sink, (struct statwit_options){0});
    statwit_incr(metrics, "a");
    statwit_close(metrics);
    EQ_INT(sink->n_received, 6);
    EQ_STR(sink->received[5].body, sink->received[0].body);
    struct statwit_health health = health_of(metrics);
    CU_ASSERT(health.retries == 4 ||
              health.retries == 5); /* libcurl itself repeats one on a connection that died */
    EQ_INT(health.packets_sent, 1);
    EQ_INT(health.dropped_refused + health.dropped_late, 0);
    http_sink_stop(sink);
}

/* What the server asks for is honoured: nothing more is tried before. */
static void honours(const char *header) {
    struct http_reply replies[] = {{.status = 429, .headers = header}, {.status = 202}};
    struct http_sink *sink = http_sink_start(replies, 2);
    struct statwit_metrics *metrics = open_to(sink, (struct statwit_options){.close_timeout_ms = 300});
    statwit_event(metrics, "first", "", .timestamp_s = 1);
    CU_ASSERT(http_sink_wait(sink, 1, PATIENCE_MS));
    statwit_close(metrics);
    EQ_INT(final_health(metrics).dropped_late, 1);
    EQ_INT(sink->n_received, 1);
    http_sink_stop(sink);
}

static void test_honours_pauses(void) {
    honours("Retry-After: 30\r\n");
    honours("X-RateLimit-Reset: 30\r\n");
}

static void test_hanging_server(void) {
    static const struct http_reply hang[] = {{.manner = HTTP_HANG}};
    struct http_sink *sink = http_sink_start(hang, 1);
    struct statwit_metrics *metrics =
        open_to(sink, (struct statwit_options){.close_timeout_ms = 100, .request_timeout_ms = 1000});
    statwit_event(metrics, "first", "");
    CU_ASSERT(http_sink_wait(sink, 1, PATIENCE_MS));
    statwit_incr(metrics, "a"); /* returns: nobody waits for the server */
    while (health_of(metrics).retries == 0)
        sched_yield(); /* the first request may be over later than the client's last moment */
    statwit_close(metrics);
    struct statwit_health health = final_health(metrics);
    EQ_INT(health.packets_sent, 0);
    EQ_INT(health.dropped_late, 2);
    http_sink_stop(sink);
}

static void test_bound(void) {
    static const struct http_reply busy[] = {{.status = 503, .headers = "Retry-After: 60\r\n"}};
    struct http_sink *sink = http_sink_start(busy, 1);
    struct statwit_metrics *metrics =
        open_to(sink, (struct statwit_options){.queue_bytes = 20000, .close_timeout_ms = 10});
    char key[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "key%d", i);
        statwit_distribution(metrics, key, i);
        statwit_event(metrics, key, "text");
    }
    struct statwit_health health = health_of(metrics);
    CU_ASSERT(health.dropped_full > 0);
    CU_ASSERT(health.waiting_bytes <= 20000 + 1024); /* a body that was just made may exceed it by its head */
    statwit_close(metrics);
    http_sink_stop(sink);
}

static void test_unreachable(void) {
    struct http_sink *sink = http_sink_start(accepted, 1);
    struct statwit_metrics *metrics = open_to(sink, (struct statwit_options){.close_timeout_ms = 50});
    http_sink_stop(sink);
    statwit_incr(metrics, "a");
    statwit_close(metrics);
    EQ_INT(final_health(metrics).dropped_late, 1);
}

static void test_old_intervals_leave(void) {
    struct http_sink *sink = http_sink_start(accepted, 1);
    struct statwit_metrics *metrics = open_to(sink, (struct statwit_options){0});
    statwit_gauge(metrics, "old", 1, .timestamp_s = 1700000005);
    CU_ASSERT(statwit_flush(metrics, PATIENCE_MS));
    CU_ASSERT(http_sink_wait(sink, 1, PATIENCE_MS));
    CU_ASSERT_PTR_NOT_NULL(strstr(sink->received[0].body, "[[1700000000,1]]"));
    statwit_gauge(metrics, "new", 1, .timestamp_s = 4000000000);
    CU_ASSERT(statwit_flush(metrics, PATIENCE_MS));
    EQ_INT(sink->n_received, 1);
    statwit_close(metrics);
    EQ_INT(sink->n_received, 2);
    http_sink_stop(sink);
}

/* A flush that is asked for while an earlier body is on its way sends what came behind it, too. */
static void test_flush_behind_a_request(void) {
    static const struct http_reply replies[] = {{.status = 202, .manner = HTTP_HELD}, {.status = 202}};
    struct http_sink *sink = http_sink_start(replies, 2);
    struct statwit_metrics *metrics = open_to(sink, (struct statwit_options){0});
    statwit_event(metrics, "first", "");
    CU_ASSERT(http_sink_wait(sink, 1, PATIENCE_MS));
    statwit_gauge(metrics, "old", 1, .timestamp_s = 1700000005);
    CU_ASSERT(!statwit_flush(metrics, 1));
    http_sink_release(sink);
    CU_ASSERT(statwit_flush(metrics, PATIENCE_MS));
    EQ_INT(sink->n_received, 2);
    statwit_close(metrics);
    http_sink_stop(sink);
}

static void *close_it(void *metrics) {
    statwit_close(metrics);
    return NULL;
}

/* Closed while an earlier body is on its way: what was put behind it leaves too. */
static void test_close_behind_a_request(void) {
    static const struct http_reply replies[] = {{.status = 202, .manner = HTTP_HELD}, {.status = 202}};
    struct http_sink *sink = http_sink_start(replies, 2);
    struct statwit_metrics *metrics = open_to(sink, (struct statwit_options){0});
    pthread_t closer;
    statwit_event(metrics, "first", "");
    CU_ASSERT(http_sink_wait(sink, 1, PATIENCE_MS));
    statwit_incr(metrics, "last", LATER);
    pthread_create(&closer, NULL, close_it, metrics);
    do
        statwit_incr(metrics, "last", LATER);
    while (health_of(metrics).dropped_late == 0); /* it is closing */
    http_sink_release(sink);
    pthread_join(closer, NULL);
    EQ_INT(sink->n_received, 2);
    EQ_INT(health_of(metrics).dropped_late, 1);
    http_sink_stop(sink);
}

static void test_bad_input(void) {
    struct http_sink *sink = http_sink_start(accepted, 1);
    struct statwit_metrics *metrics = open_to(sink, (struct statwit_options){0});
    emit_bad_input(metrics);
    statwit_event(metrics, NULL, "no title");
    statwit_check(metrics, "check", (enum statwit_check_status)7);
    statwit_incr(metrics, "a:b|c\n\xff", LATER, .tags = STATWIT_TAGS({"bad\xc3", "x\"y"}));
    statwit_close(metrics);
    EQ_INT(health_of(metrics).dropped_invalid, BAD_INPUT_INVALID + 2);
    EQ_INT(health_of(metrics).dropped_large, BAD_INPUT_LARGE);
    EQ_INT(sink->n_received, 1);
    EQ_STR(
        timeless(sink->received[0].body),
        "{\"series\":[{\"metric\":\"a_b_c__\",\"points\":[[T,0.1]],\"type\":\"rate\",\"host\":\"web1\",\"device\":null,"
        "\"tags\":[\"bad_:x_y\"],\"interval\":10}]}");
    http_sink_stop(sink);
}

static void test_many_bodies(void) {
    struct http_sink *sink = http_sink_start(accepted, 1);
    struct statwit_metrics *metrics = open_to(sink, (struct statwit_options){0});
    char key[64];
    for (int i = 0; i < 8000; i++) {
        snprintf(key, sizeof key, "a.series.among.many.with.a.long.name.%d", i);
        statwit_incr(metrics, key);
    }
    statwit_close(metrics);
    size_t n_series = 0;
    CU_ASSERT(sink->n_received > 1);
    for (size_t i = 0; i < sink->n_received; i++) {
        CU_ASSERT(strlen(sink->received[i].body) < 510000);
        for (const char *at = sink->received[i].body; (at = strstr(at, "\"metric\"")); at++)
            n_series++;
    }
    EQ_INT(n_series, 8000);
    http_sink_stop(sink);
}

UNIT_MAIN("client/intake", {"body", test_body}, {"distribution and tags", test_distribution_and_tags},
          {"event and check", test_event_and_check}, {"percentiles", test_percentiles},
          {"gives up", test_gives_up}, {"tries again", test_tries_again},
          {"honours pauses", test_honours_pauses}, {"hanging server", test_hanging_server},
          {"bound", test_bound}, {"unreachable", test_unreachable},
          {"old intervals leave", test_old_intervals_leave},
          {"a flush behind a request", test_flush_behind_a_request},
          {"a close behind a request", test_close_behind_a_request}, {"many bodies", test_many_bodies},
          {"bad input", test_bad_input})
