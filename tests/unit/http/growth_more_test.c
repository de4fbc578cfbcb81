/* As growth_test: Datadog's own lists and questions, and what is asked of the recorder more seldom. */
#include "growth.h"

#include <string.h>
#include <sys/socket.h>

static const struct question questions[] = {
    /* Datadog's: each reads what an Agent would have sent. */
    {"GET /api/v1/metrics?from=0", NULL, WITH_ALL},
    {"GET /api/v1/metrics/m.0", NULL, WITH_ALL},
    {"GET /api/v1/search?q=metrics:m", NULL, WITH_ALL},
    {"GET /api/v2/metrics", NULL, WITH_ALL},
    {"GET /api/v2/metrics?page[size]=20", NULL, WITH_ALL},
    {"GET /api/v2/metrics/m.0/all-tags", NULL, WITH_ALL},
    {"GET /api/v2/metrics/m.0/volumes", NULL, WITH_ALL},
    {"GET /api/v2/metrics/m.0/estimate", NULL, WITH_ALL},
    {"GET /api/v1/hosts", NULL, WITH_ALL},
    {"GET /api/v1/hosts/totals", NULL, WITH_ALL},
    {"GET /api/v1/tags/hosts", NULL, WITH_ALL},
    {"GET /api/v1/query?query=avg:m.1{*}by{shard}&from=0&to=2000000000", NULL, WITH_ALL},
    {"GET /api/v1/events?start=0&end=2000000000", NULL, WITH_ALL},
    {"GET /api/v2/events?page[limit]=10", NULL, WITH_ALL},
    {"POST /api/v2/events/search", "{\"filter\":{\"query\":\"e1\"}}", WITH_ALL},
    {"GET /info", NULL, CONSTANT},
    /* The recorder's. */
    {"GET /healthz", NULL, CONSTANT},
    {"GET /readyz", NULL, CONSTANT},
    {"GET /recorder/v1/openapi.yaml", NULL, CONSTANT},
    {"GET /recorder/v1/verdicts", NULL, CONSTANT},
    {"GET /recorder/v1/verdicts?verdict=fail&limit=5", NULL, CONSTANT},
    {"GET /recorder/v1/series?limit=1000000&name=m.*", NULL, WITH_SERIES},
    {"GET /recorder/v1/series?limit=1000000&tag=shard:1", NULL, WITH_SERIES},
    {"GET /recorder/v1/samples?limit=50&since=1500", NULL, CONSTANT},
    {"GET /recorder/v1/service_checks?limit=50&newest=true", NULL, CONSTANT},
    {"GET /recorder/v1/rejects?limit=50&newest=true", NULL, CONSTANT},
    {"GET /recorder/v1/rejects?group=true", NULL, WITH_ALL},
    {"GET /recorder/v1/datagrams?limit=20&newest=true", NULL, CONSTANT},
    {"GET /recorder/v1/metrics?limit=50&q=env:ci", NULL, WITH_SERIES},
    {"GET /recorder/v1/metrics?limit=50&spark=20", NULL, WITH_ALL},
    {"GET /recorder/v1/tags?name=m.0", NULL, WITH_SERIES},
    {"GET /recorder/v1/timeline", NULL, WITH_ALL},
    {"GET /recorder/v1/histogram", NULL, WITH_ALL},
    {"GET /recorder/v1/flush?format=table", NULL, WITH_ALL},
    {"POST /recorder/v1/lint", "{\"name\":\"m.*\"}", WITH_SERIES},
    {"POST /recorder/v1/verify",
     "{\"catalog\":{\"metrics\":{\"m.*\":{\"type\":\"distribution\",\"unit\":\"ms\"}}}}", WITH_SERIES},
    {"POST /recorder/v1/expect", "{\"expect\":[\"rate m.* samples >= 0\"],\"as\":\"datadog\"}", WITH_ALL},
    {"POST /recorder/v1/expect", "{\"expect\":[\"distribution m.0 p50\"],\"value\":true}", WITH_ALL},
    {"POST /recorder/v1/expect", "{\"expect\":[\"check * samples >= 0\"]}", WITH_ALL},
};

COMPARE_ALL(questions)

/* How often the text is in the answer. */
static size_t rows_with(const char *text) {
    size_t n = 0;
    for (const char *at = client.body; (at = strstr(at, text)); at++)
        n++;
    return n;
}

/* --- the writer ------------------------------------------------------------------------------------------ */

static atomic_ullong written;

/* A statement has ended. */
static int count_written(unsigned event, void *arg, void *statement, void *ns) {
    (void)event, (void)arg, (void)ns;
    written += (unsigned)sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1);
    return 0;
}

static int count_on_loop(struct store *s, void *on, struct err *err) {
    int failed = store_commit(s, err);
    sqlite3_trace_v2(s->db, *(bool *)on ? SQLITE_TRACE_PROFILE : 0, *(bool *)on ? count_written : NULL, NULL);
    return failed;
}

/* What the writer does for a request, up to the end of its commit. */
static uint64_t work_of_change(const char *request, const char *body, int status) {
    struct err err = {0};
    bool on = true;
    EQ_INT(ingest_call(server.rig.ingest, INGEST_ALL, count_on_loop, &on, &err), 0);
    written = 0;
    EQ_INT(post_json(request, body), status);
    on = false;
    EQ_INT(ingest_call(server.rig.ingest, INGEST_ALL, count_on_loop, &on, &err), 0);
    return written;
}

/* The recording keeps 100 reports, however many there were. */
static void more_verdicts(void) {
    for (int many = 0; many < 2; many++) {
        start_timeless();
        record(MORE_SAMPLES, LINES);
        for (int i = 0; i < (many ? 8 * SOME : SOME); i++) {
            char body[96];
            snprintf(body, sizeof body, "{\"expect\":[\"distribution m.1 samples %s %d\"]}",
                     i % 2 ? ">=" : "==", i);
            EQ_INT(post_json("POST /recorder/v1/expect", body), 200);
        }
        EQ_INT(ask("GET /recorder/v1/verdicts"), 200);
        EQ_INT(rows_with("\"first_at\""), 100);
        stop();
    }
}

static void more_to_change(void) {
    uint64_t mark[2], new_session[2], removed[2], reset[2];
    for (int many = 0; many < 2; many++) {
        start_timeless();
        record(MORE_SERIES, many ? MANY : FEW);
        mark[many] = work_of_change("POST /recorder/v1/marks", "{}", 200);
        new_session[many] = work_of_change("POST /recorder/v1/sessions", "{\"name\":\"s\"}", 201);
        removed[many] = work_of_change("DELETE /recorder/v1/sessions/s", NULL, 200);
        reset[many] = work_of_change("POST /recorder/v1/reset", "{}", 200);
        stop();
    }
    compare_two("a mark", mark, CONSTANT);
    compare_two("a new session", new_session, CONSTANT);
    compare_two("a session removed", removed, CONSTANT);
    compare_two("a reset", reset, WITH_ALL);
}

/* --- a stream of batches --------------------------------------------------------------------------------- */

/* Steps until the first event of it is here, which is about all that was recorded. */
static uint64_t work_of_batch(void) {
    static const char request[] =
        "GET /recorder/v1/stream?every_ms=100&since=0 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static char text[1 << 20];
    struct client stream;
    size_t n = 0;
    client_open(&stream, &server);
    steps = 0;
    count_steps(true); /* to the end: the stream goes on meanwhile */
    client_send(&stream, request, sizeof request - 1);
    while (n < sizeof text - 1 && !strstr(text, "event: batch")) {
        ssize_t more = client_read(&stream, text + n, sizeof text - 1 - n);
        CU_ASSERT_FATAL(more > 0);
        n += (size_t)more;
        text[n] = '\0';
    }
    memset(text, 0, n);
    uint64_t work = steps;
    client_close(&stream);
    return work;
}

static void more_in_a_batch(void) {
    uint64_t work[2];
    for (int many = 0; many < 2; many++) {
        start_timeless();
        record(MORE_SAMPLES, many ? MANY : FEW);
        work[many] = work_of_batch();
        stop();
    }
    compare_two("a batch of a stream", work, WITH_ALL);
}

UNIT_MAIN("http/growth_more", {"eight times the samples", more_samples},
          {"eight times the series", more_series},
          {"eight times the events, checks and rejects", more_records},
          {"eight times the verdicts", more_verdicts}, {"eight times as much to change", more_to_change},
          {"eight times as much in a batch", more_in_a_batch})
