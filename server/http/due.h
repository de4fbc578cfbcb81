/* The waiters by their deadlines, the earliest on top: a heap, so that who waits longer costs nothing.
 *
 * Ownership: initialise with {0}; due_free. Threads: the watch thread only.
 */
#ifndef HTTP_DUE_H
#define HTTP_DUE_H

#include "http/watch.h"

struct due {
    struct due_entry {
        int64_t mono_ns;
        struct waiter *waiter;
    } * list;
    size_t n, cap;
};

/* Puts the waiter where its due_mono_ns belongs, or takes it out when that is 0. -1: out of memory. */
int due_set(struct due *d, struct waiter *w);
void due_remove(struct due *d, struct waiter *w);
/* The earliest; NULL: none. */
static inline struct waiter *due_first(const struct due *d) {
    return d->n ? d->list[0].waiter : NULL;
}
void due_free(struct due *d);

#endif
