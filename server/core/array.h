/* A growing array: a pointer, a number of items, and room for `cap` of them.
 *
 * Ownership: the caller's, to be freed with free.
 * Limits: the caller's, which looks at n before it asks for more.
 */
#ifndef CORE_ARRAY_H
#define CORE_ARRAY_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_LARGE 256 /* bytes: of such items there is often just one */

/* Room for one more item of `size` bytes behind the n that are there. `array` is the address of the pointer, which may
 * move. false: out of memory, and everything is as it was. */
static inline bool array_room(void *array, size_t n, size_t *cap, size_t size) {
    if (n < *cap)
        return true;
    size_t more = *cap ? *cap * 2 : size < ARRAY_LARGE ? 4 : 1;
    void *items, *moved;
    memcpy(&items, array, sizeof items);
    moved = realloc(items, more * size);
    if (!moved)
        return false;
    memcpy(array, &moved, sizeof moved);
    *cap = more;
    return true;
}

#endif
