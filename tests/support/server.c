#include "server.h"

#include "command/routes.h"
#include "core/buf.h"
#include "unit.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX ((size_t)256 << 20)

/* Our own bug, or a machine without loopback: nothing can be tested then. */
static void must(bool good, const char *what, const struct err *err) {
    if (good)
        return;
    fprintf(stderr, "%s: %s\n", what, err ? err->text : "");
    abort();
}

void server_start(struct server *s, const struct http_options *options) {
    struct err err = {0};
    struct http_options http = *options;
    http.n_tables = n_served_routes;
    http.tables = served_routes;
    http.bind = http.bind ? http.bind : "127.0.0.1";
    rig_start(&s->rig, NULL, 64 << 20);
    rig_hear_drops(&s->rig, false);
    s->http = http_start(s->rig.store, s->rig.pipeline, s->rig.ingest, &http, &err);
    must(s->http != NULL, "http_start", &err);
}

void server_stop(struct server *s) {
    http_stop(s->http);
    rig_stop(&s->rig);
}

static struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

void server_send(const struct ingest_session *session, const char *text) {
    int fd = rig_connect(&session->at, SOURCE_UNIXGRAM);
    rig_send(fd, SOURCE_UNIXGRAM, text, strlen(text));
    close(fd);
}

/* --- the client ------------------------------------------------------------------------------------------ */

void client_open(struct client *c, const struct server *s) {
    *c = (struct client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    struct sockaddr_in to = loopback(http_port(s->http));
    struct timeval patience = {.tv_sec = 60};
    int one = 1;
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    must(connect(c->fd, (struct sockaddr *)&to, sizeof to) == 0, "connect", NULL);
}

void client_close(struct client *c) {
    close(c->fd);
    free(c->received);
    free(c->body);
}

void client_send(struct client *c, const void *bytes, size_t n) {
    for (const char *p = bytes; n > 0;) {
        ssize_t sent = send(c->fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        p += sent;
        n -= (size_t)sent;
    }
}

/* Where there is a timeout, recv does not go on by itself after SIGCONT. */
ssize_t client_read(const struct client *c, void *bytes, size_t n) {
    ssize_t got;
    do
        got = recv(c->fd, bytes, n, 0);
    while (got < 0 && errno == EINTR);
    return got;
}

/* One more piece from the connection; false at its end. */
static bool read_more(struct client *c) {
    if (c->n + 1 >= c->cap) {
        c->cap = c->cap ? 2 * c->cap : 65536;
        must(c->cap <= ANSWER_MAX && (c->received = realloc(c->received, c->cap)), "an answer too large",
             NULL);
    }
    ssize_t n = client_read(c, c->received + c->n, c->cap - c->n - 1);
    if (n <= 0)
        return false;
    c->n += (size_t)n;
    c->received[c->n] = '\0';
    return true;
}

static void take_body(struct client *c, size_t from, size_t n) {
    c->body = realloc(c->body, c->n_body + n + 1);
    memcpy(c->body + c->n_body, c->received + from, n);
    c->n_body += n;
    c->body[c->n_body] = '\0';
}

static bool need(struct client *c, size_t n) {
    while (c->n < n)
        if (!read_more(c))
            return false;
    return true;
}

static bool receive_chunks(struct client *c, size_t at) {
    for (;;) {
        char *end;
        while (!(c->n > at && (end = strstr(c->received + at, "\r\n"))))
            if (!read_more(c))
                return false;
        size_t n = strtoul(c->received + at, NULL, 16), data = (size_t)(end - c->received) + 2;
        if (!need(c, data + n + 2))
            return false;
        if (n == 0)
            return true;
        take_body(c, data, n);
        at = data + n + 2;
    }
}

int client_receive(struct client *c) {
    char *end = NULL;
    c->n = c->n_body = 0;
    c->status = -1;
    free(c->body);
    c->body = calloc(1, 1);
    while (!(c->n && (end = strstr(c->received, "\r\n\r\n"))))
        if (!read_more(c))
            return -1;
    size_t head = (size_t)(end - c->received) + 4;
    end[2] = '\0';
    c->head = c->received;
    const char *length = strcasestr(c->head, "\r\nContent-Length:");
    size_t n = length ? strtoul(length + 17, NULL, 10) : 0;
    bool chunked = strcasestr(c->head, "\r\nTransfer-Encoding: chunked") != NULL;
    int status = atoi(c->received + 9);
    if (chunked ? !receive_chunks(c, head) : !need(c, head + n))
        return -1;
    if (!chunked)
        take_body(c, head, n);
    c->head = c->received;
    c->status = status;
    return status;
}

int client_ask(struct client *c, const char *request, const char *headers, const char *body) {
    struct buf text = {0};
    buf_printf(&text, "%s HTTP/1.1\r\n", request);
    if (!headers || !strcasestr(headers, "Host:"))
        buf_str(&text, "Host: localhost\r\n");
    buf_str(&text, headers ? headers : "");
    if (body)
        buf_printf(&text, "Content-Length: %zu\r\n", strlen(body));
    buf_printf(&text, "\r\n%s", body ? body : "");
    client_send(c, text.p, text.n);
    buf_free(&text);
    return client_receive(c);
}

bool client_says(const struct client *c, const char *text) {
    if (strstr(c->body, text))
        return true;
    fprintf(stderr, "expected to find: %s\nin: %.2000s\n", text, c->body);
    return false;
}
