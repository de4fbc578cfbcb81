/* One thread for all requests that wait: for a time, for a commit, or for a client to go away.
 *
 * A waiter is a request that sleeps. The thread sleeps too, in epoll, until a commit (an eventfd that the
 * pipeline writes while somebody waits for data), the earliest deadline, or a hang-up of a waiting client's
 * socket.
 *
 * Ownership: the caller of watch_add keeps the waiter's memory valid until `wake` is called. `wake` is called exactly once;
 * inside it the waiter may be freed, or added again.
 * Threads: watch_add from any. `look` and `wake` run on the watch thread and must be short.
 */
#ifndef HTTP_WATCH_H
#define HTTP_WATCH_H

#include "core/reader.h"
#include "http/server.h"

enum watch_why {
    WATCH_LOOKED, /* `look` said so */
    WATCH_DUE,    /* the deadline has passed */
    WATCH_GONE,   /* the client has closed its connection */
    WATCH_FAILED, /* new records could not be read, or not be judged */
    WATCH_STOP,   /* the server ends */
    WATCH_READY,  /* one of `events` */
};

#define WATCH_EVERY_SESSION "*"

/* Those who are told of all records of a kind: http/interest.h. */
enum watch_roster {
    WATCH_COMMITS, /* of each commit: they have no taker */
    WATCH_TAKERS,  /* of losses */
    WATCH_SERIES,
    WATCH_EVENTS,
    WATCH_CHECKS,
    WATCH_REJECTS,
    WATCH_COUNTS, /* whether anything came in their session */
    WATCH_ROSTERS
};

struct waiter {
    struct waiter *next, *prev; /* the watch's */
    int fd;                     /* the client's socket, or -1: don't look whether it goes away */
    unsigned events;            /* of epoll, that it waits for instead of the client's going away */
    int64_t due_mono_ns;        /* 0: never */
    /* Where new records go, and how; `takes` NULL: nowhere. */
    const struct record_taker *takes;
    void *taker;
    uint64_t cursor;                /* the newest record that it knows */
    uint64_t series;                /* and series */
    uint64_t unsaved;               /* pipeline_unsaved_loss just before these were read */
    char session[INGEST_NAME_SIZE]; /* or WATCH_EVERY_SESSION */
    uint64_t session_id;
    bool counts;      /* n_taken is wanted; of a taker without `wants` it is kept, too */
    uint64_t n_taken; /* changes whenever something new came in that session */
    bool failed;      /* the taker can take no more */
    /* interest.c, follow.c and due.c: */
    uint32_t names, ids; /* first ties */
    uint32_t enrolled[WATCH_ROSTERS];
    bool is_new, touched, awaits; /* awaits: series alone, and new ones */
    struct waiter *next_touched;
    size_t due_at; /* place in the heap + 1 */
    /* Called when something that the waiter waits for was fed to its taker; without a taker, after each commit. Returns whether to
     * wake the waiter now. May change due_mono_ns. NULL: commits don't matter to the waiter. */
    bool (*look)(struct waiter *w);
    void (*wake)(struct waiter *w, enum watch_why why);
};

struct watch;
#define WATCH_VIEW_MS                                                                                        \
    250 /* between two looks at a file that another process records, while somebody waits for data */

/* A number that changes when there may be something new to read: pipeline_commits, or what another process committed. */
uint64_t watch_commits(struct http *h);

struct watch *watch_start(struct http *h, struct err *err);
/* Wakes all waiters with WATCH_STOP. Waiters that are added later are woken at once. */
void watch_stop(struct watch *watch);
void watch_free(struct watch *watch);

void watch_add(struct watch *watch, struct waiter *w);
/* The same for one that is in no hurry: on a worker's thread the watch hears of it when the worker rests (work.h), through watch_hear. */
void watch_add_later(struct watch *watch, struct waiter *w);
void watch_hear(struct watch *watch);
/* Re-evaluates every waiter of a session immediately, because the session was reset or has ended. Takes no lock. */
void watch_forget(struct http *h, uint64_t session_id);
/* A number that changes with each watch_forget of the session (INGEST_ALL: of any). Then what was read of it before is void. */
uint64_t watch_forgets(const struct http *h, uint64_t session_id);
/* Resumes the request after delay_ms. */
void watch_delay(struct watch *watch, struct http_request *rq, int64_t delay_ms);
/* A connection was opened: look after slow ones from now on (link.h). */
void watch_connections(struct watch *watch);

#endif
