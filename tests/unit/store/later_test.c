/* A recording of many series is open before they are loaded, and then it is as if they had been. */
#include "store/fixture.h"

#include <signal.h>
#include <sys/wait.h>

#define N 10001

static void put_all(struct store *s) {
    char name[32];
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "series.%d", i);
        put_number(s, name, i);
    }
    OK(store_put(
        s, &(struct record){.kind = RECORD_REJECT, .reject = {.reason = REASON_NO_PIPE, .text = SPAN("x:1")}},
        &err));
    COMMIT(s);
}

static struct store *open_later(const char *path) {
    return open_with((struct store_options){.path = path, .load_later = true});
}

static void expect_earlier(struct store *s, uint64_t session_id, uint64_t records, uint64_t samples,
                           uint64_t sessions) {
    struct store_earlier e;
    store_earlier(s, session_id, &e);
    EQ_INT(e.records, records);
    EQ_INT(e.samples, samples);
    EQ_INT(e.sessions, sessions);
}

static uint64_t samples_now(struct store *s) {
    struct store_stats stats;
    store_stats(s, &stats);
    return stats.samples;
}

static void it_is_open_before_it_is_loaded(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_later(p.path);
    put_all(s);
    uint64_t last_id = store_last_id(s);
    store_close(s);
    s = open_later(p.path);
    EQ_INT(store_rows(s), 0);
    EQ_INT(samples_now(s), N); /* the series are not loaded, but this is known, */
    EQ_INT(store_last_id(s), last_id);
    expect_earlier(s, 0, N + 1, N, 1);
    EQ_INT(count_of(s, SERIES, everything), N);
    OK(store_port_used(s, 1234, &err)); /* and this is no record */
    COMMIT(s);
    OK(store_ready(s, &err));
    OK(store_ready(s, &err));
    EQ_INT(samples_now(s), N);
    expect_earlier(s, 0, N + 1, N, 1);
    expect_earlier(s, 1, N + 1, N, 1);
    put_all(s);
    EXPECT_SQL(p.path, "SELECT count(*)||' '||min(samples)||max(samples) FROM series",
               "10001 22"); /* no new ones */
    store_close(s);
    s = open_later(p.path);
    expect_earlier(s, 0, 2 * (N + 1), 2 * N, 1);
    store_close(s); /* without a look at them */
    s = open_at(p.path);
    EQ_INT(samples_now(s), 2 * N);
    store_close(s);
    place_remove(&p);
}

/* What a recorder that was killed has kept is in the slice at once. */
static void after_a_kill_what_was_kept_is_loaded(void) {
    struct place p;
    place_make(&p);
    store_close(open_at(p.path));
    pid_t child = fork();
    if (child == 0) {
        struct store *s = open_at(p.path);
        put_all(s);
        put_number(s, "series.1", 1);
        OK(store_keep(s, &err));
        kill(getpid(), SIGKILL);
    }
    waitpid(child, NULL, 0);
    struct store *s = open_later(p.path);
    EQ_INT(samples_now(s), N + 1);
    expect_earlier(s, 1, N + 2, N + 1, 1);
    OK(store_ready(s, &err));
    EQ_INT(count_of(s, SAMPLES, (struct filter){.name = SPAN("series.1")}), 2);
    store_close(s);
    s = open_with((struct store_options){.path = p.path, .load_later = true, .retention_samples = 5000});
    CU_ASSERT(samples_now(s) > 0); /* nor with a retention, which looks at what there is */
    store_close(s);
    place_remove(&p);
}

UNIT_MAIN("store/later", {"it is open before it is loaded", it_is_open_before_it_is_loaded},
          {"after a kill what was kept is loaded", after_a_kill_what_was_kept_is_loaded})
