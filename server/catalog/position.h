/* Where something stands in a JSON text: jansson says what is in it, not where.
 *
 * A place is a way down from the top: at each step the how-many-eth member or element. jansson keeps the
 * members of an object in the order of the text (and duplicates are refused), so no key has to be compared.
 * The text must have been accepted by jansson.
 * Threads: any.
 */
#ifndef CATALOG_POSITION_H
#define CATALOG_POSITION_H

#include "core/span.h"

/* The offset of the key (of an object's member) or value (of an array's element) at the end of the way; of
 * the value itself when n is 0. */
size_t position_find(struct span text, size_t n, const size_t *steps);
/* Of the first n members or elements of the value at `offset` (of a key or a value), all in one pass. */
void position_children(struct span text, size_t offset, size_t n, size_t *offsets);

/* Line and column, from 1, of an offset. `line` and `from` carry over from call to call when offsets only
 * grow; start with {1, 0}. */
struct position_line {
    size_t line, from; /* `from`: where that line starts */
    size_t at;         /* looked at so far */
};
size_t position_column(struct position_line *state, struct span text, size_t offset);

#endif
