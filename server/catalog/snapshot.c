/* Writing and reading snapshots. */
#include "catalog/snapshot.h"

#include "catalog/looks.h"
#include "catalog/numbering.h"
#include "catalog/text.h"
#include "core/array.h"
#include "core/json.h"
#include "core/number.h"
#include "core/series.h"
#include "judge/evaluate/match.h"

#include <math.h>
#include <stdlib.h>

#define HEADER "# statwit snapshot 1"

/* --- writing ------------------------------------------------------------------------------------------------------ */

struct written {
    struct span name, series; /* series: "count a[b:c]" */
    enum metric_type type;
    uint64_t samples, last_id;
    double sum, min, max, last;
};

struct writing {
    const struct snapshot_options *options;
    struct arena arena, scratch;
    struct numbering series, masked;
    size_t cap;
    struct written *written;
    bool failed;
};

static void put_word(struct buf *out, struct span word) {
    bool plain = word.n > 0;
    for (size_t i = 0; i < word.n && plain; i++)
        plain =
            (unsigned char)word.p[i] > ' ' && word.p[i] != 0x7f && !memchr("\"'[]{}(),#<>=|!", word.p[i], 15);
    if (plain)
        buf_span(out, word);
    else
        json_put_string(out, word);
}

static int by_bytes(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

static struct span mask_tag(struct writing *w, struct span tag) {
    struct span key = tag_key(tag);
    bool masked = key.n < tag.n && (numbering_get(&w->masked, key) != NUMBERING_NONE ||
                                    span_eq(key, SPAN("host")) || looks_like(tag_value(tag)) != LOOKS_PLAIN);
    struct buf text = {0};
    buf_span(&text, masked ? key : tag);
    if (masked)
        buf_str(&text, ":*");
    struct span copy = text_clean(&w->scratch, buf_view(&text));
    w->failed |= text.failed || !copy.p;
    buf_free(&text);
    return copy;
}

/* count a[b:c,d:*] */
static void put_series(struct writing *w, const struct series_row *row, struct buf *out) {
    struct span *tags = memory_take(&w->scratch, (row->n_tags + 1) * sizeof *tags), last = {NULL, 0};
    size_t n = 0;
    if (!tags) {
        w->failed = true;
        return;
    }
    for (size_t i = 0; i < row->n_tags; i++)
        tags[n++] = mask_tag(w, row->tags[i]);
    if (row->host.p)
        tags[n++] = SPAN("host:*");
    if (n)
        qsort(tags, n, sizeof *tags, by_bytes);
    buf_str(out, metric_word(row->type));
    buf_char(out, ' ');
    struct span name = text_clean(&w->scratch, row->name);
    put_word(out, name);
    buf_char(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i && span_eq(last, tags[i]))
            continue;
        if (i)
            buf_char(out, ',');
        put_word(out, tags[i]);
        last = tags[i];
    }
    buf_char(out, ']');
    w->failed |= !name.p || out->failed;
}

static struct written *written_of(struct writing *w, struct span series, const struct series_row *row,
                                  bool *added) {
    size_t known = w->series.n, i = numbering_put(&w->series, series);
    *added = i != NUMBERING_NONE && i == known;
    if (i == NUMBERING_NONE || !array_room(&w->written, i, &w->cap, sizeof *w->written))
        return NULL;
    if (*added)
        w->written[i] = (struct written){
            .name = text_clean(&w->arena, row->name), .series = w->series.list[i], .type = row->type};
    return &w->written[i];
}

static int take_series(void *arg, const struct series_row *row) {
    struct writing *w = arg;
    if (!scope_holds(&w->options->scope, row) || span_starts(row->name, TELEMETRY))
        return 0;
    struct buf series = {0};
    bool added = false;
    put_series(w, row, &series);
    struct written *x = w->failed ? NULL : written_of(w, buf_view(&series), row, &added);
    buf_free(&series);
    arena_reset(&w->scratch);
    if (!x || !x->name.p) {
        w->failed = true;
        return 1;
    }
    x->samples += row->samples;
    x->sum = added ? row->sum : x->sum + row->sum;
    x->min = added ? row->min : fmin(x->min, row->min);
    x->max = added ? row->max : fmax(x->max, row->max);
    if (row->last_id >= x->last_id) {
        x->last_id = row->last_id;
        x->last = row->last;
    }
    return 0;
}

static int by_place(const void *a, const void *b) {
    const struct written *x = a, *y = b;
    int order = span_cmp(x->name, y->name);
    if (order == 0)
        order = (int)x->type - (int)y->type;
    return order ? order : span_cmp(x->series, y->series);
}

static void put_stat(struct buf *out, const char *stat, double value, const char **between) {
    char number[NUMBER_SIZE];
    number_format(value, number);
    buf_printf(out, "%s%s == %s", *between, stat, number);
    *between = " and ";
}

static void put_numbers(const struct snapshot_options *o, const struct written *x, struct buf *out) {
    const char *between = " ";
    if (o->counts)
        put_stat(out, "samples", (double)x->samples, &between);
    if (!o->values || metric_is(x->type, METRIC_TEXT))
        return;
    if (metric_is(x->type, METRIC_COUNTED)) {
        put_stat(out, "sum", x->sum, &between);
    } else if (metric_is(x->type, METRIC_LEVEL)) {
        put_stat(out, "last", x->last, &between);
    } else {
        put_stat(out, "min", x->min, &between);
        put_stat(out, "max", x->max, &between);
    }
}

static void put_header(const struct snapshot_options *o, struct buf *out) {
    buf_str(out, HEADER);
    const char *before = ":";
    if (o->counts) {
        buf_printf(out, "%s counts", before);
        before = "";
    }
    if (o->values) {
        buf_printf(out, "%s values", before);
        before = "";
    }
    if (o->mask.n)
        buf_printf(out, "%s mask=%.*s", before, SPAN_ARG(o->mask));
    buf_char(out, '\n');
}

int snapshot_write(const struct snapshot_options *options, struct reader *reader, struct buf *out,
                   struct err *err) {
    struct writing w = {.options = options};
    struct filter filter = {.session = scope_session(&options->scope),
                            .since = options->scope.since,
                            .outline = !options->values};
    bool anew = filter.since && (options->counts || options->values);
    w.failed = numbering_put_list(&w.masked, options->mask) != 0;
    int result = w.failed ? 0
                 : anew   ? series_since(reader, &filter, take_series, &w, err)
                          : reader->ops->series(reader, &filter, take_series, &w, err);
    if (result == 0 && !w.failed) {
        if (w.series.n)
            qsort(w.written, w.series.n, sizeof *w.written, by_place);
        put_header(options, out);
        for (size_t i = 0; i < w.series.n; i++) {
            buf_span(out, w.written[i].series);
            put_numbers(options, &w.written[i], out);
            buf_char(out, '\n');
        }
    }
    if (result == 0 && (w.failed || out->failed))
        result = err_set(err, 0, "out of memory");
    arena_free(&w.arena);
    arena_free(&w.scratch);
    numbering_free(&w.series);
    numbering_free(&w.masked);
    free(w.written);
    return result;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

struct parsing {
    struct snapshot *snapshot;
    const char *file;
    struct span text; /* of the line */
    size_t line, i;
    size_t cap;
    struct catalog_error *error;
};

static int complain(struct parsing *p, const char *message) {
    return catalog_fail(p->error, p->file, p->line, p->i + 1, "%s", message);
}

static int read_quoted(struct parsing *p, struct span *word) {
    size_t end = p->i + 1;
    while (end < p->text.n && p->text.p[end] != '"')
        end += p->text.p[end] == '\\' ? 2 : 1;
    if (end >= p->text.n)
        return complain(p, "this quote is never closed");
    json_t *string = json_loadb(p->text.p + p->i, end + 1 - p->i, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!string)
        return complain(p, "not a JSON string");
    *word = arena_copy(&p->snapshot->arena, span_of(json_string_value(string), json_string_length(string)));
    json_decref(string);
    p->i = end + 1;
    return word->p ? 0 : complain(p, "out of memory");
}

/* Up to one of the bytes in `stops`. */
static int read_word(struct parsing *p, const char *stops, struct span *word) {
    if (p->i < p->text.n && p->text.p[p->i] == '"')
        return read_quoted(p, word);
    size_t from = p->i;
    while (p->i < p->text.n && !strchr(stops, p->text.p[p->i]))
        p->i++;
    if (p->i == from)
        return complain(p, "something is missing here");
    *word = arena_copy(&p->snapshot->arena, span_of(p->text.p + from, p->i - from));
    return word->p ? 0 : complain(p, "out of memory");
}

static int read_tags(struct parsing *p, struct snapshot_line *line) {
    size_t cap = 1;
    for (size_t k = p->i; k < p->text.n; k++)
        cap += p->text.p[k] == ',';
    line->tags = memory_take(&p->snapshot->arena, (cap + 1) * sizeof *line->tags);
    if (!line->tags)
        return complain(p, "out of memory");
    if (p->i >= p->text.n || p->text.p[p->i] != '[')
        return complain(p, "expected '[' and the tags");
    p->i++;
    while (p->i < p->text.n && p->text.p[p->i] != ']') {
        if (line->n_tags && p->text.p[p->i++] != ',')
            return complain(p, "expected ',' or ']'");
        if (read_word(p, ",]", &line->tags[line->n_tags++]))
            return -1;
    }
    if (p->i >= p->text.n)
        return complain(p, "expected ']'");
    p->i++;
    return 0;
}

static int read_line(struct parsing *p, struct snapshot_line *line) {
    struct span type;
    if (read_word(p, " [", &type))
        return -1;
    int t = metric_type_of(type);
    if (t < 0) {
        p->i = 0;
        return complain(p, "expected one of" METRIC_TYPES(METRIC_SPACE_WORD));
    }
    line->type = (enum metric_type)t;
    if (p->i >= p->text.n || p->text.p[p->i] != ' ')
        return complain(p, "expected a blank and the name");
    p->i++;
    if (read_word(p, "[", &line->name) || read_tags(p, line))
        return -1;
    line->line = p->line;
    line->series = arena_copy(&p->snapshot->arena, span_of(p->text.p, p->i));
    struct span rest = span_from(p->text, p->i);
    if (rest.n && rest.p[0] != ' ')
        return complain(p, "expected a blank");
    line->numbers = rest.n ? arena_copy(&p->snapshot->arena, span_from(rest, 1)) : SPAN("");
    if (span_starts(line->numbers, SPAN("samples == "))) {
        struct span number = span_from(line->numbers, 11);
        const char *blank = number.n ? memchr(number.p, ' ', number.n) : NULL;
        line->has_samples = number_parse(blank ? span_of(number.p, (size_t)(blank - number.p)) : number,
                                         &line->samples) == NUMBER_OK;
        if (!line->has_samples)
            return complain(p, "expected a number of samples");
    }
    return line->series.p && line->numbers.p ? 0 : complain(p, "out of memory");
}

static bool is_conflict(struct span line) {
    static const char *const marks[] = {"<<<<<<<", "|||||||", "=======", ">>>>>>>"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (span_starts(line, span_str(marks[i])))
            return true;
    return false;
}

/* # statwit snapshot 1: counts values mask=a,b */
static int read_header(struct parsing *p) {
    struct snapshot_options *o = &p->snapshot->options;
    if (!span_starts(p->text, SPAN(HEADER)))
        return complain(p, "not a snapshot: expected the line \"" HEADER "\"");
    p->i = sizeof HEADER - 1;
    if (p->i < p->text.n && p->text.p[p->i] == ':')
        p->i++;
    else if (p->i < p->text.n)
        return complain(p, "a snapshot of another version");
    while (p->i < p->text.n) {
        struct span word;
        if (p->text.p[p->i] == ' ') {
            p->i++;
            continue;
        }
        size_t from = p->i;
        if (read_word(p, " ", &word))
            return -1;
        if (span_eq(word, SPAN("counts")))
            o->counts = true;
        else if (span_eq(word, SPAN("values")))
            o->values = true;
        else if (span_starts(word, SPAN("mask=")))
            o->mask = span_from(word, 5);
        else {
            p->i = from;
            return complain(p, "expected counts, values or mask=KEYS");
        }
    }
    return 0;
}

static int add_line(struct parsing *p) {
    struct snapshot *s = p->snapshot;
    if (!array_room(&s->lines, s->n, &p->cap, sizeof *s->lines))
        return complain(p, "out of memory");
    s->lines[s->n] = (struct snapshot_line){0};
    return read_line(p, &s->lines[s->n++]);
}

static int parse(struct parsing *p, struct span text) {
    while (text.n) {
        const char *newline = memchr(text.p, '\n', text.n);
        size_t length = newline ? (size_t)(newline - text.p) : text.n;
        p->text = span_of(text.p, length && text.p[length - 1] == '\r' ? length - 1 : length);
        p->i = 0;
        p->line++;
        text = span_from(text, newline ? length + 1 : length);
        if (is_conflict(p->text))
            return complain(p, "a merge conflict that was not resolved");
        if (p->line == 1 ? read_header(p) : p->text.n && p->text.p[0] != '#' ? add_line(p) : 0)
            return -1;
    }
    return p->line ? 0 : catalog_fail(p->error, p->file, 1, 1, "an empty file is no snapshot");
}

static int line_order(const void *a, const void *b) {
    const struct snapshot_line *x = a, *y = b;
    int order = span_cmp(x->series, y->series);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

static int refuse_doubles(struct parsing *p) {
    struct snapshot *s = p->snapshot;
    if (s->n)
        qsort(s->lines, s->n, sizeof *s->lines, line_order);
    for (size_t i = 1; i < s->n; i++)
        if (span_eq(s->lines[i - 1].series, s->lines[i].series))
            return catalog_fail(p->error, p->file, s->lines[i].line, 1, "the same series as in line %zu",
                                s->lines[i - 1].line);
    return 0;
}

struct snapshot *snapshot_parse(const char *file, struct span text, struct catalog_error *error) {
    struct snapshot *s = calloc(1, sizeof *s);
    struct parsing p = {.snapshot = s, .file = file, .error = error};
    if (s && text.n <= SNAPSHOT_MAX && parse(&p, text) == 0 && refuse_doubles(&p) == 0)
        return s;
    catalog_fail(error, file, 0, 0, s ? "a snapshot of more than 64 MiB" : "out of memory");
    snapshot_free(s);
    return NULL;
}

void snapshot_free(struct snapshot *s) {
    if (!s)
        return;
    arena_free(&s->arena);
    free(s->lines);
    free(s);
}
