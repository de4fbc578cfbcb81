/* datadog.dogstatsd.client.*: what the client says about itself every ten seconds. */
#include "emit/metrics.h"

#define INTERVAL_NS 10000000000

static void put_count(struct statwit_metrics *metrics, const char *name, uint64_t now, uint64_t *told) {
    static const char *const transports[] = {
        [WIRE_UDP] = "udp", [WIRE_UNIXGRAM] = "uds", [WIRE_UNIXSTREAM] = "uds-stream"};
    char buffer[16384];
    struct line line = line_in(buffer, sizeof buffer);
    line_string(&line, "datadog.dogstatsd.client.");
    line_string(&line, name);
    line_char(&line, ':');
    line_integer(&line, (int64_t)(now - *told));
    line_string(&line, "|c|#client:c,client_version:" STATWIT_VERSION ",client_transport:");
    line_string(&line, transports[metrics->outbox.wire.kind]);
    if (metrics->config.wire_tags[0])
        line_char(&line, ',');
    line_string(&line, metrics->config.wire_tags);
    line_string(&line, metrics->config.wire_fields);
    *told = now;
    if (!line.overflow)
        outbox_put_again(&metrics->outbox, buffer, line_size(&line), 0);
}

void telemetry_put(struct statwit_metrics *metrics, bool at_once) {
    struct telemetry *telemetry = &metrics->telemetry;
    int64_t now = clock_monotonic_ns();
    if (!metrics->config.options.telemetry || metrics->config.backend != BACKEND_DOGSTATSD)
        return;
    if (telemetry->due_ns == 0)
        telemetry->due_ns = now + INTERVAL_NS;
    if (!at_once && now < telemetry->due_ns)
        return;
    telemetry->due_ns = now + INTERVAL_NS;
    struct statwit_health health, *told = &telemetry->told;
    statwit_health(metrics, &health);
    uint64_t in_queue = health.dropped_full + health.dropped_late,
             by_writer = health.dropped_refused + health.dropped_large;
    uint64_t told_queue = told->dropped_full, told_writer = told->dropped_refused;
    put_count(metrics, "metrics", health.metrics, &told->metrics);
    put_count(metrics, "events", health.events, &told->events);
    put_count(metrics, "service_checks", health.checks, &told->checks);
    put_count(metrics, "bytes_sent", health.bytes_sent, &told->bytes_sent);
    put_count(metrics, "packets_sent", health.packets_sent, &told->packets_sent);
    put_count(metrics, "metric_dropped_on_receive", in_queue, &told_queue);
    put_count(metrics, "metrics_dropped_writer", by_writer, &told_writer);
    told->dropped_full = told_queue;
    told->dropped_refused = told_writer;
}
