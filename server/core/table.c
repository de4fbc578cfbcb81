#include "core/table.h"

#include <stdlib.h>

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
    if (4 * t->n >= 3 * t->size && grow(t))
        return NULL;
    struct table_slot *slot = slot_of(t, key);
    *added = !slot->used;
    if (!slot->used) {
        *slot = (struct table_slot){key, value, true};
        t->n++;
    }
    return &slot->value;
}

int table_set(struct table *t, uint64_t key, uint32_t value) {
    bool added;
    uint32_t *at = table_put(t, key, value, &added);
    if (!at)
        return -1;
    *at = value;
    return 0;
}

void table_free(struct table *t) {
    free(t->slots);
    *t = (struct table){0};
}
