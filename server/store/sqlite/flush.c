/* DESIGN. A slice becomes rows: a chunk for each group, appended in order of ids; the summaries of the series that
 * changed, written from memory in order of series, so that each page is met once, and those of new series appended behind them; the totals of their names; and an arrival for each run. */
#include "store/sqlite/private.h"
#include <errno.h>
#include <stdlib.h>

/* --- chunks ------------------------------------------------------------------------------------ */

static bool chunk_row(void *arg, size_t i, struct bulk_value *values) {
    struct store *s = arg;
    const struct slice_group *g = &s->slice.groups[i];
    struct intern_series *series = &s->intern.series[g->series];
    uint64_t id = s->slice.first_id + g->first;
    struct span vals;
    uint32_t step;
    if (!slice_join(&s->slice, g, &vals, &step))
        return false;
    bulk_id(&values[0], id);
    bulk_id(&values[1], s->intern.contexts[g->context].id);
    bulk_id_if(&values[2], series->last_chunk != 0, series->last_chunk);
    bulk_integer(&values[3], g->n);
    bulk_number(&values[4], g->count);
    bulk_number(&values[5], g->sum);
    bulk_number(&values[6], g->min);
    bulk_number(&values[7], g->max);
    bulk_text(&values[8], vals);
    bulk_id_if(&values[9], step != 0, step);
    series->last_chunk = id;
    return true;
}

/* --- summaries --------------------------------------------------------------------------------- */

/* All but count and sum, which put.c has added already. */
static void add_group(struct store *s, const struct slice_group *g) {
    struct intern_series *y = &s->intern.series[g->series];
    uint64_t last_id = s->slice.first_id + g->last;
    if (y->samples == 0) {
        y->first_id = s->slice.first_id + g->first;
        y->first_at = g->first_at;
    }
    y->samples += g->n;
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
    if (y->totalled)
        totals_add(s, y->of, g, last_id);
}

struct summaries {
    const struct intern_series *series;
    const uint64_t *order;
};

static bool summary_row(void *arg, size_t i, struct bulk_value *values) {
    const struct summaries *all = arg;
    const struct intern_series *y = &all->series[all->order[i]];
    bulk_id(&values[0], y->id);
    bulk_id(&values[1], y->samples);
    bulk_number(&values[2], y->count);
    bulk_number(&values[3], y->sum);
    bulk_number(&values[4], y->min);
    bulk_number(&values[5], y->max);
    bulk_number(&values[6], y->last);
    bulk_integer(&values[7], y->first_at);
    bulk_integer(&values[8], y->last_at);
    bulk_id(&values[9], y->first_id);
    bulk_id(&values[10], y->last_id);
    bulk_integer(&values[11], y->sampled);
    bulk_id(&values[12], y->last_chunk);
    bulk_id_if(&values[13], y->fell_id != INTERN_FALL_UNKNOWN, y->fell_id);
    return true;
}

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* s->order: the series of the slice's groups, in order, once each. Clients send in the same order each time, but a slice may begin anywhere in it: so
 * the first one is looked for, and mostly the others follow. */
static int sort_series(struct store *s, size_t *n, struct err *err) {
    const struct slice *slice = &s->slice;
    if (slice->n_groups > s->cap_order) {
        uint64_t *more = realloc(s->order, slice->cap_groups * sizeof *more);
        if (!more)
            return err_set(err, ENOMEM, "cannot write the recording");
        s->order = more;
        s->cap_order = slice->cap_groups;
    }
    size_t first = 0;
    for (size_t i = 1; i < slice->n_groups; i++)
        if (slice->groups[i].series < slice->groups[first].series)
            first = i;
    bool sorted = true;
    for (size_t i = 0, at = first; i < slice->n_groups; i++, at = at + 1 == slice->n_groups ? 0 : at + 1) {
        s->order[i] = slice->groups[at].series;
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
    struct summaries old = {s->intern.series, s->order}, new = old;
    size_t n_old = n; /* what this slice began stands behind the others: ids rise */
    while (n_old > 0 && old.series[s->order[n_old - 1]].first_id >= s->slice.first_id)
        n_old--;
    new.order += n_old;
    if (bulk_run(s->db, s->sql[SQL_SUMMARY], &s->feed, n_old, summary_row, &old, err) != 0 ||
        bulk_append(s->db, s->sql[SQL_NEW_SUMMARY], &s->feed, n - n_old, summary_row, &new, err) != 0)
        return -1;
    return totals_write(s, err);
}

/* --- arrivals ---------------------------------------------------------------------------------- */

static bool arrival_row(void *arg, size_t i, struct bulk_value *values) {
    const struct slice *slice = arg;
    const struct slice_run *run = &slice->runs[i];
    bulk_id(&values[0], run->first_id);
    bulk_id(&values[1], run->last_id);
    bulk_id(&values[2], slice->first_id);
    bulk_integer(&values[3], run->received_at);
    bulk_integer(&values[4], (int)run->source);
    return true;
}

/* --- timestamps that lie too far away ------------------------------------------------------------ */

static int write_strays(struct store *s, struct err *err) {
    sqlite3_stmt *stmt = s->sql[SQL_STRAY];
    for (size_t i = 0; i < s->slice.n_strays; i++) {
        const struct slice_stray *stray = &s->slice.strays[i];
        db_bind_id(stmt, 1, s->intern.contexts[stray->context].id);
        db_bind_id(stmt, 2, stray->kind);
        db_bind_id(stmt, 3, stray->n);
        sqlite3_bind_int64(stmt, 4, stray->timestamp);
        db_bind_id(stmt, 5, stray->first_id);
        db_bind_id(stmt, 6, stray->last_id);
        if (db_done(s->db, stmt, err) != 0)
            return -1;
    }
    return 0;
}

int store_flush(struct store *s, struct err *err) {
    struct slice *slice = &s->slice;
    if (store_fold_kept(s, err) != 0 || store_write_requests(s, err) != 0 || store_write_new(s, err) != 0)
        return -1;
    if (slice_is_empty(slice))
        return 0;
    if (bulk_append(s->db, s->sql[SQL_CHUNK], &s->feed, slice->n_groups, chunk_row, s, err) != 0 ||
        write_summaries(s, err) != 0 || write_strays(s, err) != 0 ||
        bulk_append(s->db, s->sql[SQL_ARRIVAL], &s->feed, slice->n_runs, arrival_row, slice, err) != 0)
        return -1;
    for (size_t i = 0; i < slice->n_groups; i++)
        s->intern.contexts[slice->groups[i].context].group = INTERN_NONE;
    slice_clear(slice);
    s->rows = true;
    return 0;
}
