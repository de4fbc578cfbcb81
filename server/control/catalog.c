/* POST /recorder/v1/verify, lint, snapshot, infer, diff: the questions of report/names.h, each answered by a worker
 * from one moment of the recording: behind the barrier, or the last commit with `settled=no`. */
#include "report/names.h"

#include "control/ask.h"
#include "control/control.h"
#include "control/verdicts.h"
#include "flushed/flushed.h"
#include "http/reading.h"
#include "http/work.h"
#include <stdlib.h>

struct catalog_job {
    struct job job; /* first */
    struct http_request *rq;
    enum catalog_kind kind;
    bool waits; /* for the barrier */
    struct catalog_question *question;
    uint64_t session_id; /* the only one that it asks about, or INGEST_ALL */
    uint64_t ids[2];     /* of those that catalog_question_sessions names */
    uint64_t last_id;    /* of the barrier */
};

static void put_json(struct http_request *rq, json_t *answer) {
    struct buf *body = &rq->answer.body;
    if (ask_dump(body, answer) != 0)
        http_error(rq, 503, "out of memory for the answer");
    else
        buf_char(body, '\n');
    json_decref(answer);
}

/* {"error", "file"?, "line"?, "column"?, "path"?}; the sentence has the place too. */
static void refuse(struct http_request *rq, const struct catalog_error *e) {
    struct buf sentence = {0};
    catalog_error_print(e, &sentence);
    json_t *answer = json_pack("{s:s%}", "error", sentence.p, sentence.n);
    if (answer && e->file[0])
        json_object_set_new(answer, "file", json_string(e->file));
    if (answer && e->line)
        json_object_set_new(answer, "line", json_integer((json_int_t)e->line));
    if (answer && e->column)
        json_object_set_new(answer, "column", json_integer((json_int_t)e->column));
    if (answer && e->path[0])
        json_object_set_new(answer, "path", json_string(e->path));
    if (answer) {
        put_json(rq, answer);
        rq->answer.status = 400;
    } else {
        http_error(rq, 400, "%s", e->message);
    }
    buf_free(&sentence);
}

static json_t *answer_from(const struct catalog_job *c, struct reader *r, struct err *err) {
    struct catalog_question *q = c->question;
    struct flushed_options options = {.histograms = c->rq->http->options.histograms};
    if (!catalog_question_as_datadog(q, &options.session, &options.since))
        return catalog_question_answer(q, r, err);
    struct reader *view = flushed_open(r, &options, err);
    json_t *answer = view ? catalog_question_answer(q, view, err) : NULL;
    reader_close(view);
    return answer;
}

static json_t *read_answer(struct catalog_job *c, struct err *err) {
    struct span names[2];
    size_t n = catalog_question_sessions(c->question, names);
    struct reader *r = http_read_begin(c->rq->http, INGEST_ALL, (struct span){NULL, 0}, err);
    bool there = r != NULL;
    for (size_t i = 0; i < n && there; i++)
        there = http_read_still(r, c->ids[i], names[i], err) == 0;
    json_t *answer = there ? answer_from(c, r, err) : NULL;
    http_read_end(c->rq->http, r);
    return answer;
}

/* The request is asleep. */
static void finish(struct catalog_job *c) {
    struct http_request *rq = c->rq;
    catalog_question_free(c->question);
    free(c);
    http_resume(rq);
}

static void put_job(struct catalog_job *c, void (*run)(struct job *), enum work_length length) {
    c->job = (struct job){.run = run, .length = length};
    if (work_put(c->rq->http->work, &c->job))
        return;
    http_error(c->rq, 503, "the server is stopping");
    finish(c);
}

/* Of verify, the report is kept, as that of expect is. */
static void put_answer(struct catalog_job *c, json_t *answer) {
    struct span sessions[2];
    json_incref(answer);
    put_json(c->rq, answer);
    if (c->kind == ASK_VERIFY && c->rq->answer.status == 200 &&
        catalog_question_sessions(c->question, sessions) > 0) {
        struct span name = sessions[0].p ? sessions[0] : SPAN("default"),
                    body = buf_view(&c->rq->answer.body);
        verdicts_keep(c->rq, SPAN("verify"), name, answer, span_of(body.p, body.n - 1));
    }
    json_decref(answer);
}

static void run_answer(struct job *job) {
    struct catalog_job *c = (struct catalog_job *)job;
    struct http_request *rq = c->rq;
    struct err err = {0};
    if (rq->http->stopping) {
        http_error(rq, 503, "the server is stopping");
    } else if (!catalog_question_knows_marks(c->question, c->last_id, &err)) {
        http_error(rq, 400, "since: %s", err.text);
    } else {
        catalog_question_unsaved(c->question, pipeline_unsaved_loss(rq->http->pipeline));
        json_t *answer = read_answer(c, &err);
        if (answer)
            put_answer(c, answer);
        else if (catalog_question_was_too_much(c->question))
            http_error(rq, 422, "%s", err.text);
        else
            http_read_failed(rq, "answer", &err);
    }
    finish(c);
}

/* On the loop. */
static void question_due(void *arg, uint64_t last_id) {
    struct catalog_job *c = arg;
    c->last_id = last_id;
    put_job(c, run_answer, ask_length(c->rq, true));
}

/* The request is asleep. No thread waits for the barrier: two questions about flooded sessions would keep all workers. */
static void ask_barrier_later(struct catalog_job *c) {
    struct err err = {0};
    if (ask_settled_then(c->rq, c->waits, c->session_id, question_due, c, &err) == 0)
        return;
    http_error(c->rq, 503, "%s", err.set ? err.text : "the server is stopping");
    finish(c);
}

/* -1 unless all sessions that it asks about are there. Of each it is about this run, unless it says otherwise. */
static int find_sessions(struct http_request *rq, struct catalog_question *q, uint64_t *id, uint64_t ids[2]) {
    struct span names[2];
    struct ingest_session session;
    size_t n = catalog_question_sessions(q, names);
    for (size_t i = 0; i < n; i++) {
        uint64_t earlier, mark;
        if (ask_sessions(rq, names[i], &session) < 0)
            return -1;
        if (catalog_question_found(q, i, span_str(session.name)) != 0) {
            http_error(rq, 503, "out of memory");
            return -1;
        }
        ids[i] = session.id;
        mark = ask_own_run(rq, session.id, &earlier);
        catalog_question_own_run(q, i, mark, earlier);
    }
    *id = n == 1 ? session.id : INGEST_ALL;
    return 0;
}

static json_t *read_body(struct http_request *rq, enum catalog_kind kind) {
    json_error_t why;
    json_t *body =
        rq->body.n ? json_loadb(rq->body.p, rq->body.n, JSON_REJECT_DUPLICATES, &why) : json_object();
    if (!body)
        http_error(rq, 400, "not JSON: %s (line %d, column %d)", why.text, why.line, why.column);
    else if (kind != ASK_DIFF && json_is_object(body) && rq->session_token.p &&
             !json_object_get(body, "session"))
        json_object_set_new(body, "session", json_stringn(rq->session_token.p, rq->session_token.n));
    return body;
}

/* -1 when refused. */
static int read_question(struct catalog_job *c) {
    struct catalog_error wrong = {0};
    json_t *body = read_body(c->rq, c->kind);
    if (!body)
        return -1;
    c->question = catalog_question_new(c->kind, body, &wrong);
    json_decref(body);
    if (!c->question) {
        refuse(c->rq, &wrong);
        return -1;
    }
    return find_sessions(c->rq, c->question, &c->session_id, c->ids);
}

static void run_read(struct job *job) {
    struct catalog_job *c = (struct catalog_job *)job;
    if (read_question(c) == 0)
        ask_barrier_later(c);
    else
        finish(c);
}

/* Reading 64 MiB takes a second: that is a worker's, not a connection thread's. */
static void ask(struct http_request *rq, enum catalog_kind kind) {
    bool waits;
    if (ask_only(rq, ASK_NAMES("settled")) != 0 || ask_waits(rq, &waits) != 0)
        return;
    struct catalog_job *c = calloc(1, sizeof *c);
    if (!c) {
        http_error(rq, 503, "out of memory");
        return;
    }
    *c = (struct catalog_job){.rq = rq, .kind = kind, .waits = waits};
    if (rq->body.n > ASK_LONG_BODY) {
        http_suspend(rq);
        put_job(c, run_read, WORK_LONG);
    } else if (read_question(c) == 0) {
        http_suspend(rq);
        ask_barrier_later(c);
    } else {
        catalog_question_free(c->question);
        free(c);
    }
}

void control_verify(struct http_request *rq) {
    ask(rq, ASK_VERIFY);
}

void control_lint(struct http_request *rq) {
    ask(rq, ASK_LINT);
}

void control_snapshot(struct http_request *rq) {
    ask(rq, ASK_SNAPSHOT);
}

void control_infer(struct http_request *rq) {
    ask(rq, ASK_INFER);
}

void control_diff(struct http_request *rq) {
    ask(rq, ASK_DIFF);
}
