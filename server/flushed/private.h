/* What the files of this folder share.
 *
 * DESIGN. One pass over the recording builds everything, in memory: rows.c keeps series and points, build.c makes them of what feeds
 * out of an Agent and of what came over HTTP. Points stand in one array, in the order in which they came about; those of a series
 * are chained. reader.c answers from that, and hands on what is about other things than metrics.
 */
#ifndef FLUSHED_PRIVATE_H
#define FLUSHED_PRIVATE_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/table.h"
#include "flushed/flushed.h"

#define NO_POINT UINT32_MAX

struct flushed_point {
    uint64_t id;
    int64_t received_at, timestamp;
    double number;
    const struct sketch *sketch;
    const struct metric *spelling;
    enum source source;
    uint32_t series, next; /* of the series */
};

struct flushed_series {
    struct series_row row;
    struct span key;
    uint32_t same_hash; /* another series with the hash; NO_POINT: none */
    uint32_t first, last;
    const struct metric *spelling; /* the newest */
};

struct flushed {
    struct reader reader; /* first */
    struct reader *recording;
    struct arena arena; /* names, tags, spellings, sketches */
    struct flushed_series *series;
    size_t n_series, cap_series;
    struct table by_hash, by_id; /* a key's hash, a recorded series' id: to a place in series */
    struct flushed_point *points;
    size_t n_points, cap_points;
    uint32_t *order; /* the points by id; NULL: not asked for yet */
    struct buf key;  /* scratch */
    struct span *tags;
    size_t cap_tags;
};

/* rows.c. The series of these samples in a session; made when there is none. NO_POINT: out of memory. */
uint32_t flushed_series_of(struct flushed *f, struct span session, const struct metric *m);
/* The metric without its values, as the series' samples share it. NULL: out of memory. */
const struct metric *flushed_spelling_of(struct flushed *f, uint32_t series, const struct metric *m);
/* A point behind the others; its sketch is copied. -1 with err. */
int flushed_add(struct flushed *f, const struct flushed_point *point, struct err *err);

/* build.c. What a session has. */
int flushed_build(struct flushed *f, struct span session, const struct flushed_options *options,
                  struct err *err);

/* reader.c */
extern const struct reader_ops flushed_ops;

#endif
