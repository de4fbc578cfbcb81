/* DESIGN. One thread does it all, a little of each in turn:
 *
 *     look:    epoll; what is in a ready socket goes into the open batch
 *     store:   about STORE_NS of decoding and storing
 *     commit:  COMMIT_NS after the first record, or at COMMIT_RECORDS; at once when somebody waits for it and nothing is ready
 *     answer:  jobs (the barrier among them) from other threads
 *
 * While the queue is full nothing is read: Unix senders block, UDP senders' datagrams pile up in the socket and then become kernel drops,
 * which are counted.
 *
 * A barrier is one more look at every socket that has something: each is emptied, or as much is read as it could have held when
 * the barrier began, so a flood cannot pin it. Then all that is queued is stored and committed.
 */
#include "ingest/loop.h"

#include "core/clock.h"
#include "core/log.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STORE_NS       (200 * 1000)
#define COMMIT_NS      (50 * NS_PER_MS)
#define COMMIT_RECORDS 60000
#define LOOK_BYTES                                                                                           \
    ((size_t)1 << 20) /* read from one source before others have their turn, or one call's worth more */
#define LOOK_MOST (LOOK_BYTES + (RECEIVE_MESSAGES + 8) * (size_t)65536)
#define RCVBUF_ENOUGH                                                                                        \
    ((size_t)8 << 20) /* as the kernel counts; below it bursts are lost: say how to raise it */

/* Whether one look, however much it finds, fits into the queue. */
static bool queue_has_room(struct ingest *in) {
    return pipeline_has_room(in->pipeline, LOOK_MOST);
}

/* Reads from one ready source about LOOK_BYTES. Returns whether it is empty now. */
static bool look_at(struct ingest *in, enum watched *watched) {
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

/* Puts what was read into the queue, unless it is already behind a backlog: then the block fills up first. */
static void flush_read(struct ingest *in) {
    if (pipeline_backlog(in->pipeline, NULL) == 0)
        datagrams_flush(&in->pool);
}

static void store_everything(struct ingest *in) {
    do {
        flush_read(in);
    } while (pipeline_step(in->pipeline, 50 * NS_PER_MS) || in->pool.open);
}

/* Empties a source, or reads as much as it could have held. It counts as drained before that: it may be gone after. */
static void drain(struct ingest *in, enum watched *watched) {
    size_t could_hold = 0;
    if (*watched == WATCHED_SOCKET) {
        struct receiver *r = (struct receiver *)watched;
        r->drained_in = in->round;
        could_hold = r->rcvbuf;
    } else if (*watched == WATCHED_CONNECTION) {
        struct connection *c = (struct connection *)watched;
        c->drained_in = in->round;
        could_hold = c->listener->rcvbuf;
    }
    for (size_t read = 0; !look_at(in, watched) && read < could_hold; read += LOOK_BYTES)
        if (!queue_has_room(in))
            store_everything(in);
}

static bool is_drained(struct ingest *in, const enum watched *watched) {
    switch (*watched) {
    case WATCHED_SOCKET:
        return ((const struct receiver *)watched)->drained_in == in->round;
    case WATCHED_CONNECTION:
        return ((const struct connection *)watched)->drained_in == in->round;
    case WATCHED_WAKE:
        return true;
    case WATCHED_LISTENER:
    default:
        return false; /* accepting empties it for good */
    }
}

/* One barrier: see DESIGN. */
static void settle(struct ingest *in) {
    struct epoll_event events[LOOP_EVENTS];
    softnet_settle(in->softnet);
    in->round++;
    for (bool more = true; more;) {
        int n = epoll_wait(in->epoll, events, LOOP_EVENTS, 0);
        more = false;
        for (int i = 0; i < n; i++) {
            if (is_drained(in, events[i].data.ptr))
                continue;
            more = true;
            if (!queue_has_room(in))
                store_everything(in);
            drain(in, events[i].data.ptr);
        }
    }
    store_everything(in);
    pipeline_commit(in->pipeline);
}

/* Returns whether more were submitted meanwhile: settle may have taken the edge that told of them. */
static bool run_jobs(struct ingest *in) {
    pthread_mutex_lock(&in->lock);
    struct job *jobs = in->jobs;
    in->jobs = NULL;
    in->jobs_end = &in->jobs;
    pthread_mutex_unlock(&in->lock);
    if (!jobs)
        return false;
    settle(in);
    for (struct job *job = jobs; job; job = job->next) {
        if (job->fn)
            job->result = job->fn(in->store, job->arg, job->err);
        job->last_id = store_last_id(in->store);
    }
    pthread_mutex_lock(&in->lock);
    for (struct job *job = jobs, *next; job; job = next) {
        next = job->next; /* the asker may return as soon as it is done */
        job->done = true;
    }
    bool more = in->jobs != NULL;
    pthread_mutex_unlock(&in->lock);
    pthread_cond_broadcast(&in->job_done); /* after: those who wake need the lock */
    return more;
}

static bool commit_is_due(struct ingest *in, bool busy) {
    int64_t since_ns;
    if (!pipeline_dirty(in->pipeline, &since_ns))
        return false;
    return store_pending(in->store) >= COMMIT_RECORDS || clock_mono_ns() - since_ns >= COMMIT_NS ||
           (!busy && pipeline_awaited(in->pipeline));
}

/* How long epoll may wait: not at all with work at hand, until the commit is due, or the next session ends. */
static int timeout_ms(struct ingest *in, bool waiting) {
    int64_t since_ns;
    if (waiting)
        return 0;
    if (!pipeline_dirty(in->pipeline, &since_ns))
        return session_next_expiry_ms(in);
    int64_t left_ns = since_ns + COMMIT_NS - clock_mono_ns();
    return left_ns <= 0 || pipeline_awaited(in->pipeline) ? 0 : (int)(left_ns / NS_PER_MS) + 1;
}

static void *run(void *arg) {
    struct ingest *in = arg;
    struct epoll_event events[LOOP_EVENTS];
    bool waiting = false; /* work left from the last turn */
    while (!atomic_load_explicit(&in->stopping, memory_order_relaxed)) {
        int n = epoll_wait(in->epoll, events, LOOP_EVENTS, timeout_ms(in, waiting));
        bool ready = false;
        for (int i = 0; i < n && queue_has_room(in); i++) {
            enum watched *watched = events[i].data.ptr;
            ready = ready || *watched != WATCHED_WAKE;
            look_at(in, watched);
        }
        flush_read(in);
        waiting = pipeline_step(in->pipeline, STORE_NS) || in->pool.open;
        if (commit_is_due(in, ready || waiting))
            pipeline_commit(in->pipeline);
        waiting = run_jobs(in) || waiting;
        session_expire(in);
    }
    while (run_jobs(in)) {
    }
    settle(in);
    return NULL;
}

/* --- from other threads -------------------------------------------------------------------------------------------- */

static void wake(struct ingest *in) {
    uint64_t one = 1;
    ssize_t written = write(in->wake, &one, sizeof one);
    (void)written;
}

static int submit(struct ingest *in, struct job *job) {
    pthread_mutex_lock(&in->lock);
    if (in->stopping) {
        pthread_mutex_unlock(&in->lock);
        return err_set(job->err, ECANCELED, "the server is stopping");
    }
    *in->jobs_end = job;
    in->jobs_end = &job->next;
    wake(in);
    while (!job->done)
        pthread_cond_wait(&in->job_done, &in->lock);
    pthread_mutex_unlock(&in->lock);
    return job->result;
}

int ingest_call(struct ingest *in, int (*fn)(struct store *, void *arg, struct err *), void *arg,
                struct err *err) {
    struct job job = {.fn = fn, .arg = arg, .err = err};
    return submit(in, &job);
}

int ingest_barrier(struct ingest *in, uint64_t *last_id, struct err *err) {
    struct job job = {.err = err};
    int result = submit(in, &job);
    *last_id = job.last_id;
    return result;
}

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
    return ingest_call(in, drop_on_loop, &d, err);
}

/* --- life ---------------------------------------------------------------------------------------------------------- */

static int watch_fd(struct ingest *in, int fd) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLET,
                                .data.ptr = &in->watched_wake}; /* edges: never read */
    return epoll_ctl(in->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int open_default_session(struct ingest *in, struct err *err) {
    struct receiver *receivers;
    struct open_session *session = session_open(in, "default", &in->options.listen, false, &receivers, err);
    if (!session)
        return -1;
    session->is.id = 1;
    if (session_watch(in, receivers, err) != 0) {
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
    datagrams_pool_free(&in->pool);
    dogstatsd_free(in->pool.decoder);
    receive_buffers_free(in->buffers);
    if (in->softnet >= 0)
        close(in->softnet);
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
    in->jobs_end = &in->jobs;
    pthread_mutex_init(&in->lock, NULL);
    pthread_cond_init(&in->job_done, NULL);
    in->epoll = epoll_create1(EPOLL_CLOEXEC);
    in->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    in->softnet = softnet_open();
    in->buffers = receive_buffers_new();
    in->pool = (struct datagrams_pool){.decoder = dogstatsd_new(&options->decode), .pipeline = pipeline};
    if (in->epoll < 0 || in->wake < 0 || !in->buffers || !in->pool.decoder)
        err_set(err, errno, "cannot start listening");
    else if (watch_fd(in, in->wake) != 0 || watch_fd(in, pipeline_fd(pipeline)) != 0)
        err_set(err, errno, "cannot watch for work");
    else if (open_default_session(in, err) == 0) {
        int failed = pthread_create(&in->thread, NULL, run, in);
        if (!failed)
            return in;
        err_set(err, failed, "cannot start the ingest thread");
    }
    ingest_free(in);
    return NULL;
}

void ingest_stop(struct ingest *in) {
    if (!in)
        return;
    pthread_mutex_lock(&in->lock);
    in->stopping = true; /* no job comes in any more; those that are in are answered */
    wake(in);
    pthread_mutex_unlock(&in->lock);
    pthread_join(in->thread, NULL);
    ingest_free(in);
}
