/* What one sender sent in order is recorded in that order, whatever ways it went. */
#include "asking.h"
#include "core/clock.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 60

static int sockets[SOURCE_HTTP + 1];

static void post_gauge(int value) {
    char body[160];
    snprintf(body, sizeof body, "{\"series\":[{\"metric\":\"g\",\"type\":\"gauge\",\"points\":[[%lld,%d]]}]}",
             (long long)(clock_wall_ns() / NS_PER_S), value);
    EQ_INT(client_ask(&client, "POST /api/v1/series", "Content-Type: application/json\r\nDD-API-KEY: k\r\n",
                      body),
           202);
}

/* All that these tests send may be lost, so they hear of it: what the kernel has dropped then is told. */
static void start_with_udp(void) {
    start();
    rig_hear_drops(&server.rig, true);
}

/* Whether the newest is this one, as far as can be told: packets that are dropped, of whatever program, may be ours. */
static bool newest_is(int value) {
    bool is = rig_ask(&server.rig, "default", "g").last == value;
    return is || rig_lost(&server.rig, "", LOSS_KERNEL_DROP) > 0;
}

static void send_gauge(enum source way, int value) {
    char line[32];
    int n = snprintf(line, sizeof line, "g:%d|g", value);
    if (way == SOURCE_HTTP)
        post_gauge(value);
    else
        rig_send(sockets[way], way, line, (size_t)n);
}

static void one_way_then(enum source first) {
    static const enum source ways[] = {SOURCE_UDP, SOURCE_UNIXGRAM, SOURCE_UNIXSTREAM, SOURCE_HTTP};
    start_with_udp();
    for (int i = 0; i < 3; i++)
        sockets[ways[i]] = rig_connect(&server.rig.at.at, ways[i]);
    int value = 0, wrong = 0;
    for (int i = 0; i < 4; i++)
        for (int round = 0; round < ROUNDS && ways[i] != first; round++) {
            send_gauge(first, ++value);
            send_gauge(ways[i], ++value);
            wrong += !newest_is(value);
        }
    EQ_INT(wrong, 0);
    for (int i = 0; i < 3; i++)
        close(sockets[ways[i]]);
    stop();
}

/* A POST once got its place before what still stood in the sockets: its value was the older one in a third of all rounds. */
static void udp_first(void) {
    one_way_then(SOURCE_UDP);
}

static void unixgram_first(void) {
    one_way_then(SOURCE_UNIXGRAM);
}

static void unixstream_first(void) {
    one_way_then(SOURCE_UNIXSTREAM);
}

static void http_first(void) {
    one_way_then(SOURCE_HTTP);
}

/* A socket that was made for this one value, by a sender who is gone by then. */
static void a_new_connection_first(void) {
    start();
    for (int value = 0, round = 0; round < ROUNDS; round++) {
        sockets[SOURCE_UNIXSTREAM] = rig_connect(&server.rig.at.at, SOURCE_UNIXSTREAM);
        send_gauge(SOURCE_UNIXSTREAM, ++value);
        close(sockets[SOURCE_UNIXSTREAM]);
        send_gauge(SOURCE_HTTP, ++value);
        EQ_INT(rig_ask(&server.rig, "default", "g").last, value);
    }
    stop();
}

struct both {
    enum source first, second;
};

/* On the loop, which reads nothing meanwhile: the sockets are read one after the other, in the right order. */
static int send_both(struct store *store, void *arg, struct err *err) {
    (void)store, (void)err;
    const struct both *both = arg;
    send_gauge(both->first, 1);
    send_gauge(both->second, 2);
    return 0;
}

static void all_is_there_at_once(void) {
    static const enum source ways[] = {SOURCE_UDP, SOURCE_UNIXGRAM, SOURCE_UNIXSTREAM};
    start_with_udp();
    struct err err = {0};
    for (int i = 0; i < 3; i++)
        sockets[ways[i]] = rig_connect(&server.rig.at.at, ways[i]);
    for (int round = 0; round < 20; round++)
        for (int i = 0; i < 9; i++) {
            struct both both = {ways[i / 3], ways[i % 3]};
            CU_ASSERT(ingest_call(server.rig.ingest, INGEST_NOTHING, send_both, &both, &err) == 0);
            CU_ASSERT(newest_is(2));
        }
    for (int i = 0; i < 3; i++)
        close(sockets[ways[i]]);
    stop();
}

UNIT_MAIN("http/order", {"over UDP, then another way", udp_first},
          {"over unixgram, then another way", unixgram_first},
          {"over unixstream, then another way", unixstream_first},
          {"in a POST, then another way", http_first},
          {"over a new connection, then in a POST", a_new_connection_first},
          {"all is there at once", all_is_there_at_once})
