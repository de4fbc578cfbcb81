/* DESIGN. One connection writes. Between two commits samples wait in memory (slice.h) and everything else
 * goes into the open transaction as it comes. What is kept in memory about the file (hashes of series and
 * spellings, heads of chains) can always be read from it again: after a failed commit that is what happens,
 * so there is no undo. */
#include "core/clock.h"
#include "core/log.h"
#include "store/sqlite/log_file.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/private.h"
#include "store/sqlite/template.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_SERIES_DEFAULT   2000000
#define CONTEXTS_PER_SERIES  4
#define SLICES_PER_RETENTION 16
#define MEANWHILE_STEPS      2000           /* of SQLite's machine: some 100 rows */
#define LOCKED_NS            (5 * NS_PER_S) /* waited for another program's write lock, before records are lost */
#define LOCKED_AGAIN_NS      (2 * NS_PER_MS)

/* The measurements behind these are in schema/README.md. */
static const char settings[] =
    "PRAGMA synchronous = OFF; PRAGMA cache_size = -32000; PRAGMA temp_store = MEMORY;"
    "PRAGMA journal_size_limit = 33554432;"
    "PRAGMA recursive_triggers = OFF; PRAGMA trusted_schema = OFF; PRAGMA secure_delete = FAST";

#define COMMON "(id, session_id, received_at, source, "
#define REQUEST                                                                                              \
    COMMON "method, path, query, status, wire_bytes, body_bytes, encoding, content_type,"                    \
           " user_agent, api_key, body, note)"                                                               \
           " SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15 FROM feed"
#define SUMMARY                                                                                              \
    "(metric_id, samples, count, sum, min, max, last, first_at, last_at, first_id, last_id, sampled,"        \
    " last_chunk, fell_id) SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13 FROM feed"
static const char *const texts[SQL_N] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_METRIC] =
        "INSERT INTO metric (id, session_id, hash, name, type, tags, host, device, spelling, spelled)"
        " SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 FROM feed",
    [SQL_CONTEXT] =
        "INSERT INTO context (id, metric_id, hash, tags, sample_rate, container_id, external_data, cardinality,"
        " entity_id, jmx_check_name, inode, unit, interval, source_type, resources, remarks, line)"
        " SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16 FROM feed",
    [SQL_CHUNK] = "INSERT INTO chunk (id, context_id, prev, n, count, sum, min, max, vals, step)"
                  " SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 FROM feed",
    [SQL_SUMMARY] = "INSERT OR REPLACE INTO summary " SUMMARY,
    [SQL_NEW_SUMMARY] = "INSERT INTO summary " SUMMARY,
    [SQL_TOTAL_KEYS] = "SELECT series, tag_keys FROM name_total WHERE metric_id = ?",
    [SQL_TOTAL_TAGS] =
        "SELECT m.tags FROM metric o CROSS JOIN metric m INDEXED BY metric_name ON m.name = o.name"
        " AND m.session_id = o.session_id AND m.type = o.type AND m.id > ?2 WHERE o.id = ?1 ORDER BY m.id",
    [SQL_TOTAL] =
        "INSERT OR REPLACE INTO name_total (metric_id, series, samples, count, sum, min, max, last, first_at, last_at,"
        " last_id, tag_keys) SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11 FROM feed",
    [SQL_COUNT] =
        "INSERT OR REPLACE INTO session_count (session_id, samples, series, events, checks, rejects)"
        " VALUES (?,?,?,?,?,?)",
    [SQL_ARRIVAL] = "INSERT INTO arrival (first_id, last_id, slice_id, received_at, source)"
                    " SELECT c0, c1, c2, c3, c4 FROM feed",
    [SQL_STRAY] =
        "INSERT INTO stray (context_id, kind, n, timestamp, first_id, last_id) VALUES (?,?,?,?,?,?)"
        " ON CONFLICT (context_id, kind) DO UPDATE SET n = n + excluded.n, last_id = excluded.last_id",
    [SQL_EVENT] = "INSERT INTO event " COMMON
                  "title, text, timestamp, aggregation_key, priority, alert_type, source_type_name,"
                  " tags, host, container_id, external_data, cardinality, entity_id, jmx_check_name, inode,"
                  " remarks, line) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_CHECK] = "INSERT INTO service_check " COMMON "name, status, message, timestamp,"
                  " tags, host, container_id, external_data, cardinality, entity_id, jmx_check_name, inode,"
                  " remarks, line) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_REJECT] = "INSERT INTO reject " COMMON
                   "name, reason, family, text, offset, detail) VALUES (?,?,?,?,?,?,?,?,?,?)",
    [SQL_REQUEST] = "INSERT INTO request " REQUEST,
    [SQL_KEPT] = "INSERT INTO kept (first_id, received_at, source, timestamp, vals)"
                 " VALUES (?,?,?,?,?)",
    [SQL_KEPT_REQUEST] = "INSERT INTO kept_request " REQUEST,
    [SQL_PAYLOAD] = "INSERT INTO payload (id, session_id, received_at, path, api_key, headers, bytes)"
                    " VALUES (?,?,?,?,?,?,?)",
    [SQL_LOSS] = "INSERT INTO loss (id, at, session_id, loss, n, detail) VALUES (?,?,nullif(?,0),?,?,?)",
    [SQL_LOSS_AGAIN] = "UPDATE loss SET id = ?, n = n + ? WHERE id = ?",
    [SQL_DATAGRAM] =
        "INSERT INTO datagram (session_id, received_at, source, after_id, bytes) VALUES (?,?,?,?,?)",
    [SQL_LARGE] = "INSERT INTO large_datagram (session_id, over, n, largest, last_id) VALUES (?,?,?,?,?)"
                  " ON CONFLICT (session_id, over) DO UPDATE SET n = n + excluded.n,"
                  " largest = max(largest, excluded.largest), last_id = excluded.last_id",
};

/* --- transactions ------------------------------------------------------------------------------ */

/* SQLite's busy handler. One wait is for one lock, however many statements need it, so that questions are answered meanwhile. */
static int wait_for_lock(void *arg, int times) {
    struct store *s = arg;
    int64_t now = clock_mono_ns();
    if (times == 0 && now - s->locked_seen_at > LOCKED_NS)
        s->locked_at = now;
    s->locked_seen_at = now;
    if (now - s->locked_at > LOCKED_NS)
        return 0;
    nanosleep(&(struct timespec){.tv_nsec = LOCKED_AGAIN_NS}, NULL);
    return 1;
}

/* --- open and close ---------------------------------------------------------------------------- */

static void begin_log(struct store *s) {
    log_watch(s);
    if (s->is_new)
        s->log_begins = true;
    else
        log_copy(s);
}

/* Its log is signed before. */
static int migrate(struct store *s, struct err *err) {
    if (store_write_alone(s, "", err) != 0 || migrate_run(s->db, s->options.path, err) != 0)
        return -1;
    log_copy(s);
    return 0;
}

/* A log beside a new recording is that of an older one, which was deleted or moved; SQLite would put its pages into this one. false: it
 * cannot be put aside. */
static bool make_place(struct store *s, char *aside) {
    if (!s->is_new) {
        file_drop_index(s->path, s->lock_fd);
        return true;
    }
    if (file_has_log(s->path) && !log_put_aside(s->path, aside))
        return false;
    file_drop_logs(s->path);
    return true;
}

static int cannot_put_aside(const struct store *s, struct err *err) {
    return err_set(
        err, 0,
        "%s has the log of another recording beside it, or the index of one, which cannot be put aside: move %s-wal away, and where -wal.1 to "
        "-wal.99 are all there, those that nobody needs",
        s->options.path, s->options.path);
}

static int open_with_log(struct store *s, struct err *err) {
    char aside[FILE_ASIDE_MAX] = "";
    if (!make_place(s, aside))
        return cannot_put_aside(s, err);
    if (s->is_new && template_write(s->lock_fd, s->in_memory, clock_wall_ns(), err) != 0)
        return -1;
    db_settings();
    int code = log_open_own(s->path, log_file_vfs(), aside, NULL, &s->db);
    if (aside[0])
        log_warning(
            "%s: the log beside it does not follow it, so it is that of another recording that lay there before, or of another state of this one: "
            "it is %s now",
            s->options.path, aside);
    if (code == SQLITE_BUSY)
        return cannot_put_aside(s, err);
    if (code == SQLITE_IOERR_DATA)
        return err_set(
            err, 0,
            "cannot tell whether %s-wal is the log of %s, as somebody changes or locks one of them: start again",
            s->options.path, s->options.path);
    if (code != SQLITE_OK)
        return s->db ? db_fail(s->db, err, "open the recording")
                     : err_set(err, ENOMEM, "cannot open the recording");
    return 0;
}

static int open_database(struct store *s, struct err *err) {
    if (open_with_log(s, err) != 0)
        return -1;
    sqlite3_busy_handler(s->db, wait_for_lock, s);
    int older = !file_is_at(s->path, s->lock_fd)
                    ? err_set(err, 0, "another file took the place of %s while it was opened: start again",
                              s->options.path)
                : s->is_new ? 0
                            : migrate_state(s->db, s->options.path, err);
    if (older < 0) { /* leave everything as it is, the log too */
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        return -1;
    }
    if (db_run(s->db, "PRAGMA journal_mode = WAL", err) != 0 || db_run(s->db, settings, err) != 0)
        return -1;
    s->texts = texts;
    if (store_prepare(s, SQL_ROLLBACK, err) != 0)
        return -1;
    begin_log(s);
    if (older == 1 && migrate(s, err) != 0)
        return -1;
    return bulk_register(s->db, &s->feed, err);
}

static int load_ids(struct store *s, struct err *err) {
    int64_t id, next_id;
    if (db_int(s->db, "SELECT value FROM counters WHERE name = 'next_id'", 1, &next_id, err) != 0)
        return -1;
    s->next_id = next_id > 0 ? (uint64_t)next_id : 1;
    if (db_int(
            s->db,
            "SELECT max((SELECT value FROM counters WHERE name = 'last_id'), coalesce((SELECT max(id) FROM event), 0),"
            " coalesce((SELECT max(id) FROM service_check), 0), coalesce((SELECT max(id) FROM reject), 0),"
            " coalesce((SELECT max(id) FROM request), 0), coalesce((SELECT max(id) FROM loss), 0),"
            " coalesce((SELECT last_id FROM arrival ORDER BY first_id DESC LIMIT 1), 0),"
            " coalesce((SELECT max(id) FROM kept_request), 0),"
            " coalesce((SELECT first_id + CASE WHEN json_valid(vals)"
            " THEN coalesce(json_extract(vals, '$[#-1][0]') + json_array_length(vals, '$[#-1]') - 3, 0) ELSE 0 END"
            " FROM kept ORDER BY first_id DESC LIMIT 1), 0))",
            0, &id, err) != 0)
        return -1;
    s->last_id = (uint64_t)id;
    return 0;
}

/* "default" may carry more than this run: only sessions that somebody opens again are open. */
static int close_old_sessions(struct store *s, struct err *err) {
    int64_t n;
    if (db_int(s->db, "SELECT count(*) FROM session WHERE open AND id <> 1", 0, &n, err) != 0)
        return -1;
    return n == 0 ? 0 : store_write_alone(s, "UPDATE session SET open = 0 WHERE id <> 1", err);
}

/* In a new recording there is nothing to be found. */
static int load_all(struct store *s, struct err *err) {
    if (!s->is_new && (close_old_sessions(s, err) != 0 || load_ids(s, err) != 0))
        return -1;
    if (store_can_wait(s, &s->later, err) != 0 ||
        (s->later ? store_load_sessions(s, err) : store_load(s, err)) != 0)
        return -1;
    return s->is_new ? 0 : store_load_counts(s, err);
}

static int load_verdicts(struct store *s, struct err *err) {
    struct reader *r = s->pool.readers[0];
    if (r->ops->begin(r, err) != 0)
        return -1;
    int result = store_verdicts_load(s, r, err);
    r->ops->end(r);
    return result;
}

static int open_all(struct store *s, struct err *err) {
    s->in_memory = strcmp(s->options.path, ":memory:") == 0;
    if ((s->in_memory ? file_private(s->path, err) : file_path(s->options.path, s->path, err)) != 0)
        return -1;
    int result = file_lock(s->path, &s->is_new, &s->lock_fd, err);
    if (result == 0 && !s->in_memory)
        file_real(s->path);
    if (result == 0 && (open_database(s, err) != 0 || store_verdicts_start(s, err) != 0 ||
                        load_all(s, err) != 0 || store_run_begin(s, err) != 0 ||
                        store_pool_start(s, err) != 0 || (!s->is_new && load_verdicts(s, err) != 0)))
        result = -1;
    if (s->in_memory) /* every connection is open: the names can go, so that nothing outlives the process */
        file_private_remove(s->path);
    return result;
}

static struct store *new_store(const struct store_options *options, struct err *err) {
    struct store *s = calloc(1, sizeof *s);
    if (!s || !(s->path_given = strdup(options->path))) {
        free(s);
        err_set(err, ENOMEM, "cannot open the recording");
        return NULL;
    }
    s->options = *options;
    s->options.path = s->path_given;
    s->lock_fd = -1;
    s->new_series.columns = 10;
    s->new_contexts.columns = 17;
    s->new_requests.columns = 16;
    s->next_id = 1;
    s->max_loss_rows = LOSS_ROWS_MAX;
    s->max_series = options->max_series ? options->max_series : MAX_SERIES_DEFAULT;
    if (s->max_series > STORE_SERIES_MAX)
        s->max_series = STORE_SERIES_MAX;
    s->max_contexts = s->max_series * CONTEXTS_PER_SERIES;
    s->slice_ids = SLICE_IDS_MAX;
    if (options->retention_samples > 0 && options->retention_samples / SLICES_PER_RETENTION < s->slice_ids)
        s->slice_ids = options->retention_samples / SLICES_PER_RETENTION;
    if (s->slice_ids == 0)
        s->slice_ids = 1;
    pthread_mutex_init(&s->stats_lock, NULL);
    pthread_mutex_init(&s->pool.lock, NULL);
    pthread_cond_init(&s->pool.given, NULL);
    return s;
}

int store_settle(const char *path, struct err *err) {
    const struct store_options options = {.path = path, .max_series = STORE_SERIES_MAX};
    struct store *s = new_store(&options, err);
    if (!s)
        return -1;
    snprintf(s->path, sizeof s->path, "%s", path);
    int result = open_database(s, err);
    if (result == 0)
        result = store_load(s, err);
    if (result == 0)
        result = store_load_counts(s, err);
    if (result == 0 && s->n_kept)
        result = store_commit(s, err);
    store_close(s);
    return result;
}

struct store *store_open(const struct store_options *options, struct err *err) {
    struct store *s = new_store(options, err);
    if (!s)
        return NULL;
    struct err why = {0};
    if (open_all(s, &why) != 0) {
        err_pass(err, &why, options->path);
        s->run_id = 0; /* it has recorded nothing */
        store_close(s);
        return NULL;
    }
    store_publish(s);
    return s;
}

void store_close(struct store *s) {
    if (!s)
        return;
    if (store_verdicts_due(s))
        store_begin(s, NULL);
    if ((s->open_transaction || s->n_kept) && store_commit(s, NULL) != 0)
        s->run_spoiled = true;
    store_pool_stop(s);
    if (s->look_end)
        s->look_end(s);
    if (s->in_memory && s->db) /* nobody will read it: nothing has to be brought to an end */
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    else
        store_run_end(s);
    for (int i = 0; i < SQL_N; i++)
        sqlite3_finalize(s->sql[i]);
    for (int i = 0; i < STORE_AGAIN_MAX; i++)
        sqlite3_finalize(s->again[i].stmt);
    if (s->run_id && !s->in_memory)
        log_empty(s);
    s->path_checked_at = 0;
    if (s->db)
        store_check_path(s);
    if (s->path_lost) /* Closing deletes the log by its name, which may be that of a newer recording's by now. */
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(s->db);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    intern_clear(&s->intern);
    totals_clear(&s->totals);
    slice_free(&s->slice);
    buf_free(&s->key);
    buf_free(&s->tags);
    bulk_list_free(&s->new_series);
    bulk_list_free(&s->new_contexts);
    bulk_list_free(&s->new_requests);
    store_verdicts_stop(s);
    free(s->sorted);
    free(s->order);
    free(s->sessions);
    free(s->earlier);
    pthread_mutex_destroy(&s->stats_lock);
    pthread_mutex_destroy(&s->pool.lock);
    pthread_cond_destroy(&s->pool.given);
    free(s->path_given);
    free(s);
}

void store_rest(struct store *s) {
    slice_shrink(&s->slice);
}

uint64_t store_pending(const struct store *s) {
    return s->pending;
}

size_t store_rows(const struct store *s) {
    return 2 * s->slice.n_groups + s->new_series.n + s->new_contexts.n;
}

static int call_meanwhile(void *arg) {
    struct store *s = arg;
    s->meanwhile(s->meanwhile_arg);
    return 0;
}

void store_meanwhile(struct store *s, void (*fn)(void *arg), void *arg) {
    s->meanwhile = fn;
    s->meanwhile_arg = arg;
    sqlite3_progress_handler(s->db, MEANWHILE_STEPS, fn ? call_meanwhile : NULL, s);
}

uint64_t store_last_id(const struct store *s) {
    return s->last_id;
}

void store_stats(struct store *s, struct store_stats *stats) {
    if (s->look)
        s->look(s);
    pthread_mutex_lock(&s->stats_lock);
    *stats = s->stats;
    pthread_mutex_unlock(&s->stats_lock);
}

bool store_is_new(const struct store *s) {
    return s->is_new;
}

const char *store_path(const struct store *s) {
    return s->options.path;
}
