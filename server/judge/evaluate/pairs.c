#include "judge/evaluate/pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Any order will do that brings equal pairs together. */
static int by_bytes(const void *a, const void *b) {
    return memcmp(a, b, sizeof(struct pair));
}

static void join_equal(struct pairs *p) {
    size_t out = 0;
    if (p->n == 0)
        return;
    qsort(p->items, p->n, sizeof *p->items, by_bytes);
    for (size_t i = 0; i < p->n; i++)
        if (out == 0 || by_bytes(&p->items[out - 1], &p->items[i]) != 0)
            p->items[out++] = p->items[i];
    p->n = out;
}

static double plain(double number) {
    return isnan(number) ? (double)NAN : number == 0 ? 0 : number; /* -0 is 0 */
}

/* When full, joining equal pairs may make room; where it makes little, there must be more of it. */
static int make_room(struct pairs *p) {
    join_equal(p);
    if (p->cap && p->n <= p->cap / 2)
        return 0;
    size_t cap = p->cap ? 2 * p->cap : 16;
    struct pair *items = realloc(p->items, cap * sizeof *items);
    if (!items)
        return -1;
    p->items = items;
    p->cap = cap;
    return 0;
}

int pairs_add(struct pairs *p, double value, double upto, double rate) {
    if (p->n == p->cap && make_room(p) != 0)
        return -1;
    p->items[p->n++] = (struct pair){plain(value), plain(upto), plain(rate)};
    return 0;
}

void pairs_free(struct pairs *p) {
    free(p->items);
    *p = (struct pairs){0};
}
