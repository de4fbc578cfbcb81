#include "api/names.h"

#include "catalog/normalize.h"
#include "core/array.h"
#include "core/json.h"
#include <stdlib.h>

void names_add(struct names *names, struct span text) {
    if (names->n && span_eq(names->texts[names->n - 1], text))
        return;
    names->arena.max = NAMES_MEMORY_MAX;
    if (!array_room(&names->texts, names->n, &names->cap, sizeof *names->texts)) {
        names->arena.failed = true;
        return;
    }
    struct span copy = arena_copy(&names->arena, text);
    if (copy.p)
        names->texts[names->n++] = copy;
}

static int compare_texts(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

void names_sort(struct names *names) {
    if (names->n == 0)
        return;
    qsort(names->texts, names->n, sizeof *names->texts, compare_texts);
    size_t n = 1;
    for (size_t i = 1; i < names->n; i++)
        if (!span_eq(names->texts[i], names->texts[n - 1]))
            names->texts[n++] = names->texts[i];
    names->n = n;
}

void names_free(struct names *names) {
    arena_free(&names->arena);
    free(names->texts);
}

void names_put(struct buf *b, const struct names *names) {
    json_put_strings(b, names->n, names->texts);
}

struct span names_normal(struct arena *arena, struct span name) {
    struct buf normal = {.max = 1 << 12};
    bool dropped = normalize_name(name, &normal) & NORMAL_DROPPED;
    struct span copy = dropped ? span_of(NULL, 0) : arena_copy(arena, buf_view(&normal));
    buf_free(&normal);
    return copy;
}

struct span names_spellings(struct arena *arena, struct span name) {
    char *glob = arena_alloc(arena, 3 * name.n + 2);
    size_t n = 0;
    if (!glob)
        return span_of(NULL, 0);
    glob[n++] = '*';
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (c == '.')
            glob[n++] = '*';
        glob[n++] = c == '_' ? '*' : c;
        if (c == '.')
            glob[n++] = '*';
    }
    glob[n++] = '*';
    return span_of(glob, n);
}

const char *names_type(enum metric_type type) {
    return type == METRIC_COUNT          ? "count"
           : type == METRIC_RATE         ? "rate"
           : type == METRIC_DISTRIBUTION ? "distribution"
                                         : "gauge";
}

/* --- series in Datadog's words ----------------------------------------------------------------------------- */

struct names_walk {
    const struct names_filter *filter;
    names_row_fn *take;
    void *arg;
    struct arena glob, name_words, words;
    struct span raw_name, name; /* of the row before, which mostly has the same */
    bool failed;
};

static struct span name_of(struct names_walk *w, struct span raw) {
    if (!w->raw_name.p || !span_eq(w->raw_name, raw)) {
        arena_reset(&w->name_words);
        w->raw_name = arena_copy(&w->name_words, raw);
        w->name = names_normal(&w->name_words, raw);
        w->failed = w->failed || w->name_words.failed;
    }
    return w->name;
}

static int walk_row(void *arg, const struct series_row *row) {
    struct names_walk *w = arg;
    const struct names_filter *f = w->filter;
    struct span name = name_of(w, row->name);
    if (w->failed)
        return 1;
    if (!name.p || (double)row->last_at / 1e9 < f->from_s || (f->name.p && !span_eq(f->name, name)) ||
        (f->host.p && !span_eq(f->host, row->host)))
        return 0;
    struct query_series series = {.name = name};
    if (f->without_tags && !f->tags)
        return w->take(w->arg, row, &series);
    arena_reset(&w->words);
    if (!query_scope_series(&w->words, row, &series)) {
        w->failed = true;
        return 1;
    }
    series.name = name;
    return query_scope_holds(f->tags, &series) ? w->take(w->arg, row, &series) : 0;
}

int names_each(struct read *r, const struct names_filter *filter, names_row_fn *take, void *arg,
               struct err *err) {
    struct names_walk w = {.filter = filter,
                           .take = take,
                           .arg = arg,
                           .name_words = {.max = 1 << 20},
                           .words = {.max = 64 << 20}};
    struct filter rows = r->filter;
    if (filter->name.p)
        rows.name = names_spellings(&w.glob, filter->name);
    int failed = r->reader->ops->series(r->reader, &rows, walk_row, &w, err);
    arena_free(&w.glob);
    arena_free(&w.name_words);
    arena_free(&w.words);
    return w.failed ? err_set(err, 0, "out of memory") : failed;
}

/* --- lists -------------------------------------------------------------------------------------------------- */

static int take_name(void *arg, const struct series_row *row, const struct query_series *series) {
    (void)row;
    names_add(arg, series->name);
    return 0;
}

static int take_host(void *arg, const struct series_row *row, const struct query_series *series) {
    (void)series;
    if (row->host.n)
        names_add(arg, row->host);
    return 0;
}

static int gather(struct read *r, const struct names_filter *filter, names_row_fn *take, struct names *names,
                  struct err *err) {
    struct names_filter f = *filter;
    f.without_tags = true;
    int failed = names_each(r, &f, take, names, err);
    names_sort(names);
    return names->arena.failed ? err_set(err, 0, "more than 256 MiB of names") : failed;
}

int names_metrics(struct read *r, const struct names_filter *filter, struct names *names, struct err *err) {
    return gather(r, filter, take_name, names, err);
}

int names_hosts(struct read *r, const struct names_filter *filter, struct names *names, struct err *err) {
    return gather(r, filter, take_host, names, err);
}
