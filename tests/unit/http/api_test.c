/* The fake Datadog API with a whole recorder behind it: exact answers, and what is recorded for them. */
#include "asking.h"

#include "core/buf.h"
#include "core/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <zlib.h>

static long long now_s(void) {
    return (long long)(clock_wall_ns() / NS_PER_S);
}

#define KEY "DD-API-KEY: 0123456789abcdef0123456789abcdef\r\n"

static int post_as(const char *request, const char *headers, const char *body) {
    return client_ask(&client, request, headers, body);
}

static int post(const char *request, const char *body) {
    return post_as(request, "Content-Type: application/json\r\n" KEY, body);
}

static int post_bytes(const char *path, const char *headers, struct span body) {
    struct buf text = {0};
    buf_printf(&text, "POST %s HTTP/1.1\r\nHost: localhost\r\n" KEY "%sContent-Length: %zu\r\n\r\n", path,
               headers, body.n);
    buf_span(&text, body);
    client_send(&client, text.p, text.n);
    buf_free(&text);
    return client_receive(&client);
}

/* {"series":[{"metric":NAME,"points":[[now,VALUE]]}]} in a static buffer. */
static const char *series(const char *name, const char *value) {
    static char text[256];
    snprintf(text, sizeof text, "{\"series\":[{\"metric\":\"%s\",\"points\":[[%lld,%s]]}]}", name, now_s(),
             value);
    return text;
}

/* How often the answer says it. */
static int times(const char *text) {
    int n = 0;
    for (const char *at = client.body; (at = strstr(at, text)); at++)
        n++;
    return n;
}

/* How many samples of that name are recorded. */
static int samples(const char *name) {
    char request[128];
    snprintf(request, sizeof request, "GET /recorder/v1/samples?name=%s", name);
    EQ_INT(ask(request), 200);
    return times("\"session\":");
}

/* --- writes --------------------------------------------------------------------------------------------------------- */

static void test_series_v1(void) {
    start();
    EQ_INT(post("POST /api/v1/series", series("a.b", "1.5")), 202);
    EQ_STR(client.body, "{\"status\": \"ok\"}");
    HEAD_SAYS("\r\nContent-Type: text/json\r\n");
    HEAD_SAYS("\r\nDate: ");
    EQ_INT(post("POST //api//v1/series/", series("a.b", "2")), 202);
    EQ_INT(samples("a.b"), 2);
    EQ_INT(post("POST /api/v1/series", "[1:2]"), 400);
    EQ_STR(client.body, "Payload is not in the expected format: invalid character ':' after array element");
    HEAD_SAYS("\r\nContent-Type: text/plain; charset=utf-8\r\n");
    EQ_INT(ask("GET /recorder/v1/rejects"), 200);
    SAYS("\"reason\":\"invalid_body\"");
    SAYS("\"text\":\"[1:2]\",\"offset\":2");
    stop();
}

static void test_dropped_in_silence(void) {
    start();
    EQ_INT(post("POST /api/v1/series", series("a", "NaN")), 202);
    EQ_STR(client.body, "{\"status\": \"ok\"}");
    EQ_INT(post("POST /api/v1/series", "{\"series\":[{\"metric\":\"a\",\"points\":[1,2]}]}"), 202);
    EQ_INT(post("POST /api/v1/series", "{\"series\":[{\"metric\":\"a\",\"points\":[[1,2]]}]}"), 202);
    EQ_INT(samples("a"), 0);
    EQ_INT(ask("GET /recorder/v1/rejects"), 200);
    SAYS("\"reason\":\"non_finite_value\"");
    SAYS("\"reason\":\"flat_points\"");
    SAYS("\"reason\":\"timestamp_too_old\"");
    stop();
}

/* Series are known by their bytes from the second time on, for every session, whatever was forgotten since. */
static void test_known_series(void) {
    char body[512];
    start();
    snprintf(body, sizeof body,
             "{\"series\":[{\"metric\":\"k.a\",\"points\":[[%lld,1]],\"tags\":[\"env:x\"],\"host\":\"h\"},"
             "{\"metric\":\"k.b\",\"points\":[[%lld,2],[1,2]],\"type\":\"count\",\"unit\":\"byte\"}]}",
             now_s(), now_s());
    for (int i = 0; i < 3; i++)
        EQ_INT(post("POST /api/v1/series", body), 202);
    EQ_INT(samples("k.a"), 3);
    EQ_INT(samples("k.b"), 3);
    EQ_INT(ask("GET /recorder/v1/series"), 200);
    EQ_INT(times("\"name\":\"k."), 2);
    SAYS("\"tags\":[\"env:x\"],\"host\":\"h\"");
    EQ_INT(ask("GET /recorder/v1/rejects"), 200);
    EQ_INT(times("\"reason\":\"timestamp_too_old\""), 3);
    EQ_INT(ask("POST /recorder/v1/reset"), 200);
    EQ_INT(post("POST /api/v1/series", body), 202);
    EQ_INT(samples("k.a"), 1);
    EQ_INT(ask("GET /recorder/v1/series"), 200);
    SAYS("\"tags\":[\"env:x\"],\"host\":\"h\"");
    body[strlen(body) - 1] = 'x'; /* and nothing of a body that is refused */
    EQ_INT(post("POST /api/v1/series", body), 400);
    EQ_INT(samples("k.a"), 1);
    stop();
}

static void test_strict(void) {
    start_with(&(struct http_options){.strict_intake = true});
    EQ_INT(post("POST /api/v1/series", series("a", "NaN")), 400);
    EQ_INT(post("POST /api/v1/series", series("a", "1")), 202);
    EQ_INT(samples("a"), 1);
    EQ_INT(ask("GET /recorder/v1/rejects"), 200);
    SAYS("\"reason\":\"non_finite_value\"");
    stop();
}

static void test_series_v2(void) {
    char body[256];
    start();
    snprintf(body, sizeof body,
             "{\"series\":[{\"metric\":\"v2\",\"type\":3,\"points\":[{\"timestamp\":%lld,\"value\":1}]}]}",
             now_s());
    EQ_INT(post("POST /api/v2/series", body), 202);
    EQ_STR(client.body, "{\"errors\":[]}");
    HEAD_SAYS("\r\nContent-Type: application/json\r\n");
    EQ_INT(post_as("POST /api/v2/series", KEY, body), 202);
    EQ_INT(samples("v2"), 2);
    EQ_INT(post("POST /api/v2/series", "{}"), 202);
    EQ_STR(client.body, "{\"errors\":[]}");
    EQ_INT(post_as("POST /api/v2/series", KEY "Content-Type: application/x-protobuf\r\n", "\x0a\x7f"), 400);
    SAYS("{\"errors\":[\"");
    EQ_INT(ask("GET /recorder/v1/requests"), 200);
    SAYS("\"body_bytes\":2,");
    stop();
}

static void test_other_writes(void) {
    start();
    EQ_INT(post("POST /api/beta/sketches", "{}"), 202);
    EQ_INT(post_bytes("/api/intake/metrics/v3/series", "Content-Type: application/x-protobuf\r\n", SPAN("")),
           202);
    EQ_INT(post_bytes("/api/intake/metrics/v3beta/series", "", SPAN("\x1a\x7f")), 400);
    EQ_INT(post("POST /api/v1/check_run", "{\"check\":\"app.ok\",\"status\":0}"), 202);
    EQ_STR(client.body, "{\"status\": \"ok\"}");
    EQ_INT(ask("GET /recorder/v1/service_checks"), 200);
    SAYS("\"name\":\"app.ok\",\"status\":\"ok\"");
    EQ_INT(post("POST /intake/",
                "{\"events\":{\"api\":[{\"msg_title\":\"up\",\"msg_text\":\"x\",\"timestamp\":1}]}}"),
           202);
    EQ_STR(client.body, "{\"status\": \"ok\"}");
    EQ_INT(ask("GET /recorder/v1/events"), 200);
    SAYS("\"title\":\"up\"");
    EQ_INT(post("POST /intake/", "{\"agentVersion\":\"7\"}"), 202);
    EQ_INT(post("POST /api/v1/metadata", "{\"host\":\"h\"}"), 202);
    EQ_STR(client.body, "{}");
    EQ_INT(post("POST /nowhere", "found"), 404);
    EQ_STR(client.body, "{\"errors\":[\"no such path: /nowhere\"]}");
    EQ_INT(ask("GET /recorder/v1/requests"), 200);
    SAYS("agentVersion");
    SAYS("\"path\":\"/api/v1/metadata\"");
    SAYS("\"body\":\"found\",\"note\":\"no such path\"");
    stop();
}

static void test_events(void) {
    start();
    EQ_INT(post("POST /api/v1/events", "{\"title\":\"t\",\"text\":\"x\"}"), 202);
    SAYS("{\"status\":\"ok\",\"event\":{\"id\":");
    SAYS("\"tags\":null,\"url\":\"https://app.datadoghq.com/event/event?id=");
    char request[96];
    long long id = strtoll(strstr(client.body, "\"id\":") + 5, NULL, 10);
    snprintf(request, sizeof request, "GET /api/v1/events/%lld", id);
    EQ_INT(ask(request), 200);
    SAYS("{\"event\":{\"date_happened\":");
    EQ_INT(ask("GET /api/v1/events/1"), 404);
    EQ_INT(post("POST /api/v1/events", "{\"title\":\"t\",\"text\":\"x\",\"date_happened\":1}"), 400);
    EQ_STR(client.body, "{\"errors\":[\"Event too far in the past\"]}");
    HEAD_SAYS("\r\nContent-Type: text/plain; charset=utf-8\r\n");
    EQ_INT(post("POST /api/v2/events", "{\"data\":{\"attributes\":{\"title\":\"t\"}}}"), 202);
    SAYS("{\"data\":{\"attributes\":{\"attributes\":{\"evt\":{\"id\":\"");
    EQ_INT(post("POST /api/v2/events", "{\"data\":{}}"), 400);
    SAYS("{\"errors\":[{\"status\":\"400\",\"title\":\"Bad Request\",\"detail\":\"");
    stop();
}

static void test_proxy(void) {
    start();
    EQ_INT(post_as("POST /dogstatsd/v2/proxy", NULL, "over.http:1:2|c|#a\nbad"), 200);
    EQ_INT(samples("over.http"), 2);
    EQ_INT(ask("GET /recorder/v1/rejects"), 200);
    SAYS("\"text\":\"bad\"");
    stop();
}

/* --- encodings and sizes ---------------------------------------------------------------------------------------------- */

static struct span zipped(struct span plain, struct buf *room) {
    uLongf n = compressBound((uLong)plain.n);
    buf_reserve(room, n);
    compress((Bytef *)room->p, &n, (const Bytef *)plain.p, (uLong)plain.n);
    room->n = n;
    return buf_view(room);
}

static void test_encodings(void) {
    struct buf room = {0};
    start();
    struct span body = zipped(span_str(series("z", "1")), &room);
    EQ_INT(post_bytes("/api/v1/series", "Content-Encoding: deflate\r\n", body), 202);
    EQ_INT(samples("z"), 1);
    EQ_INT(post_bytes("/api/v1/series", "Content-Encoding: gzip\r\n", body), 400);
    EQ_INT(post_bytes("/api/v1/series", "Content-Encoding: br\r\n", body), 400);
    SAYS("unsupported Content-Encoding: br");
    EQ_INT(ask("GET /recorder/v1/requests"), 200);
    SAYS("\"encoding\":\"deflate\"");
    stop();
    buf_free(&room);
}

static void test_too_large(void) {
    enum { BOMB = 64 << 20 };
    struct buf room = {0};
    char *zeros = calloc(1, BOMB);
    start();
    struct span bomb = zipped(span_of(zeros, BOMB), &room);
    EQ_INT(post_bytes("/api/v1/series", "Content-Encoding: deflate\r\n", bomb), 413);
    SAYS("{\"status\":\"error\",\"code\":413,\"errors\":[\"Payload too large\"],\"statuspage\":");
    EQ_INT(post_bytes("/api/v2/series", "Content-Encoding: deflate\r\n", bomb), 413);
    EQ_INT(post_bytes("/api/v2/series", "", span_of(zeros, 512000)), 413);
    EQ_INT(post_bytes("/api/v1/series", "", span_of(zeros, 3200001)), 413);
    EQ_INT(post("POST /api/v1/series", series("after", "1")), 202);
    EQ_INT(ask("GET /recorder/v1/requests"), 200);
    SAYS("\"note\":\"too large on the wire\"");
    SAYS("\"note\":\"too large after decompression\"");
    stop();
    free(zeros);
    buf_free(&room);
}

/* Large enough for a worker and several batches. */
static void test_large_body(void) {
    struct buf body = {0};
    start();
    buf_str(&body, "{\"series\":[");
    for (int i = 0; i < 20000; i++)
        buf_printf(&body, "%s{\"metric\":\"large\",\"points\":[[%lld,%d]],\"tags\":[\"k:%d\"]}", i ? "," : "",
                   now_s(), i, i % 100);
    size_t cut = body.n;
    buf_str(&body, "]}");
    EQ_INT(post_bytes("/api/v1/series", "", buf_view(&body)), 202);
    EQ_INT(ask("GET /recorder/v1/series?name=large&tag=k:7"), 200);
    SAYS("\"samples\":200,");
    EQ_INT(post_bytes("/api/v1/series", "", span_of(body.p, cut)), 400);
    EQ_INT(ask("GET /recorder/v1/series?name=large&tag=k:7"), 200);
    SAYS("\"samples\":200,");
    stop();
    buf_free(&body);
}

/* --- keys, sessions ---------------------------------------------------------------------------------------------------- */

static void test_keys(void) {
    static const char *const keys[] = {"good-key-0001"};
    start_with(&(struct http_options){.n_api_keys = 1, .api_keys = keys});
    EQ_INT(post_as("POST /api/v1/series", "DD-API-KEY: other\r\n", series("a", "1")), 403);
    EQ_STR(client.body, "{\"status\":\"error\",\"code\":403,\"errors\":[\"Forbidden\"],\"statuspage\":"
                        "\"http://status.datadoghq.com\",\"twitter\":\"http://twitter.com/datadogops\","
                        "\"email\":\"support@datadoghq.com\"}");
    EQ_INT(post_as("POST /api/v1/series", NULL, series("a", "1")), 403);
    EQ_STR(client.body, "{\"errors\":[\"API key required\"]}");
    EQ_INT(post_as("POST /api/v1/series?api_key=good-key-0001&x=1", NULL, series("a", "1")), 202);
    EQ_INT(samples("a"), 1);
    EQ_INT(ask("GET /api/v1/validate"), 403);
    EQ_STR(client.body, "{\"errors\":[\"API key required\"]}");
    EQ_INT(ask("GET /api/v1/validate?api_key=good-key-0001"), 200);
    EQ_STR(client.body, "{\"valid\":true}");
    EQ_INT(ask("GET /recorder/v1/requests"), 200);
    SAYS("\"query\":\"api_key=****0001&x=1\"");
    CU_ASSERT_PTR_NULL(strstr(client.body, "good-key"));
    stop();
}

/* Datadog answers 403 to a write without a key. It was a 202 here, so a test passed that production fails. */
static void test_no_key(void) {
    static const char *const paths[] = {"/api/v1/series",
                                        "/api/v1/check_run",
                                        "/api/v1/events",
                                        "/api/v2/events",
                                        "/api/v1/distribution_points",
                                        "/api/beta/sketches",
                                        "/intake/metadata",
                                        "/intake",
                                        "/api/v2/host_metadata"};
    char request[64];
    start();
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        snprintf(request, sizeof request, "POST %s", paths[i]);
        EQ_INT(post_as(request, NULL, series("a", "1")), 403);
        EQ_STR(client.body, "{\"errors\":[\"API key required\"]}");
        EQ_INT(post_as(request, "DD-API-KEY: \r\n", series("a", "1")), 403);
    }
    EQ_INT(post_as("POST /api/v2/series?api_key=0123456789abcdef0123456789abcdef", NULL, "{}"), 403);
    EQ_STR(client.body, "{\"errors\":[\"No API key specified in DD-API-KEY header\"]}");
    EQ_INT(post_as("POST /api/v1/series?api_key=any", NULL, series("a", "1")), 202);
    EQ_INT(post_as("POST /dogstatsd/v2/proxy", NULL, "b:1|c"), 200);
    EQ_INT(samples("a"), 1);
    EQ_INT(samples("b"), 1);
    EQ_INT(ask("GET /recorder/v1/status"), 200);
    SAYS("\"without_api_key\":19}");
    EQ_INT(ask("GET /recorder/v1/rejects?limit=1"), 200);
    SAYS("\"reason\":\"no_api_key\"");
    SAYS("\"text\":\"/api/v1/series\"");
    EQ_INT(ask("GET /recorder/v1/requests?limit=1"), 200);
    SAYS("\"note\":\"no API key: Datadog answers 403 and keeps nothing\"");
    stop();
}

/* An Agent sent what it got a 404 for again and again. */
static void test_agent_paths(void) {
    static char large[4000];
    start();
    memset(large, 'x', sizeof large - 1);
    EQ_INT(post("POST /api/v2/logs", large), 202);
    EQ_STR(client.body, "{}");
    EQ_INT(post_as("POST /api/v2/logs", NULL, "[]"), 403);
    EQ_INT(post("POST /api/v0.2/traces", "t"), 202);
    EQ_INT(post("POST /api/v2/not-known", "u"), 404);
    EQ_INT(post_as("POST /api/v2/not-known", "User-Agent: datadog-agent/7.70.0\r\n", "v"), 202);
    EQ_INT(post_as("POST /api/v2/not-known", "Via: trace-agent 7.70.0\r\n", "w"), 202);
    EQ_INT(ask("GET /api/v2/logs"), 405);
    EQ_INT(ask("GET /recorder/v1/requests?path=/api/v2/logs&status=2xx"), 200);
    SAYS("\"body_bytes\":3999,");
    SAYS("\"body\":null,");
    CU_ASSERT_PTR_NULL(strstr(client.body, "\"status\":403"));
    EQ_INT(ask("GET /recorder/v1/requests?path=/api/v2/l*&body=1&limit=1"), 200);
    SAYS("\"body\":\"xxxxx");
    EQ_INT(ask("GET /recorder/v1/requests?method=post&status=404&limit=1"), 200);
    SAYS("\"body\":\"u\",\"note\":\"no such path\"");
    SAYS("\"next\":null");
    EQ_INT(ask("GET /recorder/v1/requests?status=202&newest=1&limit=1"), 200);
    SAYS("\"body\":\"w\",");
    EQ_INT(ask("GET /recorder/v1/requests?method=PUT"), 200);
    SAYS("{\"requests\":[],");
    EQ_INT(ask("GET /recorder/v1/requests?method=BREW"), 400);
    EQ_INT(ask("GET /recorder/v1/requests?status=9xx"), 400);
    EQ_INT(ask("GET /recorder/v1/requests?status=40"), 400);
    EQ_INT(ask("GET /recorder/v1/requests?status="), 400);
    EQ_INT(ask("GET /recorder/v1/requests?path=a&name=b"), 400);
    EQ_INT(ask("GET /recorder/v1/series?status=200"), 400);
    stop();
}

/* A test with its clock frozen at 2020 lost all its points. */
static void test_any_age(void) {
    char headers[96];
    static const char old[] =
        "{\"series\":[{\"metric\":\"old\",\"points\":[[1577836800,1],[4102444800,2]]}]}";
    start();
    EQ_INT(post("POST /api/v1/series", old), 202);
    EQ_INT(samples("old"), 0);
    EQ_INT(post("POST /recorder/v1/sessions", "{\"name\":\"frozen\",\"timestamps\":\"any\"}"), 201);
    SAYS("\"timestamps\":\"any\"");
    snprintf(headers, sizeof headers, "DD-API-KEY: %.32s\r\n", strstr(client.body, "\"api_key\":\"") + 11);
    EQ_INT(post_as("POST /api/v1/series", headers, old), 202);
    EQ_INT(post_as("POST /api/v1/events", headers,
                   "{\"title\":\"t\",\"text\":\"x\",\"date_happened\":1577836800}"),
           202);
    EQ_INT(ask("GET /recorder/v1/samples?session=frozen&name=old"), 200);
    SAYS("\"timestamp\":1577836800,");
    SAYS("\"timestamp\":4102444800,");
    EQ_INT(ask("GET /recorder/v1/sessions/default"), 200);
    SAYS("\"timestamps\":\"datadog\"");
    EQ_INT(post("POST /recorder/v1/sessions", "{\"timestamps\":\"old\"}"), 400);
    SAYS("'timestamps' is \\\"datadog\\\" or \\\"any\\\", not \\\"old\\\"");
    stop();
}

static void test_accept_no_key(void) {
    start_with(&(struct http_options){.accept_no_key = true});
    EQ_INT(post_as("POST /api/v1/series", NULL, series("a", "1")), 202);
    EQ_INT(post_as("POST /api/v2/series", NULL, "{}"), 202);
    EQ_INT(samples("a"), 1);
    stop();
}

static void test_strict_keys(void) {
    start_with(&(struct http_options){.strict_intake = true});
    EQ_INT(post_as("POST /api/v1/series", "DD-API-KEY: short\r\n", series("a", "1")), 403);
    SAYS("\"errors\":[\"Forbidden\"]");
    EQ_INT(
        post_as("POST /api/v1/series", "DD-API-KEY: 0123456789abcdef0123456789abcdeg\r\n", series("a", "1")),
        403);
    EQ_INT(post_as("POST /api/v1/series", KEY, series("a", "1")), 202);
    EQ_INT(ask("GET /recorder/v1/rejects"), 200);
    SAYS("\"reason\":\"api_key_refused\"");
    SAYS("strict: the API key is not 32 hexadecimal digits");
    stop();
}

static void test_session_by_key(void) {
    start();
    EQ_INT(post("POST /recorder/v1/sessions", "{\"name\":\"mine\"}"), 201);
    char headers[96], *key = strstr(client.body, "\"api_key\":\"") + 11;
    snprintf(headers, sizeof headers, "DD-API-KEY: %.32s\r\n", key);
    EQ_INT(post_as("POST /api/v1/series", headers, series("s", "1")), 202);
    EQ_INT(samples("s"), 0);
    EQ_INT(ask("GET /recorder/v1/samples?session=mine"), 200);
    SAYS("\"name\":\"s\"");
    EQ_INT(client_ask(&client, "GET /api/v1/metrics?from=0", headers, NULL), 200);
    EQ_STR(client.body, "{\"from\":\"0\",\"metrics\":[\"s\"]}");
    stop();
}

/* --- many at once -------------------------------------------------------------------------------------------------------- */

#define CLIENTS 64
#define EACH    20

static void *many(void *arg) {
    (void)arg;
    struct client c;
    char body[128];
    client_open(&c, &server);
    long accepted = 0;
    for (int i = 0; i < EACH; i++) {
        snprintf(body, sizeof body, "{\"series\":[{\"metric\":\"many\",\"points\":[[%lld,%d]]}]}", now_s(),
                 i);
        accepted += client_ask(&c, "POST /api/v1/series", KEY, body) == 202;
    }
    client_close(&c);
    return (void *)accepted;
}

static void test_many_clients(void) {
    pthread_t threads[CLIENTS];
    long accepted = 0;
    start();
    for (int i = 0; i < CLIENTS; i++)
        pthread_create(&threads[i], NULL, many, NULL);
    for (int i = 0; i < CLIENTS; i++) {
        void *n;
        pthread_join(threads[i], &n);
        accepted += (long)n;
    }
    EQ_INT(accepted, CLIENTS * EACH);
    EQ_INT(samples("many"), CLIENTS * EACH);
    stop();
}

/* --- faults ---------------------------------------------------------------------------------------------------------------- */

static void put_fault(const char *rules) {
    EQ_INT(client_ask(&client, "PUT /recorder/v1/faults", "Content-Type: application/json\r\n", rules), 200);
}

static void reopen(void) {
    client_close(&client);
    client = (struct client){0};
    client_open(&client, &server);
}

static void test_faults(void) {
    start();
    put_fault("{\"http\":[{\"path\":\"/api/v1/*\",\"status\":429,\"times\":1}]}");
    EQ_INT(post("POST /api/v1/series", series("f", "1")), 429);
    HEAD_SAYS("\r\nX-RateLimit-Limit: ");
    HEAD_SAYS("\r\nX-RateLimit-Period: ");
    HEAD_SAYS("\r\nX-RateLimit-Remaining: 0\r\n");
    HEAD_SAYS("\r\nX-RateLimit-Reset: ");
    EQ_INT(samples("f"), 0);
    EQ_INT(post("POST /api/v1/series", series("f", "1")), 202);
    EQ_INT(samples("f"), 1);

    put_fault(
        "{\"http\":[{\"status\":403,\"times\":1},{\"status\":408,\"times\":1},{\"status\":503,\"times\":1}]}");
    EQ_INT(post("POST /api/v2/series", "{}"), 403);
    SAYS("\"errors\":[\"Forbidden\"]");
    EQ_INT(post("POST /api/v2/series", "{}"), 408);
    EQ_STR(client.body, "{\"errors\":[\"Request Timeout\"]}");
    EQ_INT(post("POST /api/v2/series", "{}"), 503);

    put_fault(
        "{\"http\":[{\"cut\":\"before\",\"times\":1},{\"cut\":\"during\",\"times\":1},{\"cut\":\"after\",\"times\":1}]}");
    EQ_INT(post("POST /api/v1/series", series("before", "1")), -1);
    reopen();
    EQ_INT(post("POST /api/v1/series", series("during", "1")), -1);
    reopen();
    EQ_INT(post("POST /api/v1/series", series("after", "1")), -1);
    reopen();
    EQ_INT(samples("before"), 0);
    EQ_INT(samples("during"), 1);
    EQ_INT(samples("after"), 1);
    EQ_INT(ask("GET /recorder/v1/requests"), 200);
    SAYS("\"note\":\"fault: status injected, nothing stored\"");
    stop();
}

/* --- reads ------------------------------------------------------------------------------------------------------------------ */

static void test_query(void) {
    char body[512], request[256];
    long long now = now_s(), bucket = now; /* a bucket of 1 s in a window of a minute */
    start();
    snprintf(body, sizeof body,
             "{\"series\":[{\"metric\":\"q\",\"type\":\"gauge\",\"tags\":[\"env:a\"],\"points\":[[%lld,1]]},"
             "{\"metric\":\"q\",\"type\":\"gauge\",\"tags\":[\"env:b\"],\"points\":[[%lld,3]]}]}",
             now, now);
    EQ_INT(post("POST /api/v1/series", body), 202);
    static const struct {
        const char *query, *points;
    } cases[] = {{"avg:q{*}", "2"},         {"sum:q{*}", "4"},   {"max:q{env:*}", "3"},
                 {"min:q{!env:a}", "3"},    {"count:q{*}", "2"}, {"sum:q{env:a}+by+{env}", "1"},
                 {"avg:q{env:a,env:b}", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(request, sizeof request, "GET /api/v1/query?from=%lld&to=%lld&query=%s", now - 60, now,
                 cases[i].query);
        EQ_INT(ask(request), 200);
        snprintf(body, sizeof body, "\"pointlist\":[[%lld000,%s]]", bucket, cases[i].points);
        SAYS(cases[i].points[0] ? body : "\"series\":[]");
    }
    EQ_INT(ask("GET /api/v1/query?from=1&to=2&query=nonsense"), 400);
    SAYS("{\"errors\":[\"Error parsing query: \\nunable to parse nonsense");
    EQ_INT(ask("GET /api/v1/query?query=avg:q{*}"), 400);
    EQ_INT(ask("GET /api/v1/metrics/q"), 200);
    SAYS("\"type\":\"gauge\"");
    EQ_INT(ask("GET /api/v1/metrics/nope"), 404);
    SAYS("metric_name not found");
    EQ_INT(ask("GET /api/v1/search?q=metrics:q"), 200);
    EQ_STR(client.body, "{\"results\":{\"metrics\":[\"q\"],\"hosts\":[]}}");
    EQ_INT(ask("GET /api/v2/metrics"), 200);
    EQ_STR(client.body, "{\"data\":[{\"type\":\"metrics\",\"id\":\"q\"}]}");
    EQ_INT(post("POST /api/v2/query/timeseries", "{\"data\":{\"type\":\"x\"}}"), 400);
    EQ_STR(
        client.body,
        "{\"errors\":[\"API input validation failed: Invalid type. Expected \\\"timeseries_request\\\".\"]}");
    snprintf(
        body, sizeof body,
        "{\"data\":{\"type\":\"scalar_request\",\"attributes\":{\"from\":%lld,\"to\":%lld,\"queries\":[{\"query\":"
        "\"sum:q{*} by {env}\",\"name\":\"a\",\"aggregator\":\"max\"}]}}}",
        (now - 60) * 1000, now * 1000);
    EQ_INT(post("POST /api/v2/query/scalar", body), 200);
    SAYS(
        "{\"name\":\"env\",\"type\":\"group\",\"values\":[[\"a\"],[\"b\"]]},{\"name\":\"a\",\"type\":\"number\",\"values\":[1,3]");
    stop();
}

UNIT_MAIN("http/api", {"v1 series", test_series_v1}, {"dropped in silence", test_dropped_in_silence},
          {"series that are known", test_known_series}, {"--strict-intake", test_strict},
          {"v2 series", test_series_v2}, {"the other writes", test_other_writes}, {"events", test_events},
          {"lines over HTTP", test_proxy}, {"encodings", test_encodings}, {"too large", test_too_large},
          {"a large body", test_large_body}, {"keys", test_keys},
          {"a write without a key is refused", test_no_key},
          {"what else an Agent sends, and which requests are listed", test_agent_paths},
          {"--timestamps any", test_any_age}, {"--accept-no-key", test_accept_no_key},
          {"--strict-intake and the form of a key", test_strict_keys},
          {"a session by its key", test_session_by_key}, {"64 clients at once", test_many_clients},
          {"faults", test_faults}, {"queries", test_query})
