/* One call of `samples` under way: samples.c says how it goes. Nobody but gather.c and samples.c includes this. */
#ifndef STORE_SQLITE_READING_H
#define STORE_SQLITE_READING_H

#include "store/sqlite/rows.h"
#include "store/sqlite/vals.h"
#include <errno.h>
#include <stdlib.h>

struct chosen {
    uint64_t id, last_chunk, first_id, last_id, samples;
};

struct open_chunk {
    uint64_t next_id; /* of the sample that vals stands at */
    uint64_t id, context_id;
    struct vals_reader vals;
    struct buf text;
};

struct reading {
    struct rows *r;
    const struct filter *filter;
    struct err *err;

    bool all;        /* of all series, or of a session's: `chosen` is empty */
    bool of_session; /* of those in the filter's session alone */
    struct chosen *chosen;
    size_t n_chosen, cap_chosen;
    size_t max_chosen;         /* 0: no bound */
    const struct chosen *list; /* those of them that this range is read for */
    size_t n_list;

    /* Where chunks come from: the table, or a list of ids. */
    bool by_table;
    sqlite3_stmt *stmt;
    uint64_t *ids;
    size_t n_ids, cap_ids, at_id;

    struct open_chunk **heap;
    size_t n_heap, cap_heap;
    struct open_chunk **spare;
    size_t n_spare, cap_spare;

    bool in_parts; /* it goes on where its callback stops it */
    bool at_chunk; /* stmt stands at a chunk that was not opened yet, */
    bool at_end;   /* or behind the last one */

    struct rows_arrival arrival; /* of the last sample; it holds up to arrival_end */
    uint64_t arrival_end;

    uint64_t from, to; /* ids to hand out, both inclusive */
    uint64_t skip;     /* so many matches are not handed out */
    uint64_t n_matches;
    bool counting;
    int (*row)(void *, const struct sample_row *);
    void *arg;
};

static inline int reading_no_memory(struct reading *g) {
    return err_set(g->err, ENOMEM, "cannot read the recording");
}

/* gather.c */
/* Fills g->chosen with the series that the filter lets by. 1: there are more than g->max_chosen. */
int gather_series(struct reading *g, bool ordered);
/* Readies the chunks that may hold samples of g->list (all series when g->all) with ids from g->from to g->to. */
int gather_chunks(struct reading *g);
/* The next chunk's row, (id, context_id, vals, step) of g->stmt: 1, 0: no more, -1. */
int gather_next(struct reading *g);

#endif
