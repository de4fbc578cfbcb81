/* Answers as text: what jansson reads is the tree again, and json_dump would have written the same but for fractions, which are as short as can be. */
#include "control/ask.h"
#include "unit.h"

#include <string.h>

static void check(const char *text) {
    struct buf b = {0};
    json_t *tree = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tree);
    EQ_INT(ask_dump(&b, tree), 0);
    json_t *again = json_loadb(b.p, b.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    CU_ASSERT_TRUE(json_equal(tree, again));
    char *theirs = json_dumps(tree, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    if (!strstr(text, "\\u")) /* they write some in another way */
        EQ_STR(b.p, theirs);
    free(theirs);
    json_decref(tree);
    json_decref(again);
    buf_free(&b);
}

static void test_trees(void) {
    check("{}");
    check("[]");
    check("[[],{},[[{}]],null,true,false]");
    check("{\"b\":1,\"a\":[-9223372036854775808,9223372036854775807,0],\"c\":{\"d\":\"e\"}}");
    check("[3.0,-0.0,0.5]");
    check(
        "[\"\",\"a\\\"b\\\\c/d\",\"line\\nnext\\ttab\\r\",\"\\u0000\\u0001\\u001f\\b\\f\\u007f\",\"\u00e9\u4e16\U0001f600\"]");
    check("{\"\\\"key\\n\":1,\"\":2}");
}

static void test_fractions(void) {
    static const double numbers[] = {0.1,  -1.5e300, 3,          -0.0, 1e-7, 123456789.123456789,
                                     1e15, 5e-324,   1234.567891};
    static const char *const texts[] = {
        "0.1", "-1.5e+300", "3.0", "-0.0", "1e-07", "123456789.12345679", "1e+15", "5e-324", "1234.567891"};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct buf b = {0};
        json_t *number = json_real(numbers[i]);
        EQ_INT(ask_dump(&b, number), 0);
        EQ_STR(b.p, texts[i]);
        json_t *again = json_loadb(b.p, b.n, JSON_DECODE_ANY, NULL);
        CU_ASSERT_TRUE(json_is_real(again) && json_equal(number, again));
        json_decref(number);
        json_decref(again);
        buf_free(&b);
    }
}

static void test_what_does_not_fit(void) {
    struct buf b = {.max = 64};
    json_t *tree =
        json_loads("[\"0123456789\",\"0123456789\",\"0123456789\",\"0123456789\",\"0123456789\"]", 0, NULL);
    EQ_INT(ask_dump(&b, tree), -1);
    EQ_INT(ask_dump(&b, NULL), -1);
    json_decref(tree);
    buf_free(&b);
}

UNIT_MAIN("http/dump", {"trees", test_trees}, {"fractions", test_fractions},
          {"what does not fit", test_what_does_not_fit})
