/* DESIGN. SQLite appends each commit to its log, which has to be copied into the database now and then. That takes as long as the commit of a thousand
 * series. SQLite would do it within the commit that makes the log long enough, and who waits for that commit would wait for the copying. */
#include "core/log.h"
#include "store/sqlite/private.h"

#define READERS_WAIT_MS 2000 /* for those of other programs, at the end */
#define LOG_PAGES       512
#define LOG_PAGES_MAX   2048 /* nobody has called store_shorten_log for long */

void log_copy(struct store *s) {
    int pages, copied;
    s->log_pages = 0;
    if (sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied) == SQLITE_OK)
        s->log_begins = pages == copied; /* else the next time */
}

static int note_commit(void *arg, sqlite3 *db, const char *name, int pages) {
    struct store *s = arg;
    (void)db, (void)name;
    s->log_pages = pages;
    if (pages >= LOG_PAGES_MAX)
        log_copy(s);
    return SQLITE_OK;
}

void log_watch(struct store *s) {
    sqlite3_wal_hook(s->db, note_commit, s);
}

void store_shorten_log(struct store *s) {
    if (s->log_pages >= LOG_PAGES)
        log_copy(s);
}

/* The file says all then, also when it is moved or copied without its log: SQLite removes that at the end unless somebody reads it. Who is in the
 * middle of an answer is waited for. */
void log_empty(struct store *s) {
    struct err why = {0};
    sqlite3_busy_timeout(s->db, READERS_WAIT_MS);
    int code = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (code == SQLITE_OK)
        return;
    if (code == SQLITE_BUSY)
        err_set(&why, 0, "another program still reads it");
    else
        db_fail(s->db, &why, "empty its log");
    log_warning("%s: %s, so what came last stays in %s-wal: keep the two together", s->options.path, why.text,
                s->options.path);
}
