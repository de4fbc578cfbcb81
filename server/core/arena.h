/* Memory that is given back all at once, with a stated maximum.
 *
 * Ownership: the struct is the caller's. Initialise it with {.max = N}. What arena_alloc returns is valid until arena_reset or
 * arena_free.
 * Threads: one at a time.
 * Errors: NULL past the maximum or out of memory; `failed` stays set until arena_reset.
 * Alignment: 16 bytes.
 */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include "core/span.h"

struct arena {
    struct arena_block *newest;
    size_t used; /* bytes of the blocks held */
    size_t max;  /* bytes; 0: no other bound than memory */
    bool failed;
};

void *arena_alloc(struct arena *a, size_t n);
/* A copy; {NULL, 0} stays that, and what does not fit becomes that. */
struct span arena_copy(struct arena *a, struct span s);
/* A copy of the list and of what its spans point to; NULL when it does not fit. */
struct span *arena_copy_list(struct arena *a, size_t n, const struct span *list);
/* Forgets everything; keeps one block for reuse. */
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

#endif
