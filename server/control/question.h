/* A question of POST /recorder/v1/expect, for the file that reads it and the one that answers it.
 *
 * Errors: NULL once http_error (or a parse error with its place) has answered.
 * Ownership: question_free frees the judge, too. The request stays the server's, and outlives the question.
 */
#ifndef CONTROL_QUESTION_H
#define CONTROL_QUESTION_H

#include "http/watch.h"
#include "http/work.h"
#include "judge/judge.h"

struct question {
    struct waiter waiter; /* first: the watch knows this */
    struct job job;
    struct http_request *rq;
    struct judge *judge;
    uint64_t last_id;   /* of the barrier */
    uint64_t n_forgets; /* watch_forgets of its session when judging began */
    bool ended;         /* its session had ended when it was asked about */
    bool keep;          /* its report, for GET /recorder/v1/verdicts */
    bool all_sessions;  /* some claims are about every session */
    bool as_datadog;    /* judged anew from the start whenever something came */
    bool too_much;      /* more than can be shown as Datadog has it */
    bool again;         /* the session was reset since, or ended: to be judged anew */
    int64_t asked_mono_ns, settle_ns;
    int64_t deadline_mono_ns; /* of `within` */
    int64_t quiet_mono_ns;    /* since when nothing new came */
    int64_t look_mono_ns;     /* as_datadog: not judged anew before this */
    uint64_t n_taken;         /* then */
};

struct question *question_read(struct http_request *rq);
/* From a request that question_read has accepted before: its fields are known to be good. */
struct question *question_read_again(struct http_request *rq);
void question_free(struct question *q);

#endif
