/* Sessions don't see each other, end when they should, and leave nothing behind. Also: losses, injected and real. */
#include "core/clock.h"
#include "ingest/socket.h"
#include "rig.h"
#include "unit.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rig rig;

static void apart(void) {
    rig_start(&rig, NULL, 0);
    struct err err = {0};
    struct ingest_session a, b;
    CU_ASSERT_FATAL(ingest_session_open(rig.ingest, "a", true, 0, &a, &err) == 0);
    CU_ASSERT_FATAL(ingest_session_open(rig.ingest, "", false, 0, &b, &err) == 0);
    CU_ASSERT(strcmp(a.api_key, b.api_key) != 0 && strlen(a.api_key) == 32 && strlen(b.name) > 0);
    CU_ASSERT(a.at.udp_port > 0 && a.at.udp_port != b.at.udp_port && b.at.unixgram[0] == '\0');
    static const enum source sources[] = {SOURCE_UDP, SOURCE_UNIXGRAM, SOURCE_UNIXSTREAM};
    for (int i = 0; i < 3; i++) {
        int fd = rig_connect(&a.at, sources[i]);
        rig_send(fd, sources[i], "x:1|c", 5);
        close(fd);
    }
    int fd = rig_connect(&b.at, SOURCE_UDP);
    rig_send(fd, SOURCE_UDP, "x:1|c", 5);
    close(fd);
    EQ_INT(rig_ask(&rig, "a", "x").samples, 3);
    EQ_INT(rig_ask(&rig, b.name, "x").samples, 1);
    EQ_INT(rig_ask(&rig, "default", "x").samples, 0);
    EQ_INT(rig_ask(&rig, "", "x").samples, 4);
    EQ_INT(ingest_session_by_key(rig.ingest, span_str(a.api_key)), a.id);
    EQ_INT(ingest_session_by_key(rig.ingest, SPAN("unknown")), 1);
    EQ_INT(ingest_session_close(rig.ingest, "a", false, &err), 0);
    EQ_INT(ingest_session_by_key(rig.ingest, span_str(a.api_key)), INGEST_ENDED);
    EQ_INT(ingest_session_by_key(rig.ingest, span_str(b.api_key)), b.id);
    rig_stop(&rig);
    CU_ASSERT(access(a.at.unixgram, F_OK) != 0);
}

static void names(void) {
    rig_start(&rig, NULL, 0);
    struct ingest_session s;
    static const struct {
        const char *name;
        int sys;
    } bad[] = {{"default", EEXIST},
               {"with blank", EINVAL},
               {"a/b", EINVAL},
               {"'; DROP TABLE series; --", EINVAL},
               {"0123456789012345678901234567890123456789012345678901234567890123456789", EINVAL}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {0};
        CU_ASSERT(ingest_session_open(rig.ingest, bad[i].name, false, 0, &s, &err) == -1);
        EQ_INT(err.sys, bad[i].sys);
    }
    struct err err = {0};
    CU_ASSERT(ingest_session_close(rig.ingest, "nobody", false, &err) == -1 && err.sys == ENOENT);
    struct err kept = {0};
    CU_ASSERT(ingest_session_close(rig.ingest, "default", false, &kept) == -1);
    rig_stop(&rig);
}

/* A key once was known for as long as its server ran and no 1,024 others had ended; then it was everybody's. */
static void keys_of_ended_sessions(void) {
    char path[] = "/tmp/statwit-keys-XXXXXX";
    CU_ASSERT_FATAL(mkdtemp(path) != NULL);
    char file[64], old[33], of_default[33];
    snprintf(file, sizeof file, "%s/r.db", path);
    rig_start(&rig, file, 0);
    struct err err = {0};
    struct ingest_session s;
    CU_ASSERT_FATAL(ingest_session_open(rig.ingest, "a", false, 0, &s, &err) == 0);
    snprintf(old, sizeof old, "%s", s.api_key);
    snprintf(of_default, sizeof of_default, "%s", rig.at.api_key);
    rig_stop(&rig);
    for (int i = 0; i < 2; i++) { /* the same file; one in memory */
        rig_start(&rig, i == 0 ? file : NULL, 0);
        EQ_INT(ingest_session_by_key(rig.ingest, span_str(old)), INGEST_ENDED);
        EQ_INT(ingest_session_by_key(rig.ingest, span_str(of_default)), 1);
        EQ_INT(ingest_session_by_key(rig.ingest, SPAN("0123456789abcdef0123456789abcdef")), 1);
        EQ_INT(ingest_session_by_key(rig.ingest, span_of(old, 31)), 1);
        CU_ASSERT_FATAL(ingest_session_open(rig.ingest, "a", false, 0, &s, &err) == 0);
        EQ_INT(ingest_session_by_key(rig.ingest, span_str(s.api_key)), s.id);
        rig_stop(&rig);
    }
    unlink(file);
    CU_ASSERT(rmdir(path) == 0);
}

static int port_order(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

/* 5 of 400 had a port of an ended session, and with it what its stragglers sent. */
static void ports_of_ended_sessions(void) {
    enum { N = 600 };
    static int ports[N];
    char path[] = "/tmp/statwit-ports-XXXXXX";
    CU_ASSERT_FATAL(mkdtemp(path) != NULL);
    char file[64];
    snprintf(file, sizeof file, "%s/r.db", path);
    struct err err = {0};
    struct ingest_session s;
    for (int i = 0; i < N; i++) {
        if (i % (N / 2) == 0) /* also in another run, and its default session */
            rig_start(&rig, file, 0);
        CU_ASSERT_FATAL(ingest_session_open(rig.ingest, "a", false, 0, &s, &err) == 0);
        ports[i] = i % (N / 2) == 0 ? rig.at.at.udp_port : s.at.udp_port;
        CU_ASSERT(ingest_session_close(rig.ingest, "a", false, &err) == 0);
        if ((i + 1) % (N / 2) == 0)
            rig_stop(&rig);
    }
    qsort(ports, N, sizeof *ports, port_order);
    int again = 0;
    for (int i = 1; i < N; i++)
        again += ports[i] == ports[i - 1];
    EQ_INT(again, 0);
    unlink(file);
    CU_ASSERT(rmdir(path) == 0);
}

static int count_session(void *arg, const struct session_row *row) {
    (void)row;
    ++*(int *)arg;
    return 0;
}

static int recorded_sessions(void) {
    int n = 0;
    struct err err = {0};
    struct reader *reader = store_reader_take(rig.store, &err);
    CU_ASSERT_FATAL(reader && reader->ops->begin(reader, &err) == 0);
    CU_ASSERT(reader->ops->sessions(reader, count_session, &n, &err) == 0);
    reader->ops->end(reader);
    store_reader_give(rig.store, reader);
    return n;
}

/* Its row once stayed in the recording when listening failed after it was written. */
static void one_that_cannot_open_leaves_nothing(void) {
    rig_start(&rig, NULL, 0);
    struct ingest_session s;
    struct err err = {0};
    setenv("TMPDIR", "/nowhere/at/all", 1);
    CU_ASSERT(ingest_session_open(rig.ingest, "deaf", true, 0, &s, &err) == -1);
    unsetenv("TMPDIR");
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nowhere/at/all"));
    EQ_INT(recorded_sessions(), 1);
    struct err none = {0};
    CU_ASSERT(ingest_session_open(rig.ingest, "deaf", true, 0, &s, &none) == 0);
    struct err taken = {0};
    CU_ASSERT(ingest_session_open(rig.ingest, "deaf", true, 0, &s, &taken) == -1);
    EQ_INT(recorded_sessions(), 2);
    rig_stop(&rig);
}

static void removed_with_what_it_recorded(void) {
    rig_start(&rig, NULL, 0);
    struct err err = {0};
    struct ingest_session s;
    CU_ASSERT_FATAL(ingest_session_open(rig.ingest, "gone", true, 0, &s, &err) == 0);
    int fd = rig_connect(&s.at, SOURCE_UNIXGRAM);
    rig_send(fd, SOURCE_UNIXGRAM, "x:1|c", 5);
    EQ_INT(rig_ask(&rig, "gone", "x").samples, 1);
    CU_ASSERT(ingest_session_close(rig.ingest, "gone", false, &err) == 0);
    EQ_INT(rig_ask(&rig, "", "x").samples, 0);
    CU_ASSERT(access(s.at.unixgram, F_OK) != 0);
    CU_ASSERT(ingest_session_open(rig.ingest, "gone", false, 0, &s, &err) == 0); /* the name is free again */
    EQ_INT(rig_ask(&rig, "gone", "x").samples, 0);
    close(fd);
    rig_stop(&rig);
}

/* What was sent before it ended is there, and a new one of its name begins without it. */
static void ended_but_kept(void) {
    rig_start(&rig, NULL, 0);
    struct err err = {0};
    struct ingest_session s, again;
    CU_ASSERT_FATAL(ingest_session_open(rig.ingest, "kept", true, 0, &s, &err) == 0);
    int fd = rig_connect(&s.at, SOURCE_UNIXGRAM); /* blocks: nothing is dropped */
    for (int i = 0; i < 1000; i++)
        rig_send(fd, SOURCE_UNIXGRAM, "x:1|c", 5);
    CU_ASSERT(ingest_session_close(rig.ingest, "kept", true, &err) == 0);
    close(fd);
    EQ_INT(rig_ask(&rig, "", "x").samples, 1000);
    EQ_INT(ingest_session_by_key(rig.ingest, span_str(s.api_key)), INGEST_ENDED);
    CU_ASSERT(ingest_session_close(rig.ingest, "kept", true, &err) == -1 && err.sys == ENOENT);
    CU_ASSERT_FATAL(ingest_session_open(rig.ingest, "kept", false, 0, &again, &(struct err){0}) == 0);
    CU_ASSERT(again.id != s.id);
    EQ_INT(recorded_sessions(), 3);
    rig_stop(&rig);
}

/* Removing what had the path, whoever put it there, once left another server's socket without a name. */
static void anothers_socket_file_stays(void) {
    rig_start(&rig, NULL, 0);
    struct err err = {0};
    struct ingest_session s;
    CU_ASSERT_FATAL(ingest_session_open(rig.ingest, "a", true, 0, &s, &err) == 0);
    CU_ASSERT(unlink(s.at.unixgram) == 0);
    int other = socket_unix(s.at.unixgram, SOCK_DGRAM, &err);
    CU_ASSERT_FATAL(other >= 0);
    CU_ASSERT(ingest_session_close(rig.ingest, "a", false, &err) == 0);
    CU_ASSERT(access(s.at.unixgram, F_OK) == 0);
    CU_ASSERT(access(s.at.unixstream, F_OK) != 0);
    close(other);
    unlink(s.at.unixgram);
    *strrchr(s.at.unixgram, '/') = '\0';
    CU_ASSERT(rmdir(s.at.unixgram) == 0);
    rig_stop(&rig);
}

static void time_to_live(void) {
    rig_start(&rig, NULL, 0);
    struct err err = {0};
    struct ingest_session s, found;
    CU_ASSERT_FATAL(ingest_session_open(rig.ingest, "brief", false, NS_PER_MS, &s, &err) == 0);
    CU_ASSERT(s.expires_at > 0);
    struct err gone = {0};
    for (int i = 0; i < 2000 && ingest_session_find(rig.ingest, SPAN("brief"), &found, &gone) == 0; i++)
        rig_ask(&rig, "default", "*"); /* each question is one turn of the loop */
    CU_ASSERT(gone.set && gone.sys == ENOENT);
    rig_stop(&rig);
}

enum { SENDERS = 200 };

struct sender {
    struct ingest_session session;
    pthread_t thread;
    char datagram[3000];
    size_t n;
    int seen; /* series recorded */
};
static pthread_barrier_t all_ready;

static void *emit(void *arg) {
    struct sender *sender = arg;
    int fd = rig_connect(&sender->session.at, SOURCE_UDP);
    pthread_barrier_wait(&all_ready);
    /* 40 datagrams of 2 KB, some 200 KB as the kernel counts, which any socket holds: none can be dropped, however slow we are. */
    for (int i = 0; i < 40; i++)
        rig_send(fd, SOURCE_UDP, sender->datagram, sender->n);
    close(fd);
    return NULL;
}

static int check_series(void *arg, const struct series_row *row) {
    struct sender *senders = arg;
    int i = atoi(row->name.p + 1);
    CU_ASSERT_FATAL(i >= 0 && i < SENDERS);
    CU_ASSERT(span_eq(row->session, span_str(senders[i].session.name)));
    EQ_INT(row->samples, 10000);
    CU_ASSERT_DOUBLE_EQUAL(row->sum, 10000, 0);
    senders[i].seen++;
    return 0;
}

static void many_at_once(void) {
    static struct sender senders[SENDERS];
    struct err err = {0};
    uint64_t last_id;
    rig_start(&rig, NULL, 0);
    pthread_barrier_init(&all_ready, NULL, SENDERS);
    for (int i = 0; i < SENDERS; i++) {
        struct sender *s = &senders[i];
        *s = (struct sender){0};
        CU_ASSERT_FATAL(ingest_session_open(rig.ingest, "", false, 0, &s->session, &err) == 0);
        for (int line = 0; line < 250; line++)
            s->n += (size_t)snprintf(s->datagram + s->n, sizeof s->datagram - s->n, "s%03d:1|c\n", i);
    }
    for (int i = 0; i < SENDERS; i++)
        CU_ASSERT_FATAL(pthread_create(&senders[i].thread, NULL, emit, &senders[i]) == 0);
    for (int i = 0; i < SENDERS; i++)
        pthread_join(senders[i].thread, NULL);
    CU_ASSERT(ingest_barrier(rig.ingest, INGEST_ALL, &last_id, &err) == 0);
    struct reader *reader = store_reader_take(rig.store, &err);
    CU_ASSERT_FATAL(reader && reader->ops->begin(reader, &err) == 0);
    CU_ASSERT(reader->ops->series(reader, &(struct filter){0}, check_series, senders, &err) == 0);
    reader->ops->end(reader);
    store_reader_give(rig.store, reader);
    for (int i = 0; i < SENDERS; i++)
        EQ_INT(senders[i].seen, 1);
    pthread_barrier_destroy(&all_ready);
    rig_stop(&rig);
}

/* The newest UDP port of this process that is not among the first n; 0: none. */
static int newest_port(const int *known, int n) {
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_in at = {0};
        socklen_t size = sizeof at;
        if (getsockname(fd, (struct sockaddr *)&at, &size) != 0 || at.sin_family != AF_INET)
            continue;
        int port = ntohs(at.sin_port), i = 0;
        while (i < n && known[i] != port)
            i++;
        if (i == n && port != 0)
            return port;
    }
    return 0;
}

static void *open_session(void *arg) {
    struct err err = {0};
    struct ingest_session s;
    int *result = arg;
    *result = ingest_session_open(rig.ingest, "unwritten", true, 0, &s, &err);
    return NULL;
}

/* Datagrams once were read for it all the same, into what another thread was freeing, and counted as lost records of the
 * recording. The thread sanitizer and the address sanitizer see the former. */
static void one_that_cannot_be_written(void) {
    char folder[] = "/tmp/statwit-sess-XXXXXX", path[64];
    CU_ASSERT_FATAL(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/db", folder);
    rig_start(&rig, path, 0);
    rig_hear_drops(&rig, false); /* they could not be written down either, and that is a loss, too */
    int sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), result = 7, known[2] = {rig.at.at.udp_port};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CU_ASSERT_FATAL(bind(sender, (struct sockaddr *)&to, sizeof to) == 0);
    known[1] = newest_port(known, 1); /* the sender's own */
    sqlite3 *other;
    CU_ASSERT_FATAL(sqlite3_open(path, &other) == SQLITE_OK);
    CU_ASSERT_FATAL(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
    pthread_t opener;
    CU_ASSERT_FATAL(pthread_create(&opener, NULL, open_session, &result) == 0);
    int sent = 0, port = 0;
    while (pthread_tryjoin_np(opener, NULL) != 0) { /* it waits 5 s for the lock */
        if (port == 0)
            port = newest_port(known, 2);
        to.sin_port = htons((uint16_t)port);
        if (port != 0)
            sent += sendto(sender, "stray:1|c", 9, 0, (struct sockaddr *)&to, sizeof to) == 9;
    }
    EQ_INT(result, -1);
    CU_ASSERT(sent > 0);
    CU_ASSERT(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(other);
    EQ_INT(rig_ask(&rig, "", "stray").samples, 0);
    EQ_INT(rig_lost(&rig, "", LOSS_DISK_FULL), 0);
    struct err err = {0};
    struct ingest_session s;
    CU_ASSERT(ingest_session_open(rig.ingest, "unwritten", false, 0, &s, &err) == 0);
    close(sender);
    rig_stop(&rig);
    unlink(path);
    CU_ASSERT(rmdir(folder) == 0);
}

static void add_injected(void *arg, const struct ingest_socket *socket) {
    *(uint64_t *)arg += socket->injected;
}

static void injected_drops_are_no_loss(void) {
    rig_start(&rig, NULL, 0);
    struct err err = {0};
    uint64_t seen[2], injected = 0;
    for (int round = 0; round < 2; round++) {
        CU_ASSERT(ingest_fault_drop(rig.ingest, 1, 0.5, 7, &err) == 0);
        int fd = rig_connect(&rig.at.at, SOURCE_UNIXGRAM);
        for (int i = 0; i < 400; i++)
            rig_send(fd, SOURCE_UNIXGRAM, round ? "b:1|c" : "a:1|c", 5);
        close(fd);
        seen[round] = rig_ask(&rig, "default", round ? "b" : "a").samples;
    }
    ingest_sockets_each(rig.ingest, add_injected, &injected);
    CU_ASSERT(seen[0] > 100 && seen[0] < 300);
    EQ_INT(seen[0], seen[1]); /* the same seed, the same drops */
    EQ_INT(injected, 800 - seen[0] - seen[1]);
    EQ_INT(rig_lost(&rig, "default", LOSS_KERNEL_DROP) + rig_lost(&rig, "default", LOSS_QUEUE_FULL), 0);
    CU_ASSERT(ingest_fault_drop(rig.ingest, 0, 0, 0, &err) == 0);
    CU_ASSERT(ingest_fault_drop(rig.ingest, 4711, 1, 0, &err) == -1);
    rig_stop(&rig);
}

/* While a job holds the loop, a flood overruns the socket: what is missing is counted to the last datagram. */
static int flood_meanwhile(struct store *store, void *arg, struct err *err) {
    (void)store, (void)err;
    for (int i = 0; i < *(int *)arg; i++) {
        static int fd = -1;
        if (i == 0)
            fd = rig_connect(&rig.at.at, SOURCE_UDP);
        static char bytes[60000] = "d:1|c\n";
        if (i == 0)
            memset(bytes + 6, '\n', sizeof bytes - 6);
        rig_send(fd, SOURCE_UDP, bytes, sizeof bytes);
        if (i == *(int *)arg - 1)
            close(fd);
    }
    return 0;
}

static void kernel_drops_are_counted(void) {
    rig_start(&rig, NULL, 0);
    struct err err = {0};
    int n = 3000; /* 180 MB: more than any buffer */
    CU_ASSERT(ingest_call(rig.ingest, INGEST_ALL, flood_meanwhile, &n, &err) == 0);
    uint64_t seen = rig_ask(&rig, "default", "d").samples;
    uint64_t lost = rig_lost(&rig, "default", LOSS_KERNEL_DROP);
    uint64_t on_the_way = rig_lost(&rig, "", LOSS_KERNEL_DROP); /* of ours or of another program's */
    CU_ASSERT(lost > 0);
    CU_ASSERT(seen + lost <= (uint64_t)n && seen + lost + on_the_way >= (uint64_t)n);
    rig_stop(&rig);
}

UNIT_MAIN("ingest/session", {"sessions are apart", apart}, {"names", names},
          {"keys of ended sessions", keys_of_ended_sessions},
          {"ports of ended sessions", ports_of_ended_sessions}, {"ended, but kept", ended_but_kept},
          {"one that cannot open leaves nothing", one_that_cannot_open_leaves_nothing},
          {"one that cannot be written", one_that_cannot_be_written},
          {"removed with what it recorded", removed_with_what_it_recorded},
          {"another's socket file stays", anothers_socket_file_stays}, {"time to live", time_to_live},
          {"many at once, counts exact", many_at_once},
          {"injected drops are no loss", injected_drops_are_no_loss},
          {"kernel drops are counted", kernel_drops_are_counted})
