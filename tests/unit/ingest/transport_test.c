/* One suite for every transport: what is sent is in the answer to the next question. */
#include "rig.h"
#include "unit.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct rig rig;

static void send_text(int fd, enum source source, const char *text) {
    rig_send(fd, source, text, strlen(text));
}

/* Ask right after each send: the answer is complete every time. */
static void asks_right_after(enum source source) {
    rig_start(&rig, NULL, 0);
    int fd = rig_connect(&rig.at.at, source);
    for (int i = 1; i <= 500; i++) {
        char line[64];
        snprintf(line, sizeof line, "asked:%d|g|#i:1", i);
        send_text(fd, source, line);
        struct rig_seen seen = rig_ask(&rig, "default", "asked");
        if (seen.samples != (uint64_t)i || seen.last != i)
            fprintf(stderr, "round %d: %llu samples\n", i, (unsigned long long)seen.samples);
        CU_ASSERT_FATAL(seen.samples == (uint64_t)i && seen.last == i);
    }
    close(fd);
    rig_stop(&rig);
}

static void every_kind(enum source source) {
    rig_start(&rig, NULL, 0);
    int fd = rig_connect(&rig.at.at, source);
    send_text(fd, source, "a:1:2:3|c|#x:1\n_e{5,4}:title|text\n_sc|app.ok|0\nbad line\n\n");
    struct rig_seen seen = rig_ask(&rig, "default", "*");
    EQ_INT(seen.samples, 3);
    EQ_INT(seen.events, 1);
    EQ_INT(seen.checks, 1);
    EQ_INT(seen.rejects, 1);
    close(fd);
    rig_stop(&rig);
}

static void largest(enum source source) {
    rig_start(&rig, NULL, 0);
    int fd = rig_connect(&rig.at.at, source);
    static char bytes[65507];
    size_t n = 0;
    int lines = 0;
    for (; n + 8 <= sizeof bytes; n += 8, lines++)
        memcpy(bytes + n, "big:1|c\n", 8);
    memset(bytes + n, '\n', sizeof bytes - n);
    rig_send(fd, source, bytes, sizeof bytes);
    EQ_INT(rig_ask(&rig, "default", "big").samples, lines);
    close(fd);
    rig_stop(&rig);
}

static void garbage(enum source source) {
    rig_start(&rig, NULL, 0);
    int fd = rig_connect(&rig.at.at, source);
    char bytes[256];
    for (int round = 0; round < 64; round++) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)(i * 31 + (size_t)round * 17);
        rig_send(fd, source, bytes, sizeof bytes);
    }
    if (source != SOURCE_UNIXSTREAM)
        rig_send(fd, source, "", 0); /* an empty datagram is nothing */
    send_text(fd, source, "after:1|c");
    struct rig_seen seen = rig_ask(&rig, "default", "after");
    EQ_INT(seen.samples, 1);
    CU_ASSERT(seen.rejects >= 64);
    close(fd);
    rig_stop(&rig);
}

struct sender {
    enum source source;
    int n;
};

static void *send_many(void *arg) {
    struct sender *s = arg;
    int fd = rig_connect(&rig.at.at, s->source);
    for (int i = 0; i < s->n; i++)
        send_text(fd, s->source, "many:1|c|#t:1\nmany:2|c|#t:2\n");
    close(fd);
    return NULL;
}

/* Four senders at once: paced by the socket for Unix, few enough for the smallest UDP buffer. */
static void several_senders(enum source source) {
    rig_start(&rig, NULL, 0);
    struct sender s = {source, source == SOURCE_UDP ? 40 : 5000};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, send_many, &s);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    EQ_INT(rig_ask(&rig, "default", "many").samples, 4 * 2 * s.n);
    rig_stop(&rig);
}

#define SUITE(NAME, SOURCE)                                                                                  \
    static void NAME##_asks_right_after(void) {                                                              \
        asks_right_after(SOURCE);                                                                            \
    }                                                                                                        \
    static void NAME##_every_kind(void) {                                                                    \
        every_kind(SOURCE);                                                                                  \
    }                                                                                                        \
    static void NAME##_largest(void) {                                                                       \
        largest(SOURCE);                                                                                     \
    }                                                                                                        \
    static void NAME##_garbage(void) {                                                                       \
        garbage(SOURCE);                                                                                     \
    }                                                                                                        \
    static void NAME##_several_senders(void) {                                                               \
        several_senders(SOURCE);                                                                             \
    }
SUITE(udp, SOURCE_UDP)
SUITE(unixgram, SOURCE_UNIXGRAM)
SUITE(unixstream, SOURCE_UNIXSTREAM)

/* A Unix datagram can be longer than what is read: noticed, counted, and no half of a line recorded. */
static void truncated_unixgram(void) {
    rig_start(&rig, NULL, 0);
    int fd = rig_connect(&rig.at.at, SOURCE_UNIXGRAM);
    static char bytes[80000];
    memset(bytes, '\n', sizeof bytes);
    memcpy(bytes, "first:1|c\n", 10);
    memcpy(bytes + 65535 - 7, "cut:123|c", 9); /* what is read ends in "cut:123": */
    memcpy(bytes + 65535 - 9, "\nz", 2);
    rig_send(fd, SOURCE_UNIXGRAM, bytes, sizeof bytes);
    struct rig_seen seen = rig_ask(&rig, "default", "*");
    EQ_INT(seen.samples, 1);
    EQ_INT(seen.rejects, 0);
    EQ_INT(rig_lost(&rig, "default", LOSS_TRUNCATED), 1);
    close(fd);
    rig_stop(&rig);
}

static void stream_in_pieces(void) {
    rig_start(&rig, NULL, 0);
    int fd = rig_connect(&rig.at.at, SOURCE_UNIXSTREAM);
    static const char frame[] = "\x08\0\0\0slow:1|c";
    for (int i = 0; i < 12; i++) {
        CU_ASSERT(send(fd, frame + i, 1, MSG_NOSIGNAL) == 1);
        EQ_INT(rig_ask(&rig, "default", "slow").samples, i == 11);
    }
    close(fd);
    rig_stop(&rig);
}

static void closed_by_server(int fd) {
    char byte;
    CU_ASSERT(recv(fd, &byte, 1, 0) <= 0);
    close(fd);
}

static void next_is_taken(void) {
    int fd = rig_connect(&rig.at.at, SOURCE_UNIXSTREAM);
    send_text(fd, SOURCE_UNIXSTREAM, "next:1|c");
    EQ_INT(rig_ask(&rig, "default", "next").samples, 1);
    close(fd);
}

static void stream_wrong_endian_is_closed(void) {
    rig_start(&rig, NULL, 0);
    int fd = rig_connect(&rig.at.at, SOURCE_UNIXSTREAM);
    CU_ASSERT(send(fd, "\0\0\0\x08slow:1|c", 12, MSG_NOSIGNAL) == 12);
    closed_by_server(fd);
    next_is_taken();
    EQ_INT(rig_lost(&rig, "default", LOSS_BAD_FRAME), 1); /* it was only logged, and each `no` passed */
    rig_stop(&rig);
}

static void stream_that_ends_in_a_frame_is_told(void) {
    rig_start(&rig, NULL, 0);
    int fd = rig_connect(&rig.at.at, SOURCE_UNIXSTREAM);
    CU_ASSERT(send(fd, "\x08\0\0\0whole:1|\x08\0\0\0cut", 19, MSG_NOSIGNAL) == 19);
    close(fd);
    rig_ask(&rig, "default", "*");
    EQ_INT(rig_lost(&rig, "default", LOSS_BAD_FRAME), 1);
    fd = rig_connect(&rig.at.at, SOURCE_UNIXSTREAM);
    send_text(fd, SOURCE_UNIXSTREAM, "whole:1|c");
    close(fd);
    EQ_INT(rig_ask(&rig, "default", "whole").samples, 1);
    EQ_INT(rig_lost(&rig, "default", LOSS_BAD_FRAME), 1);
    rig_stop(&rig);
}

static int check_reject(void *arg, const struct reject_row *row) {
    const struct span *want = arg; /* the bytes, the beginning of the detail */
    EQ_INT(row->reject.reason, REASON_BAD_FRAME);
    EQ_INT(row->source, SOURCE_UNIXSTREAM);
    EQ_STR(reason_word(row->reject.reason), "bad_frame");
    EQ_SPAN(row->reject.text, want[0]);
    CU_ASSERT_TRUE(span_starts(row->reject.detail, want[1]));
    return 0;
}

static int check_loss(void *arg, const struct loss_row *row) {
    const struct span *want = arg;
    if (!row->session.p) /* what the kernel dropped of another program's */
        return 0;
    EQ_INT(row->loss, LOSS_BAD_FRAME);
    CU_ASSERT_TRUE(row->detail.n > want[1].n &&
                   span_eq(span_from(row->detail, row->detail.n - want[1].n), want[1]));
    return 0;
}

/* The one reject and the one loss there are since the mark. */
static void check_bad_frame(uint64_t since, struct span bytes, struct span cause) {
    struct err err = {0};
    struct span want[2] = {bytes, cause};
    struct filter f = {.session = SPAN("default"), .since = since};
    EQ_INT(rig_ask(&rig, "default", "*").rejects, rig_lost(&rig, "default", LOSS_BAD_FRAME));
    struct reader *r = store_reader_take(rig.store, &err);
    CU_ASSERT_FATAL(r && r->ops->begin(r, &err) == 0);
    EQ_INT(r->ops->rejects(r, &f, check_reject, want, &err), 0);
    EQ_INT(r->ops->losses(r, &f, check_loss, want, &err), 0);
    r->ops->end(r);
    store_reader_give(rig.store, r);
}

/* They were thrown away: nothing showed what the peer had sent, and nothing said what was wrong with it. */
static void stream_bytes_that_are_no_frame_are_kept(void) {
    static const struct {
        struct span stream, kept;
        const char *cause;
    } table[] = {
        {{"a:1|c\nb:2|c\n", 12}, {"a:1|c\nb:2|c\n", 12}, "no length in front"},
        {{"\0\0\0\5a:1|c", 9}, {"\0\0\0\5a:1|c", 9}, "big-endian length"},
        {{"\0\0\0\0a:1|c", 9}, {"\0\0\0\0a:1|c", 9}, "a length of 0"},
        {{"\0\1\1\0a", 5}, {"\0\1\1\0a", 5}, "a length above the limit"},
        {{"\5\0", 2}, {"\5\0", 2}, "cut inside a length"},
        {{"\5\0\0\0a:1", 7}, {"\5\0\0\0a:1", 7}, "cut inside a frame"},
        {{"\10\0\0\0good:1|cjunk", 16}, {"junk", 4}, "no length in front"},
    };
    rig_start(&rig, NULL, 0);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct err err = {0};
        uint64_t mark;
        CU_ASSERT(ingest_barrier(rig.ingest, 1, &mark, &err) == 0);
        int fd = rig_connect(&rig.at.at, SOURCE_UNIXSTREAM);
        CU_ASSERT(send(fd, table[i].stream.p, table[i].stream.n, MSG_NOSIGNAL) == (ssize_t)table[i].stream.n);
        close(fd);
        check_bad_frame(mark, table[i].kept, span_str(table[i].cause));
        EQ_INT(rig_lost(&rig, "default", LOSS_BAD_FRAME), i + 1);
    }
    EQ_INT(rig_ask(&rig, "default", "good").samples, 1);
    rig_stop(&rig);
}

/* On the loop: it takes no connection meanwhile. */
static int connect_and_send(struct store *store, void *arg, struct err *err) {
    (void)store, (void)err;
    int *fd = arg;
    *fd = rig_connect(&rig.at.at, SOURCE_UNIXSTREAM);
    send_text(*fd, SOURCE_UNIXSTREAM, "lost:1|c");
    return 0;
}

/* A connection with a frame in it comes when no descriptor is left. */
static int connect_without_descriptors(struct store *store, void *arg, struct err *err) {
    int *fd = arg;
    connect_and_send(store, arg, err);
    int next = dup(*fd);
    close(next);
    struct rlimit few;
    CU_ASSERT_FATAL(getrlimit(RLIMIT_NOFILE, &few) == 0);
    few.rlim_cur = (rlim_t)next;
    CU_ASSERT_FATAL(setrlimit(RLIMIT_NOFILE, &few) == 0);
    return 0;
}

/* It once stayed where it was: no answer held what had been sent over it, none said so, and the loop never slept. */
static void stream_out_of_descriptors_is_told(void) {
    rig_start(&rig, NULL, 0);
    struct err err = {0};
    struct rlimit before;
    uint64_t last_id;
    int fd;
    rig_ask(&rig, "default", "*"); /* the reader's descriptors are there */
    CU_ASSERT_FATAL(getrlimit(RLIMIT_NOFILE, &before) == 0);
    CU_ASSERT(ingest_call(rig.ingest, INGEST_ALL, connect_without_descriptors, &fd, &err) == 0);
    CU_ASSERT(ingest_barrier(rig.ingest, 1, &last_id, &err) == 0);
    CU_ASSERT(setrlimit(RLIMIT_NOFILE, &before) == 0);
    EQ_INT(rig_lost(&rig, "default", LOSS_REFUSED), 1);
    closed_by_server(fd);
    next_is_taken();
    rig_stop(&rig);
}

/* Who had sent nothing yet has lost nothing. */
static void streams_beyond_the_limit(void) {
    enum { N = INGEST_CONNECTIONS_MAX };
    struct rlimit limit, wide;
    CU_ASSERT_FATAL(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    wide = limit;
    wide.rlim_cur = 3 * N;
    if (wide.rlim_cur > limit.rlim_max || setrlimit(RLIMIT_NOFILE, &wide) != 0)
        return; /* not allowed so many here */
    static int fds[N + 2];
    rig_start(&rig, NULL, 0);
    for (int i = 0; i < N; i++)
        fds[i] = rig_connect(&rig.at.at, SOURCE_UNIXSTREAM);
    rig_ask(&rig, "default", "*");
    fds[N] = rig_connect(&rig.at.at, SOURCE_UNIXSTREAM);
    rig_ask(&rig, "default", "*");
    EQ_INT(rig_lost(&rig, "default", LOSS_REFUSED), 0);
    struct err err = {0};
    CU_ASSERT(ingest_call(rig.ingest, INGEST_ALL, connect_and_send, &fds[N + 1], &err) == 0);
    EQ_INT(rig_lost(&rig, "default", LOSS_REFUSED), 1);
    for (int i = 0; i < N + 2; i++)
        close(fds[i]);
    rig_stop(&rig);
    CU_ASSERT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

struct found {
    enum source source;
    struct ingest_socket socket;
};

static void find_socket(void *arg, const struct ingest_socket *socket) {
    struct found *found = arg;
    if (socket->source == found->source)
        found->socket = *socket;
}

static void flags_what_an_agent_would_cut(void) {
    rig_start(&rig, NULL, 0);
    int fd = rig_connect(&rig.at.at, SOURCE_UDP);
    static char bytes[8193];
    memset(bytes, '\n', sizeof bytes);
    rig_send(fd, SOURCE_UDP, bytes, 8192);
    rig_send(fd, SOURCE_UDP, bytes, 8193);
    rig_ask(&rig, "default", "*");
    struct found found = {.source = SOURCE_UDP};
    ingest_sockets_each(rig.ingest, find_socket, &found);
    EQ_INT(found.socket.datagrams, 2);
    EQ_INT(found.socket.over_agent_limit, 1);
    EQ_INT(found.socket.bytes, 8192 + 8193);
    close(fd);
    rig_stop(&rig);
}

UNIT_MAIN("ingest/transport", {"udp: ask right after", udp_asks_right_after},
          {"udp: every kind", udp_every_kind}, {"udp: the largest datagram", udp_largest},
          {"udp: garbage", udp_garbage}, {"udp: several senders", udp_several_senders},
          {"unixgram: ask right after", unixgram_asks_right_after},
          {"unixgram: every kind", unixgram_every_kind}, {"unixgram: the largest datagram", unixgram_largest},
          {"unixgram: garbage", unixgram_garbage}, {"unixgram: several senders", unixgram_several_senders},
          {"unixstream: ask right after", unixstream_asks_right_after},
          {"unixstream: every kind", unixstream_every_kind},
          {"unixstream: the largest frame", unixstream_largest}, {"unixstream: garbage", unixstream_garbage},
          {"unixstream: several senders", unixstream_several_senders},
          {"unixgram: truncated", truncated_unixgram}, {"unixstream: in pieces", stream_in_pieces},
          {"unixstream: wrong-endian lengths close it", stream_wrong_endian_is_closed},
          {"unixstream: an end in a frame is told", stream_that_ends_in_a_frame_is_told},
          {"unixstream: bytes that are no frame are kept", stream_bytes_that_are_no_frame_are_kept},
          {"unixstream: out of descriptors is told", stream_out_of_descriptors_is_told},
          {"unixstream: beyond the limit", streams_beyond_the_limit},
          {"over 8,192 bytes is flagged", flags_what_an_agent_would_cut})
