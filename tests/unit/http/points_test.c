/* timeline and histogram keep what they have read: an answer is the same as that to a question that was never asked before. */
#include "asking.h"
#include "control/glance.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static uint32_t dice_state = 4711;
static uint32_t dice(uint32_t sides) {
    dice_state = dice_state * 1664525u + 1013904223u;
    return (dice_state >> 8) % sides;
}

static void settle(void) {
    uint64_t last_id;
    struct err err = {0};
    CU_ASSERT(ingest_barrier(server.rig.ingest, INGEST_ALL, &last_id, &err) == 0);
}

static char *answer(const char *format, int stars, const char *more) {
    char request[256], globs[64] = "";
    for (int i = 0; i < stars; i++)
        globs[i] = '*';
    snprintf(request, sizeof request, format, globs, more);
    EQ_INT(ask(request), 200);
    return strdup(client.body);
}

/* A chart without a point ends now, which may be a second later for the next question: when that was is no part of the comparison. */
static void forget_now(char *chart) {
    static const char from[] = "{\"from_ms\":";
    if (strstr(chart, "\"read\":0,") && strncmp(chart, from, sizeof from - 1) == 0)
        memset(chart + sizeof from - 1, 'T', strspn(chart + sizeof from - 1, "0123456789"));
}

/* stars: each number of them is another question about the same. */
static void compare(int stars) {
    static const char *const questions[] = {"GET /recorder/v1/histogram?name=x.y%s&settled=no%s",
                                            "GET /recorder/v1/timeline?name=x.y%s&settled=no&range=all%s"};
    static const char *const more[] = {"", "&type=gauge", "&tag=k:1", "&tag=k:1&tag=e:f"};
    for (int i = 0; i < 8; i++) {
        char *kept = answer(questions[i % 2], 0, more[i / 2]),
             *fresh = answer(questions[i % 2], stars, more[i / 2]);
        forget_now(kept);
        forget_now(fresh);
        EQ_STR(kept, fresh);
        free(kept);
        free(fresh);
    }
}

static void send_some(int n) {
    int fd = rig_connect(&server.rig.at.at, SOURCE_UNIXGRAM);
    for (int i = 0; i < n; i++) {
        char line[64];
        int length =
            snprintf(line, sizeof line, "x.y:%u|%s|@0.5|#k:%u,e:f", dice(1000), dice(3) ? "g" : "d", dice(3));
        rig_send(fd, SOURCE_UNIXGRAM, line, (size_t)length);
    }
    close(fd);
    settle();
}

static void what_came_since_is_added(void) {
    start();
    int stars = 1;
    for (int round = 0; round < 12; round++) {
        send_some((int)dice(60));
        compare(stars++);
    }
    EQ_INT(post_json("POST /recorder/v1/reset", ""), 200);
    compare(stars++);
    EQ_INT(ask("GET /recorder/v1/histogram?name=x.y"), 200);
    SAYS("{\"n\":0,");
    send_some(50);
    compare(stars++);
    stop();
}

/* Of more samples than are read the newest count. */
static void newest_of_many(void) {
    start();
    int fd = rig_connect(&server.rig.at.at, SOURCE_UNIXGRAM);
    int stars = 1;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 450; i++) {
            struct buf text = {0};
            for (int k = 0; k < 20; k++)
                buf_printf(&text, "x.y:%d:%d:%u:4:5|d|#k:%u\n", round, i, dice(50), dice(2));
            rig_send(fd, SOURCE_UNIXGRAM, text.p, text.n);
            buf_free(&text);
        }
        settle();
        compare(stars++);
    }
    EQ_INT(ask("GET /recorder/v1/histogram?name=x.y"), 200);
    SAYS("{\"n\":100000,");
    SAYS("\"partial\":true");
    close(fd);
    stop();
}

UNIT_MAIN("http/points", {"what came since the last look is added", what_came_since_is_added},
          {"the newest of many", newest_of_many})
