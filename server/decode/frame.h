/* The framing of Unix stream sockets: { uint32 little-endian length; payload } repeated, in pieces of any
 * size.
 *
 * Pure. Ownership: the struct is the caller's; frame_free gives back its buffer. Initialise with {0}.
 * Errors: FRAME_BAD once a length is 0 or above FRAME_MAX: the Agent closes the connection, and so should the
 * caller. Source: schema/protocol/dogstatsd.md section 1.3; fixtures/dogstatsd/framing.jsonl.
 */
#ifndef DECODE_FRAME_H
#define DECODE_FRAME_H

#include "core/buf.h"

/* The Agent's limit is 8192 (its buffer); frames up to this are read all the same and flagged by their
 * length. */
#define FRAME_MAX 65535

enum frame_result { FRAME_OK, FRAME_BAD };

struct frame {
    unsigned char head[4];
    size_t n_head;   /* bytes of the length read so far */
    uint32_t length; /* once n_head == 4 */
    struct buf body; /* payload read so far, when a frame is split */
};

/* Takes the next bytes from the connection; calls payload(arg, bytes) for each complete frame. */
enum frame_result frame_feed(struct frame *f, struct span bytes,
                             void (*payload)(void *arg, struct span bytes), void *arg);
/* Bytes of an unfinished frame (lost when the peer closes now). */
size_t frame_pending(const struct frame *f);
void frame_free(struct frame *f);

#endif
