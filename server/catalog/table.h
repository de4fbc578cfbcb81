/* Numbers by number, and names by number: the two small hash tables that counting needs.
 *
 * Ownership: initialise with {0}; *_free gives the memory back. Threads: one at a time.
 * Errors: `failed` is sticky: out of memory.
 */
#ifndef CATALOG_TABLE_H
#define CATALOG_TABLE_H

#include "catalog/memory.h"

#include <stdint.h>

struct table {
    size_t n, size;
    struct table_slot *slots;
    bool failed;
};

/* The value stored for the key, or NULL. */
uint32_t *table_get(const struct table *t, uint64_t key);
/* The same, stored as `value` first when there was none: then *added. NULL when out of memory. */
uint32_t *table_put(struct table *t, uint64_t key, uint32_t value, bool *added);
void table_free(struct table *t);

/* Names with numbers 0, 1, 2, … in the order in which they came. The bytes are copied. */
struct numbering {
    size_t n, cap;
    struct span *list;
    struct table by_hash;
    struct arena arena;
    bool failed;
};
#define NUMBERING_NONE SIZE_MAX
/* SIZE_MAX when out of memory. */
size_t numbering_put(struct numbering *names, struct span name);
size_t numbering_get(const struct numbering *names, struct span name);
/* Each word of a list like "env,host". -1: out of memory. */
int numbering_put_list(struct numbering *names, struct span list);
void numbering_free(struct numbering *names);

#endif
