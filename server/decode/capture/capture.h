/* What the readers of the formats share. */
#ifndef DECODE_CAPTURE_CAPTURE_H
#define DECODE_CAPTURE_CAPTURE_H

#include "core/buf.h"
#include "decode/capture.h"
#include <sys/types.h>

#define CAPTURE_NS_PER_S 1000000000LL
#define CAPTURE_S_MAX    (INT64_MAX / CAPTURE_NS_PER_S - 1)

/* Reads the record that `bytes` begins with. Returns its length, 0 when more bytes are needed, -1 with err. `last`: there are no
 * more; then 0 means that the record is cut short. */
typedef ssize_t capture_read_fn(struct capture *c, struct span bytes, bool last, struct err *err);

struct capture_unpacking;
struct capture {
    capture_fn *take;
    void *arg;
    int port;
    capture_read_fn *read;            /* NULL: not known yet */
    struct capture_unpacking *packed; /* NULL: it is not */
    struct buf held;                  /* what is not read yet */
    uint64_t at;                      /* where that begins in the file, unpacked */
    uint64_t n_lines;                 /* of a text */
    unsigned version;                 /* of a capture of the Agent's */
    struct {
        bool big_endian, nanoseconds;
        uint32_t link;
    } pcap;
    struct capture_skipped skipped;
    bool done; /* the rest of the file is not for us */
};

/* A head: reads it, and sets c->read to what reads the rest. */
capture_read_fn capture_read_text, capture_read_agent_head, capture_read_pcap_head;
bool capture_is_agent(struct span head);
bool capture_is_pcap(struct span head);

static inline uint32_t capture_u32(const char *p, bool big_endian) {
    const unsigned char *b = (const unsigned char *)p;
    return big_endian ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]
                      : (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

/* unpack.c: zstd. */
bool capture_is_packed(struct span head);
struct capture_unpacking *capture_unpacking_new(void);
void capture_unpacking_free(struct capture_unpacking *u);
/* Unpacks the bytes and hands the pieces to `feed`. */
int capture_unpack(struct capture_unpacking *u, struct span bytes,
                   int (*feed)(struct capture *, struct span, struct err *), struct capture *c,
                   struct err *err);
/* Whether the last frame is whole. */
int capture_unpacking_end(const struct capture_unpacking *u, struct err *err);

#endif
