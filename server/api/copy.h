/* Deep copies of records, for what outlives the decoder that made them.
 *
 * Ownership: the copies are the arena's; what lies in `body` is not copied, and must stay as long as they do.
 * Threads: one at a time for an arena.
 * Errors: arena->failed.
 */
#ifndef API_COPY_H
#define API_COPY_H

#include "core/arena.h"
#include "core/record.h"

/* Everything that the record points to. body: {NULL, 0}: none. */
void copy_record(struct record *record, struct arena *arena, struct span body);
/* n values to where there is room for them, with all that they point to. */
void copy_values(size_t n, const struct value *from, struct value *to, struct arena *arena, struct span body);

#endif
