/* The flushes that an Agent would have sent for a recording, as text, some at a time: for GET /recorder/v1/flush and for
 * `statwit flush --db`.
 *
 * The samples are read once, in the order in which they arrived. What came over HTTP as
 * series, points or sketches is left out: no Agent saw it. DogStatsD lines over HTTP (the proxy route) count, but for those with a
 * timestamp, which look the same.
 * Flush times are those that are given, or every interval_ns from the first sample on, until all is flushed. What arrived at a
 * flush time is flushed by it (if its bucket is over).
 *
 * Ownership: flush_free. What the question points to is copied by flush_new.
 * Threads: one at a time; each step may have another reader on the same recording.
 * Errors: -1 with err; then the flush is of no more use.
 * Limits: FLUSH_TIMES_MAX flush times; those of agent/agent.h. Memory does not grow with the recording.
 */
#ifndef CONTROL_FLUSH_H
#define CONTROL_FLUSH_H

#include "agent/payload.h"
#include "core/reader.h"

#define FLUSH_TIMES_MAX 10000
#define FLUSH_PAGE      ((size_t)256 << 10) /* bytes after which a step ends */
#define FLUSH_STEP      200000              /* samples after which a step ends */
#define FLUSH_TEXT_MAX  512                 /* bytes of a glob or a session's name */

struct flush_question {
    struct filter
        filter; /* session, since, until; no other conditions: what others sent is part of the rules */
    struct agent_options agent;
    enum payload_format format;
    struct span only;    /* a glob: series with such names; p == NULL: all */
    int64_t interval_ns; /* when n_at is 0 */
    size_t n_at;
    int64_t *at_ns; /* rising */
};

/* What the words of a query or of a command line say. -1 with err, a sentence. */
int flush_read_times(struct flush_question *q, struct span text,
                     struct err *err); /* "1010,1020.5"; q->at_ns to be freed */

struct flushes;
struct flushes *flush_new(const struct flush_question *q, struct err *err);
void flush_free(struct flushes *f);
/* Appends to out. 1: there is more; 0: that was all; -1. Between begin and end of the reader. */
int flush_step(struct flushes *f, struct reader *r, struct buf *out, struct err *err);

#endif
