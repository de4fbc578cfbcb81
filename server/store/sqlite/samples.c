/* DESIGN. Samples lie in chunks: those of one context in one slice of the stream. Chunks of one slice
 * overlap, chunks of different slices don't. So:
 *
 *     select    the series asked for, with the heads of their chains; or all series; or all of a session, where the range
 *               is short or the session has many
 *     gather    their chunks in a range of ids: by walking the chains back, or, when the series asked for are
 *               a good part of all, by reading the table in its order and passing over the others
 *     merge     chunks come in order of their first sample; those that are open lie in a heap by their next
 *               sample, and a sample goes out once no chunk to come can hold an earlier one
 *
 * A reading in parts stays where its callback stopped it: with its open chunks and its place in the table, nothing is read
 * twice.
 *
 * The newest N are found by looking at a range at the end, and at one eight times as long until there are
 * enough.
 */
#include "store/sqlite/reading.h"

#include "core/array.h"

#define RANGE_END  2
#define FEW_IDS    65536 /* in so short a range a session is read without a list of its series */
#define FEW_SERIES 4096  /* nor is one that has more of them */

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
        g->r->n_looked++;
        got = vals_next(&c->vals);
        c->next_id = c->id + c->vals.offset;
    } while (got == 1 && c->next_id < g->from);
    return got < 0 ? rows_damaged(g->err) : got;
}

/*   {"0":[1.5,2]}
 *        ^          the bracket of a run, behind the number of a key */
static bool opens_run(struct span text, const char *p) {
    return p - text.p > 4 && p[-1] == ':' && p[-3] >= '0' && p[-3] <= '9';
}

/* A value with a timestamp is an array, and one with a sketch has some; nearly all chunks have none. */
static bool may_be_timed(struct span text, int64_t step) {
    for (const char *p = text.p, *end = p + text.n; p < end && (p = memchr(p, '[', (size_t)(end - p))); p++)
        if (!step || !opens_run(text, p))
            return true;
    return false;
}

static int open_chunk(struct reading *g) {
    struct span text = db_span(g->stmt, 2);
    int64_t step = sqlite3_column_int64(g->stmt, 3);
    if (g->filter->timed && !may_be_timed(text, step))
        return 0;
    struct open_chunk *c = g->n_spare > 0 ? g->spare[--g->n_spare] : calloc(1, sizeof *c);
    if (!c || !array_room(&g->heap, g->n_heap, &g->cap_heap, sizeof *g->heap) ||
        !array_room(&g->spare, g->n_spare + g->n_heap + 1, &g->cap_spare, sizeof *g->spare)) {
        free(c);
        return reading_no_memory(g);
    }
    c->id = db_id(g->stmt, 0);
    c->context_id = db_id(g->stmt, 1);
    int got = vals_start_copy(&c->vals, text, step, &c->text) ? advance(g, c) : reading_no_memory(g);
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
    const struct filter *f = g->filter;
    bool known = c->next_id >= g->arrival.first_id && c->next_id < g->arrival_end;
    if (!known && (!g->counting || f->has_source) &&
        rows_arrival_until(g->r, c->next_id, &g->arrival, &g->arrival_end, g->err) != 0)
        return -1;
    if (f->has_source && f->source != g->arrival.source)
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
                             .received_at = g->arrival.received_at,
                             .source = g->arrival.source,
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

/* Merges what was gathered. As emit; in parts 1 means that it goes on from here. */
static int merge(struct reading *g) {
    int result = 0;
    while (result == 0) {
        int got = g->at_end ? 0 : g->at_chunk ? 1 : gather_next(g);
        g->at_chunk = got == 1;
        g->at_end = got == 0;
        result = got < 0 ? -1 : drain(g, got == 1 ? db_id(g->stmt, 0) : UINT64_MAX);
        if (got == 0 || result != 0)
            break;
        result = open_chunk(g);
        g->at_chunk = false;
    }
    if (result == 1 && g->in_parts)
        return 1;
    rows_done(g->r, g->stmt);
    g->stmt = NULL;
    g->at_chunk = g->at_end = false;
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
    if (last - first < g->filter->limit) { /* no more than that can match */
        g->from = first;
        return read_range(g, g->chosen, g->n_chosen);
    }
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

/* No record of a session is older than the session or its last reset. */
static int session_start(struct reading *g, uint64_t *first) {
    sqlite3_stmt *stmt = rows_statement(g->r, "SELECT reset_id FROM session WHERE name = ?", g->err);
    if (!stmt)
        return -1;
    db_bind_span(stmt, 1, g->filter->session);
    int got = db_row(g->r->db, stmt, g->err);
    if (got == 1 && db_id(stmt, 0) >= *first)
        *first = db_id(stmt, 0) + 1;
    rows_done(g->r, stmt);
    return got < 0 ? -1 : 0;
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
    if (g->of_session && session_start(g, first) != 0)
        return -1;
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

/* Which series: g->chosen, or g->all. */
static int select_series(struct reading *g, bool ordered) {
    const struct filter *f = g->filter;
    bool conditions =
        f->name.p || f->n_names > 0 || f->has_type || f->n_tags > 0 || f->series_id || f->remarked;
    bool few_ids = f->until && f->until - f->since <= FEW_IDS;
    g->all = ordered && !conditions && (!f->session.p || few_ids);
    if (!g->all) {
        g->max_chosen = ordered && !conditions ? FEW_SERIES : 0;
        int got = gather_series(g, ordered);
        if (got < 0)
            return -1;
        if (got == 1) {
            g->all = true;
            g->n_chosen = 0;
        }
    }
    g->of_session = g->all && f->session.p;
    return 0;
}

static int read_all(struct reading *g, bool ordered) {
    const struct filter *f = g->filter;
    bool newest = f->newest && f->limit > 0;
    if (select_series(g, ordered || newest) != 0)
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

static void reading_free(struct reading *g) {
    free(g->chosen);
    free(g->ids);
    free_chunks(g->heap, g->n_heap);
    free_chunks(g->spare, g->n_spare);
}

int rows_samples(struct reader *reader, const struct filter *f, bool ordered,
                 int (*row)(void *, const struct sample_row *), void *arg, struct err *err) {
    struct reading g = {.r = (struct rows *)reader, .filter = f, .err = err, .row = row, .arg = arg};
    g.r->n_arrivals = g.r->want_arrivals = 0; /* they were of another moment */
    int result = read_all(&g, ordered);
    reading_free(&g);
    return result < 0 ? -1 : 0;
}

/* --- in parts ---------------------------------------------------------------------------------- */

struct samples_cursor {
    struct reading reading;
    struct filter filter;
    bool begun, ended;
};

struct samples_cursor *rows_samples_open(struct reader *reader, const struct filter *f, struct err *err) {
    struct samples_cursor *c = calloc(1, sizeof *c);
    if (!c) {
        err_set(err, ENOMEM, "cannot read the recording");
        return NULL;
    }
    c->filter = *f;
    c->filter.newest = false;
    c->filter.limit = 0;
    c->reading = (struct reading){.r = (struct rows *)reader, .filter = &c->filter, .in_parts = true};
    c->reading.r->n_arrivals = c->reading.r->want_arrivals = 0;
    return c;
}

int rows_samples_more(struct samples_cursor *c, int (*row)(void *, const struct sample_row *), void *arg,
                      struct err *err) {
    struct reading *g = &c->reading;
    g->row = row;
    g->arg = arg;
    g->err = err;
    int result = c->ended ? 0 : c->begun ? merge(g) : read_all(g, true);
    c->begun = true;
    c->ended = result != 1;
    return result;
}

void rows_samples_close(struct samples_cursor *c) {
    if (!c)
        return;
    rows_done(c->reading.r, c->reading.stmt);
    reading_free(&c->reading);
    free(c);
}
