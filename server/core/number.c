/* Reading and writing floats without the locale and without surprises.
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

static const uint64_t powers_of_ten[NUMBER_EXACT + 1] = {1,
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
    uint64_t divisor = powers_of_ten[fraction];
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

/* --- writing --------------------------------------------------------------------------------------------- */

#define EIGHT_DIGITS 100000000

static size_t put_word(char *text, const char *word) {
    size_t n = strlen(word);
    memcpy(text, word, n + 1);
    return n;
}

void number_put_digits(char *end, uint32_t value, size_t n) {
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";
    for (; n >= 2; n -= 2, value /= 100)
        memcpy(end -= 2, pairs + value % 100 * 2, 2);
    if (n)
        end[-1] = (char)('0' + value % 10);
}

size_t number_put(uint64_t value, char text[NUMBER_DIGITS]) {
    size_t n = 1;
    for (uint64_t more = value; more >= 10; more /= 10000)
        n += more >= 10000 ? 4 : more >= 1000 ? 3 : more >= 100 ? 2 : 1;
    char *end = text + n;
    size_t left = n;
    for (; value > UINT32_MAX; value /= EIGHT_DIGITS, end -= 8, left -= 8)
        number_put_digits(end, (uint32_t)(value % EIGHT_DIGITS), 8);
    number_put_digits(end, (uint32_t)value, left);
    return n;
}

/* Decimals that cover nearly all values seen: of at most 15 digits in all, so there is only one that reads
 * back. */
#define FIXED_DECIMALS 6
#define FIXED_UNITS    1000000

/* Units of 10^-6, trailing zeros of the fraction dropped. */
static size_t format_fixed(bool negative, uint64_t units, char *text) {
    size_t at = 0;
    if (negative)
        text[at++] = '-';
    at += number_put(units / FIXED_UNITS, text + at);
    if (units % FIXED_UNITS) {
        text[at++] = '.';
        number_put_digits(text + at + FIXED_DECIMALS, (uint32_t)(units % FIXED_UNITS), FIXED_DECIMALS);
        for (at += FIXED_DECIMALS; text[at - 1] == '0';)
            at--;
    }
    text[at] = '\0';
    return at;
}

/* digits / 10^fraction, trailing zeros of the fraction dropped. */
static size_t format_decimal(bool negative, uint64_t digits, size_t fraction, char *text) {
    char all[NUMBER_DIGITS];
    size_t n = number_put(digits, all), at = 0;
    for (; fraction > 0 && all[n - 1] == '0'; n--)
        fraction--;
    size_t whole = n > fraction ? n - fraction : 0;
    if (negative)
        text[at++] = '-';
    memcpy(text + at, all, whole);
    at += whole;
    if (whole == 0)
        text[at++] = '0';
    if (fraction > 0) {
        text[at++] = '.';
        memset(text + at, '0', fraction);
        at += fraction;
        memcpy(text + at - (n - whole), all + whole, n - whole);
    }
    text[at] = '\0';
    return at;
}

/* a / b, to the nearest, of two to the even one; more: a stands for a little more than that. */
static uint64_t divide_to_even(uint64_t a, uint64_t b, bool more) {
    uint64_t quotient = a / b, rest = a % b;
    return quotient + (rest * 2 > b || (rest * 2 == b && (more || quotient % 2)));
}

#define LONG_LEAST  1e-4
#define LONG_BELOW  1e15
#define LONG_DIGITS 17 /* with so many every double reads back */

/* As printf's %.15g, %.16g or %.17g, whichever reads back first. The double is mantissa / 2^down, and down at most 66. Ten to the 20th times
 * the mantissa fits into 128 bits, so all its digits that count are those of a whole number, and what is left is known, too. */
static size_t format_long(bool negative, double size, char *text) {
    uint64_t mantissa;
    memcpy(&mantissa, &size, sizeof mantissa);
    int down = 1075 - (int)(mantissa >> 52);
    mantissa = (mantissa & (EXACT_MANTISSA / 2 - 1)) | EXACT_MANTISSA / 2;
    /* Its power of ten, or one less; 1233 / 4096 is the logarithm of 2. */
    int power = ((52 - down) * 1233 + 20 * 4096) / 4096 - 20;
    size_t fraction = (size_t)(LONG_DIGITS - 2 - power);
    uint128 scaled;
    for (;; fraction++) {
        scaled = fraction <= NUMBER_EXACT ? (uint128)mantissa * powers_of_ten[fraction]
                                          : (uint128)(mantissa * 10) * powers_of_ten[fraction - 1];
        if (scaled >> down >= powers_of_ten[LONG_DIGITS - 1])
            break;
    }
    uint64_t digits = (uint64_t)(scaled >> down);
    uint128 rest = scaled - ((uint128)digits << down), half = (uint128)1 << (down - 1);
    for (size_t drop = 2; drop > 0; drop--) {
        uint64_t fewer = divide_to_even(digits, powers_of_ten[drop], rest > 0);
        if (decimal(fewer, fraction - drop) == size)
            return format_decimal(negative, fewer, fraction - drop, text);
    }
    digits += rest > half || (rest == half && digits % 2);
    return format_decimal(negative, digits, fraction, text);
}

/* As printf's %.*g, but with a point whatever the locale. */
static size_t format_general(double value, int precision, char *text) {
    char exact[64];
    snprintf(exact, sizeof exact, "%.*e", precision - 1, value);
    const char *e = strrchr(exact, 'e');
    int exponent = atoi(e + 1);
    char digits[20] = "";
    int n = 0;
    for (const char *p = exact; p < e; p++)
        if (is_digit(*p))
            digits[n++] = *p;
    while (n > 1 && digits[n - 1] == '0')
        n--;

    size_t at = 0;
    if (exact[0] == '-')
        text[at++] = '-';
    bool scientific = exponent < -4 || exponent >= precision;
    int before = scientific ? 1 : exponent + 1; /* digits before the point; none or fewer: zeros after it */
    if (before <= 0) {
        at += put_word(text + at, "0.");
        for (int i = before; i < 0; i++)
            text[at++] = '0';
    }
    for (int i = 0; i < n || i < before; i++) {
        if (i == before && i > 0)
            text[at++] = '.';
        text[at++] = i < n ? digits[i] : '0';
    }
    text[at] = '\0';
    return scientific ? at + put_word(text + at, e) : at;
}

size_t number_format(double value, char text[NUMBER_SIZE]) {
    if (isnan(value))
        return put_word(text, "NaN");
    if (isinf(value))
        return put_word(text, value < 0 ? "-Inf" : "+Inf");
    bool negative = signbit(value);
    double size = fabs(value);
    if (size < LONG_BELOW && size == (double)(uint64_t)size) {
        text[0] = '-';
        size_t n = negative + number_put((uint64_t)size, text + negative);
        text[n] = '\0';
        return n;
    }
    if (size >= LONG_LEAST && size < 1e9) {
        uint64_t units = (uint64_t)(size * FIXED_UNITS + 0.5);
        if ((double)units / FIXED_UNITS == size)
            return format_fixed(negative, units, text);
    }
    if (size >= LONG_LEAST && size < LONG_BELOW)
        return format_long(negative, size, text);
    /* Any decimal of 15 digits reads back as itself unless the double is subnormal and holds fewer. */
    for (int precision = size < DBL_MIN ? 1 : 15;; precision++) {
        size_t n = format_general(value, precision, text);
        double again;
        if (precision == 17 || (number_parse(span_of(text, n), &again) == NUMBER_OK && again == value))
            return n;
    }
}
