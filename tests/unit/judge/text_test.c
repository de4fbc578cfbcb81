/* What a report shows of received bytes. */
#include "guard.h"
#include "judge/language/text.h"
#include "unit.h"

static void shows(struct span text, size_t max, const char *want) {
    struct buf b = {0};
    buf_char(&b, '>'); /* what stands there already does not count */
    text_put_visible(&b, guard_end(text), max);
    CU_ASSERT_FATAL(b.n > 0);
    EQ_SPAN(span_of(b.p + 1, b.n - 1), span_str(want));
    buf_free(&b);
}

static void test_visible(void) {
    shows(SPAN(""), 10, "");
    shows(SPAN("plain"), 10, "plain");
    shows(SPAN("a\nb\x7f"
               "c"),
          100, "a\\x0ab\\x7fc");
    shows(SPAN("gr\xc3\xb6\xc3\x9f"
               "er"),
          100,
          "gr\xc3\xb6\xc3\x9f"
          "er");
    shows(SPAN("\xff\xc3"), 100, "\\xff\\xc3");
    shows(SPAN("\xe2\x80\xae"
               "abc"),
          100, "\\xe2\\x80\\xaeabc");
}

/* What is cut tells so, and what just fits is not cut. */
static void test_cut(void) {
    shows(SPAN("12345678"), 8, "12345678");
    shows(SPAN("123456789"), 8, "12345678...");
    shows(SPAN("1234567\n9"), 8, "1234567\\x0a...");
    shows(SPAN("1234567\xc3\xb6"), 8, "1234567\xc3\xb6");
    shows(SPAN("1234567\xc3\xb6!"), 8, "1234567\xc3\xb6...");
    shows(SPAN("x"), 0, "...");
}

UNIT_MAIN("judge/text", {"what is not visible is spelled out", test_visible},
          {"what is too long is cut", test_cut})
