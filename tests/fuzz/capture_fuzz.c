/* Captures: however a file is cut into reads, the same datagrams come out as from one read, and the same verdict.
 * Of a packed file that is damaged, only the verdict: zstd throws away what a read held before the damage.
 *
 * The first byte seeds where the file is cut, the rest is the file.
 */
#include "decode/capture.h"

#include <stdint.h>
#include <stdlib.h>

#define PORT 8125

struct seen {
    size_t n;
    uint64_t hash;
    int failed;
};

static int take(void *arg, int64_t at_ns, enum source source, struct span datagram, struct err *err) {
    struct seen *seen = arg;
    (void)err;
    if (at_ns < 0 || datagram.n > CAPTURE_RECORD_MAX)
        abort();
    seen->n++;
    seen->hash = (seen->hash ^ (uint64_t)at_ns ^ (uint64_t)source) * 0x100000001B3;
    for (size_t i = 0; i < datagram.n; i++)
        seen->hash = (seen->hash ^ (unsigned char)datagram.p[i]) * 0x100000001B3;
    return 0;
}

/* In one read when seed is 0. */
static struct seen read_file(struct span file, uint32_t seed) {
    struct err err = {0};
    struct seen seen = {0};
    struct capture *c = capture_new(PORT, take, &seen);
    if (!c)
        abort();
    for (size_t at = 0, n; at < file.n && !seen.failed; at += n) {
        uint32_t step = seed = seed * 1664525 + (seed ? 1013904223 : 0);
        n = step ? 1 + (step >> 8) % 64 : file.n;
        n = n < file.n - at ? n : file.n - at;
        char *piece = malloc(n);
        if (!piece)
            abort();
        memcpy(piece, file.p + at, n);
        seen.failed = capture_feed(c, span_of(piece, n), &err);
        free(piece);
    }
    seen.failed = seen.failed || capture_end(c, &err);
    if (seen.failed && !err.set)
        abort();
    capture_free(c);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n == 0)
        return 0;
    struct span file = span_of((const char *)data + 1, n - 1);
    struct seen whole = read_file(file, 0), pieces = read_file(file, data[0] + 1U);
    if (pieces.failed != whole.failed)
        abort();
    bool damaged = whole.failed && file.n >= 4 && memcmp(file.p, "\x28\xB5\x2F\xFD", 4) == 0;
    if (!damaged && (pieces.n != whole.n || pieces.hash != whole.hash))
        abort();
    return 0;
}
