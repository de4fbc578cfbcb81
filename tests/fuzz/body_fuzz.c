/* Content-Encoding: whatever the bytes, at most max of them come out, and memory is bounded.
 *
 * The first byte chooses the encoding, the rest is the wire.
 */
#include "http/body.h"

#include <stdint.h>
#include <stdlib.h>

#define MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const encodings[] = {"deflate",      "gzip", "zstd",    "zstd1, gzip",
                                            "gzip,deflate", "br",   "identity"};
    if (size < 1)
        return 0;
    struct span wire = span_of((const char *)data + 1, size - 1), plain;
    struct span encoding = span_str(encodings[data[0] % (sizeof encodings / sizeof encodings[0])]);
    struct buf room = {0};
    char why[96];
    enum body_result result = body_decode(wire, encoding, MAX, &room, &plain, why);
    if (result == BODY_OK) {
        if (plain.n > MAX)
            abort();
        for (size_t i = 0; i < plain.n; i++) /* every byte can be read */
            if (memchr(plain.p + i, plain.p[i], 1) == NULL)
                abort();
    } else if (result != BODY_TOO_LARGE && !why[0])
        abort();
    if (room.cap > 4 * MAX)
        abort();
    buf_free(&room);
    return 0;
}
