/* A target's queue and counters. */
#include "forward/private.h"

#include "core/clock.h"
#include "core/log.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TOLD_AGAIN_NS NS_PER_S /* two errors in turn do not flood the log */

static void free_items(struct forward_item *item) {
    for (struct forward_item *next; item; item = next) {
        next = item->next;
        free(item);
    }
}

void target_stop(struct forward_target *t, int64_t end_ns) {
    pthread_mutex_lock(&t->lock);
    t->stopping = true;
    t->end_ns = end_ns;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
    if (t->started)
        pthread_join(t->thread, NULL);
    t->started = false;
    if (t->poster)
        target_stop(t->poster, end_ns);
}

void target_free(struct forward_target *t) {
    if (!t)
        return;
    target_free(t->poster);
    free_items(t->first);
    if (t->fd >= 0)
        close(t->fd);
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->changed);
    free(t->url);
    free(t);
}

/* --- the queue --------------------------------------------------------------------------------------------------------- */

static void append(struct forward_target *t, struct forward_item *item, size_t n_bytes) {
    item->next = NULL;
    if (t->last)
        t->last->next = item;
    else
        t->first = item;
    t->last = item;
    t->n_queued += n_bytes;
}

static void wake(struct forward_target *t) {
    if (t->waits)
        pthread_cond_signal(&t->changed);
}

/* The newest chunk with room for n bytes; NULL: the queue is full. */
static struct forward_item *chunk_for(struct forward_target *t, size_t n) {
    struct forward_item *chunk = t->last;
    if (chunk && chunk->cap_bytes - chunk->n_bytes >= n)
        return chunk;
    size_t cap = n > FORWARD_CHUNK ? n : FORWARD_CHUNK;
    if (t->n_queued + cap > FORWARD_QUEUE_MAX || !(chunk = malloc(sizeof *chunk + cap)))
        return NULL;
    *chunk = (struct forward_item){.cap_bytes = cap};
    append(t, chunk, cap);
    return chunk;
}

void target_put_datagram(struct forward_target *t, int64_t at_ns, struct span bytes) {
    struct forward_head head = {at_ns, (uint32_t)bytes.n};
    pthread_mutex_lock(&t->lock);
    struct forward_item *chunk = chunk_for(t, sizeof head + bytes.n);
    t->status.taken++;
    if (chunk) {
        memcpy(chunk->bytes + chunk->n_bytes, &head, sizeof head);
        memcpy(chunk->bytes + chunk->n_bytes + sizeof head, bytes.p, bytes.n);
        chunk->n_bytes += sizeof head + bytes.n;
        chunk->n_datagrams++;
        t->status.waiting++;
        wake(t);
    } else {
        t->status.dropped++;
    }
    pthread_mutex_unlock(&t->lock);
    if (!chunk)
        target_failed(t, 0, NULL, "more than %zu MB wait for it, so datagrams are dropped",
                      FORWARD_QUEUE_MAX >> 20);
}

static struct span put_text(struct forward_item *item, struct span text) {
    char *to = item->bytes + item->n_bytes;
    if (text.n)
        memcpy(to, text.p, text.n);
    to[text.n] = '\0';
    item->n_bytes += text.n + 1;
    return span_of(to, text.n);
}

static struct forward_item *copy_request(const struct forward_request *r) {
    size_t n = r->method.n + r->path.n + r->query.n + r->content_type.n + r->content_encoding.n +
               r->user_agent.n + r->api_key.n + r->body.n + 8;
    struct forward_item *item = malloc(sizeof *item + n);
    if (!item)
        return NULL;
    *item = (struct forward_item){.n_bytes = 0};
    item->request = (struct forward_request){.method = put_text(item, r->method),
                                             .path = put_text(item, r->path),
                                             .query = put_text(item, r->query),
                                             .content_type = put_text(item, r->content_type),
                                             .content_encoding = put_text(item, r->content_encoding),
                                             .user_agent = put_text(item, r->user_agent),
                                             .api_key = put_text(item, r->api_key),
                                             .body = put_text(item, r->body)};
    return item;
}

/* The oldest make room, as in the Agent. */
void target_put_request(struct forward_target *t, const struct forward_request *request) {
    struct forward_item *item = copy_request(request), *dropped = NULL;
    uint64_t n_dropped = item ? 0 : 1;
    pthread_mutex_lock(&t->lock);
    t->status.taken++;
    while (item && t->first && t->n_queued + item->n_bytes > FORWARD_QUEUE_MAX) {
        struct forward_item *oldest = t->first;
        t->first = oldest->next;
        if (!t->first)
            t->last = NULL;
        t->n_queued -= oldest->n_bytes;
        t->status.waiting--;
        oldest->next = dropped;
        dropped = oldest;
        n_dropped++;
    }
    if (item) {
        append(t, item, item->n_bytes);
        t->status.waiting++;
        wake(t);
    }
    t->status.dropped += n_dropped;
    pthread_mutex_unlock(&t->lock);
    free_items(dropped);
    if (n_dropped)
        target_failed(t, 0, NULL, "more than %zu MB wait for it, so the oldest requests are dropped",
                      FORWARD_QUEUE_MAX >> 20);
}

static void wait_until(struct forward_target *t, int64_t due_ns) {
    struct timespec due = {.tv_sec = due_ns / NS_PER_S, .tv_nsec = due_ns % NS_PER_S};
    t->waits = true;
    if (due_ns)
        pthread_cond_timedwait(&t->changed, &t->lock, &due);
    else
        pthread_cond_wait(&t->changed, &t->lock);
    t->waits = false;
}

struct forward_item *target_take(struct forward_target *t, int64_t due_ns, bool *stopped) {
    pthread_mutex_lock(&t->lock);
    while (!t->first && !t->stopping && !(due_ns && clock_mono_ns() >= due_ns))
        wait_until(t, due_ns);
    struct forward_item *item = t->first;
    if (item) {
        t->first = item->next;
        t->last = t->first ? t->last : NULL;
        t->n_queued -= item->cap_bytes ? item->cap_bytes : item->n_bytes;
    }
    *stopped = t->stopping;
    pthread_mutex_unlock(&t->lock);
    return item;
}

bool target_pause(struct forward_target *t, int64_t ns) {
    int64_t due_ns = clock_mono_ns() + ns;
    pthread_mutex_lock(&t->lock);
    while (!t->stopping && clock_mono_ns() < due_ns)
        wait_until(t, due_ns);
    bool goes_on = !t->stopping;
    pthread_mutex_unlock(&t->lock);
    return goes_on;
}

bool target_is_over(struct forward_target *t) {
    pthread_mutex_lock(&t->lock);
    bool over = t->stopping && clock_mono_ns() >= t->end_ns;
    pthread_mutex_unlock(&t->lock);
    return over;
}

/* --- counting ------------------------------------------------------------------------------------------------------------ */

void target_passed(struct forward_target *t, uint64_t n) {
    pthread_mutex_lock(&t->lock);
    t->status.passed += n;
    t->status.waiting -= n;
    pthread_mutex_unlock(&t->lock);
}

void target_dropped(struct forward_target *t, uint64_t n) {
    pthread_mutex_lock(&t->lock);
    t->status.dropped += n;
    t->status.waiting -= n;
    pthread_mutex_unlock(&t->lock);
}

void target_failed(struct forward_target *t, uint64_t n, uint64_t *counter, const char *format, ...) {
    char why[sizeof t->why];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    pthread_mutex_lock(&t->lock);
    int64_t now_ns = clock_mono_ns();
    bool tells = strcmp(why, t->why) != 0 && (!t->told_ns || now_ns - t->told_ns >= TOLD_AGAIN_NS);
    t->told_ns = tells ? now_ns : t->told_ns;
    memcpy(t->why, why, sizeof why);
    if (counter) {
        *counter += n;
        if (counter != &t->status.retries)
            t->status.waiting -= n;
    }
    pthread_mutex_unlock(&t->lock);
    if (tells)
        log_warning("--forward %s: %s", t->url, why);
}
