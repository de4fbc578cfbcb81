#include "api/read.h"

#include "api/arguments.h"
#include "api/post.h"
#include "core/json.h"
#include "flushed/flushed.h"
#include "http/reading.h"
#include <stdio.h>

void api_finish(struct http_request *rq, bool keep_body, struct span note) {
    struct post *post = post_new(rq, false);
    if (!post)
        return;
    post_request(post, rq->body.n, keep_body ? rq->body : (struct span){NULL, 0}, note);
    post_send(post);
}

struct read_wanted {
    uint64_t id;
    char *name;
};

static void take_name(void *arg, const struct ingest_session *session) {
    struct read_wanted *wanted = arg;
    if (session->id == wanted->id)
        snprintf(wanted->name, sizeof session->name, "%s", session->name);
}

void read_failed(struct read *r, const struct err *err) {
    api_errors(r->rq, http_read_status(r->rq, err, 500), "%s", err->text);
}

/* Fills the answer from what Datadog has of the session. */
static void fill_view(struct read *r, void (*fill)(struct read *r)) {
    struct err err = {0};
    struct reader *view =
        flushed_open(r->recording,
                     &(struct flushed_options){.session = r->filter.session,
                                               .histograms = r->rq->http->options.histograms},
                     &err);
    if (!view) {
        api_errors(r->rq, 422, "%s (statwit serve --raw-queries shows the samples as they were sent)",
                   err.text);
        return;
    }
    r->reader = view;
    fill(r);
    r->reader = r->recording;
    reader_close(view);
}

static void look(struct read *r, void (*fill)(struct read *r), bool views) {
    struct http *h = r->rq->http;
    struct err err = {0};
    uint64_t last_id;
    if (ingest_barrier(h->ingest, r->rq->session_id, &last_id, &err) != 0 ||
        !(r->reader = http_read_begin(h, r->rq->session_id, r->filter.session, &err))) {
        read_failed(r, &err);
        return;
    }
    r->recording = r->reader;
    if (views && !h->options.raw_queries)
        fill_view(r, fill);
    else
        fill(r);
    http_read_end(h, r->reader);
}

static void answer_read(struct http_request *rq, void (*fill)(struct read *r), bool views) {
    struct read r = {.rq = rq, .session = ""};
    struct read_wanted wanted = {rq->session_id, r.session};
    struct span note;
    ingest_session_each(rq->http->ingest, take_name, &wanted);
    r.filter.session = span_str(r.session);
    if (api_admits(rq, &note) && arguments_hold(rq))
        look(&r, fill, views);
    api_finish(rq, rq->method != HTTP_GET, note);
}

void api_read(struct http_request *rq, void (*fill)(struct read *r)) {
    answer_read(rq, fill, false);
}

void api_read_metrics(struct http_request *rq, void (*fill)(struct read *r)) {
    answer_read(rq, fill, true);
}
