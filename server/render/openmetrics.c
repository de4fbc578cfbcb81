/* DESIGN. Names, first pass: every name of a family and every tag key is noted, and whether the values fit. Then all get names that
 * are valid and differ. Text, second pass: each series' lines, which are then sorted by family. */
#include "render/openmetrics.h"

#include "core/array.h"
#include "core/number.h"
#include "core/series.h"
#include "core/utf8.h"
#include "render/openmetrics_names.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

/* One series' lines of one family in `text`. */
struct entry {
    const struct om_name *family;
    size_t lines, n_lines;
    uint64_t id;
};

struct export {
    struct om_names families, labels;
    bool every_session;
    uint64_t limit, left;
    struct buf text, labels_text; /* labels of the series at hand, without braces */
    struct entry *entries;
    size_t n, cap;
    struct table seen; /* (family, labels) */
    bool failed;
};

static const char *const kind_words[] = {
    [OM_COUNTER] = "counter", [OM_SUMMARY] = "summary",     [OM_GAUGE] = "gauge",
    [OM_UNKNOWN] = "unknown", [OM_LOOSE_COUNT] = "unknown", [OM_LOOSE_SUM] = "unknown"};

static enum om_kind kind_of(enum metric_type type) {
    enum om_kind kind = OM_COUNTER;
    while (kind != OM_GAUGE && strcmp(kind_words[kind], metric_family(type)) != 0)
        kind++;
    return kind;
}

/* --- names ----------------------------------------------------------------------------------------------- */

/* A tag's key with its ':'; the whole of a tag that has none. */
static struct span label_of(struct span tag) {
    const char *colon = tag.n ? memchr(tag.p, ':', tag.n) : NULL;
    return span_of(tag.p, colon ? (size_t)(colon - tag.p) + 1 : tag.n);
}

static bool fits(const struct series_row *row, enum om_kind kind) {
    if (kind == OM_COUNTER)
        return row->sum >= 0;
    return kind != OM_SUMMARY ||
           (row->sum >= 0 && row->count >= 0 && row->count == floor(row->count) && isfinite(row->count));
}

static int note_names(void *arg, const struct series_row *row) {
    struct export *x = arg;
    if (x->left-- == 0)
        return 1;
    enum om_kind kind = kind_of(row->type);
    size_t family = om_names_note(&x->families, kind, row->name);
    if (family != SIZE_MAX && !fits(row, kind))
        x->families.list[family].unfit = true;
    for (size_t i = 0; i < row->n_tags; i++)
        om_names_note(&x->labels, OM_LABEL, label_of(row->tags[i]));
    return x->families.failed || x->labels.failed;
}

/* An unfit family is taken apart. */
static void give_names(struct export *x) {
    for (size_t i = 0, n = x->families.n; i < n; i++) {
        struct om_name name = x->families.list[i];
        if (name.unfit && name.kind == OM_COUNTER)
            om_names_note(&x->families, OM_UNKNOWN, name.original);
        if (name.unfit && name.kind == OM_SUMMARY) {
            om_names_note(&x->families, OM_LOOSE_COUNT, name.original);
            om_names_note(&x->families, OM_LOOSE_SUM, name.original);
        }
    }
    om_names_note(&x->labels, OM_LABEL, OM_LABEL_HOST);
    om_names_note(&x->labels, OM_LABEL, OM_LABEL_DEVICE);
    om_names_note(&x->labels, OM_LABEL, OM_LABEL_SESSION);
    om_names_note(&x->labels, OM_LABEL, OM_LABEL_SERIES);
    om_names_give(&x->families);
    om_names_give(&x->labels);
    x->failed |= x->families.failed || x->labels.failed;
}

/* --- text ------------------------------------------------------------------------------------------------ */

/* A carriage return is written \r: some readers take it for the end of a line. */
static void put_escaped(struct buf *b, struct span s) {
    for (size_t i = 0; i < s.n;) {
        size_t taken;
        struct span character = utf8_mended(span_from(s, i), &taken);
        if (s.p[i] == '\n') {
            buf_str(b, "\\n");
        } else if (s.p[i] == '\r') {
            buf_str(b, "\\\\r");
        } else if (s.p[i] == '"' || s.p[i] == '\\') {
            buf_char(b, '\\');
            buf_char(b, s.p[i]);
        } else {
            buf_span(b, character);
        }
        i += taken;
    }
}

static void begin_label(struct export *x, struct span original) {
    struct buf *b = &x->labels_text;
    const struct om_name *name = om_names_find(&x->labels, OM_LABEL, original);
    if (b->n)
        buf_char(b, ',');
    if (name)
        buf_span(b, name->given);
    buf_str(b, "=\"");
    x->failed |= !name;
}

static void put_label(struct export *x, struct span original, struct span value) {
    begin_label(x, original);
    put_escaped(&x->labels_text, value);
    buf_char(&x->labels_text, '"');
}

/* Tags are sorted, so those of one key stand together. */
static void put_labels(struct export *x, const struct series_row *row) {
    struct buf *b = &x->labels_text;
    buf_clear(b);
    for (size_t i = 0; i < row->n_tags;) {
        struct span label = label_of(row->tags[i]);
        bool has_value = label.n > 0 && label.p[label.n - 1] == ':';
        size_t first = i;
        bool several = i + 1 < row->n_tags && span_eq(label_of(row->tags[i + 1]), label);
        if (has_value && label.n == row->tags[i].n && !several) { /* an empty label is a missing one */
            i++;
            continue;
        }
        begin_label(x, label);
        if (!has_value) {
            buf_str(b, "true");
            i++;
        }
        for (; has_value && i < row->n_tags && span_eq(label_of(row->tags[i]), label); i++) {
            buf_str(b, i > first ? "," : "");
            put_escaped(b, span_from(row->tags[i], label.n));
        }
        buf_char(b, '"');
    }
    if (row->host.n)
        put_label(x, OM_LABEL_HOST, row->host);
    if (row->device.n)
        put_label(x, OM_LABEL_DEVICE, row->device);
    if (x->every_session)
        put_label(x, OM_LABEL_SESSION, row->session);
}

/* Tells series apart that have become one: by bytes that are not UTF-8, by a value or host that is empty instead of missing. */
static void tell_apart(struct export *x, const struct om_name *family, uint64_t id) {
    bool added;
    struct span labels = buf_view(&x->labels_text);
    uint64_t seed = (uint64_t)(family - x->families.list);
    if (!table_put(&x->seen, XXH3_64bits_withSeed(labels.n ? labels.p : "", labels.n, seed), 1, &added)) {
        x->failed = true;
    } else if (!added) {
        char number[24];
        int n = snprintf(number, sizeof number, "%llu", (unsigned long long)id);
        put_label(x, OM_LABEL_SERIES, span_of(number, (size_t)n));
    }
}

static void put_line(struct export *x, const struct om_name *family, const char *suffix, double value) {
    struct buf *b = &x->text;
    char text[NUMBER_SIZE];
    buf_span(b, family->given);
    buf_str(b, suffix);
    if (x->labels_text.n) {
        buf_char(b, '{');
        buf_span(b, buf_view(&x->labels_text));
        buf_char(b, '}');
    }
    buf_char(b, ' ');
    buf_add(b, text, number_format(value, text));
    buf_char(b, '\n');
}

static void put_entry(struct export *x, const struct series_row *row, enum om_kind kind) {
    const struct om_name *family = om_names_find(&x->families, kind, row->name);
    if (!family || !array_room(&x->entries, x->n, &x->cap, sizeof *x->entries)) {
        x->failed = true;
        return;
    }
    size_t n_labels = x->labels_text.n;
    tell_apart(x, family, row->id);
    struct entry *e = &x->entries[x->n++];
    *e = (struct entry){.family = family, .lines = x->text.n, .id = row->id};
    if (kind == OM_COUNTER)
        put_line(x, family, "_total", row->sum);
    else if (kind == OM_UNKNOWN || kind == OM_LOOSE_SUM)
        put_line(x, family, "", row->sum);
    else if (kind == OM_LOOSE_COUNT)
        put_line(x, family, "", row->count);
    else if (kind == OM_GAUGE)
        put_line(x, family, "", metric_is(row->type, METRIC_TEXT) ? (double)row->samples : row->last);
    else {
        put_line(x, family, "_count", row->count);
        put_line(x, family, "_sum", row->sum);
    }
    e->n_lines = x->text.n - e->lines;
    x->labels_text.n = n_labels;
}

static int put_series(void *arg, const struct series_row *row) {
    struct export *x = arg;
    if (x->left-- == 0)
        return 1;
    enum om_kind kind = kind_of(row->type);
    const struct om_name *family = om_names_find(&x->families, kind, row->name);
    bool unfit = family && family->unfit;
    put_labels(x, row);
    if (unfit && kind == OM_SUMMARY) {
        put_entry(x, row, OM_LOOSE_COUNT);
        put_entry(x, row, OM_LOOSE_SUM);
    } else {
        put_entry(x, row, unfit ? OM_UNKNOWN : kind);
    }
    return x->failed || x->text.failed || x->labels_text.failed;
}

static int by_family(const void *x, const void *y) {
    const struct entry *a = x, *b = y;
    int order = span_cmp(a->family->given, b->family->given);
    return order ? order : (a->id > b->id) - (a->id < b->id);
}

static void put_families(const struct export *x, struct buf *b) {
    const struct om_name *previous = NULL;
    for (size_t i = 0; i < x->n; i++) {
        const struct entry *e = &x->entries[i];
        if (e->family != previous)
            buf_printf(b, "# TYPE %.*s %s\n", SPAN_ARG(e->family->given), kind_words[e->family->kind]);
        buf_add(b, x->text.p + e->lines, e->n_lines);
        previous = e->family;
    }
    buf_str(b, "# EOF\n");
}

static int read_series(struct export *x, struct reader *r, const struct filter *f,
                       int (*row)(void *, const struct series_row *), struct err *err) {
    x->left = x->limit;
    bool partly = f->since || f->until || f->has_source;
    return partly ? series_since(r, f, row, x, err) : r->ops->series(r, f, row, x, err);
}

int openmetrics_write(struct reader *r, const struct filter *f, uint64_t limit, struct buf *text,
                      struct err *err) {
    struct export x = {.text = {.max = OPENMETRICS_MAX},
                       .labels_text = {.max = OPENMETRICS_MAX},
                       .families = {.arena.max = OPENMETRICS_MAX},
                       .labels = {.arena.max = OPENMETRICS_MAX},
                       .every_session = !f->session.p,
                       .limit = limit};
    int failed = read_series(&x, r, f, note_names, err);
    if (!failed) {
        give_names(&x);
        failed = x.failed ? 0 : read_series(&x, r, f, put_series, err);
    }
    if (!failed && (x.failed || x.text.failed || x.labels_text.failed))
        failed = err_set(err, EFBIG, "too many series for this format");
    if (!failed && x.n)
        qsort(x.entries, x.n, sizeof *x.entries, by_family);
    if (!failed)
        put_families(&x, text);
    buf_free(&x.text);
    buf_free(&x.labels_text);
    om_names_free(&x.families);
    om_names_free(&x.labels);
    table_free(&x.seen);
    free(x.entries);
    return failed;
}
