/* One CUnit program per source file. A test file ends with:
 *
 *     UNIT_MAIN("decode/number", {"accepts what Go accepts", test_accepts}, {"…", test_…})
 *
 * The program exits 1 when an assertion failed or when no test ran (CUnit itself exits 0 then).
 * Fixtures are found relative to the top of the tree, where make runs the tests.
 */
#ifndef SUPPORT_UNIT_H
#define SUPPORT_UNIT_H

#include <CUnit/Basic.h>
#include <stdlib.h>

struct unit_case {
    const char *name;
    void (*run)(void);
};

int unit_main(const char *suite, const struct unit_case *cases, size_t n);

#define UNIT_MAIN(suite, ...)                                                                                \
    int main(void) {                                                                                         \
        static const struct unit_case cases[] = {__VA_ARGS__};                                               \
        return unit_main(suite, cases, sizeof cases / sizeof cases[0]);                                      \
    }

/* CU_ASSERT that also says what was found. */
#define EQ_INT(actual, expected)                                                                             \
    do {                                                                                                     \
        long long a_ = (long long)(actual), e_ = (long long)(expected);                                      \
        if (a_ != e_)                                                                                        \
            fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #actual, a_, e_);           \
        CU_ASSERT_EQUAL(a_, e_);                                                                             \
    } while (0)
#define EQ_STR(actual, expected)                                                                             \
    do {                                                                                                     \
        const char *a_ = (actual), *e_ = (expected);                                                         \
        if (!a_ || strcmp(a_, e_) != 0)                                                                      \
            fprintf(stderr, "%s:%d: %s is \"%s\", not \"%s\"\n", __FILE__, __LINE__, #actual,                \
                    a_ ? a_ : "(null)", e_);                                                                 \
        CU_ASSERT(a_ &&strcmp(a_, e_) == 0);                                                                 \
    } while (0)
#define EQ_SPAN(actual, expected)                                                                            \
    do {                                                                                                     \
        struct span a_ = (actual), e_ = (expected);                                                          \
        if (!span_eq(a_, e_))                                                                                \
            fprintf(stderr, "%s:%d: %s is \"%.*s\", not \"%.*s\"\n", __FILE__, __LINE__, #actual,            \
                    SPAN_ARG(a_), SPAN_ARG(e_));                                                             \
        CU_ASSERT(span_eq(a_, e_));                                                                          \
    } while (0)

#endif
