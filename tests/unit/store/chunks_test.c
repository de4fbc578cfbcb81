/* Chunks are the samples of each series commit by commit, the newest first, whatever is remembered of their contexts. */
#include "store/fixture.h"

#define NAMES   48
#define COMMITS 3
#define LONG    ((size_t)900 << 10) /* so that not all names are remembered */

static char name_text[LONG];

static struct span name_of(int i, size_t n) {
    memset(name_text, 'a', sizeof name_text);
    name_text[0] = (char)('A' + i % 26);
    name_text[1] = (char)('A' + i / 26);
    return span_of(name_text, n);
}

static void put(struct store *s, struct span name, enum metric_type type, double number) {
    struct value value = {.number = number};
    OK(store_put(
        s,
        &(struct record){
            .kind = RECORD_METRIC,
            .metric = {.type = type, .name = name, .sample_rate = 1, .n_values = 1, .values = &value}},
        &err));
}

/* In commit k come k + 1 samples of each name. */
static struct store *record(size_t name_size) {
    struct store *s = open_with((struct store_options){.path = ":memory:"});
    for (int k = 0; k < COMMITS; k++) {
        OK(store_arrival(s, 1, SOURCE_UDP, AT + k, &err));
        for (int i = 0; i < NAMES; i++)
            for (int n = 0; n <= k; n++)
                put(s, name_of(i, name_size), i % 2 ? METRIC_GAUGE : METRIC_COUNT, i);
        OK(store_commit(s, &err));
    }
    return s;
}

struct seen {
    size_t n, name_size;
    uint64_t last_id, samples, of_series[NAMES + 1];
    size_t stop_after;
};

static int take_chunk(void *arg, const struct chunk_row *row) {
    struct seen *seen = arg;
    CU_ASSERT(seen->n == 0 || row->id < seen->last_id);
    CU_ASSERT_FATAL(row->series_id >= 1 && row->series_id <= NAMES);
    int i = (int)row->series_id - 1;
    CU_ASSERT(span_eq(row->name, name_of(i, seen->name_size)));
    CU_ASSERT(row->type == (i % 2 ? METRIC_GAUGE : METRIC_COUNT));
    CU_ASSERT(row->sum == (double)i * (double)row->n);
    seen->of_series[row->series_id] += row->n;
    seen->samples += row->n;
    seen->last_id = row->id;
    return ++seen->n == seen->stop_after;
}

static void check(size_t name_size) {
    struct store *s = record(name_size);
    struct err failed = {0};
    struct reader *r = store_reader_take(s, &failed);
    struct seen all = {.name_size = name_size}, some = all, newest = all, few = all, none = all;
    uint64_t from, first_of_last = 1 + NAMES * (1 + 2);
    OK(r->ops->begin(r, &err));
    OK(r->ops->chunks(r, SPAN("default"), 0, UINT32_MAX, take_chunk, &all, &from, &err));
    EQ_INT(from, 0);
    EQ_INT(all.n, NAMES * COMMITS);
    for (int i = 1; i <= NAMES; i++)
        EQ_INT(all.of_series[i], 1 + 2 + 3);
    OK(r->ops->chunks(r, SPAN("default"), first_of_last - 1, UINT32_MAX, take_chunk, &some, &from, &err));
    EQ_INT(some.n, NAMES);
    EQ_INT(some.samples, NAMES * COMMITS);
    OK(r->ops->chunks(r, (struct span){NULL, 0}, 0, 10, take_chunk, &newest, &from, &err));
    EQ_INT(newest.n, 10);
    EQ_INT(from, newest.last_id);
    few.stop_after = 5;
    OK(r->ops->chunks(r, SPAN("default"), 0, UINT32_MAX, take_chunk, &few, &from, &err));
    EQ_INT(few.n, 5);
    OK(r->ops->chunks(r, SPAN("another"), 0, UINT32_MAX, take_chunk, &none, &from, &err));
    EQ_INT(none.n, 0);
    r->ops->end(r);
    store_reader_give(s, r);
    store_close(s);
}

static void test_chunks(void) {
    check(8);
}

static void test_names_that_are_not_all_remembered(void) {
    check(LONG);
}

static int count_chunk(void *arg, const struct chunk_row *row) {
    (void)row;
    ++*(size_t *)arg;
    return 0;
}

/* With 50,000 series a commit of half a million samples held ten of each, and the two rows for each ten cost more than they did. */
static void test_many_series(void) {
    struct store *s = open_at(":memory:");
    enum { MANY = 50000, TIMES = 11 };
    char name[16];
    for (int i = 0; i < MANY * TIMES; i++) {
        snprintf(name, sizeof name, "m%d", i % MANY);
        put_number(s, name, i);
    }
    COMMIT(s);
    size_t n = 0;
    uint64_t from = 0;
    struct err failed = {0};
    struct reader *r = store_reader_take(s, &failed);
    OK(r->ops->begin(r, &err));
    OK(r->ops->chunks(r, SPAN("default"), 0, UINT32_MAX, count_chunk, &n, &from, &err));
    r->ops->end(r);
    store_reader_give(s, r);
    EQ_INT(n, MANY);
    store_close(s);
}

UNIT_MAIN("store/chunks", {"chunks", test_chunks},
          {"one for all samples of a commit, of many series too", test_many_series},
          {"names that are not all remembered", test_names_that_are_not_all_remembered})
