/* statwit samples: one line for each, newest last; -f goes on with what arrives. */
#include "command/commands.h"
#include "command/rows.h"
#include "command/table.h"
#include "core/log.h"
#include "core/number.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define NEWEST_MAX 10000 /* rows a server gives from the end */
#define EVENT_MAX  ((size_t)8 << 20)

enum { TIME, SOURCE, SESSION, NAME, TYPE, VALUE, RATE, TAGS, HOST, IGNORED, N };
static const struct column columns[N] = {
    [TIME] = {.title = "TIME", .colour = COLOUR_DIM},
    [SOURCE] = {.title = "SOURCE"},
    [SESSION] = {.title = "SESSION", .optional = true},
    [NAME] = {.title = "NAME", .colour = COLOUR_CYAN, .gives = true, .least = 20},
    [TYPE] = {.title = "TYPE", .least = 6},
    [VALUE] = {.title = "VALUE", .right = true, .gives = true, .least = 8},
    [RATE] = {.title = "RATE", .optional = true},
    [TAGS] = {.title = "TAGS", .gives = true},
    [HOST] = {.title = "HOST", .optional = true},
    [IGNORED] = {.title = "IGNORED", .colour = COLOUR_RED, .gives = true, .optional = true},
};

struct sample_list {
    struct text_table table;
    struct buf tags;
    bool all_sessions;
    struct buf event; /* of the stream: a piece of a line */
    bool ended;       /* the next data says why the stream ends */
    bool json;
};

/* "23:11:47.123456" of "2026-11-22T23:11:47.123456789Z". */
static struct span time_of(const json_t *row) {
    struct span time = row_text(row, "received_at");
    return time.n < 26 ? time : span_of(time.p + 11, 15);
}

/* What the Agent ignores of the line: "in:tag,red|x". */
static void put_ignored(const json_t *row, struct buf *text) {
    size_t i;
    json_t *remark;
    json_array_foreach(json_object_get(row, "remarks"), i, remark) {
        struct span ignored = row_text(remark, "text");
        buf_str(text, i ? "|" : "");
        buf_span(text, ignored.n ? ignored : row_text(remark, "remark"));
    }
}

static void on_sample(void *arg, const json_t *row) {
    struct sample_list *l = arg;
    char rate[NUMBER_SIZE + 1] = "";
    double sample_rate = row_number(row, "sample_rate");
    if (sample_rate != 1) {
        rate[0] = '@';
        number_format(sample_rate, rate + 1);
    }
    buf_clear(&l->tags);
    row_tags(row, &l->tags);
    table_cell(&l->table, time_of(row));
    table_cell(&l->table, row_text(row, "source"));
    table_cell(&l->table, l->all_sessions ? row_text(row, "session") : SPAN(""));
    table_cell(&l->table, row_text(row, "name"));
    table_cell(&l->table, row_text(row, "type"));
    if (json_is_string(json_object_get(row, "text")))
        table_cell(&l->table, row_text(row, "text"));
    else
        table_number(&l->table, row_number(row, "value"));
    table_cell(&l->table, span_str(rate));
    table_cell(&l->table, buf_view(&l->tags));
    table_cell(&l->table, row_text(row, "host"));
    buf_clear(&l->tags);
    put_ignored(row, &l->tags);
    table_cell(&l->table, buf_view(&l->tags));
}

/* --- following ------------------------------------------------------------------------------------------- */

static void on_event(struct sample_list *l, struct span data) {
    if (l->json && !l->ended) {
        printf("%.*s\n", SPAN_ARG(data));
        return;
    }
    json_t *row = json_loadb(data.p, data.n, JSON_ALLOW_NUL, NULL);
    if (row && l->ended)
        log_warning("%.*s", SPAN_ARG(row_text(row, "error")));
    else if (row)
        on_sample(l, row);
    json_decref(row);
}

/* Server-Sent Events: the lines "data: {…}" are the samples, and after "event: end" what ended them. */
static bool on_chunk(void *context, const char *bytes, size_t size) {
    struct sample_list *l = context;
    for (struct span rest = {bytes, size}; rest.n;) {
        const char *end = memchr(rest.p, '\n', rest.n);
        size_t n = end ? (size_t)(end - rest.p) : rest.n;
        buf_add(&l->event, rest.p, n);
        if (!end)
            break;
        rest = span_from(rest, n + 1);
        struct span line = buf_view(&l->event);
        l->ended = l->ended || span_eq(line, SPAN("event: end"));
        if (span_starts(line, SPAN("data: ")))
            on_event(l, span_from(line, 6));
        buf_clear(&l->event);
    }
    table_flush(&l->table);
    return fflush(stdout) == 0;
}

/* Goes on after the last one shown, so that none is missed in between. */
static int follow(const struct options *o, struct sample_list *l, uint64_t last_id) {
    struct buf path = {.max = 1 << 20};
    char since[24];
    struct remote remote;
    snprintf(since, sizeof since, "%" PRIu64, last_id);
    rows_path(&path, o, "stream");
    remote_arg(&path, "since", last_id ? since : option_text(o, OPT_SINCE));
    if (!option_given(o, OPT_TYPE))
        remote_arg(&path, "type", "metric");
    int status = remote_open(&remote, o);
    if (status == EXIT_PASS)
        status = remote_stream(&remote, path.p, on_chunk, l);
    remote_close(&remote);
    buf_free(&path);
    return status;
}

static int check(const struct options *o) {
    if (option_number(o, OPT_LIMIT) > NEWEST_MAX) {
        log_error("--limit is at most %d; without it, all samples are shown", NEWEST_MAX);
        return EXIT_USAGE;
    }
    if (option_on(o, OPT_FOLLOW) && rows_from_file(o)) {
        log_error("--follow needs a server: nothing arrives in a file");
        return EXIT_USAGE;
    }
    return EXIT_PASS;
}

int samples_command(const struct options *o) {
    struct sample_list l = {.all_sessions = strcmp(rows_session(o), "*") == 0,
                            .json = option_on(o, OPT_JSON),
                            .tags = {.max = 1 << 20},
                            .event = {.max = EVENT_MAX}};
    uint64_t last_id = 0;
    int status = check(o);
    if (status != EXIT_PASS)
        return status;
    if (l.json && !option_on(o, OPT_FOLLOW))
        return rows_print_json(o, ROWS_SAMPLES);
    table_begin(&l.table, N, columns);
    l.table.follows = option_on(o, OPT_FOLLOW);
    if (!l.json)
        status = rows_each(o, ROWS_SAMPLES, on_sample, &l, &last_id);
    table_flush(&l.table);
    if (status == EXIT_PASS && option_on(o, OPT_FOLLOW)) {
        fflush(stdout);
        status = follow(o, &l, last_id);
    }
    table_end(&l.table);
    buf_free(&l.tags);
    buf_free(&l.event);
    return status;
}
