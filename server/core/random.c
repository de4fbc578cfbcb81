#include "core/random.h"

#include <assert.h>
#include <stdio.h>
#include <sys/random.h>

int random_hex(char *text, size_t digits) {
    unsigned char bytes[RANDOM_DIGITS_MAX / 2];
    assert(digits % 2 == 0 && digits <= RANDOM_DIGITS_MAX);
    if (getrandom(bytes, digits / 2, 0) != (ssize_t)(digits / 2))
        return -1;
    for (size_t i = 0; i < digits / 2; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}
