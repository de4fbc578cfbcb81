/* A judge that looks at a recording up to a mark says what one said that looked when the mark was set. */
#include "fake_reader.h"
#include "judging.h"
#include "unit.h"

#define FIRST  "a:1|c\na:2|c\nt:10:20:30|ms\nu:x|s\n_e{1,1}:e|x\n_sc|k|0"
#define SECOND "a:100|c\nlater:1|c\nt:90|ms\nu:y|s\n_e{1,1}:f|x\n_sc|k|2\n_sc|l|2"

static const char *const claims[] = {"incr a sum == 3 and samples == 2 and last == 2 and first == 1",
                                     "incr a max == 2 and each < 3",
                                     "timing t p95 == 30 and count == 3 and avg == 20",
                                     "set u distinct == 1",
                                     "any * series == 3",
                                     "no incr later",
                                     "event * samples == 1",
                                     "no event f",
                                     "check k status == ok",
                                     "no check l"};

static enum verdict verdict_until(struct fake *f, const char *text, uint64_t since, uint64_t until) {
    struct judge_options options = {.since = since, .until = until};
    struct judge *j = judging_start(text, &options, f);
    enum verdict verdict = judge_verdict(j);
    judge_free(j);
    return verdict;
}

static void test_then(void) {
    struct fake *f = fake_new();
    fake_send(f, FIRST);
    uint64_t mark = fake_last_id(f);
    fake_send(f, SECOND);
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        if (verdict_until(f, claims[i], 0, mark) != VERDICT_PASS)
            fprintf(stderr, "until: %s\n", claims[i]);
        EQ_INT(verdict_until(f, claims[i], 0, mark), VERDICT_PASS);
        EQ_INT(verdict_until(f, claims[i], 0, 0), VERDICT_FAIL);
    }
    EQ_INT(verdict_until(f, "incr a sum == 2 and samples == 1", 1, 2), VERDICT_PASS);
    EQ_INT(verdict_until(f, "no any * samples >= 1", mark, mark), VERDICT_PASS);
    fake_free(f);
}

static void test_what_comes_later_is_not_taken(void) {
    struct fake *f = fake_new();
    fake_send(f, "a:1|c");
    struct judge_options options = {.until = fake_last_id(f)};
    struct judge *j = judging_start("incr a sum == 1\nno incr b\nno event *", &options, f);
    CU_ASSERT(judge_final(j)); /* so nothing is waited for */
    fake_send(f, "a:1|c\nb:1|c\n_e{1,1}:e|x");
    EQ_INT(judging_feed_all(j, f), 0);
    EQ_INT(judge_verdict(j), VERDICT_PASS);
    judge_free(j);
    fake_free(f);
}

/* It may have come before the mark: retention, for one, notes what it removed under a later id. */
static void test_a_loss_noted_later_counts(void) {
    struct fake *f = fake_new();
    fake_send(f, "a:1|c");
    uint64_t mark = fake_last_id(f);
    fake_send(f, "a:1|c");
    EQ_INT(verdict_until(f, "no incr b", 0, mark), VERDICT_PASS);
    fake_loss(f, NULL, LOSS_KERNEL_DROP, 1);
    EQ_INT(verdict_until(f, "no incr b", 0, mark), VERDICT_INCONCLUSIVE);
    fake_free(f);
}

static void test_marks_of_another_recording(void) {
    struct fake *f = fake_new();
    fake_send(f, "a:1|c");
    struct judge_options options = {.until = fake_last_id(f) + 1};
    struct judge *j = judging_parse("no incr b", &options);
    struct err err = {0};
    EQ_INT(judge_start(j, fake_reader(f), &err), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "is no mark of this recording"));
    judge_free(j);
    fake_free(f);
}

UNIT_MAIN("judge/until", {"as it was then", test_then},
          {"what comes later is not taken", test_what_comes_later_is_not_taken},
          {"a loss that was noted later counts", test_a_loss_noted_later_counts},
          {"marks of another recording are refused", test_marks_of_another_recording})
