#include "catalog/table.h"

#include "core/array.h"
#include <stdlib.h>
#include <xxhash.h>

struct table_slot {
    uint64_t key;
    uint32_t value;
    bool used;
};

static struct table_slot *slot_of(const struct table *t, uint64_t key) {
    size_t i = (size_t)((key ^ key >> 29) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (t->size - 1);
    while (t->slots[i].used && t->slots[i].key != key)
        i = (i + 1) & (t->size - 1);
    return &t->slots[i];
}

static int grow(struct table *t) {
    struct table bigger = {.n = t->n, .size = t->size ? 2 * t->size : 8};
    bigger.slots = calloc(bigger.size, sizeof *bigger.slots);
    if (!bigger.slots) {
        t->failed = true;
        return -1;
    }
    for (size_t i = 0; i < t->size; i++)
        if (t->slots[i].used)
            *slot_of(&bigger, t->slots[i].key) = t->slots[i];
    free(t->slots);
    *t = bigger;
    return 0;
}

uint32_t *table_get(const struct table *t, uint64_t key) {
    if (t->size == 0)
        return NULL;
    struct table_slot *slot = slot_of(t, key);
    return slot->used ? &slot->value : NULL;
}

uint32_t *table_put(struct table *t, uint64_t key, uint32_t value, bool *added) {
    if (2 * t->n >= t->size && grow(t))
        return NULL;
    struct table_slot *slot = slot_of(t, key);
    *added = !slot->used;
    if (!slot->used) {
        *slot = (struct table_slot){key, value, true};
        t->n++;
    }
    return &slot->value;
}

void table_free(struct table *t) {
    free(t->slots);
    *t = (struct table){0};
}

/* Different names of one hash take the next free key. */
static uint64_t key_of(const struct numbering *names, struct span name) {
    uint64_t key = XXH3_64bits(name.n ? name.p : "", name.n);
    const uint32_t *at;
    while ((at = table_get(&names->by_hash, key)) && !span_eq(names->list[*at], name))
        key++;
    return key;
}

size_t numbering_get(const struct numbering *names, struct span name) {
    const uint32_t *at = table_get(&names->by_hash, key_of(names, name));
    return at ? *at : NUMBERING_NONE;
}

size_t numbering_put(struct numbering *names, struct span name) {
    uint64_t key = key_of(names, name);
    bool added;
    uint32_t *at = table_put(&names->by_hash, key, (uint32_t)names->n, &added);
    if (at && !added)
        return *at;
    bool fits = at && array_room(&names->list, names->n, &names->cap, sizeof *names->list);
    struct span copy = fits ? arena_copy(&names->arena, name.p ? name : SPAN("")) : (struct span){NULL, 0};
    if (!copy.p) {
        names->failed = true;
        return NUMBERING_NONE;
    }
    names->list[names->n] = copy;
    return names->n++;
}

int numbering_put_list(struct numbering *names, struct span list) {
    while (list.n) {
        const char *comma = memchr(list.p, ',', list.n);
        size_t n = comma ? (size_t)(comma - list.p) : list.n;
        if (n && numbering_put(names, span_of(list.p, n)) == NUMBERING_NONE)
            return -1;
        list = span_from(list, comma ? n + 1 : n);
    }
    return 0;
}

void numbering_free(struct numbering *names) {
    table_free(&names->by_hash);
    arena_free(&names->arena);
    free(names->list);
    *names = (struct numbering){0};
}
