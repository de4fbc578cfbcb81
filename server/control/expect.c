/* POST /recorder/v1/expect.
 *
 * DESIGN. A question that is surely short is judged on the connection's own thread: two hand-overs would cost
 * more than the judging. Any other sleeps until its barrier is reached, and while a worker judges it. One that does not hold yet and may wait
 * joins the watch thread, which feeds its judge with each new record that it waits for once; whoever decides (holds, can't be
 * mended, time is up) hands it to a worker for the report.
 *
 *     handler -> [loop -> worker] -> judge_start -> decided -> report -> answer
 *                                        -> waiting (watch) -> decided -> worker -> report -> answer
 *
 * question.c reads the request. This file judges, waits and answers.
 */
#include "control/ask.h"
#include "control/control.h"
#include "control/question.h"
#include "control/verdicts.h"
#include "core/clock.h"
#include "flushed/flushed.h"
#include "http/follow.h"
#include "http/park.h"
#include "http/reading.h"
#include <stdlib.h>

#define SHORT_SAMPLES 20000 /* recorded, and nothing waits to be; and */
#define SHORT_BODY    8192  /* bytes of question: judged at once */

static struct question *of_job(struct job *job) {
    return (struct question *)((char *)job - offsetof(struct question, job));
}

/* --- answering ------------------------------------------------------------------------------------------- */

/* Losses that a full disk does not let us write down count all the same. Those from before the recording was read do, too: what was written
 * down meanwhile is not in what was read. */
static void note_unsaved_loss(struct question *q) {
    uint64_t now = pipeline_unsaved_loss(q->rq->http->pipeline);
    uint64_t n = now > q->waiter.unsaved ? now : q->waiter.unsaved;
    struct loss_row row = {.id = UINT64_MAX, /* later than any mark */
                           .at = clock_wall_ns(),
                           .loss = LOSS_DISK_FULL,
                           .n = n,
                           .detail = SPAN("not written down yet")};
    if (n)
        judge_take_loss(q->judge, &row);
}

static int report(struct question *q, struct reader *r, struct err *err) {
    note_unsaved_loss(q);
    json_t *answer = judge_report(q->judge, r, err);
    if (!answer)
        return -1;
    double waited_ms = (double)(clock_mono_ns() - q->asked_mono_ns) / (double)NS_PER_MS;
    json_object_set_new(answer, "waited_ms", json_real(waited_ms));
    struct buf *body = &q->rq->answer.body;
    int failed = ask_dump(body, answer);
    if (!failed && q->keep)
        verdicts_keep(q->rq, SPAN("expect"), span_str(q->waiter.session), answer, buf_view(body));
    buf_char(body, '\n');
    json_decref(answer);
    return failed ? err_set(err, 0, "out of memory for the report") : 0;
}

/* --- judging --------------------------------------------------------------------------------------------- */

/* Whether the answer is known now; else when to look again even if nothing comes. */
static bool decided(struct question *q, int64_t now) {
    enum verdict verdict = judge_verdict(q->judge);
    if (verdict == VERDICT_PASS && q->settle_ns == 0)
        return true;
    if (verdict == VERDICT_PASS) {
        int64_t quiet = q->quiet_mono_ns + q->settle_ns,
                last = q->deadline_mono_ns + JUDGE_SETTLES_MAX * q->settle_ns;
        q->waiter.due_mono_ns = quiet < last ? quiet : last;
        return now >= q->waiter.due_mono_ns;
    }
    q->waiter.due_mono_ns = q->deadline_mono_ns;
    /* What more samples make of a point of Datadog's, nobody knows. */
    return now >= q->deadline_mono_ns || (!q->as_datadog && judge_final(q->judge));
}

/* Runs with a reader that looks at one moment of the recording; 1: the report is made, 0: not decided yet. */
static int begin_judging(struct question *q, struct reader *r, struct err *err) {
    if (judge_start(q->judge, r, err) != 0 || follow_newest_series(r, &q->waiter.series, err) != 0)
        return -1;
    int64_t now = clock_mono_ns();
    if (!q->quiet_mono_ns)
        q->quiet_mono_ns = now;
    if (!decided(q, now))
        return 0;
    return report(q, r, err) == 0 ? 1 : -1;
}

/* The same of what Datadog has of this moment. */
static int with_view(struct question *q, struct reader *r,
                     int (*fn)(struct question *, struct reader *, struct err *), struct err *err) {
    struct flushed_options options = {.session =
                                          q->all_sessions ? SPAN(EVERY_SESSION) : span_str(q->waiter.session),
                                      .since = judge_since(q->judge),
                                      .until = judge_until(q->judge),
                                      .histograms = q->rq->http->options.histograms};
    int64_t began = clock_mono_ns();
    struct reader *view = flushed_open(r, &options, err);
    int result = view ? fn(q, view, err) : -1;
    reader_close(view);
    q->too_much = !view;
    /* Under a flood most of the time goes to other work than judging the same again. */
    q->look_mono_ns = clock_mono_ns() + 4 * (clock_mono_ns() - began);
    return result;
}

static int with_reader(struct question *q, int (*fn)(struct question *, struct reader *, struct err *)) {
    struct err err = {0};
    struct reader *r = http_read_begin(q->rq->http, q->waiter.session_id, span_str(q->waiter.session), &err);
    int result = !r ? -1 : q->as_datadog ? with_view(q, r, fn, &err) : fn(q, r, &err);
    http_read_end(q->rq->http, r);
    struct err limit = {0};
    if (result < 0 && http_read_gone(&err))
        http_error(q->rq, 404, "%s", err.text);
    else if (result < 0)
        http_error(
            q->rq,
            http_read_status(q->rq, &err, judge_within_limits(q->judge, &limit) && !q->too_much ? 500 : 422),
            "cannot judge: %s", err.text);
    return result;
}

static uint64_t forgets(const struct question *q) {
    return watch_forgets(q->rq->http, q->waiter.session_id);
}

/* One of the same name may have been opened since: that is not the one that was asked about. */
static bool session_ended(struct question *q) {
    struct ingest_session session;
    struct err ignored = {0};
    if (q->waiter.session_id == INGEST_ALL)
        return false;
    struct span name = span_str(q->waiter.session);
    bool there = q->ended ? ask_recorded(q->rq, name, &session) == 1
                          : ingest_session_find(q->rq->http->ingest, name, &session, &ignored) == 0;
    if (there && session.id == q->waiter.session_id)
        return false;
    http_error(
        q->rq, 404,
        "the session '%s' has ended while it was asked about: it was removed, or its time to live is over",
        q->waiter.session);
    return true;
}

/* Whether the answer is complete (an error is one too); else the question must wait. */
static bool judge_to(struct question *q, uint64_t last_id) {
    q->n_forgets = forgets(q);
    if (session_ended(q))
        return true;
    if (ask_marks(q->rq, judge_since(q->judge), judge_until(q->judge), last_id) != 0)
        return true;
    q->waiter.unsaved = pipeline_unsaved_loss(q->rq->http->pipeline);
    if (with_reader(q, begin_judging) != 0)
        return true;
    q->waiter.cursor = judge_seen(q->judge);
    return false;
}

static bool judge_now(struct question *q) {
    uint64_t last_id;
    return ask_barrier(q->rq, q->waiter.session_id, &last_id) != 0 || judge_to(q, last_id);
}

/* {"error","line"?,…} together with `verdict` and `text`, because many clients look only at those two. */
static void put_verdict(struct http_request *rq) {
    struct buf *body = &rq->answer.body;
    json_t *answer = rq->answer.status == 400 ? json_loadb(body->p, body->n, 0, NULL) : NULL;
    const char *error = json_string_value(json_object_get(answer, "error")),
               *excerpt = json_string_value(json_object_get(answer, "excerpt"));
    if (error) {
        json_object_set_new(answer, "verdict", json_string("error"));
        json_object_set_new(answer, "text",
                            json_sprintf("%s%s%s\n", error, excerpt ? "\n" : "", excerpt ? excerpt : ""));
        buf_clear(body);
        ask_dump(body, answer);
        buf_char(body, '\n');
    }
    json_decref(answer);
}

static void answer(struct question *q) {
    struct http_request *rq = q->rq;
    put_verdict(rq);
    question_free(q);
    http_resume(rq);
}

static void run_report(struct job *job) {
    struct question *q = of_job(job);
    struct err err = {0};
    if (judge_report_reads(q->judge))
        with_reader(q, report);
    else if (report(q, NULL, &err) != 0)
        http_error(q->rq, 500, "cannot judge: %s", err.text);
    answer(q);
}

static void run_again(struct job *job);

static bool question_look(struct waiter *w) {
    struct question *q = (struct question *)w;
    int64_t now = clock_mono_ns();
    if (w->n_taken != q->n_taken) {
        q->n_taken = w->n_taken;
        q->quiet_mono_ns = now;
    }
    q->again = forgets(q) != q->n_forgets;
    if (q->as_datadog && w->n_taken != 0 && !q->again) {
        q->again = now >= q->look_mono_ns || now >= q->deadline_mono_ns;
        w->due_mono_ns = q->look_mono_ns < q->deadline_mono_ns ? q->look_mono_ns : q->deadline_mono_ns;
        return q->again;
    }
    return q->again || decided(q, now);
}

static void question_wake(struct waiter *w, enum watch_why why) {
    struct question *q = (struct question *)w;
    struct http_request *rq = q->rq;
    struct err err = {0};
    bool within;
    q->job.run = q->again || q->as_datadog ? run_again : run_report;
    switch (why) {
    case WATCH_LOOKED:
    case WATCH_READY:
    case WATCH_DUE:
        q->job.length = ask_length(rq, judge_reads_samples(q->judge));
        if (work_put(rq->http->work, &q->job))
            return;
        http_error(rq, 503, "the server is stopping");
        break;
    case WATCH_STOP:
        http_error(rq, 503, "the server is stopping");
        break;
    case WATCH_FAILED:
        within = judge_within_limits(q->judge, &err);
        if (within)
            err_set(&err, 0, w->failed ? "out of memory" : "what was recorded since cannot be read");
        http_error(rq, within ? 500 : 422, "cannot judge: %s", err.text);
        break;
    case WATCH_GONE:
        rq->abandoned = true;
        break;
    }
    answer(q);
}

static int count_loss(void *taker, const struct loss_row *row) {
    (void)taker, (void)row;
    return 0;
}
/* What Datadog has is judged from the start each time: the watch only says that something came. */
static const struct record_taker counts_only = {.loss = count_loss};

static void wait_for_more(struct question *q) {
    q->waiter.fd = http_socket(q->rq);
    q->waiter.look = question_look;
    q->waiter.wake = question_wake;
    q->waiter.takes = q->as_datadog ? &counts_only : &judge_takes;
    q->waiter.taker = q->judge;
    q->waiter.counts = q->settle_ns > 0;
    watch_add(q->rq->http->watch, &q->waiter);
}

static void run_question(struct job *job) {
    struct question *q = of_job(job);
    if (q->rq->http->stopping) {
        http_error(q->rq, 503, "the server is stopping");
        answer(q);
    } else if (judge_to(q, q->last_id))
        answer(q);
    else
        wait_for_more(q);
}

/* On the loop. */
static void question_due(void *arg, uint64_t last_id) {
    struct question *q = arg;
    struct http *h = q->rq->http;
    q->last_id = last_id;
    q->job.length = ask_length(q->rq, judge_reads_samples(q->judge));
    if (!work_put(h->work, &q->job)) {
        http_error(q->rq, 503, "the server is stopping");
        answer(q);
    }
}

/* The request is asleep. No thread waits for a barrier: a few questions about a flooded session would leave none for others. */
static void ask_barrier_later(struct question *q) {
    struct err err = {0};
    q->job.run = run_question;
    if (ask_barrier_then(q->rq, q->waiter.session_id, question_due, q, &err) != 0) {
        http_error(q->rq, 503, "%s", err.text);
        answer(q);
    }
}

/* --- asking ---------------------------------------------------------------------------------------------- */

/* The same question to a recording that has forgotten; the time it was given goes on. */
static void run_again(struct job *job) {
    struct question *q = of_job(job), *anew;
    struct http_request *rq = q->rq;
    if (session_ended(q)) {
        answer(q);
        return;
    }
    anew = question_read_again(rq);
    if (anew) {
        anew->asked_mono_ns = q->asked_mono_ns;
        anew->deadline_mono_ns = q->deadline_mono_ns;
        if (q->as_datadog && !q->again && q->waiter.n_taken == q->n_taken) /* the quiet goes on */
            anew->quiet_mono_ns = q->quiet_mono_ns;
        question_free(q);
        ask_barrier_later(anew);
    } else
        answer(q);
}

static struct question *read_body(struct http_request *rq) {
    struct question *q = question_read(rq);
    if (!q)
        put_verdict(rq);
    return q;
}

/* A question of megabytes, still to be read. */
struct unread {
    struct job job; /* first */
    struct http_request *rq;
};

static void run_read(struct job *job) {
    struct unread *unread = (struct unread *)job;
    struct http_request *rq = unread->rq;
    free(unread);
    struct question *q = read_body(rq);
    if (q)
        ask_barrier_later(q);
    else
        http_resume(rq);
}

static void read_later(struct http_request *rq) {
    struct unread *unread = malloc(sizeof *unread);
    if (!unread) {
        http_error(rq, 503, "out of memory");
        return;
    }
    *unread = (struct unread){.job = {.run = run_read, .length = WORK_LONG}, .rq = rq};
    http_suspend(rq);
    if (work_put(rq->http->work, &unread->job))
        return;
    free(unread);
    http_error(rq, 503, "the server is stopping");
    http_resume(rq);
}

void control_expect(struct http_request *rq) {
    if (ask_only(rq, 0, NULL) != 0) {
        put_verdict(rq);
        return;
    }
    if (rq->body.n > ASK_LONG_BODY) {
        read_later(rq);
        return;
    }
    struct question *q = read_body(rq);
    if (!q)
        return;
    struct store_stats stats;
    store_stats(rq->http->store, &stats);
    if (stats.samples > SHORT_SAMPLES || rq->body.n > SHORT_BODY ||
        pipeline_backlog(rq->http->pipeline, NULL) > 0) {
        if (q->deadline_mono_ns > q->asked_mono_ns)
            http_wait(rq);
        else
            http_suspend(rq);
        ask_barrier_later(q);
    } else if (judge_now(q)) {
        put_verdict(rq);
        question_free(q);
    } else {
        http_wait(rq);
        wait_for_more(q);
    }
}
