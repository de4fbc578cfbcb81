/* The framing of Unix stream sockets: { uint32 little-endian length; payload } repeated, in pieces of any
 * size.
 *
 * Pure.
 * Ownership: the caller owns the struct and initialises it with {0}; frame_free frees its buffer.
 * Errors: FRAME_BAD when a length is 0 or above FRAME_MAX. The Agent then closes the connection, and so should the caller.
 * Source: schema/protocol/dogstatsd.md section 1.3; fixtures/dogstatsd/framing.jsonl.
 */
#ifndef DECODE_FRAME_H
#define DECODE_FRAME_H

#include "core/buf.h"

/* The Agent reads frames of at most 8192 bytes (its buffer). We read longer ones too, and lint tells their length. */
#define FRAME_MAX 65535

enum frame_result { FRAME_OK, FRAME_BAD };

struct frame {
    unsigned char head[4];
    size_t n_head;    /* bytes of the length read so far */
    uint32_t length;  /* once n_head == 4 */
    uint64_t n_whole; /* complete frames so far */
    /* The payload read so far, when a frame is split. After FRAME_BAD: the bytes behind the bad length. */
    struct buf body;
};

/* Takes the next bytes from the connection; calls payload(arg, bytes) for each complete frame. */
enum frame_result frame_feed(struct frame *f, struct span bytes,
                             void (*payload)(void *arg, struct span bytes), void *arg);
/* Bytes of the unfinished frame. They are lost when the peer closes now. */
size_t frame_pending(const struct frame *f);

/* Why the last bytes of a connection are no frame: after FRAME_BAD, or when the connection ended within a frame. */
struct frame_fault {
    const char *cause; /* a few words out of a short list: "no length in front" */
    char why[192];     /* the cause and its sign */
    size_t offset;     /* the place in those bytes where reading failed */
};
/* reset: the connection did not end but was broken off. */
struct frame_fault frame_explain(const struct frame *f, bool reset);
#define FRAME_KEPT 1024
/* Copies those bytes, at most FRAME_KEPT of them. Returns how many. */
size_t frame_rest(const struct frame *f, char bytes[FRAME_KEPT]);

void frame_free(struct frame *f);

#endif
