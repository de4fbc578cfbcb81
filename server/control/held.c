/* DESIGN. Two know a look: its list, and the watch thread while the look is kept. Whoever lets go last frees it. */
#include "control/held.h"

#include "http/reading.h"
#include "http/watch.h"
#include <stdlib.h>

struct held_look {
    struct waiter waiter; /* first: the watch knows this */
    struct http *http;
    pthread_mutex_t lock;
    unsigned n_owners;
    bool watched, in_use;
    bool counted;          /* in http->n_looks_held */
    struct reader *reader; /* NULL: no look is open */
    struct samples_cursor *samples;
    int64_t until_mono_ns;
};

struct held_look *held_new(struct http *h) {
    struct held_look *held = calloc(1, sizeof *held);
    if (!held)
        return NULL;
    held->http = h;
    held->n_owners = 1;
    pthread_mutex_init(&held->lock, NULL);
    return held;
}

/* With the lock. */
static void close_look(struct held_look *held) {
    if (!held->reader)
        return;
    if (held->samples)
        held->reader->ops->samples_close(held->samples);
    http_read_end(held->http, held->reader);
    if (held->counted)
        held->http->n_looks_held--;
    held->reader = NULL;
    held->samples = NULL;
    held->counted = false;
}

/* Unlocks. */
static void let_go(struct held_look *held) {
    bool last = --held->n_owners == 0;
    pthread_mutex_unlock(&held->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&held->lock);
    free(held);
}

void held_free(struct held_look *held) {
    if (!held)
        return;
    pthread_mutex_lock(&held->lock);
    close_look(held);
    let_go(held);
}

static void held_due(struct waiter *w, enum watch_why why) {
    struct held_look *held = (struct held_look *)w;
    pthread_mutex_lock(&held->lock);
    bool later = why == WATCH_DUE && held->reader && held->until_mono_ns > clock_mono_ns();
    if (later) { /* another look than the one it was set for */
        held->waiter.due_mono_ns = held->until_mono_ns;
        pthread_mutex_unlock(&held->lock);
        watch_add(held->http->watch, &held->waiter);
        return;
    }
    held->watched = false;
    if (!held->in_use)
        close_look(held);
    let_go(held);
}

struct reader *held_take(struct held_look *held, uint64_t session_id, struct span name, struct err *err) {
    pthread_mutex_lock(&held->lock);
    held->in_use = true;
    struct reader *r = held->reader;
    pthread_mutex_unlock(&held->lock);
    if (r)
        return r;
    r = http_read_begin(held->http, session_id, name, err);
    pthread_mutex_lock(&held->lock);
    held->reader = r;
    held->until_mono_ns = clock_mono_ns() + HELD_NS;
    held->in_use = r != NULL;
    pthread_mutex_unlock(&held->lock);
    return r;
}

struct samples_cursor *held_samples(const struct held_look *held) {
    return held->samples;
}

struct samples_cursor *held_read(struct held_look *held, const struct filter *filter, struct err *err) {
    held->samples = held->reader->ops->samples_open(held->reader, filter, err);
    return held->samples;
}

/* Whether this list may keep one, too. */
static bool count_look(struct held_look *held) {
    if (!held->counted && held->http->n_looks_held++ >= HELD_MAX)
        held->http->n_looks_held--;
    else
        held->counted = true;
    held->http->n_looks_kept += held->counted;
    return held->counted;
}

void held_leave(struct held_look *held, bool keep) {
    pthread_mutex_lock(&held->lock);
    held->in_use = false;
    if (!keep || !held->samples || clock_mono_ns() >= held->until_mono_ns || !count_look(held))
        close_look(held);
    bool watch = held->reader && !held->watched;
    if (watch) {
        held->watched = true;
        held->n_owners++;
        held->waiter = (struct waiter){.fd = -1, .due_mono_ns = held->until_mono_ns, .wake = held_due};
    }
    pthread_mutex_unlock(&held->lock);
    if (watch)
        watch_add(held->http->watch, &held->waiter);
}
