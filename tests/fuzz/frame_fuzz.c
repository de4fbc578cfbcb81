/* Stream framing: however a stream is cut into reads, the same frames come out as from one read.
 *
 * The first byte seeds where the stream is cut, the rest is the stream.
 */
#include "decode/frame.h"

#include <stdint.h>
#include <stdlib.h>

struct seen {
    size_t n, bytes;
    uint64_t hash;
};

static void payload(void *arg, struct span bytes) {
    struct seen *seen = arg;
    if (bytes.n == 0 || bytes.n > FRAME_MAX)
        abort();
    seen->n++;
    seen->bytes += bytes.n;
    for (size_t i = 0; i < bytes.n; i++)
        seen->hash = (seen->hash ^ (unsigned char)bytes.p[i]) * 0x100000001B3;
    seen->hash += bytes.n;
}

static struct seen feed(struct span stream, uint32_t seed, bool *bad) {
    struct frame f = {0};
    struct seen seen = {0};
    enum frame_result result = FRAME_OK;
    for (size_t at = 0; at < stream.n && result == FRAME_OK;) {
        seed = seed * 1664525 + 1013904223;
        size_t left = stream.n - at, n = 1 + (seed >> 8) % 64;
        if (n > left)
            n = left;
        char *piece = malloc(n);
        if (!piece)
            abort();
        memcpy(piece, stream.p + at, n);
        result = frame_feed(&f, span_of(piece, n), payload, &seen);
        free(piece);
        at += n;
    }
    if (result == FRAME_OK && stream.n != seen.bytes + 4 * seen.n + frame_pending(&f))
        abort();
    *bad = result == FRAME_BAD;
    frame_free(&f);
    return seen;
}

static struct seen feed_whole(struct span stream, bool *bad) {
    struct frame f = {0};
    struct seen seen = {0};
    *bad = frame_feed(&f, stream, payload, &seen) == FRAME_BAD;
    frame_free(&f);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n == 0)
        return 0;
    struct span stream = span_of((const char *)data + 1, n - 1);
    bool bad_pieces, bad_whole;
    struct seen pieces = feed(stream, data[0], &bad_pieces), whole = feed_whole(stream, &bad_whole);
    if (bad_pieces != bad_whole || pieces.n != whole.n || pieces.hash != whole.hash)
        abort();
    return 0;
}
