/* How far apart two words are: insertions, deletions, replacements and swaps of neighbours (optimal string
 * alignment).
 *
 * Threads: any.
 * Limits: of longer words only the first DISTANCE_MAX bytes are compared.
 */
#ifndef CORE_DISTANCE_H
#define CORE_DISTANCE_H

#include "core/span.h"
#include <stdint.h>

#define DISTANCE_MAX 256

/* The distance, or limit + 1 when it is more than `limit`. */
size_t distance(struct span a, struct span b, size_t limit);

/* A summary of a word's bytes. It shows of most pairs that they are far apart, without comparing the words. */
struct outline {
    size_t n;
    uint64_t bytes; /* a bit for each byte that occurs, folded to 64 */
};
struct outline outline_of(struct span word);
/* Never more than the distance. */
size_t outline_distance(const struct outline *a, const struct outline *b);

/* The nearest of the words, when it is near enough to be what was meant; else p == NULL. */
struct span nearest_word(struct span word, size_t n, const struct span *words);

/* "; did you mean 'tag'?", or "" when none is near. Of long lists the first NEAREST_HINT_WORDS are looked at. */
#define NEAREST_HINT_SIZE  64
#define NEAREST_HINT_WORDS 32
const char *nearest_hint(struct span word, size_t n, const char *const *words, char hint[NEAREST_HINT_SIZE]);

#endif
