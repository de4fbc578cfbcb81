/* What statwit-expect(7) says in one sentence, with the example that stands there or one like it. */
#include "judging.h"

#include "unit.h"

static struct fake *f;

static struct fake *sent(const char *datagram) {
    fake_free(f ? f : fake_new());
    f = fake_new();
    if (datagram)
        fake_send(f, datagram);
    return f;
}

static bool says(const char *text, const char *words) {
    const char *why = judging_text(f, text, "why");
    bool found = strstr(why, words) != NULL;
    if (!found)
        fprintf(stderr, "%s: %s\n", text, why);
    return found;
}

/* T8: once one sample could have the first and another the second. */
static void test_one_sample_for_several_clauses(void) {
    sent("g:-50|g\ng:5|g");
    PASSES(f, "no gauge g each < 0 and each > -10");
    PASSES(f, "no gauge g each > 0 and each < 0");
    FAILS(f, "no gauge g each < 0 and each > -60");
    CU_ASSERT(says("no gauge g each < 0 and each > -60", "each is, once, -50"));
    EQ_STR(judging_text(f, "no gauge g each < 0 and each > -10", "observed"),
           "each of no sample, each of no sample");
    FAILS(f, "no gauge g each == 5 and each != 6");
    PASSES(f, "no gauge g each == 5 and each == -50");
    /* what is said of all samples is said of each in turn */
    FAILS(f, "gauge g each < 0 and each > -10");
    PASSES(f, "gauge g each <= 5 and each >= -50");
    /* other clauses are about all that matched */
    FAILS(f, "no gauge g each < 0 and each > -60 and samples == 2");
    PASSES(f, "no gauge g each < 0 and each > -60 and samples == 3");
    PASSES(f, "no gauge g each < 0 and each > -10 and samples == 2");
    PASSES(f, "no gauge none each < 0 and each > -10");
    /* over several series */
    fake_send(f, "g:-5|g|#x:1");
    FAILS(f, "no gauge g each < 0 and each > -10");
    PASSES(f, "no gauge g{!x} each < 0 and each > -10");
}

static void test_one_sample_and_its_rate(void) {
    sent("a:5|c|@0.5\na:1|c\na:7|c|@0.25");
    PASSES(f, "no incr a each == 5 and rate == 1");
    FAILS(f, "no incr a each == 5 and rate == 0.5");
    FAILS(f, "no incr a each > 1 and rate < 0.5");
    PASSES(f, "no incr a rate < 1 and rate > 0.5");
    FAILS(f, "no incr a rate < 1 and rate > 0.25");
    PASSES(f, "no incr a each > 1 and rate == 1");
    FAILS(f, "incr a each > 1 and rate == 1");
    EQ_INT(judging_final(f, "no incr a each == 5 and rate == 0.5"), true);
    EQ_INT(judging_final(f, "no incr a each == 5 and rate == 1"), false);
    fake_loss(f, NULL, LOSS_KERNEL_DROP, 1);
    INCONCLUSIVE(f, "no incr a each == 5 and rate == 1");
    FAILS(f, "no incr a each == 5 and rate == 0.5");
    sent("s:x|s|@0.5\ns:3|c");
    FAILS(f, "no any s rate == 0.5 and rate < 1");
    PASSES(f, "no any s each == 3 and rate == 0.5");
}

static void test_one_sample_in_a_sketch(void) {
    static const int32_t keys[] = {1487};
    static const uint32_t counts[] = {9};
    struct sketch sketch = {
        .count = 9, .sum = 90, .min = 1, .max = 100, .avg = 10, .n_bins = 1, .keys = keys, .counts = counts};
    struct value value = {.number = 10, .timestamp = 1, .sketch = &sketch};
    struct record record = {.kind = RECORD_METRIC,
                            .metric = {.type = METRIC_DISTRIBUTION,
                                       .name = SPAN("d"),
                                       .sample_rate = 1,
                                       .n_values = 1,
                                       .values = &value}};
    sent(NULL);
    fake_source(f, SOURCE_HTTP);
    fake_put(f, &record);
    FAILS(f, "no distribution d each > 50 and each < 60"); /* there may be one */
    CU_ASSERT(says("no distribution d each > 50 and each < 60", "can't be told from sketches"));
    PASSES(f, "no distribution d each > 60 and each < 50");
    PASSES(f, "no distribution d each > 100 and each < 200");
    PASSES(f, "no distribution d each > 0 and each < 1");
    FAILS(f, "no distribution d each >= 100 and each < 200"); /* the greatest is exact */
    FAILS(f, "no distribution d each > 0 and rate == 1");
    PASSES(f, "no distribution d each > 50 and rate < 1");
}

/* Not a value between the ends of all sketches together: each holds only what lies between its own. */
static void test_no_sketch_reaches_so_far(void) {
    static const int32_t keys[] = {1338};
    static const uint32_t counts[] = {4};
    static const double ends[][2] = {{0, 1}, {5, 9}};
    sent(NULL);
    fake_source(f, SOURCE_HTTP);
    for (size_t i = 0; i < 2; i++) {
        double low = ends[i][0], high = ends[i][1];
        struct sketch sketch = {.count = 4,
                                .sum = 2 * (low + high),
                                .min = low,
                                .max = high,
                                .avg = (low + high) / 2,
                                .n_bins = 1,
                                .keys = keys,
                                .counts = counts};
        struct value value = {.number = sketch.avg, .timestamp = 1, .sketch = &sketch};
        fake_put(f, &(struct record){.kind = RECORD_METRIC,
                                     .metric = {.type = METRIC_DISTRIBUTION,
                                                .name = SPAN("d"),
                                                .sample_rate = 1,
                                                .n_values = 1,
                                                .values = &value}});
    }
    PASSES(f, "no d d each < 5 and each > 1");
    FAILS(f, "no d d each <= 5 and each > 1");
    FAILS(f, "no d d each < 7 and each > 1"); /* there may be one in the second */
    FAILS(f, "no d d each < 0.5 and each > 0");
    FAILS(f, "no d d each > 8 and rate == 1");
    PASSES(f, "d d each != 3");
    PASSES(f, "no d d each == 3");
    FAILS(f, "d d each != 6");
    FAILS(f, "no d d each == 0.5");
    FAILS(f, "d d each != 5");
}

static void test_shown_value_is_the_wrong_one(void) {
    sent("a:1:7:10|ms\nr:1|c|@0.5\nr:1|c\nr:1|c|@0.1");
    CU_ASSERT(says("timing a each != 7", "each is, once, 7, expected"));
    CU_ASSERT(says("timing a each != 7.5 +- 1", "each is, once, 7, expected"));
    CU_ASSERT(says("no timing a each == 7", "each is, once, 7"));
    CU_ASSERT(says("no timing a each ~ 7 +- 0.1", "each is, once, 7"));
    CU_ASSERT(says("timing a each != 10", "each is, once, 10, expected"));
    CU_ASSERT(says("incr r rate != 0.5", "rate is, once, 0.5, expected"));
    CU_ASSERT(says("no incr r rate ~ 0.5", "rate is, once, 0.5"));
}

static void test_no_check_has_two_states(void) {
    sent("_sc|x|1\n_sc|x|0");
    PASSES(f, "no check x status == warning and status != warning");
    CU_ASSERT(says("no check x status == warning and status != warning",
                   "holds for no service check that satisfies the rest as well"));
    const char *why = judging_text(f, "no check x status == warning and status != warning", "why");
    CU_ASSERT_PTR_NULL(strstr(why, "rounding"));
    sent("_sc|x|1");
    CU_ASSERT(says("no check x status == warning and status != warning",
                   "holds for no service check that satisfies the rest as well"));
    CU_ASSERT(says("no check x status == ok", "status is warning, expected status == ok"));
}

static void test_equality_of_what_is_computed(void) {
    sent("a:0.1:0.2:0.3|c\nb:1000000000|c\nb:1|c\ng:0.1|g\ng:0.2|g");
    PASSES(f, "incr a sum == 0.6 and avg == 0.2 and count == 3");
    FAILS(f, "incr a sum != 0.6");
    PASSES(f, "incr a sum == 0.6000000001");
    FAILS(f, "incr a sum == 0.60000001");
    FAILS(f, "incr a sum <= 0.6"); /* only == and != */
    PASSES(f, "incr a sum > 0.6");
    PASSES(f, "incr b sum == 1000000001"); /* whole numbers are exact */
    FAILS(f, "incr b sum == 1000000000");
    PASSES(f, "incr b sum != 1000000000");
    FAILS(f, "gauge g max == 0.20000000001"); /* what was received is exact */
    FAILS(f, "gauge g last == 0.20000000001");
    FAILS(f, "gauge g median == 0.10000000001");
    FAILS(f, "gauge g each == 0.2");
    sent("t:1|c|@0.3\nt:1|c|@0.3\nt:1|c|@0.3");
    PASSES(f, "incr t count == 10");
    PASSES(f, "incr t sum == 10");
    FAILS(f, "incr t sum == 10.1");
    PASSES(f, "incr t sum == 10.1 +- 0.2");
}

/* Ambiguity 1: what a sample rate does, type by type. */
static void test_count_and_sum_by_type(void) {
    sent("c:2|c|@0.3\ng:2|g|@0.3\ns:x|s|@0.3\nt:2|ms|@0.3\nh:2|h|@0.3\nd:2|d|@0.3");
    PASSES(f, "incr c count == 3.3333333333 and sum == 6.6666666667");
    PASSES(f, "gauge g count == 1 and sum == 2");
    PASSES(f, "set s count == 1");
    for (const char *const *t = (const char *const[]){"timing t", "histogram h", "distribution d", NULL}; *t;
         t++) {
        char text[96];
        snprintf(text, sizeof text, "%s count == 3 and sum == 6.6666666667", *t);
        PASSES(f, text);
    }
}

/* Ambiguity 5: rates that are none. */
static void test_odd_sample_rates(void) {
    sent("c:2|c|@2\nt:2|ms|@2\nd:2|d|@2");
    PASSES(f, "incr c count == 0.5 and sum == 1");
    PASSES(f, "timing t count == 0 and sum == 1");
    PASSES(f, "distribution d count == 1 and sum == 2");
    sent("c:2|c|@-1\nt:2|ms|@-1\nd:2|d|@-1");
    PASSES(f, "incr c count == -1 and sum == -2");
    PASSES(f, "timing t count == -1 and sum == -2");
    PASSES(f, "distribution d count == 1 and sum == 2");
    sent("c:2|c|@0\nt:2|ms|@0\nd:2|d|@0");
    PASSES(f, "incr c count > 1e300 and sum > 1e300 and samples == 1");
    PASSES(f, "timing t count == 1 and sum == 2");
    PASSES(f, "distribution d count == 1 and sum == 2");
}

/* Low: a stat that can't be computed said that nothing matched, and a `no` passed. */
static void test_no_number(void) {
    sent("e:1|c|@nan");
    FAILS(f, "any e count == 1");
    FAILS(f, "no any e count == 5");
    FAILS(f, "no any e sum != 5");
    FAILS(f, "no any e avg == 5");
    CU_ASSERT(says("any e count == 1", "count can't be told: with a sample rate that came it is no number"));
    PASSES(f, "any e samples == 1 and last == 1 and max == 1");
    sent("e:1|c\ne:x|s");
    FAILS(f, "any e last == 1");
    FAILS(f, "any e last != 1");
    PASSES(f, "no any e last == 1");
    CU_ASSERT(says("any e last == 1", "last has no value: the newest sample is of a set, a text"));
    PASSES(f, "any e first == 1");
    sent("e:x|s\ne:1|c");
    CU_ASSERT(says("any e first == 1", "first has no value: the oldest sample is of a set, a text"));
    PASSES(f, "any e sum == 1 and each == 1");
    sent("e:x|s");
    FAILS(f, "any e sum == 0");
    PASSES(f, "no any e sum == 0");
    FAILS(f, "any e each >= 0");
    PASSES(f, "no any e each >= 0");
    CU_ASSERT(says("any e sum == 0", "sum has no value: a set holds texts, not numbers"));
    CU_ASSERT(says("any e each >= 0", "each has no value: a set holds texts, not numbers"));
}

/* Ambiguity 5: characters, keys, p0. */
static void test_names_keys_and_p0(void) {
    sent("caf\xc3\xa9:1|g|#k*y:1,key:1\nx\xff:2:1|g");
    PASSES(f, "gauge caf?");
    FAILS(f, "gauge caf??");
    PASSES(f, "gauge x?");
    PASSES(f, "gauge caf?{k*y:1}");
    PASSES(f, "gauge caf?{k*}");
    PASSES(f, "gauge caf?[k*y]");
    FAILS(f, "gauge caf?[k*y:2]");
    PASSES(f, "gauge x? p0 == 1");
}

/* Ambiguity 6, and as T8: under `no` of any check, and of one and the same. */
static void test_statuses(void) {
    sent("_sc|db|0\n_sc|db|2");
    FAILS(f, "check db status == ok");
    FAILS(f, "no check db status == ok");
    PASSES(f, "check db status != ok and status == critical");
    PASSES(f, "no check db status != ok and status != critical");
    FAILS(f, "no check db status != ok and status != warning");
    PASSES(f, "no check db status == ok and status == critical");
    FAILS(f, "no check db status == ok and samples == 2");
    PASSES(f, "no check db status == ok and samples == 3");
}

/* Ambiguity 4: what a tolerance does to < and >, and what ~ is relative to. */
static void test_tolerances(void) {
    sent("g:5|g\nh:1000000|g");
    PASSES(f, "gauge g last < 5 +- 1");
    FAILS(f, "gauge g last < 4 +- 1");
    PASSES(f, "gauge g last <= 4 +- 1");
    PASSES(f, "gauge g last > 5 +- 1");
    PASSES(f, "gauge h last ~ 1000001");
    FAILS(f, "gauge h last ~ 1000001.1");
}

/* Ambiguities 3 and 7. */
static void test_what_a_loss_can_change(void) {
    sent("a:1|c\na:2|c\n_sc|c|0");
    fake_loss(f, NULL, LOSS_KERNEL_DROP, 1);
    INCONCLUSIVE(f, "incr a sum >= 3"); /* a lost value may have been negative */
    PASSES(f, "incr a count >= 2");
    INCONCLUSIVE(f, "incr a last == 2");
    INCONCLUSIVE(f, "check c status == ok");
    sent("a:1|c\na:2|c\n_sc|c|0\n_sc|c|2");
    fake_loss(f, NULL, LOSS_EVICTED, 1); /* all of it was older than what is left */
    fake_loss(f, NULL, LOSS_EVICTED_CHECKS, 1);
    PASSES(f, "incr a last == 2");
    FAILS(f, "incr a last == 1");
    FAILS(f, "no incr a last == 2");
    INCONCLUSIVE(f, "incr none last == 2");
    INCONCLUSIVE(f, "incr a first == 1");
    INCONCLUSIVE(f, "incr a sum == 3");
    PASSES(f, "check c status == critical");
    FAILS(f, "check c status == ok");
    INCONCLUSIVE(f, "no check c status == warning"); /* of any */
    fake_loss(f, NULL, LOSS_QUEUE_FULL, 1);
    INCONCLUSIVE(f, "incr a last == 2");
    INCONCLUSIVE(f, "check c status == critical");
}

/* T9 */
static void test_dropped_on_purpose(void) {
    sent("a:1|c");
    PASSES(f, "no any b");
    fake_loss(f, "default", LOSS_INJECTED, 7);
    INCONCLUSIVE(f, "no any b");
    CU_ASSERT(says("no any b", "7 datagrams dropped on purpose"));
    PASSES(f, "any a");
}

static void test_done(void) {
    fake_free(f);
    f = NULL;
}

UNIT_MAIN("judge/exactness", {"one sample for several each", test_one_sample_for_several_clauses},
          {"one sample and its rate", test_one_sample_and_its_rate},
          {"one sample in a sketch", test_one_sample_in_a_sketch},
          {"no sketch reaches so far", test_no_sketch_reaches_so_far},
          {"the value that is shown is the wrong one", test_shown_value_is_the_wrong_one},
          {"no check has two states", test_no_check_has_two_states},
          {"== of what is computed", test_equality_of_what_is_computed},
          {"count and sum type by type", test_count_and_sum_by_type},
          {"odd sample rates", test_odd_sample_rates}, {"a stat without a number says why", test_no_number},
          {"names, keys and p0", test_names_keys_and_p0}, {"statuses", test_statuses},
          {"tolerances", test_tolerances}, {"what a loss can change", test_what_a_loss_can_change},
          {"dropped on purpose", test_dropped_on_purpose}, {"(done)", test_done})
