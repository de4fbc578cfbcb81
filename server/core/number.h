/* Numbers as DogStatsD spells them, independent of the locale.
 *
 * Source: schema/protocol/dogstatsd.md sections 3.3 and 3.5 (Go's strconv.ParseFloat and ParseInt).
 * Threads: any; nothing here keeps state or allocates.
 */
#ifndef CORE_NUMBER_H
#define CORE_NUMBER_H

#include "core/span.h"
#include <stdint.h>

enum number_result {
    NUMBER_OK,
    NUMBER_INVALID,
    NUMBER_OUT_OF_RANGE, /* overflow; underflow gives 0 and is fine */
};

/* Go's float grammar, correctly rounded: 1_000, .5, 5., 0x1p4, +Inf, nan (no sign), … */
enum number_result number_parse(struct span text, double *value);
/* The same, and number_is_json. */
enum number_result number_read(struct span text, double *value, bool *json);
/* Go's ParseInt(s, 10, 64): optional sign, digits. */
enum number_result number_parse_int(struct span text, int64_t *value);

/* mantissa / 10^fraction, correctly rounded, of NUMBER_EXACT digits at most, those of the fraction among them. */
#define NUMBER_EXACT 19 /* 10^19 - 1 fits 64 bits */
double number_decimal(uint64_t mantissa, size_t fraction);
/* 10^0 and on. */
extern const uint64_t number_tens[NUMBER_EXACT + 1];

/* Whether the text is also a JSON number (so that it can be copied as it stands). */
bool number_is_json(struct span text);

/* The digits, without a NUL; their number. */
#define NUMBER_DIGITS 20 /* of 64 bits */
size_t number_put(uint64_t value, char text[NUMBER_DIGITS]);
/* The same for who knows how many digits the value has: they end at `end`. */
void number_put_digits(char *end, uint32_t value, size_t n);

/* The shortest decimal (rarely one digit more) that reads back as the same double: 0.1, 3, 1e+300, -0, NaN,
 * +Inf, -Inf. Returns its length; always NUL-terminated. Whole numbers below 1e15 come without point or
 * exponent. */
#define NUMBER_SIZE 32
size_t number_format(double value, char text[NUMBER_SIZE]);

#endif
