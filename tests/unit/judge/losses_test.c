/* Verdicts after a loss: what could have been changed is inconclusive, what could not stays. */
#include "judging.h"

#include "unit.h"

/* Recorded in each case: a:1|c twice, g:5|g, then the loss. */
static const struct {
    const char *text, *before, *after;
} table[] = {
    /* claims that more samples can only make truer */
    {"incr a", "pass", "pass"},
    {"incr a samples >= 2", "pass", "pass"},
    {"incr a samples > 1 and series >= 1", "pass", "pass"},
    {"incr a count >= 2", "pass", "pass"},
    {"gauge g max >= 5", "pass", "pass"},
    {"gauge g min <= 5", "pass", "pass"},
    {"incr a distinct >= 1", "pass", "pass"},
    {"incr a samples != 1", "pass", "pass"},
    {"no incr a samples <= 1", "pass", "pass"},
    /* not reached: what was lost may have been it */
    {"incr b", "fail", "inconclusive"},
    {"incr a samples >= 3", "fail", "inconclusive"},
    {"incr a sum == 3", "fail", "inconclusive"},
    {"gauge g max >= 6", "fail", "inconclusive"},
    {"gauge g last == 6", "fail", "inconclusive"},
    {"no incr a samples <= 2", "fail", "inconclusive"},
    /* holds only if nothing was lost */
    {"no incr b", "pass", "inconclusive"},
    {"incr a samples == 2", "pass", "inconclusive"},
    {"incr a samples <= 2", "pass", "inconclusive"},
    {"incr a samples < 3", "pass", "inconclusive"},
    {"incr a sum == 2", "pass", "inconclusive"},
    {"incr a sum ~ 2", "pass", "inconclusive"},
    {"incr a series <= 50", "pass", "inconclusive"},
    {"gauge g last == 5", "pass", "inconclusive"},
    {"gauge g avg == 5", "pass", "inconclusive"},
    {"gauge g median == 5", "pass", "inconclusive"},
    {"gauge g p95 < 10", "pass", "inconclusive"},
    {"gauge g min >= 5", "pass", "inconclusive"},
    {"gauge g max <= 5", "pass", "inconclusive"},
    {"gauge g each >= 0", "pass", "inconclusive"},
    {"gauge g rate == 1", "pass", "inconclusive"},
    /* what was lost may have been below zero */
    {"gauge g sum >= 5", "pass", "inconclusive"},
    {"incr a sum >= 2", "pass", "inconclusive"},
    {"incr a sum > 1", "pass", "inconclusive"},
    {"incr a sum == 1", "fail", "inconclusive"},
    {"incr a sum < 2", "fail", "inconclusive"},
    {"incr a sum ~ 1", "fail", "inconclusive"},
    {"incr a samples == 2 and sum == 1", "fail", "inconclusive"},
    {"no incr a sum >= 2", "fail", "inconclusive"},
    {"incr a samples >= 1 and sum == 2", "pass", "inconclusive"},
    {"incr a samples != 3", "pass", "inconclusive"},
    /* broken for good */
    {"no incr a", "fail", "fail"},
    {"incr a samples == 1", "fail", "fail"},
    {"incr a samples <= 1", "fail", "fail"},
    {"gauge g each >= 6", "fail", "fail"},
    {"gauge g max <= 4", "fail", "fail"},
    {"gauge g min >= 6", "fail", "fail"},
    {"gauge g rate < 1", "fail", "fail"},
    {"no gauge g each == 5", "fail", "fail"},
    {"incr a samples == 1 and sum == 1", "fail", "fail"},
    {"no incr a samples >= 2", "fail", "fail"},
    /* a loss is noticed later than it happened: something may have come before */
    {"gauge g first == 5", "pass", "inconclusive"},
    {"gauge g first == 6", "fail", "inconclusive"},
};

static struct fake *recording(void) {
    struct fake *f = fake_new();
    fake_send(f, "a:1|c\na:1|c\ng:5|g");
    return f;
}

enum state { ALL_THERE, LOST, IN_DOUBT };

/* A doubt changes a failure alone, and only one that a loss would change. */
static const char *expected_of(size_t i, enum state state) {
    bool failed = strcmp(table[i].before, "fail") == 0;
    return state == LOST || (state == IN_DOUBT && failed) ? table[i].after : table[i].before;
}

static void check_table(struct fake *f, enum state state) {
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const char *got = judging_word(judging_verdict(f, table[i].text, NULL));
        const char *expected = expected_of(i, state);
        if (strcmp(got, expected) != 0)
            fprintf(stderr, "%s: %s, not %s\n", table[i].text, got, expected);
        CU_ASSERT_STRING_EQUAL(got, expected);
    }
}

static void test_table(void) {
    struct fake *f = recording();
    check_table(f, ALL_THERE);
    fake_loss(f, NULL, LOSS_KERNEL_DROP, 3);
    check_table(f, LOST);
    fake_free(f);
    for (enum loss loss = 0; loss < LOSS_N; loss++) {
        f = recording();
        fake_loss(f, "default", loss, 1);
        EQ_INT(judging_verdict(f, "no incr b", NULL),
               loss_kinds(loss) & LOST_SAMPLES ? VERDICT_INCONCLUSIVE : VERDICT_PASS);
        EQ_INT(judging_verdict(f, "no event b", NULL),
               loss_kinds(loss) & LOST_EVENTS ? VERDICT_INCONCLUSIVE : VERDICT_PASS);
        EQ_INT(judging_verdict(f, "no check b", NULL),
               loss_kinds(loss) & LOST_CHECKS ? VERDICT_INCONCLUSIVE : VERDICT_PASS);
        PASSES(f, "incr a");
        fake_free(f);
    }
}

static void test_other_sessions_losses(void) {
    struct fake *f = recording();
    fake_loss(f, "other", LOSS_KERNEL_DROP, 3);
    check_table(f, ALL_THERE);
    fake_free(f);
}

static void test_losses_before_the_mark(void) {
    struct fake *f = recording();
    fake_loss(f, NULL, LOSS_KERNEL_DROP, 3);
    fake_send(f, "c:1|c");
    struct judge_options since = {.since = fake_last_id(f)};
    fake_send(f, "c:1|c");
    EQ_INT(judging_verdict(f, "no incr b", &since), VERDICT_PASS);
    EQ_INT(judging_verdict(f, "incr c samples == 1", &since), VERDICT_PASS);
    /* what retention took was recorded before the mark */
    fake_loss_of(f, "default", LOSS_EVICTED, 3, since.since);
    EQ_INT(judging_verdict(f, "no incr b", &since), VERDICT_PASS);
    INCONCLUSIVE(f, "no incr b");
    fake_loss_of(f, "default", LOSS_EVICTED, 1, since.since + 1);
    EQ_INT(judging_verdict(f, "no incr b", &since), VERDICT_INCONCLUSIVE);
    fake_free(f);
}

static void test_clients_own_telemetry(void) {
    static const char *const lines[] = {"datadog.dogstatsd.client.packets_dropped:2|c",
                                        "datadog.dogstatsd.client.packets_dropped_queue:2|c|#client:py",
                                        "datadog.dogstatsd.client.bytes_dropped_writer:200|c",
                                        "datadog.dogstatsd.client.metric_dropped_on_receive:1|c"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct fake *f = recording();
        fake_send(f,
                  "datadog.dogstatsd.client.dropped:1|s\n"
                  "datadog.dogstatsd.client.packets_dropped:0|c\ndatadog.dogstatsd.client.packets_sent:9|c");
        check_table(f, ALL_THERE);
        fake_send(f, lines[i]);
        INCONCLUSIVE(f, "no incr b");
        PASSES(f, "incr a samples >= 2");
        CU_ASSERT_PTR_NOT_NULL(strstr(judging_text(f, "no incr b", "why"),
                                      "a client says it dropped (datadog.dogstatsd.client."));
        fake_free(f);
    }
}

/* Dropped before the mark: of what came before it. */
static void test_telemetry_and_marks(void) {
    struct fake *f = recording();
    fake_send(f, "datadog.dogstatsd.client.packets_dropped:2|c");
    struct judge_options since = {.since = fake_last_id(f)};
    EQ_INT(judging_verdict(f, "no incr b", &since), VERDICT_PASS);
    fake_send(f, "datadog.dogstatsd.client.packets_dropped:0|c");
    EQ_INT(judging_verdict(f, "no incr b", &since), VERDICT_PASS);
    fake_send(f, "datadog.dogstatsd.client.packets_dropped:1|c");
    EQ_INT(judging_verdict(f, "no incr b", &since), VERDICT_INCONCLUSIVE);
    fake_free(f);
}

static void test_events_and_checks(void) {
    struct fake *f = recording();
    fake_send(f, "_e{1,1}:a|b\n_sc|c|0");
    fake_loss(f, NULL, LOSS_SERIES_LIMIT, 3); /* of samples only */
    PASSES(f, "no event b");
    PASSES(f, "check c status == ok and samples == 1");
    fake_loss(f, NULL, LOSS_TRUNCATED, 1);
    INCONCLUSIVE(f, "no event b");
    CU_ASSERT_PTR_NULL(
        strstr(judging_text(f, "no event b", "why"), "series")); /* only what may have mattered */
    INCONCLUSIVE(f, "check c status == ok");
    FAILS(f, "no event a");
    PASSES(f, "event a");
    FAILS(f, "no check c status == ok");
    fake_loss(f, NULL, LOSS_EVICTED, 1);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(judging_text(f, "no event b", "why"), "no event that matches was received"));
    fake_loss(f, NULL, LOSS_EVICTED_EVENTS, 1);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(judging_text(f, "no event b", "why"), "no event that matches is still recorded"));
    fake_free(f);
}

static void test_covered_after_a_loss(void) {
    struct fake *f = recording();
    struct judge_options options = {.all_covered = true};
    EQ_INT(judging_verdict(f, "any *", &options), VERDICT_PASS);
    fake_loss(f, NULL, LOSS_QUEUE_FULL, 3);
    EQ_INT(judging_verdict(f, "any *", &options), VERDICT_INCONCLUSIVE);
    EQ_INT(judging_verdict(f, "any a", &options), VERDICT_FAIL);
    fake_free(f);
}

static void test_report_names_the_loss(void) {
    struct fake *f = recording();
    fake_loss(f, NULL, LOSS_KERNEL_DROP, 3);
    fake_loss(f, NULL, LOSS_KERNEL_DROP, 4);
    fake_loss(f, "default", LOSS_KERNEL_DROP, 5);
    const char *why = judging_text(f, "no incr b", "why");
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "7 datagrams that the kernel dropped"));
    struct judge *j = judging_start("no incr b", NULL, f);
    struct err err = {0};
    json_t *report = judge_report(j, fake_reader(f), &err);
    json_t *loss = json_array_get(json_object_get(report, "losses"), 0);
    EQ_STR(json_string_value(json_object_get(loss, "loss")), "kernel_drop");
    EQ_INT(json_integer_value(json_object_get(loss, "n")), 7);
    loss = json_array_get(json_object_get(report, "losses"), 1); /* this session's own */
    EQ_INT(json_integer_value(json_object_get(loss, "n")), 5);
    json_decref(report);
    judge_free(j);
    fake_free(f);
}

/* A Unix datagram queue was full: whether anything is missing only the client knows. A burst that it dropped was a plain fail. */
static void test_doubt(void) {
    struct fake *f = recording();
    fake_send(f, "_e{1,1}:a|b");
    fake_loss(f, "default", LOSS_UNIXGRAM_FULL, 2);
    fake_loss(f, "other", LOSS_UNIXGRAM_FULL, 2);
    check_table(f, IN_DOUBT);
    INCONCLUSIVE(f, "event b");
    FAILS(f, "no event a");
    CU_ASSERT_PTR_NOT_NULL(strstr(judging_text(f, "incr a sum == 3", "why"),
                                  "what may have been lost could have changed this: 2 looks that found"));
    CU_ASSERT_PTR_NOT_NULL(strstr(judging_text(f, "no incr b", "why"), "as far as was received: 2 looks"));
    CU_ASSERT_PTR_NULL(strstr(judging_text(f, "incr a", "why"), "looks"));
    fake_loss(f, "default", LOSS_KERNEL_DROP, 3);
    check_table(f, LOST);
    CU_ASSERT_PTR_NULL(strstr(judging_text(f, "incr a sum == 3", "why"), "looks"));
    fake_free(f);
}

/* It may still come: a doubt is no reason to give up. */
static void test_doubt_and_waiting(void) {
    struct fake *f = recording();
    fake_loss(f, "default", LOSS_UNIXGRAM_FULL, 1);
    struct judge *j = judging_start("incr a sum == 3", NULL, f);
    EQ_INT(judge_verdict(j), VERDICT_INCONCLUSIVE);
    CU_ASSERT_FALSE(judge_final(j));
    judge_free(j);
    j = judging_start("incr a samples == 1", NULL, f);
    EQ_INT(judge_verdict(j), VERDICT_FAIL);
    CU_ASSERT_TRUE(judge_final(j));
    judge_free(j);
    fake_free(f);
}

/* What is lost for good ends the waiting, but not while another claim may come true: that one would be told as failed. */
static void test_lost_while_waiting(void) {
    for (size_t i = 0; i < 2; i++) { /* a claim, and what all_covered asks */
        struct fake *f = recording();
        fake_loss(f, "default", LOSS_SERIES_LIMIT, 1);
        struct judge_options options = {.all_covered = i == 1};
        const char *text = i == 1 ? "any *\ncheck later samples == 1" : "no incr b\ncheck later samples == 1";
        struct judge *j = judging_start(text, &options, f);
        EQ_INT(judge_verdict(j), VERDICT_FAIL);
        CU_ASSERT_FALSE(judge_final(j));
        fake_send(f, "_sc|later|0");
        EQ_INT(judging_feed_all(j, f), 0);
        EQ_INT(judge_verdict(j), VERDICT_INCONCLUSIVE);
        CU_ASSERT_TRUE(judge_final(j));
        fake_send(f, "_sc|later|0"); /* once too often */
        EQ_INT(judging_feed_all(j, f), 0);
        EQ_INT(judge_verdict(j), VERDICT_FAIL);
        CU_ASSERT_TRUE(judge_final(j));
        judge_free(j);
        fake_free(f);
    }
}

UNIT_MAIN("judge/losses", {"the table of verdicts", test_table},
          {"of other sessions: nothing", test_other_sessions_losses},
          {"before the mark: nothing", test_losses_before_the_mark},
          {"the client's own telemetry", test_clients_own_telemetry},
          {"the client's own telemetry and marks", test_telemetry_and_marks},
          {"events and checks", test_events_and_checks}, {"all covered", test_covered_after_a_loss},
          {"the report names it", test_report_names_the_loss}, {"in doubt", test_doubt},
          {"in doubt, and waiting", test_doubt_and_waiting},
          {"lost for good, while another claim waits", test_lost_while_waiting})
