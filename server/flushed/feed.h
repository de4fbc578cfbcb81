/* Feeds an Agent's aggregator with what a recording holds of DogStatsD, some at a time.
 *
 * The samples are read once, in the order in which they arrived. What came over HTTP as series, points or sketches is no Agent's:
 * it is handed to `other`. DogStatsD lines over HTTP (the proxy route) count, but for those with a timestamp, which look the same.
 * Flush times are those that are given, or every interval_ns from the first sample on, until all is flushed. What arrived at a
 * flush time is flushed by it (if its bucket is over).
 *
 * Ownership: feed_free. What the question points to is copied by feed_new.
 * Threads: one at a time; each step may have another reader on the same recording.
 * Errors: -1 with err; then the feed is of no more use.
 * Limits: FEED_TIMES_MAX flush times; those of agent/agent.h. Memory does not grow with the recording.
 */
#ifndef FLUSHED_FEED_H
#define FLUSHED_FEED_H

#include "agent/agent.h"
#include "core/reader.h"

#define FEED_TIMES_MAX 10000
#define FEED_STEP      200000 /* samples after which a step ends */
#define FEED_TEXT_MAX  512    /* bytes of a session's name */

struct feed_question {
    struct filter
        filter; /* session, since, until; no other conditions: what others sent is part of the rules */
    struct agent_options agent;
    int64_t interval_ns; /* when n_at is 0 */
    size_t n_at;
    int64_t *at_ns; /* rising */
};

/* Who takes what comes out. */
struct feed_taker {
    const struct agent_sink *sink;
    /* A sample that did not come as a line; non-zero ends the feed, with the taker's own error. NULL: not wanted. */
    int (*other)(void *arg, const struct sample_row *row);
    /* An event or a check, as the JSON of agent/records.h: an Agent passes it on with its next flush. NULL: not wanted. */
    void (*record)(void *arg, bool is_check, struct span json);
    /* Whether the step is to end; NULL: never. */
    bool (*enough)(void *arg);
    void *arg;
};

/* What the words of a query or of a command line say: "1010,1020.5". q->at_ns is to be freed. -1 with err, a sentence. */
int feed_read_times(struct feed_question *q, struct span text, struct err *err);

struct feed;
struct feed *feed_new(const struct feed_question *q, const struct feed_taker *taker, struct err *err);
void feed_free(struct feed *f);
/* 1: there is more; 0: that was all; -1. Between begin and end of the reader. */
int feed_step(struct feed *f, struct reader *r, struct err *err);
/* The newest record that was taken, and when it arrived. */
uint64_t feed_id(const struct feed *f);
int64_t feed_at_ns(const struct feed *f);

#endif
