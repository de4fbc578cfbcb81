/* A recording as Datadog has it, read like any recording. */
#include "core/buf.h"
#include "fake_reader.h"
#include "flushed/flushed.h"
#include "unit.h"

#include <stdio.h>

static struct fake *fake;
static struct reader *view;

static void look_since(const char *session, uint64_t since, uint64_t until) {
    struct err err = {0};
    if (view)
        reader_close(view);
    view = flushed_open(
        fake_reader(fake),
        &(struct flushed_options){.session = span_str(session), .since = since, .until = until}, &err);
    if (!view) {
        fprintf(stderr, "%s\n", err.text);
        CU_FAIL_FATAL("no view");
    }
}

static void begin(void) {
    fake = fake_new();
    view = NULL;
}

static void end(void) {
    if (view)
        reader_close(view);
    fake_free(fake);
}

static int put_series(void *arg, const struct series_row *row) {
    struct buf *b = arg;
    buf_printf(b, "%s %.*s{", metric_word(row->type), SPAN_ARG(row->name));
    for (size_t i = 0; i < row->n_tags; i++)
        buf_printf(b, "%s%.*s", i ? "," : "", SPAN_ARG(row->tags[i]));
    buf_printf(b, "}%.*s n=%d sum=%g last=%g\n", SPAN_ARG(row->host), (int)row->samples, row->sum, row->last);
    return 0;
}

static const char *series(const struct filter *filter) {
    static struct buf text;
    struct err err = {0};
    text.max = 1 << 16;
    buf_clear(&text);
    buf_str(&text, "");
    CU_ASSERT_EQUAL(view->ops->series(view, filter, put_series, &text, &err), 0);
    return text.p ? text.p : "";
}

static int put_sample(void *arg, const struct sample_row *row) {
    struct buf *b = arg;
    buf_printf(b, "%d:%.*s=%g ", (int)row->id, SPAN_ARG(row->spelling->name), row->value.number);
    return 0;
}

static const char *samples(const struct filter *filter, bool ordered) {
    static struct buf text;
    struct err err = {0};
    text.max = 1 << 16;
    buf_clear(&text);
    CU_ASSERT_EQUAL(view->ops->samples(view, filter, ordered, put_sample, &text, &err), 0);
    return text.n ? text.p : "";
}

static void check_text(const char *got, const char *expected) {
    if (strcmp(got, expected) != 0)
        fprintf(stderr, "got      %s\nexpected %s\n", got, expected);
    CU_ASSERT_STRING_EQUAL(got, expected);
}

static void test_types(void) {
    begin();
    fake_send(
        fake,
        "c:3|c|#b,a,b\nc:2|c|@0.5|#a,b\ng:1|g\ng:5|g\nt:1:3|ms|#host:web\ns:x|s\ns:y|s\nd:7|d|#device:sda");
    look_since("default", 0, 0);
    check_text(series(&(struct filter){.n_names = 0}), "rate c{a,b} n=1 sum=0.7 last=0.7\n"
                                                       "gauge g{} n=1 sum=5 last=5\n"
                                                       "gauge s{} n=1 sum=2 last=2\n"
                                                       "gauge t.95percentile{}web n=1 sum=3 last=3\n"
                                                       "gauge t.avg{}web n=1 sum=2 last=2\n"
                                                       "rate t.count{}web n=1 sum=0.2 last=0.2\n"
                                                       "gauge t.max{}web n=1 sum=3 last=3\n"
                                                       "gauge t.median{}web n=1 sum=1 last=1\n"
                                                       "distribution d{device:sda} n=1 sum=7 last=7\n");
    end();
}

static void test_filters(void) {
    begin();
    fake_send(fake, "a:1|c|#env:ci\nb:2|g|#env:prod\nt:3|ms|#env:ci");
    look_since("default", 0, 0);
    struct span tag = SPAN("env:prod"), any_tag = SPAN("env:p*");
    check_text(series(&(struct filter){.name = SPAN("t.a*")}), "gauge t.avg{env:ci} n=1 sum=3 last=3\n");
    check_text(series(&(struct filter){.n_tags = 1, .tags = &tag}), "gauge b{env:prod} n=1 sum=2 last=2\n");
    check_text(series(&(struct filter){.n_tags = 1, .tags = &any_tag}),
               "gauge b{env:prod} n=1 sum=2 last=2\n");
    check_text(series(&(struct filter){.has_type = true, .type = METRIC_TIMING}), "");
    check_text(series(&(struct filter){.series_id = 2}), "gauge b{env:prod} n=1 sum=2 last=2\n");
    check_text(series(&(struct filter){.limit = 1}), "rate a{env:ci} n=1 sum=0.1 last=0.1\n");
    check_text(series(&(struct filter){.limit = 1, .newest = true}),
               "gauge t.median{env:ci} n=1 sum=3 last=3\n");
    check_text(series(&(struct filter){.after_series = 6}), "gauge t.median{env:ci} n=1 sum=3 last=3\n");
    check_text(series(&(struct filter){.session = SPAN("other")}), "");
    check_text(series(&(struct filter){.sampled = true}), "");
    check_text(series(&(struct filter){.has_source = true, .source = SOURCE_UDP}), "");
    check_text(samples(&(struct filter){.name = SPAN("b")}, false), "2:b=2 ");
    check_text(samples(&(struct filter){.since = 2, .name = SPAN("*.avg")}, true), "3:t.avg=3 ");
    check_text(samples(&(struct filter){.until = 1}, true), "1:a=0.1 ");
    end();
}

/* A flush makes points by name; a reader that asks for the order of arrival gets it. */
static void test_order(void) {
    begin();
    fake_send(fake, "z:1|g\na:2|g");
    look_since("default", 0, 0);
    check_text(samples(&(struct filter){.n_names = 0}, false), "2:a=2 1:z=1 ");
    check_text(samples(&(struct filter){.n_names = 0}, true), "1:z=1 2:a=2 ");
    check_text(samples(&(struct filter){.limit = 1, .newest = true}, true), "2:a=2 ");
    check_text(samples(&(struct filter){.limit = 1}, true), "1:z=1 ");
    end();
}

/* Each session has an Agent, and sees what came since the mark alone. */
static void test_sessions_and_marks(void) {
    begin();
    fake_send(fake, "a:1|c");
    fake_send(fake, "a:2|c\nb:1|c");
    look_since("default", 1, 0);
    check_text(series(&(struct filter){.n_names = 0}),
               "rate a{} n=1 sum=0.2 last=0.2\nrate b{} n=1 sum=0.1 last=0.1\n");
    look_since("default", 0, 2);
    check_text(series(&(struct filter){.n_names = 0}), "rate a{} n=1 sum=0.3 last=0.3\n");
    look_since("other", 0, 0);
    check_text(series(&(struct filter){.n_names = 0}), "");
    look_since("*", 0, 0);
    check_text(series(&(struct filter){.name = SPAN("b")}), "rate b{} n=1 sum=0.1 last=0.1\n");
    end();
}

static void put_http(enum metric_type type, double value, int64_t interval) {
    struct value v = {.number = value, .timestamp = 1795000000};
    fake_source(fake, SOURCE_HTTP);
    fake_put(fake, &(struct record){.kind = RECORD_METRIC,
                                    .metric = {.type = type,
                                               .name = SPAN("h"),
                                               .sample_rate = 1,
                                               .interval = interval,
                                               .n_values = 1,
                                               .values = &v}});
    fake_source(fake, SOURCE_UDP);
}

/* A rate of an Agent elsewhere, and one of ours, are one series. */
static void test_http(void) {
    begin();
    put_http(METRIC_RATE, 0.5, 10);
    put_http(METRIC_COUNT, 4, 0);
    fake_send(fake, "h:2|c");
    look_since("default", 0, 0);
    check_text(series(&(struct filter){.n_names = 0}),
               "rate h{} n=2 sum=0.7 last=0.2\ncount h{} n=1 sum=4 last=4\n");
    struct err err = {0};
    struct cadence cadence;
    CU_ASSERT_EQUAL(view->ops->cadence(view, 1, 1, &cadence, &err), 0);
    EQ_INT(cadence.interval_s, 10);
    CU_ASSERT_EQUAL(view->ops->cadence(view, 2, 1, &cadence, &err), 0);
    EQ_INT(cadence.interval_s, 0);
    CU_ASSERT_EQUAL(view->ops->cadence(view, 99, 1, &cadence, &err), 0);
    end();
}

static int count_points(void *arg, const struct points_row *row) {
    double *sum = arg;
    for (size_t i = 0; i < row->n; i++)
        *sum += row->sketch ? row->sketch->sum : row->values[i];
    return 0;
}

static int count_spelling(void *arg, const struct spelling_row *row) {
    *(int *)arg += row->spelling->interval == 10;
    return 0;
}

static void test_points_and_spellings(void) {
    begin();
    for (int i = 0; i < 300; i++)
        put_http(METRIC_GAUGE, 1, 10);
    fake_send(fake, "d:1:2:3|d\nx:1|g");
    look_since("default", 0, 0);
    struct err err = {0};
    double sum = 0;
    int n = 0;
    CU_ASSERT_EQUAL(view->ops->points(view, 1, count_points, &sum, &err), 0);
    CU_ASSERT_EQUAL(sum, 300);
    sum = 0;
    CU_ASSERT_EQUAL(view->ops->points(view, 3, count_points, &sum, &err), 0);
    CU_ASSERT_EQUAL(sum, 6);
    CU_ASSERT_EQUAL(view->ops->points(view, 4, count_points, &sum, &err), 0);
    CU_ASSERT_EQUAL(sum, 6);
    CU_ASSERT_EQUAL(view->ops->spellings(view, &(struct filter){.n_names = 0}, count_spelling, &n, &err), 0);
    EQ_INT(n, 3);
    end();
}

/* What is not about metrics is the recording's own. */
static int count_row(void *arg, const struct event_row *row) {
    (void)row;
    ++*(int *)arg;
    return 0;
}

static void test_the_rest(void) {
    begin();
    fake_send(fake, "_e{1,1}:a|b\nbad\nx:1|g");
    look_since("default", 0, 0);
    struct err err = {0};
    uint64_t last_id = 0;
    int n = 0;
    CU_ASSERT_EQUAL(view->ops->events(view, &(struct filter){.n_names = 0}, count_row, &n, &err), 0);
    EQ_INT(n, 1);
    CU_ASSERT_EQUAL(view->ops->last_id(view, &last_id, &err), 0);
    EQ_INT(last_id, 3);
    end();
}

/* Ten types under one name, odd times and values: an answer, and no crash. */
static void test_bad_input(void) {
    begin();
    fake_send(
        fake,
        "n:1|c\nn:2|g\nn:3|ms\nn:4|h\nn:5|d\nn:6|s\nn:7|c|T1\nn:8|g|T9223372036854775807\nn:9|ms|T5\nn:NaN|g\n"
        "n:1e308|c|@1e-300\nn:-1e308:1e308|h|@0\nn:1|d|@0.0000000001");
    look_since("default", 0, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(series(&(struct filter){.n_names = 0}), "distribution n{}"));
    end();
}

UNIT_MAIN("flushed/flushed", {"types and names", test_types}, {"filters", test_filters},
          {"the order of arrival", test_order}, {"sessions and marks", test_sessions_and_marks},
          {"what came over HTTP", test_http}, {"points and spellings", test_points_and_spellings},
          {"all else", test_the_rest}, {"bad input", test_bad_input})
