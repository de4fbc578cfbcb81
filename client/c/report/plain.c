/* Connecting, sending and the pace of it; plain_answer.c reads answers. */
#include "report/plain.h"

#include "report/plain_answer.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IN_SIZE 65536

/* --- its URL ------------------------------------------------------------------------------------------------ */

static bool is_port(const char *text, size_t n) {
    unsigned value = 0;
    for (size_t i = 0; i < n && i < 6; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    return n > 0 && n < 6 && value > 0 && value < 65536;
}

/*      http://[::1]:8125/s/shop
 *             ^host ^port^base       the brackets are of the URL and of the header Host, not of the address */
enum plain_url plain_init(struct plain *p, const char *url) {
    *p = (struct plain){.fd = -1};
    if (strncasecmp(url, "http://", 7) != 0)
        return PLAIN_URL_OTHER;
    const char *begin = url + 7, *end = begin + strcspn(begin, "/?#"), *close = NULL;
    size_t n = (size_t)(end - begin);
    if (memchr(begin, '@', n))
        return PLAIN_URL_OTHER;
    for (const char *at = begin; *at; at++)
        if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f)
            return PLAIN_URL_BAD;
    const char *host = begin, *host_end = memchr(begin, ':', n);
    if (*begin == '[') {
        host = begin + 1;
        if (!(host_end = close = memchr(begin, ']', n)))
            return PLAIN_URL_BAD;
    }
    if (!host_end)
        host_end = end;
    const char *port = close ? close + 1 : host_end;
    if (host == host_end || (port != end && (*port != ':' || !is_port(port + 1, (size_t)(end - port - 1)))) ||
        *end == '?' || *end == '#')
        return PLAIN_URL_BAD;
    size_t size = 2 * strlen(url) + 64;
    if (!(p->host = malloc(size)) || !(p->in = malloc(IN_SIZE))) {
        plain_close(p);
        return PLAIN_URL_NO_MEMORY;
    }
    p->port = p->host + (host_end - host) + 1;
    p->authority = p->port + 8;
    p->base = p->authority + n + 1;
    snprintf(p->host, (size_t)(host_end - host) + 1, "%s", host);
    snprintf(p->port, 8, "%.*s", port == end ? 2 : (int)(end - port - 1), port == end ? "80" : port + 1);
    snprintf(p->authority, n + 1, "%s", begin);
    snprintf(p->base, strlen(end) + 1, "%s", end);
    for (size_t length = strlen(p->base); length > 0 && p->base[length - 1] == '/'; length--)
        p->base[length - 1] = '\0';
    return PLAIN_URL_OK;
}

static void disconnect(struct plain *p) {
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    p->n = p->at = 0;
}

void plain_close(struct plain *p) {
    if (p->host) /* without, fd may never have been set */
        disconnect(p);
    free(p->host);
    free(p->in);
    *p = (struct plain){.fd = -1};
}

/* --- its pace ----------------------------------------------------------------------------------------------- */

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void moved(struct plain_way *way) {
    if (way->exchange->streams)
        way->since_ms = now_ms();
}

/* What is there of `events`; 0 when time is up, and -1 with an errno. */
static int wait_for(struct plain_way *way, int events) {
    for (;;) {
        int64_t left_ms =
            way->exchange->timeout_ms ? way->since_ms + way->exchange->timeout_ms - now_ms() : 60000;
        struct pollfd fd = {.fd = way->plain->fd, .events = (short)events};
        int n = poll(&fd, 1, left_ms <= 0 ? 0 : left_ms > 60000 ? 60000 : (int)left_ms);
        if (n > 0)
            return fd.revents & (events | POLLERR | POLLHUP);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n == 0 && way->exchange->timeout_ms && left_ms <= 60000)
            return 0;
    }
}

static enum plain_end receive_more(struct plain_way *way) {
    struct plain *p = way->plain;
    if (p->at == p->n)
        p->at = p->n = 0;
    for (;;) {
        ssize_t n = recv(p->fd, p->in + p->n, IN_SIZE - p->n, 0);
        if (n > 0) {
            p->n += (size_t)n;
            way->exchange->got_some = true;
            moved(way);
            return PLAIN_DONE;
        }
        way->exchange->number = n < 0 ? errno : 0;
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            return PLAIN_LOST;
        int ready = wait_for(way, POLLIN);
        if (ready <= 0) {
            way->exchange->number = errno;
            return ready == 0 ? PLAIN_TIMED_OUT : PLAIN_LOST;
        }
    }
}

/* --- its connection ----------------------------------------------------------------------------------------- */

static enum plain_end connect_one(struct plain_way *way, const struct addrinfo *to) {
    struct plain *p = way->plain;
    int one = 1, error = 0;
    socklen_t size = sizeof error;
    p->fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (p->fd >= 0 && (connect(p->fd, to->ai_addr, to->ai_addrlen) == 0 || errno == EINPROGRESS)) {
        int ready = wait_for(way, POLLOUT);
        if (ready == 0) {
            disconnect(p);
            return PLAIN_TIMED_OUT;
        }
        if (ready > 0 && getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0)
            errno = error;
        if (ready > 0 && !error) {
            setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            p->pid = getpid();
            return PLAIN_DONE;
        }
    }
    way->exchange->number = errno;
    disconnect(p);
    return PLAIN_UNREACHABLE;
}

static enum plain_end connect_any(struct plain_way *way) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    int code = getaddrinfo(way->plain->host, way->plain->port, &hints, &list);
    if (code == EAI_MEMORY)
        return PLAIN_NO_MEMORY;
    way->exchange->words = code ? gai_strerror(code) : NULL;
    enum plain_end end = PLAIN_UNRESOLVED;
    for (const struct addrinfo *to = list; code == 0 && to && end != PLAIN_DONE; to = to->ai_next)
        end = connect_one(way, to);
    if (list)
        freeaddrinfo(list);
    return end;
}

/* A connection that was kept, and of which the server has not taken leave. */
static bool is_kept(struct plain *p) {
    char byte;
    if (p->fd >= 0 && p->pid == getpid() && recv(p->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
        (errno == EAGAIN || errno == EWOULDBLOCK))
        return true;
    disconnect(p);
    return false;
}

/* Stops early when an answer comes or the server has had enough: the answer says why. */
static enum plain_end send_bytes(struct plain_way *way, const char *bytes, size_t size) {
    int fd = way->plain->fd;
    for (size_t done = 0; done < size;) {
        ssize_t n = send(fd, bytes + done, size - done, MSG_NOSIGNAL);
        if (n > 0) {
            done += (size_t)n;
            moved(way);
            continue;
        }
        if (errno != EAGAIN && errno != EINTR) {
            way->cut = true;
            return PLAIN_DONE;
        }
        int ready = wait_for(way, POLLOUT | POLLIN);
        if (ready == 0)
            return PLAIN_TIMED_OUT;
        if (ready < 0 || (ready & POLLIN)) {
            way->cut = true;
            return PLAIN_DONE;
        }
    }
    return PLAIN_DONE;
}

static enum plain_end send_request(struct plain_way *way) {
    const struct plain_exchange *e = way->exchange;
    struct text head = {.max = 4 << 20};
    text_printf(&head, "%s ", e->method);
    text_puts(&head, way->plain->base);
    text_puts(&head, e->path);
    text_puts(&head, " HTTP/1.1\r\nHost: ");
    text_puts(&head, way->plain->authority);
    text_puts(&head, "\r\nAccept: */*\r\n");
    text_puts(&head, e->headers);
    if (e->body)
        text_printf(&head, "Content-Length: %zu\r\n", e->size);
    text_puts(&head, "\r\n");
    enum plain_end end = head.failed ? PLAIN_NO_MEMORY : send_bytes(way, head.bytes, head.size);
    text_free(&head);
    return end != PLAIN_DONE || !e->body || way->cut ? end : send_bytes(way, e->body, e->size);
}

static enum plain_end try_once(struct plain_way *way) {
    enum plain_end end = PLAIN_DONE;
    way->cut = false;
    if (way->plain->fd < 0)
        end = connect_any(way);
    if (end == PLAIN_DONE)
        end = send_request(way);
    if (end == PLAIN_DONE)
        end = plain_answer(way);
    if (end != PLAIN_DONE || way->last || way->cut || way->plain->at != way->plain->n)
        disconnect(way->plain);
    return end;
}

enum plain_end plain_run(struct plain *p, struct plain_exchange *e) {
    struct plain_way way = {.plain = p, .exchange = e, .fill = receive_more, .since_ms = now_ms()};
    for (const char *at = e->path; *at; at++)
        if ((unsigned char)*at <= ' ' || (unsigned char)*at == 0x7f)
            return PLAIN_URL_BAD_PATH;
    bool kept = is_kept(p);
    enum plain_end end = try_once(&way);
    /* The server took leave while we were asking, and has not begun to answer. It may have done what a POST asks for: once more, that
     * would be there twice. */
    bool again = end == PLAIN_LOST && kept && !e->got_some && strcmp(e->method, "POST") != 0;
    return again ? try_once(&way) : end;
}
