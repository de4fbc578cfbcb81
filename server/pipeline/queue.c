/* The queue: lanes of batches, and the row of those lanes that have some. */
#include "pipeline/private.h"

#include <assert.h>
#include <unistd.h>

void queue_free_list(struct batch *list) {
    while (list) {
        struct batch *next = list->next;
        list->free(list);
        list = next;
    }
}

struct lane *queue_lane(struct pipeline *p, uint64_t session_id) {
    return &p->lanes[session_id % PIPELINE_LANES];
}

/* The lock is held for this function and the next three. */
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
    struct lane *lane = queue_lane(p, b->session_id);
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

static int put_batch(struct pipeline *p, struct batch **batch, size_t cap_bytes, bool by_loop) {
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
    return put_batch(p, batch, p->cap_bytes, true);
}

int pipeline_put(struct pipeline *p, struct batch **batch) {
    if (put_batch(p, batch, p->cap_bytes - PIPELINE_RESERVE, false) != 0)
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
    bool stored = session_id == 0 || past(queue_lane(p, session_id), mark);
    for (const struct lane *lane = p->row; lane && session_id == 0 && stored; lane = lane->after)
        stored = past(lane, mark);
    pthread_mutex_unlock(&p->lock);
    return stored;
}

int pipeline_fd(const struct pipeline *p) {
    return p->fd;
}

struct batch *queue_first(struct pipeline *p, uint64_t session_id) {
    pthread_mutex_lock(&p->lock);
    while (session_id == 0 && p->row && !p->row->head)
        leave_row(p);
    const struct lane *lane = session_id == 0 ? p->row : queue_lane(p, session_id);
    struct batch *b = lane ? lane->head : NULL;
    pthread_mutex_unlock(&p->lock);
    return b;
}

void queue_leave(struct pipeline *p, struct batch *b) {
    pthread_mutex_lock(&p->lock);
    struct lane *lane = queue_lane(p, b->session_id);
    assert(lane->head == b);
    lane->head = b->next;
    p->n_bytes -= b->n_bytes;
    pthread_mutex_unlock(&p->lock);
}

void queue_end_turn(struct pipeline *p, const struct lane *served) {
    pthread_mutex_lock(&p->lock);
    if (p->row == served)
        join_row(p, leave_row(p));
    pthread_mutex_unlock(&p->lock);
}

bool pipeline_has_room(struct pipeline *p, size_t n_bytes) {
    pthread_mutex_lock(&p->lock);
    bool room = p->n_bytes + n_bytes <= p->cap_bytes;
    pthread_mutex_unlock(&p->lock);
    return room;
}

size_t pipeline_cap(const struct pipeline *p) {
    return p->cap_bytes;
}

size_t pipeline_backlog(struct pipeline *p, size_t *peak) {
    pthread_mutex_lock(&p->lock);
    size_t n = p->n_bytes;
    if (peak)
        *peak = p->peak_bytes;
    pthread_mutex_unlock(&p->lock);
    return n;
}
