/* The HTTP side with a whole recorder behind it: what it answers to good requests and to bad ones. */
#include "asking.h"

#include "core/buf.h"
#include "core/clock.h"
#include "http/limits.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int post(const char *request, const char *body) {
    return client_ask(&client, request, "Content-Type: application/json\r\n", body);
}

static void send_line(const char *text) {
    server_send(server.rig.at.at.udp_port, text);
}

/* --- plain questions ------------------------------------------------------------------------------------- */

static void test_health(void) {
    start();
    EQ_INT(ask("GET /healthz"), 200);
    EQ_STR(client.body, "{\"status\":\"ok\"}\n");
    EQ_INT(ask("GET //readyz/"), 200);
    EQ_INT(ask("GET /recorder/v1/status"), 200);
    SAYS("\"losses\":{\"kernel_drop\":0");
    EQ_INT(ask("GET /metrics"), 200);
    SAYS("# EOF\n");
    EQ_INT(ask("GET /recorder/v1/openapi.yaml"), 200);
    SAYS("openapi: 3");
    stop();
}

static void test_ask_right_after_sending(void) {
    start();
    for (int i = 1; i <= 300; i++) {
        char line[64], said[64];
        snprintf(line, sizeof line, "asked.at.once:%d|g", i);
        send_line(line);
        EQ_INT(ask("GET /recorder/v1/series?name=asked.*"), 200);
        snprintf(said, sizeof said, "\"samples\":%d,", i);
        SAYS(said);
    }
    stop();
}

/* A question asked while another's barrier is under way was once forgotten until something else happened. */
static void test_questions_at_once(void) {
    enum { CLIENTS = 8, ROUNDS = 500 };
    static const char request[] = "GET /recorder/v1/series HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct client clients[CLIENTS];
    start();
    for (int i = 0; i < CLIENTS; i++)
        client_open(&clients[i], &server);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CLIENTS; i++)
            client_send(&clients[i], request, sizeof request - 1);
        for (int i = 0; i < CLIENTS; i++)
            EQ_INT(client_receive(&clients[i]), 200);
    }
    for (int i = 0; i < CLIENTS; i++)
        client_close(&clients[i]);
    stop();
}

static void test_sample(void) {
    start();
    send_line("req\xff.time:1.5:2|ms|@0.5|#b:2,a:1,host:web,\xc3\xa9|c:ci-abc|e:x|card:low");
    send_line("users:bob:1|s|#x");
    EQ_INT(ask("GET /recorder/v1/samples"), 200);
    SAYS(
        "\"name\":\"req\xef\xbf\xbd.time\",\"name_b64\":\"cmVx/y50aW1l\",\"type\":\"timing\",\"value\":1.5,\"text\":null,"
        "\"sample_rate\":0.5,\"tags\":[\"b:2\",\"a:1\",\"\xc3\xa9\"],\"host\":\"web\",\"timestamp\":null");
    SAYS("\"container_id\":\"abc\",\"external_data\":\"x\",\"cardinality\":\"low\"");
    SAYS("\"type\":\"set\",\"value\":null,\"text\":\"bob:1\"");
    SAYS("\"next\":null}");
    EQ_INT(ask("GET /recorder/v1/samples?limit=1&type=ms"), 200);
    CU_ASSERT_PTR_NULL(strstr(client.body, "\"next\":null"));
    EQ_INT(ask("GET /recorder/v1/samples?tag=a:1&tag=b:*&name=req*"), 200);
    SAYS("\"value\":2,");
    EQ_INT(ask("GET /recorder/v1/samples?tag=a:1&tag=c"), 200);
    EQ_STR(client.body, "{\"samples\":[],\"next\":null}\n");
    EQ_INT(ask("GET /recorder/v1/samples?newest=true&limit=1"), 200);
    SAYS("\"name\":\"users\"");
    stop();
}

static void test_other_lists(void) {
    start();
    send_line("_e{5,4}:title|text|t:error|#a:b");
    send_line("_sc|app.ok|2|m:bad");
    send_line("nonsense");
    EQ_INT(ask("GET /recorder/v1/events?name=ti*&type=event"), 200);
    SAYS("\"title\":\"title\",\"text\":\"text\"");
    SAYS("\"alert_type\":\"error\"");
    EQ_INT(ask("GET /recorder/v1/events?type=count"), 200);
    EQ_STR(client.body, "{\"events\":[],\"next\":null}\n");
    EQ_INT(ask("GET /recorder/v1/service_checks"), 200);
    SAYS("\"status\":\"critical\",\"message\":\"bad\"");
    EQ_INT(ask("GET /recorder/v1/rejects"), 200);
    SAYS("\"reason\":\"no_pipe\"");
    SAYS("\"text\":\"nonsense\"");
    EQ_INT(ask("GET /recorder/v1/requests"), 200);
    stop();
}

static void test_since(void) {
    start();
    send_line("old:1|c");
    send_line("both:1|c");
    EQ_INT(post("POST /recorder/v1/marks", ""), 200);
    uint64_t mark = strtoull(client.body + 8, NULL, 10);
    CU_ASSERT_TRUE(mark > 0);
    send_line("both:4:5|c|@0.5|#z,y,z");
    send_line("both:4:5|c|@0.5|#y,z");
    char question[96];
    snprintf(question, sizeof question, "GET /recorder/v1/series?since=%" PRIu64, mark);
    EQ_INT(ask(question), 200);
    SAYS(
        "\"name\":\"both\",\"type\":\"count\",\"tags\":[\"y\",\"z\"],\"host\":null,\"device\":null,\"samples\":4,"
        "\"count\":8,\"sum\":36,\"min\":4,\"max\":5,\"last\":5,");
    CU_ASSERT_PTR_NULL(strstr(client.body, "old"));
    EQ_INT(ask("GET /recorder/v1/series?source=http"), 200);
    EQ_STR(client.body, "{\"series\":[],\"next\":null}\n");
    EQ_INT(ask("GET /recorder/v1/series?limit=1"), 200);
    SAYS("\"name\":\"old\"");
    EQ_INT(post("POST /recorder/v1/reset", ""), 200);
    SAYS("\"samples\":6,\"series\":3");
    EQ_INT(ask("GET /recorder/v1/series"), 200);
    EQ_STR(client.body, "{\"series\":[],\"next\":null}\n");
    stop();
}

static void test_long_lists_are_streamed(void) {
    start();
    enum { LINES = 100, ROUNDS = 50 };
    for (int round = 0; round < ROUNDS; round++) {
        struct buf text = {0};
        for (int i = 0; i < LINES; i++)
            buf_printf(&text, "metric.%d:%d|d|#k:%d\n", i, round, i);
        send_line(text.p);
        buf_free(&text);
    }
    EQ_INT(ask("GET /recorder/v1/samples"), 200);
    HEAD_SAYS("chunked");
    size_t rows = 0;
    for (const char *p = client.body; (p = strstr(p, "\"received_at\"")); p++)
        rows++;
    EQ_INT(rows, LINES * ROUNDS);
    SAYS("\"next\":null}");
    EQ_INT(ask("GET /recorder/v1/samples?limit=4999"), 200);
    CU_ASSERT_PTR_NULL(strstr(client.body, "\"next\":null"));
    EQ_INT(ask("GET /recorder/v1/export?format=dogstatsd"), 200);
    rows = 0;
    for (const char *p = client.body; (p = strchr(p, '\n')); p++)
        rows++;
    EQ_INT(rows, LINES * ROUNDS);
    stop();
}

static void test_export(void) {
    start();
    send_line("a.b-c:1:2|c|@0.5|#k:v,k:w,flag");
    send_line("a.b-c:7|g");
    send_line("t:3|ms|#q:\"x\"");
    send_line("_e{4,4}:a\\nb|c\\nd|k:key");
    EQ_INT(ask("GET /recorder/v1/export"), 200);
    CU_ASSERT_PTR_EQUAL(strstr(client.body, "{\"kind\":\"sample\",\"id\":"), client.body);
    SAYS("{\"kind\":\"event\",\"id\":");
    EQ_INT(ask("GET /recorder/v1/export?format=csv"), 200);
    SAYS(",t,timing,3,,1,\"[\"\"q:\\\"\"x\\\"\"\"\"]\",,\r\n");
    EQ_INT(ask("GET /recorder/v1/export?format=dogstatsd"), 200);
    SAYS("a.b-c:1|c|@0.5|#k:v,k:w,flag\na.b-c:2|c|@0.5|#k:v,k:w,flag\n");
    SAYS("_e{4,4}:a\\nb|c\\nd|k:key|p:normal|t:info\n");
    EQ_INT(ask("GET /recorder/v1/export?format=openmetrics"), 200);
    SAYS("# TYPE a_b_c counter\na_b_c_total{flag=\"\",k=\"v,w\"} 6\n");
    SAYS("t_count{q=\"\\\"x\\\"\"} 1\n");
    EQ_INT(ask("GET /recorder/v1/export?format=xml"), 400);
    stop();
}

/* --- bad requests ---------------------------------------------------------------------------------------- */

static void test_errors_name_what_was_wrong(void) {
    static const struct {
        const char *request, *body;
        int status;
        const char *says;
    } cases[] = {
        {"GET /recorder/v1/nothing", NULL, 404, "/recorder/v1/nothing"},
        {"GET /recorder/v1/../v1/status", NULL, 404, "no such path"},
        {"POST /recorder/v1/status", "", 405, "POST"},
        {"BREW /recorder/v1/status", NULL, 405, "BREW"},
        {"GET /recorder/v1/samples?nam=x", NULL, 400, "'nam'; did you mean 'name'?"},
        {"GET /recorder/v1/samples?type=cuont", NULL, 400, "cuont"},
        {"GET /recorder/v1/samples?limit=0", NULL, 400, "limit"},
        {"GET /recorder/v1/samples?limit=-1", NULL, 400, "limit"},
        {"GET /recorder/v1/samples?since=yesterday", NULL, 400, "since"},
        {"GET /recorder/v1/samples?source=tcp", NULL, 400, "tcp"},
        {"GET /recorder/v1/samples?session=nobody", NULL, 404, "nobody"},
        {"GET /recorder/v1/samples?newest=maybe", NULL, 400, "newest"},
        {"GET /recorder/v1/stream?limit=3", NULL, 400, "limit"},
        {"GET /recorder/v1/status?verbose", NULL, 400, "verbose"},
        {"GET /recorder/v1/sessions/nobody", NULL, 404, "nobody"},
        {"DELETE /recorder/v1/sessions/default", "", 409, "default"},
        {"DELETE /recorder/v1/sessions/%00", "", 404, "no session"},
        {"POST /recorder/v1/sessions", "{\"nmae\":\"x\"}", 400, "'nmae'; did you mean 'name'?"},
        {"POST /recorder/v1/sessions", "{\"name\":\"x y\"}", 400, "x y"},
        {"POST /recorder/v1/sessions", "{\"name\":7}", 400, "name must be a string"},
        {"POST /recorder/v1/sessions", "{\"ttl_s\":-1}", 400, "ttl_s"},
        {"POST /recorder/v1/sessions", "{\"unix\":1}", 400, "unix"},
        {"POST /recorder/v1/sessions", "[]", 400, "object"},
        {"POST /recorder/v1/sessions", "{", 400, "not JSON"},
        {"POST /recorder/v1/sessions", "{\"name\":\"a\",\"name\":\"b\"}", 400, "not JSON"},
        {"POST /recorder/v1/marks", "{\"x\":1}", 400, "'x'"},
        {"POST /recorder/v1/reset?session=nobody", "", 404, "nobody"},
        {"POST /recorder/v1/expect", "{}", 400, "expect must be"},
        {"POST /recorder/v1/expect", "{\"expect\":[7]}", 400, "strings"},
        {"POST /recorder/v1/expect", "{\"expect\":[\"incr a\"],\"within\":1}", 400, "'within'"},
        {"POST /recorder/v1/expect", "{\"expect\":[\"incr a\"],\"session\":\"nobody\"}", 404, "nobody"},
        {"POST /recorder/v1/expect", "{\"expect\":[\"incr a\"],\"within_ms\":1e12}", 400, "within_ms"},
        {"POST /recorder/v1/expect", "{\"expect\":[\"incr a summ == 1\"]}", 400, "\"column\":8"},
        {"POST /recorder/v1/expect", "{\"expect\":7}", 400, "expect must be a list"},
        {"POST /recorder/v1/expect", "{\"expect\":[{\"file\":\"f\"}]}", 400, "expect[].text is missing"},
        {"POST /recorder/v1/expect", "{\"expect\":[{\"text\":7}]}", 400, "text must be a string"},
        {"POST /recorder/v1/expect", "{\"expect\":[{\"text\":\"incr a\",\"line\":1}]}", 400, "expect[].line"},
        {"POST /recorder/v1/expect", "{\"expect\":[{\"text\":\"incr\",\"file\":\"f\"}]}", 400,
         "\"file\":\"f\""},
        {"POST /recorder/v1/expect", "{\"expect\":[\"incr a\"],\"since\":4711}", 400,
         "4711 is no mark of this recording"},
        {"POST /recorder/v1/expect", "{\"expect\":[\"incr a\"],\"since\":1.5}", 400, "since"},
        {"POST /recorder/v1/expect", "{\"expect\":[\"incr a\"],\"settle_ms\":true}", 400, "settle_ms"},
        {"POST /recorder/v1/expect", "{\"expect\":[\"incr a\"],\"all_covered\":1}", 400, "all_covered"},
        {"POST /recorder/v1/expect", "{\"expect\":[\"incr a\"],\"prefix\":[]}", 400, "prefix"},
        {"POST /recorder/v1/expect", "{\"expect\":[\"incr a\"],\"ignore_tags\":7}", 400, "ignore_tags"},
        {"POST /recorder/v1/expect", "{\"expect\":[\"incr a\"],\"ignore_tags\":[7]}", 400,
         "ignore_tags must be"},
        {"POST /recorder/v1/expect", "{\"expect\":[\"incr a\"],\"ignore_tags\":[\"\",\"a\"]}", 400,
         "the key of a tag"},
        {"POST /recorder/v1/verify", "{", 400, "not JSON"},
        {"POST /recorder/v1/verify", "[]", 400, "expected a JSON object"},
        {"POST /recorder/v1/verify", "{}", 400, "catalog is missing"},
        {"POST /recorder/v1/verify", "{\"catalog\":7}", 400, "catalog must be an object"},
        {"POST /recorder/v1/verify", "{\"catalog\":[]}", 400, "catalog must not be empty"},
        {"POST /recorder/v1/verify", "{\"catalog\":[{\"file\":\"f\"}]}", 400, "needs a file and a text"},
        {"POST /recorder/v1/verify", "{\"catalog\":[{\"name\":\"f\"}]}", 400, "unknown field 'name'"},
        {"POST /recorder/v1/verify", "{\"catalog\":{\"include\":[\"x\"]}}", 400,
         "must be sent as a list of files"},
        {"POST /recorder/v1/verify",
         "{\"catalog\":[{\"file\":\"a\",\"text\":\"{\\\"include\\\":[\\\"x\\\"]}\"}]}", 400,
         "was not sent along"},
        {"POST /recorder/v1/verify", "{\"catalog\":{\"metrics\":{}},\"since\":4711}", 400,
         "4711 is no mark of this recording"},
        {"POST /recorder/v1/verify", "{\"catalog\":{},\"since\":-1}", 400, "since must be a mark"},
        {"POST /recorder/v1/verify", "{\"catalog\":{},\"strict\":1}", 400, "strict must be true or false"},
        {"POST /recorder/v1/verify", "{\"catalog\":{},\"prefix\":1}", 400, "prefix must be a string"},
        {"POST /recorder/v1/verify", "{\"catalog\":{},\"ignore_tags\":[1]}", 400, "ignore_tags must be"},
        {"POST /recorder/v1/lint", "{\"since\":4711}", 400, "no mark"},
        {"POST /recorder/v1/lint", "{\"silence\":\"x\"}", 400, "silence must be a list"},
        {"POST /recorder/v1/lint", "{\"silence\":[\"x\"]}", 400, "no lint rule is called 'x'"},
        {"POST /recorder/v1/lint", "{\"silence\":[1]}", 400, "no lint rule is called '?'"},
        {"POST /recorder/v1/snapshot", "{\"since\":4711}", 400, "no mark"},
        {"POST /recorder/v1/snapshot", "{\"check\":\"\",\"counts\":true}", 400, "are in the snapshot"},
        {"POST /recorder/v1/snapshot", "{\"mask\":\"a, b\"}", 400, "joined by commas, without blanks"},
        {"POST /recorder/v1/snapshot", "{\"counts\":true,\"since\":1}", 400, "of a whole session"},
        {"POST /recorder/v1/infer", "{\"since\":4711}", 400, "no mark"},
        {"POST /recorder/v1/infer", "{\"catalog\":{\"metrics\":{}}}", 400, "unknown field 'catalog'"},
        {"POST /recorder/v1/diff", "{\"a\":{\"catalog\":{\"metrics\":{}}}}", 400, "b must be an object"},
        {"POST /recorder/v1/diff", "{\"a\":{},\"b\":{}}", 400,
         "a needs one of session, snapshot and catalog"},
        {"POST /recorder/v1/diff",
         "{\"a\":{\"catalog\":{\"metrics\":{}},\"since\":1},\"b\":{\"catalog\":{\"metrics\":{}}}}", 400,
         "since is of a session"},
        {"POST /recorder/v1/diff",
         "{\"a\":{\"catalog\":{\"metrics\":{}}},\"b\":{\"session\":\"default\",\"since\":4711}}", 400,
         "no mark"},
        {"POST /recorder/v1/diff", "{\"a\":{\"catalog\":{\"metrics\":{}}},\"b\":{\"session\":\"nobody\"}}",
         404, "nobody"},
        {"PUT /recorder/v1/faults", "{\"http\":[{\"cut\":7}]}", 400, "cut"},
        {"PUT /recorder/v1/faults", "{\"http\":[{\"probability\":2}]}", 400, "probability"},
        {"PUT /recorder/v1/faults", "{\"http\":[{\"session\":\"nobody\"}]}", 404, "nobody"},
        {"PUT /recorder/v1/faults", "{\"http\":[7]}", 400, "http must be a list"},
        {"PUT /recorder/v1/faults", "{\"dogstatsd\":[{\"drop\":1,\"x\":1}]}", 400, "dogstatsd[].x"},
        {"PUT /recorder/v1/faults", "{\"http\":[{\"cut\":\"up\"}]}", 400, "cut"},
        {"PUT /recorder/v1/faults", "{\"http\":[{\"stauts\":500}]}", 400, "http[].stauts"},
        {"PUT /recorder/v1/faults", "{\"http\":[{\"status\":99}]}", 400, "status"},
        {"PUT /recorder/v1/faults", "{\"dogstatsd\":[{}]}", 400, "drop"},
        {"PUT /recorder/v1/faults", "{\"dogstatsd\":[{\"drop\":2}]}", 400, "drop"},
        {"PUT /recorder/v1/faults", "{\"dogstatsd\":3}", 400, "dogstatsd"},
    };
    start();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int status = client_ask(&client, cases[i].request, NULL, cases[i].body);
        if (status != cases[i].status)
            fprintf(stderr, "%s %s: %d\n", cases[i].request, cases[i].body ? cases[i].body : "", status);
        EQ_INT(status, cases[i].status);
        SAYS(cases[i].says);
        CU_ASSERT_PTR_EQUAL(strstr(client.body, "{\"error\":\""), client.body);
        HEAD_SAYS("application/json");
    }
    EQ_INT(ask("POST /recorder/v1/status"), 405);
    HEAD_SAYS("\r\nAllow: GET, HEAD\r\n");
    /* cut off in silence they would be other keys */
    struct buf body = {0};
    buf_str(&body, "{\"expect\":[\"incr a\"],\"ignore_tags\":[\"a\"");
    for (int i = 0; i < 200; i++)
        buf_printf(&body, ",\"%0400d\"", i);
    buf_str(&body, "]}");
    EQ_INT(post("POST /recorder/v1/expect", body.p), 400);
    SAYS("ignore_tags is longer than the limit of 65536 bytes");
    buf_free(&body);
    stop();
}

/* The last one won in silence. */
static void test_nothing_given_twice(void) {
    static const char *const requests[] = {
        "GET /recorder/v1/series?name=a&name=b",
        "GET /recorder/v1/samples?since=0&since=1",
        "GET /recorder/v1/rejects?limit=1&limit=1",
        "GET /recorder/v1/events?session=default&session=default",
        "GET /recorder/v1/export?format=csv&format=csv",
        "GET /recorder/v1/service_checks?type=any&type=any",
        "GET /recorder/v1/stream?source=udp&source=udp",
        "POST /recorder/v1/marks?session=default&session=*",
        "POST /recorder/v1/reset?session=*&session=default",
        "GET /recorder/v1/status?test_session_token=default&test_session_token=default",
    };
    start();
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        EQ_INT(ask(requests[i]), 400);
        SAYS("is given twice");
    }
    EQ_INT(ask("GET /recorder/v1/series?name=a&name=b"), 400);
    SAYS("the query argument 'name' is given twice");
    EQ_INT(ask("GET /recorder/v1/series?tag=a&tag=b&name=x"), 200);
    static const char
        once[] = "X-Datadog-Test-Session-Token: default\r\n",
        twice[] = "X-Datadog-Test-Session-Token: default\r\nx-datadog-test-session-token: default\r\n";
    EQ_INT(client_ask(&client, "GET /recorder/v1/series", once, NULL), 200);
    EQ_INT(client_ask(&client, "GET /recorder/v1/series", twice, NULL), 400);
    SAYS("the header 'X-Datadog-Test-Session-Token' is given twice");
    EQ_INT(client_ask(&client, "GET /recorder/v1/series?test_session_token=default", once, NULL), 200);
    EQ_INT(client_ask(&client, "GET /recorder/v1/series?test_session_token=other", once, NULL), 400);
    SAYS("name two sessions");
    EQ_INT(post("POST /recorder/v1/expect", "{\"expect\":[\"any a\"],\"expect\":[\"no any b\"]}"), 400);
    SAYS("duplicate object key");
    stop();
}

static void test_marks_of_another_recording(void) {
    static const char *const requests[] = {"GET /recorder/v1/series?since=4711",
                                           "GET /recorder/v1/samples?since=4711",
                                           "GET /recorder/v1/rejects?since=4711",
                                           "GET /recorder/v1/events?since=4711",
                                           "GET /recorder/v1/service_checks?since=4711",
                                           "GET /recorder/v1/requests?since=4711",
                                           "GET /recorder/v1/stream?since=4711",
                                           "GET /recorder/v1/export?since=4711",
                                           "GET /recorder/v1/export?format=openmetrics&since=4711"};
    start();
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        EQ_INT(ask(requests[i]), 400);
        SAYS("since: 4711 is no mark of this recording, whose newest record is ");
    }
    EQ_INT(ask("GET /recorder/v1/series?since=0"), 200);
    stop();
}

/* F7: who looks only at `verdict` and `text` saw nothing. */
static void test_refusals_have_a_verdict(void) {
    static const struct {
        const char *body, *text;
    } cases[] = {
        {"{\"expect\":[\"incr a sum = 1\"]}",
         "\"text\":\"expected an operator: == != < <= > >= ~; found '='\\nincr a sum = 1\\n           ^\\n\""},
        {"{\"expect\":[\"incr a\"],\"since\":4711}", "\"text\":\"since: 4711 is no mark of this recording"},
        {"{\"expetc\":[]}", "\"text\":\"unknown field 'expetc'; did you mean 'expect'?\\n\""},
        {"{", "\"text\":\"the body is not JSON"},
        {"{\"expect\":7}", "\"text\":\"expect must be a list"},
    };
    start();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        EQ_INT(post("POST /recorder/v1/expect", cases[i].body), 400);
        SAYS("\"verdict\":\"error\"");
        SAYS(cases[i].text);
    }
    EQ_INT(ask("POST /recorder/v1/expect?x=1"), 400);
    SAYS("\"verdict\":\"error\"");
    stop();
}

static void test_deep_json(void) {
    start();
    struct buf body = {0};
    for (int i = 0; i < 100000; i++)
        buf_char(&body, '[');
    EQ_INT(post("POST /recorder/v1/expect", body.p), 400);
    SAYS("not JSON");
    buf_free(&body);
    EQ_INT(ask("GET /healthz"), 200);
    stop();
}

static void test_body_too_large(void) {
    start();
    struct buf body = {0};
    buf_reserve(&body, HTTP_BODY_MAX + 1);
    memset(body.p, ' ', HTTP_BODY_MAX + 1);
    body.p[HTTP_BODY_MAX] = '\0';
    EQ_INT(post("POST /recorder/v1/expect", body.p), 400); /* as long as may be */
    body.p[HTTP_BODY_MAX] = ' ';
    body.p[HTTP_BODY_MAX + 1] = '\0';
    EQ_INT(post("POST /recorder/v1/expect", body.p), 413);
    SAYS("8388608 bytes");
    EQ_INT(ask("GET /healthz"), 200); /* on the same connection */
    buf_free(&body);
    stop();
}

static void test_chunked_body(void) {
    static const char request[] =
        "POST /recorder/v1/sessions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        "9\r\n{\"name\":\"\r\n7\r\npieces\"\r\n1\r\n}\r\n0\r\n\r\n";
    start();
    for (size_t i = 0; i < sizeof request - 1; i++)
        client_send(&client, request + i, 1);
    EQ_INT(client_receive(&client), 201);
    SAYS("\"name\":\"pieces\"");
    stop();
}

static void test_huge_header(void) {
    start();
    struct buf headers = {0};
    buf_str(&headers, "X-Big: ");
    while (headers.n < 64 << 10)
        buf_char(&headers, 'x');
    buf_str(&headers, "\r\n");
    EQ_INT(client_ask(&client, "GET /healthz", headers.p, NULL), 431);
    buf_free(&headers);
    client_close(&client);
    client_open(&client, &server);
    EQ_INT(ask("GET /healthz"), 200);
    stop();
}

static void test_half_requests_and_other_protocols(void) {
    static const char *const starts[] = {
        "",
        "G",
        "GET /healthz",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\n",
        "POST /recorder/v1/expect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "page.views:1|c\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\r\n\r\n\r\n",
        "POST /recorder/v1/marks HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n"};
    start();
    for (int round = 0; round < 20; round++)
        for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
            struct client other;
            client_open(&other, &server);
            client_send(&other, starts[i], strlen(starts[i]));
            client_close(&other);
        }
    EQ_INT(ask("GET /healthz"), 200);
    stop();
}

static void test_idle_connections(void) {
    enum { N = 400 }; /* descriptors of both ends are ours, and 1,024 is a usual limit */
    static struct client idle[N];
    start();
    for (int i = 0; i < N; i++) {
        client_open(&idle[i], &server);
        client_send(&idle[i], "GET /healthz HTTP/1.1\r\nHo", 25);
    }
    EQ_INT(ask("GET /healthz"), 200);
    for (int i = 0; i < N; i++)
        client_close(&idle[i]);
    EQ_INT(ask("GET /healthz"), 200);
    stop();
}

/* --- who may ask ----------------------------------------------------------------------------------------- */

static void test_host_and_origin(void) {
    start();
    EQ_INT(client_ask(&client, "GET /healthz", "Host: evil.example\r\n", NULL), 403);
    SAYS("evil.example");
    EQ_INT(client_ask(&client, "POST /recorder/v1/reset", "Origin: http://evil.example\r\n", ""), 403);
    SAYS("evil.example");
    EQ_INT(client_ask(&client, "POST /recorder/v1/reset", "Origin: null\r\n", ""), 403);
    EQ_INT(client_ask(&client, "POST /recorder/v1/reset", "Origin: http://localhost\r\n", ""), 200);
    EQ_INT(client_ask(&client, "GET /recorder/v1/status", "Origin: http://evil.example\r\n", NULL), 200);
    stop();
}

static void test_token(void) {
    start_with(&(struct http_options){.token = "s3cret"});
    EQ_INT(ask("GET /healthz"), 200);
    EQ_INT(ask("GET /recorder/v1/status"), 401);
    HEAD_SAYS("WWW-Authenticate: Bearer");
    EQ_INT(ask("GET /recorder/v1/no/such/path"), 401);
    EQ_INT(ask("GET //recorder//v1/status/"), 401);
    EQ_INT(ask("GET /%72ecorder/v1/status"), 401);
    EQ_INT(client_ask(&client, "GET /recorder/v1/status", "Authorization: Bearer wrong!\r\n", NULL), 401);
    EQ_INT(client_ask(&client, "GET /recorder/v1/status", "Authorization: Bearer s3cret\r\n", NULL), 200);
    CU_ASSERT_PTR_NULL(strstr(client.body, "s3cret"));
    stop();
}

static void test_head(void) {
    static const char requests[] = "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                   "HEAD /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    start();
    client_send(&client, requests, sizeof requests - 1);
    struct buf got = {0};
    char piece[4096];
    for (ssize_t n; (n = recv(client.fd, piece, sizeof piece, 0)) > 0;)
        buf_add(&got, piece, (size_t)n);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.p, " 200 "));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.p, " 404 "));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.p, "Content-Length: 16"));
    CU_ASSERT_PTR_NULL(strchr(got.p, '{'));
    buf_free(&got);
    stop();
}

static void test_a_port_in_use(void) {
    start();
    struct err err = {0};
    struct http_options options = {.bind = "127.0.0.1", .port = http_port(server.http)};
    CU_ASSERT_PTR_NULL(http_start(server.rig.store, server.rig.pipeline, server.rig.ingest, &options, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "127.0.0.1 port"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "Address already in use"));
    stop();
}

static void test_addresses(void) {
    static const char *const addresses[] = {"localhost", "0.0.0.0", "::1"};
    for (size_t i = 0; i < 3; i++) {
        start();
        struct err err = {0};
        struct http_options options = {.bind = addresses[i]};
        struct http *h = http_start(server.rig.store, server.rig.pipeline, server.rig.ingest, &options, &err);
        if (h || i < 2) /* a machine may lack IPv6 */
            CU_ASSERT_PTR_NOT_NULL(h);
        bool v4 = h && strstr(http_url(h), "http://127.0.0.1:"),
             v6 = h && strstr(http_url(h), "http://[::1]:");
        if (h) /* which one localhost is called is the hosts file's to say */
            CU_ASSERT_TRUE(i == 0 ? v4 || v6 : (i == 1 ? v4 : v6));
        http_stop(h);
        stop();
    }
}

/* --- sessions -------------------------------------------------------------------------------------------- */

/* The number after "key": or its string's. */
static int number_after(const char *text, const char *key) {
    const char *p = strstr(text, key);
    return p ? atoi(p + strlen(key)) : -1;
}

static void test_sessions(void) {
    start();
    EQ_INT(post("POST /recorder/v1/sessions", "{\"name\":\"one\",\"unix\":true,\"ttl_s\":3600}"), 201);
    HEAD_SAYS("Location: /recorder/v1/sessions/one");
    SAYS("\"DD_AGENT_HOST\":\"127.0.0.1\"");
    SAYS("\"DD_DOGSTATSD_SOCKET\":\"/");
    SAYS("\"STATWIT_SESSION\":\"one\"");
    int port = number_after(client.body, "\"DD_DOGSTATSD_PORT\":\"");
    EQ_INT(post("POST /recorder/v1/sessions", "{\"name\":\"one\"}"), 409);
    server_send(port, "mine:1|c");
    send_line("theirs:1|c");
    EQ_INT(ask("GET /recorder/v1/series?session=one"), 200);
    SAYS("\"mine\"");
    CU_ASSERT_PTR_NULL(strstr(client.body, "theirs"));
    EQ_INT(ask("GET /recorder/v1/series"), 200);
    SAYS("\"theirs\"");
    CU_ASSERT_PTR_NULL(strstr(client.body, "mine"));
    EQ_INT(ask("GET /recorder/v1/series?session=*"), 200);
    SAYS("\"theirs\"");
    SAYS("\"mine\"");
    EQ_INT(client_ask(&client, "GET /recorder/v1/series", "X-Datadog-Test-Session-Token: one\r\n", NULL),
           200);
    SAYS("\"mine\"");
    EQ_INT(ask("GET /recorder/v1/series?test_session_token=none"), 404);
    EQ_INT(ask("GET /recorder/v1/sessions"), 200);
    SAYS("\"name\":\"one\"");
    EQ_INT(ask("GET /recorder/v1/sessions/one"), 200);
    SAYS("\"samples\":1,\"series\":1");
    EQ_INT(client_ask(&client, "DELETE /recorder/v1/sessions/one", NULL, ""), 200);
    EQ_INT(ask("GET /recorder/v1/series?session=one"), 404);
    stop();
}

/* --- expectations ---------------------------------------------------------------------------------------- */

static void test_expect_at_once(void) {
    start();
    send_line("login.attempt:1|c|#instance:failure");
    EQ_INT(
        post("POST /recorder/v1/expect", "{\"expect\":[\"incr login.attempt{instance:failure} sum == 1\"]}"),
        200);
    SAYS("\"verdict\":\"pass\"");
    SAYS("\"waited_ms\":");
    EQ_INT(post("POST /recorder/v1/expect", "{\"expect\":[\"incr login.attempt\",\"gauge nothing.there\"]}"),
           200);
    SAYS("\"verdict\":\"fail\"");
    EQ_INT(
        post("POST /recorder/v1/expect", "{\"expect\":[{\"file\":\"f\",\"text\":\"# all\\nincr log*\\n\"}]}"),
        200);
    SAYS("\"verdict\":\"pass\"");
    stop();
}

static void ask_later(struct client *c, const char *body) {
    struct buf text = {0};
    client_open(c, &server);
    buf_printf(&text, "POST /recorder/v1/expect HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s",
               strlen(body), body);
    client_send(c, text.p, text.n);
    buf_free(&text);
}

/* Stands for a backlog that takes its time to be stored. */
struct slow_batch {
    struct batch batch; /* first */
    atomic_bool go_on;
};

static int slow_feed(struct batch *batch, struct store *store, struct err *err) {
    (void)store, (void)err;
    return ((struct slow_batch *)batch)->go_on;
}

static void keep(struct batch *batch) {
    (void)batch;
}

/* Each once kept a worker: two about a session that is flooded, and a longer one about another had no answer any more. */
static void test_questions_about_a_backlog_keep_no_thread(void) {
    enum { N = 4 * (HTTP_THREADS + HTTP_WORKERS) };
    static struct client waiting[N];
    static char about_flooded[10000], about_quiet[10000]; /* too long for the connection's thread */
    snprintf(about_flooded, sizeof about_flooded, "{\"expect\":[\"no incr nothing\"]%9900s", "}");
    snprintf(about_quiet, sizeof about_quiet, "{\"expect\":[\"incr q sum == 1\"],\"session\":\"quiet\"%9900s",
             "}");
    struct ingest_session quiet;
    struct err err = {0};
    start();
    CU_ASSERT_FATAL(ingest_session_open(server.rig.ingest, "quiet", false, 0, &quiet, &err) == 0);
    static struct slow_batch slow;
    slow = (struct slow_batch){.batch = {.session_id = 1, .n_bytes = 1, .feed = slow_feed, .free = keep}};
    struct batch *batch = &slow.batch;
    CU_ASSERT_FATAL(pipeline_put(server.rig.pipeline, &batch) == 0);
    for (int i = 0; i < N; i++)
        ask_later(&waiting[i], about_flooded);
    server_send(quiet.at.udp_port, "q:1|c");
    for (int i = 0; i < N; i++) {
        EQ_INT(post("POST /recorder/v1/expect", about_quiet), 200);
        SAYS("\"verdict\":\"pass\"");
    }
    slow.go_on = true;
    for (int i = 0; i < N; i++) {
        EQ_INT(client_receive(&waiting[i]), 200);
        CU_ASSERT_TRUE(client_says(&waiting[i], "\"verdict\":\"pass\""));
        client_close(&waiting[i]);
    }
    stop();
}

static void test_expect_within(void) {
    start();
    struct client waiting;
    ask_later(&waiting, "{\"expect\":[\"incr later sum == 3\"],\"within_ms\":60000}");
    for (int i = 0; i < 3; i++) {
        send_line("later:1|c");
        EQ_INT(ask("GET /recorder/v1/series"), 200);
    }
    EQ_INT(client_receive(&waiting), 200);
    CU_ASSERT_TRUE(client_says(&waiting, "\"verdict\":\"pass\""));
    client_close(&waiting);
    /* Nothing later could mend it. */
    send_line("later:1|c");
    EQ_INT(post("POST /recorder/v1/expect", "{\"expect\":[\"no incr later\"],\"within_ms\":60000}"), 200);
    SAYS("\"verdict\":\"fail\"");
    /* Time is up. */
    EQ_INT(post("POST /recorder/v1/expect", "{\"expect\":[\"incr never\"],\"within_ms\":30}"), 200);
    SAYS("\"verdict\":\"fail\"");
    EQ_INT(post("POST /recorder/v1/expect", "{\"expect\":[\"incr later\"],\"settle_ms\":20}"), 200);
    SAYS("\"verdict\":\"pass\"");
    stop();
}

static void test_a_waiting_client_goes_away(void) {
    start();
    for (int i = 0; i < 50; i++) {
        struct client waiting;
        ask_later(&waiting, "{\"expect\":[\"incr never\"],\"within_ms\":3000000}");
        if (i % 2)
            EQ_INT(ask("GET /healthz"), 200);
        client_close(&waiting);
    }
    send_line("never.mind:1|c");
    EQ_INT(ask("GET /recorder/v1/series"), 200);
    stop();
}

/* A question, and a stream, once waited on for a session that was over. */
static void test_a_session_ends_while_waited_for(void) {
    start();
    for (int i = 0; i < 20; i++) {
        struct ingest_session session;
        struct err err = {0};
        struct client waiting, stream;
        int64_t ttl_ns = i % 2 ? 0 : (i + 1) * NS_PER_MS;
        CU_ASSERT_FATAL(ingest_session_open(server.rig.ingest, "brief", false, ttl_ns, &session, &err) == 0);
        ask_later(&waiting, "{\"expect\":[\"incr never\"],\"session\":\"brief\",\"within_ms\":3000000}");
        client_open(&stream, &server);
        static const char request[] =
            "GET /recorder/v1/stream?session=brief HTTP/1.1\r\nHost: localhost\r\n\r\n";
        client_send(&stream, request, sizeof request - 1);
        if (ttl_ns == 0)
            EQ_INT(client_ask(&client, "DELETE /recorder/v1/sessions/brief", NULL, ""), 200);
        EQ_INT(client_receive(&waiting), 404); /* now, not after within */
        CU_ASSERT_TRUE(strstr(waiting.body, "has ended") || strstr(waiting.body, "no session is named"));
        int status = client_receive(&stream);
        CU_ASSERT_TRUE(status == 404 || (status == 200 && strstr(stream.body, "event: end\n")));
        client_close(&waiting);
        client_close(&stream);
    }
    stop();
}

static int lose(struct store *store, void *n, struct err *err) {
    return store_loss(store, 1, LOSS_KERNEL_DROP, *(uint64_t *)n, SPAN("udp"), err) == 0
               ? store_commit(store, err)
               : -1;
}

/* The row of a loss that repeats was once read, and counted, again by who waited. */
static void test_losses_while_waiting_count_once(void) {
    start();
    struct client waiting;
    struct err err = {0};
    ask_later(&waiting, "{\"expect\":[\"incr later samples >= 5\"],\"within_ms\":3000000}");
    for (uint64_t n = 1; n <= 5; n++) {
        CU_ASSERT(ingest_call(server.rig.ingest, INGEST_ALL, lose, &n, &err) == 0);
        send_line("later:1|c");
        EQ_INT(ask("GET /recorder/v1/series"), 200);
    }
    EQ_INT(client_receive(&waiting), 200);
    CU_ASSERT_TRUE(client_says(&waiting, "\"losses\":[{\"loss\":\"kernel_drop\",\"n\":15,"));
    client_close(&waiting);
    stop();
}

static void test_many_wait(void) {
    enum { N = 200 };
    static struct client waiting[N];
    start();
    for (int i = 0; i < N; i++) {
        char body[128];
        snprintf(body, sizeof body, "{\"expect\":[\"incr many.%d\"],\"within_ms\":60000}", i);
        ask_later(&waiting[i], body);
    }
    for (int i = N - 1; i >= 0; i--) {
        char line[64];
        snprintf(line, sizeof line, "many.%d:1|c", i);
        send_line(line);
        EQ_INT(client_receive(&waiting[i]), 200);
        CU_ASSERT_TRUE(client_says(&waiting[i], "\"verdict\":\"pass\""));
        client_close(&waiting[i]);
    }
    stop();
}

static void test_stopping_ends_the_waiting(void) {
    start();
    struct client waiting, stream;
    ask_later(&waiting, "{\"expect\":[\"incr never\"],\"within_ms\":3000000}");
    client_open(&stream, &server);
    client_send(&stream, "GET /recorder/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n", 54);
    EQ_INT(ask("GET /recorder/v1/status"), 200);
    send_line("x:1|c");
    EQ_INT(ask("GET /recorder/v1/series"), 200);
    server_stop(&server);
    int status = client_receive(&waiting); /* -1: stopped before the question was read */
    CU_ASSERT_TRUE(status == 503 || status == -1);
    client_receive(&stream);
    client_close(&waiting);
    client_close(&stream);
    client_close(&client);
}

static void *keep_asking(void *arg) {
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const struct client *c = arg;
    char answer[4096];
    ssize_t n = 1;
    while (n > 0)
        n = send(c->fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0
                ? 0
                : recv(c->fd, answer, sizeof answer, 0);
    return NULL;
}

/* libmicrohttpd's own way to stop accepting aborted the recorder, now and then, when a worker woke meanwhile.
 */
static void test_stopping_while_asked(void) {
    enum { CLIENTS = 4, ROUNDS = 100 };
    struct client clients[CLIENTS];
    pthread_t threads[CLIENTS];
    int next = dup(0); /* the lowest free descriptor: the same afterwards, or one was left open */
    close(next);
    for (int round = 0; round < ROUNDS; round++) {
        struct server asked;
        server_start(&asked, &(struct http_options){0});
        for (int i = 0; i < CLIENTS; i++)
            client_open(&clients[i], &asked);
        for (int i = 0; i < CLIENTS; i++)
            pthread_create(&threads[i], NULL, keep_asking, &clients[i]);
        server_stop(&asked);
        for (int i = 0; i < CLIENTS; i++) {
            CU_ASSERT_EQUAL(pthread_join(threads[i], NULL), 0);
            client_close(&clients[i]);
        }
    }
    int now = dup(0);
    close(now);
    EQ_INT(now, next);
}

/* --- the stream ------------------------------------------------------------------------------------------ */

/* Reads until the text was there. */
static bool stream_says(struct client *c, struct buf *got, const char *text) {
    while (!got->p || !strstr(got->p, text)) {
        char piece[4096];
        ssize_t n = recv(c->fd, piece, sizeof piece, 0);
        if (n <= 0)
            return false;
        buf_add(got, piece, (size_t)n);
    }
    return true;
}

static void test_stream(void) {
    start();
    send_line("before:1|c");
    struct client stream;
    struct buf got = {0};
    client_open(&stream, &server);
    client_send(&stream, "GET /recorder/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n", 54);
    CU_ASSERT_TRUE(stream_says(&stream, &got, "text/event-stream"));
    CU_ASSERT_TRUE(stream_says(&stream, &got, ":\n\n"));
    send_line("after:1|c\nnonsense\n_sc|x|0\n_e{1,1}:a|b");
    CU_ASSERT_TRUE(stream_says(&stream, &got, "event: event\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.p, "event: sample\ndata: {\"id\":"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.p, "event: reject\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.p, "event: service_check\n"));
    CU_ASSERT_PTR_NULL(strstr(got.p, "before"));
    for (int i = 0; i < 100; i++) {
        char line[64];
        snprintf(line, sizeof line, "n%d:1|c", i);
        send_line(line);
        snprintf(line, sizeof line, "\"name\":\"n%d\"", i);
        CU_ASSERT_TRUE(stream_says(&stream, &got, line));
    }
    buf_free(&got);
    client_close(&stream);
    stop();
}

/* --- faults ---------------------------------------------------------------------------------------------- */

static void test_faults(void) {
    start();
    EQ_INT(client_ask(
               &client, "PUT /recorder/v1/faults", NULL,
               "{\"http\":[{\"path\":\"/api/*\",\"status\":503,\"times\":2}],\"dogstatsd\":[{\"drop\":1}]}"),
           200);
    EQ_INT(ask("GET /recorder/v1/faults"), 200);
    EQ_STR(
        client.body,
        "{\"http\":[{\"applied\":0,\"path\":\"/api/*\",\"status\":503,\"times\":2,\"probability\":1,\"seed\":1}],"
        "\"dogstatsd\":[{\"drop\":1,\"seed\":1}]}\n");
    send_line("dropped:1|c");
    EQ_INT(ask("GET /recorder/v1/series"), 200);
    EQ_STR(client.body, "{\"series\":[],\"next\":null}\n");
    EQ_INT(client_ask(&client, "DELETE /recorder/v1/faults", NULL, NULL), 200);
    EQ_STR(client.body, "{\"http\":[],\"dogstatsd\":[]}\n");
    send_line("kept:1|c");
    EQ_INT(ask("GET /recorder/v1/series"), 200);
    SAYS("\"kept\"");
    stop();
}

UNIT_MAIN("http/http", {"health", test_health}, {"ask right after sending", test_ask_right_after_sending},
          {"questions at once", test_questions_at_once}, {"sample", test_sample},
          {"other lists", test_other_lists}, {"since", test_since},
          {"long lists are streamed", test_long_lists_are_streamed}, {"export", test_export},
          {"errors name what was wrong", test_errors_name_what_was_wrong},
          {"nothing given twice", test_nothing_given_twice},
          {"marks of another recording", test_marks_of_another_recording},
          {"refusals have a verdict", test_refusals_have_a_verdict}, {"deep JSON", test_deep_json},
          {"body too large", test_body_too_large}, {"chunked body", test_chunked_body},
          {"huge header", test_huge_header},
          {"half requests and other protocols", test_half_requests_and_other_protocols},
          {"many idle connections", test_idle_connections}, {"host and origin", test_host_and_origin},
          {"token", test_token}, {"head", test_head}, {"a port in use", test_a_port_in_use},
          {"addresses", test_addresses}, {"sessions", test_sessions}, {"expect at once", test_expect_at_once},
          {"questions about a backlog keep no thread", test_questions_about_a_backlog_keep_no_thread},
          {"expect within", test_expect_within},
          {"a waiting client goes away", test_a_waiting_client_goes_away},
          {"a session ends while waited for", test_a_session_ends_while_waited_for},
          {"losses while waiting count once", test_losses_while_waiting_count_once},
          {"many wait", test_many_wait}, {"stopping ends the waiting", test_stopping_ends_the_waiting},
          {"stopping while asked", test_stopping_while_asked}, {"stream", test_stream},
          {"faults", test_faults})
