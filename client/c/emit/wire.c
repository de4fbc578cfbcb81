#include "emit/wire.h"

#include "emit/error.h"
#include "emit/health.h"
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RETRY_NS 1000000000
#define MANY     64 /* datagrams for one system call */

/* ---- address ---- */

static bool find_address(const char *host, const char *port, int flags, struct sockaddr_storage *address,
                         socklen_t *size) {
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = flags}, *found;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return false;
    memcpy(address, found->ai_addr, found->ai_addrlen);
    *size = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static int open_unix(struct wire *wire, enum wire_kind kind, const char *path, struct statwit_error *error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!*path || strlen(path) >= sizeof address.sun_path)
        return error_set(error, STATWIT_INVALID,
                         "the path of a Unix socket has 1 to %zu bytes, \"%.200s\" has %zu",
                         sizeof address.sun_path - 1, path, strlen(path));
    strcpy(address.sun_path, path);
    memcpy(&wire->address, &address, sizeof address);
    wire->address_size = sizeof address;
    wire->kind = kind;
    wire->resolved = true;
    snprintf(wire->host, sizeof wire->host, "%s", path);
    return 0;
}

static int open_udp(struct wire *wire, const char *host, size_t host_size, long port,
                    struct statwit_error *error) {
    if (host_size >= 2 && host[0] == '[' && host[host_size - 1] == ']') {
        host++;
        host_size -= 2;
    }
    if (host_size == 0 || host_size >= sizeof wire->host || port < 1 || port > 65535)
        return error_set(error, STATWIT_INVALID,
                         "\"%.*s\" with port %ld is not the address of a DogStatsD server",
                         (int)(host_size > 200 ? 200 : host_size), host, port);
    wire->kind = WIRE_UDP;
    snprintf(wire->host, sizeof wire->host, "%.*s", (int)host_size, host);
    snprintf(wire->port, sizeof wire->port, "%ld", port);
    /* Agents listen on IPv4 unless told otherwise, wherever the resolver points localhost. */
    const char *numeric = strcmp(wire->host, "localhost") == 0 ? "127.0.0.1" : wire->host;
    wire->resolved = find_address(numeric, wire->port, AI_NUMERICHOST | AI_NUMERICSERV, &wire->address,
                                  &wire->address_size);
    return 0;
}

/* host, host:port, [v6]:port */
static int open_authority(struct wire *wire, const char *text, long port, struct statwit_error *error) {
    size_t size = strcspn(text, "/");
    const char *colon = memrchr(text, ':', size), *bracket = memrchr(text, ']', size);
    if (!colon || (bracket && colon < bracket) || (!bracket && memchr(text, ':', (size_t)(colon - text))))
        return open_udp(wire, text, size, port, error);
    char *end;
    port = strtol(colon + 1, &end, 10);
    if (end != text + size || end == colon + 1)
        port = -1;
    return open_udp(wire, text, (size_t)(colon - text), port, error);
}

int wire_open(struct wire *wire, const struct statwit_options *options, struct statwit_error *error) {
    static const struct {
        const char *scheme;
        enum wire_kind kind;
    } schemes[] = {{"unix://", WIRE_UNIXGRAM},
                   {"unixgram://", WIRE_UNIXGRAM},
                   {"unixstream://", WIRE_UNIXSTREAM},
                   {"udp://", WIRE_UDP}};
    *wire = (struct wire){.fd = -1};
    long port = options->port ? options->port : 8125;
    for (size_t i = 0; options->url && i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t size = strlen(schemes[i].scheme);
        if (strncmp(options->url, schemes[i].scheme, size) != 0)
            continue;
        return schemes[i].kind == WIRE_UDP ? open_authority(wire, options->url + size, port, error)
                                           : open_unix(wire, schemes[i].kind, options->url + size, error);
    }
    if (options->url)
        return error_set(
            error, STATWIT_INVALID,
            "\"%.200s\" is not udp://host:port, unix://path, unixgram://path or unixstream://path",
            options->url);
    if (options->socket_path)
        return open_unix(wire, WIRE_UNIXGRAM, options->socket_path, error);
    const char *host = options->host ? options->host : "localhost";
    return open_udp(wire, host, strlen(host), port, error);
}

bool wire_resolve(const struct wire *wire, struct sockaddr_storage *address, socklen_t *size) {
    return find_address(wire->host, wire->port, AI_NUMERICSERV, address, size);
}

/* ---- connection ---- */

static void say(struct wire *wire, int number) {
    snprintf(wire->trouble, sizeof wire->trouble, "%.80s%s%s: %s", wire->host, wire->port[0] ? ":" : "",
             wire->port, strerror(number));
}

static void disconnect(struct wire *wire) {
    if (wire->fd >= 0)
        close(wire->fd);
    wire->fd = -1;
    wire->rest_at = 0; /* the server throws half a packet away: the next connection gets all of it */
}

static bool connected(struct wire *wire) {
    if (wire->fd >= 0)
        return true;
    if (!wire->resolved) {
        snprintf(wire->trouble, sizeof wire->trouble, "%.120s is not resolved", wire->host);
        return false;
    }
    int64_t now = clock_monotonic_ns();
    if (now < wire->retry_at_ns)
        return false;
    int type = wire->kind == WIRE_UNIXSTREAM ? SOCK_STREAM : SOCK_DGRAM;
    wire->fd = socket(wire->address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (wire->fd >= 0 && connect(wire->fd, (struct sockaddr *)&wire->address, wire->address_size) == 0)
        return true;
    say(wire, errno);
    disconnect(wire);
    wire->retry_at_ns = now + RETRY_NS;
    return false;
}

void wire_close(struct wire *wire) {
    disconnect(wire);
    free(wire->rest);
    wire->rest = NULL;
    wire->retry_at_ns = 0;
}

/* ---- sending ---- */

static enum wire_result judge_errno(struct wire *wire, int number) {
    switch (number) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
        return WIRE_LATER;
    case EMSGSIZE:
        return WIRE_LARGE;
    default:
        say(wire, number);
        return WIRE_REFUSED;
    }
}

static enum wire_result send_datagrams(struct wire *wire, const struct iovec *datagrams, size_t n,
                                       size_t *n_sent) {
    struct mmsghdr messages[MANY];
    size_t tried_again = SIZE_MAX; /* which one */
    while (*n_sent < n) {
        if (!connected(wire))
            return WIRE_LATER;
        unsigned many = 0;
        for (; many < MANY && *n_sent + many < n; many++)
            messages[many] = (struct mmsghdr){
                .msg_hdr = {.msg_iov = (struct iovec *)&datagrams[*n_sent + many], .msg_iovlen = 1}};
        int sent = sendmmsg(wire->fd, messages, many, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            *n_sent += (size_t)sent;
            continue;
        }
        if (errno == EINTR)
            continue;
        enum wire_result result = judge_errno(wire, errno);
        if (result != WIRE_REFUSED)
            return result;
        /* On UDP the error may be the answer to an earlier datagram, and this one was not sent; on a Unix
         * socket the server may have been replaced. Once more, then. */
        if (wire->kind == WIRE_UNIXGRAM) {
            disconnect(wire);
            if (!connected(wire))
                return WIRE_LATER;
        }
        if (tried_again == *n_sent)
            return WIRE_REFUSED;
        tried_again = *n_sent;
    }
    return WIRE_SENT;
}

/* The rest of an earlier packet goes first. */
static enum wire_result send_rest(struct wire *wire) {
    while (wire->rest && wire->rest_at < wire->n_rest) {
        ssize_t sent = send(wire->fd, wire->rest + wire->rest_at, wire->n_rest - wire->rest_at,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return judge_errno(wire, errno);
        wire->rest_at += (size_t)sent;
    }
    free(wire->rest);
    wire->rest = NULL;
    return WIRE_SENT;
}

static enum wire_result send_packet(struct wire *wire, const struct iovec *packet) {
    enum wire_result result = send_rest(wire);
    if (result != WIRE_SENT)
        return result;
    uint32_t size = (uint32_t)packet->iov_len;
    unsigned char head[4] = {(unsigned char)size, (unsigned char)(size >> 8), (unsigned char)(size >> 16),
                             (unsigned char)(size >> 24)};
    struct iovec parts[2] = {{head, 4}, *packet};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t sent;
    do
        sent = sendmsg(wire->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return judge_errno(wire, errno);
    if ((size_t)sent == size + 4)
        return WIRE_SENT;
    wire->rest = malloc(size + 4);
    if (!wire->rest) {
        /* A packet cut in its middle would garble all that follow: the connection ends here. */
        say(wire, ENOMEM);
        return WIRE_REFUSED;
    }
    memcpy(wire->rest, head, 4);
    memcpy(wire->rest + 4, packet->iov_base, size);
    wire->n_rest = size + 4;
    wire->rest_at = (size_t)sent;
    return WIRE_SENT;
}

static enum wire_result send_packets(struct wire *wire, const struct iovec *packets, size_t n,
                                     size_t *n_sent) {
    size_t tried_again = SIZE_MAX;
    while (*n_sent < n) {
        if (!connected(wire))
            return WIRE_LATER;
        enum wire_result result = send_packet(wire, &packets[*n_sent]);
        if (result == WIRE_SENT) {
            (*n_sent)++;
        } else if (result != WIRE_REFUSED) {
            return result;
        } else {
            disconnect(wire);
            if (tried_again == *n_sent)
                return WIRE_REFUSED;
            tried_again = *n_sent;
        }
    }
    if (wire->rest && connected(wire) && send_rest(wire) == WIRE_REFUSED)
        disconnect(wire);
    return WIRE_SENT;
}

enum wire_result wire_send(struct wire *wire, const struct iovec *datagrams, size_t n, size_t *n_sent) {
    *n_sent = 0;
    return wire->kind == WIRE_UNIXSTREAM ? send_packets(wire, datagrams, n, n_sent)
                                         : send_datagrams(wire, datagrams, n, n_sent);
}
