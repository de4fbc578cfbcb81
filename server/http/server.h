/* The HTTP server itself, for the files of http/ and the handlers.
 *
 * Threads: constant after http_start but for the atomics, and what watch, work and faults guard themselves.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "http/http.h"
#include "http/route.h"
#include <pthread.h>

struct MHD_Daemon;
struct http_link;
struct memo;

#define MEMO_SECRET     192 /* bytes, as xxhash's own */
#define HTTP_FORGETS    256 /* sessions share counters; one too many costs a look more */
#define HTTP_LISTEN_MAX 2   /* "localhost" is 127.0.0.1 and ::1 */

struct http {
    struct store *store;
    struct pipeline *pipeline;
    struct ingest *ingest;
    struct http_options options; /* its strings are the caller's until http_stop */

    size_t n_daemons;
    struct MHD_Daemon *daemons[HTTP_LISTEN_MAX];
    int port;
    bool loopback; /* bound to loopback only */
    atomic_int
        stand_in; /* in libmicrohttpd's descriptors of those that left it: park.c; -1: none may, with TLS */
    char url[160];
    char fakeintake_id[37]; /* of this process: its clients take another one for a restart */
    int64_t started_at, started_mono_ns;

    struct watch *watch;
    struct work *work;
    struct faults *faults;

    pthread_mutex_t links_lock; /* the open connections: link.c */
    struct http_link *links;

    pthread_mutex_t kept_lock; /* what looks at a metric read last: control/points.c */
    struct http_kept {
        char *question;
        size_t n_question;
        void *list;
        size_t n, cap; /* of the list; items are its owner's */
        uint64_t total, last_id, used_at;
    } kept[HTTP_KEPT];
    uint64_t n_kept_uses;
    pthread_mutex_t memos_lock; /* those that nobody has: api/memo.c */
    struct memo *memos;
    bool memos_have_secret;
    unsigned char memos_secret[MEMO_SECRET];
    void (*memos_free)(struct memo *list);
    pthread_mutex_t windows_lock; /* what streams have read last: control/window.c */
    struct window *windows;
    size_t n_streams;

    atomic_size_t n_body_bytes;
    /* Requests in a handler or asleep. libmicrohttpd ends the process if it is stopped while there are any. */
    atomic_size_t n_held;
    atomic_size_t n_parked; /* sockets that libmicrohttpd does not know: park.h */
    size_t parked_max;
    int64_t last_ns, still_ns;   /* HTTP_LAST_MS and HTTP_STILL_MS, but for tests */
    struct parked *_Atomic last; /* when stopping: those whose client has not taken the whole answer yet */
    atomic_size_t n_looks_held;  /* of lists: control/held.h */
    atomic_uint_fast64_t n_looks_kept; /* so far */
    /* Requests from their headers to the end of their answer, or until park.c sends it. */
    atomic_size_t n_active;
    atomic_bool stopping;
    atomic_uint_fast64_t n_changes; /* of what is looked at: store_view_changes, when the watch asked last */
    atomic_uint_fast64_t n_forgets[HTTP_FORGETS]; /* by session id: watch_forget */
    atomic_uint_fast64_t n_requests, n_refused, n_questions;
    atomic_uint_fast64_t n_keyless; /* writes that had no API key and were refused for it */
};

#endif
