/* DESIGN. What a query sums up needs neither the order of the samples nor a row for each: the chunks of one series are
 * decoded into two arrays, and handed out some hundred values at a time. */
#include "store/sqlite/reading.h"

#define POINTS_MAX 512

struct pointing {
    struct reading g;
    struct chosen chosen;
    struct vals_reader vals;
    struct rows_arrival arrival;
    uint64_t arrival_end; /* the first id that `arrival` does not hold for */
    struct rows_spelling *spelling;
    int (*row)(void *, const struct points_row *);
    void *arg;
    size_t n;
    int64_t at_s[POINTS_MAX];
    double values[POINTS_MAX];
    uint64_t ids[POINTS_MAX];
};

/* 0: go on, 1: stop. */
static int flush_points(struct pointing *p, const struct sketch *sketch) {
    struct points_row row = {.spelling = &p->spelling->metric,
                             .source = p->arrival.source,
                             .n = p->n,
                             .at_s = p->at_s,
                             .values = p->values,
                             .ids = p->ids,
                             .sketch = sketch};
    p->n = 0;
    return row.n ? p->row(p->arg, &row) : 0;
}

static int move_arrival(struct pointing *p, uint64_t id) {
    struct rows_arrival next;
    if (rows_arrival_until(p->g.r, id, &next, &p->arrival_end, p->g.err) != 0)
        return -1;
    int result = next.source != p->arrival.source ? flush_points(p, NULL) : 0;
    p->arrival = next;
    return result;
}

/* As flush_points, or -1. */
static int take_point(struct pointing *p, uint64_t id) {
    int result = id >= p->arrival_end || id < p->arrival.first_id ? move_arrival(p, id) : 0;
    const struct value *v = &p->vals.value;
    if (result == 0 && (p->n == POINTS_MAX || v->sketch))
        result = flush_points(p, NULL);
    if (result != 0)
        return result;
    p->at_s[p->n] = v->timestamp ? v->timestamp : p->arrival.received_at / 1000000000;
    p->ids[p->n] = id;
    p->values[p->n++] = v->number;
    return v->sketch ? flush_points(p, v->sketch) : 0;
}

static int take_chunk(struct pointing *p) {
    uint64_t first = db_id(p->g.stmt, 0);
    p->spelling = rows_spelling(p->g.r, db_id(p->g.stmt, 1), p->g.err);
    if (!p->spelling)
        return -1;
    vals_start(&p->vals, db_span(p->g.stmt, 2), sqlite3_column_int64(p->g.stmt, 3));
    int got, result = 0;
    while (result == 0 && (got = vals_next(&p->vals)) != 0) {
        uint64_t id = first + p->vals.offset;
        if (got < 0)
            return rows_damaged(p->g.err);
        if (id >= p->g.from && id <= p->g.to)
            result = take_point(p, id);
    }
    return result == 0 ? flush_points(p, NULL) : result;
}

/* 1: the series has none. */
static int choose_series(struct pointing *p, uint64_t series_id) {
    sqlite3_stmt *stmt = rows_statement(
        p->g.r, "SELECT last_chunk, first_id, last_id, samples FROM summary WHERE metric_id = ?", p->g.err);
    if (!stmt)
        return -1;
    db_bind_id(stmt, 1, series_id);
    int got = db_row(p->g.r->db, stmt, p->g.err);
    if (got == 1)
        p->chosen =
            (struct chosen){series_id, db_id(stmt, 0), db_id(stmt, 1), db_id(stmt, 2), db_id(stmt, 3)};
    rows_done(p->g.r, stmt);
    p->g.list = &p->chosen;
    p->g.n_list = 1;
    p->g.from = p->chosen.first_id;
    p->g.to = p->chosen.last_id;
    return got < 0 ? -1 : got == 0 || p->chosen.samples == 0;
}

int rows_points(struct reader *reader, uint64_t series_id, int (*row)(void *, const struct points_row *),
                void *arg, struct err *err) {
    struct pointing p = {.g = {.r = (struct rows *)reader, .err = err}, .row = row, .arg = arg};
    int result = choose_series(&p, series_id);
    if (result == 0)
        result = gather_chunks(&p.g);
    int got;
    while (result == 0 && (got = gather_next(&p.g)) != 0)
        result = got < 0 ? -1 : take_chunk(&p);
    rows_done(p.g.r, p.g.stmt);
    vals_free(&p.vals);
    free(p.g.ids);
    return result < 0 ? -1 : 0;
}

/* --- values alone ------------------------------------------------------------------------------ */

#define VALUES_MAX 1024

struct valuing {
    struct pointing p;
    int (*row)(void *, const struct numbers_row *);
    void *arg;
    double values[VALUES_MAX];
};

/* The next values of the chunk: 1, 0: there are no more, -1. */
static int next_values(struct valuing *v, struct numbers_row *row) {
    struct vals_reader *r = &v->p.vals;
    row->n = vals_numbers(r, VALUES_MAX, v->values);
    row->sketch = NULL;
    if (row->n == 0) {
        int got = vals_next(r);
        if (got <= 0)
            return got < 0 ? rows_damaged(v->p.g.err) : 0;
        v->values[row->n++] = r->value.number;
        row->sketch = r->value.sketch;
    }
    v->p.g.r->n_looked += row->n;
    return 1;
}

static int take_values(struct valuing *v) {
    struct reading *g = &v->p.g;
    struct rows_spelling *spelling = rows_spelling(g->r, db_id(g->stmt, 1), g->err);
    if (!spelling)
        return -1;
    vals_start(&v->p.vals, db_span(g->stmt, 2), sqlite3_column_int64(g->stmt, 3));
    struct numbers_row row = {.spelling = &spelling->metric, .values = v->values};
    int got, result = 0;
    while (result == 0 && (got = next_values(v, &row)) != 0) {
        if (got < 0)
            return -1;
        result = v->row(v->arg, &row);
    }
    return result;
}

int rows_values(struct reader *reader, uint64_t series_id, int (*row)(void *, const struct numbers_row *),
                void *arg, struct err *err) {
    struct valuing v = {.p.g = {.r = (struct rows *)reader, .err = err}, .row = row, .arg = arg};
    struct reading *g = &v.p.g;
    int result = choose_series(&v.p, series_id);
    if (result == 0)
        result = gather_chunks(g);
    int got;
    while (result == 0 && (got = gather_next(g)) != 0)
        result = got < 0 ? -1 : take_values(&v);
    rows_done(g->r, g->stmt);
    vals_free(&v.p.vals);
    free(g->ids);
    return result < 0 ? -1 : 0;
}

int rows_cadence(struct reader *reader, uint64_t series_id, uint64_t first_id, struct cadence *cadence,
                 struct err *err) {
    struct rows *r = (struct rows *)reader;
    struct rows_arrival arrival;
    sqlite3_stmt *stmt = rows_statement(r, "SELECT max(interval) FROM context WHERE metric_id = ?", err);
    if (!stmt)
        return -1;
    db_bind_id(stmt, 1, series_id);
    int got = db_row(r->db, stmt, err);
    cadence->interval_s = got == 1 ? sqlite3_column_int64(stmt, 0) : 0;
    rows_done(r, stmt);
    if (got < 0 || rows_arrival(r, first_id, &arrival, err) != 0)
        return -1;
    cadence->source = arrival.source;
    return 0;
}
