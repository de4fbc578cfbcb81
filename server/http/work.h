/* A few threads for what is too long for a thread of libmicrohttpd's pool, which has other connections to
 * serve.
 *
 * A job that may take seconds is WORK_LONG. Long jobs never get all threads: HTTP_WORKERS_FOR_SHORT stay free, so that a short
 * question is answered soon, however many long ones are asked.
 *
 * Ownership: a job's memory is its owner's; it may be freed inside `run`.
 * Threads: any. Jobs of one length start in the order in which they were put.
 */
#ifndef HTTP_WORK_H
#define HTTP_WORK_H

#include "http/server.h"

enum work_length { WORK_SHORT, WORK_LONG };

struct job {
    struct job *next; /* the queue's */
    enum work_length length;
    void (*run)(struct job *job);
};

struct work;
/* Each worker calls rests(arg) before it waits for a job or begins a long one, and after every WORK_ROW jobs at the latest: what its jobs left
 * for another thread is told then, together. */
#define WORK_ROW 16
struct work *work_start(void (*rests)(void *arg), void *arg, struct err *err);
/* Whether the calling thread is a worker. */
bool work_is_worker(void);
/* false once stopping. */
bool work_put(struct work *work, struct job *job);
/* Runs the jobs that were put, then ends the threads. Later jobs are refused. */
void work_stop(struct work *work);
void work_free(struct work *work);

#endif
