#include "core/array.h"
#include "core/clock.h"
#include "store/sqlite/private.h"
#include <errno.h>
#include <stdlib.h>

/* Everything of one session, as sets of rows. ?1: the session. */
#define CHUNKS_OF                                                                                            \
    "(WITH RECURSIVE chain (id) AS (SELECT y.last_chunk FROM metric m JOIN summary y ON y.metric_id = m.id"  \
    " WHERE m.session_id = ?1 UNION ALL SELECT l.prev FROM chain CROSS JOIN chunk l ON l.id = chain.id"      \
    " WHERE l.prev IS NOT NULL) SELECT id FROM chain)"
#define METRICS_OF "(SELECT id FROM metric WHERE session_id = ?1)"

/* A suite makes and removes a session for each test. To prepare these statements was most of what that took. */
static sqlite3_stmt *prepared(struct store *s, const char *literal, struct err *err) {
    for (size_t i = 0; i < STORE_AGAIN_MAX; i++) {
        struct store_again *again = &s->again[i];
        if (!again->stmt) {
            again->stmt = db_prepare(s->db, literal, err);
            again->sql = literal;
        }
        if (again->sql == literal)
            return again->stmt;
    }
    err_set(err, 0, "too many statements");
    return NULL;
}

/* ?2: value. */
static int run_with(struct store *s, const char *literal, uint64_t session_id, uint64_t value,
                    uint64_t *changed, struct err *err) {
    sqlite3_stmt *stmt = prepared(s, literal, err);
    if (!stmt)
        return -1;
    db_bind_id(stmt, 1, session_id);
    db_bind_id(stmt, 2, value);
    int result = db_done(s->db, stmt, err);
    if (changed)
        *changed = (uint64_t)sqlite3_changes64(s->db);
    return result;
}

static int run_for(struct store *s, const char *literal, uint64_t session_id, uint64_t *changed,
                   struct err *err) {
    return run_with(s, literal, session_id, 0, changed, err);
}

static int count_for(struct store *s, const char *literal, uint64_t session_id, uint64_t *count,
                     struct err *err) {
    sqlite3_stmt *stmt = prepared(s, literal, err);
    if (!stmt)
        return -1;
    db_bind_id(stmt, 1, session_id);
    int got = db_row(s->db, stmt, err);
    *count = got == 1 ? db_id(stmt, 0) : 0;
    sqlite3_reset(stmt);
    return got < 0 ? -1 : 0;
}

/* Every page of these tables is written, were it empty or not. */
static int forget_all_samples(struct store *s, struct err *err) {
    static const char *const all[] = {"DELETE FROM chunk",   "DELETE FROM arrival", "DELETE FROM stray",
                                      "DELETE FROM context", "DELETE FROM summary", "DELETE FROM name_total",
                                      "DELETE FROM metric"};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (run_for(s, all[i], 0, NULL, err) != 0)
            return -1;
    return 0;
}

/* Samples of the only session that has any go with their whole table, which costs next to nothing. */
static int forget_samples(struct store *s, uint64_t session_id, struct store_removed *removed,
                          struct err *err) {
    uint64_t others;
    if (count_for(
            s,
            "SELECT sum(y.samples) FROM metric m JOIN summary y ON y.metric_id = m.id WHERE m.session_id = ?1",
            session_id, &removed->samples, err) != 0 ||
        count_for(s, "SELECT EXISTS (SELECT 1 FROM metric WHERE session_id <> ?1)", session_id, &others,
                  err) != 0)
        return -1;
    if (!others) {
        if (count_for(s, "SELECT count(*) FROM metric WHERE session_id = ?1", session_id, &removed->series,
                      err) != 0)
            return -1;
        return removed->series ? forget_all_samples(s, err) : 0;
    }
    if (run_for(s, "DELETE FROM chunk WHERE id IN " CHUNKS_OF, session_id, NULL, err) != 0 ||
        run_for(s,
                "DELETE FROM stray WHERE context_id IN (SELECT id FROM context WHERE metric_id IN " METRICS_OF
                " UNION ALL SELECT id FROM metric WHERE session_id = ?1 AND spelling IS NOT NULL)",
                session_id, NULL, err) != 0 ||
        run_for(s, "DELETE FROM context WHERE metric_id IN " METRICS_OF, session_id, NULL, err) != 0 ||
        run_for(s, "DELETE FROM summary WHERE metric_id IN " METRICS_OF, session_id, NULL, err) != 0 ||
        run_for(s, "DELETE FROM name_total WHERE metric_id IN " METRICS_OF, session_id, NULL, err) != 0)
        return -1;
    return run_for(s, "DELETE FROM metric WHERE session_id = ?1", session_id, &removed->series, err);
}

static int forget(struct store *s, uint64_t session_id, struct store_removed *removed, struct err *err) {
    if (forget_samples(s, session_id, removed, err) != 0 ||
        run_for(s, "DELETE FROM event WHERE session_id = ?1", session_id, &removed->events, err) != 0 ||
        run_for(s, "DELETE FROM service_check WHERE session_id = ?1", session_id, &removed->checks, err) !=
            0 ||
        run_for(s, "DELETE FROM reject WHERE session_id = ?1", session_id, &removed->rejects, err) != 0 ||
        count_for(s, "SELECT coalesce(sum(length(bytes)), 0) FROM payload WHERE session_id = ?1", session_id,
                  &removed->payload_bytes, err) != 0 ||
        run_for(s, "DELETE FROM payload WHERE session_id = ?1", session_id, &removed->payloads, err) != 0 ||
        run_for(s, "DELETE FROM request WHERE session_id = ?1", session_id, &removed->requests, err) != 0 ||
        run_for(s, "DELETE FROM datagram WHERE session_id = ?1", session_id, &removed->datagrams, err) != 0 ||
        run_for(s, "DELETE FROM large_datagram WHERE session_id = ?1", session_id, NULL, err) != 0 ||
        run_for(s, "DELETE FROM loss WHERE session_id = ?1", session_id, NULL, err) != 0)
        return -1;
    if (run_with(s, "UPDATE counters SET value = ?2 WHERE name = 'last_id'", session_id, s->last_id, NULL,
                 err) != 0)
        return -1;
    return run_with(s, "INSERT OR REPLACE INTO counters VALUES ('next_id', ?2)", session_id, s->next_id, NULL,
                    err);
}

/* Losses that concerned every session go once every session has been reset since. */
static int forget_shared_losses(struct store *s, struct err *err) {
    return run_for(s,
                   "DELETE FROM loss WHERE session_id IS NULL AND id <= (SELECT min(reset_id) FROM session)",
                   0, NULL, err);
}

/* Ends the transaction that forgot a session's records. */
static int end_forget(struct store *s, struct store_session *session, const struct store_removed *removed,
                      struct err *err) {
    if (forget_shared_losses(s, err) != 0 || store_count_losses(s, err) != 0)
        return store_roll_back(s, err);
    s->now.samples -= removed->samples;
    s->now.series -= removed->series;
    s->now.events -= removed->events;
    s->now.checks -= removed->checks;
    s->now.rejects -= removed->rejects;
    s->now.requests -= removed->requests;
    s->now.datagrams -= removed->datagrams;
    s->now.payloads -= removed->payloads;
    s->now.payload_bytes -= removed->payload_bytes;
    s->n_forgotten += session->n_interned;
    session->n_interned = 0;
    session->n_remarked = 0;
    session->n_refused = 0;
    session->held = (struct store_held){0};
    totals_forget(&s->totals, session->id);
    s->last_loss.id = 0;
    store_run_forget(s, session->id);
    return 0;
}

int store_reset(struct store *s, uint64_t session_id, struct store_removed *removed, struct err *err) {
    struct store_removed unused;
    if (!removed)
        removed = &unused;
    *removed = (struct store_removed){0};
    if (store_commit(s, err) != 0 || store_begin(s, err) != 0)
        return -1;
    struct store_session *session = store_find_session(s, session_id);
    if (!session)
        return store_roll_back(s, err), err_set(err, ENOENT, "there is no such session");
    if (forget(s, session_id, removed, err) != 0 ||
        run_with(s, "UPDATE session SET era = era + 1, reset_id = ?2 WHERE id = ?1", session_id, s->last_id,
                 NULL, err) != 0)
        return store_roll_back(s, err);
    if (end_forget(s, session, removed, err) != 0)
        return -1;
    session->era++;
    return store_commit(s, err);
}

int store_session_remove(struct store *s, uint64_t session_id, struct err *err) {
    struct store_removed removed = {0};
    if (session_id == 1)
        return err_set(err, EINVAL, "the default session cannot be removed: reset it");
    if (store_commit(s, err) != 0 || store_begin(s, err) != 0)
        return -1;
    struct store_session *session = store_find_session(s, session_id);
    if (!session)
        return store_roll_back(s, err), err_set(err, ENOENT, "there is no such session");
    if (forget(s, session_id, &removed, err) != 0 ||
        run_for(s, "DELETE FROM session WHERE id = ?1", session_id, NULL, err) != 0 ||
        run_for(s, "DELETE FROM session_count WHERE session_id = ?1", session_id, NULL, err) != 0)
        return store_roll_back(s, err);
    if (end_forget(s, session, &removed, err) != 0)
        return -1;
    size_t after = (size_t)(s->sessions + s->n_sessions - (session + 1));
    memmove(session, session + 1, after * sizeof *session);
    s->n_sessions--;
    s->arrival.session = NULL; /* looked up again by the next store_arrival */
    s->arrival.session = store_find_session(s, s->arrival.session_id);
    return store_commit(s, err);
}

int store_empty(struct store *s, struct err *err) {
    while (s->n_sessions > 1) /* they are sorted by id: the default one is the first */
        if (store_session_remove(s, s->sessions[s->n_sessions - 1].id, err) != 0)
            return -1;
    if (store_reset(s, 1, NULL, err) != 0 || store_begin(s, err) != 0)
        return -1;
    return store_verdicts_clear(s, err) == 0 && store_run_alone(s, err) == 0 ? store_commit(s, err)
                                                                             : store_roll_back(s, err);
}

int store_remove_ended(struct store *s, struct store_removed *removed, struct err *err) {
    static const char newest[] = "SELECT id FROM session WHERE NOT open AND id <> 1 ORDER BY id DESC LIMIT 1";
    const struct store_stats before = s->now;
    int64_t id;
    int result;
    while ((result = db_int(s->db, newest, 0, &id, err)) == 0 && id != 0)
        if (store_session_remove(s, (uint64_t)id, err) != 0)
            return -1;
    removed->samples += before.samples - s->now.samples;
    removed->series += before.series - s->now.series;
    removed->events += before.events - s->now.events;
    removed->checks += before.checks - s->now.checks;
    removed->rejects += before.rejects - s->now.rejects;
    removed->requests += before.requests - s->now.requests;
    removed->datagrams += before.datagrams - s->now.datagrams;
    removed->payloads += before.payloads - s->now.payloads;
    removed->payload_bytes += before.payload_bytes - s->now.payload_bytes;
    return result;
}

int store_session_end(struct store *s, uint64_t session_id, struct err *err) {
    if (session_id == 1)
        return err_set(err, EINVAL, "the default session cannot be ended");
    if (store_commit(s, err) != 0 || store_begin(s, err) != 0)
        return -1;
    if (run_for(s, "UPDATE session SET open = 0 WHERE id = ?1", session_id, NULL, err) != 0)
        return store_roll_back(s, err);
    return store_commit(s, err);
}

/* No name that can be asked for has an '@', so the new one is always free. */
static int give_up_name(struct store *s, struct span name, struct err *err) {
    sqlite3_stmt *stmt =
        prepared(s, "UPDATE session SET name = name || '@' || id, open = 0 WHERE name = ? AND id <> 1", err);
    if (!stmt)
        return -1;
    db_bind_span(stmt, 1, name);
    int result = db_done(s->db, stmt, err);
    sqlite3_clear_bindings(stmt);
    return result;
}

static int add_row(struct store *s, struct span name, struct span api_key, int64_t expires_at, uint64_t *id,
                   struct err *err) {
    sqlite3_stmt *stmt = prepared(
        s,
        "INSERT INTO session (name, api_key, created_at, expires_at, open, reset_id) VALUES (?,?,?,?,1,?)"
        " RETURNING id",
        err);
    if (!stmt)
        return -1;
    db_bind_span(stmt, 1, name);
    db_bind_span(stmt, 2, api_key);
    sqlite3_bind_int64(stmt, 3, clock_wall_ns());
    sqlite3_bind_int64(stmt, 4, expires_at);
    db_bind_id(stmt, 5, s->last_id);
    int got = db_row(s->db, stmt, err);
    if (got == 1) {
        *id = db_id(stmt, 0);
        got = db_row(s->db, stmt, err);
    }
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return got;
}

int store_session_add(struct store *s, struct span name, struct span api_key, int64_t expires_at,
                      uint64_t *id, struct err *err) {
    if (store_commit(s, err) != 0 || store_begin(s, err) != 0)
        return -1;
    if (give_up_name(s, name, err) != 0 || add_row(s, name, api_key, expires_at, id, err) != 0)
        return store_roll_back(s, err);
    if (!store_find_session(s, *id)) {
        if (!array_room(&s->sessions, s->n_sessions, &s->cap_sessions, sizeof *s->sessions)) {
            err_set(err, ENOMEM, "cannot make a session");
            return store_roll_back(s, err);
        }
        s->sessions[s->n_sessions++] = (struct store_session){.id = *id};
        s->arrival.session = store_find_session(s, s->arrival.session_id);
    }
    return store_commit(s, err);
}

int store_session_label(struct store *s, uint64_t session_id, struct span label, struct err *err) {
    if (store_commit(s, err) != 0 || store_begin(s, err) != 0)
        return -1;
    sqlite3_stmt *stmt = prepared(s, "UPDATE session SET label = ?2 WHERE id = ?1", err);
    if (!stmt)
        return store_roll_back(s, err);
    db_bind_id(stmt, 1, session_id);
    db_bind_span(stmt, 2, label);
    int result = db_done(s->db, stmt, err);
    sqlite3_clear_bindings(stmt);
    return result == 0 ? store_commit(s, err) : store_roll_back(s, err);
}
