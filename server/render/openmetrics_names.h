/* Names that OpenMetrics takes for names that it does not take, no two of them the same. Private to render/openmetrics.c.
 *
 * First all names are noted, then they are given theirs, then they are looked up. What a name is given depends on the set of names
 * alone, not on their order. Bytes other than [a-zA-Z0-9_:] become _; where that makes two names one, or where a name would
 * be another family's sample (`x_count` beside a summary `x`), one of them gets a number: x_count_2.
 *
 * Ownership: the struct is the caller's. Initialise it with {.arena.max = N}; om_names_free.
 * Threads: one at a time.
 * Errors: `failed` stays set: out of memory, or more than arena.max bytes.
 */
#ifndef RENDER_OPENMETRICS_NAMES_H
#define RENDER_OPENMETRICS_NAMES_H

#include "core/arena.h"
#include "core/table.h"

/* What a name is of. The same name may be noted once for each. */
enum om_kind {
    OM_COUNTER,
    OM_SUMMARY,
    OM_GAUGE,
    OM_UNKNOWN,     /* a count that is negative or not a number, which no counter may be */
    OM_LOOSE_COUNT, /* the two values of what would be a summary, when one of them is no value for a summary */
    OM_LOOSE_SUM,
    OM_LABEL,
};

struct om_name {
    struct span original;
    enum om_kind kind;
    bool unfit; /* some value is none for this kind: the caller's */
    struct span given;
};

struct om_names {
    struct om_name *list;
    size_t n, cap;
    struct table places; /* (kind, original) to the place in `list` */
    struct arena arena;
    bool failed;
};

/* Notes the name if it is new. Its place in `list`; SIZE_MAX when out of memory. */
size_t om_names_note(struct om_names *names, enum om_kind kind, struct span original);
/* Gives each its name. An unfit name is left out. */
void om_names_give(struct om_names *names);
/* NULL: it was not noted. */
struct om_name *om_names_find(const struct om_names *names, enum om_kind kind, struct span original);
void om_names_free(struct om_names *names);

/* Labels are noted by key and ':', so that the tag `k` is no other's label than `k:`, or by one of these. */
#define OM_LABEL_HOST    SPAN("\0host")
#define OM_LABEL_DEVICE  SPAN("\0device")
#define OM_LABEL_SESSION SPAN("\0session")
#define OM_LABEL_SERIES  SPAN("\0series")

#endif
