/* Private to ingest/: the loop's state and what its parts offer each other.
 *
 * Threads. `lock` guards the lists of sockets and sessions (changed by the loop, read by anybody) and the queue of jobs. Counters are
 * written by the loop alone and read by anybody. Everything else is the loop's alone.
 */
#ifndef INGEST_LOOP_H
#define INGEST_LOOP_H

#include "decode/frame.h"
#include "ingest/datagrams.h"
#include "ingest/ingest.h"
#include "ingest/unixgram.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>

#define LOOP_EVENTS      256
#define RECEIVE_MESSAGES 32 /* datagrams of one recvmmsg */
#define RECEIVE_ROUNDS   32 /* recvmmsg calls before others have their turn */

/* The time for decoding and storing, or for reading for a question, between two looks at the sockets. */
#define STORE_NS (200 * 1000)
/* Bytes read from one source before the others have their turn. The last call may exceed this. */
#define LOOK_BYTES ((size_t)1 << 20)
/* The most bytes of one look as the queue counts them, half-filled blocks included. */
#define LOOK_MOST ((LOOK_BYTES + RECEIVE_MESSAGES * (size_t)65536) / 2 * 3)

/* The pointer that epoll hands back leads to one of these. */
enum watched { WATCHED_SOCKET, WATCHED_LISTENER, WATCHED_CONNECTION, WATCHED_WAKE };

/* The data that a source held when a question was asked and that the loop must still read for it. */
struct wanted {
    uint64_t round; /* the newest question that wants something */
    uint64_t done;  /* the newest for which all is read */
    size_t left;    /* still to read for `round`: bytes, of a unixgram socket datagrams */
};

/* Its place among the sources that hold something: ready.c. */
struct ready {
    enum watched *before, *after;
    bool in_row;
};

struct counters {
    _Atomic uint64_t datagrams, bytes, over_agent_limit, kernel_drops, truncated, queue_full, injected,
        connections;
};

/* A bound socket: UDP or unixgram (WATCHED_SOCKET), or the listener of a unixstream. */
struct receiver {
    enum watched watched; /* first: epoll's pointer is to this */
    int fd;
    enum source source;
    struct open_session *session;
    char address[INGEST_ADDRESS_SIZE];
    char *unlink_path; /* NULL: none */
    dev_t dev;         /* with ino: which file we made, as another server may have put its own there */
    ino_t ino;
    size_t rcvbuf;
    int64_t read_ns;     /* the time given to what was last read */
    uint32_t seen_drops; /* the kernel's counter when last read */
    /* Of Unix datagram sockets: how many datagrams can wait in the socket, and how many bytes of them one sender can have
     * there. */
    size_t holds, sender_buffer;
    /* How many datagrams, and what cost of them, may have waited at most since the socket was last empty or found full. */
    size_t unread, unread_cost;
    uint64_t untold[LOSS_N]; /* losses that the recording does not hold yet */
    struct wanted wanted;
    struct ready ready;
    struct counters count;
    struct receiver *next;
};

/* An accepted stream connection. */
struct connection {
    enum watched watched; /* first */
    int fd;
    struct receiver *listener;
    struct frame frame;
    struct wanted wanted;
    struct ready ready;
    struct connection *next, **back;
};

struct open_session {
    struct ingest_session is;
    struct receiver *receivers; /* the first of its own, which stand together */
    struct datagrams_lane lane;
    char directory[INGEST_ADDRESS_SIZE]; /* private, for its Unix sockets; "" : none */
    int64_t expires_mono_ns; /* 0: never; monotonic, so that a jump of the clock ends no session */
    uint64_t begun;          /* ingest_session_begin */
    double drop_rate;        /* injected */
    uint64_t drop_state;
    struct open_session *next;
};

struct ingest_job {
    uint64_t session_id; /* whose data it waits for, or INGEST_ALL, INGEST_NOTHING */
    int (*fn)(struct store *, void *arg, struct err *); /* NULL: the barrier alone */
    /* NULL: a thread waits for `done`. Otherwise the loop calls it, and frees the job. */
    void (*then)(void *arg, uint64_t last_id);
    void *arg;
    /* The batches that the job lets into the queue, and no others. NULL: the job is a question. */
    struct batch *posts, **posts_end;
    struct err *err;
    int result;
    uint64_t last_id;
    bool done;
    struct ingest_job *next;
    /* The loop's: */
    uint64_t round;
    bool read;     /* what it wants is in the queue; */
    uint64_t mark; /* up to here */
};

struct ingest {
    struct store *store;
    struct pipeline *pipeline;
    struct ingest_options options;
    pthread_t thread;
    int epoll, wake;
    enum watched watched_wake;
    int softnet;            /* /proc/net/softnet_stat; -1: not readable */
    uint32_t softnet_drops; /* noted so far */
    bool too_many_cpus;     /* it was reported */
    int spare;              /* a descriptor to give up where one is missing */
    struct unixgram_maker unixgram;
    _Atomic bool told_short; /* the user was told that a queue is short */

    pthread_mutex_t lock;
    pthread_cond_t job_done;
    struct ingest_job *jobs, **jobs_end; /* not begun */
    _Atomic bool asked;                  /* one is there that the loop has not begun */
    _Atomic bool ending;                 /* no job comes in any more */
    _Atomic bool stopping;               /* the loop ends once all is answered and stored */
    _Atomic int64_t end_ns;              /* monotonic: what is not stored then is lost; 0: it goes on */
    struct ingest_job last;              /* what was sent before the end is read */
    struct receiver *receivers;
    struct open_session *sessions;
    size_t n_sessions;
    int used_ports[STORE_PORTS_KEPT]; /* a ring */
    atomic_int next_port;             /* of --session-ports, from its first on: where to begin to look */
    size_t n_used;
    void (*on_end)(void *arg, uint64_t session_id); /* and its argument: guarded by the lock */
    void *on_end_arg;
    int64_t next_expiry_ns; /* the loop's; monotonic; 0: none */

    struct datagrams_pool pool;
    struct connection *connections;
    size_t n_connections;
    enum watched *ready_first, *ready_last; /* the row of ready.c */
    size_t n_ready;
    struct batch *posts, **posts_end; /* taken from the pipeline, with no job yet that lets them in */
    bool closed;                      /* the sockets were closed, for the end */
    bool discarding;                  /* there is no more time to store anything */
    int64_t counted_ns;               /* thread_ns() at which reading ends that only counts */
    struct ingest_job *begun;
    uint64_t round;          /* of the newest question */
    bool committing;         /* the store must be left alone */
    int64_t stop_ns;         /* INGEST_END_NS, but for tests */
    int64_t commit_ns;       /* from the first record to its commit: COMMIT_NS, but for tests */
    int64_t committed_ns;    /* of the last commit */
    int64_t wanted_ns;       /* of the last commit that somebody waited for */
    int64_t awaited_used_ns; /* until then commits for what is awaited have had their half of the time */
    bool untold;             /* some receiver has losses that the recording does not hold yet */
    struct receive_buffers *buffers;
};

/* jobs.c: what other threads ask of the loop. Begins what came in, and what had to wait so far. */
void jobs_begin(struct ingest *in);
/* A step of each that was begun; what is reached is committed and answered. */
void jobs_answer(struct ingest *in);
/* With the lock held. */
void jobs_add(struct ingest *in, struct ingest_job *job);
void jobs_wake(struct ingest *in);

/* EINVAL, and words that say all: what the system calls it adds nothing. */
#define refuse_session(err, ...) (err_set(err, 0, __VA_ARGS__), (err)->sys = EINVAL, -1)

/* ready.c: the row of the sources that hold something. */
/* Those that have got something since, in that order; waits for the first one only when the row is empty. */
void ready_collect(struct ingest *in, int wait_ms);
bool ready_holds(enum watched *watched);
enum watched *ready_next(enum watched *watched);
/* before NULL: at the end. */
void ready_insert(struct ingest *in, enum watched *watched, enum watched *before);
void ready_drop(struct ingest *in, enum watched *watched);
/* receive_look at one of the row. Empty then, it leaves the row; else it keeps its place or goes to the end. */
bool ready_read(struct ingest *in, enum watched *watched, bool keep_place);

/* loop.c: commits, and looks at the sockets meanwhile. Losses of that time are noted in the store afterwards. */
void ingest_commit(struct ingest *in);

/* receive.c: what is in a socket goes into batches. budget_bytes bounds how much is read; true when it was emptied. */
struct receive_buffers *receive_buffers_new(void);
void receive_buffers_free(struct receive_buffers *b);
bool receive_datagrams(struct ingest *in, struct receiver *r, size_t budget_bytes);
/* As many as can have been waiting. */
void receive_accept(struct ingest *in, struct receiver *listener);
/* May close and free the connection: it is empty then. */
bool receive_stream(struct ingest *in, struct connection *c, size_t budget_bytes);
/* Reads from one ready source about LOOK_BYTES. Returns whether it is empty now. */
bool receive_look(struct ingest *in, enum watched *watched);
/* For the question `round`: marks what is in the source now; of a listener, accepts it. */
void receive_want(struct ingest *in, enum watched *watched, uint64_t round);
/* The losses of what was read during a commit. */
void receive_tell_losses(struct ingest *in);
void receive_close_connections(struct ingest *in, const struct receiver *listener);

/* session.c */
struct open_session *session_open(struct ingest *in, const char *name, const struct ingest_listen *listen,
                                  bool unix_sockets, struct receiver **receivers, struct err *err);
void session_free(struct open_session *session);
void session_expire(struct ingest *in);
/* Milliseconds until the next session ends; -1: none does. */
int session_next_expiry_ms(struct ingest *in);
/* On the loop: starts listening, in two steps of which only the first can fail (its receivers may be freed then). */
int session_watch(struct ingest *in, struct receiver *receivers, struct err *err);
void session_attach(struct ingest *in, struct open_session *session, struct receiver *receivers);
void receiver_free_all(struct receiver *list);
/* On the loop: ends listening. */
void session_detach(struct ingest *in, struct open_session *session);

/* identity.c */
/* A checked name ("": one is picked) and a new key. */
int session_identify(struct open_session *session, const char *name, struct err *err);
/* Whether a session has or had it. */
bool session_is_key(struct span key);
/* As socket_udp, but any free port is one that was no other session's of late. */
int session_udp(struct ingest *in, const struct ingest_listen *listen, int *fds, struct err *err);
/* Before the first session: the ports of earlier runs. */
int session_load_ports(struct ingest *in, struct err *err);

/* softnet.c. Waits until what other processes have sent over loopback has reached its socket. Returns how many packets the
 * system has dropped on that way so far, which wraps. *unsure: why something may not have arrived, or been dropped, all the same;
 * NULL: nothing. */
#define SOFTNET_CPUS_MAX 8192 /* as many as Linux can be built for */
#define SOFTNET_TOO_MANY "on CPUs beyond the 8,192 that are watched"
uint32_t softnet_settle(int fd, const char **unsure);
int softnet_open(void);
struct softnet_cpu {
    uint32_t processed, dropped, waiting;
};
/* Returns how many CPUs there are, `most` at most. */
size_t softnet_read(int fd, struct softnet_cpu *cpus, size_t most);

#endif
