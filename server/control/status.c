/* GET /healthz, /readyz, /recorder/v1/status, /metrics. */
#include "control/ask.h"
#include "control/control.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/version.h"
#include "forward/forward.h"
#include "http/reading.h"
#include "render/openmetrics.h"
#include <inttypes.h>
#include <unistd.h>

#define RUNS_SHOWN    100
#define LISTENERS_MAX ((size_t)16 << 20) /* bytes of an answer: room for every socket of every session */

void control_health(struct http_request *rq) {
    if (ask_only(rq, 0, NULL) == 0)
        buf_str(&rq->answer.body, "{\"status\":\"ok\"}\n");
}

static void count_sessions(void *arg, const struct ingest_session *session) {
    (void)session;
    ++*(size_t *)arg;
}

/* --- status ---------------------------------------------------------------------------------------------- */

static void put_socket(void *arg, const struct ingest_socket *s) {
    struct buf *b = arg;
    buf_printf(b, ",\n{\"transport\":\"%s\",\"address\":", source_word(s->source));
    json_put_string(b, span_str(s->address));
    buf_str(b, ",\"session\":");
    json_put_string(b, span_str(s->session));
    buf_printf(b,
               ",\"datagrams\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"over_agent_limit\":%" PRIu64
               ",\"kernel_drops\":%" PRIu64 ",\"truncated\":%" PRIu64 ",\"queue_full\":%" PRIu64
               ",\"injected\":%" PRIu64 ",\"rcvbuf\":%zu,\"connections\":%" PRIu64 "}",
               s->datagrams, s->bytes, s->over_agent_limit, s->kernel_drops, s->truncated, s->queue_full,
               s->injected, s->rcvbuf, s->connections);
}

static void put_forward(void *arg, const struct forward_status *s) {
    struct buf *b = arg;
    buf_str(b, b->p[b->n - 1] == '[' ? "\n{\"url\":" : ",\n{\"url\":");
    json_put_string(b, span_str(s->url));
    buf_printf(b,
               ",\"taken\":%" PRIu64 ",\"passed\":%" PRIu64 ",\"waiting\":%" PRIu64 ",\"dropped\":%" PRIu64
               ",\"refused\":%" PRIu64 ",\"retries\":%" PRIu64 ",\"datagrams_dropped\":%" PRIu64 ",\"why\":",
               s->taken, s->passed, s->waiting, s->dropped, s->refused, s->retries, s->lines_dropped);
    json_put_string(b, span_str(s->why));
    buf_char(b, '}');
}

/* What is passed on, and what could not be. */
static void put_forwards(struct http *h, struct buf *b) {
    buf_str(b, ",\n\"forward\":[");
    if (h->options.forward)
        forward_each(h->options.forward, put_forward, b);
    buf_char(b, ']');
}

static void put_losses(struct buf *b, const struct store_stats *stats) {
    buf_str(b, "\"losses\":{");
    for (int i = 0; i < LOSS_N; i++)
        buf_printf(b, "%s\"%s\":%" PRIu64, i ? "," : "", loss_word((enum loss)i), stats->losses[i]);
    buf_str(b, "}");
}

static int put_run(void *arg, const struct run_row *row) {
    struct buf *b = arg;
    buf_str(b, b->p[b->n - 1] == '[' ? "\n" : ",\n");
    buf_str(b, "{\"started_at\":");
    json_put_time(b, row->started_at);
    buf_str(b, ",\"ended_at\":");
    if (row->ended_at)
        json_put_time(b, row->ended_at);
    else
        buf_str(b, "null");
    buf_str(b, ",\"version\":");
    json_put_string(b, row->version);
    buf_printf(b, ",\"ended_cleanly\":%s,\"mark\":%" PRIu64 "}", row->ended_at ? "true" : "false", row->mark);
    return 0;
}

/* The newest runs; the last is this one, which goes on. */
static int put_runs(struct http_request *rq, struct buf *b) {
    struct err err = {0};
    struct reader *r = store_reader_take(rq->http->store, &err);
    int failed = !r || r->ops->begin(r, &err) != 0;
    buf_str(b, "\"runs\":[");
    if (!failed) {
        failed = r->ops->runs(r, RUNS_SHOWN, put_run, b, &err);
        r->ops->end(r);
    }
    if (r)
        store_reader_give(rq->http->store, r);
    buf_str(b, "]");
    if (failed)
        http_read_failed(rq, "read the runs", &err);
    return failed ? -1 : 0;
}

void control_status(struct http_request *rq) {
    struct http *h = rq->http;
    uint64_t last_id;
    if (ask_only(rq, ASK_NAMES("settled")) != 0 || ask_settled(rq, INGEST_ALL, &last_id) != 0)
        return;
    struct store_stats stats = {0};
    struct store_earlier earlier;
    char recording[RECORDING_NAME_SIZE];
    uint64_t unsaved = pipeline_stats(h->pipeline, h->store, &stats);
    store_earlier(h->store, 0, &earlier);
    store_recording(h->store, recording);
    size_t sessions = 0, peak = 0;
    ingest_session_each(h->ingest, count_sessions, &sessions);
    size_t backlog = pipeline_backlog(h->pipeline, &peak);

    struct buf *b = &rq->answer.body;
    b->max = LISTENERS_MAX;
    buf_printf(b, "{\"version\":\"%s\",\"api\":%d,\"pid\":%d,\"started_at\":", STATWIT_SERVER_VERSION,
               STATWIT_API_NUMBER, (int)getpid());
    json_put_time(b, h->started_at);
    buf_str(b, ",\"uptime_s\":");
    json_put_number(b, (double)(clock_mono_ns() - h->started_mono_ns) / (double)NS_PER_S);
    buf_printf(
        b,
        ",\n\"listeners\":[{\"transport\":\"http\",\"address\":\"%s\",\"session\":null,\"requests\":%" PRIu64
        ",\"without_api_key\":%" PRIu64 "}",
        h->url, (uint64_t)h->n_requests, http_keyless(h));
    ingest_sockets_each(h->ingest, put_socket, b);
    buf_printf(b,
               "],\n\"counts\":{\"samples\":%" PRIu64 ",\"series\":%" PRIu64 ",\"events\":%" PRIu64
               ",\"service_checks\":%" PRIu64 ",\"rejects\":%" PRIu64 ",\"requests\":%" PRIu64
               ",\"datagrams\":%" PRIu64 ",\"received_samples\":%" PRIu64 "},\n",
               stats.samples, stats.series, stats.events, stats.checks, stats.rejects, stats.requests,
               stats.datagrams, stats.received_samples);
    put_losses(b, &stats);
    buf_printf(b,
               ",\"unsaved_losses\":%" PRIu64 ",\n\"sessions\":%zu,\"last_id\":%" PRIu64 ",\"db\":{\"path\":",
               unsaved, sessions, last_id);
    json_put_string(b, span_str(store_path(h->store)));
    buf_printf(b,
               ",\"bytes\":%" PRIu64 "},\"recording\":\"%s\",\"earlier\":{\"records\":%" PRIu64
               ",\"samples\":%" PRIu64 ",\"sessions\":%" PRIu64 "},\n",
               stats.bytes, recording, earlier.records, earlier.samples, earlier.sessions);
    struct store_verdict_counts verdicts;
    store_verdicts_count(h->store, &verdicts);
    buf_printf(b,
               "\"read_only\":%s,\"verdicts\":{\"kept\":%" PRIu64 ",\"failed\":%" PRIu64
               ",\"last_id\":%" PRIu64 "},\n",
               h->options.view ? "true" : "false", verdicts.kept, verdicts.failed, verdicts.last_id);
    if (put_runs(rq, b) != 0)
        return;
    put_forwards(h, b);
    buf_printf(b,
               ",\n\"queue\":{\"bytes\":%zu,\"peak_bytes\":%zu,\"max_bytes\":%zu},\"commits\":%" PRIu64 "}\n",
               backlog, peak, pipeline_cap(h->pipeline), stats.commits);
}

/* --- metrics --------------------------------------------------------------------------------------------- */

struct socket_totals {
    uint64_t datagrams[SOURCE_N], bytes[SOURCE_N];
};

static void add_socket(void *arg, const struct ingest_socket *s) {
    struct socket_totals *t = arg;
    t->datagrams[s->source] += s->datagrams;
    t->bytes[s->source] += s->bytes;
}

/* The heading of a family; counters' samples end in _total. */
static void family(struct buf *b, const char *name, const char *type, const char *help) {
    buf_printf(b, "# TYPE statwit_%s %s\n# HELP statwit_%s %s\n", name, type, name, help);
}

static void one(struct buf *b, const char *name, const char *type, const char *help, uint64_t value) {
    family(b, name, type, help);
    buf_printf(b, "statwit_%s%s %" PRIu64 "\n", name, strcmp(type, "counter") == 0 ? "_total" : "", value);
}

static void put_recorded(struct buf *b, const struct store_stats *s) {
    family(b, "records", "gauge", "Records kept now.");
    const struct {
        const char *kind;
        uint64_t n;
    } kinds[] = {{"sample", s->samples},       {"series", s->series},  {"event", s->events},
                 {"service_check", s->checks}, {"reject", s->rejects}, {"request", s->requests},
                 {"datagram", s->datagrams}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        buf_printf(b, "statwit_records{kind=\"%s\"} %" PRIu64 "\n", kinds[i].kind, kinds[i].n);
    family(b, "losses", "gauge", "What was lost, by kind, as recorded now.");
    for (int i = 0; i < LOSS_N; i++)
        buf_printf(b, "statwit_losses{kind=\"%s\"} %" PRIu64 "\n", loss_word((enum loss)i), s->losses[i]);
    one(b, "samples_received", "counter", "Samples received since the start.", s->received_samples);
    one(b, "commits", "counter", "Transactions committed.", s->commits);
    one(b, "database_bytes", "gauge", "Size of the database and its log.", s->bytes);
}

static void put_sockets(struct buf *b, const struct socket_totals *t) {
    family(b, "datagrams", "counter", "Datagrams and frames received by the sockets open now.");
    for (int i = 0; i < SOURCE_HTTP; i++)
        buf_printf(b, "statwit_datagrams_total{transport=\"%s\"} %" PRIu64 "\n", source_word((enum source)i),
                   t->datagrams[i]);
    family(b, "received_bytes", "counter", "Bytes of them.");
    for (int i = 0; i < SOURCE_HTTP; i++)
        buf_printf(b, "statwit_received_bytes_total{transport=\"%s\"} %" PRIu64 "\n",
                   source_word((enum source)i), t->bytes[i]);
}

struct forward_family {
    struct buf *b;
    const char *name;
};

/* A URL holds no quote and no backslash that libcurl or a socket would take; what has some is not shown. */
static void put_forwarded(void *arg, const struct forward_status *s) {
    const struct forward_family *f = arg;
    bool lost = strcmp(f->name, "lost") == 0;
    if (!strpbrk(s->url, "\"\\\n"))
        buf_printf(f->b, "statwit_forward_%s_total{url=\"%s\"} %" PRIu64 "\n", f->name, s->url,
                   lost ? s->dropped + s->refused + s->lines_dropped : s->passed);
}

static void put_forward_families(struct http *h, struct buf *b) {
    if (!h->options.forward)
        return;
    family(b, "forward_passed", "counter", "Datagrams and requests that were passed on.");
    forward_each(h->options.forward, put_forwarded, &(struct forward_family){b, "passed"});
    family(b, "forward_lost", "counter", "Datagrams and requests that were not passed on.");
    forward_each(h->options.forward, put_forwarded, &(struct forward_family){b, "lost"});
}

void control_metrics(struct http_request *rq) {
    struct http *h = rq->http;
    if (ask_only(rq, 0, NULL) != 0)
        return;
    struct store_stats stats = {0};
    struct socket_totals totals = {0};
    size_t sessions = 0, peak = 0;
    pipeline_stats(h->pipeline, h->store, &stats);
    ingest_sockets_each(h->ingest, add_socket, &totals);
    ingest_session_each(h->ingest, count_sessions, &sessions);
    size_t backlog = pipeline_backlog(h->pipeline, &peak);
    struct buf *b = &rq->answer.body;
    rq->answer.content_type = OPENMETRICS_TYPE;
    family(b, "build", "info", "This build.");
    buf_printf(b, "statwit_build_info{version=\"%s\"} 1\n", STATWIT_SERVER_VERSION);
    put_recorded(b, &stats);
    put_sockets(b, &totals);
    one(b, "sessions", "gauge", "Sessions open now.", sessions);
    one(b, "queue_bytes", "gauge", "Bytes that wait to be stored.", backlog);
    one(b, "queue_peak_bytes", "gauge", "The most there ever were.", peak);
    one(b, "http_requests", "counter", "HTTP requests.", h->n_requests);
    one(b, "http_refused", "counter", "HTTP requests refused before a handler saw them.", h->n_refused);
    one(b, "questions", "counter", "Questions about the recording.", h->n_questions);
    put_forward_families(h, b);
    buf_str(b, "# EOF\n");
}
