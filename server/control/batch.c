/* A stream of batches: at most one event in a period, however much arrives (batch_event.h).
 *
 * A worker makes it, one of those for what may take long: libmicrohttpd's thread has others' connections to serve, and a short question
 * shall not wait behind it.
 *
 * DESIGN. An event that took long shall be followed by a pause of PAUSE_FACTOR times as long: a reader of batches then takes a fortieth
 * of a core. But whoever looks would see new series late. So a pause is no longer than PAUSE_MAX_NS, or PAUSE_LEAST_FACTOR times the work
 * where that is more: a reader takes a tenth of a core at most, whatever an event costs. What is left of the pause is owed. As long as
 * more than a whole usual pause is owed, events look at the newest part of what came (batch_event.h, `brief`), which is soon done. A client
 * that reads slowly gets fewer events, not more.
 */
#include "control/batch.h"

#include "control/batch_event.h"
#include "core/clock.h"
#include "core/log.h"
#include "http/watch.h"
#include "http/work.h"
#include <stdlib.h>

#define KEEPALIVE_NS       (15 * NS_PER_S) /* a comment, so that nobody takes silence for a broken connection */
#define PAUSE_FACTOR       40
#define PAUSE_LEAST_FACTOR 10 /* from the beginning of the event on */
#define PAUSE_MAX_NS       (250 * NS_PER_MS)
#define OWED_MAX_NS        (5 * NS_PER_S) /* more is not made up for: the machine was busy */

struct batches {
    struct waiter waiter;
    struct job job;
    int more; /* by the job; 1: there is an event, 0: nothing came, -1: failed */
    struct http_request *rq;
    struct ask ask;
    uint64_t session_id; /* 0: all */
    uint64_t replaced;   /* store_view_replaced when it began */
    int64_t every_ns, sent_mono_ns, owed_ns;
    bool stopping;
    struct batch_event event;
    size_t at; /* bytes of the event that were sent */
};

static bool session_ended(const struct batches *s) {
    struct ingest_session session;
    struct err ignored = {0};
    return s->session_id && !s->rq->http->options.view &&
           (ingest_session_find(s->rq->http->ingest, span_str(s->ask.session), &session, &ignored) ||
            session.id != s->session_id);
}

static int make_event(struct batches *s) {
    struct err err = {0};
    struct store *store = s->rq->http->store;
    s->at = 0;
    struct reader *reader = store_reader_take(store, &err);
    int more = reader && reader->ops->begin(reader, &err) == 0 ? 0 : -1;
    if (more == 0) {
        more = batch_event_read(&s->event, reader, &err);
        reader->ops->end(reader);
    }
    if (reader)
        store_reader_give(store, reader);
    if (more < 0)
        log_warning("a stream ends: %s", err.set ? err.text : "out of memory");
    if (more <= 0)
        buf_clear(&s->event.text);
    if (more >= 0 && store_view_replaced(store) != s->replaced) {
        buf_clear(&s->event.text);
        buf_str(&s->event.text, BATCH_REPLACED);
        s->stopping = true;
        return 1;
    }
    if (more == 0 && session_ended(s)) {
        buf_printf(&s->event.text,
                   "event: end\ndata: {\"error\":\"the session '%s' has ended: it was removed, or its "
                   "time to live is over\"}\n\n",
                   s->ask.session);
        s->stopping = true;
        return 1;
    }
    return more;
}

static void batch_wake(struct waiter *w, enum watch_why why) {
    struct batches *s = (struct batches *)w;
    s->stopping = s->stopping || why != WATCH_DUE;
    http_resume(s->rq);
}

static void sleep_until(struct batches *s, int64_t due_mono_ns) {
    s->waiter = (struct waiter){.fd = http_socket(s->rq), .due_mono_ns = due_mono_ns, .wake = batch_wake};
    http_stream_pause(s->rq);
    watch_add(s->rq->http->watch, &s->waiter);
}

/* What this thread has worked: on a busy machine less than has passed. */
static int64_t worked_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* How long to rest after so much work: as much as is owed by now, but not for too long at once. */
static int64_t pause_of(struct batches *s, int64_t work_ns) {
    int64_t usual = s->every_ns > PAUSE_MAX_NS ? s->every_ns : PAUSE_MAX_NS;
    int64_t least = PAUSE_LEAST_FACTOR * work_ns, most = usual > least ? usual : least;
    int64_t owed = s->owed_ns + PAUSE_FACTOR * work_ns;
    int64_t pause = owed > most ? most : owed < s->every_ns ? s->every_ns : owed;
    owed = owed > pause ? owed - pause : 0;
    s->owed_ns = owed > OWED_MAX_NS ? OWED_MAX_NS : owed;
    s->event.brief = s->owed_ns > usual;
    return pause;
}

static void run_batch(struct job *job) {
    struct batches *s = (struct batches *)((char *)job - offsetof(struct batches, job));
    int64_t began = clock_mono_ns(), worked = worked_ns();
    s->more = make_event(s);
    s->waiter.due_mono_ns = began + pause_of(s, worked_ns() - worked);
    if (s->more == 0 && began - s->sent_mono_ns > KEEPALIVE_NS)
        buf_str(&s->event.text, ":\n\n");
    if (s->event.text.n > 0)
        s->sent_mono_ns = began;
    http_resume(s->rq);
}

static void make_later(struct batches *s) {
    s->job = (struct job){.run = run_batch, .length = WORK_LONG};
    http_stream_pause(s->rq);
    if (work_put(s->rq->http->work, &s->job))
        return;
    s->stopping = true;
    http_resume(s->rq);
}

static ssize_t batch_read(void *arg, char *to, size_t max) {
    struct batches *s = arg;
    if (s->at == s->event.text.n) {
        if (s->stopping)
            return HTTP_STREAM_END;
        if (s->more < 0)
            return HTTP_STREAM_FAILED;
        if (s->waiter.due_mono_ns <= clock_mono_ns())
            make_later(s);
        else /* an event was sent, or there was none, and its period is not over */
            sleep_until(s, s->waiter.due_mono_ns);
        return 0;
    }
    size_t n = s->event.text.n - s->at < max ? s->event.text.n - s->at : max;
    memcpy(to, s->event.text.p + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

static void batch_free(void *arg) {
    struct batches *s = arg;
    batch_event_free(&s->event);
    free(s);
}

void batch_answer(struct http_request *rq, const struct ask *ask, uint64_t session_id, uint64_t cursor,
                  uint64_t replaced) {
    uint64_t every_ms = 0, rows = BATCH_ROWS_DEFAULT;
    if (ask_number(rq, "every_ms", BATCH_EVERY_MIN_MS, BATCH_EVERY_MAX_MS, &every_ms) != 0 ||
        ask_number(rq, "rows", 1, BATCH_ROWS_MAX, &rows) != 0)
        return;
    struct batches *s = calloc(1, sizeof *s);
    if (!s) {
        http_error(rq, 503, "out of memory");
        return;
    }
    s->rq = rq;
    s->ask = *ask;
    batch_event_init(&s->event);
    s->event.filter = ask->filter;
    s->event.filter.tags = s->ask.tags;
    if (ask->filter.session.p)
        s->event.filter.session = span_str(s->ask.session);
    s->event.rows = rows;
    s->event.cursor = cursor;
    s->event.session_id = session_id;
    s->session_id = session_id;
    s->replaced = replaced;
    s->every_ns = (int64_t)every_ms * NS_PER_MS;
    s->sent_mono_ns = INT64_MIN / 2; /* the headers go out at once, with a comment */
    rq->answer.content_type = "text/event-stream";
    http_add_header(rq, "Cache-Control", "no-store");
    rq->answer.stream = batch_read;
    rq->answer.stream_free = batch_free;
    rq->answer.stream_arg = s;
}
