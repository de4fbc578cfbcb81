/* Runs: the open mark, what earlier runs left, the recording's name, the ports used. */
#include "core/clock.h"
#include "core/version.h"
#include "store/sqlite/private.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* --- what earlier runs left ------------------------------------------------------------------------------------------------ */

/* When the run begins all there is was recorded earlier, so what each session holds will do. */
#define SAMPLES_BEFORE "SELECT session_id, samples FROM session_count WHERE ?1 AND samples > 0"
#define SAMPLES_UP_TO                                                                                        \
    "SELECT m.session_id, sum(c.n) FROM chunk c" DB_SPELLING("c.context_id") " WHERE c.id <= ?1 GROUP BY 1"
#define OTHERS_UP_TO(table) "SELECT session_id, count(*) FROM " table " WHERE id <= ?1 GROUP BY 1"

static struct earlier *earlier_of(struct earlier *list, size_t *n, uint64_t session_id) {
    size_t i = 0;
    while (i < *n && list[i].session_id != session_id)
        i++;
    if (i == *n)
        list[(*n)++] = (struct earlier){.session_id = session_id};
    return &list[i];
}

/* Adds what `sql` counts of each session; the list has room for every session. */
static int add_counts(struct store *s, const char *sql, bool samples, struct earlier *list, size_t *n,
                      struct err *err) {
    sqlite3_stmt *stmt = db_prepare(s->db, sql, err);
    if (!stmt)
        return -1;
    db_bind_id(stmt, 1, s->run_mark);
    int got;
    while ((got = db_row(s->db, stmt, err)) == 1) {
        if (!store_find_session(s, db_id(stmt, 0)))
            continue;
        struct earlier *e = earlier_of(list, n, db_id(stmt, 0));
        *(samples ? &e->samples : &e->others) += db_id(stmt, 1);
    }
    sqlite3_finalize(stmt);
    return got;
}

static int count_earlier(struct store *s, const char *samples, struct err *err) {
    static const char *const others[] = {OTHERS_UP_TO("event"), OTHERS_UP_TO("service_check"),
                                         OTHERS_UP_TO("reject")};
    struct earlier *list = calloc(s->n_sessions + 1, sizeof *list);
    size_t n = 0;
    if (!list)
        return err_set(err, ENOMEM, "cannot count what earlier runs recorded");
    int result = s->run_mark ? add_counts(s, samples, true, list, &n, err) : 0;
    for (size_t i = 0; i < sizeof others / sizeof others[0] && result == 0 && s->run_mark; i++)
        result = add_counts(s, others[i], false, list, &n, err);
    if (result != 0) {
        free(list);
        return -1;
    }
    pthread_mutex_lock(&s->stats_lock);
    struct earlier *before = s->earlier;
    s->earlier = list;
    s->n_earlier = n;
    pthread_mutex_unlock(&s->stats_lock);
    free(before);
    return 0;
}

void store_run_recount(struct store *s) {
    if (s->earlier_stale && s->n_earlier)
        count_earlier(s, SAMPLES_UP_TO, NULL);
    s->earlier_stale = false;
}

void store_run_forget(struct store *s, uint64_t session_id) {
    pthread_mutex_lock(&s->stats_lock);
    for (size_t i = 0; i < s->n_earlier; i++)
        if (s->earlier[i].session_id == session_id)
            s->earlier[i] = s->earlier[--s->n_earlier];
    pthread_mutex_unlock(&s->stats_lock);
}

void store_earlier(struct store *s, uint64_t session_id, struct store_earlier *earlier) {
    *earlier = (struct store_earlier){0};
    pthread_mutex_lock(&s->stats_lock);
    for (size_t i = 0; i < s->n_earlier; i++) {
        const struct earlier *e = &s->earlier[i];
        if (session_id != 0 && e->session_id != session_id)
            continue;
        earlier->samples += e->samples;
        earlier->records += e->samples + e->others;
        earlier->sessions += e->samples + e->others > 0;
    }
    pthread_mutex_unlock(&s->stats_lock);
}

/* --- beginning and end ----------------------------------------------------------------------------------------------------- */

int store_run_name(struct store *s, struct err *err) {
    int64_t high, low;
    if (db_int(s->db, "SELECT value FROM counters WHERE name = 'recording_high'", 0, &high, err) != 0 ||
        db_int(s->db, "SELECT value FROM counters WHERE name = 'recording_low'", 0, &low, err) != 0)
        return -1;
    pthread_mutex_lock(&s->stats_lock);
    snprintf(s->recording, sizeof s->recording, "%016llx%016llx", (unsigned long long)high,
             (unsigned long long)low);
    pthread_mutex_unlock(&s->stats_lock);
    return 0;
}

/* A run that died becomes a loss of its own, before the mark of the new one. */
static int tell_died(struct store *s, struct err *err) {
    sqlite3_stmt *stmt = db_prepare(s->db, RUN_DIED, err);
    if (!stmt)
        return -1;
    int got = db_row(s->db, stmt, err);
    int result = got < 0 ? -1 : got == 1 ? store_loss(s, 0, LOSS_UNCLEAN_END, 1, db_span(stmt, 0), err) : 0;
    sqlite3_finalize(stmt);
    return result;
}

static int insert_run(struct store *s, struct err *err) {
    sqlite3_stmt *stmt =
        db_prepare(s->db, "INSERT INTO run (started_at, version, mark) VALUES (?, ?, ?)", err);
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, clock_wall_ns());
    db_bind_span(stmt, 2, SPAN(STATWIT_SERVER_VERSION));
    db_bind_id(stmt, 3, s->last_id);
    int result = db_done(s->db, stmt, err);
    sqlite3_finalize(stmt);
    if (result == 0)
        s->run_id = (uint64_t)sqlite3_last_insert_rowid(s->db);
    return result;
}

int store_run_begin(struct store *s, struct err *err) {
    if (store_run_name(s, err) != 0 || store_begin(s, err) != 0)
        return -1;
    if (tell_died(s, err) != 0 || insert_run(s, err) != 0)
        return store_roll_back(s, err);
    s->run_mark = s->last_id;
    if (store_commit(s, err) != 0)
        return -1;
    s->now.commits = 0;    /* nobody's record was in it, */
    s->age_checked_at = 0; /* and the retention's clock starts with the first that is */
    /* A copy of the file alone, without its log, has the open mark, too. */
    if (!s->in_memory)
        log_copy(s);
    return count_earlier(s, SAMPLES_BEFORE, err);
}

void store_run_end(struct store *s) {
    if (s->run_id == 0 || s->run_spoiled)
        return;
    char sql[128];
    sqlite3_snprintf(sizeof sql, sql, "UPDATE run SET ended_at = %lld WHERE id = %llu",
                     (long long)clock_wall_ns(), (unsigned long long)s->run_id);
    store_write_alone(s, sql, NULL); /* or the mark stays, which is what it is for */
}

int store_run_alone(struct store *s, struct err *err) {
    char sql[400];
    sqlite3_snprintf(sizeof sql, sql,
                     "DELETE FROM run WHERE id <> %llu; UPDATE run SET mark = %llu;"
                     "UPDATE counters SET value = random() WHERE name IN ('recording_high', 'recording_low')",
                     (unsigned long long)s->run_id, (unsigned long long)s->last_id);
    if (db_run(s->db, sql, err) != 0)
        return -1;
    s->run_mark = s->last_id;
    return store_run_name(s, err);
}

void store_spoil_run(struct store *s) {
    s->run_spoiled = true;
}

void store_recording(struct store *s, char name[RECORDING_NAME_SIZE]) {
    if (s->look)
        s->look(s);
    pthread_mutex_lock(&s->stats_lock);
    memcpy(name, s->recording, sizeof s->recording);
    pthread_mutex_unlock(&s->stats_lock);
}

uint64_t store_run_mark(const struct store *s) {
    return s->run_mark;
}

/* --- ports ----------------------------------------------------------------------------------------------------------------- */

int store_port_used(struct store *s, int port, struct err *err) {
    char sql[160];
    if (s->in_memory) /* no later run will ask */
        return 0;
    sqlite3_snprintf(sizeof sql, sql,
                     "INSERT INTO used_port (port) VALUES (%d);"
                     "DELETE FROM used_port WHERE id <= (SELECT max(id) FROM used_port) - %d",
                     port, STORE_PORTS_KEPT);
    s->rows = true;
    return store_begin(s, err) != 0 || db_run(s->db, sql, err) != 0 ? -1 : 0;
}

int store_ports(struct store *s, int ports[STORE_PORTS_KEPT], size_t *n, struct err *err) {
    *n = 0;
    sqlite3_stmt *stmt = db_prepare(s->db, "SELECT port FROM used_port ORDER BY id", err);
    if (!stmt)
        return -1;
    int got = 0;
    while (*n < STORE_PORTS_KEPT && (got = db_row(s->db, stmt, err)) == 1)
        ports[(*n)++] = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return got < 0 ? -1 : 0;
}
