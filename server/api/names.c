#include "api/names.h"

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

static int compare(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

void names_sort(struct names *names) {
    if (names->n == 0)
        return;
    qsort(names->texts, names->n, sizeof *names->texts, compare);
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

struct gathering {
    struct names *names;
    double from_s;
};

static int take_name(void *arg, const struct series_row *row) {
    struct gathering *g = arg;
    if ((double)row->last_at / 1e9 >= g->from_s)
        names_add(g->names, row->name);
    return 0;
}

static int take_host(void *arg, const struct series_row *row) {
    struct gathering *g = arg;
    if (row->host.n)
        names_add(g->names, row->host);
    return 0;
}

static int take_tags(void *arg, const struct series_row *row) {
    struct gathering *g = arg;
    for (size_t i = 0; i < row->n_tags; i++)
        names_add(g->names, row->tags[i]);
    return 0;
}

static int gather(struct read *r, struct span name, double from_s,
                  int (*row)(void *, const struct series_row *), struct names *names, struct err *err) {
    struct filter filter = r->filter;
    struct gathering g = {names, from_s};
    filter.name = name;
    int failed = r->reader->ops->series(r->reader, &filter, row, &g, err);
    names_sort(names);
    return failed;
}

int names_metrics(struct read *r, struct span name, double from_s, struct names *names, struct err *err) {
    return gather(r, name, from_s, take_name, names, err);
}

int names_hosts(struct read *r, struct names *names, struct err *err) {
    return gather(r, (struct span){NULL, 0}, 0, take_host, names, err);
}

int names_tags(struct read *r, struct span name, struct names *names, struct err *err) {
    return gather(r, name, 0, take_tags, names, err);
}
