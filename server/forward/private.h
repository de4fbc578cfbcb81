/* What the files of this folder share.
 *
 * DESIGN. A target has a queue of items behind a lock. The producer copies into the newest item; the target's thread takes the
 * oldest one and works without the lock.
 *
 *     forward_datagram -> [chunk][chunk] -> datagram.c: send()
 *                                        -> flush.c: decoder, aggregator -> requests -> [request] -> request.c: libcurl
 *     forward_post     -> [request][request] ------------------------------------------------------> request.c
 *
 * A chunk holds datagrams, each behind a struct forward_head. A request is one allocation with its texts behind it.
 */
#ifndef FORWARD_PRIVATE_H
#define FORWARD_PRIVATE_H

#include "core/buf.h"
#include "forward/forward.h"
#include <pthread.h>
#include <stdlib.h>

#define FORWARD_CHUNK ((size_t)64 << 10)

enum forward_kind { FORWARD_UDP, FORWARD_UNIXGRAM, FORWARD_UNIXSTREAM, FORWARD_HTTP, FORWARD_AGENT };

struct forward_head {
    int64_t at_ns;
    uint32_t n;
};

struct forward_item {
    struct forward_item *next;
    size_t n_bytes, cap_bytes;      /* of a chunk */
    uint64_t n_datagrams;           /* of a chunk */
    struct forward_request request; /* of a request; its spans point behind the struct */
    char bytes[];
};

struct forward_target {
    struct forward *forward;
    enum forward_kind kind;
    char *url;
    const char *where; /* in url: what follows the scheme; of HTTP the URL itself */
    pthread_t thread;
    bool started;
    struct forward_target *poster; /* of FORWARD_AGENT: who sends its requests */
    int fd;                        /* of datagrams; -1: not connected */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct forward_item *first, *last;
    size_t n_queued; /* bytes of the items */
    bool waits;      /* the thread does */
    bool stopping;
    int64_t end_ns; /* monotonic: when stopping, nothing is sent any more after it */
    struct forward_status status;
    char why[200];
    int64_t told_ns; /* monotonic: when something was logged last */
};

struct forward {
    struct forward_options options;
    char *api_key, *hostname, *ca_file;
    size_t n_targets;
    struct forward_target *targets[FORWARD_URLS_MAX];
};

/* url.c. Parses the URL. NULL with err. */
struct forward_target *target_new(struct forward *f, const char *url, struct err *err);
int target_start(struct forward_target *t, struct err *err);

/* target.c */
void target_stop(struct forward_target *t, int64_t end_ns);
void target_free(struct forward_target *t);
void target_put_datagram(struct forward_target *t, int64_t at_ns, struct span bytes);
void target_put_request(struct forward_target *t, const struct forward_request *request);
/* The oldest item, to be freed. NULL: nothing is left and the target stops, or due_ns (monotonic; 0: never) has passed. */
struct forward_item *target_take(struct forward_target *t, int64_t due_ns, bool *stopped);
/* Waits that long, or until the target stops; false then. */
bool target_pause(struct forward_target *t, int64_t ns);
/* Whether nothing may be sent any more. */
bool target_is_over(struct forward_target *t);
/* Counts, and keeps the error's sentence; the first of its kind is logged. */
void target_passed(struct forward_target *t, uint64_t n);
void target_dropped(struct forward_target *t, uint64_t n);
void target_failed(struct forward_target *t, uint64_t n, uint64_t *counter, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Threads. */
void *datagram_run(void *target);
void *request_run(void *target);
void *flush_run(void *target);

/* datagram.c: resolves and connects a UDP target. */
int datagram_connect_udp(struct forward_target *t, struct err *err);
/* request.c: loads libcurl. */
int request_prepare(struct err *err);

#endif
