#include "core/arena.h"

#include <stdint.h>
#include <stdlib.h>

#define ARENA_FIRST                                                                                          \
    ((size_t)256) /* most arenas hold little: each block is twice as large as the one before */
#define ARENA_BLOCK ((size_t)32 * 1024)
#define ARENA_ALIGN ((size_t)16)

struct arena_block {
    struct arena_block *older;
    size_t used, cap;
    _Alignas(16) char bytes[];
};

static void *block_add(struct arena *a, size_t n) {
    size_t cap = a->newest ? 2 * a->newest->cap : ARENA_FIRST;
    cap = cap > ARENA_BLOCK ? ARENA_BLOCK : cap;
    cap = n > cap ? n : cap;
    if (a->max && (cap > a->max || a->used > a->max - cap)) {
        a->failed = true;
        return NULL;
    }
    struct arena_block *block = malloc(sizeof *block + cap);
    if (!block) {
        a->failed = true;
        return NULL;
    }
    *block = (struct arena_block){.older = a->newest, .used = n, .cap = cap};
    a->newest = block;
    a->used += cap;
    return block->bytes;
}

void *arena_alloc(struct arena *a, size_t n) {
    if (n > SIZE_MAX / 2) {
        a->failed = true;
        return NULL;
    }
    n = (n + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
    struct arena_block *block = a->newest;
    if (!block || block->cap - block->used < n)
        return block_add(a, n);
    void *p = block->bytes + block->used;
    block->used += n;
    return p;
}

struct span arena_copy(struct arena *a, struct span s) {
    if (!s.p)
        return s;
    char *p = arena_alloc(a, s.n ? s.n : 1);
    if (!p)
        return (struct span){NULL, 0};
    if (s.n)
        memcpy(p, s.p, s.n);
    return span_of(p, s.n);
}

struct span *arena_copy_list(struct arena *a, size_t n, const struct span *list) {
    struct span *copy = n < SIZE_MAX / 4 / sizeof *copy ? arena_alloc(a, n * sizeof *copy) : NULL;
    for (size_t i = 0; copy && i < n; i++) {
        copy[i] = arena_copy(a, list[i]);
        if (list[i].p && !copy[i].p)
            return NULL;
    }
    return copy;
}

static void free_from(struct arena_block *block) {
    while (block) {
        struct arena_block *older = block->older;
        free(block);
        block = older;
    }
}

void arena_reset(struct arena *a) {
    struct arena_block *keep = a->newest;
    a->failed = false;
    if (!keep)
        return;
    free_from(keep->older);
    keep->older = NULL;
    keep->used = 0;
    a->used = keep->cap;
}

void arena_free(struct arena *a) {
    free_from(a->newest);
    a->newest = NULL;
    a->used = 0;
}
