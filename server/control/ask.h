/* Reads and checks the query arguments and the JSON body of a question. Everything unknown is refused by name.
 *
 * Errors: -1 once http_error has answered.
 * Ownership: spans point into the request.
 */
#ifndef CONTROL_ASK_H
#define CONTROL_ASK_H

#include "core/reader.h"
#include "http/server.h"
#include "http/work.h"
#include <jansson.h>

#define ASK_TAGS_MAX      64    /* tag= arguments */
#define ASK_LIMIT_DEFAULT 10000 /* rows of a list */
#define ASK_LIMIT_MAX     100000000
#define ASK_NEWEST_MAX    10000 /* rows of a list with newest=true: they are held in memory */
#define ASK_BODY_MAX      (8 << 20)

/* Refuses query arguments that are not among the names (test_session_token is always welcome), and what is given twice, but for
 * `tag`. */
int ask_only(struct http_request *rq, size_t n, const char *const *names);

/* The session that the request speaks about: `session=NAME`, else by token, else `default`. For a name stands also the token of
 * --auto-sessions that a session was made for. */
int ask_session(struct http_request *rq, struct span name, struct ingest_session *session);

/* Refuses (409) a session that is named besides the one of the path /s/NAME. ask_session and its like do so by themselves. */
int ask_own(struct http_request *rq, struct span name);

/* The same, or one that has ended and is still in the recording: 1 then, 0 for an open one. Such a one has no address. */
int ask_recorded(struct http_request *rq, struct span name, struct ingest_session *session);
/* One into which something may still come: an open one or, where recordings are only looked at, any. */
int ask_going_on(struct http_request *rq, struct span name, struct ingest_session *session);
/* Where a judgement begins that was given no `since`: at this run's start. *earlier: what it leaves out so. session_id may be
 * INGEST_ALL. */
uint64_t ask_own_run(struct http_request *rq, uint64_t session_id, uint64_t *earlier);

/* A query argument that is true, false, 1 or 0; may be missing. */
int ask_flag(struct http_request *rq, const char *name, bool *on);
/* As ask_recorded, for what may be about every session: then its id is INGEST_ALL and its name EVERY_SESSION. */
int ask_sessions(struct http_request *rq, struct span name, struct ingest_session *session);

/* The arguments of a list. */
struct ask {
    struct filter filter; /* without limit */
    struct span tags[ASK_TAGS_MAX];
    struct span type; /* as given; p == NULL: any */
    uint64_t cursor;
    uint64_t limit;
    bool newest;
    bool p95;   /* of series: with that percentile */
    int reason; /* of rejects: only with this one, an enum reason; -1: any */
    char session[INGEST_NAME_SIZE];
    uint64_t session_id; /* INGEST_ALL */
};
#define ASK_MORE_MAX 6 /* arguments that one list takes besides */
int ask_list(struct http_request *rq, size_t n_more, const char *const *more, struct ask *ask);
/* The same for a question that takes only the arguments that are named. */
int ask_some(struct http_request *rq, size_t n, const char *const *names, struct ask *ask);
/* A query argument that is a number from `min` to `max`; *n stays when it is missing. */
int ask_number(struct http_request *rq, const char *name, uint64_t min, uint64_t max, uint64_t *n);

/* A whole number without sign. */
bool ask_u64(struct span text, uint64_t *n);

/* The body as a JSON object whose fields are all among the names; an empty body is {}. New reference; NULL
 * when refused. */
json_t *ask_body(struct http_request *rq, size_t n, const char *const *names);
/* Refuses fields that are not among the names. `where` is put before the field's name: "http[0].". */
int ask_fields(struct http_request *rq, const json_t *object, const char *where, size_t n,
               const char *const *names);
/* A field that may be missing (or null): 1 when it is there, 0 when not, -1 refused. */
int ask_string(struct http_request *rq, const json_t *object, const char *name, struct span *value);
int ask_bool(struct http_request *rq, const json_t *object, const char *name, bool *value);
int ask_count(struct http_request *rq, const json_t *object, const char *name, uint64_t max, uint64_t *value);

/* Questions past one of these sizes may take seconds, so they must leave a worker free for others. */
#define ASK_LONG_BODY    (256 << 10) /* bytes of the question */
#define ASK_LONG_SERIES  100000      /* recorded, where each is looked at */
#define ASK_LONG_SAMPLES 2000000     /* recorded, where each is looked at */
#define ASK_LONG_PAIRS   4000000     /* of 16 bytes of the question and a series */
enum work_length ask_length(const struct http_request *rq, bool reads_samples);
/* Refuses a mark that is beyond the newest record: it is one of another recording; and (0: none) an `until` before `since`. */
int ask_marks(struct http_request *rq, uint64_t since, uint64_t until, uint64_t last_id);

/* The barrier of a session (INGEST_ALL), with its error as a 503. */
int ask_barrier(struct http_request *rq, uint64_t session_id, uint64_t *last_id);
/* The same without waiting, for a request that is asleep: fn runs, perhaps before this returns. -1 with err, and fn does not run. */
int ask_barrier_then(struct http_request *rq, uint64_t session_id, void (*fn)(void *arg, uint64_t last_id),
                     void *arg, struct err *err);
/* The same unless the query says `settled=no`: then it waits for nothing, and *last_id is the newest record committed. So a page
 * that looks on does not change what it looks at. */
int ask_settled(struct http_request *rq, uint64_t session_id, uint64_t *last_id);
/* For a request that will be asleep: whether it waits for the barrier, and then either of them. */
int ask_waits(struct http_request *rq, bool *waits);
int ask_settled_then(struct http_request *rq, bool waits, uint64_t session_id,
                     void (*fn)(void *arg, uint64_t last_id), void *arg, struct err *err);

#define ASK_NAMES(...)                                                                                       \
    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), (const char *const[]) {               \
        __VA_ARGS__                                                                                          \
    }

/* Adds the text of the tree, without spaces: dump.c. -1: NULL, or the buffer is full. The tree has no circle. */
int ask_dump(struct buf *b, json_t *tree);

#endif
