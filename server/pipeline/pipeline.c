/* DESIGN. One mutex guards the queue and the counters that others wait for; the writer's own state (what was fed since
 * the last commit) is the loop's alone. Feeding and committing happen outside the lock.
 *
 *     put -> lane [head … tail] -> step: feed(head) -> uncommitted -> commit: result, free
 *            lane [head … tail]
 *
 * With pipeline_hold a batch that was put stands in `held` until the loop has let it in.
 *
 * Lanes with batches stand in a row: the first is stored for one step and goes to the end. One that was emptied out of turn
 * leaves the row when it comes to its head. A batch whose producer waits for a result is kept (as `uncommitted`) until the
 * commit that decides it.
 */
#include "pipeline/pipeline.h"

#include "core/clock.h"
#include "core/log.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LOG_EVERY_NS    (5 * NS_PER_S) /* a full disk says so once, not at every commit */
#define LOSS_DETAIL_MAX 256

struct lane {
    struct batch *head, *tail;
    struct lane *after; /* in the row */
    bool in_row;
    atomic_uint wanted; /* how many wait for what comes into it; of lane 0: into any */
};

struct pipeline {
    struct store *store;
    size_t cap_bytes;
    int fd;

    pthread_mutex_t lock;
    pthread_cond_t moved; /* commits changed */
    struct lane lanes[PIPELINE_LANES];
    struct lane *row, *row_end;
    struct batch *held, **held_end; /* put, not taken yet */
    bool holds;                     /* what is put goes there */
    size_t n_bytes, peak_bytes;
    uint64_t last_ticket;
    uint64_t commits;
    int notify_fd;
    uint64_t unsaved_loss;

    /* The loop's: */
    struct batch *uncommitted; /* fed, with a producer waiting for the result */
    bool dirty, wanted;        /* wanted: somebody waits for what is dirty */
    int64_t dirty_since_ns;
    uint64_t lost; /* records lost to a failing store since its last good commit */
    char lost_detail[LOSS_DETAIL_MAX];
    int64_t logged_ns;
};

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

static void free_list(struct batch *list) {
    while (list) {
        struct batch *next = list->next;
        list->free(list);
        list = next;
    }
}

void pipeline_free(struct pipeline *p) {
    if (!p)
        return;
    for (struct lane *lane = p->row; lane; lane = lane->after)
        free_list(lane->head);
    free_list(p->held);
    free_list(p->uncommitted);
    pthread_cond_destroy(&p->moved);
    pthread_mutex_destroy(&p->lock);
    close(p->fd);
    free(p);
}

static struct lane *lane_of(struct pipeline *p, uint64_t session_id) {
    return &p->lanes[session_id % PIPELINE_LANES];
}

/* The lock is held, as for all of these. */
static void join_row(struct pipeline *p, struct lane *lane) {
    lane->after = NULL;
    lane->in_row = true;
    if (p->row)
        p->row_end->after = lane;
    else
        p->row = lane;
    p->row_end = lane;
}

static struct lane *leave_row(struct pipeline *p) {
    struct lane *first = p->row;
    p->row = first->after;
    first->in_row = false;
    return first;
}

static void join_lane(struct pipeline *p, struct batch *b) {
    struct lane *lane = lane_of(p, b->session_id);
    b->next = NULL;
    b->ticket = ++p->last_ticket;
    if (lane->head)
        lane->tail->next = b;
    else
        lane->head = b;
    lane->tail = b;
    if (!lane->in_row)
        join_row(p, lane);
}

static void hold(struct pipeline *p, struct batch *b) {
    b->next = NULL;
    *p->held_end = b;
    p->held_end = &b->next;
}

static int put(struct pipeline *p, struct batch **batch, size_t cap_bytes, bool by_loop) {
    struct batch *b = *batch;
    pthread_mutex_lock(&p->lock);
    if (p->n_bytes > 0 && p->n_bytes + b->n_bytes > cap_bytes) {
        pthread_mutex_unlock(&p->lock);
        return -1;
    }
    if (p->holds && !by_loop)
        hold(p, b);
    else
        join_lane(p, b);
    p->n_bytes += b->n_bytes;
    if (p->n_bytes > p->peak_bytes)
        p->peak_bytes = p->n_bytes;
    pthread_mutex_unlock(&p->lock);
    *batch = NULL;
    return 0;
}

int pipeline_append(struct pipeline *p, struct batch **batch) {
    return put(p, batch, p->cap_bytes, true);
}

int pipeline_put(struct pipeline *p, struct batch **batch) {
    if (put(p, batch, p->cap_bytes - PIPELINE_RESERVE, false) != 0)
        return -1;
    uint64_t one = 1;
    ssize_t written = write(p->fd, &one, sizeof one);
    (void)written; /* EAGAIN: the counter is full, so it is readable */
    return 0;
}

void pipeline_hold(struct pipeline *p) {
    pthread_mutex_lock(&p->lock);
    p->holds = true;
    pthread_mutex_unlock(&p->lock);
}

struct batch *pipeline_take(struct pipeline *p) {
    pthread_mutex_lock(&p->lock);
    struct batch *list = p->held;
    p->held = NULL;
    p->held_end = &p->held;
    pthread_mutex_unlock(&p->lock);
    return list;
}

void pipeline_let_in(struct pipeline *p, struct batch *list) {
    pthread_mutex_lock(&p->lock);
    for (struct batch *b = list, *next; b; b = next) {
        next = b->next;
        join_lane(p, b);
    }
    pthread_mutex_unlock(&p->lock);
}

uint64_t pipeline_mark(struct pipeline *p) {
    pthread_mutex_lock(&p->lock);
    uint64_t mark = p->last_ticket;
    pthread_mutex_unlock(&p->lock);
    return mark;
}

static bool past(const struct lane *lane, uint64_t mark) {
    return !lane->head || lane->head->ticket > mark;
}

bool pipeline_stored(struct pipeline *p, uint64_t session_id, uint64_t mark) {
    pthread_mutex_lock(&p->lock);
    bool stored = session_id == 0 || past(lane_of(p, session_id), mark);
    for (const struct lane *lane = p->row; lane && session_id == 0 && stored; lane = lane->after)
        stored = past(lane, mark);
    pthread_mutex_unlock(&p->lock);
    return stored;
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

int pipeline_fd(const struct pipeline *p) {
    return p->fd;
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
    free_list(p->uncommitted);
    p->uncommitted = NULL;
}

/* Takes a batch, which is the first of its lane, off the queue. */
static void leave_lane(struct pipeline *p, struct batch *b) {
    pthread_mutex_lock(&p->lock);
    struct lane *lane = lane_of(p, b->session_id);
    assert(lane->head == b);
    lane->head = b->next;
    p->n_bytes -= b->n_bytes;
    pthread_mutex_unlock(&p->lock);
}

/* The same with one that is done. */
static void pop(struct pipeline *p, struct batch *b) {
    leave_lane(p, b);
    if (b->result) {
        b->next = p->uncommitted;
        p->uncommitted = b;
    } else
        b->free(b);
}

static struct batch *first_of(struct pipeline *p, uint64_t session_id) {
    pthread_mutex_lock(&p->lock);
    while (session_id == 0 && p->row && !p->row->head)
        leave_row(p);
    const struct lane *lane = session_id == 0 ? p->row : lane_of(p, session_id);
    struct batch *b = lane ? lane->head : NULL;
    pthread_mutex_unlock(&p->lock);
    return b;
}

static void end_turn(struct pipeline *p, const struct lane *served) {
    pthread_mutex_lock(&p->lock);
    if (p->row == served)
        join_row(p, leave_row(p));
    pthread_mutex_unlock(&p->lock);
}

bool pipeline_step(struct pipeline *p, uint64_t session_id, int64_t budget_ns) {
    struct batch *b = first_of(p, session_id);
    if (!b)
        return false;
    mark_dirty(p);
    int64_t end_ns = clock_mono_ns() + budget_ns;
    const struct lane *served;
    do {
        struct err err = {0};
        served = lane_of(p, b->session_id);
        p->wanted = p->wanted || served->wanted || p->lanes[0].wanted;
        int fed = b->feed(b, p->store, &err);
        if (fed < 0) {
            store_failed(p, store_pending(p->store) + b->n_left, &err);
            struct err ignored = {0};
            store_commit(p->store, &ignored); /* rolls back: from here on the store is usable again */
            pop(p, b);
            finish_uncommitted(p, -1);
        } else if (fed > 0)
            pop(p, b);
        else
            continue;
        b = first_of(p, session_id);
    } while (b && clock_mono_ns() < end_ns);
    if (session_id == 0)
        end_turn(p, served);
    return b != NULL;
}

void pipeline_loss(struct pipeline *p, uint64_t session_id, enum loss loss, uint64_t n, struct span detail) {
    struct err err = {0};
    mark_dirty(p);
    if (store_loss(p->store, session_id, loss, n, detail, &err) != 0)
        store_failed(p, n, &err);
}

uint64_t pipeline_discard(struct pipeline *p, enum loss loss, struct span detail) {
    uint64_t n = 0;
    for (struct batch *b; (b = first_of(p, 0));) {
        leave_lane(p, b);
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

void pipeline_commit(struct pipeline *p) {
    if (!p->dirty && p->lost == 0)
        return;
    struct err err = {0};
    uint64_t lost = p->lost;
    uint64_t pending = store_pending(p->store);
    bool ok = lost == 0 || store_loss(p->store, 0, LOSS_DISK_FULL, lost, span_str(p->lost_detail), &err) == 0;
    ok = store_commit(p->store, &err) == 0 && ok;
    if (ok)
        p->lost = 0;
    else if (pending > 0)
        store_failed(p, pending, &err);
    p->dirty = p->wanted = false;
    finish_uncommitted(p, ok ? 0 : -1);

    pthread_mutex_lock(&p->lock);
    if (ok)
        p->unsaved_loss = 0;
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
    return awaited || p->uncommitted;
}

void pipeline_want(struct pipeline *p, uint64_t session_id) {
    lane_of(p, session_id)->wanted++;
}

void pipeline_want_no_more(struct pipeline *p, uint64_t session_id) {
    lane_of(p, session_id)->wanted--;
}

bool pipeline_wanted(const struct pipeline *p) {
    return p->wanted;
}

uint64_t pipeline_unsaved_loss(struct pipeline *p) {
    pthread_mutex_lock(&p->lock);
    uint64_t n = p->unsaved_loss;
    pthread_mutex_unlock(&p->lock);
    return n;
}

bool pipeline_has_room(struct pipeline *p, size_t n_bytes) {
    pthread_mutex_lock(&p->lock);
    bool room = p->n_bytes + n_bytes <= p->cap_bytes;
    pthread_mutex_unlock(&p->lock);
    return room;
}

size_t pipeline_backlog(struct pipeline *p, size_t *peak) {
    pthread_mutex_lock(&p->lock);
    size_t n = p->n_bytes;
    if (peak)
        *peak = p->peak_bytes;
    pthread_mutex_unlock(&p->lock);
    return n;
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
