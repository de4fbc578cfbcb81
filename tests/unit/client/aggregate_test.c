/* Client-side aggregation, as it comes out of the socket. */
#include "bad_input.h"
#include "sink.h"
#include "statwit.h"
#include "unit.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int port, sink;
static char got[1 << 20];

static struct statwit_metrics *open_aggregating(struct statwit_options options) {
    options.flush_interval_ms = 600000; /* only close flushes, however slow the machine */
    options.close_timeout_ms = PATIENCE_MS;
    struct statwit_error error = {0};
    sink = sink_udp(&port);
    options.ignore_environment = options.aggregate = true;
    options.port = port;
    struct statwit_metrics *metrics = statwit_open(&options, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(metrics);
    return metrics;
}

static void close_it(struct statwit_metrics *metrics, struct statwit_health *health) {
    statwit_close(metrics);
    statwit_health(metrics, health);
}

/* Everything that the client says it sent. */
static const char *close_and_read(struct statwit_metrics *metrics) {
    struct statwit_health health;
    close_it(metrics, &health);
    EQ_INT(sink_read_all(sink, got, sizeof got, health.bytes_sent, PATIENCE_MS), health.bytes_sent);
    close(sink);
    return got;
}

static void test_each_type(void) {
    struct statwit_metrics *metrics = open_aggregating((struct statwit_options){.prefix = "p."});
    for (int i = 0; i < 5; i++) {
        statwit_incr(metrics, "c", .tags = STATWIT_TAGS({"a", "b"}));
        statwit_timing(metrics, "t", i);
        statwit_histogram(metrics, "h", i * 0.5);
        statwit_distribution(metrics, "d", i, .sample_rate = 1);
        statwit_set(metrics, "s", i % 2);
        statwit_gauge(metrics, "g", i);
    }
    CU_ASSERT_STRING_EQUAL(close_and_read(metrics),
                           "p.c:5|c|#a:b\np.t:0:1:2:3:4|ms\np.h:0.0:0.5:1.0:1.5:2.0|h\np.d:0:1:2:3:4|d\n"
                           "p.s:0|s\np.s:1|s\np.g:4|g\n");
}

static void test_integers_stay_integers(void) {
    struct statwit_metrics *metrics = open_aggregating((struct statwit_options){0});
    statwit_count(metrics, "i", 1);
    statwit_count(metrics, "i", 2);
    statwit_count(metrics, "r", 1);
    statwit_count(metrics, "r", 0.5);
    statwit_count(metrics, "big", INT64_MAX);
    statwit_count(metrics, "big", 1);
    statwit_gauge(metrics, "g", 2.0);
    CU_ASSERT_STRING_EQUAL(close_and_read(metrics), "i:3|c\nr:1.5|c\nbig:9.223372036854776e+18|c\ng:2.0|g\n");
}

static void test_tags_and_scopes_are_told_apart(void) {
    struct statwit_metrics *metrics = open_aggregating((struct statwit_options){0});
    statwit_incr(metrics, "k", .tags = STATWIT_TAGS({"a", "b"}));
    statwit_incr(metrics, "k", .tags = STATWIT_TAGS({"a", NULL}));
    statwit_incr(metrics, "k", .tags = STATWIT_TAGS({"a", "None"}));
    statwit_incr(metrics, "k", .instance = "a");
    {
        statwit_global_tags(scope, true, STATWIT_TAGS({"g", "1"}));
        statwit_incr(metrics, "k");
    }
    statwit_incr(metrics, "k");
    statwit_incr(metrics, "k", .tags = STATWIT_TAGS({"a", "b"}));
    statwit_incr(metrics, "k", .cardinality = "high");
    CU_ASSERT_STRING_EQUAL(
        close_and_read(metrics),
        "k:2|c|#a:b\nk:1|c|#a:None\nk:1|c|#a:None\nk:1|c|#instance:a\nk:1|c|#g:1\nk:1|c\nk:1|c|card:high\n");
}

/* However the tags are ordered: what was set last arrives last. */
static void test_last_gauge_wins(void) {
    struct statwit_metrics *metrics = open_aggregating((struct statwit_options){0});
    statwit_gauge(metrics, "g", 1, .tags = STATWIT_TAGS({"a", "1"}, {"b", "2"}));
    statwit_gauge(metrics, "g", 2, .tags = STATWIT_TAGS({"b", "2"}, {"a", "1"}));
    statwit_gauge(metrics, "g", 3, .tags = STATWIT_TAGS({"a", "1"}, {"b", "2"}));
    CU_ASSERT_STRING_EQUAL(close_and_read(metrics), "g:2|g|#b:2,a:1\ng:3|g|#a:1,b:2\n");
}

static void test_sampling(void) {
    struct statwit_metrics *metrics = open_aggregating((struct statwit_options){0});
    for (int i = 0; i < 100; i++)
        statwit_incr(metrics, "exact", .sample_rate = 0.01);
    int n_sent = 0;
    for (int i = 0; i < 1000; i++)
        statwit_timing(metrics, "t", 1, .sample_rate = 0.5);
    statwit_timing(metrics, "t", 1);
    close_and_read(metrics);
    CU_ASSERT(strncmp(got, "exact:100|c\n", 12) == 0);
    for (const char *at = got; (at = strstr(at, ":1")); at++)
        n_sent++;
    CU_ASSERT(n_sent > 300 && n_sent < 700);
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "|ms|@0.5\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "t:1|ms\n"));
}

static void test_packed_lines_fit(void) {
    struct statwit_metrics *metrics = open_aggregating((struct statwit_options){0});
    for (int i = 0; i < 2000; i++)
        statwit_timing(metrics, "events.latency", i + 0.25, .tags = STATWIT_TAGS({"env", "ci"}));
    struct statwit_health health;
    close_it(metrics, &health);
    size_t values = 0;
    for (uint64_t i = 0; i < health.packets_sent; i++) {
        long n = sink_read(sink, got, sizeof got, PATIENCE_MS);
        CU_ASSERT(n <= 1432);
        for (const char *at = got; (at = strstr(at, ".25")); at++)
            values++;
    }
    EQ_INT(values, 2000);
    close(sink);
}

/* More series than there may be: sent early, never lost. */
static void test_bound(void) {
    struct statwit_metrics *metrics = open_aggregating((struct statwit_options){.max_series = 100});
    char key[32];
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 1000; i++) {
            snprintf(key, sizeof key, "k%d", i);
            statwit_incr(metrics, key);
            statwit_gauge(metrics, key, i);
        }
    struct statwit_health health;
    close_it(metrics, &health);
    long total = 0, gauges = 0;
    for (uint64_t i = 0; i < health.packets_sent && sink_read(sink, got, sizeof got, PATIENCE_MS) > 0; i++)
        for (char *line = strtok(got, "\n"); line; line = strtok(NULL, "\n")) {
            if (strstr(line, "|c"))
                total += strtol(strchr(line, ':') + 1, NULL, 10);
            gauges += strstr(line, "|g") != NULL;
        }
    EQ_INT(total, 3000);
    EQ_INT(gauges, 3000);
    close(sink);
}

/* Known series are kept from flush to flush, idle ones are forgotten, and what comes again comes again. */
static void test_flushes(void) {
    struct statwit_metrics *metrics = open_aggregating((struct statwit_options){0});
    for (int i = 0; i < 30; i++) {
        statwit_incr(metrics, "steady", .amount = i + 1);
        if (i % 15 == 0)
            statwit_incr(metrics, "rare");
        CU_ASSERT(statwit_flush(metrics, PATIENCE_MS));
    }
    close_and_read(metrics);
    for (int i = 0; i < 30; i++) {
        char line[64];
        snprintf(line, sizeof line, "steady:%d|c\n", i + 1);
        CU_ASSERT_PTR_NOT_NULL(strstr(got, line));
    }
    char *rare = strstr(got, "rare:1|c\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(rare);
    rare = strstr(rare + 1, "rare:1|c\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(rare);
    CU_ASSERT_PTR_NULL(strstr(rare + 1, "rare"));
}

static void test_what_is_not_aggregated(void) {
    struct statwit_metrics *metrics = open_aggregating((struct statwit_options){0});
    static char large[2000];
    memset(large, 'x', sizeof large - 1);
    statwit_gauge(metrics, "stamped", 1, .timestamp_s = 5);
    statwit_gauge(metrics, "stamped", 1, .timestamp_s = 5);
    statwit_incr(metrics, large);
    close_and_read(metrics);
    CU_ASSERT(strncmp(got, "stamped:1|g|T5\nstamped:1|g|T5\n", 30) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got, large));
}

static void test_bad_input(void) {
    struct statwit_metrics *metrics = open_aggregating((struct statwit_options){0});
    struct statwit_health health;
    emit_bad_input(metrics);
    for (int i = 0; i < 2; i++)
        statwit_incr(metrics, "a:b|c\n\xff", .tags = STATWIT_TAGS({"bad\xc3", "x|y"}));
    CU_ASSERT_STRING_EQUAL(close_and_read(metrics), "a_b_c__:2|c|#bad_:x_y\n");
    statwit_health(metrics, &health);
    EQ_INT(health.dropped_invalid, BAD_INPUT_INVALID);
    EQ_INT(health.dropped_large, BAD_INPUT_LARGE);
    EQ_INT(health.metrics, 2);
}

static void incr_with(struct statwit_metrics *metrics, const char *key, const struct statwit_tag *tags) {
    statwit_emit_incr(metrics, key, &(struct statwit_call){.tags = tags});
}

/* A call is first compared with the one before whose strings lay in the same place: what they hold counts. */
static void test_the_same_place_with_other_strings(void) {
    char key[16] = "ab", tag[16] = "t", value[16] = "v";
    struct statwit_tag tags[] = {{tag, value}, {NULL, NULL}, {NULL, NULL}};
    struct statwit_metrics *metrics = open_aggregating((struct statwit_options){0});
    for (int i = 0; i < 2; i++) {
        strcpy(key, "ab"), strcpy(tag, "t"), strcpy(value, "v");
        incr_with(metrics, key, tags);
        strcpy(value, "vw");
        incr_with(metrics, key, tags);
        strcpy(tag, "");
        incr_with(metrics, key, tags);
        strcpy(key, "a");
        incr_with(metrics, key, NULL);
        statwit_gauge(metrics, key, i);
        tags[1] =
            (struct statwit_tag){"a:", "1|c"}; /* as the name goes on that is kept behind the identity */
        incr_with(metrics, key, tags);
        tags[1] = (struct statwit_tag){NULL, NULL};
        statwit_timing(metrics, key, 1, .sample_rate = 0.999999999);
        statwit_timing(metrics, key, 2);
    }
    CU_ASSERT_STRING_EQUAL(close_and_read(metrics),
                           "ab:2|c|#t:v\nab:2|c|#t:vw\nab:2|c|#vw\na:2|c\na:2|c|#vw,a::1_c\n"
                           "a:1:1|ms|@0.999999999\na:2:2|ms\na:1|g\n");
}

UNIT_MAIN("client/aggregate", {"each type", test_each_type},
          {"integers stay integers", test_integers_stay_integers},
          {"tags and scopes are told apart", test_tags_and_scopes_are_told_apart},
          {"the same place with other strings", test_the_same_place_with_other_strings},
          {"the last gauge wins", test_last_gauge_wins}, {"sampling", test_sampling},
          {"packed lines fit", test_packed_lines_fit}, {"bound", test_bound}, {"flushes", test_flushes},
          {"what is not aggregated", test_what_is_not_aggregated}, {"bad input", test_bad_input})
