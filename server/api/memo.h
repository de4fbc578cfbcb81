/* Series that were decoded before: what decode/intake asks and tells through its options `next`, `known` and `learn`.
 *
 * Ownership: references are counted. A metric that memo_find or memo_add returned holds as long as a reference. A server's memos lie
 * in `struct http`, and http_stop frees those that nobody holds.
 * Threads: who took a memo has it alone until memo_give. Others may hold references to read its metrics, and drop them.
 * Errors: out of memory, there is nothing to remember with; that is no error.
 * Limits: MEMO_BYTES of one memo, of which there are as many as threads that decode at once. A full memo that is asked for what it does
 * not hold, mostly, makes place for a new one.
 */
#ifndef API_MEMO_H
#define API_MEMO_H

#include "core/metric.h"
#include "http/server.h"

#define MEMO_BYTES ((size_t)5 << 20) /* some 6,000 series */

struct metric;
struct memo;

/* The one that was given back last, or a new one; NULL: out of memory. */
struct memo *memo_take(struct http *h);
void memo_give(struct http *h, struct memo *memo);

/* A guess: the series that came after the last one the time before, if the bytes begin with its key_name. Who then finds that the rest of its
 * bytes differ asks memo_find. */
const struct metric *memo_next(struct memo *memo, char kind, struct span bytes);
const struct metric *memo_find(struct memo *memo, char kind, struct span name, struct span rest);
/* A deep copy of the metric, which has a key. NULL: there is no room. */
const struct metric *memo_add(struct memo *memo, const struct metric *metric);

void memo_hold(struct memo *memo);
void memo_drop(struct memo *memo); /* NULL: does nothing */

#endif
