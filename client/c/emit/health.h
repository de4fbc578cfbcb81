/* The fate of emitted metrics: counters, and texts for the log, at most one of a kind in 10 seconds.
 *
 * Threads: any. The log function is called without a lock of this library held, except by the caller of
 * health_drop.
 */
#ifndef CLIENT_EMIT_HEALTH_H
#define CLIENT_EMIT_HEALTH_H

#include "statwit.h"
#include <pthread.h>
#include <stdatomic.h>

enum drop {
    DROP_INVALID,
    DROP_LARGE,
    DROP_FULL,
    DROP_REFUSED,
    DROP_LATE,
    N_DROPS,
};

struct health {
    void (*log)(void *context, const char *text);
    void *context;
    /* log and context never change; the counters are atomic, each for itself. */
    atomic_ullong metrics, events, checks; /* of the paths that count them nowhere else */
    atomic_ullong sampled_out, packets_sent, bytes_sent, packets_dropped, bytes_dropped, retries;
    atomic_ullong dropped[N_DROPS];
    atomic_llong told_at_ns[N_DROPS];
    pthread_mutex_t lock; /* of last_trouble */
    char last_trouble[200];
};

int64_t clock_monotonic_ns(void);

void health_init(struct health *health, const struct statwit_options *options);
static inline void health_add(atomic_ullong *counter, uint64_t n) {
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}
/* A packet, or a line that never got into one, is lost: for telemetry, beside health_drop. */
static inline void health_drop_packet(struct health *health, uint64_t n_bytes) {
    health_add(&health->packets_dropped, 1);
    health_add(&health->bytes_dropped, n_bytes);
}
/* n metrics are lost, and why. */
void health_drop(struct health *health, enum drop drop, uint64_t n, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The output of the logging backend: every text, to the log function or to stderr. */
void health_log(struct health *health, const char *format, ...) __attribute__((format(printf, 2, 3)));
void health_read(struct health *health, struct statwit_health *into);

#endif
