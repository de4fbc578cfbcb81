/* Writing numbers: without the locale, and as short as they read back. */
#include "core/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

__extension__ typedef unsigned __int128 uint128;

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

/* The same for 64 bits. */
static void put_digits(char *end, uint64_t value, size_t n) {
    for (; n > 8; n -= 8, end -= 8, value /= EIGHT_DIGITS)
        number_put_digits(end, (uint32_t)(value % EIGHT_DIGITS), 8);
    number_put_digits(end, (uint32_t)value, n);
}

size_t number_put(uint64_t value, char text[NUMBER_DIGITS]) {
    size_t n = 1;
    for (uint64_t more = value; more >= 10; more /= 10000)
        n += more >= 10000 ? 4 : more >= 1000 ? 3 : more >= 100 ? 2 : 1;
    put_digits(text + n, value, n);
    return n;
}

/* digits / 10^fraction, trailing zeros of the fraction dropped. */
static size_t format_decimal(bool negative, uint64_t digits, size_t fraction, char *text) {
    size_t at = 0;
    uint64_t whole = 0;
    if (fraction <= NUMBER_EXACT) {
        whole = digits / number_tens[fraction];
        digits -= whole * number_tens[fraction];
    }
    if (negative)
        text[at++] = '-';
    at += number_put(whole, text + at);
    if (digits > 0) {
        text[at++] = '.';
        at += fraction;
        put_digits(text + at, digits, fraction);
        while (text[at - 1] == '0')
            at--;
    }
    text[at] = '\0';
    return at;
}

/* a / b, to the nearest, of two to the even one; more: a stands for a little more than that. */
static uint64_t divide_to_even(uint64_t a, uint64_t b, bool more) {
    uint64_t quotient = a / b, rest = a % b;
    return quotient + (rest * 2 > b || (rest * 2 == b && (more || quotient % 2)));
}

#define SHORT_FRACTION                                                                                       \
    6 /* of nearly all values seen: with at most 15 digits in all, only one such decimal reads back */
#define HIDDEN_BIT ((uint64_t)1 << 52) /* of a double's mantissa */

#define LONG_LEAST  1e-4
#define LONG_BELOW  1e15
#define LONG_DIGITS 17 /* with so many every double reads back */

/* As printf's %.15g, %.16g or %.17g, whichever reads back first. The double is mantissa / 2^down, and down at most 66. Ten to the 20th times
 * the mantissa fits into 128 bits, so all its digits that count are those of a whole number, and what is left is known, too. */
static size_t format_long(bool negative, double size, char *text) {
    uint64_t mantissa;
    memcpy(&mantissa, &size, sizeof mantissa);
    int down = 1075 - (int)(mantissa >> 52);
    mantissa = (mantissa & (HIDDEN_BIT - 1)) | HIDDEN_BIT;
    /* Its power of ten, or one less; 1233 / 4096 is the logarithm of 2. */
    int power = ((52 - down) * 1233 + 20 * 4096) / 4096 - 20;
    size_t fraction = (size_t)(LONG_DIGITS - 2 - power);
    uint128 scaled;
    for (;; fraction++) {
        scaled = fraction <= NUMBER_EXACT ? (uint128)mantissa * number_tens[fraction]
                                          : (uint128)(mantissa * 10) * number_tens[fraction - 1];
        if (scaled >> down >= number_tens[LONG_DIGITS - 1])
            break;
    }
    uint64_t digits = (uint64_t)(scaled >> down);
    uint128 rest = scaled - ((uint128)digits << down), half = (uint128)1 << (down - 1);
    for (size_t drop = 2; drop > 0; drop--) {
        uint64_t fewer = divide_to_even(digits, number_tens[drop], rest > 0);
        if (number_decimal(fewer, fraction - drop) == size)
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
        if (*p >= '0' && *p <= '9')
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
        uint64_t units = (uint64_t)(size * (double)number_tens[SHORT_FRACTION] + 0.5);
        if (number_decimal(units, SHORT_FRACTION) == size)
            return format_decimal(negative, units, SHORT_FRACTION, text);
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
