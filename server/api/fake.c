#include "api/fake.h"

#include "api/api.h"
#include "core/clock.h"
#include "core/json.h"
#include "http/fault.h"

#define HEADERS_MAX ((size_t)64 << 10) /* bytes of the headers as JSON */

/* Whether the routes of writes have it, or none. */
static bool is_write_route(const struct http_request *rq) {
    return (rq->route->flags & ROUTE_TAKES_TOO_LARGE) != 0;
}

static bool is_refused_by_us(const struct http_request *rq) {
    const struct http_fault *fault = &rq->fault;
    bool injected = fault->active && !fault->kept && (fault->status || fault->content);
    return rq->session_unknown || rq->too_large || rq->coded || injected ||
           (fault->active && fault->cut == HTTP_CUT_BEFORE);
}

/* --- the answer ------------------------------------------------------------------------------------------ */

/* The process Agent reads an answer of its own protocol: 16 bytes of header (version 3, protobuf, type 23, subscription 2, organisation
 * 503, a time), then a message: which type it is, that one client is active, and that the interval is 30 s. All numbers of
 * the header have their low bytes first. */
static void answer_connections(struct http_request *rq) {
    static const unsigned char head[8] = {3, 0, 23, 2, 503 & 0xff, 503 >> 8, 0, 0};
    static const unsigned char message[] = {0x0a, 2, 0x08, 23, 0x1a, 4, 0x08, 1, 0x10, 30};
    unsigned char time[8];
    uint64_t now_s = (uint64_t)(rq->received_at / NS_PER_S);
    for (int i = 0; i < 8; i++)
        time[i] = (unsigned char)(now_s >> 8 * i);
    api_answer(rq, 200, "application/x-protobuf", "");
    buf_add(&rq->answer.body, (const char *)head, sizeof head);
    buf_add(&rq->answer.body, (const char *)time, sizeof time);
    buf_add(&rq->answer.body, (const char *)message, sizeof message);
}

void fake_answer(struct http_request *rq) {
    if (!rq->http->options.fakeintake || !is_write_route(rq) || is_refused_by_us(rq))
        return;
    rq->answer.n_headers = 0;
    if (span_eq(rq->method_text, SPAN("POST"))) {
        if (span_eq(rq->path, SPAN("/api/v1/connections")))
            answer_connections(rq);
        else
            api_answer(rq, 200, "application/json", "{\"errors\":[]}");
    } else if (span_eq(rq->method_text, SPAN("GET")))
        api_answer(rq, 200, NULL, "");
    else if (span_eq(rq->method_text, SPAN("HEAD")) && span_eq(rq->path, SPAN("/support/flare")))
        api_answer(rq, 200, "application/json", "{}");
    else
        api_errors(rq, 400, "invalid request with route %.*s and method %.*s", SPAN_ARG(rq->path),
                   SPAN_ARG(rq->method_text));
}

/* --- what is kept ---------------------------------------------------------------------------------------- */

static void put_header(void *arg, struct span name, struct span value) {
    struct buf *b = arg;
    if (b->n + 2 * (name.n + value.n) + 16 > HEADERS_MAX)
        return;
    buf_str(b, b->n > 1 ? "," : "");
    json_put_string(b, name);
    buf_char(b, ':');
    json_put_string(b, value);
}

static struct span copy_headers(const struct http_request *rq, struct arena *a) {
    struct buf b = {.max = 8 * HEADERS_MAX};
    buf_char(&b, '{');
    http_headers_each(rq, put_header, &b);
    buf_char(&b, '}');
    struct span headers = b.failed ? (struct span){NULL, 0} : arena_copy(a, buf_view(&b));
    buf_free(&b);
    return headers;
}

const struct posted_body *fake_payload(const struct http_request *rq, struct arena *a) {
    if (!rq->http->options.keep_bodies || !is_write_route(rq) || !span_eq(rq->method_text, SPAN("POST")) ||
        is_refused_by_us(rq) || (!rq->http->options.fakeintake && rq->answer.status >= 400))
        return NULL;
    struct posted_body *p = arena_alloc(a, sizeof *p);
    struct buf room = {0};
    if (p)
        *p = (struct posted_body){.path = arena_copy(a, fault_endpoint(rq, &room)),
                                  .api_key = arena_copy(a, rq->api_key),
                                  .headers = copy_headers(rq, a),
                                  .bytes = arena_copy(a, rq->body)};
    buf_free(&room);
    return p;
}
