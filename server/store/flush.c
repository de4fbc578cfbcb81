#include "store/private.h"
#include <errno.h>
#include <stdlib.h>

static int write_chunk(struct store *s, const struct slice_group *g, struct err *err) {
    struct intern_series *series = &s->intern.series[g->series];
    sqlite3_stmt *stmt = s->sql[SQL_CHUNK];
    struct span vals = slice_vals(&s->slice, g);
    if (!vals.p)
        return err_set(err, ENOMEM, "cannot write the recording");
    uint64_t id = s->slice.first_id + g->first;
    db_bind_id(stmt, 1, id);
    db_bind_id(stmt, 2, s->intern.contexts[g->context].id);
    if (series->last_chunk)
        db_bind_id(stmt, 3, series->last_chunk);
    else
        sqlite3_bind_null(stmt, 3);
    sqlite3_bind_int64(stmt, 4, g->n);
    db_bind_number(stmt, 5, g->count);
    db_bind_number(stmt, 6, g->sum);
    db_bind_number(stmt, 7, g->min);
    db_bind_number(stmt, 8, g->max);
    db_bind_number(stmt, 9, g->last_value);
    db_bind_span(stmt, 10, vals);
    if (db_done(s->db, stmt, err) != 0)
        return -1;
    series->last_chunk = id;
    return 0;
}

static int write_summary(struct store *s, const struct slice_group *g, struct err *err) {
    const struct intern_series *series = &s->intern.series[g->series];
    sqlite3_stmt *stmt = s->sql[SQL_SUMMARY];
    db_bind_id(stmt, 1, series->id);
    sqlite3_bind_int64(stmt, 2, g->n);
    db_bind_number(stmt, 3, g->count);
    db_bind_number(stmt, 4, g->sum);
    db_bind_number(stmt, 5, g->min);
    db_bind_number(stmt, 6, g->max);
    db_bind_number(stmt, 7, g->last_value);
    sqlite3_bind_int64(stmt, 8, g->first_at);
    sqlite3_bind_int64(stmt, 9, g->last_at);
    db_bind_id(stmt, 10, s->slice.first_id + g->first);
    db_bind_id(stmt, 11, s->slice.first_id + g->last);
    sqlite3_bind_int(stmt, 12, g->sampled);
    db_bind_id(stmt, 13, series->last_chunk);
    return db_done(s->db, stmt, err);
}

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* In order of series, so that each page of the table is met once. */
static int write_summaries(struct store *s, struct err *err) {
    struct slice *slice = &s->slice;
    if (slice->n_groups == 0)
        return 0;
    if (slice->n_groups > s->cap_order) {
        uint64_t *more = realloc(s->order, slice->cap_groups * sizeof *more);
        if (!more)
            return err_set(err, ENOMEM, "cannot write the recording");
        s->order = more;
        s->cap_order = slice->cap_groups;
    }
    for (size_t i = 0; i < slice->n_groups; i++)
        s->order[i] = (uint64_t)slice->groups[i].series << 32 | i;
    qsort(s->order, slice->n_groups, sizeof *s->order, by_number);
    for (size_t i = 0; i < slice->n_groups; i++)
        if (write_summary(s, &slice->groups[(uint32_t)s->order[i]], err) != 0)
            return -1;
    return 0;
}

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
    for (size_t i = 0; i < slice->n_groups; i++)
        if (write_chunk(s, &slice->groups[i], err) != 0)
            return -1;
    if (write_summaries(s, err) != 0 || write_runs(s, err) != 0)
        return -1;
    for (size_t i = 0; i < slice->n_groups; i++)
        s->intern.contexts[slice->groups[i].context].group = INTERN_NONE;
    slice_clear(slice);
    return 0;
}
