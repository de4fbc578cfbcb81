/* DESIGN. Series first (a judge must know a series before its samples), then the records after the oldest cursor
 * in windows of ids, so that no list grows with the backlog. A waiter with a newer cursor is skipped until the
 * window reaches it.
 *
 * Few new records are read once for all waiters. Many are read once for each session that somebody waits for, and only that
 * session's own: so a flood in another session costs nothing. After a window with few records the next one is larger.
 */
#include "http/follow.h"

#define WINDOW_IDS     16384
#define WINDOW_IDS_MAX ((uint64_t)1 << 22)
#define SHARED_IDS                                                                                           \
    256 /* up to so many for each session, one read for all is cheaper than one for each session */

struct following {
    struct waiter *list;
    const char *session; /* whose waiters are fed; NULL: all */
    uint64_t n_read;     /* records, since that was last looked at */
};

static bool waits_for_all(const struct waiter *w) {
    return strcmp(w->session, WATCH_EVERY_SESSION) == 0;
}

static bool is_following(const struct following *f, const struct waiter *w) {
    return w->takes && !w->failed && (!f->session || strcmp(w->session, f->session) == 0);
}

/* Whether this waiter wants the record; counts it when it is of its session. */
static bool wants(const struct following *f, struct waiter *w, uint64_t id, struct span session) {
    if (!is_following(f, w) || id <= w->cursor)
        return false;
    if (waits_for_all(w) || span_eq(session, span_str(w->session)))
        w->n_taken++;
    return true;
}

#define TAKER(kind, type)                                                                                    \
    static int follow_##kind(void *arg, const struct type *row) {                                            \
        struct following *f = arg;                                                                           \
        f->n_read++;                                                                                         \
        for (struct waiter *w = f->list; w; w = w->next)                                                     \
            if (wants(f, w, row->id, row->session))                                                          \
                w->failed = w->takes->kind(w->taker, row) != 0;                                              \
        return 0;                                                                                            \
    }
TAKER(sample, sample_row)
TAKER(event, event_row)
TAKER(check, check_row)
TAKER(reject, reject_row)
TAKER(loss, loss_row)

static int follow_series(void *arg, const struct series_row *row) {
    struct following *f = arg;
    for (struct waiter *w = f->list; w; w = w->next)
        if (is_following(f, w) && row->id > w->series)
            w->failed = w->takes->series(w->taker, row) != 0;
    return 0;
}

static int read_window(struct following *f, struct reader *r, const struct filter *window, struct err *err) {
    const struct reader_ops *ops = r->ops;
    if (ops->samples(r, window, true, follow_sample, f, err) != 0 ||
        ops->events(r, window, follow_event, f, err) != 0 ||
        ops->checks(r, window, follow_check, f, err) != 0 ||
        ops->rejects(r, window, follow_reject, f, err) != 0 ||
        ops->losses(r, window, follow_loss, f, err) != 0)
        return -1;
    for (struct waiter *w = f->list; w; w = w->next)
        if (is_following(f, w) && w->cursor < window->until)
            w->cursor = window->until;
    return 0;
}

/* Where the waiters that are fed stand: the oldest of each. */
static void find_oldest(const struct following *f, uint64_t *cursor, uint64_t *series) {
    *cursor = *series = UINT64_MAX;
    for (const struct waiter *w = f->list; w; w = w->next) {
        if (!is_following(f, w))
            continue;
        *cursor = w->cursor < *cursor ? w->cursor : *cursor;
        *series = w->series < *series ? w->series : *series;
    }
}

/* Feeds the waiters of the session (or of all sessions) with the records up to last_id that they have not seen. */
static int read_new(struct following *f, struct reader *r, struct span session, uint64_t last_id,
                    struct err *err) {
    uint64_t cursor, series, size = WINDOW_IDS;
    find_oldest(f, &cursor, &series);
    if (cursor == UINT64_MAX)
        return 0;
    struct filter later = {.session = session, .after_series = series};
    if (r->ops->series(r, &later, follow_series, f, err) != 0)
        return -1;
    while (cursor < last_id) {
        struct filter window = {.session = session, .since = cursor};
        window.until = last_id - cursor > size ? cursor + size : last_id;
        f->n_read = 0;
        if (read_window(f, r, &window, err) != 0)
            return -1;
        cursor = window.until;
        if (f->n_read > WINDOW_IDS / 4)
            size = WINDOW_IDS;
        else if (size < WINDOW_IDS_MAX)
            size *= 4;
    }
    return 0;
}

/* Whether no waiter before this one waits for the same session. */
static bool is_first(const struct waiter *w) {
    for (const struct waiter *before = w->prev; before; before = before->prev)
        if (before->takes && strcmp(before->session, w->session) == 0)
            return false;
    return true;
}

static int read_by_session(struct waiter *list, struct reader *r, uint64_t last_id, struct err *err) {
    for (struct waiter *w = list; w; w = w->next) {
        struct following f = {.list = list, .session = w->session};
        struct span only = waits_for_all(w) ? span_of(NULL, 0) : span_str(w->session);
        if (w->takes && is_first(w) && read_new(&f, r, only, last_id, err) != 0)
            return -1;
    }
    return 0;
}

static int take_newest(void *arg, const struct series_row *row) {
    *(uint64_t *)arg = row->id;
    return 0;
}

/* *newest: the newest series. */
static int read_for_all(struct waiter *list, struct reader *r, uint64_t *newest, struct err *err) {
    static const struct filter last_one = {.limit = 1, .newest = true};
    struct following f = {.list = list};
    uint64_t last_id, cursor, series, n_sessions = 0;
    if (r->ops->last_id(r, &last_id, err) != 0 || r->ops->series(r, &last_one, take_newest, newest, err) != 0)
        return -1;
    find_oldest(&f, &cursor, &series);
    for (const struct waiter *w = list; w && n_sessions < WINDOW_IDS / SHARED_IDS; w = w->next)
        n_sessions += w->takes && is_first(w);
    uint64_t little = n_sessions * SHARED_IDS;
    bool together = (last_id <= cursor || last_id - cursor <= little) &&
                    (*newest <= series || *newest - series <= little);
    return together ? read_new(&f, r, span_of(NULL, 0), last_id, err)
                    : read_by_session(list, r, last_id, err);
}

int follow_waiters(struct http *h, struct waiter *list, uint64_t *series, struct err *err) {
    bool any = false;
    for (const struct waiter *w = list; w && !any; w = w->next)
        any = w->takes != NULL;
    if (!any)
        return 0;
    uint64_t newest = 0;
    struct reader *r = store_reader_take(h->store, err);
    if (!r)
        return -1;
    int result = r->ops->begin(r, err);
    if (result == 0) {
        result = read_for_all(list, r, &newest, err);
        r->ops->end(r);
    }
    store_reader_give(h->store, r);
    if (result != 0)
        return result;
    for (struct waiter *w = list; w; w = w->next)
        w->series = newest > w->series ? newest : w->series;
    *series = newest > *series ? newest : *series;
    return 0;
}
