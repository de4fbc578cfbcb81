/* What a question waits for: what was sent to its session before it, and nothing else. Counted in records: ids are given in the
 * order of storing, so the newest id that a barrier tells is how much was stored until its answer.
 *
 * What must be pending at once is made so by a job that holds the loop meanwhile.
 */
#include "core/clock.h"
#include "ingest/loop.h"
#include "ingest/socket.h"
#include "rig.h"
#include "unit.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINES = 1000, FLOOD = 100 };

static struct rig rig;

struct asking {
    pthread_t thread;
    uint64_t session_id, last_id;
};

static void *ask(void *arg) {
    struct asking *a = arg;
    struct err err = {0};
    CU_ASSERT(ingest_barrier(rig.ingest, a->session_id, &a->last_id, &err) == 0);
    return NULL;
}

/* On the loop: a question of another thread that stands in the queue once this returns. */
static void ask_meanwhile(struct asking *a) {
    rig.ingest->asked = false;
    CU_ASSERT_FATAL(pthread_create(&a->thread, NULL, ask, a) == 0);
    while (!rig.ingest->asked)
        sched_yield();
}

static void send_lines(int fd, enum source source, const char *line, int n) {
    static char bytes[LINES * 8];
    size_t length = strlen(line);
    for (int i = 0; i < n; i++)
        memcpy(bytes + (size_t)i * length, line, length);
    rig_send(fd, source, bytes, (size_t)n * length);
}

struct scene {
    struct ingest_session quiet;
    int flood_fd, quiet_fd;
    struct asking of_quiet, of_flooder;
};

static int flood_and_ask(struct store *store, void *arg, struct err *err) {
    (void)store, (void)err;
    struct scene *s = arg;
    for (int i = 0; i < FLOOD; i++)
        send_lines(s->flood_fd, SOURCE_UDP, "f:1|c\n", LINES);
    send_lines(s->quiet_fd, SOURCE_UNIXGRAM, "q:1|c\n", 1);
    ask_meanwhile(&s->of_flooder);
    ask_meanwhile(&s->of_quiet);
    return 0;
}

/* It once stored all that any session had, up to --queue-memory and all buffers, before it answered; now a step of the flood. */
static void anothers_backlog_is_not_waited_for(void) {
    rig_start(&rig, NULL, 0);
    struct err err = {0};
    struct scene s = {0};
    CU_ASSERT_FATAL(ingest_session_open(rig.ingest, "quiet", true, 0, &s.quiet, &err) == 0);
    s.flood_fd = rig_connect(&rig.at.at, SOURCE_UDP);
    s.quiet_fd = rig_connect(&s.quiet.at, SOURCE_UNIXGRAM);
    s.of_flooder.session_id = 1;
    s.of_quiet.session_id = s.quiet.id;
    CU_ASSERT(ingest_call(rig.ingest, INGEST_ALL, flood_and_ask, &s, &err) == 0);
    pthread_join(s.of_quiet.thread, NULL);
    pthread_join(s.of_flooder.thread, NULL);
    EQ_INT(rig_ask(&rig, "quiet", "q").samples, 1);
    uint64_t flooded = rig_ask(&rig, "default", "f").samples;
    uint64_t accounted = flooded + LINES * rig_lost(&rig, "default", LOSS_KERNEL_DROP);
    uint64_t on_the_way = rig_lost(&rig, "", LOSS_KERNEL_DROP); /* of ours or of another program's */
    CU_ASSERT(accounted <= LINES * FLOOD && accounted + LINES * on_the_way >= LINES * FLOOD);
    if (s.of_quiet.last_id >= flooded / 2 || s.of_flooder.last_id < flooded)
        fprintf(stderr, "%llu of %llu were stored first\n", (unsigned long long)s.of_quiet.last_id,
                (unsigned long long)flooded);
    CU_ASSERT(s.of_quiet.last_id < flooded / 2);
    CU_ASSERT(s.of_flooder.last_id >= flooded); /* its own is complete */
    close(s.flood_fd);
    close(s.quiet_fd);
    rig_stop(&rig);
}

struct later {
    enum source source;
    int fd;
    struct asking asking;
};

static struct receiver *receiver_of(enum source source) {
    struct receiver *r = rig.ingest->receivers;
    while (r->source != source)
        r = r->next;
    return r;
}

/* As many as fit: a unixgram socket takes ten or so. */
static int send_some(int fd, enum source source, int n) {
    static const char frame[] = "\x05\0\0\0n:1|c";
    bool stream = source == SOURCE_UNIXSTREAM;
    for (int i = 0; i < n; i++) {
        ssize_t sent = send(fd, frame + (stream ? 0 : 4), stream ? 9 : 5, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0)
            return i;
    }
    return n;
}

/* On the loop, which reads nothing by itself meanwhile. */
static int want_and_read(struct store *store, void *arg, struct err *err) {
    (void)store, (void)err;
    struct ingest *in = rig.ingest;
    const struct later *l = arg;
    bool stream = l->source == SOURCE_UNIXSTREAM;
    uint64_t round = ++in->round;
    send_some(l->fd, l->source, 5);
    struct receiver *r = receiver_of(l->source);
    if (stream)
        receive_accept(in, r);
    receive_want(in, stream ? &in->connections->watched : &r->watched, round);
    const struct wanted *w = stream ? &in->connections->wanted : &r->wanted;
    EQ_INT(w->round, round);
    CU_ASSERT(w->done < round && w->left > 0);
    if (stream)
        EQ_INT(w->left, 5 * 9);
    /* As much again as was wanted comes in before all of that is read: a socket that never gets empty. */
    for (int reads = 0; w->done < round; reads++) {
        send_some(l->fd, l->source, stream ? 10000 : 40);
        if (stream)
            receive_stream(in, in->connections, 1);
        else
            receive_datagrams(in, r, 1);
        CU_ASSERT_FATAL(reads < 64);
    }
    return 0;
}

static void what_comes_later_is_not_waited_for(void) {
    static const enum source sources[] = {SOURCE_UDP, SOURCE_UNIXGRAM, SOURCE_UNIXSTREAM};
    for (int i = 0; i < 3; i++) {
        rig_start(&rig, NULL, 0);
        struct err err = {0};
        struct later l = {.source = sources[i], .fd = rig_connect(&rig.at.at, sources[i])};
        CU_ASSERT(ingest_call(rig.ingest, INGEST_ALL, want_and_read, &l, &err) == 0);
        close(l.fd);
        rig_stop(&rig);
    }
}

/* On the loop, which has read all that was sent, and does not see by itself that the client goes away now. */
static int close_and_want(struct store *store, void *arg, struct err *err) {
    (void)store, (void)err;
    struct ingest *in = rig.ingest;
    struct connection *c = in->connections;
    EQ_INT(socket_stream_holds(c->fd), 0);
    close(*(int *)arg);
    receive_want(in, &c->watched, ++in->round);
    CU_ASSERT(c->wanted.done < in->round);
    CU_ASSERT_TRUE(receive_look(in, &c->watched));
    CU_ASSERT_PTR_NULL(in->connections);
    return 0;
}

/* A client that was cut off within a frame: the question after it was answered as if nothing were missing. */
static void the_end_of_a_stream_is_waited_for(void) {
    struct err err = {0};
    rig_start(&rig, NULL, 0);
    int fd = rig_connect(&rig.at.at, SOURCE_UNIXSTREAM);
    CU_ASSERT(send(fd, "\x09\0\0\0cut", 7, MSG_NOSIGNAL) == 7);
    rig_ask(&rig, "default", "*");
    EQ_INT(rig_lost(&rig, "default", LOSS_BAD_FRAME), 0);
    CU_ASSERT(ingest_call(rig.ingest, INGEST_ALL, close_and_want, &fd, &err) == 0);
    rig_ask(&rig, "default", "*");
    EQ_INT(rig_lost(&rig, "default", LOSS_BAD_FRAME), 1);
    rig_stop(&rig);
}

struct filling {
    int fd, frames;
    struct asking asking;
};

static int fill_and_ask(struct store *store, void *arg, struct err *err) {
    (void)store, (void)err;
    struct filling *f = arg;
    static char frame[4 + 8000];
    uint32_t length = sizeof frame - 4;
    memcpy(frame, &length, 4);
    memset(frame + 4, '\n', length);
    memcpy(frame + 4, "w:1|c\n", 6);
    while (send(f->fd, frame, sizeof frame, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof frame)
        f->frames++;
    ask_meanwhile(&f->asking);
    return 0;
}

/* What a Unix socket holds is bounded by its senders' buffers, not by its own: it was once taken for the latter, and what was
 * beyond that missing in the answer. */
static void all_that_a_wide_sender_has_sent(void) {
    rig_start_narrow(&rig, 4096);
    struct err err = {0};
    struct filling f = {.asking = {.session_id = INGEST_ALL}};
    f.fd = rig_connect(&rig.at.at, SOURCE_UNIXSTREAM);
    int wide = 16 << 20;
    if (setsockopt(f.fd, SOL_SOCKET, SO_SNDBUFFORCE, &wide, sizeof wide) != 0)
        setsockopt(f.fd, SOL_SOCKET, SO_SNDBUF, &wide, sizeof wide);
    CU_ASSERT(ingest_call(rig.ingest, INGEST_ALL, fill_and_ask, &f, &err) == 0);
    pthread_join(f.asking.thread, NULL);
    CU_ASSERT(f.frames > 0 && f.asking.last_id >= (uint64_t)f.frames);
    EQ_INT(rig_ask(&rig, "default", "w").samples, f.frames);
    close(f.fd);
    rig_stop(&rig);
}

enum { ROWS = 5000 };

static void put_series(struct store *store, int n) {
    struct err err = {0};
    CU_ASSERT(store_arrival(store, 1, SOURCE_UDP, 1, &err) == 0);
    for (int i = 0; i < n; i++) {
        char name[16];
        snprintf(name, sizeof name, "row.%d", i);
        struct value value = {.number = 1};
        struct record record = {.kind = RECORD_METRIC,
                                .metric = {.type = METRIC_COUNT,
                                           .name = span_str(name),
                                           .sample_rate = 1,
                                           .n_values = 1,
                                           .values = &value}};
        CU_ASSERT_FATAL(store_put(store, &record, &err) == 0);
    }
}

static struct store_stats stats_now(void) {
    struct store_stats stats;
    store_stats(rig.store, &stats);
    return stats;
}

struct sent_before {
    int fd;
    size_t n; /* bytes of it; more than can be read: it is cut */
};

/* On the loop, which reads nothing by itself meanwhile: what was sent is not looked at before the commit. */
static int commit_large(struct store *store, void *arg, struct err *err) {
    (void)err;
    static char bytes[70000] = "m:1|c\n";
    const struct sent_before *sent = arg;
    put_series(store, ROWS);
    pipeline_loss(rig.pipeline, 1, LOSS_QUEUE_FULL, 1, SPAN("")); /* so that there is something to commit */
    CU_ASSERT(send(sent->fd, bytes, sent->n, 0) == (ssize_t)sent->n);
    EQ_INT(pipeline_backlog(rig.pipeline, NULL), 0);
    ingest_commit(rig.ingest);
    CU_ASSERT(pipeline_backlog(rig.pipeline, NULL) > 0);
    EQ_INT(stats_now().losses[LOSS_TRUNCATED], 0); /* the store was at work when it was seen */
    return 0;
}

/* The socket is looked at during a commit of many rows, and what was read then, and what was lost of it, is stored although
 * nobody asks for it and nothing more comes. */
static void a_large_commit_reads_on(void) {
    for (int cut = 0; cut < 2; cut++) {
        rig_start(&rig, NULL, 0);
        struct err err = {0};
        struct sent_before sent = {rig_connect(&rig.at.at, SOURCE_UNIXGRAM), cut ? 70000 : 6};
        CU_ASSERT(ingest_call(rig.ingest, INGEST_NOTHING, commit_large, &sent, &err) == 0);
        int64_t end_ns = clock_mono_ns() + 240 * NS_PER_S;
        for (uint64_t seen = 0; stats_now().samples < ROWS + 1 && clock_mono_ns() < end_ns;)
            seen = pipeline_watch(rig.pipeline, seen, end_ns);
        EQ_INT(stats_now().samples, ROWS + 1);
        EQ_INT(rig_lost(&rig, "default", LOSS_TRUNCATED), cut);
        EQ_INT(rig_ask(&rig, "default", "m").samples, 1);
        EQ_INT(rig_ask(&rig, "default", "row.*").samples, ROWS);
        close(sent.fd);
        rig_stop(&rig);
    }
}

UNIT_MAIN("ingest/fairness", {"another's backlog is not waited for", anothers_backlog_is_not_waited_for},
          {"what comes later is not waited for", what_comes_later_is_not_waited_for},
          {"the end of a stream is waited for", the_end_of_a_stream_is_waited_for},
          {"all that a wide sender has sent", all_that_a_wide_sender_has_sent},
          {"a large commit reads on", a_large_commit_reads_on})
