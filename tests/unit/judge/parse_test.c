#include "core/utf8.h"
#include "judge/language/parse.h"

#include "unit.h"

static struct parsed parsed;
static struct judge_error error;

/* What the parser makes of one source: parsed.list, or error. */
static int parse(const char *text) {
    static const struct judge_options none;
    struct judge_source source = {.text = span_str(text)};
    parsed_free(&parsed);
    parsed.within_ms = -1;
    return parse_source(&parsed, &source, &none, &error);
}

static const struct expectation *one(const char *text) {
    if (parse(text) != 0 || parsed.n != 1) {
        fprintf(stderr, "%s: %s\n%s\n", text, error.message, error.excerpt);
        CU_FAIL_FATAL("malformed");
    }
    return &parsed.list[0];
}

static void test_types(void) {
    static const struct {
        const char *text;
        enum metric_type type;
    } cases[] = {{"incr a", METRIC_COUNT},
                 {"count a", METRIC_COUNT},
                 {"c a", METRIC_COUNT},
                 {"gauge a", METRIC_GAUGE},
                 {"g a", METRIC_GAUGE},
                 {"timing a", METRIC_TIMING},
                 {"ms a", METRIC_TIMING},
                 {"h a", METRIC_HISTOGRAM},
                 {"histogram a", METRIC_HISTOGRAM},
                 {"d a", METRIC_DISTRIBUTION},
                 {"set a", METRIC_SET},
                 {"s a", METRIC_SET},
                 {"distribution a", METRIC_DISTRIBUTION},
                 {"rate a", METRIC_RATE}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct expectation *e = one(cases[i].text);
        EQ_INT(e->type, cases[i].type);
        EQ_INT(e->any_type, false);
        EQ_INT(e->subject, SUBJECT_METRIC);
        EQ_SPAN(e->name, SPAN("a"));
    }
    EQ_INT(one("any a")->any_type, true);
    EQ_INT(one("event a")->subject, SUBJECT_EVENT);
    EQ_INT(one("check a")->subject, SUBJECT_CHECK);
    EQ_INT(one("reject a")->subject, SUBJECT_REJECT);
    EQ_INT(one("no any a")->no, true);
}

static void test_names(void) {
    EQ_SPAN(one("incr a.b-c/d:e")->name, SPAN("a.b-c/d:e"));
    EQ_INT(one("incr a.*")->literal, false);
    EQ_INT(one("incr a.b")->literal, true);
    EQ_SPAN(one("event \"Deploy finished\"{env:ci}")->name, SPAN("Deploy finished"));
    EQ_SPAN(one("event \"a \\\"b\\\" \\\\ \\n\"")->name, SPAN("a \"b\" \\ \\n"));
    EQ_SPAN(one("incr no")->name, SPAN("no"));
    EQ_SPAN(one("incr a#b")->name, SPAN("a#b"));
    EQ_SPAN(one("  incr   a  # comment")->text, SPAN("incr   a"));
    EQ_SPAN(one("incr a \t # comment")->text, SPAN("incr a"));
    EQ_SPAN(one("incr a{b} \t")->text, SPAN("incr a{b}"));
    EQ_SPAN(one("incr a{b} sum == 1 # x")->text, SPAN("incr a{b} sum == 1"));
}

static void test_tags(void) {
    const struct expectation *e = one("timing events.*{!canary, env:ci-*,url:\"a,b}\" , \"c d:e\",!x:1,k:}");
    EQ_INT(e->exact, false);
    EQ_INT(e->n_terms, 6);
    EQ_INT(e->terms[0].negated, true);
    EQ_INT(e->terms[0].has_value, false);
    EQ_SPAN(e->terms[0].key, SPAN("canary"));
    EQ_SPAN(e->terms[1].key, SPAN("env"));
    EQ_SPAN(e->terms[1].value.globs[0], SPAN("ci-*"));
    EQ_SPAN(e->terms[2].value.globs[0], SPAN("a,b}"));
    EQ_SPAN(e->terms[3].key, SPAN("c d"));
    EQ_SPAN(e->terms[4].text, SPAN("!x:1"));
    EQ_INT(e->terms[5].has_value, true);
    EQ_SPAN(e->terms[5].value.globs[0], SPAN(""));
    EQ_INT(one("incr a[code:200,env:ci] samples == 2")->exact, true);
    EQ_INT(one("incr a []")->exact, true);
    EQ_INT(one("incr a []")->n_terms, 0);
    EQ_INT(one("incr a{}")->n_terms, 0);
    EQ_SPAN(one("incr a[x:}]")->terms[0].value.globs[0], SPAN("}"));
    e = one("incr a{b \t, \"c \" \t,d:\"\",e:f:\"g\",h:}");
    EQ_INT(e->n_terms, 5);
    EQ_SPAN(e->terms[0].key, SPAN("b"));
    EQ_SPAN(e->terms[0].text, SPAN("b"));
    EQ_SPAN(e->terms[1].key, SPAN("c "));
    EQ_SPAN(e->terms[1].text, SPAN("\"c \""));
    EQ_INT(e->terms[2].has_value, true);
    EQ_SPAN(e->terms[2].value.globs[0], SPAN(""));
    EQ_SPAN(e->terms[3].value.globs[0], SPAN("f:\"g\"")); /* quotes begin a value or are part of it */
}

static void test_clauses(void) {
    const struct expectation *e =
        one("timing a count>=1 and p95<500 and p99.9 ~ 1e3 +- 5 and each != -0.5+-.1");
    EQ_INT(e->n_clauses, 4);
    EQ_INT(e->clauses[0].stat, STAT_COUNT);
    EQ_INT(e->clauses[0].op, OP_GE);
    EQ_INT(e->clauses[1].stat, STAT_PERCENTILE);
    CU_ASSERT_DOUBLE_EQUAL(e->clauses[1].percentile, 95, 0);
    EQ_INT(e->clauses[1].op, OP_LT);
    CU_ASSERT_DOUBLE_EQUAL(e->clauses[2].percentile, 99.9, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(e->clauses[2].tolerance, 5, 0);
    EQ_INT(e->clauses[2].op, OP_ABOUT);
    EQ_SPAN(e->clauses[2].text, SPAN("p99.9 ~ 1e3 +- 5"));
    EQ_INT(e->clauses[3].op, OP_NE);
    CU_ASSERT_DOUBLE_EQUAL(e->clauses[3].value, -0.5, 0);
    CU_ASSERT_DOUBLE_EQUAL(e->clauses[3].tolerance, 0.1, 0);
    static const char *const stats[] = {"samples", "count", "sum",    "last",      "first", "min",
                                        "max",     "avg",   "median", "p0",        "p100",  "distinct",
                                        "series",  "each",  "rate",   "per_series"};
    for (size_t i = 0; i < sizeof stats / sizeof stats[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "gauge a %s <= 1", stats[i]);
        EQ_INT(one(text)->n_clauses, 1);
    }
    EQ_INT((int)one("check a status == critical")->clauses[0].value, 2);
    EQ_INT((int)one("check a status != 3")->clauses[0].value, 3);
}

static void test_files(void) {
    CU_ASSERT_EQUAL_FATAL(
        parse(
            "\xef\xbb\xbf# what we want\r\n\r\nincr a\n  prefix sentry. # ours\nwithin 1.5s\nwithin 200ms\nignore-tags env, host\n"
            "incr b[x:1]\nincr sentry.c\nevent b\ncheck b"),
        0);
    EQ_INT(parsed.n, 5);
    EQ_INT(parsed.within_ms, 1500);
    EQ_SPAN(parsed.list[0].name, SPAN("sentry.a"));
    EQ_INT(parsed.list[0].line, 3);
    EQ_INT(parsed.list[1].line, 8);
    EQ_INT(parsed.list[1].prefixed, true);
    EQ_INT(parsed.list[1].ignored->n, 2);
    EQ_SPAN(parsed.list[1].ignored->keys[1], SPAN("host"));
    /* never twice */
    EQ_SPAN(parsed.list[2].name, SPAN("sentry.c"));
    EQ_INT(parsed.list[2].prefixed, false);
    /* events and checks are not part of any namespace */
    EQ_SPAN(parsed.list[3].name, SPAN("b"));
    EQ_SPAN(parsed.list[4].name, SPAN("b"));
    EQ_INT(parse(""), 0);
    EQ_INT(parsed.n, 0);
    struct judge_source nothing = {.text = {NULL, 0}};
    EQ_INT(parse_source(&parsed, &nothing, &(struct judge_options){0}, &error), 0);
    EQ_INT(parsed.n, 0);
    CU_ASSERT_EQUAL_FATAL(parse("prefix \"my app.\" # quoted\nignore-tags \tenv ,host \t # two\nincr a"), 0);
    EQ_SPAN(parsed.list[0].name, SPAN("my app.a"));
    EQ_INT(parsed.list[0].ignored->n, 2);
    EQ_SPAN(parsed.list[0].ignored->keys[0], SPAN("env"));
    EQ_SPAN(parsed.list[0].ignored->keys[1], SPAN("host"));
    CU_ASSERT_EQUAL_FATAL(parse("ignore-tags a#b,c\t#d\nincr a"), 0);
    EQ_SPAN(parsed.list[0].ignored->keys[0], SPAN("a#b"));
    EQ_SPAN(parsed.list[0].ignored->keys[1], SPAN("c"));
    EQ_INT(parse("within 0"), 0);
    EQ_INT(parsed.within_ms, 0);
}

/* Where it is wrong, and a part of what is said about it. */
static const struct malformed {
    const char *text;
    size_t line, column;
    const char *message;
} malformed[] = {
    {"guage a", 1, 1,
     "expected 'no' or a type: count (or incr), gauge, timing, histogram, distribution, set, rate, any, event, "
     "check, reject; found 'guage'; did you mean 'gauge'?"},
    {"no guage a", 1, 4, "expected a type: count (or incr)"},
    {"incr", 1, 5, "expected a name, found the end"},
    {"incr   # x", 1, 8, "expected a name, found the end"},
    {"incr {a:b}", 1, 6, "expected a name"},
    {"incr \"\"", 1, 6, "expected a name"},
    {"incr \"a", 1, 8, "expected '\"' to close the text that starts at column 6"},
    {"incr \"a\"b", 1, 9, "expected a blank, '{', '[' or the end after the quoted name"},
    {"incr a{b", 1, 9, "expected '}' to close the tags that start at column 7"},
    {"incr a[b}", 1, 10, "expected ']' to close the tags that start at column 7"},
    {"incr a{b,,c}", 1, 10, "expected a tag"},
    {"incr a{b,}", 1, 10, "expected a tag"},
    {"incr a{!}", 1, 9, "expected a tag after '!'"},
    {"incr a{\"b\"c}", 1, 11, "expected ',' or '}' after the tag"},
    {"incr a{!", 1, 9, "expected a tag after '!'"},
    {"incr a{b:", 1, 10, "expected '}' to close the tags"},
    {"incr a{b:\"c}", 1, 13, "expected '\"' to close the text that starts at column 10"},
    {"incr a Sum == 1", 1, 8, "found 'Sum'; did you mean 'sum'?"},
    {"incr a [x] @@ == 1", 1, 12, "found '@@'"},
    {"incr a {x} ~ 1", 1, 12, "expected a stat"},
    {"incr a p9x == 1", 1, 8, "expected a stat"},
    {"incr a p. == 1", 1, 8, "expected a stat"},
    {"incr a p9. == 1", 1, 8, "expected a stat"},
    {"incr a p9.9.9 == 1", 1, 8, "expected a stat"},
    {"incr a p9_9-9 == 1", 1, 8, "expected a stat"},
    {"incr a p1234567890123456 == 1", 1, 8, "expected a stat"},
    {"incr a sum == 1+2", 1, 15, "expected a number after '==', found '1+2'"},
    {"incr a sum == 1 +- 2 or", 1, 22, "expected 'and' or the end; found 'or'"},
    {"incr a an.extremely.long.word.that.no.message.repeats.whole", 1, 8,
     "found 'an.extremely.long.word.that.no.messag...'"},
    {"incr a smaples == 1", 1, 8, "found 'smaples'; did you mean 'samples'?"},
    {"incr a == 1", 1, 8,
     "expected a stat: samples, count, sum, last, first, min, max, avg, median, pNN, distinct, "
     "series, per_series, each, rate; found '=='"},
    {"incr a sum = 1", 1, 12, "expected an operator: == != < <= > >= ~; found '='"},
    {"incr a sum", 1, 11, "expected an operator: == != < <= > >= ~; found the end"},
    {"incr a sum ==", 1, 14, "expected a number after '==', found the end"},
    {"incr a sum == one", 1, 15, "expected a number after '==', found 'one'"},
    {"incr a sum == 0x10", 1, 15, "expected a number after '=='"},
    {"incr a sum == 5s", 1, 15, "expected a number after '=='"},
    {"incr a sum == nan", 1, 15, "expected a finite number after '=='"},
    {"incr a sum == -inf", 1, 15, "expected a finite number after '=='"},
    {"incr a sum == 1e999", 1, 15, "the number after '==' does not fit a 64-bit float"},
    {"incr a sum == 1 +-", 1, 19, "expected a number after '+-', found the end"},
    {"incr a sum == 1 +- -2", 1, 20, "a tolerance must be 0 or more"},
    {"incr a sum == 1 or sum == 2", 1, 17, "expected 'and', '+-' or the end; found 'or'"},
    {"incr a sum == 1 and", 1, 20, "expected a stat: samples"},
    {"incr a p101 < 1", 1, 8, "a percentile is from p0 to p100"},
    {"incr a status == ok", 1, 8, "'status' is for service checks"},
    {"event a sum == 1", 1, 9, "'sum' can't be asked of an event"},
    {"check a last == 1", 1, 9, "'last' can't be asked of a service check"},
    {"check a status < ok", 1, 16, "expected == or != after 'status'"},
    {"check a status == oj", 1, 19,
     "expected ok, warning, critical or unknown; found 'oj'; did you mean 'ok'?"},
    {"set a sum == 1", 1, 7, "'sum' can't be asked of a set"},
    {"incr a\nincr b sum >", 2, 13, "expected a number after '>', found the end"},
    {"prefix", 1, 7, "expected a prefix after 'prefix'"},
    {"prefix \"a", 1, 10, "expected '\"' to close the text that starts at column 8"},
    {"within", 1, 7, "expected a duration after 'within'"},
    {"within xs", 1, 8, "expected a duration"},
    {"as", 1, 3, "expected 'datadog' after 'as'"},
    {"as agent", 1, 4, "expected 'datadog': as datadog judges"},
    {"as datadog now", 1, 11, "expected the end of the line, found 'now'"},
    {"ignore-tags", 1, 12, "expected keys of tags after 'ignore-tags'"},
    {"ignore-tags a,", 1, 15, "expected the key of a tag to ignore"},
    {"prefix a. b", 1, 10, "expected the end of the line, found 'b'"},
    {"prefix a.\nprefix b.", 2, 8, "a prefix was given in line 1 already"},
    {"within soon", 1, 8, "expected a duration such as 200ms, 5s or 1m; found 'soon'"},
    {"within -1s", 1, 8, "expected a duration"},
    {"within 25h", 1, 8, "longer than the limit of 24h (within)"},
    {"ignore-tags a,,b", 1, 15, "expected the key of a tag to ignore"},
    {"\xc3\xa9vent a", 1, 1, "did you mean 'event'?"},
    /* what is likely to be meant */
    {"INCR a", 1, 1, "found 'INCR'; did you mean 'incr'?"},
    {"increment a", 1, 1, "did you mean 'incr'?"},
    {"counter a", 1, 1, "did you mean 'count'?"},
    {"timer a", 1, 1, "did you mean 'timing'?"},
    {"service_check a", 1, 1, "did you mean 'check'?"},
    {"not incr a", 1, 1, "did you mean 'no'?"},
    {"incr a mean == 1", 1, 8, "did you mean 'avg'?"},
    {"incr a TOTAL == 1", 1, 8, "did you mean 'sum'?"},
    {"incr a times == 2", 1, 8, "did you mean 'samples'?"},
    {"gauge a value == 2", 1, 9, "'value' is a field, not a stat: did you mean 'where value'?"},
    {"gauge a Where value == 2", 1, 9, "did you mean 'where'?"},
    {"incr a sum == 1 where value == 2", 1, 17, "'where' stands before the first stat"},
    {"incr a sum = 1", 1, 12, "did you mean '=='?"},
    {"incr a sum => 1", 1, 12, "did you mean '>='?"},
    {"incr a sum =< 1", 1, 12, "did you mean '<='?"},
    {"incr a sum <> 1", 1, 12, "did you mean '!='?"},
    {"incr a sum is 1", 1, 12, "did you mean '=='?"},
    {"incr a sum =~ 1", 1, 12, "'=~' compares texts"},
    {"timing a p95 < 500ms", 1, 16, "did you mean 500, in the unit that is sent?"},
    {"incr a sum == 1,000", 1, 15, "did you mean 1000?"},
    {"incr a sum == \"1\"", 1, 15, "did you mean 1?"},
    {"incr a sum == 1 && max == 1", 1, 17, "did you mean 'and'?"},
    {"incr a sum == 1 or sum == 2", 1, 17, "there is no 'or': write one expectation for each"},
    {"incr a == 1", 1, 8, "found '=='; did you mean 'sum'?"},
    {"gauge a = 1", 1, 9, "did you mean 'last', or 'where value'?"},
    {"timing a < 500", 1, 10, "did you mean 'each', or 'where value'?"},
    {"check a == ok", 1, 9, "did you mean 'status'?"},
    {"incr a sum ~= 1", 1, 12, "did you mean '~'?"},
    {"event a where text ~= \"x\"", 1, 20, "did you mean '=~'?"},
    {"event a where text contains x", 1, 20, "did you mean '== with a glob"},
    {"event a where host in a", 1, 20, "did you mean '=~ \"a|b\"'?"},
    {"gauge a where value == 5 or value == 6", 1, 26, "there is no 'or'"},
    {"gauge a where value == 5 && rate == 1", 1, 26, "did you mean 'and'?"},
    {"gauge a where value == 5, rate == 1", 1, 24, "did you mean 5?"},
    {"gauge a where value == 5 times == 2", 1, 26, "did you mean 'samples"},
    {"timing a p95 < 500 ms", 1, 20, "a number has no unit"},
    {"incr a sum == 5 +/- 1", 1, 17, "did you mean '+-'?"},
    {"no no incr a", 1, 4, "expected a type"},
    {"incr a{b=c}", 1, 9, "found '=': write b:c, or \"b=c\" for a tag of that text"},
    {"incr a{b == c }", 1, 10, "write b:c, or \"b == c\" for"},
    {"incr a{b=\"c\"}", 1, 9, "write b:c"},
    {"incr a{b!=c}", 1, 10, "write !b:c"},
    {"incr a{b: c}", 1, 10, "a blank behind ':' is part of the value: write b:c, or quote the value"},
    {"incr a{b:c|d}", 1, 10, "write b:(c|d), or quote the value"},
    {"incr a{b:=~\"c\"}", 1, 9, "has no ':' before it: write b=~"},
    {"incr a{b=~c}", 1, 11, "expected a regular expression in double quotes after '=~', found 'c}'"},
    {"incr a{!b!~\"c\"}", 1, 10, "write one of the two"},
    {"incr a{b=~\"(c\"}", 1, 12, "in the regular expression: '(' without ')'"},
    {"incr a{b:(c|d}", 1, 15, "expected ')' to close the values that start at column 10"},
    {"incr a{b:(c||d)}", 1, 13, "expected a value between '(', '|' and ')'"},
    {"incr a{,}", 1, 8, "\"\" is the empty tag"},
    {"reject a{b}", 1, 9, "a reject has no tags"},
    {"reject a sum == 1", 1, 10, "'sum' can't be asked of a reject"},
    {"gauge a where", 1, 14,
     "expected a field of a gauge: value, rate, unit, interval, host, device, timestamp or source"},
    {"gauge a where text == b", 1, 15, "expected a field of a gauge: value"},
    {"event a where value == 1", 1, 15, "expected a field of an event: text, priority"},
    {"event a where level == error", 1, 15, "did you mean 'alert_type'?"},
    {"check a where msg == b", 1, 15, "did you mean 'message'?"},
    {"check a where status > ok", 1, 22, "'>' can't compare 'status', which is a status: expected == !="},
    {"check a where status == fine", 1, 25, "expected ok, warning, critical or unknown"},
    {"reject a where reason == no_pip", 1, 26, "did you mean 'no_pipe'?"},
    {"gauge a where source == tcp", 1, 25, "expected udp, unixgram, unixstream or http; found 'tcp'"},
    {"gauge a where value == b", 1, 24, "expected a number after '==', found 'b'"},
    {"gauge a where value =~ \"b\"", 1, 21, "'=~' can't compare 'value', which is a number"},
    {"gauge a where value = 1", 1, 21, "did you mean '=='?"},
    {"gauge a where value == 1 and samples == 1", 1, 30,
     "'samples' is a stat: it stands behind the conditions, without 'and' before it"},
    {"set a where value > 1", 1, 19, "'>' can't compare 'value', which is a text"},
    {"set a where value == \"b\"c", 1, 25, "expected a blank or the end after the quoted text"},
    {"set a where value == # b", 1, 22, "expected a text after '==', found the end"},
    {"session", 1, 8, "expected a session's name after 'session'"},
    {"session a\nsession b", 2, 9, "the session 'a' was chosen in line 1 already"},
};

static void test_malformed(void) {
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        const struct malformed *m = &malformed[i];
        if (parse(m->text) == 0) {
            fprintf(stderr, "%s: accepted\n", m->text);
            CU_FAIL("accepted");
            continue;
        }
        bool right = error.line == m->line && error.column == m->column && strstr(error.message, m->message);
        if (!right)
            fprintf(stderr, "%s:\n  %zu:%zu: %s\n%s\n", m->text, error.line, error.column, error.message,
                    error.excerpt);
        CU_ASSERT(right);
    }
}

static void test_caret(void) {
    parse("incr a sum = 1");
    EQ_STR(error.excerpt, "incr a sum = 1\n           ^");
    /* by characters, and nothing that drives a terminal */
    parse("incr \xc3\xa9\t\x1b[2J sum = 1");
    EQ_STR(error.excerpt, "incr \xc3\xa9 ?[2J sum = 1\n       ^");
    /* bytes that are no text */
    parse("incr \xff sum = 1");
    EQ_STR(error.excerpt, "incr ? sum = 1\n           ^");
    parse("incr \xc2\x9b sum = 1");
    EQ_STR(error.excerpt, "incr ? sum = 1\n           ^");
    /* a long line is cut between characters */
    char wide[600];
    for (int ascii = 0; ascii < 4; ascii++) {
        snprintf(wide, sizeof wide, "incr %.*s", ascii, "xxx");
        for (int i = 0; i < 100; i++)
            strcat(wide, "\xf0\x9f\x98\x80");
        strcat(wide, " sum = 1");
        parse(wide);
        CU_ASSERT(utf8_valid(span_str(error.excerpt)));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.excerpt, "= 1\n"));
    }
    memcpy(wide, "what ", 5);
    parse(wide); /* what is wrong is its beginning */
    CU_ASSERT(utf8_valid(span_str(error.excerpt)));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.excerpt, "...\n^"));
    char longest[3000];
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "incr ", 5);
    strcpy(longest + sizeof longest - 13, " sum ! 1 and");
    parse(longest);
    CU_ASSERT(strlen(error.excerpt) < 200);
    const char *caret = strchr(error.excerpt, '^'), *newline = strchr(error.excerpt, '\n');
    CU_ASSERT_PTR_NOT_NULL_FATAL(caret);
    EQ_INT(error.excerpt[caret - newline - 1], '!');
}

/* Each bound refuses by its name, and well before anything grows. */
static void test_limits(void) {
    size_t n = 1 << 20;
    char *text = malloc(n + 64);
    memset(text, 'a', n);
    memcpy(text, "incr ", 5);
    text[n] = '\0';
    CU_ASSERT(parse(text) != 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "expectation length"));
    size_t at = (size_t)sprintf(text, "incr a sum == 1");
    for (int i = 0; i < JUDGE_CLAUSES_MAX; i++)
        at += (size_t)sprintf(text + at, " and sum == 1");
    CU_ASSERT(parse(text) != 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "more clauses joined by 'and' than the limit of 256"));
    at = (size_t)sprintf(text, "incr a{");
    for (int i = 0; i <= PARSE_TERMS_MAX; i++)
        at += (size_t)sprintf(text + at, "%sa", i ? "," : "");
    CU_ASSERT(parse(text) != 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "tags of an expectation"));
    at = (size_t)sprintf(text, "incr a where value == 1");
    for (int i = 1; i < JUDGE_CONDITIONS_MAX; i++)
        at += (size_t)sprintf(text + at, " and value == 1");
    CU_ASSERT(parse(text) == 0);
    EQ_INT(parsed.list[0].n_conditions, JUDGE_CONDITIONS_MAX);
    sprintf(text + at, " and value == 1");
    CU_ASSERT(parse(text) != 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "more conditions behind 'where' than the limit of 256"));
    at = (size_t)sprintf(text, "incr a{b:(c");
    for (int i = 0; i < PARSE_ALTERNATIVES_MAX; i++)
        at += (size_t)sprintf(text + at, "|c");
    sprintf(text + at, ")}");
    CU_ASSERT(parse(text) != 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "more values in parentheses than the limit of 64"));
    sprintf(text, "incr a{b=~\"%0600d\"}", 0);
    CU_ASSERT(parse(text) != 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "longer than 512 bytes"));
    CU_ASSERT(parse("incr a{b=~\"(x{999}){999}\"}") != 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "unfolds to too many steps"));
    EQ_INT(error.column, 25);
    at = 0;
    for (int i = 0; i < 1100; i++)
        at += (size_t)sprintf(text + at, "incr a{b=~\"x{1000}\"}\n");
    CU_ASSERT(parse(text) != 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "unfold to more than the limit of 1000000 steps"));
    for (int in_tag = 0; in_tag < 2; in_tag++) {
        memset(text, '*', 2000);
        memcpy(text, in_tag ? "incr a{b:" : "incr ", in_tag ? 9 : 5);
        text[2000] = '\0';
        CU_ASSERT(parse(text) != 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "pattern length"));
    }
    at = (size_t)sprintf(text, "ignore-tags a");
    for (int i = 1; i < PARSE_TERMS_MAX; i++)
        at += (size_t)sprintf(text + at, ",a");
    CU_ASSERT(parse(text) == 0);
    sprintf(text + at, ",a");
    CU_ASSERT(parse(text) != 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "more tags to ignore than the limit of 256"));
    /* those of the options count too */
    struct judge_source source = {.text = span_of(text, at)};
    CU_ASSERT_PTR_NULL(judge_parse(&source, 1, &(struct judge_options){.ignore_tags = SPAN("b")}, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "more tags to ignore than the limit of 256"));
    CU_ASSERT_PTR_NULL(judge_parse(&source, 1, &(struct judge_options){.ignore_tags = SPAN("b,,c")}, &error));
    EQ_STR(error.excerpt, "b,,c\n  ^");
    free(text);
    /* 100,000 lines are fine, one more is not */
    text = malloc(8 * (JUDGE_EXPECTATIONS_MAX + 1) + 1);
    for (size_t i = 0; i <= JUDGE_EXPECTATIONS_MAX; i++)
        memcpy(text + 8 * i, "incr ab\n", 9);
    CU_ASSERT(parse(text) != 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "more expectations than the limit of 100000"));
    text[8 * (size_t)JUDGE_EXPECTATIONS_MAX] = '\0';
    CU_ASSERT(parse(text) == 0);
    EQ_INT(parsed.n, JUDGE_EXPECTATIONS_MAX);
    free(text);
    parsed_free(&parsed);
}

static void test_nothing_is_claimed(void) {
    struct judge_source source = {.text = SPAN("# nothing\n")};
    struct judge_options options = {.all_covered = true};
    CU_ASSERT_PTR_NULL(judge_parse(&source, 1, NULL, &error));
    EQ_STR(error.message, "expected at least one expectation: nothing is claimed");
    struct judge *j = judge_parse(&source, 1, &options, &error);
    CU_ASSERT_PTR_NOT_NULL(j);
    judge_free(j);
    parsed_free(&parsed);
}

UNIT_MAIN("judge/parse", {"types", test_types}, {"names", test_names}, {"tags", test_tags},
          {"clauses", test_clauses}, {"files and their directives", test_files},
          {"malformed: line, column, message", test_malformed},
          {"the caret stands under the place", test_caret}, {"limits are named", test_limits},
          {"no expectation at all is refused", test_nothing_is_claimed})
