/* Questions built to cost too much end after a bounded number of steps, and say which limit it was. */
#include "core/buf.h"
#include "judge/evaluate/private.h"
#include "judging.h"

#include "unit.h"

#include <sys/resource.h>

static struct fake *fake;
static struct err err;

static void record(int n, const char *format) {
    for (int i = 0; i < n; i++) {
        static char line[70000];
        snprintf(line, sizeof line, format, i);
        fake_send(fake, line);
    }
}

/* N expectations of one form, numbered. */
static struct judge *judge_of(int n, const char *format) {
    struct buf text = {0};
    for (int i = 0; i < n; i++) {
        buf_printf(&text, format, i);
        buf_char(&text, '\n');
    }
    struct judge *j = judging_parse(text.p, NULL);
    buf_free(&text);
    return j;
}

static void expect_refused(struct judge *j, const char *limit) {
    err = (struct err){0};
    EQ_INT(judge_start(j, fake_reader(fake), &err), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, limit));
}

static int feed_series(void *j, const struct series_row *row) {
    return judge_take_series(j, row);
}

/* Wherever the * ends, 64 bytes more are compared. (What follows several stars is found at once.) */
#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16
static const char blow_up[] = "any *" A64 "b%d";
#define ONE_MATCH 200000 /* steps of one of these against one of those names, at most */

static void begin_with_long_names(int n) {
    static char format[2100];
    fake = fake_new();
    memset(format, 'a', 2000);
    strcpy(format + 2000, "%d:1|c");
    record(n, format);
}

static void steps_when_started(void) {
    begin_with_long_names(20);
    struct judge *j = judge_of(1000, blow_up);
    j->limits.steps = 1000000;
    expect_refused(j, "more than the limit of 1000000 pattern steps");
    CU_ASSERT(j->steps < 1000000 + ONE_MATCH); /* looked at before each match, not only before each series */
    judge_free(j);
    fake_free(fake);
}

static void steps_when_fed(void) {
    struct fake *nothing = fake_new();
    begin_with_long_names(20);
    struct judge *j = judge_of(1000, blow_up);
    j->limits.steps = 1000000;
    EQ_INT(judge_start(j, fake_reader(nothing), &err), 0);
    CU_ASSERT(judge_within_limits(j, &err));
    fake_reader(fake)->ops->series(fake_reader(fake), &(struct filter){0}, feed_series, j, &err);
    CU_ASSERT(!judge_within_limits(j, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "pattern steps"));
    CU_ASSERT(j->steps < 1000000 + ONE_MATCH);
    judge_free(j);
    fake_free(fake);
    fake_free(nothing);
}

static void steps_of_events_and_checks(void) {
    static char line[4100], name[2001];
    memset(name, 'a', 2000);
    fake = fake_new();
    snprintf(line, sizeof line, "_e{2000,1}:%s|x\n_sc|%s|0", name, name);
    fake_send(fake, line);
    static const char *const forms[] = {"event *" A64 "b%d", "check *" A64 "b%d"};
    for (int i = 0; i < 2; i++) {
        struct judge *j = judge_of(1000, forms[i]);
        j->limits.steps = 1000000;
        expect_refused(j, "pattern steps");
        CU_ASSERT(j->steps < 1000000 + ONE_MATCH);
        judge_free(j);
    }
    fake_free(fake);
}

static void pairs(void) {
    fake = fake_new();
    record(100, "n%d:1|c");
    struct judge *j = judge_of(100, "any n* samples >= %d");
    j->limits.links = 9999;
    expect_refused(j, "more than the limit of 9999 pairs of an expectation and a series");
    judge_free(j);
    j = judge_of(100, "any n* samples >= %d");
    j->limits.links = 10000;
    EQ_INT(judge_start(j, fake_reader(fake), &err), 0);
    judge_free(j);
    j = judge_of(100, "any n1 samples >= %d");
    j->limits.links = 50;
    expect_refused(j, "more than the limit of 50 pairs");
    judge_free(j);
    fake_free(fake);
}

static void values(void) {
    fake = fake_new();
    record(100, "t:%d|ms");
    struct judge *j = judge_of(1, "timing t median == 49");
    j->limits.values = 100;
    expect_refused(j, "more than 100 samples to keep");
    judge_free(j);
    j = judge_of(1, "timing t median == 49");
    j->limits.values = 100;
    struct fake *nothing = fake_new();
    EQ_INT(judge_start(j, fake_reader(nothing), &err), 0);
    EQ_INT(judging_feed_all(j, fake), 0);
    CU_ASSERT(!judge_within_limits(j, &err)); /* the hundredth was one too many */
    EQ_INT(judging_feed_all(j, fake), -1);
    judge_free(j);
    fake_free(nothing);
    PASSES(fake, "timing t median == 49");
    j = judge_of(1, "timing t max == 99");
    j->limits.values = 100; /* the summary tells: nothing is kept */
    EQ_INT(judge_start(j, fake_reader(fake), &err), 0);
    judge_free(j);
    fake_free(fake);
}

static void as_many_clauses_as_there_may_be(void) {
    struct buf text = {0};
    fake = fake_new();
    record(3, "a:%d|c");
    for (int i = 0; i < JUDGE_CLAUSES_MAX; i++)
        buf_printf(&text, "%s%s", i ? " and " : "incr a ", "sum == 3");
    PASSES(fake, text.p);
    EQ_INT(text.n, strlen(text.p));
    buf_free(&text);
    fake_free(fake);
}

/* Every pair of a claim and a reject that might explain it was once copied, shown or not: 300 x 3,000 x 8 KB. */
static void explaining_takes_bounded_memory(void) {
    static char format[8200];
    strcpy(format, "x%d:bad|c|#");
    memset(format + strlen(format), 't', 8000);
    fake = fake_new();
    record(3000, format);
    struct judge *j = judge_of(300, "incr x* samples == %d");
    EQ_INT(judge_start(j, fake_reader(fake), &err), 0);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    json_t *report = judge_report(j, fake_reader(fake), &err);
    getrusage(RUSAGE_SELF, &after);
    CU_ASSERT_PTR_NOT_NULL(report);
    CU_ASSERT(after.ru_maxrss - before.ru_maxrss < 1 << 20); /* KiB */
    json_t *closest = json_object_get(json_array_get(json_object_get(report, "results"), 7), "closest");
    EQ_INT(json_array_size(closest), 5);
    json_decref(report);
    judge_free(j);
    fake_free(fake);
}

/* Each claim copies and sorts what its series keep: 1,000 claims about one series of a million samples took minutes. */
static void looks_at_values(void) {
    fake = fake_new();
    record(100, "t:%d|ms");
    struct judge *j = judge_of(10, "timing t median > -%d");
    j->limits.looks = 999;
    expect_refused(j, "more than the limit of 999 pairs of a sample kept and an expectation");
    judge_free(j);
    j = judge_of(10, "timing t median > -%d");
    j->limits.looks = 1000;
    EQ_INT(judge_start(j, fake_reader(fake), &err), 0);
    judge_free(j);
    fake_free(fake);
}

/* Bytes for n expectations in as many sources, with so many ignored tags and a prefix of so many bytes. */
static size_t bytes_of_sources(size_t n, size_t n_ignored, size_t n_prefix) {
    struct buf ignored = {0}, prefix = {0};
    for (size_t i = 0; i < n_ignored; i++)
        buf_printf(&ignored, "%skey%zu", i ? "," : "", i);
    for (size_t i = 0; i < n_prefix; i++)
        buf_char(&prefix, 'p');
    struct judge_source *sources = calloc(n, sizeof *sources);
    for (size_t i = 0; i < n; i++)
        sources[i].text = SPAN("incr a\nignore-tags b");
    struct judge_error error = {0};
    struct judge_options options = {.ignore_tags = buf_view(&ignored), .prefix = buf_view(&prefix)};
    struct judge *j = judge_parse(sources, n, &options, &error);
    size_t used = j ? j->parsed.arena.used : 0;
    CU_ASSERT_PTR_NOT_NULL(j);
    judge_free(j);
    free(sources);
    buf_free(&ignored);
    buf_free(&prefix);
    return used;
}

/* 255 ignored tags and 100,000 expectations of a few bytes each took gigabytes. */
static void options_are_kept_once(void) {
    size_t plain = bytes_of_sources(5000, 0, 0);
    CU_ASSERT(bytes_of_sources(5000, 255, 0) < plain + (1 << 20));
    CU_ASSERT(bytes_of_sources(40000, 255, 0) < 12 * plain);
    struct judge_error error = {0};
    static char long_prefix[5000];
    memset(long_prefix, 'p', sizeof long_prefix);
    struct judge_options options = {.prefix = span_of(long_prefix, sizeof long_prefix)};
    struct judge_source source = {.text = SPAN("incr a")};
    CU_ASSERT_PTR_NULL(judge_parse(&source, 1, &options, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "longer than the limit of 4096 bytes"));
}

/* What is ignored everywhere and what one source ignores hold together. */
static void ignored_in_two_places(void) {
    fake = fake_new();
    fake_send(fake, "a:1|c|#env:x,host_id:y,z:1");
    struct judge_options options = {.ignore_tags = SPAN("env")};
    struct judge_error error = {0};
    struct judge_source sources[] = {{.text = SPAN("ignore-tags host_id\nincr a[z:1]")},
                                     {.text = SPAN("incr a[z:1]")}};
    struct judge *j = judge_parse(sources, 1, &options, &error);
    EQ_INT(judge_start(j, fake_reader(fake), &err), 0);
    EQ_INT(judge_verdict(j), VERDICT_PASS);
    judge_free(j);
    j = judge_parse(sources, 2, &options, &error); /* the second does not ignore host_id */
    EQ_INT(judge_start(j, fake_reader(fake), &err), 0);
    EQ_INT(judge_verdict(j), VERDICT_FAIL);
    judge_free(j);
    fake_free(fake);
}

/* Each event was held against every claim, those on metrics too. */
static void events_beside_claims_on_metrics(void) {
    fake = fake_new();
    record(10, "_e{2,1}:e%d|x");
    struct buf text = {0};
    for (int i = 0; i < 1000; i++)
        buf_printf(&text, "no incr n%d\n", i);
    buf_str(&text, "event e* samples == 10");
    struct judge *j = judging_parse(text.p, NULL);
    EQ_INT(j->n_records, 1);
    EQ_INT(judge_start(j, fake_reader(fake), &err), 0);
    EQ_INT(judge_verdict(j), VERDICT_PASS);
    judge_free(j);
    buf_free(&text);
    fake_free(fake);
}

/* What a condition needs for each series has a bound of its own. */
static void test_conditions(void) {
    fake = fake_new();
    record(100, "s.%d:1|c");
    struct judge *j = judge_of(50, "incr s.* where value > %d");
    j->limits.sifted = 5000;
    EQ_INT(judge_start(j, fake_reader(fake), &err), 0);
    judge_free(j);
    j = judge_of(50, "incr s.* where value > %d");
    j->limits.sifted = 4999;
    expect_refused(j, "more than the limit of 4999 pairs of an expectation with conditions and a series");
    judge_free(j);
    fake_free(fake);
}

/* Regular expressions that would blow up elsewhere, over texts made for them. */
static void test_regular_expressions(void) {
    static char line[60100];
    memset(line, 'a', 60000);
    memcpy(line, "u:", 2);
    strcpy(line + 60000, "|s");
    fake = fake_new();
    fake_send(fake, line);
    static const char *const texts[] = {"set u where value =~ \"(a|aa|aaa)*(a|aa)*(a*a*)*b\"",
                                        "set u where value =~ \"(a{0,9}){9,}b\"",
                                        "no set u where value !~ \"(a?){300}a{300}.*\""};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct judge *j = judging_parse(texts[i], NULL);
        EQ_INT(judge_start(j, fake_reader(fake), &err), 0);
        CU_ASSERT(j->steps > 100000 && j->steps < UINT64_C(1000) * 60000);
        judge_free(j);
        j = judging_parse(texts[i], NULL);
        j->limits.steps = 100000;
        expect_refused(j, "pattern steps");
        judge_free(j);
    }
    fake_free(fake);
}

UNIT_MAIN("judge/limits", {"pattern steps, when started", steps_when_started},
          {"pattern steps, when fed", steps_when_fed},
          {"pattern steps of events and checks", steps_of_events_and_checks},
          {"pairs of an expectation and a series", pairs}, {"values that are kept", values},
          {"looks at values that are kept", looks_at_values},
          {"the options of all sources are kept once", options_are_kept_once},
          {"ignored everywhere and in one source", ignored_in_two_places},
          {"events beside claims on metrics", events_beside_claims_on_metrics},
          {"as many clauses as there may be", as_many_clauses_as_there_may_be},
          {"explaining takes bounded memory", explaining_takes_bounded_memory},
          {"conditions", test_conditions}, {"regular expressions", test_regular_expressions})
