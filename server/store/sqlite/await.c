/* What somebody waits for, so that a commit comes at once when it is there, and not for everything else that comes in. A counter for each series,
 * and for each session: those that share one cost a commit that nobody needed. */
#include "store/sqlite/private.h"

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
    s->await.begun = true;
}

/* A series has its first value since the last commit. */
void await_series(struct store *s, uint64_t series_id) {
    if (atomic_load_explicit(&s->await.series[series_id % AWAIT_SERIES], memory_order_relaxed))
        s->await.met = true;
}

void await_new(struct store *s, uint64_t session_id) {
    s->await.met = s->await.met || s->await.sessions[0] || s->await.sessions[session_id % AWAIT_SESSIONS];
}

bool store_awaited(const struct store *s) {
    return s->await.met || s->await.begun;
}

void store_awaited_over(struct store *s) {
    s->await.met = false;
    s->await.begun = false;
}
