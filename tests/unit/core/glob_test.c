#include "core/glob.h"

#include "unit.h"

static bool match(const char *pattern, const char *text) {
    return glob_match(span_str(pattern), span_str(text));
}

static void test_literals(void) {
    CU_ASSERT(match("", ""));
    CU_ASSERT(match("a.b", "a.b"));
    CU_ASSERT(!match("a.b", "a.bc"));
    CU_ASSERT(!match("a.bc", "a.b"));
    CU_ASSERT(!match("", "a"));
    CU_ASSERT(!match("a", ""));
    CU_ASSERT(!match("A", "a"));
    CU_ASSERT(match("[a]", "[a]"));
    CU_ASSERT(match("\\", "\\"));
}

static void test_star(void) {
    CU_ASSERT(match("*", ""));
    CU_ASSERT(match("*", "anything"));
    CU_ASSERT(match("**", "anything"));
    CU_ASSERT(match("a*", "a"));
    CU_ASSERT(match("*.count", "http.count.count"));
    CU_ASSERT(match("a*b*c", "aXbbYcZc"));
    CU_ASSERT(!match("a*b*c", "aXbbYcZ"));
    CU_ASSERT(match("*a*", "bab"));
    CU_ASSERT(!match("*a*", "bbb"));
    CU_ASSERT(glob_match(span_of("a*b", 3), span_of("a\0\n\xff"
                                                    "b",
                                                    5)));
}

static void test_question_mark(void) {
    CU_ASSERT(match("a?c", "abc"));
    CU_ASSERT(!match("a?c", "ac"));
    CU_ASSERT(!match("?", ""));
    CU_ASSERT(match("?", "\xc3\xa9"));
    CU_ASSERT(!match("??", "\xc3\xa9"));
    CU_ASSERT(match("?", "\xff"));
    CU_ASSERT(match("??", "\xc3("));
    /* A star never stops inside a character, so that ? could not take its rest. */
    CU_ASSERT(!match("*??", "\xe2\x82\xac"));
    CU_ASSERT(match("*?", "\xe2\x82\xac"));
}

/* *a*a*…*b against aaa…: exponential for a matcher that goes back to earlier stars. */
static void test_blow_up(void) {
    static char pattern[2001], text[100001];
    for (size_t i = 0; i + 1 < sizeof pattern; i += 2)
        memcpy(pattern + i, "*a", 2);
    pattern[sizeof pattern - 1] = 'b';
    memset(text, 'a', sizeof text - 1);
    CU_ASSERT(!glob_match(span_of(pattern, sizeof pattern), span_str(text)));
    text[sizeof text - 2] = 'b';
    CU_ASSERT(glob_match(span_of(pattern, sizeof pattern), span_str(text)));
}

static void test_is_pattern(void) {
    CU_ASSERT(!glob_is_pattern(span_str("")));
    CU_ASSERT(!glob_is_pattern((struct span){NULL, 0}));
    CU_ASSERT(!glob_is_pattern(span_str("a.b[c]")));
    CU_ASSERT(glob_is_pattern(span_str("a.*")));
    CU_ASSERT(glob_is_pattern(span_str("a?")));
}

UNIT_MAIN("core/glob", {"literals match only themselves", test_literals}, {"* takes any bytes", test_star},
          {"? takes one character", test_question_mark}, {"patterns built to blow up end soon", test_blow_up},
          {"what is a pattern", test_is_pattern})
