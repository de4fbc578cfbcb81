/* DESIGN. One connection writes. Between two commits samples wait in memory (slice.h) and everything else
 * goes into the open transaction as it comes. What is kept in memory about the file (hashes of series and
 * spellings, heads of chains) can always be read from it again: after a failed commit that is what happens,
 * so there is no undo. */
#include "core/clock.h"
#include "store/migrate.h"
#include "store/private.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SERIES_DEFAULT   2000000
#define CONTEXTS_PER_SERIES  4
#define SLICES_PER_RETENTION 16
#define FORGOTTEN_MIN        4096

/* The measurements behind these are in schema/README.md. */
static const char settings[] =
    "PRAGMA synchronous = OFF; PRAGMA cache_size = -32000; PRAGMA temp_store = MEMORY;"
    "PRAGMA wal_autocheckpoint = 2048; PRAGMA journal_size_limit = 33554432;"
    "PRAGMA recursive_triggers = OFF; PRAGMA trusted_schema = OFF";

#define COMMON "(id, session_id, received_at, source, "
static const char *const texts[SQL_N] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_METRIC] =
        "INSERT INTO metric (id, session_id, hash, name, type, tags, host, device) VALUES (?,?,?,?,?,?,?,?)",
    [SQL_CONTEXT] =
        "INSERT INTO context (id, metric_id, hash, tags, sample_rate, container_id, external_data, cardinality,"
        " entity_id, jmx_check_name, inode, unit, interval, source_type, resources)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_ARRIVAL] =
        "INSERT INTO arrival (first_id, last_id, slice_id, received_at, source) VALUES (?,?,?,?,?)",
    [SQL_EVENT] = "INSERT INTO event " COMMON
                  "title, text, timestamp, aggregation_key, priority, alert_type, source_type_name,"
                  " tags, host, container_id, external_data, cardinality, entity_id, jmx_check_name, inode)"
                  " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_CHECK] = "INSERT INTO service_check " COMMON "name, status, message, timestamp,"
                  " tags, host, container_id, external_data, cardinality, entity_id, jmx_check_name, inode)"
                  " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_REJECT] = "INSERT INTO reject " COMMON
                   "name, reason, family, text, offset, detail) VALUES (?,?,?,?,?,?,?,?,?,?)",
    [SQL_REQUEST] = "INSERT INTO request " COMMON
                    "method, path, query, status, wire_bytes, body_bytes, encoding, content_type,"
                    " user_agent, api_key, body, note) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_LOSS] = "INSERT INTO loss (id, at, session_id, loss, n, detail) VALUES (?,?,nullif(?,0),?,?,?)",
    [SQL_LOSS_AGAIN] = "UPDATE loss SET id = ?, n = n + ? WHERE id = ?",
    [SQL_DATAGRAM] =
        "INSERT INTO datagram (session_id, received_at, source, after_id, bytes) VALUES (?,?,?,?,?)",
};

/* --- what is in memory about the file
 * ------------------------------------------------------------------------------ */

static int by_id(const void *key, const void *element) {
    uint64_t id = *(const uint64_t *)key, other = ((const struct store_session *)element)->id;
    return (id > other) - (id < other);
}

struct store_session *store_find_session(struct store *s, uint64_t id) {
    return s->n_sessions ? bsearch(&id, s->sessions, s->n_sessions, sizeof *s->sessions, by_id) : NULL;
}

static struct intern_hash blob_hash(sqlite3_stmt *stmt, int column) {
    struct intern_hash hash = {0};
    const void *blob = sqlite3_column_blob(stmt, column);
    if (blob && sqlite3_column_bytes(stmt, column) == 12) {
        memcpy(&hash.low, blob, 8);
        memcpy(&hash.high, (const char *)blob + 8, 4);
    }
    return hash;
}

static int load_sessions(struct store *s, struct err *err) {
    sqlite3_stmt *stmt = db_prepare(s->db, "SELECT id, era FROM session ORDER BY id", err);
    if (!stmt)
        return -1;
    s->n_sessions = 0;
    int got;
    while ((got = db_row(s->db, stmt, err)) == 1) {
        if (s->n_sessions == s->cap_sessions) {
            size_t cap = s->cap_sessions ? s->cap_sessions * 2 : 16;
            struct store_session *more = realloc(s->sessions, cap * sizeof *more);
            if (!more) {
                got = err_set(err, ENOMEM, "cannot open the recording");
                break;
            }
            s->sessions = more;
            s->cap_sessions = cap;
        }
        s->sessions[s->n_sessions++] = (struct store_session){.id = db_id(stmt, 0), .era = db_id(stmt, 1)};
    }
    sqlite3_finalize(stmt);
    return got;
}

static int load_series(struct store *s, struct err *err) {
    sqlite3_stmt *stmt = db_prepare(
        s->db,
        "SELECT m.id, m.hash, m.session_id, y.last_chunk, y.samples, y.first_id, y.last_id, y.first_at,"
        " y.last_at, y.count, y.sum, y.min, y.max, y.last, y.sampled FROM metric m"
        " LEFT JOIN summary y ON y.metric_id = m.id ORDER BY m.id",
        err);
    if (!stmt)
        return -1;
    int got;
    while ((got = db_row(s->db, stmt, err)) == 1) {
        struct intern_series series = {.id = db_id(stmt, 0),
                                       .last_chunk = db_id(stmt, 3),
                                       .samples = db_id(stmt, 4),
                                       .first_id = db_id(stmt, 5),
                                       .last_id = db_id(stmt, 6),
                                       .first_at = sqlite3_column_int64(stmt, 7),
                                       .last_at = sqlite3_column_int64(stmt, 8),
                                       .count = db_number(stmt, 9),
                                       .sum = db_number(stmt, 10),
                                       .min = db_number(stmt, 11),
                                       .max = db_number(stmt, 12),
                                       .last = db_number(stmt, 13),
                                       .sampled = sqlite3_column_int(stmt, 14) != 0};
        uint32_t ix = intern_add_series(&s->intern, &series);
        if (ix == INTERN_NONE || !intern_lead(&s->intern, blob_hash(stmt, 1), ix)) {
            got = err_set(err, ENOMEM, "cannot open the recording");
            break;
        }
        struct store_session *session = store_find_session(s, db_id(stmt, 2));
        if (session)
            session->n_interned++;
        if (s->next_metric_id <= series.id) /* never given twice: readers remember what they stand for */
            s->next_metric_id = series.id + 1;
    }
    sqlite3_finalize(stmt);
    return got;
}

static uint32_t series_of_id(const struct intern *in, uint64_t id) {
    uint32_t low = 0, high = in->n_series;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (in->series[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < in->n_series && in->series[low].id == id ? low : INTERN_NONE;
}

static int load_contexts(struct store *s, struct err *err) {
    sqlite3_stmt *stmt = db_prepare(s->db,
                                    "SELECT c.id, c.hash, c.metric_id, c.sample_rate, m.type FROM context c"
                                    " JOIN metric m ON m.id = c.metric_id ORDER BY c.id",
                                    err);
    if (!stmt)
        return -1;
    int got;
    while ((got = db_row(s->db, stmt, err)) == 1) {
        int type = sqlite3_column_int(stmt, 4);
        if (type < 0 || type >= METRIC_N_TYPES)
            continue;
        double rate = db_number(stmt, 3);
        struct metric_weight weight = metric_weigh((enum metric_type)type, rate);
        uint32_t series = series_of_id(&s->intern, db_id(stmt, 2));
        if (series == INTERN_NONE)
            continue;
        struct intern_context context = {.id = db_id(stmt, 0),
                                         .count = weight.count,
                                         .factor = weight.factor,
                                         .series = series & INTERN_SERIES_MAX,
                                         .sampled = rate != 1,
                                         .group = INTERN_NONE};
        uint32_t ix = intern_add_context(&s->intern, &context);
        if (ix == INTERN_NONE || !intern_lead(&s->intern, blob_hash(stmt, 1), ix)) {
            got = err_set(err, ENOMEM, "cannot open the recording");
            break;
        }
        if (s->next_context_id <= context.id)
            s->next_context_id = context.id + 1;
    }
    sqlite3_finalize(stmt);
    return got;
}

static int load_counts(struct store *s, struct err *err) {
    struct store_stats *now = &s->now;
    struct {
        const char *sql;
        uint64_t *count;
    } const counts[] = {
        {"SELECT sum(samples) FROM summary", &now->samples},
        {"SELECT count(*) FROM metric", &now->series},
        {"SELECT count(*) FROM event", &now->events},
        {"SELECT count(*) FROM service_check", &now->checks},
        {"SELECT count(*) FROM reject", &now->rejects},
        {"SELECT count(*) FROM request", &now->requests},
        {"SELECT count(*) FROM datagram", &now->datagrams},
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (db_int(s->db, counts[i].sql, 0, (int64_t *)counts[i].count, err) != 0)
            return -1;
    memset(now->losses, 0, sizeof now->losses);
    sqlite3_stmt *stmt = db_prepare(s->db, "SELECT loss, sum(n) FROM loss GROUP BY loss", err);
    if (!stmt)
        return -1;
    int got;
    while ((got = db_row(s->db, stmt, err)) == 1) {
        int loss = loss_of(db_span(stmt, 0));
        if (loss >= 0)
            now->losses[loss] = db_id(stmt, 1);
    }
    sqlite3_finalize(stmt);
    return got;
}

int store_load(struct store *s, struct err *err) {
    s->stale = true;
    intern_clear(&s->intern);
    slice_clear(&s->slice);
    s->n_forgotten = 0;
    s->last_loss.id = 0;
    int64_t seed;
    if (db_int(s->db, "SELECT value FROM counters WHERE name = 'hash_seed'", 0, &seed, err) != 0)
        return -1;
    s->intern.seed = (uint64_t)seed;
    if (load_sessions(s, err) != 0 || load_series(s, err) != 0 || load_contexts(s, err) != 0)
        return -1;
    s->arrival.session = store_find_session(s, s->arrival.session_id);
    s->stale = false;
    return 0;
}

int store_publish(struct store *s) {
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
    return 0;
}

/* --- transactions
 * --------------------------------------------------------------------------------------------------- */

int store_begin(struct store *s, struct err *err) {
    if (s->open_transaction)
        return 0;
    s->pending = 0;
    if (s->stale && store_load(s, err) != 0)
        return -1;
    if (db_done(s->db, s->sql[SQL_BEGIN], err) != 0)
        return -1;
    s->open_transaction = true;
    return 0;
}

int store_roll_back(struct store *s, struct err *err) {
    if (!sqlite3_get_autocommit(s->db)) /* SQLite does it by itself after some errors */
        db_done(s->db, s->sql[SQL_ROLLBACK], NULL);
    s->open_transaction = false;
    s->now = s->stats;
    store_load(s, err);
    return -1;
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

static int commit(struct store *s, struct err *err) {
    if (s->refused && (store_begin(s, err) != 0 || write_refused(s, err) != 0))
        return -1;
    if (!s->open_transaction)
        return 0;
    bool gone = false;
    if (store_flush(s, err) != 0 || store_retain(s, &gone, err) != 0)
        return store_roll_back(s, err);
    if (db_done(s->db, s->sql[SQL_COMMIT], err) != 0)
        return store_roll_back(s, err);
    s->open_transaction = false;
    s->now.commits++;
    store_publish(s);
    if (gone || s->n_forgotten > s->intern.n_used / 2 + FORGOTTEN_MIN)
        s->stale = true;
    return 0;
}

int store_commit(struct store *s, struct err *err) {
    int result = commit(s, err);
    s->pending = 0; /* committed, or lost */
    return result;
}

/* --- open and close
 * ------------------------------------------------------------------------------------------------- */

static int open_database(struct store *s, bool is_new, struct err *err) {
    int code = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return s->db ? db_fail(s->db, err, "open the recording")
                     : err_set(err, ENOMEM, "cannot open the recording");
    sqlite3_busy_timeout(s->db, 5000);
    if (is_new) {
        /* Not WAL yet: the first transaction goes straight into the file, so that its header always says what
         * it is. */
        if (db_run(s->db, "PRAGMA page_size = 8192; PRAGMA synchronous = OFF", err) != 0)
            return -1;
    } else {
        int older = migrate_state(s->db, s->options.path, err);
        if (older < 0) { /* leave everything as it is, the log too */
            sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
            return -1;
        }
        is_new = older == 1;
    }
    if (is_new && migrate_run(s->db, s->options.path, err) != 0)
        return -1;
    if (db_run(s->db, "PRAGMA journal_mode = WAL", err) != 0 || db_run(s->db, settings, err) != 0)
        return -1;
    for (int i = 0; i < SQL_N; i++)
        if (!(s->sql[i] = db_prepare(s->db, texts[i], err)))
            return -1;
    return 0;
}

static int load_last_id(struct store *s, struct err *err) {
    int64_t id;
    if (db_int(
            s->db,
            "SELECT max((SELECT value FROM counters WHERE name = 'last_id'), coalesce((SELECT max(id) FROM event), 0),"
            " coalesce((SELECT max(id) FROM service_check), 0), coalesce((SELECT max(id) FROM reject), 0),"
            " coalesce((SELECT max(id) FROM request), 0), coalesce((SELECT max(id) FROM loss), 0),"
            " coalesce((SELECT last_id FROM arrival ORDER BY first_id DESC LIMIT 1), 0))",
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
    return n == 0 ? 0 : db_run(s->db, "UPDATE session SET open = 0 WHERE id <> 1", err);
}

static int open_all(struct store *s, struct err *err) {
    bool in_memory = strcmp(s->options.path, ":memory:") == 0, is_new = true;
    char directory[FILE_PATH_MAX] = "";
    if (in_memory) {
        if (file_private_directory(directory, err) != 0)
            return -1;
        if (snprintf(s->path, sizeof s->path, "%s/db", directory) >= (int)sizeof s->path)
            return err_set(err, ENAMETOOLONG, "cannot record to memory");
    } else if (file_path(s->options.path, s->path, err) != 0) {
        return -1;
    }
    int result = file_lock(s->path, &is_new, &s->lock_fd, err);
    if (result == 0 &&
        (open_database(s, is_new, err) != 0 || close_old_sessions(s, err) != 0 || load_last_id(s, err) != 0 ||
         store_load(s, err) != 0 || load_counts(s, err) != 0 || store_pool_start(s, in_memory, err) != 0))
        result = -1;
    if (in_memory) { /* every connection is open: the names can go, so that nothing outlives the process */
        static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
        char name[FILE_PATH_MAX + 16];
        for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
            snprintf(name, sizeof name, "%s%s", s->path, suffixes[i]);
            unlink(name);
        }
        rmdir(directory);
    }
    return result;
}

struct store *store_open(const struct store_options *options, struct err *err) {
    struct store *s = calloc(1, sizeof *s);
    if (!s || !(s->path_given = strdup(options->path))) {
        free(s);
        err_set(err, ENOMEM, "cannot open the recording");
        return NULL;
    }
    s->options = *options;
    s->options.path = s->path_given;
    s->lock_fd = -1;
    s->next_metric_id = s->next_context_id = 1;
    s->max_series = options->max_series ? options->max_series : MAX_SERIES_DEFAULT;
    s->max_contexts = s->max_series * CONTEXTS_PER_SERIES;
    s->slice_ids = SLICE_IDS_MAX;
    if (options->retention_samples > 0 && options->retention_samples / SLICES_PER_RETENTION < s->slice_ids)
        s->slice_ids = options->retention_samples / SLICES_PER_RETENTION;
    if (s->slice_ids == 0)
        s->slice_ids = 1;
    pthread_mutex_init(&s->stats_lock, NULL);
    pthread_mutex_init(&s->pool.lock, NULL);
    pthread_cond_init(&s->pool.given, NULL);
    if (open_all(s, err) != 0) {
        store_close(s);
        return NULL;
    }
    store_publish(s);
    return s;
}

void store_close(struct store *s) {
    if (!s)
        return;
    if (s->open_transaction)
        store_commit(s, NULL);
    store_pool_stop(s);
    for (int i = 0; i < SQL_N; i++)
        sqlite3_finalize(s->sql[i]);
    store_flush_end(s);
    sqlite3_close(s->db);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    intern_clear(&s->intern);
    slice_free(&s->slice);
    buf_free(&s->key);
    buf_free(&s->tags);
    buf_free(&s->tags_sorted);
    free(s->sorted);
    free(s->order);
    free(s->sessions);
    pthread_mutex_destroy(&s->stats_lock);
    pthread_mutex_destroy(&s->pool.lock);
    pthread_cond_destroy(&s->pool.given);
    free(s->path_given);
    free(s);
}

uint64_t store_pending(const struct store *s) {
    return s->pending;
}

uint64_t store_last_id(const struct store *s) {
    return s->last_id;
}

void store_stats(struct store *s, struct store_stats *stats) {
    pthread_mutex_lock(&s->stats_lock);
    *stats = s->stats;
    pthread_mutex_unlock(&s->stats_lock);
}

const char *store_path(const struct store *s) {
    return s->options.path;
}
