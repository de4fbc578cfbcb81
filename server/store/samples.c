/* DESIGN. Samples lie in chunks: those of one context in one slice of the stream. Chunks of one slice
 * overlap, chunks of different slices don't. So:
 *
 *     select    the series asked for, with the heads of their chains (or all series)
 *     gather    their chunks in a range of ids: by walking the chains back, or, when the series asked for are
 * a good part of all, by reading the table in its order and passing over the others merge     chunks come in
 * order of their first sample; those that are open lie in a heap by their next one, and a sample goes out
 * once no chunk to come can hold an earlier one
 *
 * The newest N are found by looking at a range at the end, and at one eight times as long until there are
 * enough.
 */
#include "store/rows.h"
#include "store/vals.h"
#include <errno.h>
#include <stdlib.h>

#define RANGE_END  2
#define GATHER_MAX ((size_t)4 << 20) /* chunks; beyond, the table is read instead */

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

    bool all; /* no condition on series: `chosen` is empty */
    struct chosen *chosen;
    size_t n_chosen, cap_chosen;
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

    uint64_t from, to; /* ids to hand out, both inclusive */
    uint64_t skip;     /* so many matches are not handed out */
    uint64_t n_matches;
    bool counting;
    int (*row)(void *, const struct sample_row *);
    void *arg;
};

static int no_memory(struct reading *g) {
    return err_set(g->err, ENOMEM, "cannot read the recording");
}

static bool room(void **array, size_t n, size_t *cap, size_t size) {
    if (n < *cap)
        return true;
    size_t more = *cap ? *cap * 2 : 64;
    void *p = realloc(*array, more * size);
    if (!p)
        return false;
    *array = p;
    *cap = more;
    return true;
}

/* --- select ------------------------------------------------------------------------------------ */

static const struct rows_columns series_columns = {.id = "m.id",
                                                   .session_id = "m.session_id",
                                                   .name = "m.name",
                                                   .type = "m.type",
                                                   .series_id = "m.id",
                                                   .has_tags = true,
                                                   .all_ids = true};

static int choose_rows(struct reading *g, sqlite3_stmt *stmt, struct rows_tags *tags) {
    const struct filter *f = g->filter;
    int got;
    while ((got = db_row(g->r->db, stmt, g->err)) == 1) {
        if (!rows_name_matches(f, db_span(stmt, 5)))
            continue;
        if (f->n_tags > 0) {
            if (rows_tags(tags, db_span(stmt, 6), g->err) != 0)
                return -1;
            if (!rows_tags_match(f, tags))
                continue;
        }
        void *array = g->chosen;
        if (!room(&array, g->n_chosen, &g->cap_chosen, sizeof *g->chosen))
            return no_memory(g);
        g->chosen = array;
        g->chosen[g->n_chosen++] =
            (struct chosen){db_id(stmt, 0), db_id(stmt, 1), db_id(stmt, 2), db_id(stmt, 3), db_id(stmt, 4)};
    }
    return got;
}

static int choose_series(struct reading *g, bool ordered) {
    struct filter f = *g->filter; /* the source is a matter of each sample */
    f.has_source = false;
    if (ordered)
        f.after_series = 0;
    struct rows_where w;
    struct rows_tags tags = {0};
    rows_where(&w, &f, &series_columns);
    struct buf sql = {.max = 16384};
    buf_str(&sql, "SELECT m.id, y.last_chunk, y.first_id, y.last_id, y.samples, m.name, m.tags"
                  " FROM metric m CROSS JOIN summary y ON y.metric_id = m.id");
    buf_span(&sql, buf_view(&w.sql));
    buf_str(&sql, " ORDER BY m.id");
    sqlite3_stmt *stmt = sql.failed ? NULL : rows_statement(g->r, sql.p, g->err);
    int result = -1;
    if (stmt) {
        rows_where_bind(&w, stmt);
        result = choose_rows(g, stmt, &tags);
        rows_done(g->r, stmt);
    }
    buf_free(&sql);
    buf_free(&w.sql);
    rows_tags_free(&tags);
    return result;
}

static bool is_chosen(const struct reading *g, uint64_t series_id) {
    if (g->all)
        return true;
    size_t low = 0, high = g->n_list;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (g->list[middle].id < series_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < g->n_list && g->list[low].id == series_id;
}

/* --- gather ------------------------------------------------------------------------------------ */

/* The chunks of one series in [from, to], newest first. 1: too many. */
static int walk_chain(struct reading *g, sqlite3_stmt *stmt, uint64_t head, uint64_t from, uint64_t to) {
    for (uint64_t id = head; id >= from && id > 0;) {
        if (id <= to) {
            if (g->n_ids == GATHER_MAX)
                return 1;
            void *array = g->ids;
            if (!room(&array, g->n_ids, &g->cap_ids, sizeof *g->ids))
                return no_memory(g);
            g->ids = array;
            g->ids[g->n_ids++] = id;
        }
        db_bind_id(stmt, 1, id);
        int got = db_row(g->r->db, stmt, g->err);
        if (got < 0)
            return -1;
        if (got == 0) { /* evicted: the chain ends here */
            if (g->n_ids > 0 && g->ids[g->n_ids - 1] == id)
                g->n_ids--;
            return 0;
        }
        uint64_t prev = db_id(stmt, 0);
        sqlite3_reset(stmt);
        if (prev >= id)
            return rows_damaged(g->err);
        id = prev;
    }
    return 0;
}

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* 1: too many. */
static int gather_chains(struct reading *g, uint64_t from, uint64_t to) {
    g->n_ids = g->at_id = 0;
    sqlite3_stmt *stmt = rows_statement(g->r, "SELECT prev FROM chunk WHERE id = ?", g->err);
    if (!stmt)
        return -1;
    int result = 0;
    for (size_t i = 0; result == 0 && i < g->n_list; i++)
        if (g->list[i].last_id >= g->from)
            result = walk_chain(g, stmt, g->list[i].last_chunk, from, to);
    rows_done(g->r, stmt);
    if (result == 0 && g->n_ids > 1)
        qsort(g->ids, g->n_ids, sizeof *g->ids, by_number);
    return result;
}

static int open_table(struct reading *g, uint64_t from, uint64_t to) {
    g->by_table = true;
    g->stmt =
        rows_statement(g->r,
                       "SELECT c.id, c.context_id, c.vals, x.metric_id FROM chunk c CROSS JOIN context x"
                       " ON x.id = c.context_id WHERE c.id >= ? AND c.id <= ? ORDER BY c.id",
                       g->err);
    if (!g->stmt)
        return -1;
    db_bind_id(g->stmt, 1, from);
    sqlite3_bind_int64(g->stmt, 2, to > INT64_MAX ? INT64_MAX : (int64_t)to);
    return 0;
}

/* Readies the chunks that may hold samples of `list` (all series when g->all) with ids from g->from to g->to.
 */
static int gather(struct reading *g) {
    uint64_t start, samples = 0;
    if (rows_slice_start(g->r, g->from, &start, g->err) != 0)
        return -1;
    for (size_t i = 0; i < g->n_list; i++)
        samples += g->list[i].samples;
    g->by_table = false;
    if (!g->all && samples / 4 <= g->to - g->from) {
        int result = gather_chains(g, start, g->to);
        if (result == 0) {
            g->stmt = rows_statement(g->r, "SELECT id, context_id, vals FROM chunk WHERE id = ?", g->err);
            return g->stmt ? 0 : -1;
        }
        if (result < 0)
            return -1;
    }
    return open_table(g, start, g->to);
}

/* The next chunk's row: 1, 0: no more, -1. */
static int next_chunk(struct reading *g) {
    if (!g->by_table) {
        if (g->at_id == g->n_ids)
            return 0;
        sqlite3_reset(g->stmt);
        db_bind_id(g->stmt, 1, g->ids[g->at_id++]);
        int got = db_row(g->r->db, g->stmt, g->err);
        return got == 0 ? rows_damaged(g->err) : got;
    }
    int got;
    while ((got = db_row(g->r->db, g->stmt, g->err)) == 1 && !is_chosen(g, db_id(g->stmt, 3)))
        ;
    return got;
}

/* --- merge ------------------------------------------------------------------------------------- */

static void sift_down(struct reading *g, size_t at) {
    struct open_chunk *moved = g->heap[at];
    for (size_t child; (child = 2 * at + 1) < g->n_heap; at = child) {
        if (child + 1 < g->n_heap && g->heap[child + 1]->next_id < g->heap[child]->next_id)
            child++;
        if (g->heap[child]->next_id >= moved->next_id)
            break;
        g->heap[at] = g->heap[child];
    }
    g->heap[at] = moved;
}

static void sift_up(struct reading *g, size_t at) {
    struct open_chunk *moved = g->heap[at];
    for (; at > 0 && g->heap[(at - 1) / 2]->next_id > moved->next_id; at = (at - 1) / 2)
        g->heap[at] = g->heap[(at - 1) / 2];
    g->heap[at] = moved;
}

/* Moves to the chunk's next sample that is not before g->from: 1, 0: it has none, -1. */
static int advance(struct reading *g, struct open_chunk *c) {
    int got;
    do {
        got = vals_next(&c->vals);
        c->next_id = c->id + c->vals.offset;
    } while (got == 1 && c->next_id < g->from);
    return got < 0 ? rows_damaged(g->err) : got;
}

static int open_chunk(struct reading *g) {
    struct open_chunk *c = g->n_spare > 0 ? g->spare[--g->n_spare] : calloc(1, sizeof *c);
    void *heap = g->heap, *spare = g->spare;
    bool fits = room(&heap, g->n_heap, &g->cap_heap, sizeof *g->heap);
    g->heap = heap;
    fits = room(&spare, g->n_spare + g->n_heap + 1, &g->cap_spare, sizeof *g->spare) && fits;
    g->spare = spare;
    if (!c || !fits) {
        free(c);
        return no_memory(g);
    }
    c->id = db_id(g->stmt, 0);
    c->context_id = db_id(g->stmt, 1);
    buf_clear(&c->text);
    buf_span(&c->text, db_span(g->stmt, 2));
    vals_start(&c->vals, buf_view(&c->text));
    int got = c->text.failed ? no_memory(g) : advance(g, c);
    if (got == 1) {
        g->heap[g->n_heap++] = c;
        sift_up(g, g->n_heap - 1);
    } else {
        g->spare[g->n_spare++] = c;
    }
    return got < 0 ? -1 : 0;
}

/* 0: go on, 1: stop, -1. */
static int emit(struct reading *g, struct open_chunk *c) {
    struct rows_arrival arrival = {0};
    const struct filter *f = g->filter;
    if ((!g->counting || f->has_source) && rows_arrival(g->r, c->next_id, &arrival, g->err) != 0)
        return -1;
    if (f->has_source && f->source != arrival.source)
        return 0;
    g->n_matches++;
    if (g->counting || g->n_matches <= g->skip)
        return 0;
    struct rows_spelling *spelling = rows_spelling(g->r, c->context_id, g->err);
    if (!spelling)
        return -1;
    struct sample_row row = {.id = c->next_id,
                             .series_id = spelling->series_id,
                             .received_at = arrival.received_at,
                             .source = arrival.source,
                             .session = spelling->session,
                             .text =
                                 spelling->metric.type == METRIC_SET ? c->vals.value.text : span_of(NULL, 0),
                             .value = c->vals.value,
                             .spelling = &spelling->metric};
    if (g->row(g->arg, &row) != 0)
        return 1;
    return f->limit && g->n_matches - g->skip >= f->limit;
}

/* Hands out the samples before `bound`. As emit, or RANGE_END. */
static int drain(struct reading *g, uint64_t bound) {
    while (g->n_heap > 0 && g->heap[0]->next_id < bound) {
        struct open_chunk *c = g->heap[0];
        if (c->next_id > g->to)
            return RANGE_END;
        int result = emit(g, c);
        if (result != 0)
            return result;
        int got = advance(g, c);
        if (got < 0)
            return -1;
        if (got == 0) {
            g->spare[g->n_spare++] = c;
            g->heap[0] = g->heap[--g->n_heap];
        }
        if (g->n_heap > 0)
            sift_down(g, 0);
    }
    return 0;
}

/* Merges what was gathered. As emit. */
static int merge(struct reading *g) {
    int result = 0;
    while (result == 0) {
        int got = next_chunk(g);
        if (got != 1) {
            result = got < 0 ? -1 : drain(g, UINT64_MAX);
            break;
        }
        result = drain(g, db_id(g->stmt, 0));
        if (result == 0)
            result = open_chunk(g);
    }
    rows_done(g->r, g->stmt);
    while (g->n_heap > 0)
        g->spare[g->n_spare++] = g->heap[--g->n_heap];
    return result == RANGE_END ? 0 : result;
}

/* --- the ways to read -------------------------------------------------------------------------- */

static int read_range(struct reading *g, const struct chosen *list, size_t n) {
    g->list = list;
    g->n_list = n;
    return gather(g) != 0 ? -1 : merge(g);
}

static int read_newest(struct reading *g, uint64_t first, uint64_t last) {
    uint64_t span = g->filter->limit < 64 ? 64 : g->filter->limit;
    g->to = last;
    for (;;) {
        g->from = last - first < span ? first : last - span + 1;
        g->counting = true;
        g->n_matches = 0;
        if (read_range(g, g->chosen, g->n_chosen) < 0)
            return -1;
        if (g->n_matches >= g->filter->limit || g->from == first)
            break;
        span = span > UINT64_MAX / 8 ? UINT64_MAX : span * 8;
    }
    g->skip = g->n_matches > g->filter->limit ? g->n_matches - g->filter->limit : 0;
    g->counting = false;
    g->n_matches = 0;
    return read_range(g, g->chosen, g->n_chosen);
}

/* The first and last id that can match. */
static int bounds(struct reading *g, uint64_t *first, uint64_t *last) {
    *first = UINT64_MAX;
    *last = 0;
    for (size_t i = 0; i < g->n_chosen; i++) {
        *first = g->chosen[i].first_id < *first ? g->chosen[i].first_id : *first;
        *last = g->chosen[i].last_id > *last ? g->chosen[i].last_id : *last;
    }
    if (g->all) {
        sqlite3_stmt *stmt = rows_statement(g->r,
                                            "SELECT (SELECT min(first_id) FROM arrival),"
                                            " (SELECT last_id FROM arrival ORDER BY first_id DESC LIMIT 1)",
                                            g->err);
        if (!stmt)
            return -1;
        int got = db_row(g->r->db, stmt, g->err);
        *first = db_id(stmt, 0);
        *last = db_id(stmt, 1);
        rows_done(g->r, stmt);
        if (got != 1)
            return -1;
    }
    if (g->filter->since >= *first)
        *first = g->filter->since + 1;
    if (g->filter->until && g->filter->until < *last)
        *last = g->filter->until;
    return 0;
}

static int read_by_series(struct reading *g, uint64_t first, uint64_t last) {
    for (size_t i = 0; i < g->n_chosen; i++) {
        const struct chosen *c = &g->chosen[i];
        g->from = c->first_id > first ? c->first_id : first;
        g->to = c->last_id < last ? c->last_id : last;
        if (g->from > g->to)
            continue;
        int result = read_range(g, c, 1);
        if (result != 0)
            return result;
    }
    return 0;
}

static int read_all(struct reading *g, bool ordered) {
    const struct filter *f = g->filter;
    bool newest = f->newest && f->limit > 0;
    bool conditions = f->session.p || f->name.p || f->has_type || f->n_tags > 0 || f->series_id;
    g->all = !conditions && (ordered || newest);
    if (!g->all && choose_series(g, ordered || newest) != 0)
        return -1;
    uint64_t first, last;
    if ((!g->all && g->n_chosen == 0))
        return 0;
    if (bounds(g, &first, &last) != 0)
        return -1;
    if (first > last || last == 0)
        return 0;
    if (newest)
        return read_newest(g, first, last);
    if (!ordered)
        return read_by_series(g, first, last);
    g->from = first;
    g->to = last;
    return read_range(g, g->chosen, g->n_chosen);
}

static void free_chunks(struct open_chunk **list, size_t n) {
    for (size_t i = 0; i < n; i++) {
        vals_free(&list[i]->vals);
        buf_free(&list[i]->text);
        free(list[i]);
    }
    free(list);
}

int rows_samples(struct reader *reader, const struct filter *f, bool ordered,
                 int (*row)(void *, const struct sample_row *), void *arg, struct err *err) {
    struct reading g = {.r = (struct rows *)reader, .filter = f, .err = err, .row = row, .arg = arg};
    g.r->n_arrivals = g.r->want_arrivals = 0; /* they were of another moment */
    int result = read_all(&g, ordered);
    free(g.chosen);
    free(g.ids);
    free_chunks(g.heap, g.n_heap);
    free_chunks(g.spare, g.n_spare);
    return result < 0 ? -1 : 0;
}
