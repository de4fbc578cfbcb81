/* DESIGN. What other threads ask of the loop waits for a barrier first, which is a fixed mark, of one session or of all:
 *
 *     begin:   what each of its sockets holds now is marked (receive_want); what comes later is not waited for
 *     read:    as much is read as was marked; the queue has a reserve for that
 *     store:   its lane, up to the mark of the last batch, ahead of its turn
 *     commit:  and it is answered
 *
 * Each turn takes a step of every one that was begun, so a long one holds up no short one. One of a session that has another
 * still reading begins after it: else a row of questions could move the first one's mark.
 *
 * What a POST brings has a barrier, too, of which only the first two steps are needed: it gets its place in the queue once all
 * that its session's sockets held is there. So what one sender sent over a socket and then in a POST is recorded in that order.
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

static struct wanted *wanted_of(enum watched *watched) {
    return *watched == WATCHED_CONNECTION ? &((struct connection *)watched)->wanted
                                          : &((struct receiver *)watched)->wanted;
}

static struct open_session *owner_of(const enum watched *watched) {
    return *watched == WATCHED_CONNECTION ? ((const struct connection *)watched)->listener->session
                                          : ((const struct receiver *)watched)->session;
}

/* A socket that holds nothing isn't in the row, so thousands of sockets need not be asked one by one. s NULL: all sessions. */
static void want_ready(struct ingest *in, uint64_t round, const struct open_session *s) {
    for (enum watched *w = in->ready_first, *next; w; w = next) { /* connections come in here */
        next = ready_next(w);
        if (*w == WATCHED_LISTENER && (!s || owner_of(w) == s))
            receive_want(in, w, round);
    }
    for (enum watched *w = in->ready_first; w; w = ready_next(w))
        if (!s || owner_of(w) == s)
            receive_want(in, w, round);
}

static struct open_session *session_of(struct ingest *in, uint64_t id) {
    struct open_session *s = in->sessions;
    while (s && s->is.id != id)
        s = s->next;
    return s;
}

/* A UDP socket's drops are read even when the socket is empty. */
static void want_session(struct ingest *in, uint64_t round, struct open_session *s) {
    for (struct receiver *r = s->receivers; r && r->session == s; r = r->next)
        if (r->source == SOURCE_UDP && !ready_holds(&r->watched))
            receive_want(in, &r->watched, round);
    want_ready(in, round, s);
}

static void begin_job(struct ingest *in, struct ingest_job *job) {
    job->round = ++in->round;
    struct open_session *s = session_of(in, job->session_id);
    if (job->session_id == INGEST_ALL)
        want_ready(in, job->round, NULL);
    else if (s)
        want_session(in, job->round, s);
}

static bool is_reading(struct ingest *in, uint64_t session_id) {
    for (const struct ingest_job *job = in->begun; job; job = job->next)
        if (!job->read && job->session_id == session_id)
            return true;
    return false;
}

/* Records that may be missing although no counter says so make verdicts inconclusive, too. */
static void tell_unsure(struct ingest *in, const char *why) {
    bool too_many = strcmp(why, SOFTNET_TOO_MANY) == 0;
    if (too_many && in->too_many_cpus)
        return;
    in->too_many_cpus = in->too_many_cpus || too_many;
    pipeline_loss(in->pipeline, 0, LOSS_KERNEL_DROP, 1, span_str(why));
    log_warning("packets may be missing (%s): verdicts that they could change are inconclusive", why);
}

/* A drop on the way to the sockets is nobody's, so it concerns everybody. */
static void settle_loopback(struct ingest *in) {
    const char *unsure;
    uint32_t drops = softnet_settle(in->softnet, &unsure);
    if (unsure)
        tell_unsure(in, unsure);
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

/* Takes the questions that can begin off the list, which is in->jobs. *all: one of them is of every session. */
static struct ingest_job *take_questions(struct ingest *in, bool *all) {
    struct ingest_job *fresh = NULL, **end = &fresh, **at = &in->jobs;
    *all = false;
    pthread_mutex_lock(&in->lock);
    while (*at) {
        struct ingest_job *job = *at;
        if (is_reading(in, job->session_id)) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        *end = job;
        end = &job->next;
        *all = *all || job->session_id == INGEST_ALL;
    }
    in->jobs_end = at;
    in->asked = in->jobs != NULL; /* the next turn looks at these again */
    *end = NULL;
    pthread_mutex_unlock(&in->lock);
    return fresh;
}

/* The job among these that lets in what was put for the session; made where there is none. NULL: out of memory. */
static struct ingest_job *letting_in(struct ingest_job **list, uint64_t session_id) {
    while (*list && (*list)->session_id != session_id)
        list = &(*list)->next;
    if (!*list && (*list = calloc(1, sizeof **list))) {
        (*list)->session_id = session_id;
        (*list)->posts_end = &(*list)->posts;
    }
    return *list;
}

/* What was put becomes jobs that let it into the queue, one for each session. Of a session that is being read it waits, unless a
 * question about all sessions is there, which waits for all that was put before. */
static struct ingest_job *take_posts(struct ingest *in, bool all) {
    struct ingest_job *fresh = NULL;
    *in->posts_end = pipeline_take(in->pipeline);
    for (struct batch **at = &in->posts; *at;) {
        struct batch *b = *at;
        if (!all && is_reading(in, b->session_id)) {
            at = &b->next;
            continue;
        }
        *at = b->next;
        b->next = NULL;
        struct ingest_job *job = letting_in(&fresh, b->session_id);
        if (!job) {
            pipeline_let_in(in->pipeline, b);
            continue;
        }
        *job->posts_end = b;
        job->posts_end = &b->next;
    }
    in->posts_end = &in->posts;
    while (*in->posts_end)
        in->posts_end = &(*in->posts_end)->next;
    return fresh;
}

static struct ingest_job **end_of(struct ingest_job **list) {
    while (*list)
        list = &(*list)->next;
    return list;
}

void jobs_begin(struct ingest *in) {
    bool all;
    struct ingest_job *questions =
        take_questions(in, &all); /* first: what was put before them is there then */
    struct ingest_job *fresh = take_posts(in, all);
    *end_of(&fresh) = questions;
    if (!fresh)
        return;
    settle_loopback(in);
    ready_collect(in, 0);
    for (struct ingest_job *job = fresh, *last = NULL; job; last = job, job = job->next) {
        if (last && last->session_id == job->session_id)
            job->round = last->round;
        else
            begin_job(in, job);
    }
    *end_of(&in->begun) = fresh;
}

/* A step of reading. It reads something, however long it took to find it. */
struct read_step {
    int64_t end_ns;
    bool begun;
};

/* Reads on what the job wants of one source, as long as there is time. Returns whether that is all read. */
static bool read_wanted(struct ingest *in, const struct ingest_job *job, enum watched *watched,
                        struct read_step *step) {
    const struct wanted *wanted = wanted_of(watched);
    while (wanted->round >= job->round && wanted->done < job->round) {
        if (!pipeline_has_room(in->pipeline, LOOK_MOST) || (step->begun && clock_mono_ns() > step->end_ns))
            return false;
        step->begun = true;
        if (ready_read(in, watched, true))
            break; /* empty; a connection may be gone */
    }
    return true;
}

/* In the order in which they got something. */
static bool read_ready(struct ingest *in, const struct ingest_job *job, const struct open_session *only,
                       struct read_step *step) {
    for (enum watched *w = in->ready_first, *next; w; w = next) {
        next = ready_next(w);
        if ((!only || owner_of(w) == only) && !read_wanted(in, job, w, step))
            return false;
    }
    return true;
}

static bool read_all_wanted(struct ingest *in, const struct ingest_job *job) {
    struct read_step step = {.end_ns = clock_mono_ns() + STORE_NS};
    struct open_session *only = session_of(in, job->session_id);
    if (job->session_id != INGEST_ALL && !only)
        return true;
    if (!read_ready(in, job, only, &step))
        return false;
    for (struct receiver *r = only ? only->receivers : NULL; r && r->session == only; r = r->next)
        if (r->source == SOURCE_UDP && !read_wanted(in, job, &r->watched, &step)) /* one that seemed empty */
            return false;
    for (struct open_session *s = only ? only : in->sessions; s; s = only ? NULL : s->next)
        datagrams_seal(&s->lane);
    ready_collect(in, 0);
    return true;
}

/* Whether something that was put before the job has no place in the queue yet. */
static bool waits_for_posts(const struct ingest *in, const struct ingest_job *job) {
    for (const struct ingest_job *before = in->begun; before != job; before = before->next)
        if (before->posts && (job->session_id == INGEST_ALL || before->session_id == job->session_id))
            return true;
    return false;
}

/* Behind what its session's sockets held when it was put. */
static bool let_in(struct ingest *in, struct ingest_job *job) {
    if (!read_all_wanted(in, job) || waits_for_posts(in, job))
        return false;
    pipeline_let_in(in->pipeline, job->posts);
    return true;
}

/* One step of a job; returns whether all that it waits for is stored. */
static bool advance(struct ingest *in, struct ingest_job *job) {
    if (job->session_id == INGEST_NOTHING)
        return true;
    if (!job->read && read_all_wanted(in, job) && !waits_for_posts(in, job)) {
        job->read = true;
        job->mark = pipeline_mark(in->pipeline);
    }
    if (job->read && pipeline_stored(in->pipeline, job->session_id, job->mark))
        return true;
    pipeline_step(in->pipeline, job->session_id, STORE_NS);
    return job->read && pipeline_stored(in->pipeline, job->session_id, job->mark);
}

/* A step of each. Returns the questions that can be answered now. */
static struct ingest_job *advance_all(struct ingest *in) {
    struct ingest_job *ready = NULL, **end = &ready;
    for (struct ingest_job **at = &in->begun; *at;) {
        struct ingest_job *job = *at;
        if (!(job->posts ? let_in(in, job) : advance(in, job))) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        if (job->posts) {
            free(job);
            continue;
        }
        *end = job;
        end = &job->next;
    }
    *end = NULL;
    return ready;
}

void jobs_answer(struct ingest *in) {
    struct ingest_job *ready = advance_all(in);
    if (!ready)
        return;
    ingest_commit(in);
    for (struct ingest_job *job = ready; job; job = job->next) {
        if (job->fn)
            job->result = job->fn(in->store, job->arg, job->err);
        job->last_id = store_last_id(in->store);
    }
    for (struct ingest_job **at = &ready; *at;) {
        struct ingest_job *job = *at;
        if (!job->then) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        job->then(job->arg, job->last_id);
        free(job);
    }
    pthread_mutex_lock(&in->lock);
    for (struct ingest_job *job = ready, *next; job; job = next) {
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

void ingest_look(struct ingest *in) {
    jobs_wake(in);
}

void jobs_add(struct ingest *in, struct ingest_job *job) {
    *in->jobs_end = job;
    in->jobs_end = &job->next;
}

/* The lock is held. */
static int put_job(struct ingest *in, struct ingest_job *job) {
    if (in->ending)
        return err_set(job->err, ECANCELED, "the server is stopping");
    jobs_add(in, job);
    in->asked = true;
    jobs_wake(in);
    return 0;
}

static int submit(struct ingest *in, struct ingest_job *job) {
    pthread_mutex_lock(&in->lock);
    int result = put_job(in, job);
    while (result == 0 && !job->done)
        pthread_cond_wait(&in->job_done, &in->lock);
    pthread_mutex_unlock(&in->lock);
    return result ? result : job->result;
}

int ingest_call(struct ingest *in, uint64_t session_id, int (*fn)(struct store *, void *arg, struct err *),
                void *arg, struct err *err) {
    struct ingest_job job = {.session_id = session_id, .fn = fn, .arg = arg, .err = err};
    return submit(in, &job);
}

int ingest_barrier(struct ingest *in, uint64_t session_id, uint64_t *last_id, struct err *err) {
    struct ingest_job job = {.session_id = session_id, .err = err};
    int result = submit(in, &job);
    *last_id = job.last_id;
    return result;
}

int ingest_barrier_then(struct ingest *in, uint64_t session_id, void (*fn)(void *arg, uint64_t last_id),
                        void *arg, struct err *err) {
    struct ingest_job *job = calloc(1, sizeof *job);
    if (!job)
        return err_set(err, ENOMEM, "out of memory");
    *job = (struct ingest_job){.session_id = session_id, .then = fn, .arg = arg, .err = err};
    pthread_mutex_lock(&in->lock);
    int result = put_job(in, job); /* once it is in, the loop may free it at any moment */
    pthread_mutex_unlock(&in->lock);
    if (result != 0)
        free(job);
    return result;
}
