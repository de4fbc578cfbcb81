#include "catalog/normalize.h"

#include "unit.h"

#include <jansson.h>

static void check_case(const json_t *c) {
    const char *kind = json_string_value(json_object_get(c, "kind"));
    const json_t *expect = json_object_get(c, "expect");
    struct span input = span_str(json_string_value(json_object_get(c, "input")));
    struct span want = span_str(json_is_string(expect) ? json_string_value(expect) : "");
    struct buf out = {0};
    unsigned how = strcmp(kind, "name") == 0 ? normalize_name(input, &out) : normalize_tag(input, &out);
    EQ_SPAN(buf_view(&out), want);
    EQ_INT(!!(how & NORMAL_DROPPED), want.n == 0);
    EQ_INT(how == NORMAL_SAME, want.n > 0 && span_eq(input, want));
    buf_free(&out);
}

static void test_cases(void) {
    FILE *f = fopen("fixtures/catalog/normalization_cases.jsonl", "r");
    CU_ASSERT_FATAL(f != NULL);
    char line[4096];
    int n = 0;
    for (; fgets(line, sizeof line, f); n++) {
        json_t *c = json_loads(line, 0, NULL);
        CU_ASSERT_FATAL(c != NULL);
        check_case(c);
        json_decref(c);
    }
    fclose(f);
    CU_ASSERT(n >= 19);
}

static unsigned tag(const char *raw, const char *expect) {
    struct buf out = {0};
    unsigned how = normalize_tag(span_str(raw), &out);
    EQ_SPAN(buf_view(&out), span_str(expect));
    buf_free(&out);
    return how;
}

static void test_what_changed(void) {
    EQ_INT(tag("env:prod", "env:prod"), NORMAL_SAME);
    EQ_INT(tag("a__b", "a_b"), NORMAL_REWRITTEN);
    EQ_INT(tag("Env:Prod", "env:prod"), NORMAL_LOWERED);
    EQ_INT(tag("Env:a b", "env:a_b"), NORMAL_LOWERED | NORMAL_REWRITTEN);
    EQ_INT(tag("k:\xc3\x89t\xc3\xa9", "k:\xc3\xa9t\xc3\xa9"), NORMAL_LOWERED);
    EQ_INT(tag("k:\xff\xfe", "k"), NORMAL_REWRITTEN);
    EQ_INT(tag("42", ""), NORMAL_DROPPED);
    char text[260] = "k:";
    memset(text + 2, 'a', 250);
    struct buf out = {0};
    EQ_INT(normalize_tag(span_str(text), &out), NORMAL_CUT);
    EQ_INT(out.n, NORMAL_MAX);
    text[NORMAL_MAX] = '\0';
    buf_clear(&out);
    EQ_INT(normalize_tag(span_str(text), &out), NORMAL_SAME);
    buf_free(&out);
}

/* What is in normal form stays so. */
static void test_idempotent(void) {
    srand(7);
    for (int round = 0; round < 20000; round++) {
        char raw[40];
        size_t n = (size_t)rand() % sizeof raw;
        for (size_t i = 0; i < n; i++)
            raw[i] = "aZ0._:-/ \xc3\xa9\xff@"[rand() % 13];
        struct buf once = {0}, twice = {0};
        bool name = round & 1;
        unsigned how = name ? normalize_name(span_of(raw, n), &once) : normalize_tag(span_of(raw, n), &once);
        if (!(how & NORMAL_DROPPED)) {
            how = name ? normalize_name(buf_view(&once), &twice) : normalize_tag(buf_view(&once), &twice);
            EQ_INT(how, NORMAL_SAME);
            EQ_SPAN(buf_view(&twice), buf_view(&once));
        }
        buf_free(&once);
        buf_free(&twice);
    }
}

UNIT_MAIN("catalog/normalize", {"the public cases", test_cases}, {"says what changed", test_what_changed},
          {"a normal form is its own", test_idempotent})
