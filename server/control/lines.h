/* The line that a sample came in, byte for byte, where datagrams were kept (--keep-datagrams).
 *
 * A datagram's row says after which id its records come. Decoding it again tells how many ids each of its lines took, and so which one
 * took that of the sample. The line is given only if it names the sample's metric: samples beyond --max-series took no id.
 *
 * Ownership: lines_of's span holds until its next call.
 * Threads: one, that of the reader.
 */
#ifndef CONTROL_LINES_H
#define CONTROL_LINES_H

#include "core/reader.h"

struct lines;
/* NULL: out of memory. */
struct lines *lines_new(void);
void lines_free(struct lines *l);
/* p == NULL: it came over HTTP, its datagram was not kept or is gone, or the reader has none. From within a row callback, too. */
struct span lines_of(struct lines *l, struct reader *r, const struct sample_row *row);

#endif
