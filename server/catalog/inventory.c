#include "catalog/inventory.h"

#include "catalog/text.h"
#include "core/array.h"

#include <stdlib.h>

static int facts_add(struct facts *f, struct span key, struct span value) {
    if (!array_room(&f->list, f->n, &f->cap, sizeof *f->list))
        return -1;
    f->list[f->n++] = (struct fact){key, value};
    return 0;
}

static int by_key_and_value(const void *a, const void *b) {
    const struct fact *x = a, *y = b;
    int order = span_cmp(x->key, y->key);
    return order ? order : span_cmp(x->value, y->value);
}

static void facts_sort(struct facts *f) {
    size_t n = 0;
    if (f->n)
        qsort(f->list, f->n, sizeof *f->list, by_key_and_value);
    for (size_t i = 0; i < f->n; i++)
        if (n == 0 || by_key_and_value(&f->list[n - 1], &f->list[i]) != 0)
            f->list[n++] = f->list[i];
    f->n = n;
}

static struct metric_facts *add_metric(struct inventory *v, struct span name) {
    if (!array_room(&v->metrics, v->n, &v->cap, sizeof *v->metrics))
        return NULL;
    v->metrics[v->n] = (struct metric_facts){.name = arena_copy(&v->arena, name)};
    return v->metrics[v->n].name.p ? &v->metrics[v->n++] : NULL;
}

static int by_name(const void *a, const void *b) {
    return span_cmp(((const struct metric_facts *)a)->name, ((const struct metric_facts *)b)->name);
}

static void finish(struct inventory *v) {
    for (size_t i = 0; i < v->n; i++) {
        facts_sort(&v->metrics[i].keys);
        facts_sort(&v->metrics[i].values);
        facts_sort(&v->metrics[i].series);
    }
    if (v->n)
        qsort(v->metrics, v->n, sizeof *v->metrics, by_name);
}

static int add_line(struct inventory *v, struct metric_facts *m, const struct snapshot_line *line) {
    struct buf series = {0};
    m->types |= 1u << line->type;
    buf_printf(&series, "%d", (int)line->type);
    int failed = 0;
    for (size_t i = 0; i < line->n_tags && !failed; i++) {
        struct span tag = arena_copy(&v->arena, line->tags[i]);
        buf_char(&series, '\n');
        buf_span(&series, line->tags[i]);
        failed = !tag.p || facts_add(&m->keys, tag_key(tag), SPAN("")) ||
                 facts_add(&m->values, tag_key(tag), tag_value(tag));
    }
    struct span text = arena_copy(&v->arena, buf_view(&series));
    failed |= series.failed || !text.p || facts_add(&m->series, text, SPAN(""));
    buf_free(&series);
    return failed ? -1 : 0;
}

static int by_line_name(const void *a, const void *b) {
    const struct snapshot_line *const *x = a, *const *y = b;
    return span_cmp((*x)->name, (*y)->name);
}

struct inventory *inventory_of_snapshot(const struct snapshot *s) {
    struct inventory *v = calloc(1, sizeof *v);
    const struct snapshot_line **lines = malloc((s->n + 1) * sizeof(const struct snapshot_line *));
    bool failed = !v || !lines;
    for (size_t i = 0; !failed && i < s->n; i++)
        lines[i] = &s->lines[i];
    if (!failed && s->n)
        qsort(lines, s->n, sizeof(const struct snapshot_line *), by_line_name);
    struct metric_facts *m = NULL;
    for (size_t i = 0; !failed && i < s->n; i++) {
        if (!m || !span_eq(m->name, lines[i]->name))
            m = add_metric(v, lines[i]->name);
        failed = !m || add_line(v, m, lines[i]);
    }
    free(lines);
    if (failed) {
        inventory_free(v);
        return NULL;
    }
    v->has_values = v->has_series = true;
    finish(v);
    return v;
}

struct inventory *inventory_of_catalog(const struct catalog *c) {
    struct inventory *v = calloc(1, sizeof *v);
    bool failed = !v;
    for (size_t i = 0; !failed && i < c->n_entries; i++) {
        const struct catalog_entry *e = &c->entries[i];
        struct metric_facts *m = add_metric(v, e->name);
        failed = !m;
        if (m)
            m->types = e->types;
        for (size_t k = 0; !failed && k < e->n_tags; k++) {
            struct span key = arena_copy(&v->arena, e->tags[k].key);
            if (e->tags[k].presence != TAG_FORBIDDEN)
                failed = !key.p || facts_add(&m->keys, key, SPAN(""));
            for (size_t j = 0; !failed && j < e->tags[k].n_values; j++) {
                struct span value = arena_copy(&v->arena, e->tags[k].values[j]);
                failed = !value.p || facts_add(&m->values, key, value);
            }
        }
    }
    if (failed) {
        inventory_free(v);
        return NULL;
    }
    v->has_values = true;
    finish(v);
    return v;
}

void inventory_free(struct inventory *v) {
    if (!v)
        return;
    for (size_t i = 0; i < v->n; i++) {
        free(v->metrics[i].keys.list);
        free(v->metrics[i].values.list);
        free(v->metrics[i].series.list);
    }
    free(v->metrics);
    arena_free(&v->arena);
    free(v);
}
