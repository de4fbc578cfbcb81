/* Files of what arrived at an Agent, or of what passed a network: datagrams with the time at which each came. Fed in pieces of any size.
 *
 * What the file is shows from its first bytes:
 * - Text: SECONDS, a tab, a DogStatsD line. SECONDS is a Unix time with any decimals. Empty lines, and lines that begin with '#', are
 *   skipped.
 *
 * Pure: no I/O, no clock.
 * Ownership: capture_free. A datagram's bytes are valid until `take` returns.
 * Threads: one at a time.
 * Errors: -1 with err, a sentence that says where; then the capture is of no more use. So is one whose `take` returned -1 (with err).
 * Limits: CAPTURE_RECORD_MAX bytes of a record or a line. No more than that, and one piece, is held.
 */
#ifndef DECODE_CAPTURE_H
#define DECODE_CAPTURE_H

#include "core/err.h"
#include "core/record.h"

#define CAPTURE_RECORD_MAX ((size_t)1 << 20)

typedef int capture_fn(void *arg, int64_t at_ns, enum source source, struct span datagram, struct err *err);

struct capture;
/* NULL: out of memory. */
struct capture *capture_new(capture_fn *take, void *arg);
void capture_free(struct capture *c);
int capture_feed(struct capture *c, struct span bytes, struct err *err);
/* That was all. */
int capture_end(struct capture *c, struct err *err);

#endif
