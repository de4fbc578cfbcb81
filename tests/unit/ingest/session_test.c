/* Sessions don't see each other, end when they should, and leave nothing behind. Also: losses, injected and real. */
#include "core/clock.h"
#include "rig.h"
#include "unit.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
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
    CU_ASSERT(ingest_session_close(rig.ingest, "nobody", &err) == -1 && err.sys == ENOENT);
    struct err kept = {0};
    CU_ASSERT(ingest_session_close(rig.ingest, "default", &kept) == -1);
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
    CU_ASSERT(ingest_session_close(rig.ingest, "gone", &err) == 0);
    EQ_INT(rig_ask(&rig, "", "x").samples, 0);
    CU_ASSERT(access(s.at.unixgram, F_OK) != 0);
    CU_ASSERT(ingest_session_open(rig.ingest, "gone", false, 0, &s, &err) == 0); /* the name is free again */
    EQ_INT(rig_ask(&rig, "gone", "x").samples, 0);
    close(fd);
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

static void *flood(void *arg) {
    struct ingest_session *s = arg;
    int fd = rig_connect(&s->at, SOURCE_UNIXGRAM);
    for (int i = 0; i < 2000; i++)
        rig_send(fd, SOURCE_UNIXGRAM, "n:1|c\nn:1|c\nn:1|c\nn:1|c\nn:1|c\n", 30);
    close(fd);
    return NULL;
}

static void many_at_once(void) {
    enum { N = 64 };
    rig_start(&rig, NULL, 0);
    static struct ingest_session s[N];
    pthread_t threads[N];
    for (int i = 0; i < N; i++) {
        struct err err = {0};
        CU_ASSERT_FATAL(ingest_session_open(rig.ingest, "", true, 0, &s[i], &err) == 0);
    }
    for (int i = 0; i < N; i++)
        pthread_create(&threads[i], NULL, flood, &s[i]);
    for (int i = 0; i < N; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < N; i++)
        EQ_INT(rig_ask(&rig, s[i].name, "n").samples, 10000);
    rig_stop(&rig);
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
    CU_ASSERT(ingest_call(rig.ingest, flood_meanwhile, &n, &err) == 0);
    uint64_t seen = rig_ask(&rig, "default", "d").samples;
    uint64_t lost = rig_lost(&rig, "default", LOSS_KERNEL_DROP);
    CU_ASSERT(lost > 0);
    EQ_INT(seen + lost, n);
    rig_stop(&rig);
}

UNIT_MAIN("ingest/session", {"sessions are apart", apart}, {"names", names},
          {"removed with what it recorded", removed_with_what_it_recorded}, {"time to live", time_to_live},
          {"many at once, counts exact", many_at_once},
          {"injected drops are no loss", injected_drops_are_no_loss},
          {"kernel drops are counted", kernel_drops_are_counted})
