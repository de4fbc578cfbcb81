/* A metrics client.
 *
 * Lifetime: statwit_open makes it, statwit_close empties it, and it stays: other threads may still hold it,
 * and what they call finds everything closed. All clients are in one list (clients.c), so that fork can hold
 * their locks, and so that a leak checker sees that they are meant to stay.
 */
#ifndef CLIENT_EMIT_METRICS_H
#define CLIENT_EMIT_METRICS_H

#include "emit/aggregate.h"
#include "emit/intake.h"

struct statwit_metrics {
    struct config config;
    struct health health;
    struct outbox outbox;       /* statsd, dogstatsd */
    struct aggregate aggregate; /* dogstatsd that aggregates */
    struct intake intake;       /* datadog */
    struct telemetry {
        pthread_mutex_t lock; /* taken before the client's other locks */
        int64_t due_ns;
        struct statwit_health told; /* what was told so far */
        uint64_t told_bytes_dropped, told_packets_dropped;
    } telemetry;
    struct statwit_metrics *next;
};

/* Adds it to the list for good. */
void clients_add(struct statwit_metrics *metrics);

/* telemetry.c: the client's own metrics when their time has come, or now. */
void telemetry_put(struct statwit_metrics *metrics, bool now);

#endif
