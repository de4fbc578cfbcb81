/* /fakeintake: all but the payloads. */
#include "compat/compat.h"
#include "control/ask.h"
#include "control/forget.h"
#include "control/stub.h"
#include "core/json.h"
#include "http/reading.h"
#include <inttypes.h>

static void answer_nothing(struct http_request *rq) {
    buf_clear(&rq->answer.body);
    rq->answer.status = 200;
    rq->answer.content_type = NULL;
}

void compat_health(struct http_request *rq) {
    answer_nothing(rq);
}

struct stats {
    struct buf *b;
    bool any;
};

static int put_route(void *arg, const struct posted_row *row) {
    struct stats *s = arg;
    buf_str(s->b, s->any ? "," : "");
    s->any = true;
    json_put_string(s->b, row->path);
    buf_str(s->b, ":{\"id\":");
    json_put_string(s->b, row->path);
    buf_printf(s->b, ",\"count\":%" PRIu64 "}", row->n);
    return s->b->failed;
}

/* Of the bodies that are kept; where none are, of the POSTs that were recorded. */
void compat_routestats(struct http_request *rq) {
    struct ingest_session session;
    uint64_t last_id;
    if (ask_session(rq, (struct span){NULL, 0}, &session) != 0 || ask_barrier(rq, session.id, &last_id) != 0)
        return;
    struct stats s = {.b = &rq->answer.body};
    struct err err = {0};
    struct span name = span_str(session.name);
    struct reader *r = http_read_begin(rq->http, session.id, name, &err);
    s.b->max = 64 << 20;
    buf_str(s.b, "{\"routes\":{");
    int failed = !r || r->ops->posted(r, name, rq->http->options.keep_bodies, put_route, &s, &err);
    http_read_end(rq->http, r);
    buf_str(s.b, "}}");
    if (failed)
        http_read_failed(rq, "read the recording", &err);
}

/* Everything that the session recorded goes, samples too. Overrides stay. */
void compat_flush(struct http_request *rq) {
    struct ingest_session session;
    struct store_removed removed;
    struct err err = {0};
    if (ask_session(rq, (struct span){NULL, 0}, &session) != 0)
        return;
    if (forget_session(rq->http, session.id, &removed, &err) != 0)
        http_error(rq, 503, "cannot reset: %s", err.text);
    else
        answer_nothing(rq);
}

/* Of the session that the request names; where it names none, of all. */
void compat_override(struct http_request *rq) {
    struct ingest_session session;
    if (!span_eq(rq->method_text, SPAN("POST"))) {
        http_error(rq, 400, "invalid request method %.*s", SPAN_ARG(rq->method_text));
        return;
    }
    struct fault_rule *rule = calloc(1, sizeof *rule);
    if (!rule) {
        http_error(rq, 503, "out of memory");
        return;
    }
    rule->probability = 1;
    rule->seed = rule->random = 1;
    bool named = rq->session_token.p != NULL;
    if ((!named || ask_session(rq, (struct span){NULL, 0}, &session) == 0) &&
        stub_read_override(rq, rule) == 0) {
        if (named) {
            memcpy(rule->session, session.name, sizeof rule->session);
            rule->session[sizeof rule->session - 1] = '\0';
            rule->session_id = session.id;
        }
        if (fault_override(rq->http->faults, rule) == 0)
            answer_nothing(rq);
        else
            http_error(
                rq, 429,
                "there are %d faults and overrides, or %zu bytes of their bodies, the most there can be; "
                "DELETE /recorder/v1/faults removes them",
                FAULT_RULES_MAX, FAULT_BODIES_MAX);
    }
    fault_content_release(rule->content);
    free(rule);
}
