/* DESIGN. The life of a request:
 *
 *     exchange_begin   the request line is there: the raw target is copied (MHD hands it out decoded later)
 *     exchange_step    NEW: the headers are there: route, guard, limits. A refusal is remembered, not queued yet:
 *                      MHD takes no answer in mid-upload, and a client that is still sending may never see one
 *                      BODY: pieces of the body, kept up to the route's limit, then only counted
 *                      complete: the handler -> the answer, or WAITING: asleep until http_resume
 *                      What is viewed became something else while it was read: the handler is called once more, of what is there now
 *                      A transfer coding other than chunked: answered at once, as MHD would wait for an end that it cannot see
 *     exchange_end     the answer was sent, or the client is gone
 */
#include "http/exchange.h"

#include "core/clock.h"
#include "core/log.h"
#include "http/fault.h"
#include "http/guard.h"
#include "http/link.h"
#include "http/respond.h"
#include "http/router.h"
#include "http/session.h"
#include "http/watch.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static void free_request(struct http_request *rq);

static void begin_answer(struct http_request *rq) {
    struct http_response *answer = &rq->answer;
    buf_free(&answer->body);
    answer->body.max = 0;
    answer->n_headers = 0;
    answer->status = 200;
    answer->content_type = "application/json";
}

void *exchange_begin(void *cls, const char *uri, struct MHD_Connection *connection) {
    struct span target = span_str(uri);
    struct http_request *rq = calloc(1, sizeof *rq + router_room(target) + target.n + 1);
    if (!rq)
        return NULL;
    char *room = (char *)(rq + 1);
    rq->http = cls;
    rq->connection = connection;
    rq->target = span_of(memcpy(room + router_room(target), target.p, target.n), target.n);
    begin_answer(rq);
    rq->free = free_request;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    rq->link = info ? info->socket_context : NULL;
    return rq;
}

/* --- the headers are there ------------------------------------------------------------------------------- */

static void refuse_method(struct http_request *rq, unsigned allowed) {
    struct buf methods = {.max = 256};
    router_methods(allowed, &methods);
    http_error(rq, 405, "%.*s is not for this path; it takes %s", SPAN_ARG(rq->method_text),
               buf_view(&methods).p);
    http_add_header(rq, "Allow", "%s", buf_view(&methods).p);
    buf_free(&methods);
}

/* A name that --tls-self-signed gives us: a page cannot rebind it, since its browser would have to trust us first. */
static bool is_tls_host(const struct http *h, struct span host) {
    const char *colon = memrchr(host.p, ':', host.n);
    size_t n = colon ? (size_t)(colon - host.p) : host.n;
    for (size_t i = 0; i < h->options.n_tls_hosts; i++) {
        const char *name = h->options.tls_hosts[i];
        if (strlen(name) == n && strncasecmp(name, host.p, n) == 0)
            return true;
    }
    return false;
}

static bool is_our_host(const struct http *h, struct span host) {
    return guard_host(host, span_str(h->options.bind), h->loopback) || is_tls_host(h, host) ||
           guard_allowed(host, h->options.n_allowed_hosts, h->options.allowed_hosts);
}

/* Whether the path is no one of our own: then the last route, which takes any path, may stand in for one that lacks the method. */
static bool is_datadogs(const struct http_request *rq) {
    return !span_starts(rq->path, SPAN("/recorder")) && !span_starts(rq->path, SPAN("/fakeintake")) &&
           !span_starts(rq->path, SPAN("/test/session"));
}

static bool asks_for_token(const struct http_request *rq) {
    unsigned flags = rq->route ? rq->route->flags : 0;
    bool open = rq->http->options.fakeintake && (flags & ROUTE_OPEN_AS_FAKE);
    return span_starts(rq->path, SPAN("/recorder")) || ((flags & ROUTE_TOKEN) && !open);
}

/* Fills the answer and returns false when the handler must not see the request. */
static bool admit(struct http_request *rq) {
    struct http *h = rq->http;
    struct span host = http_header(rq, "Host");
    unsigned allowed;
    rq->route = router_find(rq->http->options.tables, rq->http->options.n_tables, rq, &allowed);
    if (!rq->route && is_datadogs(rq) && (h->options.fakeintake || fault_concerns(h->faults, rq)))
        rq->route = router_last(rq->http->options.tables, rq->http->options.n_tables);
    if (!(rq->route && (rq->route->flags & ROUTE_ANY_HOST)) && !is_our_host(h, host)) {
        struct span name = guard_name(host);
        http_error(rq, 403,
                   "the Host header '%.*s' is not this server's name; ask for %s, or start the server with "
                   "--allow-host %.*s",
                   SPAN_ARG(host), h->url, SPAN_ARG(name.n ? name : SPAN("NAME")));
        return false;
    }
    struct span origin = http_header(rq, "Origin");
    if (rq->method != HTTP_GET && !guard_origin(origin, host)) {
        http_error(rq, 403, "a page of '%.*s' may not change anything here", SPAN_ARG(origin));
        return false;
    }
    if (h->options.token && asks_for_token(rq) &&
        !guard_token(http_header(rq, "Authorization"), span_str(h->options.token))) {
        http_error(rq, 401, "this server asks for its token: Authorization: Bearer TOKEN");
        http_add_header(rq, "WWW-Authenticate", "Bearer");
        return false;
    }
    if (!rq->route && allowed) {
        refuse_method(rq, allowed);
        return false;
    }
    if (!rq->route) {
        http_error(rq, 404, "no such path: %.*s (GET /recorder/v1/openapi.yaml lists them)",
                   SPAN_ARG(rq->path));
        return false;
    }
    if (h->options.view && rq->method != HTTP_GET && !(rq->route->flags & ROUTE_LOOKS)) {
        http_error(rq, 403, "statwit view only looks at recordings: nothing here can be changed");
        return false;
    }
    http_session_read(rq);
    if (rq->session_unknown && (rq->route->flags & ROUTE_CHECKS_SESSION)) {
        http_error(rq, rq->session_status, "%s", buf_view(&rq->session_why).p);
        return false;
    }
    return true;
}

/* MHD undoes chunked alone. */
static bool is_coded(const struct http_request *rq) {
    struct span coding = http_header(rq, "Transfer-Encoding");
    return coding.p && !(coding.n == 7 && strncasecmp(coding.p, "chunked", 7) == 0);
}

static void read_head(struct http_request *rq, const char *method, const char *version) {
    struct http *h = rq->http;
    rq->state = REQUEST_BODY;
    rq->counted = true;
    const union MHD_ConnectionInfo *head =
        MHD_get_connection_info(rq->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    rq->head_bytes = head ? head->header_size : 0;
    h->n_active++;
    h->n_requests++;
    link_expect(rq->link, HTTP_REQUEST_BODY_S);
    rq->method_text = span_str(method);
    rq->is_http11 = strcmp(version, MHD_HTTP_VERSION_1_1) == 0;
    rq->method = router_method(rq->method_text);
    rq->content_type = http_header(rq, "Content-Type");
    rq->content_encoding = http_header(rq, "Content-Encoding");
    rq->user_agent = http_header(rq, "User-Agent");
    if (router_parse(rq, (char *)(rq + 1)) != 0) {
        http_error(rq, 414, "more than %d query arguments", HTTP_ARGS_MAX);
        rq->refused = true;
    } else
        rq->refused = !admit(rq);
    rq->coded = is_coded(rq);
    if (rq->coded && !rq->refused && !(rq->route->flags & ROUTE_TAKES_TOO_LARGE)) {
        http_error(rq, 501, HTTP_CODED);
        rq->refused = true;
    }
    if (rq->refused)
        h->n_refused++;
    size_t max = rq->route && rq->route->body_max ? rq->route->body_max : HTTP_BODY_MAX;
    if (h->options.fakeintake && rq->route && (rq->route->flags & ROUTE_TAKES_TOO_LARGE))
        max = HTTP_SWALLOW_MAX; /* fakeintake has no limit */
    rq->received.max = max + 1; /* and the NUL that follows it */
}

/* --- the body -------------------------------------------------------------------------------------------- */

static void drop_body(struct http_request *rq) {
    rq->http->n_body_bytes -= rq->n_counted_bytes;
    rq->n_counted_bytes = 0;
    buf_free(&rq->received);
}

/* false: too much to go on reading. */
static bool take_piece(struct http_request *rq, const char *p, size_t n) {
    struct http *h = rq->http;
    rq->wire_bytes += n;
    if (rq->refused || rq->too_large)
        return rq->wire_bytes <= HTTP_SWALLOW_MAX;
    size_t max = rq->received.max;
    if (rq->wire_bytes >= max) {
        drop_body(rq);
        rq->too_large = true;
        if (!(rq->route->flags & ROUTE_TAKES_TOO_LARGE)) {
            http_error(rq, 413, "the body is larger than %zu bytes", max - 1);
            rq->refused = true;
        }
        return true;
    }
    size_t cap = rq->received.cap;
    buf_add(&rq->received, p, n);
    size_t grown = rq->received.cap - cap;
    rq->n_counted_bytes += grown;
    if (rq->received.failed || atomic_fetch_add(&h->n_body_bytes, grown) + grown > HTTP_BODIES_MAX) {
        if (rq->received.failed)
            rq->n_counted_bytes -= grown;
        drop_body(rq);
        http_error(rq, 503, "too many large bodies are being received at once; try again");
        rq->refused = true;
    }
    return true;
}

/* --- the answer ------------------------------------------------------------------------------------------ */

/* Sends the answer, or sleeps first when a fault says so. */
static enum MHD_Result finish(struct http_request *rq) {
    if (rq->fault.delay_ms > 0 && !rq->abandoned) {
        int64_t delay_ms = rq->fault.delay_ms;
        rq->fault.delay_ms = 0;
        rq->state = REQUEST_WAITING;
        http_suspend(rq);
        watch_delay(rq->http->watch, rq, delay_ms);
        return MHD_YES;
    }
    return respond(rq);
}

/* A question about recordings that are looked at changes nothing, so it can be asked of what is there now. */
static bool is_asked_anew(struct http_request *rq) {
    bool anew = rq->changed && !rq->abandoned && !rq->answer.stream && retry_lasts(&rq->retry);
    rq->changed = false;
    if (anew) {
        rq->suspended = false;
        begin_answer(rq);
    }
    return anew;
}

/* *con_cls is NULL afterwards when the request has left the connection, which ends when it is asked again. */
static enum MHD_Result handle(struct http_request *rq, void **con_cls) {
    struct http *h = rq->http;
    link_expect(rq->link, 0);
    h->n_held++;
    if (h->stopping && !rq->refused) {
        http_error(rq, 503, "the server is stopping");
        rq->refused = true;
    }
    bool asleep = false;
    if (!rq->refused) {
        rq->received_at = clock_wall_ns();
        if (h->options.view && rq->state != REQUEST_WAITING)
            rq->retry = retry_begin();
        rq->body = buf_view(&rq->received);
        if (rq->route->flags & ROUTE_FAULTS)
            fault_match(h->faults, rq);
        rq->state = REQUEST_WAITING;
        rq->owner = con_cls;
        do {
            rq->route->handle(rq);
            asleep = *con_cls && rq->suspended;
        } while (*con_cls && !asleep && is_asked_anew(rq));
    }
    h->n_held--;
    if (!*con_cls)
        return MHD_YES;
    rq->owner = NULL;
    return asleep ? MHD_YES : rq->refused ? respond(rq) : finish(rq);
}

enum MHD_Result exchange_step(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload_data,
                              size_t *upload_data_size, void **con_cls) {
    (void)cls, (void)connection, (void)url;
    struct http_request *rq = *con_cls;
    if (!rq)
        return MHD_NO;
    switch (rq->state) {
    case REQUEST_NEW:
        read_head(rq, method, version);
        return rq->coded ? handle(rq, con_cls) : MHD_YES;
    case REQUEST_BODY:
        if (*upload_data_size == 0)
            return handle(rq, con_cls);
        if (!take_piece(rq, upload_data, *upload_data_size))
            return MHD_NO;
        *upload_data_size = 0;
        return MHD_YES;
    case REQUEST_WAITING:
        return is_asked_anew(rq) ? handle(rq, con_cls) : finish(rq);
    case REQUEST_ANSWERED:
        break;
    }
    return MHD_NO;
}

void exchange_end(void *cls, struct MHD_Connection *connection, void **con_cls,
                  enum MHD_RequestTerminationCode termination) {
    (void)cls, (void)connection, (void)termination;
    struct http_request *rq = *con_cls;
    if (!rq)
        return;
    *con_cls = NULL;
    link_expect(rq->link, HTTP_REQUEST_HEAD_S);
    if (rq->link)
        rq->link->n_before += (int64_t)(rq->head_bytes + rq->wire_bytes);
    free_request(rq);
}

static void free_request(struct http_request *rq) {
    drop_body(rq);
    buf_free(&rq->answer.body);
    buf_free(&rq->session_why);
    fault_content_release(rq->fault.content);
    if (rq->answer.stream_free)
        rq->answer.stream_free(rq->answer.stream_arg);
    if (rq->counted)
        rq->http->n_active--;
    free(rq->answer.headers);
    free(rq->token);
    free(rq);
}

void exchange_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                         enum MHD_ConnectionNotificationCode what) {
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *socket_context = info ? link_open(cls, info->connect_fd) : NULL;
        watch_connections(((struct http *)cls)->watch);
    } else {
        link_close(cls, *socket_context);
        *socket_context = NULL;
    }
}
