/* DESIGN. Three hash tables over one array of links. `exact` holds every entry by its name. A family is in
 * `before` by its literal beginning up to the last dot before the first wildcard (`http.server.*` by
 * "http.server."), or, when that is empty, in `after` by its last segment where that is literal (`*.errors`
 * by ".errors"), else in `before` by "". A name is looked up in `before` once for each of its dots, and once
 * in `after`: families that cannot match are never looked at. */
#include "catalog/index.h"

#include "core/glob.h"

#include <stdlib.h>
#include <xxhash.h>

#define DOTS_MAX 32 /* a family's beginning is cut at this many dots, so that long names stay cheap */
#define NONE     UINT32_MAX

struct index_table {
    size_t mask;
    uint32_t *heads;
};

struct catalog_index {
    const struct catalog_entry *entries;
    struct index_table exact, before, after;
    uint32_t *next_exact, *next_family;
};

static int table_init(struct index_table *t, size_t n) {
    size_t size = 16;
    while (size < 2 * n)
        size *= 2;
    t->mask = size - 1;
    t->heads = malloc(size * sizeof *t->heads);
    if (t->heads)
        memset(t->heads, 0xff, size * sizeof *t->heads);
    return t->heads ? 0 : -1;
}

static uint32_t *head_of(const struct index_table *t, struct span key) {
    return &t->heads[XXH3_64bits(key.n ? key.p : "", key.n) & t->mask];
}

static size_t first_wildcard(struct span name) {
    size_t i = 0;
    while (i < name.n && name.p[i] != '*' && name.p[i] != '?')
        i++;
    return i;
}

static struct span literal_before(struct span family) {
    size_t stop = first_wildcard(family), end = 0, dots = 0;
    for (size_t i = 0; i < stop && dots < DOTS_MAX; i++) {
        if (family.p[i] == '.') {
            end = i + 1;
            dots++;
        }
    }
    return span_of(family.p, end);
}

/* From the last dot on; empty when that holds a wildcard. */
static struct span literal_after(struct span name) {
    const char *dot = memrchr(name.p, '.', name.n);
    struct span segment = dot ? span_from(name, (size_t)(dot - name.p)) : span_of(name.p, 0);
    return first_wildcard(segment) == segment.n ? segment : span_of(name.p, 0);
}

static size_t literal_bytes(struct span family) {
    size_t n = 0;
    for (size_t i = 0; i < family.n; i++)
        n += family.p[i] != '*' && family.p[i] != '?';
    return n;
}

static void push(uint32_t *head, uint32_t *next, size_t i) {
    next[i] = *head;
    *head = (uint32_t)i;
}

struct catalog_index *catalog_index_new(size_t n, const struct catalog_entry *entries) {
    struct catalog_index *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->entries = entries;
    x->next_exact = malloc((n + 1) * sizeof *x->next_exact);
    x->next_family = malloc((n + 1) * sizeof *x->next_family);
    if (!x->next_exact || !x->next_family || table_init(&x->exact, n) || table_init(&x->before, n) ||
        table_init(&x->after, n)) {
        catalog_index_free(x);
        return NULL;
    }
    for (size_t i = n; i-- > 0;) { /* backwards: a list then starts with the first entry */
        struct span name = entries[i].name;
        push(head_of(&x->exact, name), x->next_exact, i);
        if (!entries[i].family)
            continue;
        struct span before = literal_before(name), after = literal_after(name);
        if (before.n || !after.n)
            push(head_of(&x->before, before), x->next_family, i);
        else
            push(head_of(&x->after, after), x->next_family, i);
    }
    return x;
}

void catalog_index_free(struct catalog_index *x) {
    if (!x)
        return;
    free(x->exact.heads);
    free(x->before.heads);
    free(x->after.heads);
    free(x->next_exact);
    free(x->next_family);
    free(x);
}

size_t catalog_index_exact(const struct catalog_index *x, struct span name) {
    for (uint32_t i = *head_of(&x->exact, name); i != NONE; i = x->next_exact[i])
        if (span_eq(x->entries[i].name, name))
            return i;
    return SIZE_MAX;
}

struct best {
    size_t i, literal;
};

static void try_families(const struct catalog_index *x, uint32_t i, struct span name, struct best *best,
                         uint64_t *steps) {
    for (; i != NONE; i = x->next_family[i]) {
        *steps += 1 + x->entries[i].name.n / 16;
        size_t literal = literal_bytes(x->entries[i].name);
        if ((best->i == SIZE_MAX || literal > best->literal || (literal == best->literal && i < best->i)) &&
            glob_match_counted(x->entries[i].name, name, steps))
            *best = (struct best){i, literal};
    }
}

size_t catalog_index_find(const struct catalog_index *x, struct span name, uint64_t *steps) {
    struct best best = {SIZE_MAX, 0};
    size_t exact = catalog_index_exact(x, name);
    if (exact != SIZE_MAX)
        return exact;
    try_families(x, *head_of(&x->before, span_of(name.p, 0)), name, &best, steps);
    for (size_t k = 0, dots = 0; k < name.n && dots < DOTS_MAX; k++) {
        if (name.p[k] != '.')
            continue;
        dots++;
        try_families(x, *head_of(&x->before, span_of(name.p, k + 1)), name, &best, steps);
    }
    const char *dot = name.n ? memrchr(name.p, '.', name.n) : NULL;
    if (dot)
        try_families(x, *head_of(&x->after, span_from(name, (size_t)(dot - name.p))), name, &best, steps);
    return best.i;
}
