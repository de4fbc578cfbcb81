#include "core/utf8.h"

#include "guard.h"
#include "unit.h"

/* `ok`: the length of the valid character at the start, 0: none. `bad`: what one U+FFFD stands for then. */
static const struct {
    const char *text;
    size_t ok, bad;
    uint32_t point;
} table[] = {
    {"a", 1, 0, 'a'},
    {"\x7f", 1, 0, 0x7F},
    {"\xc2\x80", 2, 0, 0x80},
    {"\xc3\xa9", 2, 0, 0xE9},
    {"\xdf\xbf", 2, 0, 0x7FF},
    {"\xe0\xa0\x80", 3, 0, 0x800},
    {"\xe2\x82\xac", 3, 0, 0x20AC},
    {"\xed\x9f\xbf", 3, 0, 0xD7FF},
    {"\xee\x80\x80", 3, 0, 0xE000},
    {"\xef\xbf\xbf", 3, 0, 0xFFFF},
    {"\xf0\x90\x80\x80", 4, 0, 0x10000},
    {"\xf0\x9f\x98\x80", 4, 0, 0x1F600},
    {"\xf4\x8f\xbf\xbf", 4, 0, 0x10FFFF},
    {"\x80", 0, 1, 0},             /* a continuation alone */
    {"\xbf\xbf", 0, 1, 0},         /* */
    {"\xc0\x80", 0, 1, 0},         /* longer than needed */
    {"\xc1\xbf", 0, 1, 0},         /* */
    {"\xe0\x9f\xbf", 0, 1, 0},     /* */
    {"\xf0\x8f\xbf\xbf", 0, 1, 0}, /* */
    {"\xed\xa0\x80", 0, 1, 0},     /* a surrogate */
    {"\xf4\x90\x80\x80", 0, 1, 0}, /* above U+10FFFF */
    {"\xf5\x80\x80\x80", 0, 1, 0}, /* */
    {"\xff", 0, 1, 0},             /* */
    {"\xc3", 0, 1, 0},             /* cut short */
    {"\xc3(", 0, 1, 0},            /* */
    {"\xe2\x82", 0, 2, 0},         /* */
    {"\xe2\x82(", 0, 2, 0},        /* */
    {"\xe2(\xa1", 0, 1, 0},        /* */
    {"\xf0\x9f\x98", 0, 3, 0},     /* */
    {"\xf0\x9f\x98(", 0, 3, 0},    /* */
    {"\xf0\x9f(", 0, 2, 0},        /* */
    {"\xf0(", 0, 1, 0},            /* */
};

static void test_characters(void) {
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct span text = guard_end(span_str(table[i].text));
        EQ_INT(utf8_length(text), table[i].ok);
        EQ_INT(utf8_valid(text), table[i].ok == text.n);
        if (table[i].ok)
            EQ_INT(utf8_decode(text, table[i].ok), table[i].point);
        else
            EQ_INT(utf8_invalid_length(text), table[i].bad);
        size_t taken = 0;
        struct span mended = utf8_mended(text, &taken);
        EQ_INT(taken, table[i].ok ? table[i].ok : table[i].bad);
        EQ_SPAN(mended, table[i].ok ? span_of(text.p, taken) : SPAN("\xef\xbf\xbd"));
    }
}

static void test_visible(void) {
    static const uint32_t hidden[] = {0,      '\n',   0x1B,   0x7F,   0x9B,   0xAD,   0x61C,  0x200B, 0x200E,
                                      0x200F, 0x2028, 0x202A, 0x202E, 0x2066, 0x2069, 0xFEFF, 0xE0041};
    static const uint32_t shown[] = {' ',    '~',    0xA0,   0xE9,    0x5D0,   0x20AC,
                                     0x2010, 0x3000, 0xFFFD, 0x1F600, 0x10FFFF};
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        CU_ASSERT_FALSE(utf8_visible(hidden[i]));
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        CU_ASSERT_TRUE(utf8_visible(shown[i]));
}

/* A bad byte is found wherever it stands among many good ones. */
static void test_valid_long(void) {
    char text[64];
    CU_ASSERT(utf8_valid((struct span){NULL, 0}));
    memset(text, 'x', sizeof text);
    for (size_t n = 0; n <= sizeof text; n++)
        CU_ASSERT(utf8_valid(guard_end(span_of(text, n))));
    for (size_t i = 0; i < sizeof text; i++) {
        memset(text, 'x', sizeof text);
        text[i] = '\x80';
        CU_ASSERT(!utf8_valid(guard_end(span_of(text, sizeof text))));
        if (i + 1 < sizeof text) {
            memcpy(text + i, "\xc2\x80", 2);
            CU_ASSERT(utf8_valid(guard_end(span_of(text, sizeof text))));
            CU_ASSERT(!utf8_valid(guard_end(span_of(text, i + 1))));
        }
    }
}

UNIT_MAIN("core/utf8", {"characters and what is none", test_characters}, {"visible", test_visible},
          {"long texts", test_valid_long})
