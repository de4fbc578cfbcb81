/* Base64 with padding, of the standard alphabet (RFC 4648, section 4). Writing it: json_put_base64.
 *
 * Threads: any.
 */
#ifndef CORE_BASE64_H
#define CORE_BASE64_H

#include "core/buf.h"

/* Adds the bytes; line ends are skipped. False when it is not base64, or the buffer is full. */
bool base64_decode(struct span text, struct buf *to);

#endif
