/* DESIGN. libmicrohttpd ends a connection whose handler says MHD_NO: shuts its socket down, closes it, forgets the memory. So it is given
 * another socket to end:
 *
 *     suspended    it has taken its descriptor out of its epoll set, and does not look at it
 *     ours         a duplicate goes on with the client's socket
 *     stand_in     is put in the place of libmicrohttpd's descriptor, by dup3: the number is never free
 *     resumed      libmicrohttpd reads the stand-in, which is connected to nobody, and ends it for that; or it asks the handler first, which
 *                  says MHD_NO (exchange.c)
 *
 * MHD_add_connection takes the client's socket in again, when there is a request on it.
 *
 * Bytes that libmicrohttpd has read and not used would be lost: the next request of a client that does not wait for its answers. So what was
 * read from the socket must be as much as the requests on it had, headers and bodies.
 */
#include "http/park.h"

#include "core/clock.h"
#include "http/link.h"
#include "http/respond.h"
#include "http/watch.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct parked {
    struct waiter waiter; /* first; its descriptor is -1 when it cannot be watched */
    int fd;
    struct http *http;
    struct buf answer;
    size_t sent; /* of its bytes */
    /* When the server ends: */
    struct parked *next;
    size_t n_left;         /* what the client has not taken yet */
    int64_t moved_mono_ns; /* when that changed; 0: not looked at yet */
};

static bool stays_open(struct http_request *rq) {
    struct span connection = http_header(rq, "Connection");
    static const char keep[] = "keep-alive";
    return rq->is_http11 && http_header_count(rq, "Connection") <= 1 &&
           (!connection.p ||
            (connection.n == sizeof keep - 1 && strncasecmp(connection.p, keep, connection.n) == 0));
}

static bool can_leave(struct http_request *rq) {
    const struct http *h = rq->http;
    return h->stand_in >= 0 && rq->owner && rq->link && rq->method == HTTP_POST && !rq->fault.active &&
           h->n_parked < h->parked_max && stays_open(rq) &&
           link_bytes_read(rq->link->fd) == rq->link->n_before + (int64_t)(rq->head_bytes + rq->wire_bytes);
}

static void shrink_body(struct http_request *rq) {
    struct buf *b = &rq->received;
    char *p = b->p ? realloc(b->p, b->n + 1) : NULL;
    if (!p)
        return;
    b->p = p;
    b->cap = b->n + 1;
    rq->body = buf_view(b);
}

/* What it points to is libmicrohttpd's. */
static bool keep_token(struct http_request *rq) {
    struct span token = rq->session_token;
    if (!rq->token && (rq->token = malloc(token.n + 1)))
        rq->session_token.p = memcpy(rq->token, token.p, token.n);
    return rq->token != NULL;
}

/* Leaves libmicrohttpd the stand-in. -1: it has the socket as before. */
static int take_socket(struct http_request *rq) {
    int theirs = rq->link->fd, fd = fcntl(theirs, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    MHD_suspend_connection(rq->connection);
    if (dup3(rq->http->stand_in, theirs, O_CLOEXEC) < 0) {
        close(fd);
        fd = -1;
    }
    MHD_resume_connection(rq->connection);
    return fd;
}

static void park_answer(struct http_request *rq);

static bool park(struct http_request *rq) {
    static const struct span none = {NULL, 0};
    if (!can_leave(rq) || (rq->session_token.p && !keep_token(rq)))
        return false;
    int fd = take_socket(rq);
    if (fd < 0)
        return false;
    rq->content_type = rq->content_encoding = rq->user_agent = rq->api_key = rq->method_text =
        rq->unnamed_token = none;
    shrink_body(rq);
    rq->connection = NULL;
    rq->link = NULL;
    rq->parked_fd = fd;
    rq->resume = park_answer;
    rq->http->n_parked++;
    *rq->owner = NULL;
    rq->owner = NULL;
    return true;
}

void http_wait(struct http_request *rq) {
    if (park(rq))
        rq->http->n_held++;
    else
        http_suspend(rq);
}

/* --- after the answer ------------------------------------------------------------------------------------ */

static void forget(struct parked *p) {
    p->http->n_parked--;
    buf_free(&p->answer);
    free(p);
}

static void end(struct parked *p) {
    close(p->fd);
    forget(p);
}

/* false: the client is gone. */
static bool send_answer(struct parked *p) {
    while (p->sent < p->answer.n) {
        ssize_t n = send(p->fd, p->answer.p + p->sent, p->answer.n - p->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        p->sent += (size_t)n;
    }
    buf_free(&p->answer);
    p->sent = 0;
    return true;
}

/* Sends what the socket takes, then waits until it takes more, or until the client asks again. */
static void go_on(struct parked *p) {
    if (!send_answer(p)) {
        end(p);
        return;
    }
    p->waiter.events = p->answer.n ? EPOLLOUT : EPOLLIN;
    p->waiter.due_mono_ns = clock_mono_ns() + HTTP_IDLE_S * NS_PER_S;
    if (p->answer.n)
        watch_add(p->http->watch, &p->waiter);
    else
        watch_add_later(p->http->watch, &p->waiter);
}

static void give_back(struct parked *p) {
    struct MHD_Daemon *daemon = p->http->daemons[0];
    int fd = p->fd;
    struct sockaddr_storage from = {0};
    socklen_t n = sizeof from;
    char byte;
    if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0 ||
        getpeername(fd, (struct sockaddr *)&from, &n) != 0) {
        end(p);
        return;
    }
    forget(p);
    MHD_add_connection(daemon, fd, (struct sockaddr *)&from, n);
}

/* What was not sent yet, or was and the client has not taken it. Only the sum says whether the client takes anything: what was sent may be as
 * much as before, because the socket was filled again. */
static size_t left_of(const struct parked *p) {
    int n_untaken = 0;
    if (ioctl(p->fd, SIOCOUTQ, &n_untaken) != 0)
        n_untaken = 0;
    return p->answer.n - p->sent + (size_t)n_untaken;
}

/* --- the server ends --------------------------------------------------------------------------------------- */

/* The rest of the answer, if there is one, is for http_park_end. Any thread. */
static void leave_last(struct parked *p) {
    struct http *h = p->http;
    if (!send_answer(p) || !p->answer.n) {
        end(p);
        return;
    }
    p->next = h->last;
    while (!atomic_compare_exchange_weak(&h->last, &p->next, p))
        ;
}

/* Whether the client is still to be waited for. It may take a megabyte before the kernel says that there is room again. */
static bool goes_on(struct parked *p, int64_t now_ns) {
    size_t before = p->n_left;
    if (!send_answer(p) || !p->answer.n)
        return false;
    p->n_left = left_of(p);
    if (p->moved_mono_ns == 0 || p->n_left != before)
        p->moved_mono_ns = now_ns;
    return now_ns - p->moved_mono_ns < p->http->still_ns;
}

/* Each in turn, again and again, so that nobody waits for one who takes nothing. */
void http_park_end(struct http *h) {
    struct timespec moment = {.tv_nsec = 2 * NS_PER_MS};
    struct parked *list = atomic_exchange(&h->last, NULL);
    int64_t begun_ns = clock_mono_ns(), now_ns = begun_ns;
    while (list && now_ns - begun_ns < h->last_ns) {
        for (struct parked **at = &list; *at;) {
            struct parked *p = *at;
            if (goes_on(p, now_ns)) {
                at = &p->next;
                continue;
            }
            *at = p->next;
            end(p);
        }
        nanosleep(&moment, NULL);
        now_ns = clock_mono_ns();
    }
    while (list) {
        struct parked *p = list;
        list = p->next;
        end(p);
    }
}

static void parked_wake(struct waiter *w, enum watch_why why) {
    struct parked *p = (struct parked *)w;
    if (why == WATCH_STOP)
        leave_last(p);
    else if (why != WATCH_READY)
        end(p);
    else if (p->answer.n)
        go_on(p);
    else
        give_back(p);
}

static void park_answer(struct http_request *rq) {
    struct http *h = rq->http;
    int fd = rq->parked_fd;
    struct parked *p = rq->abandoned ? NULL : calloc(1, sizeof *p);
    if (p) {
        *p = (struct parked){.waiter = {.fd = fd, .wake = parked_wake}, .fd = fd, .http = h};
        respond_text(rq, &p->answer);
    }
    rq->free(rq);
    if (p && !p->answer.failed)
        go_on(p);
    else if (p)
        end(p);
    else {
        close(fd);
        h->n_parked--;
    }
    h->n_held--;
}
