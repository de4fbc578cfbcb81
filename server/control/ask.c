#include "control/ask.h"

#include "core/distance.h"
#include "http/reading.h"
#include "http/session.h"
#include "judge/judge.h"
#include "report/fields.h"
#include <assert.h>
#include <inttypes.h>

static bool is_among(struct span word, size_t n, const char *const *names) {
    for (size_t i = 0; i < n; i++)
        if (span_eq(word, span_str(names[i])))
            return true;
    return false;
}

/* The last, or the first, would win in silence. */
static int refuse_twice(struct http_request *rq) {
    static const char token[] = "X-Datadog-Test-Session-Token";
    for (size_t i = 0; i < rq->n_args; i++)
        for (size_t k = 0; k < i; k++)
            if (span_eq(rq->args[i].name, rq->args[k].name) && !span_eq(rq->args[i].name, SPAN("tag"))) {
                http_error(rq, 400, "the query argument '%.*s' is given twice", SPAN_ARG(rq->args[i].name));
                return -1;
            }
    if (http_header_count(rq, token) > 1) {
        http_error(rq, 400, "the header '%s' is given twice", token);
        return -1;
    }
    struct span in_query = http_arg(rq, "test_session_token");
    if (in_query.p && !span_eq(in_query, http_session_token(rq))) {
        http_error(rq, 400, "the header '%s' and the query argument 'test_session_token' name two sessions",
                   token);
        return -1;
    }
    return 0;
}

int ask_only(struct http_request *rq, size_t n, const char *const *names) {
    for (size_t i = 0; i < rq->n_args; i++) {
        struct span name = rq->args[i].name;
        if (is_among(name, n, names) || span_eq(name, SPAN("test_session_token")))
            continue;
        char hint[NEAREST_HINT_SIZE];
        http_error(rq, 400, "unknown query argument '%.*s'%s", SPAN_ARG(name),
                   nearest_hint(name, n, names, hint));
        return -1;
    }
    return refuse_twice(rq);
}

static bool is_same_session(struct span a, struct span b) {
    char made[2][HTTP_NAME_SIZE];
    return span_eq(a, b) || span_eq(http_session_name(a, made[0]), http_session_name(b, made[1]));
}

/* The path /s/NAME says which session it is about; an argument or a field that names another one is a mistake. */
int ask_own(struct http_request *rq, struct span name) {
    if (!rq->prefix.p || !name.p || is_same_session(name, rq->prefix))
        return 0;
    http_error(rq, 409, "the path names the session '%.*s', and the question asks about '%.*s'",
               SPAN_ARG(rq->prefix), SPAN_ARG(name));
    return -1;
}

/* By its name, or by the token of --auto-sessions that it is named after. */
static bool find_open(struct http_request *rq, struct span name, struct ingest_session *session) {
    char made[HTTP_NAME_SIZE];
    struct err ignored = {0};
    return ingest_session_find(rq->http->ingest, http_session_name(name, made), session, &ignored) == 0;
}

int ask_session(struct http_request *rq, struct span name, struct ingest_session *session) {
    if (ask_own(rq, name) != 0)
        return -1;
    if (!name.p)
        name = rq->session_token.p ? rq->session_token : SPAN("default");
    if (find_open(rq, name, session))
        return 0;
    http_error(rq, 404, "no session is named '%.*s'", SPAN_ARG(name));
    return -1;
}

/* In a recording that is looked at beside another one names begin otherwise, so the text itself comes first. */
static int recorded_id(struct reader *r, struct span *name, char made[HTTP_NAME_SIZE], uint64_t *id,
                       struct err *err) {
    if (r->ops->session_id(r, *name, id, err) != 0)
        return -1;
    if (*id)
        return 0;
    *name = http_session_name(*name, made);
    return r->ops->session_id(r, *name, id, err);
}

int ask_recorded(struct http_request *rq, struct span name, struct ingest_session *session) {
    if (ask_own(rq, name) != 0)
        return -1;
    if (!name.p || find_open(rq, name, session))
        return ask_session(rq, name, session);
    struct err why = {0};
    uint64_t id = 0;
    char made[HTTP_NAME_SIZE];
    struct span found = name;
    struct reader *r = store_reader_take(rq->http->store, &why);
    int failed = !r || r->ops->begin(r, &why) != 0;
    if (!failed) {
        failed = recorded_id(r, &found, made, &id, &why);
        r->ops->end(r);
    }
    if (r)
        store_reader_give(rq->http->store, r);
    if (failed)
        http_read_failed(rq, "read the sessions", &why);
    if (failed || id == 0 || found.n >= sizeof session->name)
        return failed ? -1 : ask_session(rq, name, session);
    *session = (struct ingest_session){.id = id};
    memcpy(session->name, found.p, found.n);
    return 1;
}

int ask_going_on(struct http_request *rq, struct span name, struct ingest_session *session) {
    if (!rq->http->options.view)
        return ask_session(rq, name, session);
    return ask_recorded(rq, name, session) < 0 ? -1 : 0;
}

uint64_t ask_own_run(struct http_request *rq, uint64_t session_id, uint64_t *earlier) {
    struct store_earlier left;
    store_earlier(rq->http->store, session_id, &left);
    *earlier = left.records;
    return store_run_mark(rq->http->store);
}

int ask_sessions(struct http_request *rq, struct span name, struct ingest_session *session) {
    if (!span_eq(name, SPAN(EVERY_SESSION)))
        return ask_recorded(rq, name, session);
    if (ask_own(rq, name) != 0)
        return -1;
    *session = (struct ingest_session){.id = INGEST_ALL, .name = EVERY_SESSION};
    return 0;
}

bool ask_u64(struct span text, uint64_t *n) {
    uint64_t value = 0;
    if (text.n == 0 || text.n > 19)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.p[i] - '0');
    }
    *n = value;
    return true;
}

/* --- lists ----------------------------------------------------------------------------------------------- */

static int refuse_value(struct http_request *rq, const struct http_arg *arg, const char *wanted) {
    http_error(rq, 400, "%.*s must be %s, not '%.*s'", SPAN_ARG(arg->name), wanted, SPAN_ARG(arg->value));
    return -1;
}

int ask_flag(struct http_request *rq, const char *name, bool *on) {
    const struct http_arg arg = {span_str(name), http_arg(rq, name)};
    if (!arg.value.p)
        return 0;
    *on = span_eq(arg.value, SPAN("true")) || span_eq(arg.value, SPAN("1"));
    return *on || span_eq(arg.value, SPAN("false")) || span_eq(arg.value, SPAN("0"))
               ? 0
               : refuse_value(rq, &arg, "true or false");
}

static int read_type(struct http_request *rq, const struct http_arg *arg, struct ask *ask) {
    static const char *const others[] = {"any", "event", "check", "service_check", "metric"};
    int type = metric_type_of(arg->value);
    ask->type = arg->value;
    if (type >= 0) {
        ask->filter.has_type = true;
        ask->filter.type = (enum metric_type)type;
    } else if (span_eq(arg->value, SPAN("any")))
        ask->type = (struct span){NULL, 0};
    else if (!is_among(arg->value, 5, others))
        return refuse_value(rq, arg, METRIC_TYPES(METRIC_WORD_COMMA) "event, check or any");
    return 0;
}

static int read_arg(struct http_request *rq, const struct http_arg *arg, struct ask *ask) {
    struct filter *f = &ask->filter;
    if (span_eq(arg->name, SPAN("session"))) {
        struct ingest_session session;
        if (ask_sessions(rq, arg->value, &session) < 0)
            return -1;
        bool all = session.id == INGEST_ALL;
        snprintf(ask->session, sizeof ask->session, "%s", all ? "" : session.name);
        ask->session_id = session.id;
        f->session = span_str(all ? NULL : ask->session);
    } else if (span_eq(arg->name, SPAN("name")))
        f->name = arg->value;
    else if (span_eq(arg->name, SPAN("type")))
        return read_type(rq, arg, ask);
    else if (span_eq(arg->name, SPAN("tag"))) {
        if (f->n_tags == ASK_TAGS_MAX) {
            http_error(rq, 400, "more than %d tag arguments", ASK_TAGS_MAX);
            return -1;
        }
        ask->tags[f->n_tags++] = arg->value;
    } else if (span_eq(arg->name, SPAN("source"))) {
        int source = source_of(arg->value);
        if (source < 0)
            return refuse_value(rq, arg, "udp, unixgram, unixstream or http");
        f->has_source = true;
        f->source = (enum source)source;
    } else if (span_eq(arg->name, SPAN("since"))) {
        if (!ask_u64(arg->value, &f->since))
            return refuse_value(rq, arg, "a mark (POST /recorder/v1/marks gives one)");
    } else if (span_eq(arg->name, SPAN("until"))) {
        if (!ask_u64(arg->value, &f->until) || f->until == 0)
            return refuse_value(rq, arg, "a mark from 1 (POST /recorder/v1/marks gives one)");
    } else if (span_eq(arg->name, SPAN("cursor"))) {
        if (!ask_u64(arg->value, &ask->cursor))
            return refuse_value(rq, arg, "the `next` of an earlier answer");
    } else if (span_eq(arg->name, SPAN("limit"))) {
        if (!ask_u64(arg->value, &ask->limit) || ask->limit == 0 || ask->limit > ASK_LIMIT_MAX)
            return refuse_value(rq, arg, "a number from 1 to 100000000");
    } else if (span_eq(arg->name, SPAN("reason"))) {
        if ((ask->reason = reason_of(arg->value)) < 0)
            return refuse_value(rq, arg, "the word of a reason, as rejects have it");
    } else if (span_eq(arg->name, SPAN("newest")))
        return ask_flag(rq, "newest", &ask->newest);
    else if (span_eq(arg->name, SPAN("remarked")))
        return ask_flag(rq, "remarked", &f->remarked);
    return 0;
}

int ask_some(struct http_request *rq, size_t n, const char *const *names, struct ask *ask) {
    if (ask_only(rq, n, names) != 0)
        return -1;
    memset(ask, 0, sizeof *ask);
    ask->limit = ASK_LIMIT_DEFAULT;
    ask->reason = -1;
    ask->filter.tags = ask->tags;
    struct ingest_session session;
    if (!http_arg(rq, "session").p) {
        if (ask_session(rq, (struct span){NULL, 0}, &session) != 0)
            return -1;
        memcpy(ask->session, session.name, sizeof ask->session);
        ask->session_id = session.id;
        ask->filter.session = span_str(ask->session);
    }
    for (size_t i = 0; i < rq->n_args; i++)
        if (read_arg(rq, &rq->args[i], ask) != 0)
            return -1;
    if (ask->newest && ask->limit > ASK_NEWEST_MAX)
        ask->limit = ASK_NEWEST_MAX;
    return 0;
}

int ask_list(struct http_request *rq, size_t n_more, const char *const *more, struct ask *ask) {
    static const char *const names[] = {"session", "name",  "type",   "tag",    "source", "since",
                                        "until",   "limit", "cursor", "newest", "settled"};
    const size_t n_names = sizeof names / sizeof names[0];
    const char *all[sizeof names / sizeof names[0] + ASK_MORE_MAX];
    assert(n_more <= ASK_MORE_MAX);
    memcpy(all, names, sizeof names);
    for (size_t i = 0; i < n_more; i++)
        all[n_names + i] = more[i];
    return ask_some(rq, n_names + n_more, all, ask);
}

int ask_number(struct http_request *rq, const char *name, uint64_t min, uint64_t max, uint64_t *n) {
    const struct http_arg arg = {span_str(name), http_arg(rq, name)};
    uint64_t value;
    if (!arg.value.p)
        return 0;
    if (ask_u64(arg.value, &value) && value >= min && value <= max) {
        *n = value;
        return 0;
    }
    char wanted[64];
    snprintf(wanted, sizeof wanted, "a number from %" PRIu64 " to %" PRIu64, min, max);
    return refuse_value(rq, &arg, wanted);
}

/* --- bodies ---------------------------------------------------------------------------------------------- */

/* Answers 400 with the error of a reader of fields. */
static int answer_field(struct http_request *rq, int found, const struct err *err) {
    if (found < 0)
        http_error(rq, 400, "%s", err->text);
    return found;
}

int ask_fields(struct http_request *rq, const json_t *object, const char *where, size_t n,
               const char *const *names) {
    struct err err = {0};
    return answer_field(rq, field_only(object, where, n, names, &err), &err);
}

json_t *ask_body(struct http_request *rq, size_t n, const char *const *names) {
    if (rq->content_encoding.n && !span_eq(rq->content_encoding, SPAN("identity"))) {
        http_error(rq, 415, "Content-Encoding %.*s is not taken here", SPAN_ARG(rq->content_encoding));
        return NULL;
    }
    json_error_t error;
    json_t *body =
        rq->body.n == 0 ? json_object() : json_loadb(rq->body.p, rq->body.n, JSON_REJECT_DUPLICATES, &error);
    if (!body) {
        http_error(rq, 400, "the body is not JSON: %s (line %d, column %d)", error.text, error.line,
                   error.column);
        return NULL;
    }
    if (!json_is_object(body)) {
        http_error(rq, 400, "the body must be a JSON object");
        json_decref(body);
        return NULL;
    }
    if (ask_fields(rq, body, "", n, names) != 0) {
        json_decref(body);
        return NULL;
    }
    return body;
}

int ask_string(struct http_request *rq, const json_t *object, const char *name, struct span *value) {
    struct err err = {0};
    return answer_field(rq, field_text(object, name, value, &err), &err);
}

int ask_bool(struct http_request *rq, const json_t *object, const char *name, bool *value) {
    struct err err = {0};
    return answer_field(rq, field_flag(object, name, value, &err), &err);
}

int ask_count(struct http_request *rq, const json_t *object, const char *name, uint64_t max,
              uint64_t *value) {
    struct err err = {0};
    return answer_field(rq, field_count(object, name, max, value, &err), &err);
}

int ask_marks(struct http_request *rq, uint64_t since, uint64_t until, uint64_t last_id) {
    struct err err = {0};
    if (!judge_is_mark(since, last_id, &err))
        http_error(rq, 400, "since: %s", err.text);
    else if (!judge_is_mark(until, last_id, &err))
        http_error(rq, 400, "until: %s", err.text);
    else if (until && until < since)
        http_error(rq, 400, "until: the mark %" PRIu64 " lies before that of since", until);
    else
        return 0;
    return -1;
}

static int committed_id(struct http_request *rq, uint64_t session_id, uint64_t *last_id, struct err *err) {
    struct reader *r = store_reader_take(rq->http->store, err);
    int failed = !r || r->ops->begin(r, err) != 0;
    if (!failed) {
        failed = reader_last_id(r, session_id, last_id, err);
        r->ops->end(r);
    }
    if (r)
        store_reader_give(rq->http->store, r);
    return failed ? -1 : 0;
}

static int ask_committed(struct http_request *rq, uint64_t session_id, uint64_t *last_id) {
    struct err err = {0};
    if (committed_id(rq, session_id, last_id, &err) == 0)
        return 0;
    http_read_failed(rq, "read the recording", &err);
    return -1;
}

/* A recording that is only looked at has nothing on its way. */
int ask_barrier(struct http_request *rq, uint64_t session_id, uint64_t *last_id) {
    struct err err = {0};
    rq->http->n_questions++;
    if (rq->http->options.view)
        return ask_committed(rq, session_id, last_id);
    if (ingest_barrier(rq->http->ingest, session_id, last_id, &err) == 0)
        return 0;
    http_error(rq, 503, "%s", err.set ? err.text : "the server is stopping");
    return -1;
}

int ask_barrier_then(struct http_request *rq, uint64_t session_id, void (*fn)(void *arg, uint64_t last_id),
                     void *arg, struct err *err) {
    uint64_t last_id;
    rq->http->n_questions++;
    if (!rq->http->options.view)
        return ingest_barrier_then(rq->http->ingest, session_id, fn, arg, err);
    if (committed_id(rq, session_id, &last_id, err) != 0)
        return -1;
    fn(arg, last_id);
    return 0;
}

int ask_waits(struct http_request *rq, bool *waits) {
    const struct http_arg arg = {SPAN("settled"), http_arg(rq, "settled")};
    *waits = !arg.value.p || span_eq(arg.value, SPAN("yes"));
    return *waits || span_eq(arg.value, SPAN("no")) ? 0 : refuse_value(rq, &arg, "yes or no");
}

int ask_settled(struct http_request *rq, uint64_t session_id, uint64_t *last_id) {
    bool waits;
    if (ask_waits(rq, &waits) != 0)
        return -1;
    return waits ? ask_barrier(rq, session_id, last_id) : ask_committed(rq, session_id, last_id);
}

int ask_settled_then(struct http_request *rq, bool waits, uint64_t session_id,
                     void (*fn)(void *arg, uint64_t last_id), void *arg, struct err *err) {
    uint64_t last_id;
    if (waits)
        return ask_barrier_then(rq, session_id, fn, arg, err);
    if (committed_id(rq, session_id, &last_id, err) != 0)
        return -1;
    fn(arg, last_id);
    return 0;
}

enum work_length ask_length(const struct http_request *rq, bool reads_samples) {
    struct store_stats stats;
    store_stats(rq->http->store, &stats);
    bool is_long = rq->body.n > ASK_LONG_BODY || stats.series > ASK_LONG_SERIES ||
                   (rq->body.n / 16 + 1) * stats.series > ASK_LONG_PAIRS ||
                   (reads_samples && stats.samples > ASK_LONG_SAMPLES);
    return is_long ? WORK_LONG : WORK_SHORT;
}
