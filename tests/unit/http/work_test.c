/* Who waits for whom: a short question is never behind long ones, however many those are. Nothing here depends on time: long
 * jobs are held open until the test lets them go. */
#include "asking.h"

#include "core/buf.h"
#include "http/limits.h"
#include "http/server.h"
#include "http/work.h"

#include <semaphore.h>
#include <stdatomic.h>

/* A job that says when it starts and ends when it may. */
struct held {
    struct job job; /* first */
    sem_t *started, *may_end;
    atomic_int *order;
    int place;
};

static void run_held(struct job *job) {
    struct held *held = (struct held *)job;
    held->place = ++*held->order;
    sem_post(held->started);
    if (held->may_end)
        sem_wait(held->may_end);
}

static void count_rest(void *arg) {
    ++*(atomic_int *)arg;
}

/* Workers and the jobs for them. */
struct shop {
    struct work *work;
    sem_t started, may_end;
    atomic_int order, rests;
};

static void shop_open(struct shop *shop) {
    struct err err = {0};
    sem_init(&shop->started, 0, 0);
    sem_init(&shop->may_end, 0, 0);
    shop->order = shop->rests = 0;
    shop->work = work_start(count_rest, &shop->rests, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(shop->work);
}

/* waits: until may_end is posted. */
static void shop_put(struct shop *shop, struct held *held, enum work_length length, bool waits) {
    *held = (struct held){.job = {.run = run_held, .length = length},
                          .started = &shop->started,
                          .may_end = waits ? &shop->may_end : NULL,
                          .order = &shop->order};
    CU_ASSERT(work_put(shop->work, &held->job));
}

/* After work_stop. */
static void shop_close(struct shop *shop) {
    work_free(shop->work);
    sem_destroy(&shop->started);
    sem_destroy(&shop->may_end);
}

static void test_long_jobs_leave_a_worker(void) {
    enum { LONG = 4, SHORT = 3 };
    struct shop shop;
    struct held jobs[LONG + SHORT];
    shop_open(&shop);
    for (int i = 0; i < LONG + SHORT; i++)
        shop_put(&shop, &jobs[i], i < LONG ? WORK_LONG : WORK_SHORT, i < LONG);
    /* the first long one, and all short ones, while no long one has ended */
    for (int i = 0; i < HTTP_WORKERS - HTTP_WORKERS_FOR_SHORT + SHORT; i++)
        sem_wait(&shop.started);
    EQ_INT(shop.order, HTTP_WORKERS - HTTP_WORKERS_FOR_SHORT + SHORT);
    for (int i = LONG; i < LONG + SHORT; i++)
        CU_ASSERT(jobs[i].place > 0);
    for (int i = 0; i < LONG; i++)
        sem_post(&shop.may_end);
    work_stop(shop.work); /* what was put is run */
    for (int i = 1; i < LONG; i++)
        CU_ASSERT(jobs[i].place > jobs[i - 1].place);
    EQ_INT(shop.order, LONG + SHORT);
    shop_close(&shop);
}

/* Each of ten thousand answers once woke the watch thread by itself. */
static void test_rests_after_a_row(void) {
    enum { ROW = 100 };
    struct shop shop;
    struct held jobs[HTTP_WORKERS + ROW];
    shop_open(&shop);
    for (int i = 0; i < HTTP_WORKERS + ROW; i++)
        shop_put(&shop, &jobs[i], WORK_SHORT, i < HTTP_WORKERS);
    for (int i = 0; i < HTTP_WORKERS; i++)
        sem_post(&shop.may_end); /* all workers are at work, and all jobs are there */
    work_stop(shop.work);
    CU_ASSERT(shop.rests > 0 && shop.rests <= HTTP_WORKERS + (HTTP_WORKERS + ROW) / WORK_ROW);
    CU_ASSERT_FALSE(work_is_worker());
    shop_close(&shop);
}

static int post(struct client *c, const char *request, const char *body) {
    return client_ask(c, request, "Content-Type: application/json\r\n", body);
}

/* So many that a question about them is a worker's. */
static void send_samples(void) {
    struct buf lines = {0};
    for (int i = 0; i < 20001; i++)
        buf_str(&lines, "m:1|c\n");
    buf_char(&lines, '\0');
    EQ_INT(client_ask(&client, "POST /dogstatsd/v2/proxy", NULL, lines.p), 200);
    buf_free(&lines);
}

/* {"a":SNAPSHOT,"b":SNAPSHOT} of more than a short question's size, as a whole request. */
static void put_diff(struct buf *request) {
    struct buf body = {0};
    for (int side = 0; side < 2; side++) {
        buf_printf(&body, "%s\"%s\":{\"snapshot\":\"# statwit snapshot 1\\n", side ? "," : "{",
                   side ? "b" : "a");
        for (int i = 0; i < 10000; i++)
            buf_printf(&body, "count name.number.%d[]\\n", i);
        buf_str(&body, "\"}");
    }
    buf_char(&body, '}');
    buf_printf(request, "POST /recorder/v1/diff HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n",
               body.n);
    buf_span(request, buf_view(&body));
    buf_free(&body);
}

/* Two diffs of 600 KB kept both workers, and an ordinary question waited for seconds. */
static void test_short_question_beside_long_ones(void) {
    enum { ASKERS = 3 };
    sem_t started, may_end;
    atomic_int order = 0;
    struct held held = {.job = {.run = run_held, .length = WORK_LONG},
                        .started = &started,
                        .may_end = &may_end,
                        .order = &order};
    struct client askers[ASKERS];
    struct buf diff = {0};
    sem_init(&started, 0, 0);
    sem_init(&may_end, 0, 0);
    start();
    send_samples();
    CU_ASSERT(work_put(server.http->work, &held.job));
    sem_wait(&started);
    put_diff(&diff);
    for (int i = 0; i < ASKERS; i++) {
        client_open(&askers[i], &server);
        client_send(&askers[i], diff.p, diff.n);
    }
    for (int i = 0; i < 3; i++) {
        EQ_INT(post(&client, "POST /recorder/v1/expect", "{\"expect\":\"incr m samples == 20001\"}"), 200);
        SAYS("\"verdict\":\"pass\"");
        EQ_INT(post(&client, "POST /recorder/v1/verify", "{\"catalog\":{\"metrics\":{\"m\":{}}}}"), 200);
        SAYS("\"verdict\":\"pass\"");
    }
    sem_post(&may_end);
    for (int i = 0; i < ASKERS; i++) {
        EQ_INT(client_receive(&askers[i]), 200);
        CU_ASSERT(client_says(&askers[i], "\"same\":true"));
        client_close(&askers[i]);
    }
    stop();
    buf_free(&diff);
    sem_destroy(&started);
    sem_destroy(&may_end);
}

UNIT_MAIN("http/work", {"long jobs leave a worker to short ones", test_long_jobs_leave_a_worker},
          {"a worker rests after a row of jobs", test_rests_after_a_row},
          {"a short question beside long ones", test_short_question_beside_long_ones})
