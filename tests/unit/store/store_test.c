/* One suite for every medium: what a store promises, whatever it lies on. */
#include "core/clock.h"
#include "core/glob.h"
#include "store/fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#define ON_EACH_MEDIUM(test)                                                                                 \
    static void test##_on_file(void) {                                                                       \
        struct place place;                                                                                  \
        test(place_make(&place));                                                                            \
        place_remove(&place);                                                                                \
    }                                                                                                        \
    static void test##_in_memory(void) {                                                                     \
        test(":memory:");                                                                                    \
    }
#define CASES(name, test)                                                                                    \
    {name " (file)", test##_on_file}, {                                                                      \
        name " (memory)", test##_in_memory                                                                   \
    }

static struct store *open_at(const char *path) {
    return open_with((struct store_options){.path = path});
}

static const struct filter everything;

/* --- every kind and field ---------------------------------------------------------------------- */

static void metric_fields(const char *path) {
    struct store *s = open_at(path);
    struct span tags[] = {SPAN("b:2"), SPAN("a:1"),         SPAN("b:2"),
                          SPAN(""),    span_of("n\0ul", 4), SPAN("\xff\xfe\"\\\n")};
    int32_t keys[] = {-5, 0, 1338};
    uint32_t counts[] = {1, 2, 4000000000u};
    struct sketch sketch = {.count = 7,
                            .sum = INFINITY,
                            .min = -1.5,
                            .max = NAN,
                            .avg = 0.25,
                            .n_bins = 3,
                            .keys = keys,
                            .counts = counts};
    struct value values[] = {
        {.number = 1.5, .text = SPAN("1.50")},    {.number = -0.0, .text = SPAN("-0")},
        {.number = 1000, .text = SPAN("1_000")},  {.number = 5e-324},
        {.number = 0.1, .timestamp = 1700000001}, {.number = 2, .timestamp = -3},
        {.number = 0.25, .sketch = &sketch},      {.number = 0.25, .sketch = &sketch, .timestamp = 12}};
    struct metric m = {.type = METRIC_DISTRIBUTION,
                       .name = span_of("na\0me\xc3(", 7),
                       .sample_rate = 0.1,
                       .n_tags = 6,
                       .tags = tags,
                       .n_values = 8,
                       .values = values,
                       .origin = {.host = SPAN("h"),
                                  .container_id = SPAN("c"),
                                  .external_data = SPAN(""),
                                  .cardinality = SPAN("high"),
                                  .entity_id = SPAN("e"),
                                  .jmx_check_name = SPAN("j"),
                                  .has_inode = true,
                                  .inode = UINT64_MAX},
                       .device = SPAN("sda"),
                       .unit = SPAN("byte"),
                       .source_type = SPAN("t"),
                       .interval = 10,
                       .resources = SPAN("[{}]")};
    struct record record = {.kind = RECORD_METRIC, .metric = m};
    struct buf want = {0};
    OK(store_arrival(s, 1, SOURCE_UNIXSTREAM, AT, &err));
    OK(store_put(s, &record, &err));
    record.metric.sample_rate = NAN;
    record.metric.n_values = 1;
    OK(store_put(s, &record, &err));
    EQ_INT(store_pending(s), 9);
    EQ_INT(count_of(s, SAMPLES, everything), 0);
    COMMIT(s);
    EQ_INT(store_pending(s), 0);
    struct lines got = lines_of(s, SAMPLES, everything);
    EQ_INT(got.n, 9);
    for (size_t i = 0; i < got.n && i < 8; i++) {
        show_sample(&want, i + 1, SPAN("default"), SOURCE_UNIXSTREAM, AT, &m, &values[i]);
        EQ_STR(got.text[i], want.p);
    }
    EXPECT_LINE(got, 8, "rate=nan");
    lines_free(&got);
    got = lines_of(s, SERIES, everything); /* two spellings, one series: its tags in order, once each */
    EQ_INT(got.n, 1);
    EXPECT_LINE(got, 0, "tags=5 ='' ='a:1' ='b:2' ='n\\00ul' ='\\ff\\fe\"\\5c\\0a' host='h' device='sda'");
    EXPECT_LINE(got, 0, "samples=9 ");
    EXPECT_LINE(got, 0, "sampled=1");
    lines_free(&got);
    buf_free(&want);
    store_close(s);
}
ON_EACH_MEDIUM(metric_fields)

static void other_kinds(const char *path) {
    struct store *s = open_at(path);
    struct span tags[] = {SPAN("t:1"), SPAN("t:1")};
    struct record event = {.kind = RECORD_EVENT,
                           .event = {.title = SPAN("Deploy\nfinished"),
                                     .text = SPAN(""),
                                     .timestamp = 5,
                                     .aggregation_key = SPAN("k"),
                                     .priority = SPAN("low"),
                                     .alert_type = SPAN("error"),
                                     .source_type_name = SPAN("s"),
                                     .n_tags = 2,
                                     .tags = tags,
                                     .origin = {.host = SPAN("")}}};
    struct record check = {.kind = RECORD_SERVICE_CHECK,
                           .check = {.name = SPAN("app.ok"),
                                     .status = 3,
                                     .timestamp = 6,
                                     .message = SPAN("m\xff"),
                                     .n_tags = 1,
                                     .tags = tags,
                                     .origin = {.container_id = SPAN("ci"), .has_inode = true, .inode = 7}}};
    struct record reject = {.kind = RECORD_REJECT,
                            .reject = {.reason = REASON_NO_PIPE,
                                       .family = SPAN("metric"),
                                       .text = span_of("a:1\0", 4),
                                       .offset = 3,
                                       .name = SPAN("a"),
                                       .detail = SPAN("d")}};
    struct request request = {.method = SPAN("POST"),
                              .path = SPAN("/api/v2/series"),
                              .query = SPAN("a=b"),
                              .status = 202,
                              .wire_bytes = 10,
                              .body_bytes = 20,
                              .encoding = SPAN("zstd"),
                              .content_type = SPAN("x"),
                              .user_agent = SPAN("u"),
                              .api_key = SPAN("****abcd"),
                              .body = span_of("\0\1", 2)};
    OK(store_arrival(s, 1, SOURCE_HTTP, AT + 5, &err));
    OK(store_put(s, &event, &err));
    OK(store_put(s, &check, &err));
    put_number(s, "between", 1);
    OK(store_arrival(s, 1, SOURCE_HTTP, AT + 5, &err));
    OK(store_put(s, &reject, &err));
    OK(store_request(s, &request, &err));
    EQ_INT(store_pending(s), 5);
    EQ_INT(store_last_id(s), 5);
    COMMIT(s);
    struct lines got = lines_of(s, EVENTS, everything);
    EXPECT_LINE(got, 0,
                "1 http 5 ts=5 session='default' title='Deploy\\0afinished' text='' key='k' priority='low' "
                "alert='error' stn='s' tags=2 ='t:1' ='t:1' host='' container=-");
    lines_free(&got);
    got = lines_of(s, CHECKS, everything);
    EXPECT_LINE(got, 0,
                "2 http 5 status=3 ts=6 session='default' name='app.ok' message='m\\ff' tags=1 ='t:1' host=- "
                "container='ci' external=- card=- entity=- jmx=- inode=7");
    lines_free(&got);
    got = lines_of(s, REJECTS, everything);
    EXPECT_LINE(
        got, 0,
        "4 http 5 no_pipe offset=3 session='default' family='metric' text='a:1\\00' name='a' detail='d'");
    lines_free(&got);
    got = lines_of(s, REQUESTS, everything);
    EXPECT_LINE(
        got, 0,
        "5 5 status=202 wire=10 body=20 ='default' ='POST' ='/api/v2/series' ='a=b' ='zstd' ='x' ='u' "
        "='****abcd' ='\\00\\01' =-");
    lines_free(&got);
    store_close(s);
}
ON_EACH_MEDIUM(other_kinds)

/* --- identity and summaries -------------------------------------------------------------------- */

static void put_line(struct store *s, struct metric m) {
    struct value value = {.number = 1};
    m.n_values = 1;
    m.values = &value;
    struct record record = {.kind = RECORD_METRIC, .metric = m};
    OK(store_put(s, &record, &err));
}

static void identity(const char *path) {
    struct store *s = open_at(path);
    struct span ab[] = {SPAN("a"), SPAN("b")}, bab[] = {SPAN("b"), SPAN("a"), SPAN("b")};
    struct metric plain = {.name = SPAN("m"), .sample_rate = 1, .n_tags = 2, .tags = ab};
    struct metric keyed = plain, other = plain;
    OK(store_arrival(s, 1, SOURCE_UDP, AT, &err));
    put_line(s, plain);
    keyed.key_name = SPAN("m");
    keyed.key_rest = SPAN("c|#a,b");
    put_line(s, keyed); /* the same spelling by its key … */
    put_line(s, keyed); /* … and found by that */
    other.n_tags = 3;
    other.tags = bab;
    put_line(s, other);
    COMMIT(s);
    EQ_INT(count_of(s, SERIES, everything), 1);
    struct metric different[4] = {plain, plain, plain, plain};
    different[0].type = METRIC_GAUGE;
    different[1].origin.host = SPAN("");
    different[2].device = SPAN("d");
    different[3].n_tags = 1;
    for (size_t i = 0; i < 4; i++)
        put_line(s, different[i]);
    COMMIT(s);
    EQ_INT(count_of(s, SERIES, everything), 5);
    struct lines got = lines_of(s, SERIES, everything);
    EXPECT_LINE(got, 0, "count samples=4 count=4 sum=4 min=1 max=1 last=1");
    lines_free(&got);
    store_close(s);
}
ON_EACH_MEDIUM(identity)

static void weights(const char *path) {
    struct store *s = open_at(path);
    static const struct {
        enum metric_type type;
        double rate;
        const char *want;
    } table[] = {
        {METRIC_COUNT, 0.1, "samples=1 count=10 sum=40 min=4 max=4 last=4"},
        {METRIC_GAUGE, 0.1, "samples=1 count=1 sum=4"},
        {METRIC_HISTOGRAM, 0.3, "samples=1 count=3 sum=13.3333 min=4"},
        {METRIC_TIMING, 0, "samples=1 count=1 sum=4"},
        {METRIC_DISTRIBUTION, 2, "samples=1 count=1 sum=4"},
        {METRIC_SET, 0.5, "samples=1 count=1 sum=nan min=nan max=nan last=nan"},
        {METRIC_COUNT, 0, "samples=1 count=inf sum=inf min=4"},
        {METRIC_COUNT, NAN, "samples=1 count=nan sum=nan min=4"},
    };
    OK(store_arrival(s, 1, SOURCE_UDP, AT, &err));
    size_t n = sizeof table / sizeof table[0];
    for (size_t i = 0; i < n; i++) {
        char name[8];
        snprintf(name, sizeof name, "w%zu", i);
        struct value value = {.number = 4, .text = SPAN("4")};
        struct record record = {.kind = RECORD_METRIC,
                                .metric = {.type = table[i].type,
                                           .name = span_str(name),
                                           .sample_rate = table[i].rate,
                                           .n_values = 1,
                                           .values = &value}};
        OK(store_put(s, &record, &err));
    }
    COMMIT(s);
    struct lines got = lines_of(s, SERIES, everything);
    EQ_INT(got.n, n);
    for (size_t i = 0; i < n; i++) {
        EXPECT_LINE(got, i, table[i].want);
        EXPECT_LINE(got, i, "sampled=1");
    }
    lines_free(&got);
    store_close(s);
}
ON_EACH_MEDIUM(weights)

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

/* --- sessions, reset, losses ------------------------------------------------------------------- */

static void sessions(const char *path) {
    struct store *s = open_at(path);
    uint64_t one = 0, two = 0, again = 0;
    OK(store_session_add(s, SPAN("one"), SPAN("k1"), 0, &one, &err));
    OK(store_session_add(s, SPAN("two"), SPAN("k2"), 77, &two, &err));
    CU_ASSERT(one > 1 && two > one);
    for (int i = 0; i < 10; i++) {
        put_in(s, one, SOURCE_UDP, AT, "same", 1, METRIC_COUNT, NULL);
        put_in(s, two, SOURCE_UDP, AT, "same", 2, METRIC_COUNT, NULL);
        put_in(s, 1, SOURCE_UDP, AT, "same", 3, METRIC_COUNT, NULL);
    }
    COMMIT(s);
    struct lines got = lines_of(s, SERIES, (struct filter){.session = SPAN("two")});
    EQ_INT(got.n, 1);
    EXPECT_LINE(got, 0, "sum=20");
    lines_free(&got);
    OK(store_session_remove(s, one, &err));
    got = lines_of(s, SESSIONS, everything);
    EQ_INT(got.n, 2);
    EXPECT_LINE(got, 0, "1 open=1 samples=10 series=1 events=0");
    EXPECT_LINE(got, 1, "samples=10 series=1 events=0 checks=0 rejects=0 expires=77 name='two' key='k2'");
    lines_free(&got);
    EQ_INT(count_of(s, SAMPLES, everything), 20);
    put_in(s, one, SOURCE_UDP, AT, "late", 1, METRIC_COUNT, NULL); /* what still comes for it is nobody's */
    COMMIT(s);
    EQ_INT(count_of(s, SAMPLES, everything), 20);
    OK(store_session_add(s, SPAN("one"), SPAN("k3"), 0, &again, &err));
    CU_ASSERT(again > two);
    put_in(s, again, SOURCE_UDP, AT, "same", 5, METRIC_COUNT, NULL);
    COMMIT(s);
    EQ_INT(count_of(s, SAMPLES, (struct filter){.session = SPAN("one")}), 1);
    CU_ASSERT_EQUAL(store_session_remove(s, 1, &(struct err){0}), -1);
    CU_ASSERT_EQUAL(store_session_remove(s, 999, &(struct err){0}), -1);
    store_close(s);
}
ON_EACH_MEDIUM(sessions)

static void reset(const char *path) {
    struct store *s = open_at(path);
    uint64_t other;
    struct record event = {.kind = RECORD_EVENT, .event = {.title = SPAN("e")}};
    OK(store_session_add(s, SPAN("other"), SPAN("k"), 0, &other, &err));
    for (int round = 0; round < 3; round++) {
        put_in(s, 1, SOURCE_UDP, AT, "a", 1, METRIC_COUNT, NULL);
        put_in(s, 1, SOURCE_UDP, AT, "b", 1, METRIC_COUNT, NULL);
        OK(store_put(s, &event, &err));
        put_in(s, other, SOURCE_UDP, AT, "a", 1, METRIC_COUNT, NULL);
        COMMIT(s);
    }
    OK(store_loss(s, 0, LOSS_KERNEL_DROP, 1, SPAN("udp"), &err));
    OK(store_loss(s, 1, LOSS_TRUNCATED, 1, SPAN("udp"), &err));
    COMMIT(s);
    EQ_INT(count_of(s, LOSSES_READ, (struct filter){.session = SPAN("default")}), 2);
    struct store_removed removed;
    uint64_t before = store_last_id(s);
    OK(store_reset(s, 1, &removed, &err));
    EQ_INT(removed.samples, 6);
    EQ_INT(removed.series, 2);
    EQ_INT(removed.events, 3);
    EQ_INT(count_of(s, SAMPLES, everything), 3);
    EQ_INT(count_of(s, SERIES, (struct filter){.session = SPAN("default")}), 0);
    EQ_INT(count_of(s, LOSSES_READ, (struct filter){.session = SPAN("default")}), 0);
    EQ_INT(count_of(s, LOSSES_READ, (struct filter){.session = SPAN("other")}),
           1); /* it concerned that one too */
    put_number(s, "a", 4);
    COMMIT(s);
    CU_ASSERT(store_last_id(s) > before);
    struct lines got = lines_of(s, SERIES, (struct filter){.session = SPAN("default")});
    EQ_INT(got.n, 1);
    EXPECT_LINE(got, 0, "samples=1 count=1 sum=4");
    lines_free(&got);
    OK(store_reset(s, other, &removed, &err));
    EQ_INT(removed.samples, 3);
    OK(store_reset(s, 1, &removed, &err));
    EQ_INT(count_of(s, LOSSES_READ, everything), 0);
    struct store_stats stats;
    store_stats(s, &stats);
    EQ_INT(stats.samples + stats.series + stats.events, 0);
    EQ_INT(stats.received_samples, 10);
    EQ_INT(stats.losses[LOSS_KERNEL_DROP], 0);
    CU_ASSERT_EQUAL(store_reset(s, 999, &removed, &(struct err){0}), -1);
    put_number(s, "a", 1);
    COMMIT(s);
    EQ_INT(count_of(s, SAMPLES, everything), 1);
    put_in(s, other, SOURCE_UDP, AT, "a", 1, METRIC_COUNT, NULL);
    OK(store_loss(s, 0, LOSS_KERNEL_DROP, 1, SPAN("udp"), &err));
    OK(store_empty(s, &err));
    EQ_INT(count_of(s, SAMPLES, everything), 0);
    EQ_INT(count_of(s, LOSSES_READ, everything), 0);
    CU_ASSERT_EQUAL(store_reset(s, other, &removed, &(struct err){0}), -1);
    put_number(s, "a", 1);
    COMMIT(s);
    EQ_INT(count_of(s, SAMPLES, everything), 1);
    store_close(s);
}
ON_EACH_MEDIUM(reset)

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

/* --- bounds ------------------------------------------------------------------------------------ */

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

static int keep_numbers(void *arg, const struct series_row *row) {
    double *numbers = arg;
    numbers[0] = row->count;
    numbers[1] = row->sum;
    return 0;
}

/* Three spellings of one series in turn, fractions, and a sum that depends on the order of its terms. */
static void sums_do_not_depend_on_commits(const char *path) {
    static const double values[] = {0.1, 0.2, 0.3, 1e16, 0.7, -1e16, 0.1, 3.3}, rates[] = {1, 0.3, 0.7};
    const size_t n = sizeof values / sizeof values[0];
    struct store *s = open_at(path);
    for (unsigned cuts = 0; cuts < 1u << n; cuts += 5) {
        double count = 0, sum = 0, got[2] = {-1, -1};
        char name[16];
        snprintf(name, sizeof name, "a%u", cuts);
        for (size_t i = 0; i < n; i++) {
            struct value value = {.number = values[i]};
            struct record record = {.kind = RECORD_METRIC,
                                    .metric = {.type = METRIC_COUNT,
                                               .name = span_str(name),
                                               .sample_rate = rates[i % 3],
                                               .n_values = 1,
                                               .values = &value}};
            OK(store_arrival(s, 1, SOURCE_UDP, AT, &err));
            OK(store_put(s, &record, &err));
            count += 1 / rates[i % 3];
            sum += values[i] * (1 / rates[i % 3]);
            if (cuts >> i & 1)
                COMMIT(s);
        }
        COMMIT(s);
        struct err why = {0};
        struct reader *r = store_reader_take(s, &why);
        struct filter one = {.name = span_str(name)};
        CU_ASSERT_PTR_NOT_NULL_FATAL(r);
        OK(r->ops->begin(r, &err));
        OK(r->ops->series(r, &one, keep_numbers, got, &err));
        r->ops->end(r);
        store_reader_give(s, r);
        CU_ASSERT_EQUAL(got[0], count);
        CU_ASSERT_EQUAL(got[1], sum);
    }
    store_close(s);
}
ON_EACH_MEDIUM(sums_do_not_depend_on_commits)

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
    store_close(s);
}
ON_EACH_MEDIUM(series_limit)

static void large_slices(const char *path) {
    /* Of 65,536 ids: a sixteenth of what is kept. */
    struct store *s = open_with((struct store_options){.path = path, .retention_samples = 1 << 20});
    char name[16];
    static char big[100000];
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

static void datagrams(const char *path) {
    struct store *s = open_with((struct store_options){.path = path, .keep_datagrams = true});
    OK(store_arrival(s, 1, SOURCE_UDP, AT, &err));
    OK(store_datagram(s, span_of("a:1|c\0", 6), &err));
    OK(store_datagram(s, span_of(NULL, 0), &err));
    COMMIT(s);
    struct store_stats stats;
    store_stats(s, &stats);
    EQ_INT(stats.datagrams, 2);
    CU_ASSERT(stats.bytes > 0);
    EQ_INT(stats.commits, 1);
    struct store_removed removed;
    OK(store_reset(s, 1, &removed, &err));
    EQ_INT(removed.datagrams, 2);
    store_close(s);
}
ON_EACH_MEDIUM(datagrams)

static int keep_large(void *arg, const struct large_row *row) {
    struct buf *out = arg;
    buf_printf(out, "%llu: %llu of %llu from %llu; ", (unsigned long long)row->over,
               (unsigned long long)row->n, (unsigned long long)row->largest,
               (unsigned long long)row->last_id);
    return 0;
}

static void expect_large(struct store *s, struct span session, const char *want) {
    struct buf got = {0};
    struct err why = {0};
    struct reader *r = store_reader_take(s, &why);
    CU_ASSERT_FATAL(r != NULL);
    OK(r->ops->begin(r, &err));
    OK(r->ops->large(r, session, keep_large, &got, &err));
    r->ops->end(r);
    store_reader_give(s, r);
    EQ_STR(got.n ? got.p : "", want);
    buf_free(&got);
}

static void large_datagrams(const char *path) {
    static char bytes[9000];
    static const struct {
        enum source source;
        size_t n;
    } sent[] = {{SOURCE_UDP, 1432},      {SOURCE_UDP, 1433},      {SOURCE_UDP, 8192}, {SOURCE_UDP, 8193},
                {SOURCE_UNIXGRAM, 8192}, {SOURCE_UNIXGRAM, 9000}, {SOURCE_UDP, 8193}};
    struct store *s = open_at(path);
    uint64_t other;
    OK(store_session_add(s, SPAN("other"), SPAN("k"), 0, &other, &err));
    for (size_t i = 0; i < sizeof sent / sizeof sent[0]; i++) {
        OK(store_arrival(s, 1, sent[i].source, AT, &err));
        OK(store_datagram(s, span_of(bytes, sent[i].n), &err));
        put_in(s, 1, sent[i].source, AT, "a", 1, METRIC_COUNT, NULL);
        if (i % 2) /* counted over commits */
            COMMIT(s);
    }
    COMMIT(s);
    OK(store_arrival(s, other, SOURCE_UDP, AT, &err));
    OK(store_datagram(s, span_of(bytes, 2000), &err)); /* all of it may have been rubbish */
    COMMIT(s);
    expect_large(s, SPAN("default"), "1432: 2 of 8192 from 3; 8192: 3 of 9000 from 7; ");
    expect_large(s, SPAN("other"), "1432: 1 of 2000 from 8; ");
    OK(store_reset(s, 1, NULL, &err));
    expect_large(s, SPAN("default"), "");
    expect_large(s, SPAN("other"), "1432: 1 of 2000 from 8; ");
    store_close(s);
}
ON_EACH_MEDIUM(large_datagrams)

/* --- at random --------------------------------------------------------------------------------- */

static uint32_t dice_state;
static uint32_t dice(uint32_t sides) {
    dice_state = dice_state * 1664525u + 1013904223u;
    return (dice_state >> 8) % sides;
}

static char random_bytes[4096];
static struct span random_span(void) {
    size_t at = dice(4000), n = dice(4) ? dice(12) : dice(90);
    return span_of(random_bytes + at, n);
}

static struct span maybe_span(void) {
    return dice(3) ? span_of(NULL, 0) : random_span();
}

static double random_number(void) {
    switch (dice(5)) {
    case 0:
        return dice(100);
    case 1:
        return (double)dice(1000000) / 1000;
    case 2:
        return -ldexp((double)dice(1 << 24), (int)dice(2000) - 1000);
    case 3:
        return 2.2250738585072014e-308;
    default:
        return (double)(dice(1 << 24)) * 1e300;
    }
}

static void random_records(const char *path) {
    struct store *s = open_at(path);
    struct lines want = {0};
    struct buf line = {0};
    dice_state = 4711;
    for (size_t i = 0; i < sizeof random_bytes; i++)
        random_bytes[i] = (char)dice(256);
    struct metric spellings[64];
    static struct span tags[64][6];
    for (size_t i = 0; i < 64; i++) {
        size_t n_tags = dice(6);
        for (size_t t = 0; t < n_tags; t++)
            tags[i][t] = random_span();
        spellings[i] = (struct metric){.type = (enum metric_type)dice(METRIC_N_TYPES),
                                       .name = random_span(),
                                       .sample_rate = dice(2) ? 1 : 0.25,
                                       .n_tags = n_tags,
                                       .tags = tags[i],
                                       .unit = maybe_span(),
                                       .interval = dice(3)};
        spellings[i].origin.host = maybe_span();
        spellings[i].origin.container_id = maybe_span();
    }
    uint64_t id = 0;
    while (id < 10000) {
        struct metric m = spellings[dice(64)];
        struct value values[4];
        m.n_values = dice(4) + 1;
        m.values = values;
        int64_t at = AT + (int64_t)(id / 50);
        enum source source = (enum source)dice(2);
        for (size_t i = 0; i < m.n_values; i++) {
            values[i] = (struct value){.timestamp = dice(4) ? 0 : 1 + (int64_t)dice(99)};
            if (m.type == METRIC_SET)
                values[i].text = random_span();
            else
                values[i].number = random_number();
            show_sample(&line, ++id, SPAN("default"), source, at, &m, &values[i]);
            lines_add(&want, &line);
        }
        struct record record = {.kind = RECORD_METRIC, .metric = m};
        OK(store_arrival(s, 1, source, at, &err));
        OK(store_put(s, &record, &err));
        if (dice(30) == 0)
            COMMIT(s);
    }
    COMMIT(s);
    struct lines got = lines_of(s, SAMPLES, everything);
    EQ_INT(got.n, want.n);
    for (size_t i = 0; i < got.n && i < want.n; i++)
        if (strcmp(got.text[i], want.text[i]) != 0) {
            EQ_STR(got.text[i], want.text[i]);
            break;
        }
    EQ_INT(count_of(s, SAMPLES_BY_SERIES, everything), want.n);
    lines_free(&got);
    lines_free(&want);
    buf_free(&line);
    store_close(s);
}
ON_EACH_MEDIUM(random_records)

/* Any filter finds what a search through a plain list finds. */
struct plain {
    uint32_t name, type, tag, source, session, rate;
};

static bool plain_matches(const struct plain *p, const struct filter *f, uint64_t id,
                          const char *const *names, const char *const *tags) {
    static const char *const sessions_by_number[] = {"", "default", "two"};
    return id > f->since && (!f->until || id <= f->until) &&
           (!f->name.p || glob_match(f->name, span_str(names[p->name]))) &&
           (!f->has_type || f->type == p->type) && (!f->has_source || f->source == p->source) &&
           (!f->n_tags || glob_match(f->tags[0], span_str(tags[p->tag]))) &&
           (!f->session.p || span_eq(f->session, span_str(sessions_by_number[p->session])));
}

static void any_filter(const char *path) {
    enum { N = 3000, ASKED = 300 };
    static const char *const names[] = {"a", "a.b", "a.c", "b", "zz"};
    static const char *const tags[] = {"env:ci", "env:prod", "x"};
    static const char *const globs[] = {"a", "a.*", "*", "zz", "?", "none", "a*c"};
    static const char *const tag_globs[] = {"env:ci", "env:*", "x", "y"};
    static struct plain list[N + 1];
    struct store *s = open_at(path);
    uint64_t two;
    OK(store_session_add(s, SPAN("two"), SPAN("k"), 0, &two, &err));
    EQ_INT(two, 2);
    dice_state = 99;
    for (uint32_t id = 1; id <= N; id++) {
        struct plain *p = &list[id];
        *p = (struct plain){dice(5), dice(3), dice(3), dice(4), 1 + dice(2), dice(2)};
        if (dice(3))
            p->name = 1; /* most are of few series, some are rare */
        struct span tag = span_str(tags[p->tag]);
        struct value value = {.number = id};
        struct record record = {.kind = RECORD_METRIC,
                                .metric = {.type = (enum metric_type)p->type,
                                           .name = span_str(names[p->name]),
                                           .sample_rate = p->rate ? 1 : 0.5,
                                           .n_tags = 1,
                                           .tags = &tag,
                                           .n_values = 1,
                                           .values = &value}};
        OK(store_arrival(s, p->session, (enum source)p->source, AT, &err));
        OK(store_put(s, &record, &err));
        if (dice(id < N / 2 ? 200 : 10) == 0)
            COMMIT(s);
    }
    COMMIT(s);
    for (int asked = 0; asked < ASKED; asked++) {
        struct span tag = span_str(tag_globs[dice(4)]);
        struct filter f = {.since = dice(2) ? dice(N) : 0,
                           .until = dice(3) ? 0 : dice(N),
                           .limit = dice(2) ? 0 : dice(50),
                           .newest = dice(2)};
        if (dice(2))
            f.name = span_str(globs[dice(7)]);
        f.has_type = dice(4) == 0;
        f.type = (enum metric_type)dice(3);
        f.has_source = dice(4) == 0;
        f.source = (enum source)dice(4);
        f.n_tags = dice(3) == 0;
        f.tags = &tag;
        if (dice(3) == 0)
            f.session = dice(2) ? SPAN("two") : SPAN("default");
        uint64_t want[N], n = 0;
        for (uint64_t id = 1; id <= N; id++)
            if (plain_matches(&list[id], &f, id, names, tags))
                want[n++] = id;
        uint64_t skip = f.limit && n > f.limit && f.newest ? n - f.limit : 0;
        uint64_t expected = f.limit && n > f.limit ? f.limit : n;
        struct lines got = lines_of(s, SAMPLES, f);
        EQ_INT(got.n, expected);
        for (uint64_t i = 0; i < expected && i < got.n; i++)
            CU_ASSERT((uint64_t)atoi(got.text[i]) == want[skip + i]);
        lines_free(&got);
        EQ_INT(count_of(s, SAMPLES_BY_SERIES, f), expected);
    }
    store_close(s);
}
ON_EACH_MEDIUM(any_filter)

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

UNIT_MAIN("store", CASES("every field of a metric", metric_fields),
          CASES("every field of the other kinds", other_kinds), CASES("what makes a series", identity),
          CASES("summaries weigh samples as the Agent does", weights), CASES("filters", filters),
          CASES("limits and newest", limits), CASES("marks and moments", marks), CASES("sessions", sessions),
          CASES("reset", reset), CASES("losses", losses),
          CASES("losses once read stay as they are", losses_once_read_stay),
          CASES("losses are gathered", losses_are_gathered), CASES("evicted up to", evicted_up_to),
          CASES("retention by count", retention_by_count),
          CASES("retention and summaries", retention_and_summaries),
          CASES("sums do not depend on commits", sums_do_not_depend_on_commits),
          CASES("retention by age", retention_by_age), CASES("series limit", series_limit),
          CASES("more than a slice holds", large_slices), CASES("kept datagrams", datagrams),
          CASES("large datagrams", large_datagrams), CASES("10,000 random records", random_records),
          CASES("any filter", any_filter), CASES("many readers", many_readers),
          CASES("readers beside the writer", concurrent),
          CASES("filters that nothing can match", nothing_applies))
