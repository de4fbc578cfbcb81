/* New records for all who wait: one who asks too much does not end the others' waiting. */
#include "http/follow.h"
#include "server.h"

#include "judge/evaluate/private.h"
#include "unit.h"
#include <stdio.h>
#include <unistd.h>

static struct server server;

static struct judge *judge_of(const char *text) {
    struct judge_source source = {.text = span_str(text)};
    struct judge_error error;
    struct judge *j = judge_parse(&source, 1, NULL, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(j);
    return j;
}

static void start_judge(struct judge *j) {
    struct err err = {0};
    struct reader *r = store_reader_take(server.rig.store, &err);
    CU_ASSERT_FATAL(r && r->ops->begin(r, &err) == 0);
    CU_ASSERT(judge_start(j, r, &err) == 0);
    r->ops->end(r);
    store_reader_give(server.rig.store, r);
}

static struct follow follow;

static void follow_one(struct waiter *w, struct judge *j) {
    w->takes = &judge_takes;
    w->taker = j;
    w->cursor = judge_seen(j);
    follow_add(&follow, w);
}

static size_t n_touched(void) {
    size_t n = 0;
    while (follow_touched(&follow))
        n++;
    return n;
}

/* What came before somebody waited for it was committed up to 50 ms later, as the loop was asleep and nobody told it. */
static void the_loop_is_told(void) {
    server_start(&server, &(struct http_options){0});
    struct judge *j = judge_of("incr n sum == 5");
    struct waiter w = {.session = "default", .session_id = 1};
    start_judge(j);
    follow.interest.store = server.rig.store;
    follow_one(&w, j);
    CU_ASSERT_TRUE(follow.interest.began); /* watch.c tells it then */
    follow.interest.began = false;
    EQ_INT(interest_follow(&follow.interest, &w, 7), 0);
    CU_ASSERT_TRUE(follow.interest.began);
    follow_remove(&follow, &w);
    follow_free(&follow);
    follow = (struct follow){0};
    judge_free(j);
    server_stop(&server);
}

static void one_past_a_limit(void) {
    struct err err = {0};
    uint64_t last_id;
    server_start(&server, &(struct http_options){0});
    struct judge *greedy = judge_of("any n*\nany *1\nany *2"), *modest = judge_of("incr n1 sum == 5");
    greedy->limits.links = 2;
    start_judge(greedy);
    start_judge(modest);
    struct waiter list[] = {{.session = "default"}, {.session = "default"}};
    follow_one(&list[0], greedy);
    follow_one(&list[1], modest);
    EQ_INT(n_touched(), 2);
    CU_ASSERT_FALSE(follow.interest.began); /* without a store nobody is told */
    server_send(&server.rig.at, "n1:5|c\nn2:5|c");
    CU_ASSERT(ingest_barrier(server.rig.ingest, INGEST_ALL, &last_id, &err) == 0);
    EQ_INT(follow_new(&follow, server.http, &err), 0);
    EQ_INT(n_touched(), 2);
    CU_ASSERT_TRUE(list[0].failed);
    CU_ASSERT_FALSE(list[1].failed);
    EQ_INT(judge_verdict(modest), VERDICT_PASS);
    CU_ASSERT(!judge_within_limits(greedy, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "2 pairs"));
    server_send(&server.rig.at, "n1:5|c");
    CU_ASSERT(ingest_barrier(server.rig.ingest, INGEST_ALL, &last_id, &err) == 0);
    EQ_INT(follow_new(&follow, server.http, &err), 0);
    EQ_INT(n_touched(), 1);
    EQ_INT(judge_verdict(modest), VERDICT_FAIL);
    follow_remove(&follow, &list[0]);
    follow_remove(&follow, &list[1]);
    follow_free(&follow);
    judge_free(greedy);
    judge_free(modest);
    server_stop(&server);
}

/* --- what is read -------------------------------------------------------------------------------------- */

#define FLOOD_LINES     100
#define FLOOD_DATAGRAMS 300

/* The store's reader, which counts what it hands out. The pool gives the one that was given back last. */
static struct {
    const struct reader_ops *real;
    struct reader_ops ops;
    size_t n_samples, n_series;
    int (*sample)(void *, const struct sample_row *);
    int (*series)(void *, const struct series_row *);
    void *arg;
} counted;

static int count_sample(void *arg, const struct sample_row *row) {
    (void)arg;
    counted.n_samples++;
    return counted.sample(counted.arg, row);
}

static int count_series(void *arg, const struct series_row *row) {
    (void)arg;
    counted.n_series++;
    return counted.series(counted.arg, row);
}

static int counted_samples(struct reader *r, const struct filter *f, bool ordered,
                           int (*row)(void *, const struct sample_row *), void *arg, struct err *err) {
    counted.sample = row;
    counted.arg = arg;
    return counted.real->samples(r, f, ordered, count_sample, NULL, err);
}

static int counted_series(struct reader *r, const struct filter *f,
                          int (*row)(void *, const struct series_row *), void *arg, struct err *err) {
    counted.series = row;
    counted.arg = arg;
    return counted.real->series(r, f, count_series, NULL, err);
}

static void follow_counted(void) {
    struct err err = {0};
    struct reader *r = store_reader_take(server.rig.store, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    counted.real = r->ops;
    counted.ops = *r->ops;
    counted.ops.samples = counted_samples;
    counted.ops.series = counted_series;
    counted.n_samples = counted.n_series = 0;
    r->ops = &counted.ops;
    store_reader_give(server.rig.store, r);
    EQ_INT(follow_new(&follow, server.http, &err), 0);
    CU_ASSERT_PTR_EQUAL_FATAL(store_reader_take(server.rig.store, &err), r);
    r->ops = counted.real;
    store_reader_give(server.rig.store, r);
}

/* Series fK.0 to fK.99 of the session, a sample each, many times over. */
static void flood_session(const struct ingest_session *session, int k) {
    char text[FLOOD_LINES * 16];
    size_t n = 0;
    uint64_t last_id;
    struct err err = {0};
    for (int i = 0; i < FLOOD_LINES; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "f%d.%d:1|c\n", k, i);
    int fd = rig_connect(&session->at, SOURCE_UNIXGRAM);
    for (int i = 0; i < FLOOD_DATAGRAMS; i++)
        rig_send(fd, SOURCE_UNIXGRAM, text, n);
    close(fd);
    CU_ASSERT(ingest_barrier(server.rig.ingest, session->id, &last_id, &err) == 0);
}

static void open_session(const char *name, struct ingest_session *session) {
    struct err err = {0};
    CU_ASSERT_FATAL(ingest_session_open(server.rig.ingest, name, true, 0, session, &err) == 0);
}

/* Every waiter read every record of every session: one session's flood held up all others' waiting questions. */
static void anothers_flood_is_not_read(void) {
    struct ingest_session flood;
    server_start(&server, &(struct http_options){0});
    open_session("flood", &flood);
    struct judge *j = judge_of("incr mine sum == 7");
    start_judge(j);
    struct waiter w = {.session = "default", .session_id = 1};
    follow_one(&w, j);
    EQ_INT(n_touched(), 1);
    for (int k = 0; k < 3; k++) {
        flood_session(&flood, k);
        flood_session(&flood, k + 10);
        flood_session(&flood, k + 20);
        follow_counted();
        EQ_INT(counted.n_samples, 0);
        CU_ASSERT(counted.n_series <= 1); /* the newest, to know that it is known */
        EQ_INT(judge_verdict(j), VERDICT_FAIL);
        EQ_INT(n_touched(), 0);
    }
    flood_session(&flood, 4);
    server_send(&server.rig.at, "mine:3|c\nmine:4|c");
    flood_session(&flood, 5);
    EQ_INT(rig_ask(&server.rig, "default", "mine").samples, 2);
    follow_counted();
    EQ_INT(counted.n_samples, 2);
    EQ_INT(n_touched(), 1);
    EQ_INT(judge_verdict(j), VERDICT_PASS);
    follow_remove(&follow, &w);
    follow_free(&follow);
    judge_free(j);
    server_stop(&server);
}

/* Each gets its own session's, once, and who waits for all of them gets all. Nothing else is read. */
static void each_reads_its_own_session(void) {
    struct ingest_session flood, calm;
    server_start(&server, &(struct http_options){0});
    open_session("flood", &flood);
    open_session("calm", &calm);
    struct judge *judges[4];
    const struct ingest_session *sessions[] = {&calm, &flood, &calm, NULL};
    struct waiter list[4] = {
        {.session = "calm"}, {.session = "flood"}, {.session = "calm"}, {.session = "*"}};
    for (int i = 0; i < 4; i++) {
        struct judge_options options = {.session = span_str(list[i].session)};
        struct judge_source source = {.text = SPAN("incr mine sum == 7")};
        struct judge_error error;
        judges[i] = judge_parse(&source, 1, &options, &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(judges[i]);
        start_judge(judges[i]);
        list[i].session_id = sessions[i] ? sessions[i]->id : INGEST_ALL;
        list[i].counts = true;
        follow_one(&list[i], judges[i]);
    }
    EQ_INT(n_touched(), 4);
    flood_session(&flood, 1);
    server_send(&calm, "mine:7|c");
    EQ_INT(rig_ask(&server.rig, "calm", "mine").samples, 1);
    follow_counted();
    EQ_INT(counted.n_samples, 1 + 4); /* and one of each waiter's session, to know that there is some */
    EQ_INT(n_touched(), 4);
    for (int i = 0; i < 4; i++) {
        EQ_INT(list[i].n_taken, 1);
        CU_ASSERT((judge_verdict(judges[i]) == VERDICT_PASS) == (i != 1));
    }
    server_send(&calm, "other:7|c");
    EQ_INT(rig_ask(&server.rig, "calm", "other").samples, 1);
    follow_counted();
    EQ_INT(counted.n_samples, 2); /* the two waiters of one session share the answer */
    EQ_INT(n_touched(), 3);
    EQ_INT(list[0].n_taken, 2);
    EQ_INT(list[1].n_taken, 1);
    EQ_INT(list[3].n_taken, 2);
    for (int i = 0; i < 4; i++) {
        follow_remove(&follow, &list[i]);
        judge_free(judges[i]);
    }
    follow_free(&follow);
    server_stop(&server);
}

UNIT_MAIN("http/follow", {"the loop is told", the_loop_is_told}, {"one past a limit", one_past_a_limit},
          {"another's flood is not read", anothers_flood_is_not_read},
          {"each reads its own session", each_reads_its_own_session})
