#include "judge/evaluate/bag.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int reserve(struct bag *b, size_t n) {
    if (b->n + n <= b->cap)
        return 0;
    size_t cap = b->cap ? b->cap : 16;
    while (cap < b->n + n)
        cap *= 2;
    struct weighted *items = realloc(b->items, cap * sizeof *items);
    if (!items)
        return -1;
    b->items = items;
    b->cap = cap;
    return 0;
}

int bag_add(struct bag *b, double value, double weight) {
    /* When full, joining equal values may make room before more memory is asked for. */
    if (b->n == b->cap && b->n - b->n_sorted > b->n / 2 && bag_settle(b) != 0)
        return -1;
    if (reserve(b, 1) != 0)
        return -1;
    b->items[b->n++] = (struct weighted){value == 0 ? 0 : value, weight}; /* -0 is 0 */
    return 0;
}

int bag_add_all(struct bag *b, const struct bag *from) {
    if (reserve(b, from->n) != 0)
        return -1;
    if (from->n)
        memcpy(b->items + b->n, from->items, from->n * sizeof *b->items);
    b->n += from->n;
    return 0;
}

static int by_value(const void *a, const void *b) {
    double x = ((const struct weighted *)a)->value, y = ((const struct weighted *)b)->value;
    return (x > y) - (x < y);
}

static size_t join_equal(struct weighted *items, size_t n) {
    size_t out = 0;
    for (size_t i = 0; i < n; i++) {
        if (out && items[out - 1].value == items[i].value)
            items[out - 1].weight += items[i].weight;
        else
            items[out++] = items[i];
    }
    return out;
}

/* Only what came since the last time is sorted; then both are merged. */
int bag_settle(struct bag *b) {
    if (b->n_sorted == b->n)
        return 0;
    qsort(b->items + b->n_sorted, b->n - b->n_sorted, sizeof *b->items, by_value);
    if (b->n_sorted) {
        struct weighted *merged = malloc(b->n * sizeof *merged);
        if (!merged)
            return -1;
        size_t i = 0, j = b->n_sorted, out = 0;
        while (i < b->n_sorted || j < b->n) {
            bool first = j == b->n || (i < b->n_sorted && b->items[i].value <= b->items[j].value);
            merged[out++] = first ? b->items[i++] : b->items[j++];
        }
        free(b->items);
        b->items = merged;
        b->cap = b->n;
    }
    b->n = b->n_sorted = join_equal(b->items, b->n);
    return 0;
}

double bag_percentile(const struct bag *b, double percentile) {
    double total = 0, reached = 0;
    for (size_t i = 0; i < b->n; i++)
        total += b->items[i].weight;
    /* A hair below, for sums of fractions that should meet exactly. */
    double rank = total * percentile / 100 - total * 1e-12;
    for (size_t i = 0; i < b->n; i++) {
        reached += b->items[i].weight;
        if (reached > 0 && reached >= rank)
            return b->items[i].value;
    }
    return NAN;
}

void bag_free(struct bag *b) {
    free(b->items);
    *b = (struct bag){0};
}
