/* A recording against a catalog: each rule with a case that breaks it and one that keeps it, and what losses do. */
#include "catalog/verify.h"

#include "broken_reader.h"
#include "fake_reader.h"
#include "report/names.h"
#include "unit.h"

static struct catalog *load(const char *text) {
    struct catalog_error error = {0};
    struct catalog *c = catalog_read("catalog.json", span_str(text), &error);
    if (!c || catalog_finish(c, &error))
        fprintf(stderr, "%zu:%zu: %s\n", error.line, error.column, error.message);
    CU_ASSERT_FATAL(c != NULL && !error.set);
    return c;
}

static json_t *verify(const char *catalog, struct fake *f, const struct verify_options *options) {
    struct err err = {0};
    struct catalog *c = load(catalog);
    json_t *report = catalog_verify(c, options, fake_reader(f), &err);
    CU_ASSERT_FATAL(report != NULL);
    catalog_free(c);
    return report;
}

static const json_t *result_of(const json_t *report, const char *rule) {
    size_t i;
    json_t *result;
    json_array_foreach(json_object_get(report, "results"), i, result) {
        const char *word = json_string_value(json_object_get(result, "rule"));
        if (word && strcmp(word, rule) == 0)
            return result;
    }
    return NULL;
}

static const char *text(const json_t *object, const char *field) {
    const char *s = json_string_value(json_object_get(object, field));
    return s ? s : "";
}

static void check(const char *catalog, const char *datagram, const char *rule, const char *why) {
    struct verify_options options = {0};
    struct fake *f = fake_new();
    fake_send(f, datagram);
    json_t *report = verify(catalog, f, &options);
    EQ_STR(text(report, "verdict"), rule ? "fail" : "pass");
    const json_t *result = rule ? result_of(report, rule) : NULL;
    CU_ASSERT(!rule || result);
    if (rule && (!result || !strstr(text(result, "why"), why)))
        fprintf(stderr, "%s / %s: %s\n", datagram, rule, json_dumps(report, 0));
    CU_ASSERT(!result || strstr(text(result, "why"), why));
    CU_ASSERT(!result || json_integer_value(json_object_get(result, "line")) > 0);
    json_decref(report);
    fake_free(f);
}

/* What is close to its limit was told only when it was over it. */
static void test_near(void) {
    static const struct {
        double near;
        const char *lines;
        size_t notes;
        const char *why;
    } cases[] = {
        {0, "a:1|c|#k:1\na:1|c|#k:2\na:1|c|#k:3\na:1|c|#k:4", 0, ""},
        {0.8, "a:1|c|#k:1\na:1|c|#k:2\na:1|c|#k:3\na:1|c|#k:4", 2, "80 % of the limit"},
        {0.8, "a:1|c|#k:1\na:1|c|#k:2\na:1|c|#k:3", 0, ""},
        {0.81, "a:1|c|#k:1\na:1|c|#k:2\na:1|c|#k:3\na:1|c|#k:4", 0, ""},
        {1, "a:1|c|#k:1\na:1|c|#k:2\na:1|c|#k:3\na:1|c|#k:4\na:1|c|#k:5", 2, "100 % of the limit"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake *f = fake_new();
        fake_send(f, cases[i].lines);
        struct verify_options options = {.near = cases[i].near};
        json_t *report = verify(
            "{\"metrics\":{\"a\":{\"max_series\":5,\"tags\":{\"k\":{\"max_values\":5}}}}}", f, &options);
        size_t at, n = 0;
        json_t *result;
        json_array_foreach(json_object_get(report, "results"), at, result) {
            if (strcmp(text(result, "rule"), "near-limit") != 0)
                continue;
            n++;
            EQ_STR(text(result, "verdict"), "pass");
            EQ_STR(text(result, "severity"), "note");
            EQ_STR(text(result, "why"), cases[i].why);
        }
        EQ_INT(n, cases[i].notes);
        EQ_STR(text(report, "verdict"), "pass");
        json_decref(report);
        fake_free(f);
    }
}

static void test_rules(void) {
#define LOGIN                                                                                                                   \
    "{\"metrics\":{\"login\":{\"type\":\"count\",\"tags\":{\"env\":{\"presence\":\"required\",\"values\":[\"ci-*\",\"prod\"]}," \
    "\"user\":\"forbidden\",\"zone\":{\"pattern\":\"[a-z]+-[0-9]\"},\"shard\":{\"max_values\":2}},\"max_series\":3}}}"
    check(LOGIN, "login:1|c|#env:prod", NULL, "");
    check(LOGIN, "login:1|c|#env:ci-7,zone:eu-1", NULL, "");
    check(LOGIN, "login:1|g|#env:prod", "wrong-type", "sent as a gauge");
    check(LOGIN, "login:1|c", "missing-tag", "required tag env is missing");
    check(LOGIN, "login:1|c|#env:prod,user:1", "forbidden-tag", "user is forbidden");
    check(LOGIN, "login:1|c|#env:prod,zon:eu-1", "unknown-tag", "did you mean zone?");
    check(LOGIN, "login:1|c|#env:staging", "tag-value", "\"staging\"");
    check(LOGIN, "login:1|c|#env:prod,zone:eu", "tag-value", "\"eu\"");
    check(LOGIN, "login:1|c|#env:prod,shard:1\nlogin:1|c|#env:prod,shard:2", NULL, "");
    check(LOGIN, "login:1|c|#env:prod,shard:1\nlogin:1|c|#env:prod,shard:2\nlogin:1|c|#env:prod,shard:3",
          "too-many-values", "shard");
    check(LOGIN, "login:1|c|#env:ci-1\nlogin:1|c|#env:ci-2\nlogin:1|c|#env:ci-3\nlogin:1|c|#env:ci-4",
          "too-many-series", "tags");
    check(LOGIN, "login:1|c|#env:prod\nlogn:1|c", "undeclared", "logn is one letter from login");
    check(LOGIN, "login:1|c|#env:prod\ndatadog.dogstatsd.client.metrics:1|c", NULL, "");
#define RANGE                                                                                                \
    "{\"metrics\":{\"depth\":{\"type\":\"gauge\",\"value\":{\"min\":0,\"max\":10},\"sample_rate\":{\"min\":0.1}}}}"
    check(RANGE, "depth:0|g\ndepth:10|g", NULL, "");
    check(RANGE, "depth:11|g", "value-range", "11");
    check(RANGE, "depth:-1|g", "value-range", "-1");
    check(RANGE, "depth:1|g|@0.5", NULL, "");
    check(RANGE, "depth:1|g|@0.01", "sample-rate", "0.01");
#define OLD "{\"metrics\":{\"old\":{\"deprecated\":\"new\"},\"new\":{}}}"
    check(OLD, "new:1|c", NULL, "");
    check(OLD, "old:1|c\nnew:1|c", "deprecated", "use new instead");
    check("{\"tags\":{\"env\":\"required\"},\"metrics\":{\"a\":{},\"b\":{\"tags\":{\"env\":\"optional\"}}}}",
          "a:1|c|#env:x\nb:1|c", NULL, "");
    check("{\"tags\":{\"env\":\"required\"},\"metrics\":{\"a\":{}}}", "a:1|c|#x", "missing-tag", "env");
    check(
        "{\"metrics\":{\"http.*\":{\"type\":\"count\"},\"http.time\":{\"type\":\"timing\"},\"*.errors\":{\"type\":\"gauge\"}}}",
        "http.hits:1|c\nhttp.time:3|ms\ndb.errors:1|g", NULL, "");
    check("{\"metrics\":{\"a\":{\"tags\":{\"host\":\"required\"}}}}", "a:1|c|#host:x", NULL, "");
}

/* What becomes of a histogram on its way stands for it, and the other way round. */
static void test_aggregates(void) {
    check("{\"metrics\":{\"api\":{\"type\":\"timing\"}}}", "api.avg:1|g\napi.95percentile:3|g", NULL, "");
    check("{\"metrics\":{\"api.avg\":{\"type\":\"gauge\"},\"api.count\":{\"type\":\"rate\"}}}", "api:1|ms",
          NULL, "");
    check("{\"metrics\":{\"api\":{\"type\":\"gauge\"}}}", "api:1|g\napi.avg:1|g", "undeclared", "");
    check("{\"metrics\":{\"hits\":{\"type\":\"rate\"}}}", "hits:1|c", NULL, "");
}

/* A look at a series' samples for one declared form replaced the look for another: what that one forbids passed. */
static void test_every_declared_form(void) {
#define FORM_AVG "\"a.lat.avg\":{\"type\":\"gauge\",\"unit\":\"second\"}"
#define FORM_MAX "\"a.lat.max\":{\"type\":\"gauge\",\"sample_rate\":{\"min\":1}}"
#define FORM_P95 "\"a.lat.95percentile\":{\"type\":\"gauge\",\"sample_rate\":{\"min\":0.1}}"
    static const char sampled[] = "a.lat:5|ms|@0.5";
    check("{\"metrics\":{" FORM_MAX "}}", sampled, "sample-rate", "0.5");
    check("{\"metrics\":{" FORM_AVG "," FORM_MAX "}}", sampled, "sample-rate", "0.5");
    check("{\"metrics\":{" FORM_MAX "," FORM_AVG "," FORM_P95 "}}", sampled, "sample-rate", "0.5");
    check("{\"metrics\":{" FORM_AVG "," FORM_P95 "}}", sampled, NULL, "");
    check("{\"metrics\":{" FORM_AVG "," FORM_P95 "}}", "a.lat:5|ms|@0.05", "sample-rate", "0.05");
    /* each form that is broken is told, not one of them */
    struct value value = {.number = 10};
    struct record record = {.kind = RECORD_METRIC,
                            .metric = {.type = METRIC_TIMING,
                                       .name = SPAN("a.lat"),
                                       .unit = SPAN("byte"),
                                       .sample_rate = 0.05,
                                       .n_values = 1,
                                       .values = &value}};
    struct fake *f = fake_new();
    fake_put(f, &record);
    json_t *report =
        verify("{\"metrics\":{" FORM_AVG "," FORM_MAX "," FORM_P95 "}}", f, &(struct verify_options){0});
    EQ_INT(json_integer_value(json_object_get(json_object_get(report, "counts"), "fail")), 3);
    json_decref(report);
    fake_free(f);
}

static void verdict_of(struct fake *f, const char *catalog, struct verify_options options,
                       const char *verdict) {
    json_t *report = verify(catalog, f, &options);
    EQ_STR(text(report, "verdict"), verdict);
    json_decref(report);
}

#define TWO "{\"metrics\":{\"a\":{\"type\":\"count\"},\"b\":{}}}"

static void test_coverage(void) {
    struct fake *f = fake_new();
    fake_send(f, "a:1|c");
    struct verify_options options = {0};
    json_t *report = verify(TWO, f, &options);
    EQ_STR(text(report, "verdict"), "pass");
    EQ_STR(text(result_of(report, "never-seen"), "severity"), "warning");
    json_decref(report);
    options.strict = true;
    verdict_of(f, TWO, options, "fail");
    fake_free(f);
}

static void test_losses(void) {
    struct fake *f = fake_new();
    fake_send(f, "a:1|c\nb:1|g");
    fake_loss(f, "other", LOSS_KERNEL_DROP, 1);
    verdict_of(f, TWO, (struct verify_options){.strict = true}, "pass");
    fake_loss(f, NULL, LOSS_KERNEL_DROP, 3);
    verdict_of(f, TWO, (struct verify_options){.strict = true}, "inconclusive");
    verdict_of(f, "{\"metrics\":{\"a\":{},\"b\":{},\"c\":{}}}", (struct verify_options){.strict = true},
               "inconclusive");
    verdict_of(f, "{\"metrics\":{\"a\":{}}}", (struct verify_options){0}, "fail");
    fake_free(f);
    /* what a client says it dropped is lost like anything else */
    f = fake_new();
    fake_send(
        f,
        "a:1|c\nb:1|g\ndatadog.dogstatsd.client.packets_dropped:0|c\ndatadog.dogstatsd.client.metrics:9|c");
    verdict_of(f, TWO, (struct verify_options){.strict = true}, "pass");
    fake_send(f, "datadog.dogstatsd.client.packets_dropped:2:3|c");
    json_t *report = verify(TWO, f, &(struct verify_options){.strict = true});
    EQ_STR(text(report, "verdict"), "inconclusive");
    const json_t *loss = json_array_get(json_object_get(report, "losses"), 0);
    EQ_STR(text(loss, "loss"), "client");
    EQ_INT(json_integer_value(json_object_get(loss, "n")), 5);
    EQ_STR(text(loss, "detail"), "datadog.dogstatsd.client.packets_dropped");
    json_decref(report);
    verdict_of(f, TWO, (struct verify_options){.strict = true, .scope = {.since = fake_last_id(f)}}, "fail");
    fake_send(f, "a:1|c\nb:1|g");
    verdict_of(f, TWO, (struct verify_options){.strict = true, .scope = {.since = fake_last_id(f) - 2}},
               "pass");
    fake_free(f);
}

/* Found by walking the list, once for each sample. */
static void test_many_losses(void) {
    enum { CLIENTS = 2000 };
    struct fake *f = fake_new();
    fake_send(f, "a:1|c\nb:1|g");
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < CLIENTS; i++) {
            char line[100];
            snprintf(line, sizeof line, "datadog.dogstatsd.client.dropped%d:3|c", i);
            fake_send(f, line);
        }
    json_t *report = verify(TWO, f, &(struct verify_options){0});
    const json_t *losses = json_object_get(report, "losses");
    EQ_INT(json_array_size(losses), CLIENTS);
    EQ_INT(json_integer_value(json_object_get(json_array_get(losses, CLIENTS - 1), "n")), 6);
    json_decref(report);
    fake_free(f);
}

/* What a full Unix socket may have cost changes what fails, and not what passes. */
static void test_doubt(void) {
    struct fake *f = fake_new();
    fake_send(f, "a:1|c\nb:1|g");
    fake_loss(f, NULL, LOSS_UNIXGRAM_FULL, 1);
    verdict_of(f, TWO, (struct verify_options){.strict = true}, "pass");
    verdict_of(f, "{\"metrics\":{\"a\":{},\"b\":{},\"c\":{}}}", (struct verify_options){.strict = true},
               "inconclusive");
    verdict_of(f, "{\"metrics\":{\"a\":{}}}", (struct verify_options){0}, "fail");
    fake_free(f);
}

static void test_scope(void) {
    struct fake *f = fake_new();
    fake_send(f, "sentry.a:1|c|#env:x");
    uint64_t mark = fake_last_id(f);
    struct verify_options options = {.prefix = SPAN("sentry."), .ignore_tags = SPAN("host,env")};
    verdict_of(f, "{\"metrics\":{\"a\":{\"tags\":{}}}}", options, "pass");
    verdict_of(f, "{\"metrics\":{\"a\":{\"tags\":{}}}}", (struct verify_options){0}, "fail");
    fake_session(f, "other");
    fake_send(f, "x:1|c");
    verdict_of(f, "{\"metrics\":{\"a\":{}}}", options, "pass");
    options.scope.session = SPAN("other");
    verdict_of(f, "{\"metrics\":{\"x\":{}}}", (struct verify_options){.scope = {.session = SPAN("other")}},
               "pass");
    verdict_of(f, "{\"metrics\":{}}", (struct verify_options){.scope = {.since = mark}}, "pass");
    fake_free(f);
}

/* Values since a mark are looked at one by one. */
static void test_since(void) {
    struct fake *f = fake_new();
    fake_send(f, "depth:99|g");
    uint64_t mark = fake_last_id(f);
    fake_send(f, "depth:5|g");
    verdict_of(f, RANGE, (struct verify_options){.scope = {.since = mark}}, "pass");
    fake_send(f, "depth:50|g");
    verdict_of(f, RANGE, (struct verify_options){.scope = {.since = mark}}, "fail");
    fake_free(f);
}

/* As the intake makes them: a sketch is judged by its ends, device and unit are fields. */
static void test_intake(void) {
    static const int32_t keys[] = {0};
    static const uint32_t counts[] = {2};
    struct sketch sketch = {
        .count = 2, .sum = 20, .min = 0, .max = 20, .avg = 10, .n_bins = 1, .keys = keys, .counts = counts};
    struct value value = {.number = 10, .timestamp = 1};
    struct record record = {.kind = RECORD_METRIC,
                            .metric = {.type = METRIC_DISTRIBUTION,
                                       .name = SPAN("depth"),
                                       .device = SPAN("sda"),
                                       .unit = SPAN("second"),
                                       .sample_rate = 1,
                                       .n_values = 1,
                                       .values = &value}};
    struct fake *f = fake_new();
    fake_source(f, SOURCE_HTTP);
    fake_put(f, &record);
    uint64_t mark = fake_last_id(f);
    value.sketch = &sketch;
    fake_put(f, &record);
    fake_put(f, &record);
    struct verify_options whole = {0}, since = {.scope = {.since = mark}};
    static const char range[] = "{\"metrics\":{\"depth\":{\"value\":{\"max\":10}}}}";
    verdict_of(f, range, whole, "fail");
    verdict_of(f, range, since, "fail");
    verdict_of(f, "{\"metrics\":{\"depth\":{\"value\":{\"max\":20}}}}", since, "pass");
    verdict_of(f, "{\"metrics\":{\"depth\":{\"tags\":{\"device\":{\"values\":[\"sd*\"]}}}}}", whole, "pass");
    verdict_of(f, "{\"metrics\":{\"depth\":{\"tags\":{\"device\":{\"values\":[\"nvme*\"]}}}}}", whole,
               "fail");
    verdict_of(f, "{\"metrics\":{\"depth\":{\"tags\":{\"device\":\"forbidden\"}}}}", whole, "fail");
    verdict_of(f, "{\"metrics\":{\"depth\":{\"tags\":{\"device\":\"forbidden\"}}}}",
               (struct verify_options){.ignore_tags = SPAN("device")}, "pass");
    /* one series however many of its samples show it, and what its summary told isn't told again */
    json_t *report =
        verify("{\"metrics\":{\"depth\":{\"unit\":\"byte\",\"value\":{\"max\":10}}}}", f, &whole);
    CU_ASSERT_PTR_NOT_NULL(strstr(text(result_of(report, "wrong-unit"), "observed"), "depth"));
    CU_ASSERT_PTR_NULL(strstr(text(result_of(report, "wrong-unit"), "observed"), "more"));
    CU_ASSERT_PTR_NULL(strstr(text(result_of(report, "value-range"), "observed"), "more"));
    json_decref(report);
    fake_free(f);
}

/* "declared but never seen" was all that was said of a metric that every line of was refused. */
static void test_refused_lines(void) {
    struct fake *f = fake_new();
    fake_send(f, "a:x|c\na:y|c\nb:1|c\nb:z|c\nother:x|c\n_sc|a|9");
    for (int strict = 0; strict < 2; strict++) {
        struct verify_options options = {.strict = strict};
        json_t *report = verify(TWO, f, &options);
        EQ_STR(text(report, "verdict"), strict ? "fail" : "pass");
        EQ_STR(
            text(result_of(report, "never-seen"), "why"),
            "declared but never seen: 2 lines were refused, as an Agent would: a:x|c (invalid_value: the value is "
            "not a number)");
        const json_t *seen = result_of(report, "refused");
        EQ_STR(text(seen, "why"),
               "1 line was refused, as an Agent would: b:z|c (invalid_value: the value is not a number)");
        EQ_STR(text(seen, "expectation"), "b: no line is refused");
        EQ_STR(text(seen, "severity"), strict ? "error" : "warning");
        json_decref(report);
    }
    struct verify_options prefixed = {.prefix = SPAN("p.")}, later = {.scope = {.since = fake_last_id(f)}};
    fake_send(f, "p.a:x|c");
    json_t *report = verify(TWO, f, &prefixed);
    CU_ASSERT_PTR_NOT_NULL(strstr(text(result_of(report, "never-seen"), "why"), "1 line was refused"));
    json_decref(report);
    report = verify(TWO, f, &later);
    EQ_STR(text(result_of(report, "never-seen"), "why"), "declared but never seen");
    json_decref(report);
    fake_free(f);
}

static int refuse_samples(struct reader *r, const struct filter *f, bool ordered,
                          int (*row)(void *, const struct sample_row *), void *arg, struct err *err) {
    (void)r, (void)ordered, (void)row, (void)arg;
    return f->name.p ? 0 : err_set(err, 0, "samples were asked for"); /* telemetry is asked for by name */
}

/* Of a fleet, all samples came over the network for a unit. */
static void test_rates_and_units_without_samples(void) {
    struct fake *f = fake_new();
    fake_send(f, "depth:5|g\nclicks:1|c|@0.05\nclicks:1|c\nclicks:1|c|@0.5");
    struct reader *r = fake_reader(f);
    struct reader_ops ops = *r->ops;
    ops.samples = refuse_samples;
    r->ops = &ops;
    struct verify_options options = {0};
    json_t *report = verify("{\"metrics\":{\"depth\":{\"unit\":\"byte\",\"value\":{\"max\":10}},"
                            "\"clicks\":{\"sample_rate\":{\"min\":0.1}}}}",
                            f, &options);
    CU_ASSERT_PTR_NOT_NULL(strstr(text(result_of(report, "sample-rate"), "why"), "0.05"));
    json_decref(report);
    fake_free(f);
}

/* At every call in turn: an error that says so, never an answer made of half a recording. */
static void test_broken_readers(void) {
    static const struct {
        enum catalog_kind kind;
        const char *question;
    } cases[] = {
        {ASK_VERIFY, "{\"catalog\":{\"metrics\":{\"a\":{\"unit\":\"byte\"},\"b\":{},\"g\":{}}}}"},
        {ASK_LINT, "{}"},
        {ASK_SNAPSHOT, "{\"check\":\"# statwit snapshot 1\\ncount a[]\\ngauge b[]\\ngauge g[]\\n\"}"},
        {ASK_SNAPSHOT, "{}"},
        {ASK_INFER, "{}"},
        {ASK_DIFF, "{\"a\":{\"session\":\"default\"},\"b\":{\"session\":\"default\"}}"},
    };
    struct fake *f = fake_new();
    fake_send(f, "a:1|c\nb:1|g\ng:1:2:3:4:5:6:7:8:9|g");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int n = 0, failed = 1; failed; n++) {
            struct broken broken;
            struct err err = {0};
            struct catalog_error wrong = {0};
            json_t *question = json_loads(cases[i].question, 0, NULL);
            struct catalog_question *q = catalog_question_new(cases[i].kind, question, &wrong);
            CU_ASSERT_PTR_NOT_NULL_FATAL(q);
            broken_init(&broken, fake_reader(f), n, true);
            json_t *answer = catalog_question_answer(q, &broken.reader, &err);
            failed = broken.failed;
            EQ_INT(answer == NULL, failed);
            EQ_STR(err.text, failed ? "the disk is on fire" : "");
            CU_ASSERT(failed || n >= 2);
            json_decref(answer);
            json_decref(question);
            catalog_question_free(q);
        }
    fake_free(f);
}

static void test_sentry(void) {
    static const char *const paths[] = {"fixtures/catalog/sentry.json"};
    struct catalog_error error = {0};
    struct err err = {0};
    struct catalog *c = catalog_load(1, paths, catalog_open_file, NULL, &error);
    CU_ASSERT_FATAL(c != NULL);
    size_t n;
    char *lines = catalog_open_file(NULL, "fixtures/catalog/sentry.dogstatsd", &n, &err);
    CU_ASSERT_FATAL(lines != NULL);
    struct fake *f = fake_new();
    fake_send_span(f, span_of(lines, n));
    struct verify_options options = {.strict = true};
    json_t *report = catalog_verify(c, &options, fake_reader(f), &err);
    EQ_STR(text(report, "verdict"), "pass");
    json_decref(report);
    fake_send(f, "sentry.store.symbolicate:1|c");
    report = catalog_verify(c, &options, fake_reader(f), &err);
    EQ_STR(text(result_of(report, "deprecated"), "why"),
           "it is deprecated: use sentry.symbolication.started instead");
    json_decref(report);
    free(lines);
    fake_free(f);
    catalog_free(c);
}

UNIT_MAIN("catalog/verify", {"each rule breaks and holds", test_rules}, {"near a limit", test_near},
          {"aggregated histograms", test_aggregates},
          {"every declared form is looked at", test_every_declared_form},
          {"coverage warns, or fails when strict", test_coverage}, {"losses", test_losses},
          {"many losses", test_many_losses}, {"a doubt", test_doubt},
          {"session, mark, prefix, ignored tags", test_scope}, {"values since a mark", test_since},
          {"what came over HTTP", test_intake}, {"a reader that fails", test_broken_readers},
          {"rates and units without samples", test_rates_and_units_without_samples},
          {"refused lines of declared metrics", test_refused_lines},
          {"a recording of Sentry's metrics", test_sentry})
