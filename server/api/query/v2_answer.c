#include "api/query/group.h"
#include "api/query/v2.h"
#include "core/json.h"

#include <math.h>
#include <stdlib.h>

/* --- timeseries ---------------------------------------------------------------------------------------------------- */

static int compare_times(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bool has_value(const struct query_table *t, size_t at) {
    for (size_t g = 0; g < t->n_groups; g++)
        if (isfinite(t->groups[g].values[at]))
            return true;
    return false;
}

/* The moments at which a series has a value, of all columns. */
static int64_t *gather_times(struct v2_question *qn, size_t *n) {
    size_t most = 1;
    for (size_t i = 0; i < qn->n_columns; i++)
        most += qn->columns[i].table.n_times;
    int64_t *times = arena_alloc(&qn->arena, most * sizeof *times);
    *n = 0;
    for (size_t i = 0; times && i < qn->n_columns; i++) {
        const struct query_table *t = &qn->columns[i].table;
        for (size_t k = 0; k < t->n_times; k++)
            if (has_value(t, k))
                times[(*n)++] = t->times[k];
    }
    if (*n)
        qsort(times, *n, sizeof *times, compare_times);
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++)
        if (!kept || times[i] != times[kept - 1])
            times[kept++] = times[i];
    *n = kept;
    return times;
}

static void put_values(struct buf *b, const struct query_table *t, const double *values, const int64_t *times,
                       size_t n) {
    buf_char(b, '[');
    for (size_t i = 0, k = 0; i < n; i++) {
        while (k < t->n_times && t->times[k] < times[i])
            k++;
        if (i)
            buf_char(b, ',');
        json_put_number(b, k < t->n_times && t->times[k] == times[i] ? values[k] : NAN);
    }
    buf_char(b, ']');
}

bool v2_put_timeseries(struct buf *b, struct v2_question *qn) {
    size_t n;
    int64_t *times = gather_times(qn, &n);
    if (!times)
        return query_no_memory(&qn->error) == 0;
    const char *comma = "";
    buf_str(b, "{\"data\":{\"id\":\"0\",\"type\":\"timeseries_response\",\"attributes\":{\"series\":[");
    for (size_t i = 0; i < qn->n_columns; i++)
        for (size_t g = 0; g < qn->columns[i].table.n_groups; g++, comma = ",") {
            buf_printf(b, "%s{\"group_tags\":", comma);
            query_put_tags(b, &qn->columns[i].table, &qn->columns[i].table.groups[g]);
            buf_printf(b, ",\"query_index\":%zu,\"unit\":", i);
            read_put_unit(b, qn->columns[i].table.unit);
            buf_char(b, '}');
        }
    buf_str(b, "],\"times\":[");
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%s%lld", i ? "," : "", (long long)times[i] * 1000);
    buf_str(b, "],\"values\":[");
    comma = "";
    for (size_t i = 0; i < qn->n_columns; i++)
        for (size_t g = 0; g < qn->columns[i].table.n_groups; g++, comma = ",") {
            buf_str(b, comma);
            put_values(b, &qn->columns[i].table, qn->columns[i].table.groups[g].values, times, n);
        }
    buf_str(b, "]}}}");
    return true;
}

/* --- scalar -------------------------------------------------------------------------------------------------------- */

/* The groups of all columns; of a column with a limit, only those. A column without groups has its value in each row. */
struct answer_rows {
    size_t n_by;
    const struct span *by;
    struct group_index index;
};

static bool same_keys(const struct answer_rows *rows, const struct query_table *t) {
    bool same = rows->n_by == t->n_by;
    for (size_t i = 0; same && i < t->n_by; i++)
        same = span_eq(rows->by[i], t->by[i]);
    return same;
}

static bool add_rows(struct v2_question *qn, struct answer_rows *rows, const struct query_table *t) {
    for (size_t g = 0; g < t->n_groups; g++)
        if (t->n_by == rows->n_by && group_add(&qn->arena, &rows->index, t->groups[g].tags) == SIZE_MAX)
            return query_no_memory(&qn->error) == 0;
    return true;
}

static bool gather_rows(struct v2_question *qn, struct answer_rows *rows) {
    const struct v2_column *limited = NULL;
    for (size_t i = 0; i < qn->n_columns; i++) {
        const struct v2_column *c = &qn->columns[i];
        if (c->table.n_by && !rows->n_by) {
            rows->n_by = c->table.n_by;
            rows->by = c->table.by;
        }
        if (c->table.n_by && !same_keys(rows, &c->table))
            return query_refuse(
                       &qn->error,
                       "API input validation failed: all formulas must be grouped by the same tags.") == 0;
        limited = limited ? limited : c->limit ? c : NULL;
    }
    rows->index.n_by = rows->n_by;
    if (limited)
        return add_rows(qn, rows, &limited->table);
    for (size_t i = 0; i < qn->n_columns; i++)
        if (!add_rows(qn, rows, &qn->columns[i].table))
            return false;
    return true;
}

static void put_group_column(struct buf *b, const struct answer_rows *rows, size_t key) {
    struct span name = rows->by[key];
    buf_str(b, "{\"name\":");
    json_put_string(b, name);
    buf_str(b, ",\"type\":\"group\",\"values\":[");
    for (size_t g = 0; g < rows->index.n; g++) {
        struct span tag = rows->index.tags[g][key];
        buf_str(b, g ? ",[" : "[");
        if (tag.p)
            json_put_string(b, span_from(tag, name.n + 1));
        buf_char(b, ']');
    }
    buf_str(b, "]},");
}

static bool put_number_column(struct buf *b, struct v2_question *qn, const struct answer_rows *rows,
                              const struct v2_column *c) {
    const struct query_table *t = &c->table;
    struct group_index index = {.n_by = t->n_by};
    for (size_t g = 0; g < t->n_groups; g++)
        if (group_add(&qn->arena, &index, t->groups[g].tags) == SIZE_MAX)
            return query_no_memory(&qn->error) == 0;
    buf_str(b, "{\"name\":");
    json_put_string(b, c->name);
    buf_str(b, ",\"type\":\"number\",\"values\":[");
    for (size_t r = 0; r < rows->index.n; r++) {
        size_t g = t->n_by ? group_find(&index, rows->index.tags[r]) : 0;
        if (r)
            buf_char(b, ',');
        json_put_number(b, g < t->n_groups ? t->groups[g].values[0] : NAN);
    }
    buf_str(b, "],\"meta\":{\"unit\":");
    read_put_unit(b, t->unit);
    buf_str(b, "}}");
    return true;
}

bool v2_put_scalar(struct buf *b, struct v2_question *qn) {
    struct answer_rows rows = {0};
    if (!gather_rows(qn, &rows))
        return false;
    buf_str(b, "{\"data\":{\"id\":\"0\",\"type\":\"scalar_response\",\"attributes\":{\"columns\":[");
    for (size_t k = 0; k < rows.n_by; k++)
        put_group_column(b, &rows, k);
    for (size_t i = 0; i < qn->n_columns; i++) {
        if (i)
            buf_char(b, ',');
        if (!put_number_column(b, qn, &rows, &qn->columns[i]))
            return false;
    }
    buf_str(b, "]}}}");
    return true;
}
