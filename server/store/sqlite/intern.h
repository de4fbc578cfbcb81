/* Which series and spelling a metric belongs to: an in-memory table from a 96-bit hash to a small number.
 *
 * It holds no text: the hashes are seeded by the file, so that nobody who does not know the seed makes two metrics meet, and
 * at a million series the odds that two do by chance are 1 in 10^16, and with a thousand sessions those that two of them share all keys 1 in 10^13. Three kinds of entry share the table (the
 * hashed bytes differ): context  a metric's key as its decoder gave it, or all its fields -> contexts[ix]
 *   series   name, type, sorted tags, host, device                    -> series[ix]
 *   name     name and type, which many series may have                -> names[ix]
 *
 * Ownership: the struct is the caller's; intern_clear gives its memory back.
 * Limits: 2^32 - 1 slots, 2^32 - 2 contexts, 2^31 - 1 series, 2^30 names; what is stored is never removed but by intern_clear (the store
 * reloads the table when much of it has been forgotten).
 */
#ifndef STORE_SQLITE_INTERN_H
#define STORE_SQLITE_INTERN_H

#include "core/span.h"
#include <stdint.h>

#define INTERN_NONE       UINT32_MAX
#define INTERN_SERIES_MAX INT32_MAX
#define INTERN_NAMES_MAX  (1u << 30)
#define INTERN_AHEAD      8 /* keys: longer than the memory needs */

struct intern_hash {
    uint64_t low;
    uint32_t high;
};

struct intern_slot {
    uint64_t low;
    uint32_t high;
    uint32_t ix_plus_1; /* 0: free */
};

struct intern_context {
    uint64_t id;
    double count, factor; /* metric_weigh */
    uint32_t series : 31; /* ix */
    uint32_t sampled : 1; /* its rate is not 1 */
    uint32_t group;       /* ix of its group in the open slice, or INTERN_NONE */
};

/* A series with its summary, so that a commit can write it without reading. NaN: not a number (yet). */
struct intern_series {
    uint64_t id;
    uint64_t last_chunk; /* 0: none yet */
    uint64_t samples, first_id, last_id;
    int64_t first_at, last_at;
    double count, sum, min, max, last;
    uint64_t fell_id; /* the last sample that was less than the one before; 0: none; INTERN_FALL_UNKNOWN */
    uint32_t own;     /* ix of its own spelling, which no hash leads to, or INTERN_NONE: identity.c */
    uint32_t before;  /* ix of the series before it of the same name and type, or INTERN_NONE */
    uint32_t of : 30; /* ix of its name or, when its name has totals, of these */
    uint32_t totalled : 1;
    uint32_t sampled : 1;
};
/* Of a series in an older file that has not fallen since. */
#define INTERN_FALL_UNKNOWN UINT64_MAX

/* A name and type in one session. */
struct intern_name {
    uint32_t n_series;
    uint32_t oldest, newest; /* ix of series; they lead from the newest one to the oldest */
    uint32_t total;          /* ix in the store's totals, or INTERN_NONE */
};

/* Whose keys they are. */
struct intern_scope {
    uint64_t session_id, era;
    uint64_t kind;
};

struct intern {
    uint64_t seed;
    struct intern_scope scope; /* of the key that was hashed last, and the seed that it gave */
    uint64_t scope_seed;
    uint64_t table; /* how often it was cleared: an ix of an earlier table means nothing now */
    struct intern_slot *slots;
    size_t n_slots, n_used;
    struct intern_context *contexts;
    uint32_t
        *after; /* of each context: the slot of the key that came INTERN_AHEAD keys later the last time */
    uint32_t n_contexts, cap_contexts;
    struct intern_step {
        uint32_t context; /* found INTERN_AHEAD keys ago */
        uint32_t slot;    /* where this key was the last time */
    } trail[INTERN_AHEAD];
    unsigned n_steps; /* keys found; it may wrap */
    struct intern_series *series;
    uint32_t n_series, cap_series;
    struct intern_name *names;
    uint32_t n_names, cap_names;
};

void intern_clear(struct intern *in); /* keeps the seed, and counts */
struct intern_hash intern_hash(const struct intern *in, struct span bytes);
/* Of a key in two parts: equal when scope and both parts are, else different by all odds. */
struct intern_hash intern_hash_key(struct intern *in, const struct intern_scope *scope, struct span name,
                                   struct span rest);
uint32_t intern_find(const struct intern *in, struct intern_hash hash);
/* The same for the keys of metrics, one after the other. Those that come in the order of the last time have been fetched in advance. */
uint32_t intern_find_next(struct intern *in, struct intern_hash hash);
/* The hash is about to be looked for, or led to: what comes meanwhile need not wait for the memory. */
void intern_prefetch(const struct intern *in, struct intern_hash hash);
/* So many series are about to be led to. When out of memory, or where they are too many, the table grows as they come. */
void intern_expect(struct intern *in, uint64_t n_series);
/* Makes the hash lead to ix; false when out of memory. The hash must not be there yet. */
bool intern_lead(struct intern *in, struct intern_hash hash, uint32_t ix);
/* Append; INTERN_NONE when out of memory. */
uint32_t intern_add_context(struct intern *in, const struct intern_context *context);
uint32_t intern_add_series(struct intern *in, const struct intern_series *series);
uint32_t intern_add_name(struct intern *in, const struct intern_name *name);

#endif
