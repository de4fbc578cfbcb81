/* Listening: UDP, Unix datagram and Unix stream sockets of all sessions, one loop that also writes, and the barrier.
 *
 * One turn of the loop (loop.c): read the ready sockets into batches -> store for about 200 us -> commit, if one is due. A commit
 * is due after 50 ms, later when there are many rows to write, and at once when somebody waits. The loop also looks at the
 * sockets during a commit.
 *
 * Ownership: ingest_start borrows the store and the pipeline until ingest_stop.
 * Threads: one loop thread; every function here may be called from any other thread.
 * Errors: -1 or NULL with err, which names the address, who holds it where the system tells, and what to do.
 * Limits: datagrams 65,535 bytes (longer ones are LOSS_TRUNCATED); INGEST_CONNECTIONS_MAX stream connections;
 * INGEST_SESSIONS_MAX sessions; the queue as the pipeline was made. A UDP port that a session had, also in an earlier
 * run of the file, is given to another session only after STORE_PORTS_KEPT other sessions have ended.
 */
#ifndef INGEST_INGEST_H
#define INGEST_INGEST_H

#include "core/clock.h"
#include "decode/dogstatsd.h"
#include "pipeline/pipeline.h"

#define INGEST_CONNECTIONS_MAX 1024
#define INGEST_SESSIONS_MAX    4096
#define INGEST_ADDRESS_SIZE    128

/* Where to listen. Empty string: not at all. */
struct ingest_listen {
    const char *bind; /* host of the UDP sockets: "127.0.0.1", "::1", "localhost" (both), "0.0.0.0", … */
    int udp_port;     /* 0: any free one; -1: no UDP */
    const char *unixgram; /* paths; "" or NULL: none */
    const char *unixstream;
};

/* Where a session really listens, as text: "127.0.0.1:8125", a path, or "". */
struct ingest_addresses {
    char udp[INGEST_ADDRESS_SIZE];
    int udp_port;
    char unixgram[INGEST_ADDRESS_SIZE];
    char unixstream[INGEST_ADDRESS_SIZE];
};

struct ingest_options {
    struct ingest_listen listen; /* of the default session */
    int first_port, last_port;   /* of other sessions' UDP sockets; 0: any free ones */
    size_t so_rcvbuf; /* bytes; 0: as much as is useful (64 MiB forced, or what the system allows) */
    struct dogstatsd_options decode;
    bool any_age; /* of sessions that don't say otherwise: points over HTTP are kept however old they are */
    bool quiet;   /* no hint about small socket buffers */
    /* Told of each datagram and frame that is not dropped on purpose, on the loop; must be short. NULL: nobody. */
    void (*on_datagram)(void *arg, int64_t at_ns, struct span bytes);
    void *on_datagram_arg;
};

struct ingest;
struct ingest *ingest_start(struct store *store, struct pipeline *pipeline,
                            const struct ingest_options *options, struct err *err);
/* Begins the end, and returns at once. The loop still reads what was sent before, then closes the sockets and removes their files.
 * It refuses questions that it has not begun. What it could not store within INGEST_END_NS is counted as lost (LOSS_STOPPED). */
#define INGEST_END_NS (2 * NS_PER_S)
void ingest_end(struct ingest *in);
/* The same, then waits until all is stored and committed, and frees. No batch may be put from then on. */
void ingest_stop(struct ingest *in);

#define INGEST_ALL     0          /* of every session */
#define INGEST_NOTHING UINT64_MAX /* waits for no data */

/* The barrier: when it returns, everything that processes on this host had sent to the session (INGEST_ALL) before the call, and
 * every batch put for it before, is committed. *last_id: the newest record id then. -1 when stopping.
 * Blocks: microseconds when the loop is idle. Otherwise first for the rest of the current turn (a look of 1 MiB at each ready
 * socket, a step of storing of about 200 us, a commit of at most 2^21 records and 2^18 rows), then for the time it takes to store
 * this session's data. That storing is done in steps of 200 us; between two of them the loop does one look, one step for all other
 * sessions, and one step for each other question. It waits neither for later data nor for the backlog of other sessions. */
int ingest_barrier(struct ingest *in, uint64_t session_id, uint64_t *last_id, struct err *err);

/* Somebody began to wait for something (store_await_series, store_await_new) that may be put and not committed: the loop looks, instead of at its
 * next commit's time. Any thread. */
void ingest_look(struct ingest *in);

/* The same without waiting: fn runs on the loop once everything is committed, with the newest record id. fn must be short and call
 * no function of ingest. -1 when stopping, and fn is not called. */
int ingest_barrier_then(struct ingest *in, uint64_t session_id, void (*fn)(void *arg, uint64_t last_id),
                        void *arg, struct err *err);

/* Runs fn(store, arg) on the loop thread, after a barrier: for what must change the recording (reset, removal of a session).
 * Returns fn's result. */
int ingest_call(struct ingest *in, uint64_t session_id, int (*fn)(struct store *, void *arg, struct err *),
                void *arg, struct err *err);

/* Sessions (session.c). Names: 1 to 64 of [A-Za-z0-9_.-]; of one that has ended and made room for another of its name, with @ID. */
#define INGEST_NAME_SIZE 96
struct ingest_session {
    uint64_t id;
    char name[INGEST_NAME_SIZE];
    char api_key[33]; /* 32 hexadecimal digits */
    int64_t expires_at;
    bool any_age; /* points over HTTP are kept however old they are */
    struct ingest_addresses at;
};
/* name "" picks one. unix_sockets: also its own unixgram and unixstream sockets in a private temporary directory.
 * -1 with err->sys EEXIST when the name is taken, ENOSPC past the limit or without a free port, EINVAL for a bad name. */
int ingest_session_open(struct ingest *in, const char *name, bool unix_sockets, int64_t ttl_ns,
                        struct ingest_session *session, struct err *err);
/* keep: what had been sent to the session is stored first, and stays in the recording. Otherwise its records are removed, too.
 * -1 with err->sys ENOENT. */
int ingest_session_close(struct ingest *in, const char *name, bool keep, struct err *err);
/* -1 with err->sys ENOENT. */
int ingest_session_find(struct ingest *in, struct span name, struct ingest_session *session, struct err *err);
/* The session of an API key: the default one when no session has or had the key. INGEST_ENDED: the key of a session that has
 * ended, in this run or an earlier one (the key itself shows that). Late data for it is dropped, not recorded elsewhere. */
#define INGEST_ENDED 0
uint64_t ingest_session_by_key(struct ingest *in, struct span api_key);
/* Whether points of any age are kept, by the session's id; and says so. */
bool ingest_takes_any_age(struct ingest *in, uint64_t session_id);
void ingest_take_any_age(struct ingest *in, uint64_t session_id, bool any_age);
/* A mark that a session keeps for those who ask about "since its start"; 0 before the first. */
uint64_t ingest_session_begun(struct ingest *in, uint64_t session_id);
void ingest_session_begin(struct ingest *in, uint64_t session_id, uint64_t mark);
void ingest_session_each(struct ingest *in, void (*fn)(void *arg, const struct ingest_session *), void *arg);
/* Registers fn to be called on the loop after a session was removed or has expired and can no longer be found. fn must be short
 * and call no function of ingest. NULL: no function; when this has returned, no call is under way. */
void ingest_on_session_end(struct ingest *in, void (*fn)(void *arg, uint64_t session_id), void *arg);

/* The options by which lines are read, on every way in. Valid until ingest_stop. */
const struct dogstatsd_options *ingest_decoding(const struct ingest *in);

/* The counters of each socket. */
struct ingest_socket {
    const char *session;
    enum source source;
    char address[INGEST_ADDRESS_SIZE];
    uint64_t datagrams, bytes; /* stream: frames */
    uint64_t over_agent_limit; /* longer than 8,192 bytes: a default Agent would have cut them */
    uint64_t kernel_drops, truncated, queue_full, injected;
    size_t rcvbuf;        /* effective, bytes */
    uint64_t connections; /* stream: open now */
};
void ingest_sockets_each(struct ingest *in, void (*fn)(void *arg, const struct ingest_socket *), void *arg);

/* Drops a share of the datagrams on purpose (session 0: all). rate 0 ends it. Counted as injected, and a loss like
 * any other. */
int ingest_fault_drop(struct ingest *in, uint64_t session_id, double rate, uint64_t seed, struct err *err);

#endif
