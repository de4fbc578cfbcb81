/* The text of chunk.vals: written once, when samples are committed, and read back value by value.
 *
 *     1.5                          one sample: its value alone
 *     {"0":1.5,"3":2,"17":[1700000000,4]}
 *                                  id - chunk.id : value
 *     {"0":[1.5,2],"17":[3,[1700000000,4],5]}
 *                                  runs, where chunk.step is given: id - chunk.id : values, each id greater by the step than the one before it
 *     value   a number (as it stood on the wire when that is JSON) or, of a set, a string
 *             [timestamp, value]   with the client's timestamp
 *             {"ts","n","sum","min","max","avg","k":[keys],"c":[counts]}   an intake sketch
 *
 * Strings keep every byte: those >= 0x80 as they are, others escaped as JSON wants.
 * A number that is not finite (only in sketches): 1e999, -1e999, null.
 * Ownership: the reader's scratch holds what a value points to, until the next value or vals_free.
 */
#ifndef STORE_SQLITE_VALS_H
#define STORE_SQLITE_VALS_H

#include "core/buf.h"
#include "core/record.h"

/* Appends one value. */
void vals_put(struct buf *b, enum metric_type type, const struct value *value);
/* Whether a value's text may stand alone in a chunk of one sample. */
static inline bool vals_is_bare(struct span text) {
    return text.n > 0 && text.p[0] != '[' && text.p[0] != '{';
}

/* The quoted JSON string at the start of `text`, appended to `b` unquoted; its length in text, or 0 when
 * malformed. */
size_t vals_unquote(struct span text, struct buf *b);

#define VALS_PADDING 72 /* bytes */

/* Not to be copied or moved from vals_start to the last value. */
struct vals_reader {
    struct span rest; /* what is left to read */
    bool object, first;
    /* VALS_PADDING zeros follow the rest, so that eight bytes may be looked at at once up to its end. */
    bool padded;
    uint64_t step;   /* of runs, else 0 */
    uint64_t offset; /* of the value just read */
    struct value value;
    uint64_t stamp_text, stamp; /* the first eight digits of the last timestamp, and what they mean */
    struct sketch sketch;
    struct buf text;
    int32_t *keys;
    uint32_t *counts;
    size_t cap_bins;
    char tail[2 * VALS_PADDING]; /* the last bytes of a text that is not padded */
};

/* step: the chunk's column, 0: NULL. One that no chunk has makes the text malformed. */
void vals_start(struct vals_reader *r, struct span vals, int64_t step);
/* The same of a copy, which the caller keeps until the last value; false when out of memory. */
bool vals_start_copy(struct vals_reader *r, struct span vals, int64_t step, struct buf *copy);
/* 1: r->offset and r->value are the next one; 0: no more; -1: malformed. */
int vals_next(struct vals_reader *r);
/* Takes the next values as long as they are plain numbers, at most max of them, with or without timestamps: several times as fast. How many;
 * where it stops, even at once, vals_next goes on. Whether offsets rise is not looked at. */
size_t vals_numbers(struct vals_reader *r, size_t max, double *numbers);
void vals_free(struct vals_reader *r);

#endif
