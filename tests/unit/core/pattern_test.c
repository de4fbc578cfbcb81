#include "core/pattern.h"

#include "unit.h"

static bool match(const char *pattern, const char *value) {
    struct arena arena = {0};
    struct pattern_error error = {0};
    struct pattern *p = pattern_compile(&arena, span_str(pattern), &error);
    if (!p)
        fprintf(stderr, "%s: %zu: %s\n", pattern, error.offset, error.message);
    CU_ASSERT_FATAL(p != NULL);
    bool matched = pattern_match(p, span_str(value));
    arena_free(&arena);
    return matched;
}

static void test_matches(void) {
    static const char *const good[][2] = {
        {"ci-[0-9]+", "ci-42"},
        {"", ""},
        {".*", ""},
        {".*", "anything"},
        {"a|b|cd", "cd"},
        {"(eu|us)-west-\\d{1,2}", "us-west-12"},
        {"a?b*c+", "cc"},
        {"[^x]+", "abc"},
        {"[a-c-]+", "a-b"},
        {"[]]", "]"},
        {"\\.", "."},
        {"x{3}", "xxx"},
        {"x{2,}", "xxxxx"},
        {"^abc$", "abc"},
        {"(a*)*", "aaaa"},
        {"(a|aa)+b", "aaab"},
        {"\\w+\\s\\w+", "hello world"},
        {"x{0,2}", ""},
        {"a|", ""},
        {"[\\d.]+", "1.2"},
        {"cost\\$", "cost$"},
    };
    static const char *const bad[][2] = {
        {"ci-[0-9]+", "ci-"}, {"ci-[0-9]+", "ci-4x"}, {"a|b", "ab"}, {"x{3}", "xx"},
        {"x{1,2}", "xxx"},    {"[^x]", "x"},          {"", "a"},     {"a.c", "ac"},
        {"abc", "xabc"},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CU_ASSERT(match(good[i][0], good[i][1]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT(!match(bad[i][0], bad[i][1]));
}

static void test_refuses(void) {
    static const struct {
        const char *pattern;
        size_t offset;
    } cases[] = {
        {"(ab", 0},    {"ab)", 2},
        {"[ab", 0},    {"*a", 0},
        {"a**", 2},    {"a+?", 2},
        {"(?=a)", 0},  {"(a)\\1", 3},
        {"a{2,1}", 1}, {"a{x}", 1},
        {"\\q", 0},    {"a\\", 2},
        {"[z-a]", 1},  {"((((((((((((((((((a))))))))))))))))))", 16},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena = {0};
        struct pattern_error error = {0};
        CU_ASSERT(pattern_compile(&arena, span_str(cases[i].pattern), &error) == NULL);
        EQ_INT(error.offset, cases[i].offset);
        CU_ASSERT(error.message[0] != '\0');
        arena_free(&arena);
    }
}

/* What makes a backtracking matcher, or an unfolding one, run for ever. */
static void test_does_not_blow_up(void) {
    static char many[60001];
    memset(many, 'a', 60000);
    CU_ASSERT(!match("(a+)+b", many));
    CU_ASSERT(!match("(a|aa|aaa)*b", many));
    CU_ASSERT(!match("(.*)*(.*)*(.*)*b", many));
    struct arena arena = {0};
    struct pattern_error error = {0};
    CU_ASSERT(pattern_compile(&arena, SPAN("((((a{99}){99}){99}){99}){99}"), &error) == NULL);
    CU_ASSERT(strstr(error.message, "too many steps") != NULL);
    CU_ASSERT(pattern_compile(&arena, span_of(many, 600), &error) == NULL);
    arena_free(&arena);
}

UNIT_MAIN("core/pattern", {"matches whole values", test_matches}, {"refuses with the place", test_refuses},
          {"does not blow up", test_does_not_blow_up})
