/* GET /recorder/v1/stream: Server-Sent Events, one for each new sample, event, service check and reject, in
 * the order of arrival.
 *
 *     id: 17
 *     event: sample
 *     data: {"id":17,…}
 *
 * DESIGN. A subscriber is a cursor over the recording. When it has caught up its connection sleeps until the
 * next commit; then libmicrohttpd asks for bytes again and the next window of ids is read. A slow client
 * falls behind but loses nothing, and what it has not read yet costs no memory. It starts at the present, at
 * `since`, or after Last-Event-ID. When the session it is about ends, so does the stream, with an event `end`.
 */
#include "control/batch.h"
#include "control/control.h"
#include "core/clock.h"
#include "core/log.h"
#include "http/watch.h"
#include "render/rows.h"
#include <inttypes.h>
#include <stdlib.h>

#define WINDOW_IDS   256                 /* records looked at in one go */
#define KEEPALIVE_NS (15 * NS_PER_S)     /* a comment, so that nobody takes silence for a broken connection */
#define WINDOW_MAX   ((size_t)128 << 20) /* bytes of what they become */
#define WINDOW_KEPT  ((size_t)1 << 20)   /* of them kept from one window to the next */

struct message {
    uint64_t id;
    size_t at, n;
};

struct sent_stream {
    struct waiter waiter;
    struct http_request *rq;
    struct ask ask;
    uint64_t cursor;                /* the newest id looked at */
    uint64_t commits;               /* when it was looked at */
    uint64_t session_id, n_forgets; /* watch_forgets then; session_id 0: the stream is about all sessions */
    struct buf text;
    struct message messages[WINDOW_IDS];
    size_t n_messages, next; /* the one being sent */
    size_t at;               /* bytes of it that were sent */
    bool keepalive, stopping;
};

static bool session_ended(const struct sent_stream *s) {
    struct ingest_session session;
    struct err ignored = {0};
    return s->session_id &&
           (ingest_session_find(s->rq->http->ingest, span_str(s->ask.session), &session, &ignored) ||
            session.id != s->session_id);
}

static int say_end(struct sent_stream *s) {
    buf_printf(
        &s->text,
        "event: end\ndata: {\"error\":\"the session '%s' has ended: it was removed, or its time to live is "
        "over\"}\n\n",
        s->ask.session);
    s->messages[s->n_messages++] = (struct message){.n = s->text.n};
    s->stopping = true;
    return s->text.failed ? -1 : 1;
}

static int add(struct sent_stream *s, uint64_t id, const char *event,
               void (*write)(struct buf *, const void *), const void *row) {
    if (s->n_messages == WINDOW_IDS)
        return 1;
    struct message *m = &s->messages[s->n_messages++];
    m->id = id;
    m->at = s->text.n;
    buf_printf(&s->text, "id: %" PRIu64 "\nevent: %s\ndata: ", id, event);
    write(&s->text, row);
    buf_str(&s->text, "\n\n");
    m->n = s->text.n - m->at;
    return s->text.failed;
}

#define ADDER(name, type, event)                                                                             \
    static void write_##name(struct buf *b, const void *row) {                                               \
        rows_##name##_json(b, (const struct type *)row);                                                     \
    }                                                                                                        \
    static int add_##name(void *arg, const struct type *row) {                                               \
        return add(arg, row->id, event, write_##name, row);                                                  \
    }
ADDER(sample, sample_row, "sample")
ADDER(event, event_row, "event")
ADDER(check, check_row, "service_check")
ADDER(reject, reject_row, "reject")

static int by_id(const void *a, const void *b) {
    uint64_t x = ((const struct message *)a)->id, y = ((const struct message *)b)->id;
    return (x > y) - (x < y);
}

/* Reads the records of the next WINDOW_IDS ids. */
static int read_window(struct sent_stream *s, struct reader *r, struct err *err) {
    const struct reader_ops *ops = r->ops;
    uint64_t last_id;
    if (ops->last_id(r, &last_id, err) != 0)
        return -1;
    struct filter f = s->ask.filter;
    f.since = s->cursor;
    f.until = last_id - s->cursor > WINDOW_IDS ? s->cursor + WINDOW_IDS : last_id;
    if (last_id <= s->cursor)
        return 0;
    struct span type = s->ask.type;
    bool all = !type.p, metric = s->ask.filter.has_type || span_eq(type, SPAN("metric"));
    bool check = span_eq(type, SPAN("check")) || span_eq(type, SPAN("service_check"));
    int failed = (all || metric) && ops->samples(r, &f, true, add_sample, s, err);
    failed = failed || ((all || span_eq(type, SPAN("event"))) && ops->events(r, &f, add_event, s, err));
    failed = failed || ((all || check) && ops->checks(r, &f, add_check, s, err));
    failed = failed || (all && ops->rejects(r, &f, add_reject, s, err));
    s->cursor = f.until;
    return failed || s->text.failed ? -1 : 0;
}

/* 1: there is something to send; 0: nothing is new; -1: failed. */
static int next_window(struct sent_stream *s) {
    struct err err = {0};
    if (s->text.cap > WINDOW_KEPT) {
        buf_free(&s->text);
        s->text = (struct buf){.max = WINDOW_MAX};
    }
    buf_clear(&s->text);
    s->commits = pipeline_commits(s->rq->http->pipeline);
    s->n_forgets = watch_forgets(s->rq->http, s->session_id);
    s->n_messages = s->next = s->at = 0;
    struct reader *r = store_reader_take(s->rq->http->store, &err);
    int failed = !r || r->ops->begin(r, &err);
    if (!failed) {
        uint64_t before;
        do {
            before = s->cursor;
            failed = read_window(s, r, &err);
        } while (!failed && s->n_messages == 0 && s->cursor != before);
        r->ops->end(r);
    }
    if (r)
        store_reader_give(s->rq->http->store, r);
    if (failed) {
        log_warning("a stream ends: %s", err.text);
        return -1;
    }
    if (s->n_messages == 0 && session_ended(s))
        return say_end(s);
    qsort(s->messages, s->n_messages, sizeof s->messages[0], by_id);
    return s->n_messages > 0;
}

static bool stream_look(struct waiter *w) {
    struct sent_stream *s = (struct sent_stream *)w;
    return pipeline_commits(s->rq->http->pipeline) != s->commits || /* what it holds, reading tells */
           watch_forgets(s->rq->http, s->session_id) != s->n_forgets;
}

static void stream_wake(struct waiter *w, enum watch_why why) {
    struct sent_stream *s = (struct sent_stream *)w;
    s->keepalive = why == WATCH_DUE;
    s->stopping = why == WATCH_STOP || why == WATCH_GONE || why == WATCH_FAILED;
    http_resume(s->rq);
}

static void sleep_until_commit(struct sent_stream *s) {
    s->waiter = (struct waiter){.fd = http_socket(s->rq),
                                .due_mono_ns = clock_mono_ns() + KEEPALIVE_NS,
                                .look = stream_look,
                                .wake = stream_wake};
    http_stream_pause(s->rq);
    watch_add(s->rq->http->watch, &s->waiter);
}

static size_t send_messages(struct sent_stream *s, char *to, size_t max) {
    size_t sent = 0;
    while (s->next < s->n_messages && sent < max) {
        const struct message *m = &s->messages[s->next];
        size_t n = m->n - s->at;
        n = n < max - sent ? n : max - sent;
        memcpy(to + sent, s->text.p + m->at + s->at, n);
        sent += n;
        s->at += n;
        if (s->at == m->n) {
            s->next++;
            s->at = 0;
        }
    }
    return sent;
}

static ssize_t stream_read(void *arg, char *to, size_t max) {
    struct sent_stream *s = arg;
    if (s->next == s->n_messages) {
        if (s->stopping)
            return HTTP_STREAM_END;
        int more = next_window(s);
        if (more < 0)
            return HTTP_STREAM_FAILED;
        if (more == 0 && s->keepalive && max >= 3) {
            s->keepalive = false;
            memcpy(to, ":\n\n", 3);
            return 3;
        }
        if (more == 0) {
            sleep_until_commit(s);
            return 0;
        }
    }
    return (ssize_t)send_messages(s, to, max);
}

static void stream_free(void *arg) {
    struct sent_stream *s = arg;
    buf_free(&s->text);
    free(s);
}

void control_stream(struct http_request *rq) {
    struct ask ask;
    struct ingest_session session = {0};
    uint64_t last_id;
    struct span resume = http_header(rq, "Last-Event-ID");
    if (ask_list(rq, ASK_NAMES("every_ms", "rows"), &ask) != 0)
        return;
    bool batches = http_arg(rq, "every_ms").p != NULL;
    if (!batches && http_arg(rq, "rows").p) {
        http_error(rq, 400, "rows goes together with every_ms");
        return;
    }
    if (batches && ask.type.p && !ask.filter.has_type) {
        http_error(rq, 400, "batches hold samples alone: type must be one of " METRIC_WORDS);
        return;
    }
    if (ask.newest || ask.cursor || ask.filter.until || http_arg(rq, "limit").p) {
        http_error(rq, 400, "a stream takes neither until nor limit nor cursor nor newest");
        return;
    }
    if ((ask.filter.session.p && ask_session(rq, ask.filter.session, &session) != 0) ||
        ask_settled(rq, session.id, &last_id) != 0 || ask_marks(rq, ask.filter.since, 0, last_id) != 0)
        return;
    uint64_t cursor = 0;
    if (!ask_u64(resume, &cursor))
        cursor = http_arg(rq, "since").p ? ask.filter.since : last_id;
    if (batches) {
        batch_answer(rq, &ask, session.id, cursor);
        return;
    }
    struct sent_stream *s = calloc(1, sizeof *s);
    if (!s) {
        http_error(rq, 503, "out of memory");
        return;
    }
    s->rq = rq;
    s->ask = ask;
    s->ask.filter.tags = s->ask.tags;
    if (ask.filter.session.p)
        s->ask.filter.session = span_str(s->ask.session);
    s->session_id = session.id;
    s->text.max = WINDOW_MAX;
    s->cursor = cursor;
    s->keepalive = true; /* the headers go out at once, with a comment */
    rq->answer.content_type = "text/event-stream";
    http_add_header(rq, "Cache-Control", "no-store");
    rq->answer.stream = stream_read;
    rq->answer.stream_free = stream_free;
    rq->answer.stream_arg = s;
}
