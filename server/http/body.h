/* Undoing Content-Encoding: identity, deflate (zlib), gzip of many members, zstd (also "zstd1") of many
 * frames, and lists of them.
 *
 * Ownership: the plain body is the wire's own bytes when nothing had to be undone, else *room's, which the caller frees with
 * buf_free.
 * Threads: any.
 * Limits: max bytes after each step, so a bomb costs at most twice that; BODY_CODINGS_MAX codings; zstd windows up to
 * 2^BODY_ZSTD_WINDOW_LOG bytes.
 * Source: schema/protocol/datadog-http.md sections 1.4 and 2.2; RFC 9110 section 8.4.
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include "core/buf.h"

#define BODY_CODINGS_MAX     4
#define BODY_ZSTD_WINDOW_LOG 26

enum body_result {
    BODY_OK,
    BODY_UNKNOWN,   /* a coding that we don't know */
    BODY_CORRUPT,   /* damaged or cut short */
    BODY_TOO_LARGE, /* more than max bytes */
};

/* encoding: the header's value, p == NULL: none. why: for a person, when not BODY_OK. */
enum body_result body_decode(struct span wire, struct span encoding, size_t max, struct buf *room,
                             struct span *plain, char why[96]);

#endif
