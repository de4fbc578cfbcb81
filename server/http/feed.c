/* DESIGN. One look at the recording for all: series first (a judge must know a series before its samples),
 * then the records after the oldest cursor in windows of ids, so that no list grows with the backlog. Who
 * joined later, with a newer cursor, is passed over until the window reaches it.
 */
#include "http/feed.h"

#include "judge/judge.h"

#define WINDOW_IDS 16384

struct feed {
    struct waiter *list;
    uint64_t newest_series;
};

/* Whether this waiter wants the record; counts it when it is of its session. */
static bool wants(struct waiter *w, uint64_t id, struct span session) {
    if (!w->feed || w->failed || id <= w->cursor)
        return false;
    if (span_eq(session, span_str(w->session)))
        w->n_fed++;
    return true;
}

#define FEEDER(kind, type)                                                                                   \
    static int feed_##kind(void *arg, const struct type *row) {                                              \
        struct feed *f = arg;                                                                                \
        for (struct waiter *w = f->list; w; w = w->next)                                                     \
            if (wants(w, row->id, row->session))                                                             \
                w->failed = judge_feed_##kind(w->feed, row) != 0;                                            \
        return 0;                                                                                            \
    }
FEEDER(sample, sample_row)
FEEDER(event, event_row)
FEEDER(check, check_row)
FEEDER(reject, reject_row)
FEEDER(loss, loss_row)

static int feed_series(void *arg, const struct series_row *row) {
    struct feed *f = arg;
    for (struct waiter *w = f->list; w; w = w->next)
        if (w->feed && !w->failed && row->id > w->series)
            w->failed = judge_feed_series(w->feed, row) != 0;
    if (row->id > f->newest_series)
        f->newest_series = row->id;
    return 0;
}

static int read_window(struct feed *f, struct reader *r, const struct filter *window, struct err *err) {
    const struct reader_ops *ops = r->ops;
    if (ops->samples(r, window, true, feed_sample, f, err) != 0 ||
        ops->events(r, window, feed_event, f, err) != 0 || ops->checks(r, window, feed_check, f, err) != 0 ||
        ops->rejects(r, window, feed_reject, f, err) != 0 || ops->losses(r, window, feed_loss, f, err) != 0)
        return -1;
    for (struct waiter *w = f->list; w; w = w->next)
        if (w->cursor < window->until)
            w->cursor = window->until;
    return 0;
}

static int read_new(struct feed *f, struct reader *r, struct err *err) {
    uint64_t last_id, cursor = UINT64_MAX, series = UINT64_MAX;
    for (const struct waiter *w = f->list; w; w = w->next) {
        if (!w->feed)
            continue;
        cursor = w->cursor < cursor ? w->cursor : cursor;
        series = w->series < series ? w->series : series;
    }
    struct filter later = {.after_series = series};
    if (r->ops->last_id(r, &last_id, err) != 0 || r->ops->series(r, &later, feed_series, f, err) != 0)
        return -1;
    while (cursor < last_id) {
        struct filter window = {.since = cursor};
        window.until = last_id - cursor > WINDOW_IDS ? cursor + WINDOW_IDS : last_id;
        if (read_window(f, r, &window, err) != 0)
            return -1;
        cursor = window.until;
    }
    return 0;
}

int feed_waiters(struct http *h, struct waiter *list, uint64_t *series, struct err *err) {
    bool any = false;
    for (const struct waiter *w = list; w && !any; w = w->next)
        any = w->feed != NULL;
    if (!any)
        return 0;
    struct feed f = {.list = list, .newest_series = *series};
    struct reader *r = store_reader_take(h->store, err);
    if (!r)
        return -1;
    int result = r->ops->begin(r, err);
    if (result == 0) {
        result = read_new(&f, r, err);
        r->ops->end(r);
    }
    store_reader_give(h->store, r);
    for (struct waiter *w = list; w && result == 0; w = w->next)
        w->series = f.newest_series > w->series ? f.newest_series : w->series;
    *series = f.newest_series;
    return result;
}
