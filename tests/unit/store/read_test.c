/* What readers of a store find on every medium: by filters, up to limits, after marks, beside the writer. */
#include "store/fixture.h"

#include <pthread.h>
#include <stdatomic.h>

/* --- filters, limits, marks -------------------------------------------------------------------- */

/* 120 samples of 6 series in commits of 1 to 20: ids and values are the same. */
static struct store *store_of_120(const char *path) {
    struct store *s = open_at(path);
    static const char *const names[] = {"http.hits", "http.errors", "db.time"};
    for (int i = 1, next = 1, step = 1; i <= 120; i++) {
        put_in(s, 1, i % 2 ? SOURCE_UDP : SOURCE_UNIXGRAM, AT + i, names[i % 3], i,
               i % 3 == 2 ? METRIC_TIMING : METRIC_COUNT, i % 5 ? "env:ci" : "env:prod");
        if (i == next) {
            COMMIT(s);
            next += step++;
        }
    }
    COMMIT(s);
    return s;
}

static void expect_ids(struct store *s, const char *what, struct filter f, size_t n, const int *ids) {
    for (int ordered = 0; ordered < 2; ordered++) {
        struct lines got = lines_of(s, ordered ? SAMPLES : SAMPLES_BY_SERIES, f);
        if (got.n != n)
            fprintf(stderr, "%s\n", what);
        EQ_INT(got.n, n);
        for (size_t i = 0; i < got.n && i < n && (ordered || f.newest); i++)
            if (ids)
                EQ_INT(atoi(got.text[i]), ids[i]);
        for (size_t i = 1; i < got.n && ordered; i++)
            CU_ASSERT(atoi(got.text[i - 1]) < atoi(got.text[i]));
        lines_free(&got);
    }
}

static void filters(const char *path) {
    struct store *s = store_of_120(path);
    struct span prod = SPAN("env:prod"), any_env = SPAN("env:*"), both[] = {SPAN("env:prod"), SPAN("env:ci")};
    expect_ids(s, "all", everything, 120, NULL);
    expect_ids(s, "name", (struct filter){.name = SPAN("http.hits")}, 40, NULL);
    expect_ids(s, "no such name", (struct filter){.name = SPAN("http")}, 0, NULL);
    expect_ids(s, "glob", (struct filter){.name = SPAN("http.*")}, 80, NULL);
    expect_ids(s, "glob at the start", (struct filter){.name = SPAN("*.time")}, 40, NULL);
    expect_ids(s, "type", (struct filter){.has_type = true, .type = METRIC_TIMING}, 40, NULL);
    expect_ids(s, "tag", (struct filter){.n_tags = 1, .tags = &prod}, 24, NULL);
    expect_ids(s, "tag glob", (struct filter){.n_tags = 1, .tags = &any_env}, 120, NULL);
    expect_ids(s, "both tags", (struct filter){.n_tags = 2, .tags = both}, 0, NULL);
    expect_ids(s, "source", (struct filter){.has_source = true, .source = SOURCE_UDP}, 60, NULL);
    expect_ids(s, "session", (struct filter){.session = SPAN("default")}, 120, NULL);
    expect_ids(s, "no such session", (struct filter){.session = SPAN("nobody")}, 0, NULL);
    expect_ids(s, "range", (struct filter){.since = 50, .until = 60}, 10,
               (int[]){51, 52, 53, 54, 55, 56, 57, 58, 59, 60});
    expect_ids(s, "range of a name", (struct filter){.name = SPAN("db.time"), .since = 50, .until = 60}, 3,
               (int[]){53, 56, 59});
    expect_ids(s, "series", (struct filter){.series_id = 1, .until = 31}, 9,
               (int[]){1, 4, 7, 13, 16, 19, 22, 28, 31});
    expect_ids(
        s, "together",
        (struct filter){
            .name = SPAN("http.*"), .n_tags = 1, .tags = &prod, .has_source = true, .source = SOURCE_UDP},
        8, NULL);
    EQ_INT(count_of(s, SERIES, (struct filter){.name = SPAN("http.*")}), 4);
    EQ_INT(count_of(s, SERIES, (struct filter){.name = SPAN("http.hits"), .session = SPAN("default")}), 2);
    EQ_INT(count_of(s, SERIES, (struct filter){.n_tags = 1, .tags = &prod, .limit = 2}), 2);
    EQ_INT(count_of(s, SERIES, (struct filter){.after_series = 4}), 2);
    EQ_INT(count_of(s, SAMPLES_BY_SERIES, (struct filter){.after_series = 4, .until = 20}), 2);
    EQ_INT(count_of(s, SERIES, (struct filter){.since = 119}), 6); /* summaries are whole */
    store_close(s);
}
ON_EACH_MEDIUM(filters)

static void nothing_applies(const char *path) {
    struct store *s = store_of_120(path);
    struct record event = {.kind = RECORD_EVENT, .event = {.title = SPAN("http.hits")}};
    struct record reject = {.kind = RECORD_REJECT,
                            .reject = {.reason = REASON_NO_COLON, .name = SPAN("http.hits")}};
    struct span tag = SPAN("env:ci");
    OK(store_put(s, &event, &err));
    OK(store_put(s, &reject, &err));
    COMMIT(s);
    EQ_INT(count_of(s, EVENTS, (struct filter){.name = SPAN("http.*")}), 1);
    EQ_INT(count_of(s, EVENTS, (struct filter){.has_type = true}), 0); /* an event has no metric type */
    EQ_INT(count_of(s, REJECTS, (struct filter){.name = SPAN("http.hits")}), 1);
    EQ_INT(count_of(s, REJECTS, (struct filter){.n_tags = 1, .tags = &tag}), 0);
    EQ_INT(count_of(s, REJECTS, (struct filter){.series_id = 1}), 0);
    store_close(s);
}
ON_EACH_MEDIUM(nothing_applies)

static void limits(const char *path) {
    struct store *s = store_of_120(path);
    expect_ids(s, "oldest", (struct filter){.limit = 3}, 3, (int[]){1, 2, 3});
    expect_ids(s, "newest", (struct filter){.limit = 3, .newest = true}, 3, (int[]){118, 119, 120});
    expect_ids(s, "newest of a name", (struct filter){.name = SPAN("db.time"), .limit = 3, .newest = true}, 3,
               (int[]){113, 116, 119});
    expect_ids(s, "newest of a source",
               (struct filter){.has_source = true, .source = SOURCE_UDP, .limit = 2, .newest = true}, 2,
               (int[]){117, 119});
    expect_ids(s, "newest before", (struct filter){.until = 100, .limit = 2, .newest = true}, 2,
               (int[]){99, 100});
    expect_ids(s, "more than there are", (struct filter){.limit = 500, .newest = true}, 120, NULL);
    expect_ids(s, "newest since", (struct filter){.since = 118, .limit = 5, .newest = true}, 2,
               (int[]){119, 120});
    struct lines got = {.stop_after = 5};
    struct err why = {0};
    struct reader *r = store_reader_take(s, &why);
    OK(r->ops->samples(r, &everything, false, keep_sample, &got, &err)); /* a callback that has seen enough */
    EQ_INT(got.n, 5);
    lines_free(&got);
    store_reader_give(s, r);
    got = lines_of(s, SERIES, (struct filter){.limit = 2, .newest = true});
    EQ_INT(got.n, 2);
    EXPECT_LINE(got, 0, "ids=10..");
    EXPECT_LINE(got, 1, "ids=15..");
    lines_free(&got);
    store_close(s);
}
ON_EACH_MEDIUM(limits)

static void marks(const char *path) {
    struct store *s = open_at(path);
    struct record event = {.kind = RECORD_EVENT, .event = {.title = SPAN("e")}};
    struct record reject = {.kind = RECORD_REJECT, .reject = {.reason = REASON_NO_COLON}};
    put_number(s, "a", 1);
    OK(store_put(s, &event, &err));
    COMMIT(s);
    struct err why = {0};
    struct reader *r = store_reader_take(s, &why);
    uint64_t mark = 0;
    OK(r->ops->last_id(r, &mark, &err));
    EQ_INT(mark, store_last_id(s));
    OK(store_loss(s, 0, LOSS_KERNEL_DROP, 3, SPAN("udp"),
                  &err)); /* though nothing else arrived, it is after the mark */
    COMMIT(s);
    EQ_INT(count_of(s, LOSSES_READ, (struct filter){.since = mark}), 1);
    put_number(s, "a", 2);
    OK(store_put(s, &event, &err));
    OK(store_put(s, &reject, &err));
    COMMIT(s);
    struct filter later = {.since = mark};
    EQ_INT(count_of(s, SAMPLES, later), 1);
    EQ_INT(count_of(s, EVENTS, later), 1);
    EQ_INT(count_of(s, REJECTS, later), 1);
    OK(r->ops->begin(r, &err));
    put_number(s, "a", 3);
    COMMIT(s);
    struct lines got = {0};
    OK(read_lines(r, SAMPLES, &later, &got, &err)); /* one moment, from begin to end */
    r->ops->end(r);
    EQ_INT(got.n, 1); /* begin pins its moment at once: the sample after it does not show */
    lines_free(&got);
    OK(r->ops->last_id(r, &mark, &err));
    EQ_INT(mark, store_last_id(s));
    store_reader_give(s, r);
    store_close(s);
}
ON_EACH_MEDIUM(marks)

static void large_slices(const char *path) {
    /* Of 65,536 ids: a sixteenth of what is kept. */
    struct store *s = open_with((struct store_options){.path = path, .retention_samples = 1 << 20});
    char name[16];
    static char big[400000];
    memset(big, 'x', sizeof big);
    struct value value = {.text = span_of(big, sizeof big)};
    struct record record = {
        .kind = RECORD_METRIC,
        .metric = {
            .type = METRIC_SET, .name = SPAN("big"), .sample_rate = 1, .n_values = 1, .values = &value}};
    for (int i = 0; i < 200; i++) { /* beyond a slice's bytes */
        big[0] = (char)('a' + i % 20);
        OK(store_arrival(s, 1, SOURCE_UDP, AT, &err));
        OK(store_put(s, &record, &err));
    }
    for (int i = 0; i < 100000; i++) { /* beyond its ids */
        snprintf(name, sizeof name, "m%d", i % 7);
        put_number(s, name, i);
    }
    COMMIT(s);
    EQ_INT(count_of(s, SAMPLES, (struct filter){.name = SPAN("big")}), 200);
    struct lines got = lines_of(s, SAMPLES, (struct filter){.name = SPAN("m*")});
    EQ_INT(got.n, 100000);
    for (size_t i = 0; i < got.n; i++)
        CU_ASSERT_FATAL((size_t)atoi(got.text[i]) == i + 201);
    lines_free(&got);
    expect_ids(s, "newest of one", (struct filter){.name = SPAN("m3"), .limit = 2, .newest = true}, 2,
               (int[]){100192, 100199});
    store_close(s);
}
ON_EACH_MEDIUM(large_slices)

/* --- readers ----------------------------------------------------------------------------------- */

static void many_readers(const char *path) {
    struct store *s = open_at(path);
    put_number(s, "a", 1);
    COMMIT(s);
    struct reader *readers[4];
    for (size_t i = 0; i < 4; i++) {
        readers[i] = store_reader_take(s, &(struct err){0});
        CU_ASSERT_PTR_NOT_NULL_FATAL(readers[i]);
        OK(readers[i]->ops->begin(readers[i], &err));
    }
    put_number(s, "a", 2); /* who reads does not block who writes */
    COMMIT(s);
    for (size_t i = 0; i < 4; i++) {
        struct lines got = {0};
        OK(read_lines(readers[i], SAMPLES, &everything, &got, &err));
        EQ_INT(got.n, 1);
        lines_free(&got);
        readers[i]->ops->end(readers[i]);
        store_reader_give(s, readers[i]);
    }
    EQ_INT(count_of(s, SAMPLES, everything), 2);
    store_close(s);
}
ON_EACH_MEDIUM(many_readers)

/* Readers of another thread each see moments in which summaries and samples agree, and time goes forward. */
struct watcher {
    struct store *store;
    atomic_bool *stop;
    bool agreed;
    unsigned moments;
};

static int add_samples(void *arg, const struct series_row *row) {
    *(uint64_t *)arg += row->samples;
    return 0;
}

static int add_one(void *arg, const struct sample_row *row) {
    (void)row;
    ++*(uint64_t *)arg;
    return 0;
}

static void *watch(void *arg) {
    struct watcher *w = arg;
    uint64_t before = 0;
    w->agreed = true;
    for (bool last = false; !last; w->moments++) {
        last = atomic_load(w->stop);
        struct err err = {0};
        struct reader *r = store_reader_take(w->store, &err);
        uint64_t said = 0, counted = 0;
        bool ok = r->ops->begin(r, &err) == 0 &&
                  r->ops->series(r, &everything, add_samples, &said, &err) == 0 &&
                  r->ops->samples(r, &everything, w->moments % 2 == 0, add_one, &counted, &err) == 0;
        r->ops->end(r);
        store_reader_give(w->store, r);
        w->agreed = w->agreed && ok && said == counted && counted >= before;
        before = counted;
    }
    w->agreed = w->agreed && before == 3000;
    return NULL;
}

static void concurrent(const char *path) {
    struct store *s = open_at(path);
    enum { WATCHERS = 7 }; /* more than there are readers */
    struct watcher watchers[WATCHERS];
    pthread_t threads[WATCHERS];
    atomic_bool stop = false;
    for (size_t i = 0; i < WATCHERS; i++) {
        watchers[i] = (struct watcher){.store = s, .stop = &stop};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, watch, &watchers[i]), 0);
    }
    char name[16];
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "m%d", i % 11);
        put_number(s, name, i);
        if (i % 13 == 0)
            COMMIT(s);
    }
    COMMIT(s);
    atomic_store(&stop, true);
    for (size_t i = 0; i < WATCHERS; i++) {
        pthread_join(threads[i], NULL);
        CU_ASSERT(watchers[i].agreed);
        CU_ASSERT(watchers[i].moments > 0);
    }
    store_close(s);
}
ON_EACH_MEDIUM(concurrent)

/* --- more spellings by turns than a reader remembers at first ----------------------------------- */

#define SPELLINGS 20000

static int check_turn(void *arg, const struct sample_row *row) {
    char want[16];
    int *n = arg;
    snprintf(want, sizeof want, "m%d", *n % SPELLINGS);
    if (!span_eq(row->spelling->name, span_str(want)))
        fprintf(stderr, "sample %d is of %.*s\n", *n, SPAN_ARG(row->spelling->name));
    CU_ASSERT(span_eq(row->spelling->name, span_str(want)));
    EQ_INT(row->value.number, *n);
    return ++*n < 0;
}

static void by_turns(const char *path) {
    struct store *s = open_at(path);
    char name[16];
    int n = 0;
    for (int i = 0; i < 2 * SPELLINGS; i++) {
        snprintf(name, sizeof name, "m%d", i % SPELLINGS);
        put_number(s, name, i);
    }
    COMMIT(s);
    struct reader *r = store_reader_take(s, NULL);
    OK(r->ops->begin(r, &err));
    OK(r->ops->samples(r, &everything, true, check_turn, &n, &err));
    r->ops->end(r);
    store_reader_give(s, r);
    EQ_INT(n, 2 * SPELLINGS);
    store_close(s);
}
ON_EACH_MEDIUM(by_turns)

UNIT_MAIN("store/read", CASES("filters", filters), CASES("limits and newest", limits),
          CASES("marks and moments", marks), CASES("more than a slice holds", large_slices),
          CASES("many readers", many_readers), CASES("readers beside the writer", concurrent),
          CASES("filters that nothing can match", nothing_applies),
          CASES("many spellings by turns", by_turns))
