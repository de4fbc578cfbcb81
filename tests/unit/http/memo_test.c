#include "api/memo.h"

#include "unit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct http http = {.memos_lock = PTHREAD_MUTEX_INITIALIZER};

static const struct metric *add(struct memo *memo, const char *before) {
    const struct metric metric = {
        .name = span_str(before), .key_kind = 'K', .key_name = span_str(before), .key_rest = SPAN("}")};
    return memo_add(memo, &metric);
}

static const struct metric *next(struct memo *memo, const char *bytes) {
    return memo_next(memo, 'K', span_str(bytes));
}

static const struct metric *find(struct memo *memo, const char *before) {
    return memo_find(memo, 'K', span_str(before), SPAN("}"));
}

static void test_order(void) {
    struct memo *memo = memo_take(&http);
    CU_ASSERT_PTR_NOT_NULL_FATAL(memo);
    CU_ASSERT_PTR_NULL(next(memo, "a:1}"));
    const struct metric *a = add(memo, "a:"), *b = add(memo, "b:"), *c = add(memo, "c:");
    CU_ASSERT(a && b && c && a != b && b != c);
    CU_ASSERT_PTR_NULL(next(memo, "a:1}")); /* it has never come after c */
    CU_ASSERT(find(memo, "a:") == a);
    for (int round = 0; round < 3; round++) {
        CU_ASSERT(next(memo, "b:1}") == b);
        CU_ASSERT(next(memo, "c:1}") == c);
        CU_ASSERT(next(memo, "a:1}") == a);
    }
    CU_ASSERT_PTR_NULL(next(memo, "b")); /* shorter than its key */
    CU_ASSERT_PTR_NULL(next(memo, "c:1}"));
    CU_ASSERT_PTR_NULL(memo_next(memo, 'L', SPAN("b:1}")));
    CU_ASSERT(find(memo, "c:") == c); /* another order */
    CU_ASSERT(find(memo, "a:") == a);
    CU_ASSERT(next(memo, "c:1}") == c);
    CU_ASSERT(next(memo, "a:1}") == a);
    memo_give(&http, memo);
    CU_ASSERT(memo_take(&http) == memo);
    memo_drop(memo);
}

/* A guess whose bytes behind the points differed led to what came next, instead of the one before it: more guesses failed each time. */
static void test_refused(void) {
    struct memo *memo = memo_take(&http);
    const struct metric *a = add(memo, "a:"), *b = add(memo, "b:"), *c = add(memo, "c:");
    CU_ASSERT(find(memo, "a:") == a);
    CU_ASSERT(next(memo, "b:1,x}") == b);
    CU_ASSERT(find(memo, "c:") == c); /* the decoder wants another one */
    CU_ASSERT(find(memo, "b:") == b);
    CU_ASSERT(next(memo, "c:1}") == c);
    CU_ASSERT(find(memo, "a:") == a);
    CU_ASSERT(next(memo, "c:1}") == c);
    memo_drop(memo);
}

static void test_large(void) {
    static char before[10000];
    struct memo *memo = memo_take(&http);
    memset(before, 'a', sizeof before - 1);
    CU_ASSERT_PTR_NULL(add(memo, before));
    CU_ASSERT_PTR_NULL(find(memo, before));
    CU_ASSERT_PTR_NOT_NULL(add(memo, "a:"));
    memo_drop(memo);
}

static void test_full(void) {
    struct memo *memo = memo_take(&http);
    char before[64];
    int n = 0;
    const struct metric *first = add(memo, "first:"), *last = first;
    for (const struct metric *m = first; m; n++) {
        last = m;
        snprintf(before, sizeof before, "some.series.with.a.longer.name.%d:", n);
        m = add(memo, before);
    }
    CU_ASSERT(n > 1000 && n < 20000);
    CU_ASSERT(find(memo, "first:") == first);
    snprintf(before, sizeof before, "some.series.with.a.longer.name.%d:", n - 2);
    CU_ASSERT(find(memo, before) == last);
    memo_drop(memo);
}

UNIT_MAIN("http/memo", {"a series leads to the one that came after it", test_order},
          {"a guess that is refused", test_refused}, {"a large key is not remembered", test_large},
          {"a full memory still finds what it holds", test_full})
