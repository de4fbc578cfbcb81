#include "http/work.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>

struct work {
    pthread_mutex_t lock;
    pthread_cond_t put;
    struct queue {
        struct job *head, *tail;
    } queues[2];   /* by enum work_length */
    size_t n_long; /* long jobs under way */
    bool stopping;
    void (*rests)(void *arg);
    void *rests_arg;
    size_t n_threads;
    pthread_t threads[HTTP_WORKERS];
};

static struct job *take_first(struct queue *queue) {
    struct job *job = queue->head;
    if (job)
        queue->head = job->next;
    return job;
}

/* Long ones go first, as they may only have some of the threads; else they would wait for ever behind short ones. */
static struct job *take_job(struct work *work) {
    struct job *job = NULL;
    if (work->n_long < HTTP_WORKERS - HTTP_WORKERS_FOR_SHORT)
        job = take_first(&work->queues[WORK_LONG]);
    if (job)
        work->n_long++;
    return job ? job : take_first(&work->queues[WORK_SHORT]);
}

/* Of this thread: jobs that were run since it rested; -1: it is no worker. */
static _Thread_local int n_run = -1;

bool work_is_worker(void) {
    return n_run >= 0;
}

static void rest(struct work *work) {
    n_run = 0;
    work->rests(work->rests_arg);
}

/* The next job; NULL when there will be none. was_long: the thread has just done a long one. */
static struct job *next_job(struct work *work, bool was_long) {
    pthread_mutex_lock(&work->lock);
    work->n_long -= was_long;
    struct job *job;
    while (!(job = take_job(work)) && (n_run > 0 || !work->stopping)) {
        if (n_run == 0) {
            pthread_cond_wait(&work->put, &work->lock);
            continue;
        }
        pthread_mutex_unlock(&work->lock);
        rest(work);
        pthread_mutex_lock(&work->lock);
    }
    pthread_mutex_unlock(&work->lock);
    return job;
}

static void *serve(void *arg) {
    struct work *work = arg;
    struct job *job;
    bool is_long = false;
    n_run = 0;
    /* From outside it would take a file of /proc, which costs more than the thread. */
    prctl(PR_SET_NAME, "http-work");
    while ((job = next_job(work, is_long))) {
        is_long = job->length == WORK_LONG;
        if (n_run == WORK_ROW || (is_long && n_run > 0))
            rest(work);
        n_run++;
        job->run(job);
    }
    return NULL;
}

struct work *work_start(void (*rests)(void *arg), void *arg, struct err *err) {
    struct work *work = calloc(1, sizeof *work);
    if (!work) {
        err_set(err, ENOMEM, "cannot start the workers");
        return NULL;
    }
    work->rests = rests;
    work->rests_arg = arg;
    pthread_mutex_init(&work->lock, NULL);
    pthread_cond_init(&work->put, NULL);
    /* All from the start: who was told that the server is ready may leave it no thread to spare. */
    int failed = 0;
    while (work->n_threads < HTTP_WORKERS && !failed) {
        failed = pthread_create(&work->threads[work->n_threads], NULL, serve, work);
        work->n_threads += !failed;
    }
    if (!failed)
        return work;
    err_set(err, failed, "cannot start the workers");
    work_stop(work);
    work_free(work);
    return NULL;
}

bool work_put(struct work *work, struct job *job) {
    pthread_mutex_lock(&work->lock);
    bool taken = !work->stopping;
    if (taken) {
        struct queue *queue = &work->queues[job->length];
        job->next = NULL;
        if (queue->head)
            queue->tail->next = job;
        else
            queue->head = job;
        queue->tail = job;
        pthread_cond_signal(&work->put);
    }
    pthread_mutex_unlock(&work->lock);
    return taken;
}

void work_stop(struct work *work) {
    if (!work)
        return;
    pthread_mutex_lock(&work->lock);
    work->stopping = true;
    pthread_cond_broadcast(&work->put);
    pthread_mutex_unlock(&work->lock);
    for (size_t i = 0; i < work->n_threads; i++)
        pthread_join(work->threads[i], NULL);
}

void work_free(struct work *work) {
    if (!work)
        return;
    pthread_cond_destroy(&work->put);
    pthread_mutex_destroy(&work->lock);
    free(work);
}
