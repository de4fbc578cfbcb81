/* One event of a stream of batches: what a brief one leaves out, and what it does not. */
#include "control/batch_event.h"

#include "rig.h"
#include "unit.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAMES  300
#define ROUNDS 10 /* of so many commits: 3,000 chunks, of which a brief event looks at 2,000 */

static struct rig rig;

static void settle(void) {
    uint64_t last_id;
    struct err err = {0};
    CU_ASSERT(ingest_barrier(rig.ingest, INGEST_ALL, &last_id, &err) == 0);
}

static void send_all(const char *first) {
    int fd = rig_connect(&rig.at.at, SOURCE_UNIXGRAM);
    rig_send(fd, SOURCE_UNIXGRAM, first, strlen(first));
    for (int round = 0; round < ROUNDS; round++) {
        char lines[NAMES * 16], *at = lines;
        for (int i = 0; i < NAMES; i++)
            at += snprintf(at, sizeof lines - (size_t)(at - lines), "busy.m%d:1|c\n", i);
        rig_send(fd, SOURCE_UNIXGRAM, lines, (size_t)(at - lines));
        settle();
    }
    close(fd);
}

static int next(struct batch_event *e) {
    struct err err = {0};
    struct reader *reader = store_reader_take(rig.store, &err);
    CU_ASSERT_FATAL(reader && reader->ops->begin(reader, &err) == 0);
    int got = batch_event_read(e, reader, &err);
    reader->ops->end(reader);
    store_reader_give(rig.store, reader);
    buf_char(&e->text, '\0');
    return got;
}

static void a_brief_one_counts_the_newest_and_tells_of_what_is_new(void) {
    rig_start(&rig, NULL, 0);
    send_all("known:1|c");
    struct batch_event e = {.rows = 5};
    batch_event_init(&e);
    CU_ASSERT_EQUAL(next(&e), 1);
    CU_ASSERT_EQUAL(next(&e), 0);
    send_all("known:1|c");
    CU_ASSERT_EQUAL(next(&e), 1);
    CU_ASSERT_FALSE(e.partial);
    CU_ASSERT_EQUAL(e.n, NAMES * ROUNDS + 1);
    send_all("just.new:7|c"); /* first, so that it is not among the newest */
    e.brief = true;
    CU_ASSERT_EQUAL(next(&e), 1);
    CU_ASSERT_TRUE(e.partial);
    CU_ASSERT_TRUE(e.n < NAMES * ROUNDS);
    const char *row = strstr(e.text.p, "\"rows\":[");
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    CU_ASSERT_PTR_NOT_NULL(strstr(row, "just.new"));
    CU_ASSERT_PTR_NOT_NULL(strstr(row, "\"new\":true"));
    e.brief = false;
    CU_ASSERT_EQUAL(next(&e), 0);
    batch_event_free(&e);
    rig_stop(&rig);
}

/* The series do not tell of sources: what is new shows by its samples alone. */
static void none_is_brief_with_a_source(void) {
    rig_start(&rig, NULL, 0);
    send_all("known:1|c");
    struct batch_event e = {.rows = 5, .brief = true};
    batch_event_init(&e);
    e.filter.has_source = true;
    e.filter.source = SOURCE_UNIXGRAM;
    CU_ASSERT_EQUAL(next(&e), 1);
    for (int i = 0; i < 5; i++)
        send_all(i ? "known:1|c" : "just.new:7|c");
    CU_ASSERT_EQUAL(next(&e), 1);
    CU_ASSERT_FALSE(e.partial);
    CU_ASSERT_EQUAL(e.n, 5 * (NAMES * ROUNDS + 1)); /* more than a brief one reads */
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text.p, "just.new"));
    batch_event_free(&e);
    rig_stop(&rig);
}

UNIT_MAIN("http/batch_event", {"none is brief with a source", none_is_brief_with_a_source},
          {"a brief one counts the newest, and tells of what is new",
           a_brief_one_counts_the_newest_and_tells_of_what_is_new})
