/* A reader that fails at its n-th call, for tests of who reads recordings: an answer must not come of half of one.
 *
 * Ownership: the caller's; `real` must outlive it. Threads: one.
 */
#ifndef SUPPORT_BROKEN_READER_H
#define SUPPORT_BROKEN_READER_H

#include "core/reader.h"

struct broken {
    struct reader reader;
    struct reader *real;
    long left;   /* calls that succeed before one fails */
    bool midway; /* that one has handed out its rows already */
    bool failed; /* it came to that */
};

/* b->reader is what to read from. */
void broken_init(struct broken *b, struct reader *real, long left, bool midway);

#endif
