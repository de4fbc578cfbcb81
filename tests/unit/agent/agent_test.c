/* The limits of the Agent's view, clocks that jump, and options. */
#include "agent/payload.h"

#include "unit.h"
#include <math.h>

#define NS 1000000000LL

static struct agent_sample sample(enum metric_type type, const char *name, int64_t at_s, double value) {
    return (struct agent_sample){.type = type,
                                 .name = span_str(name),
                                 .at_ns = at_s * NS,
                                 .value = value,
                                 .rate = 1,
                                 .text = SPAN("x")};
}

static int take(struct agent *a, enum metric_type type, const char *name, int64_t at_s, double value,
                struct err *err) {
    struct agent_sample s = sample(type, name, at_s, value);
    return agent_take(a, &s, err);
}

static struct agent *agent_with(size_t max_bytes) {
    struct agent_options options;
    agent_defaults(&options);
    if (max_bytes)
        options.max_bytes = max_bytes;
    return agent_new(&options);
}

/* What a flush sends, as a line for each series: "name=value at time". */
static void show_series(void *arg, const struct agent_series *series) {
    for (size_t i = 0; i < series->n_points; i++)
        buf_printf(arg, "%.*s %s %g at %lld\n", SPAN_ARG(series->metric), series->type,
                   series->points[i].value, (long long)series->points[i].at_s);
}
static void show_sketch(void *arg, const struct agent_sketch_series *series) {
    for (size_t i = 0; i < series->n_points; i++)
        buf_printf(arg, "%.*s sketch of %lld in %zu at %lld\n", SPAN_ARG(series->metric),
                   (long long)series->points[i].count, series->points[i].n_bins,
                   (long long)series->points[i].at_s);
}
static void begin(void *arg, int64_t at_ns) {
    (void)arg, (void)at_ns;
}
static void end(void *arg) {
    (void)arg;
}
static const struct agent_sink show = {begin, show_series, show_sketch, show_series, end};

static const char *flush(struct agent *a, int64_t at_s) {
    static struct buf text;
    struct err err = {0};
    buf_clear(&text);
    if (agent_flush(a, at_s * NS, &show, &text, &err) != 0)
        return err.text[0] ? "failed" : "failed without a word";
    return text.p ? text.p : "";
}

static void test_million_contexts(void) {
    struct agent *a = agent_with(0);
    struct err err = {0};
    int failed = 0;
    char name[32];
    for (int i = 0; i < AGENT_CONTEXTS_MAX && !failed; i++) {
        snprintf(name, sizeof name, "name.%d", i);
        failed = take(a, METRIC_GAUGE, name, 1000, 1, &err);
    }
    EQ_INT(failed, 0);
    CU_ASSERT(take(a, METRIC_GAUGE, "one.more", 1000, 1, &err) != 0);
    CU_ASSERT(strstr(err.text, "more than 1000000 different combinations of name, host and tags") != NULL);
    agent_free(a);
}

static void test_expired_contexts_make_room(void) {
    struct agent *a = agent_with(8 << 20);
    struct err err = {0};
    int failed = 0;
    char name[32];
    for (int i = 0; i < 200000 && !failed; i++) {
        snprintf(name, sizeof name, "name.%d", i);
        failed = take(a, METRIC_GAUGE, name, 1000 + i, 1, &err);
        if (i % 15 == 0)
            flush(a, 1000 + i);
    }
    EQ_INT(failed, 0);
    EQ_STR(flush(a, 1000 + 200000 + 1000) ? "" : "?", "");
    CU_ASSERT(agent_idle(a));
    agent_free(a);
}

static void test_memory(void) {
    static const enum metric_type types[] = {METRIC_TIMING, METRIC_SET, METRIC_DISTRIBUTION, METRIC_COUNT};
    for (size_t k = 0; k < 4; k++) {
        struct agent *a = agent_with(1 << 20);
        struct err err = {0};
        char text[32];
        int failed = 0;
        for (int i = 0; i < 10000000 && !failed; i++) {
            struct agent_sample s =
                sample(types[k], "a", 1000 + (types[k] == METRIC_SET ? 0 : i), pow(1.01, i % 5000));
            snprintf(text, sizeof text, "%d", i);
            s.text = span_str(text);
            failed = agent_take(a, &s, &err);
        }
        CU_ASSERT(failed != 0 && strstr(err.text, "let the Agent flush more often") != NULL);
        agent_free(a);
    }
}

static void test_memory_of_explanations(void) {
    struct agent_options options;
    struct err err = {0};
    agent_defaults(&options);
    options.max_bytes = 4 << 20;
    options.explain = SPAN("*");
    struct agent *a = agent_new(&options);
    int failed = 0;
    for (int i = 0; i < 100000 && !failed; i++)
        failed = take(a, METRIC_SET, "a", 10 * i, 1, &err);
    CU_ASSERT(failed != 0 && strstr(err.text, "needs more than 4 MB") != NULL);
    agent_free(a);
}

static void test_timed_memory(void) {
    struct agent *a = agent_with(1 << 20);
    struct err err = {0};
    struct agent_sample s = sample(METRIC_GAUGE, "a", 1000, 1);
    s.timestamp = 990;
    for (int round = 0; round < 50; round++) { /* what a flush sent is forgotten */
        for (int i = 0; i < 2000; i++)
            EQ_INT(agent_take(a, &s, &err), 0);
        EQ_INT(strlen(flush(a, 1000 + round)) > 0, 1);
    }
    int failed = 0;
    for (int i = 0; i < 1000000 && !failed; i++)
        failed = agent_take(a, &s, &err);
    CU_ASSERT(failed != 0);
    agent_free(a);
}

static void test_clock_jumps(void) {
    struct agent *a = agent_with(0);
    struct err err = {0};
    take(a, METRIC_GAUGE, "a", 1000000, 1, &err);
    take(a, METRIC_GAUGE, "a", 1000, 2, &err); /* back */
    EQ_STR(flush(a, 1010), "a gauge 2 at 1000\n");
    take(a, METRIC_GAUGE, "a", 9000000000, 3, &err); /* far ahead */
    EQ_INT(agent_due_s(a), 9000000010);
    EQ_STR(flush(a, 1000010), "a gauge 1 at 1000000\n");
    EQ_STR(flush(a, 9000000010), "a gauge 3 at 9000000000\n");
    flush(a, 9000000100);
    CU_ASSERT(agent_idle(a));
    agent_free(a);
}

/* The Agent loses what a context still holds when it expires. It finds the context by its name, so a later sample revives it. */
static void test_expired_while_a_bucket_is_open(void) {
    struct agent *a = agent_with(0);
    struct err err = {0};
    take(a, METRIC_GAUGE, "a", 2000, 1, &err);
    take(a, METRIC_GAUGE, "a", 1000, 2, &err); /* last seen: 1000 */
    EQ_STR(flush(a, 1500), "a gauge 2 at 1000\n");
    EQ_STR(flush(a, 2010), "");
    CU_ASSERT(agent_idle(a));
    take(a, METRIC_GAUGE, "b", 3000, 1, &err);
    take(a, METRIC_GAUGE, "b", 2500, 2, &err);
    EQ_STR(flush(a, 2800), "b gauge 2 at 2500\n");
    take(a, METRIC_GAUGE, "b", 2990, 3, &err);
    EQ_STR(flush(a, 3010), "b gauge 3 at 2990\nb gauge 1 at 3000\n");
    agent_free(a);
}

static void test_ten_types_under_one_name(void) {
    struct agent *a = agent_with(0);
    struct err err = {0};
    for (int i = 0; i < 60; i++)
        EQ_INT(take(a, (enum metric_type)(i % METRIC_RATE), "a", 1000 + i, 1, &err), 0);
    CU_ASSERT(strlen(flush(a, 1100)) > 0);
    flush(a, 2000);
    CU_ASSERT(agent_idle(a));
    agent_free(a);
}

static void test_odd_rates(void) {
    static const double rates[] = {0, -1, 1e-300, 1e300, INFINITY, -INFINITY, NAN, 5e-324};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        for (int type = 0; type < METRIC_RATE; type++) {
            struct agent *a = agent_with(0);
            struct err err = {0};
            struct agent_sample s = sample((enum metric_type)type, "a", 1000, 2);
            s.rate = rates[i];
            EQ_INT(agent_take(a, &s, &err), 0);
            EQ_INT(agent_take(a, &s, &err), 0);
            CU_ASSERT(strncmp(flush(a, 1010), "a", 1) == 0);
            agent_free(a);
        }
}

/* More keys than a sketch has bins: the lowest ones are merged, and no value is lost. */
struct bins {
    size_t n;
    uint64_t values;
    int32_t lowest;
};
static void count_bins(void *arg, const struct agent_sketch_series *series) {
    struct bins *bins = arg;
    const struct agent_sketch_point *p = &series->points[0];
    *bins = (struct bins){.n = p->n_bins, .lowest = p->keys[0]};
    for (size_t i = 0; i < p->n_bins; i++)
        bins->values += p->counts[i];
}

static void test_many_bins(void) {
    static const struct agent_sink sink = {begin, show_series, count_bins, show_series, end};
    struct agent *a = agent_with(0);
    struct err err = {0};
    struct bins bins;
    for (int i = 0; i < 10000; i++) {
        double size = pow(1.015625, i % 5000 - 1300);
        EQ_INT(take(a, METRIC_DISTRIBUTION, "a", 1000, i % 2 ? size : -size, &err), 0);
    }
    EQ_INT(agent_flush(a, 1010 * NS, &sink, &bins, &err), 0);
    EQ_INT(bins.n, 4096);
    EQ_INT(bins.values, 10000);
    CU_ASSERT(bins.lowest > -5000);
    agent_free(a);
}

static void test_options(void) {
    struct agent_options o;
    struct err err = {0};
    agent_defaults(&o);
    EQ_INT(agent_read_aggregates(&o, SPAN(" sum, min  max"), &err), 0);
    EQ_INT(o.aggregates, 1U << AGENT_SUM | 1U << AGENT_MIN | 1U << AGENT_MAX);
    EQ_INT(agent_read_percentiles(&o, SPAN("0.99 0.5,0.5,1"), &err), 0);
    EQ_INT(o.n_percentiles, 3);
    EQ_INT(o.percentiles[0] * 10000 + o.percentiles[1] * 100 + o.percentiles[2], 50 * 10000 + 99 * 100 + 100);
    static const struct span wrong[] = {{"0", 1},  {"0.001", 5}, {"1.01", 4},
                                        {"-1", 2}, {"NaN", 3},   {"p95", 3}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct err why = {0};
        CU_ASSERT(agent_read_percentiles(&o, wrong[i], &why) != 0 && strstr(why.text, "0.01 to 1") != NULL);
    }
}

UNIT_MAIN("agent/agent", {"a million contexts fit, and one more is an error", test_million_contexts},
          {"what has expired makes room", test_expired_contexts_make_room},
          {"memory has a limit for each type", test_memory},
          {"and for timestamped samples", test_timed_memory},
          {"and for explanations", test_memory_of_explanations}, {"clocks that jump", test_clock_jumps},
          {"a context that expires while its bucket is open", test_expired_while_a_bucket_is_open},
          {"each type under one name", test_ten_types_under_one_name},
          {"rates that are none", test_odd_rates}, {"a sketch with too many keys", test_many_bins},
          {"the words of the Agent's options", test_options})
