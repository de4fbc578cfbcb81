/* Requests that wait, with a whole recorder behind them: expectations, and the stream. */
#include "asking.h"

#include "core/buf.h"
#include "core/clock.h"
#include "http/limits.h"
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>

static void test_expect_at_once(void) {
    start();
    send_line("login.attempt:1|c|#instance:failure");
    EQ_INT(post_json("POST /recorder/v1/expect",
                     "{\"expect\":[\"incr login.attempt{instance:failure} sum == 1\"]}"),
           200);
    SAYS("\"verdict\":\"pass\"");
    SAYS("\"waited_ms\":");
    EQ_INT(post_json("POST /recorder/v1/expect",
                     "{\"expect\":[\"incr login.attempt\",\"gauge nothing.there\"]}"),
           200);
    SAYS("\"verdict\":\"fail\"");
    EQ_INT(post_json("POST /recorder/v1/expect",
                     "{\"expect\":[{\"file\":\"f\",\"text\":\"# all\\nincr log*\\n\"}]}"),
           200);
    SAYS("\"verdict\":\"pass\"");
    stop();
}

static void ask_later(struct client *c, const char *body) {
    struct buf text = {0};
    client_open(c, &server);
    buf_printf(&text, "POST /recorder/v1/expect HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s",
               strlen(body), body);
    client_send(c, text.p, text.n);
    buf_free(&text);
}

/* Stands for a backlog that takes its time to be stored. */
struct slow_batch {
    struct batch batch; /* first */
    atomic_bool go_on;
};

static int slow_feed(struct batch *batch, struct store *store, struct err *err) {
    (void)store, (void)err;
    return ((struct slow_batch *)batch)->go_on;
}

static void keep(struct batch *batch) {
    (void)batch;
}

/* Each once kept a worker: two about a session that is flooded, and a longer one about another had no answer any more. */
static void test_questions_about_a_backlog_keep_no_thread(void) {
    enum { N = 4 * (HTTP_THREADS + HTTP_WORKERS) };
    static struct client waiting[N];
    static char about_flooded[10000], about_quiet[10000]; /* too long for the connection's thread */
    snprintf(about_flooded, sizeof about_flooded, "{\"expect\":[\"no incr nothing\"]%9900s", "}");
    snprintf(about_quiet, sizeof about_quiet, "{\"expect\":[\"incr q sum == 1\"],\"session\":\"quiet\"%9900s",
             "}");
    struct ingest_session quiet;
    struct err err = {0};
    start();
    CU_ASSERT_FATAL(ingest_session_open(server.rig.ingest, "quiet", true, 0, &quiet, &err) == 0);
    static struct slow_batch slow;
    slow = (struct slow_batch){.batch = {.session_id = 1, .n_bytes = 1, .feed = slow_feed, .free = keep}};
    struct batch *batch = &slow.batch;
    CU_ASSERT_FATAL(pipeline_put(server.rig.pipeline, &batch) == 0);
    for (int i = 0; i < N; i++)
        ask_later(&waiting[i], about_flooded);
    server_send(&quiet, "q:1|c");
    for (int i = 0; i < N; i++) {
        EQ_INT(post_json("POST /recorder/v1/expect", about_quiet), 200);
        SAYS("\"verdict\":\"pass\"");
    }
    slow.go_on = true;
    for (int i = 0; i < N; i++) {
        EQ_INT(client_receive(&waiting[i]), 200);
        CU_ASSERT_TRUE(client_says(&waiting[i], "\"verdict\":\"pass\""));
        client_close(&waiting[i]);
    }
    stop();
}

static void test_expect_within(void) {
    start();
    struct client waiting;
    ask_later(&waiting, "{\"expect\":[\"incr later sum == 3\"],\"within_ms\":3000000}");
    for (int i = 0; i < 3; i++) {
        send_line("later:1|c");
        EQ_INT(ask("GET /recorder/v1/series"), 200);
    }
    EQ_INT(client_receive(&waiting), 200);
    CU_ASSERT_TRUE(client_says(&waiting, "\"verdict\":\"pass\""));
    client_close(&waiting);
    /* Nothing later could mend it. */
    send_line("later:1|c");
    EQ_INT(post_json("POST /recorder/v1/expect", "{\"expect\":[\"no incr later\"],\"within_ms\":60000}"),
           200);
    SAYS("\"verdict\":\"fail\"");
    /* Time is up. */
    EQ_INT(post_json("POST /recorder/v1/expect", "{\"expect\":[\"incr never\"],\"within_ms\":30}"), 200);
    SAYS("\"verdict\":\"fail\"");
    EQ_INT(post_json("POST /recorder/v1/expect", "{\"expect\":[\"incr later\"],\"settle_ms\":20}"), 200);
    SAYS("\"verdict\":\"pass\"");
    stop();
}

static void test_a_waiting_client_goes_away(void) {
    start();
    for (int i = 0; i < 50; i++) {
        struct client waiting;
        ask_later(&waiting, "{\"expect\":[\"incr never\"],\"within_ms\":3000000}");
        if (i % 2)
            EQ_INT(ask("GET /healthz"), 200);
        client_close(&waiting);
    }
    send_line("never.mind:1|c");
    EQ_INT(ask("GET /recorder/v1/series"), 200);
    stop();
}

/* A question, and a stream, once waited on for a session that was over. */
static void test_a_session_ends_while_waited_for(void) {
    start();
    for (int i = 0; i < 20; i++) {
        struct ingest_session session;
        struct err err = {0};
        struct client waiting, stream;
        int64_t ttl_ns = i % 2 ? 0 : (i + 1) * NS_PER_MS;
        CU_ASSERT_FATAL(ingest_session_open(server.rig.ingest, "brief", false, ttl_ns, &session, &err) == 0);
        ask_later(&waiting, "{\"expect\":[\"incr never\"],\"session\":\"brief\",\"within_ms\":3000000}");
        client_open(&stream, &server);
        static const char request[] =
            "GET /recorder/v1/stream?session=brief HTTP/1.1\r\nHost: localhost\r\n\r\n";
        client_send(&stream, request, sizeof request - 1);
        if (ttl_ns == 0)
            EQ_INT(client_ask(&client, "DELETE /recorder/v1/sessions/brief", NULL, ""), 200);
        EQ_INT(client_receive(&waiting), 404); /* now, not after within */
        CU_ASSERT_TRUE(strstr(waiting.body, "has ended") || strstr(waiting.body, "no session is named"));
        int status = client_receive(&stream);
        CU_ASSERT_TRUE(status == 404 || (status == 200 && strstr(stream.body, "event: end\n")));
        client_close(&waiting);
        client_close(&stream);
    }
    stop();
}

static int lose(struct store *store, void *n, struct err *err) {
    return store_loss(store, 1, LOSS_KERNEL_DROP, *(uint64_t *)n, SPAN("udp"), err) == 0
               ? store_commit(store, err)
               : -1;
}

/* The row of a loss that repeats was once read, and counted, again by who waited. */
static void test_losses_while_waiting_count_once(void) {
    start();
    struct client waiting;
    struct err err = {0};
    ask_later(&waiting, "{\"expect\":[\"incr later samples >= 5\"],\"within_ms\":3000000}");
    for (uint64_t n = 1; n <= 5; n++) {
        CU_ASSERT(ingest_call(server.rig.ingest, INGEST_ALL, lose, &n, &err) == 0);
        send_line("later:1|c");
        EQ_INT(ask("GET /recorder/v1/series"), 200);
    }
    EQ_INT(client_receive(&waiting), 200);
    CU_ASSERT_TRUE(client_says(&waiting, "\"losses\":[{\"loss\":\"kernel_drop\",\"n\":15,"));
    client_close(&waiting);
    stop();
}

static void test_many_wait(void) {
    enum { N = 200 };
    static struct client waiting[N];
    start();
    for (int i = 0; i < N; i++) {
        char body[128];
        snprintf(body, sizeof body, "{\"expect\":[\"incr many.%d\"],\"within_ms\":3000000}", i);
        ask_later(&waiting[i], body);
    }
    for (int i = N - 1; i >= 0; i--) {
        char line[64];
        snprintf(line, sizeof line, "many.%d:1|c", i);
        send_line(line);
        EQ_INT(client_receive(&waiting[i]), 200);
        CU_ASSERT_TRUE(client_says(&waiting[i], "\"verdict\":\"pass\""));
        client_close(&waiting[i]);
    }
    stop();
}

static void test_stopping_ends_the_waiting(void) {
    start();
    struct client waiting, stream;
    ask_later(&waiting, "{\"expect\":[\"incr never\"],\"within_ms\":3000000}");
    client_open(&stream, &server);
    client_send(&stream, "GET /recorder/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n", 54);
    EQ_INT(ask("GET /recorder/v1/status"), 200);
    send_line("x:1|c");
    EQ_INT(ask("GET /recorder/v1/series"), 200);
    server_stop(&server);
    int status = client_receive(&waiting); /* -1: stopped before the question was read */
    CU_ASSERT_TRUE(status == 503 || status == -1);
    client_receive(&stream);
    client_close(&waiting);
    client_close(&stream);
    client_close(&client);
}

/* --- the stream ------------------------------------------------------------------------------------------ */

/* Reads until the text was there. */
static bool stream_says(struct client *c, struct buf *got, const char *text) {
    while (!got->p || !strstr(got->p, text)) {
        char piece[4096];
        ssize_t n = client_read(c, piece, sizeof piece);
        if (n <= 0)
            return false;
        buf_add(got, piece, (size_t)n);
    }
    return true;
}

static void test_stream(void) {
    start();
    send_line("before:1|c");
    struct client stream;
    struct buf got = {0};
    client_open(&stream, &server);
    client_send(&stream, "GET /recorder/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n", 54);
    CU_ASSERT_TRUE(stream_says(&stream, &got, "text/event-stream"));
    CU_ASSERT_TRUE(stream_says(&stream, &got, ":\n\n"));
    send_line("after:1|c\nnonsense\n_sc|x|0\n_e{1,1}:a|b");
    CU_ASSERT_TRUE(stream_says(&stream, &got, "event: event\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.p, "event: sample\ndata: {\"id\":"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.p, "event: reject\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.p, "event: service_check\n"));
    CU_ASSERT_PTR_NULL(strstr(got.p, "before"));
    for (int i = 0; i < 100; i++) {
        char line[64];
        snprintf(line, sizeof line, "n%d:1|c", i);
        send_line(line);
        snprintf(line, sizeof line, "\"name\":\"n%d\"", i);
        CU_ASSERT_TRUE(stream_says(&stream, &got, line));
    }
    buf_free(&got);
    client_close(&stream);
    stop();
}

UNIT_MAIN("http/watch", {"expect at once", test_expect_at_once},
          {"questions about a backlog keep no thread", test_questions_about_a_backlog_keep_no_thread},
          {"expect within", test_expect_within},
          {"a waiting client goes away", test_a_waiting_client_goes_away},
          {"a session ends while waited for", test_a_session_ends_while_waited_for},
          {"losses while waiting count once", test_losses_while_waiting_count_once},
          {"many wait", test_many_wait}, {"stopping ends the waiting", test_stopping_ends_the_waiting},
          {"stream", test_stream})
