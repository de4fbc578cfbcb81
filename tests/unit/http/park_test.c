/* Questions that wait without a connection of libmicrohttpd: their sockets go on, whatever the client does meanwhile. */
#include "asking.h"

#include "http/limits.h"
#include "http/link.h"
#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

static void ask_with(struct client *c, const char *headers, const char *body, const char *more) {
    struct buf text = {0};
    buf_printf(&text,
               "POST /recorder/v1/expect HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %zu\r\n\r\n%s%s",
               headers, strlen(body), body, more);
    client_send(c, text.p, text.n);
    buf_free(&text);
}

static void wait_for_parked(size_t n) {
    while (server.http->n_parked != n)
        sched_yield();
}

static void wait_for_held(size_t n) {
    while (server.http->n_held != n)
        sched_yield();
}

static size_t n_links(void) {
    size_t n = 0;
    pthread_mutex_lock(&server.http->links_lock);
    for (const struct http_link *link = server.http->links; link; link = link->next)
        n++;
    pthread_mutex_unlock(&server.http->links_lock);
    return n;
}

static void wait_for_links(size_t n) {
    while (n_links() != n)
        sched_yield();
}

/* The answers to a question and to HEALTH, in this order; they may come together. */
static void receive_both(struct client *c) {
    char got[8192];
    size_t n = 0;
    const char *first = NULL;
    got[0] = '\0';
    while (!strstr(got, "{\"status\":\"ok\"}")) {
        ssize_t more = client_read(c, got + n, sizeof got - n - 1);
        CU_ASSERT_FATAL(more > 0);
        n += (size_t)more;
        got[n] = '\0';
    }
    first = strstr(got, "\"verdict\":\"pass\"");
    CU_ASSERT(first && first < strstr(got, "{\"status\":\"ok\"}"));
}

#define WAITS  "{\"expect\":[\"incr %s\"],\"within_ms\":3000000}"
#define HEALTH "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

/* Each kept 13.7 KB, of which libmicrohttpd had nine, and went on to hold 128 KiB after its answer. */
static void test_it_leaves_and_comes_back(void) {
    start();
    EQ_INT(ask("GET /healthz"), 200);
    struct client waiting;
    client_open(&waiting, &server);
    for (int i = 0; i < 5; i++) {
        char body[128], line[64];
        snprintf(line, sizeof line, "one.%d", i);
        snprintf(body, sizeof body, WAITS, line);
        ask_with(&waiting, i % 2 ? "Connection: Keep-Alive\r\n" : "", body, "");
        wait_for_held(1);
        wait_for_parked(1);
        wait_for_links(1); /* libmicrohttpd has ours alone */
        strcat(line, ":1|c");
        send_line(line);
        EQ_INT(client_receive(&waiting), 200);
        CU_ASSERT_TRUE(client_says(&waiting, "\"verdict\":\"pass\""));
        CU_ASSERT_PTR_NOT_NULL(strstr(waiting.head, "\r\nContent-Type: application/json\r\n"));
        CU_ASSERT_PTR_NOT_NULL(strstr(waiting.head, " GMT\r\n"));
        wait_for_held(0);
        EQ_INT(server.http->n_parked, 1);
        if (i % 3 == 0) {
            EQ_INT(client_ask(&waiting, "GET /healthz", NULL, NULL), 200);
            EQ_INT(server.http->n_parked, 0);
        }
    }
    client_close(&waiting);
    wait_for_parked(0);
    stop();
}

static void test_it_leaves_when_it_is_gone(void) {
    start();
    struct client waiting;
    char body[128];
    snprintf(body, sizeof body, WAITS, "never");
    for (int i = 0; i < 3; i++) {
        client_open(&waiting, &server);
        ask_with(&waiting, "", body, "");
        wait_for_parked(1);
        client_close(&waiting);
        wait_for_parked(0);
        wait_for_held(0);
    }
    stop();
}

/* What libmicrohttpd has read of the next request would be lost. */
static void test_the_next_request_is_there_already(void) {
    start();
    struct client waiting;
    char body[128];
    snprintf(body, sizeof body, WAITS, "soon");
    client_open(&waiting, &server);
    ask_with(&waiting, "", body, HEALTH);
    wait_for_held(1);
    EQ_INT(server.http->n_parked, 0);
    send_line("soon:1|c");
    receive_both(&waiting);
    client_close(&waiting);
    stop();
}

static void test_the_next_request_comes_while_it_waits(void) {
    start();
    struct client waiting;
    char body[128];
    snprintf(body, sizeof body, WAITS, "soon");
    client_open(&waiting, &server);
    ask_with(&waiting, "", body, "");
    wait_for_parked(1);
    client_send(&waiting, HEALTH, strlen(HEALTH));
    send_line("soon:1|c");
    receive_both(&waiting);
    client_close(&waiting);
    stop();
}

/* "Connection: close" and HTTP/1.0: libmicrohttpd knows how. */
static void ask_last(const char *version, const char *headers) {
    start();
    struct client waiting;
    char text[512], body[128], byte;
    snprintf(body, sizeof body, WAITS, "soon");
    snprintf(text, sizeof text,
             "POST /recorder/v1/expect HTTP/%s\r\nHost: localhost\r\n%sContent-Length: %zu\r\n\r\n%s",
             version, headers, strlen(body), body);
    client_open(&waiting, &server);
    client_send(&waiting, text, strlen(text));
    wait_for_held(1);
    EQ_INT(server.http->n_parked, 0);
    send_line("soon:1|c");
    EQ_INT(client_receive(&waiting), 200);
    EQ_INT(client_read(&waiting, &byte, 1), 0);
    client_close(&waiting);
    stop();
}

static void test_the_last_request(void) {
    ask_last("1.1", "Connection: close\r\n");
    ask_last("1.1", "Connection: keep-alive\r\nConnection: close\r\n");
    ask_last("1.0", "");
}

/* The token of the header is asked for when the session was reset and the question is judged anew. */
static void test_the_session_is_reset(void) {
    start();
    struct ingest_session session;
    struct err err = {0};
    struct client waiting;
    char body[128];
    CU_ASSERT_FATAL(ingest_session_open(server.rig.ingest, "other", true, 0, &session, &err) == 0);
    snprintf(body, sizeof body, WAITS, "soon");
    client_open(&waiting, &server);
    ask_with(&waiting, "X-Datadog-Test-Session-Token: other\r\n", body, "");
    wait_for_parked(1);
    for (int i = 0; i < 3; i++)
        EQ_INT(client_ask(&client, "POST /recorder/v1/reset?test_session_token=other", NULL, ""), 200);
    server_send(&session, "soon:1|c");
    EQ_INT(client_receive(&waiting), 200);
    CU_ASSERT_TRUE(client_says(&waiting, "\"verdict\":\"pass\""));
    client_close(&waiting);
    stop();
}

/* --- many ------------------------------------------------------------------------------------------------ */

#define MANY 1000

static struct client many[MANY];

static size_t n_descriptors(void) {
    size_t n = 0;
    DIR *dir = opendir("/proc/self/fd");
    CU_ASSERT_FATAL(dir != NULL);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* libmicrohttpd tells of the end of a connection before it closes the socket. */
static void wait_for_descriptors(size_t n) {
    while (n_descriptors() != n)
        sched_yield();
}

/* A connection here has both its ends in this process. */
static size_t n_many(void) {
    struct rlimit files;
    CU_ASSERT_FATAL(getrlimit(RLIMIT_NOFILE, &files) == 0);
    files.rlim_cur = files.rlim_max;
    CU_ASSERT_FATAL(setrlimit(RLIMIT_NOFILE, &files) == 0);
    return files.rlim_cur > 3 * MANY ? MANY : files.rlim_cur / 4;
}

static void many_wait(size_t n) {
    char body[128];
    snprintf(body, sizeof body, WAITS, "soon");
    for (size_t i = 0; i < n; i++) {
        client_open(&many[i], &server);
        ask_with(&many[i], "", body, "");
    }
    wait_for_parked(n);
    wait_for_links(1);
}

/* Each of them is one socket, ours; the stand-in's copies are closed. */
static void test_descriptors_of_many(void) {
    size_t n = n_many(), before = n_descriptors();
    start();
    EQ_INT(ask("GET /healthz"), 200);
    size_t started = n_descriptors();
    many_wait(n);
    wait_for_descriptors(started + 2 * n);
    send_line("soon:1|c");
    for (size_t i = 0; i < n; i++) {
        EQ_INT(client_receive(&many[i]), 200);
        CU_ASSERT_TRUE(client_says(&many[i], "\"verdict\":\"pass\""));
        if (i % 2)
            EQ_INT(client_ask(&many[i], "GET /healthz", NULL, NULL), 200);
    }
    for (size_t i = 0; i < n; i++)
        client_close(&many[i]);
    wait_for_parked(0);
    wait_for_links(1);
    wait_for_descriptors(started);
    stop();
    EQ_INT(n_descriptors(), before);
}

/* Some with a reset, and some while the others are answered. */
static void test_many_go_away(void) {
    size_t n = n_many(), before = n_descriptors();
    struct linger reset = {.l_onoff = 1};
    start();
    EQ_INT(ask("GET /healthz"), 200);
    many_wait(n);
    for (size_t i = 0; i < n; i++) {
        if (i == n / 2)
            send_line("soon:1|c");
        if (i % 3 == 0)
            setsockopt(many[i].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        if (i % 3 < 2)
            client_close(&many[i]);
    }
    for (size_t i = 2; i < n; i += 3) {
        EQ_INT(client_receive(&many[i]), 200);
        client_close(&many[i]);
    }
    wait_for_parked(0);
    wait_for_held(0);
    stop();
    EQ_INT(n_descriptors(), before);
}

static void test_many_when_stopping(void) {
    size_t n = n_many(), before = n_descriptors();
    char byte;
    start();
    EQ_INT(ask("GET /healthz"), 200);
    many_wait(n);
    server_stop(&server);
    for (size_t i = 0; i < n; i++) {
        EQ_INT(client_receive(&many[i]), 503);
        CU_ASSERT(client_read(&many[i], &byte, 1) <= 0);
        client_close(&many[i]);
    }
    client_close(&client);
    EQ_INT(n_descriptors(), before);
}

/* --- an answer that its client takes slowly -------------------------------------------------------------- */

#define CLAIMS 28000 /* some 6 MB: more than the kernel takes */

/* The n-th who waits. A prefix makes the answer longer, by some three times its length for each claim. */
static void ask_much(struct client *c, size_t n, const char *prefix) {
    struct buf body = {0}, lines = {0};
    int small = 128 << 10;
    client_open(c, &server);
    setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    buf_printf(&body, "{\"within_ms\":3000000,\"prefix\":\"%s\",\"expect\":[\"incr soon\"", prefix);
    for (int i = 0; i < CLAIMS; i++)
        buf_str(&body, ",\"incr a\"");
    buf_str(&body, "]}");
    ask_with(c, "", body.p, "");
    wait_for_parked(n);
    buf_printf(&lines, "%ssoon:1|c\n%sa:1|c", prefix, prefix);
    send_line(lines.p);
    buf_free(&body);
    buf_free(&lines);
}

static void test_a_large_answer(void) {
    start();
    struct client waiting;
    ask_much(&waiting, 1, "");
    wait_for_held(0); /* what the socket took is sent */
    EQ_INT(server.http->n_parked, 1);
    EQ_INT(client_receive(&waiting), 200);
    CU_ASSERT_TRUE(client_says(&waiting, "\"verdict\":\"pass\""));
    CU_ASSERT(waiting.n_body > 100 * CLAIMS);
    EQ_INT(client_ask(&waiting, "GET /healthz", NULL, NULL), 200);
    client_close(&waiting);
    stop();
}

static void test_a_large_answer_when_stopping(void) {
    start();
    struct client waiting;
    ask_much(&waiting, 1, "");
    wait_for_held(0);
    server_stop(&server);                 /* waits for nobody who takes nothing */
    EQ_INT(client_receive(&waiting), -1); /* cut short */
    client_close(&waiting);
    client_close(&client);
}

/* However slowly those take their answers who do. */
static void be_patient(void) {
    server.http->still_ns = server.http->last_ns = 3600 * NS_PER_S;
}

static void *receive(void *waiting) {
    client_receive(waiting);
    return NULL;
}

static void test_a_large_answer_that_is_taken_when_stopping(void) {
    start();
    struct client waiting;
    pthread_t receiver;
    ask_much(&waiting, 1, "");
    wait_for_held(0);
    be_patient();
    CU_ASSERT_FATAL(pthread_create(&receiver, NULL, receive, &waiting) == 0);
    server_stop(&server);
    pthread_join(receiver, NULL);
    CU_ASSERT_TRUE(client_says(&waiting, "\"verdict\":\"pass\""));
    CU_ASSERT(waiting.n_body > 100 * CLAIMS);
    client_close(&waiting);
    client_close(&client);
}

/* Takes its answer from when the server ends on: then `ending` has one. */
struct taker {
    struct client waiting, ending;
};

static void *receive_at_the_end(void *arg) {
    struct taker *taker = arg;
    client_receive(&taker->ending);
    client_receive(&taker->waiting);
    return NULL;
}

static void *stop_server(void *arg) {
    server_stop(arg);
    return NULL;
}

/* Those who take nothing had the whole moment, one after the other, and nothing was left for who came behind them. Here they are waited for
 * until they close their sockets, which they do when the others have their answers. */
static void test_who_takes_waits_for_nobody(void) {
    enum { STILL = 7 };
    struct client still[STILL];
    struct taker takers[2]; /* before them, and behind */
    pthread_t receivers[2], stopper;
    char prefix[128], body[128];
    size_t n = 0;
    start();
    be_patient();
    for (int i = 0; i < STILL + 2; i++) { /* each has names of its own, which nobody has sent yet */
        bool takes = i == 0 || i == STILL + 1;
        snprintf(prefix, sizeof prefix, "%0*d.", takes ? 120 : 2, i);
        ask_much(takes ? &takers[i != 0].waiting : &still[i - 1], ++n, prefix);
        wait_for_held(0);
    }
    for (int i = 0; i < 2; i++) {
        snprintf(body, sizeof body, WAITS, "never");
        client_open(&takers[i].ending, &server);
        ask_with(&takers[i].ending, "", body, "");
        wait_for_parked(++n);
        CU_ASSERT_FATAL(pthread_create(&receivers[i], NULL, receive_at_the_end, &takers[i]) == 0);
    }
    CU_ASSERT_FATAL(pthread_create(&stopper, NULL, stop_server, &server) == 0);
    for (int i = 0; i < 2; i++) {
        pthread_join(receivers[i], NULL);
        CU_ASSERT_TRUE(client_says(&takers[i].waiting, "\"verdict\":\"pass\""));
        CU_ASSERT(takers[i].waiting.n_body > 300 * CLAIMS);
        client_close(&takers[i].waiting);
        client_close(&takers[i].ending);
    }
    for (int i = 0; i < STILL; i++)
        client_close(&still[i]);
    pthread_join(stopper, NULL);
    client_close(&client);
}

UNIT_MAIN("http/park", {"it leaves and comes back", test_it_leaves_and_comes_back},
          {"it leaves when it is gone", test_it_leaves_when_it_is_gone},
          {"the next request is there already", test_the_next_request_is_there_already},
          {"the next request comes while it waits", test_the_next_request_comes_while_it_waits},
          {"the last request", test_the_last_request}, {"the session is reset", test_the_session_is_reset},
          {"descriptors of many", test_descriptors_of_many}, {"many go away", test_many_go_away},
          {"many when stopping", test_many_when_stopping}, {"a large answer", test_a_large_answer},
          {"a large answer when stopping", test_a_large_answer_when_stopping},
          {"a large answer that is taken when stopping", test_a_large_answer_that_is_taken_when_stopping},
          {"who takes waits for nobody", test_who_takes_waits_for_nobody})
