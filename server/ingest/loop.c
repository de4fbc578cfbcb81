/* DESIGN. One thread does it all, a little of each in turn:
 *
 *     look:    epoll; what is in a ready socket goes into its session's lane of the queue
 *     store:   about STORE_NS of decoding and storing, of the lane whose turn it is
 *     keep:    at once when a producer waits (a POST) and nothing is ready: what was stored survives, but nobody sees it yet
 *     commit:  COMMIT_NS after the first record, later when it has many rows to write (each takes the values of a series since the
 *              last one); before it becomes too large; at once when it holds a value of a series that somebody waits
 *              for (half of the time at most: awaited_used_ns), and when it holds something of a session that
 *              somebody waits for, and either nothing is ready or the last such one is COMMIT_NS ago. Meanwhile the
 *              sockets are looked at, too: what is in them goes into the queue, no further
 *     answer:  jobs (the barrier among them) from other threads: jobs.c
 *
 * While the queue is full nothing is read: Unix senders block, UDP senders' datagrams pile up in the socket and then become kernel drops,
 * which are counted.
 */
#include "ingest/loop.h"

#include "core/clock.h"
#include "core/log.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define COMMIT_NS (50 * NS_PER_MS)
/* For each row of a commit, so that writing rows takes a small part of the time. */
#define COMMIT_NS_ROW  (12 * 1000)
#define COMMIT_NS_MAX  NS_PER_S
#define AWAITED_NS     (5 * NS_PER_MS) /* of commits for what is awaited, beyond half of the time */
#define COUNT_NS       (NS_PER_S / 2) /* of work, of reading what is not stored any more, only to count it, */
#define COUNT_NS_MAX   (5 * NS_PER_S) /* and by the clock */
#define COMMIT_RECORDS ((uint64_t)1 << 21)
#define COMMIT_ROWS    ((size_t)1 << 18)
/* Bytes as the kernel counts. Bursts are lost with a smaller buffer, so the user is told how to raise it. */
#define RCVBUF_ENOUGH ((size_t)8 << 20)

_Static_assert(2 * LOOK_MOST + PIPELINE_RESERVE <= PIPELINE_CAP_MIN, "two looks always fit");

static const struct open_session *session_of(const enum watched *watched) {
    switch (*watched) {
    case WATCHED_SOCKET:
    case WATCHED_LISTENER:
        return ((const struct receiver *)watched)->session;
    case WATCHED_CONNECTION:
        return ((const struct connection *)watched)->listener->session;
    case WATCHED_WAKE:
    default:
        return NULL;
    }
}

/* Whether one look, however much it finds, fits into the queue. A session with a backlog leaves room for one look of another,
 * which would else wait until much of that backlog is stored. */
static bool queue_has_room(struct ingest *in, const enum watched *watched) {
    const struct open_session *s = session_of(watched);
    bool waits = s && !pipeline_stored(in->pipeline, s->is.id, UINT64_MAX);
    return pipeline_has_room(in->pipeline, (waits ? 2 : 1) * LOOK_MOST + PIPELINE_RESERVE);
}

/* While a question is worked on, one source is looked at in a turn, and the next one in the next. At the end only what came
 * before it is read, which is a question's work. Returns whether any was ready. */
static bool look_at_sockets(struct ingest *in, int wait_ms) {
    ready_collect(in, wait_ms);
    size_t n = in->begun || in->asked ? 1 : in->n_ready;
    bool any = in->n_ready > 0;
    if (in->ending)
        return any;
    enum watched *at = in->ready_first;
    for (size_t left = in->n_ready; left > 0 && n > 0 && at; left--) {
        enum watched *after = ready_next(at);
        if (queue_has_room(in, at)) {
            ready_read(in, at, false);
            n--;
        }
        at = after;
    }
    if (any)
        ready_collect(in, 0);
    return any;
}

static void look_meanwhile(void *arg) {
    look_at_sockets(arg, 0);
}

/* Of work of this thread: what others do on its core meanwhile does not count. */
static int64_t thread_ns(void) {
    struct timespec t;
    return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0 ? t.tv_sec * NS_PER_S + t.tv_nsec : 0;
}

void ingest_commit(struct ingest *in) {
    int64_t began_ns = thread_ns();
    bool awaited = store_awaited(in->store);
    in->committed_ns = clock_mono_ns();
    if (pipeline_wanted(in->pipeline))
        in->wanted_ns = in->committed_ns;
    in->committing = true;
    store_meanwhile(in->store, look_meanwhile, in);
    pipeline_commit(in->pipeline);
    store_meanwhile(in->store, NULL, NULL);
    in->committing = false;
    if (awaited) {
        int64_t used_ns = in->awaited_used_ns > in->committed_ns ? in->awaited_used_ns : in->committed_ns;
        in->awaited_used_ns = used_ns + 2 * (thread_ns() - began_ns);
    }
    receive_tell_losses(in);
}

/* --- the loop ------------------------------------------------------------------------------------------------------ */

/* The time at which data that is dirty since since_ns must be committed. */
static int64_t commit_at_ns(struct ingest *in, int64_t since_ns, bool awaited) {
    int64_t after_ns = awaited ? 0 : (int64_t)store_rows(in->store) * COMMIT_NS_ROW;
    if (after_ns > COMMIT_NS_MAX)
        after_ns = COMMIT_NS_MAX;
    return since_ns + (after_ns < in->commit_ns ? in->commit_ns : after_ns);
}

/* From when on who waits for the next commit gets one: at once, but for what producers bring and what is kept. So many of them may come
 * that somebody who looks at each commit would make each of them dear. */
static int64_t watched_at_ns(struct ingest *in) {
    bool only_posts = store_pending(in->store) == 0 || pipeline_owes(in->pipeline);
    return only_posts ? in->committed_ns + in->commit_ns : 0;
}

/* The same for what is awaited. */
static int64_t awaited_at_ns(const struct ingest *in) {
    return in->awaited_used_ns - AWAITED_NS;
}

static void keep(struct ingest *in) {
    in->committing = true;
    store_meanwhile(in->store, look_meanwhile, in);
    pipeline_keep(in->pipeline);
    store_meanwhile(in->store, NULL, NULL);
    in->committing = false;
    receive_tell_losses(in);
}

static bool commit_is_due(struct ingest *in, bool busy) {
    int64_t since_ns;
    if (!pipeline_dirty(in->pipeline, &since_ns))
        return false;
    bool awaited = pipeline_awaited(in->pipeline), wanted = pipeline_wanted(in->pipeline);
    if ((store_awaited(in->store) && clock_mono_ns() >= awaited_at_ns(in)) ||
        (wanted && clock_mono_ns() >= in->wanted_ns + in->commit_ns))
        return true;
    return store_pending(in->store) >= COMMIT_RECORDS || store_rows(in->store) >= COMMIT_ROWS ||
           clock_mono_ns() >= commit_at_ns(in, since_ns, awaited) ||
           (!busy && wanted && clock_mono_ns() >= watched_at_ns(in));
}

/* How long epoll may wait: not at all with work at hand, until the commit is due, or the next session ends. */
static int timeout_ms(struct ingest *in, bool waiting) {
    int64_t since_ns;
    if (waiting)
        return 0;
    if (!pipeline_dirty(in->pipeline, &since_ns))
        return session_next_expiry_ms(in);
    int64_t at_ns = commit_at_ns(in, since_ns, pipeline_awaited(in->pipeline));
    if (pipeline_wanted(in->pipeline) && watched_at_ns(in) < at_ns)
        at_ns = watched_at_ns(in);
    if (store_awaited(in->store) && awaited_at_ns(in) < at_ns)
        at_ns = awaited_at_ns(in);
    int64_t left_ns = at_ns - clock_mono_ns();
    return left_ns <= 0 || pipeline_owes(in->pipeline) ? 0 : (int)(left_ns / NS_PER_MS) + 1;
}

/* All that was sent before the end is in the queue. What is sent from now on finds no socket, as after the end. */
static void close_sockets(struct ingest *in) {
    receive_tell_losses(in);
    receive_close_connections(in, NULL);
    pthread_mutex_lock(&in->lock);
    struct receiver *gone = in->receivers;
    in->receivers = NULL;
    for (struct open_session *s = in->sessions; s; s = s->next)
        s->receivers = NULL;
    pthread_mutex_unlock(&in->lock);
    for (struct receiver *r = gone; r; r = r->next)
        ready_drop(in, &r->watched);
    receiver_free_all(gone);
    in->closed = true;
}

/* There is no time left to count what is still in the sockets. So one loss is noted for each socket that holds something. */
static void give_up_reading(struct ingest *in) {
    for (struct receiver *r = in->receivers; r; r = r->next)
        r->untold[LOSS_STOPPED] += r->wanted.round > r->wanted.done;
    for (struct connection *c = in->connections; c; c = c->next)
        c->listener->untold[LOSS_STOPPED] += c->wanted.round > c->wanted.done;
    in->untold = true;
    close_sockets(in);
}

/* The end has a time limit. What could not be stored by then is noted as a loss, so that no claim is judged by a part of the data. */
static void discard_in_the_end(struct ingest *in) {
    if (in->end_ns == 0 || clock_mono_ns() < in->end_ns)
        return;
    if (!in->discarding)
        in->counted_ns = thread_ns() + COUNT_NS;
    else if (!in->closed && (thread_ns() > in->counted_ns || clock_mono_ns() > in->end_ns + COUNT_NS_MAX))
        give_up_reading(in);
    in->discarding = true;
    uint64_t n = pipeline_discard(in->pipeline, LOSS_STOPPED, SPAN("the time to stop was over"));
    if (n > 0)
        log_warning("%llu datagrams that came in before the end could not be stored in time: "
                    "verdicts that they could have changed are inconclusive",
                    (unsigned long long)n);
}

/* Returns whether there is work left for the next turn. */
static bool turn(struct ingest *in, int wait_ms) {
    bool ready = look_at_sockets(in, wait_ms);
    bool waiting = pipeline_step(in->pipeline, 0, STORE_NS);
    if (commit_is_due(in, ready || waiting))
        ingest_commit(in);
    else if (!ready && !waiting && pipeline_owes(in->pipeline))
        keep(in);
    jobs_begin(in);
    discard_in_the_end(in);
    jobs_answer(in);
    if (!store_awaited(in->store))
        store_shorten_log(in->store);
    if (in->last.read && !in->closed)
        close_sockets(in);
    session_expire(in);
    if (pipeline_backlog(in->pipeline, NULL) == 0)
        store_rest(in->store);
    /* Not `waiting`: a commit looks, too, and takes the wake-up of what was put meanwhile. */
    return pipeline_backlog(in->pipeline, NULL) > 0 || in->begun || in->asked;
}

/* Whether every question is answered, and everything that was sent or put is stored or noted as a loss. */
static bool is_over(struct ingest *in) {
    if (!in->stopping || in->begun || pipeline_backlog(in->pipeline, NULL) > 0)
        return false;
    pthread_mutex_lock(&in->lock);
    bool over = in->last.done && !in->jobs;
    pthread_mutex_unlock(&in->lock);
    return over;
}

/* What a large recording holds is loaded while the sockets are looked at. */
static void load_recording(struct ingest *in) {
    struct err err = {0};
    in->committing = true;
    store_meanwhile(in->store, look_meanwhile, in);
    if (store_ready(in->store, &err) != 0) /* the first that is put tries again */
        log_error("%s", err.text);
    store_meanwhile(in->store, NULL, NULL);
    in->committing = false;
    receive_tell_losses(in);
}

static void *run_loop(void *arg) {
    struct ingest *in = arg;
    load_recording(in); /* which may have taken the wake-up of a question */
    for (bool waiting = true; !is_over(in);)
        waiting = turn(in, timeout_ms(in, waiting));
    ingest_commit(in);
    return NULL;
}

/* --- from other threads -------------------------------------------------------------------------------------------- */

static void copy_counters(struct ingest_socket *to, struct receiver *r) {
    to->session = r->session->is.name;
    to->source = r->source;
    memcpy(to->address, r->address, sizeof to->address);
    to->rcvbuf = r->rcvbuf;
#define COPY(name) to->name = atomic_load_explicit(&r->count.name, memory_order_relaxed)
    COPY(datagrams);
    COPY(bytes);
    COPY(over_agent_limit);
    COPY(kernel_drops);
    COPY(truncated);
    COPY(queue_full);
    COPY(injected);
    COPY(connections);
#undef COPY
}

void ingest_sockets_each(struct ingest *in, void (*fn)(void *arg, const struct ingest_socket *), void *arg) {
    pthread_mutex_lock(&in->lock);
    for (struct receiver *r = in->receivers; r; r = r->next) {
        struct ingest_socket socket;
        copy_counters(&socket, r);
        fn(arg, &socket);
    }
    pthread_mutex_unlock(&in->lock);
}

const struct dogstatsd_options *ingest_decoding(const struct ingest *in) {
    return &in->options.decode;
}

struct dropping {
    struct ingest *in;
    uint64_t session_id, seed;
    double rate;
};

static int drop_on_loop(struct store *store, void *arg, struct err *err) {
    (void)store;
    struct dropping *d = arg;
    bool found = d->session_id == 0;
    for (struct open_session *s = d->in->sessions; s; s = s->next) {
        if (d->session_id != 0 && s->is.id != d->session_id)
            continue;
        found = true;
        s->drop_rate = d->rate;
        s->drop_state = d->seed ? d->seed : 0x9E3779B97F4A7C15ULL;
    }
    return found ? 0 : err_set(err, ENOENT, "there is no such session");
}

int ingest_fault_drop(struct ingest *in, uint64_t session_id, double rate, uint64_t seed, struct err *err) {
    struct dropping d = {in, session_id, seed, rate};
    return ingest_call(in, session_id, drop_on_loop, &d, err);
}

/* --- life ---------------------------------------------------------------------------------------------------------- */

static int watch_fd(struct ingest *in, int fd) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLET,
                                .data.ptr = &in->watched_wake}; /* edges: never read */
    return epoll_ctl(in->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int open_default_session(struct ingest *in, struct err *err) {
    struct receiver *receivers;
    if (session_load_ports(in, err) != 0)
        return -1;
    struct open_session *session = session_open(in, "default", &in->options.listen, false, &receivers, err);
    if (!session)
        return -1;
    session->is.id = 1;
    if (session_watch(in, receivers, err) != 0 ||
        store_port_used(in->store, session->is.at.udp_port, err) != 0 || store_commit(in->store, err) != 0) {
        receiver_free_all(receivers);
        session_free(session);
        return -1;
    }
    session_attach(in, session, receivers);
    size_t small = RCVBUF_ENOUGH;
    for (struct receiver *r = in->receivers; r; r = r->next)
        if (r->source == SOURCE_UDP && r->rcvbuf < small)
            small = r->rcvbuf;
    if (small < RCVBUF_ENOUGH && !in->options.quiet)
        log_info(
            "the UDP socket's buffer is %zu KiB: large bursts may be dropped (and counted). To raise it once: "
            "sudo sysctl -w net.core.rmem_max=67108864",
            small / 1024);
    return 0;
}

static void ingest_free(struct ingest *in) {
    receive_close_connections(in, NULL);
    while (in->sessions) {
        struct open_session *session = in->sessions;
        session_detach(in, session);
        session_free(session);
    }
    assert(pipeline_backlog(in->pipeline, NULL) == 0); /* its batches would go back to the pool */
    datagrams_pool_free(&in->pool);
    dogstatsd_free(in->pool.decoder);
    receive_buffers_free(in->buffers);
    unixgram_maker_free(&in->unixgram);
    if (in->softnet >= 0)
        close(in->softnet);
    if (in->spare >= 0)
        close(in->spare);
    if (in->wake >= 0)
        close(in->wake);
    if (in->epoll >= 0)
        close(in->epoll);
    pthread_cond_destroy(&in->job_done);
    pthread_mutex_destroy(&in->lock);
    free(in);
}

struct ingest *ingest_start(struct store *store, struct pipeline *pipeline,
                            const struct ingest_options *options, struct err *err) {
    struct ingest *in = calloc(1, sizeof *in);
    if (!in) {
        err_set(err, ENOMEM, "cannot start listening");
        return NULL;
    }
    in->store = store;
    in->pipeline = pipeline;
    in->options = *options;
    in->watched_wake = WATCHED_WAKE;
    in->commit_ns = COMMIT_NS;
    in->stop_ns = INGEST_END_NS;
    in->jobs_end = &in->jobs;
    in->posts_end = &in->posts;
    in->last.session_id = INGEST_ALL;
    pipeline_hold(pipeline);
    pthread_mutex_init(&in->lock, NULL);
    pthread_cond_init(&in->job_done, NULL);
    in->epoll = epoll_create1(EPOLL_CLOEXEC);
    in->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    in->softnet = softnet_open();
    const char *unsure; /* the first question tells it */
    in->softnet_drops = softnet_settle(in->softnet, &unsure);
    in->spare = in->wake < 0 ? -1 : fcntl(in->wake, F_DUPFD_CLOEXEC, 0);
    unixgram_maker_init(&in->unixgram);
    in->buffers = receive_buffers_new();
    in->pool = (struct datagrams_pool){.decoder = dogstatsd_new(&options->decode), .pipeline = pipeline};
    if (in->epoll < 0 || in->wake < 0 || !in->buffers || !in->pool.decoder)
        err_set(err, errno, "cannot start listening");
    else if (watch_fd(in, in->wake) != 0 || watch_fd(in, pipeline_fd(pipeline)) != 0)
        err_set(err, errno, "cannot watch for work");
    else if (open_default_session(in, err) == 0) {
        int failed = pthread_create(&in->thread, NULL, run_loop, in);
        if (!failed)
            return in;
        err_set(err, failed, "cannot start the ingest thread");
    }
    ingest_free(in);
    return NULL;
}

void ingest_end(struct ingest *in) {
    pthread_mutex_lock(&in->lock);
    if (!in->ending) {
        in->ending = true; /* no job comes in any more; those that are in are answered */
        in->end_ns = clock_mono_ns() + in->stop_ns;
        jobs_add(in, &in->last);
        in->asked = true;
        jobs_wake(in);
    }
    pthread_mutex_unlock(&in->lock);
}

void ingest_stop(struct ingest *in) {
    if (!in)
        return;
    ingest_end(in);
    in->stopping = true;
    jobs_wake(in);
    pthread_join(in->thread, NULL);
    ingest_free(in);
}
