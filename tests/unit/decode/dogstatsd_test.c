#include "decode/dogstatsd.h"

#include "guard.h"
#include "jsonl.h"
#include "unit.h"
#include <math.h>

/* --- the fixtures: what is expected, one record after the other ------------------------------------------ */

#define EXPECTED_MAX 64

/* A metric of which the Agent drops all or some values is expected as the rejects that we make of them. */
struct expected {
    const char *reason; /* != NULL: a reject */
    const char *family;
    const json_t *item;
};

struct run {
    const char *id;
    struct expected expected[EXPECTED_MAX];
    size_t n_expected, n_seen;
};

static void complain(const struct run *run, const char *what) {
    fprintf(stderr, "%s: record %zu: %s\n", run->id, run->n_seen, what);
    CU_FAIL("a record differs from its fixture");
}

static void expect(struct run *run, const char *reason, const char *family, const json_t *item) {
    if (run->n_expected == EXPECTED_MAX)
        abort();
    run->expected[run->n_expected++] = (struct expected){reason, family, item};
}

static const char *word(const json_t *item, const char *key) {
    return json_string_value(json_object_get(item, key));
}

static void expect_item(struct run *run, const json_t *item) {
    const char *kind = word(item, "kind"), *drop = word(item, "drop_reason");
    if (strcmp(kind, "none") == 0)
        return;
    size_t dropped = json_array_size(json_object_get(item, "dropped_value_indexes"));
    if (strcmp(kind, "reject") == 0)
        expect(run, word(item, "reason"), word(item, "family"), item);
    else if (drop && strcmp(drop, "timestamp_unsupported_type") == 0)
        expect(run, drop, "metric", item);
    else {
        if (!drop)
            expect(run, NULL, NULL, item);
        for (size_t i = 0; i < dropped; i++)
            expect(run, "non_finite_value", "metric", item);
    }
}

/* --- comparing ------------------------------------------------------------------------------------------- */

static bool same(struct span got, const json_t *want) {
    struct span bytes = jsonl_bytes(want);
    return (got.p == NULL) == (bytes.p == NULL) && span_eq(got, bytes);
}

static void check_span(const struct run *run, const char *key, struct span got, const json_t *item) {
    if (!same(got, json_object_get(item, key)))
        complain(run, key);
}

static void check_tags(const struct run *run, const json_t *item, size_t n, const struct span *tags) {
    const json_t *want = json_object_get(item, "tags");
    if (json_array_size(want) != n) {
        complain(run, "number of tags");
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (!same(tags[i], json_array_get(want, i)))
            complain(run, "a tag");
}

static void check_origin(const struct run *run, const json_t *item, const struct origin *origin) {
    check_span(run, "host", origin->host, item);
    check_span(run, "container_id", origin->container_id, item);
    check_span(run, "cardinality", origin->cardinality, item);
    check_span(run, "pod_uid", origin->entity_id, item);
    check_span(run, "jmx_check_name", origin->jmx_check_name, item);
    check_span(run, "raw", origin->external_data, json_object_get(item, "external_data"));
    const char *inode = word(item, "inode");
    if (origin->has_inode != (inode != NULL) || (inode && strtoull(inode, NULL, 10) != origin->inode))
        complain(run, "inode");
}

/* Absent: otherwise. */
static double number(const json_t *value, double otherwise) {
    const char *text = json_string_value(value);
    return text ? strtod(text, NULL) : json_is_number(value) ? json_number_value(value) : otherwise;
}

static bool same_number(double a, double b) {
    return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

static void check_values(const struct run *run, const json_t *item, const struct metric *metric) {
    const json_t *values = json_object_get(item, "values"),
                 *dropped = json_object_get(item, "dropped_value_indexes");
    int64_t timestamp = json_integer_value(json_object_get(item, "timestamp"));
    size_t n = 0;
    for (size_t i = 0, k = 0; i < json_array_size(values); i++) {
        if (k < json_array_size(dropped) && json_integer_value(json_array_get(dropped, k)) == (json_int_t)i) {
            k++;
            continue;
        }
        if (n == metric->n_values ||
            !same_number(metric->values[n].number, number(json_array_get(values, i), NAN)))
            complain(run, "a value");
        n++;
    }
    if (metric->type == METRIC_SET) {
        check_span(run, "set_value", metric->values[0].text, item);
        n = 1;
    }
    if (n != metric->n_values)
        complain(run, "number of values");
    for (size_t i = 0; i < metric->n_values; i++)
        if (metric->values[i].timestamp != timestamp || metric->values[i].sketch || !metric->values[i].text.p)
            complain(run, "timestamp, sketch or text of a value");
}

static void check_metric(const struct run *run, const json_t *item, const struct metric *metric) {
    check_span(run, "name", metric->name, item);
    if (strcmp(metric_letter(metric->type), word(item, "type")) != 0)
        complain(run, "type");
    check_values(run, item, metric);
    if (!same_number(metric->sample_rate, number(json_object_get(item, "sample_rate"), 1)))
        complain(run, "sample_rate");
    check_tags(run, item, metric->n_tags, metric->tags);
    check_origin(run, item, &metric->origin);
    if (!span_eq(metric->key_name, metric->name) || metric->key_rest.n == 0)
        complain(run, "key");
    if (metric->device.p || metric->unit.p || metric->source_type.p || metric->resources.p ||
        metric->interval)
        complain(run, "something that only HTTP carries");
}

static void check_word(const struct run *run, const char *key, struct span got, const json_t *item,
                       const char *otherwise) {
    const char *want = word(item, key);
    if (!span_eq(got, span_str(want ? want : otherwise)))
        complain(run, key);
}

static void check_event(const struct run *run, const json_t *item, const struct event *event) {
    check_span(run, "title", event->title, item);
    check_span(run, "text", event->text, item);
    if (event->timestamp != json_integer_value(json_object_get(item, "timestamp")))
        complain(run, "timestamp");
    check_span(run, "aggregation_key", event->aggregation_key, item);
    check_span(run, "source_type_name", event->source_type_name, item);
    check_word(run, "priority", event->priority, item, "normal");
    check_word(run, "alert_type", event->alert_type, item, "info");
    check_tags(run, item, event->n_tags, event->tags);
    check_origin(run, item, &event->origin);
}

static void check_check(const struct run *run, const json_t *item, const struct service_check *check) {
    check_span(run, "name", check->name, item);
    if (check->status != json_integer_value(json_object_get(item, "status")))
        complain(run, "status");
    if (check->timestamp != json_integer_value(json_object_get(item, "timestamp")))
        complain(run, "timestamp");
    if (!span_eq(check->message, jsonl_bytes(json_object_get(item, "message"))))
        complain(run, "message");
    check_tags(run, item, check->n_tags, check->tags);
    check_origin(run, item, &check->origin);
}

static void check_record(void *arg, const struct record *record) {
    struct run *run = arg;
    run->n_seen++;
    if (run->n_seen > run->n_expected) {
        complain(run, "not expected");
        return;
    }
    const struct expected *want = &run->expected[run->n_seen - 1];
    if (want->reason) {
        if (record->kind != RECORD_REJECT) {
            complain(run, "not rejected");
            return;
        }
        const struct reject *reject = &record->reject;
        if (strcmp(reason_word(reject->reason), want->reason) != 0)
            complain(run, reason_word(reject->reason));
        if (!span_eq(reject->family, span_str(want->family)))
            complain(run, "family");
        if (reject->offset > reject->text.n)
            complain(run, "offset");
        return;
    }
    const char *kind = word(want->item, "kind");
    if (record->kind == RECORD_METRIC && strcmp(kind, "metric") == 0)
        check_metric(run, want->item, &record->metric);
    else if (record->kind == RECORD_EVENT && strcmp(kind, "event") == 0)
        check_event(run, want->item, &record->event);
    else if (record->kind == RECORD_SERVICE_CHECK && strcmp(kind, "service_check") == 0)
        check_check(run, want->item, &record->check);
    else
        complain(run, "kind");
}

/* Each datagram twice: once ending, once beginning at an unmapped page. */
static void check_case(void *arg, const json_t *fixture) {
    (void)arg;
    const json_t *cfg = json_object_get(fixture, "cfg"), *want = json_object_get(fixture, "expect");
    struct dogstatsd_options options = {
        .ignore_origin = json_is_true(json_object_get(cfg, "ignore_origin")),
        .ignore_timestamps = json_is_true(json_object_get(cfg, "ignore_timestamps")),
        .eol_required = json_is_true(json_object_get(cfg, "eol_required")),
    };
    struct run run = {.id = word(fixture, "id")};
    const json_t *items = json_object_get(want, "items");
    if (!items)
        expect_item(&run, want);
    for (size_t i = 0; i < json_array_size(items); i++)
        expect_item(&run, json_array_get(items, i));

    const json_t *input = json_object_get(fixture, "input");
    struct span bytes = input ? jsonl_bytes(input) : jsonl_base64(word(fixture, "input_b64"));
    struct dogstatsd *d = dogstatsd_new(&options);
    for (int pass = 0; pass < 2; pass++) {
        run.n_seen = 0;
        dogstatsd_decode(d, pass == 0 ? guard_end(bytes) : guard_start(bytes), check_record, &run);
        if (run.n_seen != run.n_expected)
            complain(&run, "number of records");
    }
    dogstatsd_free(d);
}

static void test_agent(void) {
    EQ_INT(jsonl_each("fixtures/dogstatsd/agent.jsonl", check_case, NULL), 210);
}

static void test_more(void) {
    CU_ASSERT(jsonl_each("fixtures/dogstatsd/more.jsonl", check_case, NULL) > 1000);
}

/* --- what the fixtures cannot say ------------------------------------------------------------------------ */

/* The last record, with its spans' bytes kept. */
struct last {
    size_t n, n_metrics, n_values, n_tags;
    struct record record;
    char name[64], rest[128];
    char carets[128], words[512], texts[256]; /* of its remarks */
};

static void keep(char *to, size_t size, struct span s) {
    snprintf(to, size, "%.*s", SPAN_ARG(s));
}

static void keep_remarks(struct last *last, const struct remarks *r) {
    size_t caret = 0;
    last->carets[0] = last->words[0] = last->texts[0] = 0;
    for (size_t i = 0; r && i < r->n; i++) {
        const char *gap = i ? " " : "";
        const struct remark *remark = &r->list[i];
        size_t words = strlen(last->words), texts = strlen(last->texts);
        snprintf(last->words + words, sizeof last->words - words, "%s%s", gap, remark_word(remark->kind));
        snprintf(last->texts + texts, sizeof last->texts - texts, "%s%.*s", gap, SPAN_ARG(remark->text));
        CU_ASSERT(remark->offset < sizeof last->carets - 1 && remark->text.p == r->line.p + remark->offset);
        for (; caret <= remark->offset; caret++)
            memcpy(last->carets + caret, " ", 2);
        last->carets[remark->offset] = '^';
    }
}

static void keep_record(void *arg, const struct record *record) {
    struct last *last = arg;
    last->n++;
    last->record = *record;
    if (record->kind == RECORD_METRIC) {
        last->n_metrics++;
        last->n_values = record->metric.n_values;
        last->n_tags = record->metric.n_tags;
        keep(last->name, sizeof last->name, record->metric.key_name);
        keep(last->rest, sizeof last->rest, record->metric.key_rest);
        keep_remarks(last, record->metric.remarks);
    } else if (record->kind == RECORD_EVENT) {
        keep_remarks(last, record->event.remarks);
    } else if (record->kind == RECORD_SERVICE_CHECK) {
        keep_remarks(last, record->check.remarks);
    } else if (record->kind == RECORD_REJECT) {
        keep(last->name, sizeof last->name, record->reject.name);
        keep_remarks(last, NULL);
    }
}

static struct last decode(struct span bytes, const struct dogstatsd_options *options, size_t *lines) {
    struct last last = {0};
    struct dogstatsd *d = dogstatsd_new(options);
    *lines = dogstatsd_decode(d, guard_end(bytes), keep_record, &last);
    dogstatsd_free(d);
    return last;
}

static void test_keys(void) {
    static const struct {
        const char *line, *name, *rest;
    } table[] = {
        {"a.b:1|c", "a.b", "c"},       {"a:1:2:3|ms|@0.5|#x,y", "a", "ms|@0.5|#x,y"},
        {"a:1|c|T5", "a", "c"},        {"a:1|c|T5|#x", "a", "c|#x"},
        {"a:1|c|#x|T5", "a", "c|#x"},  {"a:1|c|T5|T6|#x|T7|@1", "a", "c|#x|@1|T|T"},
        {"a:+1|g|T5|#b", "a", "g|#b|+"},
        {"a:1|c||T5|", "a", "c||"},    {"a:1|g|t5||x", "a", "g|t5||x"},
        {"a:b:c|s|#T5", "a", "s|#T5"}, {"a:1|c\r\n", "a", "c"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        size_t lines;
        struct last last = decode(span_str(table[i].line), &(struct dogstatsd_options){0}, &lines);
        EQ_STR(last.name, table[i].name);
        EQ_STR(last.rest, table[i].rest);
    }
}

/* What the Agent ignores inside a line that it takes: the caret stands under the first byte of each piece. */
static void test_remarks(void) {
    static const struct {
        const char *line, *carets, *words, *texts;
    } table[] = {
        {"gt:1|g|#pipe|in:tag,red", /*          */ "             ^", "ignored_field", "in:tag,red"},
        {"r:1|c|#k:out|443||api,env:x", /*      */ "             ^    ^", "ignored_field ignored_field",
         "443 api,env:x"},
        {"t:1|c|#a:1|#b:2", /*                  */ "      ^", "repeated_field", "#a:1"},
        {"t:1|c|#|#b:2", "", "", ""},
        {"t:1|c|@0.5|@1", /*                    */ "      ^", "repeated_field", "@0.5"},
        {"t:1|c|T5|x|T6", /*                    */ "      ^  ^", "repeated_field ignored_field", "T5 x"},
        {"t:1|c|c:ci-a|c:ci-b", /*              */ "      ^", "repeated_field", "c:ci-a"},
        {"t:1|c|e:cn-a|card:low|e:cn-b|card:high", "      ^      ^", "repeated_field repeated_field",
         "e:cn-a card:low"},
        {"t:1|c|c:ci-a,b", /*                   */ "             ^", "ignored_value", "b"},
        {"t:1|c| #a:b", /*                      */ "      ^", "blank_field", " #a:b"},
        {"t:1|c|#a,host:x,b,host:y", /*         */ "         ^", "repeated_tag", "host:x"},
        {"t:1|c|#a||\r\n", "", "", ""},
        {"t:1|c|x\r\n", /*                      */ "      ^", "ignored_field", "x"},
        {"q:+4:-1:+2|g|x", /*                   */ "  ^          ^", "plus_sign ignored_field", "+ x"},
        {"q:+4|c", "", "", ""},
        {"q:-4|g", "", "", ""},
        {"t:1:NaN|c|x", "", "", ""}, /* the last record is the reject, which has the whole line */
        {"_e{5,4}:title|text|d:5|h:h|k:k|p:low|s:s|t:error|#a", "", "", ""},
        {"_e{5,4}:title|text extra|t:fatal|p:urgent|d:x", "                  ^      ^       ^        ^",
         "event_surplus ignored_value ignored_value ignored_value", " extra t:fatal p:urgent d:x"},
        {"_e{5,4}:title|textt:error", /*        */ "                  ^", "event_surplus", "t:error"},
        {"_e{2,4}:\xc3\xa9\xc3\xa9|text|t:error", "          ^    ^", "event_separator event_surplus",
         "\xc3 xt"},
        {"_e{1,1]:a|b", /*                      */ "      ^", "event_header", "]"},
        {"_e{1,1}:a|b|k:1|k:2|#host:x|h:y", /*  */ "            ^        ^", "repeated_field repeated_tag",
         "k:1 host:x"},
        {"_sc|n|0|m:has | pipe|d:x", /*         */ "               ^     ^", "ignored_field ignored_value",
         " pipe d:x"},
        {"_sc|n|0| m:text", /*                  */ "        ^", "blank_field", " m:text"},
        {"_sc|n|0|m:a|m:b", /*                  */ "        ^", "repeated_field", "m:a"},
        {"_sc:n|0|x|", /*                       */ "   ^    ^", "check_prefix ignored_field", ": x"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        size_t lines;
        struct last last = decode(span_str(table[i].line), &(struct dogstatsd_options){0}, &lines);
        EQ_STR(last.carets, table[i].carets);
        EQ_STR(last.words, table[i].words);
        EQ_STR(last.texts, table[i].texts);
    }
}

/* Of more than are kept, the last one reaches to the end of the line; the next line has none of them. */
static void test_many_remarks(void) {
    char line[] = "a:1|c|1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18\nb:1|c";
    size_t lines;
    EQ_STR(decode(span_str(line), &(struct dogstatsd_options){0}, &lines).words, "");
    *strchr(line, '\n') = 0;
    struct last last = decode(span_str(line), &(struct dogstatsd_options){0}, &lines);
    EQ_STR(last.texts, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16|17|18");
    EQ_STR(decode(SPAN("a:1|c|x|@bad\nb:1|c"), &(struct dogstatsd_options){0}, &lines).words, "");
    EQ_STR(decode(SPAN("a:nan|c|x\nb:1|c"), &(struct dogstatsd_options){0}, &lines).words, "");
    struct dogstatsd_options ignoring = {.ignore_origin = true};
    EQ_STR(decode(SPAN("a:1|c|c:1|c:2|x"), &ignoring, &lines).words, "ignored_field");
}

/* The caret stands under the piece that could not be read, or where something was missing. */
static void test_offsets(void) {
    static const struct {
        const char *line, *caret, *name;
        enum reason reason;
    } table[] = {
        {"a.b:666", /*                 */ "       ^", "a.b", REASON_NO_PIPE},
        {"nothing", /*                 */ "       ^", "", REASON_NO_PIPE},
        {"a|c:1", /*                   */ " ^", "", REASON_NO_COLON},
        {":1|c", /*                    */ "^", "", REASON_EMPTY_NAME},
        {"a.b:|c", /*                  */ "    ^", "a.b", REASON_EMPTY_VALUE},
        {"a.b:1|x|#a", /*              */ "      ^", "a.b", REASON_INVALID_TYPE},
        {"a.b:1|", /*                  */ "      ^", "a.b", REASON_INVALID_TYPE},
        {"a.b::|c", /*                 */ "    ^", "a.b", REASON_NO_VALUE_FOUND},
        {"a.b:1x|c", /*                */ "    ^", "a.b", REASON_INVALID_VALUE},
        {"a.b:1::1x:2|c", /*           */ "       ^", "a.b", REASON_INVALID_VALUE},
        {"a.b:1:1e999|c", /*           */ "      ^", "a.b", REASON_VALUE_OUT_OF_RANGE},
        {"a.b:1|c|#x|@half", /*        */ "            ^", "a.b", REASON_INVALID_SAMPLE_RATE},
        {"a.b:1|c|@", /*               */ "         ^", "a.b", REASON_INVALID_SAMPLE_RATE},
        {"a.b:1|c|Tomorrow|#x", /*     */ "         ^", "a.b", REASON_INVALID_TIMESTAMP},
        {"a.b:1|c|@1|T0", /*           */ "            ^", "a.b", REASON_TIMESTAMP_NOT_POSITIVE},
        {"a.b:1|h|@1|T5|#x", /*        */ "           ^", "a.b", REASON_TIMESTAMP_UNSUPPORTED_TYPE},
        {"a.b:1:2:NaN:3|g", /*         */ "        ^", "a.b", REASON_NON_FINITE_VALUE},
        {"_e{5,4}", /*                 */ "       ^", "", REASON_EVENT_NO_COLON},
        {"_e{1,1:a|b", /*              */ "      ^", "", REASON_EVENT_HEADER_INVALID},
        {"_e{1;1}:a|b", /*             */ "      ^", "", REASON_EVENT_HEADER_INVALID},
        {"_e{x,1}:a|b", /*             */ "   ^", "", REASON_EVENT_HEADER_INVALID},
        {"_e{1,x}:a|b", /*             */ "     ^", "", REASON_EVENT_HEADER_INVALID},
        {"_e{0,1}:|b", /*              */ "   ^", "", REASON_EVENT_EMPTY_TITLE},
        {"_e{5,4}:title|tex", /*       */ "                 ^", "", REASON_EVENT_TOO_SHORT},
        {"_sc|name", /*                */ "        ^", "", REASON_SC_FORMAT},
        {"_sc||0", /*                  */ "    ^", "", REASON_SC_EMPTY_NAME},
        {"_sc|name|9|#x", /*           */ "         ^", "name", REASON_SC_INVALID_STATUS},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        size_t lines;
        struct last last = decode(span_str(table[i].line), &(struct dogstatsd_options){0}, &lines);
        EQ_INT(last.record.kind, RECORD_REJECT);
        EQ_STR(reason_word(last.record.reject.reason), reason_word(table[i].reason));
        EQ_INT(last.record.reject.offset, strlen(table[i].caret) - 1);
        EQ_INT(last.record.reject.text.n, strlen(table[i].line));
        EQ_STR(last.name, table[i].name);
        CU_ASSERT((last.record.reject.name.p == NULL) == (table[i].name[0] == '\0'));
    }
}

static void test_line_count(void) {
    static const struct {
        const char *bytes;
        size_t lines, records;
        bool eol_required;
    } table[] = {
        {"", 0, 0, false},        {"\n\r\n\n", 0, 0, false},       {"a:1|c", 1, 1, false},
        {"a:1|c\n", 1, 1, false}, {"a:1|c\n\nbad\n", 2, 2, false}, {"a:1:NaN:2:NaN|c", 1, 3, false},
        {"a:1|c\nb", 2, 2, true}, {"a:1|c\n\r", 1, 1, true},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        size_t lines;
        struct dogstatsd_options options = {.eol_required = table[i].eol_required};
        struct last last = decode(span_str(table[i].bytes), &options, &lines);
        EQ_INT(lines, table[i].lines);
        EQ_INT(last.n, table[i].records);
    }
}

/* The scratch memory is as large as the worst line needs. */
static void test_worst_lines(void) {
    static char line[DOGSTATSD_LINE_MAX];
    size_t lines;
    struct dogstatsd_options options = {0};

    memset(line, ',', sizeof line);
    memcpy(line, "a:1|c|#", 7);
    struct last last = decode(span_of(line, sizeof line), &options, &lines);
    EQ_INT(last.n_tags, sizeof line - 7 + 1);

    for (size_t i = 0; i + 1 < sizeof line; i += 2)
        memcpy(line + i, "1:", 2);
    memcpy(line + sizeof line - 3, "1|d", 3);
    last = decode(span_of(line, sizeof line), &options, &lines);
    EQ_INT(last.n_metrics, 1);
    EQ_INT(last.n_values, (sizeof line - 3) / 2);

    memset(line, '|', sizeof line);
    memcpy(line, "a:1|c|T5", 8);
    last = decode(span_of(line, sizeof line), &options, &lines);
    EQ_INT(last.record.metric.key_rest.n, sizeof line - 4 - 3);

    memset(line, '\n', sizeof line);
    last = decode(span_of(line, sizeof line), &options, &lines);
    EQ_INT(lines, 0);

    int head = snprintf(line, sizeof line, "_e{2,%zu}:\\n|", sizeof line - 15);
    for (size_t i = (size_t)head; i + 1 < sizeof line; i += 2)
        memcpy(line + i, "\\n", 2);
    last = decode(span_of(line, sizeof line), &options, &lines);
    EQ_INT(last.record.kind, RECORD_EVENT);
    EQ_INT(last.record.event.text.n, (sizeof line - 15 + 1) / 2);
}

/* No datagram holds such a line; a caller that has one anyway gets it in pieces, never beyond the scratch
 * memory. */
static void test_beyond_the_longest_line(void) {
    static char bytes[GUARD_MAX];
    memset(bytes, ',', sizeof bytes);
    memcpy(bytes, "a:1|c|#", 7);
    size_t lines;
    struct last last = decode(span_of(bytes, sizeof bytes), &(struct dogstatsd_options){0}, &lines);
    EQ_INT(lines, 3);
    EQ_INT(last.n_metrics, 1);
    EQ_INT(last.n_tags, DOGSTATSD_LINE_MAX - 7 + 1);
    bytes[DOGSTATSD_LINE_MAX] = '\n';
    last = decode(span_of(bytes, DOGSTATSD_LINE_MAX + 1), &(struct dogstatsd_options){.eol_required = true},
                  &lines);
    EQ_INT(lines, 1);
    EQ_INT(last.n_metrics, 1);
}

UNIT_MAIN("decode/dogstatsd", {"reads what the Agent reads", test_agent},
          {"further cases from the same rules", test_more},
          {"keys hold all but value and timestamp", test_keys}, {"rejects point at the place", test_offsets},
          {"what is ignored is remarked on", test_remarks}, {"many remarks", test_many_remarks},
          {"counts lines that are not empty", test_line_count}, {"worst lines fit", test_worst_lines},
          {"longer than any datagram", test_beyond_the_longest_line})
