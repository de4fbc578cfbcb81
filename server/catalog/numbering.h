/* Names and their numbers.
 *
 * Ownership: initialise with {0}; numbering_free gives the memory back.
 * Threads: one at a time.
 * Errors: `failed` is sticky: out of memory.
 */
#ifndef CATALOG_NUMBERING_H
#define CATALOG_NUMBERING_H

#include "catalog/memory.h"
#include "core/table.h"

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
