/* The control routes with a whole recorder behind them: what they answer to good requests. */
#include "asking.h"

#include "core/buf.h"
#include <inttypes.h>
#include <stdio.h>

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
    SAYS("\"next\":null,");
    EQ_INT(ask("GET /recorder/v1/samples?limit=1&type=ms"), 200);
    CU_ASSERT_PTR_NULL(strstr(client.body, "\"next\":null"));
    EQ_INT(ask("GET /recorder/v1/samples?tag=a:1&tag=b:*&name=req*"), 200);
    SAYS("\"value\":2,");
    EQ_INT(ask("GET /recorder/v1/samples?tag=a:1&tag=c"), 200);
    SAYS("{\"samples\":[],\"next\":null,\"last_id\":");
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
    SAYS("{\"events\":[],\"next\":null,\"last_id\":");
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
    EQ_INT(post_json("POST /recorder/v1/marks", ""), 200);
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
    SAYS("{\"series\":[],\"next\":null,\"last_id\":");
    EQ_INT(ask("GET /recorder/v1/series?limit=1"), 200);
    SAYS("\"name\":\"old\"");
    EQ_INT(post_json("POST /recorder/v1/reset", ""), 200);
    SAYS("\"samples\":6,\"series\":3");
    EQ_INT(ask("GET /recorder/v1/series"), 200);
    SAYS("{\"series\":[],\"next\":null,\"last_id\":");
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
    SAYS("\"next\":null,");
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
    SAYS("_e{4,4}:a\\nb|c\\nd|k:key\n");
    EQ_INT(ask("GET /recorder/v1/export?format=openmetrics"), 200);
    SAYS("# TYPE a_b_c counter\na_b_c_total{flag=\"true\",k=\"v,w\"} 6\n");
    SAYS("t_count{q=\"\\\"x\\\"\"} 1\n");
    EQ_INT(ask("GET /recorder/v1/export?format=xml"), 400);
    stop();
}

/* --- sessions -------------------------------------------------------------------------------------------- */

/* The number after "key": or its string's. */
static int number_after(const char *text, const char *key) {
    const char *p = strstr(text, key);
    return p ? atoi(p + strlen(key)) : -1;
}

static void test_sessions(void) {
    start();
    EQ_INT(post_json("POST /recorder/v1/sessions", "{\"name\":\"one\",\"unix\":true,\"ttl_s\":3600}"), 201);
    HEAD_SAYS("Location: /recorder/v1/sessions/one");
    SAYS("\"DD_AGENT_HOST\":\"127.0.0.1\"");
    SAYS("\"DD_DOGSTATSD_SOCKET\":\"/");
    SAYS("\"STATWIT_SESSION\":\"one\"");
    struct ingest_session one;
    struct err err = {0};
    CU_ASSERT_FATAL(ingest_session_find(server.rig.ingest, SPAN("one"), &one, &err) == 0);
    EQ_INT(number_after(client.body, "\"DD_DOGSTATSD_PORT\":\""), one.at.udp_port);
    EQ_INT(post_json("POST /recorder/v1/sessions", "{\"name\":\"one\"}"), 409);
    server_send(&one, "mine:1|c");
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
    SAYS("{\"series\":[],\"next\":null,\"last_id\":");
    EQ_INT(client_ask(&client, "DELETE /recorder/v1/faults", NULL, NULL), 200);
    EQ_STR(client.body, "{\"http\":[],\"dogstatsd\":[]}\n");
    send_line("kept:1|c");
    EQ_INT(ask("GET /recorder/v1/series"), 200);
    SAYS("\"kept\"");
    stop();
}

UNIT_MAIN("http/control", {"health", test_health}, {"ask right after sending", test_ask_right_after_sending},
          {"questions at once", test_questions_at_once}, {"sample", test_sample},
          {"other lists", test_other_lists}, {"since", test_since},
          {"long lists are streamed", test_long_lists_are_streamed}, {"export", test_export},
          {"sessions", test_sessions}, {"faults", test_faults})
