#include "ingest/loop.h"

#include "core/clock.h"
#include "core/log.h"
#include "ingest/socket.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATAGRAM_MAX  65535
#define SAME_TIME_NS  100000
#define DATAGRAM_COST 512 /* what even an empty datagram takes of a socket's buffer, at least */

struct receive_buffers {
    struct mmsghdr messages[RECEIVE_MESSAGES];
    struct iovec parts[RECEIVE_MESSAGES];
    char bytes[RECEIVE_MESSAGES][DATAGRAM_MAX];
};

struct receive_buffers *receive_buffers_new(void) {
    struct receive_buffers *b = malloc(sizeof *b); /* pages are touched as datagrams need them */
    if (!b)
        return NULL;
    memset(b->messages, 0, sizeof b->messages);
    for (int i = 0; i < RECEIVE_MESSAGES; i++) {
        b->parts[i] = (struct iovec){b->bytes[i], DATAGRAM_MAX};
        b->messages[i].msg_hdr.msg_iov = &b->parts[i];
        b->messages[i].msg_hdr.msg_iovlen = 1;
    }
    return b;
}

void receive_buffers_free(struct receive_buffers *b) {
    free(b);
}

static void count_up(_Atomic uint64_t *counter, uint64_t n) {
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* xorshift64*: the injected faults are the same for the same seed. */
static bool dropped_on_purpose(struct open_session *session) {
    if (session->drop_rate <= 0)
        return false;
    uint64_t x = session->drop_state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    session->drop_state = x;
    return (double)((x * 0x2545F4914F6CDD1DULL) >> 11) * 0x1.0p-53 < session->drop_rate;
}

static void tell_losses(struct ingest *in, struct receiver *r) {
    for (int loss = 0; loss < LOSS_N; loss++)
        if (r->untold[loss] > 0)
            pipeline_loss(in->pipeline, r->session->is.id, (enum loss)loss, r->untold[loss],
                          span_str(r->address));
    memset(r->untold, 0, sizeof r->untold);
}

void receive_tell_losses(struct ingest *in) {
    for (struct receiver *r = in->untold ? in->receivers : NULL; r; r = r->next)
        tell_losses(in, r);
    in->untold = false;
}

static void count_loss(struct ingest *in, struct receiver *r, enum loss loss, uint64_t n) {
    r->untold[loss] += n;
    if (in->committing)
        in->untold = true;
    else
        tell_losses(in, r);
}

/* One datagram or frame: counted, and into the open batch. */
static void take_datagram(struct ingest *in, struct receiver *r, int64_t now_ns, struct span bytes,
                          bool cut) {
    count_up(&r->count.datagrams, 1);
    count_up(&r->count.bytes, bytes.n);
    if (bytes.n > DATAGRAM_AGENT_MAX)
        count_up(&r->count.over_agent_limit, 1);
    if (dropped_on_purpose(r->session)) {
        count_up(&r->count.injected, 1);
        count_loss(in, r, LOSS_INJECTED, 1);
        return;
    }
    if (cut) {
        count_up(&r->count.truncated, 1);
        count_loss(in, r, LOSS_TRUNCATED, 1);
    }
    if (in->discarding) { /* told together when the sockets are closed: there is no time for each */
        r->untold[LOSS_STOPPED]++;
        in->untold = true;
        return;
    }
    if (in->options.on_datagram)
        in->options.on_datagram(in->options.on_datagram_arg, now_ns, bytes);
    struct datagrams_run run = {r->source, now_ns};
    if (datagrams_add(&in->pool, &r->session->lane, &run, bytes, cut) != 0) {
        count_up(&r->count.queue_full, 1);
        count_loss(in, r, LOSS_QUEUE_FULL, 1);
    }
}

/* Drops show in the socket's own counter, whatever happened to its queue. Returns what that holds. */
static size_t look_for_drops(struct ingest *in, struct receiver *r) {
    size_t holds;
    uint32_t drops = socket_drops(r->fd, &holds);
    uint32_t fresh = drops - r->seen_drops; /* the counter wraps, and so does the difference */
    if (fresh == 0)
        return holds;
    r->seen_drops = drops;
    count_up(&r->count.kernel_drops, fresh);
    count_loss(in, r, LOSS_KERNEL_DROP, fresh);
    log_warning(
        "the kernel dropped %u datagrams at %s (session %s): verdicts that they could have changed are inconclusive",
        fresh, r->address, r->session->is.name);
    return holds;
}

/* n datagrams were read, which took `cost` of their senders' buffers. What was read since the socket was last empty is the most
 * that can have been waiting at once: who does not wait may have found the queue or its own buffer full. */
static void look_for_full_queue(struct ingest *in, struct receiver *r, size_t n, size_t cost, bool empty) {
    r->unread += n;
    r->unread_cost += cost;
    bool full = r->unread >= r->holds || r->unread_cost >= r->sender_buffer;
    if (full)
        count_loss(in, r, LOSS_UNIXGRAM_FULL, 1);
    if (full || empty)
        r->unread = r->unread_cost = 0;
}

static void want(struct wanted *w, uint64_t round, size_t holds) {
    w->round = round;
    w->left = holds;
    if (holds == 0)
        w->done = round;
}

static void took(struct wanted *w, size_t n, bool empty) {
    if (empty || n >= w->left)
        w->done = w->round;
    else
        w->left -= n;
}

/* When what is read now came in: what follows within SAME_TIME_NS shares a time, and so one row of the recording. */
static int64_t time_of_read(struct receiver *r) {
    int64_t now_ns = clock_wall_ns();
    if (now_ns < r->read_ns || now_ns - r->read_ns > SAME_TIME_NS)
        r->read_ns = now_ns;
    return r->read_ns;
}

bool receive_datagrams(struct ingest *in, struct receiver *r, size_t budget_bytes) {
    struct receive_buffers *b = in->buffers;
    bool empty = false;
    size_t used = 0, n_taken = 0, cost = 0;
    while (!empty && used < budget_bytes) {
        int n = recvmmsg(r->fd, b->messages, RECEIVE_MESSAGES, MSG_DONTWAIT, NULL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            empty = true; /* EAGAIN, or an error that the socket has now told */
            break;
        }
        int64_t now_ns = time_of_read(r);
        for (int i = 0; i < n; i++) {
            struct mmsghdr *m = &b->messages[i];
            take_datagram(in, r, now_ns, span_of(b->bytes[i], m->msg_len), m->msg_hdr.msg_flags & MSG_TRUNC);
            used += m->msg_len + DATAGRAM_COST;
            cost += unixgram_charge(m->msg_len);
        }
        n_taken += (size_t)n;
        empty = n < RECEIVE_MESSAGES;
    }
    if (r->source == SOURCE_UDP)
        look_for_drops(in, r);
    else
        look_for_full_queue(in, r, n_taken, cost, empty);
    took(&r->wanted, r->source == SOURCE_UDP ? used : n_taken, empty);
    return empty;
}

/* The bytes that were sent over this connection are lost. A client that sends more gets an error. */
static void refuse(struct ingest *in, struct receiver *listener, int fd, const char *why) {
    shutdown(fd, SHUT_RD);
    if (socket_stream_holds(fd) > 0)
        count_loss(in, listener, LOSS_REFUSED, 1);
    close(fd);
    log_warning("refused a connection on %s: %s (%zu are open)", listener->address, why, in->n_connections);
}

/* Out of descriptors: the spare one serves to refuse; else what waits would make the loop spin, and be missing in silence. */
static bool refuse_next(struct ingest *in, struct receiver *listener) {
    if (in->spare < 0)
        return false;
    close(in->spare);
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        refuse(in, listener, fd, "no descriptor is free");
    in->spare = fcntl(in->wake, F_DUPFD_CLOEXEC, 0);
    return fd >= 0;
}

/* New connections take their listener's place in the row, because their data was sent at about the time they came. */
static void accept_all(struct ingest *in, struct receiver *listener, enum watched *before) {
    for (int i = 0; i < SOMAXCONN; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if ((errno == EMFILE || errno == ENFILE) && refuse_next(in, listener))
                continue;
            return;
        }
        bool room = in->n_connections < INGEST_CONNECTIONS_MAX;
        struct connection *c = room ? calloc(1, sizeof *c) : NULL;
        if (!c) {
            refuse(in, listener, fd, room ? "out of memory" : "the most there can be");
            continue;
        }
        *c = (struct connection){.watched = WATCHED_CONNECTION, .fd = fd, .listener = listener};
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
        if (epoll_ctl(in->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
            refuse(in, listener, fd, "it cannot be watched");
            free(c);
            continue;
        }
        c->next = in->connections;
        c->back = &in->connections;
        if (c->next)
            c->next->back = &c->next;
        in->connections = c;
        in->n_connections++;
        count_up(&listener->count.connections, 1);
        ready_insert(in, &c->watched, before);
    }
}

void receive_accept(struct ingest *in, struct receiver *listener) {
    enum watched *before = ready_holds(&listener->watched) ? &listener->watched : in->ready_first;
    accept_all(in, listener, before);
    ready_drop(in, &listener->watched);
}

static void close_connection(struct ingest *in, struct connection *c) {
    ready_drop(in, &c->watched);
    *c->back = c->next;
    if (c->next)
        c->next->back = c->back;
    in->n_connections--;
    count_up(&c->listener->count.connections, (uint64_t)-1);
    close(c->fd);
    frame_free(&c->frame);
    free(c);
}

void receive_close_connections(struct ingest *in, const struct receiver *listener) {
    for (struct connection *c = in->connections, *next; c; c = next) {
        next = c->next;
        if (!listener || c->listener == listener)
            close_connection(in, c);
    }
}

struct frame_sink {
    struct ingest *in;
    struct connection *c;
    int64_t now_ns;
};

static void take_frame(void *arg, struct span bytes) {
    struct frame_sink *sink = arg;
    take_datagram(sink->in, sink->c->listener, sink->now_ns, bytes, false);
}

/* The rest of the connection is no frame. The sender's later data is lost. */
static void end_stream(struct ingest *in, struct connection *c, int64_t now_ns, bool reset) {
    struct receiver *r = c->listener;
    if (frame_pending(&c->frame) > 0) {
        struct frame_fault fault = frame_explain(&c->frame, reset);
        struct datagrams_run run = {r->source, now_ns};
        log_warning("closed a connection on %s: %s", r->address, fault.why);
        if (datagrams_add_bad_frame(&in->pool, &r->session->lane, &run, &c->frame, &fault,
                                    span_str(r->address)) != 0)
            count_loss(in, r, LOSS_BAD_FRAME, 1);
    }
    close_connection(in, c);
}

bool receive_stream(struct ingest *in, struct connection *c, size_t budget_bytes) {
    char *bytes = in->buffers->bytes[0];
    for (size_t used = 0; used < budget_bytes;) {
        ssize_t n = recv(c->fd, bytes, DATAGRAM_MAX, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            took(&c->wanted, 0, true);
            return true;
        }
        struct frame_sink sink = {in, c, time_of_read(c->listener)};
        if (n <= 0 || frame_feed(&c->frame, span_of(bytes, (size_t)n), take_frame, &sink) == FRAME_BAD) {
            end_stream(in, c, sink.now_ns, n < 0);
            return true;
        }
        took(&c->wanted, (size_t)n, false);
        used += (size_t)n;
    }
    return false;
}

void receive_want(struct ingest *in, enum watched *watched, uint64_t round) {
    struct receiver *r = (struct receiver *)watched;
    struct connection *c = (struct connection *)watched;
    size_t held;
    switch (*watched) {
    case WATCHED_SOCKET:
        want(&r->wanted, round, r->source == SOURCE_UDP ? look_for_drops(in, r) : r->holds);
        break;
    case WATCHED_LISTENER:
        want(&r->wanted, round, 0);
        receive_accept(in, r);
        break;
    case WATCHED_CONNECTION:
        held = socket_stream_holds(c->fd);
        want(&c->wanted, round, held ? held : 1); /* its end is no byte, and may be that of a frame */
        break;
    case WATCHED_WAKE:
    default:
        break;
    }
}

bool receive_look(struct ingest *in, enum watched *watched) {
    switch (*watched) {
    case WATCHED_SOCKET:
        return receive_datagrams(in, (struct receiver *)watched, LOOK_BYTES);
    case WATCHED_LISTENER:
        receive_accept(in, (struct receiver *)watched);
        return true;
    case WATCHED_CONNECTION:
        return receive_stream(in, (struct connection *)watched, LOOK_BYTES);
    case WATCHED_WAKE:
    default:
        return true;
    }
}

bool ready_read(struct ingest *in, enum watched *watched, bool keep_place) {
    enum watched *after = keep_place ? ready_next(watched) : NULL;
    ready_drop(in, watched);
    bool empty = receive_look(in, watched); /* a connection may be gone now */
    if (!empty)
        ready_insert(in, watched, after);
    return empty;
}
