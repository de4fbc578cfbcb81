#include "http/work.h"

#include <errno.h>
#include <stdlib.h>

struct work {
    pthread_mutex_t lock;
    pthread_cond_t put;
    struct job *head, *tail;
    bool stopping;
    size_t n_threads;
    pthread_t threads[HTTP_WORKERS];
};

static struct job *next_job(struct work *work) {
    pthread_mutex_lock(&work->lock);
    while (!work->head && !work->stopping)
        pthread_cond_wait(&work->put, &work->lock);
    struct job *job = work->head;
    if (job)
        work->head = job->next;
    pthread_mutex_unlock(&work->lock);
    return job;
}

static void *serve(void *arg) {
    struct job *job;
    while ((job = next_job(arg)))
        job->run(job);
    return NULL;
}

struct work *work_start(struct err *err) {
    struct work *work = calloc(1, sizeof *work);
    if (!work) {
        err_set(err, ENOMEM, "cannot start the workers");
        return NULL;
    }
    pthread_mutex_init(&work->lock, NULL);
    pthread_cond_init(&work->put, NULL);
    int failed = 0;
    while (work->n_threads < HTTP_WORKERS && !failed) {
        failed = pthread_create(&work->threads[work->n_threads], NULL, serve, work);
        if (!failed)
            pthread_setname_np(work->threads[work->n_threads++], "http-work");
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
        job->next = NULL;
        if (work->head)
            work->tail->next = job;
        else
            work->head = job;
        work->tail = job;
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
