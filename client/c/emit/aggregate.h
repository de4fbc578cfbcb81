/* Client-side aggregation for DogStatsD: counts are summed, of gauges the last stays, a value of a set is
 * sent once, timings, histograms and distributions are packed into one line.
 *
 * DESIGN. A series that is already known is found by its identity (identity.h), without merging or cleaning
 * anything; only a new one is rendered (series.h), into the text before and after the value. Calls that spell
 * one series in two ways make two entries, which a server adds up. The table is split into shards with a lock
 * each. A thread has a shard of its own, so threads do not meet; only gauges go by their key, so that all of
 * one name meet in one shard, and leave it in the order in which they were last set: the last one stays the
 * last.
 *
 * Ownership: the caller's struct.
 * Threads: any. A shard's lock is held while its lines go to the outbox, whose locks come after it; no thread
 * takes two shards' locks but fork, which takes them in order.
 * Limits: max_series entries; with more, the shard is sent and emptied before its time. A call of more than
 * IDENTITY_MAX bytes of strings is not aggregated.
 */
#ifndef CLIENT_EMIT_AGGREGATE_H
#define CLIENT_EMIT_AGGREGATE_H

#include "emit/outbox.h"
#include "emit/series.h"

#define N_SHARDS 16

struct shard {
    _Alignas(64) pthread_mutex_t lock; /* of all that follows */
    struct series_table table;
    struct series *first, *last; /* those touched since the last flush, the least recently set gauge first */
    uint64_t n_metrics;
    bool closed;
};

struct aggregate {
    const struct config *config; /* these two never change */
    struct outbox *outbox;
    atomic_int n_series; /* of all shards */
    struct shard shards[N_SHARDS];
};

void aggregate_init(struct aggregate *aggregate, const struct config *config, struct outbox *outbox);
/* False: not aggregated, to be sent as it is. Scopes are locked by the callee. */
bool aggregate_put(struct aggregate *aggregate, const struct sample *sample);
/* Puts everything touched into the outbox. Forgets series that were idle for some flushes. */
void aggregate_flush(struct aggregate *aggregate);
/* The same, and forgets everything; nothing is aggregated any more. A shard closes with its own flush, so
 * that what comes later is sent behind what it held. */
void aggregate_close(struct aggregate *aggregate);
uint64_t aggregate_n_metrics(struct aggregate *aggregate);

void aggregate_before_fork(struct aggregate *aggregate);
void aggregate_after_fork(struct aggregate *aggregate, bool child);

#endif
