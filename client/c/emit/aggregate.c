#include "emit/aggregate.h"

#include "emit/mutex.h"
#include "emit/thread.h"
#include <stdlib.h>

#define LINE_ON_STACK 8192
#define IDLE_FLUSHES  10

/* ---- a shard; all with its lock held ---- */

/* Puts the series at the end of those touched, where a gauge always moves. */
static void touch(struct shard *shard, struct series *series) {
    if (series->touched && (series->type != STATWIT_GAUGE || shard->last == series))
        return;
    if (series->touched) {
        *(series->before ? &series->before->after : &shard->first) = series->after;
        series->after->before = series->before;
    }
    series->touched = true;
    series->after = NULL;
    series->before = shard->last;
    *(shard->last ? &shard->last->after : &shard->first) = series;
    shard->last = series;
}

static void send_series(struct aggregate *aggregate, struct series *series) {
    char buffer[LINE_ON_STACK], *large = NULL;
    size_t size = series_size(series);
    if (size > sizeof buffer)
        large = malloc(size);
    struct line line = line_in(large ? large : buffer, large ? size : sizeof buffer);
    series_render(series, &line);
    if (line.overflow)
        health_drop(aggregate->outbox->health, DROP_LARGE, series->n_metrics,
                    "a metric is larger than a datagram can be");
    else
        outbox_put_again(aggregate->outbox, series->type == STATWIT_GAUGE ? series_key(series) : NULL,
                         line.start, line_size(&line), series->n_metrics);
    free(large);
    series_reset(series);
}

static void flush_shard(struct aggregate *aggregate, struct shard *shard) {
    for (struct series *series = shard->first; series; series = series->after) {
        send_series(aggregate, series);
        series->touched = false;
        series->idle = 0;
    }
    shard->first = shard->last = NULL;
}

/* This state must not be touched. */
static void forget(struct aggregate *aggregate, struct shard *shard, unsigned idle) {
    atomic_fetch_sub(&aggregate->n_series, (int)series_forget(&shard->table, idle));
}

static struct series *insert(struct aggregate *aggregate, struct shard *shard,
                             const struct identity *identity, const struct sample *sample) {
    int max_series = aggregate->config->options.max_series;
    if (atomic_load(&aggregate->n_series) >= max_series) {
        flush_shard(aggregate, shard);
        forget(aggregate, shard, 0);
        if (atomic_load(&aggregate->n_series) >= max_series)
            return NULL;
    }
    struct series *series = series_insert(&shard->table, aggregate->config, identity, sample);
    if (series)
        atomic_fetch_add(&aggregate->n_series, 1);
    return series;
}

/* NULL: it is not to be aggregated. */
static struct series *find_or_insert(struct aggregate *aggregate, struct shard *shard,
                                     const struct sample *sample, bool scoped) {
    struct identity identity;
    identity_make(&identity, sample, scoped);
    if (identity.line.overflow)
        return NULL;
    struct series *series = series_find(&shard->table, &identity);
    return series ? series : insert(aggregate, shard, &identity, sample);
}

static inline struct series *look_up(struct aggregate *aggregate, struct shard *shard,
                                     const struct sample *sample, bool scoped) {
    struct series **recent = series_recent(&shard->table, sample);
    if (*recent && !scoped && identity_is((*recent)->bytes, (*recent)->n_identity, sample))
        return *recent;
    return *recent = find_or_insert(aggregate, shard, sample, scoped);
}

static bool put_call(struct aggregate *aggregate, struct shard *shard, const struct sample *sample,
                     bool scoped) {
    struct series *series = look_up(aggregate, shard, sample, scoped);
    if (!series)
        return false;
    if (series->n_values > 0 && series_size(series) > aggregate->config->options.buffer_bytes)
        send_series(aggregate, series);
    if (!series_add(series, sample))
        return false;
    touch(shard, series);
    shard->n_metrics++;
    return true;
}

/* ---- putting ---- */

static inline bool put_in_shard(struct aggregate *aggregate, const struct sample *sample, bool scoped) {
    unsigned number = sample->type == STATWIT_GAUGE ? identity_hash_key(sample->key) : thread_number();
    struct shard *shard = &aggregate->shards[number % N_SHARDS];
    pthread_mutex_lock(&shard->lock);
    bool done = !shard->closed && put_call(aggregate, shard, sample, scoped);
    pthread_mutex_unlock(&shard->lock);
    return done;
}

bool aggregate_put(struct aggregate *aggregate, const struct sample *sample) {
    if (sample_timestamp_s(sample))
        return false;
    bool scoped = !sample->no_scopes && scope_any();
    if (scoped)
        scope_lock();
    bool done = put_in_shard(aggregate, sample, scoped);
    if (scoped)
        scope_unlock();
    return done;
}

/* ---- life ---- */

static void init_locks(struct aggregate *aggregate) {
    for (size_t i = 0; i < N_SHARDS; i++)
        mutex_init_brief(&aggregate->shards[i].lock);
}

void aggregate_init(struct aggregate *aggregate, const struct config *config, struct outbox *outbox) {
    identity_prepare();
    aggregate->config = config;
    aggregate->outbox = outbox;
    init_locks(aggregate);
}

void aggregate_flush(struct aggregate *aggregate) {
    for (size_t i = 0; i < N_SHARDS; i++) {
        struct shard *shard = &aggregate->shards[i];
        pthread_mutex_lock(&shard->lock);
        for (size_t at = 0; at < shard->table.n_slots; at++)
            if (shard->table.slots[at])
                shard->table.slots[at]->idle++;
        flush_shard(aggregate, shard);
        forget(aggregate, shard, IDLE_FLUSHES);
        pthread_mutex_unlock(&shard->lock);
    }
}

static void clear(struct aggregate *aggregate, struct shard *shard) {
    atomic_fetch_sub(&aggregate->n_series, (int)shard->table.n_series);
    series_clear(&shard->table);
}

void aggregate_close(struct aggregate *aggregate) {
    for (size_t i = 0; i < N_SHARDS; i++) {
        struct shard *shard = &aggregate->shards[i];
        pthread_mutex_lock(&shard->lock);
        shard->closed = true;
        flush_shard(aggregate, shard);
        clear(aggregate, shard);
        pthread_mutex_unlock(&shard->lock);
    }
}

uint64_t aggregate_n_metrics(struct aggregate *aggregate) {
    uint64_t n = 0;
    for (size_t i = 0; i < N_SHARDS; i++) {
        pthread_mutex_lock(&aggregate->shards[i].lock);
        n += aggregate->shards[i].n_metrics;
        pthread_mutex_unlock(&aggregate->shards[i].lock);
    }
    return n;
}

void aggregate_before_fork(struct aggregate *aggregate) {
    for (size_t i = 0; i < N_SHARDS; i++)
        pthread_mutex_lock(&aggregate->shards[i].lock);
}

void aggregate_after_fork(struct aggregate *aggregate, bool child) {
    for (size_t i = 0; i < N_SHARDS; i++) {
        struct shard *shard = &aggregate->shards[i];
        if (child) {
            /* What was gathered here is the parent's to send. */
            shard->first = shard->last = NULL;
            clear(aggregate, shard);
        } else {
            pthread_mutex_unlock(&shard->lock);
        }
    }
    if (child)
        init_locks(aggregate);
}
