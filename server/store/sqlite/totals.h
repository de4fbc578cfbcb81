/* What all series of one session, name and type come to, kept beside the summaries of the series, so that whoever lists names does not
 * read each series of them. Only for names that have TOTALS_FROM series or more: the rows are few beside the summaries that each
 * commit writes, and fewer series are quickly read.
 *
 * Ownership: the store's. Threads: the writer's.
 * Errors: -1 with err.
 */
#ifndef STORE_SQLITE_TOTALS_H
#define STORE_SQLITE_TOTALS_H

#include "core/buf.h"
#include "store/sqlite/bulk.h"
#include "store/sqlite/intern.h"
#include "store/sqlite/slice.h"

#define TOTALS_FROM 32 /* series of a name */
#define TOTALS_KEYS 8  /* tag keys that are kept of them */

struct store;

struct total {
    uint64_t metric_id; /* its row: that of its oldest series */
    uint64_t session_id;
    uint32_t name; /* ix */
    bool dirty;    /* its row must be written; then it stands in totals.dirty */
    bool stale;    /* it must be summed up again before that */
    bool gone;     /* its row is not in the file, as some of its samples went */
    bool has_keys;
    uint64_t samples, last_id;
    double count, sum, min, max, last;
    int64_t first_at, last_at;
    size_t n_keys;
    uint64_t keys[TOTALS_KEYS]; /* hashes */
    struct buf text;            /* of the keys: a JSON array without its end */
};

struct name_totals {
    struct total *list;
    size_t n, cap;
    uint32_t *dirty; /* ix in list; there is always room for all */
    size_t n_dirty;
    struct due_total { /* a name that has come to so many series */
        uint64_t session_id;
        uint32_t name; /* ix */
    } * due;
    size_t n_due, cap_due;
    struct buf key; /* scratch */
};

/* Of a name and type in a session; false when out of memory. */
bool totals_hash(struct store *s, uint64_t session_id, uint64_t era, enum metric_type type, struct span name,
                 struct intern_hash *hash);
/* A series joins the name of this hash; its `of` says which. The tags are its own, in order; NULL: they are in the file. */
int totals_join(struct store *s, uint64_t session_id, struct intern_hash hash, uint32_t series, size_t n_tags,
                const struct span *tags, struct err *err);
/* Names that have come to so many series have totals from now on. */
int totals_begin(struct store *s, struct err *err);
/* What a slice adds to a series whose name has totals. */
void totals_add(struct store *s, uint32_t total, const struct slice_group *g, uint64_t last_id);
/* Writes the rows that changed into the open transaction. */
int totals_write(struct store *s, struct err *err);
/* The series lost some of its samples, and with them its name's row is gone from the file. */
int totals_lost(struct store *s, uint32_t series, struct err *err);
/* Everything of a session was forgotten: none of its rows is written any more. */
void totals_forget(struct name_totals *t, uint64_t session_id);
void totals_clear(struct name_totals *t);

#endif
