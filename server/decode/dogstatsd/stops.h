/* Private to the DogStatsD decoder: the bytes at which a metric line is cut.
 *
 * DESIGN. A short line has about ten delimiters, a few bytes apart. A memchr for each would cost more in calls than in bytes.
 * So 64 bytes are compared at once with all four delimiters. The result is a mask with one bit for each stop, and two
 * instructions lead to the next stop. No byte outside the given ones is read.
 */
#ifndef DECODE_DOGSTATSD_STOPS_H
#define DECODE_DOGSTATSD_STOPS_H

#include "core/span.h"
#include <stdint.h>

#define STOPS_BLOCK 64

struct stops {
    const char *block; /* the mask's first byte */
    uint64_t mask;     /* stops in the block that are still to come */
    const char *end;   /* of all bytes */
};

/* One bit for each of the 64 bytes at `block` that is a newline, '|', ':' or ',' and lies before `end`. */
uint64_t stops_mask(const char *block, const char *end);

static inline void stops_start(struct stops *s, const char *from, const char *end) {
    *s = (struct stops){.block = from, .mask = stops_mask(from, end), .end = end};
}

/* The next stop: which byte, and where. At the end of all bytes, a newline at `end`. */
static inline char stops_next(struct stops *s, const char **at) {
    while (s->mask == 0) {
        if (s->end - s->block <= STOPS_BLOCK) {
            *at = s->end;
            return '\n';
        }
        s->block += STOPS_BLOCK;
        s->mask = stops_mask(s->block, s->end);
    }
    *at = s->block + __builtin_ctzll(s->mask);
    s->mask &= s->mask - 1;
    return **at;
}

#endif
