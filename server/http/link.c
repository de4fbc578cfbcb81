#include "http/link.h"

#include "core/clock.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Where struct tcp_info of linux/tcp.h has tcpi_bytes_received; glibc's lacks it. */
#define BYTES_RECEIVED 128
#define BYTES_TRIES    8

/* Bytes that have come; -1: not a TCP socket. */
static int64_t bytes_received(int fd) {
    uint64_t info[BYTES_RECEIVED / 8 + 1];
    socklen_t n = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &n) == 0 && n == sizeof info
               ? (int64_t)info[BYTES_RECEIVED / 8]
               : -1;
}

/* Two calls: anew when something came between them. */
int64_t link_bytes_read(int fd) {
    for (int i = 0; i < BYTES_TRIES; i++) {
        int unread = 0;
        int64_t received = bytes_received(fd);
        if (received < 0 || ioctl(fd, FIONREAD, &unread) != 0)
            return -1;
        if (bytes_received(fd) == received)
            return received < unread ? -1 : received - unread; /* -1: a kernel that does not count */
    }
    return -1;
}

struct http_link *link_open(struct http *h, int fd) {
    struct http_link *link = calloc(1, sizeof *link);
    if (!link)
        return NULL;
    link->fd = fd;
    link->n_before = link_bytes_read(fd);
    link_expect(link, HTTP_REQUEST_HEAD_S);
    pthread_mutex_lock(&h->links_lock);
    link->next = h->links;
    if (link->next)
        link->next->prev = link;
    h->links = link;
    pthread_mutex_unlock(&h->links_lock);
    return link;
}

void link_close(struct http *h, struct http_link *link) {
    if (!link)
        return;
    pthread_mutex_lock(&h->links_lock);
    if (link->prev)
        link->prev->next = link->next;
    else
        h->links = link->next;
    if (link->next)
        link->next->prev = link->prev;
    pthread_mutex_unlock(&h->links_lock);
    free(link);
}

void link_expect(struct http_link *link, int64_t seconds) {
    if (link)
        link->due_mono_ns = seconds ? clock_mono_ns() + seconds * NS_PER_S : 0;
}

/* The client closed its side, and there is nothing left to read. */
static bool silenced(int fd) {
    struct tcp_info info;
    socklen_t n = sizeof info;
    int unread = 0;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 && info.tcpi_state == TCP_CLOSE_WAIT &&
           ioctl(fd, FIONREAD, &unread) == 0 && unread == 0;
}

/* Its request never becomes complete. libmicrohttpd does not hear of a close that came with the last bytes until the
 * connection has idled for HTTP_IDLE_S. Seen in two sweeps: what was read last may still be at work. */
static bool left(struct http_link *link) {
    bool before = link->silenced;
    link->silenced = silenced(link->fd);
    return before && link->silenced;
}

bool link_sweep(struct http *h, int64_t now_mono_ns) {
    pthread_mutex_lock(&h->links_lock);
    for (struct http_link *link = h->links; link; link = link->next)
        if (link->due_mono_ns && (now_mono_ns > link->due_mono_ns || left(link)))
            shutdown(link->fd, SHUT_RDWR);
    bool any = h->links != NULL;
    pthread_mutex_unlock(&h->links_lock);
    return any;
}
