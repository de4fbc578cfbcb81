#include "decode/dogstatsd/stops.h"

#ifdef __SSE2__
#include <emmintrin.h>

static inline uint64_t mask_16(const char *p) {
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i lines =
        _mm_or_si128(_mm_cmpeq_epi8(b, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(b, _mm_set1_epi8('|')));
    __m128i parts =
        _mm_or_si128(_mm_cmpeq_epi8(b, _mm_set1_epi8(':')), _mm_cmpeq_epi8(b, _mm_set1_epi8(',')));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(lines, parts));
}
#else
static inline uint64_t mask_16(const char *p) {
    uint64_t mask = 0;
    for (int i = 0; i < 16; i++)
        mask |= (uint64_t)(p[i] == '\n' || p[i] == '|' || p[i] == ':' || p[i] == ',') << i;
    return mask;
}
#endif

static uint64_t mask_64(const char *p) {
    return mask_16(p) | mask_16(p + 16) << 16 | mask_16(p + 32) << 32 | mask_16(p + 48) << 48;
}

/* Apart, so that only the last block of a datagram pays for the copy. */
__attribute__((noinline)) static uint64_t mask_tail(const char *p, size_t n) {
    char padded[STOPS_BLOCK] = {0};
    memcpy(padded, p, n);
    return mask_64(padded);
}

uint64_t stops_mask(const char *block, const char *end) {
    size_t left = (size_t)(end - block);
    return left >= STOPS_BLOCK ? mask_64(block) : mask_tail(block, left);
}
