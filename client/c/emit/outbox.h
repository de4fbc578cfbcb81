/* Lines on their way to a DogStatsD server: gathered into datagrams, queued, sent.
 *
 * A line goes into the open datagram of a lane: of the first one, until its thread meets another one there; from then on the thread has
 * a lane of its own, so that threads which emit at the same time do not wait for each other (N_LANES and more share them). A line that
 * completes a datagram seals it; sealed datagrams wait in a queue, first in, first out, for a thread that is started when the first line
 * comes. Whoever finds the queue full sends from it himself, without blocking; only when the socket takes nothing is a line dropped.
 * Unbuffered, each line is a datagram of its own that its caller sends.
 *
 * Order: that of the calls, as long as threads take turns. What one thread puts stays in its order. Lines of threads that met may change
 * places, but not where the last one counts: lines that are put with one `key` all go into one lane.
 *
 * Ownership: the caller's struct, which stays valid after outbox_stop (late lines are dropped and counted).
 * Threads: any, also while outbox_stop runs, or runs twice.
 * Locks: a lane's, then `sending`, then `lock`.
 * Limits: queue_bytes of datagrams.
 */
#ifndef CLIENT_EMIT_OUTBOX_H
#define CLIENT_EMIT_OUTBOX_H

#include "emit/health.h"
#include "emit/wire.h"

/* One datagram. Sealed and in the queue it is no longer written to. */
struct outbox_block {
    struct outbox_block *next;
    size_t cap, size;
    unsigned n_metrics;
    char bytes[];
};

#define N_LANES 16
#define N_KEYS  256

struct lane {
    _Alignas(64) pthread_mutex_t lock; /* of all that follows */
    struct outbox_block *open;         /* the datagram being filled; NULL: none yet */
    uint64_t n_metrics;
    bool closed;
};

struct outbox {
    /* These never change after outbox_init. */
    size_t block_bytes; /* of one datagram */
    size_t queue_bytes;
    bool unbuffered, newline;
    int64_t flush_ns;
    struct health *health;
    /* Called by the thread every flush interval, without a lock; NULL: never. */
    void (*tick)(void *context);
    void *context;

    struct lane lanes[N_LANES];
    atomic_uchar owners[N_KEYS]; /* by a hash of the key: 1 + the lane that its lines go into; 0: none yet */
    atomic_uint apart;           /* bits: the lanes whose threads met another one in the first */
    atomic_uint
        visitors; /* who look into all lanes just now: to find one of them there is not to meet a thread that emits */
    /* Written by who puts a line and by the thread, which does not sleep while `filled`, and sets `asleep` before it looks. */
    atomic_bool filled; /* an open datagram may hold something */
    atomic_bool asleep; /* the thread waits for any line at all */

    _Alignas(64) pthread_mutex_t lock; /* of what follows, up to `sending` */
    pthread_cond_t wake; /* for the thread: there is work; for outbox_stop: the thread has ended */
    struct outbox_block *first, **last, *spare;
    size_t held_bytes;
    size_t n_sealed;
    atomic_bool running; /* the thread; written with the lock held, read without as a hint */
    bool stopping;
    bool hurry; /* seal and send now */
    int64_t due_ns;
    pthread_t thread;

    /* Of the wire, and of who may take blocks out of the queue. wire.host, .port and .kind
     * never change; wire.resolved is written by the thread alone, with this held, and may be read by it
     * without. */
    pthread_mutex_t sending;
    struct wire wire;
    unsigned n_rest_metrics; /* of the packet that wire.rest holds */
};

/* The wire is open already. newline: every line is ended by one. */
void outbox_init(struct outbox *outbox, const struct statwit_options *options, bool newline,
                 struct health *health);
/* The line of one metric, which is counted. key: lines with the same one stay in order; NULL: none to keep. */
void outbox_put(struct outbox *outbox, const char *key, const char *line, size_t size);
/* A line that stands for n_metrics which were counted before. false: there was no room, and they are counted as dropped. */
bool outbox_put_again(struct outbox *outbox, const char *key, const char *line, size_t size,
                      unsigned n_metrics);
/* Makes the thread run, for ticks. */
void outbox_start(struct outbox *outbox);
bool outbox_flush(struct outbox *outbox, int timeout_ms);
/* Sends what is left within timeout_ms; drops the rest. */
void outbox_stop(struct outbox *outbox, int timeout_ms);
void outbox_count(struct outbox *outbox, uint64_t *n_metrics, uint64_t *waiting_bytes);

/* All locks are held across fork. The child drops what waits, which is the parent's to send. */
void outbox_before_fork(struct outbox *outbox);
void outbox_after_fork(struct outbox *outbox, bool child);

/* ---- between outbox.c and outbox_send.c ---- */

#define OUTBOX_WAKE_AT 16 /* sealed datagrams that are worth waking the thread before its time */

/* Puts what the lanes hold into the queue. closing: they take nothing more. Without a lock. */
void outbox_seal(struct outbox *outbox, bool closing);
/* With the lock held. */
void outbox_block_free(struct outbox *outbox, struct outbox_block *block);
/* Frees everything that is not sent, and says how many metrics that were. With `sending` held too. */
unsigned outbox_discard(struct outbox *outbox);
void outbox_start_locked(struct outbox *outbox);

/* Without a lock: takes some sealed datagrams to the socket. True when there is nothing left to do now: the
 * queue is empty, or the socket takes nothing (*blocked). */
bool outbox_send(struct outbox *outbox, bool *blocked);

#endif
