#include "core/base64.h"

#include "core/json.h"
#include "guard.h"
#include "unit.h"

static bool decode(const char *text, struct buf *b) {
    buf_clear(b);
    return base64_decode(guard_end(span_str(text)), b);
}

static void test_decodes(void) {
    static const struct {
        const char *text, *bytes;
    } table[] = {
        {"", ""},
        {"Zg==", "f"},
        {"Zm8=", "fo"},
        {"Zm9v", "foo"},
        {"Zm9vYg==", "foob"},
        {"Zm9v\nYmFy\r\n", "foobar"},
        {"+/+/", "\xfb\xff\xbf"},
    };
    struct buf b = {0};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        CU_ASSERT(decode(table[i].text, &b));
        EQ_SPAN(buf_view(&b).p ? buf_view(&b) : SPAN(""), span_str(table[i].bytes));
    }
    buf_free(&b);
}

static void test_refuses(void) {
    static const char *const table[] = {"Z",    "Zg",   "Zg=",  "Zm9",  "=",    "====",  "Z===",  "Zg==Zg==",
                                        "Z=g=", "Zg=a", "@@@@", "Zm9-", "Zm9_", "Zm 9v", "Zg===", "Zm9v="};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        CU_ASSERT_FALSE(decode(table[i], &b));
    buf_free(&b);
}

/* What json_put_base64 wrote comes back, of every length. */
static void test_round_trip(void) {
    char bytes[3000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 256);
    for (size_t n = 0; n < sizeof bytes; n += n < 20 ? 1 : 331) {
        struct buf text = {.max = 8192}, back = {.max = 8192};
        json_put_base64(&text, span_of(bytes, n));
        CU_ASSERT(base64_decode(span_of(text.p + 1, text.n - 2), &back));
        CU_ASSERT(back.n == n && (n == 0 || memcmp(back.p, bytes, n) == 0));
        buf_free(&text);
        buf_free(&back);
    }
}

static void test_stops_at_the_limit(void) {
    struct buf b = {.max = 4};
    CU_ASSERT_FALSE(base64_decode(SPAN("Zm9vYmFy"), &b));
    buf_free(&b);
}

UNIT_MAIN("core/base64", {"decodes", test_decodes}, {"refuses", test_refuses},
          {"round trip", test_round_trip}, {"stops at the limit", test_stops_at_the_limit})
