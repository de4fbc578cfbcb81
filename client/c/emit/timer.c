#include "statwit.h"
#include <time.h>

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void statwit_timer_start(struct statwit_timer *timer, struct statwit_metrics *metrics, const char *key,
                         const struct statwit_call *call) {
    timer->metrics = metrics;
    timer->key = key;
    timer->call = call ? *call : (struct statwit_call){0};
    timer->n_tags = 0;
    timer->failed = false;
    timer->started_ns = now_ns();
}

void statwit_timer_tag(struct statwit_timer *timer, const char *key, const char *value) {
    if (timer->n_tags < STATWIT_TIMER_TAGS)
        timer->tags[timer->n_tags++] = (struct statwit_tag){key, value};
}

void statwit_timer_fail(struct statwit_timer *timer) {
    timer->failed = true;
}

/* As many as a metric may have: with one more, result makes them too many and the metric is dropped and
 * counted. */
#define TAGS_BEFORE 512

void statwit_timer_stop(struct statwit_timer *timer) {
    if (!timer->metrics)
        return;
    double elapsed_ms = (double)(now_ns() - timer->started_ns) / 1e6;
    struct statwit_tag tags[TAGS_BEFORE + STATWIT_TIMER_TAGS + 2];
    int n = 0;
    for (const struct statwit_tag *tag = timer->call.tags; tag && tag->key && n < TAGS_BEFORE; tag++)
        tags[n++] = *tag;
    for (int i = 0; i < timer->n_tags; i++)
        tags[n++] = timer->tags[i];
    tags[n++] = (struct statwit_tag){"result", timer->failed ? "failure" : "success"};
    tags[n] = (struct statwit_tag){0};
    struct statwit_call call = timer->call;
    call.tags = tags;
    statwit_emit_real(timer->metrics, STATWIT_TIMING, timer->key, elapsed_ms, &call);
    timer->metrics = NULL;
}
