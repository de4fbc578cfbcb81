/* Whether something that somebody waits for was put. Every commit once came at once when anybody waited in a session: 200,000 samples that nobody
 * waited for took 3.7 times the work. */
#include "store/fixture.h"

static void put_of(struct store *s, uint64_t session_id, const char *name) {
    put_in(s, session_id, SOURCE_UDP, AT, name, 1, METRIC_COUNT, NULL);
}

/* What pipeline_commit does. */
static bool was_awaited(struct store *s) {
    bool awaited = store_awaited(s);
    store_awaited_over(s);
    COMMIT(s);
    return awaited;
}

static void test_series(void) {
    struct store *s = open_at(":memory:");
    put_of(s, 1, "a");
    put_of(s, 1, "b");
    CU_ASSERT_FALSE(was_awaited(s));
    put_of(s, 1, "b");
    store_await_series(s, 2, 1);
    CU_ASSERT_TRUE(was_awaited(s)); /* it came before */
    put_of(s, 1, "a");
    put_of(s, 1, "c");
    CU_ASSERT_FALSE(was_awaited(s));
    put_of(s, 1, "a");
    put_of(s, 1, "b");
    CU_ASSERT_TRUE(was_awaited(s));
    CU_ASSERT_FALSE(was_awaited(s));
    store_await_series(s, 2, 1);
    store_await_series(s, 2, -1);
    put_of(s, 1, "b");
    CU_ASSERT_TRUE(was_awaited(s)); /* by one of the two */
    store_await_series(s, 2, -1);
    put_of(s, 1, "b");
    CU_ASSERT_FALSE(was_awaited(s));
    store_close(s);
}

static void test_new_series(void) {
    struct store *s = open_at(":memory:");
    uint64_t other;
    OK(store_session_add(s, SPAN("other"), SPAN("k"), 0, &other, &err));
    put_of(s, 1, "a");
    store_await_new(s, other, 1);
    CU_ASSERT_FALSE(was_awaited(s));
    put_of(s, other, "a");
    CU_ASSERT_TRUE(was_awaited(s));
    put_of(s, other, "a");
    CU_ASSERT_FALSE(was_awaited(s));
    store_await_new(s, other, -1);
    put_of(s, other, "b");
    CU_ASSERT_FALSE(was_awaited(s));
    put_of(s, other, "c");
    store_await_new(s, 0, 1);       /* of any session */
    CU_ASSERT_TRUE(was_awaited(s)); /* it came before */
    put_of(s, 1, "b");
    CU_ASSERT_TRUE(was_awaited(s));
    store_close(s);
}

/* Each series that a waiter found was followed, and so once more committed all that had come meanwhile, which nobody waited for. */
static void test_nothing_came_before(void) {
    struct store *s = open_at(":memory:");
    put_of(s, 1, "a");
    COMMIT(s);
    put_of(s, 1, "b");
    store_await_series(s, 1, 1);
    CU_ASSERT_FALSE(store_awaited(s));
    store_await_new(s, 1, 1);
    CU_ASSERT_TRUE(was_awaited(s)); /* b is new */
    for (int i = 0; i < 300; i++) { /* so many new ones that they are written before the commit */
        char name[16];
        snprintf(name, sizeof name, "many.%d", i);
        put_of(s, 1, name);
    }
    store_awaited_over(s);
    CU_ASSERT_FALSE(store_awaited(s));
    store_await_series(s, 1, 1);
    CU_ASSERT_TRUE(was_awaited(s)); /* nobody knows any more what they were */
    store_close(s);
}

static void test_anything(void) {
    struct store *s = open_at(":memory:");
    store_await_any(s);
    CU_ASSERT_TRUE(was_awaited(s));
    put_of(s, 1, "a");
    CU_ASSERT_FALSE(was_awaited(s));
    store_close(s);
}

UNIT_MAIN("store/await", {"values of a series", test_series}, {"new series of a session", test_new_series},
          {"what came before", test_nothing_came_before}, {"anything", test_anything})
