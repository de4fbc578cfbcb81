/* New records for all who wait: one who asks too much does not end the others' waiting. */
#include "http/feed.h"
#include "server.h"

#include "judge/evaluate/private.h"
#include "unit.h"

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

static void one_past_a_limit(void) {
    struct err err = {0};
    uint64_t series = 0, last_id;
    server_start(&server, &(struct http_options){0});
    struct judge *greedy = judge_of("any n*\nany *1\nany *2"), *modest = judge_of("incr n1 sum == 5");
    greedy->limits.links = 2;
    start_judge(greedy);
    start_judge(modest);
    struct waiter list[] = {{.next = &list[1], .feed = greedy, .session = "default"},
                            {.prev = &list[0], .feed = modest, .session = "default"}};
    server_send(server.rig.at.at.udp_port, "n1:5|c\nn2:5|c");
    CU_ASSERT(ingest_barrier(server.rig.ingest, INGEST_ALL, &last_id, &err) == 0);
    EQ_INT(feed_waiters(server.http, list, &series, &err), 0);
    CU_ASSERT_TRUE(list[0].failed);
    CU_ASSERT_FALSE(list[1].failed);
    EQ_INT(judge_verdict(modest), VERDICT_PASS);
    CU_ASSERT(!judge_within_limits(greedy, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "2 pairs"));
    server_send(server.rig.at.at.udp_port, "n1:5|c");
    CU_ASSERT(ingest_barrier(server.rig.ingest, INGEST_ALL, &last_id, &err) == 0);
    EQ_INT(feed_waiters(server.http, list, &series, &err), 0);
    EQ_INT(judge_verdict(modest), VERDICT_FAIL);
    judge_free(greedy);
    judge_free(modest);
    server_stop(&server);
}

UNIT_MAIN("http/feed", {"one past a limit", one_past_a_limit})
