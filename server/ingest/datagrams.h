/* A batch of raw datagrams on their way to the writer: packed one after the other, decoded when they are stored.
 *
 *     [run: session, source, when, n] [length][bytes] [length][bytes] … [run …] …
 *
 * Raw bytes are the most compact form of a backlog (about 64 bytes a sample), so that is what waits in the queue.
 * Ownership: a batch owns its block; blocks are reused through the pool. Threads: the loop's alone.
 */
#ifndef INGEST_DATAGRAMS_H
#define INGEST_DATAGRAMS_H

#include "decode/dogstatsd.h"
#include "pipeline/pipeline.h"

#define DATAGRAMS_BLOCK (512 * 1024) /* bytes of one batch; holds seven datagrams of the largest size */
#define DATAGRAMS_SPARE 8            /* blocks kept for reuse */

struct datagrams;

struct datagrams_pool {
    struct dogstatsd *decoder;
    struct pipeline *pipeline;
    struct datagrams *open; /* being filled; not yet in the queue */
    struct datagrams *spare;
    size_t n_spare;
};

struct datagrams_run {
    uint64_t session_id;
    enum source source;
    int64_t received_at;
};

/* Appends a datagram that came as `run` says. cut: it was truncated, so what stands after its last newline is left out.
 * -1 when the queue has no room or there is no memory: the datagram is lost. */
int datagrams_add(struct datagrams_pool *pool, const struct datagrams_run *run, struct span bytes, bool cut);
/* Puts what was added into the queue. */
int datagrams_flush(struct datagrams_pool *pool);
void datagrams_pool_free(struct datagrams_pool *pool);

#endif
