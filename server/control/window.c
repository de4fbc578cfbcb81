#include "control/window.h"

#include "core/array.h"
#include "http/watch.h"
#include "render/rows.h"
#include <inttypes.h>
#include <stdlib.h>

#define WINDOW_MAX ((size_t)128 << 20) /* bytes of one */

struct window {
    struct window *next; /* of those that are kept, the newest first */
    size_t n_owners;     /* guarded by windows_lock */
    struct buf key;      /* what its streams ask for */
    uint64_t n_forgets;
    uint64_t since, until;     /* ids */
    uint64_t commits, last_id; /* when it was read */
    struct buf text;
    struct window_event *events;
    size_t n_events, cap_events;
};

/* --- which streams want the same ------------------------------------------------------------------------- */

static void put_text(struct buf *b, struct span s) {
    buf_u64(b, s.p ? s.n + 1 : 0);
    buf_char(b, ':');
    buf_span(b, s);
}

static void put_key(struct buf *b, const struct ask *ask) {
    const struct filter *f = &ask->filter;
    put_text(b, f->session);
    put_text(b, f->name);
    put_text(b, ask->type);
    buf_u64(b, f->has_source ? (uint64_t)f->source + 1 : 0);
    buf_char(b, f->remarked ? 'r' : ' ');
    buf_u64(b, f->n_tags);
    buf_char(b, ' ');
    for (size_t i = 0; i < f->n_tags; i++)
        put_text(b, f->tags[i]);
}

/* --- reading --------------------------------------------------------------------------------------------- */

static int add(struct window *w, uint64_t id, const char *event, void (*write)(struct buf *, const void *),
               const void *row) {
    if (!array_room(&w->events, w->n_events, &w->cap_events, sizeof *w->events)) {
        w->text.failed = true;
        return 1;
    }
    struct window_event *e = &w->events[w->n_events++];
    *e = (struct window_event){.id = id, .at = w->text.n};
    buf_str(&w->text, "id: ");
    buf_u64(&w->text, id);
    buf_str(&w->text, "\nevent: ");
    buf_str(&w->text, event);
    buf_str(&w->text, "\ndata: ");
    write(&w->text, row);
    buf_str(&w->text, "\n\n");
    e->n = w->text.n - e->at;
    return w->text.failed;
}

#define ADDER(name, type, event)                                                                             \
    static void write_##name(struct buf *b, const void *row) {                                               \
        rows_##name##_json(b, (const struct type *)row);                                                     \
    }                                                                                                        \
    static int add_##name(void *arg, const struct type *row) {                                               \
        return add(arg, row->id, event, write_##name, row);                                                  \
    }
ADDER(sample, sample_row, "sample")
ADDER(event, event_row, "event")
ADDER(check, check_row, "service_check")
ADDER(reject, reject_row, "reject")

static int by_id(const void *a, const void *b) {
    uint64_t x = ((const struct window_event *)a)->id, y = ((const struct window_event *)b)->id;
    return (x > y) - (x < y);
}

/* The records of the next WINDOW_IDS ids. */
static int read_ids(struct window *w, const struct ask *ask, struct reader *r, uint64_t last_id,
                    struct err *err) {
    const struct reader_ops *ops = r->ops;
    struct filter f = ask->filter;
    f.since = w->until;
    f.until = last_id - w->until > WINDOW_IDS ? w->until + WINDOW_IDS : last_id;
    struct span type = ask->type;
    bool all = !type.p, metric = f.has_type || span_eq(type, SPAN("metric"));
    bool check = span_eq(type, SPAN("check")) || span_eq(type, SPAN("service_check"));
    int failed = (all || metric) && ops->samples(r, &f, true, add_sample, w, err);
    failed = failed || ((all || span_eq(type, SPAN("event"))) && ops->events(r, &f, add_event, w, err));
    failed = failed || ((all || check) && ops->checks(r, &f, add_check, w, err));
    failed = failed || (all && ops->rejects(r, &f, add_reject, w, err));
    w->until = f.until;
    return failed || w->text.failed ? -1 : 0;
}

static int fill(struct window *w, struct http *h, const struct ask *ask, struct err *err) {
    w->commits = watch_commits(h);
    struct reader *r = store_reader_take(h->store, err);
    int failed = !r || r->ops->begin(r, err);
    if (!failed) {
        failed = reader_last_id(r, ask->session_id, &w->last_id, err);
        while (!failed && w->n_events == 0 && w->until < w->last_id)
            failed = read_ids(w, ask, r, w->last_id, err);
        r->ops->end(r);
    }
    if (r)
        store_reader_give(h->store, r);
    if (!failed && w->n_events > 1)
        qsort(w->events, w->n_events, sizeof w->events[0], by_id);
    return failed ? -1 : 0;
}

/* --- sharing --------------------------------------------------------------------------------------------- */

static void window_free(struct window *w) {
    buf_free(&w->key);
    buf_free(&w->text);
    free(w->events);
    free(w);
}

/* With the lock. */
static void let_go(struct window *w) {
    if (--w->n_owners == 0)
        window_free(w);
}

void window_drop(struct http *h, struct window *w) {
    if (!w)
        return;
    pthread_mutex_lock(&h->windows_lock);
    let_go(w);
    pthread_mutex_unlock(&h->windows_lock);
}

void windows_begin(struct http *h) {
    pthread_mutex_lock(&h->windows_lock);
    h->n_streams++;
    pthread_mutex_unlock(&h->windows_lock);
}

void windows_end(struct http *h, struct window *last) {
    pthread_mutex_lock(&h->windows_lock);
    if (last)
        let_go(last);
    if (--h->n_streams == 0)
        for (struct window *w; (w = h->windows);) {
            h->windows = w->next;
            let_go(w);
        }
    pthread_mutex_unlock(&h->windows_lock);
}

/* Another stream's window in which `cursor` stands; NULL: there is none. */
static struct window *find(struct http *h, const struct window *like) {
    pthread_mutex_lock(&h->windows_lock);
    struct window *w = h->windows;
    while (w && !(w->since <= like->since && like->since < w->until && w->n_forgets == like->n_forgets &&
                  span_eq(buf_view(&w->key), buf_view(&like->key))))
        w = w->next;
    if (w)
        w->n_owners++;
    pthread_mutex_unlock(&h->windows_lock);
    return w;
}

/* For others, in place of the oldest ones. */
static void keep(struct http *h, struct window *w) {
    size_t n = 0, bytes = 0;
    if (w->text.cap > WINDOWS_BYTES / 2)
        return;
    pthread_mutex_lock(&h->windows_lock);
    w->n_owners++;
    w->next = h->windows;
    h->windows = w;
    for (struct window **at = &h->windows; *at;) {
        struct window *old = *at;
        bytes += old->text.cap + old->cap_events * sizeof *old->events;
        if (n++ < WINDOWS_KEPT && bytes <= WINDOWS_BYTES) {
            at = &old->next;
            continue;
        }
        *at = old->next;
        let_go(old);
    }
    pthread_mutex_unlock(&h->windows_lock);
}

struct window *window_next(struct http *h, const struct ask *ask, uint64_t n_forgets, uint64_t *cursor,
                           struct err *err) {
    struct window *w = calloc(1, sizeof *w), *known;
    if (!w) {
        err_set(err, 0, "out of memory");
        return NULL;
    }
    *w = (struct window){
        .n_owners = 1, .n_forgets = n_forgets, .since = *cursor, .until = *cursor, .text.max = WINDOW_MAX};
    put_key(&w->key, ask);
    bool shares = !h->options.view; /* nobody tells there of what a recorder forgets */
    known = shares ? find(h, w) : NULL;
    if (!known && fill(w, h, ask, err) == 0) {
        if (shares && w->until > w->since)
            keep(h, w);
        *cursor = w->until;
        return w;
    }
    window_free(w);
    if (known)
        *cursor = known->until;
    return known;
}

const struct window_event *window_events(const struct window *w, uint64_t since, size_t *n) {
    size_t first = 0;
    while (first < w->n_events && w->events[first].id <= since)
        first++;
    *n = w->n_events - first;
    return first ? w->events + first : w->events; /* NULL when there are none */
}

bool window_is_last(const struct window *w, uint64_t *commits) {
    *commits = w->commits;
    return w->until >= w->last_id;
}

const char *window_text(const struct window *w) {
    return w->text.p;
}
