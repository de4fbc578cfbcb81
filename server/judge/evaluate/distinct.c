#include "judge/evaluate/distinct.h"

#include <stdlib.h>
#include <xxhash.h>

enum { SEED_NUMBER = 1, SEED_TEXT = 2 };

static int insert(struct distinct *d, struct distinct_key key);

static int grow(struct distinct *d) {
    struct distinct bigger = {.cap = d->cap ? 2 * d->cap : 16};
    bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
    if (!bigger.slots)
        return -1;
    for (size_t i = 0; i < d->cap; i++)
        if (d->slots[i].high)
            insert(&bigger, d->slots[i]);
    free(d->slots);
    *d = bigger;
    return 0;
}

static int insert(struct distinct *d, struct distinct_key key) {
    if (d->n * 4 >= d->cap * 3 && grow(d) != 0)
        return -1;
    size_t i = key.low & (d->cap - 1);
    while (d->slots[i].high) {
        if (d->slots[i].low == key.low && d->slots[i].high == key.high)
            return 0;
        i = (i + 1) & (d->cap - 1);
    }
    d->slots[i] = key;
    d->n++;
    return 0;
}

static struct distinct_key key_of(const void *p, size_t n, unsigned seed) {
    XXH128_hash_t hash = XXH3_128bits_withSeed(p, n, seed);
    return (struct distinct_key){hash.low64, hash.high64 | 1};
}

static int add_value(struct distinct *d, const void *p, size_t n, unsigned seed) {
    return insert(d, key_of(p, n, seed));
}

bool distinct_has_text(const struct distinct *d, struct span text) {
    struct distinct_key key = key_of(text.p, text.n, SEED_TEXT);
    for (size_t i = key.low & (d->cap - 1); d->cap && d->slots[i].high; i = (i + 1) & (d->cap - 1))
        if (d->slots[i].low == key.low && d->slots[i].high == key.high)
            return true;
    return false;
}

int distinct_add_text(struct distinct *d, struct span text) {
    return add_value(d, text.p, text.n, SEED_TEXT);
}

int distinct_add_number(struct distinct *d, double number) {
    double positive_zero = number == 0 ? 0 : number;
    return add_value(d, &positive_zero, sizeof positive_zero, SEED_NUMBER);
}

int distinct_add_all(struct distinct *d, const struct distinct *from) {
    for (size_t i = 0; i < from->cap; i++)
        if (from->slots[i].high && insert(d, from->slots[i]) != 0)
            return -1;
    return 0;
}

void distinct_free(struct distinct *d) {
    free(d->slots);
    *d = (struct distinct){0};
}
