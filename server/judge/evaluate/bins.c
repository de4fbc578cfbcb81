#include "judge/evaluate/bins.h"

#include <math.h>
#include <stdlib.h>

#define LN_GAMMA 0.015504186535965254
#define BIAS     1338
#define KEY_MAX  32767

double bins_value(const struct sketch *s, int32_t key) {
    double value = key == 0 ? 0 : exp(((double)abs(key) - BIAS) * LN_GAMMA);
    return fmin(fmax(key < 0 ? -value : value, s->min), s->max);
}

int32_t bins_key(double value) {
    if (value == 0)
        return 0;
    double key = rint(log(fabs(value)) / LN_GAMMA) + BIAS;
    int32_t whole = key < 1 ? 0 : key > KEY_MAX ? KEY_MAX : (int32_t)key;
    return value < 0 ? -whole : whole;
}
