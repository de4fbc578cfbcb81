/* The HTTP side with a whole recorder behind it: its limits, who may ask, where it listens, how it stops. */
#include "asking.h"

#include "core/buf.h"
#include "http/limits.h"
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_deep_json(void) {
    start();
    struct buf body = {0};
    for (int i = 0; i < 100000; i++)
        buf_char(&body, '[');
    EQ_INT(post_json("POST /recorder/v1/expect", body.p), 400);
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
    EQ_INT(post_json("POST /recorder/v1/expect", body.p), 400); /* as long as may be */
    body.p[HTTP_BODY_MAX] = ' ';
    body.p[HTTP_BODY_MAX + 1] = '\0';
    EQ_INT(post_json("POST /recorder/v1/expect", body.p), 413);
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

/* libmicrohttpd waited for the end of such a body until the client gave up. */
static void test_other_transfer_codings(void) {
    static const struct {
        const char *request, *coding;
        int status;
    } cases[] = {
        {"POST /api/v1/series", "gzip, chunked", 501}, {"POST /api/v2/series", "x", 501},
        {"POST /dogstatsd/v2/proxy", "identity", 501}, {"POST /api/v1/collector", "gzip", 501},
        {"POST /recorder/v1/sessions", "gzip", 501},   {"PUT /recorder/v1/faults", "chunked, gzip", 501},
        {"GET /healthz", "gzip, chunked", 501},        {"DELETE /recorder/v1/sessions/default", "gzip", 501},
        {"POST /recorder/v1/nothing", "gzip", 404},    {"POST /recorder/v1/sessions", "CHUNKED", 201},
    };
    start();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf text = {0};
        buf_printf(&text,
                   "%s HTTP/1.1\r\nHost: localhost\r\nDD-API-KEY: k\r\nTransfer-Encoding: %s\r\n\r\n"
                   "2\r\n{}\r\n0\r\n\r\n",
                   cases[i].request, cases[i].coding);
        client_send(&client, text.p, text.n);
        EQ_INT(client_receive(&client), cases[i].status);
        if (cases[i].status == 501) {
            SAYS("Transfer-Encoding: chunked");
            CU_ASSERT_PTR_NOT_NULL(strstr(client.head, "Connection: close"));
        }
        buf_free(&text);
        client_close(&client);
        client_open(&client, &server);
    }
    EQ_INT(ask("GET /recorder/v1/requests"), 200);
    SAYS("\"path\":\"/api/v1/series\",\"query\":\"\",\"status\":501");
    SAYS("\"path\":\"/dogstatsd/v2/proxy\",\"query\":\"\",\"status\":501");
    SAYS("\"path\":\"/api/v1/collector\",\"query\":\"\",\"status\":501");
    SAYS("\"note\":\"unknown Transfer-Encoding\"");
    stop();
}

static void test_huge_header(void) {
    start();
    struct buf headers = {0};
    buf_str(&headers, "X-Big: ");
    while (headers.n < HTTP_HEADER_MEMORY)
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
    for (ssize_t n; (n = client_read(&client, piece, sizeof piece)) > 0;)
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

/* --- the end --------------------------------------------------------------------------------------------- */

static void *keep_asking(void *arg) {
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const struct client *c = arg;
    char answer[4096];
    ssize_t n = 1;
    while (n > 0)
        n = send(c->fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0
                ? 0
                : client_read(c, answer, sizeof answer);
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

UNIT_MAIN("http/http", {"deep JSON", test_deep_json}, {"body too large", test_body_too_large},
          {"chunked body", test_chunked_body}, {"other transfer codings", test_other_transfer_codings},
          {"huge header", test_huge_header},
          {"half requests and other protocols", test_half_requests_and_other_protocols},
          {"many idle connections", test_idle_connections}, {"host and origin", test_host_and_origin},
          {"token", test_token}, {"head", test_head}, {"a port in use", test_a_port_in_use},
          {"addresses", test_addresses}, {"stopping while asked", test_stopping_while_asked})
