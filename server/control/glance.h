/* A question that reads the recording on a worker thread: /recorder/v1/metrics, tags, timeline and histogram.
 *
 * Ownership: glance_answer copies `ask`. The request is asleep until the answer is filled.
 * Threads: `fill` runs on a worker; the reader is its own, between begin and end.
 * Errors: `fill` returns -1 with err filled (a 500), or answers http_error itself and returns 0.
 */
#ifndef CONTROL_GLANCE_H
#define CONTROL_GLANCE_H

#include "control/ask.h"

/* What all of these questions take. */
#define GLANCE_ARGS "session", "name", "type", "tag", "settled"

struct glance {
    struct job job;
    struct http_request *rq;
    struct ask ask;
    uint64_t last_id; /* the answer is about records up to this one */
    struct reader *reader;
    int (*fill)(struct glance *g, struct buf *b, struct err *err);
};

void glance_answer(struct http_request *rq, const struct ask *ask,
                   int (*fill)(struct glance *g, struct buf *b, struct err *err));

/* The newest samples that `ask` chooses, for timeline and histogram. */
#define GLANCE_SAMPLES_MAX 100000 /* read for one answer; with more, the answer says "partial":true */
struct glance_point {
    int64_t at_ns;                /* the client's timestamp, else when it came */
    double value, weight, factor; /* of a set: NaN; as metric_weigh says */
};
struct glance_points {
    struct glance_point *list;
    size_t n, cap;
    bool partial, failed;
};
/* Ownership: the caller frees points->list. What is read is kept for the next question that chooses the same: points.c. */
int glance_points(struct glance *g, struct glance_points *points, struct err *err);

/* "name":VALUE and, where a number is not finite, null. Begins with a comma. */
void glance_number(struct buf *b, const char *name, double value);

#endif
