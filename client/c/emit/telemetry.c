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
    if (!line.overflow && outbox_put_again(&metrics->outbox, NULL, buffer, line_size(&line), 0))
        *told = now; /* else the next time tells it */
}

/* With the lock held. */
static void put_all(struct statwit_metrics *metrics) {
    struct telemetry *telemetry = &metrics->telemetry;
    struct statwit_health health, *told = &telemetry->told;
    statwit_health(metrics, &health);
    put_count(metrics, "metrics", health.metrics, &told->metrics);
    put_count(metrics, "events", health.events, &told->events);
    put_count(metrics, "service_checks", health.checks, &told->checks);
    put_count(metrics, "bytes_sent", health.bytes_sent, &told->bytes_sent);
    put_count(metrics, "packets_sent", health.packets_sent, &told->packets_sent);
    put_count(metrics, "bytes_dropped", atomic_load(&metrics->health.bytes_dropped),
              &telemetry->told_bytes_dropped);
    put_count(metrics, "packets_dropped", atomic_load(&metrics->health.packets_dropped),
              &telemetry->told_packets_dropped);
}

void telemetry_put(struct statwit_metrics *metrics, bool last) {
    struct telemetry *telemetry = &metrics->telemetry;
    if (!metrics->config.options.telemetry || metrics->config.backend != BACKEND_DOGSTATSD)
        return;
    pthread_mutex_lock(&telemetry->lock);
    int64_t now = clock_monotonic_ns();
    if (telemetry->due_ns == 0)
        telemetry->due_ns = now + INTERVAL_NS;
    if (!telemetry->ended && (last || now >= telemetry->due_ns)) {
        telemetry->due_ns = now + INTERVAL_NS;
        put_all(metrics);
        telemetry->ended = last;
    }
    pthread_mutex_unlock(&telemetry->lock);
}

void telemetry_after_fork(struct statwit_metrics *metrics) {
    struct telemetry *telemetry = &metrics->telemetry;
    statwit_health(metrics, &telemetry->told);
    telemetry->told_bytes_dropped = atomic_load(&metrics->health.bytes_dropped);
    telemetry->told_packets_dropped = atomic_load(&metrics->health.packets_dropped);
    telemetry->due_ns = 0;
}
