#include "core/distance.h"

#include <stdio.h>

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Only the band of cells that are no farther than `limit` from the diagonal can matter; what lies beside it is "too far". */
size_t distance(struct span a, struct span b, size_t limit) {
    a.n = least(a.n, DISTANCE_MAX);
    b.n = least(b.n, DISTANCE_MAX);
    if ((a.n > b.n ? a.n - b.n : b.n - a.n) > limit)
        return limit + 1;
    /* Three rows of the usual table: this one, the one above, and the one above that for swaps. */
    uint16_t rows[3][DISTANCE_MAX + 2];
    const size_t far = limit + 1;
    for (size_t j = 0; j <= least(b.n, limit + 1); j++)
        rows[0][j] = (uint16_t)j;
    for (size_t i = 1; i <= a.n; i++) {
        uint16_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        size_t from = i > limit ? i - limit : 1, to = least(i + limit, b.n), best;
        row[from - 1] = (uint16_t)(from == 1 ? i : far);
        best = row[from - 1];
        for (size_t j = from; j <= to; j++) {
            size_t cost = a.p[i - 1] != b.p[j - 1];
            size_t d = least(least(above[j] + 1u, row[j - 1] + 1u), above[j - 1] + cost);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                d = least(d, above2[j - 2] + 1u);
            row[j] = (uint16_t)d;
            best = least(best, d);
        }
        row[to + 1] = (uint16_t)far;
        if (best > limit)
            return far;
    }
    size_t d = rows[a.n % 3][b.n];
    return least(d, far);
}

struct outline outline_of(struct span word) {
    struct outline o = {least(word.n, DISTANCE_MAX), 0};
    for (size_t i = 0; i < o.n; i++)
        o.bytes |= UINT64_C(1) << ((unsigned char)word.p[i] % 64);
    return o;
}

size_t outline_distance(const struct outline *a, const struct outline *b) {
    size_t lengths = a->n > b->n ? a->n - b->n : b->n - a->n;
    /* One edit adds at most one byte to one word's set and takes at most one from it. */
    size_t missing = (size_t)__builtin_popcountll(a->bytes & ~b->bytes);
    size_t extra = (size_t)__builtin_popcountll(b->bytes & ~a->bytes);
    size_t sets = missing > extra ? missing : extra;
    return lengths > sets ? lengths : sets;
}

struct span nearest_word(struct span word, size_t n, const struct span *words) {
    struct span nearest = {NULL, 0};
    size_t best = word.n / 3 + 2;
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(word, words[i], best - 1);
        if (d < best && d < words[i].n) {
            best = d;
            nearest = words[i];
        }
    }
    return nearest;
}

const char *nearest_hint(struct span word, size_t n, const char *const *words, char hint[NEAREST_HINT_SIZE]) {
    struct span spans[NEAREST_HINT_WORDS];
    if (n > NEAREST_HINT_WORDS)
        n = NEAREST_HINT_WORDS;
    for (size_t i = 0; i < n; i++)
        spans[i] = span_str(words[i]);
    struct span near = nearest_word(word, n, spans);
    hint[0] = '\0';
    if (near.p)
        snprintf(hint, NEAREST_HINT_SIZE, "; did you mean '%.*s'?", SPAN_ARG(near));
    return hint;
}
