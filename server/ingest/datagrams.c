#include "ingest/datagrams.h"

#include "core/clock.h"
#include <stdlib.h>

#define FEED_BYTES 4096 /* decoded by one call of feed: some 50 samples, a few microseconds */

struct run_head {
    uint64_t session_id;
    int64_t received_at;
    uint32_t source;
    uint32_t n;
};

struct datagrams {
    struct batch batch; /* first: a batch is a datagrams */
    struct datagrams_pool *pool;
    size_t n, at;      /* bytes filled; bytes fed */
    uint32_t run_left; /* datagrams of the current run still to feed */
    size_t last_run;   /* offset of the head being filled; n == 0: none */
    struct datagrams *next;
    char bytes[DATAGRAMS_BLOCK];
};

static struct datagrams *of(struct batch *batch) {
    return (struct datagrams *)batch;
}

static void release(struct batch *batch) {
    struct datagrams *d = of(batch);
    struct datagrams_pool *pool = d->pool;
    if (pool->n_spare < DATAGRAMS_SPARE) {
        d->next = pool->spare;
        pool->spare = d;
        pool->n_spare++;
    } else
        free(d);
}

struct sink {
    struct store *store;
    struct err *err;
    int result;
};

static void put(void *arg, const struct record *record) {
    struct sink *sink = arg;
    if (sink->result == 0)
        sink->result = store_put(sink->store, record, sink->err);
}

/* Decodes and stores the next few datagrams. */
static int feed(struct batch *batch, struct store *store, struct err *err) {
    struct datagrams *d = of(batch);
    struct sink sink = {store, err, 0};
    size_t stop = d->at + FEED_BYTES;
    while (d->at < d->n && d->at < stop) {
        if (d->run_left == 0) {
            struct run_head head;
            memcpy(&head, d->bytes + d->at, sizeof head);
            d->at += sizeof head;
            d->run_left = head.n;
            if (store_arrival(store, head.session_id, (enum source)head.source, head.received_at, err) != 0)
                return -1;
            continue;
        }
        uint32_t length;
        memcpy(&length, d->bytes + d->at, sizeof length);
        struct span datagram = span_of(d->bytes + d->at + sizeof length, length);
        d->at += sizeof length + length;
        d->run_left--;
        d->batch.n_left--;
        if (store_datagram(store, datagram, err) != 0)
            return -1;
        dogstatsd_decode(d->pool->decoder, datagram, put, &sink);
        if (sink.result != 0) {
            d->batch.n_left++; /* this one is lost too */
            return -1;
        }
    }
    return d->at == d->n;
}

static struct datagrams *block(struct datagrams_pool *pool) {
    struct datagrams *d = pool->spare;
    if (d) {
        pool->spare = d->next;
        pool->n_spare--;
    } else if (!(d = malloc(sizeof *d)))
        return NULL;
    memset(d, 0, offsetof(struct datagrams, bytes));
    d->pool = pool;
    d->batch.n_bytes = sizeof *d;
    d->batch.feed = feed;
    d->batch.free = release;
    return d;
}

static bool same_run(const struct run_head *head, const struct datagrams_run *run) {
    return head->session_id == run->session_id && head->source == run->source &&
           head->received_at == run->received_at;
}

static void append(struct datagrams *d, const struct datagrams_run *run, struct span bytes) {
    struct run_head head;
    if (d->n > 0)
        memcpy(&head, d->bytes + d->last_run, sizeof head);
    if (d->n == 0 || !same_run(&head, run)) {
        head = (struct run_head){run->session_id, run->received_at, run->source, 0};
        d->last_run = d->n;
        d->n += sizeof head;
    }
    head.n++;
    memcpy(d->bytes + d->last_run, &head, sizeof head);
    uint32_t length = (uint32_t)bytes.n;
    memcpy(d->bytes + d->n, &length, sizeof length);
    memcpy(d->bytes + d->n + sizeof length, bytes.p, bytes.n);
    d->n += sizeof length + bytes.n;
    d->batch.n_left++;
}

int datagrams_add(struct datagrams_pool *pool, const struct datagrams_run *run, struct span bytes, bool cut) {
    if (cut) {
        const char *newline = bytes.n ? memrchr(bytes.p, '\n', bytes.n) : NULL;
        bytes.n = newline ? (size_t)(newline - bytes.p) + 1 : 0;
    }
    if (bytes.n == 0)
        return 0;
    size_t need = sizeof(struct run_head) + sizeof(uint32_t) + bytes.n;
    if (pool->open && pool->open->n + need > DATAGRAMS_BLOCK && datagrams_flush(pool) != 0)
        return -1;
    if (!pool->open && !(pool->open = block(pool)))
        return -1;
    append(pool->open, run, bytes);
    return 0;
}

int datagrams_flush(struct datagrams_pool *pool) {
    if (!pool->open)
        return 0;
    struct batch *batch = &pool->open->batch;
    if (pipeline_append(pool->pipeline, &batch, NULL) != 0)
        return -1;
    pool->open = NULL;
    return 0;
}

void datagrams_pool_free(struct datagrams_pool *pool) {
    free(pool->open);
    pool->open = NULL;
    while (pool->spare) {
        struct datagrams *d = pool->spare;
        pool->spare = d->next;
        free(d);
    }
}
