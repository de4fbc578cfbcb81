/* What an aggregating HTTP client made of a metric: the forms of a timing, a histogram or a distribution, and the rate of a count.
 */
#include "judge/evaluate/match.h"
#include "judging.h"

#include "unit.h"

static struct fake *f;

static struct fake *sent(const char *datagram) {
    fake_free(f ? f : fake_new());
    f = fake_new();
    fake_obeys_names = true;
    if (datagram)
        fake_send(f, datagram);
    fake_source(f, SOURCE_HTTP);
    return f;
}

static void by_udp(const char *datagram) {
    fake_source(f, SOURCE_UDP);
    fake_send(f, datagram);
    fake_source(f, SOURCE_HTTP);
}

static enum form form(const char *name, const char *base) {
    struct span found = SPAN("");
    double percentile;
    enum form form = form_of(span_str(name), &found, &percentile);
    EQ_SPAN(found, span_str(base));
    return form;
}

static void test_names_of_forms(void) {
    EQ_INT(form("a.avg", "a"), FORM_AVG);
    EQ_INT(form("a.b.95percentile", "a.b"), FORM_PERCENTILE);
    EQ_INT(form("a.100percentile", "a"), FORM_PERCENTILE);
    static const char *const others[] = {"a",
                                         ".avg",
                                         "avg",
                                         "percentile",
                                         "95percentile",
                                         ".95percentile",
                                         "a.percentile",
                                         "a.x5percentile",
                                         "a.-5percentile",
                                         "a.101percentile",
                                         "a.1000percentile"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        EQ_INT(form(others[i], ""), FORM_NONE);
}

static void flush_tagged(const char *name, enum metric_type type, double number, int64_t interval,
                         const char *tag, const char *host) {
    struct value value = {.number = number, .timestamp = 1};
    struct span tags = span_str(tag);
    struct record record = {.kind = RECORD_METRIC,
                            .metric = {.type = type,
                                       .name = span_str(name),
                                       .sample_rate = 1,
                                       .n_values = 1,
                                       .values = &value,
                                       .interval = interval,
                                       .n_tags = 1,
                                       .tags = &tags,
                                       .origin = {.host = span_str(host)}}};
    fake_put(f, &record);
}

static void flushed(const char *name, enum metric_type type, double number, int64_t interval) {
    flush_tagged(name, type, number, interval, "env:ci", "web");
}

static void flush_all(void) {
    flushed("lat.avg", METRIC_GAUGE, 20, 10);
    flushed("lat.min", METRIC_GAUGE, 5, 10);
    flushed("lat.max", METRIC_GAUGE, 90, 10);
    flushed("lat.median", METRIC_GAUGE, 18, 10);
    flushed("lat.95percentile", METRIC_GAUGE, 80, 10);
    flushed("lat.count", METRIC_RATE, 1.5, 10);
}

static bool says(const char *text, const char *words) {
    const char *why = judging_text(f, text, "why");
    bool found = strstr(why, words) != NULL;
    if (!found)
        fprintf(stderr, "%s: %s\n", text, why);
    return found;
}

static void test_all_forms(void) {
    sent(NULL);
    flush_all();
    PASSES(f, "timing lat{env:ci}");
    PASSES(f, "histogram lat count == 15");
    PASSES(f, "distribution lat avg == 20 and min == 5 and max == 90 and median == 18 and p95 < 100");
    PASSES(f, "timing lat samples == 1 and series == 1"); /* one point of lat.count */
    PASSES(f, "timing lat each >= 5");
    FAILS(f, "timing lat each > 5");
    PASSES(f, "timing lat each <= 90");
    FAILS(f, "timing lat each < 90");
    FAILS(f, "timing lat each == 20");
    FAILS(f, "timing lat each != 20");
    PASSES(f, "timing lat each != 91");
    CU_ASSERT(says("timing lat each != 20", "each can't be told from aggregated forms"));
    PASSES(f, "no timing lat each > 90");
    FAILS(f, "no timing lat each >= 90");
    FAILS(f, "timing lat p99 < 100"); /* not sent */
    FAILS(f, "timing lat last == 20");
    FAILS(f, "no timing lat");
    FAILS(f, "timing lat{env:prod}");
    FAILS(f, "incr lat");
    FAILS(f, "any lat");
    CU_ASSERT(says("timing lat count == 15", "lat.count{env:ci,host:web}"));
    /* what can't be told is no proof that it never was */
    FAILS(f, "no timing lat p99 > 100");
    FAILS(f, "no timing lat last == 20");
    FAILS(f, "no timing lat each == 20");
    CU_ASSERT(says("no timing lat p99 > 100", "can't be told"));
    PASSES(f, "no timing lat p99 > 100 and max > 90"); /* unless another clause is */
    PASSES(f, "no timing lat avg > 20");
    /* a second flush: rates add up, percentiles must hold in both */
    flushed("lat.count", METRIC_RATE, 0.5, 10);
    flushed("lat.95percentile", METRIC_GAUGE, 200, 10);
    PASSES(f, "timing lat count == 20 and samples == 2");
    FAILS(f, "timing lat p95 < 100");
    PASSES(f, "timing lat p95 > 70");
    FAILS(f, "no timing lat p95 > 100");  /* once it was */
    FAILS(f, "no timing lat p95 == 100"); /* of both together it may be */
    FAILS(f, "timing lat p95 != 100");
    PASSES(f, "timing lat p95 != 300");
    PASSES(f, "no timing lat p95 == 300");
    PASSES(f, "no timing lat p95 < 80");
    FAILS(f, "no timing lat p95 != 80");
    CU_ASSERT(says("timing lat p95 < 100", "over all points 80 to 200"));
}

/* T6: a lone gauge that is only named so once passed for the timing. */
static void test_no_form_without_its_count(void) {
    static const char *const forms[] = {"queue.max",    "queue.avg",          "queue.min",
                                        "queue.median", "queue.95percentile", "queue.sum"};
    static const char *const claims[] = {"timing queue",
                                         "histogram queue",
                                         "distribution queue",
                                         "timing queue max == 5",
                                         "timing queue avg == 5",
                                         "timing queue each >= 0",
                                         "timing queue samples >= 1"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        sent(NULL);
        flushed(forms[i], METRIC_GAUGE, 5, 10);
        for (size_t k = 0; k < sizeof claims / sizeof claims[0]; k++)
            FAILS(f, claims[k]);
        PASSES(f, "no timing queue");
        PASSES(f, "no histogram queue");
        PASSES(f, "timing queue samples == 0 and count == 0 and series == 0 and sum == 0");
        CU_ASSERT(says("timing queue", "no sample that matches was received"));
        /* the count of another set of tags, another host, another type, another way in: none of its own */
        flush_tagged("queue.count", METRIC_RATE, 0.1, 10, "env:prod", "web");
        flush_tagged("queue.count", METRIC_RATE, 0.1, 10, "env:ci", "db");
        flushed("queue.count", METRIC_GAUGE, 1, 10);
        flushed("queue.count", METRIC_COUNT, 1, 10);
        FAILS(f, "timing queue{env:ci,host:web}");
        PASSES(f,
               "timing queue series == 2 and count == 2"); /* those two, of which only the count is known */
        FAILS(f, "timing queue max == 5");
        FAILS(f, "no timing queue max == 5");
        flushed("queue.count", METRIC_RATE, 0.1, 10);
        PASSES(f, "timing queue{env:ci,host:web}");
        PASSES(f, "timing queue series == 3 and count == 3");
    }
    /* by DogStatsD, which has no rates, comes no form */
    sent("queue.max:5|g\nqueue.count:1|c");
    FAILS(f, "timing queue");
    PASSES(f, "no timing queue");
}

static void test_no_form_beside_the_metric_itself(void) {
    static const char *const itself[] = {"lat:1:2:3|ms|#env:ci", "lat:1:2:3|h", "lat:1:2:3|d",
                                         "lat:1:2:3|c|#x:y", "lat:1:2:3|g"};
    for (size_t i = 0; i < sizeof itself / sizeof itself[0]; i++) {
        sent(itself[i]);
        flush_all();
        PASSES(f, "any lat samples == 3 and max == 3");
        FAILS(f, i == 0 ? "histogram lat" : "timing lat");
        FAILS(f, "timing lat max == 90");
        PASSES(f, "no timing lat each > 3");
        PASSES(f, "no timing lat count > 3");
    }
    sent("lat:1:2:3|ms");
    flushed("lat.max", METRIC_GAUGE, 500, 10);
    flushed("lat.count", METRIC_RATE, 500, 10);
    PASSES(f, "timing lat samples == 3 and count == 3 and sum == 6 and avg == 2 and p95 == 3 and max == 3");
    PASSES(f, "timing lat last == 3 and first == 1 and distinct == 3 and series == 1");
    /* whenever it comes, before or after */
    sent(NULL);
    flush_all();
    PASSES(f, "timing lat count == 15");
    by_udp("lat:7|ms");
    PASSES(f, "timing lat count == 1 and max == 7");
    FAILS(f, "timing lat{env:ci}");
    /* but what came before the mark is not looked at */
    sent("lat:7|ms");
    struct judge_options since = {.since = fake_last_id(f)};
    flush_all();
    EQ_INT(judging_verdict(f, "timing lat count == 15 and max == 90", &since), VERDICT_PASS);
    /* nor what came into another session */
    sent(NULL);
    fake_session(f, "other");
    by_udp("lat:7|ms");
    fake_session(f, "default");
    flush_all();
    PASSES(f, "timing lat count == 15 and max == 90");
}

static void test_no_form_by_wildcard(void) {
    sent(NULL);
    flush_all();
    static const char *const types[] = {"timing", "histogram", "distribution"};
    static const char *const names[] = {"*", "lat*", "l?t", "la*t"};
    char text[64];
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 4; k++) {
            snprintf(text, sizeof text, "no %s %s", types[i], names[k]);
            PASSES(f, text);
            FAILS(f, text + 3);
        }
    PASSES(f, "timing lat");
    PASSES(f, "prefix l\ntiming at count == 15");
}

static void test_count_without_interval(void) {
    sent(NULL);
    flushed("lat.count", METRIC_RATE, 3, 0);
    flushed("lat.max", METRIC_GAUGE, 5, 0);
    PASSES(f, "timing lat");
    PASSES(f, "timing lat max == 5 and samples == 1 and series == 1");
    FAILS(f, "timing lat count == 3");
    FAILS(f, "timing lat count == 0");
    FAILS(f, "timing lat count >= 1");
    FAILS(f, "no timing lat count == 3");
    CU_ASSERT(says("timing lat count == 3", "count can't be told from aggregated forms"));
    flushed("lat.count", METRIC_RATE, 3, 10); /* nor together with one that tells */
    FAILS(f, "timing lat count == 30");
    PASSES(f, "timing lat samples == 2");
}

static void test_forms_that_are_missing(void) {
    sent(NULL);
    flushed("p.95percentile", METRIC_GAUGE, 80, 10);
    flushed("p.count", METRIC_RATE, 0.1, 10);
    PASSES(f, "timing p samples == 1 and p95 == 80 and count == 1");
    flushed("s.sum", METRIC_GAUGE, 80, 10);
    flushed("s.count", METRIC_RATE, 0.1, 10);
    PASSES(f, "timing s sum == 80");
    static const char *const untold[] = {"timing p sum == 80",
                                         "timing p min == 80",
                                         "timing p max == 80",
                                         "timing p avg == 80",
                                         "timing p median == 80",
                                         "timing p each >= 80",
                                         "timing p each <= 80",
                                         "no timing p each > 80",
                                         "no timing p each < 80",
                                         "timing p first == 80",
                                         "timing p distinct == 1",
                                         "timing p rate == 1",
                                         "no timing p rate == 0.5 and each > 1"};
    for (size_t i = 0; i < sizeof untold / sizeof untold[0]; i++) {
        FAILS(f, untold[i]);
        CU_ASSERT(says(untold[i], "can't be told from aggregated forms"));
    }
    /* nor does the form tell that only one of two has */
    flush_tagged("p.count", METRIC_RATE, 0.1, 10, "env:prod", "web");
    PASSES(f, "timing p count == 2 and series == 2");
    FAILS(f, "timing p p95 == 80");
    PASSES(f, "timing p{env:ci} p95 == 80");
}

static void test_forms_cover(void) {
    struct judge_options options = {.all_covered = true};
    sent(NULL);
    flush_all();
    EQ_INT(judging_verdict(f, "timing lat", &options), VERDICT_PASS);
    EQ_INT(judging_verdict(f, "timing l*", &options), VERDICT_FAIL);
    by_udp("lat.max:9|g|#env:ci,host:web"); /* a sample of its own, in the same series */
    EQ_INT(judging_verdict(f, "timing lat", &options), VERDICT_FAIL);
    sent(NULL);
    flushed("lat.max", METRIC_GAUGE, 9, 10);
    EQ_INT(judging_verdict(f, "timing lat samples == 0", &options), VERDICT_FAIL);
    flushed("lat.count", METRIC_RATE, 9, 10);
    EQ_INT(judging_verdict(f, "timing lat", &options), VERDICT_PASS);
    by_udp("lat:1|ms"); /* now the forms are metrics of their own */
    EQ_INT(judging_verdict(f, "timing lat", &options), VERDICT_FAIL);
    EQ_INT(judging_verdict(f, "timing lat\nany lat.*", &options), VERDICT_PASS);
    sent(NULL);
    flushed("hits", METRIC_RATE, 0.3, 10);
    EQ_INT(judging_verdict(f, "incr hits sum == 3", &options), VERDICT_PASS);
    flushed("hits", METRIC_RATE, 0.3, 0);
    EQ_INT(judging_verdict(f, "incr hits", &options), VERDICT_FAIL);
}

/* Under `no`, `each` clauses speak of one sample: the least and the greatest are known to have been, what lies between is not. */
static void test_forms_and_one_sample(void) {
    sent(NULL);
    flush_all(); /* 5 to 90 */
    PASSES(f, "no timing lat each > 90 and each < 200");
    PASSES(f, "no timing lat each < 5 and each > 0");
    FAILS(f, "no timing lat each >= 90 and each < 200");
    FAILS(f, "no timing lat each > 10 and each < 20");
    CU_ASSERT(says("no timing lat each > 10 and each < 20", "can't be told from aggregated forms"));
    PASSES(f, "no timing lat each > 20 and each < 10");
}

/* F15: the increments of a client that aggregates come as a rate. */
static void test_increments_by_rate(void) {
    sent(NULL);
    flushed("hits", METRIC_RATE, 0.3, 10);
    flushed("hits", METRIC_RATE, 0.4, 10);
    PASSES(f, "incr hits");
    PASSES(f, "incr hits{env:ci}");
    FAILS(f, "incr hits{env:prod}");
    FAILS(f, "no incr hits");
    FAILS(f, "no incr h*");
    PASSES(f, "incr h* sum == 7");
    PASSES(f, "incr hits sum == 7 and count == 7 and sum ~ 7 and count >= 1");
    PASSES(f, "incr hits samples == 2 and series == 1");
    FAILS(f, "incr hits sum == 0.7");
    PASSES(f, "no incr hits sum > 7");
    CU_ASSERT(says("incr hits sum == 7", "told from what an aggregating client sent: hits{env:ci,host:web}"));
    /* `rate` and `any` take it as it came */
    PASSES(f, "rate hits sum == 0.7 and last == 0.4 and count == 2");
    PASSES(f, "any hits sum == 0.7");
    /* single increments can't be told from it */
    static const char *const stats[] = {"first",  "last", "min",  "max",      "avg",
                                        "median", "p95",  "each", "distinct", "rate"};
    char text[64];
    for (size_t i = 0; i < sizeof stats / sizeof stats[0]; i++) {
        snprintf(text, sizeof text, "no incr hits %s >= 0", stats[i]);
        FAILS(f, text);
        CU_ASSERT(says(text, "can't be told from a rate"));
        FAILS(f, text + 3);
    }
    /* without an interval it is only a rate */
    sent(NULL);
    flushed("hits", METRIC_RATE, 3, 0);
    FAILS(f, "incr hits");
    PASSES(f, "no incr hits");
    PASSES(f, "incr hits sum == 0");
}

static void test_counts_and_rates_of_one_name(void) {
    sent("hits:1:2|c|#env:ci\nhits:1|c|@0.5");
    flushed("hits", METRIC_RATE, 0.3, 10);
    flushed("other", METRIC_RATE, 0.1, 10);
    PASSES(f, "incr hits sum == 8 and count == 7 and samples == 4 and series == 3");
    PASSES(f, "incr hits{env:ci} sum == 6");
    PASSES(f, "incr * sum == 9");
    FAILS(f, "incr hits last == 1");
    FAILS(f, "incr hits max == 2");
    FAILS(f, "incr hits each <= 1"); /* one increment says so already */
    CU_ASSERT(says("incr hits each <= 1", "each is, once, 2"));
    FAILS(f, "no incr hits each == 2");
    FAILS(f, "no incr hits each == 7");
    PASSES(f, "incr hits max >= 2");
    FAILS(f, "incr hits distinct == 2");
    PASSES(f, "incr hits distinct >= 2");
}

static void test_rates_after_a_loss(void) {
    sent(NULL);
    flushed("hits", METRIC_RATE, 0.3, 10);
    EQ_INT(judging_final(f, "incr hits sum == 2"), true);
    EQ_INT(judging_final(f, "incr hits sum == 4"), false);
    fake_loss(f, NULL, LOSS_KERNEL_DROP, 1);
    INCONCLUSIVE(f, "incr hits sum == 3");
    INCONCLUSIVE(f, "incr hits count >= 3"); /* a lost rate may have been negative */
    PASSES(f, "incr hits samples >= 1");
    FAILS(f, "no incr hits");
}

/* One sample of lat itself puts its forms aside. */
static void test_forms_settle_nothing(void) {
    sent(NULL);
    flush_all();
    PASSES(f, "timing lat samples >= 1");
    FAILS(f, "timing lat count <= 3");
    EQ_INT(judging_final(f, "timing lat count <= 3"), false);
    EQ_INT(judging_final(f, "no timing lat each > 0"), false);
    EQ_INT(judging_final(f, "no timing lat"), false);
    fake_loss(f, NULL, LOSS_KERNEL_DROP, 1);
    INCONCLUSIVE(f, "timing lat count <= 3");
    INCONCLUSIVE(f, "timing lat max >= 90");
    INCONCLUSIVE(f, "no timing lat each > 0");
    by_udp("lat:1|ms");
    FAILS(f, "no timing lat each > 0");
    INCONCLUSIVE(f, "timing lat count <= 3");
    PASSES(f, "timing lat samples >= 1");
}

static void test_covered_later(void) {
    sent(NULL);
    struct judge_options options = {.all_covered = true};
    flushed("lat.max", METRIC_GAUGE, 90, 10);
    struct judge *j = judging_start("timing lat samples <= 5", &options, f);
    EQ_INT(judge_verdict(j), VERDICT_FAIL);
    EQ_INT(judge_final(j), false);
    judge_free(j);
    fake_loss(f, NULL, LOSS_KERNEL_DROP, 1); /* of the count, perhaps */
    EQ_INT(judging_verdict(f, "timing lat samples <= 5", &options), VERDICT_INCONCLUSIVE);
    flushed("other", METRIC_GAUGE, 1, 10);
    EQ_INT(judging_verdict(f, "timing lat samples <= 5", &options), VERDICT_FAIL);
    flushed("lat.count", METRIC_RATE, 1, 10);
    EQ_INT(judging_verdict(f, "timing lat samples <= 5", &options), VERDICT_FAIL);
    EQ_INT(judging_verdict(f, "any other*", &options), VERDICT_FAIL);
}

static void test_done(void) {
    fake_free(f);
    f = NULL;
}

UNIT_MAIN("judge/forms", {"names of aggregated forms", test_names_of_forms},
          {"all forms of a timing", test_all_forms},
          {"a gauge named like a form is none without its count", test_no_form_without_its_count},
          {"no form beside samples of the metric itself", test_no_form_beside_the_metric_itself},
          {"no form by a name with wildcards", test_no_form_by_wildcard},
          {"a count without an interval can't be told", test_count_without_interval},
          {"forms that are missing", test_forms_that_are_missing}, {"what forms cover", test_forms_cover},
          {"forms and one sample for several clauses", test_forms_and_one_sample},
          {"increments that came as a rate", test_increments_by_rate},
          {"counts and rates of one name", test_counts_and_rates_of_one_name},
          {"rates after a loss", test_rates_after_a_loss},
          {"all_covered gave up on a form before its count came", test_covered_later},
          {"a claim told by forms gave up early, and stood after a loss", test_forms_settle_nothing},
          {"(done)", test_done})
