#include "judging.h"

#include "unit.h"

static struct fake *f;

static struct fake *sent(const char *datagram) {
    fake_free(f ? f : fake_new());
    f = fake_new();
    fake_obeys_names = true;
    if (datagram)
        fake_send(f, datagram);
    return f;
}

/* Every line of the README's examples, on a recording that it is true of. */
static void test_examples(void) {
    sent("login.attempt:1|c|#instance:failure,env:ci\n"
         "tasks.app_store_connect.refreshed:41|g\ntasks.app_store_connect.refreshed:42|g\n"
         "events.latency:120:90|ms|#from_relay:True,env:ci-3\n"
         "users.unique:a|s\nusers.unique:b|s\nusers.unique:c|s\nusers.unique:a|s\n"
         "http.hits:1:1|c|#env:ci,code:200\n"
         "_e{15,4}:Deploy finished|text|#env:ci\n_sc|app.ok|0|#env:ci");
    for (int i = 0; i < 100; i++)
        fake_send(f, "sampled.hits:1|c|@0.1");
    PASSES(f, "incr login.attempt{instance:failure} sum == 1");
    PASSES(f, "gauge tasks.app_store_connect.refreshed last == 42");
    PASSES(f, "timing events.latency{from_relay:True} count >= 1 and p95 < 500");
    PASSES(f, "timing events.*{!canary,env:ci-*} each >= 0");
    PASSES(f, "set users.unique distinct == 3");
    PASSES(f, "incr http.hits[code:200,env:ci] samples == 2");
    PASSES(f, "no any errors.*");
    PASSES(f, "any http.request series <= 50");
    PASSES(f, "incr sampled.hits sum ~ 1000");
    PASSES(f, "event \"Deploy finished\"{env:ci}");
    PASSES(f, "check app.ok{env:ci} status == ok");
}

static void test_names_and_types(void) {
    sent("a.b:1|c\na.c:2|g\nb:3|ms");
    PASSES(f, "incr a.b");
    PASSES(f, "count a.b");
    FAILS(f, "gauge a.b");
    PASSES(f, "any a.b");
    FAILS(f, "incr A.b");
    PASSES(f, "any a.* samples == 2");
    PASSES(f, "any a.? samples == 2");
    PASSES(f, "any * series == 3");
    PASSES(f, "incr a.* samples == 1");
    FAILS(f, "histogram b");
    FAILS(f, "no incr a.*");
    PASSES(f, "no gauge a.b");
}

static void test_tags(void) {
    sent("a:1|c|#env:ci-7,canary,url:x:y,env:ci-7");
    PASSES(f, "incr a");
    PASSES(f, "incr a{}");
    PASSES(f, "incr a{env:ci-7}");
    PASSES(f, "incr a{env:ci-*}");
    PASSES(f, "incr a{env:*}");
    PASSES(f, "incr a{env}");
    PASSES(f, "incr a{canary}");
    FAILS(f, "incr a{canary:*}");
    PASSES(f, "incr a{url:x:y}");
    PASSES(f, "incr a{url}");
    FAILS(f, "incr a{en}");
    FAILS(f, "incr a{env:ci}");
    FAILS(f, "incr a{en:*}");
    FAILS(f, "incr a{url:x}");
    FAILS(f, "incr a{!env}");
    FAILS(f, "incr a{!env:ci-*}");
    PASSES(f, "incr a{!env:prod*}");
    PASSES(f, "incr a{!region}");
    FAILS(f, "incr a[]");
    FAILS(f, "incr a[env:ci-7]");
    PASSES(f, "incr a[canary,env:ci-7,url:x:y]");
    PASSES(f, "incr a[canary,env,url]");
    FAILS(f, "incr a[canary,env,url,more]");
    PASSES(f, "incr a[canary,env,url,!more]");
    PASSES(f, "ignore-tags env,url\nincr a[canary]");
    FAILS(f, "ignore-tags env\nincr a[canary]");
    /* an ignored key that is named all the same must be there */
    FAILS(f, "ignore-tags env\nincr a{env:prod}");
    sent("a:1|c");
    PASSES(f, "incr a[]");
    FAILS(f, "incr a{x}");
}

static void test_host_and_device(void) {
    sent("a:1|g|#host:web-1,device:sda,x:1");
    PASSES(f, "gauge a{host:web-*}");
    PASSES(f, "gauge a{host}");
    FAILS(f, "gauge a{!host}");
    FAILS(f, "gauge a{host:db-*}");
    PASSES(f, "gauge a{device:sda}");     /* a tag in DogStatsD */
    PASSES(f, "gauge a[x:1,device:sda]"); /* the host is no tag */
    sent("b:1|g");
    FAILS(f, "gauge b{host}");
    struct value value = {.number = 5};
    struct record record = {.kind = RECORD_METRIC,
                            .metric = {.type = METRIC_GAUGE,
                                       .name = SPAN("disk"),
                                       .sample_rate = 1,
                                       .n_values = 1,
                                       .values = &value,
                                       .device = SPAN("sdb"),
                                       .origin = {.host = SPAN("h")}}};
    fake_put(f, &record);
    PASSES(f, "gauge disk{device:sd?,host:h}");
    PASSES(f, "gauge disk[]");
    FAILS(f, "gauge disk{device:sda}");
}

static void test_counts_and_sums(void) {
    sent("a:3|c\na:4|c|@0.5\nb:10|g\nb:-4|g\nt:10:20|ms|@0.1");
    PASSES(f, "incr a samples == 2");
    PASSES(f, "incr a count == 3"); /* 1 + 1/0.5 */
    PASSES(f, "incr a sum == 11");
    PASSES(f, "gauge b count == 2");
    PASSES(f, "gauge b sum == 6");
    PASSES(f, "timing t count == 20");
    PASSES(f, "timing t sum == 300");
    PASSES(f, "timing t avg == 15");
    /* nothing adds up to nothing */
    PASSES(f, "incr none sum == 0");
    PASSES(f, "incr none count == 0 and samples == 0 and series == 0 and distinct == 0");
    FAILS(f, "incr none sum == 1");
    FAILS(f, "incr none last == 0");
    FAILS(f, "incr none each >= 0");
    FAILS(f, "incr none avg <= 0");
}

static void test_single_values(void) {
    sent("g:5|g\ng:9|g\ng:-2|g\ng:7|g");
    PASSES(f, "gauge g first == 5");
    PASSES(f, "gauge g last == 7");
    PASSES(f, "gauge g min == -2");
    PASSES(f, "gauge g max == 9");
    PASSES(f, "gauge g avg == 4.75");
    PASSES(f, "gauge g median == 5"); /* the lower one */
    PASSES(f, "gauge g each >= -2");
    FAILS(f, "gauge g each > -2");
    PASSES(f, "gauge g each != 8");
    FAILS(f, "gauge g each != 7");
    FAILS(f, "gauge g each == 5");
    PASSES(f, "gauge g distinct == 4");
    PASSES(f, "gauge g rate == 1");
    /* the newest and the oldest over several series */
    fake_send(f, "g:1|g|#x:1\ng:2|g");
    PASSES(f, "gauge g last == 2 and series == 2");
    fake_send(f, "g:3|g|#x:1");
    PASSES(f, "gauge g last == 3 and first == 5 and samples == 7");
    PASSES(f, "gauge g{x:1} first == 1");
}

static void test_operators(void) {
    sent("g:5|g");
    PASSES(f, "gauge g last == 5");
    FAILS(f, "gauge g last != 5");
    FAILS(f, "gauge g last < 5");
    PASSES(f, "gauge g last <= 5");
    FAILS(f, "gauge g last > 5");
    PASSES(f, "gauge g last >= 5");
    PASSES(f, "gauge g last ~ 5.000004");
    FAILS(f, "gauge g last ~ 5.00001");
    PASSES(f, "gauge g last == 6 +- 1");
    FAILS(f, "gauge g last == 6.5 +- 1");
    PASSES(f, "gauge g last ~ 4 +- 1");
    FAILS(f, "gauge g last != 6 +- 1");
    PASSES(f, "gauge g last < 5 +- 1");
    PASSES(f, "gauge g last >= 6 +- 1");
    FAILS(f, "gauge g last >= 6 +- 0.5");
    PASSES(f, "gauge g last > 4 and last < 6 and samples == 1");
    FAILS(f, "gauge g last > 4 and last < 5");
    FAILS(f, "no gauge g last > 4");
    PASSES(f, "no gauge g last > 5");
    /* under `no`, each asks for one */
    fake_send(f, "g:9|g");
    FAILS(f, "no gauge g each > 8");
    FAILS(f, "no gauge g each == 5");
    PASSES(f, "no gauge g each == 6");
    PASSES(f, "no gauge g each > 9");
}

/* The Agent's rules (schema/protocol/dogstatsd.md section 7.3), also with weights. */
static void test_quantiles(void) {
    sent(NULL);
    for (int i = 100; i >= 1; i--) {
        char line[32];
        snprintf(line, sizeof line, "h:%d|h", i);
        fake_send(f, line);
    }
    PASSES(
        f,
        "histogram h median == 50 and p50 == 50 and p95 == 95 and p99 == 99 and p99.9 == 100 and p100 == 100");
    PASSES(f, "histogram h p0 == 1 and p1 == 1 and p0.5 == 1");
    sent("h:1|h|@0.1\nh:100|h"); /* weights 10 and 1 */
    PASSES(f, "histogram h median == 1 and p90 == 1 and p91 == 100 and p95 == 100");
    sent("h:1:2:3:4:5|h");
    PASSES(f, "histogram h median == 3 and p95 == 5 and p20 == 1 and p21 == 2");
    /* several series are one */
    sent("h:1:2|h|#a\nh:3:4:5|h|#b");
    PASSES(f, "histogram h median == 3");
    /* a weight of int(1/2) is 0: the value counts for nothing */
    sent("h:1|h|@2");
    FAILS(f, "histogram h median == 1");
    PASSES(f, "histogram h samples == 1 and count == 0");
}

static void test_sets(void) {
    sent("u:a|s\nu:b|s|#x\nu:a|s|#x\nu:1:2|s");
    PASSES(f, "set u distinct == 3 and samples == 4 and series == 2 and count == 4");
    PASSES(f, "set u{x} distinct == 2");
    PASSES(f, "any u distinct == 3");
    FAILS(f, "any u last == 1");
    FAILS(f, "any u sum == 0");
    FAILS(f, "any u each >= 0");
}

static void test_rates(void) {
    sent("a:1|c|@0.5\na:1|c|@0.5");
    PASSES(f, "incr a rate == 0.5");
    PASSES(f, "incr a rate <= 0.5");
    fake_send(f, "a:1|c");
    FAILS(f, "incr a rate == 0.5");
    PASSES(f, "incr a rate >= 0.5");
    FAILS(f, "no incr a rate == 1");
    PASSES(f, "no incr a rate == 0.1");
    /* rates that are no rates: the Agent takes them as they come */
    sent("a:1|c|@nan\na:1|c|@0.5");
    FAILS(f, "incr a rate == 0.5");
    FAILS(f, "no incr a rate == 0.5");
    FAILS(f, "incr a sum ~ 2");
    FAILS(f, "incr none rate == 1");
    sent("a:1|c|@nan");
    FAILS(f, "incr a rate >= 0");
    FAILS(f, "incr a rate <= 1");
    FAILS(f, "incr a sum == 1");
    sent("a:1|c|@0");
    FAILS(f, "incr a sum == 1");
    PASSES(f, "incr a sum > 1e300");
    sent("a:1|c|@-1\na:3|c|@2");
    PASSES(f, "incr a sum == 0.5");
}

static void test_about_sampled(void) {
    sent(NULL);
    for (int i = 0; i < 100; i++)
        fake_send(f, "a:1|c|@0.1\nt:5|ms|@0.1\nu:1|c");
    PASSES(f, "incr a sum ~ 1000");
    PASSES(f, "incr a sum ~ 1300");
    PASSES(f, "incr a sum ~ 750");
    FAILS(f, "incr a sum ~ 600");
    FAILS(f, "incr a sum ~ 1600");
    FAILS(f, "incr a sum == 1001");
    PASSES(f, "timing t count ~ 1100 and sum ~ 5500 and median ~ 5 and avg ~ 5");
    FAILS(f, "incr u sum ~ 101"); /* unsampled: exact */
    PASSES(f, "incr u sum ~ 100.00001");
    FAILS(f, "incr a sum ~ 1300 +- 100"); /* a tolerance that is given counts */
    FAILS(f, "incr none sum ~ 1000");
    CU_ASSERT_PTR_NOT_NULL(strstr(judging_text(f, "incr a sum ~ 1000", "why"), "random sampling explains"));
    PASSES(f, "timing t max ~ 5"); /* what sampling does not change is exact */
    FAILS(f, "timing t max ~ 6");
    sent("t:5|ms|@0.1\nx:1|c|@1e-20");
    PASSES(f, "timing t avg ~ 5"); /* one value has no spread */
    FAILS(f, "timing t avg ~ 6");
    PASSES(f, "incr x sum ~ 1e20"); /* a rate that is too small to reckon with */
    FAILS(f, "incr x sum ~ 2e20");
}

static void test_telemetry(void) {
    sent("datadog.dogstatsd.client.metrics:9|c\na:1|c");
    PASSES(f, "any * samples == 1");
    PASSES(f, "any datadog.* samples == 0");
    PASSES(f, "no incr datadog.dogstatsd.*");
    PASSES(f, "incr datadog.dogstatsd.client.metrics sum == 9");
    PASSES(f, "incr datadog.dogstatsd.client.m* sum == 9");
}

static void test_events_and_checks(void) {
    sent("_e{6,4}:Deploy|text|h:web|#env:ci\n_e{6,0}:Deploy|\n_sc|app|1|#env:ci|m:slow\n_sc|app|0|h:web");
    PASSES(f, "event Deploy samples == 2");
    PASSES(f, "event Dep* count == 2");
    PASSES(f, "event Deploy{host:web,env:ci} samples == 1");
    PASSES(f, "event Deploy[] samples == 1");
    FAILS(f, "no event Deploy");
    FAILS(f, "event Deploys");
    PASSES(f, "check app samples == 2");
    PASSES(f, "check app status == ok"); /* the newest */
    FAILS(f, "check app status == warning");
    PASSES(f, "check app{env:ci} status == warning");
    FAILS(f, "no check app status == warning"); /* any of them */
    PASSES(f, "no check app status == critical");
    FAILS(f, "check other status != ok");
    FAILS(f, "no check app status != ok");
    struct record odd = {.kind = RECORD_SERVICE_CHECK, .check = {.name = SPAN("odd"), .status = 7}};
    fake_put(f, &odd); /* as only a file that others wrote can hold */
    FAILS(f, "check odd status == ok");
    FAILS(f, "check odd status == critical");
    EQ_STR(judging_text(f, "check odd status == ok", "observed"), "status unknown");
    odd.check.status = -1;
    fake_put(f, &odd);
    FAILS(f, "check odd status == ok");
    PASSES(f, "prefix x.\nevent Deploy\ncheck app");
}

static void test_since_and_sessions(void) {
    sent("a:1|c\na:2|c");
    uint64_t mark = fake_last_id(f);
    struct judge_options since = {.since = mark}, other = {.session = SPAN("other")};
    EQ_INT(judging_verdict(f, "no incr a", &since), VERDICT_PASS);
    fake_send(f, "a:5|c\nb:7|g");
    fake_session(f, "other");
    fake_send(f, "a:100|c");
    EQ_INT(judging_verdict(f, "incr a sum == 5 and samples == 1 and first == 5", &since), VERDICT_PASS);
    EQ_INT(judging_verdict(f, "any * series == 2", &since), VERDICT_PASS);
    EQ_INT(judging_verdict(f, "incr a median == 5 and p95 == 5 and distinct == 1", &since), VERDICT_PASS);
    EQ_INT(judging_verdict(f, "incr a sum == 100", &other), VERDICT_PASS);
    PASSES(f, "incr a sum == 8 and first == 1");
    /* a mark that only another recording can have given */
    struct judge_options beyond = {.since = fake_last_id(f) + 1};
    struct judge *j = judging_parse("no incr b", &beyond);
    struct err err = {0};
    EQ_INT(judge_start(j, fake_reader(f), &err), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "is no mark of this recording"));
    judge_free(j);
}

static void test_all_covered(void) {
    sent("a:1|c\nb:1|g\ndatadog.dogstatsd.client.metrics:1|c");
    struct judge_options options = {.all_covered = true};
    EQ_INT(judging_verdict(f, "incr a", &options), VERDICT_FAIL);
    EQ_INT(judging_verdict(f, "incr a\ngauge b", &options), VERDICT_PASS);
    EQ_INT(judging_verdict(f, "any *", &options), VERDICT_PASS);
    struct judge_options since = {.all_covered = true, .since = fake_last_id(f)};
    EQ_INT(judging_verdict(f, "no incr c", &since), VERDICT_PASS);
    fake_send(f, "b:2|g");
    EQ_INT(judging_verdict(f, "no incr c", &since), VERDICT_FAIL);
    struct judge *j = judging_start("no incr c", &since, f);
    struct err err = {0};
    json_t *report = judge_report(j, fake_reader(f), &err);
    json_t *uncovered = json_object_get(report, "uncovered");
    EQ_INT(json_array_size(uncovered), 1);
    EQ_STR(json_string_value(json_object_get(json_array_get(uncovered, 0), "name")), "b");
    CU_ASSERT_PTR_NOT_NULL(strstr(json_string_value(json_object_get(report, "text")), "gauge b"));
    json_decref(report);
    judge_free(j);
    /* a gauge that is only called like what becomes of a timing is a series of its own */
    sent("lat:5|ms\nlat.max:9|g");
    EQ_INT(judging_verdict(f, "timing lat", &options), VERDICT_FAIL);
    EQ_INT(judging_verdict(f, "timing lat\ngauge lat.max", &options), VERDICT_PASS);
}

static void test_final(void) {
    sent("a:1|c\ng:5|g");
    EQ_INT(judging_final(f, "incr a sum == 2"), false);
    EQ_INT(judging_final(f, "incr a sum == 1"), false);
    EQ_INT(judging_final(f, "incr a sum == 0.5"), true); /* too high already */
    EQ_INT(judging_final(f, "incr a sum == 0"), false);  /* a counter may count down */
    EQ_INT(judging_final(f, "incr a sum <= 0"), false);
    EQ_INT(judging_final(f, "incr a sum < -1"), false);
    EQ_INT(judging_final(f, "incr a samples <= 0"), true);
    EQ_INT(judging_final(f, "no incr a"), true);
    EQ_INT(judging_final(f, "no incr b"), false);
    EQ_INT(judging_final(f, "gauge g last == 6"), false);
    EQ_INT(judging_final(f, "gauge g first == 6"), true);
    EQ_INT(judging_final(f, "gauge g sum == 4"), false); /* gauges go below zero */
    EQ_INT(judging_final(f, "gauge g max <= 4"), true);
    EQ_INT(judging_final(f, "gauge g max >= 6"), false);
    EQ_INT(judging_final(f, "gauge g min >= 6"), true);
    EQ_INT(judging_final(f, "gauge g each > 5"), true);
    EQ_INT(judging_final(f, "gauge g rate < 1"), true);
    EQ_INT(judging_final(f, "gauge h each > 5"), false);
    EQ_INT(judging_final(f, "incr a avg == 2"), false);
    EQ_INT(judging_final(f, "incr a samples == 2 and sum == 0"), false);
    EQ_INT(judging_final(f, "incr a samples == 0 and sum == 0"), true);
    EQ_INT(judging_final(f, "no incr a samples >= 2"), false);
    EQ_INT(judging_final(f, "no incr a samples <= 2"), false); /* three would do */
    fake_send(f, "a:-5|c");
    EQ_INT(judging_final(f, "incr a sum == -6"), false); /* it has gone down before */
    fake_loss(f, NULL, LOSS_KERNEL_DROP, 1);
    EQ_INT(judging_final(f, "no incr b"), true); /* never to be known */
    EQ_INT(judging_final(f, "incr b samples >= 3"), false);
    EQ_INT(judging_final(f, "incr b samples == 3"), true);
}

static void test_final_all_covered(void) {
    struct judge_options options = {.all_covered = true};
    static const bool finals[] = {false, true, true}; /* all covered; something not; something lost */
    for (size_t i = 0; i < 3; i++) {
        sent("a:1|c");
        if (i == 1)
            fake_send(f, "b:1|c");
        if (i == 2)
            fake_loss(f, NULL, LOSS_KERNEL_DROP, 1);
        struct judge *j = judging_start("incr a", &options, f);
        EQ_INT(judge_final(j), finals[i]);
        judge_free(j);
    }
}

/* What judge_start has seen, and what belongs to others, counts no more. */
static void test_fed_again(void) {
    sent("a:1|c\n_e{1,1}:e|x\n_sc|c|0");
    struct judge *j =
        judging_start("incr a samples == 1\nevent e samples == 1\ncheck c samples == 1", NULL, f);
    EQ_INT(judging_feed_all(j, f), 0);
    EQ_INT(judge_verdict(j), VERDICT_PASS);
    fake_session(f, "other");
    fake_send(f, "a:1|c\n_e{1,1}:e|x\n_sc|c|0\nbad");
    EQ_INT(judging_feed_all(j, f), 0);
    EQ_INT(judge_verdict(j), VERDICT_PASS);
    fake_session(f, "default");
    fake_send(f, "_sc|c|0");
    EQ_INT(judging_feed_all(j, f), 0);
    EQ_INT(judge_verdict(j), VERDICT_FAIL);
    judge_free(j);
}

/* 90 values of 10 and 8 of 1,000, one 0 and one -5, as a client's sketch (keys as the Agent's: 1.0156 to the key less 1338). */
static void test_sketches(void) {
    static const int32_t keys[] = {-1442, 0, 1487, 1784};
    static const uint32_t counts[] = {1, 1, 90, 8};
    struct sketch sketch = {.count = 100,
                            .sum = 8895,
                            .min = -5,
                            .max = 1000,
                            .avg = 88.95,
                            .n_bins = 4,
                            .keys = keys,
                            .counts = counts};
    struct value value = {.number = 88.95, .timestamp = 1, .sketch = &sketch};
    struct record record = {.kind = RECORD_METRIC,
                            .metric = {.type = METRIC_DISTRIBUTION,
                                       .name = SPAN("lat"),
                                       .sample_rate = 1,
                                       .n_values = 1,
                                       .values = &value}};
    sent(NULL);
    fake_source(f, SOURCE_HTTP);
    fake_put(f, &record);
    PASSES(
        f,
        "distribution lat count == 100 and samples == 1 and sum == 8895 and avg == 88.95 and min == -5 and max == 1000");
    PASSES(f, "distribution lat count ~ 100 and sum ~ 8895");
    PASSES(f, "distribution lat median == 10 +- 0.2");
    PASSES(f, "distribution lat p99 == 1000"); /* no more than the maximum */
    PASSES(f, "distribution lat p2 == 0");
    PASSES(f, "distribution lat p1 == -5 +- 0.1");
    FAILS(f, "distribution lat p95 < 500");
    PASSES(f, "distribution lat each >= -5.1 and each <= 1000");
    FAILS(f, "distribution lat each > 0");
    /* its single values are known only roughly: 10 was among them, and so may 9.99 have been */
    FAILS(f, "distribution lat each != 10");
    FAILS(f, "distribution lat each != 9.99");
    FAILS(f, "no distribution lat each == 9.99");
    FAILS(f, "no distribution lat each ~ 9.99");
    PASSES(f, "distribution lat each != 1001");
    PASSES(f, "no distribution lat each == -6");
    FAILS(f, "distribution lat each != 1000"); /* the ends are exact */
    FAILS(f, "no distribution lat each == -5");
    FAILS(f, "distribution lat distinct == 1");
    FAILS(f, "no distribution lat distinct > 3");
    FAILS(f, "distribution lat first < 500");
    FAILS(f, "distribution lat last < 500"); /* its average is, but which came last? */
    FAILS(f, "no distribution lat last > 500");
    CU_ASSERT_PTR_NOT_NULL(strstr(judging_text(f, "distribution lat distinct == 1", "why"),
                                  "distinct can't be told from sketches"));
    /* one of a single value tells it */
    sketch = (struct sketch){.count = 2,
                             .sum = 20,
                             .min = 10,
                             .max = 10,
                             .avg = 10,
                             .n_bins = 1,
                             .keys = keys + 2,
                             .counts = counts};
    record.metric.name = SPAN("same");
    value.number = 10;
    fake_put(f, &record);
    PASSES(f,
           "distribution same distinct == 1 and each == 10 and each != 9.99 and last == 10 and first == 10");
    PASSES(f, "no distribution same each == 9.99");
}

/* Retention drops a series with its last sample; when more of it comes it has another id, and is still the same. */
static int feed_renewed(void *arg, const struct series_row *row) {
    struct series_row renewed = *row;
    renewed.id += 1000;
    return judge_take_series(arg, &renewed);
}

static int feed_renewed_sample(void *arg, const struct sample_row *row) {
    struct sample_row renewed = *row;
    renewed.id += 1000;
    renewed.series_id += 1000;
    return judge_take_sample(arg, &renewed);
}

static void test_series_that_come_back(void) {
    sent("a:1|c|#x:1,y\na:2|c|#x:2,host:web");
    struct judge *j =
        judging_start("incr a series == 2 and samples == 4 and sum == 6 and first == 1", NULL, f);
    struct reader *r = fake_reader(f);
    struct filter all = {0};
    struct err err = {0};
    EQ_INT(judge_verdict(j), VERDICT_FAIL);
    for (int round = 0; round < 2; round++) /* told twice of a series, of its samples once */
        EQ_INT(r->ops->series(r, &all, feed_renewed, j, &err), 0);
    EQ_INT(r->ops->samples(r, &all, true, feed_renewed_sample, j, &err), 0);
    EQ_INT(judge_verdict(j), VERDICT_PASS);
    fake_send(f, "a:0|c|#x:2"); /* without the host it is another */
    EQ_INT(judging_feed_all(j, f), 0);
    EQ_INT(judge_verdict(j), VERDICT_FAIL);
    judge_free(j);
}

static void test_done(void) {
    fake_free(f);
    f = NULL;
}

UNIT_MAIN("judge/semantics", {"the examples of the specification", test_examples},
          {"names and types", test_names_and_types}, {"tags", test_tags},
          {"host and device are fields", test_host_and_device}, {"counts and sums", test_counts_and_sums},
          {"first, last, min, max, avg, each", test_single_values},
          {"operators and tolerances", test_operators}, {"quantiles as the Agent takes them", test_quantiles},
          {"sets", test_sets}, {"sample rates", test_rates}, {"~ knows about sampling", test_about_sampled},
          {"client telemetry", test_telemetry}, {"events and service checks", test_events_and_checks},
          {"since a mark, in a session", test_since_and_sessions}, {"all covered", test_all_covered},
          {"when waiting is in vain", test_final},
          {"when waiting for all to be covered is in vain", test_final_all_covered},
          {"what was seen already, and other sessions", test_fed_again}, {"sketches", test_sketches},
          {"a series that comes back", test_series_that_come_back}, {"(done)", test_done})
