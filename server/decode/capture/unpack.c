#include "decode/capture/capture.h"

#include <stdlib.h>
#include <zstd.h>

#define PIECE      ((size_t)128 << 10)
#define WINDOW_LOG 27 /* at most 128 MB of memory */

struct capture_unpacking {
    ZSTD_DStream *stream;
    uint64_t n_in, n_out;
    size_t wanted; /* 0: the frame is whole */
    char piece[PIECE];
};

bool capture_is_packed(struct span head) {
    return head.n >= 4 && memcmp(head.p, "\x28\xB5\x2F\xFD", 4) == 0;
}

struct capture_unpacking *capture_unpacking_new(void) {
    struct capture_unpacking *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    u->stream = ZSTD_createDStream();
    if (u->stream) {
        ZSTD_DCtx_setParameter(u->stream, ZSTD_d_windowLogMax, WINDOW_LOG);
        return u;
    }
    free(u);
    return NULL;
}

void capture_unpacking_free(struct capture_unpacking *u) {
    if (!u)
        return;
    ZSTD_freeDStream(u->stream);
    free(u);
}

int capture_unpack(struct capture_unpacking *u, struct span bytes,
                   int (*feed)(struct capture *, struct span, struct err *), struct capture *c,
                   struct err *err) {
    ZSTD_inBuffer from = {bytes.p, bytes.n, 0};
    bool full = false; /* there may be more to come out, though nothing is left to go in */
    u->n_in += bytes.n;
    while (from.pos < from.size || full) {
        ZSTD_outBuffer to = {u->piece, PIECE, 0};
        u->wanted = ZSTD_decompressStream(u->stream, &to, &from);
        if (ZSTD_isError(u->wanted))
            return err_set(err, 0, "the file is no whole zstd: %s", ZSTD_getErrorName(u->wanted));
        u->n_out += to.pos;
        if (u->n_out > CAPTURE_FREE_BYTES && u->n_out / CAPTURE_RATIO_MAX > u->n_in)
            return err_set(err, 0, "the file unpacks to more than %d times its size: that is no capture",
                           CAPTURE_RATIO_MAX);
        full = to.pos == to.size;
        if (feed(c, span_of(u->piece, to.pos), err) != 0)
            return -1;
    }
    return 0;
}

int capture_unpacking_end(const struct capture_unpacking *u, struct err *err) {
    return u->wanted == 0 ? 0 : err_set(err, 0, "the file is cut short: its last zstd frame is not whole");
}
