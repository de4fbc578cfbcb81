/* /test/session: what dd-apm-test-agent's clients ask. A session is its token; a start is a mark in it. */
#include "compat/compat.h"
#include "compat/payloads.h"
#include "control/ask.h"
#include "control/forget.h"
#include "core/json.h"
#include "http/environment.h"
#include "http/reading.h"
#include "http/session.h"

static void answer_ok(struct http_request *rq) {
    buf_clear(&rq->answer.body);
    rq->answer.content_type = "text/plain; charset=utf-8";
    buf_str(&rq->answer.body, "200: OK");
}

/* -1 once it is answered, as the test agent does, that nobody knows the token. */
static int find_session(struct http_request *rq, struct ingest_session *session) {
    if (!rq->session_unknown)
        return ask_session(rq, (struct span){NULL, 0}, session);
    struct span token = http_session_token(rq);
    if (rq->session_status == 404 && token.p)
        http_error(rq, 400, "No session found for token '%.*s'",
                   SPAN_ARG(span_of(token.p, token.n < 64 ? token.n : 64)));
    else
        http_error(rq, rq->session_status, "%s", buf_view(&rq->session_why).p);
    return -1;
}

void compat_start(struct http_request *rq) {
    struct ingest_session session;
    uint64_t last_id;
    if (ask_session(rq, (struct span){NULL, 0}, &session) != 0 || ask_barrier(rq, session.id, &last_id) != 0)
        return;
    ingest_session_begin(rq->http->ingest, session.id, last_id);
    answer_ok(rq);
}

/* Without a token everything goes. */
void compat_clear(struct http_request *rq) {
    struct ingest_session session = {.id = INGEST_ALL};
    struct store_removed removed;
    struct err err = {0};
    if (rq->session_token.p && find_session(rq, &session) != 0)
        return;
    if (forget_session(rq->http, session.id, &removed, &err) != 0)
        http_error(rq, 503, "cannot reset: %s", err.text);
    else
        answer_ok(rq);
}

/* None of these are made of metrics: statwit takes no traces. */
void compat_stats(struct http_request *rq) {
    struct ingest_session session;
    if (find_session(rq, &session) == 0)
        buf_str(&rq->answer.body, "[]");
}

struct request_list {
    struct buf *b;
    struct span url;         /* of the server */
    struct span own, shared; /* names of the sessions that count */
    bool any;
};

static int put_request(void *arg, const struct payload_row *row) {
    struct request_list *l = arg;
    if (!span_eq(row->session, l->own) && !span_eq(row->session, l->shared))
        return 0;
    buf_str(l->b, l->any ? ",{\"headers\":" : "{\"headers\":");
    l->any = true;
    buf_span(l->b, row->payload.headers.n ? row->payload.headers : SPAN("{}"));
    buf_str(l->b, ",\"body\":");
    json_put_base64(l->b, row->payload.bytes);
    buf_str(l->b, ",\"url\":");
    struct buf url = {.max = l->url.n + row->payload.path.n + row->query.n + 2};
    buf_span(&url, l->url);
    buf_span(&url, row->payload.path);
    if (row->query.n) {
        buf_char(&url, '?');
        buf_span(&url, row->query);
    }
    json_put_string(l->b, buf_view(&url));
    buf_free(&url);
    buf_str(l->b, ",\"method\":");
    json_put_string(l->b, row->method);
    buf_char(l->b, '}');
    return l->b->failed;
}

/* Those of the session since its start, together with those that came without any token: they may be anybody's. */
void compat_requests(struct http_request *rq) {
    struct ingest_session session;
    struct environment_reach reach;
    struct err err = {0};
    uint64_t last_id;
    if (find_session(rq, &session) != 0)
        return;
    if (!rq->http->options.keep_bodies) {
        http_error(rq, 409, "this server keeps no bodies: start it with --auto-sessions or --keep-bodies");
        return;
    }
    if (ask_barrier(rq, session.id, &last_id) != 0)
        return;
    environment_reach(rq->http, http_header(rq, "Host"), &reach);
    struct request_list l = {.b = &rq->answer.body,
                             .url = span_str(reach.url),
                             .own = span_str(session.name),
                             .shared = SPAN("default")};
    struct filter f = {.since = ingest_session_begun(rq->http->ingest, session.id), .until = last_id};
    struct reader *r = http_read_begin(rq->http, session.id, l.own, &err);
    l.b->max = PAYLOADS_JSON_MAX;
    buf_char(l.b, '[');
    int failed = !r || r->ops->payloads(r, &f, put_request, &l, &err);
    http_read_end(rq->http, r);
    buf_char(l.b, ']');
    if (failed)
        http_read_failed(rq, "read the recording", &err);
    else if (l.b->failed)
        http_error(rq, 422,
                   "the requests have more than %zu bytes; GET /recorder/v1/requests lists them page by page",
                   PAYLOADS_JSON_MAX);
}
