/* Shared by the files of pipeline/; no other folder includes it.
 *
 *     queue.c     putting a batch into the queue, the lanes, and whose turn it is
 *     pipeline.c  beginning and end; the writer, which stores, commits and tells those that wait
 *
 * DESIGN. One mutex guards the queue and the counters that others wait for; the writer's own state (what was fed since
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
#ifndef PIPELINE_PRIVATE_H
#define PIPELINE_PRIVATE_H

#include "pipeline/pipeline.h"
#include <pthread.h>
#include <stdatomic.h>

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
    uint64_t unseen; /* records that were kept, and that the last commit failed to make visible */

    /* The loop's: */
    struct batch *uncommitted; /* fed, with a producer waiting for the result */
    bool dirty, wanted;        /* wanted: somebody waits for what is dirty */
    int64_t dirty_since_ns;
    uint64_t lost; /* records lost to a failing store since its last good commit */
    char lost_detail[LOSS_DETAIL_MAX];
    int64_t logged_ns;
};

/* queue.c. These take the lock, but for queue_free_list and queue_lane, which don't need it. */

/* Frees the batches of a list. */
void queue_free_list(struct batch *list);
struct lane *queue_lane(struct pipeline *p, uint64_t session_id);
/* The batch to be stored next: of this session, or (0) of the lane whose turn it is. NULL: there is none. */
struct batch *queue_first(struct pipeline *p, uint64_t session_id);
/* Takes a batch, which is the first of its lane, off the queue. */
void queue_leave(struct pipeline *p, struct batch *b);
/* The lane that was served goes to the end of the row, if it stands at the head. */
void queue_end_turn(struct pipeline *p, const struct lane *served);

#endif
