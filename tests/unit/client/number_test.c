#include "emit/number.h"

#include "unit.h"
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void real(double value, const char *wanted) {
    char text[NUMBER_SIZE];
    size_t n = number_put_real(text, value);
    EQ_STR(text, wanted);
    EQ_INT(n, strlen(wanted));
}

static void test_reals(void) {
    real(3, "3.0");
    real(0.1 + 0.2, "0.30000000000000004");
    real(-0.0, "-0.0");
    real(0.0001, "0.0001");
    real(0.00001, "1e-05");
    real(1.5e-7, "1.5e-07");
    real(1e15, "1000000000000000.0");
    real(1e16, "1e+16");
    real(123456.789, "123456.789");
    real(5e-324, "5e-324");
    real(2.2250738585072014e-308, "2.2250738585072014e-308");
    real(1.7976931348623157e308, "1.7976931348623157e+308");
    real(0.000123456789012345678, "0.00012345678901234567");
    real((double)NAN, "nan");
    real((double)-INFINITY, "-inf");
}

static void test_integers(void) {
    char text[NUMBER_SIZE];
    number_put_integer(text, INT64_MIN);
    EQ_STR(text, "-9223372036854775808");
    number_put_integer(text, INT64_MAX);
    EQ_STR(text, "9223372036854775807");
    EQ_INT(number_put_integer(text, 0), 1);
    EQ_STR(text, "0");
}

/* Whatever the bits: it reads back as the same double, and no shorter spelling does. */
static void test_round_trip(void) {
    uint64_t state = 88172645463325252u;
    char text[NUMBER_SIZE], shorter[64];
    for (int i = 0; i < 200000; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        double value;
        if (i % 2)
            value = (double)(int64_t)(state % 100000000) / 1000;
        else
            memcpy(&value, &state, sizeof value);
        if (!isfinite(value) || value == 0)
            continue;
        number_put_real(text, value);
        CU_ASSERT(strtod(text, NULL) == value);
        size_t digits = 0;
        for (const char *at = text; *at && *at != 'e'; at++)
            digits += *at >= '0' && *at <= '9' && (digits > 0 || *at != '0');
        if (digits == 17 && !strstr(text, ".0")) {
            snprintf(shorter, sizeof shorter, "%.15e", value);
            CU_ASSERT(strtod(shorter, NULL) != value);
        }
    }
}

static void test_locale(void) {
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8"))
        real(1.0 / 3, "0.3333333333333333");
    setlocale(LC_NUMERIC, "C");
}

UNIT_MAIN("client/number", {"reals", test_reals}, {"integers", test_integers},
          {"round trip", test_round_trip}, {"locale", test_locale})
