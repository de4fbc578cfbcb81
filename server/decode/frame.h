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
    size_t n_head;    /* bytes of the length read so far */
    uint32_t length;  /* once n_head == 4 */
    uint64_t n_whole; /* frames handed over */
    /* Payload read so far, when a frame is split. After FRAME_BAD: what stands behind the length. */
    struct buf body;
};

/* Takes the next bytes from the connection; calls payload(arg, bytes) for each complete frame. */
enum frame_result frame_feed(struct frame *f, struct span bytes,
                             void (*payload)(void *arg, struct span bytes), void *arg);
/* Bytes of an unfinished frame (lost when the peer closes now). */
size_t frame_pending(const struct frame *f);

/* Why what is left of a connection is no frame: after FRAME_BAD, or when the connection has ended with something pending. */
struct frame_fault {
    const char *cause; /* a few words, of which there are few: "no length in front" */
    char why[192];     /* the cause, and what it was seen by */
    size_t offset;     /* where in those bytes reading failed */
};
/* reset: the connection did not end but was broken off. */
struct frame_fault frame_explain(const struct frame *f, bool reset);
#define FRAME_KEPT 1024
/* Those bytes, FRAME_KEPT at most; returns how many. */
size_t frame_rest(const struct frame *f, char bytes[FRAME_KEPT]);

void frame_free(struct frame *f);

#endif
