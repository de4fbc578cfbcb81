/* The page's files and headers, and the questions that it asks, with a whole recorder behind them. */
#include "asking.h"

#include <stdio.h>

/* A header longer than 127 bytes lost its end, in silence: the policy then allowed more than it said. */
static void test_a_long_header_arrives_whole(void) {
    start();
    EQ_INT(ask("GET /"), 200);
    HEAD_SAYS(
        "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'\r\n");
    HEAD_SAYS("Content-Type: text/html; charset=utf-8\r\n");
    HEAD_SAYS("Cache-Control: no-cache\r\n");
    SAYS("<script type=\"module\" src=\"/page/app.js\"></script>");
    stop();
}

static void test_files(void) {
    start();
    EQ_INT(ask("GET /page/app.js"), 200);
    HEAD_SAYS("Content-Type: text/javascript; charset=utf-8\r\n");
    EQ_INT(ask("GET /page/style.css"), 200);
    HEAD_SAYS("Content-Type: text/css; charset=utf-8\r\n");
    EQ_INT(ask("GET /favicon.ico"), 200);
    HEAD_SAYS("Content-Type: image/svg+xml\r\n");
    EQ_INT(ask("GET /page/index.html"), 404);
    EQ_INT(ask("GET /page/..%2fpage.c"), 404);
    EQ_INT(ask("GET /page/app.js%00"), 404);
    EQ_INT(post_json("POST /page/app.js", "{}"), 405);
    stop();
}

/* Each reload took all files anew. */
static void test_what_a_browser_has_is_not_sent_again(void) {
    start();
    EQ_INT(ask("GET /page/app.js"), 200);
    const char *at = strstr(client.head, "ETag: ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    char header[80];
    snprintf(header, sizeof header, "If-None-Match: %.18s\r\n", at + 6);
    EQ_INT(client_ask(&client, "GET /page/app.js", header, NULL), 304);
    EQ_INT(client.n_body, 0);
    HEAD_SAYS("Cache-Control: no-cache\r\n");
    HEAD_SAYS("trusted-types 'none'\r\n");
    EQ_INT(client_ask(&client, "GET /page/api.js", header, NULL), 200);
    stop();
}

/* The page is readable without the token, since it holds no data; what it asks for is not. */
static void test_a_token_guards_the_data_alone(void) {
    start_with(&(struct http_options){.token = "secret"});
    EQ_INT(ask("GET /"), 200);
    EQ_INT(ask("GET /page/api.js"), 200);
    EQ_INT(ask("GET /recorder/v1/metrics?settled=no"), 401);
    EQ_INT(
        client_ask(&client, "GET /recorder/v1/metrics?settled=no", "Authorization: Bearer secret\r\n", NULL),
        200);
    stop();
}

/* What a browser asks for by itself became a record: looking at the page changed the recording. */
static void test_what_browsers_ask_for_is_not_recorded(void) {
    start();
    EQ_INT(client_ask(&client, "GET /apple-touch-icon.png", "Sec-Fetch-Site: same-origin\r\n", NULL), 404);
    EQ_INT(ask("GET /recorder/v1/requests"), 200);
    SAYS("{\"requests\":[],\"next\":null,\"last_id\":");
    EQ_INT(client_ask(&client, "POST /who/else", "Sec-Fetch-Site: same-origin\r\n", "{}"), 404);
    EQ_INT(ask("GET /recorder/v1/requests"), 200);
    SAYS("\"path\":\"/who/else\"");
    stop();
}

static void test_names_that_are_not_utf8(void) {
    start();
    send_line("na\xffme:1|c|#k\xfe:v\xfd");
    EQ_INT(ask("GET /recorder/v1/metrics"), 200);
    SAYS(
        "\"name\":\"na\xef\xbf\xbdme\",\"name_b64\":\"bmH/bWU=\",\"type\":\"count\",\"series\":1,\"samples\":1,");
    SAYS("\"tag_keys\":[\"k\xef\xbf\xbd\"]");
    EQ_INT(ask("GET /recorder/v1/tags?name=na%ffme"), 200);
    SAYS("\"key\":\"k\xef\xbf\xbd\",\"distinct\":1");
    stop();
}

static void test_few_values_and_a_long_tail(void) {
    start();
    send_line("few:1:1:2|h");
    EQ_INT(ask("GET /recorder/v1/histogram?name=few"), 200);
    SAYS("\"bins\":[[1,1,2],[2,2,1]]");
    for (int i = 0; i < 2; i++)
        for (int k = 1; k <= 100; k++) {
            char line[32];
            snprintf(line, sizeof line, "tail:%d|h", k);
            send_line(line);
        }
    send_line("tail:5000|h");
    EQ_INT(ask("GET /recorder/v1/histogram?name=tail&bins=4"), 200);
    SAYS("\"n\":201,");
    SAYS("[67,100,68],[100,5000,1]]");
    stop();
}

UNIT_MAIN("http/page", {"a long header arrives whole", test_a_long_header_arrives_whole},
          {"files", test_files},
          {"what a browser has is not sent again", test_what_a_browser_has_is_not_sent_again},
          {"a token guards the data alone", test_a_token_guards_the_data_alone},
          {"what browsers ask for is not recorded", test_what_browsers_ask_for_is_not_recorded},
          {"names that are not UTF-8", test_names_that_are_not_utf8},
          {"few values and a long tail", test_few_values_and_a_long_tail})
