/* What bounds a store on every medium, and the losses that tell of it. */
#include "core/clock.h"
#include "store/fixture.h"

/* --- losses ------------------------------------------------------------------------------------ */

static void losses(const char *path) {
    struct store *s = open_at(path);
    for (int i = 0; i < 100; i++)
        OK(store_loss(s, 0, LOSS_KERNEL_DROP, 2, SPAN("udp 127.0.0.1:8125"), &err));
    OK(store_loss(s, 1, LOSS_KERNEL_DROP, 5, SPAN("udp 127.0.0.1:8125"), &err));
    COMMIT(s);
    struct store_stats stats;
    store_stats(s, &stats);
    EQ_INT(stats.losses[LOSS_KERNEL_DROP], 205);
    struct lines got = lines_of(s, LOSSES_READ, everything);
    EQ_INT(got.n, 2); /* a flood is not a row each */
    lines_free(&got);
    got = lines_of(s, LOSSES_READ, (struct filter){.session = SPAN("default"), .limit = 1, .newest = true});
    EQ_INT(got.n, 1);
    EXPECT_LINE(got, 0, "kernel_drop n=5 session='default' detail='udp\\20127.0.0.1:8125'");
    lines_free(&got);
    store_close(s);
}
ON_EACH_MEDIUM(losses)

/* A row's count was once raised after somebody had read it: the sum of what was read was too high. */
static void losses_once_read_stay(const char *path) {
    struct store *s = open_at(path);
    OK(store_loss(s, 0, LOSS_KERNEL_DROP, 2, SPAN("udp"), &err));
    COMMIT(s);
    uint64_t mark = store_last_id(s);
    OK(store_loss(s, 0, LOSS_KERNEL_DROP, 3, SPAN("udp"), &err));
    COMMIT(s);
    struct lines got = lines_of(s, LOSSES_READ, (struct filter){.until = mark});
    EQ_INT(got.n, 1);
    EXPECT_LINE(got, 0, "kernel_drop n=2 ");
    lines_free(&got);
    got = lines_of(s, LOSSES_READ, (struct filter){.since = mark});
    EQ_INT(got.n, 1);
    EXPECT_LINE(got, 0, "kernel_drop n=3 ");
    lines_free(&got);
    store_close(s);
}
ON_EACH_MEDIUM(losses_once_read_stay)

/* Nothing but this bounds them: neither age nor number of samples. */
static void losses_are_gathered(const char *path) {
    struct store *s = open_at(path);
    struct store_stats stats;
    for (unsigned i = 0; i < 10100; i++) {
        OK(store_loss(s, i % 2, i % 3 ? LOSS_KERNEL_DROP : LOSS_TRUNCATED, 1, SPAN("udp"), &err));
        if (i % 2)
            COMMIT(s);
    }
    COMMIT(s);
    uint64_t last = store_last_id(s);
    CU_ASSERT(count_of(s, LOSSES_READ, everything) < 1200);
    EQ_INT(count_of(s, LOSSES_READ, (struct filter){.since = last - 1000}),
           1000); /* the newest as they were */
    store_stats(s, &stats);
    EQ_INT(stats.losses[LOSS_KERNEL_DROP] + stats.losses[LOSS_TRUNCATED], 10100);
    EQ_INT(stats.losses[LOSS_TRUNCATED], 3367);
    OK(store_reset(s, 1, NULL, &err)); /* counts anew what is there */
    store_stats(s, &stats);
    CU_ASSERT(stats.losses[LOSS_KERNEL_DROP] + stats.losses[LOSS_TRUNCATED] <= 5050);
    store_close(s);
}
ON_EACH_MEDIUM(losses_are_gathered)

/* --- retention and limits ---------------------------------------------------------------------- */

static void retention_by_count(const char *path) {
    struct store *s = open_with((struct store_options){.path = path, .retention_samples = 100});
    struct store_stats stats;
    char want[120];
    for (int i = 1; i <= 1000; i++) {
        put_in(s, 1, SOURCE_UDP, AT + i, i <= 300 ? "early" : i % 2 ? "odd" : "even", i, METRIC_COUNT, NULL);
        if (i % 7 == 0)
            COMMIT(s);
        store_stats(s, &stats);
        CU_ASSERT(stats.samples <= 100);
    }
    COMMIT(s);
    store_stats(s, &stats);
    CU_ASSERT(stats.samples <= 100 && stats.samples >= 80);
    EQ_INT(stats.samples + stats.losses[LOSS_EVICTED], 1000);
    EQ_INT(stats.received_samples, 1000);
    struct lines got = lines_of(s, SAMPLES, everything);
    EQ_INT(got.n, stats.samples);
    int first = 1001 - (int)stats.samples; /* the oldest went */
    snprintf(want, sizeof want, " udp %lld ", (long long)AT + first);
    EXPECT_LINE(got, 0, want);
    lines_free(&got);
    got = lines_of(s, SERIES, everything);
    EQ_INT(got.n, 2); /* "early" has gone altogether */
    EQ_INT(stats.series, 2);
    double sum = 0;
    for (int i = first; i <= 1000; i++)
        sum += i % 2 ? i : 0;
    int odd = first % 2 ? first : first + 1;
    snprintf(want, sizeof want, "sum=%g min=%d max=999 last=999 at=%d..999 ", sum, odd, odd);
    EXPECT_LINE(got, 0, want);
    lines_free(&got);
    put_number(s, "early", 7); /* it can come back */
    COMMIT(s);
    EQ_INT(count_of(s, SAMPLES, (struct filter){.name = SPAN("early")}), 1);
    store_close(s);
}
ON_EACH_MEDIUM(retention_by_count)

/* What was evicted before a mark says nothing about what came after it: the loss has the id of the newest that went. */
static void evicted_up_to(const char *path) {
    struct store *s = open_with((struct store_options){.path = path, .retention_samples = 100});
    uint64_t other;
    OK(store_session_add(s, SPAN("other"), SPAN("k"), 0, &other, &err));
    put_in(s, other, SOURCE_UDP, AT, "a", 1, METRIC_COUNT, NULL);
    put_in(s, other, SOURCE_UDP, AT, "b", 1, METRIC_COUNT, NULL);
    put_in(s, other, SOURCE_UDP, AT, "a", 1, METRIC_COUNT, NULL);
    uint64_t mark = store_last_id(s);
    COMMIT(s);
    for (int i = 1; i <= 1000; i++) {
        put_in(s, 1, SOURCE_UDP, AT + i, i % 2 ? "odd" : "even", i, METRIC_COUNT, NULL);
        if (i % 7 == 0)
            COMMIT(s);
    }
    COMMIT(s);
    EQ_INT(count_of(s, SAMPLES, (struct filter){.session = SPAN("other")}), 0);
    EQ_INT(count_of(s, LOSSES_READ, (struct filter){.session = SPAN("other"), .since = mark}), 0);
    struct lines got = lines_of(s, LOSSES_READ, (struct filter){.session = SPAN("other")});
    EQ_INT(got.n, 1);
    EXPECT_LINE(got, 0, "evicted n=3 session='other'");
    lines_free(&got);
    got = lines_of(s, SAMPLES, (struct filter){.session = SPAN("default")});
    uint64_t evicted = strtoull(got.text[0], NULL, 10) - 1; /* up to the oldest that is left */
    lines_free(&got);
    EQ_INT(count_of(s, LOSSES_READ, (struct filter){.since = evicted}), 0);
    EQ_INT(count_of(s, LOSSES_READ, (struct filter){.since = evicted - 7}), 1);
    store_close(s);
}
ON_EACH_MEDIUM(evicted_up_to)

/* After each commit, those that evict and those between them: what the summaries say is what the samples say. */
static void retention_and_summaries(const char *path) {
    struct store *s = open_with((struct store_options){.path = path, .retention_samples = 1600});
    for (int i = 1; i <= 6000; i++) {
        put_in(s, 1, SOURCE_UDP, AT + i, i % 2 ? "odd" : "even", i, METRIC_COUNT, NULL);
        if (i % 17 != 0)
            continue;
        COMMIT(s);
        struct store_stats stats;
        store_stats(s, &stats);
        double sums[2] = {0}, mins[2] = {0};
        int n[2] = {0};
        for (int k = i; k > i - (int)stats.samples; k--) {
            sums[k % 2] += k;
            mins[k % 2] = k;
            n[k % 2]++;
        }
        struct lines got = lines_of(s, SERIES, everything);
        for (int odd = 0; odd < 2; odd++) {
            char want[120];
            snprintf(want, sizeof want, "samples=%d count=%d sum=%g min=%g ", n[odd], n[odd], sums[odd],
                     mins[odd]);
            EXPECT_LINE(got, !odd, want);
        }
        lines_free(&got);
    }
    store_close(s);
}
ON_EACH_MEDIUM(retention_and_summaries)

static void retention_by_age(const char *path) {
    struct store *s =
        open_with((struct store_options){.path = path, .retention_age_ns = INT64_C(3600) * 1000000000});
    struct record event = {.kind = RECORD_EVENT, .event = {.title = SPAN("old")}};

    int64_t now_ns = clock_wall_ns();
    put_in(s, 1, SOURCE_UDP, AT, "old", 1, METRIC_COUNT, NULL);
    OK(store_put(s, &event, &err));
    put_in(s, 1, SOURCE_UDP, now_ns, "new", 1, METRIC_COUNT,
           NULL); /* in the same slice: it keeps the old one */
    COMMIT(s);
    EQ_INT(count_of(s, SAMPLES, everything), 2);
    EQ_INT(count_of(s, EVENTS, everything), 0);
    struct store_stats stats;
    store_stats(s, &stats);
    EQ_INT(stats.losses[LOSS_EVICTED], 0);
    EQ_INT(stats.losses[LOSS_EVICTED_EVENTS], 1);
    EQ_INT(stats.events, 0);
    struct lines got = lines_of(s, LOSSES_READ, everything);
    EXPECT_LINE(got, 0, "evicted_events n=1 session='default'");
    lines_free(&got);
    EQ_INT(count_of(s, LOSSES_READ, (struct filter){.since = 1}), 1);
    EQ_INT(count_of(s, LOSSES_READ, (struct filter){.since = 2}), 0);
    store_close(s);

    s = open_with((struct store_options){.path = path, .retention_age_ns = INT64_C(3600) * 1000000000});
    if (s && strcmp(path, ":memory:") == 0) { /* a whole slice that is old goes */
        put_in(s, 1, SOURCE_UDP, AT, "old", 1, METRIC_COUNT, NULL);
        put_in(s, 1, SOURCE_UDP, AT, "old", 2, METRIC_COUNT, NULL);
        COMMIT(s);
        EQ_INT(count_of(s, SAMPLES, everything), 0);
        store_stats(s, &stats);
        EQ_INT(stats.losses[LOSS_EVICTED], 2);
        EQ_INT(count_of(s, LOSSES_READ, (struct filter){.since = 2}), 0);
    }
    store_close(s);
}
ON_EACH_MEDIUM(retention_by_age)

/* --- work of a retention -------------------------------------------------------------------------- */

static void count_steps(void *n) {
    ++*(unsigned *)n;
}

/* Puts samples of the series by turns, in commits of 20,000. Returns the steps of SQLite's machine that it took, in units of store_meanwhile. */
static unsigned steps_of(struct store *s, int n_samples, int n_series) {
    unsigned steps = 0;
    store_meanwhile(s, count_steps, &steps);
    for (int i = 1; i <= n_samples; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i % n_series);
        put_in(s, 1, SOURCE_UDP, AT, name, i, METRIC_COUNT, NULL);
        if (i % 20000 == 0)
            COMMIT(s);
    }
    COMMIT(s);
    store_meanwhile(s, NULL, NULL);
    return steps;
}

/* Samples of many series were as many rows, written and removed again in one commit: 77 times the steps of keeping all. */
static void a_flood_is_few_rows(const char *path) {
    struct store *s = open_at(":memory:");
    unsigned all = steps_of(s, 100000, 500);
    store_close(s);
    s = open_with((struct store_options){.path = path, .retention_samples = 1600});
    unsigned newest = steps_of(s, 100000, 500);
    CU_ASSERT(newest <= 10 * all);
    struct store_stats stats;
    store_stats(s, &stats);
    CU_ASSERT(stats.samples >= 1400 && stats.samples <= 1600 + 32 * 500);
    EQ_INT(stats.samples + stats.losses[LOSS_EVICTED], 100000);
    EQ_INT(count_of(s, SAMPLES, everything), stats.samples);
    EQ_INT(stats.series, 500);
    store_close(s);
}
ON_EACH_MEDIUM(a_flood_is_few_rows)

/* Those of few series are few rows anyway. */
static void a_flood_of_few_series(const char *path) {
    struct store *s = open_with((struct store_options){.path = path, .retention_samples = 1600});
    steps_of(s, 19999, 3);
    struct store_stats stats;
    store_stats(s, &stats);
    CU_ASSERT(stats.samples >= 1400 && stats.samples <= 1600);
    EQ_INT(stats.samples + stats.losses[LOSS_EVICTED], 19999);
    store_close(s);
}
ON_EACH_MEDIUM(a_flood_of_few_series)

/* It is of an earlier run, and its newest samples may stay: so all of it does, until there are enough newer ones. */
static void a_large_slice_stays_for(int keep) {
    struct place place;
    struct store *s = open_at(place_make(&place));
    steps_of(s, 20000, 20000);
    store_close(s);
    s = open_with((struct store_options){.path = place.path, .retention_samples = (uint64_t)keep});
    int stays = keep - keep / 8;
    unsigned steps = 0;
    store_meanwhile(s, count_steps, &steps);
    for (int i = 1; i < 20; i++) {
        put_number(s, "new", 1);
        COMMIT(s);
    }
    store_meanwhile(s, NULL, NULL);
    CU_ASSERT(steps < 19 * 10); /* not each of its rows at each commit */
    struct store_stats stats;
    store_stats(s, &stats);
    EQ_INT(stats.samples, 20019);
    EQ_INT(stats.losses[LOSS_EVICTED], 0);
    for (int i = 20; i < stays; i++)
        put_number(s, "new", 1);
    COMMIT(s);
    store_stats(s, &stats);
    EQ_INT(stats.samples, 20000 + stays - 1);
    put_number(s, "new", 1);
    COMMIT(s);
    store_stats(s, &stats);
    EQ_INT(stats.samples, stays);
    EQ_INT(stats.losses[LOSS_EVICTED], 20000);
    EQ_INT(stats.series, 1);
    store_close(s);
    place_remove(&place);
}

static void a_large_slice_stays(void) {
    a_large_slice_stays_for(800);
    a_large_slice_stays_for(18000);
}

static void series_limit(const char *path) {
    struct store *s = open_with((struct store_options){.path = path, .max_series = 10});
    char name[16];
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "n%d", i);
        put_number(s, name, i);
    }
    put_number(s, "n3", 1);
    COMMIT(s);
    EQ_INT(count_of(s, SERIES, everything), 10);
    EQ_INT(count_of(s, SAMPLES, everything), 11);
    struct lines got = lines_of(s, LOSSES_READ, (struct filter){.session = SPAN("default")});
    EQ_INT(got.n, 1);
    EXPECT_LINE(got, 0, "series_limit n=20 session='default'");
    lines_free(&got);
    put_number(s, "n29", 1); /* only refused ones in a commit */
    COMMIT(s);
    struct store_stats stats;
    store_stats(s, &stats);
    EQ_INT(stats.losses[LOSS_SERIES_LIMIT], 21);
    for (int round = 0; round < 20; round++) { /* what a reset forgot is no series any more */
        OK(store_reset(s, 1, NULL, &err));
        for (int i = 0; i < 11; i++) {
            snprintf(name, sizeof name, "r%d.%d", round, i);
            put_number(s, name, i);
        }
        COMMIT(s);
        EQ_INT(count_of(s, SERIES, everything), 10);
    }
    store_close(s);
}
ON_EACH_MEDIUM(series_limit)

UNIT_MAIN("store/bounds", CASES("losses", losses),
          CASES("losses once read stay as they are", losses_once_read_stay),
          CASES("losses are gathered", losses_are_gathered), CASES("evicted up to", evicted_up_to),
          CASES("retention by count", retention_by_count),
          CASES("retention and summaries", retention_and_summaries),
          CASES("retention by age", retention_by_age), CASES("a flood is few rows", a_flood_is_few_rows),
          CASES("a flood of few series", a_flood_of_few_series), {"a large slice stays", a_large_slice_stays},
          CASES("series limit", series_limit))
