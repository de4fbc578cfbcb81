/* The queue's beginning and end, and its writer: storing, committing, counting what is lost, telling those that wait. */
#include "pipeline/private.h"

#include "core/clock.h"
#include "core/log.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LOG_EVERY_NS (5 * NS_PER_S) /* a full disk says so once, not at every commit */

struct pipeline *pipeline_new(struct store *store, size_t cap_bytes, struct err *err) {
    struct pipeline *p = calloc(1, sizeof *p);
    if (!p) {
        err_set(err, ENOMEM, "cannot make the queue");
        return NULL;
    }
    p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->fd < 0) {
        err_set(err, errno, "cannot make the queue's eventfd");
        free(p);
        return NULL;
    }
    p->notify_fd = -1;
    p->held_end = &p->held;
    p->store = store;
    p->cap_bytes = cap_bytes > PIPELINE_CAP_MIN ? cap_bytes : PIPELINE_CAP_MIN;
    pthread_mutex_init(&p->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&p->moved, &attr);
    pthread_condattr_destroy(&attr);
    return p;
}

void pipeline_free(struct pipeline *p) {
    if (!p)
        return;
    for (struct lane *lane = p->row; lane; lane = lane->after)
        queue_free_list(lane->head);
    queue_free_list(p->held);
    queue_free_list(p->uncommitted);
    pthread_cond_destroy(&p->moved);
    pthread_mutex_destroy(&p->lock);
    close(p->fd);
    free(p);
}

static struct timespec timespec_of(int64_t ns) {
    return (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
}

/* Waits for `moved`; false once the deadline has passed. The lock is held. */
static bool wait_moved(struct pipeline *p, int64_t deadline_ns) {
    if (deadline_ns == 0) {
        pthread_cond_wait(&p->moved, &p->lock);
        return true;
    }
    struct timespec until = timespec_of(deadline_ns);
    return pthread_cond_timedwait(&p->moved, &p->lock, &until) != ETIMEDOUT;
}

static void mark_dirty(struct pipeline *p) {
    if (p->dirty)
        return;
    p->dirty = true;
    p->dirty_since_ns = clock_mono_ns();
}

/* The store failed: all it held since the last commit is gone, and so is the rest of this batch. */
static void store_failed(struct pipeline *p, uint64_t n, const struct err *err) {
    p->lost += n;
    size_t length = strnlen(err->text, LOSS_DETAIL_MAX - 1);
    memcpy(p->lost_detail, err->text, length);
    p->lost_detail[length] = '\0';
    pthread_mutex_lock(&p->lock);
    p->unsaved_loss += n;
    pthread_mutex_unlock(&p->lock);
    int64_t now = clock_mono_ns();
    if (p->logged_ns == 0 || now - p->logged_ns > LOG_EVERY_NS) {
        p->logged_ns = now;
        log_error("the recording lost %llu records: %s", (unsigned long long)p->lost, err->text);
    }
}

static void finish_uncommitted(struct pipeline *p, int result) {
    for (struct batch *b = p->uncommitted; b; b = b->next)
        *b->result = result;
    queue_free_list(p->uncommitted);
    p->uncommitted = NULL;
}

/* The store failed between two commits: n more records are gone with what was pending, which nobody may be told to be stored. */
static void give_up(struct pipeline *p, uint64_t n, const struct err *err) {
    store_failed(p, n, err);
    struct err ignored = {0};
    store_commit(p->store, &ignored); /* rolls back: from here on the store is usable again */
    finish_uncommitted(p, -1);
}

/* Takes a batch that is done off the queue. */
static void pop(struct pipeline *p, struct batch *b) {
    queue_leave(p, b);
    if (b->result) {
        b->next = p->uncommitted;
        p->uncommitted = b;
    } else
        b->free(b);
}

bool pipeline_step(struct pipeline *p, uint64_t session_id, int64_t budget_ns) {
    struct batch *b = queue_first(p, session_id);
    if (!b)
        return false;
    mark_dirty(p);
    int64_t end_ns = clock_mono_ns() + budget_ns;
    const struct lane *served;
    do {
        struct err err = {0};
        served = queue_lane(p, b->session_id);
        p->wanted = p->wanted || served->wanted || p->lanes[0].wanted;
        int fed = b->feed(b, p->store, &err);
        if (fed < 0) {
            uint64_t n_left = b->n_left;
            pop(p, b);
            give_up(p, store_pending(p->store) + n_left, &err);
        } else if (fed > 0)
            pop(p, b);
        else
            continue;
        b = queue_first(p, session_id);
    } while (b && clock_mono_ns() < end_ns);
    if (session_id == 0)
        queue_end_turn(p, served);
    return b != NULL;
}

void pipeline_loss(struct pipeline *p, uint64_t session_id, enum loss loss, uint64_t n, struct span detail) {
    struct err err = {0};
    uint64_t pending = store_pending(p->store);
    mark_dirty(p);
    p->wanted = p->wanted || queue_lane(p, session_id)->wanted || p->lanes[0].wanted;
    if (store_loss(p->store, session_id, loss, n, detail, &err) != 0)
        give_up(p, pending + n, &err);
}

uint64_t pipeline_discard(struct pipeline *p, enum loss loss, struct span detail) {
    uint64_t n = 0;
    for (struct batch *b; (b = queue_first(p, 0));) {
        queue_leave(p, b);
        if (b->result) {
            *b->result = -1;
        } else if (b->n_left > 0) {
            pipeline_loss(p, b->session_id, loss, b->n_left, detail);
            n += b->n_left;
        }
        b->free(b);
    }
    return n;
}

/* The lock is held. */
static void tell_commit(struct pipeline *p) {
    p->commits++;
    pthread_cond_broadcast(&p->moved);
    if (p->notify_fd >= 0) {
        uint64_t one = 1;
        ssize_t written = write(p->notify_fd, &one, sizeof one);
        (void)written; /* EAGAIN: the counter is full, so it is readable */
        p->notify_fd = -1;
    }
}

void pipeline_notify(struct pipeline *p, int fd) {
    pthread_mutex_lock(&p->lock);
    p->notify_fd = fd;
    pthread_mutex_unlock(&p->lock);
}

/* What is kept is not seen: while it cannot be committed, an answer would lack it. */
static void note_unseen(struct pipeline *p, bool ok) {
    bool kept = store_kept(p->store) > 0;
    p->dirty = kept;
    if (kept && !ok)
        p->dirty_since_ns = clock_mono_ns(); /* and then it is tried again */
    pthread_mutex_lock(&p->lock);
    p->unseen = kept && !ok ? store_kept(p->store) : 0;
    if (ok && !kept)
        p->unsaved_loss = 0;
    pthread_mutex_unlock(&p->lock);
}

void pipeline_keep(struct pipeline *p) {
    if (p->lost > 0 || p->unseen > 0) {
        pipeline_commit(p);
        return;
    }
    struct err err = {0};
    uint64_t pending = store_pending(p->store);
    bool ok = store_keep(p->store, &err) == 0;
    if (!ok && pending > 0)
        store_failed(p, pending, &err);
    finish_uncommitted(p, ok ? 0 : -1);
    if (ok && store_kept(p->store) > 0)
        return;
    store_awaited_over(p->store);
    p->wanted = false;
    note_unseen(p, ok);
    pthread_mutex_lock(&p->lock);
    tell_commit(p);
    pthread_mutex_unlock(&p->lock);
}

void pipeline_commit(struct pipeline *p) {
    if (!p->dirty && p->lost == 0)
        return;
    struct err err = {0};
    store_awaited_over(p->store);
    uint64_t lost = p->lost;
    uint64_t pending = store_pending(p->store);
    bool ok = lost == 0 || store_loss(p->store, 0, LOSS_DISK_FULL, lost, span_str(p->lost_detail), &err) == 0;
    ok = store_commit(p->store, &err) == 0 && ok;
    if (ok)
        p->lost = 0;
    else if (pending > 0)
        store_failed(p, pending, &err);
    p->wanted = false;
    finish_uncommitted(p, ok ? 0 : -1);
    note_unseen(p, ok);
    pthread_mutex_lock(&p->lock);
    tell_commit(p);
    pthread_mutex_unlock(&p->lock);
}

bool pipeline_dirty(const struct pipeline *p, int64_t *since_mono_ns) {
    *since_mono_ns = p->dirty_since_ns;
    return p->dirty;
}

bool pipeline_awaited(struct pipeline *p) {
    pthread_mutex_lock(&p->lock);
    bool awaited = p->notify_fd >= 0;
    pthread_mutex_unlock(&p->lock);
    return awaited;
}

bool pipeline_owes(const struct pipeline *p) {
    return p->uncommitted != NULL;
}

void pipeline_want(struct pipeline *p, uint64_t session_id) {
    queue_lane(p, session_id)->wanted++;
    store_await_any(p->store);
}

void pipeline_want_no_more(struct pipeline *p, uint64_t session_id) {
    queue_lane(p, session_id)->wanted--;
}

bool pipeline_wanted(const struct pipeline *p) {
    return p->wanted;
}

uint64_t pipeline_unsaved_loss(struct pipeline *p) {
    pthread_mutex_lock(&p->lock);
    uint64_t n = p->unsaved_loss + p->unseen;
    pthread_mutex_unlock(&p->lock);
    return n;
}

uint64_t pipeline_stats(struct pipeline *p, struct store *store, struct store_stats *stats) {
    uint64_t unsaved;
    do {
        unsaved = pipeline_unsaved_loss(p);
        store_stats(store, stats);
    } while (pipeline_unsaved_loss(p) != unsaved); /* written down meanwhile: it counts once */
    stats->losses[LOSS_DISK_FULL] += unsaved;
    return unsaved;
}

uint64_t pipeline_commits(struct pipeline *p) {
    pthread_mutex_lock(&p->lock);
    uint64_t n = p->commits;
    pthread_mutex_unlock(&p->lock);
    return n;
}

uint64_t pipeline_watch(struct pipeline *p, uint64_t seen, int64_t deadline_ns) {
    pthread_mutex_lock(&p->lock);
    while (p->commits <= seen && wait_moved(p, deadline_ns)) {
    }
    uint64_t n = p->commits;
    pthread_mutex_unlock(&p->lock);
    return n;
}
