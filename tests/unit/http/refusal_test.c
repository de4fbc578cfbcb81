/* The control routes with a whole recorder behind them: what they answer to bad requests. */
#include "asking.h"

#include "core/buf.h"
#include <stdio.h>

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
        {"POST /recorder/v1/verify", "{\"catalog\":{},\"since\":-1}", 400, "since must be a whole number"},
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
    EQ_INT(post_json("POST /recorder/v1/expect", body.p), 400);
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
    EQ_INT(post_json("POST /recorder/v1/expect", "{\"expect\":[\"any a\"],\"expect\":[\"no any b\"]}"), 400);
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
         "\"text\":\"expected an operator: == != < <= > >= ~; found '='; did you mean '=='?\\nincr a sum = 1\\n           ^\\n\""},
        {"{\"expect\":[\"incr a\"],\"since\":4711}", "\"text\":\"since: 4711 is no mark of this recording"},
        {"{\"expetc\":[]}", "\"text\":\"unknown field 'expetc'; did you mean 'expect'?\\n\""},
        {"{", "\"text\":\"the body is not JSON"},
        {"{\"expect\":7}", "\"text\":\"expect must be a list"},
    };
    start();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        EQ_INT(post_json("POST /recorder/v1/expect", cases[i].body), 400);
        SAYS("\"verdict\":\"error\"");
        SAYS(cases[i].text);
    }
    EQ_INT(ask("POST /recorder/v1/expect?x=1"), 400);
    SAYS("\"verdict\":\"error\"");
    stop();
}

UNIT_MAIN("http/refusal", {"errors name what was wrong", test_errors_name_what_was_wrong},
          {"nothing given twice", test_nothing_given_twice},
          {"marks of another recording", test_marks_of_another_recording},
          {"refusals have a verdict", test_refusals_have_a_verdict})
