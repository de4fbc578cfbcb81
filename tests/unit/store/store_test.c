/* What a store keeps on every medium: all fields, summaries, sessions, datagrams. */
#include "store/fixture.h"

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

/* --- sessions and reset ------------------------------------------------------------------------ */

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

/* --- datagrams --------------------------------------------------------------------------------- */

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

UNIT_MAIN("store", CASES("every field of a metric", metric_fields),
          CASES("every field of the other kinds", other_kinds), CASES("what makes a series", identity),
          CASES("summaries weigh samples as the Agent does", weights), CASES("sessions", sessions),
          CASES("reset", reset), CASES("sums do not depend on commits", sums_do_not_depend_on_commits),
          CASES("kept datagrams", datagrams), CASES("large datagrams", large_datagrams))
