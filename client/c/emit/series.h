/* The series that one shard of the aggregation knows: what each gathered since it was last sent, and the
 * table in which they are found.
 *
 * Ownership: series belong to their table. A series that was found or added stays where it is until
 * series_forget.
 * Threads: one at a time; the owner of the table holds its lock.
 * Errors: NULL or false: memory is out.
 */
#ifndef CLIENT_EMIT_SERIES_H
#define CLIENT_EMIT_SERIES_H

#include "emit/identity.h"

struct series {
    uint64_t hash;
    struct series *before, *after; /* among those touched: the shard's */
    enum statwit_type type;
    bool touched;
    bool real;          /* the value is integer + sum, not integer alone */
    unsigned idle;      /* flushes since it was touched */
    unsigned n_metrics; /* calls since it was sent */
    int64_t integer;
    double sum;
    char *values; /* ":1:2.5", packed */
    size_t n_values, cap_values;
    size_t n_identity, n_head, n_tail;
    char bytes[]; /* identity, head (the name), tail */
};

#define N_RECENT 16

struct series_table {
    struct series **slots; /* open addressing; a power of two of them, at most half in use */
    size_t n_slots, n_series;
    struct series *recent[N_RECENT]; /* found last, by where the strings of the call lie */
};

/* Where the series may be that a call with these strings had the last time. They may hold something else by now. */
static inline struct series **series_recent(struct series_table *table, const struct sample *sample) {
    const struct statwit_tag *tags = sample->call->tags;
    uintptr_t place = (uintptr_t)sample->key ^ (tags && tags->key ? (uintptr_t)tags->value * 5 : 0);
    return &table->recent[(place ^ place >> 4 ^ place >> 8) % N_RECENT];
}

/* The key that the calls gave; identity_make puts it behind the type. */
static inline const char *series_key(const struct series *series) {
    return series->bytes + 1;
}

/* Where the series is, or would be. The table has slots. */
static inline struct series **series_slot(const struct series_table *table, const struct identity *identity) {
    size_t size = line_size(&identity->line);
    for (size_t i = identity->hash & (table->n_slots - 1);; i = (i + 1) & (table->n_slots - 1)) {
        struct series *series = table->slots[i];
        if (!series || (series->hash == identity->hash && series->n_identity == size &&
                        memcmp(series->bytes, identity->bytes, size) == 0))
            return &table->slots[i];
    }
}

/* NULL: not there. */
static inline struct series *series_find(const struct series_table *table, const struct identity *identity) {
    return table->n_slots ? *series_slot(table, identity) : NULL;
}

/* Adds what is not there. NULL also for a line that is too long to be kept. Scopes must be locked. */
struct series *series_insert(struct series_table *table, const struct config *config,
                             const struct identity *identity, const struct sample *sample);
/* Frees the series that were idle for at least so many flushes, and says how many. They may not be among
 * those touched. */
size_t series_forget(struct series_table *table, unsigned idle);
void series_clear(struct series_table *table);

/* The sample is counted in. */
bool series_add(struct series *series, const struct sample *sample);
/* Bytes that are enough for its line, with one more value packed into it. */
size_t series_size(const struct series *series);
void series_render(const struct series *series, struct line *line);
/* It was sent. */
void series_reset(struct series *series);

#endif
