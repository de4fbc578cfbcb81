#include "api/query/group.h"

#include <xxhash.h>

static uint64_t hash_tags(size_t n, const struct span *tags) {
    uint64_t hash = n;
    for (size_t i = 0; i < n; i++)
        hash = XXH3_64bits_withSeed(tags[i].p ? tags[i].p : "", tags[i].n, hash + (tags[i].p != NULL));
    return hash;
}

static bool same_tags(size_t n, const struct span *a, const struct span *b) {
    for (size_t i = 0; i < n; i++)
        if (!span_eq(a[i], b[i]))
            return false;
    return true;
}

/* The slot of the group, or the free one where it belongs. */
static size_t find_slot(const struct group_index *index, const struct span *tags) {
    size_t at = hash_tags(index->n_by, tags) & (index->cap - 1);
    while (index->slots[at] && !same_tags(index->n_by, index->tags[index->slots[at] - 1], tags))
        at = (at + 1) & (index->cap - 1);
    return at;
}

size_t group_find(const struct group_index *index, const struct span *tags) {
    if (index->n == 0)
        return SIZE_MAX;
    uint32_t slot = index->slots[find_slot(index, tags)];
    return slot ? slot - 1 : SIZE_MAX;
}

static bool grow(struct arena *arena, struct group_index *index) {
    size_t cap = index->cap ? index->cap * 2 : 64;
    uint32_t *slots = arena_alloc(arena, cap * sizeof *slots);
    const struct span **tags = arena_alloc(arena, cap / 2 * sizeof *tags);
    if (!slots || !tags || cap > UINT32_MAX)
        return false;
    memset(slots, 0, cap * sizeof *slots);
    if (index->n)
        memcpy(tags, index->tags, index->n * sizeof *tags);
    index->tags = tags;
    index->slots = slots;
    index->cap = cap;
    for (size_t i = 0; i < index->n; i++)
        slots[find_slot(index, tags[i])] = (uint32_t)i + 1;
    return true;
}

size_t group_add(struct arena *arena, struct group_index *index, const struct span *tags) {
    if (index->n >= index->cap / 2 && !grow(arena, index))
        return SIZE_MAX;
    size_t slot = find_slot(index, tags);
    if (index->slots[slot])
        return index->slots[slot] - 1;
    index->tags[index->n] = tags;
    index->slots[slot] = (uint32_t)++index->n;
    return index->n - 1;
}
