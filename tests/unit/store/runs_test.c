/* However the samples of a chunk lie, in runs or apart, they read back as they were put, by every way of reading. */
#include "store/fixture.h"

static uint32_t dice_state;
static uint32_t dice(uint32_t sides) {
    dice_state = dice_state * 1664525u + 1013904223u;
    return (dice_state >> 8) % sides;
}

/* What was put, in order. */
struct put {
    struct lines want;
    uint64_t id;
};

static void put_random(struct store *s, struct put *p, size_t which) {
    static const char *const names[] = {"a.count", "b.set", "c.sketch", "d.gauge", "e.rare"};
    static const enum metric_type types[] = {METRIC_COUNT, METRIC_SET, METRIC_DISTRIBUTION, METRIC_GAUGE,
                                             METRIC_TIMING};
    int32_t keys[] = {-5, 0, 1338};
    uint32_t counts[] = {1, 2, 3};
    struct sketch sketch = {.count = 6,
                            .sum = 2,
                            .min = -1,
                            .max = 1,
                            .avg = 0.25,
                            .n_bins = dice(4),
                            .keys = keys,
                            .counts = counts};
    char text[24];
    snprintf(text, sizeof text, dice(3) ? "%u" : "],\"%u\":[\\{", dice(1000));
    bool sketched = which == 2 && dice(2);
    struct value value = {.number = sketched  ? 0.25
                                    : dice(4) ? dice(1000)
                                              : dice(1 << 20) / -1024.0,
                          .timestamp = which == 3 || dice(40) == 0 ? AT / 1000000000 + dice(20) : 0,
                          .text = which == 1 ? span_str(text) : span_of(NULL, 0),
                          .sketch = sketched ? &sketch : NULL};
    struct record record = {.kind = RECORD_METRIC,
                            .metric = {.type = types[which],
                                       .name = span_str(names[which]),
                                       .sample_rate = 1,
                                       .n_values = 1,
                                       .values = &value}};
    enum source source = dice(50) ? SOURCE_UDP : SOURCE_HTTP;
    struct buf line = {0};
    OK(store_arrival(s, 1, source, AT, &err));
    OK(store_put(s, &record, &err));
    show_sample(&line, ++p->id, SPAN("default"), source, AT, &record.metric, &value);
    lines_add(&p->want, &line);
    buf_free(&line);
}

/* Takes an id, so that what lay in a run lies in two. */
static void put_reject(struct store *s, struct put *p) {
    struct record reject = {.kind = RECORD_REJECT, .reject = {.reason = REASON_NO_PIPE}};
    OK(store_put(s, &reject, &err));
    p->id++;
}

static void put_all(struct store *s, struct put *p) {
    for (int i = 0; i < 120; i++) {
        uint32_t pattern = dice(6), n = 1 + dice(60), one = dice(5), period = 2 + dice(3);
        for (uint32_t k = 0; k < n; k++) {
            put_random(s, p, pattern < 2 ? one : pattern < 5 ? k % period : dice(5));
            if (dice(90) == 0)
                put_reject(s, p);
        }
        if (dice(4) == 0)
            COMMIT(s);
    }
    COMMIT(s);
    put_random(s, p, 0); /* alone */
    COMMIT(s);
}

static void expect_lines(struct store *s, const struct lines *want) {
    struct lines got = lines_of(s, SAMPLES, everything);
    EQ_INT(got.n, want->n);
    for (size_t i = 0; i < got.n && i < want->n; i++) {
        if (strcmp(got.text[i], want->text[i]) != 0) {
            fprintf(stderr, "%s\n%s\n", got.text[i], want->text[i]);
            CU_FAIL("another sample");
            break;
        }
    }
    lines_free(&got);
}

/* --- the view ---------------------------------------------------------------------------------- */

static int keep_as_view(void *arg, const struct sample_row *row) {
    const struct value *v = &row->value;
    struct buf b = {0};
    buf_printf(&b, "%llu %llu %s %lld ts=%lld", (unsigned long long)row->id,
               (unsigned long long)row->series_id, source_word(row->source), (long long)row->received_at,
               (long long)v->timestamp);
    if (row->text.p)
        show_span(&b, "text", row->text);
    else
        buf_printf(&b, " value=%a", v->number);
    if (v->sketch)
        buf_str(&b, " sketch");
    lines_add(arg, &b);
    buf_free(&b);
    return 0;
}

static struct lines lines_of_view(const char *path) {
    struct lines l = {0};
    sqlite3 *db;
    sqlite3_stmt *stmt;
    sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);
    CU_ASSERT_EQUAL_FATAL(
        sqlite3_prepare_v2(db,
                           "SELECT id, series_id, source, received_at_ns, timestamp, text, value, type,"
                           " value IS NOT NULL AND type = 'distribution' AND value = 0.25"
                           " FROM samples ORDER BY id",
                           -1, &stmt, NULL),
        SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        struct buf b = {0};
        buf_printf(&b, "%lld %lld %s %lld ts=%lld", sqlite3_column_int64(stmt, 0),
                   sqlite3_column_int64(stmt, 1), (const char *)sqlite3_column_text(stmt, 2),
                   sqlite3_column_int64(stmt, 3), sqlite3_column_int64(stmt, 4));
        if (sqlite3_column_type(stmt, 5) != SQLITE_NULL)
            show_span(&b, "text", span_str((const char *)sqlite3_column_text(stmt, 5)));
        else
            buf_printf(&b, " value=%a", sqlite3_column_double(stmt, 6));
        if (sqlite3_column_int(stmt, 8))
            buf_str(&b, " sketch");
        lines_add(&l, &b);
        buf_free(&b);
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return l;
}

static void expect_view(struct store *s, const char *path, size_t n) {
    struct lines read = {0}, viewed = lines_of_view(path);
    struct err failed = {0};
    struct reader *r = store_reader_take(s, &failed);
    OK(r->ops->begin(r, &err));
    OK(r->ops->samples(r, &everything, true, keep_as_view, &read, &err));
    r->ops->end(r);
    store_reader_give(s, r);
    EQ_INT(read.n, n);
    EQ_INT(viewed.n, n);
    for (size_t i = 0; i < read.n && i < viewed.n; i++) {
        if (strcmp(read.text[i], viewed.text[i]) != 0) {
            fprintf(stderr, "%s\n%s\n", read.text[i], viewed.text[i]);
            CU_FAIL("the view shows another sample");
            break;
        }
    }
    lines_free(&read);
    lines_free(&viewed);
}

/* --- values alone ------------------------------------------------------------------------------ */

struct found {
    size_t n;
    double sum;
};

static int add_values(void *arg, const struct numbers_row *row) {
    struct found *f = arg;
    for (size_t i = 0; i < row->n; i++)
        f->sum += row->values[i] * (double)++f->n; /* the order counts */
    return 0;
}

static int add_points(void *arg, const struct points_row *row) {
    struct found *f = arg;
    for (size_t i = 0; i < row->n; i++)
        f->sum += (row->values[i] + (double)row->ids[i]) * (double)++f->n;
    return 0;
}

struct added {
    struct found values, points;
};

static int add_sample(void *arg, const struct sample_row *row) {
    struct added *a = arg;
    a->values.sum += row->value.number * (double)++a->values.n;
    a->points.sum += (row->value.number + (double)row->id) * (double)++a->points.n;
    return 0;
}

static void expect_values(struct store *s, uint64_t series_id) {
    struct found values = {0}, points = {0};
    struct added samples = {0};
    struct err failed = {0};
    struct reader *r = store_reader_take(s, &failed);
    OK(r->ops->begin(r, &err));
    OK(r->ops->numbers(r, series_id, add_values, &values, &err));
    OK(r->ops->points(r, series_id, add_points, &points, &err));
    OK(r->ops->samples(r, &(struct filter){.series_id = series_id}, false, add_sample, &samples, &err));
    r->ops->end(r);
    store_reader_give(s, r);
    CU_ASSERT(samples.values.n > 0);
    CU_ASSERT(values.n == samples.values.n && values.sum == samples.values.sum);
    CU_ASSERT(points.n == samples.points.n && points.sum == samples.points.sum);
}

static void expect_all(struct store *s, const char *path, const struct put *p) {
    expect_lines(s, &p->want);
    if (strcmp(path, ":memory:") != 0)
        expect_view(s, path, p->want.n);
    for (uint64_t id = 1; id <= 5; id++)
        expect_values(s, id);
}

/* --- the cases --------------------------------------------------------------------------------- */

static void as_they_were_put(const char *path) {
    for (uint32_t seed = 1; seed <= 4; seed++) {
        struct put p = {0};
        struct store *s = open_at(path);
        dice_state = seed;
        put_all(s, &p);
        expect_all(s, path, &p);
        store_close(s);
        if (strcmp(path, ":memory:") != 0) { /* it had all forms */
            EXPECT_SQL(
                path,
                "SELECT sum(step > 1) > 9 AND sum(step AND vals LIKE '%],\"%') > 9"
                " AND sum(step IS NULL AND vals LIKE '{%') > 9 AND sum(vals NOT LIKE '{%') > 0 FROM chunk",
                "1");
            unlink(path);
        }
        lines_free(&p.want);
    }
}
ON_EACH_MEDIUM(as_they_were_put)

/* A file of before there were runs. What comes into it then has them. */
static void of_an_older_file(void) {
    struct place place;
    struct put p = {0};
    place_make(&place);
    struct store *s = open_at(place.path);
    dice_state = 77;
    put_all(s, &p);
    store_close(s);
    run_sql(place.path, TO_VERSION_11);
    s = open_at(place.path);
    expect_all(s, place.path, &p);
    EXPECT_SQL(place.path, "SELECT count(step) || '/' || (sum(vals LIKE '{%') > 50) FROM chunk", "0/1");
    put_all(s, &p);
    expect_all(s, place.path, &p);
    store_close(s);
    EXPECT_SQL(place.path, "SELECT count(step) > 20 FROM chunk", "1");
    lines_free(&p.want);
    place_remove(&place);
}

static void forms(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    for (int i = 0; i < 6; i++) /* in turn */
        put_number(s, i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c", i);
    put_number(s, "b", 6);
    put_number(s, "one", 7);
    for (int i = 0; i < 4; i++) { /* apart */
        put_number(s, "apart", i);
        for (int k = 0; k < i; k++)
            put_number(s, "burst", i);
    }
    COMMIT(s);
    store_close(s);
    EXPECT_SQL(
        p.path,
        "SELECT group_concat(m.name || ' ' || coalesce(c.step, '-') || ' ' || c.vals, x'0a') FROM chunk c"
        " JOIN metric m ON m.id = c.context_id ORDER BY c.id", /* all are their series' own spellings */
        "a 3 {\"0\":[0,3]}\n"
        "b 2 {\"0\":[1],\"3\":[4,6]}\n"
        "c 3 {\"0\":[2,5]}\n"
        "one - 7\n"
        "apart - {\"0\":0,\"1\":1,\"3\":2,\"6\":3}\n"
        "burst 1 {\"0\":[1],\"2\":[2,2],\"5\":[3,3,3]}");
    place_remove(&p);
}

UNIT_MAIN("store/runs", CASES("as they were put", as_they_were_put), {"of an older file", of_an_older_file},
          {"forms", forms})
