/* A word and a sentence about a place in a line, with a caret under it: for rejects and remarks.
 *
 * Printed to stdout. Ownership: spans are the caller's. Threads: one.
 */
#ifndef COMMAND_PLACE_H
#define COMMAND_PLACE_H

#include "core/buf.h"
#include <jansson.h>

struct place {
    struct span word, detail;
    struct span line; /* n == 0: it is not known, and not shown */
    double offset;
};

/* "12:00:00.123456 udp  ": when and where the row came in. */
void place_head(const json_t *row);
/* The rest of that line, and the line with its caret, cut to what lies around the place. */
void place_show(const struct place *place);
/* The exact bytes of a row's field; `decoded` holds them when they are not UTF-8. */
struct span place_bytes(const json_t *row, const char *field, struct buf *decoded);

#endif
