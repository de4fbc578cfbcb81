/* GET /recorder/v1/stream: Server-Sent Events, one for each new sample, event, service check and reject, in
 * the order of arrival.
 *
 *     id: 17
 *     event: sample
 *     data: {"id":17,…}
 *
 * DESIGN. A subscriber is a cursor over the recording. When it has caught up its connection sleeps until the
 * next commit, and at least PACE_NS; then libmicrohttpd asks for bytes again and the next window of ids is read, or
 * taken from a stream that has read it before (window.h). A slow client
 * falls behind but loses nothing, and what it has not read yet costs no memory. It starts at the present, at
 * `since`, or after Last-Event-ID. When the session it is about ends, so does the stream, with an event `end`.
 */
#include "control/batch.h"
#include "control/control.h"
#include "control/window.h"
#include "core/clock.h"
#include "core/log.h"
#include "http/watch.h"
#include <stdlib.h>

#define KEEPALIVE_NS (15 * NS_PER_S)  /* a comment, so that nobody takes silence for a broken connection */
#define PACE_NS      (10 * NS_PER_MS) /* between two looks while records keep coming */

struct sent_stream {
    struct waiter waiter;
    struct http *http;
    struct http_request *rq;
    struct ask ask;
    uint64_t cursor;                /* the newest id looked at */
    uint64_t commits;               /* before it was looked at */
    uint64_t session_id, n_forgets; /* watch_forgets then; session_id 0: the stream is about all sessions */
    uint64_t replaced;              /* store_view_replaced when it began */
    int64_t looked_mono_ns;         /* and in nanoseconds */
    struct window *window;          /* that is being sent; NULL: none */
    const char *text;               /* its text, or the last words */
    const struct window_event *events;
    size_t n_events, next; /* the one being sent */
    size_t at;             /* bytes of it that were sent */
    bool has_all;          /* behind the window was nothing */
    struct buf end;        /* the last words */
    struct window_event last;
    bool keepalive, stopping;
};

static bool session_ended(const struct sent_stream *s) {
    struct ingest_session session;
    struct err ignored = {0};
    return s->session_id && !s->http->options.view &&
           (ingest_session_find(s->rq->http->ingest, span_str(s->ask.session), &session, &ignored) ||
            session.id != s->session_id);
}

static int say_end(struct sent_stream *s, bool replaced) {
    if (replaced)
        buf_str(&s->end, BATCH_REPLACED);
    else
        buf_printf(
            &s->end,
            "event: end\ndata: {\"error\":\"the session '%s' has ended: it was removed, or its time to live is "
            "over\"}\n\n",
            s->ask.session);
    s->last = (struct window_event){.n = s->end.n};
    s->events = &s->last;
    s->n_events = 1;
    s->text = s->end.p;
    s->stopping = true;
    return s->end.failed ? -1 : 1;
}

/* 1: there is something to send; 0: nothing is new; -1: failed. */
static int next_window(struct sent_stream *s) {
    struct http *h = s->rq->http;
    struct err err = {0};
    s->commits = watch_commits(h);
    s->n_forgets = watch_forgets(h, s->session_id);
    s->looked_mono_ns = clock_mono_ns();
    s->next = s->at = s->n_events = 0;
    uint64_t before, since;
    do {
        before = since = s->cursor;
        window_drop(h, s->window);
        s->window = window_next(h, &s->ask, s->n_forgets, &s->cursor, &err);
        if (!s->window) {
            log_warning("a stream ends: %s", err.text);
            return -1;
        }
        s->events = window_events(s->window, since, &s->n_events);
        s->text = window_text(s->window);
    } while (s->n_events == 0 && s->cursor != before);
    bool replaced = store_view_replaced(h->store) != s->replaced; /* the cursor is not its */
    if (replaced || (s->n_events == 0 && session_ended(s)))
        return say_end(s, replaced);
    uint64_t commits;
    s->has_all = s->n_events > 0 && window_is_last(s->window, &commits);
    if (s->has_all)
        s->commits = commits;
    return s->n_events > 0;
}

static bool stream_look(struct waiter *w) {
    struct sent_stream *s = (struct sent_stream *)w;
    if (watch_forgets(s->rq->http, s->session_id) != s->n_forgets)
        return true;
    if (watch_commits(s->rq->http) == s->commits)
        return false;
    /* What it holds, reading tells. */
    int64_t next = s->looked_mono_ns + PACE_NS;
    if (clock_mono_ns() < next)
        w->due_mono_ns = next;
    return w->due_mono_ns != next;
}

static void stream_wake(struct waiter *w, enum watch_why why) {
    struct sent_stream *s = (struct sent_stream *)w;
    s->keepalive = why == WATCH_DUE;
    s->stopping = why == WATCH_STOP || why == WATCH_GONE || why == WATCH_FAILED;
    http_resume(s->rq);
}

static void wait_for_commit(struct sent_stream *s) {
    s->waiter = (struct waiter){.fd = http_socket(s->rq),
                                .due_mono_ns = clock_mono_ns() + KEEPALIVE_NS,
                                .look = stream_look,
                                .wake = stream_wake};
    watch_add(s->rq->http->watch, &s->waiter);
}

static void stream_paced(struct waiter *w, enum watch_why why) {
    struct sent_stream *s = (struct sent_stream *)w;
    if (why != WATCH_DUE)
        stream_wake(w, why);
    else if (watch_commits(s->http) == s->commits && watch_forgets(s->http, s->session_id) == s->n_forgets)
        wait_for_commit(s);
    else
        stream_wake(w, WATCH_LOOKED);
}

/* Who has just been sent something waits for no commit yet: each one that somebody waits for comes at once. */
static void sleep_a_moment(struct sent_stream *s) {
    s->waiter = (struct waiter){.fd = -1, .due_mono_ns = s->looked_mono_ns + PACE_NS, .wake = stream_paced};
    http_stream_pause(s->rq);
    watch_add(s->http->watch, &s->waiter);
}

static void sleep_until_commit(struct sent_stream *s) {
    http_stream_pause(s->rq);
    wait_for_commit(s);
}

static size_t send_messages(struct sent_stream *s, char *to, size_t max) {
    size_t sent = 0;
    while (s->next < s->n_events && sent < max) {
        const struct window_event *m = &s->events[s->next];
        size_t n = m->n - s->at;
        n = n < max - sent ? n : max - sent;
        memcpy(to + sent, s->text + m->at + s->at, n);
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
    if (s->next == s->n_events) {
        if (s->stopping)
            return HTTP_STREAM_END;
        if (s->has_all && !session_ended(s)) {
            s->has_all = false;
            sleep_a_moment(s);
            return 0;
        }
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
    windows_end(s->http, s->window); /* the request may be gone */
    buf_free(&s->end);
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
    uint64_t replaced = store_view_replaced(rq->http->store); /* before anything of it is known */
    if (rq->http->options.view > 1 && !ask.filter.session.p) {
        http_error(rq, 400,
                   "a stream of two recordings is about one session: their records come in no common order");
        return;
    }
    if ((ask.filter.session.p && ask_going_on(rq, ask.filter.session, &session) != 0) ||
        ask_settled(rq, session.id, &last_id) != 0 || ask_marks(rq, ask.filter.since, 0, last_id) != 0)
        return;
    uint64_t cursor = 0;
    if (!ask_u64(resume, &cursor))
        cursor = http_arg(rq, "since").p ? ask.filter.since : last_id;
    if (cursor > last_id) /* an event of another recording: all of this one is new */
        cursor = 0;
    if (cursor <
        READER_IDS_BEFORE(session.id)) /* a mark of the first recording: all of the second came later */
        cursor = READER_IDS_BEFORE(session.id);
    if (batches) {
        batch_answer(rq, &ask, session.id, cursor, replaced);
        return;
    }
    struct sent_stream *s = calloc(1, sizeof *s);
    if (!s) {
        http_error(rq, 503, "out of memory");
        return;
    }
    s->http = rq->http;
    s->rq = rq;
    windows_begin(rq->http);
    s->ask = ask;
    s->ask.filter.tags = s->ask.tags;
    if (ask.filter.session.p)
        s->ask.filter.session = span_str(s->ask.session);
    s->session_id = session.id;
    s->replaced = replaced;
    s->cursor = cursor;
    s->keepalive = true; /* the headers go out at once, with a comment */
    rq->answer.content_type = "text/event-stream";
    http_add_header(rq, "Cache-Control", "no-store");
    rq->answer.stream = stream_read;
    rq->answer.stream_free = stream_free;
    rq->answer.stream_arg = s;
}
