/* statwit ls: the series recorded. */
#include "command/commands.h"
#include "command/rows.h"
#include "command/table.h"
#include <math.h>
#include <stdio.h>

enum { NAME, TYPE, TAGS, HOST, SESSION, SAMPLES, SUM, LAST, N };
static const struct column columns[N] = {
    [NAME] = {.title = "NAME", .colour = COLOUR_CYAN, .gives = true},
    [TYPE] = {.title = "TYPE"},
    [TAGS] = {.title = "TAGS", .gives = true},
    [HOST] = {.title = "HOST", .optional = true},
    [SESSION] = {.title = "SESSION", .optional = true},
    [SAMPLES] = {.title = "SAMPLES", .right = true},
    [SUM] = {.title = "SUM", .right = true},
    [LAST] = {.title = "LAST", .right = true},
};

struct series_list {
    struct text_table table;
    struct buf tags;
    bool all_sessions;
    size_t n;
};

static void on_series(void *arg, const json_t *row) {
    struct series_list *l = arg;
    buf_clear(&l->tags);
    row_tags(row, &l->tags);
    table_cell(&l->table, row_text(row, "name"));
    table_cell(&l->table, row_text(row, "type"));
    table_cell(&l->table, buf_view(&l->tags));
    table_cell(&l->table, row_text(row, "host"));
    table_cell(&l->table, l->all_sessions ? row_text(row, "session") : SPAN(""));
    table_number(&l->table, row_number(row, "samples"));
    table_number(&l->table, row_number(row, "sum"));
    table_number(&l->table, row_number(row, "last"));
    l->n++;
}

int ls_command(const struct options *o) {
    if (option_on(o, OPT_JSON))
        return rows_print_json(o, ROWS_SERIES);
    struct series_list l = {.all_sessions = strcmp(rows_session(o), "*") == 0, .tags = {.max = 1 << 20}};
    table_begin(&l.table, N, columns);
    int status = rows_each(o, ROWS_SERIES, on_series, &l, NULL);
    table_end(&l.table);
    buf_free(&l.tags);
    if (status == EXIT_PASS && l.n == 0 && !option_on(o, OPT_QUIET))
        fprintf(stderr, "no series%s in session %s; `statwit rejects` shows what was refused\n",
                o->n_args ? " of that name" : "", rows_session(o));
    return status;
}
