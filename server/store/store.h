/* The recording: one writer puts records in, any number of readers look at what was committed.
 *
 * A backend implements these functions and the reader_ops of core/reader.h; sqlite.c and the files private.h lists are the
 * one there is. The same suite (tests/unit/store) runs over every backend and medium. What the file looks like, and why:
 * schema/README.md.
 *
 * Ownership: store_put copies what it keeps; the caller's record may go right after. The store owns its readers.
 * Threads: everything that takes a `struct store *` is for the one writer thread, but store_reader_take and
 * store_reader_give, which any thread may call. A reader is for the thread that took it.
 * Errors: -1 with err. After an error of the disk (full, gone) the records since the last commit are lost: the caller
 * counts them (store_pending) as LOSS_DISK_FULL, and may try again: the store itself stays usable.
 * Units: nanoseconds since 1970, bytes.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "core/reader.h"

struct store_options {
    const char *path;           /* ":memory:": nothing that outlives the process, even after kill -9 */
    bool keep_datagrams;        /* store_datagram keeps its bytes */
    int64_t retention_age_ns;   /* 0: for ever */
    uint64_t retention_samples; /* 0: any number */
    uint64_t retention_bodies;  /* bytes of payloads that are kept; 0: any number */
    /* 0: the default, 2,000,000; STORE_SERIES_MAX at most. Samples of further series are counted as LOSS_SERIES_LIMIT. */
    uint64_t max_series;
    /* The caller calls store_ready before anything is put. What is in memory about a file of many series is loaded then, so that
     * store_open takes no longer than that of an empty one. */
    bool load_later;
};
#define STORE_SERIES_MAX UINT32_MAX

struct store;

/* Opens or creates a recording for writing, and begins a run; migrates an older one; refuses (and leaves untouched) a file that is newer,
 * foreign, or being written by another process (which it names). */
struct store *store_open(const struct store_options *options, struct err *err);
/* With load_later: loads what store_open left. Does nothing the second time. */
int store_ready(struct store *s, struct err *err);
/* Commits, ends the run and closes; all readers must have been given back. */
void store_close(struct store *s);

/* Runs. From store_open to store_close the file carries an open mark: a file that has the mark although nobody records
 * was left by a recorder that died. Readers report that as a loss (LOSS_UNCLEAN_END); the next store_open writes it down. */
/* 32 hexadecimal digits, the recording's own name, wherever it is copied; of two that are looked at, the first one's. Any thread. */
void store_recording(struct store *s, char name[RECORDING_NAME_SIZE]);
/* Whether this run made the file, so that nothing earlier is in it. Any thread. */
bool store_is_new(const struct store *s);
/* The newest id before this run. Any thread. */
uint64_t store_run_mark(const struct store *s);
/* The records of earlier runs in a session (0: in all) that are still in the file. Any thread. */
struct store_earlier {
    uint64_t records; /* samples, events, checks, rejects */
    uint64_t samples;
    uint64_t sessions; /* that hold some */
};
void store_earlier(struct store *s, uint64_t session_id, struct store_earlier *earlier);
/* Notes that a loss could not be written down. Then the run counts as not ended cleanly. */
void store_spoil_run(struct store *s);

/* --- writing -------------------------------------------------------------------------------------------------------
 * Nothing put is visible to readers before store_commit. While another program holds the file's write lock these wait
 * for it, 5 s in all, and then fail at once until it is free. */

/* Records that follow came into this session, from this source, at this time. */
int store_arrival(struct store *s, uint64_t session_id, enum source source, int64_t received_at,
                  struct err *err);
int store_put(struct store *s, const struct record *record, struct err *err);
/* A metric with other values than its own. */
int store_put_values(struct store *s, const struct metric *metric, size_t n, const struct value *values,
                     struct err *err);
int store_request(struct store *s, const struct request *request, struct err *err);
/* A datagram whose records follow: counted when it is large; its bytes are kept with keep_datagrams. */
int store_datagram(struct store *s, struct span bytes, struct err *err);
/* session_id 0: it concerns every session. Takes an id of its own, so a mark made before it does not hide it. The same loss
 * before the next commit raises the count of its row; a row that was committed stays as it is. */
int store_loss(struct store *s, uint64_t session_id, enum loss loss, uint64_t n, struct span detail,
               struct err *err);
/* Records put since the last commit, failed ones too (samples, events, checks, rejects, requests); a loss is one, what was beyond the series
 * limit as well: with a commit that fails it is lost. */
uint64_t store_pending(const struct store *s);
/* Rows that a commit would have to write now: a measure of how long it will take. */
size_t store_rows(const struct store *s);
/* Everything put so far becomes visible and survives the end of this process. Applies retention now and then. */
int store_commit(struct store *s, struct err *err);
/* Everything put so far survives the end of this process, and the next store_commit makes it visible. Where that is no less work than a
 * commit, it is one. */
int store_keep(struct store *s, struct err *err);
/* Does what is left to do of earlier commits, which nobody waits for. To be called after each commit. */
void store_shorten_log(struct store *s);
/* Nothing waits to be put: the memory that only a large commit needs goes back to the system. */
void store_rest(struct store *s);
/* Records that were kept and that no reader sees yet. */
uint64_t store_kept(const struct store *s);
/* From now on fn is called about every 100 us that the database is at work; it must not touch the store. NULL: no more. */
void store_meanwhile(struct store *s, void (*fn)(void *arg), void *arg);
/* Somebody waits for values of a series, or for new series of a session (0: of any); n is 1, and -1 when that is over. store_await_any: for
 * something else. Threads: any.
 * store_awaited: whether something of that is there since the last commit, before somebody began to wait or after, or somebody began to wait
 * for something else. store_awaited_over: a commit takes all of it. The writer's thread. */
void store_await_series(struct store *s, uint64_t series_id, int n);
void store_await_new(struct store *s, uint64_t session_id, int n);
void store_await_any(struct store *s);
bool store_awaited(struct store *s);
void store_awaited_over(struct store *s);
/* The newest id given to a record, committed or not. */
uint64_t store_last_id(const struct store *s);

/* Sessions. Each commits by itself, and what was put before with it. "default" always exists and has id 1. A new session is
 * empty: one of the same name that is still in the file has ended, and is called NAME@ID from then on. What still comes for a
 * removed session is dropped. */
int store_session_add(struct store *s, struct span name, struct span api_key, int64_t expires_at,
                      uint64_t *id, struct err *err);
/* Any words, also ones that are no UTF-8. */
int store_session_label(struct store *s, uint64_t session_id, struct span label, struct err *err);
/* Ends the session, and keeps what it recorded. */
int store_session_end(struct store *s, uint64_t session_id, struct err *err);
/* Removes the session and what it recorded. */
int store_session_remove(struct store *s, uint64_t session_id, struct err *err);

struct store_removed {
    uint64_t samples, series, events, checks, rejects, requests, datagrams, payloads, payload_bytes;
};
/* Forgets what a session recorded, not the session; losses before it are forgotten too. */
int store_reset(struct store *s, uint64_t session_id, struct store_removed *removed, struct err *err);
/* Removes all sessions that have ended and were kept, with what they recorded; adds to *removed. */
int store_remove_ended(struct store *s, struct store_removed *removed, struct err *err);
/* As in a new file: nothing is recorded, there are only the default session and this run, and its name is a new one. */
int store_empty(struct store *s, struct err *err);

/* UDP ports that sessions listened on, also in earlier runs of the file: the last STORE_PORTS_KEPT of them. */
#define STORE_PORTS_KEPT 1024
int store_port_used(struct store *s, int port, struct err *err);
/* Into ports[], oldest first; *n of them. Before anything is put. */
int store_ports(struct store *s, int ports[STORE_PORTS_KEPT], size_t *n, struct err *err);

/* Verdicts: the last reports, kept beside the records. When there are as many as there may be, the oldest that passed makes room, else
 * the oldest. A report of the same question takes the place of the one before. Any thread; nothing waits for the disk: they are
 * written with the next commit that has something to write, and at the end. */
#define STORE_VERDICTS_MAX     100
#define STORE_VERDICT_SIZE_MAX ((size_t)64 << 10) /* bytes of a report; store_verdict refuses a longer one */
/* Copies the row; gives it its id and counts how often it was asked. -1: too long, or out of memory. */
int store_verdict(struct store *s, const struct verdict_row *verdict);
/* Newest first. The row is valid until fn returns, which must not call the store; not 0 stops. */
void store_verdicts_each(struct store *s, int (*fn)(void *arg, const struct verdict_row *), void *arg);
struct store_verdict_counts {
    uint64_t kept, failed, last_id;
};
void store_verdicts_count(struct store *s, struct store_verdict_counts *counts);

struct store_stats {
    uint64_t samples, series, events, checks, rejects, requests, datagrams; /* recorded now */
    uint64_t payloads, payload_bytes;                                       /* bodies that are kept now */
    uint64_t received_samples;                                              /* since the store was opened */
    uint64_t losses[LOSS_N];                                                /* recorded now */
    uint64_t commits;
    uint64_t bytes; /* of the database and its log */
};
/* Any thread. */
void store_stats(struct store *s, struct store_stats *stats);
const char *store_path(const struct store *s); /* as given */

/* A store of one or two recordings that are only looked at: nothing can be put, and no byte of the files is changed. Of the second one,
 * the sessions are called "2:NAME". store_close closes it. */
struct store *store_open_view(const char *const *paths, size_t n, struct err *err);
/* Changes when a recorder has written to one of the files, or another file is in its place. It takes a look at them, and no more: about as
 * long as an empty question. Any thread. */
uint64_t store_view_changes(struct store *s);
/* How often there was another recording in the place of one that is looked at, or it was emptied: ids begin anew then. It takes the same look; 0
 * for a store that is written. Any thread. */
uint64_t store_view_replaced(struct store *s);

/* --- reading ----------------------------------------------------------------------------------- */

/* So many readers of the pool may be kept for seconds without that others wait for theirs. */
#define STORE_READERS_HELD 2
/* Whether store_datagram keeps its bytes. Any thread. */
bool store_keeps_datagrams(const struct store *s);

/* A reader from the pool; waits while all are taken. NULL with err. Any thread. */
struct reader *store_reader_take(struct store *s, struct err *err);
void store_reader_give(struct store *s, struct reader *reader);

/* A reader on a file that nobody need be writing (`--db FILE`); never writes to it. Its `note` names the process that is
 * recording to the file, whose latest may still be on the way (a loss of the reader's). */
struct reader *store_reader_open(const char *path, struct err *err);

#endif
