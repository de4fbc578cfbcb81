/* statwit ls: the series recorded.
 *
 * They come in the order in which they were first seen. To sort them all are held: as the texts of their cells, one behind the
 * other, with the number to sort by beside them.
 */
#include "command/commands.h"
#include "command/emitters.h"
#include "command/rows.h"
#include "command/table.h"
#include "command/when.h"
#include "core/array.h"
#include "core/log.h"
#include "core/metric.h"
#include "core/moment.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define HELD_MAX ((size_t)1 << 30) /* bytes of cells */

enum { NAME, TYPE, TAGS, HOST, SESSION, SAMPLES, COUNT, SUM, AVG, P95, MIN, MAX, LAST, FIRST_AT, LAST_AT, N };
static const struct column columns[N] = {
    [NAME] = {.title = "NAME", .colour = COLOUR_CYAN, .gives = true},
    [TYPE] = {.title = "TYPE"},
    [TAGS] = {.title = "TAGS", .gives = true},
    [HOST] = {.title = "HOST", .optional = true},
    [SESSION] = {.title = "SESSION", .optional = true},
    [SAMPLES] = {.title = "SAMPLES", .right = true},
    [COUNT] = {.title = "COUNT", .right = true, .optional = true},
    [SUM] = {.title = "SUM", .right = true},
    [AVG] = {.title = "AVG", .right = true, .optional = true},
    [P95] = {.title = "P95", .right = true, .optional = true},
    [MIN] = {.title = "MIN", .right = true, .optional = true},
    [MAX] = {.title = "MAX", .right = true, .optional = true},
    [LAST] = {.title = "LAST", .right = true},
    [FIRST_AT] = {.title = "FIRST", .colour = COLOUR_DIM, .optional = true},
    [LAST_AT] = {.title = "NEWEST", .colour = COLOUR_DIM, .optional = true},
};

struct kept_row {
    size_t at;   /* of its first cell */
    double key;  /* NaN: none, sorts last */
    size_t came; /* place among all */
};

struct series_list {
    struct text_table table;
    struct when when;
    struct buf tags;
    bool all_sessions, wide, sorted;
    const char *order;
    size_t n;
    struct buf cells; /* N of each series, each ended by a NUL */
    struct kept_row *held;
    size_t n_held, cap_held;
    bool too_many;
};

/* --- sorting --------------------------------------------------------------------------------------------- */

/* As the stat `avg`: over what the samples stand for. */
static double avg_of(const json_t *row) {
    return row_number(row, "sum") / row_number(row, "count");
}

static double key_of(const struct series_list *l, const json_t *row) {
    static const char *const numbers[] = {"samples", "sum", "p95", "last"};
    struct span at = row_text(row, "last_at");
    int64_t wall_ns;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(l->order, numbers[i]) == 0)
            return row_number(row, numbers[i]);
    if (strcmp(l->order, "avg") == 0)
        return avg_of(row);
    return strcmp(l->order, "newest") == 0 && moment_parse_time(at, &wall_ns) ? (double)wall_ns : (double)NAN;
}

/* By name, type, tags, host, which are the first cells. */
static int compare_cells(const char *a, const char *b) {
    int order = 0;
    for (int c = 0; c <= SESSION && order == 0; c++) {
        order = strcmp(a, b);
        a += strlen(a) + 1;
        b += strlen(b) + 1;
    }
    return order;
}

/* The greatest key first, then those without one; by cells where they are equal. */
static int compare_held(const void *a, const void *b, void *cells) {
    const struct kept_row *x = a, *y = b;
    bool no_x = isnan(x->key), no_y = isnan(y->key);
    int order = no_x || no_y ? no_x - no_y : (x->key < y->key) - (x->key > y->key);
    order = order ? order : compare_cells((const char *)cells + x->at, (const char *)cells + y->at);
    return order ? order : (x->came > y->came) - (x->came < y->came);
}

static void show_sorted(struct series_list *l) {
    if (l->n_held)
        qsort_r(l->held, l->n_held, sizeof *l->held, compare_held, l->cells.p);
    for (size_t i = 0; i < l->n_held; i++) {
        const char *at = l->cells.p + l->held[i].at;
        for (int c = 0; c < N; c++) {
            struct span cell = span_str(at);
            table_cell(&l->table, cell);
            at += cell.n + 1;
        }
    }
}

/* --- a series -------------------------------------------------------------------------------------------- */

/* A NUL in a name or tag becomes what table_cell makes of it anyway. */
static void hold_cell(struct series_list *l, struct span text) {
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i])
            buf_char(&l->cells, text.p[i]);
        else
            buf_str(&l->cells, "\\x00");
    buf_char(&l->cells, '\0');
}

static void put_cell(struct series_list *l, struct span text) {
    if (l->sorted)
        hold_cell(l, text);
    else
        table_cell(&l->table, text);
}

static void put_number(struct series_list *l, const json_t *row, const char *field, bool makes_sense) {
    char text[TABLE_NUMBER_SIZE] = "";
    if (makes_sense)
        table_format(row_number(row, field), text);
    put_cell(l, span_str(text));
}

static struct span format(double value, char text[TABLE_NUMBER_SIZE]) {
    table_format(value, text);
    return span_str(text);
}

static void put_time(struct series_list *l, const json_t *row, const char *field) {
    char text[WHEN_SIZE];
    put_cell(l, l->wide ? when_show(&l->when, row_text(row, field), text) : SPAN(""));
}

static void put_cells(struct series_list *l, const json_t *row) {
    int type = metric_type_of(row_text(row, "type"));
    bool pooled = type >= 0 && metric_is((enum metric_type)type, METRIC_POOLED),
         adds = type < 0 || metric_is((enum metric_type)type, METRIC_ADDS);
    char text[TABLE_NUMBER_SIZE];
    buf_clear(&l->tags);
    row_tags(row, &l->tags);
    put_cell(l, row_text(row, "name"));
    put_cell(l, row_text(row, "type"));
    put_cell(l, buf_view(&l->tags));
    put_cell(l, row_text(row, "host"));
    put_cell(l, l->all_sessions ? row_text(row, "session") : SPAN(""));
    put_number(l, row, "samples", true);
    put_number(l, row, "count", l->wide);
    put_number(l, row, "sum", adds || l->wide);
    put_cell(l, pooled ? format(avg_of(row), text) : SPAN(""));
    put_number(l, row, "p95", isfinite(row_number(row, "p95")));
    put_number(l, row, "min", l->wide);
    put_number(l, row, "max", l->wide);
    put_number(l, row, "last", true);
    put_time(l, row, "first_at");
    put_time(l, row, "last_at");
}

static void on_series(void *arg, const json_t *row) {
    struct series_list *l = arg;
    l->n++;
    if (!l->sorted) {
        put_cells(l, row);
        return;
    }
    struct kept_row held = {.at = l->cells.n, .key = key_of(l, row), .came = l->n};
    put_cells(l, row);
    if (l->cells.failed || !array_room(&l->held, l->n_held, &l->cap_held, sizeof *l->held))
        l->too_many = true;
    else
        l->held[l->n_held++] = held;
}

int ls_command(const struct options *o) {
    if (option_given(o, OPT_BY))
        return emitters_list(o);
    if (option_on(o, OPT_JSON))
        return rows_print_json(o, ROWS_SERIES);
    struct series_list l = {.all_sessions = strcmp(rows_session(o), "*") == 0,
                            .wide = option_on(o, OPT_WIDE),
                            .order = option_text(o, OPT_SORT),
                            .tags = {.max = 1 << 20},
                            .cells = {.max = HELD_MAX}};
    l.sorted = strcmp(l.order, "arrival") != 0;
    when_begin(&l.when, option_on(o, OPT_UTC));
    table_begin(&l.table, N, columns);
    l.table.wide = l.wide;
    int status = rows_each(o, ROWS_SERIES, on_series, &l, NULL);
    if (l.too_many) {
        log_error(
            "too many series to sort: --sort arrival prints them as they came in, a GLOB fewer of them");
        status = EXIT_CANNOT;
    } else
        show_sorted(&l);
    table_end(&l.table);
    free(l.held);
    buf_free(&l.cells);
    buf_free(&l.tags);
    if (status == EXIT_PASS && l.n == 0 && !option_on(o, OPT_QUIET))
        fprintf(stderr, "no series%s in session %s; `statwit rejects` shows what was refused\n",
                o->n_args ? " of that name" : "", rows_session(o));
    return status;
}
