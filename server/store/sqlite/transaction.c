#include "core/random.h"
#include "store/sqlite/log_file.h"
#include "store/sqlite/private.h"

#include <errno.h>

int store_prepare(struct store *s, enum store_sql last, struct err *err) {
    for (int i = 0; i <= (int)last; i++)
        if (!s->sql[i] && !(s->sql[i] = db_prepare(s->db, s->texts[i], err)))
            return -1;
    return 0;
}

/* Once everything of a log is in the file it begins anew, and says whose it is (foreign_log.c). */
static int sign_log(struct store *s, struct err *err) {
    char digits[2 * sizeof(int64_t) + 1], sql[256];
    if (!s->log_begins || s->in_memory)
        return 0;
    if (random_hex(digits, 2 * sizeof(int64_t)) != 0)
        return err_set(err, errno, "cannot begin the log of the recording");
    sqlite3_snprintf(sizeof sql, sql,
                     "INSERT OR REPLACE INTO counters"
                     " SELECT 'log_before', coalesce((SELECT value FROM counters WHERE name = 'log'), 0)"
                     " UNION ALL SELECT 'log', 0x%s",
                     digits);
    return db_run(s->db, sql, err);
}

int store_begin(struct store *s, struct err *err) {
    if (s->open_transaction)
        return 0;
    s->pending = 0;
    if (s->stale && !s->later && store_load(s, err) != 0)
        return -1;
    bool only_run_begins = s->is_new && s->run_id == 0;
    if (!only_run_begins && !s->sql[SQL_N - 1] && store_prepare(s, SQL_N - 1, err) != 0)
        return -1;
    if (db_done(s->db, s->sql[SQL_BEGIN], err) != 0)
        return -1;
    s->locked_seen_at = 0;
    s->open_transaction = true;
    return sign_log(s, err) == 0 ? 0 : store_roll_back(s, err);
}

int store_end(struct store *s, struct err *err) {
    bool begins = s->log_begins;
    s->log_begins = false; /* but it is copied within the commit at times, and then begins again */
    log_file_begin(s->db);
    int result = db_done(s->db, s->sql[SQL_COMMIT], err);
    log_file_end(s->db);
    if (result != 0)
        s->log_begins = begins;
    return result;
}

static void roll_back(struct store *s) {
    if (!sqlite3_get_autocommit(s->db)) /* SQLite does it by itself after some errors */
        db_done(s->db, s->sql[SQL_ROLLBACK], NULL);
}

int store_write_alone(struct store *s, const char *sql, struct err *err) {
    if (db_done(s->db, s->sql[SQL_BEGIN], err) != 0)
        return -1;
    s->locked_seen_at = 0;
    if (sign_log(s, err) == 0 && db_run(s->db, sql, err) == 0 && store_end(s, err) == 0)
        return 0;
    roll_back(s);
    return -1;
}

int store_roll_back(struct store *s, struct err *err) {
    roll_back(s);
    s->open_transaction = false;
    s->now = s->stats;
    s->arrival.counted = s->now.received_samples;
    store_load(s, err);
    return -1;
}
