#include "judge/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#define ARENA_CHUNK 65536

struct arena_chunk {
    struct arena_chunk *next;
    size_t used, cap;
    alignas(max_align_t) char bytes[];
};

void *arena_take(struct arena *a, size_t n) {
    n = (n + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    struct arena_chunk *chunk = a->chunks;
    if (!chunk || chunk->cap - chunk->used < n) {
        size_t cap = n > ARENA_CHUNK / 4 ? n : ARENA_CHUNK;
        chunk = calloc(1, sizeof *chunk + cap);
        if (!chunk)
            return NULL;
        chunk->cap = cap;
        if (a->chunks &&
            cap == n) { /* a big one of its own: what is left of the current chunk stays in use */
            chunk->next = a->chunks->next;
            a->chunks->next = chunk;
        } else {
            chunk->next = a->chunks;
            a->chunks = chunk;
        }
    }
    void *p = chunk->bytes + chunk->used;
    chunk->used += n;
    return p;
}

struct span arena_copy(struct arena *a, struct span s) {
    char *p = s.p ? arena_take(a, s.n + 1) : NULL;
    if (p && s.n)
        memcpy(p, s.p, s.n);
    return (struct span){p, p ? s.n : 0};
}

struct span *arena_copy_list(struct arena *a, size_t n, const struct span *list) {
    struct span *copy = arena_take(a, (n + 1) * sizeof *copy);
    for (size_t i = 0; copy && i < n; i++) {
        copy[i] = arena_copy(a, list[i].p ? list[i] : SPAN(""));
        if (!copy[i].p)
            return NULL;
    }
    return copy;
}

void arena_free(struct arena *a) {
    while (a->chunks) {
        struct arena_chunk *next = a->chunks->next;
        free(a->chunks);
        a->chunks = next;
    }
}
