#include "emit/aggregate.h"

#include <stdlib.h>
#include <sys/random.h>

#define IDENTITY_MAX 1000
#define RENDER_MAX   4096
#define IDLE_FLUSHES 10
#define FIRST_SLOTS  64

struct series {
    uint64_t hash;
    struct series *before, *after; /* among those touched */
    enum statwit_type type;
    bool touched, real;
    unsigned idle;      /* flushes since it was touched */
    unsigned n_metrics; /* calls since the last flush */
    int64_t integer;
    double sum;
    char *values; /* ":1:2.5", packed */
    size_t n_values, cap_values;
    size_t n_identity, n_head, n_tail;
    char bytes[]; /* identity, head (the name), tail */
};

/* ---- hashing ---- */

static uint64_t seed;
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void make_seed(void) {
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (long)sizeof seed)
        seed = (uint64_t)clock_monotonic_ns();
}

static inline uint64_t fold(uint64_t a, uint64_t b) {
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The 7 bytes behind the text are zero, so that it can be read in words. */
#define PADDING 8
static inline uint64_t hash_padded(const char *bytes, size_t size) {
    uint64_t hash = seed ^ size, word;
    for (size_t i = 0; i < size; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        hash = fold(hash ^ word, 0x9e3779b97f4a7c15u);
    }
    return hash;
}

/* Of a gauge's key alone: which shard it goes to. */
static unsigned hash_key(const char *key) {
    unsigned hash = 2166136261u;
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 16777619u;
    return hash ^ hash >> 15;
}

/* ---- identity ---- */

/* With its NUL. Most strings are short: a loop beats strlen and memcpy. */
static inline void identify(struct line *identity, const char *string) {
    char *at = identity->at, *end = identity->end;
    while (at < end && (*at++ = *string))
        string++;
    identity->overflow |= at == end;
    identity->at = at;
}

static void identify_tags(void *context, const struct statwit_tag *tags) {
    struct line *identity = context;
    for (; tags && tags->key; tags++) {
        identify(identity, tags->key);
        line_char(identity, tags->value ? '=' : '-');
        if (tags->value)
            identify(identity, tags->value);
    }
}

static bool packed(enum statwit_type type) {
    return type == STATWIT_TIMING || type == STATWIT_HISTOGRAM || type == STATWIT_DISTRIBUTION;
}

/* No two calls that are rendered differently have one identity: every string is followed by its NUL and
 * preceded by what it is, or, for a tag's key, followed by '=' or '-'. */
static void make_identity(struct line *identity, const struct sample *sample) {
    const struct statwit_call *call = sample->call;
    line_char(identity, (char)('a' + sample->type));
    identify(identity, sample->key);
    if (packed(sample->type))
        line_put(identity, (const char *)&sample->rate, sizeof sample->rate);
    if (!sample->no_scopes && scope_any())
        scope_walk(identify_tags, identity);
    identify_tags(identity, call->tags);
    if (call->instance) {
        line_char(identity, '\2');
        identify(identity, call->instance);
    }
    if (call->cardinality) {
        line_char(identity, '\3');
        identify(identity, call->cardinality);
    }
    if (sample->type == STATWIT_SET) {
        line_char(identity, '\4');
        format_value(identity, sample);
    }
}

/* ---- a shard; all with its lock held ---- */

static struct series **find(const struct shard *shard, uint64_t hash, const struct line *identity) {
    size_t size = line_size(identity);
    for (size_t i = hash & (shard->n_slots - 1);; i = (i + 1) & (shard->n_slots - 1)) {
        struct series *series = shard->slots[i];
        if (!series || (series->hash == hash && series->n_identity == size &&
                        memcmp(series->bytes, identity->start, size) == 0))
            return &shard->slots[i];
    }
}

/* All series that stay go into a table of n_slots, which is large enough. False: memory is out. */
static bool rebuild(struct shard *shard, size_t n_slots) {
    struct series **slots = calloc(n_slots, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < shard->n_slots; i++) {
        struct series *series = shard->slots[i];
        if (!series)
            continue;
        size_t at = series->hash & (n_slots - 1);
        while (slots[at])
            at = (at + 1) & (n_slots - 1);
        slots[at] = series;
    }
    free(shard->slots);
    shard->slots = slots;
    shard->n_slots = n_slots;
    return true;
}

static void series_free(struct series *series) {
    free(series->values);
    free(series);
}

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

/* ---- sending ---- */

static void put_line(struct aggregate *aggregate, const struct line *line, struct series *series) {
    if (line->overflow)
        health_drop(aggregate->outbox->health, DROP_LARGE, series->n_metrics,
                    "a metric is larger than a datagram can be");
    else
        outbox_put_again(aggregate->outbox, line->start, line_size(line), series->n_metrics);
    series->n_metrics = 0;
    series->n_values = 0;
}

static void send_series(struct aggregate *aggregate, struct series *series) {
    char buffer[IDENTITY_MAX + 2 * RENDER_MAX], *large = NULL;
    size_t size = sizeof buffer;
    if (series->n_head + series->n_values + series->n_tail + 64 > size) {
        size = series->n_head + series->n_values + series->n_tail + 64;
        large = malloc(size);
    }
    struct line line = line_in(large ? large : buffer, large ? size : sizeof buffer);
    const char *head = series->bytes + series->n_identity;
    line_put(&line, head, series->n_head);
    if (series->n_values > 0) {
        line_put(&line, series->values, series->n_values);
    } else if (series->type != STATWIT_SET) {
        line_char(&line, ':');
        if (series->real)
            line_real(&line, (double)series->integer + series->sum);
        else
            line_integer(&line, series->integer);
    }
    line_put(&line, head + series->n_head, series->n_tail);
    put_line(aggregate, &line, series);
    free(large);
    series->integer = 0;
    series->sum = 0;
    series->real = false;
}

static void flush_shard(struct aggregate *aggregate, struct shard *shard) {
    for (struct series *series = shard->first; series; series = series->after) {
        send_series(aggregate, series);
        series->touched = false;
        series->idle = 0;
    }
    shard->first = shard->last = NULL;
}

/* Frees the series that were idle for as many flushes; nothing may be touched. */
static void forget(struct aggregate *aggregate, struct shard *shard, unsigned idle) {
    size_t n_freed = 0;
    for (size_t i = 0; i < shard->n_slots; i++) {
        struct series *series = shard->slots[i];
        if (!series || series->idle < idle)
            continue;
        series_free(series);
        shard->slots[i] = NULL;
        n_freed++;
    }
    if (n_freed == 0)
        return;
    shard->n_series -= n_freed;
    atomic_fetch_sub(&aggregate->n_series, (int)n_freed);
    if (shard->n_series == 0)
        return;
    /* Holes would end the search for those behind them. Without memory for a new table all are forgotten. */
    if (!rebuild(shard, shard->n_slots))
        forget(aggregate, shard, 0);
}

/* ---- putting ---- */

static struct series *series_new(struct aggregate *aggregate, const struct line *identity, uint64_t hash,
                                 const struct sample *sample) {
    char buffer[RENDER_MAX];
    struct line line = line_in(buffer, sizeof buffer);
    struct tags tags;
    struct sample bare = *sample;
    if (!packed(sample->type))
        bare.rate = 1;
    format_collect(&tags, aggregate->config, sample);
    format_name(&line, aggregate->config, sample->key);
    if (sample->type == STATWIT_SET) {
        line_char(&line, ':');
        format_value(&line, sample);
    }
    size_t n_head = line_size(&line), n_identity = line_size(identity);
    format_tail(&line, aggregate->config, &bare, &tags);
    struct series *series = line.overflow ? NULL : malloc(sizeof *series + n_identity + line_size(&line));
    if (!series)
        return NULL;
    *series = (struct series){.hash = hash,
                              .type = sample->type,
                              .n_identity = n_identity,
                              .n_head = n_head,
                              .n_tail = line_size(&line) - n_head};
    memcpy(series->bytes, identity->start, n_identity);
    memcpy(series->bytes + n_identity, buffer, line_size(&line));
    return series;
}

static struct series *insert(struct aggregate *aggregate, struct shard *shard, const struct line *identity,
                             uint64_t hash, const struct sample *sample) {
    if (atomic_load(&aggregate->n_series) >= aggregate->config->options.max_series) {
        flush_shard(aggregate, shard);
        forget(aggregate, shard, 0);
        if (atomic_load(&aggregate->n_series) >= aggregate->config->options.max_series)
            return NULL;
    }
    if (shard->n_slots < 2 * (shard->n_series + 1) &&
        !rebuild(shard, shard->n_slots ? 2 * shard->n_slots : FIRST_SLOTS))
        return NULL;
    struct series *series = series_new(aggregate, identity, hash, sample);
    if (!series)
        return NULL;
    *find(shard, hash, identity) = series;
    shard->n_series++;
    atomic_fetch_add(&aggregate->n_series, 1);
    return series;
}

static void add(struct series *series, const struct sample *sample) {
    if (sample->kind == VALUE_REAL) {
        series->sum += sample->real;
        series->real = true;
    } else if (__builtin_add_overflow(series->integer, sample->integer, &series->integer)) {
        /* The wrapped sum is off by 2^64. */
        series->sum += sample->integer < 0 ? -0x1p64 : 0x1p64;
        series->real = true;
    }
}

/* False: memory is out. */
static bool pack(struct aggregate *aggregate, struct series *series, const struct sample *sample) {
    char text[64];
    struct line value = line_in(text, sizeof text);
    line_char(&value, ':');
    format_value(&value, sample);
    size_t size = line_size(&value), limit = aggregate->config->options.buffer_bytes;
    if (series->n_values > 0 && series->n_head + series->n_values + size + series->n_tail + 1 > limit)
        send_series(aggregate, series);
    if (series->n_values + size > series->cap_values) {
        size_t cap = series->cap_values ? 2 * series->cap_values : 64;
        char *values = realloc(series->values, cap);
        if (!values)
            return false;
        series->values = values;
        series->cap_values = cap;
    }
    memcpy(series->values + series->n_values, text, size);
    series->n_values += size;
    return true;
}

static bool put(struct aggregate *aggregate, struct shard *shard, const struct line *identity, uint64_t hash,
                const struct sample *sample) {
    struct series *series = shard->n_slots ? *find(shard, hash, identity) : NULL;
    if (!series)
        series = insert(aggregate, shard, identity, hash, sample);
    if (!series)
        return false;
    if (packed(sample->type)) {
        if (!pack(aggregate, series, sample))
            return false;
    } else if (sample->type == STATWIT_GAUGE) {
        series->real = sample->kind == VALUE_REAL;
        series->integer = series->real ? 0 : sample->integer;
        series->sum = series->real ? sample->real : 0;
    } else if (sample->type == STATWIT_COUNT) {
        add(series, sample);
    }
    series->n_metrics++;
    touch(shard, series);
    return true;
}

static unsigned thread_number(void) {
    static atomic_uint n_threads;
    static _Thread_local unsigned number; /* from 1 */
    if (number == 0)
        number = 1 + atomic_fetch_add(&n_threads, 1);
    return number;
}

bool aggregate_put(struct aggregate *aggregate, const struct sample *sample) {
    if (sample->call->timestamp_s > 0)
        return false;
    char buffer[IDENTITY_MAX + PADDING];
    struct line identity = line_in(buffer, IDENTITY_MAX);
    bool scoped = !sample->no_scopes && scope_any();
    if (scoped)
        scope_lock();
    make_identity(&identity, sample);
    bool done = !identity.overflow;
    if (done) {
        memset(identity.at, 0, PADDING);
        uint64_t hash = hash_padded(buffer, line_size(&identity));
        unsigned number = sample->type == STATWIT_GAUGE ? hash_key(sample->key) : thread_number();
        struct shard *shard = &aggregate->shards[number % N_SHARDS];
        pthread_mutex_lock(&shard->lock);
        done = !aggregate->closed && put(aggregate, shard, &identity, hash, sample);
        shard->n_metrics += done;
        pthread_mutex_unlock(&shard->lock);
    }
    if (scoped)
        scope_unlock();
    return done;
}

/* ---- life ---- */

static void init_locks(struct aggregate *aggregate) {
    pthread_mutexattr_t adaptive;
    pthread_mutexattr_init(&adaptive);
    pthread_mutexattr_settype(&adaptive, PTHREAD_MUTEX_ADAPTIVE_NP);
    for (size_t i = 0; i < N_SHARDS; i++)
        pthread_mutex_init(&aggregate->shards[i].lock, &adaptive);
    pthread_mutexattr_destroy(&adaptive);
}

void aggregate_init(struct aggregate *aggregate, const struct config *config, struct outbox *outbox) {
    pthread_once(&seed_once, make_seed);
    aggregate->config = config;
    aggregate->outbox = outbox;
    init_locks(aggregate);
}

void aggregate_flush(struct aggregate *aggregate) {
    for (size_t i = 0; i < N_SHARDS; i++) {
        struct shard *shard = &aggregate->shards[i];
        pthread_mutex_lock(&shard->lock);
        for (size_t at = 0; at < shard->n_slots; at++)
            if (shard->slots[at])
                shard->slots[at]->idle++;
        flush_shard(aggregate, shard);
        forget(aggregate, shard, IDLE_FLUSHES);
        pthread_mutex_unlock(&shard->lock);
    }
}

static void shard_clear(struct aggregate *aggregate, struct shard *shard) {
    forget(aggregate, shard, 0);
    free(shard->slots);
    shard->slots = NULL;
    shard->n_slots = 0;
}

void aggregate_close(struct aggregate *aggregate) {
    aggregate_before_fork(aggregate);
    aggregate->closed = true;
    aggregate_after_fork(aggregate, false);
    for (size_t i = 0; i < N_SHARDS; i++) {
        struct shard *shard = &aggregate->shards[i];
        pthread_mutex_lock(&shard->lock);
        flush_shard(aggregate, shard);
        shard_clear(aggregate, shard);
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
            shard->first = shard->last = NULL;
            shard_clear(aggregate, shard);
        } else {
            pthread_mutex_unlock(&shard->lock);
        }
    }
    if (child)
        init_locks(aggregate);
}
