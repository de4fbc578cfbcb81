/* DESIGN. What other threads ask of the loop waits for a barrier first, which
 * is a fixed mark, of one session or of all:
 *
 *     begin:   what each of its sockets holds now is marked (receive_want); what comes later is not waited for
 *     read:    as much is read as was marked; the queue has a reserve for that
 *     store:   its lane, up to the mark of the last batch, ahead of its turn
 *     commit:  and it is answered
 *
 * Each turn takes a step of every one that was begun, so a long one holds up no short one. One of a session that has another
 * still reading begins after it: else a row of questions could move the first one's mark.
 */
#include "ingest/loop.h"

#include "core/clock.h"
#include "core/log.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

_Static_assert(LOOK_MOST <= PIPELINE_RESERVE, "a question's look fits into the reserve");

/* --- on the loop --------------------------------------------------------------------------------------------------- */

static uint64_t wanted_by(const enum watched *watched) {
    return *watched == WATCHED_CONNECTION ? ((const struct connection *)watched)->wanted.round
                                          : ((const struct receiver *)watched)->wanted.round;
}

/* Who holds nothing isn't ready: thousands of sockets are not asked one by one. */
static void want_all(struct ingest *in, uint64_t round) {
    struct epoll_event events[LOOP_EVENTS];
    for (bool more = true; more;) {
        int n = epoll_wait(in->epoll, events, LOOP_EVENTS, 0); /* goes on behind the last ones */
        more = false;
        for (int i = 0; i < n; i++) {
            enum watched *watched = events[i].data.ptr;
            if (*watched == WATCHED_WAKE || wanted_by(watched) == round)
                continue;
            more = true;
            receive_want(in, watched, round);
        }
    }
}

static struct open_session *session_of(struct ingest *in, uint64_t id) {
    struct open_session *s = in->sessions;
    while (s && s->is.id != id)
        s = s->next;
    return s;
}

static void want_session(struct ingest *in, uint64_t round, struct open_session *s) {
    for (struct receiver *r = s->receivers; r && r->session == s; r = r->next)
        receive_want(in, &r->watched, round);
    for (struct connection *c = in->connections; c; c = c->next)
        if (c->listener->session == s)
            receive_want(in, &c->watched, round);
}

static void begin(struct ingest *in, struct job *job) {
    job->round = ++in->round;
    struct open_session *s = session_of(in, job->session_id);
    if (job->session_id == INGEST_ALL)
        want_all(in, job->round);
    else if (s)
        want_session(in, job->round, s);
}

static bool is_reading(struct ingest *in, uint64_t session_id) {
    for (const struct job *job = in->begun; job; job = job->next)
        if (!job->read && job->session_id == session_id)
            return true;
    return false;
}

/* A drop on the way to the sockets is nobody's, so it concerns everybody. */
static void settle_loopback(struct ingest *in) {
    uint32_t drops = softnet_settle(in->softnet);
    int32_t fresh = (int32_t)(drops - in->softnet_drops);
    in->softnet_drops = drops;
    if (fresh <= 0) /* less: a CPU has gone */
        return;
    pipeline_loss(in->pipeline, 0, LOSS_KERNEL_DROP, (uint64_t)fresh,
                  SPAN("on the way to the sockets: net.core.netdev_max_backlog"));
    log_warning(
        "the kernel dropped %d packets on their way to the sockets: verdicts that they could have changed are inconclusive",
        fresh);
}

void jobs_begin(struct ingest *in) {
    struct job *fresh = NULL, **end = &fresh, **at = &in->jobs;
    pthread_mutex_lock(&in->lock);
    in->asked = false;
    while (*at) {
        struct job *job = *at;
        if (is_reading(in, job->session_id)) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        *end = job;
        end = &job->next;
    }
    in->jobs_end = at;
    *end = NULL;
    pthread_mutex_unlock(&in->lock);
    if (!fresh)
        return;
    settle_loopback(in);
    for (struct job *job = fresh, *last = NULL; job; last = job, job = job->next) {
        if (last && last->session_id == job->session_id)
            job->round = last->round;
        else
            begin(in, job);
    }
    struct job **begun = &in->begun;
    while (*begun)
        begun = &(*begun)->next;
    *begun = fresh;
}

/* Reads on what the job wants of one source, as long as there is time. Returns whether that is all read. */
static bool read_wanted(struct ingest *in, const struct job *job, enum watched *watched,
                        struct wanted *wanted, int64_t end_ns) {
    while (wanted->round >= job->round && wanted->done < job->round) {
        if (!pipeline_has_room(in->pipeline, LOOK_MOST) || clock_mono_ns() > end_ns)
            return false;
        if (receive_look(in, watched))
            break; /* empty; a connection may be gone */
    }
    return true;
}

static bool read_all_wanted(struct ingest *in, const struct job *job) {
    int64_t end_ns = clock_mono_ns() + STORE_NS;
    struct open_session *only = session_of(in, job->session_id);
    if (job->session_id != INGEST_ALL && !only)
        return true;
    for (struct receiver *r = only ? only->receivers : in->receivers; r && (!only || r->session == only);
         r = r->next)
        if (r->watched == WATCHED_SOCKET && !read_wanted(in, job, &r->watched, &r->wanted, end_ns))
            return false;
    for (struct connection *c = in->connections, *next; c; c = next) {
        next = c->next;
        if ((!only || c->listener->session == only) && !read_wanted(in, job, &c->watched, &c->wanted, end_ns))
            return false;
    }
    for (struct open_session *s = in->sessions; s; s = s->next)
        if (!only || s == only)
            datagrams_seal(&s->lane);
    return true;
}

/* One step of a job; returns whether all that it waits for is stored. */
static bool advance(struct ingest *in, struct job *job) {
    if (job->session_id == INGEST_NOTHING)
        return true;
    if (!job->read && read_all_wanted(in, job)) {
        job->read = true;
        job->mark = pipeline_mark(in->pipeline);
    }
    if (job->read && pipeline_stored(in->pipeline, job->session_id, job->mark))
        return true;
    pipeline_step(in->pipeline, job->session_id, STORE_NS);
    return job->read && pipeline_stored(in->pipeline, job->session_id, job->mark);
}

void jobs_answer(struct ingest *in) {
    struct job *ready = NULL, **end = &ready;
    for (struct job **at = &in->begun; *at;) {
        struct job *job = *at;
        if (!advance(in, job)) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        *end = job;
        end = &job->next;
    }
    *end = NULL;
    if (!ready)
        return;
    ingest_commit(in);
    for (struct job *job = ready; job; job = job->next) {
        if (job->fn)
            job->result = job->fn(in->store, job->arg, job->err);
        job->last_id = store_last_id(in->store);
    }
    for (struct job **at = &ready; *at;) {
        struct job *job = *at;
        if (!job->then) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        job->then(job->arg, job->last_id);
        free(job);
    }
    pthread_mutex_lock(&in->lock);
    for (struct job *job = ready, *next; job; job = next) {
        next = job->next; /* the asker may return as soon as it is done */
        job->done = true;
    }
    pthread_mutex_unlock(&in->lock);
    pthread_cond_broadcast(&in->job_done); /* after: those who wake need the lock */
}

/* --- from other threads -------------------------------------------------------------------------------------------- */

void jobs_wake(struct ingest *in) {
    uint64_t one = 1;
    ssize_t written = write(in->wake, &one, sizeof one);
    (void)written;
}

void jobs_add(struct ingest *in, struct job *job) {
    *in->jobs_end = job;
    in->jobs_end = &job->next;
}

/* The lock is held. */
static int put_job(struct ingest *in, struct job *job) {
    if (in->stopping)
        return err_set(job->err, ECANCELED, "the server is stopping");
    jobs_add(in, job);
    in->asked = true;
    jobs_wake(in);
    return 0;
}

static int submit(struct ingest *in, struct job *job) {
    pthread_mutex_lock(&in->lock);
    int result = put_job(in, job);
    while (result == 0 && !job->done)
        pthread_cond_wait(&in->job_done, &in->lock);
    pthread_mutex_unlock(&in->lock);
    return result ? result : job->result;
}

int ingest_call(struct ingest *in, uint64_t session_id, int (*fn)(struct store *, void *arg, struct err *),
                void *arg, struct err *err) {
    struct job job = {.session_id = session_id, .fn = fn, .arg = arg, .err = err};
    return submit(in, &job);
}

int ingest_barrier(struct ingest *in, uint64_t session_id, uint64_t *last_id, struct err *err) {
    struct job job = {.session_id = session_id, .err = err};
    int result = submit(in, &job);
    *last_id = job.last_id;
    return result;
}

int ingest_barrier_then(struct ingest *in, uint64_t session_id, void (*fn)(void *arg, uint64_t last_id),
                        void *arg, struct err *err) {
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        return err_set(err, ENOMEM, "out of memory");
    *job = (struct job){.session_id = session_id, .then = fn, .arg = arg, .err = err};
    pthread_mutex_lock(&in->lock);
    int result = put_job(in, job); /* once it is in, the loop may free it at any moment */
    pthread_mutex_unlock(&in->lock);
    if (result != 0)
        free(job);
    return result;
}
