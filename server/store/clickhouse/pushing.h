/* Shared by push.c and push_rows.c; no other file includes it.
 *
 *     push.c        the protocol: blocks, what to do when an answer is lost
 *     push_ask.c    what it asks, and how long it goes on asking
 *     push_known.c  whether it is there already
 *     push_rows.c   the recording as rows
 */
#ifndef STORE_CLICKHOUSE_PUSHING_H
#define STORE_CLICKHOUSE_PUSHING_H

#include "core/table.h"
#include "store/clickhouse/ask.h"
#include "store/clickhouse/push.h"

enum push_table { PUSH_SERIES, PUSH_SPELLINGS, PUSH_SAMPLES, PUSH_RECORDS, PUSH_TABLES };
extern const char *const push_tables[PUSH_TABLES];

enum push_outcome {
    PUSH_DONE = 0,
    PUSH_FAILED = -1,
    PUSH_AGAIN = 1 /* this push is given up, a new one may begin */
};

struct pushing {
    struct fleet f;
    const struct push_options *o;
    struct push_result *result;
    struct reader *from;
    struct err *err;
    struct fleet_uuid push, recording;
    uint64_t content; /* a hash of what is pushed, samples by their series' summaries */
    uint16_t day;
    int64_t started_at, ended_at; /* 0: nothing was recorded */
    uint64_t last_id, lost;
    uint64_t done[PUSH_TABLES]; /* rows that the engine has */
    uint64_t n_rows;            /* in `rows` */
    uint64_t total;             /* samples, as the summaries say */
    uint32_t block;             /* of samples */
    enum push_table table;      /* whose rows are being made */
    struct buf rows;            /* the block being made */
    struct buf names;           /* (name, type) of all series: how the engine finds a push's rows */
    struct table seen;          /* hashes of what is in there */
    int64_t progress_ns;        /* when something last went on */
    int64_t began_ns;
    enum push_outcome outcome; /* of the row callbacks */
    /* Sends the block, if it holds any rows. */
    enum push_outcome (*send)(struct pushing *p);
};

/* --- push_ask.c */
void push_write_uuid(struct fleet_uuid u, char text[37]);
/* What the engine says when it is busy, or when another node of its is: later it may go. */
bool push_passes(int code);
/* Before a request: none may outlive patience. */
void push_bound_request(struct pushing *p);
/* After one that brought the push on. */
void push_went_on(struct pushing *p);
int64_t push_first_pause(const struct pushing *p);
/* Waits, longer each time; false: no more. */
bool push_pause(struct pushing *p, int64_t *pause_ns);
/* Says why, and after how many tries. */
enum push_outcome push_give_up(struct pushing *p, const struct err *why);
/* Asks until the engine answers or patience ends; the answer ends with a newline. names: p->names goes along as the table `nam`. */
enum push_outcome push_ask(struct pushing *p, const char *sql, bool names, struct buf *answer);
enum push_outcome push_count_rows(struct pushing *p, const char *table, uint64_t *n);
/* Waits until no INSERT of that id is at work: one whose answer was lost may be. */
enum push_outcome push_await_end(struct pushing *p, const char *id);
/* Whether the engine has as many rows of this push as `done` says; PUSH_AGAIN with err: it has not. */
enum push_outcome push_check_counts(struct pushing *p);

/* Fills in `content`. 0, or -1 with err. push_known.c */
int push_hash(struct pushing *p);
/* *known: the recording's newest push is of the same content, and all of it is there; then `done` says how much. push_known.c */
enum push_outcome push_look_up(struct pushing *p, bool *known);

/* When the recording begins and ends, what its series are named, how many samples it has. push_rows.c */
int push_survey(struct pushing *p);
/* All rows of a table, in blocks. */
enum push_outcome push_rows(struct pushing *p, enum push_table table);
void push_row_of_recording(struct pushing *p, int64_t now_ns);

#endif
