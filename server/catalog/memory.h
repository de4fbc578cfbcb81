/* Zeroed memory for tables, which an arena does not give. */
#ifndef CATALOG_MEMORY_H
#define CATALOG_MEMORY_H

#include "core/arena.h"

/* n zeroed bytes; NULL when out of memory. */
static inline void *memory_take(struct arena *a, size_t n) {
    void *p = arena_alloc(a, n ? n : 1);
    return p ? memset(p, 0, n) : NULL;
}

#endif
