#include "sink.h"

#include "ingest/loop.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define REQUEST_MAX ((size_t)8 << 20)

static void check(bool fine, const char *what) {
    if (!fine) {
        perror(what);
        abort();
    }
}

static int listen_ip(int type, int *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    check(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0, "sink: bind");
    check(getsockname(fd, (struct sockaddr *)&address, &size) == 0, "sink: getsockname");
    *port = ntohs(address.sin_port);
    return fd;
}

/* As a recorder does: what is missing in a test's UDP socket may be among what the kernel dropped. */
static int softnet = -1;
static uint32_t dropped_before;

static void tell_drops(void) {
    const char *unsure;
    uint32_t dropped = softnet_settle(softnet, &unsure) - dropped_before;
    if (dropped > 0)
        fprintf(stderr, "sink: the kernel dropped %u packets on their way to the sockets\n", dropped);
}

static void watch_drops(void) {
    const char *unsure;
    if (softnet >= 0 || (softnet = softnet_open()) < 0)
        return;
    dropped_before = softnet_settle(softnet, &unsure);
    atexit(tell_drops);
}

int sink_udp(int *port) {
    watch_drops();
    return listen_ip(SOCK_DGRAM, port);
}

int sink_udp_at(int port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

int sink_unix(const char *path, bool stream) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    check(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0, "sink: bind");
    check(!stream || listen(fd, 8) == 0, "sink: listen");
    return fd;
}

long sink_read(int fd, char *bytes, size_t cap, int timeout_ms) {
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    if (poll(&readable, 1, timeout_ms) <= 0)
        return -1;
    ssize_t n = recv(fd, bytes, cap - 1, 0);
    bytes[n > 0 ? n : 0] = '\0';
    return n;
}

size_t sink_read_all(int fd, char *bytes, size_t cap, size_t size, int timeout_ms) {
    size_t at = 0;
    bytes[0] = '\0';
    while (at < size) {
        long n = sink_read(fd, bytes + at, cap - at, timeout_ms);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    return at;
}

void sink_directory(char path[64]) {
    snprintf(path, 64, "/tmp/statwit-test-XXXXXX");
    check(mkdtemp(path) != NULL, "sink: mkdtemp");
}

void sink_remove(const char *path) {
    DIR *directory = opendir(path);
    char name[512];
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(name);
    }
    if (directory)
        closedir(directory);
    rmdir(path);
}

/* ---- HTTP ---- */

static char *inflated(const char *bytes, size_t size) {
    char *text = malloc(REQUEST_MAX + 1);
    uLongf n = REQUEST_MAX;
    check(text && uncompress((Bytef *)text, &n, (const Bytef *)bytes, (uLong)size) == Z_OK, "sink: inflate");
    text[n] = '\0';
    return text;
}

static size_t content_length(const char *headers) {
    const char *at = strcasestr(headers, "\r\ncontent-length:");
    return at ? strtoul(at + 17, NULL, 10) : 0;
}

/* Reads one request into the list; false when the connection has ended. */
static bool receive(struct http_sink *sink, int fd, char *buffer) {
    size_t size = 0;
    char *end = NULL;
    while (!end || size < (size_t)(end - buffer) + 4 + content_length(buffer)) {
        struct pollfd readable[2] = {{.fd = fd, .events = POLLIN}, {.fd = sink->stop, .events = POLLIN}};
        if (poll(readable, 2, -1) < 0 || readable[1].revents)
            return false;
        ssize_t n = recv(fd, buffer + size, REQUEST_MAX - size, 0);
        if (n <= 0)
            return false;
        size += (size_t)n;
        buffer[size] = '\0';
        end = end ? end : strstr(buffer, "\r\n\r\n");
    }
    *end = '\0';
    pthread_mutex_lock(&sink->lock);
    check(sink->n_received < HTTP_SINK_MAX, "sink: too many requests");
    struct http_received *received = &sink->received[sink->n_received];
    size_t body = content_length(buffer);
    snprintf(received->line, sizeof received->line, "%.*s", (int)strcspn(buffer, "\r"), buffer);
    received->headers = strdup(buffer);
    received->body =
        strcasestr(buffer, "content-encoding: deflate") ? inflated(end + 4, body) : strndup(end + 4, body);
    sink->n_received++;
    pthread_cond_broadcast(&sink->came);
    pthread_mutex_unlock(&sink->lock);
    return true;
}

/* False: the connection is to be closed. */
static bool reply(struct http_sink *sink, int fd) {
    size_t n = sink->n_received - 1;
    const struct http_reply *reply = &sink->replies[n < sink->n_replies ? n : sink->n_replies - 1];
    const char *body = reply->body ? reply->body : "{}";
    char text[65536];
    if (reply->manner == HTTP_CUT)
        return false;
    if (reply->manner == HTTP_HANG) {
        struct pollfd end[2] = {{.fd = fd, .events = POLLIN}, {.fd = sink->stop, .events = POLLIN}};
        poll(end, 2, -1);
        return false;
    }
    if (reply->manner == HTTP_HELD) {
        struct pollfd go[2] = {{.fd = sink->held, .events = POLLIN}, {.fd = sink->stop, .events = POLLIN}};
        poll(go, 2, -1);
    }
    int size =
        snprintf(text, sizeof text,
                 "HTTP/1.1 %d Status\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n",
                 reply->status, strlen(body) + (reply->manner == HTTP_CUT_HALF ? 100 : 0),
                 reply->headers ? reply->headers : "");
    return send(fd, text, (size_t)size, MSG_NOSIGNAL) == size &&
           send(fd, body, strlen(body), MSG_NOSIGNAL) == (ssize_t)strlen(body) &&
           reply->manner != HTTP_CUT_HALF;
}

static void *serve(void *context) {
    struct http_sink *sink = context;
    char *buffer = malloc(REQUEST_MAX + 1);
    check(buffer, "sink: memory");
    for (;;) {
        struct pollfd readable[2] = {{.fd = sink->fd, .events = POLLIN},
                                     {.fd = sink->stop, .events = POLLIN}};
        if (poll(readable, 2, -1) < 0 || readable[1].revents)
            break;
        int fd = accept4(sink->fd, NULL, NULL, SOCK_CLOEXEC);
        while (fd >= 0 && receive(sink, fd, buffer) && reply(sink, fd))
            ;
        if (fd >= 0)
            close(fd);
    }
    free(buffer);
    return NULL;
}

static int stopper[2];

struct http_sink *http_sink_start(const struct http_reply *replies, size_t n_replies) {
    struct http_sink *sink = calloc(1, sizeof *sink);
    check(sink && pipe(stopper) == 0, "sink: memory");
    sink->held = eventfd(0, EFD_CLOEXEC);
    check(sink->held >= 0, "sink: eventfd");
    sink->replies = replies;
    sink->n_replies = n_replies;
    sink->fd = listen_ip(SOCK_STREAM, &sink->port);
    check(listen(sink->fd, 16) == 0, "sink: listen");
    sink->stop = stopper[0];
    snprintf(sink->url, sizeof sink->url, "http://127.0.0.1:%d", sink->port);
    pthread_mutex_init(&sink->lock, NULL);
    pthread_cond_init(&sink->came, NULL);
    check(pthread_create(&sink->thread, NULL, serve, sink) == 0, "sink: thread");
    return sink;
}

void http_sink_release(struct http_sink *sink) {
    check(write(sink->held, &(uint64_t){1}, sizeof(uint64_t)) == sizeof(uint64_t), "sink: release");
}

bool http_sink_wait(struct http_sink *sink, size_t n, int timeout_ms) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (timeout_ms % 1000) * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&sink->lock);
    while (sink->n_received < n && pthread_cond_timedwait(&sink->came, &sink->lock, &until) == 0)
        ;
    bool came = sink->n_received >= n;
    pthread_mutex_unlock(&sink->lock);
    return came;
}

void http_sink_stop(struct http_sink *sink) {
    close(stopper[1]);
    pthread_join(sink->thread, NULL);
    close(stopper[0]);
    close(sink->held);
    close(sink->fd);
    for (size_t i = 0; i < sink->n_received; i++) {
        free(sink->received[i].headers);
        free(sink->received[i].body);
    }
    free(sink);
}
