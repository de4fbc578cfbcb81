/* The flushes that an Agent would have sent for a recording, as text, some at a time: for GET /recorder/v1/flush and for
 * `statwit flush --db`. flushed/feed.h says what is read, and when it is flushed.
 *
 * Ownership: flush_free. What the question points to is copied by flush_new.
 * Threads: one at a time; each step may have another reader on the same recording.
 * Errors: -1 with err; then the flush is of no more use.
 * Limits: those of flushed/feed.h. Memory does not grow with the recording.
 */
#ifndef CONTROL_FLUSH_H
#define CONTROL_FLUSH_H

#include "agent/payload.h"
#include "flushed/feed.h"

#define FLUSH_PAGE     ((size_t)256 << 10) /* bytes after which a step ends */
#define FLUSH_TEXT_MAX 512                 /* bytes of a glob */

struct flush_question {
    struct feed_question feed;
    enum payload_format format;
    struct span only; /* a glob: series with such names; p == NULL: all */
};

struct flushes;
struct flushes *flush_new(const struct flush_question *q, struct err *err);
void flush_free(struct flushes *f);
/* Appends to out. 1: there is more; 0: that was all; -1. Between begin and end of the reader. */
int flush_step(struct flushes *f, struct reader *r, struct buf *out, struct err *err);

#endif
