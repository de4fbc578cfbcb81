/* Files of what arrived at an Agent, or of what passed a network: datagrams with the time at which each came. Fed in pieces of any size.
 *
 * What the file is shows from its first bytes:
 * - Text: SECONDS, a tab, a DogStatsD line. SECONDS is a Unix time with any decimals. Empty lines, and lines that begin with '#', are
 *   skipped.
 * - A capture of the Agent's (`agent dogstatsd-capture`), of version 1 to 3.
 * - pcap, with times in microseconds or nanoseconds: UDP datagrams to one port over IPv4 and IPv6. Fragments, and what the capture has
 *   cut, are counted and skipped.
 * Each of them may be packed with zstd.
 *
 * Pure: no I/O, no clock.
 * Ownership: capture_free. A datagram's bytes are valid until `take` returns.
 * Threads: one at a time.
 * Errors: -1 with err, a sentence that says where; then the capture is of no more use. So is one whose `take` returned -1 (with err).
 * Limits: CAPTURE_RECORD_MAX bytes of a record or a line. No more than that, and one piece, is held. What zstd unpacks is at most
 * CAPTURE_RATIO_MAX times as long as the file, once it is longer than CAPTURE_FREE_BYTES.
 * Source: schema/protocol/dogstatsd.md section 11.
 */
#ifndef DECODE_CAPTURE_H
#define DECODE_CAPTURE_H

#include "core/err.h"
#include "core/record.h"

#define CAPTURE_RECORD_MAX ((size_t)1 << 20)
#define CAPTURE_RATIO_MAX  1000
#define CAPTURE_FREE_BYTES ((uint64_t)64 << 20)

typedef int capture_fn(void *arg, int64_t at_ns, enum source source, struct span datagram, struct err *err);

struct capture;
/* port: of the datagrams of a pcap. NULL: out of memory. */
struct capture *capture_new(int port, capture_fn *take, void *arg);
void capture_free(struct capture *c);
int capture_feed(struct capture *c, struct span bytes, struct err *err);
/* That was all. */
int capture_end(struct capture *c, struct err *err);

/* What a pcap had that was skipped. */
struct capture_skipped {
    uint64_t fragments;   /* of IP */
    uint64_t cut;         /* datagrams to the port of which the capture has only the beginning */
    uint64_t other_ports; /* UDP datagrams to others */
};
struct capture_skipped capture_skipped(const struct capture *c);

#endif
