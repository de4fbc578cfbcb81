#include "control/glance.h"

#include "core/json.h"
#include "http/reading.h"
#include <stdlib.h>

#define ANSWER_MAX ((size_t)32 << 20)

static int read_recording(struct glance *g, struct err *err) {
    struct http_request *rq = g->rq;
    g->reader = http_read_begin(rq->http, g->ask.session_id, g->ask.filter.session, err);
    if (!g->reader)
        return -1;
    /* What was committed since the barrier is in the answer, too. */
    int failed =
        reader_last_id(g->reader, g->ask.session_id, &g->last_id, err) || g->fill(g, &rq->answer.body, err);
    http_read_end(rq->http, g->reader);
    return failed;
}

static void run_glance(struct job *job) {
    struct glance *g = (struct glance *)job;
    struct http_request *rq = g->rq;
    struct err err = {0};
    rq->answer.body.max = ANSWER_MAX;
    if (rq->http->stopping)
        http_error(rq, 503, "the server is stopping");
    else if (read_recording(g, &err) != 0)
        http_read_failed(rq, "read the recording", &err);
    free(g);
    http_resume(rq);
}

void glance_answer(struct http_request *rq, const struct ask *ask,
                   int (*fill)(struct glance *g, struct buf *b, struct err *err)) {
    uint64_t last_id;
    if (ask_settled(rq, ask->session_id, &last_id) != 0)
        return;
    struct glance *g = calloc(1, sizeof *g);
    if (!g) {
        http_error(rq, 503, "out of memory");
        return;
    }
    g->job = (struct job){.run = run_glance, .length = ask_length(rq, true)};
    g->rq = rq;
    g->ask = *ask;
    g->ask.filter.tags = g->ask.tags;
    if (ask->filter.session.p)
        g->ask.filter.session = span_str(g->ask.session);
    g->last_id = last_id;
    g->fill = fill;
    http_suspend(rq);
    if (work_put(rq->http->work, &g->job))
        return;
    http_error(rq, 503, "the server is stopping");
    free(g);
    http_resume(rq);
}

void glance_number(struct buf *b, const char *name, double value) {
    buf_printf(b, ",\"%s\":", name);
    json_put_number(b, value);
}
