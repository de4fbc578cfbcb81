/* DESIGN. To find out which series a metric is, a recorder has hashes of all of them in memory, and reads them from the file first: most of
 * a second for a million. What it says when it begins to listen are sums, and those a recorder that ended cleanly has left in `counters`:
 *
 *     end_id                                   the newest id then; the row goes when a run begins
 *     end_samples, end_others, end_sessions    what there was
 *
 * So the file is open at once, and the ingest loop loads the series before it stores anything, while it receives (ingest/loop.c).
 */
#include "store/sqlite/private.h"

#define SERIES_MANY 10000

static int counter(struct store *s, const char *name, int64_t *value, struct err *err) {
    char sql[96];
    sqlite3_snprintf(sizeof sql, sql, "SELECT value FROM counters WHERE name = '%s'", name);
    return db_int(s->db, sql, -1, value, err);
}

int store_can_wait(struct store *s, bool *later, struct err *err) {
    int64_t series, end_id, samples, others, sessions;
    *later = false;
    if (!s->options.load_later || s->options.retention_age_ns || s->options.retention_samples)
        return 0; /* they look at what there is, from the first commit on */
    if (db_int(s->db, "SELECT max(id) FROM metric", 0, &series, err) != 0 ||
        counter(s, "end_id", &end_id, err) != 0 || counter(s, "end_samples", &samples, err) != 0 ||
        counter(s, "end_others", &others, err) != 0 || counter(s, "end_sessions", &sessions, err) != 0)
        return -1;
    if (series < SERIES_MANY || end_id != (int64_t)s->last_id)
        return 0;
    s->before = (struct store_earlier){
        .records = (uint64_t)(samples + others), .samples = (uint64_t)samples, .sessions = (uint64_t)sessions};
    s->stale = *later = true;
    return 0;
}

int store_ready(struct store *s, struct err *err) {
    if (!s->later)
        return 0;
    uint64_t commits = s->now.commits;
    int result = store_load(s, err) != 0 || store_load_counts(s, err) != 0 || store_count_earlier(s, err) != 0 ? -1 : 0;
    s->now.commits = commits;
    pthread_mutex_lock(&s->stats_lock);
    s->later = false;
    pthread_mutex_unlock(&s->stats_lock);
    if (result == 0)
        store_publish(s);
    return result;
}

void store_note_end(struct store *s) {
    const struct store_stats *now = &s->now;
    char sql[1024];
    if (now->series < SERIES_MANY || s->later || s->stale)
        return;
    sqlite3_snprintf(
        sizeof sql, sql,
        "INSERT OR REPLACE INTO counters SELECT 'end_id', %lld UNION ALL SELECT 'end_samples', %lld"
        " UNION ALL SELECT 'end_others', %lld UNION ALL SELECT 'end_sessions', count(*) FROM session s"
        " WHERE EXISTS (SELECT 1 FROM metric WHERE session_id = s.id) OR EXISTS (SELECT 1 FROM event WHERE session_id = s.id)"
        " OR EXISTS (SELECT 1 FROM service_check WHERE session_id = s.id) OR EXISTS (SELECT 1 FROM reject WHERE session_id = s.id)",
        (long long)s->last_id, (long long)now->samples, (long long)(now->events + now->checks + now->rejects));
    db_run(s->db, sql, NULL); /* without it the next one loads first */
}
