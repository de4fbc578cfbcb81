/* GET /fakeintake/payloads: the bodies that an endpoint got, in the order in which they came.
 *
 * DESIGN. As a list of the recorder's (control/listing.c), the answer is made a page at a time, each with a fresh look at the recording
 * up to the barrier's last id. What is parsed is made at once, since one body that cannot be read makes the whole answer an error.
 */
#include "compat/payloads.h"

#include "compat/compat.h"
#include "control/ask.h"
#include "core/json.h"
#include "core/log.h"
#include "http/reading.h"
#include <stdlib.h>

#define PAGE ((size_t)1 << 20)

/* --- as they came ---------------------------------------------------------------------------------------- */

struct payload_list {
    struct http *http;
    char session[INGEST_NAME_SIZE];
    uint64_t session_id;
    struct buf endpoint;
    uint64_t cursor, until;
    bool any, full, dogstatsd, in_dogstatsd, done;
    struct buf page;
    size_t at;
};

static void put_text(struct buf *b, const char *name, struct span text) {
    buf_printf(b, ",\"%s\":", name);
    json_put_string(b, text.p ? text : SPAN(""));
}

static int put_payload(void *arg, const struct payload_row *row) {
    struct payload_list *l = arg;
    struct buf *b = &l->page;
    if (b->n >= PAGE) {
        l->full = true;
        return 1;
    }
    buf_str(b, l->any ? "," : "");
    payloads_put_head(b, row->received_at, row->payload.api_key);
    buf_str(b, ",\"data\":");
    json_put_base64(b, row->payload.bytes);
    put_text(b, "encoding", payloads_encoding(row));
    put_text(b, "content_type", row->content_type);
    buf_char(b, '}');
    l->any = true;
    l->cursor = row->id;
    return b->failed;
}

static int put_dogstatsd(struct payload_list *l, struct reader *r, struct err *err) {
    int failed = 0;
    while (!failed && !l->done && l->page.n < PAGE) {
        struct synthesis s = {.page = &l->page, .any = l->any, .cursor = l->cursor, .series.max = 16 << 20};
        struct filter f = {.session = span_str(l->session), .since = l->cursor, .until = l->until};
        failed = r->ops->samples(r, &f, true, synthesis_take, &s, err);
        l->done = s.n < SYNTHESIS_SERIES;
        synthesis_finish(&s);
        l->any = s.any;
        l->cursor = s.cursor;
        failed = failed || s.series.failed;
        buf_free(&s.series);
    }
    return failed;
}

static int fill_page(struct payload_list *l, struct err *err) {
    buf_clear(&l->page);
    l->at = 0;
    l->full = false;
    if (!l->any && l->cursor == 0)
        buf_str(&l->page, "{\"payloads\":[");
    struct reader *r = http_read_begin(l->http, l->session_id, span_str(l->session), err);
    int failed = !r;
    if (!failed) {
        struct filter f = {.session = span_str(l->session),
                           .name = buf_view(&l->endpoint),
                           .since = l->cursor,
                           .until = l->until};
        if (!f.name.p)
            f.name = SPAN("");
        if (!l->in_dogstatsd)
            failed = r->ops->payloads(r, &f, put_payload, l, err);
        if (!failed && !l->full && !l->in_dogstatsd) {
            l->cursor = 0;
            l->in_dogstatsd = l->dogstatsd;
            l->done = !l->dogstatsd;
        }
        if (!failed && l->in_dogstatsd)
            failed = put_dogstatsd(l, r, err);
    }
    http_read_end(l->http, r);
    if (l->done)
        buf_str(&l->page, "]}");
    return failed || l->page.failed ? -1 : 0;
}

static void list_free(void *arg) {
    struct payload_list *l = arg;
    buf_free(&l->page);
    buf_free(&l->endpoint);
    free(l);
}

static ssize_t list_read(void *arg, char *to, size_t max) {
    struct payload_list *l = arg;
    struct err err = {0};
    if (l->at == l->page.n) {
        if (l->done)
            return HTTP_STREAM_END;
        if (fill_page(l, &err) != 0) {
            log_warning("a list of payloads was cut short: %s", err.text);
            return HTTP_STREAM_FAILED;
        }
    }
    size_t n = l->page.n - l->at < max ? l->page.n - l->at : max;
    memcpy(to, l->page.p + l->at, n);
    l->at += n;
    return (ssize_t)n;
}

static void answer_raw(struct http_request *rq, const struct ingest_session *session, struct span endpoint,
                       uint64_t last_id) {
    struct payload_list *l = calloc(1, sizeof *l);
    struct err err = {0};
    struct span dogstatsd = http_arg(rq, "dogstatsd");
    if (!l) {
        http_error(rq, 503, "out of memory");
        return;
    }
    l->http = rq->http;
    memcpy(l->session, session->name, sizeof l->session);
    l->session_id = session->id;
    l->endpoint.max = endpoint.n + 1;
    buf_span(&l->endpoint, endpoint);
    l->until = last_id;
    l->dogstatsd = (span_eq(dogstatsd, SPAN("1")) || span_eq(dogstatsd, SPAN("true"))) &&
                   span_eq(endpoint, SPAN("/api/v2/series"));
    l->page.max = PAYLOADS_JSON_MAX;
    if (fill_page(l, &err) != 0) {
        if (!err.set)
            err_set(&err, 0, "a body is too large");
        http_read_failed(rq, "read the recording", &err);
        list_free(l);
    } else if (l->done) {
        rq->answer.body = l->page;
        l->page = (struct buf){0};
        list_free(l);
    } else {
        rq->answer.stream = list_read;
        rq->answer.stream_free = list_free;
        rq->answer.stream_arg = l;
    }
}

/* --- parsed ---------------------------------------------------------------------------------------------- */

struct parsed_list {
    struct buf *b;
    bool any;
    char why[240];
};

static int put_parsed(void *arg, const struct payload_row *row) {
    struct parsed_list *l = arg;
    buf_str(l->b, l->any ? "," : "");
    payloads_put_head(l->b, row->received_at, row->payload.api_key);
    buf_str(l->b, ",\"data\":");
    if (parsed_put(l->b, row, l->why) != 0)
        return 1;
    put_text(l->b, "encoding", payloads_encoding(row));
    buf_char(l->b, '}');
    l->any = true;
    return l->b->failed;
}

static void answer_parsed(struct http_request *rq, const struct ingest_session *session, struct span endpoint,
                          uint64_t last_id) {
    struct parsed_list l = {.b = &rq->answer.body};
    struct err err = {0};
    if (!parsed_knows(endpoint)) {
        http_error(rq, 400, "invalid route parameter");
        return;
    }
    struct filter f = {.session = span_str(session->name), .name = endpoint, .until = last_id};
    struct reader *r = http_read_begin(rq->http, session->id, f.session, &err);
    l.b->max = PAYLOADS_JSON_MAX;
    buf_str(l.b, "{\"payloads\":[");
    int failed = !r || r->ops->payloads(r, &f, put_parsed, &l, &err);
    http_read_end(rq->http, r);
    buf_str(l.b, "]}");
    if (failed)
        http_read_failed(rq, "read the recording", &err);
    else if (l.why[0])
        http_error(rq, 400, "%s", l.why);
    else if (l.b->failed)
        http_error(rq, 422, "the parsed bodies have more than %zu bytes; ask without format=json",
                   PAYLOADS_JSON_MAX);
}

/* Bodies are not kept: an empty list would say that nothing came. */
static bool has_bodies(struct http_request *rq) {
    if (rq->http->options.keep_bodies)
        return true;
    http_error(rq, 409, "this server keeps no bodies: start it with --fakeintake or --keep-bodies");
    return false;
}

void compat_payloads(struct http_request *rq) {
    struct span endpoint = http_arg(rq, "endpoint");
    struct ingest_session session;
    uint64_t last_id;
    if (!endpoint.p) {
        rq->answer.status = 400;
        rq->answer.content_type = "text/plain";
        buf_str(&rq->answer.body, "missing endpoint query parameter");
    } else if (has_bodies(rq) && ask_session(rq, (struct span){NULL, 0}, &session) == 0 &&
               ask_barrier(rq, session.id, &last_id) == 0) {
        if (span_eq(http_arg(rq, "format"), SPAN("json")))
            answer_parsed(rq, &session, endpoint, last_id);
        else
            answer_raw(rq, &session, endpoint, last_id);
    }
}
