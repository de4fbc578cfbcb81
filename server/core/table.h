/* A hash table from 64-bit keys (ids, or hashes of what is looked up) to 32-bit numbers, most often places in an array.
 *
 * It has open addressing, 16 bytes a slot, and is 3/4 full at most. Two tables of the house have longer keys and are their
 * own: server/judge/evaluate/distinct.c keeps sets of 128-bit hashes, in as many bytes a slot as this one needs for a key and a
 * number; server/store/sqlite/intern.c has 96 bits of hash and a number in 16 bytes, on the way of every sample. Longer keys in
 * this table would cost all others a third more memory.
 *
 * Ownership: initialise with {0}; table_free gives the memory back. A pointer to a value is good until the next put.
 * Threads: one at a time.
 * Errors: `failed` is sticky: out of memory.
 */
#ifndef CORE_TABLE_H
#define CORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
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
/* Stores the value, in place of an older one. -1: out of memory. */
int table_set(struct table *t, uint64_t key, uint32_t value);
void table_free(struct table *t);

#endif
