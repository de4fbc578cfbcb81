#include "emit/outbox.h"

#include "emit/mutex.h"
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

void outbox_seal(struct outbox *outbox) {
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
    outbox_seal(outbox);
    if (!outbox->current || outbox->current->cap < size) {
        block = block_new(outbox, size > outbox->block_bytes ? size : outbox->block_bytes);
        if (!block)
            return NULL;
        if (outbox->current)
            outbox_block_free(outbox, outbox->current);
        outbox->current = block;
    }
    return outbox->current;
}

/* ---- lines ---- */

static bool put_line(struct outbox *outbox, const char *line, size_t size, unsigned n_metrics,
                     unsigned n_counted) {
    size_t need = size + outbox->newline;
    pthread_mutex_lock(&outbox->lock);
    outbox->n_metrics += n_counted;
    size_t n_sealed = outbox->n_sealed;
    struct outbox_block *block = outbox->closed ? NULL : room(outbox, need);
    bool blocked = false;
    for (int attempt = 0; !block && !outbox->closed && !blocked && attempt < ATTEMPTS; attempt++) {
        pthread_mutex_unlock(&outbox->lock);
        outbox_send(outbox, &blocked);
        pthread_mutex_lock(&outbox->lock);
        block = outbox->closed ? NULL : room(outbox, need);
    }
    if (!block) {
        bool closed = outbox->closed;
        pthread_mutex_unlock(&outbox->lock);
        health_drop_packet(outbox->health, size);
        health_drop(outbox->health, closed ? DROP_LATE : DROP_FULL, n_metrics,
                    closed ? "the client is closed" : "the queue to %.100s is full", outbox->wire.host);
        return false;
    }
    memcpy(block->bytes + block->size, line, size);
    block->size += size;
    block->n_metrics += n_metrics;
    if (outbox->newline)
        block->bytes[block->size++] = '\n';
    if (outbox->unbuffered || block->size >= outbox->block_bytes)
        outbox_seal(outbox);
    if (!outbox->unbuffered && !outbox->running)
        outbox_start_locked(outbox);
    if (outbox->asleep || (outbox->n_sealed > n_sealed && outbox->n_sealed >= OUTBOX_WAKE_AT))
        pthread_cond_signal(&outbox->wake);
    pthread_mutex_unlock(&outbox->lock);
    if (!outbox->unbuffered)
        return true;
    while (!outbox_send(outbox, &blocked))
        ;
    if (blocked)
        outbox_start(outbox);
    return true;
}

void outbox_put(struct outbox *outbox, const char *line, size_t size) {
    put_line(outbox, line, size, 1, 1);
}

bool outbox_put_again(struct outbox *outbox, const char *line, size_t size, unsigned n_metrics) {
    return put_line(outbox, line, size, n_metrics, 0);
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
    outbox_seal(outbox);
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
    outbox_discard(outbox);
    wire_close(&outbox->wire);
    init_locks(outbox);
}
