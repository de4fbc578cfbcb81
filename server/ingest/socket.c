#include "ingest/socket.h"

#include "core/retry.h"
#include "ingest/holder.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

#define PORT_TRIES 32 /* port 0 on several addresses: a free one on the first may be taken on the second */

static int bind_udp(const struct addrinfo *address, int port, struct err *err) {
    int fd = socket(address->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(err, errno, "cannot make a UDP socket");
    struct sockaddr_storage at;
    memcpy(&at, address->ai_addr, address->ai_addrlen);
    if (address->ai_family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&at;
        in6->sin6_port = htons((uint16_t)port);
        int only = !IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr); /* "::" takes IPv4 as well */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
    } else
        ((struct sockaddr_in *)&at)->sin_port = htons((uint16_t)port);
    if (bind(fd, (struct sockaddr *)&at, address->ai_addrlen) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

/* One try with one port number for all addresses; -1 with errno. */
static int bind_all(const struct addrinfo *list, int port, int fds[SOCKET_UDP_MAX], struct err *err) {
    int n = 0;
    for (const struct addrinfo *a = list; a && n < SOCKET_UDP_MAX; a = a->ai_next) {
        if (a->ai_family != AF_INET && a->ai_family != AF_INET6)
            continue;
        int fd = bind_udp(a, port, err);
        if (fd < 0 && n > 0 && (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT))
            continue; /* "localhost" on a machine without IPv6 */
        if (fd < 0) {
            int why = errno;
            while (n > 0)
                close(fds[--n]);
            errno = why;
            return -1;
        }
        fds[n++] = fd;
        char name[64];
        if (port == 0)
            socket_udp_name(fd, name, sizeof name, &port);
    }
    return n;
}

int socket_udp(const char *host, int port, int fds[SOCKET_UDP_MAX], struct err *err) {
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *list = NULL;
    int failed = getaddrinfo(host, NULL, &hints, &list);
    if (failed)
        return err_set(err, 0, "cannot bind to '%s': %s; --bind takes an address of this machine", host,
                       gai_strerror(failed));
    int n = -1;
    for (int i = 0; n < 0 && i < (port == 0 ? PORT_TRIES : 1); i++)
        n = bind_all(list, port, fds, err);
    int why = errno;
    freeaddrinfo(list);
    if (n > 0)
        return n;
    if (why == EADDRINUSE) {
        char holder[96];
        holder_of_port("udp", port, holder, sizeof holder);
        return err_set(
            err, why,
            "UDP port %d on %s is in use%s; stop that, or choose another with --dogstatsd-port (0: any free)",
            port, host, holder);
    }
    return err_set(err, why, "cannot bind UDP port %d on %s", port, host);
}

void socket_udp_name(int fd, char *text, size_t size, int *port) {
    struct sockaddr_storage at;
    socklen_t n = sizeof at;
    char host[64] = "?", service[16] = "0";
    if (getsockname(fd, (struct sockaddr *)&at, &n) == 0)
        getnameinfo((struct sockaddr *)&at, n, host, sizeof host, service, sizeof service,
                    NI_NUMERICHOST | NI_NUMERICSERV | NI_DGRAM);
    snprintf(text, size, at.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, service);
    sscanf(service, "%d", port);
}

/* Looks what is at the path: 0 nothing, 1 a stale socket, -1 with err for all else. */
static int look_at(const char *path, const struct sockaddr_un *at, int type, struct err *err) {
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? 0 : err_set(err, errno, "cannot look at the socket path %s", path);
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, 0, "%s exists and is not a socket: it stays as it is; choose another path", path);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(err, errno, "cannot make a Unix socket");
    int answered = connect(fd, (const struct sockaddr *)at, sizeof *at);
    int why = errno;
    close(fd);
    if (answered == 0 || why == EAGAIN || why == EPROTOTYPE)
        return err_set(err, EADDRINUSE, "another process listens on %s; stop it, or choose another path",
                       path);
    return why == ECONNREFUSED ? 1 : err_set(err, why, "cannot look at the socket %s", path);
}

/* Between looking and listening a socket looks stale to others, who must wait. They need microseconds; some other program may
 * keep the folder locked for good: -1 after RETRY_MS, and nobody waits. */
static int lock_folder(const char *path) {
    char folder[sizeof((struct sockaddr_un *)0)->sun_path + 1];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct retry retry = retry_begin();
    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0)
        if (!retry_lasts(&retry)) {
            close(fd);
            return -1;
        }
    return fd;
}

/* 0: listens at the path. */
static int replace_and_listen(int fd, const char *path, const struct sockaddr_un *at, int type,
                              struct err *err) {
    int stale = look_at(path, at, type, err);
    if (stale < 0)
        return -1;
    if (stale && unlink(path) != 0)
        return err_set(err, errno, "cannot replace the stale socket %s", path);
    if (bind(fd, (const struct sockaddr *)at, sizeof *at) != 0)
        return err_set(err, errno, "cannot listen on %s", path);
    chmod(path, 0722); /* as the Agent: whoever can reach the folder may send, nobody may read */
    if (type == SOCK_STREAM && listen(fd, SOMAXCONN) != 0) {
        err_set(err, errno, "cannot listen on %s", path);
        unlink(path);
        return -1;
    }
    return 0;
}

int socket_unix(const char *path, int type, struct err *err) {
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd >= 0 ? socket_unix_on(fd, path, type, err) : err_set(err, errno, "cannot make a Unix socket");
}

int socket_unix_on(int fd, const char *path, int type, struct err *err) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof at.sun_path) {
        close(fd);
        return err_set(err, 0, "the socket path %s is longer than the %zu bytes that the system takes", path,
                       sizeof at.sun_path - 1);
    }
    memcpy(at.sun_path, path, strlen(path) + 1);
    int lock = lock_folder(path);
    int failed = replace_and_listen(fd, path, &at, type, err);
    if (lock >= 0)
        close(lock);
    if (failed)
        close(fd);
    return failed ? -1 : fd;
}

size_t socket_rcvbuf(int fd, size_t want) {
    int bytes = want > (1u << 30) ? 1 << 30 : (int)want;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    int is = 0;
    socklen_t n = sizeof is;
    getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &is, &n);
    return (size_t)is;
}

uint32_t socket_drops(int fd, size_t *holds) {
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t n = sizeof info;
    bool told = getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &n) == 0;
    *holds = told ? info[SK_MEMINFO_RMEM_ALLOC] : SIZE_MAX;
    return info[SK_MEMINFO_DROPS];
}

size_t socket_unixgram_holds(void) {
    unsigned long n = 0;
    FILE *file = fopen("/proc/sys/net/unix/max_dgram_qlen", "re");
    bool told = file && fscanf(file, "%lu", &n) == 1;
    if (file)
        fclose(file);
    return told ? n + 1 : SIZE_MAX; /* the kernel looks whether there are more than n */
}

size_t socket_stream_holds(int fd) {
    int n = 0;
    return ioctl(fd, FIONREAD, &n) == 0 ? (size_t)n : SIZE_MAX;
}
