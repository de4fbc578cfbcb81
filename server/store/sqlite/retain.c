/* DESIGN. Samples go in whole slices, oldest first, so no chunk is ever cut and a chain of chunks only loses
 * its tail. Slices are a sixteenth of --retention-samples, and so much room is made at a time: the summaries
 * of the series concerned are made again from the chunks that stay, once for many samples, in the file and in memory.
 * Seven eighths of --retention-samples stay at least. A slice that would be too many rows for its samples is a longer one (slice.h): then
 * more than --retention-samples may be left, until as many newer ones have come.
 *
 * What goes is told as a loss with an id of its own past: that of the newest record that went, of samples the newest chunk.
 * Chunks never cross a commit and marks never lie within one, so a mark from after them hides the loss, and having read them
 * does too. */
#include "core/clock.h"
#include "store/sqlite/private.h"
#include <errno.h>
#include <stdlib.h>

#define AGE_CHECK_NS   NS_PER_S
#define LOSS_ROWS_KEPT "1000"

static int run_with(struct store *s, const char *sql, int64_t a, struct err *err) {
    sqlite3_stmt *stmt = db_prepare(s->db, sql, err);
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, a);
    int result = db_done(s->db, stmt, err);
    sqlite3_finalize(stmt);
    return result;
}

static int int_with(struct store *s, const char *sql, int64_t a, int64_t none, int64_t *value,
                    struct err *err) {
    sqlite3_stmt *stmt = db_prepare(s->db, sql, err);
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, a);
    int got = db_row(s->db, stmt, err);
    *value = got == 1 && sqlite3_column_type(stmt, 0) != SQLITE_NULL ? sqlite3_column_int64(stmt, 0) : none;
    sqlite3_finalize(stmt);
    return got < 0 ? -1 : 0;
}

/* Samples that are never dropped for their number. */
static uint64_t stays(const struct store *s) {
    return s->options.retention_samples - s->options.retention_samples / 8;
}

/* *cut: samples with smaller ids go; the first id of the slice that holds the oldest sample that has to stay. That sample is looked for from the end
 * that is nearer: a long slice may hold very many more, and this is done at each commit as long as it stays. */
static int cut_by_count(struct store *s, int64_t *cut, struct err *err) {
    uint64_t keep = s->options.retention_samples;
    if (s->now.samples < s->retain_seen) /* some were forgotten, perhaps of that slice */
        s->retain_at = 0;
    s->retain_seen = s->now.samples;
    if (keep == 0 || s->now.samples <= keep || s->now.samples < s->retain_at)
        return 0;
    uint64_t stay = stays(s), go = s->now.samples - stay, n = 0;
    bool by_oldest = go < stay;
    int64_t first = 0;
    sqlite3_stmt *stmt = db_prepare(
        s->db, by_oldest ? "SELECT id, n FROM chunk ORDER BY id" : "SELECT id, n FROM chunk ORDER BY id DESC",
        err);
    if (!stmt)
        return -1;
    int got = 1;
    while ((by_oldest ? n <= go : n < stay) && (got = db_row(s->db, stmt, err)) == 1) {
        first = sqlite3_column_int64(stmt, 0);
        n += db_id(stmt, 1);
    }
    sqlite3_finalize(stmt);
    if (got < 0)
        return -1;
    return int_with(s, "SELECT slice_id FROM arrival WHERE first_id <= ? ORDER BY first_id DESC LIMIT 1",
                    first, 0, cut, err);
}

/* The oldest slice, of this id, has to stay: to look for that sample at each commit would be much where it is long. It goes once all of it may. */
static int wait_for_slice(struct store *s, int64_t slice_id, struct err *err) {
    int64_t n;
    if (int_with(
            s,
            "SELECT sum(n) FROM chunk WHERE id < coalesce((SELECT min(slice_id) FROM arrival WHERE slice_id > ?1), 9223372036854775807)",
            slice_id, 0, &n, err) != 0)
        return -1;
    s->retain_at = stays(s) + (uint64_t)n;
    s->retain_seen = s->now.samples;
    return 0;
}

static int cut_by_age(struct store *s, int64_t before, int64_t *cut, struct err *err) {
    int64_t young;
    if (int_with(s, "SELECT slice_id FROM arrival WHERE received_at >= ? ORDER BY first_id LIMIT 1", before,
                 (int64_t)s->last_id + 1, &young, err) != 0)
        return -1;
    if (young > *cut)
        *cut = young;
    return 0;
}

/* --- what goes is told, session by session ----------------------------------------------------- */

struct evicted {
    uint64_t session_id, n, newest_id;
};

/* `sql` yields (session, how many, the newest id) for ?1; each becomes a loss. *total: all together. */
static int count_evicted(struct store *s, const char *sql, int64_t a, enum loss loss, uint64_t *total,
                         struct err *err) {
    sqlite3_stmt *stmt = db_prepare(s->db, sql, err);
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, a);
    struct evicted *list = calloc(s->n_sessions + 1, sizeof *list);
    size_t n = 0;
    int got = list ? 0 : err_set(err, ENOMEM, "cannot apply the retention");
    while (list && n <= s->n_sessions && (got = db_row(s->db, stmt, err)) == 1)
        list[n++] = (struct evicted){db_id(stmt, 0), db_id(stmt, 1), db_id(stmt, 2)};
    sqlite3_finalize(stmt);
    int result = got < 0 ? -1 : 0;
    *total = 0;
    for (size_t i = 0; result == 0 && i < n; i++) {
        *total += list[i].n;
        result = store_evicted(s, list[i].session_id, loss, list[i].n, list[i].newest_id, err);
    }
    free(list);
    return result;
}

static const char remake_summaries[] =
    "UPDATE summary SET samples = a.samples, count = a.count, sum = a.sum, min = a.min, max = a.max, first_id = a.first_id,"
    " sampled = a.sampled, first_at = (SELECT received_at FROM arrival WHERE first_id <= a.first_id"
    " ORDER BY first_id DESC LIMIT 1)"
    " FROM (SELECT coalesce(x.metric_id, c.context_id) AS metric_id, sum(c.n) AS samples, CASE WHEN count(c.count) = count(*) THEN sum(c.count) END AS count,"
    " CASE WHEN count(c.sum) = count(*) THEN sum(c.sum) END AS sum, min(c.min) AS min, max(c.max) AS max,"
    " min(c.id) AS first_id, max(x.id IS NOT NULL AND coalesce(x.sample_rate <> 1, 1)) AS sampled"
    " FROM chunk c LEFT JOIN context x ON x.id = c.context_id"
    " WHERE coalesce(x.metric_id, c.context_id) IN (SELECT id FROM temp.touched) GROUP BY 1) AS a"
    " WHERE a.metric_id = summary.metric_id";

static const char keep_others[] =
    "DELETE FROM temp.touched WHERE id IN (SELECT metric_id FROM summary WHERE first_id >= (SELECT min(id) FROM chunk))";
static const char drop_empty[] =
    "DELETE FROM stray WHERE context_id IN (SELECT id FROM context WHERE metric_id IN (SELECT id FROM temp.touched)"
    " UNION ALL SELECT id FROM metric WHERE id IN (SELECT id FROM temp.touched) AND spelling IS NOT NULL);"
    "DELETE FROM context WHERE metric_id IN (SELECT id FROM temp.touched);"
    "DELETE FROM summary WHERE metric_id IN (SELECT id FROM temp.touched);"
    "DELETE FROM metric WHERE id IN (SELECT id FROM temp.touched)";

/* Those of which nothing is left. */
static int evict_datagrams(struct store *s, int64_t cut, struct err *err) {
    if (s->now.datagrams == 0)
        return 0;
    if (run_with(s, "DELETE FROM datagram WHERE after_id < ? - 1", cut, err) != 0)
        return -1;
    s->now.datagrams -= (uint64_t)sqlite3_changes64(s->db);
    return 0;
}

static int evict_samples(struct store *s, int64_t cut, bool *gone, struct err *err) {
    uint64_t n;
    int64_t series;
    if (count_evicted(s,
                      "SELECT m.session_id, sum(c.n), max(c.id) FROM chunk c" DB_SPELLING(
                          "c.context_id") " WHERE c.id < ? GROUP BY 1",
                      cut, LOSS_EVICTED, &n, err) != 0)
        return -1;
    if (n == 0)
        return 0;
    if (db_run(s->db,
               "CREATE TEMP TABLE IF NOT EXISTS touched (id INTEGER PRIMARY KEY); DELETE FROM temp.touched",
               err) != 0 ||
        run_with(s,
                 "INSERT INTO temp.touched SELECT DISTINCT coalesce(x.metric_id, c.context_id) FROM chunk c"
                 " LEFT JOIN context x ON x.id = c.context_id WHERE c.id < ?",
                 cut, err) != 0 ||
        run_with(s, "DELETE FROM chunk WHERE id < ?", cut, err) != 0 ||
        db_run(s->db, remake_summaries, err) != 0 || store_load_remade(s, err) != 0 ||
        run_with(s, "DELETE FROM arrival WHERE first_id < ?", cut, err) != 0 ||
        evict_datagrams(s, cut, err) != 0 || db_run(s->db, keep_others, err) != 0 ||
        store_count_series_gone(s, err) != 0 || db_run(s->db, drop_empty, err) != 0 ||
        db_int(s->db, "SELECT count(*) FROM temp.touched", 0, &series, err) != 0 ||
        run_with(s, "UPDATE counters SET value = ? WHERE name = 'last_id'", (int64_t)s->last_id, err) != 0 ||
        run_with(s, "INSERT OR REPLACE INTO counters VALUES ('next_id', ?)", (int64_t)s->next_id, err) != 0)
        return -1;
    s->earlier_stale = true;
    s->now.samples -= n;
    s->now.series -= (uint64_t)series;
    *gone = *gone || series > 0;
    return 0;
}

/* Rows of `table` from before the first young one. loss: LOSS_N for what no verdict and no report tells. */
static int evict_rows(struct store *s, const char *table, enum loss loss, uint64_t *count, int64_t before,
                      struct err *err) {
    char sql[320];
    uint64_t n = 0;
    bool told = loss != LOSS_N;
    static const char old[] =
        "id < coalesce((SELECT id FROM %s WHERE received_at >= ?1 ORDER BY id LIMIT 1), 1 << 62)";
    char where[160];
    sqlite3_snprintf(sizeof where, where, old, table);
    sqlite3_snprintf(sizeof sql, sql, "SELECT session_id, count(*), max(id) FROM %s WHERE %s GROUP BY 1",
                     table, where);
    if (told && count_evicted(s, sql, before, loss, &n, err) != 0)
        return -1;
    sqlite3_snprintf(sizeof sql, sql, "DELETE FROM %s WHERE %s", table, where);
    if (run_with(s, sql, before, err) != 0)
        return -1;
    uint64_t changes = (uint64_t)sqlite3_changes64(s->db);
    s->earlier_stale = s->earlier_stale || changes > 0;
    *count -= told ? n : changes;
    return 0;
}

/* The newest records stay: waiters may not have seen them yet, and most marks are recent. */
static int gather_losses(struct store *s, struct err *err) {
    if (s->n_loss_rows <= s->max_loss_rows)
        return 0;
    static const char gather[] =
        "CREATE TEMP TABLE gathered AS SELECT max(id) AS id, max(at) AS at, session_id, loss, sum(n) AS n, detail FROM loss"
        " WHERE id <= (SELECT id FROM loss ORDER BY id DESC LIMIT 1 OFFSET " LOSS_ROWS_KEPT ")"
        " GROUP BY session_id, loss, detail;"
        "DELETE FROM loss WHERE id <= (SELECT max(id) FROM temp.gathered);"
        "INSERT INTO loss (id, at, session_id, loss, n, detail) SELECT id, at, session_id, loss, n, detail FROM temp.gathered;"
        "DROP TABLE temp.gathered";
    int64_t n;
    s->last_loss.id = 0;
    if (db_run(s->db, gather, err) != 0 || db_int(s->db, "SELECT count(*) FROM loss", 0, &n, err) != 0)
        return -1;
    s->n_loss_rows = (uint64_t)n;
    s->max_loss_rows = s->n_loss_rows + LOSS_ROWS_MAX;
    return 0;
}

/* --- bodies, with their requests ---------------------------------------------------------------- */

/* Bodies with ids up to *last go: the oldest, until fifteen sixteenths of --retention-bodies are left. */
static int bodies_by_size(struct store *s, int64_t *last, struct err *err) {
    uint64_t keep = s->options.retention_bodies, n = 0;
    if (keep == 0 || s->now.payload_bytes <= keep)
        return 0;
    uint64_t excess = s->now.payload_bytes - (keep - keep / 16);
    sqlite3_stmt *stmt = db_prepare(s->db, "SELECT id, length(bytes) FROM payload ORDER BY id", err);
    if (!stmt)
        return -1;
    int got = 1;
    while (n < excess && (got = db_row(s->db, stmt, err)) == 1) {
        *last = sqlite3_column_int64(stmt, 0);
        n += db_id(stmt, 1);
    }
    sqlite3_finalize(stmt);
    return got < 0 ? -1 : 0;
}

static int evict_bodies(struct store *s, int64_t last, struct err *err) {
    uint64_t n;
    int64_t requests, bytes;
    if (last == 0)
        return 0;
    if (count_evicted(s, "SELECT session_id, count(*), max(id) FROM payload WHERE id <= ? GROUP BY 1", last,
                      LOSS_EVICTED_BODIES, &n, err) != 0 ||
        run_with(s, "DELETE FROM request WHERE id IN (SELECT id FROM payload WHERE id <= ?)", last, err) != 0)
        return -1;
    requests = sqlite3_changes64(s->db);
    if (run_with(s, "DELETE FROM payload WHERE id <= ?", last, err) != 0 ||
        db_int(s->db, "SELECT coalesce(sum(length(bytes)), 0) FROM payload", 0, &bytes, err) != 0)
        return -1;
    s->now.requests -= (uint64_t)requests;
    s->now.payloads -= n;
    s->now.payload_bytes = (uint64_t)bytes;
    return 0;
}

int store_retain(struct store *s, bool *gone, struct err *err) {
    int64_t cut = 0, now = clock_wall_ns(), age = s->options.retention_age_ns;
    int64_t body = 0;
    if (gather_losses(s, err) != 0 || cut_by_count(s, &cut, err) != 0 || bodies_by_size(s, &body, err) != 0 ||
        evict_bodies(s, body, err) != 0)
        return -1;
    /* The wall clock may jump back: then the check is due as well. */
    if (age > 0 &&
        (now >= s->age_checked_at + (age < AGE_CHECK_NS ? age : AGE_CHECK_NS) || now < s->age_checked_at)) {
        s->age_checked_at = now;
        if (cut_by_age(s, now - age, &cut, err) != 0 ||
            evict_rows(s, "event", LOSS_EVICTED_EVENTS, &s->now.events, now - age, err) != 0 ||
            evict_rows(s, "service_check", LOSS_EVICTED_CHECKS, &s->now.checks, now - age, err) != 0 ||
            evict_rows(s, "reject", LOSS_EVICTED_REJECTS, &s->now.rejects, now - age, err) != 0 ||
            int_with(
                s,
                "SELECT coalesce((SELECT id FROM payload WHERE received_at >= ? ORDER BY id LIMIT 1) - 1, "
                "(SELECT max(id) FROM payload), 0)",
                now - age, 0, &body, err) != 0 ||
            evict_bodies(s, body, err) != 0 ||
            evict_rows(s, "request", LOSS_N, &s->now.requests, now - age, err) != 0 ||
            evict_rows(s, "datagram", LOSS_N, &s->now.datagrams, now - age, err) != 0)
            return -1;
    }
    uint64_t before = s->now.samples;
    if (cut == 0)
        return 0;
    if (evict_samples(s, cut, gone, err) != 0)
        return -1;
    bool waits = s->now.samples == before && s->options.retention_samples > 0;
    return waits ? wait_for_slice(s, cut, err) : 0;
}
