/* Datagrams as they came, to an Agent's socket. */
#include "core/clock.h"
#include "forward/private.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define FULL_MS      100 /* how long a full socket is waited for at a time */
#define RECONNECT_NS (200 * NS_PER_MS)

int datagram_connect_udp(struct forward_target *t, struct err *err) {
    char host[256];
    const char *colon = strrchr(t->where, ':');
    if (!colon || (size_t)(colon - t->where) >= sizeof host ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || atol(colon + 1) < 1 ||
        atol(colon + 1) > 65535)
        return err_set(err, 0, "--forward takes udp://HOST:PORT, as udp://127.0.0.1:8125, not '%.100s'",
                       t->url);
    size_t n = (size_t)(colon - t->where);
    bool bracketed = n > 2 && t->where[0] == '[' && t->where[n - 1] == ']';
    memcpy(host, t->where + bracketed, n - 2 * bracketed);
    host[n - 2 * bracketed] = '\0';
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *list = NULL;
    int code = getaddrinfo(host, colon + 1, &hints, &list);
    if (code != 0)
        return err_set(err, 0, "--forward %s: %s", t->url, gai_strerror(code));
    t->fd = socket(list->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int failed = t->fd < 0 || connect(t->fd, list->ai_addr, list->ai_addrlen) != 0;
    freeaddrinfo(list);
    return failed ? err_set(err, errno, "--forward %s", t->url) : 0;
}

static int connect_unix(struct forward_target *t) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval wait = {.tv_usec = FULL_MS * 1000};
    size_t n = strlen(t->where);
    if (n >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, t->where, n);
    t->fd = socket(AF_UNIX, (t->kind == FORWARD_UNIXSTREAM ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    if (t->fd < 0)
        return -1;
    setsockopt(t->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    if (connect(t->fd, (struct sockaddr *)&address, sizeof address) == 0)
        return 0;
    int error = errno;
    close(t->fd);
    t->fd = -1;
    errno = error;
    return -1;
}

static void disconnect(struct forward_target *t) {
    if (t->kind == FORWARD_UDP)
        return;
    close(t->fd);
    t->fd = -1;
}

/* All bytes of a frame; after a part of it a stream is of no more use. */
static bool send_frame(struct forward_target *t, struct span bytes) {
    uint32_t n = (uint32_t)bytes.n;
    char prefix[4] = {(char)n, (char)(n >> 8), (char)(n >> 16), (char)(n >> 24)};
    struct iovec parts[2] = {{prefix, 4}, {(void *)(uintptr_t)bytes.p, bytes.n}};
    size_t sent = 0, all = 4 + bytes.n;
    while (sent < all) {
        size_t skip = sent;
        struct iovec left[2];
        unsigned char n_left = 0; /* a size_t or an int in msg_iovlen, as the C library has it */
        for (int i = 0; i < 2; i++) {
            if (skip >= parts[i].iov_len) {
                skip -= parts[i].iov_len;
                continue;
            }
            left[n_left++] = (struct iovec){(char *)parts[i].iov_base + skip, parts[i].iov_len - skip};
            skip = 0;
        }
        struct msghdr message = {.msg_iov = left, .msg_iovlen = n_left};
        ssize_t got = sendmsg(t->fd, &message, MSG_NOSIGNAL);
        if (got > 0)
            sent += (size_t)got;
        else if (errno != EINTR && (errno != EAGAIN || (sent == 0) || target_is_over(t)))
            break;
    }
    if (sent > 0 && sent < all)
        errno = EPIPE;
    return sent == all;
}

static bool send_bytes(struct forward_target *t, struct span bytes) {
    if (t->kind == FORWARD_UNIXSTREAM)
        return send_frame(t, bytes);
    return send(t->fd, bytes.p, bytes.n, MSG_NOSIGNAL) >= 0;
}

/* Until it is sent, or may not be any more. */
static bool send_one(struct forward_target *t, struct span bytes) {
    bool told = false; /* by UDP, of an earlier datagram */
    for (;;) {
        if (target_is_over(t))
            return false;
        bool connected = t->fd >= 0 || connect_unix(t) == 0;
        if (connected && send_bytes(t, bytes))
            return true;
        int error = errno;
        if (error == EINTR || (connected && error == EAGAIN))
            continue;
        if (t->kind == FORWARD_UDP && error == ECONNREFUSED && !told) {
            told = true;
            target_failed(t, 0, &t->status.retries, "nothing listens there: what was sent by UDP is lost");
            continue;
        }
        if (t->kind == FORWARD_UDP || error == EMSGSIZE) {
            target_failed(t, 0, NULL, "%s", strerror(error));
            return false;
        }
        target_failed(t, 1, &t->status.retries, "%s: it waits until somebody listens", strerror(error));
        if (connected)
            disconnect(t);
        target_pause(t, RECONNECT_NS);
    }
}

static void send_chunk(struct forward_target *t, const struct forward_item *chunk) {
    uint64_t passed = 0, dropped = 0;
    for (size_t at = 0; at < chunk->n_bytes;) {
        struct forward_head head;
        memcpy(&head, chunk->bytes + at, sizeof head);
        if (send_one(t, span_of(chunk->bytes + at + sizeof head, head.n)))
            passed++;
        else
            dropped++;
        at += sizeof head + head.n;
    }
    target_passed(t, passed);
    target_dropped(t, dropped);
}

void *datagram_run(void *target) {
    struct forward_target *t = target;
    bool stopped = false;
    for (struct forward_item *item; (item = target_take(t, 0, &stopped)) || !stopped;) {
        if (!item)
            continue;
        send_chunk(t, item);
        free(item);
    }
    return NULL;
}
