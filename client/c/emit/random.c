#include "emit/random.h"

#include <stdint.h>
#include <sys/random.h>
#include <time.h>

static _Thread_local uint64_t state;

void random_reseed(void) {
    struct timespec now;
    if (getrandom(&state, sizeof state, GRND_NONBLOCK) != (long)sizeof state) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        state = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15u ^ (uint64_t)(uintptr_t)&state;
    }
    state |= 1;
}

/* xorshift64*; the upper 53 bits make the double. */
double random_unit(void) {
    if (state == 0)
        random_reseed();
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (double)((state * 0x2545f4914f6cdd1du) >> 11) * 0x1p-53;
}
