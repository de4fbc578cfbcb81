#include "render/openmetrics_names.h"

#include "core/array.h"
#include "core/buf.h"

#include <stdio.h>
#include <xxhash.h>

#define GIVEN_MAX 1024 /* bytes of a name; what differs only beyond gets a number */

static uint64_t place_key(enum om_kind kind, struct span original) {
    return XXH3_64bits_withSeed(original.n ? original.p : "", original.n, (uint64_t)kind);
}

struct om_name *om_names_find(const struct om_names *names, enum om_kind kind, struct span original) {
    const uint32_t *place = table_get(&names->places, place_key(kind, original));
    return place ? &names->list[*place] : NULL;
}

size_t om_names_note(struct om_names *names, enum om_kind kind, struct span original) {
    bool added = false;
    uint32_t *place = names->n < UINT32_MAX
                          ? table_put(&names->places, place_key(kind, original), (uint32_t)names->n, &added)
                          : NULL;
    if (place && !added)
        return *place;
    struct om_name name = {.original = arena_copy(&names->arena, original), .kind = kind};
    if (!place || !name.original.p || !array_room(&names->list, names->n, &names->cap, sizeof *names->list)) {
        names->failed = true;
        return SIZE_MAX;
    }
    names->list[names->n] = name;
    return names->n++;
}

/* The name with what does not fit as '_'. */
static size_t put_base(const struct om_name *name, char base[GIVEN_MAX]) {
    struct span s = name->original;
    bool label = name->kind == OM_LABEL;
    size_t n = 0;
    if (label && s.n > 1 && s.p[0] == '\0')
        s = span_from(s, 1);
    else if (label && s.n > 0 && s.p[s.n - 1] == ':')
        s.n--;
    if (s.n == 0 || (s.p[0] >= '0' && s.p[0] <= '9'))
        base[n++] = '_';
    for (size_t i = 0; i < s.n && n < GIVEN_MAX - 32; i++) {
        char c = s.p[i];
        bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    (c == ':' && !label);
        base[n++] = fits ? c : '_';
    }
    const char *suffix = name->kind == OM_LOOSE_COUNT ? "_count" : name->kind == OM_LOOSE_SUM ? "_sum" : "";
    memcpy(base + n, suffix, strlen(suffix));
    n += strlen(suffix);
    if (label && base[0] == '_' && (n == 1 || base[1] == '_')) { /* "__" is reserved */
        memmove(base + 3, base, n);
        memcpy(base, "tag", 3);
        n += 3;
    }
    return n;
}

/* The names that one of this kind takes up, the suffixes of its samples among them. */
static const char *const *suffixes_of(enum om_kind kind) {
    static const char *const counter[] = {"", "_total", "_created", NULL};
    static const char *const summary[] = {"", "_count", "_sum", "_created", NULL};
    static const char *const plain[] = {"", NULL};
    return kind == OM_COUNTER ? counter : kind == OM_SUMMARY ? summary : plain;
}

static bool is_taken(const struct table *taken, const char *base, size_t n, enum om_kind kind) {
    char name[GIVEN_MAX];
    for (const char *const *suffix = suffixes_of(kind); *suffix; suffix++) {
        memcpy(name, base, n);
        memcpy(name + n, *suffix, strlen(*suffix));
        if (table_get(taken, XXH3_64bits(name, n + strlen(*suffix))))
            return true;
    }
    return false;
}

static void take_name(struct table *taken, const char *base, size_t n, enum om_kind kind) {
    char name[GIVEN_MAX];
    for (const char *const *suffix = suffixes_of(kind); *suffix; suffix++) {
        memcpy(name, base, n);
        memcpy(name + n, *suffix, strlen(*suffix));
        table_set(taken, XXH3_64bits(name, n + strlen(*suffix)), 1);
    }
}

static void give(struct om_names *names, struct om_name *name, struct table *taken, struct table *numbers) {
    char base[GIVEN_MAX];
    size_t n_base = put_base(name, base), n = n_base;
    /* Where the last one of this base stopped, so that 10,000 alike are not tried from 2 on each. */
    bool added;
    uint32_t *number = table_put(numbers, XXH3_64bits(base, n_base), 1, &added);
    while (number && is_taken(taken, base, n, name->kind))
        n = n_base + (size_t)snprintf(base + n_base, 16, "_%u", ++*number);
    take_name(taken, base, n, name->kind);
    name->given = arena_copy(&names->arena, span_of(base, n));
    names->failed |= !number || !name->given.p;
}

/* Of those that want one name, the one that needs no change comes first; a tag with a value before one without. */
static int by_need(const void *x, const void *y) {
    const struct om_name *a = *(const struct om_name *const *)x, *b = *(const struct om_name *const *)y;
    char base[2][GIVEN_MAX];
    struct span of_a = span_of(base[0], put_base(a, base[0])), of_b = span_of(base[1], put_base(b, base[1]));
    int order = span_cmp(of_a, of_b);
    if (order)
        return order;
    bool same_a = span_starts(a->original, of_a), same_b = span_starts(b->original, of_b);
    if (same_a != same_b)
        return same_a ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return a->original.n != b->original.n && a->kind == OM_LABEL ? (a->original.n > b->original.n ? -1 : 1)
                                                                 : span_cmp(a->original, b->original);
}

void om_names_give(struct om_names *names) {
    static const char *const reserved[] = {"le", "quantile"};
    struct table taken = {0}, numbers = {0};
    struct om_name **order = calloc(names->n + 1, sizeof *order);
    for (size_t i = 0; order && i < names->n; i++)
        order[i] = &names->list[i];
    if (order && names->n)
        qsort(order, names->n, sizeof *order, by_need);
    bool labels = names->n > 0 && names->list[0].kind == OM_LABEL;
    for (size_t i = 0; labels && i < 2; i++)
        take_name(&taken, reserved[i], strlen(reserved[i]), OM_LABEL);
    for (size_t i = 0; order && i < names->n && !names->failed; i++)
        if (!order[i]->unfit)
            give(names, order[i], &taken, &numbers);
    names->failed |= !order || taken.failed || numbers.failed;
    free(order);
    table_free(&taken);
    table_free(&numbers);
}

void om_names_free(struct om_names *names) {
    free(names->list);
    table_free(&names->places);
    arena_free(&names->arena);
    *names = (struct om_names){0};
}
