/* From the queue to the socket, and the thread that sees to it. */
#include "emit/outbox.h"

#include <poll.h>
#include <signal.h>
#include <time.h>

#define SEND_AT_ONCE 32 /* datagrams for one wire_send */
#define PAUSE_MS     20 /* between two tries on a socket that takes nothing */

/* ---- sending ---- */

bool outbox_send(struct outbox *outbox, bool *blocked) {
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
    if (n_sent > 0 && outbox->wire.rest)
        outbox->n_rest_metrics = taken[n_sent - 1]->n_metrics;
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
        outbox_block_free(outbox, taken[i]);
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
        if (!outbox_send(outbox, &blocked))
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
    while (!outbox->stopping && !outbox->hurry && outbox->n_sealed < OUTBOX_WAKE_AT) {
        if (!outbox->tick && !outbox->first && !outbox->filled) {
            atomic_store(&outbox->asleep, true);
            if (!atomic_load(&outbox->filled))
                pthread_cond_wait(&outbox->wake, &outbox->lock);
            atomic_store(&outbox->asleep, false);
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
        if (due) {
            atomic_store(&outbox->filled,
                         false); /* first, so that what is put behind a lane's seal sets it again */
            outbox_seal(outbox, false);
        }
        bool blocked = false;
        while (!outbox_send(outbox, &blocked))
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

void outbox_start_locked(struct outbox *outbox) {
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
    outbox_start_locked(outbox);
    pthread_mutex_unlock(&outbox->lock);
}

/* ---- flushing and stopping ---- */

bool outbox_flush(struct outbox *outbox, int timeout_ms) {
    int64_t deadline_ns = clock_monotonic_ns() + (int64_t)timeout_ms * 1000000;
    outbox_seal(outbox, false);
    pthread_mutex_lock(&outbox->lock);
    if (outbox->first)
        outbox_start_locked(outbox);
    outbox->hurry = outbox->running;
    pthread_cond_signal(&outbox->wake);
    pthread_mutex_unlock(&outbox->lock);
    return drain(outbox, deadline_ns);
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
    outbox->stopping = true;
    pthread_cond_signal(&outbox->wake);
    pthread_mutex_unlock(&outbox->lock);
    outbox_seal(outbox, true);
    bool sent = drain(outbox, deadline_ns);
    pthread_mutex_lock(&outbox->lock);
    if (running)
        end_thread(outbox, deadline_ns);
    pthread_mutex_unlock(&outbox->lock);
    pthread_mutex_lock(&outbox->sending);
    pthread_mutex_lock(&outbox->lock);
    unsigned n_lost = outbox_discard(outbox);
    if (outbox->wire.rest) /* the server throws half a packet away */
        n_lost += outbox->n_rest_metrics;
    wire_close(&outbox->wire);
    pthread_mutex_unlock(&outbox->lock);
    pthread_mutex_unlock(&outbox->sending);
    if (!sent && n_lost > 0)
        health_drop(outbox->health, DROP_LATE, n_lost, "not sent before the client was closed: %.140s",
                    outbox->wire.trouble);
}
