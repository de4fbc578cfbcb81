/* Several sessions judged as one: `--session '*'`, and `no` claims of `run` about every session. */
#include "judging.h"

#include "unit.h"

static struct fake *f;
static const struct judge_options as_one = {.session = {"*", 1}}, everywhere = {.no_everywhere = true};

static void sent(void) {
    fake_free(f ? f : fake_new());
    f = fake_new();
}

static void into(const char *session, const char *datagrams) {
    fake_session(f, session);
    fake_source(f, SOURCE_UDP);
    fake_send(f, datagrams);
}

static void flushed(const char *session, const char *name, enum metric_type type, double number) {
    struct value value = {.number = number, .timestamp = 1};
    fake_session(f, session);
    fake_source(f, SOURCE_HTTP);
    fake_put(f, &(struct record){.kind = RECORD_METRIC,
                                 .metric = {.type = type,
                                            .name = span_str(name),
                                            .sample_rate = 1,
                                            .n_values = 1,
                                            .values = &value,
                                            .interval = type == METRIC_RATE ? 10 : 0}});
}

/* What an aggregating client makes of 10 timings. */
static void flush_forms(const char *session, double min, double max, double p95) {
    flushed(session, "x.count", METRIC_RATE, 1);
    flushed(session, "x.min", METRIC_GAUGE, min);
    flushed(session, "x.max", METRIC_GAUGE, max);
    flushed(session, "x.95percentile", METRIC_GAUGE, p95);
}

static const char *verdict(const char *text, const struct judge_options *options) {
    return judging_word(judging_verdict(f, text, options));
}
#define ONE_PASSES(text) EQ_STR(verdict(text, &as_one), "pass")
#define ONE_FAILS(text)  EQ_STR(verdict(text, &as_one), "fail")

static void test_added_up(void) {
    sent();
    into("a", "c:1|c|#k:1\nt:1:2:3|ms\nu:x|s\nu:y|s");
    into("b", "c:2|c|#k:1\nt:4:5:6|ms\nu:y|s\nu:z|s");
    into("a", "c:0.5|c|#k:2\nt:7:8:9:10|ms");
    ONE_PASSES("incr c sum == 3.5 and samples == 3 and count == 3");
    ONE_PASSES("timing t sum == 55 and avg == 5.5 and min == 1 and max == 10 and samples == 10");
    ONE_PASSES("timing t p95 == 10 and p50 == 5 and median == 5");
    ONE_PASSES("set u distinct == 3 and samples == 4");
    ONE_PASSES("timing t each >= 1 and each <= 10 and rate == 1");
    ONE_FAILS("timing t each != 5");
    ONE_FAILS("no timing t each > 4 and each < 6");
    ONE_PASSES("no timing t each > 5 and each < 6");
}

static void test_first_and_last_in_order(void) {
    sent();
    into("a", "g:1|g");
    into("b", "g:2|g");
    into("a", "g:3|g");
    ONE_PASSES("gauge g first == 1 and last == 3");
    into("b", "g:4|g");
    ONE_PASSES("gauge g first == 1 and last == 4");
    struct judge_options since = {.session = {"*", 1}, .since = 1};
    EQ_STR(verdict("gauge g first == 2 and last == 4", &since), "pass");
    into("c", "_sc|x|2");
    into("a", "_sc|x|0");
    ONE_PASSES("check x status == ok and samples == 2");
}

static void test_a_series_of_two_sessions_is_one(void) {
    sent();
    into("a", "c:1|c|#k:1\nc:1|c|#k:2\nc:1|g|#k:1");
    into("b", "c:1|c|#k:1\nc:1|c|#k:3");
    ONE_PASSES("incr c series == 3");
    ONE_PASSES("any c series == 4"); /* a gauge is another series */
    flushed("a", "r", METRIC_RATE, 1);
    flushed("b", "r", METRIC_RATE, 2);
    ONE_PASSES("incr r series == 1 and samples == 2 and sum == 30");
    flush_forms("a", 1, 2, 2);
    flush_forms("b", 3, 4, 4);
    ONE_PASSES("timing x series == 1 and samples == 2 and count == 20 and min == 1 and max == 4");
    ONE_PASSES("timing x p95 <= 4 and p95 >= 2");
    ONE_FAILS("timing x p95 < 4");
    EQ_STR(verdict("no incr c series > 3", &everywhere), "pass");
    EQ_STR(verdict("no timing x series > 1", &everywhere), "pass");
    EQ_STR(verdict("no incr r series > 1", &everywhere), "pass");
}

/* Raw samples in one session must not hide what another one sent as forms. */
static void test_forms_beside_samples_of_another_session(void) {
    sent();
    into("default", "x:7:9|ms");
    flush_forms("b", 5, 900, 800);
    const struct judge_options *const wide[] = {&as_one, &everywhere};
    for (size_t i = 0; i < 2; i++) {
        EQ_STR(verdict("no timing x max > 500", wide[i]), "fail");
        EQ_STR(verdict("no timing x max > 900", wide[i]), "pass");
        EQ_STR(verdict("no timing x min < 5", wide[i]), "pass");
        EQ_STR(verdict("no timing x min < 6", wide[i]), "fail");
        EQ_STR(verdict("no timing x p95 > 500", wide[i]), "fail");
        EQ_STR(verdict("no timing x each > 500", wide[i]), "fail");
        EQ_STR(verdict("no timing x each > 900", wide[i]), "pass");
        EQ_STR(verdict("no timing x samples > 3", wide[i]), "pass");
    }
    ONE_PASSES("timing x max == 900 and min == 5 and samples == 3 and count == 12");
    /* positive claims of `run` are about the default session alone */
    EQ_STR(verdict("timing x max == 9 and samples == 2 and p95 == 9", &everywhere), "pass");
    /* forms in a session that holds samples as well are gauges of their own */
    into("b", "x:1|ms");
    ONE_PASSES("no timing x max > 500");
}

static void test_no_of_every_session(void) {
    sent();
    into("default", "ok:1|c");
    into("b", "err:1|c|#k:1\n_e{1,1}:t|x\n_sc|x|2");
    EQ_STR(verdict("no incr err", NULL), "pass");
    EQ_STR(verdict("no incr err", &everywhere), "fail");
    EQ_STR(verdict("no event t", &everywhere), "fail");
    EQ_STR(verdict("no check x status == critical", &everywhere), "fail");
    EQ_STR(verdict("incr err", &everywhere), "fail");
    EQ_STR(verdict("incr ok sum == 1", &everywhere), "pass");
    into("default", "err:1|c|#k:1");
    into("b", "err:5|c|#k:1");
    EQ_STR(verdict("incr err sum == 1 and samples == 1 and series == 1", &everywhere), "pass");
    EQ_STR(verdict("no incr err sum > 6", &everywhere), "fail");
    EQ_STR(verdict("no incr err sum > 7", &everywhere), "pass");
    EQ_STR(verdict("no incr err last == 5", &everywhere), "fail");
    EQ_STR(verdict("no incr err samples > 3", &everywhere), "pass");
}

static void test_done(void) {
    fake_free(f);
    f = NULL;
}

UNIT_MAIN("judge/sessions", {"all sessions are added up", test_added_up},
          {"first and last go by order, whatever the session", test_first_and_last_in_order},
          {"a series of two sessions is one", test_a_series_of_two_sessions_is_one},
          {"forms beside samples of another session", test_forms_beside_samples_of_another_session},
          {"no claims about every session", test_no_of_every_session}, {"(done)", test_done})
