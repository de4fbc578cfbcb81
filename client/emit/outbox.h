/* Lines on their way to a DogStatsD server: gathered into datagrams, queued, sent.
 *
 * A line that completes a datagram seals it; sealed datagrams wait in a queue, first in, first out, for a
 * thread that is started when the first line comes. Whoever finds the queue full sends from it himself,
 * without blocking; only when the socket takes nothing is a line dropped. Unbuffered, each line is a datagram
 * of its own that its caller sends.
 *
 * Ownership: the caller's struct, which stays valid after outbox_stop (late lines are dropped and counted).
 * Threads: any.
 * Limits: queue_bytes of datagrams.
 */
#ifndef CLIENT_EMIT_OUTBOX_H
#define CLIENT_EMIT_OUTBOX_H

#include "emit/health.h"
#include "emit/wire.h"

struct outbox_block;

struct outbox {
    pthread_mutex_t lock; /* of all but the wire */
    pthread_cond_t wake;
    struct outbox_block *current, *first, **last, *spare;
    size_t block_bytes; /* of one datagram */
    size_t queue_bytes, held_bytes;
    size_t n_sealed;
    bool unbuffered, newline;
    atomic_bool running;
    bool asleep, stopping, closed;
    bool hurry; /* seal and send now */
    int64_t due_ns;
    int64_t flush_ns;
    pthread_t thread;
    uint64_t n_metrics;

    pthread_mutex_t sending; /* of the wire; taken before lock */
    struct wire wire;
    struct health *health;
    /* Called by the thread every flush interval, without a lock; NULL: never. */
    void (*tick)(void *context);
    void *context;
};

/* The wire is open already. newline: every line is ended by one. */
void outbox_init(struct outbox *outbox, const struct statwit_options *options, bool newline,
                 struct health *health);
/* The line of one metric, which is counted. */
void outbox_put(struct outbox *outbox, const char *line, size_t size);
/* A line that stands for n_metrics which were counted before. */
void outbox_put_again(struct outbox *outbox, const char *line, size_t size, unsigned n_metrics);
/* Makes the thread run, for ticks. */
void outbox_start(struct outbox *outbox);
bool outbox_flush(struct outbox *outbox, int timeout_ms);
/* Sends what is left within timeout_ms; drops the rest. */
void outbox_stop(struct outbox *outbox, int timeout_ms);
void outbox_count(struct outbox *outbox, uint64_t *n_metrics, uint64_t *waiting_bytes);

void outbox_before_fork(struct outbox *outbox);
void outbox_after_fork(struct outbox *outbox, bool child);

#endif
