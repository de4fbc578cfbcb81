#include "catalog/numbering.h"

#include "core/array.h"
#include <stdlib.h>
#include <xxhash.h>

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
