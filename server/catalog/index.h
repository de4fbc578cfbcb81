/* From a metric's name to its entry: exact names by hash, families by hash of what is literal in them.
 *
 * Ownership: borrows the entries' names.
 * Threads: read-only once built.
 */
#ifndef CATALOG_INDEX_H
#define CATALOG_INDEX_H

#include "catalog/catalog.h"

struct catalog_index;
/* NULL when out of memory. Of entries with the same name only the first is found. */
struct catalog_index *catalog_index_new(size_t n, const struct catalog_entry *entries);
void catalog_index_free(struct catalog_index *index);
/* The number of the entry with exactly this name or glob; SIZE_MAX: none. */
size_t catalog_index_exact(const struct catalog_index *index, struct span name);
/* The same, else of the family that matches with the most literal bytes. Adds to *steps what it took. */
size_t catalog_index_find(const struct catalog_index *index, struct span name, uint64_t *steps);

#endif
