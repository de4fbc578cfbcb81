/* `where`: claims about single values and fields. */
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

static bool says(const char *text, const char *key, const char *part) {
    const char *whole = judging_text(f, text, key);
    bool found = strstr(whole, part) != NULL;
    if (!found)
        fprintf(stderr, "%s: %s is '%s', without '%s'\n", text, key, whole, part);
    return found;
}

static void test_values(void) {
    sent("g:5|g|#env:ci\ng:7|g|#env:ci\ng:5|g|#env:prod\nt:1:2:5:5|ms|@0.5\nc:3|c\nc:1:3:3|c");
    PASSES(f, "gauge g where value == 5 samples == 2");
    PASSES(f, "gauge g{env:ci} where value == 5 samples == 1");
    PASSES(f, "gauge g where value == 7");
    FAILS(f, "gauge g where value == 6");
    PASSES(f, "no gauge g where value == 6");
    FAILS(f, "no gauge g where value == 7");
    PASSES(f, "gauge g where value > 5 samples == 1 and last == 7");
    PASSES(f, "gauge g where value != 5 samples == 1");
    PASSES(f, "gauge g where value == 6 +- 1 samples == 3");
    PASSES(f, "gauge g where value >= 5 and value < 7 samples == 2 and series == 2");
    /* each value of a pack is a sample of its own, and has the rate of its line */
    PASSES(f, "timing t where value == 5 samples == 2 and count == 4 and sum == 20");
    PASSES(f, "timing t where value < 5 samples == 2 and p50 == 1 and each <= 2");
    PASSES(f, "timing t where rate == 0.5 samples == 4");
    FAILS(f, "timing t where rate == 1");
    PASSES(f, "incr c where value == 3 samples == 3 and sum == 9");
    PASSES(f, "any * where value == 5 samples == 4 and series == 3");
    PASSES(f, "any * where value > 5 samples == 1");
    /* the conditions end where no `and` precedes: this rate is a stat */
    PASSES(f, "timing t where value == 5 rate == 0.5");
    FAILS(f, "timing t where value == 5 rate == 1");
    PASSES(f, "gauge g where value == 5 each == 5");
    PASSES(f, "no gauge g where value == 5 each != 5");
    PASSES(f, "gauge g where value == 5 distinct == 1");
    PASSES(f, "gauge g where value == 9 samples == 0 and series == 0 and sum == 0");
    FAILS(f, "gauge g where value == 9 last == 9");
}

static void test_sets(void) {
    sent("u:alice|s\nu:bob|s\nu:alice|s\nu:5|s\ne:x|s\ne:7|g");
    PASSES(f, "set u where value == alice");
    PASSES(f, "set u where value == alice samples == 2 and distinct == 1");
    PASSES(f, "set u where value == \"a*\" samples == 2");
    PASSES(f, "set u where text == bob samples == 1");
    PASSES(f, "set u where value =~ \"[a-m].*\" samples == 3");
    PASSES(f, "set u where value !~ \"[a-m].*\" samples == 1");
    PASSES(f, "set u where value != alice samples == 2");
    PASSES(f, "set u where value == 5 samples == 1");
    FAILS(f, "set u where value == carol");
    PASSES(f, "any e where value == x samples == 1");
    PASSES(f, "any e where value == 7 samples == 1");
    PASSES(f, "any e where value != x samples == 1"); /* a number is unlike any text */
    PASSES(f, "any u where value == 5 samples == 1"); /* the text 5 */
    PASSES(f, "any e where value > 1 samples == 1");
}

static void put(enum metric_type type, const char *name, struct value value, const struct metric *with) {
    struct record record = {.kind = RECORD_METRIC, .metric = *with};
    record.metric.type = type;
    record.metric.name = span_str(name);
    record.metric.sample_rate = 1;
    record.metric.n_values = 1;
    record.metric.values = &value;
    fake_put(f, &record);
}

static void test_fields(void) {
    sent(NULL);
    fake_source(f, SOURCE_HTTP);
    struct metric with = {
        .unit = SPAN("byte"), .interval = 10, .device = SPAN("sda"), .origin = {.host = SPAN("web-1")}};
    put(METRIC_GAUGE, "g", (struct value){.number = 5, .timestamp = 1700000000}, &with);
    put(METRIC_GAUGE, "g", (struct value){.number = 6}, &(struct metric){0});
    PASSES(f, "gauge g where unit == byte samples == 1 and last == 5");
    PASSES(f, "gauge g where unit == \"\" samples == 1 and last == 6");
    PASSES(f, "gauge g where unit != byte samples == 1 and last == 6");
    PASSES(f, "gauge g where interval == 10 samples == 1");
    PASSES(f, "gauge g where interval != 10 samples == 1");
    PASSES(f, "gauge g where host == \"web-*\" samples == 1");
    PASSES(f, "gauge g where host =~ \"web-[0-9]\" samples == 1");
    PASSES(f, "gauge g where device == sda samples == 1");
    PASSES(f, "gauge g where timestamp == 1700000000 samples == 1");
    PASSES(f, "gauge g where timestamp < 1700000001 samples == 1"); /* none was given: no number */
    PASSES(f, "gauge g where source == http samples == 2");
    PASSES(f, "gauge g where source == udp samples == 0");
    PASSES(f, "gauge g where source == \"u*\" samples == 0");
}

static void test_events(void) {
    sent("_e{6,9}:Deploy|it failed|p:low|t:error|k:key|s:jenkins|h:web-1|d:1700000000|#env:ci");
    fake_send(f, "_e{6,4}:Deploy|fine|#env:ci");
    PASSES(f, "event Deploy where text == \"*failed*\" and alert_type == error samples == 1");
    PASSES(f, "event Deploy where priority == low samples == 1");
    PASSES(f, "event Deploy where priority == normal samples == 1");
    PASSES(f, "event Deploy where aggregation_key == key samples == 1");
    PASSES(f, "event Deploy where aggregation_key == \"\" samples == 1");
    PASSES(f, "event Deploy where source_type_name == jenkins");
    PASSES(f, "event Deploy where host == web-1 samples == 1");
    PASSES(f, "event Deploy where timestamp == 1700000000 samples == 1");
    PASSES(f, "event Deploy{env:ci} where alert_type =~ \"error|warning\" samples == 1");
    FAILS(f, "event Deploy where alert_type == warning");
    PASSES(f, "no event Deploy where alert_type == warning");
    CU_ASSERT(
        says("event Deploy where alert_type == warning", "why",
             "2 events matched but for 'where': the newest event has alert_type 'info', not alert_type == "
             "warning"));
}

static void test_checks(void) {
    sent("_sc|db|2|m:read timeout after 5 s\n_sc|db|0|m:fine");
    PASSES(f, "check db where status == critical samples == 1");
    PASSES(f, "check db where status == critical and message == \"*timeout*\"");
    FAILS(f, "check db where status == ok and message == \"*timeout*\"");
    PASSES(f, "check db where status != ok status == critical");
    PASSES(f, "check db where message !~ \".*timeout.*\" status == ok and samples == 1");
    CU_ASSERT(says(
        "check db where status == warning", "why",
        "2 service checks matched but for 'where': the newest service check has status ok, not status == "
        "warning"));
}

static void test_rejects(void) {
    sent("a:1|c\na.b:x|c\nbad line\n_sc||0");
    PASSES(f, "reject * samples == 3");
    FAILS(f, "no reject *");
    PASSES(f, "reject a.b");
    PASSES(f, "reject a.* where reason == invalid_value samples == 1");
    PASSES(f, "reject \"bad line\" where reason == no_pipe");
    PASSES(f, "reject bad* samples == 1");
    PASSES(f, "reject * where text == \"_sc*\" samples == 1");
    PASSES(f, "reject * where source == udp samples == 3");
    PASSES(f, "no reject * where source == http");
    PASSES(f, "no reject c");
    PASSES(f, "no reject a"); /* what was accepted */
    CU_ASSERT(says("no reject *", "why", "3 rejects matched: invalid_value 'a.b:x|c', no_pipe 'bad line'"));
    CU_ASSERT(says("no reject a.b", "why", "1 reject matched: invalid_value 'a.b:x|c'"));
    struct judge_options options = {.no_rejects = true};
    EQ_STR(judging_word(judging_verdict(f, "incr a", &options)), "fail");
    sent("a:1|c");
    EQ_STR(judging_word(judging_verdict(f, "incr a", &options)), "pass");
    PASSES(f, "no reject *");
    /* a datagram that was lost may have been refused */
    fake_loss(f, NULL, LOSS_KERNEL_DROP, 1);
    INCONCLUSIVE(f, "no reject *");
    sent("x:y|c");
    fake_loss(f, NULL, LOSS_EVICTED, 1);
    FAILS(f, "no reject *");
    fake_loss(f, NULL, LOSS_EVICTED_REJECTS, 1);
    PASSES(f, "reject x");
    INCONCLUSIVE(f, "reject y");
}

static void test_per_series(void) {
    sent("a:1|c|#x:1\na:1|c|#x:2\nb:1|g\nb:1|g\ns:x|s");
    PASSES(f, "any a per_series <= 1");
    PASSES(f, "any * per_series == 2");
    FAILS(f, "any * per_series <= 1");
    PASSES(f, "incr a per_series == 1 and samples == 2");
    PASSES(f, "gauge b where value == 1 per_series == 2");
    PASSES(f, "gauge b where value == 2 per_series == 0");
    PASSES(f, "any nothing per_series == 0");
    PASSES(f, "no any * per_series > 2");
    fake_loss(f, NULL, LOSS_KERNEL_DROP, 1);
    INCONCLUSIVE(f, "any a per_series <= 1");
    FAILS(f, "any * per_series <= 1");
    PASSES(f, "any * per_series >= 2");
    /* of several sessions: the same series is one */
    sent("a:1|c\nb:1|c");
    fake_session(f, "other");
    fake_send(f, "a:1|c");
    struct judge_options every = {.session = SPAN(EVERY_SESSION)};
    EQ_STR(judging_word(judging_verdict(f, "any * per_series == 2", &every)), "pass");
    EQ_STR(judging_word(judging_verdict(f, "any * where value == 1 per_series == 2 and series == 2", &every)),
           "pass");
    PASSES(f, "any * per_series == 1");
}

/* What an aggregating client sends tells nothing of single values: no verdict is made up. */
static void test_aggregated(void) {
    sent(NULL);
    fake_source(f, SOURCE_HTTP);
    put(METRIC_RATE, "hits", (struct value){.number = 0.3}, &(struct metric){.interval = 10});
    FAILS(f, "incr hits where value == 1");
    FAILS(f, "no incr hits where value == 1");
    CU_ASSERT(says("incr hits where value == 1", "why", "can't be told from a rate"));
    PASSES(f, "rate hits where value == 0.3 and interval == 10");
    put(METRIC_RATE, "t.count", (struct value){.number = 1}, &(struct metric){.interval = 10});
    put(METRIC_GAUGE, "t.max", (struct value){.number = 9}, &(struct metric){0});
    FAILS(f, "timing t where value > 8");
    FAILS(f, "no timing t where value > 8");
    PASSES(f, "gauge t.max where value > 8");
    /* once there is a sample of the name itself, forms are no forms, whether or not it satisfies the conditions */
    fake_send(f, "t:3|ms");
    FAILS(f, "timing t where value > 8");
    PASSES(f, "no timing t where value > 8");
}

static void test_sketches(void) {
    static const int32_t keys[] = {1338, 1487, 1635}; /* of 1, 10, 100 */
    static const uint32_t counts[] = {2, 3, 5};
    struct sketch sketch = {.count = 10,
                            .sum = 532,
                            .min = 1,
                            .max = 100,
                            .avg = 53.2,
                            .n_bins = 3,
                            .keys = keys,
                            .counts = counts};
    sent(NULL);
    fake_source(f, SOURCE_HTTP);
    put(METRIC_DISTRIBUTION, "d", (struct value){.number = 53.2, .sketch = &sketch}, &(struct metric){0});
    PASSES(f, "distribution d where value > 50 samples == 1 and count == 5 and max == 100");
    PASSES(f, "distribution d where value < 50 count == 5 and min == 1");
    PASSES(f, "distribution d where value == 10 count == 3 and p50 == 10 +- 0.2");
    PASSES(f, "distribution d where value != 10 count == 7");
    PASSES(f, "distribution d where value >= 0 count == 10 and sum == 532");
    PASSES(f, "distribution d where value > 100 samples == 0"); /* the ends are known exactly */
    PASSES(f, "distribution d where value > 99 count == 5 +- 4");
    PASSES(f, "no distribution d where value > 200");
    FAILS(f, "distribution d where value == 50");
    CU_ASSERT(says("distribution d where value > 50", "why", "told from the bins of sketches"));
    /* a sketch of one value is that value */
    struct sketch single = {
        .count = 4, .sum = 20, .min = 5, .max = 5, .avg = 5, .n_bins = 1, .keys = keys, .counts = counts};
    put(METRIC_DISTRIBUTION, "e", (struct value){.number = 5, .sketch = &single}, &(struct metric){0});
    PASSES(f, "distribution e where value == 5 count == 4");
    FAILS(f, "distribution e where value == 5.01");
    CU_ASSERT(!strstr(judging_text(f, "distribution e where value == 5", "why"), "bins"));
}

static void test_explanations(void) {
    sent("g:7|g\ng:9|g\nu:bob|s");
    CU_ASSERT(says("gauge g where value == 5", "why",
                   "2 samples matched but for 'where': the newest sample has value 9, not value == 5"));
    CU_ASSERT(says("set u where value == alice", "why",
                   "1 sample matched but for 'where': the sample has value 'bob', not value == alice"));
    CU_ASSERT(
        says("gauge g where interval == 10", "why", "the newest sample has no interval, not interval == 10"));
    json_t *result = judging_result(f, "gauge g where value == 5 +- 1 and host =~ \"w.*\"", NULL);
    char *where = json_dumps(json_object_get(result, "where"), JSON_COMPACT);
    EQ_STR(where,
           "[{\"field\":\"value\",\"op\":\"==\",\"value\":5,\"text\":\"value == 5 +- 1\",\"tolerance\":1},"
           "{\"field\":\"host\",\"op\":\"=~\",\"value\":\"w.*\",\"text\":\"host =~ \\\"w.*\\\"\"}]");
    free(where);
    json_decref(result);
}

static void test_losses_and_since(void) {
    sent("g:5|g\ng:6|g");
    struct judge_options since = {.since = fake_last_id(f)};
    fake_send(f, "g:5|g\ng:7|g");
    EQ_STR(judging_word(judging_verdict(f, "gauge g where value == 5 samples == 1", &since)), "pass");
    EQ_STR(judging_word(judging_verdict(f, "gauge g where value == 6 samples == 0", &since)), "pass");
    PASSES(f, "gauge g where value == 5 samples == 2");
    fake_loss(f, NULL, LOSS_KERNEL_DROP, 1);
    PASSES(f, "gauge g where value == 5 samples >= 2");
    INCONCLUSIVE(f, "gauge g where value == 5 samples == 2");
    FAILS(f, "gauge g where value == 5 samples == 1");
    INCONCLUSIVE(f, "no gauge g where value == 8");
    FAILS(f, "no gauge g where value == 7");
}

/* Several claims about one series, with conditions and without, each with numbers of its own. */
static void test_side_by_side(void) {
    sent("g:5|g\ng:6|g\ng:7|g");
    PASSES(f, "gauge g samples == 3\ngauge g where value > 5 samples == 2\ngauge g where value > 6 sum == 7\n"
              "gauge g sum == 18\nno gauge g where value > 7\nany g where value < 6 last == 5");
    struct judge_options covered = {.all_covered = true};
    EQ_STR(judging_word(judging_verdict(f, "gauge g where value > 5", &covered)), "pass");
    fake_send(f, "other:1|c");
    EQ_STR(judging_word(judging_verdict(f, "gauge g where value > 5", &covered)), "fail");
}

static void test_asked_numbers(void) {
    sent("g:5|g\ng:6|g\n_sc|db|2");
    static const struct {
        const char *text;
        const char *clauses;
        int verdict;
    } cases[] = {
        {"gauge g last", "[{\"clause\":\"last\",\"observed\":6,\"holds\":true}]", VERDICT_PASS},
        {"gauge g where value == 5 samples", "[{\"clause\":\"samples\",\"observed\":1,\"holds\":true}]",
         VERDICT_PASS},
        {"gauge x sum", "[{\"clause\":\"sum\",\"observed\":0,\"holds\":true}]", VERDICT_PASS},
        {"gauge x last", "[{\"clause\":\"last\",\"observed\":null,\"holds\":false}]", VERDICT_FAIL},
        {"check db status", "[{\"clause\":\"status\",\"observed\":\"critical\",\"holds\":true}]",
         VERDICT_PASS},
    };
    struct judge_options values = {.values = true};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *result = judging_result(f, cases[i].text, &values);
        char *clauses = json_dumps(json_object_get(result, "clauses"), JSON_COMPACT);
        EQ_STR(clauses, cases[i].clauses);
        free(clauses);
        json_decref(result);
        EQ_INT(judging_verdict(f, cases[i].text, &values), cases[i].verdict);
    }
    fake_loss(f, NULL, LOSS_KERNEL_DROP, 1);
    EQ_INT(judging_verdict(f, "gauge g samples", &values), VERDICT_INCONCLUSIVE);
}

/* A `session` line chooses what is judged; the option is stronger; two that differ are an error. */
static void test_session_lines(void) {
    sent("a:1|c");
    fake_session(f, "other");
    fake_send(f, "a:2|c");
    struct judge_options wide = {.no_everywhere = true}, option = {.session = SPAN("default")};
    PASSES(f, "incr a sum == 1");
    PASSES(f, "session other\nincr a sum == 2");
    PASSES(f, "session *\nincr a sum == 3");
    PASSES(f, "session '*'\nincr a sum == 3");
    PASSES(f, "session \"other\"\nsession other # twice\nincr a sum == 2");
    EQ_STR(judging_word(judging_verdict(f, "session other\nincr a sum == 1", &option)), "pass");
    EQ_STR(judging_word(judging_verdict(f, "no incr a where value == 1", &wide)), "fail");
    EQ_STR(judging_word(judging_verdict(f, "session other\nno incr a where value == 1", &wide)), "pass");
    struct judge_source sources[] = {{.text = SPAN("session a\nincr x"), .file = SPAN("one.expect")},
                                     {.text = SPAN("session b\nincr x"), .file = SPAN("two.expect")}};
    struct judge_error error = {0};
    CU_ASSERT_PTR_NULL(judge_parse(sources, 2, NULL, &error));
    EQ_STR(error.message,
           "the session 'a' was chosen in line 1 of one.expect already: a question is about one");
}

UNIT_MAIN("judge/where", {"values, of packs and with rates", test_values}, {"a set's members", test_sets},
          {"fields of samples", test_fields}, {"fields of events", test_events},
          {"fields of checks", test_checks}, {"rejects", test_rejects}, {"per_series", test_per_series},
          {"what is aggregated tells no single value", test_aggregated},
          {"sketches, by their bins", test_sketches},
          {"explanations, and conditions as data", test_explanations},
          {"losses and marks", test_losses_and_since}, {"claims side by side", test_side_by_side},
          {"numbers that are asked for", test_asked_numbers}, {"session lines", test_session_lines})
