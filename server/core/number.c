/* Reading floats without the locale and without surprises.
 *
 * DESIGN. Almost every number on the wire is a short plain decimal, which number_parse reads in one pass and
 * converts exactly by itself. Everything else goes through two steps: `scan` accepts or refuses the text by
 * Go's grammar and notes where its parts lie; `convert` copies the significant digits into a short canonical
 * text without a decimal point
 * ("-123e-4", "0x1fp3") and lets strtod round that. Thus strtod never sees the locale's point, blanks,
 * "0x10", "nan(…)", underscores, or more than a few hundred digits.
 */
#include "core/number.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static_assert(FLT_EVAL_METHOD == 0, "the exact path needs products and quotients rounded once");

__extension__ typedef unsigned __int128 uint128;

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* --- plain decimals -------------------------------------------------------------------------------------- */

#define EXACT_MANTISSA ((uint64_t)1 << 53)

const uint64_t number_tens[NUMBER_EXACT + 1] = {1,
                                                10,
                                                100,
                                                1000,
                                                10000,
                                                100000,
                                                1000000,
                                                10000000,
                                                100000000,
                                                1000000000,
                                                10000000000,
                                                100000000000,
                                                1000000000000,
                                                10000000000000,
                                                100000000000000,
                                                1000000000000000,
                                                10000000000000000,
                                                100000000000000000,
                                                1000000000000000000,
                                                10000000000000000000U};

/* 2^exponent, within the normal range. */
static double power_of_two(int exponent) {
    uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Both sides are shifted to fill 64 bits, so that the quotient has 63 or 64 significant bits; the last one also stands for the remainder,
 * and the conversion to 53 bits rounds once. */
__attribute__((noinline)) static double divide_long(uint64_t mantissa, size_t fraction) {
    uint64_t divisor = number_tens[fraction];
    int up = __builtin_clzll(mantissa), down = __builtin_clzll(divisor);
    uint128 numerator = (uint128)(mantissa << up) << 63;
    divisor <<= down;
    uint64_t quotient = (uint64_t)(numerator / divisor);
    quotient |= (uint128)quotient * divisor != numerator;
    return (double)quotient * power_of_two(down - up - 63);
}

/* Up to 2^53 both sides are doubles and one division rounds once (Clinger). */
static inline double decimal(uint64_t mantissa, size_t fraction) {
    static const double tens[NUMBER_EXACT + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,
                                                  1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19};
    if (fraction == 0)
        return (double)mantissa;
    return mantissa <= EXACT_MANTISSA ? (double)(int64_t)mantissa / tens[fraction]
                                      : divide_long(mantissa, fraction);
}

double number_decimal(uint64_t mantissa, size_t fraction) {
    return decimal(mantissa, fraction);
}

/* --- Go's grammar ---------------------------------------------------------------------------------------- */

struct parts {
    bool negative;
    bool hex;
    struct span mantissa; /* digits, at most one point, underscores */
    int exponent;
};

/* Go stops reading an exponent once it has reached this; below, it is exact. */
#define EXPONENT_ENOUGH 10000

static bool is_hex_digit(char c) {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}

/* [+-]digits, underscores between digits; all of s. */
static bool scan_exponent(struct span s, int *exponent) {
    size_t i = 0;
    bool negative = false;
    if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
        negative = s.p[i++] == '-';
    bool digit = false; /* the last byte was one */
    int e = 0;
    for (; i < s.n; i++) {
        if (is_digit(s.p[i])) {
            digit = true;
            if (e < EXPONENT_ENOUGH)
                e = e * 10 + (s.p[i] - '0');
        } else if (s.p[i] == '_' && digit) {
            digit = false;
        } else {
            return false;
        }
    }
    *exponent = negative ? -e : e;
    return digit;
}

/*   -0x_1F.8p-2
 *        ^^^^    digits with at most one point; an underscore only between two digits or after 0x
 */
static bool scan(struct span s, struct parts *parts) {
    *parts = (struct parts){0};
    size_t i = 0;
    if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
        parts->negative = s.p[i++] == '-';
    char last = 0; /* '0' a digit, '_', '.', or nothing yet */
    if (s.n - i > 2 && s.p[i] == '0' && lower(s.p[i + 1]) == 'x') {
        parts->hex = true;
        i += 2;
        last = '0'; /* the prefix counts as a digit for the underscore after it */
    }
    size_t from = i;
    bool digits = false, point = false;
    for (; i < s.n; i++) {
        char c = s.p[i];
        if (is_digit(c) || (parts->hex && is_hex_digit(c))) {
            digits = true;
            last = '0';
        } else if (c == '_' && last == '0') {
            last = '_';
        } else if (c == '.' && !point && last != '_') {
            point = true;
            last = '.';
        } else {
            break;
        }
    }
    if (!digits || last == '_')
        return false;
    parts->mantissa = span_of(s.p + from, i - from);
    if (i == s.n)
        return !parts->hex; /* a hexadecimal float needs its exponent */
    if (lower(s.p[i]) != (parts->hex ? 'p' : 'e'))
        return false;
    return scan_exponent(span_from(s, i + 1), &parts->exponent);
}

/* --- conversion ------------------------------------------------------------------------------------------ */

/* No double, nor any point halfway between two, has more significant decimal digits than 768: of what is
 * dropped it only matters whether it was all zeros. The same holds for far fewer hexadecimal digits. */
#define SIGNIFICANT_MAX 800

static enum number_result convert(const struct parts *parts, double *value) {
    char text[SIGNIFICANT_MAX + 32];
    size_t at = 0, n = 0; /* n: significant digits written */
    if (parts->negative)
        text[at++] = '-';
    if (parts->hex) {
        text[at++] = '0';
        text[at++] = 'x';
    }
    bool point = false, dropped = false;
    int shift = 0; /* digits: how far the point stands from the end of what is written */
    for (size_t i = 0; i < parts->mantissa.n; i++) {
        char c = parts->mantissa.p[i];
        if (c == '.') {
            point = true;
        } else if (c != '_') {
            bool written = n < SIGNIFICANT_MAX;
            if (written && (n > 0 || c != '0')) {
                text[at++] = c;
                n++;
            }
            dropped |= !written && c != '0';
            shift += (written ? 0 : 1) - (point ? 1 : 0);
        }
    }
    if (dropped) {
        text[at++] = '1';
        shift--;
    }
    if (n == 0)
        text[at++] = '0';
    snprintf(text + at, sizeof text - at, "%c%d", parts->hex ? 'p' : 'e',
             parts->exponent + (parts->hex ? 4 * shift : shift));
    *value = strtod(text, NULL);
    return isinf(*value) ? NUMBER_OUT_OF_RANGE : NUMBER_OK;
}

static bool is_word(struct span s, struct span word) {
    if (s.n != word.n)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (lower(s.p[i]) != word.p[i])
            return false;
    return true;
}

/* inf and infinity with a sign or none, nan only without; any case. */
static bool special(struct span s, double *value) {
    if (is_word(s, SPAN("nan"))) {
        *value = (double)NAN;
        return true;
    }
    bool sign = s.n > 0 && (s.p[0] == '+' || s.p[0] == '-');
    struct span word = span_from(s, sign ? 1 : 0);
    if (!is_word(word, SPAN("inf")) && !is_word(word, SPAN("infinity")))
        return false;
    *value = s.p[0] == '-' ? -(double)INFINITY : (double)INFINITY;
    return true;
}

/* What is no short plain decimal. Apart, as are the others with many variables, so that those that are short save no registers. */
__attribute__((noinline)) static enum number_result read_odd(struct span s, double *value) {
    if (special(s, value))
        return NUMBER_OK;
    struct parts parts;
    return scan(s, &parts) ? convert(&parts, value) : NUMBER_INVALID;
}

/* The digits at p, behind those that the mantissa has. */
static inline const char *take_digits(const char *p, const char *end, uint64_t *mantissa) {
    for (unsigned digit; p < end && (digit = (unsigned char)*p - (unsigned)'0') <= 9; p++)
        *mantissa = *mantissa * 10 + digit;
    return p;
}

enum number_result number_read(struct span s, double *value, bool *json) {
    const char *p = s.n ? s.p : "", *end = p + s.n;
    char sign = p < end ? *p : '\0';
    p += sign == '-' || sign == '+';
    uint64_t mantissa = 0;
    const char *whole = p, *point = p = take_digits(p, end, &mantissa);
    if (p < end && *p == '.')
        p = take_digits(p + 1, end, &mantissa);
    size_t before = (size_t)(point - whole), fraction = p > point ? (size_t)(p - point) - 1 : 0;
    if (p == end && before + fraction > 0 && before + fraction <= NUMBER_EXACT) {
        double size = decimal(mantissa, fraction);
        *value = sign == '-' ? -size : size;
        *json = sign != '+' && (before == 1 || (before > 1 && *whole != '0')) && (p == point || fraction > 0);
        return NUMBER_OK;
    }
    *json = number_is_json(s);
    return read_odd(s, value);
}

enum number_result number_parse(struct span s, double *value) {
    bool json;
    return number_read(s, value, &json);
}

enum number_result number_parse_int(struct span s, int64_t *value) {
    size_t i = 0;
    bool negative = false;
    if (s.n > 0 && (s.p[0] == '+' || s.p[0] == '-'))
        negative = s.p[i++] == '-';
    if (i == s.n)
        return NUMBER_INVALID;
    uint64_t limit = (uint64_t)INT64_MAX + negative, n = 0;
    bool over = false;
    for (; i < s.n; i++) {
        if (!is_digit(s.p[i]))
            return NUMBER_INVALID;
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        over |= n > (limit - digit) / 10;
        n = n * 10 + digit;
    }
    if (over)
        return NUMBER_OUT_OF_RANGE;
    *value = negative ? (int64_t)(0 - n) : (int64_t)n;
    return NUMBER_OK;
}

/*   -12.50e+3   as JSON has it: no plus sign in front, no leading zeros, digits on both sides of the point */
bool number_is_json(struct span s) {
    const char *p = s.p, *end = s.p + s.n;
    if (p < end && *p == '-')
        p++;
    const char *from = p;
    while (p < end && is_digit(*p))
        p++;
    if (p == from || (*from == '0' && p - from > 1))
        return false;
    if (p < end && *p == '.') {
        from = ++p;
        while (p < end && is_digit(*p))
            p++;
        if (p == from)
            return false;
    }
    if (p < end && lower(*p) == 'e') {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        from = p;
        while (p < end && is_digit(*p))
            p++;
        if (p == from)
            return false;
    }
    return p == end;
}
