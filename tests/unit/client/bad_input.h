/* What every way of sending must drop and count: 4 invalid calls, 3 that are too large. */
#ifndef CLIENT_BAD_INPUT_H
#define CLIENT_BAD_INPUT_H

#include "statwit.h"
#include <math.h>
#include <string.h>

#define BAD_INPUT_INVALID 4
#define BAD_INPUT_LARGE   3

static void emit_bad_input(struct statwit_metrics *metrics) {
    static struct statwit_tag many[10001];
    static char huge[70000], keys[10000][STATWIT_NUMBER_SIZE];
    memset(huge, 'h', sizeof huge - 1);
    for (size_t i = 0; i < 10000; i++)
        many[i] = (struct statwit_tag){statwit_integer_text(keys[i], (int64_t)i), "v"};
    statwit_incr(metrics, NULL);
    statwit_incr(metrics, "");
    statwit_gauge(metrics, "nan", (double)NAN);
    statwit_timing(metrics, "inf", (double)INFINITY);
    statwit_incr(metrics, "many", .tags = many);
    statwit_incr(metrics, "huge", .tags = STATWIT_TAGS({"k", huge}));
    statwit_incr(metrics, huge);
}

#endif
