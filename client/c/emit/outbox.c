#include "emit/outbox.h"

#include "emit/identity.h"
#include "emit/mutex.h"
#include "emit/thread.h"
#include <stdlib.h>

#define ATTEMPTS 100 /* to send from a queue that other threads fill again at once */

/* ---- blocks; all with the lock held ---- */

static size_t cost(size_t cap) {
    return cap + sizeof(struct outbox_block);
}

static struct outbox_block *block_new(struct outbox *outbox, size_t cap) {
    struct outbox_block *block = outbox->spare;
    if (cap == outbox->block_bytes && block) {
        outbox->spare = block->next;
    } else {
        for (; block && outbox->held_bytes + cost(cap) > outbox->queue_bytes; block = outbox->spare) {
            outbox->spare = block->next;
            outbox->held_bytes -= cost(block->cap);
            free(block);
        }
        if (outbox->held_bytes + cost(cap) > outbox->queue_bytes && outbox->held_bytes > 0)
            return NULL;
        block = malloc(sizeof *block + cap);
        if (!block)
            return NULL;
        block->cap = cap;
        outbox->held_bytes += cost(cap);
    }
    block->next = NULL;
    block->size = 0;
    block->n_metrics = 0;
    return block;
}

void outbox_block_free(struct outbox *outbox, struct outbox_block *block) {
    if (block->cap == outbox->block_bytes) {
        block->next = outbox->spare;
        outbox->spare = block;
    } else {
        outbox->held_bytes -= cost(block->cap);
        free(block);
    }
}

/* ---- lanes ---- */

/* With both locks held. */
static void seal_lane(struct outbox *outbox, struct lane *lane) {
    struct outbox_block *block = lane->open;
    if (!block || block->size == 0)
        return;
    lane->open = NULL;
    *outbox->last = block;
    outbox->last = &block->next;
    outbox->n_sealed++;
    if (outbox->n_sealed >= OUTBOX_WAKE_AT)
        pthread_cond_signal(&outbox->wake);
}

void outbox_seal(struct outbox *outbox, bool closing) {
    atomic_fetch_add(&outbox->visitors, 1);
    for (size_t i = 0; i < N_LANES; i++) {
        struct lane *lane = &outbox->lanes[i];
        pthread_mutex_lock(&lane->lock);
        lane->closed = lane->closed || closing;
        pthread_mutex_lock(&outbox->lock);
        seal_lane(outbox, lane);
        pthread_mutex_unlock(&outbox->lock);
        pthread_mutex_unlock(&lane->lock);
    }
    atomic_fetch_sub(&outbox->visitors, 1);
}

/* They are the core's that sent the datagram before. All are asked for at once here; else each line that is put would wait for its own when
 * the lane is unlocked, which takes as long as all the rest of a call. */
static void take_cache_lines(struct outbox_block *block) {
    memset(block->bytes, 0, block->cap);
}

/* A datagram with room for size bytes, when the open one has none; NULL: the queue is full. With the lane's lock held. */
static struct outbox_block *open_block(struct outbox *outbox, struct lane *lane, size_t size) {
    pthread_mutex_lock(&outbox->lock);
    seal_lane(outbox, lane);
    struct outbox_block *block = block_new(outbox, size > outbox->block_bytes ? size : outbox->block_bytes);
    if (block && lane->open)
        outbox_block_free(outbox, lane->open);
    if (block)
        lane->open = block;
    pthread_mutex_unlock(&outbox->lock);
    if (block && !outbox->unbuffered)
        take_cache_lines(block);
    return block;
}

static inline struct outbox_block *room(struct outbox *outbox, struct lane *lane, size_t size) {
    struct outbox_block *block = lane->open;
    return block && block->cap - block->size >= size ? block : open_block(outbox, lane, size);
}

/* The lane's lock is let go for a moment. NULL: the socket takes nothing, or the lane is closed. */
static struct outbox_block *make_room(struct outbox *outbox, struct lane *lane, size_t size) {
    struct outbox_block *block = NULL;
    bool blocked = false;
    for (int attempt = 0; !block && !lane->closed && !blocked && attempt < ATTEMPTS; attempt++) {
        pthread_mutex_unlock(&lane->lock);
        outbox_seal(outbox, false); /* what other threads hold is sent, too */
        outbox_send(outbox, &blocked);
        pthread_mutex_lock(&lane->lock);
        block = lane->closed ? NULL : room(outbox, lane, size);
    }
    return block;
}

/* The lane that a line goes into, locked. */
static struct lane *take_lane(struct outbox *outbox, const char *key) {
    unsigned own = 1 + thread_number() % (N_LANES - 1),
             number = atomic_load(&outbox->apart) & 1u << own ? own : 0;
    if (key) {
        atomic_uchar *owner = &outbox->owners[identity_hash_key(key) % N_KEYS];
        unsigned char first = 0;
        number =
            atomic_compare_exchange_strong(owner, &first, (unsigned char)(number + 1)) ? number : first - 1u;
    } else if (number == 0) {
        if (pthread_mutex_trylock(&outbox->lanes[0].lock) == 0)
            return &outbox->lanes[0];
        if (atomic_load(&outbox->visitors) == 0) {
            atomic_fetch_or(&outbox->apart, 1u << own);
            number = own;
        }
    }
    pthread_mutex_lock(&outbox->lanes[number].lock);
    return &outbox->lanes[number];
}

/* ---- lines ---- */

static void drop(struct outbox *outbox, bool closed, size_t size, unsigned n_metrics) {
    health_drop_packet(outbox->health, size);
    health_drop(outbox->health, closed ? DROP_LATE : DROP_FULL, n_metrics,
                closed ? "the client is closed" : "the queue to %.100s is full", outbox->wire.host);
}

/* The thread learns that there is something to do. */
static void tell_thread(struct outbox *outbox) {
    if (!atomic_load(&outbox->filled))
        atomic_store(&outbox->filled, true);
    if (!outbox->running)
        outbox_start(outbox);
    if (atomic_load(&outbox->asleep)) {
        pthread_mutex_lock(&outbox->lock);
        pthread_cond_signal(&outbox->wake);
        pthread_mutex_unlock(&outbox->lock);
    }
}

static void send_at_once(struct outbox *outbox) {
    bool blocked;
    while (!outbox_send(outbox, &blocked))
        ;
    if (blocked)
        outbox_start(outbox);
}

static inline bool put_line(struct outbox *outbox, const char *key, const char *line, size_t size,
                            unsigned n_metrics, unsigned n_counted) {
    struct lane *lane = take_lane(outbox, key);
    lane->n_metrics += n_counted;
    struct outbox_block *block = lane->closed ? NULL : room(outbox, lane, size + outbox->newline);
    if (!block)
        block = make_room(outbox, lane, size + outbox->newline);
    if (!block) {
        bool closed = lane->closed;
        pthread_mutex_unlock(&lane->lock);
        drop(outbox, closed, size, n_metrics);
        return false;
    }
    memcpy(block->bytes + block->size, line, size);
    block->size += size;
    block->n_metrics += n_metrics;
    if (outbox->newline)
        block->bytes[block->size++] = '\n';
    if (outbox->unbuffered || block->size >= outbox->block_bytes) {
        pthread_mutex_lock(&outbox->lock);
        seal_lane(outbox, lane);
        pthread_mutex_unlock(&outbox->lock);
    }
    pthread_mutex_unlock(&lane->lock);
    if (outbox->unbuffered)
        send_at_once(outbox);
    else
        tell_thread(outbox);
    return true;
}

void outbox_put(struct outbox *outbox, const char *key, const char *line, size_t size) {
    put_line(outbox, key, line, size, 1, 1);
}

bool outbox_put_again(struct outbox *outbox, const char *key, const char *line, size_t size,
                      unsigned n_metrics) {
    return put_line(outbox, key, line, size, n_metrics, 0);
}

void outbox_count(struct outbox *outbox, uint64_t *n_metrics, uint64_t *waiting_bytes) {
    atomic_fetch_add(&outbox->visitors, 1);
    for (size_t i = 0; i < N_LANES; i++) {
        struct lane *lane = &outbox->lanes[i];
        pthread_mutex_lock(&lane->lock);
        *n_metrics += lane->n_metrics;
        *waiting_bytes += lane->open ? lane->open->size : 0;
        pthread_mutex_unlock(&lane->lock);
    }
    atomic_fetch_sub(&outbox->visitors, 1);
    pthread_mutex_lock(&outbox->lock);
    for (struct outbox_block *block = outbox->first; block; block = block->next)
        *waiting_bytes += block->size;
    pthread_mutex_unlock(&outbox->lock);
}

/* ---- life ---- */

static void init_locks(struct outbox *outbox) {
    for (size_t i = 0; i < N_LANES; i++)
        mutex_init_brief(&outbox->lanes[i].lock);
    mutex_init_brief(&outbox->lock);
    mutex_init_brief(&outbox->sending);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&outbox->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void outbox_init(struct outbox *outbox, const struct statwit_options *options, bool newline,
                 struct health *health) {
    init_locks(outbox);
    outbox->health = health;
    outbox->last = &outbox->first;
    outbox->unbuffered = options->unbuffered;
    outbox->newline = newline;
    outbox->block_bytes = options->buffer_bytes;
    outbox->queue_bytes = options->queue_bytes;
    outbox->flush_ns = (int64_t)options->flush_interval_ms * 1000000;
}

unsigned outbox_discard(struct outbox *outbox) {
    unsigned n_metrics = 0;
    for (struct outbox_block *block = outbox->first, *next; block; block = next) {
        next = block->next;
        n_metrics += block->n_metrics;
        free(block);
    }
    for (struct outbox_block *block = outbox->spare, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    outbox->first = outbox->spare = NULL;
    outbox->last = &outbox->first;
    outbox->held_bytes = outbox->n_sealed = 0;
    return n_metrics;
}

void outbox_before_fork(struct outbox *outbox) {
    for (size_t i = 0; i < N_LANES; i++)
        pthread_mutex_lock(&outbox->lanes[i].lock);
    pthread_mutex_lock(&outbox->sending);
    pthread_mutex_lock(&outbox->lock);
}

/* What waits here is the parent's to send, and so is its thread. */
static void begin_child(struct outbox *outbox) {
    outbox->running = outbox->asleep = outbox->filled = outbox->hurry = false;
    outbox->visitors = 0;
    for (size_t i = 0; i < N_LANES; i++) {
        free(outbox->lanes[i].open);
        outbox->lanes[i].open = NULL;
    }
    outbox_discard(outbox);
    wire_close(&outbox->wire);
    init_locks(outbox);
}

void outbox_after_fork(struct outbox *outbox, bool child) {
    if (child) {
        begin_child(outbox);
        return;
    }
    pthread_mutex_unlock(&outbox->lock);
    pthread_mutex_unlock(&outbox->sending);
    for (size_t i = 0; i < N_LANES; i++)
        pthread_mutex_unlock(&outbox->lanes[i].lock);
}
