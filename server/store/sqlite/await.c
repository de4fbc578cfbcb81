/* What somebody waits for, so that a commit comes at once when it is there, and not for everything else that comes in. A counter for each series,
 * and for each session: those that share one cost a commit that nobody needed. */
#include "store/sqlite/private.h"

#define NEW_SERIES_SESSION 1 /* its column in new_series */

void store_await_series(struct store *s, uint64_t series_id, int n) {
    s->await.series[series_id % AWAIT_SERIES] += (unsigned)n;
    if (n > 0)
        s->await.begun = true;
}

void store_await_new(struct store *s, uint64_t session_id, int n) {
    s->await.sessions[session_id % AWAIT_SESSIONS] += (unsigned)n;
    if (n > 0)
        s->await.begun = true;
}

void store_await_any(struct store *s) {
    s->await.any = true;
}

static bool is_awaited(const struct store *s, uint64_t series_id) {
    return atomic_load_explicit(&s->await.series[series_id % AWAIT_SERIES], memory_order_relaxed) > 0;
}

static bool is_awaited_new(const struct store *s, uint64_t session_id) {
    return s->await.sessions[0] || s->await.sessions[session_id % AWAIT_SESSIONS];
}

/* A series has its first value since the last commit. */
void await_series(struct store *s, uint64_t series_id) {
    if (is_awaited(s, series_id))
        s->await.met = true;
}

void await_new(struct store *s, uint64_t session_id) {
    s->await.met = s->await.met || is_awaited_new(s, session_id);
}

/* Whether something that is waited for came before somebody began to wait for it. Of rows that are written already nobody knows. */
static bool came_before(const struct store *s) {
    bool met = s->rows;
    for (size_t i = 0; i < s->slice.n_groups && !met; i++)
        met = is_awaited(s, s->intern.series[s->slice.groups[i].series].id);
    const struct bulk_list *added = &s->new_series;
    for (size_t i = 0; i < added->n && !met; i++)
        met = is_awaited_new(s, (uint64_t)added->values[i * added->columns + NEW_SERIES_SESSION].integer);
    return met;
}

bool store_awaited(struct store *s) {
    if (s->await.begun && atomic_exchange(&s->await.begun, false))
        s->await.met = s->await.met || came_before(s);
    return s->await.met || s->await.any;
}

void store_awaited_over(struct store *s) {
    s->await.met = false;
    s->await.any = false;
}
