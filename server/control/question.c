/* POST /recorder/v1/expect: the request becomes a question. */
#include "control/question.h"

#include "control/ask.h"
#include "core/clock.h"
#include <stdlib.h>

void question_free(struct question *q) {
    judge_free(q->judge);
    free(q);
}

#define FIELDS                                                                                               \
    "expect", "session", "no_everywhere", "since", "until", "within_ms", "settle_ms", "all_covered",         \
        "prefix", "ignore_tags", "no_rejects", "value", "as", "keep"

/* "env,host" or ["env","host"] */
static int join_ignored(struct http_request *rq, const json_t *body, struct buf *text) {
    const json_t *field = json_object_get(body, "ignore_tags"), *item;
    size_t i;
    if (!json_is_array(field)) {
        struct span given = SPAN("");
        int result = ask_string(rq, body, "ignore_tags", &given);
        buf_span(text, given);
        return result < 0 ? -1 : 0;
    }
    json_array_foreach(field, i, item) {
        if (!json_is_string(item)) {
            http_error(rq, 400, "ignore_tags must be a string or a list of strings");
            return -1;
        }
        buf_str(text, i ? "," : "");
        buf_str(text, json_string_value(item));
    }
    return 0;
}

static int read_ignored(struct http_request *rq, const json_t *body, struct buf *text) {
    if (join_ignored(rq, body, text) != 0)
        return -1;
    if (text->failed)
        http_error(rq, 400, "ignore_tags is longer than the limit of %zu bytes", text->max);
    return text->failed ? -1 : 0;
}

/* A string, or {"text","file"}: a file's text and its name for the report. */
static int read_source(struct http_request *rq, const json_t *item, struct judge_source *source) {
    if (json_is_string(item)) {
        source->text = span_of(json_string_value(item), json_string_length(item));
        return 0;
    }
    if (!json_is_object(item)) {
        http_error(rq, 400, "expect must be a list of strings");
        return -1;
    }
    if (ask_fields(rq, item, "expect[].", ASK_NAMES("text", "file")) != 0 ||
        ask_string(rq, item, "file", &source->file) < 0)
        return -1;
    int given = ask_string(rq, item, "text", &source->text);
    if (given == 0)
        http_error(rq, 400, "expect[].text is missing");
    return given > 0 ? 0 : -1;
}

/* NULL when refused. */
static struct judge_source *read_sources(struct http_request *rq, const json_t *body, bool all_covered,
                                         size_t *n) {
    const json_t *list = json_object_get(body, "expect");
    bool one = json_is_string(list);
    *n = one ? 1 : json_array_size(list);
    if ((!one && list && !json_is_array(list)) || (*n == 0 && !all_covered) || *n > JUDGE_EXPECTATIONS_MAX) {
        http_error(rq, 400, "expect must be a list of 1 to %d expectations", JUDGE_EXPECTATIONS_MAX);
        return NULL;
    }
    struct judge_source *sources = calloc(*n + 1, sizeof *sources);
    if (!sources) {
        http_error(rq, 503, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < *n; i++)
        if (read_source(rq, one ? list : json_array_get(list, i), &sources[i]) != 0) {
            free(sources);
            return NULL;
        }
    return sources;
}

static void put_error(struct http_request *rq, const struct judge_error *e) {
    json_t *answer = json_pack("{s:s, s:I, s:I, s:s}", "error", e->message, "line", (json_int_t)e->line,
                               "column", (json_int_t)e->column, "excerpt", e->excerpt);
    if (answer && e->file.p)
        json_object_set_new(answer, "file", json_stringn(e->file.p, e->file.n));
    if (!answer) {
        http_error(rq, 400, "%s (line %zu, column %zu)", e->message, e->line, e->column);
        return;
    }
    rq->answer.status = 400;
    ask_dump(&rq->answer.body, answer);
    buf_char(&rq->answer.body, '\n');
    json_decref(answer);
}

static struct judge *read_judge(struct http_request *rq, const json_t *body,
                                const struct judge_options *options) {
    size_t n;
    struct judge_source *sources = read_sources(rq, body, options->all_covered || options->no_rejects, &n);
    if (!sources)
        return NULL;
    struct judge_error error = {0};
    struct judge *judge = judge_parse(sources, n, options, &error);
    if (!judge)
        put_error(rq, &error);
    free(sources);
    return judge;
}

static int read_until(struct http_request *rq, const json_t *body, uint64_t *until) {
    int given = ask_count(rq, body, "until", INT64_MAX, until);
    if (given > 0 && *until == 0)
        http_error(rq, 400, "until must be a mark from 1 (POST /recorder/v1/marks gives one)");
    return given < 0 || (given > 0 && *until == 0) ? -1 : 0;
}

static int read_as(struct http_request *rq, const json_t *body, bool *as_datadog) {
    struct span as = {NULL, 0};
    if (ask_string(rq, body, "as", &as) < 0)
        return -1;
    *as_datadog = span_eq(as, SPAN("datadog"));
    if (!as.p || *as_datadog)
        return 0;
    http_error(rq, 400, "as must be datadog, not '%.*s'", as.n > 60 ? 60 : (int)as.n, as.p);
    return -1;
}

/* "UDP 127.0.0.1:8125, HTTP http://127.0.0.1:8125": where a client must send to. */
static void note_addresses(const struct http_request *rq, const struct ingest_session *session, int ended,
                           struct buf *text, struct judge_options *options) {
    const struct ingest_addresses *at = &session->at;
    options->listening = (struct span){NULL, 0};
    buf_clear(text);
    if (session->id == INGEST_ALL || ended)
        return;
    if (at->udp[0])
        buf_printf(text, "UDP %s, ", at->udp);
    if (at->unixgram[0])
        buf_printf(text, "Unix datagrams %s, ", at->unixgram);
    if (at->unixstream[0])
        buf_printf(text, "Unix stream %s, ", at->unixstream);
    buf_printf(text, "HTTP %s", http_url(rq->http));
    options->listening = buf_view(text);
}

/* Where the request names no session, a `session` line of the expectations may: then that one is looked up, and judged. */
static int follow_session_line(struct http_request *rq, const json_t *body, bool has_since,
                               struct judge_options *options, struct ingest_session *session,
                               struct buf *addresses, struct judge **judge) {
    struct span line = judge_session_line(*judge);
    if (!line.p)
        return 0;
    int ended = ask_sessions(rq, line, session);
    judge_free(*judge);
    *judge = NULL;
    if (ended < 0)
        return -1;
    options->no_everywhere = false;
    options->session = span_str(session->name);
    note_addresses(rq, session, ended, addresses, options);
    if (!has_since)
        options->since = ask_own_run(rq, session->id, &options->earlier);
    *judge = read_judge(rq, body, options);
    return *judge ? ended : -1;
}

static struct question *make_question(struct http_request *rq, const json_t *body) {
    struct judge_options options = {0};
    struct ingest_session session;
    struct span name = {NULL, 0};
    uint64_t within_ms = 0, settle_ms = 0;
    struct buf ignored = {.max = 64 << 10}, addresses = {.max = 4096};
    int has_within = ask_count(rq, body, "within_ms", JUDGE_WITHIN_MS_MAX, &within_ms);
    struct judge *judge = NULL;
    int has_since = 0, ended = 0;
    bool keep = true;
    if (has_within >= 0 && ask_count(rq, body, "settle_ms", JUDGE_SETTLE_MS_MAX, &settle_ms) >= 0 &&
        (has_since = ask_count(rq, body, "since", INT64_MAX, &options.since)) >= 0 &&
        read_until(rq, body, &options.until) == 0 &&
        ask_bool(rq, body, "all_covered", &options.all_covered) >= 0 &&
        ask_string(rq, body, "prefix", &options.prefix) >= 0 && ask_string(rq, body, "session", &name) >= 0 &&
        ask_bool(rq, body, "no_everywhere", &options.no_everywhere) >= 0 &&
        ask_bool(rq, body, "no_rejects", &options.no_rejects) >= 0 &&
        ask_bool(rq, body, "value", &options.values) >= 0 && read_as(rq, body, &options.as_datadog) == 0 &&
        ask_bool(rq, body, "keep", &keep) >= 0 && (ended = ask_sessions(rq, name, &session)) >= 0 &&
        read_ignored(rq, body, &ignored) == 0) {
        if (!has_since)
            options.since =
                ask_own_run(rq, options.no_everywhere ? INGEST_ALL : session.id, &options.earlier);
        bool chosen =
            name.p || strcmp(session.name, "default") != 0; /* by the request, in one way or another */
        options.session = chosen ? span_str(session.name) : (struct span){NULL, 0};
        options.ignore_tags = buf_view(&ignored);
        note_addresses(rq, &session, ended, &addresses, &options);
        judge = read_judge(rq, body, &options);
        int by_line =
            judge ? follow_session_line(rq, body, has_since, &options, &session, &addresses, &judge) : 0;
        ended = by_line ? by_line : ended;
    }
    buf_free(&ignored);
    buf_free(&addresses);
    struct question *q = judge ? calloc(1, sizeof *q) : NULL;
    if (!q) {
        if (judge)
            http_error(rq, 503, "out of memory");
        judge_free(judge);
        return NULL;
    }
    q->ended = ended && !options.no_everywhere; /* nothing comes any more */
    if (options.no_everywhere)                  /* it waits for, and is told of, what comes in anywhere */
        session = (struct ingest_session){.id = INGEST_ALL, .name = EVERY_SESSION};
    if (q->ended || judge_until(judge) || rq->http->options.view)
        within_ms = settle_ms = 0;
    else if (!has_within && judge_within_ms(judge) > 0)
        within_ms = (uint64_t)judge_within_ms(judge);
    q->rq = rq;
    q->keep = keep && !options.values;
    q->judge = judge;
    q->as_datadog = judge_as_datadog(judge);
    q->all_sessions = options.no_everywhere;
    q->waiter.fd = http_socket(rq);
    memcpy(q->waiter.session, session.name, sizeof q->waiter.session);
    q->asked_mono_ns = clock_mono_ns();
    q->settle_ns = (int64_t)settle_ms * NS_PER_MS;
    q->deadline_mono_ns = q->asked_mono_ns + (int64_t)within_ms * NS_PER_MS;
    q->waiter.session_id = session.id;
    return q;
}

struct question *question_read(struct http_request *rq) {
    json_t *body = ask_body(rq, ASK_NAMES(FIELDS));
    struct question *q = body ? make_question(rq, body) : NULL;
    json_decref(body);
    return q;
}

struct question *question_read_again(struct http_request *rq) {
    json_t *body = json_loadb(rq->body.p, rq->body.n, 0, NULL);
    struct question *q = make_question(rq, body);
    json_decref(body);
    return q;
}
