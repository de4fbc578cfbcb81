/* A metrics client.
 *
 * Lifetime: statwit_open makes it, statwit_close empties it, and it stays: other threads may still hold it,
 * and what they call finds everything closed. All clients are in one list (clients.c), so that fork can hold
 * their locks, and so that a leak checker sees that they are meant to stay.
 *
 * Locks, in the order in which they are taken; each guards what its struct's header says, and nothing that
 * blocks is called with one held, other than the next lock:
 *
 *     clients.c lock -> scope.c lock -> telemetry.lock -> shards[0..].lock -> outbox.sending -> outbox.lock
 *                                                      -> intake.lock      -> health.lock
 *
 * fork takes all of them. A thread that emits takes scope.c's to read, then one shard's, then the outbox's; only
 * fork and who opens or closes a scope for all threads write to scope.c's.
 */
#ifndef CLIENT_EMIT_METRICS_H
#define CLIENT_EMIT_METRICS_H

#include "emit/aggregate.h"
#include "emit/intake.h"

struct statwit_metrics {
    struct config config; /* never changes */
    struct health health;
    struct outbox outbox;       /* statsd, dogstatsd */
    struct aggregate aggregate; /* dogstatsd that aggregates */
    struct intake intake;       /* datadog */
    struct telemetry {
        pthread_mutex_t lock; /* of all that follows; taken before the client's other locks */
        bool ended;           /* told for the last time */
        int64_t due_ns;
        struct statwit_health told; /* what was told so far */
        uint64_t told_bytes_dropped, told_packets_dropped;
    } telemetry;
    struct statwit_metrics *next;
};

/* Adds it to the list for good. */
void clients_add(struct statwit_metrics *metrics);

/* telemetry.c: the client's own metrics when their time has come; or now, for the last time. */
void telemetry_put(struct statwit_metrics *metrics, bool last);
/* In the child, with telemetry.lock held alone: what was counted so far is the parent's to tell. */
void telemetry_after_fork(struct statwit_metrics *metrics);

#endif
