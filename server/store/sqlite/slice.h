/* The samples that wait for their commit, sorted by context as they come.
 *
 *     arena    each value's text, linked to the next of its group: [next|offset|n|context|bytes]…
 *     groups   one for each context seen in this slice, in the order of their first samples: a chunk each
 *     runs     when and where the samples came in
 *     strays   of a group and a kind: the samples whose timestamps lie too far away
 *
 * No allocation per sample: the arrays are kept from slice to slice.
 * Ownership: the struct is the caller's; slice_free gives its memory back.
 * Limits: SLICE_IDS_MAX ids, or fewer that the caller names; SLICE_BYTES_MAX bytes of the arena, but one larger value finds room alone. A buffer that grows is doubled, so
 * it takes up to twice as much.
 */
#ifndef STORE_SQLITE_SLICE_H
#define STORE_SQLITE_SLICE_H

#include "core/buf.h"
#include "core/record.h"

#define SLICE_IDS_MAX   (1 << 21)
#define SLICE_BYTES_MAX ((size_t)64 << 20)
/* A group is two rows, however few its samples. So a slice has so many ids to a group, or so many in all, before ids_max ends it. */
#define SLICE_IDS_GROUP 32
#define SLICE_IDS_SHORT (1 << 16)

struct slice_group {
    uint32_t context, series; /* ix of the store's intern table */
    uint32_t head, tail;      /* offsets of entries in the arena */
    uint32_t n;
    uint32_t first, last; /* id - slice.first_id */
    /* So many pieces the ids are in, in each of which every id is greater by the step than the one before it. */
    uint32_t runs, step;
    double count, sum, min, max, last_value;
    int64_t first_at, last_at;
    bool sampled;
    uint32_t strays; /* its first: place + 1; 0: none */
};

/* Samples of a group whose timestamps lie too far away: core/stray.h. */
struct slice_stray {
    uint32_t context; /* as the group's */
    uint32_t kind;
    uint32_t next; /* of the same group: place + 1; 0: none */
    uint32_t n;
    int64_t timestamp; /* of the first */
    uint64_t first_id, last_id;
};

struct slice_run {
    uint64_t first_id, last_id;
    int64_t received_at;
    enum source source;
};

struct slice_entry {
    uint32_t next; /* offset in the arena; 0: the last */
    uint32_t offset;
    uint32_t n;
    uint32_t context; /* ix */
};

struct slice {
    uint64_t first_id;
    struct buf arena;
    struct slice_group *groups;
    size_t n_groups, cap_groups;
    struct slice_run *runs;
    size_t n_runs, cap_runs;
    struct slice_stray *strays;
    size_t n_strays, cap_strays;
    struct buf vals; /* scratch of slice_join */
    bool sampled;    /* some value has a rate other than 1 */
    size_t kept;     /* offset in the arena: what is before it has been kept (keep.c) */
    size_t kept_run; /* of the first that has not */
    struct {
        int64_t timestamp; /* of the last value that had one; 0: none yet */
        size_t at, n;      /* where "[timestamp," stands in the arena */
    } stamp;
};

static inline bool slice_is_empty(const struct slice *s) {
    return s->n_groups == 0;
}
/* Whether so many ids are too few for the rows that they would make. */
static inline bool slice_is_short(const struct slice *s, uint64_t n_ids) {
    return n_ids < SLICE_IDS_SHORT && n_ids < SLICE_IDS_GROUP * s->n_groups;
}
/* Whether id still fits. */
static inline bool slice_has_room(const struct slice *s, uint64_t id, uint64_t ids_max) {
    uint64_t n_ids = id - s->first_id;
    return s->n_groups == 0 ||
           ((n_ids < ids_max || slice_is_short(s, n_ids)) && s->arena.n < SLICE_BYTES_MAX);
}

/* All return false when out of memory. */
/* A new group; its index is n_groups - 1. */
bool slice_add_group(struct slice *s, uint32_t context, uint32_t series);
bool slice_add_value(struct slice *s, struct slice_group *group, uint64_t id, enum metric_type type,
                     const struct value *value);
/* The sample `id` of the group is one of that kind. */
bool slice_add_stray(struct slice *s, struct slice_group *group, uint32_t kind, uint64_t id,
                     int64_t timestamp);
/* A value that is text already, as in a chunk. */
bool slice_add_text(struct slice *s, struct slice_group *group, uint64_t id, struct span text);
bool slice_begin_run(struct slice *s, uint64_t id, int64_t received_at, enum source source);
/* The sample `id` came in then and there. */
static inline bool slice_add_run(struct slice *s, uint64_t id, int64_t received_at, enum source source) {
    struct slice_run *last = s->n_runs ? &s->runs[s->n_runs - 1] : NULL;
    if (!last || last->received_at != received_at || last->source != source)
        return slice_begin_run(s, id, received_at, source);
    last->last_id = id;
    return true;
}

/* The arena's entries, one behind the other; n: of the one there. */
static inline const struct slice_entry *slice_entry_at(const struct slice *s, size_t offset) {
    return (const struct slice_entry *)(const void *)(s->arena.p + offset);
}
static inline size_t slice_entry_end(size_t offset, uint32_t n) {
    return offset + sizeof(struct slice_entry) + (n + 3) / 4 * 4;
}

/* The text of a group's chunk (vals.h); it holds until the next call. step: of runs, else 0. */
bool slice_join(struct slice *s, const struct slice_group *group, struct span *text, uint32_t *step);
void slice_clear(struct slice *s);
void slice_shrink(struct slice *s); /* what a large slice needed goes back */
void slice_free(struct slice *s);

#endif
