/* Who waits for what: from the name of a series, and then from its id, to the waiters that it matters to. So a record that matters to nobody
 * costs one look into a table, however many wait.
 *
 *     names    a name, or the fixed part of NAME.*, in a session or in every session -> waiters
 *     series   the id of a series that some waiter's taker follows                   -> waiters
 *     rosters  those who want all records of a kind
 *
 * Two keys that are the same by chance offer a waiter what is not for it: takers look themselves.
 *
 * Ownership: initialise with {0} and the store; interest_free. A waiter is the caller's, and stays in place until interest_remove.
 * Threads: the watch thread only.
 * Limits: 32 bytes for each name and each series that a waiter waits for.
 */
#ifndef HTTP_INTEREST_H
#define HTTP_INTEREST_H

#include "core/table.h"
#include "http/watch.h"

struct tie {
    uint64_t key;
    struct waiter *waiter;
    uint32_t next, before; /* of the same key: place + 1; 0: none */
    uint32_t next_own;     /* of the same waiter */
};

struct ties {
    struct table heads; /* place + 1; 0: nobody any more */
    struct tie *list;
    size_t n, cap, n_live;
    uint32_t unused; /* place + 1 of the first tie to use again */
};

struct roster {
    struct waiter **list;
    size_t n, cap;
};

struct interest {
    struct ties names, series;
    struct roster rosters[WATCH_ROSTERS];
    struct store *store; /* is told what is waited for; NULL: nobody is */
    bool began;          /* somebody began to wait for what may have come already: ingest_look */
};

/* With all that its taker wants. -1: out of memory; interest_remove all the same. */
int interest_add(struct interest *in, struct waiter *w);
void interest_remove(struct interest *in, struct waiter *w);
void interest_free(struct interest *in);

/* The taker of the waiter has begun to follow a series. */
int interest_follow(struct interest *in, struct waiter *w, uint64_t series_id);
bool interest_in_series(const struct interest *in, uint64_t series_id);
/* The first tie of those who follow the series, and the next one; NULL: no more. */
const struct tie *interest_series(const struct interest *in, uint64_t series_id);
const struct tie *interest_next(const struct ties *ties, const struct tie *tie);
/* Offers a series to all who wait for its name, and perhaps to some more; to one of them more than once. */
void interest_offer(struct interest *in, struct span session, struct span name,
                    void (*offer)(void *arg, struct waiter *w), void *arg);

#endif
