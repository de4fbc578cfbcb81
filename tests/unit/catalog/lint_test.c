/* Each rule of lint with a case that fires and one that does not. */
#include "catalog/lint.h"

#include "fake_reader.h"
#include "unit.h"

static bool fires(const struct lint_options *options, const char *datagram, enum lint_rule rule) {
    struct fake *f = fake_new();
    struct err err = {0};
    fake_send(f, datagram);
    json_t *report = catalog_lint(options, fake_reader(f), &err), *result;
    CU_ASSERT_FATAL(report != NULL);
    bool found = false;
    size_t i;
    json_array_foreach(json_object_get(report, "results"), i, result) {
        const char *word = json_string_value(json_object_get(result, "rule"));
        if (word && strcmp(word, lint_rule_info(rule)->name) == 0) {
            found = true;
            CU_ASSERT(json_string_length(json_object_get(result, "why")) > 0);
        }
    }
    json_decref(report);
    fake_free(f);
    return found;
}

static bool fires_with_catalog(const char *silent, const char *datagram, enum lint_rule rule) {
    char text[128];
    struct catalog_error error = {0};
    snprintf(text, sizeof text, "{\"silence\":[\"%s\"],\"metrics\":{}}", silent);
    struct catalog *c = catalog_read("", span_str(text), &error);
    CU_ASSERT_FATAL(c && catalog_finish(c, &error) == 0);
    struct lint_options options = {.catalog = c};
    bool found = fires(&options, datagram, rule);
    catalog_free(c);
    return found;
}

static char packed[3][9000], many_tags[2][1200], long_name[2][230], long_tag[2][230], datagram[3][9000],
    long_event[2][4100];

static void fill(void) {
    for (int which = 0; which < 2; which++) {
        size_t n = (size_t)sprintf(many_tags[which], "a:1|c|#t0:x");
        for (int i = 1; i < 101 - which; i++)
            n += (size_t)sprintf(many_tags[which] + n, ",t%d:x", i);
        memset(long_name[which], 'a', 201 - (size_t)which);
        strcat(long_name[which], ":1|c");
        strcpy(long_tag[which], "a:1|c|#k:");
        memset(long_tag[which] + 9, 'v', 199 - (size_t)which);
        int head = sprintf(long_event[which], "_e{1,%d}:a|", 4001 - which);
        memset(long_event[which] + head, 'x', 4001 - (size_t)which);
    }
    static const size_t sizes[] = {1000, 1500, 8300};
    for (int i = 0; i < 3; i++) {
        for (size_t n = 0; n < sizes[i];) /* short lines in one datagram */
            n += (size_t)sprintf(packed[i] + n, "a:1|c\n");
        strcpy(datagram[i], "a:1|c|#k:");
        memset(datagram[i] + 9, 'v', sizes[i]);
    }
}

static void test_rules(void) {
    fill();
    const struct {
        enum lint_rule rule;
        const char *bad, *good;
    } cases[] = {
        {LINT_NAME_DROPPED, "42:1|c", "a42:1|c"},
        {LINT_NAME_TOO_LONG, long_name[0], long_name[1]},
        {LINT_NAME_REWRITTEN, "a-b:1|c", "a_b:1|c"},
        {LINT_NAME_COLLISION, "a-b:1|c\na_b:1|c", "a-b:1|c\na_c:1|c"},
        {LINT_MIXED_TYPES, "a:1|c\na:1|g", "a:1|c\nb:1|g"},
        {LINT_TAG_REWRITTEN, "a:1|c|#k:a b", "a:1|c|#k:a_b"},
        {LINT_TAG_LOWERCASED, "a:1|c|#Env:x", "a:1|c|#env:x"},
        {LINT_TAG_TRUNCATED, long_tag[0], long_tag[1]},
        {LINT_TAG_DROPPED, "a:1|c|#x,", "a:1|c|#x"},
        {LINT_TOO_MANY_TAGS, many_tags[0], many_tags[1]},
        {LINT_IDENTIFIER_TAG, "a:1|c|#u:123e4567-e89b-12d3-a456-426614174000", "a:1|c|#u:checkout"},
        {LINT_IDENTIFIER_TAG, "a:1|c|#u:12345678", "a:1|c|#port:8125"},
        {LINT_IDENTIFIER_TAG, "a:1|c|#u:ada@example.com", "a:1|c|#u:ada"},
        {LINT_IDENTIFIER_TAG, "a:1|c|#at:1700000000", "a:1|c|#code:404"},
        {LINT_IDENTIFIER_TAG, "a:1|c|#at:2026-11-22T10:00:00Z", "a:1|c|#v:2.10.3"},
        {LINT_KEY_SPELLING, "a:1|c|#userId:x\nb:1|c|#user_id:x", "a:1|c|#user_id:x\nb:1|c|#user:x"},
        {LINT_RESERVED_KEY, "a:1|c|#service:x", "a:1|c|#services:x"},
        {LINT_UNIT_TYPE, "query.duration:1|c", "query.duration:1|ms"},
        {LINT_UNIT_TYPE, "query.seconds:1|ms", "query.seconds:1|g"},
        {LINT_GROWING_GAUGE, "a:1:2:3:4:5|g", "a:1:2:1:4:5|g"},
        {LINT_NEGATIVE_COUNT, "a:-1|c", "a:1|c"},
        {LINT_SECONDS_TIMING, "a:0.25|ms", "a:250|ms"},
        {LINT_CONSTANT_ZERO, "a:0:0|h", "a:0:1|h"},
        {LINT_DATAGRAM_1432, datagram[1], datagram[0]},
        {LINT_DATAGRAM_8192, datagram[2], datagram[1]},
        {LINT_DATAGRAM_1432, packed[1], packed[0]},
        {LINT_DATAGRAM_1432, packed[1], packed[2]}, /* which is told by the other rule alone */
        {LINT_DATAGRAM_8192, packed[2], packed[1]},
        {LINT_CLIENT_DROPS, "datadog.dogstatsd.client.packets_dropped:3|c",
         "datadog.dogstatsd.client.packets_dropped:0|c"},
        {LINT_SAMPLE_RATE, "a:1|c|@2.00", "a:1|c|@1.0"},
        {LINT_SAMPLE_RATE, "a:1|c|@0.00", "a:1|c|@0.01"},
        {LINT_SAMPLE_RATE, "a:1|ms|@-1", "a:1|ms|@0.5"},
        {LINT_SAMPLE_RATE, "a:1|c|@NaN", "a:1|c"},
        {LINT_SAMPLE_RATE, "a:1|g|@inf", "a:1|g"},
        {LINT_RATE_IGNORED, "a:1|g|@0.5", "a:1|c|@0.5"},
        {LINT_RATE_IGNORED, "a:u|s|@0.1", "a:u|s|@1"},
        {LINT_TIMESTAMP_RANGE, "a:1|c|T1794996000", "a:1|c|T1794996401"}, /* the time is 1795000000 */
        {LINT_TIMESTAMP_RANGE, "a:1|g|T1795000700", "a:1|g|T1795000600"},
        {LINT_TIMESTAMP_RANGE, "a:1|g|T1795000000000", "a:1|g|T1795000000"},
        {LINT_TIMESTAMP_RANGE, "_e{1,1}:a|b|d:1794935000", "_e{1,1}:a|b|d:1794935201"},
        {LINT_TIMESTAMP_RANGE, "_sc|a|0|d:5", "_sc|a|0|d:1795000000"},
        {LINT_IGNORED_PART, "a:1|g|#pipe|in:tag,red", "a:1|g|#pipe,red"},
        {LINT_IGNORED_PART, "_e{1,1}:a|b|t:fatal", "_e{1,1}:a|b|t:error"},
        {LINT_IGNORED_PART, "_sc|n|0|m:a | b", "_sc|n|0|m:a b"},
        {LINT_GAUGE_SIGN, "a:+4|g", "a:-4|g"},
        {LINT_GAUGE_SIGN, "a:+4|g|#b", "a:+4|c|#b"},
        {LINT_SEVERAL_VALUES, "a:1|c|#svc:a,svc:b", "a:1|c|#svc:a,svc-x:b,svc"},
        {LINT_COMMA_IN_VALUE, "a:1|c|#fmt:v1,v2,v3", "a:1|c|#fmt:v1,canary"},
        {LINT_COMMA_IN_VALUE, "a:1|c|#accept:text/html,application/json", "a:1|c|#accept:html,json"},
        {LINT_COMMA_IN_VALUE, "a:1|c|#who:Smith, John", "a:1|c|#who:smith,john"},
        {LINT_EVENT_TOO_LONG, long_event[0], long_event[1]},
        {LINT_REFUSED, "a:abc|c", "a:1|c"},
        {LINT_REFUSED, "nothing", "a:1|c"},
        {LINT_REFUSED, "a:NaN|g", "a:1|g"},
        {LINT_REFUSED, "_e{9,9}:a|b", "_e{1,1}:a|b"},
        {LINT_REFUSED, "_sc|a|9", "_sc|a|3"},
        {LINT_TAG_LOWERCASED, "_e{1,1}:a|b|#Env:x", "_e{1,1}:a|b|#env:x"},
        {LINT_TAG_REWRITTEN, "_sc|a|0|#k:a b", "_sc|a|0|#k:a_b"},
        {LINT_NAME_REWRITTEN, "a-b:1|c", "_e{3,1}:a-b|x\n_sc|a-b|0\na-b:x|c"}, /* those are no metrics */
        {LINT_IDENTIFIER_TAG, "a:1|c|#u:12345678", "_e{1,1}:a|b|#u:12345678"},
        {LINT_TIMESTAMP_RANGE, "a:1|g|T1600000000", "a:1|g"},
    };
    uint64_t covered = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct lint_rule_info *rule = lint_rule_info(cases[i].rule);
        struct lint_options silent = {.silenced = UINT64_C(1) << cases[i].rule}, options = {0};
        bool bad = fires(&options, cases[i].bad, cases[i].rule),
             good = fires(&options, cases[i].good, cases[i].rule),
             silenced = !fires(&silent, cases[i].bad, cases[i].rule) &&
                        !fires_with_catalog(rule->name, cases[i].bad, cases[i].rule);
        if (!bad || good || !silenced)
            fprintf(stderr, "%s: fires for %.60s: %d, for %.60s: %d, can be silenced: %d\n", rule->name,
                    cases[i].bad, bad, cases[i].good, good, silenced);
        CU_ASSERT(bad && !good && silenced);
        CU_ASSERT(strlen(rule->claim) > 10 && strlen(rule->explanation) > 60);
        EQ_INT(lint_rule_of(span_str(rule->name)), cases[i].rule);
        covered |= UINT64_C(1) << cases[i].rule;
    }
    CU_ASSERT_EQUAL(covered, (UINT64_C(1) << LINT_N) - 1);
}

/* Marks: what came in large datagrams before one is not told after it. */
static void test_large_since(void) {
    struct fake *f = fake_new();
    struct err err = {0};
    fake_send(f, packed[2]);
    struct lint_options options = {0};
    for (int round = 0; round < 2; round++) {
        json_t *report = catalog_lint(&options, fake_reader(f), &err);
        EQ_STR(json_string_value(json_object_get(report, "verdict")), round ? "pass" : "fail");
        if (round == 0) {
            const json_t *result = json_array_get(json_object_get(report, "results"), 0);
            EQ_STR(json_string_value(json_object_get(result, "observed")), "1 datagram in the session");
        }
        json_decref(report);
        options.scope.since = fake_last_id(f);
    }
    fake_free(f);
}

static const char *verdict(const struct lint_options *options, struct fake *f) {
    static char word[32];
    struct err err = {0};
    json_t *report = catalog_lint(options, fake_reader(f), &err);
    snprintf(word, sizeof word, "%s", json_string_value(json_object_get(report, "verdict")));
    json_decref(report);
    return word;
}

static void test_silence(void) {
    struct catalog_error error = {0};
    struct catalog *c = catalog_read(
        "", SPAN("{\"silence\":[\"reserved-key\"],\"metrics\":{\"a-b\":{\"silence\":[\"name-rewritten\"]}}}"),
        &error);
    CU_ASSERT_FATAL(c && catalog_finish(c, &error) == 0);
    struct lint_options options = {.catalog = c};
    CU_ASSERT(!fires(&options, "a-b:1|c|#env:x", LINT_NAME_REWRITTEN));
    CU_ASSERT(!fires(&options, "a-c:1|c|#env:x", LINT_RESERVED_KEY));
    CU_ASSERT(fires(&options, "a-c:1|c", LINT_NAME_REWRITTEN));
    options = (struct lint_options){.silenced = 1u << LINT_NAME_REWRITTEN};
    CU_ASSERT(!fires(&options, "a-c:1|c", LINT_NAME_REWRITTEN));
    catalog_free(c);
}

static void test_verdicts(void) {
    struct fake *f = fake_new();
    fake_send(f, "a:1|c|#Env:x");
    EQ_STR(verdict(&(struct lint_options){0}, f), "pass");
    EQ_STR(verdict(&(struct lint_options){.strict = true}, f), "fail");
    fake_loss(f, NULL, LOSS_QUEUE_FULL, 1);
    EQ_STR(verdict(&(struct lint_options){0}, f), "inconclusive");
    fake_send(f, "a-b:1|c");
    EQ_STR(verdict(&(struct lint_options){0}, f), "fail");
    fake_free(f);
}

UNIT_MAIN("catalog/lint", {"each rule fires and does not", test_rules},
          {"large datagrams since a mark", test_large_since}, {"rules can be silenced", test_silence},
          {"severities, strictness, losses", test_verdicts})
