/* Every allocation fails once: the 0th, the 1st, … until all succeed. Nothing crashes or leaks, and what was not sent
 * is counted. */
#include "scarce.h"
#include "sink.h"
#include "statwit.h"
#include "unit.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int port;

/* Whether everything was sent. */
static bool emit(struct statwit_options options) {
    struct statwit_error error = {0};
    struct statwit_health health;
    options.port = port;
    options.ignore_environment = true;
    options.close_timeout_ms = 1;
    options.tags = STATWIT_TAGS({"env", "ci"});
    struct statwit_metrics *metrics = statwit_open(&options, &error);
    if (!metrics) {
        EQ_INT(error.code, STATWIT_NO_MEMORY);
        return false;
    }
    static char large[2000];
    memset(large, 'x', sizeof large - 1);
    for (int i = 0; i < 50; i++) {
        statwit_incr(metrics, "a", .tags = STATWIT_TAGS({"n", STATWIT_INTEGER(i)}));
        statwit_timing(metrics, "t", i);
    }
    statwit_incr(metrics, large);
    statwit_event(metrics, "title", "text");
    statwit_flush(metrics, 0);
    statwit_close(metrics);
    statwit_health(metrics, &health);
    uint64_t n_dropped = health.dropped_full + health.dropped_late;
    return n_dropped == 0 && health.metrics == 101 && health.packets_sent > 0;
}

static void story(struct statwit_options options) {
    bool failed = true;
    for (long n = 0; n < 2000 && failed; n++) {
        scarce_begin(n);
        bool sent = emit(options);
        failed = scarce_end();
        CU_ASSERT(sent || failed); /* without a failure everything is sent */
    }
    CU_ASSERT_FALSE(failed);
}

static void test_plain(void) {
    story((struct statwit_options){.unbuffered = true});
    story((struct statwit_options){.flush_interval_ms = 3600000});
}

static void test_aggregated(void) {
    story((struct statwit_options){.aggregate = true, .flush_interval_ms = 3600000});
}

static void test_json(void) {
    struct statwit_error error = {0};
    struct statwit_metrics *metrics = NULL;
    for (long n = 0; n < 200 && !metrics; n++) {
        scarce_begin(n);
        metrics = statwit_open_json(
            "{\"SENTRY_METRICS_OPTIONS\": {\"tags\": {\"a\": \"b\"}, \"statsd_port\": 9}}", NULL, &error);
        scarce_end();
        CU_ASSERT(metrics || error.text[0]);
    }
    CU_ASSERT_PTR_NOT_NULL(metrics);
    statwit_close(metrics);
}

int main(void) {
    static const struct unit_case cases[] = {
        {"dogstatsd", test_plain}, {"aggregated", test_aggregated}, {"settings as JSON", test_json}};
    int fd = sink_udp(&port);
    int result = unit_main("client/memory", cases, sizeof cases / sizeof cases[0]);
    close(fd);
    return result;
}
