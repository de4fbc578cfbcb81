/* From many producers to ONE writer: a bounded queue of batches, in a lane for each session. Within a lane batches are stored in
 * order; lanes take turns, so that no session waits for another one's backlog.
 *
 * The writer is not a thread of its own: the ingest loop calls pipeline_step and pipeline_commit between two looks at its
 * sockets (server/decisions/0001-one-loop-instead-of-two-threads.md).
 *
 * Ownership: pipeline_put takes the batch over and nulls the caller's pointer; it is freed once stored. A refused batch
 * stays the caller's.
 * Threads: put, mark, watch, commits: any. append, take, let_in, step, keep, commit, discard: the loop. No function takes a second
 * lock.
 * Limits: `cap_bytes` over all queued batches (at least PIPELINE_CAP_MIN, so that one look at the sockets always fits), of which
 * PIPELINE_RESERVE is the loop's: whoever fills the queue leaves room for what a question has to read.
 * Units: bytes, nanoseconds (monotonic for deadlines).
 */
#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H

#include "store/store.h"

/* Work for the writer. `feed` puts some of its records into the store and returns 1 when done, 0 when there is more (it
 * is called again; one call should take well under 200 us), -1 with err when the store failed (it is called no more). */
struct batch {
    struct batch *next;  /* the pipeline's */
    uint64_t ticket;     /* the pipeline's */
    uint64_t session_id; /* its lane */
    size_t n_bytes;      /* what it holds in memory */
    /* Records (or datagrams) that are not fed yet. `feed` keeps the number current; they are lost when `feed` fails. */
    size_t n_left;
    int (*feed)(struct batch *batch, struct store *store, struct err *err);
    void (*free)(struct batch *batch);
    /* NULL, or where the pipeline writes 0 or -1 before the ticket is due. The producer waits for the ticket, so the
     * place is still valid. */
    int *result;
};

#define PIPELINE_CAP_MIN ((size_t)16 << 20)
#define PIPELINE_RESERVE ((size_t)5 << 20)
/* Sessions whose ids differ by a multiple of this number share a lane. That costs them fairness, nothing else. */
#define PIPELINE_LANES 4096

struct pipeline;
struct pipeline *pipeline_new(struct store *store, size_t cap_bytes, struct err *err);
/* The queue must be empty or its batches are freed unstored. */
void pipeline_free(struct pipeline *p);

/* Queues a batch. -1 (and *batch unchanged) when the queue is full. Wakes the loop through pipeline_fd. */
int pipeline_put(struct pipeline *p, struct batch **batch);
/* From now on pipeline_put gives a batch no place in its lane yet: the loop takes the batch, queues what was sent before it, and
 * then lets the batch in. Call this before the first pipeline_put. */
void pipeline_hold(struct pipeline *p);
/* The batches that were put since the last call, oldest first. */
struct batch *pipeline_take(struct pipeline *p);
/* Puts each batch of the list at the end of its lane. */
void pipeline_let_in(struct pipeline *p, struct batch *list);
/* pipeline_put for the loop itself: it needs no waking, and may use the reserve. The loop may go on filling the batch until the
 * batch is stored. `feed` returns 1 only when all that is in the batch by then is stored. */
int pipeline_append(struct pipeline *p, struct batch **batch);
/* The newest batch put: a fixed mark. */
uint64_t pipeline_mark(struct pipeline *p);
/* Whether all batches of a session (0: of every one) up to the mark are stored. */
bool pipeline_stored(struct pipeline *p, uint64_t session_id, uint64_t mark);
/* Readable when a batch was put: for the loop's epoll. */
int pipeline_fd(const struct pipeline *p);

/* Stores queued batches for about budget_ns: of this session, or (0) of the one whose turn it is, then of the next. Returns
 * whether some remain. */
bool pipeline_step(struct pipeline *p, uint64_t session_id, int64_t budget_ns);
/* Commits what was stored, if anything, and releases its tickets. On failure it counts the loss and goes on. */
void pipeline_commit(struct pipeline *p);
/* The same for producers that wait, but what was stored survives only, and the next commit makes it visible: until then it stays dirty.
 * Much cheaper where there are many series (store_keep). */
void pipeline_keep(struct pipeline *p);
/* Throws away what is queued. A producer that waits gets the result -1; for the other batches a loss is noted, session by
 * session. Returns how much was lost. */
uint64_t pipeline_discard(struct pipeline *p, enum loss loss, struct span detail);
/* Notes a loss, to be stored with the next commit that works. session_id 0: it concerns every session. Loop only. */
void pipeline_loss(struct pipeline *p, uint64_t session_id, enum loss loss, uint64_t n, struct span detail);
/* Whether something was stored that is not committed, and since when (monotonic). Loop only. */
bool pipeline_dirty(const struct pipeline *p, int64_t *since_mono_ns);
/* Whether somebody waits for the next commit: the caller of pipeline_notify. pipeline_owes: whether a producer waits, whom pipeline_keep
 * will do. Loop only. */
bool pipeline_awaited(struct pipeline *p);
bool pipeline_owes(const struct pipeline *p);
/* Says that somebody waits for any data of a session (0: of any), and takes that back. Who waits for series alone says so to the store
 * (store_await_series). Threads: any.
 * pipeline_wanted: whether data of such a session is stored but not committed. Loop only. */
void pipeline_want(struct pipeline *p, uint64_t session_id);
void pipeline_want_no_more(struct pipeline *p, uint64_t session_id);
bool pipeline_wanted(const struct pipeline *p);
/* Records lost to a failing database that could not yet be written down as a loss there: while this is not 0, a reader's
 * `losses` are incomplete. Any thread. */
uint64_t pipeline_unsaved_loss(struct pipeline *p);
/* store_stats, and these in its losses. Returns how many they are. `store`: that of the pipeline, or the one that is looked at. Any thread. */
uint64_t pipeline_stats(struct pipeline *p, struct store *store, struct store_stats *stats);
/* Whether a batch of n bytes would fit now. */
bool pipeline_has_room(struct pipeline *p, size_t n_bytes);
/* The most bytes that may be queued. */
size_t pipeline_cap(const struct pipeline *p);
/* Bytes queued now, and the most there ever were. */
size_t pipeline_backlog(struct pipeline *p, size_t *peak);

/* The number of commits so far; pipeline_watch waits until it is greater than seen or the deadline has passed (0: none), and
 * returns the current one. */
uint64_t pipeline_commits(struct pipeline *p);
uint64_t pipeline_watch(struct pipeline *p, uint64_t seen, int64_t deadline_mono_ns);
/* For a caller that waits in epoll: the next commit adds 1 to this eventfd, once. Call again for the commit after that. One
 * descriptor at a time; -1: none. */
void pipeline_notify(struct pipeline *p, int fd);

#endif
