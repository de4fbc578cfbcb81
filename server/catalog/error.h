/* An error in a catalog or snapshot, with its place, for a person. The first error wins.
 *
 * Ownership: the caller's struct, initialised with {0}.
 */
#ifndef CATALOG_ERROR_H
#define CATALOG_ERROR_H

#include "core/buf.h"

struct catalog_error {
    bool set;
    char file[512];    /* "" when there is none */
    size_t line;       /* from 1; 0: the file as a whole */
    size_t column;     /* bytes from 1; 0: the line as a whole */
    char path[256];    /* in JSON: metrics."login.attempt".tags.env; "" elsewhere */
    char message[400]; /* one sentence without a full stop */
};

/* Always returns -1. */
int catalog_fail(struct catalog_error *e, const char *file, size_t line, size_t column, const char *format,
                 ...) __attribute__((format(printf, 5, 6)));
/* "file:line:column: message (at path)", one line without its end. */
void catalog_error_print(const struct catalog_error *e, struct buf *out);

#endif
