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

struct capture {
    capture_fn *take;
    void *arg;
    capture_read_fn *read; /* NULL: not known yet */
    const char *name;      /* of the format: "text", … */
    struct buf held;       /* what is not read yet */
    uint64_t at;           /* where that begins in the file */
    uint64_t n_records;    /* read so far; of text: lines */
    unsigned version;      /* of a capture of the Agent's */
    bool done;             /* the rest of the file is not for us */
};

capture_read_fn capture_read_text;

#endif
