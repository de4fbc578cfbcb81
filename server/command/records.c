/* statwit events, statwit checks: one line for each, newest last. */
#include "command/commands.h"
#include "command/rows.h"
#include "command/table.h"
#include "command/when.h"
#include "core/log.h"
#include <stdio.h>

struct record_list {
    struct text_table table;
    struct when when;
    struct buf tags;
    bool all_sessions;
    size_t n;
};

static void put_time(struct record_list *l, const json_t *row) {
    char text[WHEN_SIZE];
    table_cell(&l->table, when_show(&l->when, row_text(row, "received_at"), text));
    table_cell(&l->table, l->all_sessions ? row_text(row, "session") : SPAN(""));
}

static void put_tags(struct record_list *l, const json_t *row) {
    buf_clear(&l->tags);
    row_tags(row, &l->tags);
    table_cell(&l->table, buf_view(&l->tags));
    table_cell(&l->table, row_text(row, "host"));
    l->n++;
}

/* --- events ---------------------------------------------------------------------------------------------- */

static const struct column event_columns[] = {
    {.title = "TIME", .colour = COLOUR_DIM},
    {.title = "SESSION", .optional = true},
    {.title = "TYPE"},
    {.title = "PRIORITY", .optional = true},
    {.title = "TITLE", .colour = COLOUR_CYAN, .gives = true},
    {.title = "TEXT", .gives = true},
    {.title = "TAGS", .gives = true},
    {.title = "HOST", .optional = true},
};

static void on_event(void *arg, const json_t *row) {
    struct record_list *l = arg;
    struct span type = row_text(row, "alert_type"), priority = row_text(row, "priority");
    put_time(l, row);
    table_cell(&l->table, type.n ? type : SPAN("info"));
    table_cell(&l->table, span_eq(priority, SPAN("normal")) ? SPAN("") : priority);
    table_cell(&l->table, row_text(row, "title"));
    table_cell(&l->table, row_text(row, "text"));
    put_tags(l, row);
}

/* --- service checks -------------------------------------------------------------------------------------- */

static const struct column check_columns[] = {
    {.title = "TIME", .colour = COLOUR_DIM},
    {.title = "SESSION", .optional = true},
    {.title = "STATUS"},
    {.title = "NAME", .colour = COLOUR_CYAN, .gives = true},
    {.title = "MESSAGE", .gives = true},
    {.title = "TAGS", .gives = true},
    {.title = "HOST", .optional = true},
};

static void on_check(void *arg, const json_t *row) {
    struct record_list *l = arg;
    put_time(l, row);
    table_cell(&l->table, row_text(row, "status"));
    table_cell(&l->table, row_text(row, "name"));
    table_cell(&l->table, row_text(row, "message"));
    put_tags(l, row);
}

/* --- either ---------------------------------------------------------------------------------------------- */

static int list(const struct options *o, enum rows_kind kind, size_t n_columns, const struct column *columns,
                void (*row)(void *arg, const json_t *row), const char *words) {
    if (option_number(o, OPT_LIMIT) > ROWS_NEWEST_MAX) {
        log_error("--limit is at most %d; without it, all are shown", ROWS_NEWEST_MAX);
        return EXIT_USAGE;
    }
    if (option_on(o, OPT_JSON))
        return rows_print_json(o, kind);
    struct record_list l = {.all_sessions = strcmp(rows_session(o), "*") == 0, .tags = {.max = 1 << 20}};
    when_begin(&l.when, option_on(o, OPT_UTC));
    table_begin(&l.table, n_columns, columns);
    l.table.wide = option_on(o, OPT_WIDE);
    int status = rows_each(o, kind, row, &l, NULL);
    table_end(&l.table);
    buf_free(&l.tags);
    if (status == EXIT_PASS && l.n == 0 && !option_on(o, OPT_QUIET))
        fprintf(stderr, "no %s%s in session %s; `statwit rejects` shows what was refused\n", words,
                o->n_args ? " of that name" : "", rows_session(o));
    return status;
}

#define N_OF(list) (sizeof(list) / sizeof *(list))

int events_command(const struct options *o) {
    return list(o, ROWS_EVENTS, N_OF(event_columns), event_columns, on_event, "events");
}

int checks_command(const struct options *o) {
    return list(o, ROWS_CHECKS, N_OF(check_columns), check_columns, on_check, "service checks");
}
