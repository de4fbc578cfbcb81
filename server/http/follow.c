/* DESIGN. Series first (a judge must know a series before its samples), then the records after the cursor. A new waiter may know less or
 * more than the others: then reading begins at the oldest of its cursors, and each gets what it has not seen.
 *
 * New series are read for all sessions together when they are few, else for each session that somebody waits for: so a flood of
 * series in another session costs nothing.
 */
#include "http/follow.h"

#define SHARED_SERIES 256 /* new ones: up to so many for each session, one read for all is cheaper */

struct following {
    struct follow *follow;
    struct reader *reader;
    uint64_t last_id, newest_series;
    const struct series_row *series; /* that is being offered */
    struct span session;             /* whose waiters it is offered to; p == NULL: all */
};

static void touch(struct follow *f, struct waiter *w) {
    if (w->touched)
        return;
    w->touched = true;
    w->next_touched = f->touched;
    f->touched = w;
}

struct waiter *follow_touched(struct follow *f) {
    struct waiter *w = f->touched;
    if (w) {
        f->touched = w->next_touched;
        w->touched = false;
    }
    return w;
}

void follow_add(struct follow *f, struct waiter *w) {
    w->is_new = w->takes != NULL;
    f->n_new += w->is_new;
    if (interest_add(&f->interest, w) != 0)
        w->failed = true;
    touch(f, w);
}

void follow_remove(struct follow *f, struct waiter *w) {
    f->n_new -= w->is_new;
    w->is_new = false;
    interest_remove(&f->interest, w);
}

void follow_free(struct follow *f) {
    interest_free(&f->interest);
}

/* --- records --------------------------------------------------------------------------------------------- */

static bool waits_for_all(const struct waiter *w) {
    return strcmp(w->session, WATCH_EVERY_SESSION) == 0;
}

/* p == NULL: it concerns every session. */
static bool is_for(const struct waiter *w, struct span session) {
    return !session.p || waits_for_all(w) || span_eq(session, span_str(w->session));
}

static bool has_seen(const struct follow *f, const struct waiter *w, uint64_t id) {
    return id <= w->cursor || (!w->is_new && id <= f->cursor);
}

static void note_taken(struct follow *f, struct waiter *w, int result) {
    w->failed = result != 0;
    touch(f, w);
}

static bool wants_series(void *arg, uint64_t series_id) {
    return interest_in_series(arg, series_id);
}

static int follow_sample(void *arg, const struct sample_row *row) {
    struct follow *f = ((struct following *)arg)->follow;
    const struct interest *in = &f->interest;
    for (const struct tie *tie = interest_series(in, row->series_id); tie;
         tie = interest_next(&in->series, tie)) {
        struct waiter *w = tie->waiter;
        if (!w->failed && !has_seen(f, w, row->id))
            note_taken(f, w, w->takes->sample(w->taker, row));
    }
    return 0;
}

#define TAKER(kind, type, those)                                                                             \
    static int follow_##kind(void *arg, const struct type *row) {                                            \
        struct follow *f = ((struct following *)arg)->follow;                                                \
        const struct roster *all = &f->interest.rosters[those];                                              \
        for (size_t i = 0; i < all->n; i++) {                                                                \
            struct waiter *w = all->list[i];                                                                 \
            if (!w->failed && !has_seen(f, w, row->id) && is_for(w, row->session))                           \
                note_taken(f, w, w->takes->kind(w->taker, row));                                             \
        }                                                                                                    \
        return 0;                                                                                            \
    }
TAKER(event, event_row, WATCH_EVENTS)
TAKER(check, check_row, WATCH_CHECKS)
TAKER(reject, reject_row, WATCH_REJECTS)
TAKER(loss, loss_row, WATCH_TAKERS)

static int read_records(struct following *l, uint64_t since, struct err *err) {
    const struct reader_ops *ops = l->reader->ops;
    struct follow *f = l->follow;
    const struct roster *rosters = f->interest.rosters;
    struct filter later = {.since = since, .until = l->last_id}, wanted = later;
    wanted.wants_series = wants_series;
    wanted.wants_arg = &f->interest;
    if (since >= l->last_id)
        return 0;
    if (f->interest.series.n_live && ops->samples(l->reader, &wanted, true, follow_sample, l, err) != 0)
        return -1;
    if (rosters[WATCH_EVENTS].n && ops->events(l->reader, &later, follow_event, l, err) != 0)
        return -1;
    if (rosters[WATCH_CHECKS].n && ops->checks(l->reader, &later, follow_check, l, err) != 0)
        return -1;
    if (rosters[WATCH_REJECTS].n && ops->rejects(l->reader, &later, follow_reject, l, err) != 0)
        return -1;
    return ops->losses(l->reader, &later, follow_loss, l, err);
}

/* --- series ---------------------------------------------------------------------------------------------- */

static void offer_series(void *arg, struct waiter *w) {
    struct following *l = arg;
    struct follow *f = l->follow;
    const struct series_row *row = l->series;
    bool mine = !l->session.p || (!waits_for_all(w) && span_eq(l->session, span_str(w->session)));
    if (!mine || w->failed || w->takes->follows(w->taker, row->id))
        return;
    int result = w->takes->series(w->taker, row);
    if (result == 0 && w->takes->follows(w->taker, row->id))
        result = interest_follow(&f->interest, w, row->id);
    note_taken(f, w, result);
}

static int follow_series(void *arg, const struct series_row *row) {
    struct following *l = arg;
    l->series = row;
    interest_offer(&l->follow->interest, row->session, row->name, offer_series, l);
    return 0;
}

static int take_newest(void *arg, const struct series_row *row) {
    *(uint64_t *)arg = row->id;
    return 0;
}

int follow_newest_series(struct reader *r, uint64_t *id, struct err *err) {
    static const struct filter last_one = {.limit = 1, .newest = true};
    *id = 0;
    return r->ops->series(r, &last_one, take_newest, id, err);
}

/* The places of the waiters that are the first of their session. */
static int find_sessions(const struct roster *all, struct table *sessions) {
    bool added;
    for (size_t i = 0; i < all->n; i++)
        if (!table_put(sessions, all->list[i]->session_id, (uint32_t)i, &added))
            return -1;
    return 0;
}

static int read_series_by_session(struct following *l, const struct table *sessions, uint64_t after,
                                  struct err *err) {
    const struct roster *all = &l->follow->interest.rosters[WATCH_TAKERS];
    for (size_t i = 0; i < all->n; i++) {
        const struct waiter *w = all->list[i];
        if (*table_get(sessions, w->session_id) != i)
            continue;
        struct filter later = {.after_series = after, .session = span_str(w->session)};
        l->session = later.session;
        if (l->reader->ops->series(l->reader, &later, follow_series, l, err) != 0)
            return -1;
    }
    l->session = (struct span){NULL, 0};
    return 0;
}

static int read_series(struct following *l, uint64_t after, struct err *err) {
    const struct roster *all = &l->follow->interest.rosters[WATCH_TAKERS];
    struct filter later = {.after_series = after};
    if (after >= l->newest_series)
        return 0;
    if (l->newest_series - after <= SHARED_SERIES)
        return l->reader->ops->series(l->reader, &later, follow_series, l, err);
    struct table sessions = {0};
    int result = find_sessions(all, &sessions) != 0 ? err_set(err, 0, "out of memory") : 0;
    bool every = table_get(&sessions, INGEST_ALL) != NULL;
    if (result == 0)
        result = every || l->newest_series - after <= SHARED_SERIES * sessions.n
                     ? l->reader->ops->series(l->reader, &later, follow_series, l, err)
                     : read_series_by_session(l, &sessions, after, err);
    table_free(&sessions);
    return result;
}

/* --- whether anything came ------------------------------------------------------------------------------- */

#define ANY(kind)                                                                                            \
    static int any_##kind(void *arg, const struct kind##_row *row) {                                         \
        (void)row;                                                                                           \
        *(bool *)arg = true;                                                                                 \
        return 1;                                                                                            \
    }
ANY(sample)
ANY(event)
ANY(check)
ANY(reject)
ANY(loss)

static int came_in(struct following *l, const struct waiter *w, bool *any, struct err *err) {
    const struct reader_ops *ops = l->reader->ops;
    struct reader *r = l->reader;
    uint64_t since = w->is_new || w->cursor > l->follow->cursor ? w->cursor : l->follow->cursor;
    struct filter f = {.session = waits_for_all(w) ? span_of(NULL, 0) : span_str(w->session),
                       .since = since,
                       .until = l->last_id};
    *any = false;
    if (since >= l->last_id)
        return 0;
    int failed = ops->samples(r, &f, true, any_sample, any, err);
    failed = failed || (!*any && ops->events(r, &f, any_event, any, err));
    failed = failed || (!*any && ops->checks(r, &f, any_check, any, err));
    failed = failed || (!*any && ops->rejects(r, &f, any_reject, any, err));
    return failed || (!*any && ops->losses(r, &f, any_loss, any, err)) ? -1 : 0;
}

/* Those who wait until nothing has come for a while. Waiters of one session have the same answer, but for new ones. */
static int count_came(struct following *l, struct err *err) {
    const struct roster *all = &l->follow->interest.rosters[WATCH_COUNTS];
    struct table answers = {0};
    int result = 0;
    for (size_t i = 0; i < all->n && result == 0; i++) {
        struct waiter *w = all->list[i];
        uint32_t *known = w->is_new ? NULL : table_get(&answers, w->session_id);
        bool any = known && *known;
        if (!known && (result = came_in(l, w, &any, err)) == 0 && !w->is_new)
            result = table_set(&answers, w->session_id, any);
        if (!any)
            continue;
        w->n_taken++;
        touch(l->follow, w);
    }
    table_free(&answers);
    return result;
}

/* --- all of it ------------------------------------------------------------------------------------------- */

/* Where reading begins: what the waiter knows least. */
static void find_oldest(const struct follow *f, uint64_t *cursor, uint64_t *series) {
    const struct roster *all = &f->interest.rosters[WATCH_TAKERS];
    bool some_are_old = f->n_new < all->n;
    *cursor = some_are_old ? f->cursor : UINT64_MAX;
    *series = some_are_old ? f->series : UINT64_MAX;
    for (size_t i = 0; i < all->n && f->n_new; i++) {
        const struct waiter *w = all->list[i];
        if (!w->is_new)
            continue;
        *cursor = w->cursor < *cursor ? w->cursor : *cursor;
        *series = w->series < *series ? w->series : *series;
    }
}

static int look(struct following *l, struct err *err) {
    struct follow *f = l->follow;
    uint64_t cursor, series;
    if (l->reader->ops->last_id(l->reader, &l->last_id, err) != 0 ||
        follow_newest_series(l->reader, &l->newest_series, err) != 0)
        return -1;
    find_oldest(f, &cursor, &series);
    if (read_series(l, series, err) != 0 || read_records(l, cursor, err) != 0 || count_came(l, err) != 0)
        return -1;
    f->cursor = l->last_id;
    f->series = l->newest_series;
    struct roster *all = &f->interest.rosters[WATCH_TAKERS];
    for (size_t i = 0; i < all->n && f->n_new; i++)
        if (all->list[i]->is_new) {
            all->list[i]->is_new = false;
            f->n_new--;
        }
    return 0;
}

int follow_new(struct follow *f, struct http *h, struct err *err) {
    if (f->interest.rosters[WATCH_TAKERS].n == 0)
        return 0;
    struct following l = {.follow = f, .reader = store_reader_take(h->store, err)};
    if (!l.reader)
        return -1;
    int result = l.reader->ops->begin(l.reader, err);
    if (result == 0) {
        result = look(&l, err);
        l.reader->ops->end(l.reader);
    }
    store_reader_give(h->store, l.reader);
    return result;
}
