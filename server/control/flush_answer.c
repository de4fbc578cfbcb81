/* GET /recorder/v1/flush: what an Agent would have sent for a session.
 *
 * DESIGN. The answer is streamed. libmicrohttpd asks for bytes; then the connection sleeps, a worker makes the next page (which
 * may take long: a page of rates can stand for millions of samples), and the connection goes on. No reader is held between two
 * pages. The first page is made before the answer begins, so that an error of the first page is a status and a sentence. */
#include "control/ask.h"
#include "control/control.h"
#include "control/flush.h"
#include "core/clock.h"
#include "core/log.h"
#include "http/reading.h"
#include <stdlib.h>

#define PAGE_MAX       ((size_t)512 << 20)
#define INTERVAL_S_MAX 86400
#define FORMATS        "json, table, v2-protobuf or sketches-protobuf"

struct flush_answer {
    struct job job;
    struct http_request *rq;
    struct flushes *flushes;
    struct ingest_session session; /* its id may be INGEST_ALL */
    struct http_read_of of;
    struct buf page;
    size_t at; /* bytes of the page that were sent */
    bool begun, done, failed;
    struct err err;
};

static void answer_free(void *arg) {
    struct flush_answer *a = arg;
    flush_free(a->flushes);
    buf_free(&a->page);
    free(a);
}

/* Fills the page, with nothing only at the end. */
static void fill_page(struct flush_answer *a) {
    struct http *h = a->rq->http;
    buf_clear(&a->page);
    a->at = 0;
    int more = 1;
    while (more > 0 && a->page.n == 0 && !h->stopping) {
        struct reader *r = http_read_begin(h, a->session.id, span_str(a->session.name), &a->err);
        bool same = r && http_read_same(h, r, &a->of, &a->err) >= 0;
        more = same ? flush_step(a->flushes, r, &a->page, &a->err) : -1;
        http_read_end(h, r);
    }
    a->done = more == 0;
    a->failed = more < 0 || (more > 0 && a->page.n == 0);
}

/* The next page, on a worker. */
static void run_page(struct job *job) {
    struct flush_answer *a = (struct flush_answer *)job;
    fill_page(a);
    http_resume(a->rq);
}

static ssize_t answer_read(void *arg, char *to, size_t max) {
    struct flush_answer *a = arg;
    if (a->at == a->page.n) {
        if (a->done)
            return HTTP_STREAM_END;
        if (a->failed) {
            log_warning("a flush was cut short: %s", a->err.set ? a->err.text : "the server is stopping");
            return HTTP_STREAM_FAILED;
        }
        a->job = (struct job){.run = run_page, .length = WORK_LONG};
        http_stream_pause(a->rq);
        if (work_put(a->rq->http->work, &a->job))
            return 0;
        a->failed = true;
        http_resume(a->rq);
        return 0;
    }
    size_t n = a->page.n - a->at;
    n = n < max ? n : max;
    memcpy(to, a->page.p + a->at, n);
    a->at += n;
    return (ssize_t)n;
}

/* The first page, on a worker; the request is asleep. */
static void run_first(struct job *job) {
    struct flush_answer *a = (struct flush_answer *)job;
    struct http_request *rq = a->rq;
    fill_page(a);
    if (a->failed) {
        unsigned status = !a->err.set ? 503 : http_read_status(rq, &a->err, 422);
        http_error(rq, status, "%s", a->err.set ? a->err.text : "the server is stopping");
        answer_free(a);
    } else {
        rq->answer.stream = answer_read;
        rq->answer.stream_free = answer_free;
        rq->answer.stream_arg = a;
    }
    http_resume(rq);
}

/* --- the question --------------------------------------------------------------------------------------------------- */

static int refuse(struct http_request *rq, const char *name, const struct err *err) {
    http_error(rq, 400, "%s: %s", name, err->text);
    return -1;
}

static int read_agent(struct http_request *rq, struct agent_options *options) {
    struct span hostname = http_arg(rq, "hostname"), aggregates = http_arg(rq, "histogram_aggregates"),
                percentiles = http_arg(rq, "histogram_percentiles");
    struct err err = {0};
    agent_defaults(options);
    options->explain = http_arg(rq, "explain");
    if (hostname.p)
        options->hostname = hostname;
    if (aggregates.p && agent_read_aggregates(options, aggregates, &err) != 0)
        return refuse(rq, "histogram_aggregates", &err);
    if (percentiles.p && agent_read_percentiles(options, percentiles, &err) != 0)
        return refuse(rq, "histogram_percentiles", &err);
    return 0;
}

static int read_times(struct http_request *rq, struct flush_question *q) {
    struct span times = http_arg(rq, "flush_at"), interval = http_arg(rq, "interval_s");
    uint64_t seconds = AGENT_FLUSH_INTERVAL_S;
    struct err err = {0};
    if (times.p && interval.p) {
        http_error(rq, 400, "give flush_at or interval_s, not both");
        return -1;
    }
    if (interval.p && (!ask_u64(interval, &seconds) || seconds == 0 || seconds > INTERVAL_S_MAX)) {
        http_error(rq, 400, "interval_s must be a number of seconds from 1 to %d, not '%.*s'", INTERVAL_S_MAX,
                   SPAN_ARG(interval));
        return -1;
    }
    q->feed.interval_ns = (int64_t)seconds * NS_PER_S;
    if (times.p && feed_read_times(&q->feed, times, &err) != 0)
        return refuse(rq, "flush_at", &err);
    return 0;
}

static int read_question(struct http_request *rq, struct flush_question *q) {
    struct span format = http_arg(rq, "format");
    int known = format.p ? payload_format_of(format) : PAYLOAD_JSON;
    if (known < 0) {
        http_error(rq, 400, "format must be " FORMATS ", not '%.*s'", SPAN_ARG(format));
        return -1;
    }
    q->format = (enum payload_format)known;
    q->only = http_arg(rq, "name");
    return read_agent(rq, &q->feed.agent) || read_times(rq, q) ? -1 : 0;
}

static struct flush_answer *new_answer(struct http_request *rq, const struct flush_question *q) {
    struct err err = {0};
    struct flush_answer *a = calloc(1, sizeof *a);
    struct flushes *flushes = a ? flush_new(q, &err) : NULL;
    if (!flushes) {
        http_error(rq, err.set ? 400 : 503, "%s", err.set ? err.text : "out of memory");
        free(a);
        return NULL;
    }
    *a = (struct flush_answer){.rq = rq, .flushes = flushes, .page = {.max = PAGE_MAX}};
    rq->answer.content_type = payload_content_type(q->format);
    return a;
}

void control_flush(struct http_request *rq) {
    static const char *const names[] = {"session",
                                        "since",
                                        "name",
                                        "format",
                                        "flush_at",
                                        "explain",
                                        "hostname",
                                        "interval_s",
                                        "histogram_aggregates",
                                        "histogram_percentiles"};
    struct flush_question q = {.only = {NULL, 0}};
    struct ingest_session session;
    uint64_t last_id;
    struct span since = http_arg(rq, "since");
    if (ask_only(rq, sizeof names / sizeof names[0], names) != 0 ||
        ask_sessions(rq, http_arg(rq, "session"), &session) < 0)
        return;
    if (since.p && !ask_u64(since, &q.feed.filter.since)) {
        http_error(rq, 400, "since must be a mark (POST /recorder/v1/marks gives one), not '%.*s'",
                   SPAN_ARG(since));
        return;
    }
    if (read_question(rq, &q) != 0 || ask_barrier(rq, session.id, &last_id) != 0 ||
        ask_marks(rq, q.feed.filter.since, 0, last_id) != 0) {
        free(q.feed.at_ns);
        return;
    }
    q.feed.filter.session = span_str(session.id == INGEST_ALL ? NULL : session.name);
    q.feed.filter.until =
        rq->http->options.view ? 0 : last_id; /* 0: up to the end, as the first page finds it */
    struct flush_answer *a = new_answer(rq, &q);
    free(q.feed.at_ns);
    if (!a)
        return;
    a->session = session;
    a->job = (struct job){.run = run_first, .length = ask_length(rq, true)};
    http_suspend(rq);
    if (work_put(rq->http->work, &a->job))
        return;
    http_error(rq, 503, "the server is stopping");
    answer_free(a);
    http_resume(rq);
}
