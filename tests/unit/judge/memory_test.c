/* Every allocation fails once: the 0th, the 1st, … until all succeed. Nothing crashes or leaks, and no verdict is another
 * than with enough memory: an error, inconclusive, or the right one. An explanation may be short of a tag or a mark. */
#include "judging.h"
#include "scarce.h"
#include "unit.h"

#define N_CLAIMS 16
static const char claims[] =
    "prefix app.\nignore-tags env,region\n"
    "incr login{instance:failure} sum == 3\n"
    "incr \"log*\"{instance:\"fail*\",!canary} count ~ 3 and each > 0 and rate == 1\n"
    "timing latency p95 < 500 and median >= 1 and distinct == 3\n"
    "distribution packed p50 == 7\nset users distinct == 2\ngauge *[kind] last == 42 +- 0.5\n"
    "no any errors.*\nevent \"Deploy\"\ncheck ok status == ok\n"
    "incr logim sum == 1\nany nothing.of.the.kind samples >= 1\n"
    "timing latency{env:(ci|prod),env=~\"c.|p[a-z]+\"} where value > 20 and host == \"\" p50 > 20 and per_series >= 1\n"
    "distribution packed where value > 10 count == 1\nset users where value == a\nreject *bad* where reason == no_pipe\n"
    "event Deploy where text == \"t*\"\n";

static void put_sketch(struct fake *f) {
    static const int32_t keys[] = {1400, 1500};
    static const uint32_t counts[] = {1, 1};
    struct sketch sketch = {
        .count = 2, .sum = 16, .min = 3, .max = 13, .avg = 8, .n_bins = 2, .keys = keys, .counts = counts};
    struct value value = {.number = 8, .sketch = &sketch};
    struct record record = {.kind = RECORD_METRIC,
                            .metric = {.type = METRIC_DISTRIBUTION,
                                       .name = SPAN("app.packed"),
                                       .sample_rate = 1,
                                       .n_values = 1,
                                       .values = &value}};
    fake_put(f, &record);
}

static struct fake *recording(void) {
    struct fake *f = fake_new();
    fake_send(f, "app.login:1|c|#instance:failure,env:ci\napp.login:2|c|#instance:failure,env:prod\n"
                 "app.latency:1:20:30|ms|#env:ci\napp.users:a|s\napp.users:b|s\napp.tasks:42|g|#kind\n"
                 "app.latency.95percentile:31|g\nother:1|c\nbad line\napp.logim:x|c");
    fake_send(f, "app.latency:2|ms|#env:prod");
    for (int i = 0; i < 70; i++) { /* values enough for a bag to be put in order while it fills */
        char line[64];
        snprintf(line, sizeof line, "app.latency:%d|ms|#env:ci", 1000 + i * 7 % 70);
        fake_send(f, line);
    }
    put_sketch(f);
    fake_send(f, "_e{10,4}:app.Deploy|text|#env:ci");
    fake_send(f, "_sc|app.ok|0|#env:ci");
    fake_loss(f, NULL, LOSS_SERIES_LIMIT, 1);
    fake_session(f, "another");
    fake_send(f, "app.logim:1|c");
    return f;
}

struct outcome {
    bool knows, told; /* has read it all; has a report */
    enum verdict verdict;
};

/* The verdict, and one for each claim of the file. */
static bool tells(const json_t *report, enum verdict verdict) {
    const json_t *results = json_object_get(report, "results"), *result;
    const char *word = json_string_value(json_object_get(report, "verdict"));
    bool all = word && strcmp(word, verdict_word(verdict)) == 0 && json_array_size(results) == N_CLAIMS;
    size_t i;
    json_array_foreach(results, i, result)
        all = all && json_string_value(json_object_get(result, "verdict"));
    return all;
}

static struct outcome judged(struct fake *f, const struct judge_options *options, bool feeds) {
    static struct fake *nothing;
    nothing = nothing ? nothing : fake_new();
    struct outcome o = {0};
    struct judge_source source = {.text = span_str(claims), .file = SPAN("a.expect")};
    struct judge_error error = {0};
    struct err err = {0};
    struct judge *j = judge_parse(&source, 1, options, &error);
    if (!j) {
        CU_ASSERT(error.message[0]);
        return o;
    }
    o.knows = judge_start(j, fake_reader(feeds ? nothing : f), &err) == 0;
    CU_ASSERT(o.knows || err.set);
    if (o.knows && feeds) {
        o.knows = judging_feed_all(j, f) == 0;
        judge_verdict(j); /* and once more: then there are values in order already */
        o.knows = o.knows && judging_feed_all(j, f) == 0;
    }
    if (o.knows) {
        o.verdict = judge_verdict(j);
        json_t *report = judge_report(j, fake_reader(f), &err);
        o.told = report != NULL;
        CU_ASSERT(o.told ? tells(report, o.verdict) : err.set);
        json_decref(report);
    }
    judge_free(j);
    return o;
}

static void story(const struct judge_options *options, bool feeds) {
    struct fake *f = recording();
    struct outcome right = judged(f, options, feeds);
    CU_ASSERT(right.knows && right.told);
    bool failed = true;
    for (long n = 0; n < 20000 && failed; n++) {
        scarce_begin(n);
        struct outcome o = judged(f, options, feeds);
        failed = scarce_end();
        bool wrong = o.knows && o.verdict != right.verdict && o.verdict != VERDICT_INCONCLUSIVE;
        if (wrong || !(failed || o.told))
            fprintf(stderr, "without allocation %ld: %s\n", n,
                    o.told ? verdict_word(o.verdict) : "no report");
        CU_ASSERT_FALSE(wrong);
        CU_ASSERT(failed || o.told);
    }
    CU_ASSERT_FALSE(failed);
    fake_free(f);
}

static void test_started(void) {
    story(NULL, false);
}

static void test_fed(void) {
    story(NULL, true);
}

static void test_all_covered(void) {
    struct judge_options options = {
        .all_covered = true, .ignore_tags = SPAN("a, b"), .session = SPAN("default")};
    story(&options, false);
}

UNIT_MAIN("judge/memory", {"started on a recording", test_started}, {"fed record by record", test_fed},
          {"all covered", test_all_covered})
