/* DESIGN. A batch holds deep copies of records in one arena. Every batch has a result, so the pipeline frees
 * it only after the commit that decides it; the last one freed gives the answer:
 *
 *     post (refs: 1 of the producer, 1 of each batch) -> 0 -> http_resume
 */
#include "api/post.h"

#include "api/api.h"
#include "api/copy.h"
#include "api/fake.h"
#include "core/arena.h"
#include "core/clock.h"
#include "forward/forward.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define FEED_VALUES 256 /* about 100 us of storing */

enum item_kind { ITEM_RECORD, ITEM_KNOWN, ITEM_REQUEST };

struct item {
    struct item *next;
    enum item_kind kind;
};

struct record_item {
    struct item item; /* first */
    struct record record;
};

/* Of a series that is known: a fifth of the bytes of a record. */
struct known_item {
    struct item item; /* first */
    const struct metric *metric;
    size_t n_values;
    struct value values[];
};

struct request_item {
    struct item item; /* first */
    struct request request;
};

struct chunk {
    struct batch batch; /* first */
    int result;
    struct post *post;
    struct arena arena;
    struct memo *memo;        /* whose metrics its items point to; NULL: none do */
    struct item *next, *last; /* next: to be fed */
};

struct post {
    struct http_request *rq;
    uint64_t session_id;
    int64_t received_at;
    bool asleep, early, refused;
    struct span body;  /* post_body */
    struct memo *memo; /* post_memo */
    struct buf room;
    atomic_bool lost;
    atomic_size_t refs;
    struct chunk *chunk; /* being filled */
    bool sent_some;
};

struct post *post_new(struct http_request *rq, bool asleep) {
    struct post *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->rq = rq;
    p->session_id = rq->session_id;
    p->received_at = rq->received_at;
    p->asleep = asleep;
    p->refs = 1;
    return p;
}

void post_early(struct post *p) {
    assert(p->asleep);
    p->early = true;
}

static void release(struct post *p) {
    if (atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    struct http_request *rq = p->rq;
    if (p->lost)
        api_errors(rq, 503, "The request could not be recorded");
    buf_free(&p->room);
    free(p);
    http_resume(rq);
}

void post_body(struct post *p, struct span body) {
    p->body = body;
}

void post_memo(struct post *p, struct memo *memo) {
    p->memo = memo;
}

void post_keep(struct post *p, struct buf *room) {
    p->room = *room;
    *room = (struct buf){0};
}

/* --- a batch --------------------------------------------------------------------------------------------- */

static int feed_item(struct store *store, const struct item *item, size_t *n_values, struct err *err) {
    if (item->kind == ITEM_REQUEST)
        return store_request(store, &((const struct request_item *)item)->request, err);
    if (item->kind == ITEM_KNOWN) {
        const struct known_item *known = (const struct known_item *)item;
        *n_values = known->n_values;
        return store_put_values(store, known->metric, known->n_values, known->values, err);
    }
    const struct record *record = &((const struct record_item *)item)->record;
    if (record->kind == RECORD_METRIC)
        *n_values = record->metric.n_values;
    return store_put(store, record, err);
}

static int feed_body(struct batch *batch, struct store *store, struct err *err) {
    struct chunk *c = (struct chunk *)batch;
    if (store_arrival(store, c->post->session_id, SOURCE_HTTP, c->post->received_at, err) != 0)
        return -1;
    for (size_t n = 0; c->next && n < FEED_VALUES; c->next = c->next->next) {
        size_t n_values = 1;
        if (feed_item(store, c->next, &n_values, err) != 0)
            return -1;
        batch->n_left--;
        n += n_values;
    }
    return c->next == NULL;
}

static void chunk_free(struct batch *batch) {
    struct chunk *c = (struct chunk *)batch;
    if (c->result != 0)
        c->post->lost = true;
    struct post *p = c->post;
    memo_drop(c->memo);
    arena_free(&c->arena);
    free(c);
    release(p);
}

static struct chunk *chunk_of(struct post *p) {
    if (p->chunk)
        return p->chunk;
    struct chunk *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->batch.session_id = p->session_id;
    c->batch.feed = feed_body;
    c->batch.free = chunk_free;
    c->batch.result = &c->result;
    c->result = -1; /* of one that is freed unstored, too */
    c->post = p;
    p->refs++;
    p->chunk = c;
    return c;
}

static void drop_chunk(struct post *p) {
    if (!p->chunk)
        return;
    memo_drop(p->chunk->memo);
    arena_free(&p->chunk->arena);
    free(p->chunk);
    p->chunk = NULL;
    p->refs--;
}

void post_clear(struct post *p) {
    drop_chunk(p);
}

/* Whether the queue took it; else the post is refused. */
static bool put_chunk(struct post *p) {
    struct http *h = p->rq->http;
    struct batch *batch = &p->chunk->batch;
    batch->n_bytes = p->chunk->arena.used + (p->sent_some ? 0 : p->body.n);
    int64_t until = clock_mono_ns() + POST_WAIT_NS;
    uint64_t commits = pipeline_commits(h->pipeline);
    while (pipeline_put(h->pipeline, &batch) != 0) {
        /* What was begun is finished: the rest of it waits as long as the server runs. */
        if (!p->asleep || h->stopping || (!p->sent_some && clock_mono_ns() > until)) {
            p->refused = true;
            drop_chunk(p);
            return false;
        }
        commits = pipeline_watch(h->pipeline, commits, clock_mono_ns() + 20 * NS_PER_MS);
    }
    p->chunk = NULL;
    p->sent_some = true;
    return true;
}

/* An item with room for n bytes, itself included. */
static struct item *add_item(struct post *p, enum item_kind kind, size_t n) {
    if (p->refused)
        return NULL;
    if (p->early && p->chunk && p->chunk->arena.used >= POST_CHUNK && !put_chunk(p))
        return NULL;
    struct chunk *c = chunk_of(p);
    struct item *item = c ? arena_alloc(&c->arena, n) : NULL;
    if (!item) {
        p->refused = true;
        return NULL;
    }
    *item = (struct item){.kind = kind};
    if (c->last)
        c->last->next = item;
    else
        c->next = item;
    c->last = item;
    c->batch.n_left++;
    return item;
}

static void add_known(struct post *p, const struct metric *m) {
    struct known_item *known =
        (struct known_item *)add_item(p, ITEM_KNOWN, sizeof *known + m->n_values * sizeof *known->values);
    if (!known)
        return;
    struct chunk *c = p->chunk;
    if (!c->memo)
        memo_hold(c->memo = p->memo);
    known->metric = m->known;
    known->n_values = m->n_values;
    copy_values(m->n_values, m->values, known->values, &c->arena, p->body);
}

void post_record(void *post, const struct record *record) {
    struct post *p = post;
    if (record->kind == RECORD_METRIC && record->metric.known) {
        add_known(p, &record->metric);
    } else {
        struct record_item *item = (struct record_item *)add_item(p, ITEM_RECORD, sizeof *item);
        if (!item)
            return;
        item->record = *record;
        copy_record(&item->record, &p->chunk->arena, p->body);
    }
    p->refused = p->refused || p->chunk->arena.failed;
}

/* --- the request's row ----------------------------------------------------------------------------------- */

#define MASK_SHOWN 4

static struct span mask(struct arena *a, struct span key) {
    if (!key.p)
        return key;
    size_t shown = key.n >= 2 * MASK_SHOWN ? MASK_SHOWN : 0;
    char *to = arena_alloc(a, 4 + shown);
    if (!to)
        return (struct span){NULL, 0};
    memcpy(to, "****", 4);
    if (shown)
        memcpy(to + 4, key.p + key.n - shown, shown);
    return span_of(to, 4 + shown);
}

/*   from=1&api_key=0123456789abcdef&to=2
 *          ^^^^^^^^ also application_key: their values are masked
 */
static struct span mask_query(struct arena *a, struct span query) {
    struct buf out = {.max = query.n * 2 + 64};
    for (size_t at = 0; at < query.n;) {
        struct span rest = span_from(query, at);
        const char *end = memchr(rest.p, '&', rest.n);
        struct span pair = span_of(rest.p, end ? (size_t)(end - rest.p) : rest.n);
        const char *equals = memchr(pair.p, '=', pair.n);
        size_t n_name = equals ? (size_t)(equals - pair.p) : pair.n;
        struct span name = span_of(pair.p, n_name);
        if (equals && (span_eq(name, SPAN("api_key")) || span_eq(name, SPAN("application_key")))) {
            buf_span(&out, name);
            buf_char(&out, '=');
            buf_span(&out, mask(a, span_from(pair, n_name + 1)));
        } else {
            buf_span(&out, pair);
        }
        at += pair.n;
        if (end) {
            buf_char(&out, '&');
            at++;
        }
    }
    struct span masked = arena_copy(a, buf_view(&out));
    buf_free(&out);
    return masked;
}

static void reject_request(struct post *p, enum reason reason, struct span detail) {
    struct record record = {
        .kind = RECORD_REJECT,
        .reject = {.reason = reason, .family = SPAN("request"), .text = p->rq->raw_path, .detail = detail},
    };
    post_record(p, &record);
}

/* What the gate refused held something, unless it was a question. That of an unknown session stands in the
 * default one, as there is no other that it could be shown in. */
static void reject_refused(struct post *p, struct span note) {
    const struct http_request *rq = p->rq;
    if (rq->method == HTTP_GET)
        return;
    if (rq->session_unknown)
        reject_request(p, rq->session_status == 409 ? REASON_SESSION_CONFLICT : REASON_UNKNOWN_SESSION,
                       buf_view(&rq->session_why));
    else if (rq->key == KEY_MISSING && (rq->route->flags & ROUTE_KEY))
        reject_request(p, REASON_NO_API_KEY,
                       rq->api_key.n ? SPAN("this path looks in the header alone") : (struct span){NULL, 0});
    else if (rq->key == KEY_REFUSED && (rq->route->flags & ROUTE_KEY))
        reject_request(p, REASON_API_KEY_REFUSED, note);
}

void post_request(struct post *p, uint64_t body_bytes, struct span body, struct span note) {
    struct http_request *rq = p->rq;
    reject_refused(p, note);
    fake_answer(rq);
    struct request_item *item = (struct request_item *)add_item(p, ITEM_REQUEST, sizeof *item);
    if (!item)
        return;
    struct arena *a = &p->chunk->arena;
    const struct posted_body *payload = fake_payload(rq, a);
    if (rq->fault.active && rq->fault.kept && (rq->fault.status || rq->fault.content))
        api_injected(rq);
    if (payload && span_eq(body, payload->bytes))
        body = (struct span){NULL, 0}; /* once is enough */
    if (body.n > POST_BODY_KEPT)
        body.n = POST_BODY_KEPT;
    item->request = (struct request){
        .method = arena_copy(a, rq->method_text),
        .path = arena_copy(a, rq->raw_path),
        .query = mask_query(a, rq->raw_query),
        .status = (int)rq->answer.status,
        .wire_bytes = rq->wire_bytes,
        .body_bytes = body_bytes,
        .encoding = arena_copy(a, rq->content_encoding),
        .content_type = arena_copy(a, rq->content_type),
        .user_agent = arena_copy(a, rq->user_agent),
        .api_key = mask(a, rq->api_key),
        .body = arena_copy(a, body),
        .note = arena_copy(a, note),
        .payload = payload,
    };
    p->refused = p->refused || a->failed;
}

/* What was accepted, or is not known here, is passed on; questions, and what our own routes set, are not. */
static void pass_on(const struct post *p) {
    const struct http_request *rq = p->rq;
    struct forward *forward = rq->http->options.forward;
    bool write = (rq->route->flags & ROUTE_TAKES_TOO_LARGE) || strcmp(rq->route->path, "/**") == 0;
    if (!forward || !write || rq->method == HTTP_GET || rq->answer.status >= 300)
        return;
    forward_post(forward, &(struct forward_request){.method = rq->method_text,
                                                    .path = rq->raw_path,
                                                    .query = rq->raw_query,
                                                    .content_type = rq->content_type,
                                                    .content_encoding = rq->content_encoding,
                                                    .user_agent = rq->user_agent,
                                                    .api_key = rq->api_key,
                                                    .body = rq->body});
}

void post_send(struct post *p) {
    if (!p->refused)
        pass_on(p);
    if (!p->asleep)
        http_suspend(p->rq);
    if (p->refused)
        drop_chunk(p);
    else if (p->chunk)
        put_chunk(p);
    if (p->refused)
        p->lost = true;
    release(p);
}
