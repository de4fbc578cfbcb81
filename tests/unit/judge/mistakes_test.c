/* Mistakes that other test doubles for metrics are known to make, one test each; and equalities that must hold. */
#include "judging.h"

#include "unit.h"

static struct fake *f;

static struct fake *sent(const char *datagram) {
    fake_free(f ? f : fake_new());
    f = fake_new();
    fake_send(f, datagram);
    return f;
}

static void gauges_are_not_added_up(void) {
    sent("g:1|g\ng:2|g\ng:3|g");
    PASSES(f, "gauge g last == 3");
    FAILS(f, "gauge g last == 6");
    PASSES(f, "gauge g samples == 3");
}

static void other_tags_do_not_match(void) {
    sent("a:1|c|#b:2");
    FAILS(f, "incr a{a:1}");
    FAILS(f, "incr a[a:1]");
    PASSES(f, "no incr a{a:1}");
}

static void times_zero_is_a_claim(void) {
    sent("a:1|c");
    FAILS(f, "incr a samples == 0");
    PASSES(f, "incr b samples == 0");
    FAILS(f, "no incr a");
}

static void a_prefix_does_not_make_never_pass(void) {
    sent("sentry.errors.db:1|c");
    FAILS(f, "prefix sentry.\nno any errors.*");
    FAILS(f, "prefix sentry.\nno any sentry.errors.*"); /* not sentry.sentry.errors.* */
    FAILS(f, "prefix sentry.\nincr errors.db samples == 0");
    EQ_STR(judging_text(f, "prefix sentry.\nno any login.*", "pattern"), "sentry.login.*");
}

static void eviction_is_not_not_received(void) {
    sent("b:1|c");
    fake_loss(f, "default", LOSS_EVICTED, 500);
    INCONCLUSIVE(f, "incr a");
    const char *why = judging_text(f, "incr a", "why");
    CU_ASSERT_PTR_NULL(strstr(why, "received"));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "no sample that matches is still recorded"));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "500 samples removed by --retention"));
    INCONCLUSIVE(f, "no incr a");
}

static void packed_values_are_all_there(void) {
    sent("lat:1:2:3:4|ms|#x:1");
    PASSES(f, "timing lat{x:1} samples == 4 and sum == 10 and max == 4 and first == 1 and last == 4");
    sent("lat:1|ms|#x:1\nlat:2|ms|#x:1\nlat:3|ms|#x:1\nlat:4|ms|#x:1");
    PASSES(f, "timing lat{x:1} samples == 4 and sum == 10 and max == 4 and first == 1 and last == 4");
}

static void long_datagrams_are_whole(void) {
    static char datagram[65000];
    size_t n = 0;
    for (int i = 0; n < sizeof datagram - 32; i++)
        n += (size_t)sprintf(datagram + n, "a:1|c|#i:%d\n", i % 10);
    sprintf(datagram + n, "z:1|c");
    sent(datagram);
    PASSES(f, "incr z samples == 1");
    PASSES(f, "incr a series == 10 and sum > 4000");
}

static void order_of_tags_is_nothing(void) {
    sent("a:1|c|#x:1,y:2\na:1|c|#y:2,x:1\na:1|c|#y:2,x:1,y:2");
    PASSES(f, "incr a[x:1,y:2] samples == 3 and series == 1");
    PASSES(f, "incr a[y:2,x:1] samples == 3 and series == 1");
}

static void lines_of_one_are_a_line_of_n(void) {
    sent("a:1|c\na:1|c\na:1|c");
    PASSES(f, "incr a sum == 3");
    sent("a:3|c");
    PASSES(f, "incr a sum == 3");
    sent("a:1|c|@0.5\na:1|c");
    PASSES(f, "incr a sum == 3");
}

static void telemetry_does_not_disturb(void) {
    static const char *const texts[] = {"any * samples == 2", "no any datadog.*", "any * series == 2",
                                        "incr * sum == 1"};
    sent("a:1|c\ng:2|g");
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
            PASSES(f, texts[i]);
        fake_send(
            f,
            "datadog.dogstatsd.client.metrics:500|c|#client:py\ndatadog.dogstatsd.client.packets_dropped:0|c");
    }
}

static void patterns_that_blow_up_end_soon(void) {
    char name[5000], text[1200];
    memset(name, 'a', sizeof name);
    strcpy(name + sizeof name - 8, ":1|c");
    sent(name);
    strcpy(text, "incr ");
    for (int i = 0; i < 500; i++)
        strcat(text, "*a");
    strcat(text, "*b");
    FAILS(f, text);
    strcpy(text, "incr *{x:");
    for (int i = 0; i < 250; i++)
        strcat(text, "*?a");
    strcat(text, "*b}");
    FAILS(f, text);
}

static void nothing_that_is_not_finite(void) {
    sent("a:nan|g\na:inf|g\na:-inf|ms");
    FAILS(f, "any a");
    PASSES(f, "no any a");
    sent("a:1e308|c\na:1e308|c");
    PASSES(f, "incr a sum > 1e308"); /* the sum is infinite */
    FAILS(f, "incr a sum ~ 2e307");
    CU_ASSERT_PTR_NOT_NULL(strstr(judging_text(f, "incr a sum == 5", "why"), "sum is +Inf"));
}

/* 100,000 series and 1,000 expectations that fail are explained in bounded work. */
static void many_failures_are_explained(void) {
    fake_free(f);
    f = fake_new();
    char *text = malloc(1000 * 32 + 1), line[64];
    size_t n = 0;
    for (int i = 0; i < 2000; i++) {
        snprintf(line, sizeof line, "service%d.request:1|c", i);
        fake_send(f, line);
    }
    for (int i = 0; i < 1000; i++)
        n += (size_t)sprintf(text + n, "incr service%d.reqeust\n", i);
    struct judge *j = judging_start(text, NULL, f);
    struct err err = {0};
    json_t *report = judge_report(j, fake_reader(f), &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    json_t *last = json_array_get(json_object_get(report, "results"), 999);
    CU_ASSERT(json_array_size(json_object_get(last, "closest")) > 0);
    json_decref(report);
    judge_free(j);
    free(text);
}

static void done(void) {
    fake_free(f);
    f = NULL;
}

UNIT_MAIN("judge/mistakes", {"gauges are not added up", gauges_are_not_added_up},
          {"{a:1} does not match b:2", other_tags_do_not_match},
          {"zero times is a claim", times_zero_is_a_claim},
          {"a prefix does not make never pass", a_prefix_does_not_make_never_pass},
          {"evicted is not \"not received\"", eviction_is_not_not_received},
          {"packed values are all there", packed_values_are_all_there},
          {"long datagrams are whole", long_datagrams_are_whole},
          {"the order of tags is nothing", order_of_tags_is_nothing},
          {"lines of 1 are a line of N", lines_of_one_are_a_line_of_n},
          {"telemetry does not disturb", telemetry_does_not_disturb},
          {"patterns that blow up end soon", patterns_that_blow_up_end_soon},
          {"nothing that is not finite", nothing_that_is_not_finite},
          {"many failures are explained", many_failures_are_explained}, {"(done)", done})
