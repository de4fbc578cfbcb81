#include "http/listen.h"

#include "ingest/holder.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG    1024
#define PORT_TRIES 16 /* for a free port that is free on all addresses */

static void set_port(struct sockaddr_storage *address, int port) {
    if (address->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)address)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)address)->sin_port = htons((uint16_t)port);
}

static int get_port(int fd) {
    struct sockaddr_storage address = {0};
    socklen_t n = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &n) != 0)
        return 0;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

/* SO_REUSEADDR on a TCP listener only skips the wait for old connections; Linux still refuses a second
 * listener. */
static int listen_one(const struct addrinfo *info, int port) {
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    struct sockaddr_storage address = {0};
    memcpy(&address, info->ai_addr, info->ai_addrlen);
    set_port(&address, port);
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* inherited by what is accepted */
    if (bind(fd, (struct sockaddr *)&address, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int sys = errno;
    close(fd);
    errno = sys;
    return -1;
}

static bool is_loopback(const struct sockaddr *address) {
    if (address->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
    return (ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24) == 127;
}

static void name_url(const struct addrinfo *info, const char *scheme, int port, char *url, size_t size) {
    char host[INET6_ADDRSTRLEN + 1] = "";
    getnameinfo(info->ai_addr, info->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST);
    if (info->ai_family == AF_INET6)
        snprintf(url, size, "%s://[%s]:%d", scheme, strcmp(host, "::") == 0 ? "::1" : host, port);
    else
        snprintf(url, size, "%s://%s:%d", scheme, strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : host, port);
}

/* One socket for each address; an address family that this machine lacks is passed over when another one
 * works. */
static int listen_all(const struct addrinfo *list, int port, int *fds, size_t max, int *sys) {
    int n = 0;
    *sys = 0;
    for (const struct addrinfo *info = list; info && (size_t)n < max; info = info->ai_next) {
        int fd = listen_one(info, port);
        if (fd >= 0) {
            port = port ? port : get_port(fd);
            fds[n++] = fd;
        } else if (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT)
            *sys = *sys ? *sys : errno;
        else {
            *sys = errno;
            while (n > 0)
                close(fds[--n]);
            return -1;
        }
    }
    return n > 0 ? n : -1;
}

int listen_tcp(const char *bind, int port, const char *scheme, int *fds, size_t max, int *bound_port,
               bool *loopback, char *url, size_t url_size, struct err *err) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list = NULL;
    int failed = getaddrinfo(bind, "0", &hints, &list);
    if (failed)
        return err_set(err, 0, "cannot listen on '%s': %s", bind, gai_strerror(failed));
    int n = -1, sys = 0;
    for (int i = 0; i < (port ? 1 : PORT_TRIES) && n < 0; i++) {
        n = listen_all(list, port, fds, max, &sys);
        if (n < 0 && sys != EADDRINUSE)
            break;
    }
    if (n > 0) {
        *bound_port = get_port(fds[0]);
        *loopback = true;
        for (const struct addrinfo *info = list; info; info = info->ai_next)
            *loopback = *loopback && is_loopback(info->ai_addr);
        name_url(list, scheme, *bound_port, url, url_size);
    } else {
        char holder[128] = "";
        if (sys == EADDRINUSE)
            holder_of_port("tcp", port, holder, sizeof holder);
        err_set(err, sys, "cannot listen for HTTP on %s port %d%s%s", bind, port, holder,
                sys == EADDRINUSE ? "; choose another with --http-port" : "");
    }
    freeaddrinfo(list);
    return n;
}
