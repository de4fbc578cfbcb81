#include "core/number.h"

#include "guard.h"
#include "unit.h"
#include <float.h>
#include <locale.h>
#include <math.h>

#define N(table) (sizeof(table) / sizeof((table)[0]))

static enum number_result parse(struct span text, double *value) {
    double at_start = 0;
    enum number_result result = number_parse(guard_end(text), value);
    CU_ASSERT_EQUAL(number_parse(guard_start(text), &at_start), result);
    return result;
}

static bool same(double a, double b) {
    return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

/* --- the grammar ----------------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    double value;
} must_parse[] = {
    {"0", 0},
    {"-0", -0.0},
    {"+0", 0},
    {"00012", 12},
    {"1", 1},
    {"+42", 42},
    {"-42", -42},
    {"1.", 1},
    {".5", .5},
    {"-.5", -.5},
    {"3.14", 3.14},
    {"0.6666666666666666", 0.6666666666666666},
    {"1.000000", 1},
    {"1e3", 1e3},
    {"1E3", 1e3},
    {"1e+3", 1e3},
    {"1e-3", 1e-3},
    {"1.e3", 1e3},
    {".5e1", 5},
    {"1e0000000000000000000003", 1e3},
    {"1_000", 1000},
    {"1_0.0_1", 10.01},
    {"1e1_0", 1e10},
    {"1_23.50_0_0e+1_2", 123.5e12},
    {"0x1p4", 16},
    {"0X1P4", 16},
    {"0x_1p4", 16},
    {"0x1_0p4", 256},
    {"0x.8p1", 1},
    {"0x1.8p1", 3},
    {"-0x1p-2", -.25},
    {"0xep1", 28},
    {"0x1e1p1", 962},
    {"inf", (double)INFINITY},
    {"-Inf", -(double)INFINITY},
    {"+INFINITY", (double)INFINITY},
    {"nan", (double)NAN},
    {"NaN", (double)NAN},
    /* rounding */
    {"9007199254740993", 9007199254740992},
    {"9007199254740993.0", 9007199254740992},
    {"9007199254740993.00000000000000000000000000001", 9007199254740994},
    {"18446744073709551615", 18446744073709551616.0},
    {"0.30000000000000004", 0.30000000000000004},
    {"1.0960983276367188", 1.0960983276367188},
    {"1e23", 1e23},
    {"1.7976931348623158e308", DBL_MAX},
    {"2.2250738585072011e-308", 2.2250738585072011e-308},
    {"5e-324", 5e-324},
    {"2.4703282292062328e-324", 5e-324},
    {"0x1.00000000000008p0", 1},
    {"0x1.000000000000080001p0", 1 + DBL_EPSILON},
    /* underflow is no error */
    {"2.4703282292062327e-324", 0},
    {"1e-400", 0},
    {"-1e-400", -0.0},
    {"0x1p-1075", 0},
    {"0e999999999999", 0},
};

static const char *const must_not_parse[] = {
    "",          "+",        "-",     ".",     "+.",    "e",      "e5",    ".e1",    "1e",       "1e+",
    "1e1.",      "1ee1",     "1e+-1", "1.2.3", "..5",   "+-1",    "--1",   "1+",     "_1",       "1_",
    "1__0",      "1_.5",     "1._5",  "._5",   "1e_1",  "1_e1",   "1e1_",  "1e1__1", "0x",       "0x1",
    "0x10",      "0xp1",     "0x.p1", "0x1p",  "0x1p+", "0x1pf",  "0x1.8", "0xg",    "0x__1p1",  "0x1_p1",
    "0x1p_1",    "0x1._8p1", "0x_p1", "0b1",   "0o7",   "00x1p1", "1p4",   "in",     "infi",     "infinit",
    "infinityy", "++inf",    "na",    "nann",  "+nan",  "-nan",   "nan()", " 1",     "1 ",       "\t1",
    "1\n",       "1,5",      "1d",    "1f",    "1L",    "0x1p4f", "true",  "null",   "\xd9\xa1", "1\xff",
};

static void test_must_parse(void) {
    for (size_t i = 0; i < N(must_parse); i++) {
        double value = -7;
        EQ_INT(parse(span_str(must_parse[i].text), &value), NUMBER_OK);
        if (!same(value, must_parse[i].value)) {
            fprintf(stderr, "\"%s\" is %.17g, not %.17g\n", must_parse[i].text, value, must_parse[i].value);
            CU_FAIL("value");
        }
    }
}

static void test_must_not_parse(void) {
    for (size_t i = 0; i < N(must_not_parse); i++) {
        double value;
        enum number_result result = parse(span_str(must_not_parse[i]), &value);
        if (result != NUMBER_INVALID)
            fprintf(stderr, "\"%s\" parses\n", must_not_parse[i]);
        CU_ASSERT_EQUAL(result, NUMBER_INVALID);
    }
    double value;
    EQ_INT(parse(span_of("1\0", 2), &value), NUMBER_INVALID);
    EQ_INT(parse(span_of("nan\0nan", 7), &value), NUMBER_INVALID);
    EQ_INT(number_parse((struct span){NULL, 0}, &value), NUMBER_INVALID);
}

static void test_out_of_range(void) {
    static const char *const table[] = {
        "1e309",    "-1e309",    "1.7976931348623159e308",  "1e99999999999999999999",
        "0x1p1024", "-0x1p9999", "0x1.fffffffffffff8p1023", "1e1_000"};
    for (size_t i = 0; i < N(table); i++) {
        double value;
        EQ_INT(parse(span_str(table[i]), &value), NUMBER_OUT_OF_RANGE);
    }
}

/* A whole datagram of digits. */
static void test_long(void) {
    static char text[65535];
    double value;
    memset(text, '9', sizeof text);
    EQ_INT(parse(span_of(text, sizeof text), &value), NUMBER_OUT_OF_RANGE);
    text[1] = '.';
    EQ_INT(parse(span_of(text, sizeof text), &value), NUMBER_OK);
    CU_ASSERT(value == 10);
    memset(text, '0', sizeof text);
    EQ_INT(parse(span_of(text, sizeof text), &value), NUMBER_OK);
    CU_ASSERT(value == 0);
    memcpy(text, "0.", 2);
    memcpy(text + sizeof text - 7, "1e65527", 7); /* 0.000…1 with 65,527 decimals */
    EQ_INT(parse(span_of(text, sizeof text), &value), NUMBER_OK);
    CU_ASSERT(value == 1);
    for (size_t i = 0; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "1_", 2);
    text[sizeof text - 1] = '1';
    EQ_INT(parse(span_of(text, sizeof text), &value), NUMBER_OUT_OF_RANGE);
    text[sizeof text - 1] = '_';
    EQ_INT(parse(span_of(text, sizeof text), &value), NUMBER_INVALID);
    memset(text, '0', sizeof text); /* the half that rounds up stands at the very end */
    memcpy(text, "9007199254740993.", 17);
    EQ_INT(parse(span_of(text, sizeof text), &value), NUMBER_OK);
    CU_ASSERT(value == 9007199254740992);
    text[sizeof text - 1] = '1';
    EQ_INT(parse(span_of(text, sizeof text), &value), NUMBER_OK);
    CU_ASSERT(value == 9007199254740994);
}

/* Beside strtod, on what both read alike. The generator is fixed: a failure comes again. */
static uint64_t next_random(void) {
    static uint64_t state = 0x9E3779B97F4A7C15;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void test_beside_strtod(void) {
    for (int i = 0; i < 300000; i++) {
        char text[64];
        uint64_t mantissa = next_random() >> next_random() % 64;
        int n = snprintf(text, sizeof text, "%llu", (unsigned long long)mantissa);
        int point = (int)(next_random() % 21);
        if (point <= n) {
            memmove(text + point + 1, text + point, (size_t)(n - point) + 1);
            text[point] = '.';
        }
        if (next_random() % 4 == 0)
            snprintf(text + strlen(text), 16, "e%d", (int)(next_random() % 660) - 340);
        double value, want = strtod(text, NULL);
        enum number_result result = number_parse(span_str(text), &value);
        if (isinf(want) ? result != NUMBER_OUT_OF_RANGE : result != NUMBER_OK || !same(value, want)) {
            fprintf(stderr, "\"%s\" is %.17g, not %.17g\n", text, value, want);
            CU_FAIL("differs from strtod");
        }
    }
}

/* --- whole numbers --------------------------------------------------------------------------------------- */

static void test_int(void) {
    static const struct {
        const char *text;
        enum number_result result;
        int64_t value;
    } table[] = {
        {"0", NUMBER_OK, 0},
        {"-0", NUMBER_OK, 0},
        {"+5", NUMBER_OK, 5},
        {"007", NUMBER_OK, 7},
        {"9223372036854775807", NUMBER_OK, INT64_MAX},
        {"-9223372036854775808", NUMBER_OK, INT64_MIN},
        {"0000000000000000000000000000001", NUMBER_OK, 1},
        {"9223372036854775808", NUMBER_OUT_OF_RANGE, 0},
        {"-9223372036854775809", NUMBER_OUT_OF_RANGE, 0},
        {"99999999999999999999999999", NUMBER_OUT_OF_RANGE, 0},
        {"18446744073709551617", NUMBER_OUT_OF_RANGE, 0},
        {"99999999999999999999999999x", NUMBER_INVALID, 0},
        {"", NUMBER_INVALID, 0},
        {"-", NUMBER_INVALID, 0},
        {"+-1", NUMBER_INVALID, 0},
        {"1_000", NUMBER_INVALID, 0},
        {"1.0", NUMBER_INVALID, 0},
        {"1e3", NUMBER_INVALID, 0},
        {" 1", NUMBER_INVALID, 0},
        {"0x1", NUMBER_INVALID, 0},
    };
    for (size_t i = 0; i < N(table); i++) {
        int64_t value = 0;
        EQ_INT(number_parse_int(guard_end(span_str(table[i].text)), &value), table[i].result);
        EQ_INT(value, table[i].value);
    }
}

static void test_is_json(void) {
    static const char *const yes[] = {"0", "-0", "10", "1.5", "-1.50", "1e5", "1E+5", "1.5e-5", "0.0e0"};
    static const char *const no[] = {"",    "-",  "+1", "01",  "-01", ".5",  "5.",   "1.e5", "1e",    "1e+",
                                     "0x1", "1 ", " 1", "NaN", "Inf", "1_0", "1.5.", "--1",  "1e5.0", "00"};
    for (size_t i = 0; i < N(yes); i++)
        CU_ASSERT(number_is_json(guard_end(span_str(yes[i]))));
    for (size_t i = 0; i < N(no); i++)
        CU_ASSERT(!number_is_json(guard_end(span_str(no[i]))));
}

/* Short texts of what numbers are made of: reading says of each what number_is_json says, and reads it as number_parse does. */
static void test_read(void) {
    static const char bytes[] = "0019.-+e";
    size_t n_json = 0;
    for (int i = 0; i < 200000; i++) {
        char text[8];
        uint64_t bits = next_random();
        size_t n = 1 + bits % sizeof text;
        for (size_t k = 0; k < n; k++)
            text[k] = bytes[(bits >>= 3) % (sizeof bytes - 1)];
        struct span s = span_of(text, n);
        double value = 0, again = 0;
        bool json = false;
        enum number_result result = number_read(s, &value, &json);
        if (result != number_parse(s, &again) || !same(value, again) || json != number_is_json(s)) {
            fprintf(stderr, "%.*s is read as %g, JSON: %d\n", SPAN_ARG(s), value, json);
            CU_FAIL("read");
        }
        n_json += json;
    }
    CU_ASSERT(n_json > 1000);
}

/* --- writing --------------------------------------------------------------------------------------------- */

static void test_format(void) {
    static const struct {
        double value;
        const char *text;
    } table[] = {
        {0, "0"},
        {-0.0, "-0"},
        {3, "3"},
        {-42, "-42"},
        {100, "100"},
        {0.1, "0.1"},
        {-2.5, "-2.5"},
        {0.30000000000000004, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {2.0 / 3, "0.6666666666666666"},
        {1e9 + 0.5, "1000000000.5"},
        {123456.789, "123456.789"},
        {0.0001, "0.0001"},
        {0.00012345, "0.00012345"},
        {0.00001, "1e-05"},
        {999999999999999, "999999999999999"},
        {1e15, "1e+15"},
        {1234567890123456.5, "1234567890123456.5"},
        {9007199254740992, "9007199254740992"},
        {1e300, "1e+300"},
        {-1e-300, "-1e-300"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {5e-324, "5e-324"},
        {(double)NAN, "NaN"},
        {(double)INFINITY, "+Inf"},
        {-(double)INFINITY, "-Inf"},
    };
    for (size_t i = 0; i < N(table); i++) {
        char text[NUMBER_SIZE];
        size_t n = number_format(table[i].value, text);
        EQ_STR(text, table[i].text);
        EQ_INT(n, strlen(text));
    }
}

static void test_put(void) {
    uint64_t power = 1;
    for (int digits = 1; digits <= NUMBER_DIGITS; digits++, power *= 10) {
        const uint64_t values[] = {power - 1, power, power + 1, power / 3, UINT64_MAX - power};
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            char want[32], text[NUMBER_DIGITS];
            snprintf(want, sizeof want, "%llu", (unsigned long long)values[i]);
            size_t n = number_put(values[i], text);
            EQ_SPAN(span_of(text, n), span_str(want));
        }
    }
}

static void test_round_trip(void) {
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = next_random();
        double value, again;
        memcpy(&value, &bits, sizeof value);
        if (i % 2) /* usual sizes */
            value = (double)(int64_t)bits / 1e9 / (double)(1 + i);
        if (!isfinite(value))
            continue;
        char text[NUMBER_SIZE];
        size_t n = number_format(value, text);
        CU_ASSERT(n < NUMBER_SIZE);
        CU_ASSERT(number_is_json(span_of(text, n)));
        if (number_parse(span_of(text, n), &again) != NUMBER_OK || !same(value, again)) {
            fprintf(stderr, "%.17g is written as \"%s\"\n", value, text);
            CU_FAIL("does not read back");
        }
    }
}

/* Without an exponent it is what printf says with 15 digits, or 16, or 17, whichever reads back first. */
static void test_beside_printf(void) {
    for (int i = 0; i < 300000; i++) {
        uint64_t bits = next_random();
        double value;
        memcpy(&value, &bits, sizeof value);
        if (i % 3 == 0) { /* all sizes in question */
            bits = (bits & ~((uint64_t)0x7ff << 52)) | (uint64_t)(1023 - 14 + i / 3 % 64) << 52;
            memcpy(&value, &bits, sizeof value);
        } else if (i % 3 == 1) { /* few digits, and the doubles beside them */
            value = (double)(int64_t)(bits >> (i % 60)) / (double)(1 + i % 1000);
        } else { /* halves of the last digit: ties */
            value = (double)(int64_t)(bits >> 11 & ~(uint64_t)1) / (double)((uint64_t)1 << (1 + i % 50));
        }
        if (fabs(value) < 1e-4 || fabs(value) >= 1e15)
            continue;
        char text[NUMBER_SIZE], want[40];
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(want, sizeof want, "%.*g", digits, value);
            if (strtod(want, NULL) == value)
                break;
        }
        number_format(value, text);
        EQ_STR(text, want);
    }
}

/* Where the locale has a decimal comma, nothing changes. Skipped where no such locale is installed. */
static void test_locale(void) {
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    const char *set = NULL;
    for (size_t i = 0; i < N(names) && !set; i++)
        set = setlocale(LC_ALL, names[i]);
    double value;
    char text[NUMBER_SIZE];
    EQ_INT(parse(SPAN("1.5e-05"), &value), NUMBER_OK);
    CU_ASSERT(value == 1.5e-05);
    EQ_INT(parse(SPAN("1,5"), &value), NUMBER_INVALID);
    number_format(1.5e-05, text);
    EQ_STR(text, "1.5e-05");
    number_format(1.0 / 3, text);
    EQ_STR(text, "0.3333333333333333");
    setlocale(LC_ALL, "C");
}

UNIT_MAIN("core/number", {"parses what Go parses", test_must_parse},
          {"refuses what Go refuses", test_must_not_parse}, {"too large is out of range", test_out_of_range},
          {"64 KiB of digits", test_long}, {"rounds as strtod", test_beside_strtod},
          {"whole numbers", test_int}, {"what JSON can copy", test_is_json},
          {"reading tells what JSON can copy", test_read}, {"writes the shortest", test_format},
          {"whole numbers are written", test_put}, {"what is written reads back", test_round_trip},
          {"writes as printf", test_beside_printf}, {"does not follow the locale", test_locale})
