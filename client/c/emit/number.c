/* DESIGN. Most values of metrics have few decimals, and for those there is an exact short cut: if r = v *
 * 10^k is a whole number below 10^15 and the division r / 10^k, which IEEE 754 rounds correctly, gives v
 * again, then "r shifted by k digits" reads back as v, and the smallest such k is the shortest spelling. All
 * else asks snprintf for 15, 16, 17 digits until strtod gives v back (both follow the same locale, whose
 * decimal point is left out of the digits). */
#include "emit/number.h"

#include "statwit.h"
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t put_digits(char *text, uint64_t value) {
    char reversed[20];
    size_t n = 0;
    do
        reversed[n++] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    for (size_t i = 0; i < n; i++)
        text[i] = reversed[n - 1 - i];
    text[n] = '\0';
    return n;
}

size_t number_put_integer(char *text, int64_t value) {
    if (value >= 0)
        return put_digits(text, (uint64_t)value);
    text[0] = '-';
    return 1 + put_digits(text + 1, -(uint64_t)value);
}

/* The short cut; 0 when it does not apply. value is positive. */
static size_t put_short(char *text, double value) {
    static const double power[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
    if (value >= 1e15 || value < 1e-4)
        return 0;
    for (size_t k = 0; k < sizeof power / sizeof power[0]; k++) {
        double scaled = nearbyint(value * power[k]);
        if (scaled >= 1e15)
            return 0;
        if (scaled / power[k] != value)
            continue;
        uint64_t unit = (uint64_t)power[k], digits = (uint64_t)scaled;
        size_t n = put_digits(text, digits / unit);
        text[n++] = '.';
        if (k == 0)
            text[n++] = '0';
        for (uint64_t left = digits % unit; unit > 1; left %= unit) {
            unit /= 10;
            text[n++] = (char)('0' + left / unit);
        }
        text[n] = '\0';
        return n;
    }
    return 0;
}

/* The significant digits and the exponent of the first one. */
static size_t find_digits(double value, char digits[20], int *exponent) {
    char spelled[40];
    for (int precision = value < 1e-300 ? 0 : 14; precision <= 16; precision++) {
        snprintf(spelled, sizeof spelled, "%.*e", precision, value);
        if (precision == 16 || strtod(spelled, NULL) == value)
            break;
    }
    size_t n = 0;
    const char *at = spelled;
    for (; *at != 'e'; at++)
        if (*at >= '0' && *at <= '9')
            digits[n++] = *at;
    *exponent = atoi(at + 1);
    while (n > 1 && digits[n - 1] == '0')
        n--;
    return n;
}

static size_t put_any(char *text, double value) {
    char digits[20];
    int exponent;
    size_t n = find_digits(value, digits, &exponent), at = 0;
    if (exponent < -4 || exponent >= 16) {
        text[at++] = digits[0];
        if (n > 1)
            text[at++] = '.';
        memcpy(text + at, digits + 1, n - 1);
        at += n - 1;
        return at + (size_t)snprintf(text + at, NUMBER_SIZE - at, "e%c%02d", exponent < 0 ? '-' : '+',
                                     abs(exponent));
    }
    for (int place = exponent < 0 ? 0 : exponent; place >= exponent - (int)n + 1 || place >= -1; place--) {
        if (place == -1)
            text[at++] = '.';
        int index = exponent - place;
        text[at++] = index >= 0 && index < (int)n ? digits[index] : '0';
    }
    text[at] = '\0';
    return at;
}

size_t number_put_real(char *text, double value) {
    size_t sign = 0;
    if (isnan(value)) {
        memcpy(text, "nan", 4);
        return 3;
    }
    if (signbit(value)) {
        text[sign++] = '-';
        value = -value;
    }
    if (isinf(value)) {
        memcpy(text + sign, "inf", 4);
        return sign + 3;
    }
    if (value == 0) {
        memcpy(text + sign, "0.0", 4);
        return sign + 3;
    }
    size_t n = put_short(text + sign, value);
    return sign + (n ? n : put_any(text + sign, value));
}

const char *statwit_integer_text(char text[STATWIT_NUMBER_SIZE], int64_t value) {
    number_put_integer(text, value);
    return text;
}

const char *statwit_real_text(char text[STATWIT_NUMBER_SIZE], double value) {
    number_put_real(text, value);
    return text;
}
