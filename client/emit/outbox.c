#include "emit/outbox.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define SEND_AT_ONCE 32  /* datagrams for one wire_send */
#define WAKE_AT      16  /* sealed datagrams that are worth waking the thread before its time */
#define ATTEMPTS     100 /* to send from a queue that other threads fill again at once */
#define PAUSE_MS     20  /* between two tries on a socket that takes nothing */

struct outbox_block {
    struct outbox_block *next;
    size_t cap, size;
    unsigned n_metrics;
    char bytes[];
};

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

static void block_free(struct outbox *outbox, struct outbox_block *block) {
    if (block->cap == outbox->block_bytes) {
        block->next = outbox->spare;
        outbox->spare = block;
    } else {
        outbox->held_bytes -= cost(block->cap);
        free(block);
    }
}

static void seal(struct outbox *outbox) {
    struct outbox_block *block = outbox->current;
    if (!block || block->size == 0)
        return;
    outbox->current = NULL;
    *outbox->last = block;
    outbox->last = &block->next;
    outbox->n_sealed++;
}

/* Room for size bytes at the end of the current datagram; NULL: the queue is full. */
static struct outbox_block *room(struct outbox *outbox, size_t size) {
    struct outbox_block *block = outbox->current;
    if (block && block->cap - block->size >= size)
        return block;
    seal(outbox);
    if (!outbox->current || outbox->current->cap < size) {
        block = block_new(outbox, size > outbox->block_bytes ? size : outbox->block_bytes);
        if (!block)
            return NULL;
        if (outbox->current)
            block_free(outbox, outbox->current);
        outbox->current = block;
    }
    return outbox->current;
}

/* ---- sending ---- */

/* Takes up to SEND_AT_ONCE sealed datagrams to the socket. True when there is nothing left to do now: the
 * queue is empty, or the socket takes nothing (*blocked). */
static bool send_some(struct outbox *outbox, bool *blocked) {
    struct iovec datagrams[SEND_AT_ONCE];
    struct outbox_block *taken[SEND_AT_ONCE] = {0};
    size_t n = 0, n_sent = 0;
    *blocked = false;
    pthread_mutex_lock(&outbox->sending);
    pthread_mutex_lock(&outbox->lock);
    /* They stay in the queue until sent, but are nobody else's: whoever wants them needs the sending lock. */
    for (struct outbox_block *block = outbox->first; block && n < SEND_AT_ONCE; block = block->next) {
        taken[n] = block;
        datagrams[n++] = (struct iovec){block->bytes, block->size};
    }
    pthread_mutex_unlock(&outbox->lock);
    enum wire_result result = WIRE_SENT;
    if (n > 0 || outbox->wire.rest)
        result = wire_send(&outbox->wire, datagrams, n, &n_sent);
    size_t n_bytes = 0, n_done = n_sent;
    for (size_t i = 0; i < n_sent; i++)
        n_bytes += taken[i]->size;
    health_add(&outbox->health->packets_sent, n_sent);
    health_add(&outbox->health->bytes_sent, n_bytes);
    if (result == WIRE_REFUSED || result == WIRE_LARGE) {
        health_drop_packet(outbox->health, taken[n_sent]->size);
        health_drop(
            outbox->health, result == WIRE_LARGE ? DROP_LARGE : DROP_REFUSED, taken[n_sent]->n_metrics, "%s",
            result == WIRE_LARGE ? "a metric is larger than a datagram can be" : outbox->wire.trouble);
        n_done++;
    }
    pthread_mutex_lock(&outbox->lock);
    for (size_t i = 0; i < n_done; i++) {
        outbox->first = taken[i]->next;
        if (!outbox->first)
            outbox->last = &outbox->first;
        outbox->n_sealed--;
        block_free(outbox, taken[i]);
    }
    bool done = !outbox->first;
    pthread_mutex_unlock(&outbox->lock);
    *blocked = result == WIRE_LATER || (done && outbox->wire.rest);
    pthread_mutex_unlock(&outbox->sending);
    return done || *blocked;
}

static void resolve(struct outbox *outbox) {
    /* Only the thread gets here, and only it changes `resolved`. */
    struct sockaddr_storage address;
    socklen_t size;
    bool found = wire_resolve(&outbox->wire, &address, &size);
    pthread_mutex_lock(&outbox->sending);
    if (found) {
        outbox->wire.address = address;
        outbox->wire.address_size = size;
        outbox->wire.resolved = true;
    }
    pthread_mutex_unlock(&outbox->sending);
}

/* Until the socket may take more, or a while has passed. */
static void wait_writable(struct outbox *outbox, int timeout_ms) {
    pthread_mutex_lock(&outbox->sending);
    struct pollfd socket = {.fd = outbox->wire.fd, .events = POLLOUT};
    pthread_mutex_unlock(&outbox->sending);
    if (poll(&socket, socket.fd >= 0, timeout_ms) > 0 && !(socket.revents & POLLOUT))
        poll(NULL, 0, 1);
}

/* Sends until the queue is empty or the deadline has come. */
static bool drain(struct outbox *outbox, int64_t deadline_ns) {
    for (;;) {
        bool blocked;
        if (!send_some(outbox, &blocked))
            continue;
        if (!blocked)
            return true;
        int64_t left_ms = (deadline_ns - clock_monotonic_ns()) / 1000000;
        if (left_ms <= 0)
            return false;
        wait_writable(outbox, left_ms < PAUSE_MS ? (int)left_ms : PAUSE_MS);
    }
}

/* ---- the thread ---- */

static void wait_until(struct outbox *outbox, int64_t when_ns) {
    struct timespec when = {.tv_sec = when_ns / 1000000000, .tv_nsec = when_ns % 1000000000};
    pthread_cond_timedwait(&outbox->wake, &outbox->lock, &when);
}

/* With the lock held: until there is something to do. */
static void wait_for_work(struct outbox *outbox) {
    while (!outbox->stopping && !outbox->hurry && outbox->n_sealed < WAKE_AT) {
        bool waiting = outbox->tick || outbox->first || (outbox->current && outbox->current->size > 0);
        if (!waiting) {
            outbox->asleep = true;
            pthread_cond_wait(&outbox->wake, &outbox->lock);
            outbox->asleep = false;
            outbox->due_ns = clock_monotonic_ns() + outbox->flush_ns;
        } else if (clock_monotonic_ns() >= outbox->due_ns) {
            break;
        } else {
            wait_until(outbox, outbox->due_ns);
        }
    }
}

static void *thread_main(void *context) {
    struct outbox *outbox = context;
    pthread_mutex_lock(&outbox->lock);
    while (!outbox->stopping) {
        wait_for_work(outbox);
        int64_t now = clock_monotonic_ns();
        bool due = outbox->hurry || now >= outbox->due_ns;
        outbox->hurry = false;
        if (due)
            outbox->due_ns = now + outbox->flush_ns;
        pthread_mutex_unlock(&outbox->lock);
        if (due && outbox->tick)
            outbox->tick(outbox->context);
        if (!outbox->wire.resolved)
            resolve(outbox);
        pthread_mutex_lock(&outbox->lock);
        if (due)
            seal(outbox);
        pthread_mutex_unlock(&outbox->lock);
        bool blocked = false;
        while (!send_some(outbox, &blocked))
            ;
        if (blocked)
            wait_writable(outbox, PAUSE_MS);
        pthread_mutex_lock(&outbox->lock);
    }
    outbox->running = false;
    pthread_cond_broadcast(&outbox->wake);
    pthread_mutex_unlock(&outbox->lock);
    return NULL;
}

/* With the lock held. */
static void start(struct outbox *outbox) {
    if (outbox->running || outbox->stopping)
        return;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    outbox->due_ns = clock_monotonic_ns() + outbox->flush_ns;
    outbox->running = pthread_create(&outbox->thread, NULL, thread_main, outbox) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void outbox_start(struct outbox *outbox) {
    pthread_mutex_lock(&outbox->lock);
    start(outbox);
    pthread_mutex_unlock(&outbox->lock);
}

/* ---- lines ---- */

static void put(struct outbox *outbox, const char *line, size_t size, unsigned n_metrics,
                unsigned n_counted) {
    size_t need = size + outbox->newline;
    pthread_mutex_lock(&outbox->lock);
    outbox->n_metrics += n_counted;
    size_t n_sealed = outbox->n_sealed;
    struct outbox_block *block = outbox->closed ? NULL : room(outbox, need);
    bool blocked = false;
    for (int attempt = 0; !block && !outbox->closed && !blocked && attempt < ATTEMPTS; attempt++) {
        pthread_mutex_unlock(&outbox->lock);
        send_some(outbox, &blocked);
        pthread_mutex_lock(&outbox->lock);
        block = outbox->closed ? NULL : room(outbox, need);
    }
    if (!block) {
        bool closed = outbox->closed;
        pthread_mutex_unlock(&outbox->lock);
        health_drop_packet(outbox->health, size);
        health_drop(outbox->health, closed ? DROP_LATE : DROP_FULL, n_metrics,
                    closed ? "the client is closed" : "the queue to %.100s is full", outbox->wire.host);
        return;
    }
    memcpy(block->bytes + block->size, line, size);
    block->size += size;
    block->n_metrics += n_metrics;
    if (outbox->newline)
        block->bytes[block->size++] = '\n';
    if (outbox->unbuffered || block->size >= outbox->block_bytes)
        seal(outbox);
    if (!outbox->unbuffered && !outbox->running)
        start(outbox);
    if (outbox->asleep || (outbox->n_sealed > n_sealed && outbox->n_sealed >= WAKE_AT))
        pthread_cond_signal(&outbox->wake);
    pthread_mutex_unlock(&outbox->lock);
    if (!outbox->unbuffered)
        return;
    while (!send_some(outbox, &blocked))
        ;
    if (blocked)
        outbox_start(outbox);
}

void outbox_put(struct outbox *outbox, const char *line, size_t size) {
    put(outbox, line, size, 1, 1);
}

void outbox_put_again(struct outbox *outbox, const char *line, size_t size, unsigned n_metrics) {
    put(outbox, line, size, n_metrics, 0);
}

bool outbox_flush(struct outbox *outbox, int timeout_ms) {
    int64_t deadline_ns = clock_monotonic_ns() + (int64_t)timeout_ms * 1000000;
    pthread_mutex_lock(&outbox->lock);
    seal(outbox);
    if (outbox->first)
        start(outbox);
    outbox->hurry = outbox->running;
    pthread_cond_signal(&outbox->wake);
    pthread_mutex_unlock(&outbox->lock);
    return drain(outbox, deadline_ns);
}

void outbox_count(struct outbox *outbox, uint64_t *n_metrics, uint64_t *waiting_bytes) {
    pthread_mutex_lock(&outbox->lock);
    *n_metrics += outbox->n_metrics;
    for (struct outbox_block *block = outbox->first; block; block = block->next)
        *waiting_bytes += block->size;
    *waiting_bytes += outbox->current ? outbox->current->size : 0;
    pthread_mutex_unlock(&outbox->lock);
}

/* ---- life ---- */

static void init_locks(struct outbox *outbox) {
    pthread_mutexattr_t adaptive;
    pthread_mutexattr_init(&adaptive);
    pthread_mutexattr_settype(&adaptive, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&outbox->lock, &adaptive);
    pthread_mutex_init(&outbox->sending, &adaptive);
    pthread_mutexattr_destroy(&adaptive);
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

/* With the lock held: everything that is not sent. */
static unsigned discard(struct outbox *outbox) {
    unsigned n_metrics = 0;
    seal(outbox);
    free(outbox->current);
    outbox->current = NULL;
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

/* With the lock held. A thread that is held up by the DNS is left behind: it ends as soon as it looks at the outbox, which
 * stays. */
static void end_thread(struct outbox *outbox, int64_t deadline_ns) {
    int64_t least_ns = clock_monotonic_ns() + 100000000;
    if (deadline_ns < least_ns)
        deadline_ns = least_ns;
    while (outbox->running && clock_monotonic_ns() < deadline_ns)
        wait_until(outbox, deadline_ns);
    bool ended = !outbox->running;
    pthread_mutex_unlock(&outbox->lock);
    if (ended)
        pthread_join(outbox->thread, NULL);
    else
        pthread_detach(outbox->thread);
    pthread_mutex_lock(&outbox->lock);
}

void outbox_stop(struct outbox *outbox, int timeout_ms) {
    int64_t deadline_ns = clock_monotonic_ns() + (int64_t)timeout_ms * 1000000;
    pthread_mutex_lock(&outbox->lock);
    bool running = outbox->running && !outbox->stopping;
    outbox->closed = outbox->stopping = true;
    seal(outbox);
    pthread_cond_signal(&outbox->wake);
    pthread_mutex_unlock(&outbox->lock);
    bool sent = drain(outbox, deadline_ns);
    pthread_mutex_lock(&outbox->lock);
    if (running)
        end_thread(outbox, deadline_ns);
    pthread_mutex_unlock(&outbox->lock);
    pthread_mutex_lock(&outbox->sending);
    pthread_mutex_lock(&outbox->lock);
    unsigned n_lost = discard(outbox);
    wire_close(&outbox->wire);
    pthread_mutex_unlock(&outbox->lock);
    pthread_mutex_unlock(&outbox->sending);
    if (!sent && n_lost > 0)
        health_drop(outbox->health, DROP_LATE, n_lost, "not sent before the client was closed: %.140s",
                    outbox->wire.trouble);
}

void outbox_before_fork(struct outbox *outbox) {
    pthread_mutex_lock(&outbox->sending);
    pthread_mutex_lock(&outbox->lock);
}

void outbox_after_fork(struct outbox *outbox, bool child) {
    if (!child) {
        pthread_mutex_unlock(&outbox->lock);
        pthread_mutex_unlock(&outbox->sending);
        return;
    }
    /* What waits here is the parent's to send, and so is its thread. */
    outbox->running = outbox->asleep = outbox->hurry = false;
    discard(outbox);
    wire_close(&outbox->wire);
    init_locks(outbox);
}
