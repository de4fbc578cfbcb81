/* A reader that fails, at every call in turn: an error that says so, never a verdict made of half a recording. */
#include "broken_reader.h"
#include "judging.h"
#include "unit.h"

static struct fake *recording(void) {
    struct fake *f = fake_new();
    for (int i = 0; i < 20; i++) /* so many that the two below are read by themselves */
        fake_send(f, "many:1:2:3:4|c");
    fake_send(f, "a:1:2|ms\nb:1:2|ms\nbad line\n_e{1,1}:e|x\n_sc|c|0");
    return f;
}

/* Samples of a few series, of all in one go, of none. */
static const char *const texts[] = {
    "timing a median == 1\ntiming b p99 == 2\nevent e\ncheck c status == ok\nno incr x",
    "any * distinct == 4\nno any x", "incr many sum == 200\nno any x"};

static void test_start(void) {
    static const int calls[] = {7, 4, 3}; /* last_id, series, samples, events, checks, losses */
    struct fake *f = recording();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (int midway = 0; midway < 2; midway++)
            for (int n = 0;; n++) {
                struct broken broken;
                struct err err = {0};
                struct judge *j = judging_parse(texts[i], NULL);
                broken_init(&broken, fake_reader(f), n, midway);
                int result = judge_start(j, &broken.reader, &err);
                bool failed = broken.failed;
                EQ_INT(result, failed ? -1 : 0);
                EQ_STR(err.text, failed ? "the disk is on fire" : "");
                CU_ASSERT(failed || judge_verdict(j) == VERDICT_PASS);
                judge_free(j);
                if (!failed) {
                    EQ_INT(n, calls[i]);
                    break;
                }
            }
    fake_free(f);
}

static void test_report(void) {
    struct fake *f = recording();
    for (int n = 0; n <= 7;
         n++) { /* series, events, checks, rejects twice; rejects for the `no`; whether any came */
        struct broken broken;
        struct err err = {0};
        struct judge *j = judging_start("incr bad\nincr nothing\nno incr x", NULL, f);
        broken_init(&broken, fake_reader(f), n, true);
        json_t *report = judge_report(j, &broken.reader, &err);
        EQ_INT(report != NULL, n == 7);
        EQ_STR(err.text, n < 7 ? "the disk is on fire" : "");
        json_decref(report);
        judge_free(j);
    }
    fake_free(f);
}

UNIT_MAIN("judge/reader", {"when it starts", test_start}, {"when it explains", test_report})
