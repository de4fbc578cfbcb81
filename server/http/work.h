/* A few threads for what is too long for a thread of libmicrohttpd's pool, which has other connections to
 * serve.
 *
 * Ownership: a job's memory is its owner's; it may be freed inside `run`.
 * Threads: any. Jobs start in the order in which they were put.
 */
#ifndef HTTP_WORK_H
#define HTTP_WORK_H

#include "http/server.h"

struct job {
    struct job *next; /* the queue's */
    void (*run)(struct job *job);
};

struct work;
struct work *work_start(struct err *err);
/* false once stopping. */
bool work_put(struct work *work, struct job *job);
/* Runs what was put, then ends the threads; what is put from then on is refused. */
void work_stop(struct work *work);
void work_free(struct work *work);

#endif
