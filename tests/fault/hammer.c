/* Load for the fault tests, and a ledger of what the server has acknowledged.
 *
 *     hammer ledger HTTP_PORT UDP_PORT NAME   sends NAME.udp and NAME.http until the server goes away or SIGTERM, then
 *                                             prints "UDP_SENT UDP_ACKNOWLEDGED HTTP_SENT HTTP_ACKNOWLEDGED WRONG"
 *     hammer posts HTTP_PORT NAME             POSTs one point of each of 100 series of NAME, again and again, and prints "SENT ACKNOWLEDGED"
 *                                             (points)
 *     hammer flood WHERE SAMPLES RATE         RATE samples a second; 0: flat out. A UDP port, a datagram socket's path, or
 *                                             http:PORT: bodies of /api/v1/series, one after the other
 *
 * Acknowledged is what an answered question counted, or a 202. WRONG counts verdicts that were neither pass nor
 * inconclusive, though all that was asked for had been sent.
 */
#include "../bench/load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST_MAX 400 /* datagrams between two questions */

struct ledger {
    int http, udp;
    const char *name;
    unsigned long udp_sent, udp_acknowledged, http_sent, http_acknowledged, wrong;
};

static volatile sig_atomic_t ending;

static void on_end(int number) {
    (void)number;
    ending = 1;
}

static int connect_to(int type, const char *port) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&in, sizeof in) != 0)
        return -1; /* killed already */
    int one = 1;
    if (type == SOCK_STREAM)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/* One request; the whole answer stands in `answer`. False when the server went away. */
static bool ask(int fd, const char *path, const char *body, char *answer, size_t size) {
    char request[20480];
    int n = snprintf(request, sizeof request,
                     "POST %s HTTP/1.1\r\nHost: localhost\r\nDD-API-KEY: 0123456789abcdef\r\n"
                     "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                     path, strlen(body), body);
    if (send(fd, request, (size_t)n, MSG_NOSIGNAL) != n)
        return false;
    for (size_t got = 0; got + 1 < size;) {
        ssize_t more = recv(fd, answer + got, size - got - 1, 0);
        if (more <= 0)
            return false;
        got += (size_t)more;
        answer[got] = '\0';
        const char *end = strstr(answer, "\r\n\r\n");
        const char *length = end ? strcasestr(answer, "content-length:") : NULL;
        if (length && got >= (size_t)(end + 4 - answer) + strtoul(length + 15, NULL, 10))
            return true;
        if (end && !length && strcmp(answer + got - 5, "0\r\n\r\n") == 0)
            return true;
    }
    return false;
}

static void send_burst(struct ledger *l, int n) {
    for (int i = 0; i < n; i++) {
        char text[256];
        int length = snprintf(text, sizeof text, "%s.udp:1|c|#series:%lu", l->name, l->udp_sent % 50);
        if (send(l->udp, text, (size_t)length, 0) == length)
            l->udp_sent++;
    }
}

/* False when the server went away. */
static bool question(struct ledger *l) {
    char body[512], answer[65536];
    snprintf(body, sizeof body, "{\"expect\":[\"count %s.udp sum == %lu\"]}", l->name, l->udp_sent);
    if (!ask(l->http, "/recorder/v1/expect", body, answer, sizeof answer))
        return false;
    if (strstr(answer, "\"verdict\":\"pass\""))
        l->udp_acknowledged = l->udp_sent;
    else if (!strstr(answer, "\"verdict\":\"inconclusive\"")) {
        l->wrong++;
        fprintf(stderr, "hammer: %s\n", answer);
    }
    return true;
}

static bool post(struct ledger *l) {
    char body[512], answer[65536];
    snprintf(
        body, sizeof body,
        "{\"series\":[{\"metric\":\"%s.http\",\"type\":1,\"points\":[{\"timestamp\":%lld,\"value\":1}]}]}",
        l->name, (long long)time(NULL));
    l->http_sent++;
    if (!ask(l->http, "/api/v2/series", body, answer, sizeof answer))
        return false;
    if (strncmp(answer, "HTTP/1.1 202", 12) == 0)
        l->http_acknowledged++;
    return true;
}

/* The server kept what it acknowledged, and had no time to make rows of it. */
static void keep_posting(struct ledger *l) {
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_end}, NULL);
    enum { SERIES = 100, SIZE = SERIES * 160 };
    static char body[SIZE];
    char answer[65536];
    size_t n = (size_t)snprintf(body, sizeof body, "{\"series\":[");
    for (int i = 0; i < SERIES; i++)
        n += (size_t)snprintf(
            body + n, sizeof body - n,
            "%s{\"metric\":\"%s.%d\",\"type\":1,\"points\":[{\"timestamp\":%lld,\"value\":1}]}", i ? "," : "",
            l->name, i, (long long)time(NULL));
    snprintf(body + n, sizeof body - n, "]}");
    while (!ending && l->http >= 0) {
        l->http_sent += SERIES;
        if (!ask(l->http, "/api/v2/series", body, answer, sizeof answer))
            break;
        if (strncmp(answer, "HTTP/1.1 202", 12) == 0)
            l->http_acknowledged += SERIES;
    }
    printf("%lu %lu\n", l->http_sent, l->http_acknowledged);
}

static void keep_ledger(struct ledger *l) {
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_end}, NULL);
    unsigned turn = (unsigned)getpid();
    while (!ending && l->http >= 0) {
        send_burst(l, rand_r(&turn) % BURST_MAX + 1);
        if (!question(l) || !post(l))
            break;
    }
    printf("%lu %lu %lu %lu %lu\n", l->udp_sent, l->udp_acknowledged, l->http_sent, l->http_acknowledged,
           l->wrong);
}

int main(int argc, char **argv) {
    if (argc == 5 && strcmp(argv[1], "ledger") == 0) {
        struct ledger l = {.name = argv[4]};
        l.http = connect_to(SOCK_STREAM, argv[2]);
        l.udp = connect_to(SOCK_DGRAM, argv[3]);
        keep_ledger(&l);
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "posts") == 0) {
        struct ledger l = {.name = argv[3], .http = connect_to(SOCK_STREAM, argv[2])};
        keep_posting(&l);
        return 0;
    }
    if (argc == 5 && strcmp(argv[1], "flood") == 0) {
        bool http = strncmp(argv[2], "http:", 5) == 0;
        struct load load = {.transport = http                ? LOAD_HTTP
                                         : argv[2][0] == '/' ? LOAD_UNIXGRAM
                                                             : LOAD_UDP,
                            .port = atoi(http ? argv[2] + 5 : argv[2]),
                            .path = argv[2],
                            .n_series = 1000,
                            .payload = http ? 60000 : 1400,
                            .n_samples = strtoull(argv[3], NULL, 10),
                            .rate = atof(argv[4])};
        load_send(&load);
        printf("%llu\n", (unsigned long long)load.sent_samples);
        return 0;
    }
    fprintf(
        stderr,
        "usage: hammer ledger HTTP_PORT UDP_PORT NAME | hammer posts HTTP_PORT NAME | hammer flood WHERE SAMPLES RATE\n");
    return 2;
}
