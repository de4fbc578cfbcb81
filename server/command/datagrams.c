/* statwit datagrams: what came over UDP and Unix sockets, byte for byte. */
#include "command/commands.h"
#include "command/place.h"
#include "command/rows.h"
#include "command/table.h"
#include "command/when.h"
#include "core/log.h"
#include <stdio.h>

enum { TIME, SOURCE, SESSION, BYTES, DATAGRAM, N };
static const struct column columns[N] = {
    [TIME] = {.title = "TIME", .colour = COLOUR_DIM},
    [SOURCE] = {.title = "SOURCE"},
    [SESSION] = {.title = "SESSION", .optional = true},
    [BYTES] = {.title = "BYTES", .right = true},
    [DATAGRAM] = {.title = "DATAGRAM", .gives = true, .least = 20},
};

struct datagram_list {
    struct text_table table;
    struct when when;
    struct buf bytes;
    bool all_sessions;
    size_t n;
};

static void on_datagram(void *arg, const json_t *row) {
    struct datagram_list *l = arg;
    char time[WHEN_SIZE];
    table_cell(&l->table, when_show(&l->when, row_text(row, "received_at"), time));
    table_cell(&l->table, row_text(row, "source"));
    table_cell(&l->table, l->all_sessions ? row_text(row, "session") : SPAN(""));
    table_number(&l->table, row_number(row, "bytes"));
    table_cell(&l->table, place_bytes(row, "text", &l->bytes));
    l->n++;
}

int datagrams_command(const struct options *o) {
    struct datagram_list l = {.all_sessions = strcmp(rows_session(o), "*") == 0, .bytes = {.max = 8 << 20}};
    if (option_number(o, OPT_LIMIT) > ROWS_NEWEST_MAX) {
        log_error("--limit is at most %d; without it, all datagrams are shown", ROWS_NEWEST_MAX);
        return EXIT_USAGE;
    }
    if (option_on(o, OPT_JSON))
        return rows_print_json(o, ROWS_DATAGRAMS);
    when_begin(&l.when, option_on(o, OPT_UTC));
    table_begin(&l.table, N, columns);
    l.table.wide = option_on(o, OPT_WIDE);
    int status = rows_each(o, ROWS_DATAGRAMS, on_datagram, &l, NULL);
    table_end(&l.table);
    buf_free(&l.bytes);
    if (status == EXIT_PASS && l.n == 0 && !option_on(o, OPT_QUIET))
        fprintf(stderr, "no datagram was kept in session %s (recorded with --keep-datagrams?)\n",
                rows_session(o));
    return status;
}
