/* A batch of raw datagrams of one session on their way to the writer: packed one after the other, decoded when they are stored.
 *
 *     [run: source, when, n] [length][bytes] [length][bytes] … [run …] …
 *
 * Bytes of a stream that are no frame stand among them, in runs of their own: they become a reject and a loss.
 * Raw bytes are the most compact form of a backlog (about 64 bytes a sample), so that is what waits in the queue. A batch is in
 * the queue from its first datagram on, and is filled until it is stored, full or sealed.
 * Ownership: a batch owns its block; blocks are reused through the pool.
 * Threads: the loop's alone.
 */
#ifndef INGEST_DATAGRAMS_H
#define INGEST_DATAGRAMS_H

#include "decode/dogstatsd.h"
#include "decode/frame.h"
#include "pipeline/pipeline.h"

#define DATAGRAMS_BLOCK (160 * 1024) /* bytes of one batch; holds two datagrams of the largest size */
#define DATAGRAMS_SPARE 24           /* blocks kept for reuse */

struct datagrams;

struct datagrams_pool {
    struct dogstatsd *decoder;
    struct pipeline *pipeline;
    struct datagrams *spare;
    size_t n_spare;
};

/* Where a session's datagrams go. */
struct datagrams_lane {
    uint64_t session_id;
    struct datagrams *open; /* its newest batch, while it may be filled */
};

struct datagrams_run {
    enum source source;
    int64_t received_at;
};

/* Appends a datagram that came as `run` says. cut: it was truncated, so what stands after its last newline is left out.
 * -1 when the queue has no room or there is no memory: the datagram is lost. */
int datagrams_add(struct datagrams_pool *pool, struct datagrams_lane *lane, const struct datagrams_run *run,
                  struct span bytes, bool cut);
/* Keeps the bytes at the end of a stream connection that are no frame: as many as frame_rest gives. */
int datagrams_add_bad_frame(struct datagrams_pool *pool, struct datagrams_lane *lane,
                            const struct datagrams_run *run, const struct frame *frame,
                            const struct frame_fault *fault, struct span address);
/* Closes the open batch. Later datagrams go into another one. */
void datagrams_seal(struct datagrams_lane *lane);
void datagrams_pool_free(struct datagrams_pool *pool);

#endif
