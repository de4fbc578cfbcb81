/* How many records each session holds: counted as they come and go, and written with each commit that changes it, so that nobody has to
 * count rows. Samples are not counted one by one, but when their session changes and when they are committed. */
#include "store/sqlite/private.h"

#include <stddef.h>

void store_count_samples(struct store *s) {
    if (s->arrival.session)
        s->arrival.session->held.samples += s->now.received_samples - s->arrival.counted;
    s->arrival.counted = s->now.received_samples;
}

void store_count_evicted(struct store *s, uint64_t session_id, enum loss loss, uint64_t n) {
    struct store_session *session = store_find_session(s, session_id);
    if (!session)
        return;
    if (loss == LOSS_EVICTED)
        session->held.samples -= n;
    else if (loss == LOSS_EVICTED_EVENTS)
        session->held.events -= n;
    else if (loss == LOSS_EVICTED_CHECKS)
        session->held.checks -= n;
    else if (loss == LOSS_EVICTED_REJECTS)
        session->held.rejects -= n;
}

int store_count_series_gone(struct store *s, struct err *err) {
    sqlite3_stmt *stmt = db_prepare(
        s->db, "SELECT session_id, count(*) FROM metric WHERE id IN (SELECT id FROM temp.touched) GROUP BY 1",
        err);
    if (!stmt)
        return -1;
    int got;
    while ((got = db_row(s->db, stmt, err)) == 1) {
        struct store_session *session = store_find_session(s, db_id(stmt, 0));
        if (session)
            session->held.series -= db_id(stmt, 1);
    }
    sqlite3_finalize(stmt);
    return got;
}

int store_count_write(struct store *s, struct err *err) {
    sqlite3_stmt *stmt = s->sql[SQL_COUNT];
    for (size_t i = 0; i < s->n_sessions; i++) {
        struct store_session *session = &s->sessions[i];
        if (memcmp(&session->held, &session->written, sizeof session->held) == 0)
            continue;
        const struct store_held *held = &session->held;
        const uint64_t counts[] = {held->samples, held->series, held->events, held->checks, held->rejects};
        db_bind_id(stmt, 1, session->id);
        for (int k = 0; k < 5; k++)
            db_bind_id(stmt, 2 + k, counts[k]);
        if (db_done(s->db, stmt, err) != 0)
            return -1;
        session->written = *held;
    }
    return 0;
}
