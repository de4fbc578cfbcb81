/* Random digits for keys, tokens and names. Errors: -1 with errno. Limits: RANDOM_DIGITS_MAX. */
#ifndef CORE_RANDOM_H
#define CORE_RANDOM_H

#include <stddef.h>

#define RANDOM_DIGITS_MAX 64

/* `digits`, an even number of hexadecimal ones, and a NUL behind them. */
int random_hex(char *text, size_t digits);

#endif
