/* Memory that is only ever given back all at once: for the many small things a judge keeps until its end.
 *
 * Ownership: everything handed out belongs to the arena. Initialise with {0}.
 * Errors: NULL when out of memory.
 */
#ifndef JUDGE_ARENA_H
#define JUDGE_ARENA_H

#include "core/span.h"

struct arena_chunk;
struct arena {
    struct arena_chunk *chunks;
};

/* n zeroed bytes, aligned for anything. */
void *arena_take(struct arena *a, size_t n);
/* A copy of the bytes; p == NULL stays p == NULL, and is what running out of memory gives too. */
struct span arena_copy(struct arena *a, struct span s);
/* A copy of the list and of what its spans point to; NULL when out of memory. */
struct span *arena_copy_list(struct arena *a, size_t n, const struct span *list);
void arena_free(struct arena *a);

#endif
