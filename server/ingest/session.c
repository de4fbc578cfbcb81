#include "ingest/loop.h"

#include "core/clock.h"
#include "core/folder.h"
#include "core/log.h"
#include "ingest/socket.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define RCVBUF_DEFAULT_SESSION ((size_t)64 << 20)
#define RCVBUF_OTHER_SESSIONS  ((size_t)8 << 20)

static struct receiver *receiver_new(enum watched watched, int fd, enum source source,
                                     struct open_session *session, size_t want_rcvbuf) {
    struct receiver *r = calloc(1, sizeof *r);
    if (!r) {
        close(fd);
        return NULL;
    }
    r->watched = watched;
    r->fd = fd;
    r->source = source;
    r->session = session;
    r->rcvbuf = socket_rcvbuf(fd, want_rcvbuf);
    return r;
}

static void receiver_free(struct receiver *r) {
    close(r->fd);
    struct stat st;
    if (r->unlink_path && lstat(r->unlink_path, &st) == 0 && st.st_dev == r->dev && st.st_ino == r->ino)
        unlink(r->unlink_path);
    free(r->unlink_path);
    free(r);
}

void receiver_free_all(struct receiver *list) {
    while (list) {
        struct receiver *next = list->next;
        receiver_free(list);
        list = next;
    }
}

static int add_udp(struct ingest *in, struct open_session *session, const struct ingest_listen *listen,
                   size_t rcvbuf, struct receiver **list, struct err *err) {
    if (listen->udp_port < 0)
        return 0;
    int fds[SOCKET_UDP_MAX];
    int n = session_udp(in, listen, fds, err);
    for (int i = 0; i < n; i++) {
        struct receiver *r = receiver_new(WATCHED_SOCKET, fds[i], SOURCE_UDP, session, rcvbuf);
        if (!r) {
            while (++i < n)
                close(fds[i]);
            return err_set(err, ENOMEM, "cannot listen");
        }
        socket_udp_name(fds[i], r->address, sizeof r->address, &session->is.at.udp_port);
        if (i == 0)
            memcpy(session->is.at.udp, r->address, sizeof r->address);
        r->next = *list;
        *list = r;
    }
    return n < 0 ? -1 : 0;
}

/* Said once: it is the system's. */
static void tell_short_queue(struct ingest *in, size_t holds) {
    if (holds >= UNIXGRAM_ENOUGH || in->options.quiet || atomic_exchange(&in->told_short, true))
        return;
    log_info(
        "%zu datagrams can wait in a Unix datagram socket here: a client that does not wait drops what a burst has "
        "beyond that. To raise it once: sudo sysctl -w net.unix.max_dgram_qlen=512",
        holds);
}

static int add_unix(struct ingest *in, struct open_session *session, const char *path, enum source source,
                    char at[INGEST_ADDRESS_SIZE], size_t rcvbuf, struct receiver **list, struct err *err) {
    if (!path || !*path)
        return 0;
    bool stream = source == SOURCE_UNIXSTREAM;
    size_t holds = 0;
    int fd = stream ? socket_unix(path, SOCK_STREAM, err) : unixgram_make(&in->unixgram, &holds, err);
    if (fd >= 0 && !stream)
        fd = socket_unix_on(fd, path, SOCK_DGRAM, err);
    if (fd < 0)
        return -1;
    struct receiver *r =
        receiver_new(stream ? WATCHED_LISTENER : WATCHED_SOCKET, fd, source, session, rcvbuf);
    if (!r)
        return err_set(err, ENOMEM, "cannot listen on %s", path);
    r->holds = holds;
    if (!stream) {
        r->sender_buffer = unixgram_sender_buffer();
        tell_short_queue(in, holds);
    }
    r->unlink_path = strdup(path);
    struct stat st;
    if (lstat(path, &st) == 0) {
        r->dev = st.st_dev;
        r->ino = st.st_ino;
    }
    snprintf(r->address, sizeof r->address, "%s", path);
    snprintf(at, INGEST_ADDRESS_SIZE, "%s", path);
    r->next = *list;
    *list = r;
    return 0;
}

struct open_session *session_open(struct ingest *in, const char *name, const struct ingest_listen *listen,
                                  bool unix_sockets, struct receiver **receivers, struct err *err) {
    struct open_session *session = calloc(1, sizeof *session);
    if (!session) {
        err_set(err, ENOMEM, "cannot make a session");
        return NULL;
    }
    char unixgram[INGEST_ADDRESS_SIZE + 16] = "", unixstream[INGEST_ADDRESS_SIZE + 16] = "";
    bool is_default = strcmp(name, "default") == 0;
    session->is.any_age = in->options.any_age;
    size_t rcvbuf = in->options.so_rcvbuf ? in->options.so_rcvbuf
                                          : (is_default ? RCVBUF_DEFAULT_SESSION : RCVBUF_OTHER_SESSIONS);
    *receivers = NULL;
    if (session_identify(session, name, err) != 0 ||
        (unix_sockets && folder_private(folder_temporary(FOLDER_OF_SOCKETS_MAX), "the session's sockets",
                                        session->directory, sizeof session->directory, err) != 0))
        goto failed;
    if (unix_sockets) {
        snprintf(unixgram, sizeof unixgram, "%s/dsd.sock", session->directory);
        snprintf(unixstream, sizeof unixstream, "%s/dsd-stream.sock", session->directory);
    } else {
        snprintf(unixgram, sizeof unixgram, "%s", listen->unixgram ? listen->unixgram : "");
        snprintf(unixstream, sizeof unixstream, "%s", listen->unixstream ? listen->unixstream : "");
    }
    if (add_udp(in, session, listen, rcvbuf, receivers, err) == 0 &&
        add_unix(in, session, unixgram, SOURCE_UNIXGRAM, session->is.at.unixgram, rcvbuf, receivers, err) ==
            0 &&
        add_unix(in, session, unixstream, SOURCE_UNIXSTREAM, session->is.at.unixstream, rcvbuf, receivers,
                 err) == 0)
        return session;
failed:
    receiver_free_all(*receivers);
    *receivers = NULL;
    session_free(session);
    return NULL;
}

void session_free(struct open_session *session) {
    if (session->directory[0])
        rmdir(session->directory);
    datagrams_seal(&session->lane);
    free(session);
}

int session_watch(struct ingest *in, struct receiver *receivers, struct err *err) {
    for (struct receiver *r = receivers; r; r = r->next) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = r};
        if (epoll_ctl(in->epoll, EPOLL_CTL_ADD, r->fd, &event) != 0)
            return err_set(err, errno, "cannot watch %s", r->address);
    }
    return 0;
}

void session_attach(struct ingest *in, struct open_session *session, struct receiver *receivers) {
    session->receivers = receivers;
    session->lane.session_id = session->is.id;
    pthread_mutex_lock(&in->lock);
    struct receiver **end = &in->receivers;
    while (*end)
        end = &(*end)->next;
    *end = receivers;
    struct open_session **last = &in->sessions;
    while (*last)
        last = &(*last)->next;
    *last = session;
    in->n_sessions++;
    pthread_mutex_unlock(&in->lock);
    if (session->expires_mono_ns > 0 &&
        (in->next_expiry_ns == 0 || session->expires_mono_ns < in->next_expiry_ns))
        in->next_expiry_ns = session->expires_mono_ns;
}

void session_detach(struct ingest *in, struct open_session *session) {
    struct receiver *gone = NULL;
    pthread_mutex_lock(&in->lock);
    in->used_ports[in->n_used++ % STORE_PORTS_KEPT] = session->is.at.udp_port;
    for (struct receiver **at = &in->receivers; *at;) {
        struct receiver *r = *at;
        if (r->session != session) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        r->next = gone;
        gone = r;
    }
    for (struct open_session **at = &in->sessions; *at; at = &(*at)->next)
        if (*at == session) {
            *at = session->next;
            break;
        }
    in->n_sessions--;
    if (in->on_end)
        in->on_end(in->on_end_arg, session->is.id);
    pthread_mutex_unlock(&in->lock);
    for (struct receiver *r = gone; r; r = r->next) {
        ready_drop(in, &r->watched);
        if (r->watched == WATCHED_LISTENER)
            receive_close_connections(in, r);
    }
    receiver_free_all(gone);
}

/* --- from other threads -------------------------------------------------------------------------------------------- */

static struct open_session *by_name(struct ingest *in, struct span name) {
    for (struct open_session *s = in->sessions; s; s = s->next)
        if (span_eq(span_str(s->is.name), name))
            return s;
    return NULL;
}

struct opening {
    struct ingest *in;
    struct open_session *session; /* NULL once the loop has it: it may end at any moment */
    struct receiver *receivers;
    struct ingest_session *opened;
};

/* The sockets are watched only once the session is recorded: what is read before would be of no session. */
static int record_and_watch(struct opening *o, struct store *store, struct err *err) {
    struct ingest_session *is = &o->session->is;
    if (store_port_used(store, is->at.udp_port, err) != 0 ||
        store_session_add(store, span_str(is->name), span_str(is->api_key), is->expires_at, &is->id, err) !=
            0)
        return -1;
    if (session_watch(o->in, o->receivers, err) == 0)
        return 0;
    struct err ignored = {0};
    store_session_remove(store, is->id, &ignored);
    return -1;
}

static void free_opening(struct opening *o) {
    receiver_free_all(o->receivers);
    session_free(o->session);
    o->session = NULL;
}

static int try_open(struct opening *o, struct store *store, struct err *err) {
    struct ingest_session *is = &o->session->is;
    if (by_name(o->in, span_str(is->name)))
        return err_set(err, EEXIST, "there is a session '%s' already", is->name);
    if (o->in->n_sessions >= INGEST_SESSIONS_MAX)
        return err_set(err, ENOSPC,
                       "%d sessions are open, the most there can be; remove some, or give them a ttl",
                       INGEST_SESSIONS_MAX);
    if (record_and_watch(o, store, err) != 0)
        return -1;
    *o->opened = *is;
    session_attach(o->in, o->session, o->receivers);
    o->session = NULL;
    return 0;
}

/* On the loop: the name is checked here, where nobody else can take it in between, and what the loop may have seen is freed
 * here, too. */
static int open_on_loop(struct store *store, void *arg, struct err *err) {
    struct opening *o = arg;
    int result = try_open(o, store, err);
    if (result != 0)
        free_opening(o);
    return result;
}

int ingest_session_open(struct ingest *in, const char *name, bool unix_sockets, int64_t ttl_ns,
                        struct ingest_session *session, struct err *err) {
    struct ingest_listen listen = {.bind = in->options.listen.bind, .udp_port = 0};
    struct opening o = {.in = in, .opened = session};
    o.session = session_open(in, name, &listen, unix_sockets, &o.receivers, err);
    if (!o.session)
        return -1;
    if (ttl_ns > 0) {
        o.session->is.expires_at = clock_wall_ns() + ttl_ns;
        o.session->expires_mono_ns = clock_mono_ns() + ttl_ns;
    }
    int result = ingest_call(in, INGEST_NOTHING, open_on_loop, &o, err);
    if (o.session) /* the loop takes no more calls */
        free_opening(&o);
    return result;
}

struct closing {
    struct ingest *in;
    const char *name;
    bool keep;
};

static int close_on_loop(struct store *store, void *arg, struct err *err) {
    struct closing *c = arg;
    struct open_session *session = by_name(c->in, span_str(c->name));
    if (!session)
        return err_set(err, ENOENT, "there is no session '%s'", c->name);
    if (session == c->in->sessions)
        return refuse_session(err, "the session '%s' lasts as long as the server; reset it instead", c->name);
    uint64_t id = session->is.id;
    session_detach(c->in, session);
    session_free(session);
    return c->keep ? store_session_end(store, id, err) : store_session_remove(store, id, err);
}

int ingest_session_close(struct ingest *in, const char *name, bool keep, struct err *err) {
    struct closing c = {in, name, keep};
    struct ingest_session session;
    if (ingest_session_find(in, span_str(name), &session, err) != 0)
        return -1;
    return ingest_call(in, keep ? session.id : INGEST_NOTHING, close_on_loop, &c, err);
}

int ingest_session_find(struct ingest *in, struct span name, struct ingest_session *session,
                        struct err *err) {
    pthread_mutex_lock(&in->lock);
    struct open_session *found = by_name(in, name);
    if (found)
        *session = found->is;
    pthread_mutex_unlock(&in->lock);
    return found
               ? 0
               : err_set(err, ENOENT, "there is no session '%.*s'", (int)(name.n > 64 ? 64 : name.n), name.p);
}

uint64_t ingest_session_by_key(struct ingest *in, struct span api_key) {
    pthread_mutex_lock(&in->lock);
    uint64_t id = session_is_key(api_key) ? INGEST_ENDED : in->sessions->is.id;
    for (struct open_session *s = in->sessions; s; s = s->next)
        if (span_eq(span_str(s->is.api_key), api_key))
            id = s->is.id;
    pthread_mutex_unlock(&in->lock);
    return id;
}

void ingest_session_each(struct ingest *in, void (*fn)(void *arg, const struct ingest_session *), void *arg) {
    pthread_mutex_lock(&in->lock);
    for (struct open_session *s = in->sessions; s; s = s->next)
        fn(arg, &s->is);
    pthread_mutex_unlock(&in->lock);
}

void ingest_on_session_end(struct ingest *in, void (*fn)(void *arg, uint64_t session_id), void *arg) {
    pthread_mutex_lock(&in->lock);
    in->on_end = fn;
    in->on_end_arg = arg;
    pthread_mutex_unlock(&in->lock);
}

/* --- time to live -------------------------------------------------------------------------------------------------- */

static void find_next_expiry(struct ingest *in) {
    in->next_expiry_ns = 0;
    for (struct open_session *s = in->sessions; s; s = s->next)
        if (s->expires_mono_ns > 0 && (in->next_expiry_ns == 0 || s->expires_mono_ns < in->next_expiry_ns))
            in->next_expiry_ns = s->expires_mono_ns;
}

int session_next_expiry_ms(struct ingest *in) {
    if (in->next_expiry_ns == 0)
        return -1;
    int64_t left_ms = (in->next_expiry_ns - clock_mono_ns()) / NS_PER_MS + 1;
    return left_ms < 0 ? 0 : (left_ms > 60000 ? 60000 : (int)left_ms);
}

void session_expire(struct ingest *in) {
    if (in->next_expiry_ns == 0 || clock_mono_ns() < in->next_expiry_ns)
        return;
    int64_t now_ns = clock_mono_ns();
    for (struct open_session *s = in->sessions, *next; s; s = next) {
        next = s->next;
        if (s->expires_mono_ns == 0 || s->expires_mono_ns > now_ns)
            continue;
        log_info("the session %s has reached the end of its time to live", s->is.name);
        struct closing c = {in, s->is.name, false};
        struct err err = {0};
        if (close_on_loop(in->store, &c, &err) != 0)
            log_error("cannot remove an expired session: %s", err.text);
    }
    find_next_expiry(in);
}
