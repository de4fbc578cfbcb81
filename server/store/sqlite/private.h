/* Shared by the files of the SQLite backend; no other folder includes it.
 *
 *     sqlite.c    open, close
 *     commit.c    commit
 *     transaction.c  a transaction begins, ends, is rolled back
 *     load.c      what is in memory about the file
 *     find.c      a session in memory
 *     later.c     a file of many series is open before they are loaded
 *     put.c       a record: into the slice, or a row of its own
 *     value.c     a value: into the slice
 *     requests.c  rows of requests
 *     identity.c  which series and spelling a metric is
 *     remarks.c   what the Agent ignores inside lines, as text
 *     bulk.c      rows in memory go into a table
 *     keep.c      what a producer waits for survives, before a commit makes rows of it
 *     kept.c      what was kept goes into its place
 *     reading_vfs.c  a file that nobody writes, until somebody does
 *     log.c       SQLite's log goes into the database
 *     foreign_log.c  a log that is another file's
 *     flush.c     a slice becomes chunks, summaries and arrivals
 *     totals.c    what all series of a name come to
 *     session.c   sessions, reset
 *     counts.c    how many records each session holds
 *     run.c       runs: their beginning and end, what earlier ones left; ports used
 *     retain.c    what is too old or too much goes
 *     pool.c      readers for everybody else
 *     verdicts.c  the last reports
 *     settle.c    a copy of a file that its recorder left unfinished
 *     view.c      a store that is only looked at; pair.c: two recordings as one
 */
#ifndef STORE_SQLITE_PRIVATE_H
#define STORE_SQLITE_PRIVATE_H

#include "store/sqlite/bulk.h"
#include "store/sqlite/db.h"
#include "store/sqlite/file.h"
#include "store/sqlite/intern.h"
#include "store/sqlite/slice.h"
#include "store/sqlite/totals.h"
#include "store/store.h"
#include <pthread.h>
#include <stdatomic.h>

struct store_held {
    uint64_t samples, series, events, checks, rejects;
};

/* The writer's state of a session. */
struct store_session {
    uint64_t id;
    uint64_t era;
    uint64_t n_interned;             /* contexts and series of this session and era in the table */
    uint64_t n_remarked;             /* contexts with remarks */
    uint64_t n_refused;              /* samples beyond the series limit that no loss row tells yet */
    struct store_held held, written; /* what it holds, and what the file says of that */
    struct {
        uint64_t n, largest, last_id;
    } large[2]; /* datagrams over DATAGRAM_PACKET_MAX and _AGENT_MAX counted in memory and not written yet */
};

struct store_when {
    int64_t received_at;
    enum source source;
};

enum store_sql {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_METRIC,
    SQL_CONTEXT,
    SQL_CHUNK,
    SQL_SUMMARY,
    SQL_NEW_SUMMARY,
    SQL_TOTAL,
    SQL_TOTAL_KEYS,
    SQL_TOTAL_TAGS,
    SQL_COUNT,
    SQL_ARRIVAL,
    SQL_STRAY,
    SQL_EVENT,
    SQL_CHECK,
    SQL_REJECT,
    SQL_REQUEST,
    SQL_KEPT,
    SQL_KEPT_REQUEST,
    SQL_PAYLOAD,
    SQL_LOSS,
    SQL_LOSS_AGAIN,
    SQL_DATAGRAM,
    SQL_LARGE,
    SQL_N
};

#define STORE_SCRATCH_MAX ((size_t)256 << 20) /* bytes of one record's key or tags */

#define LOSS_ROWS_MAX 10000 /* of `loss`: when so many have come, all but the newest are gathered */
#define STORE_READERS (5 + STORE_READERS_HELD)

struct store_pool {
    pthread_mutex_t lock;
    pthread_cond_t given;
    struct reader *readers[STORE_READERS];
    bool taken[STORE_READERS];
    bool drops[STORE_READERS]; /* taken, and to be dropped when it is given back, by */
    void (*drop)(struct reader *);
};

/* await.c: counters of what is waited for. */
#define AWAIT_SERIES   16384
#define AWAIT_SESSIONS 1024
/* session.c: the statements of sessions that come and go. */
#define STORE_AGAIN_MAX 40
struct store_again {
    const char *sql; /* a literal, known by its address */
    sqlite3_stmt *stmt;
};

struct store {
    struct store_options options;
    char *path_given;
    char path[FILE_PATH_MAX];
    bool in_memory;
    bool is_new; /* this run made the file */
    int lock_fd;
    sqlite3 *db;
    bool log_begins; /* all of the log is in the file: the next transaction is the first of a new one */
    int log_pages;   /* log.c: since the last commit, if it was not copied */
    void (*meanwhile)(void *arg);
    void *meanwhile_arg;
    const char *const *texts; /* SQL_N of them */
    sqlite3_stmt *sql[SQL_N]; /* what puts records is prepared with the first transaction that may */
    struct store_again again[STORE_AGAIN_MAX];
    struct bulk feed;
    struct bulk_list new_series, new_contexts; /* interned, but not in the file yet: identity.c */
    struct bulk_list new_requests;             /* not in the file yet: requests.c */

    struct intern intern;
    struct name_totals totals;
    uint64_t next_id;         /* of series and spellings */
    uint32_t n_own_spellings; /* when the file was loaded: contexts[] began with those */
    uint64_t max_series, max_contexts;
    uint64_t n_forgotten;           /* entries of the table that nobody can reach any more */
    struct store_session *sessions; /* by id */
    size_t n_sessions, cap_sessions;

    struct slice slice;
    uint64_t slice_ids;   /* at most so many in one slice */
    uint64_t retain_at;   /* samples that make the oldest slice go; 0: it is to be looked at */
    uint64_t retain_seen; /* how many there were at the last commit */
    uint64_t last_id;
    uint64_t pending;
    uint64_t n_kept;       /* records that survive, but that no reader sees yet */
    uint64_t kept_samples; /* of them, when the file was loaded */
    bool open_transaction;
    bool rows;                         /* it holds rows that readers would see when it is committed */
    bool later;                        /* what is in memory is loaded by store_ready (later.c) */
    bool stale;                        /* what is in memory must be loaded again before anything is put */
    bool refused;                      /* some session has n_refused > 0 */
    bool large;                        /* some session has large[].n > 0 */
    int64_t age_checked_at;            /* retain.c */
    int64_t locked_at, locked_seen_at; /* sqlite.c: by another program, monotonic */
    int64_t path_checked_at;
    bool path_lost;

    struct {
        atomic_uint series[AWAIT_SERIES], sessions[AWAIT_SESSIONS];
        atomic_bool begun, any;
        bool met;
    } await;
    struct { /* store_arrival */
        uint64_t session_id;
        struct store_session *session; /* NULL: it was removed, and later data for it is dropped */
        struct store_when when;
        uint64_t counted; /* received_samples up to which its session has counted its own */
    } arrival;
    struct { /* the newest row of `loss` not committed yet: the next one may only have to raise its count */
        uint64_t id; /* 0: none */
        uint64_t session_id;
        enum loss loss;
        uint64_t detail_hash;
    } last_loss;
    uint64_t n_loss_rows, max_loss_rows; /* past which retain.c gathers all but the newest */

    struct buf key, tags; /* scratch of identity.c */
    struct span *sorted;
    size_t cap_sorted;
    uint64_t *order; /* scratch of flush.c */
    size_t cap_order;

    struct store_stats now; /* as if all were committed */
    pthread_mutex_t stats_lock;
    struct store_stats stats;

    uint64_t run_id, run_mark;
    bool run_spoiled;                    /* its end will not be a clean one */
    char recording[RECORDING_NAME_SIZE]; /* guarded by stats_lock */
    struct earlier {
        uint64_t session_id, samples, others;
    } * earlier; /* of earlier runs, and still there; guarded by stats_lock */
    size_t n_earlier;
    bool earlier_stale; /* some of it was evicted */

    struct store_pool pool;
    struct verdicts *verdicts; /* verdicts.c */
    struct store_view *view;   /* view.c; NULL: this store is written */
    /* Of a view: brings up to date what is told of it without a reader; ends that. */
    void (*look)(struct store *s), (*look_end)(struct store *s);
};

/* log.c: instead of SQLite's own checkpoints. */
void log_watch(struct store *s);
/* What is in the log into the database, as far as nobody reads what was there. */
void log_copy(struct store *s);
void log_empty(struct store *s); /* at the end */

/* commit.c */
void store_publish(struct store *s); /* the counters, for everybody */
void store_check_path(struct store *s);

/* transaction.c. The statements up to `last`; what is prepared stays. */
int store_prepare(struct store *s, enum store_sql last, struct err *err);
int store_begin(struct store *s, struct err *err); /* opens the transaction if none is open */
int store_end(struct store *s, struct err *err);   /* COMMIT and no more: who calls rolls back what fails */
int store_roll_back(struct store *s, struct err *err); /* always -1 */
/* While none is open: one of its own, of rows that nothing in memory stands for. Each write is in a transaction of these functions, as it may be the
 * first of a log, which says whose that is. */
int store_write_alone(struct store *s, const char *sql, struct err *err);

/* load.c */
int store_load(struct store *s, struct err *err);
int store_load_sessions(struct store *s, struct err *err); /* and nothing else */
/* The summaries of the series in temp.touched again. */
int store_load_remade(struct store *s, struct err *err);
int store_load_counts(struct store *s, struct err *err);
int store_count_losses(struct store *s, struct err *err);

/* find.c: NULL: there is none. */
struct store_session *store_find_session(struct store *s, uint64_t id);

/* identity.c: the context of a metric, made if it is new. INTERN_NONE: there are too many series already. */
int store_identify(struct store *s, const struct metric *m, uint32_t *context, struct err *err);
/* As it stands in the table; series: its ix. */
struct intern_context store_context(uint64_t id, enum metric_type type, double sample_rate, uint32_t series);
int store_json_tags(struct buf *b, size_t n, const struct span *tags, struct span *text, struct err *err);
/* Writes all new rows into the open transaction. */
int store_write_new(struct store *s, struct err *err);
/* container_id, external_data, cardinality, entity_id, jmx_check_name, inode from parameter `at` on. */
void store_bind_origin(sqlite3_stmt *stmt, int at, const struct origin *origin);

/* requests.c */
int store_add_request(struct store *s, uint64_t id, const struct request *r, struct err *err);
int store_write_requests(struct store *s, struct err *err);

/* kept.c */
/* What was kept goes into its tables, in the open transaction, with the slice that holds its samples. */
int store_fold_kept(struct store *s, struct err *err);
int store_load_kept(struct store *s, struct err *err); /* back into the slice */

/* remarks.c */
/* Contexts with remarks in one session. What a client writes where the Agent looks at nothing may differ with every line: beyond
 * so many of them only the kinds of remarks are kept, without text and line. */
#define STORE_REMARKED_MAX 10000
int store_remarks_json(struct buf *b, const struct remarks *r, struct span *json, struct err *err);
struct span store_remarks_line(const struct remarks *r); /* cut to what is kept */
void store_remarks_bare(struct remarks *bare, const struct remarks *r);

/* flush.c */
int store_flush(struct store *s, struct err *err); /* the open slice goes into the open transaction */

/* await.c: tells who waits (store_await_series). */
void await_series(struct store *s, uint64_t series_id);
void await_new(struct store *s, uint64_t session_id);
/* value.c: a value of a metric into the slice; store_put_text: its text is there already. false: out of memory. */
bool store_put_value(struct store *s, uint64_t id, uint32_t context, const struct metric *m,
                     const struct value *v, const struct store_when *when);
bool store_put_text(struct store *s, uint64_t id, uint32_t context, enum metric_type type,
                    const struct value *v, struct span text, const struct store_when *when);
/* loss.c: n records of a session were removed, the newest of the commit that newest_id is from. That is the id of the loss too
 * (retain.c says why). */
int store_evicted(struct store *s, uint64_t session_id, enum loss loss, uint64_t n, uint64_t newest_id,
                  struct err *err);

/* counts.c */
/* The samples that came since it was asked last are those of the session that they came into. */
void store_count_samples(struct store *s);
void store_count_evicted(struct store *s, uint64_t session_id, enum loss loss, uint64_t n);
int store_count_series_gone(struct store *s, struct err *err); /* those in temp.touched */
int store_count_write(struct store *s, struct err *err);       /* into the open transaction */

/* retain.c: part of the open transaction. *gone: series were removed, so the table must be loaded again after
 * it. */
int store_retain(struct store *s, bool *gone, struct err *err);

/* run.c */
/* The detail of the loss of a run that died: of the newest one, when it has no end. */
#define RUN_DIED                                                                                             \
    "SELECT 'the run of ' || strftime('%Y-%m-%dT%H:%M:%SZ', started_at / 1000000000, 'unixepoch') FROM run"  \
    " WHERE id = (SELECT max(id) FROM run) AND ended_at IS NULL"
int store_run_name(struct store *s, struct err *err); /* reads the recording's name */
int store_run_begin(struct store *s, struct err *err);
void store_run_end(struct store *s);
/* The file was emptied: no other run has ever been. Part of the open transaction. */
int store_run_alone(struct store *s, struct err *err);
/* Notes that the records of earlier runs in a session have been removed. */
void store_run_forget(struct store *s, uint64_t session_id);
/* After a commit that evicted some of it. */
void store_run_recount(struct store *s);

/* later.c: whether what is in memory about the file need not be loaded before it is open. */
int store_can_wait(struct store *s, bool *later, struct err *err);

/* pool.c */
int store_pool_start(struct store *s, struct err *err);
void store_pool_stop(struct store *s);
/* Drops all, those that are taken when they are given back. */
void store_pool_drop(struct store *s, void (*drop)(struct reader *));

/* verdicts.c */
int store_verdicts_start(struct store *s, struct err *err); /* none yet */
void store_verdicts_stop(struct store *s);
/* Those of a reader, which has begun, instead of what there is; the second of two says whose sessions they are about. */
int store_verdicts_load(struct store *s, struct reader *reader, struct err *err);
bool store_verdicts_due(struct store *s); /* some are not in the file */
/* Into the open transaction; store_verdicts_written after its commit. */
int store_verdicts_write(struct store *s, struct err *err);
void store_verdicts_written(struct store *s);
int store_verdicts_clear(struct store *s, struct err *err); /* part of the open transaction */

/* pair.c: two readers as one. Ownership: takes both over; NULL with both closed. */
void pair_drop(struct reader *reader); /* rows_drop, of one reader of a file or of two */
struct reader *pair_reader(struct reader *first, struct reader *second, struct err *err);

/* open_reader.c: whether a copy has to be read: an older statwit recorded it, or a recorder was killed and left something kept or the index of another
 * log, or a log lies where no index of it can be made. */
bool store_reader_unsettled(const char *path);
/* settle.c: a private copy in which all is in its place, until file_private_remove. *left_out, unless NULL: without the log, which is another file's. */
int store_copy_settled(const char *path, char copy[FILE_PATH_MAX], bool *left_out, struct err *err);
/* sqlite.c: puts what was kept into its place, and is no run of the file. */
int store_settle(const char *path, struct err *err);
/* connection.c: a reader on a path. may_be_alone: perhaps nobody is writing the file. _own: of the file that this process records. */
struct reader *store_reader_on(const char *path, bool may_be_alone, struct err *err);
struct reader *store_reader_own(const char *path, struct err *err);
void store_reader_left_out(struct reader *reader); /* notes that it reads without such a log */

/* foreign_log.c */
/* Whose the log is through which a connection reads: of another file's no page may come into this one. Of one that cannot be read for now nothing is
 * known, as err says; who asks again may be told. One that cannot be read at all counts as the file's own. */
enum log_of { LOG_ITS_OWN, LOG_FOREIGN, LOG_UNKNOWN };
enum log_of log_whose(sqlite3 *db, const char *path, bool is_recorded, struct err *err);
/* Whether the index that a connection, which has read, has open is another log's than the one that it has open. All connections of a process to
 * a file share an index, also one whose name is gone. */
bool log_index_is_foreign(sqlite3 *db, bool is_recorded);
/* The same of another index at its name: who records from now on goes by that one. */
bool log_index_is_elsewhere(sqlite3 *db, const char *path);
/* As file_set_log_aside, but true also when there is none: aside is "" then, as when it fails. */
bool log_put_aside(const char *path, char *aside);
/* Opens a file to write, as sqlite3_open_v2, and puts such a log aside before: aside, of FILE_ASIDE_MAX, says where; it stays as it is when there was
 * none. NULL: it is removed, and *removed says so. SQLITE_BUSY: it cannot be put aside, or others bring one again and again. SQLITE_IOERR_DATA: whose it
 * is cannot be told for now. */
int log_open_own(const char *path, const char *vfs, char *aside, bool *removed, sqlite3 **db);

#endif
