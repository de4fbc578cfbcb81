#include "core/json.h"

#include "guard.h"
#include "unit.h"
#include <jansson.h>
#include <math.h>

static void put(void (*write)(struct buf *, struct span), struct span s, const char *want) {
    struct buf b = {0};
    write(&b, guard_end(s));
    EQ_SPAN(buf_view(&b), span_str(want));
    buf_free(&b);
}

static void test_strings(void) {
    static const struct {
        const char *text, *json;
    } table[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"\"\\/", "\"\\\"\\\\/\""},
        {"a\nb\rc\td", "\"a\\nb\\rc\\td\""},
        {"\1\x1f\x7f", "\"\\u0001\\u001f\x7f\""},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"\xff", "\"\xEF\xBF\xBD\""},
        {"a\xff\xfe"
         "b",
         "\"a\xEF\xBF\xBD\xEF\xBF\xBD"
         "b\""},
        {"\xe2\x82", "\"\xEF\xBF\xBD\""},
        {"\xe2\x82\"", "\"\xEF\xBF\xBD\\\"\""},
        {"\xed\xa0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"\xf0\x9f\x98\xc3\xa9", "\"\xEF\xBF\xBD\xc3\xa9\""},
        {"\xc0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        put(json_put_string, span_str(table[i].text), table[i].json);
    put(json_put_string, span_of("a\0b", 3), "\"a\\u0000b\"");
    put(json_put_string_raw, span_str("\xff\xe2\x82\n\""), "\"\xff\xe2\x82\\n\\\"\"");
    put(json_put_string, (struct span){NULL, 0}, "\"\"");
}

/* Whatever the bytes, a JSON reader takes the string. */
static void test_every_pair_of_bytes(void) {
    for (int i = 0; i < 65536; i++) {
        char pair[2] = {(char)(i >> 8), (char)i};
        struct buf b = {0};
        json_put_string(&b, guard_end(span_of(pair, 2)));
        json_t *value = json_loadb(b.p, b.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        CU_ASSERT(json_is_string(value));
        json_decref(value);
        buf_free(&b);
    }
}

/* Eight bytes are looked at together: a byte means the same wherever it stands among them. */
static void test_every_byte_at_every_place(void) {
    char text[19];
    for (int byte = 0; byte < 256; byte++) {
        struct buf alone = {0};
        json_put_string(&alone, span_of((char[]){(char)byte}, 1));
        for (size_t at = 0; at < sizeof text; at++) {
            struct buf want = {0};
            memset(text, byte == 'x' ? 'y' : 'x', sizeof text);
            text[at] = (char)byte;
            buf_char(&want, '"');
            buf_add(&want, text, at);
            buf_add(&want, alone.p + 1, alone.n - 2);
            buf_add(&want, text + at + 1, sizeof text - at - 1);
            buf_char(&want, '"');
            put(json_put_string, span_of(text, sizeof text), want.p);
            buf_free(&want);
        }
        buf_free(&alone);
    }
}

static void test_base64(void) {
    put(json_put_base64, SPAN(""), "\"\"");
    put(json_put_base64, SPAN("f"), "\"Zg==\"");
    put(json_put_base64, SPAN("fo"), "\"Zm8=\"");
    put(json_put_base64, SPAN("foo"), "\"Zm9v\"");
    put(json_put_base64, SPAN("foob"), "\"Zm9vYg==\"");
    put(json_put_base64, SPAN("\xff\xff\xff\0\x10"), "\"////ABA=\"");
}

static void test_numbers(void) {
    static const struct {
        double value;
        const char *json;
    } table[] = {{0, "0"},     {-1.5, "-1.5"},        {1e300, "1e+300"},
                 {0.1, "0.1"}, {(double)NAN, "null"}, {(double)INFINITY, "null"}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct buf b = {0};
        json_put_number(&b, table[i].value);
        EQ_SPAN(buf_view(&b), span_str(table[i].json));
        buf_free(&b);
    }
}

static void test_lists_and_times(void) {
    struct buf b = {0};
    json_put_strings(&b, 0, NULL);
    json_put_strings(&b, 3, (struct span[]){SPAN("a"), SPAN(""), SPAN("\"")});
    json_put_time(&b, 1);
    EQ_SPAN(buf_view(&b), SPAN("[][\"a\",\"\",\"\\\"\"]\"1970-01-01T00:00:00.000000001Z\""));
    buf_free(&b);
}

/* Past the maximum the buffer says so; nothing is written beyond it. */
static void test_full(void) {
    struct buf b = {.max = 8};
    json_put_string(&b, SPAN("0123456789"));
    CU_ASSERT(b.failed);
    CU_ASSERT(b.n <= 8);
    buf_free(&b);
}

UNIT_MAIN("core/json", {"strings", test_strings}, {"every pair of bytes is valid", test_every_pair_of_bytes},
          {"every byte at every place", test_every_byte_at_every_place}, {"base64", test_base64},
          {"numbers", test_numbers}, {"lists and times", test_lists_and_times}, {"a full buffer", test_full})
