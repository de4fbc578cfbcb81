/* /recorder/v1/sessions, marks, reset: what changes the recording. */
#include "control/ask.h"
#include "control/control.h"
#include "control/forget.h"
#include "core/arena.h"
#include "core/array.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/moment.h"
#include "http/environment.h"
#include "http/reading.h"
#include "http/session.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define TTL_S_MAX      (366LL * 24 * 3600)
#define HTTP_LABEL_MAX ((size_t)1024) /* bytes */
#define SESSIONS_MAX                                                                                         \
    ((size_t)64 << 20) /* bytes of the list: INGEST_SESSIONS_MAX of some 2 KiB, and their labels */

/* --- as JSON --------------------------------------------------------------------------------------------- */

static void put_label(struct buf *b, struct span label) {
    buf_str(b, ",\"label\":");
    if (label.p)
        json_put_string(b, label);
    else
        buf_str(b, "null");
}

static void put_session(struct buf *b, const struct ingest_session *session,
                        const struct environment_reach *reach) {
    struct environment env;
    environment_make(&env, session, reach);
    buf_str(b, "{\"name\":");
    json_put_string(b, span_str(session->name));
    buf_printf(b, ",\"open\":true,\"api_key\":\"%s\",\"expires_at\":", session->api_key);
    if (session->expires_at)
        json_put_time(b, session->expires_at);
    else
        buf_str(b, "null");
    buf_printf(b, ",\"timestamps\":\"%s\",\"dogstatsd\":", session->any_age ? "any" : "datadog");
    environment_dogstatsd_json(&session->at, b);
    buf_str(b, ",\"env\":");
    environment_json(&env, b);
}

/* A session that has ended has no addresses. */
static void put_ended(struct buf *b, const struct ingest_session *session) {
    buf_str(b, "{\"name\":");
    json_put_string(b, span_str(session->name));
    buf_str(b, ",\"open\":false,\"api_key\":null,\"expires_at\":null,\"timestamps\":null,\"dogstatsd\":");
    environment_dogstatsd_json(&session->at, b);
    buf_str(b, ",\"env\":{}");
}

struct listed {
    struct environment_reach reach;
    struct buf *b;
    bool any;
    size_t n, cap;
    struct count {
        uint64_t id, samples, series, events, checks, rejects;
        bool listed;
        char name[INGEST_NAME_SIZE];
        struct span label;
    } * counts;
    struct arena labels;
    bool failed;
    uint64_t last_id;
    uint64_t losses[LOSS_N]; /* of one session */
};

static int note_counts(void *arg, const struct session_row *row) {
    struct listed *l = arg;
    if (!array_room(&l->counts, l->n, &l->cap, sizeof *l->counts)) {
        l->failed = true;
        return 1;
    }
    struct count *c = &l->counts[l->n++];
    *c = (struct count){row->id,      row->samples, row->series, row->events, row->checks,
                        row->rejects, false,        "",          {0}};
    if (row->label.p)
        c->label = arena_copy(&l->labels, row->label);
    memcpy(c->name, row->name.p, row->name.n < sizeof c->name ? row->name.n : sizeof c->name - 1);
    return 0;
}

static int by_id(const void *a, const void *b) {
    uint64_t x = ((const struct count *)a)->id, y = ((const struct count *)b)->id;
    return (x > y) - (x < y);
}

static void put_counted(struct listed *l, const struct ingest_session *session, bool ended) {
    struct count key = {.id = session->id};
    struct count *c = l->n ? bsearch(&key, l->counts, l->n, sizeof key, by_id) : NULL;
    c = c ? c : &key;
    c->listed = true;
    buf_str(l->b, l->any ? ",\n" : "");
    l->any = true;
    if (ended)
        put_ended(l->b, session);
    else
        put_session(l->b, session, &l->reach);
    put_label(l->b, c->label);
    buf_printf(l->b,
               ",\"samples\":%" PRIu64 ",\"series\":%" PRIu64 ",\"events\":%" PRIu64
               ",\"service_checks\":%" PRIu64 ",\"rejects\":%" PRIu64,
               c->samples, c->series, c->events, c->checks, c->rejects);
}

static void put_listed(void *arg, const struct ingest_session *session) {
    struct listed *l = arg;
    put_counted(l, session, false);
    buf_char(l->b, '}');
}

/* Those that are in the recording and not open any more. */
static void put_others(struct listed *l) {
    for (size_t i = 0; i < l->n; i++) {
        struct ingest_session ended = {.id = l->counts[i].id};
        memcpy(ended.name, l->counts[i].name, sizeof ended.name);
        if (l->counts[i].listed)
            continue;
        put_counted(l, &ended, true);
        buf_char(l->b, '}');
    }
}

static int note_loss(void *arg, const struct loss_row *row) {
    struct listed *l = arg;
    l->losses[row->loss] += row->n;
    return 0;
}

/* What each session holds and, of one that is named, what was lost of it. */
static int read_counts(struct http_request *rq, struct listed *l, uint64_t session_id, struct span session) {
    if (ask_settled(rq, INGEST_ALL, &l->last_id) != 0)
        return -1;
    struct err err = {0};
    struct filter f = {.session = session};
    l->labels.max = SESSIONS_MAX;
    struct reader *r = http_read_begin(rq->http, session_id, session, &err);
    int failed = !r || r->ops->sessions(r, note_counts, l, &err) ||
                 (session.p && r->ops->losses(r, &f, note_loss, l, &err));
    http_read_end(rq->http, r);
    l->failed = l->failed || l->labels.failed;
    if (failed || l->failed)
        http_read_failed(rq, "read the sessions", &err);
    else if (l->n)
        qsort(l->counts, l->n, sizeof *l->counts, by_id);
    return failed || l->failed ? -1 : 0;
}

void control_sessions_list(struct http_request *rq) {
    struct listed l = {.b = &rq->answer.body};
    environment_reach(rq->http, http_header(rq, "Host"), &l.reach);
    if (ask_only(rq, ASK_NAMES("settled")) == 0 && read_counts(rq, &l, INGEST_ALL, span_of(NULL, 0)) == 0) {
        l.b->max = SESSIONS_MAX;
        buf_str(l.b, "{\"sessions\":[");
        ingest_session_each(rq->http->ingest, put_listed, &l);
        put_others(&l);
        buf_printf(l.b, "],\"last_id\":%" PRIu64 "}\n", l.last_id);
    }
    free(l.counts);
    arena_free(&l.labels);
}

void control_session_get(struct http_request *rq) {
    struct listed l = {.b = &rq->answer.body};
    environment_reach(rq->http, http_header(rq, "Host"), &l.reach);
    struct ingest_session session;
    int ended = ask_only(rq, ASK_NAMES("settled")) == 0 ? ask_recorded(rq, rq->params[0], &session) : -1;
    if (ended >= 0 && read_counts(rq, &l, session.id, span_str(session.name)) == 0) {
        put_counted(&l, &session, ended);
        buf_str(l.b, ",\"losses\":{");
        for (int i = 0; i < LOSS_N; i++)
            buf_printf(l.b, "%s\"%s\":%" PRIu64, i ? "," : "", loss_word((enum loss)i), l.losses[i]);
        buf_printf(l.b, "},\"last_id\":%" PRIu64 "}\n", l.last_id);
    }
    free(l.counts);
    arena_free(&l.labels);
}

/* --- changes --------------------------------------------------------------------------------------------- */

static int ask_timestamps(struct http_request *rq, const json_t *body, struct span *word) {
    if (ask_string(rq, body, "timestamps", word) < 0)
        return -1;
    if (word->n == 0 || span_eq(*word, SPAN("any")) || span_eq(*word, SPAN("datadog")))
        return 0;
    http_error(rq, 400, "'timestamps' is \"datadog\" or \"any\", not \"%.*s\"",
               (int)(word->n < 40 ? word->n : 40), word->p);
    return -1;
}

/* A session that cannot have its label is none. */
static int label_session(struct http *h, const struct ingest_session *session, struct span label,
                         struct err *err) {
    struct err ignored = {0};
    if (!label.p || http_session_label(h, session->id, label, err) == 0)
        return 0;
    ingest_session_close(h->ingest, session->name, false, &ignored);
    return -1;
}

static int ask_label(struct http_request *rq, const json_t *body, struct span *label) {
    if (ask_string(rq, body, "label", label) < 0)
        return -1;
    if (label->n <= HTTP_LABEL_MAX)
        return 0;
    http_error(rq, 400, "a label has at most %zu bytes, this one has %zu", HTTP_LABEL_MAX, label->n);
    return -1;
}

void control_session_new(struct http_request *rq) {
    struct span name = SPAN(""), timestamps = SPAN(""), label = {NULL, 0};
    bool unix_sockets = false;
    uint64_t ttl_s = 0;
    json_t *body = ask_only(rq, 0, NULL) == 0
                       ? ask_body(rq, ASK_NAMES("name", "unix", "ttl_s", "timestamps", "label"))
                       : NULL;
    if (!body)
        return;
    if (ask_string(rq, body, "name", &name) >= 0 && ask_bool(rq, body, "unix", &unix_sockets) >= 0 &&
        ask_count(rq, body, "ttl_s", TTL_S_MAX, &ttl_s) >= 0 && ask_timestamps(rq, body, &timestamps) == 0 &&
        ask_label(rq, body, &label) == 0) {
        struct ingest_session session;
        struct err err = {0};
        if (strlen(name.p) != name.n)
            http_error(rq, 400, "a session's name holds no NUL");
        else if (ingest_session_open(rq->http->ingest, name.p, unix_sockets, (int64_t)ttl_s * NS_PER_S,
                                     &session, &err) != 0 ||
                 label_session(rq->http, &session, label, &err) != 0)
            http_error(rq,
                       err.sys == EEXIST   ? 409
                       : err.sys == EINVAL ? 400
                       : err.sys == ENOSPC ? 429
                                           : 503,
                       "%s", err.text);
        else {
            rq->answer.status = 201;
            if (timestamps.n)
                session.any_age = span_eq(timestamps, SPAN("any"));
            ingest_take_any_age(rq->http->ingest, session.id, session.any_age);
            http_add_header(rq, "Location", "/recorder/v1/sessions/%s", session.name);
            struct environment_reach reach;
            environment_reach(rq->http, http_header(rq, "Host"), &reach);
            put_session(&rq->answer.body, &session, &reach);
            put_label(&rq->answer.body, label);
            buf_str(&rq->answer.body, "}\n");
        }
    }
    json_decref(body);
}

static int remove_ended(struct store *store, void *arg, struct err *err) {
    return store_session_remove(store, *(const uint64_t *)arg, err);
}

void control_session_delete(struct http_request *rq) {
    struct ingest_session session;
    bool keep = false;
    int ended = ask_only(rq, ASK_NAMES("keep")) == 0 && ask_flag(rq, "keep", &keep) == 0
                    ? ask_recorded(rq, rq->params[0], &session)
                    : -1;
    if (ended < 0)
        return;
    if (strcmp(session.name, "default") == 0) {
        http_error(rq, 409, "the default session stays; POST /recorder/v1/reset forgets what it recorded");
        return;
    }
    struct err err = {0};
    int failed = !ended ? ingest_session_close(rq->http->ingest, session.name, keep, &err)
                 : keep ? 0 /* as it is */
                        : ingest_call(rq->http->ingest, INGEST_NOTHING, remove_ended, &session.id, &err);
    if (failed) {
        http_error(rq, err.sys == ENOENT ? 404 : 503, "%s", err.text);
        return;
    }
    buf_printf(&rq->answer.body, "{\"%s\":\"%s\"}\n", keep ? "ended" : "removed", session.name);
}

/* "at": an age or a time; the present unless it is given. */
static int read_moment(struct http_request *rq, const json_t *body, struct moment *moment) {
    struct span text = SPAN("now");
    if (ask_string(rq, body, "at", &text) < 0)
        return -1;
    if (moment_parse(text, moment))
        return 0;
    http_error(rq, 400, "at must be " MOMENT_WANTED ", not '%.*s'", SPAN_ARG(text));
    return -1;
}

static int find_mark(struct http_request *rq, const struct moment *moment,
                     const struct ingest_session *session, uint64_t last_id, uint64_t *mark) {
    struct err err = {0};
    struct reader *r = http_read_begin(rq->http, session->id, span_str(session->name), &err);
    int failed = !r || moment_mark(moment, r, session->id, clock_wall_ns(), last_id, mark, NULL, &err);
    http_read_end(rq->http, r);
    if (failed)
        http_read_failed(rq, "read the recording", &err);
    return failed ? -1 : ask_marks(rq, *mark, 0, last_id);
}

/* Of a session that is named, else of all: those that it doesn't concern are not waited for. */
void control_mark(struct http_request *rq) {
    uint64_t last_id, mark = 0;
    struct moment moment;
    struct ingest_session session = {.id = INGEST_ALL};
    json_t *body = ask_only(rq, ASK_NAMES("session")) == 0 ? ask_body(rq, ASK_NAMES("at")) : NULL;
    struct span name = http_arg(rq, "session");
    bool all = span_eq(name, SPAN("*")) || (!name.p && !rq->session_token.p);
    if (body && ask_own(rq, name) == 0 && read_moment(rq, body, &moment) == 0 &&
        (all || ask_going_on(rq, name, &session) == 0) && ask_barrier(rq, session.id, &last_id) == 0 &&
        find_mark(rq, &moment, &session, last_id, &mark) == 0)
        buf_printf(&rq->answer.body, "{\"mark\":%" PRIu64 "}\n", mark);
    json_decref(body);
}

void control_reset(struct http_request *rq) {
    struct ingest_session session = {.id = INGEST_ALL};
    json_t *body = ask_only(rq, ASK_NAMES("session")) == 0 ? ask_body(rq, 0, NULL) : NULL;
    if (!body)
        return;
    json_decref(body);
    struct span name = http_arg(rq, "session");
    struct store_removed r = {0};
    struct err err = {0};
    if (ask_own(rq, name) != 0 || (!span_eq(name, SPAN("*")) && ask_recorded(rq, name, &session) < 0))
        return;
    if (forget_session(rq->http, session.id, &r, &err) != 0)
        http_error(rq, 503, "cannot reset: %s", err.text);
    else
        buf_printf(&rq->answer.body,
                   "{\"removed\":{\"samples\":%" PRIu64 ",\"series\":%" PRIu64 ",\"events\":%" PRIu64
                   ",\"service_checks\":%" PRIu64 ",\"rejects\":%" PRIu64 ",\"requests\":%" PRIu64
                   ",\"datagrams\":%" PRIu64 "}}\n",
                   r.samples, r.series, r.events, r.checks, r.rejects, r.requests, r.datagrams);
}
