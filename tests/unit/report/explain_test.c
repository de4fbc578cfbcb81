#include "core/distance.h"
#include "judging.h"
#include "report/report.h"

#include "unit.h"

static size_t between(const char *a, const char *b, size_t limit) {
    return distance(span_str(a), span_str(b), limit);
}

static void test_distance(void) {
    EQ_INT(between("", "", 3), 0);
    EQ_INT(between("login", "login", 3), 0);
    EQ_INT(between("login", "logn", 3), 1);
    EQ_INT(between("login", "logiin", 3), 1);
    EQ_INT(between("login", "lagin", 3), 1);
    EQ_INT(between("login", "lgoin", 3), 1); /* a swap */
    EQ_INT(between("kitten", "sitting", 3), 3);
    EQ_INT(between("kitten", "sitting", 2), 3); /* more than the limit */
    EQ_INT(between("", "abcd", 3), 4);
    char long_a[1000], long_b[1000];
    memset(long_a, 'a', sizeof long_a);
    memset(long_b, 'b', sizeof long_b);
    EQ_INT(distance(span_of(long_a, 1000), span_of(long_b, 1000), 5), 6);
    EQ_INT(distance(span_of(long_a, 1000), span_of(long_a, 999), 5), 0);
    static const char *const words[] = {"login", "lgoin", "kitten", "sitting", "", "a.b.c", "a.c.b", "x"};
    for (size_t i = 0; i < 8; i++)
        for (size_t k = 0; k < 8; k++) {
            struct outline a = outline_of(span_str(words[i])), b = outline_of(span_str(words[k]));
            CU_ASSERT(outline_distance(&a, &b) <= between(words[i], words[k], 20));
        }
}

/* A limit saves work, and nothing else. */
static void test_limited_distance(void) {
    uint64_t state = 7;
    for (int round = 0; round < 20000; round++) {
        char words[2][11] = {"", ""};
        for (int i = 0; i < 20; i++) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            unsigned letter = (unsigned)(state >> 33) % 4;
            if (letter < 3)
                strncat(words[i / 10], &"abc"[letter], 1);
        }
        size_t whole = between(words[0], words[1], 20);
        CU_ASSERT(whole == between(words[1], words[0], 20));
        for (size_t limit = 0; limit < 6; limit++)
            CU_ASSERT(between(words[0], words[1], limit) == (whole > limit ? limit + 1 : whole));
    }
}

/* The first candidate's marks, joined by blanks. */
static const char *marks(struct fake *f, const char *text, const struct judge_options *options) {
    static char words[512];
    words[0] = '\0';
    json_t *result = judging_result(f, text, options);
    json_t *list = json_object_get(json_array_get(json_object_get(result, "closest"), 0), "marks");
    for (size_t i = 0; i < json_array_size(list); i++) {
        strcat(words, i ? " " : "");
        strcat(words, json_string_value(json_object_get(json_array_get(list, i), "mark")));
    }
    json_decref(result);
    return words;
}

static const char *marked(const char *sent, const char *text) {
    struct fake *f = fake_new();
    fake_send(f, sent);
    const char *words = marks(f, text, NULL);
    fake_free(f);
    return words;
}

static void test_marks(void) {
    EQ_STR(marked("login.atempt:1|c", "incr login.attempt"), "name_distance");
    EQ_STR(marked("logni.attempt:1|c", "incr login.attempt"), "name_distance");
    EQ_STR(marked("something.else:1|c", "incr login.attempt"), "");
    EQ_STR(marked("attempt:1|c", "incr login.attempt"), "prefix_missing");
    EQ_STR(marked("sentry.login.attempt:1|c", "incr login.attempt"), "prefix_extra");
    EQ_STR(marked("login.ok:1|c", "prefix sentry.\nincr login.*"), "prefix_missing");
    EQ_STR(marked("a:1|g", "incr a"), "type");
    EQ_STR(marked("a:1|c", "incr a{env:ci}"), "tag_missing");
    EQ_STR(marked("a:1|c|#env:prod", "incr a{env:ci}"), "tag_value");
    EQ_STR(marked("a:1|c|#env:ci", "incr a{!env}"), "tag_extra");
    EQ_STR(marked("a:1|c|#env:ci,x", "incr a[env:ci]"), "tag_extra");
    EQ_STR(marked("a:1|c|#env:prod", "incr a[env:ci]"), "tag_value");
    EQ_STR(marked("a:1|c|#host:web", "incr a{host:db}"), "tag_value");
    EQ_STR(marked("a:1|g|#env:prod", "incr a{env:ci,x}"), "type tag_value tag_missing");
    EQ_STR(marked("a:1|c|@0.5", "incr a sum == 3"), "matched sampled");
    EQ_STR(marked("a:5000|ms", "timing a max == 5"), "matched value_unit");
    EQ_STR(marked("a:0.005|ms", "timing a max == 5"), "matched value_unit");
    EQ_STR(marked("a:300|g", "gauge a last == 5"), "matched value_unit");
    EQ_STR(marked("a:5000000|g", "gauge a last ~ 5"), "matched value_unit");
    EQ_STR(marked("a:5e9|g", "gauge a last == 5"), "matched value_unit");
    EQ_STR(marked("a:5000|c", "incr a samples == 5000"), "matched"); /* a number has no unit */
    EQ_STR(marked("a.avg:5|g", "timing a"), "aggregated");
    EQ_STR(marked("b.avg:5|g", "timing a"), "");
    EQ_STR(marked("attempt:1|c", "incr login_attempt"), "prefix_missing");
    EQ_STR(marked("login-attempt:1|c", "incr attempt"), "prefix_extra");
    EQ_STR(marked("reattempt:1|c", "incr attempt"), "name_distance"); /* no prefix */
    EQ_STR(marked("errors.in.the.database:1|c", "prefix app.\nincr errors*"), "prefix_missing");
    EQ_STR(marked("a.very.long.name.of.a.metric.tht.is.mistypt:1|c",
                  "incr a.very.long.name.of.a.metric.that.is.mistyped"),
           "name_distance");
    EQ_STR(marked("datadog.dogstatsd.client.metrics:1|c", "incr datadog.dogstatsd.client.metric"),
           "name_distance");
    EQ_STR(marked("datadog.dogstatsd.client.metrics:1|c", "incr datadog.dogstatsd.cliend.metrics"), "");
    EQ_STR(marked("a:1|c|#environment:ci", "incr a{env:ci}"), "tag_missing");
    EQ_STR(marked("a:1|c|#env:ci", "incr a{!env}"), "tag_extra");
    EQ_STR(marked("a:1|c|#host:web", "incr a{!host:w*}"), "tag_extra");
    EQ_STR(marked("a:x|c", "incr a"), "rejected");
    EQ_STR(marked("_sc|app|9", "check app"), "rejected");
}

/* What the intake tells apart from the tags. */
static void test_fields(void) {
    struct value value = {.number = 5};
    struct record record = {.kind = RECORD_METRIC,
                            .metric = {.type = METRIC_GAUGE,
                                       .name = SPAN("disk"),
                                       .sample_rate = 1,
                                       .n_values = 1,
                                       .values = &value,
                                       .device = SPAN("sdb"),
                                       .origin = {.host = SPAN("web")}}};
    struct fake *f = fake_new();
    fake_put(f, &record);
    EQ_STR(marks(f, "gauge disk{device:sda}", NULL), "tag_value");
    json_t *result = judging_result(f, "gauge disk{!device}", NULL);
    const json_t *closest = json_array_get(json_object_get(result, "closest"), 0);
    EQ_STR(json_string_value(json_object_get(closest, "text")),
           "disk (gauge) {host:web,device:sdb} 1 sample: has device:sdb, which !device excludes");
    json_decref(result);
    fake_free(f);
}

/* A rejected line, as short as it can be shown, with the caret under its place. */
static const char *caret(struct reject reject) {
    static char text[2048];
    struct fake *f = fake_new();
    struct record record = {.kind = RECORD_REJECT, .reject = reject};
    record.reject.reason = REASON_INVALID_VALUE;
    fake_put(f, &record);
    json_t *result = judging_result(f, "incr app", NULL);
    const json_t *closest = json_array_get(json_object_get(result, "closest"), 0);
    const char *found = json_string_value(json_object_get(closest, "caret"));
    const char *why = json_string_value(json_object_get(closest, "text"));
    snprintf(text, sizeof text, "%s%s", found ? found : "(none)",
             why && strstr(why, "(at the third point)") ? " detailed" : "");
    json_decref(result);
    fake_free(f);
    return text;
}

static void test_carets(void) {
    char line[600];
    EQ_STR(caret((struct reject){.text = SPAN("app:x|c"), .offset = 4}), "app:x|c\n    ^");
    EQ_STR(caret((struct reject){.text = SPAN("app:x|c"), .detail = SPAN("at the third point")}),
           "app:x|c\n^ detailed");
    EQ_STR(caret((struct reject){.text = SPAN("app:x|c"), .offset = 99}), "app:x|c\n       ^");
    EQ_STR(caret((struct reject){.text = SPAN("\xc3\xa9\xff app:x"), .offset = 8}),
           "\xc3\xa9\\xff app:x\n          ^");
    EQ_STR(caret((struct reject){.text = SPAN("")}), "(none)");
    /* without a name of its own it is found by the expected one, unless that is a pattern or in every line */
    struct fake *f = fake_new();
    struct record record = {.kind = RECORD_REJECT,
                            .reject = {.reason = REASON_INVALID_VALUE, .text = SPAN("app:x|c")}};
    fake_put(f, &record);
    EQ_STR(marks(f, "incr app", NULL), "rejected in_text");
    EQ_STR(marks(f, "incr ap*", NULL), "");
    EQ_STR(marks(f, "incr ap", NULL), "");
    fake_free(f);
    /* the place is far into it: its surroundings, from a whole character on */
    memset(line, '.', sizeof line);
    memcpy(line, "app", 3);
    for (int i = 0; i < 50; i++)
        memcpy(line + 300 + 2 * i, "\xc3\xa9", 2);
    const char *text = caret((struct reject){.text = span_of(line, 600), .offset = 405});
    CU_ASSERT(strncmp(text, "\xc3\xa9", 2) == 0);
    const char *newline = strchr(text, '\n');
    CU_ASSERT_PTR_NOT_NULL_FATAL(newline);
    EQ_INT(strlen(newline), 1 + 47 + 5 + 1);
    text = caret((struct reject){.text = span_of(line, 600), .offset = 900});
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "...\n"));
}

static void test_sessions_and_marks(void) {
    struct fake *f = fake_new();
    fake_session(f, "other");
    fake_send(f, "a:1|c");
    fake_session(f, "default");
    EQ_STR(marks(f, "incr a", NULL), "other_session");
    EQ_STR(marks(f, "gauge a", NULL), ""); /* sessions are apart on purpose */
    fake_send(f, "b:1|c");
    struct judge_options since = {.since = fake_last_id(f)};
    EQ_STR(marks(f, "incr b", &since), "before_mark");
    /* what came when the judge had stopped looking */
    struct judge *j = judging_start("incr c", NULL, f);
    fake_send(f, "c:1|c");
    struct err err = {0};
    json_t *report = judge_report(j, fake_reader(f), &err);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(json_string_value(json_object_get(report, "text")), "arrived after the deadline"));
    json_decref(report);
    judge_free(j);
    fake_free(f);
}

static void test_closest_first(void) {
    struct fake *f = fake_new();
    for (int i = 0; i < 50; i++) {
        char line[64];
        snprintf(line, sizeof line, "login.attempt:1|c|#instance:x%d,more:y\n", i);
        fake_send(f, line);
    }
    fake_send(f, "login.attempt:1|c|#instance:other\nlogin.attmept:1|g|#instance:failure");
    json_t *result = judging_result(f, "incr login.attempt[instance:failure]", NULL);
    json_t *closest = json_object_get(result, "closest");
    EQ_INT(json_array_size(closest), 5);
    json_t *tags = json_object_get(json_array_get(closest, 0), "tags");
    EQ_STR(json_string_value(json_array_get(tags, 0)), "instance:other");
    json_decref(result);
    fake_free(f);
}

static void test_a_no_shows_what_matched(void) {
    struct fake *f = fake_new();
    fake_send(f, "errors.db:1|c\nerrors:1|c");
    fake_source(f, SOURCE_HTTP);
    fake_send(f, "lat.avg:1|g|#env:ci\nlat.avg:1|g|#env:prod");
    struct value value = {.number = 0.1};
    struct span tag = SPAN("env:ci");
    struct record count = {.kind = RECORD_METRIC,
                           .metric = {.type = METRIC_RATE,
                                      .name = SPAN("lat.count"),
                                      .sample_rate = 1,
                                      .interval = 10,
                                      .n_tags = 1,
                                      .tags = &tag,
                                      .n_values = 1,
                                      .values = &value}};
    fake_put(f, &count);
    json_t *forms = judging_result(f, "no timing lat{env:ci}", NULL);
    EQ_INT(json_array_size(json_object_get(forms, "closest")), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(json_string_value(json_object_get(forms, "why")),
                                  "1 sample matched: lat.avg{env:ci}, lat.count{env:ci}"));
    json_decref(forms);
    count.metric.name = SPAN("errors");
    fake_put(f, &count);
    json_t *rates = judging_result(f, "no incr errors{env:ci}", NULL);
    EQ_INT(json_array_size(json_object_get(rates, "closest")), 1);
    json_t *closest = json_array_get(json_object_get(rates, "closest"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(json_string_value(json_object_get(closest, "text")),
                                  "a rate, told as its value times its interval; matched"));
    json_decref(rates);
    /* a form that does not count says why */
    json_t *lone = judging_result(f, "timing lat{env:prod}", NULL);
    closest = json_array_get(json_object_get(lone, "closest"), 0);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(json_string_value(json_object_get(closest, "text")),
               "counts only beside the rate lat.count, and without samples of lat itself"));
    json_decref(lone);
    json_t *result = judging_result(f, "no any errors.*", NULL);
    EQ_INT(json_array_size(json_object_get(result, "closest")), 1);
    EQ_STR(json_string_value(json_object_get(result, "why")), "1 sample matched: errors.db");
    json_decref(result);
    fake_free(f);
}

static void test_why(void) {
    struct fake *f = fake_new();
    fake_send(f, "a:1|c\na:1|c\ng:1|g\ng:41|g\nx:0.1:0.2|g\n_sc|app|1");
    EQ_STR(judging_text(f, "incr a sum == 1", "why"), "sum is 2, expected sum == 1");
    EQ_STR(judging_text(f, "incr a sum == 1", "observed"), "sum 2");
    EQ_STR(judging_text(f, "incr a sum == 2", "why"), "sum is 2");
    EQ_STR(judging_text(f, "incr a samples == 2 and p95 > 1", "why"), "p95 is 1, expected p95 > 1");
    EQ_STR(judging_text(f, "incr a samples == 2 and p95 > 1", "observed"), "samples 2, p95 1");
    EQ_STR(judging_text(f, "incr b", "why"), "no sample that matches was received");
    EQ_STR(judging_text(f, "incr b", "observed"), "nothing");
    EQ_STR(judging_text(f, "no incr b", "why"), "no sample that matches was received");
    EQ_STR(judging_text(f, "gauge g sum == 41", "why"),
           "sum is 42, expected sum == 41; a gauge's sum adds up all its samples: 'last' would hold");
    EQ_STR(judging_text(f, "gauge x sum == 0.3", "why"), "sum is 0.30000000000000004");
    fake_send(f, "r:0.30000000000000004|g");
    EQ_STR(
        judging_text(f, "gauge r last == 0.3", "why"),
        "last is 0.30000000000000004, expected last == 0.3; the difference is only rounding: '~' allows for it");
    fake_send(f, "one:7|g");
    EQ_STR(judging_text(f, "gauge one sum == 8", "why"), "sum is 7, expected sum == 8");
    EQ_STR(judging_text(f, "gauge g each < 40", "why"), "each is, once, 41, expected each < 40");
    EQ_STR(judging_text(f, "check app status == ok", "why"), "status is warning, expected status == ok");
    EQ_STR(judging_text(f, "prefix x.\nincr a", "pattern"), "x.a");
    fake_free(f);
}

static size_t lines_of(const char *text) {
    size_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void test_ten_lines(void) {
    struct fake *f = fake_new();
    for (int i = 0; i < 9; i++)
        fake_send(
            f,
            "login.attempt:x|c\nlogin.attempt:1|g\nlogin.attempt:1|ms\nlogin.attempt:1|h\nlogin.attempt:1|d");
    struct judge *j = judging_start("incr login.attempt sum == 1 and samples == 1", NULL, f);
    struct err err = {0};
    json_t *report = judge_report(j, fake_reader(f), &err);
    const char *text = json_string_value(json_object_get(report, "text"));
    CU_ASSERT(lines_of(text) <= 11); /* and the summary */
    json_decref(report);
    judge_free(j);
    fake_free(f);
}

/* Whatever was received: no control characters, valid XML, valid JSON. */
static void test_hostile_bytes(void) {
    struct fake *f = fake_new();
    fake_send_span(f,
                   SPAN("a\x1b[31m\x07\0<&\">]]>\xff\xef\xbf\xbf\xc2\x9b:1|c|#x:\xe2\x80\xae\r\ta:x\x1b|c"));
    struct judge_source source = {.text = SPAN("no any a*\nincr \"a\x1b[31m\"\nany a{\"<&\"}"),
                                  .file = SPAN("f%:,\n.expect")};
    struct judge_error error;
    struct judge_options options = {.all_covered = true};
    struct judge *j = judge_parse(&source, 1, &options, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(j);
    struct err err = {0};
    EQ_INT(judge_start(j, fake_reader(f), &err), 0);
    json_t *report = judge_report(j, fake_reader(f), &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    void (*const render[])(const json_t *, struct buf *) = {report_junit, report_tap, report_github};
    for (size_t i = 0; i <= 3; i++) {
        struct buf b = {0};
        if (i < 3)
            render[i](report, &b);
        else
            report_text(report, false, &b);
        bool clean = b.n > 0;
        for (size_t k = 0; k < b.n; k++)
            clean &= (unsigned char)b.p[k] >= 0x20 || b.p[k] == '\n';
        CU_ASSERT(clean);
        CU_ASSERT(i != 2 || memmem(b.p, b.n, "file=f%25%3A%2C\\x0a.expect,line=1", 33) != NULL);
        CU_ASSERT(i != 0 || (!memmem(b.p, b.n, "\xef\xbf\xbf", 3) && !memmem(b.p, b.n, "<&", 2)));
        buf_free(&b);
    }
    char *dump = json_dumps(report, 0);
    CU_ASSERT_PTR_NOT_NULL(dump);
    free(dump);
    json_decref(report);
    judge_free(j);
    fake_free(f);
}

static json_t *covering(struct fake *f) {
    struct judge_options options = {.all_covered = true};
    struct judge *j = judging_start("incr a", &options, f);
    struct err err = {0};
    json_t *report = judge_report(j, fake_reader(f), &err);
    judge_free(j);
    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    return report;
}

static void test_uncovered(void) {
    struct fake *f = fake_new();
    char line[64];
    fake_send(f, "a:1|c\nb:1|g|#x:1,y:2\nc:1|g");
    json_t *report = covering(f);
    const char *text = json_string_value(json_object_get(report, "text"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "gauge b{x:1,y:2}\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "gauge c\n"));
    CU_ASSERT_PTR_NULL(strstr(text, " more\n"));
    json_decref(report);
    for (int i = 0; i < 1200; i++) {
        snprintf(line, sizeof line, "many%d:1|g", i);
        fake_send(f, line);
    }
    report = covering(f);
    EQ_INT(json_array_size(json_object_get(report, "uncovered")), 1000);
    EQ_INT(json_integer_value(json_object_get(report, "n_uncovered")), 1202);
    CU_ASSERT_PTR_NOT_NULL(strstr(json_string_value(json_object_get(report, "text")), "and 1182 more\n"));
    json_decref(report);
    fake_free(f);
}

/* All claims hold, and what was lost may have been of a series that none of them is about. */
static void test_covered_after_a_loss(void) {
    struct fake *f = fake_new();
    fake_send(f, "never:1|c");
    fake_loss(f, NULL, LOSS_KERNEL_DROP, 1);
    struct judge_options options = {.all_covered = true};
    struct judge *j = judging_start("any *", &options, f);
    struct err err = {0};
    json_t *report = judge_report(j, fake_reader(f), &err);
    judge_free(j);
    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    EQ_STR(json_string_value(json_object_get(report, "covered")), "inconclusive");
    static const struct {
        void (*render)(const json_t *, struct buf *);
        const char *expected;
    } cases[] = {{report_junit, "tests=\"2\" failures=\"0\" errors=\"1\""},
                 {report_junit, "<error type=\"inconclusive\" message=\"what was lost"},
                 {report_tap, "\nnot ok 2 - every series is covered\n  ---\n  verdict: \"inconclusive\""},
                 {report_github, "::error title=statwit inconclusive::every series is covered: "}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf b = {0};
        cases[i].render(report, &b);
        buf_char(&b, '\0');
        CU_ASSERT_PTR_NOT_NULL(strstr(b.p, cases[i].expected));
        buf_free(&b);
    }
    const char *text = json_string_value(json_object_get(report, "text"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\?\?\?\?  every series is covered\n"));
    json_decref(report);
    fake_free(f);
}

/* Those of verify and lint: what only warns passes, and is annotated all the same. */
static void test_warnings(void) {
    static const char text[] =
        "{\"verdict\":\"pass\",\"results\":["
        "{\"expectation\":\"a # \\\\\",\"verdict\":\"pass\",\"severity\":\"warning\",\"rule\":\"never-seen\",\"why\":\"w\xef\xbf\xbe\"},"
        "{\"expectation\":\"b\",\"verdict\":\"pass\"},"
        "{\"expectation\":\"c\",\"verdict\":\"inconclusive\",\"why\":\"\xef\xbf\xbe\\u2070\"}]}";
    json_t *report = json_loads(text, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    static const struct {
        void (*render)(const json_t *, struct buf *);
        const char *expected;
    } cases[] = {
        {report_github,
         "::warning title=statwit never-seen::a # \\: w\xef\xbf\xbe\n::error title=statwit inconclusive::c: "},
        {report_tap, "1..3\nok 1 - a \\# \\\\\n"},
        {report_tap, "\nnot ok 3 - c"},
        {report_junit, "\"b\"/>"},
        {report_junit, "message=\"\xef\xbf\xbd\xe2\x81\xb0\""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf b = {0};
        cases[i].render(report, &b);
        bool found = b.p && strstr(b.p, cases[i].expected);
        if (!found)
            fprintf(stderr, "%s\nnot in:\n%s\n", cases[i].expected, b.p ? b.p : "");
        CU_ASSERT(found);
        buf_free(&b);
    }
    json_decref(report);
}

/* What a passed case says all the same was only in the text, and a refused line was told without the line. */
static void test_asides(void) {
    struct fake *f = fake_new();
    fake_send(f, "errors.x:abc|c");
    struct judge *j = judging_start("no any errors.*\nincr errors.x", NULL, f);
    struct err err = {0};
    json_t *report = judge_report(j, fake_reader(f), &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    struct buf junit = {0}, tap = {0}, github = {0};
    report_junit(report, &junit);
    report_tap(report, &tap);
    report_github(report, &github);
    CU_ASSERT_PTR_NOT_NULL(strstr(junit.p, "<system-out>note: 1 line of that name was refused"));
    CU_ASSERT_PTR_NOT_NULL(strstr(junit.p, "\n    errors.x:abc|c\n             ^</failure>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(tap.p, "  note: \"1 line of that name was refused"));
    CU_ASSERT_PTR_NOT_NULL(strstr(tap.p, "      line: \"errors.x:abc|c\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(github.p, "%0A    errors.x:abc|c"));
    buf_free(&junit);
    buf_free(&tap);
    buf_free(&github);
    json_decref(report);
    judge_free(j);
    fake_free(f);
}

/* Reports of another shape (an older server's, a broken one's) are survived. */
static void test_odd_reports(void) {
    static const char *const texts[] = {
        "{}", "[]", "{\"results\":7}", "{\"results\":[1,null,{}],\"losses\":{},\"uncovered\":[3,{}]}",
        "{\"results\":[{\"verdict\":\"fail\",\"closest\":[{},4,{\"caret\":\"a\"}]}],\"losses\":[{}]}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *report = json_loads(texts[i], 0, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(report);
        struct buf b = {0};
        report_text(report, true, &b);
        report_junit(report, &b);
        report_tap(report, &b);
        report_github(report, &b);
        CU_ASSERT(!b.failed);
        buf_free(&b);
        json_decref(report);
    }
}

/* Each claim told all that 1,000 clients had dropped, and each tag of a series was held against each term for each tag. */
static void test_long_lists(void) {
    struct fake *f = fake_new();
    for (int i = 0; i < 40; i++) {
        char line[100];
        snprintf(line, sizeof line, "datadog.dogstatsd.client.dropped%d:1|c", i);
        fake_send(f, line);
    }
    struct buf line = {0};
    buf_str(&line, "a:1|c|#k:0");
    for (int i = 1; i < 5000; i++)
        buf_printf(&line, ",k:%d", i);
    fake_send_span(f, buf_view(&line));
    struct judge *j = judging_parse("incr a[k:x] sum == 1", NULL);
    struct err err = {0};
    CU_ASSERT_FATAL(judge_start(j, fake_reader(f), &err) == 0);
    json_t *report = judge_report(j, fake_reader(f), &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    const json_t *result = json_array_get(json_object_get(report, "results"), 0);
    const char *why = json_string_value(json_object_get(result, "why"));
    size_t told = 0;
    for (const char *at = why; (at = strstr(at, "a client says it dropped")); at++)
        told++;
    EQ_INT(told, 10);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, " and more; as far as is known"));
    EQ_INT(json_array_size(json_object_get(report, "losses")), 40);
    const json_t *closest = json_array_get(json_object_get(result, "closest"), 0);
    size_t marks = json_array_size(json_object_get(closest, "marks"));
    CU_ASSERT(marks > 0 && marks < 400);
    json_decref(report);
    judge_free(j);
    fake_free(f);
    buf_free(&line);
}

UNIT_MAIN("report/explain", {"asides and refused lines in reports for machines", test_asides},
          {"edit distance", test_distance}, {"edit distance up to a limit", test_limited_distance},
          {"each difference has its mark", test_marks}, {"fields of their own", test_fields},
          {"rejected lines and their carets", test_carets},
          {"other sessions, before the mark, after the deadline", test_sessions_and_marks},
          {"the closest comes first, five at most", test_closest_first},
          {"a no shows what matched", test_a_no_shows_what_matched}, {"why", test_why},
          {"ten lines on a terminal", test_ten_lines}, {"hostile bytes", test_hostile_bytes},
          {"what nothing covers", test_uncovered},
          {"a report told that every series is covered after a loss", test_covered_after_a_loss},
          {"warnings", test_warnings}, {"long lists are cut", test_long_lists},
          {"reports of another shape", test_odd_reports})
