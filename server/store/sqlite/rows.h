/* Shared by the files that read the recording; no other folder includes it.
 *
 *     reader.c     a connection: begin and end, sessions, losses
 *     connection.c the same on a path, opened with its log or without
 *     open_reader.c  the same of a file that somebody names
 *     statement.c  prepared statements, kept for the next question
 *     filter.c     a struct filter as SQL conditions, and what SQL cannot say
 *     list.c       series, events, service checks, rejects, requests
 *     payloads.c   bodies of requests and datagrams, byte for byte
 *     named.c      the series that have certain names
 *     name_rows.c  names with what their series come to
 *     moment.c     the first record of a time
 *     samples.c    samples, out of chunks; gather.c finds those
 *     spellings.c  what the samples of a series have in common
 *     strays.c     samples whose timestamps lie too far away
 *     points.c     the samples of one series without their order
 *     spelling.c   contexts as struct metric, arrivals
 *
 * A row callback may use the reader again, but not call `samples` from within `samples`.
 */
#ifndef STORE_SQLITE_ROWS_H
#define STORE_SQLITE_ROWS_H

#include "core/buf.h"
#include "core/reader.h"
#include "store/sqlite/db.h"
#include <sys/types.h>
#include <time.h>

#define ROWS_CONDITIONS    16
#define ROWS_STATEMENTS    48
#define ROWS_SPELLINGS     1024 /* remembered; or, when they come by turns, as in an export of many series, */
#define ROWS_SPELLINGS_MAX 16384 /* by a command's one reader */
#define ROWS_SESSIONS      16
#define ROWS_ARRIVALS      8192
#define ROWS_COUNTED       16                  /* answers that are remembered */
#define ROWS_TEXT_MAX      ((size_t)256 << 20) /* bytes of one row's texts */
#define ROWS_SPELLED_MAX   ((size_t)32 << 20)  /* bytes of remembered spellings */

/* A JSON array of strings, taken apart. */
struct rows_tags {
    struct span *tags;
    size_t n, cap;
    struct buf text;
};
/* -1 with err when it is not one: the file is damaged. */
int rows_tags(struct rows_tags *t, struct span json, struct err *err);
void rows_tags_free(struct rows_tags *t);

/* The remarks of one record. */
struct rows_remarks {
    struct remarks remarks;
    struct buf text;
};
/* json.p NULL: there are none. -1 with err when the file is damaged. remarks.c. */
int rows_remarks(struct rows_remarks *t, struct span json, struct span line, struct err *err);
void rows_remarks_free(struct rows_remarks *t);

struct rows_spelling {
    uint64_t context_id; /* 0: free */
    uint64_t series_id, session_id;
    uint64_t moment; /* of the reader, in which its session had this name */
    struct span session;
    struct metric metric;
    struct rows_tags tags;
    struct rows_remarks remarks;
    struct buf text;
};

struct rows_arrival {
    uint64_t first_id;
    int64_t received_at;
    enum source source;
};

#define ROWS_RECORDER_UNKNOWN (-1)

/* A file and its log, as far as it shows that somebody went on recording. */
struct rows_seen {
    dev_t dev;
    ino_t ino, log_ino, index_ino; /* the last two: 0 where there is none */
    off_t size, log_size;
    struct timespec changed, log_changed;
    bool
        recent; /* it was written just before, on a file system that counts seconds: what comes next may look the same */
};

struct store;
struct rows {
    struct reader reader;
    sqlite3 *db;   /* NULL, of_file: to be opened anew */
    bool of_file;  /* store_reader_open's: nobody need be writing it */
    bool settles;  /* an older one is read from a copy, too */
    bool is_still; /* nobody wrote it, or it is a copy: what comes later is not seen */
    char *path;    /* of_file: its real name */
    struct rows_seen seen;
    /* of_file, for begin: opens the file anew where that is called for, before a moment of it is read; */
    int (*look)(struct rows *, struct err *);
    /* and whether that is called for, once the moment stands. */
    bool (*changed_hands)(struct rows *);
    /* of_file: it could not be opened for now (EBUSY). All connections of this process to a file share one index of its log, also when another one is
     * at its name by now; so they are to be closed (store_reader_drop). NULL: there are no others. */
    void (*stuck)(struct store *);
    struct store *view; /* for that */
    uint64_t opened;    /* how often it was opened anew */
    unsigned version;   /* SQLite's, of the moment: another one after each commit. Of this connection alone */
    unsigned asked_at;  /* of_file: the version when the lock was asked who holds it */
    long
        recorder; /* of a file: the process that writes it, else 0; ROWS_RECORDER_UNKNOWN: to be asked again */
    int life; /* of_file: that process as a descriptor, which becomes readable when it has ended; -1: none */
    char note[160]; /* what a person must know of it; "": nothing */
    struct {
        char *sql;
        sqlite3_stmt *stmt;
        bool busy;
    } statements[ROWS_STATEMENTS];
    size_t next_victim;
    struct rows_remarks remarks;      /* of the event or check that is handed out */
    struct rows_spelling **spellings; /* by id modulo n_spellings; NULL: none yet */
    size_t n_spellings, n_displaced;  /* how many others took the place of one since there are as many */
    size_t n_spelled;                 /* bytes they hold */
    uint64_t moment;                  /* counts what begin began */
    struct rows_session {
        uint64_t id, moment;
        struct buf name;
    } sessions[ROWS_SESSIONS]; /* by id modulo ROWS_SESSIONS */
    struct rows_arrival *arrivals;
    size_t n_arrivals, want_arrivals;
    uint64_t arrivals_end; /* the first id that they say nothing about */
    struct rows_counted {
        uint64_t question, session_id; /* question: a hash of what was counted; 0: nothing */
        uint64_t max_id, series, n;
    } counted[ROWS_COUNTED];
    size_t next_counted;
    uint64_t n_looked; /* samples looked at: what growth tests count, together with SQLite's steps */
};

/* connection.c: a connection, whatever state the file is in. */
struct rows *rows_open(const char *path, struct err *err);
/* --- reader.c */
extern const struct reader_ops rows_ops;
void rows_close_db(struct rows *r);
/* Somebody is just making, taking or replacing the file, or (EBUSY) the index of its log: what failed need not fail the next time. */
bool rows_passes(const struct err *why);

/* --- open_reader.c */

/* false: there is no such file. */
bool store_reader_see(const char *path, struct rows_seen *seen);
/* Whether it is the same file as then, and nobody wrote it. */
bool store_reader_unchanged(const char *path, const struct rows_seen *then);
/* From now on an older file in its place is read from a copy. */
void store_reader_settles(struct reader *);
/* Closes the connection to what is at its path, if it has one through which a log is read. Its next begin opens it anew. */
void rows_drop(struct rows *r);
/* A reader of a copy that was made of this file when it was seen so: what comes into the file is looked for there. */
int store_reader_stands_for(struct reader *, const char *path, const struct rows_seen *, struct err *);

/* --- statement.c */

/* A statement to bind and step; give it back with rows_done. NULL with err. */
sqlite3_stmt *rows_statement(struct rows *r, const char *sql, struct err *err);
void rows_done(struct rows *r, sqlite3_stmt *stmt);
int rows_damaged(struct err *err);

/* --- filter.c */

/* Conditions on one kind of row. `columns` name what the kind has; NULL: it has none, so a filter on it lets
 * nothing by. */
struct rows_columns {
    const char *id, *session_id, *name, *type, *source, *series_id, *remarks, *sampled;
    const char *method, *status;
    bool has_tags;
    bool all_ids; /* since and until are not for this kind */
    bool
        has_names; /* of series: an index of name, session and type, in order of id where all three are given */
};
/* Of a series: some spelling of it has remarks. */
#define ROWS_SERIES_REMARKS                                                                                  \
    "(SELECT 1 FROM context x WHERE x.metric_id = m.id AND x.remarks IS NOT NULL LIMIT 1)"
struct rows_where {
    struct buf sql; /* " WHERE …" */
    int64_t numbers[ROWS_CONDITIONS];
    struct span texts[ROWS_CONDITIONS];
    int n;
    bool nothing;    /* no row can match */
    char bound[256]; /* what follows a name's fixed beginning */
};
void rows_where(struct rows_where *w, const struct filter *f, const struct rows_columns *columns);
/* Names its type where a name without wildcards has only one in its session, so that its series come in order of id from the index. */
int rows_one_type(struct rows *r, struct filter *f, struct err *err);
void rows_where_bind(const struct rows_where *w, sqlite3_stmt *stmt);
/* The conditions of the filter that SQL did not decide. */
bool rows_name_matches(const struct filter *f, struct span name);
bool rows_tags_match(const struct filter *f, const struct rows_tags *tags);

/* --- named.c */
struct rows_ids {
    uint64_t *list;
    size_t n, cap;
    bool all; /* too many to be worth a list: look at all of them */
};
/* Whether series are best found by the names that the filter asks for. */
bool rows_by_name(const struct filter *f);
/* The ids of series whose names may be among those, in order; of other sessions, too. */
/* Every different name. */
int rows_names(struct rows *r, int (*row)(void *, struct span name), void *arg, struct err *err);
int rows_named(struct rows *r, const struct filter *f, struct rows_ids *ids, struct err *err);
void rows_ids_free(struct rows_ids *ids);

/* --- spelling.c */
struct rows_spelling *rows_spelling(struct rows *r, uint64_t context_id, struct err *err);
void rows_spellings_free(struct rows *r);
int rows_arrival(struct rows *r, uint64_t id, struct rows_arrival *arrival, struct err *err);
/* The same; *end is the first id that it does not hold for. */
int rows_arrival_until(struct rows *r, uint64_t id, struct rows_arrival *arrival, uint64_t *end,
                       struct err *err);
/* The first id of the slice that holds `id`: no chunk with a smaller id has samples after it. */
int rows_slice_start(struct rows *r, uint64_t id, uint64_t *start, struct err *err);
/* Columns container_id … inode from `at` on. */
void rows_origin(sqlite3_stmt *stmt, int at, struct origin *origin);

/* --- the operations */
int rows_first_at(struct reader *, int64_t wall_ns, uint64_t *id, struct err *);
int rows_series(struct reader *, const struct filter *, int (*row)(void *, const struct series_row *), void *,
                struct err *);
int rows_name_rows(struct reader *, const struct name_filter *, int (*row)(void *, const struct name_row *),
                   void *, uint64_t *n, struct err *);
int rows_chunks(struct reader *, struct span session, uint64_t since, uint64_t max,
                int (*row)(void *, const struct chunk_row *), void *, uint64_t *from, struct err *);
int rows_samples(struct reader *, const struct filter *, bool ordered,
                 int (*row)(void *, const struct sample_row *), void *, struct err *);
struct samples_cursor *rows_samples_open(struct reader *, const struct filter *, struct err *);
int rows_samples_more(struct samples_cursor *, int (*row)(void *, const struct sample_row *), void *,
                      struct err *);
void rows_samples_close(struct samples_cursor *);
int rows_payloads(struct reader *, const struct filter *, int (*row)(void *, const struct payload_row *),
                  void *, struct err *);
int rows_posted(struct reader *, struct span session, bool payloads,
                int (*row)(void *, const struct posted_row *), void *, struct err *);
int rows_datagrams(struct reader *, const struct filter *, int (*row)(void *, const struct datagram_row *),
                   void *, struct err *);
int rows_points(struct reader *, uint64_t series_id, int (*row)(void *, const struct points_row *), void *,
                struct err *);
int rows_values(struct reader *, uint64_t series_id, int (*row)(void *, const struct numbers_row *), void *,
                struct err *);
int rows_spellings(struct reader *, const struct filter *, int (*row)(void *, const struct spelling_row *),
                   void *, struct err *);
int rows_strays(struct reader *, const struct filter *, int (*row)(void *, const struct stray_row *), void *,
                struct err *);
int rows_cadence(struct reader *, uint64_t series_id, uint64_t first_id, struct cadence *, struct err *);
int rows_events(struct reader *, const struct filter *, int (*row)(void *, const struct event_row *), void *,
                struct err *);
int rows_checks(struct reader *, const struct filter *, int (*row)(void *, const struct check_row *), void *,
                struct err *);
int rows_rejects(struct reader *, const struct filter *, int (*row)(void *, const struct reject_row *),
                 void *, struct err *);
int rows_requests(struct reader *, const struct filter *, int (*row)(void *, const struct request_row *),
                  void *, struct err *);

#endif
