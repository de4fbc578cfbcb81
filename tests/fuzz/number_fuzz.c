/* The float grammar, beside an independent reading of it: a table of states that follows Go's rules byte by
 * byte, and strtod on the text without underscores for the value. Also: what is written reads back, and whole
 * numbers beside strtoll.
 */
#include "core/number.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

/* States after the sign. Digits are decimal, or hexadecimal in the hex_ ones. */
enum state {
    START,
    ZERO, /* the first digit was 0: an x may follow */
    DIGIT,
    UNDERSCORE,
    POINT,       /* nothing before it */
    DIGIT_POINT, /* digits before it */
    FRACTION,
    FRACTION_UNDERSCORE,
    HEX_PREFIX,
    HEX_DIGIT,
    HEX_UNDERSCORE,
    HEX_POINT,
    HEX_DIGIT_POINT,
    HEX_FRACTION,
    HEX_FRACTION_UNDERSCORE,
    EXPONENT,
    EXPONENT_SIGN,
    EXPONENT_DIGIT,
    EXPONENT_UNDERSCORE,
    DEAD,
};

static enum state after_decimal(enum state state, char c) {
    bool digit = c >= '0' && c <= '9', e = c == 'e' || c == 'E';
    switch (state) {
    case START:
        return c == '0' ? ZERO : digit ? DIGIT : c == '.' ? POINT : DEAD;
    case ZERO:
        if (c == 'x' || c == 'X')
            return HEX_PREFIX;
        /* fall through */
    case DIGIT:
        return digit ? DIGIT : c == '_' ? UNDERSCORE : c == '.' ? DIGIT_POINT : e ? EXPONENT : DEAD;
    case UNDERSCORE:
        return digit ? DIGIT : DEAD;
    case POINT:
        return digit ? FRACTION : DEAD;
    case DIGIT_POINT:
        return digit ? FRACTION : e ? EXPONENT : DEAD;
    case FRACTION:
        return digit ? FRACTION : c == '_' ? FRACTION_UNDERSCORE : e ? EXPONENT : DEAD;
    case FRACTION_UNDERSCORE:
        return digit ? FRACTION : DEAD;
    default:
        return DEAD;
    }
}

static enum state after_hex(enum state state, char c) {
    bool digit = isxdigit((unsigned char)c), p = c == 'p' || c == 'P';
    switch (state) {
    case HEX_PREFIX:
        return digit ? HEX_DIGIT : c == '_' ? HEX_UNDERSCORE : c == '.' ? HEX_POINT : DEAD;
    case HEX_DIGIT:
        return digit      ? HEX_DIGIT
               : c == '_' ? HEX_UNDERSCORE
               : c == '.' ? HEX_DIGIT_POINT
               : p        ? EXPONENT
                          : DEAD;
    case HEX_UNDERSCORE:
        return digit ? HEX_DIGIT : DEAD;
    case HEX_POINT:
        return digit ? HEX_FRACTION : DEAD;
    case HEX_DIGIT_POINT:
        return digit ? HEX_FRACTION : p ? EXPONENT : DEAD;
    case HEX_FRACTION:
        return digit ? HEX_FRACTION : c == '_' ? HEX_FRACTION_UNDERSCORE : p ? EXPONENT : DEAD;
    case HEX_FRACTION_UNDERSCORE:
        return digit ? HEX_FRACTION : DEAD;
    default:
        return DEAD;
    }
}

static enum state after(enum state state, char c) {
    bool digit = c >= '0' && c <= '9';
    switch (state) {
    case EXPONENT:
        return digit ? EXPONENT_DIGIT : c == '+' || c == '-' ? EXPONENT_SIGN : DEAD;
    case EXPONENT_SIGN:
        return digit ? EXPONENT_DIGIT : DEAD;
    case EXPONENT_DIGIT:
        return digit ? EXPONENT_DIGIT : c == '_' ? EXPONENT_UNDERSCORE : DEAD;
    case EXPONENT_UNDERSCORE:
        return digit ? EXPONENT_DIGIT : DEAD;
    default:
        return state >= HEX_PREFIX && state <= HEX_FRACTION_UNDERSCORE ? after_hex(state, c)
                                                                       : after_decimal(state, c);
    }
}

static bool is_word(const char *text) {
    if (strcasecmp(text, "nan") == 0)
        return true;
    if (*text == '+' || *text == '-')
        text++;
    return strcasecmp(text, "inf") == 0 || strcasecmp(text, "infinity") == 0;
}

static bool accepts(const char *text) {
    if (is_word(text))
        return true;
    enum state state = START;
    for (const char *p = *text == '+' || *text == '-' ? text + 1 : text; *p; p++)
        state = after(state, *p);
    return state == ZERO || state == DIGIT || state == DIGIT_POINT || state == FRACTION ||
           state == EXPONENT_DIGIT;
}

static bool same(double a, double b) {
    return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

static void check_float(const char *text, size_t n) {
    double value = 0;
    enum number_result result = number_parse(span_of(text, n), &value);
    bool valid = strlen(text) == n && accepts(text);
    CHECK((result != NUMBER_INVALID) == valid);
    if (!valid)
        return;
    char *plain = malloc(n + 1);
    CHECK(plain);
    size_t at = 0;
    for (size_t i = 0; i <= n; i++)
        if (text[i] != '_')
            plain[at++] = text[i];
    double want = strtod(plain, NULL);
    free(plain);
    if (isinf(want) && !is_word(text))
        CHECK(result == NUMBER_OUT_OF_RANGE);
    else
        CHECK(result == NUMBER_OK && same(value, want));
}

static void check_int(const char *text, size_t n) {
    int64_t value;
    enum number_result result = number_parse_int(span_of(text, n), &value);
    size_t sign = n > 0 && (*text == '+' || *text == '-');
    bool valid = n > sign && strspn(text + sign, "0123456789") == n - sign;
    CHECK((result != NUMBER_INVALID) == valid);
    errno = 0;
    long long want = valid ? strtoll(text, NULL, 10) : 0;
    if (valid)
        CHECK(errno == ERANGE ? result == NUMBER_OUT_OF_RANGE : result == NUMBER_OK && value == want);
}

static void check_format(double value) {
    char text[NUMBER_SIZE];
    size_t n = number_format(value, text);
    CHECK(n < sizeof text && strlen(text) == n);
    double again;
    CHECK(number_parse(span_of(text, n), &again) == NUMBER_OK && same(value, again));
    CHECK(number_is_json(span_of(text, n)) == (isfinite(value) != 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n > 2000) /* longer, and the exponents that Go no longer tells apart would matter */
        return 0;
    char *text = malloc(n + 1);
    CHECK(text);
    if (n)
        memcpy(text, data, n);
    text[n] = '\0';
    check_float(text, n);
    check_int(text, n);
    if (n >= sizeof(double)) {
        double value;
        memcpy(&value, data, sizeof value);
        check_format(value);
    }
    free(text);
    return 0;
}
