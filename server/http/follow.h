/* Hands new records to waiters: each gets what it waits for (interest.h), and nothing is read of series that nobody waits for. So a flood
 * that matters to nobody costs a look at each of its chunks, not at each sample, however many wait.
 *
 * Ownership: initialise with {0}; follow_free. A waiter is the caller's, from follow_add to follow_remove.
 * Threads: the watch thread only.
 */
#ifndef HTTP_FOLLOW_H
#define HTTP_FOLLOW_H

#include "http/interest.h"

struct follow {
    struct interest interest;
    uint64_t cursor, series; /* what all but the new ones know */
    size_t n_new;
    struct waiter *touched; /* by next_touched: those to look at */
};

/* A new waiter is touched, too. One that can't be taken in has failed. */
void follow_add(struct follow *f, struct waiter *w);
/* Not while it is touched. */
void follow_remove(struct follow *f, struct waiter *w);
void follow_free(struct follow *f);

/* Hands every committed record that a waiter waits for and does not know to its taker. Those that got something, and those
 * whose taker failed, are touched; the others go on. */
int follow_new(struct follow *f, struct http *h, struct err *err);
/* The newest series in the recording: what a taker that is started now need not be told of. */
int follow_newest_series(struct reader *r, uint64_t *id, struct err *err);
/* Takes a waiter off the list of those that are touched; NULL: none. */
struct waiter *follow_touched(struct follow *f);

#endif
