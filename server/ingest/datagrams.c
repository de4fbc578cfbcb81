#include "ingest/datagrams.h"

#include "core/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define FEED_BYTES 4096 /* decoded by one call of feed: some 50 samples, a few microseconds */

enum run_of { RUN_OF_DATAGRAMS, RUN_OF_BAD_FRAMES };

struct run_head {
    int64_t received_at;
    uint16_t source;
    uint16_t of; /* enum run_of */
    uint32_t n;
};

/* What a bad frame is packed as: this, the loss's detail, the frame's bytes. */
struct bad_frame {
    struct frame_fault fault;
    size_t n_detail;
};

struct datagrams {
    struct batch batch; /* first: a batch is a datagrams */
    struct datagrams_pool *pool;
    struct datagrams_lane *lane; /* whose `open` it is; NULL: sealed */
    size_t n, at;                /* bytes filled; bytes fed */
    struct run_head run;         /* being fed; its n: datagrams still to feed */
    size_t last_run;             /* offset of the head being filled; n == 0: none */
    struct datagrams *next;
    char bytes[DATAGRAMS_BLOCK];
};

static struct datagrams *of(struct batch *batch) {
    return (struct datagrams *)batch;
}

/* Blocks are mapped one by one, so that the system has a burst's memory back when the burst is stored: between other allocations in a heap
 * most of it would stay. A block that will be filled gets its pages in one go, which costs less than a fault for each. */
static struct datagrams *map_block(bool will_be_filled) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | (will_be_filled ? MAP_POPULATE : 0);
    void *block = mmap(NULL, sizeof(struct datagrams), PROT_READ | PROT_WRITE, flags, -1, 0);
    return block == MAP_FAILED ? NULL : block;
}

static void unmap_block(struct datagrams *d) {
    munmap(d, sizeof *d);
}

static void release(struct batch *batch) {
    struct datagrams *d = of(batch);
    struct datagrams_pool *pool = d->pool;
    if (d->lane)
        datagrams_seal(d->lane);
    if (pool->n_spare < DATAGRAMS_SPARE) {
        d->next = pool->spare;
        pool->spare = d;
        pool->n_spare++;
    } else
        unmap_block(d);
}

struct sink {
    struct store *store;
    struct err *err;
    int result;
};

static void put_record(void *arg, const struct record *record) {
    struct sink *sink = arg;
    if (sink->result == 0)
        sink->result = store_put(sink->store, record, sink->err);
}

static int put_bad_frame(uint64_t session_id, struct span packed, struct store *store, struct err *err) {
    struct bad_frame bad;
    memcpy(&bad, packed.p, sizeof bad);
    packed = span_from(packed, sizeof bad);
    struct span detail = span_of(packed.p, bad.n_detail), bytes = span_from(packed, bad.n_detail);
    struct record record = {.kind = RECORD_REJECT,
                            .reject = {.reason = REASON_BAD_FRAME,
                                       .family = SPAN("packet"),
                                       .text = bytes,
                                       .offset = bad.fault.offset < bytes.n ? bad.fault.offset : bytes.n,
                                       .detail = span_str(bad.fault.why)}};
    return store_put(store, &record, err) == 0 ? store_loss(store, session_id, LOSS_BAD_FRAME, 1, detail, err)
                                               : -1;
}

static int put_datagram(struct datagrams *d, struct span datagram, struct sink *sink) {
    if (store_datagram(sink->store, datagram, sink->err) != 0)
        return -1;
    dogstatsd_decode(d->pool->decoder, datagram, put_record, sink);
    return sink->result;
}

static int arrive(const struct datagrams *d, struct store *store, struct err *err) {
    return store_arrival(store, d->batch.session_id, (enum source)d->run.source, d->run.received_at, err);
}

/* Decodes and stores the next few datagrams. Since the last few another lane may have had its turn. */
static int feed_batch(struct batch *batch, struct store *store, struct err *err) {
    struct datagrams *d = of(batch);
    struct sink sink = {store, err, 0};
    if (d->run.n > 0 && arrive(d, store, err) != 0)
        return -1;
    size_t stop = d->at + FEED_BYTES;
    while (d->at < d->n && d->at < stop) {
        if (d->run.n == 0) {
            memcpy(&d->run, d->bytes + d->at, sizeof d->run);
            d->at += sizeof d->run;
            if (arrive(d, store, err) != 0)
                return -1;
            continue;
        }
        uint32_t length;
        memcpy(&length, d->bytes + d->at, sizeof length);
        struct span datagram = span_of(d->bytes + d->at + sizeof length, length);
        d->at += sizeof length + length;
        if ((d->run.of == RUN_OF_BAD_FRAMES ? put_bad_frame(d->batch.session_id, datagram, store, err)
                                            : put_datagram(d, datagram, &sink)) != 0)
            return -1;
        d->run.n--;
        d->batch.n_left--;
    }
    return d->at == d->n;
}

/* A new batch, which is the newest of its lane's from now on. */
static struct datagrams *open_batch(struct datagrams_pool *pool, struct datagrams_lane *lane) {
    struct datagrams *d = pool->spare;
    if (d) {
        pool->spare = d->next;
        pool->n_spare--;
    } else if (!(d = map_block(lane->open != NULL /* that one is full */)))
        return NULL;
    memset(d, 0, offsetof(struct datagrams, bytes));
    d->pool = pool;
    d->batch.session_id = lane->session_id;
    d->batch.n_bytes = sizeof *d;
    d->batch.feed = feed_batch;
    d->batch.free = release;
    struct batch *batch = &d->batch;
    if (pipeline_append(pool->pipeline, &batch) != 0) {
        release(batch);
        return NULL;
    }
    datagrams_seal(lane);
    d->lane = lane;
    lane->open = d;
    return d;
}

void datagrams_seal(struct datagrams_lane *lane) {
    if (lane->open)
        lane->open->lane = NULL;
    lane->open = NULL;
}

/* A run whose head was fed takes no more: the feeder knows how many it holds. */
static bool goes_on(const struct datagrams *d, const struct run_head *head, const struct datagrams_run *run,
                    enum run_of of) {
    return d->at <= d->last_run && head->source == run->source && head->of == of &&
           head->received_at == run->received_at;
}

static void append(struct datagrams *d, const struct datagrams_run *run, enum run_of of, struct span bytes) {
    struct run_head head;
    if (d->n > 0)
        memcpy(&head, d->bytes + d->last_run, sizeof head);
    if (d->n == 0 || !goes_on(d, &head, run, of)) {
        head = (struct run_head){run->received_at, (uint16_t)run->source, (uint16_t)of, 0};
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

static int add_datagram(struct datagrams_pool *pool, struct datagrams_lane *lane,
                        const struct datagrams_run *run, enum run_of of, struct span bytes) {
    size_t need = sizeof(struct run_head) + sizeof(uint32_t) + bytes.n;
    struct datagrams *d = lane->open;
    if ((!d || d->n + need > DATAGRAMS_BLOCK) && !(d = open_batch(pool, lane)))
        return -1;
    append(d, run, of, bytes);
    return 0;
}

int datagrams_add_bad_frame(struct datagrams_pool *pool, struct datagrams_lane *lane,
                            const struct datagrams_run *run, const struct frame *frame,
                            const struct frame_fault *fault, struct span address) {
    char detail[256], bytes[FRAME_KEPT];
    int n = snprintf(detail, sizeof detail, "%.*s: %s", SPAN_ARG(address), fault->cause);
    struct bad_frame bad = {*fault, (size_t)n < sizeof detail ? (size_t)n : sizeof detail - 1};
    struct buf packed = {.max = sizeof bad + sizeof detail + sizeof bytes};
    buf_add(&packed, &bad, sizeof bad);
    buf_add(&packed, detail, bad.n_detail);
    buf_add(&packed, bytes, frame_rest(frame, bytes));
    int result = packed.failed ? -1 : add_datagram(pool, lane, run, RUN_OF_BAD_FRAMES, buf_view(&packed));
    buf_free(&packed);
    return result;
}

int datagrams_add(struct datagrams_pool *pool, struct datagrams_lane *lane, const struct datagrams_run *run,
                  struct span bytes, bool cut) {
    if (cut) {
        const char *newline = bytes.n ? memrchr(bytes.p, '\n', bytes.n) : NULL;
        bytes.n = newline ? (size_t)(newline - bytes.p) + 1 : 0;
    }
    if (bytes.n == 0)
        return 0;
    return add_datagram(pool, lane, run, RUN_OF_DATAGRAMS, bytes);
}

void datagrams_pool_free(struct datagrams_pool *pool) {
    while (pool->spare) {
        struct datagrams *d = pool->spare;
        pool->spare = d->next;
        unmap_block(d);
    }
}
