/* Points of a series are its samples: the same times and values, however they lie in the file. */
#include "store/fixture.h"

#include "store/sqlite/vals.h"

struct found {
    size_t n;
    double sum_at, sum, last;
    size_t from_http, of_sketches;
};

static void note(struct found *f, int64_t at_s, double value, enum source source, bool sketch) {
    f->n++;
    f->sum_at += (double)(at_s - AT / 1000000000) * (double)f->n; /* the order counts */
    f->sum += value * (double)f->n;
    f->last = value;
    f->from_http += source == SOURCE_HTTP ? 1 : 0;
    f->of_sketches += sketch ? 1 : 0;
}

static int take_points(void *arg, const struct points_row *row) {
    for (size_t i = 0; i < row->n; i++)
        note(arg, row->at_s[i], row->values[i], row->source, row->sketch != NULL);
    return 0;
}

static int take_sample(void *arg, const struct sample_row *row) {
    int64_t at = row->value.timestamp ? row->value.timestamp : row->received_at / 1000000000;
    note(arg, at, row->value.number, row->source, row->value.sketch != NULL);
    return 0;
}

static int take_values(void *arg, const struct numbers_row *row) {
    struct found *f = arg;
    CU_ASSERT(row->spelling->sample_rate == 1);
    for (size_t i = 0; i < row->n; i++)
        note(f, 0, row->values[i], SOURCE_UDP, row->sketch != NULL);
    return 0;
}

static void compare(struct store *s, uint64_t series_id) {
    struct found points = {0}, samples = {0}, values = {0};
    struct filter filter = {.series_id = series_id};
    struct err failed = {0};
    struct reader *r = store_reader_take(s, &failed);
    OK(r->ops->begin(r, &err));
    OK(r->ops->points(r, series_id, take_points, &points, &err));
    OK(r->ops->samples(r, &filter, false, take_sample, &samples, &err));
    OK(r->ops->numbers(r, series_id, take_values, &values, &err));
    r->ops->end(r);
    store_reader_give(s, r);
    EQ_INT(values.n, samples.n);
    EQ_INT(values.of_sketches, samples.of_sketches);
    CU_ASSERT(values.sum == samples.sum && values.last == samples.last);
    CU_ASSERT(samples.n > 0);
    EQ_INT(points.n, samples.n);
    EQ_INT(points.from_http, samples.from_http);
    EQ_INT(points.of_sketches, samples.of_sketches);
    CU_ASSERT(points.sum_at == samples.sum_at && points.sum == samples.sum && points.last == samples.last);
}

static void put_some(struct store *s, unsigned *seed, const char *name) {
    int32_t keys[] = {-5, 0, 1338};
    uint32_t counts[] = {1, 2, 3};
    struct sketch sketch = {
        .count = 6, .sum = 2, .min = -1, .max = 1, .avg = 0.25, .n_bins = 3, .keys = keys, .counts = counts};
    bool sketched = name[0] == 's' && rand_r(seed) % 3 == 0;
    double number = rand_r(seed) % 3 ? rand_r(seed) % 100000 / 8.0 : (rand_r(seed) - 1e9) * 1e-13;
    struct value value = {.number = sketched ? 0.25 : number,
                          .timestamp = rand_r(seed) % 4 ? AT / 1000000000 + rand_r(seed) % 100000 : 0,
                          .sketch = sketched ? &sketch : NULL};
    struct record record = {.kind = RECORD_METRIC,
                            .metric = {.type = name[0] == 's' ? METRIC_DISTRIBUTION : METRIC_GAUGE,
                                       .name = span_str(name),
                                       .sample_rate = 1,
                                       .n_values = 1,
                                       .values = &value}};
    OK(store_put(s, &record, &err));
}

static void as_samples(void) {
    struct store *s = open_with((struct store_options){.path = ":memory:"});
    static const char *const names[] = {"gauge", "sketch", "rare"};
    unsigned seed = 7;
    for (int i = 0; i < 20000; i++) {
        if (i % 37 == 0)
            OK(store_arrival(s, 1, rand_r(&seed) % 2 ? SOURCE_HTTP : SOURCE_UDP, AT + (int64_t)i * 100000000,
                             &err));
        put_some(s, &seed, names[i % 500 == 0 ? 2 : i % 2]);
        if (i % 3000 == 0)
            OK(store_commit(s, &err));
    }
    OK(store_commit(s, &err));
    for (uint64_t id = 1; id <= 3; id++)
        compare(s, id);
    store_close(s);
}

/* Many at a time are what they are one by one. */
static void compare_many(struct span text, int64_t step) {
    struct vals_reader one = {0}, many = {0};
    double numbers[16];
    vals_start(&one, text, step);
    vals_start(&many, text, step);
    for (;;) {
        size_t n = vals_numbers(&many, 16, numbers);
        for (size_t i = 0; i < n; i++) {
            EQ_INT(vals_next(&one), 1);
            CU_ASSERT(memcmp(&numbers[i], &one.value.number, sizeof numbers[i]) == 0);
        }
        int got = vals_next(&many);
        EQ_INT(vals_next(&one), got);
        EQ_INT(one.offset, many.offset);
        CU_ASSERT(memcmp(&many.value.number, &one.value.number, sizeof one.value.number) == 0);
        if (got != 1)
            break;
    }
    vals_free(&one);
    vals_free(&many);
}

/* A number is read in one way in the middle of a long text and in another near its end. */
static void numbers_anywhere(void) {
    static const char *const numbers[] = {"0",
                                          "-0",
                                          "1.5",
                                          "-12.25",
                                          "123456789012345",
                                          "0.1",
                                          "1e3",
                                          "-2.5E-3",
                                          "1e999",
                                          "1234567890123456",
                                          "0.30000000000000004",
                                          "5e-324",
                                          "12345678",
                                          "-12345678.5",
                                          "1234567890123456789",
                                          "-0.8444218515250481",
                                          "12345678901234567890",
                                          "0.00012345678901234567",
                                          "123456789.1234567890",
                                          "1234567890123456.123",
                                          "12345678901234567.12",
                                          "99999999999999.9",
                                          "null"};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct buf b = {0};
        buf_printf(&b, "{\"3\":%s,\"1234567\":[1700000001,%s],\"1234568\":[-7,%s],\"1234569\":1", numbers[i],
                   numbers[i], numbers[i]);
        for (int k = 1234570; k < 1234590; k++)
            buf_printf(&b, ",\"%d\":1", k);
        buf_printf(&b, ",\"12345678\":%s}", numbers[i]);
        struct vals_reader r = {0};
        double first = NAN;
        vals_start(&r, buf_view(&b), 0);
        int n = 0, got;
        for (; (got = vals_next(&r)) == 1; n++) {
            first = n == 0 ? r.value.number : first;
            if (n < 3 || r.offset == 12345678)
                CU_ASSERT(memcmp(&r.value.number, &first, sizeof first) == 0);
            if (n == 1)
                EQ_INT(r.value.timestamp, 1700000001);
            if (n == 2)
                EQ_INT(r.value.timestamp, -7);
        }
        EQ_INT(got, 0);
        EQ_INT(n, 25);
        vals_free(&r);
        compare_many(buf_view(&b), 0);
        buf_clear(&b);
        buf_printf(&b, "{\"0\":[%s,[1700000001,%s],[-7,%s],1", numbers[i], numbers[i], numbers[i]);
        for (int k = 1; k < 40; k++) {
            if (k % 7 == 0)
                buf_printf(&b, "],\"%d\":[1", k * 1000);
            buf_printf(&b, ",%s", numbers[i]);
        }
        buf_printf(&b, "],\"123456789\":[%s]}", numbers[i]);
        compare_many(buf_view(&b), 10);
        buf_free(&b);
    }
}

UNIT_MAIN("store/points", {"are the samples", as_samples}, {"numbers anywhere in a text", numbers_anywhere})
