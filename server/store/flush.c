/* DESIGN. A slice becomes rows: a chunk for each group, appended in order of ids; the summaries of the series that
 * changed, written from memory in order of series, so that each page is met once; and an arrival for each run. */
#include "store/private.h"
#include <errno.h>
#include <stdlib.h>

#define BULK_MAX 64
/* How many rows a statement takes, largest first. */
static const size_t bulks[STORE_BULKS] = {BULK_MAX, 8, 1};

#define CHUNK_COLUMNS   9
#define SUMMARY_COLUMNS 13

static sqlite3_stmt *bulk(struct store *s, sqlite3_stmt **list, size_t i, const char *head, int columns,
                          struct err *err) {
    if (list[i])
        return list[i];
    struct buf sql = {.max = 16384};
    buf_str(&sql, head);
    for (size_t row = 0; row < bulks[i]; row++)
        for (int c = 0; c < columns; c++)
            buf_str(&sql, c ? ",?" : row ? "),(?" : "(?");
    buf_char(&sql, ')');
    if (!sql.failed)
        list[i] = db_prepare(s->db, sql.p, err);
    buf_free(&sql);
    if (!list[i])
        err_set(err, ENOMEM, "cannot write the recording");
    return list[i];
}

void store_flush_end(struct store *s) {
    for (size_t i = 0; i < STORE_BULKS; i++) {
        sqlite3_finalize(s->chunk_sql[i]);
        sqlite3_finalize(s->summary_sql[i]);
    }
}

/* --- chunks ------------------------------------------------------------------------------------ */

/* Binds a group as a chunk from parameter `at` on. */
static void bind_chunk(struct store *s, sqlite3_stmt *stmt, int at, const struct slice_group *g,
                       struct span vals) {
    struct intern_series *series = &s->intern.series[g->series];
    uint64_t id = s->slice.first_id + g->first;
    db_bind_id(stmt, at, id);
    db_bind_id(stmt, at + 1, s->intern.contexts[g->context].id);
    if (series->last_chunk)
        db_bind_id(stmt, at + 2, series->last_chunk);
    else
        sqlite3_bind_null(stmt, at + 2);
    sqlite3_bind_int64(stmt, at + 3, g->n);
    db_bind_number(stmt, at + 4, g->count);
    db_bind_number(stmt, at + 5, g->sum);
    db_bind_number(stmt, at + 6, g->min);
    db_bind_number(stmt, at + 7, g->max);
    db_bind_span(stmt, at + 8, vals);
    series->last_chunk = id;
}

static int write_chunks(struct store *s, struct err *err) {
    struct slice *slice = &s->slice;
    struct slice_text texts[BULK_MAX];
    for (size_t i = 0, at = 0; at < slice->n_groups; at += bulks[i]) {
        while (bulks[i] > slice->n_groups - at)
            i++;
        sqlite3_stmt *stmt =
            bulk(s, s->chunk_sql, i,
                 "INSERT INTO chunk (id, context_id, prev, n, count, sum, min, max, vals) VALUES ",
                 CHUNK_COLUMNS, err);
        if (!stmt)
            return -1;
        if (!slice_texts(slice, at, bulks[i], texts))
            return err_set(err, ENOMEM, "cannot write the recording");
        for (size_t k = 0; k < bulks[i]; k++)
            bind_chunk(s, stmt, (int)k * CHUNK_COLUMNS + 1, &slice->groups[at + k],
                       slice_text(slice, &texts[k]));
        if (db_done(s->db, stmt, err) != 0)
            return -1;
    }
    return 0;
}

/* --- summaries --------------------------------------------------------------------------------- */

static void add_group(struct store *s, const struct slice_group *g) {
    struct intern_series *y = &s->intern.series[g->series];
    uint64_t last_id = s->slice.first_id + g->last;
    if (y->samples == 0) {
        y->first_id = s->slice.first_id + g->first;
        y->first_at = g->first_at;
    }
    y->samples += g->n;
    y->count += g->count;
    y->sum += g->sum;
    if (!(y->min <= g->min))
        y->min = g->min;
    if (!(y->max >= g->max))
        y->max = g->max;
    if (last_id > y->last_id) { /* else another spelling of the series came later in the slice */
        y->last_id = last_id;
        y->last_at = g->last_at;
        y->last = g->last_value;
    }
    y->sampled = y->sampled || g->sampled;
}

static void bind_summary(sqlite3_stmt *stmt, int at, const struct intern_series *y) {
    const double numbers[] = {y->count, y->sum, y->min, y->max, y->last};
    const int64_t integers[] = {y->first_at,         y->last_at, (int64_t)y->first_id,
                                (int64_t)y->last_id, y->sampled, (int64_t)y->last_chunk};
    db_bind_id(stmt, at, y->id);
    db_bind_id(stmt, at + 1, y->samples);
    for (int i = 0; i < 5; i++)
        db_bind_number(stmt, at + 2 + i, numbers[i]);
    for (int i = 0; i < 6; i++)
        sqlite3_bind_int64(stmt, at + 7 + i, integers[i]);
}

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* s->order: the series of the slice's groups, in order, once each. */
static int sort_series(struct store *s, size_t *n, struct err *err) {
    const struct slice *slice = &s->slice;
    if (slice->n_groups > s->cap_order) {
        uint64_t *more = realloc(s->order, slice->cap_groups * sizeof *more);
        if (!more)
            return err_set(err, ENOMEM, "cannot write the recording");
        s->order = more;
        s->cap_order = slice->cap_groups;
    }
    bool sorted = true;
    for (size_t i = 0; i < slice->n_groups; i++) {
        s->order[i] = slice->groups[i].series;
        sorted = sorted && (i == 0 || s->order[i - 1] < s->order[i]);
    }
    *n = slice->n_groups;
    if (sorted)
        return 0;
    qsort(s->order, slice->n_groups, sizeof *s->order, by_number);
    *n = 1;
    for (size_t i = 1; i < slice->n_groups; i++)
        if (s->order[i] != s->order[*n - 1])
            s->order[(*n)++] = s->order[i];
    return 0;
}

static int write_summaries(struct store *s, struct err *err) {
    size_t n = 0;
    for (size_t i = 0; i < s->slice.n_groups; i++)
        add_group(s, &s->slice.groups[i]);
    if (sort_series(s, &n, err) != 0)
        return -1;
    for (size_t i = 0, at = 0; at < n; at += bulks[i]) {
        while (bulks[i] > n - at)
            i++;
        sqlite3_stmt *stmt =
            bulk(s, s->summary_sql, i,
                 "INSERT OR REPLACE INTO summary (metric_id, samples, count, sum, min, max, last, first_at,"
                 " last_at, first_id, last_id, sampled, last_chunk) VALUES ",
                 SUMMARY_COLUMNS, err);
        if (!stmt)
            return -1;
        for (size_t k = 0; k < bulks[i]; k++)
            bind_summary(stmt, (int)k * SUMMARY_COLUMNS + 1, &s->intern.series[s->order[at + k]]);
        if (db_done(s->db, stmt, err) != 0)
            return -1;
    }
    return 0;
}

/* --- arrivals ---------------------------------------------------------------------------------- */

static int write_runs(struct store *s, struct err *err) {
    sqlite3_stmt *stmt = s->sql[SQL_ARRIVAL];
    for (size_t i = 0; i < s->slice.n_runs; i++) {
        const struct slice_run *run = &s->slice.runs[i];
        db_bind_id(stmt, 1, run->first_id);
        db_bind_id(stmt, 2, run->last_id);
        db_bind_id(stmt, 3, s->slice.first_id);
        sqlite3_bind_int64(stmt, 4, run->received_at);
        sqlite3_bind_int(stmt, 5, (int)run->source);
        if (db_done(s->db, stmt, err) != 0)
            return -1;
    }
    return 0;
}

int store_flush(struct store *s, struct err *err) {
    struct slice *slice = &s->slice;
    if (slice_is_empty(slice))
        return 0;
    if (write_chunks(s, err) != 0 || write_summaries(s, err) != 0 || write_runs(s, err) != 0)
        return -1;
    for (size_t i = 0; i < slice->n_groups; i++)
        s->intern.contexts[slice->groups[i].context].group = INTERN_NONE;
    slice_clear(slice);
    return 0;
}
