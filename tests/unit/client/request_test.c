/* Requests to a recorder, and what is made of its answers, against an HTTP server that answers by a script. */
#include "report/recorder.h"
#include "sink.h"
#include "statwit.h"
#include "unit.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct statwit_error error;

static struct statwit_recorder *connect_to(struct http_sink *sink, const char *token) {
    struct statwit_connect_options options = {.token = token, .timeout_ms = PATIENCE_MS};
    struct statwit_recorder *recorder = statwit_recorder_connect(sink->url, &options, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(recorder);
    recorder->known = true; /* the sinks tell no status */
    return recorder;
}

static void test_kept_alive(void) {
    static const struct http_reply replies[] = {
        {.status = 200, .body = "one"}, {.status = 404, .body = "two"}, {.status = 200, .body = ""}};
    struct http_sink *sink = http_sink_start(replies, 3);
    struct statwit_recorder *recorder = connect_to(sink, "secret");
    struct statwit_response response;
    EQ_INT(statwit_request(recorder, &(struct statwit_request){.path = "/a?b=c"}, &response, &error), 0);
    EQ_INT(response.status, 200);
    EQ_STR(response.body, "one");
    EQ_STR(response.content_type, "application/json");
    statwit_response_free(&response);
    struct statwit_request post = {.path = "/x", .body = "{\"k\":1}", .size = 7};
    EQ_INT(statwit_request(recorder, &post, &response, &error), 0);
    EQ_INT(response.status, 404);
    EQ_STR(response.body, "two");
    statwit_response_free(&response);
    struct statwit_request remove = {.path = "/x", .method = "DELETE"};
    EQ_INT(statwit_request(recorder, &remove, &response, &error), 0);
    EQ_STR(response.body, "");
    statwit_response_free(&response);
    EQ_STR(sink->received[0].line, "GET /a?b=c HTTP/1.1");
    EQ_STR(sink->received[1].line, "POST /x HTTP/1.1");
    EQ_STR(sink->received[1].body, "{\"k\":1}");
    EQ_STR(sink->received[2].line, "DELETE /x HTTP/1.1");
    CU_ASSERT_PTR_NOT_NULL(strstr(sink->received[2].headers, "Authorization: Bearer secret"));
    statwit_recorder_close(recorder);
    http_sink_stop(sink);
}

static bool take(void *context, const char *bytes, size_t size) {
    struct http_received *got = context;
    snprintf(got->line + strlen(got->line), sizeof got->line - strlen(got->line), "%.*s", (int)size, bytes);
    return strcmp(got->line, "stop") != 0;
}

static void test_chunks(void) {
    static const struct http_reply replies[] = {{.status = 200, .body = "all"},
                                                {.status = 500, .body = "why"},
                                                {.status = 200, .body = "stop", .manner = HTTP_CUT_HALF}};
    struct http_sink *sink = http_sink_start(replies, 3);
    struct statwit_recorder *recorder = connect_to(sink, NULL);
    struct statwit_response response;
    struct http_received got = {.line = ""};
    struct statwit_request stream = {.path = "/", .chunk = take, .context = &got};
    EQ_INT(statwit_request(recorder, &stream, &response, &error), 0);
    EQ_STR(got.line, "all");
    EQ_STR(response.body, "");
    statwit_response_free(&response);
    got.line[0] = '\0';
    EQ_INT(statwit_request(recorder, &stream, &response, &error), 0);
    EQ_STR(got.line, "");
    EQ_STR(response.body, "why"); /* an error is not part of the stream */
    statwit_response_free(&response);
    EQ_INT(statwit_request(recorder, &stream, &response, &error), 0); /* ended by us */
    EQ_STR(got.line, "stop");
    statwit_response_free(&response);
    statwit_recorder_close(recorder);
    http_sink_stop(sink);
}

static void test_errors(void) {
    static const struct http_reply replies[] = {
        {.manner = HTTP_CUT}, {.manner = HTTP_CUT}, {.manner = HTTP_HANG}};
    struct http_sink *sink = http_sink_start(replies, 3);
    struct statwit_recorder *recorder = connect_to(sink, NULL);
    struct statwit_response response;
    EQ_INT(statwit_request(recorder, &(struct statwit_request){.path = "/p"}, &response, &error), -1);
    EQ_INT(error.code, STATWIT_UNREACHABLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, sink->url));
    CU_ASSERT_PTR_NULL(response.body);
    statwit_request(recorder, &(struct statwit_request){.path = "/p"}, &response, &error);
    EQ_INT(statwit_request(recorder, &(struct statwit_request){.path = "/p", .timeout_ms = 20}, &response,
                           &error),
           -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "did not answer /p for 0.02 s"));
    EQ_INT(statwit_request(recorder, &(struct statwit_request){.path = "p"}, &response, &error), -1);
    EQ_INT(error.code, STATWIT_INVALID);
    http_sink_stop(sink);
    EQ_INT(statwit_request(recorder, &(struct statwit_request){.path = "/p"}, &response, &error), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "Connection refused. Is `statwit serve` running?"));
    EQ_INT(statwit_recorder_wait(recorder, 20, &error), -1);
    statwit_recorder_close(recorder);
    CU_ASSERT_PTR_NULL(statwit_recorder_connect("ftp://x", NULL, &error));
    EQ_INT(error.code, STATWIT_INVALID);
    statwit_recorder_close(NULL);
}

static void test_fork(void) {
    static const struct http_reply replies[] = {{.status = 200, .body = "x"}};
    struct http_sink *sink = http_sink_start(replies, 1);
    struct statwit_recorder *recorder = connect_to(sink, NULL);
    struct statwit_response response;
    statwit_request(recorder, &(struct statwit_request){.path = "/parent"}, &response, &error);
    statwit_response_free(&response);
    statwit_recorder_close(recorder); /* the sink serves one connection at a time */
    recorder = connect_to(sink, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        int result = statwit_request(recorder, &(struct statwit_request){.path = "/child"}, &response, NULL);
        _exit(result == 0 && response.status == 200 ? 0 : 1);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    EQ_INT(status, 0);
    EQ_INT(statwit_request(recorder, &(struct statwit_request){.path = "/parent"}, &response, &error), 0);
    statwit_response_free(&response);
    statwit_recorder_close(recorder);
    http_sink_stop(sink);
}

/* ---- answers ---- */

static const char session_answer[] =
    "{\"name\":\"s 1\",\"api_key\":\"key\",\"dogstatsd\":{},\"env\":{\"DD_AGENT_HOST\":\"127.0.0.1\",\"DD_DOGSTATSD_PORT\":\"77\"}}";

static void test_session(void) {
    static const struct http_reply replies[] = {
        {.status = 201, .body = session_answer},
        {.status = 200, .body = "{\"mark\":42}"},
        {.status = 200, .body = "{\"removed\":{}}"},
        {.status = 403, .body = "{\"error\":\"the words of the server\"}"},
        {.status = 200, .body = "not JSON"},
        {.status = 204}};
    struct http_sink *sink = http_sink_start(replies, 6);
    struct statwit_recorder *recorder = connect_to(sink, NULL);
    struct statwit_session_options options = {
        .name = "s 1", .unix_sockets = true, .ttl_s = 9, .timestamps = "any"};
    struct statwit_session *session = statwit_session_open(recorder, &options, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(session);
    EQ_STR(sink->received[0].body, "{\"name\":\"s 1\",\"unix\":true,\"ttl_s\":9,\"timestamps\":\"any\"}");
    EQ_STR(statwit_session_variable(session, "DD_DOGSTATSD_PORT"), "77");
    CU_ASSERT_PTR_NULL(statwit_session_variable(session, "NO"));
    struct statwit_options aimed = {0};
    statwit_session_aim(session, &aimed);
    EQ_INT(aimed.port, 77);
    EQ_STR(aimed.api_key, "key");
    EQ_INT(statwit_mark(session, &error), 42);
    EQ_INT(statwit_reset(session, &error), 0);
    EQ_STR(sink->received[2].line, "POST /recorder/v1/reset?session=s%201 HTTP/1.1");
    EQ_INT(statwit_reset(session, &error), -1);
    EQ_INT(error.code, STATWIT_REFUSED);
    EQ_INT(error.status, 403);
    EQ_STR(error.text, "the words of the server");
    EQ_INT(statwit_reset(session, &error), -1);
    EQ_INT(error.code, STATWIT_PROTOCOL);
    statwit_session_close(session);
    EQ_STR(sink->received[5].line, "DELETE /recorder/v1/sessions/s%201 HTTP/1.1");
    statwit_recorder_close(recorder);
    http_sink_stop(sink);
}

/* Another server than ours, and one of another version, at the URL. */
static void test_another_server(void) {
    static const struct {
        struct http_reply status;
        const char *says;
    } servers[] = {
        {{.status = 200, .body = "<html>"}, "JSON"},
        {{.status = 200, .body = "{}"}, "speaks api of no number"},
        {{.status = 200, .body = "{\"api\":2}"}, "speaks api 2, and this library"},
        {{.status = 404, .body = "not found"}, "answered 404"},
        {{.status = 401, .body = "{\"error\":\"the words of the server\"}"}, "the words of the server"}};
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        const struct http_reply replies[] = {servers[i].status, servers[i].status};
        struct http_sink *sink = http_sink_start(replies, 2);
        struct statwit_recorder *recorder = statwit_recorder_connect(sink->url, NULL, &error);
        CU_ASSERT_PTR_NULL(statwit_session_open(recorder, NULL, &error));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, servers[i].says));
        EQ_STR(sink->received[0].line, "GET /recorder/v1/status HTTP/1.1");
        CU_ASSERT_PTR_NULL(statwit_session_attach(recorder, "default", &error));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, servers[i].says));
        statwit_recorder_close(recorder);
        http_sink_stop(sink);
    }
    static const struct http_reply ours[] = {{.status = 200, .body = "{\"api\":1}"},
                                             {.status = 200, .body = session_answer},
                                             {.status = 200, .body = session_answer}};
    struct http_sink *sink = http_sink_start(ours, 3);
    struct statwit_recorder *recorder = statwit_recorder_connect(sink->url, NULL, &error);
    struct statwit_session *session = statwit_session_attach(recorder, "default", &error);
    CU_ASSERT_PTR_NOT_NULL(session);
    statwit_session_close(session);
    session = statwit_session_attach(recorder, "default", &error); /* it is asked once */
    CU_ASSERT_PTR_NOT_NULL(session);
    statwit_session_close(session);
    statwit_recorder_close(recorder);
    http_sink_stop(sink);
}

static void test_verdicts(void) {
    static const struct http_reply replies[] = {
        {.status = 200, .body = session_answer},
        {.status = 200,
         .body =
             "{\"verdict\":\"inconclusive\",\"results\":[{\"expectation\":\"no any x\",\"verdict\":\"inconclusive\",\"observed\":"
             "\"o\",\"why\":null}],\"losses\":[],\"text\":\"the report\",\"waited_ms\":1.5}"},
        {.status = 200, .body = "{\"verdict\":\"maybe\"}"},
        {.status = 400, .body = "{\"error\":\"bad\",\"excerpt\":\"x\\n^\",\"line\":1,\"column\":1}"},
        {.status = 200, .body = "{\"verdict\":\"inconclusive\",\"results\":[],\"text\":\"the report\"}"}};
    struct http_sink *sink = http_sink_start(replies, 5);
    struct statwit_recorder *recorder = connect_to(sink, NULL);
    struct statwit_session *session = statwit_session_attach(recorder, NULL, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(session);
    EQ_STR(sink->received[0].line, "GET /recorder/v1/sessions/default HTTP/1.1");
    struct statwit_report report;
    struct statwit_expect_options options = {.within_ms = 5,
                                             .settle_ms = 6,
                                             .since = 7,
                                             .all_covered = true,
                                             .no_rejects = true,
                                             .prefix = "p.",
                                             .ignore_tags = "env",
                                             .file = "f",
                                             .as_datadog = true};
    EQ_INT(statwit_expect(session, "no any x", &options, &report, &error), 0);
    EQ_STR(
        sink->received[1].body,
        "{\"expect\":[{\"text\":\"no any x\",\"file\":\"f\"}],\"session\":\"s 1\",\"within_ms\":5,\"settle_ms\":"
        "6,\"since\":7,\"prefix\":\"p.\",\"ignore_tags\":\"env\",\"all_covered\":true,\"no_rejects\":true,"
        "\"as\":\"datadog\"}");
    EQ_INT(report.verdict, STATWIT_INCONCLUSIVE);
    EQ_INT(report.n_results, 1);
    EQ_STR(report.results[0].observed, "o");
    EQ_STR(report.results[0].why, "");
    EQ_STR(report.text, "the report");
    statwit_report_free(&report);
    EQ_INT(statwit_expect(session, "x", NULL, &report, &error), -1);
    EQ_INT(error.code, STATWIT_PROTOCOL);
    EQ_INT(report.verdict, STATWIT_ERROR);
    EQ_INT(statwit_expect(session, "x", NULL, &report, &error), -1);
    EQ_INT(error.code, STATWIT_INVALID);
    EQ_STR(error.text, "bad\nx\n^");
    EQ_INT(statwit_expect(session, "\xff", NULL, &report, &error), -1);
    EQ_INT(error.code, STATWIT_INVALID);
    EQ_INT(statwit_verify(session, "x", 0, "file.c", 3), STATWIT_INCONCLUSIVE);
    statwit_session_close(session);
    statwit_recorder_close(recorder);
    http_sink_stop(sink);
}

/* The number, or NaN and a verdict that says why there is none. */
static void test_value(void) {
#define ANSWER(verdict, observed)                                                                            \
    {                                                                                                        \
        .status = 200, .body = "{\"verdict\":\"" verdict                                                     \
                               "\",\"text\":\"\",\"results\":[{\"expectation\":\"x\",\"verdict\":\"" verdict \
                               "\",\"why\":\"w\",\"clauses\":[{\"clause\":\"sum\",\"observed\":" observed    \
                               "}]}]}"                                                                       \
    }
    static const struct http_reply replies[] = {{.status = 200, .body = session_answer},
                                                ANSWER("pass", "2.5"),
                                                ANSWER("pass", "\"critical\""),
                                                ANSWER("fail", "null"),
                                                ANSWER("inconclusive", "3"),
                                                {.status = 400, .body = "{\"error\":\"bad\"}"}};
    struct http_sink *sink = http_sink_start(replies, 6);
    struct statwit_recorder *recorder = connect_to(sink, NULL);
    struct statwit_session *session = statwit_session_attach(recorder, NULL, &error);
    double number;
    EQ_INT(statwit_expect_value(session, "incr a where value == 1", "sum", &number), STATWIT_PASS);
    EQ_STR(sink->received[1].body,
           "{\"expect\":[\"incr a where value == 1 sum\"],\"session\":\"s 1\",\"value\":true}");
    CU_ASSERT_DOUBLE_EQUAL(number, 2.5, 0);
    EQ_INT(statwit_expect_value(session, "check a", "status", &number), STATWIT_PASS);
    CU_ASSERT_DOUBLE_EQUAL(number, 2, 0);
    EQ_INT(statwit_expect_value(session, "gauge a", "last", &number), STATWIT_FAIL);
    CU_ASSERT(isnan(number));
    EQ_INT(statwit_expect_value(session, "gauge a", "last", &number), STATWIT_INCONCLUSIVE);
    CU_ASSERT_DOUBLE_EQUAL(number, 3, 0);
    EQ_INT(statwit_expect_value(session, "gauge a", "lasst", &number), STATWIT_ERROR);
    CU_ASSERT(isnan(number));
    EQ_INT(statwit_expect_value(NULL, "gauge a", "last", &number), STATWIT_ERROR);
    CU_ASSERT(isnan(number));
    statwit_session_close(session);
    statwit_recorder_close(recorder);
    http_sink_stop(sink);
}

static void test_pages(void) {
    static const struct http_reply replies[] = {
        {.status = 200, .body = session_answer},
        {.status = 200,
         .body =
             "{\"samples\":[{\"id\":1,\"name\":\"a\",\"value\":2.5,\"tags\":[\"x:y\"],\"text\":null}],\"next\":9}"},
        {.status = 200,
         .body =
             "{\"samples\":[{\"id\":2,\"name\":\"b\",\"value\":null,\"text\":\"u\",\"tags\":[]}],\"next\":null}"},
        {.status = 200, .body = "{\"samples\":[],\"next\":9}"},
        {.status = 500, .body = "{\"error\":\"no\"}"}};
    struct http_sink *sink = http_sink_start(replies, 5);
    struct statwit_recorder *recorder = connect_to(sink, NULL);
    struct statwit_session *session = statwit_session_attach(recorder, NULL, &error);
    struct statwit_list list;
    struct statwit_filter filter = {
        .name = "a*", .tags = STATWIT_TAGS({"k", "v"}, {"bare", NULL}), .since = 3};
    EQ_INT(statwit_list_samples(session, &filter, &list, &error), 0);
    EQ_INT(list.n, 2);
    EQ_STR(list.samples[0].name, "a");
    EQ_STR(list.samples[0].tags[0], "x:y");
    CU_ASSERT(list.samples[0].value == 2.5);
    CU_ASSERT(list.samples[1].value != list.samples[1].value);
    EQ_STR(list.samples[1].text, "u");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(sink->received[1].line, "name=%61%2A&tag=%6B%3A%76&tag=%62%61%72%65&since=3&limit="));
    CU_ASSERT_PTR_NOT_NULL(strstr(sink->received[2].line, "&cursor=9 "));
    statwit_list_free(&list);
    EQ_INT(statwit_list_samples(session, NULL, &list, &error), -1); /* a page is there, the next is not */
    EQ_INT(list.n, 0);
    statwit_session_close(session);
    statwit_recorder_close(recorder);
    http_sink_stop(sink);
}

/* A long token was cut, and sent as another one; one with a line break made a header of its own. */
static void test_headers_are_sent_whole(void) {
    static const struct http_reply replies[] = {{.status = 200}, {.status = 200}};
    struct http_sink *sink = http_sink_start(replies, 2);
    struct statwit_response response;
    static char token[16386];
    memset(token, 'x', sizeof token - 2);
    struct statwit_recorder *recorder = connect_to(sink, token);
    EQ_INT(statwit_request(recorder, &(struct statwit_request){.path = "/"}, &response, &error), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(sink->received[0].headers, token));
    statwit_response_free(&response);
    statwit_recorder_close(recorder);
    token[sizeof token - 2] = 'x';
    const char *bad[] = {token, "a\r\nX-Other: b", "a\nb", "a\x7f"};
    for (size_t i = 0; i < 4; i++) {
        recorder = connect_to(sink, bad[i]);
        EQ_INT(statwit_request(recorder, &(struct statwit_request){.path = "/"}, &response, &error), -1);
        EQ_INT(error.code, STATWIT_INVALID);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "the header Authorization"));
        statwit_recorder_close(recorder);
    }
    setenv("STATWIT_TOKEN", "of another server", 1);
    recorder = connect_to(sink, "");
    EQ_INT(statwit_request(recorder, &(struct statwit_request){.path = "/"}, &response, &error), 0);
    CU_ASSERT_PTR_NULL(strstr(sink->received[1].headers, "Authorization"));
    statwit_response_free(&response);
    statwit_recorder_close(recorder);
    unsetenv("STATWIT_TOKEN");
    http_sink_stop(sink);
}

UNIT_MAIN("client/request", {"headers are sent whole", test_headers_are_sent_whole},
          {"kept alive", test_kept_alive}, {"chunks", test_chunks}, {"errors", test_errors},
          {"fork", test_fork}, {"session", test_session}, {"another server", test_another_server},
          {"verdicts", test_verdicts}, {"one number", test_value}, {"pages", test_pages})
