/* A commit: what has been counted since the last one, with what retention drops. */
#include "core/clock.h"
#include "core/log.h"
#include "store/sqlite/file.h"
#include "store/sqlite/private.h"

#include <string.h>

#define FORGOTTEN_MIN 4096
#define PATH_CHECK_NS NS_PER_S

void store_publish(struct store *s) {
    s->now.bytes = 0;
    sqlite3_file *file = NULL;
    sqlite3_int64 size;
    static const int files[] = {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER};
    for (size_t i = 0; i < 2; i++)
        if (sqlite3_file_control(s->db, "main", files[i], &file) == SQLITE_OK && file && file->pMethods &&
            file->pMethods->xFileSize(file, &size) == SQLITE_OK)
            s->now.bytes += (uint64_t)size;
    pthread_mutex_lock(&s->stats_lock);
    s->stats = s->now;
    pthread_mutex_unlock(&s->stats_lock);
}

static int write_refused(struct store *s, struct err *err) {
    for (size_t i = 0; i < s->n_sessions; i++) {
        struct store_session *session = &s->sessions[i];
        if (session->n_refused == 0)
            continue;
        if (store_loss(s, session->id, LOSS_SERIES_LIMIT, session->n_refused, span_of(NULL, 0), err) != 0)
            return -1;
        session->n_refused = 0;
    }
    s->refused = false;
    return 0;
}

static int write_large(struct store *s, struct err *err) {
    sqlite3_stmt *stmt = s->sql[SQL_LARGE];
    for (size_t i = 0; i < s->n_sessions; i++) {
        struct store_session *session = &s->sessions[i];
        for (int k = 0; k < 2; k++) {
            if (session->large[k].n == 0)
                continue;
            db_bind_id(stmt, 1, session->id);
            sqlite3_bind_int(stmt, 2, k ? DATAGRAM_AGENT_MAX : DATAGRAM_PACKET_MAX);
            db_bind_id(stmt, 3, session->large[k].n);
            db_bind_id(stmt, 4, session->large[k].largest);
            db_bind_id(stmt, 5, session->large[k].last_id);
            if (db_done(s->db, stmt, err) != 0)
                return -1;
        }
        memset(session->large, 0, sizeof session->large);
    }
    s->large = false;
    return 0;
}

/* Deleted or moved under us: recording and answering go on, but what is at the path is not this recording. */
void store_check_path(struct store *s) {
    int64_t now = clock_mono_ns();
    if (s->path_lost || s->in_memory || now - s->path_checked_at < PATH_CHECK_NS)
        return;
    s->path_checked_at = now;
    s->path_lost = !file_is_at(s->path, s->lock_fd);
    if (s->path_lost)
        log_warning(
            "%s was deleted or moved while it is being recorded: what comes now will not be found there",
            s->options.path);
}

static int commit(struct store *s, struct err *err) {
    store_count_samples(s);
    if (s->refused && (store_begin(s, err) != 0 || write_refused(s, err) != 0))
        return -1;
    if ((s->large || s->n_kept) && store_begin(s, err) != 0)
        return -1;
    if (!s->open_transaction)
        return 0;
    bool gone = false;
    if ((s->large && write_large(s, err) != 0) || store_flush(s, err) != 0 ||
        store_retain(s, &gone, err) != 0 || store_count_write(s, err) != 0 ||
        store_verdicts_write(s, err) != 0)
        return store_roll_back(s, err);
    if (store_end(s, err) != 0)
        return store_roll_back(s, err);
    s->open_transaction = s->rows = false;
    store_verdicts_written(s);
    s->last_loss.id = 0;
    s->now.commits++;
    store_publish(s);
    store_check_path(s);
    /* What a reset forgot counts against max_contexts until then, so it stays small beside that. */
    uint64_t spared = s->max_series < FORGOTTEN_MIN ? s->max_series : FORGOTTEN_MIN;
    if (gone || s->n_forgotten > s->intern.n_used / 2 + spared)
        s->stale = true;
    store_run_recount(s);
    return 0;
}

int store_commit(struct store *s, struct err *err) {
    int result = commit(s, err);
    s->pending = 0; /* committed, or lost */
    return result;
}
