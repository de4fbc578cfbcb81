/* DESIGN. Samples lie in chunks: those of one context in one slice of the stream. Chunks of one slice
 * overlap, chunks of different slices don't. So:
 *
 *     select    the series asked for, with the heads of their chains (or all series)
 *     gather    their chunks in a range of ids: by walking the chains back, or, when the series asked for are
 *               a good part of all, by reading the table in its order and passing over the others
 *     merge     chunks come in order of their first sample; those that are open lie in a heap by their next
 *               sample, and a sample goes out once no chunk to come can hold an earlier one
 *
 * The newest N are found by looking at a range at the end, and at one eight times as long until there are
 * enough.
 */
#include "store/sqlite/reading.h"

#include "core/array.h"

#define RANGE_END 2

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
    /* A value with a timestamp is an array; nearly all chunks have none. */
    struct span text = db_span(g->stmt, 2);
    if (g->filter->timed && !memchr(text.p, '[', text.n))
        return 0;
    struct open_chunk *c = g->n_spare > 0 ? g->spare[--g->n_spare] : calloc(1, sizeof *c);
    if (!c || !array_room(&g->heap, g->n_heap, &g->cap_heap, sizeof *g->heap) ||
        !array_room(&g->spare, g->n_spare + g->n_heap + 1, &g->cap_spare, sizeof *g->spare)) {
        free(c);
        return reading_no_memory(g);
    }
    c->id = db_id(g->stmt, 0);
    c->context_id = db_id(g->stmt, 1);
    buf_clear(&c->text);
    buf_span(&c->text, text);
    vals_start(&c->vals, buf_view(&c->text));
    int got = c->text.failed ? reading_no_memory(g) : advance(g, c);
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
    struct rows_spelling *spelling = NULL;
    if (f->timed && !c->vals.value.timestamp)
        return 0;
    if (f->remarked) {
        spelling = rows_spelling(g->r, c->context_id, g->err);
        if (!spelling || !spelling->metric.remarks)
            return spelling ? 0 : -1;
    }
    g->n_matches++;
    if (g->counting || g->n_matches <= g->skip)
        return 0;
    if (!spelling && !(spelling = rows_spelling(g->r, c->context_id, g->err)))
        return -1;
    struct sample_row row = {.id = c->next_id,
                             .series_id = spelling->series_id,
                             .spelling_id = spelling->context_id,
                             .received_at = arrival.received_at,
                             .source = arrival.source,
                             .session = spelling->session,
                             .text = metric_is(spelling->metric.type, METRIC_TEXT) ? c->vals.value.text
                                                                                   : span_of(NULL, 0),
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
        int got = gather_next(g);
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
    return gather_chunks(g) != 0 ? -1 : merge(g);
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
    bool conditions = f->session.p || f->name.p || f->n_names > 0 || f->has_type || f->n_tags > 0 ||
                      f->series_id || f->remarked;
    g->all = !conditions && (ordered || newest);
    if (!g->all && gather_series(g, ordered || newest) != 0)
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
