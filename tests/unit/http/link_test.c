/* Connections that never become a whole request: they are ended, and nobody else is. */
#include "unit.h"

#include "core/clock.h"
#include "http/limits.h"
#include "http/link.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct http http = {.links_lock = PTHREAD_MUTEX_INITIALIZER};
static int client, server;
static struct http_link *link_;

/* A TCP connection on loopback, whose server side is in the list and awaits a request. */
static void connection(void) {
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof in;
    CU_ASSERT_FATAL(bind(listening, (struct sockaddr *)&in, sizeof in) == 0 && listen(listening, 1) == 0);
    CU_ASSERT_FATAL(getsockname(listening, (struct sockaddr *)&in, &n) == 0);
    client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(connect(client, (struct sockaddr *)&in, sizeof in) == 0);
    server = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    CU_ASSERT_FATAL(server >= 0);
    close(listening);
    link_ = link_open(&http, server);
    CU_ASSERT_PTR_NOT_NULL_FATAL(link_);
}

static void over(void) {
    link_close(&http, link_);
    close(server);
    close(client);
}

/* The server's side was shut down: its writing end is an error, which no client can bring about by closing. */
static bool ended(void) {
    return send(server, "x", 1, MSG_NOSIGNAL) < 0;
}

/* Until the server's side has heard of the close. */
static void client_leaves(void) {
    shutdown(client, SHUT_WR);
    struct pollfd heard = {.fd = server, .events = POLLRDHUP};
    EQ_INT(poll(&heard, 1, 60000), 1);
}

static void test_left(void) {
    connection();
    client_leaves();
    CU_ASSERT_TRUE(link_sweep(&http, clock_mono_ns()));
    CU_ASSERT_FALSE(ended());
    link_sweep(&http, clock_mono_ns());
    CU_ASSERT_TRUE(ended());
    over();
}

static void test_unread(void) {
    connection();
    EQ_INT(send(client, "GET", 3, 0), 3);
    client_leaves();
    for (int i = 0; i < 3; i++)
        link_sweep(&http, clock_mono_ns());
    CU_ASSERT_FALSE(ended());
    over();
}

static void test_answered(void) {
    connection();
    client_leaves();
    link_expect(link_, 0);
    for (int i = 0; i < 3; i++)
        link_sweep(&http, clock_mono_ns());
    CU_ASSERT_FALSE(ended());
    over();
}

static void test_late(void) {
    connection();
    link_expect(link_, 5);
    link_sweep(&http, clock_mono_ns());
    CU_ASSERT_FALSE(ended());
    link_sweep(&http, clock_mono_ns() + 6 * NS_PER_S);
    CU_ASSERT_TRUE(ended());
    over();
    CU_ASSERT_FALSE(link_sweep(&http, clock_mono_ns()));
}

static void test_headless(void) {
    connection();
    EQ_INT(send(client, "GET / HTTP/1.1\r\nA: ", 19, 0), 19);
    link_sweep(&http, clock_mono_ns());
    CU_ASSERT_FALSE(ended());
    link_sweep(&http, clock_mono_ns() + HTTP_REQUEST_HEAD_S * NS_PER_S + 1);
    CU_ASSERT_TRUE(ended());
    over();
}

UNIT_MAIN("http/link",
          {"a client that left in the middle of a request is ended at the second look", test_left},
          {"not while there is something left to read", test_unread},
          {"not while it is being answered: it may have closed its own side alone", test_answered},
          {"a request that takes too long is ended", test_late},
          {"slow loris: headers that never end have a time limit from connecting on", test_headless})
