/* Reads a whole file, up to a limit.
 *
 * Ownership: the caller frees `text` with buf_free, also after an error.
 * Errors: -1 with err, which names the path.
 */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include "core/buf.h"
#include "core/err.h"

/* At most max bytes, whole MiB. */
int file_read(const char *path, size_t max, struct buf *text, struct err *err);
/* The same from a descriptor, which stays open; `name` is for the error. */
int file_read_from(int fd, const char *name, size_t max, struct buf *text, struct err *err);

#endif
