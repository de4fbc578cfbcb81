/* A fleet's engine puts the series together itself, and answers the groups. A file's series and a server's are put together here. */
#include "command/emitters.h"

#include "catalog/numbering.h"
#include "command/commands.h"
#include "command/rows.h"
#include "command/table.h"
#include "command/when.h"
#include "core/array.h"
#include "core/clock.h"
#include "core/distance.h"
#include "core/json.h"
#include "core/log.h"
#include "core/moment.h"
#include "core/series.h"
#include "render/rows.h"
#include "store/open.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

struct emitter_list {
    const struct options *o;
    size_t n_by;
    struct emitter_by by[EMITTER_BY_MAX];
    struct emitter_row *list;
    size_t n, cap;
    struct arena arena;      /* what the rows point into */
    struct numbering groups; /* by their values; of what is put together here */
    struct buf key;
    bool failed;
};

/* --- the words ----------------------------------------------------------------------------------------------- */

static const char *const series_words[] = {[EMITTER_NAME] = "name",
                                           [EMITTER_TYPE] = "type",
                                           [EMITTER_SESSION] = "session",
                                           [EMITTER_HOST] = "host",
                                           [EMITTER_TAGS] = "tags"};
#define N_SERIES_WORDS (sizeof series_words / sizeof series_words[0])
static const char *const labels[] = {"repo", "branch", "commit", "job", "run"};
#define N_LABELS (sizeof labels / sizeof labels[0])

static int refuse_word(struct span word) {
    const char *known[N_SERIES_WORDS + N_LABELS + 1];
    char hint[NEAREST_HINT_SIZE];
    memcpy(known, series_words, sizeof series_words);
    memcpy(known + N_SERIES_WORDS, labels, sizeof labels);
    known[N_SERIES_WORDS + N_LABELS] = "label.KEY";
    log_error(
        "--by takes name, type, session, host, tags, repo, branch, commit, job, run and label.KEY, not '%.*s'%s",
        (int)(word.n < 60 ? word.n : 60), word.p,
        nearest_hint(word, N_SERIES_WORDS + N_LABELS + 1, known, hint));
    return EXIT_USAGE;
}

static bool read_word(struct span word, struct emitter_by *by) {
    *by = (struct emitter_by){.word = EMITTER_LABEL, .label = word, .text = word};
    for (size_t i = 0; i < N_SERIES_WORDS; i++)
        if (span_eq(word, span_str(series_words[i]))) {
            by->word = (enum emitter_word)i;
            return true;
        }
    for (size_t i = 0; i < N_LABELS; i++)
        if (span_eq(word, span_str(labels[i])))
            return true;
    by->label = span_starts(word, SPAN("label.")) ? span_from(word, 6) : SPAN("");
    return by->label.n > 0;
}

static int add_word(struct emitter_list *e, struct span word) {
    struct emitter_by *by = &e->by[e->n_by];
    if (e->n_by == EMITTER_BY_MAX) {
        log_error("--by takes %d words at most", EMITTER_BY_MAX);
        return EXIT_USAGE;
    }
    if (!read_word(word, by))
        return refuse_word(word);
    for (size_t i = 0; i < e->n_by; i++)
        if (span_eq(e->by[i].text, word)) {
            log_error("--by names '%.*s' twice", SPAN_ARG(word));
            return EXIT_USAGE;
        }
    e->n_by++;
    return EXIT_PASS;
}

static int read_words(struct emitter_list *e) {
    const char *at = option_text(e->o, OPT_BY);
    for (;;) {
        size_t n = strcspn(at, ",");
        int status = add_word(e, span_of(at, n));
        if (status != EXIT_PASS || !at[n])
            return status;
        at += n + 1;
    }
}

/* Only pushed recordings have labels. */
static int check_labels(const struct emitter_list *e) {
    for (size_t i = 0; i < e->n_by; i++)
        if (e->by[i].word == EMITTER_LABEL) {
            log_error(
                "--by %.*s: only recordings that were pushed have labels (--db clickhouse://…, see `statwit push`); "
                "of %s it takes name, type, session, host, tags",
                SPAN_ARG(e->by[i].text), rows_from_file(e->o) ? "a file" : "a server");
            return EXIT_USAGE;
        }
    return EXIT_PASS;
}

/* --- groups -------------------------------------------------------------------------------------------------- */

static struct emitter_row *add_group(struct emitter_list *e, const struct emitter_row *row) {
    if (!array_room(&e->list, e->n, &e->cap, sizeof *e->list)) {
        e->failed = true;
        return NULL;
    }
    struct emitter_row *copy = &e->list[e->n++];
    *copy = *row;
    copy->values = arena_copy_list(&e->arena, e->n_by, row->values);
    copy->tags = row->n_tags ? arena_copy_list(&e->arena, row->n_tags, row->tags) : NULL;
    e->failed = e->failed || e->arena.failed;
    return copy;
}

static int take_emitter(void *arg, const struct emitter_row *row) {
    struct emitter_list *e = arg;
    add_group(e, row);
    return e->failed;
}

static void add_to_key(struct buf *key, struct span text) {
    buf_printf(key, "%c%zu:", text.p ? '+' : '-', text.n);
    buf_add(key, text.p, text.n);
}

static int take_series(void *arg, const struct series_row *row) {
    struct emitter_list *e = arg;
    struct span values[EMITTER_BY_MAX] = {{NULL, 0}};
    struct emitter_row group = {.values = values, .recordings = 1, .first_at = row->first_at};
    buf_clear(&e->key);
    for (size_t i = 0; i < e->n_by; i++) {
        enum emitter_word word = e->by[i].word;
        values[i] = word == EMITTER_NAME      ? row->name
                    : word == EMITTER_TYPE    ? span_str(metric_word(row->type))
                    : word == EMITTER_SESSION ? row->session
                    : word == EMITTER_HOST    ? row->host
                                              : (struct span){NULL, 0};
        add_to_key(&e->key, values[i]);
        if (word == EMITTER_TAGS) {
            group.n_tags = row->n_tags;
            group.tags = row->tags;
            for (size_t k = 0; k < row->n_tags; k++)
                add_to_key(&e->key, row->tags[k]);
        }
    }
    size_t place = numbering_put(&e->groups, buf_view(&e->key));
    e->failed = e->failed || e->key.failed || place == NUMBERING_NONE;
    struct emitter_row *sum = e->failed ? NULL : place == e->n ? add_group(e, &group) : &e->list[place];
    if (e->failed)
        return 1;
    sum->series++;
    sum->samples += row->samples;
    sum->first_at = row->first_at < sum->first_at ? row->first_at : sum->first_at;
    sum->last_at = row->last_at > sum->last_at ? row->last_at : sum->last_at;
    return 0;
}

/* --- where they come from ------------------------------------------------------------------------------------ */

static int64_t time_of(const json_t *row, const char *field) {
    int64_t wall_ns;
    return moment_parse_time(row_text(row, field), &wall_ns) ? wall_ns : 0;
}

/* A server's series. */
static void take_json(void *arg, const json_t *row) {
    struct emitter_list *e = arg;
    const json_t *tags = json_object_get(row, "tags"), *host = json_object_get(row, "host");
    int type = metric_type_of(row_text(row, "type"));
    size_t n = json_array_size(tags);
    struct span *list = calloc(n + 1, sizeof *list);
    e->failed = e->failed || !list;
    for (size_t i = 0; i < n && list; i++) {
        const json_t *tag = json_array_get(tags, i);
        list[i] = span_of(json_string_value(tag), json_string_length(tag));
    }
    if (!e->failed)
        take_series(e, &(struct series_row){.name = row_text(row, "name"),
                                            .session = row_text(row, "session"),
                                            .type = type < 0 ? METRIC_COUNT : (enum metric_type)type,
                                            .n_tags = n,
                                            .tags = list,
                                            .host = json_is_string(host) ? row_text(row, "host")
                                                                         : (struct span){NULL, 0},
                                            .samples = (uint64_t)row_number(row, "samples"),
                                            .first_at = time_of(row, "first_at"),
                                            .last_at = time_of(row, "last_at")});
    free(list);
}

static int ask_reader(struct emitter_list *e, struct reader *r, const struct filter *f, struct err *err) {
    bool parted = f->since || f->until;
    if (r->ops->emitters && !parted)
        return r->ops->emitters(r, f, e->n_by, e->by, take_emitter, e, err);
    return parted ? series_since(r, f, take_series, e, err) : r->ops->series(r, f, take_series, e, err);
}

static int read_emitters(struct emitter_list *e, struct reader *r, const struct filter *f, struct err *err) {
    const struct options *o = e->o;
    if (r->ops->emitters && (f->since || f->until)) {
        err_set(
            err, 0,
            "--by does not go with --since and --until in pushed recordings: say since= and until= in the URL");
        return EXIT_USAGE;
    }
    if (r->ops->begin(r, err) != 0)
        return EXIT_CANNOT;
    int status = rows_find_session(r, o, span_str(rows_session(o)), err);
    if (status == EXIT_PASS)
        status = rows_find_mark(r, o, err);
    if (status == EXIT_PASS && ask_reader(e, r, f, err) != 0)
        status = EXIT_CANNOT;
    r->ops->end(r);
    return status;
}

static int ask_emitters(struct emitter_list *e) {
    struct span tags[OPTION_LIST_MAX];
    struct filter f;
    struct err err = {0};
    if (!rows_from_file(e->o))
        return rows_each(e->o, ROWS_SERIES, take_json, e, NULL);
    int status = rows_filter(e->o, tags, &f);
    struct reader *r = status == EXIT_PASS ? rows_open_file(e->o, &status) : NULL;
    if (!r)
        return status;
    status = read_emitters(e, r, &f, &err);
    reader_close(r);
    if (err.set)
        log_error("%s", err.text);
    return status;
}

/* --- order --------------------------------------------------------------------------------------------------- */

/* What was not given comes first. */
static int compare_texts(struct span a, struct span b) {
    return !a.p || !b.p ? (a.p != NULL) - (b.p != NULL) : span_cmp(a, b);
}

static int compare_values(const struct emitter_row *a, const struct emitter_row *b, size_t n_by) {
    int order = 0;
    for (size_t i = 0; i < n_by && order == 0; i++)
        order = compare_texts(a->values[i], b->values[i]);
    for (size_t i = 0; i < a->n_tags && i < b->n_tags && order == 0; i++)
        order = span_cmp(a->tags[i], b->tags[i]);
    return order ? order : (a->n_tags > b->n_tags) - (a->n_tags < b->n_tags);
}

static int compare_rows(const void *pa, const void *pb, void *arg) {
    const struct emitter_row *a = pa, *b = pb;
    const struct emitter_list *e = arg;
    const char *order = option_text(e->o, OPT_SORT);
    int by = strcmp(order, "samples") == 0   ? (a->samples < b->samples) - (a->samples > b->samples)
             : strcmp(order, "newest") == 0  ? (a->last_at < b->last_at) - (a->last_at > b->last_at)
             : strcmp(order, "arrival") == 0 ? (a->first_at > b->first_at) - (a->first_at < b->first_at)
                                             : 0;
    return by ? by : compare_values(a, b, e->n_by);
}

static int check_order(const struct options *o) {
    static const char *const good[] = {"name", "samples", "newest", "arrival"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (strcmp(option_text(o, OPT_SORT), good[i]) == 0)
            return EXIT_PASS;
    log_error("with --by, --sort takes name, samples, newest or arrival, not '%s'", option_text(o, OPT_SORT));
    return EXIT_USAGE;
}

/* --- showing ------------------------------------------------------------------------------------------------- */

static int show_json(const struct emitter_list *e) {
    struct buf b = {0};
    buf_str(&b, "{\"by\":[");
    for (size_t i = 0; i < e->n_by; i++) {
        buf_str(&b, i ? "," : "");
        json_put_string(&b, e->by[i].text);
    }
    buf_str(&b, "],\"emitters\":[");
    for (size_t i = 0; i < e->n && !b.failed; i++) {
        buf_str(&b, i ? ",\n" : "");
        rows_emitter_json(&b, e->n_by, e->by, &e->list[i]);
        text_write(stdout, buf_view(&b));
        buf_clear(&b);
    }
    buf_str(&b, "]}\n");
    text_write(stdout, buf_view(&b));
    bool failed = b.failed;
    buf_free(&b);
    if (failed)
        log_error("out of memory");
    return failed ? EXIT_CANNOT : EXIT_PASS;
}

static void put_tags(struct text_table *table, const struct emitter_row *row, struct buf *text) {
    buf_clear(text);
    for (size_t i = 0; i < row->n_tags; i++) {
        buf_str(text, i ? "," : "");
        buf_span(text, row->tags[i]);
    }
    table_cell(table, buf_view(text));
}

static void put_time(struct text_table *table, const struct when *when, int64_t wall_ns) {
    char at[CLOCK_RFC3339_SIZE], text[WHEN_SIZE];
    clock_rfc3339(wall_ns, at);
    table_cell(table, when_show(when, span_str(at), text));
}

static void show_row(struct text_table *table, const struct emitter_list *e, const struct emitter_row *row,
                     bool recordings, const struct when *when, struct buf *text) {
    for (size_t i = 0; i < e->n_by; i++)
        if (e->by[i].word == EMITTER_TAGS)
            put_tags(table, row, text);
        else
            table_cell(table, row->values[i].p ? row->values[i] : SPAN(""));
    if (recordings)
        table_number(table, (double)row->recordings);
    table_number(table, (double)row->series);
    table_number(table, (double)row->samples);
    put_time(table, when, row->first_at);
    put_time(table, when, row->last_at);
}

#define TITLE 40

/* "repo" and "label.repo" are under REPO. */
static void make_title(struct span word, char title[TITLE]) {
    size_t n = 0;
    for (word = span_starts(word, SPAN("label.")) ? span_from(word, 6) : word; n < word.n && n < TITLE - 1;
         n++)
        title[n] = (char)toupper((unsigned char)word.p[n]);
    title[n] = '\0';
}

static void show_table(const struct emitter_list *e) {
    struct column columns[EMITTER_BY_MAX + 5] = {{0}};
    char titles[EMITTER_BY_MAX][TITLE];
    struct text_table table = {0};
    struct when when;
    struct buf text = {0};
    size_t n = 0;
    bool recordings = rows_from_file(e->o) && reader_is_url(option_text(e->o, OPT_DB));
    for (; n < e->n_by; n++) {
        make_title(e->by[n].text, titles[n]);
        columns[n] = (struct column){.title = titles[n], .gives = true};
    }
    if (recordings)
        columns[n++] = (struct column){.title = "RECORDINGS", .right = true};
    columns[n++] = (struct column){.title = "SERIES", .right = true};
    columns[n++] = (struct column){.title = "SAMPLES", .right = true};
    columns[n++] = (struct column){.title = "FIRST", .colour = COLOUR_DIM};
    columns[n++] = (struct column){.title = "NEWEST", .colour = COLOUR_DIM};
    when_begin(&when, option_on(e->o, OPT_UTC));
    table_begin(&table, n, columns);
    table.wide = option_on(e->o, OPT_WIDE);
    for (size_t i = 0; i < e->n; i++)
        show_row(&table, e, &e->list[i], recordings, &when, &text);
    table_end(&table);
    buf_free(&text);
}

static int show(struct emitter_list *e) {
    if (e->n)
        qsort_r(e->list, e->n, sizeof *e->list, compare_rows, e);
    if (option_on(e->o, OPT_JSON))
        return show_json(e);
    show_table(e);
    if (e->n == 0 && !option_on(e->o, OPT_QUIET))
        fprintf(stderr, "nobody sends %s\n", e->o->n_args ? e->o->args[0] : "anything");
    return EXIT_PASS;
}

int emitters_list(const struct options *o) {
    struct emitter_list e = {.o = o};
    int status = read_words(&e);
    if (status == EXIT_PASS)
        status = check_order(o);
    if (status == EXIT_PASS && !(rows_from_file(o) && reader_is_url(option_text(o, OPT_DB))))
        status = check_labels(&e);
    if (status == EXIT_PASS)
        status = ask_emitters(&e);
    if (status == EXIT_PASS && e.failed) {
        log_error("out of memory");
        status = EXIT_CANNOT;
    }
    if (status == EXIT_PASS)
        status = show(&e);
    free(e.list);
    arena_free(&e.arena);
    numbering_free(&e.groups);
    buf_free(&e.key);
    return status;
}
