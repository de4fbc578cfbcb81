#include "catalog/diff.h"

#include "catalog/inventory.h"
#include "catalog/similar.h"
#include "core/array.h"

#include <stdlib.h>

#define CANDIDATES  4   /* looked at for each name */
#define LIKELY      0.6 /* what is below is no rename */
#define WEIGHT_NAME 0.6
#define WEIGHT_TYPE 0.2
#define WEIGHT_TAGS 0.2

/* Metrics of one side, without those that the other side has too. */
struct diff_side {
    size_t n;
    const struct metric_facts **metrics;
    struct span *names;
    bool *paired;
    struct similar *similar;
};

struct rename_pair {
    size_t gone, came; /* places in the sides */
    double likelihood;
};

struct diff {
    const struct inventory *a, *b;
    struct diff_side gone, came;
    size_t n_pairs, cap_pairs;
    struct rename_pair *pairs;
    json_t *added, *removed, *renamed, *changed;
    uint64_t steps, similar_steps;
    bool failed;
};

/* Takes the value over. */
static void put_field(struct diff *d, json_t *object, const char *key, json_t *value) {
    d->failed |= json_object_set_new(object, key, value) != 0;
}

static void append(struct diff *d, json_t *array, json_t *value) {
    d->failed |= json_array_append_new(array, value) != 0;
}

static json_t *text(struct span s) {
    return json_stringn(s.p ? s.p : "", s.n);
}

static json_t *types_json(struct diff *d, unsigned types) {
    json_t *list = json_array();
    for (int t = 0; t < METRIC_N_TYPES; t++)
        if (types >> t & 1)
            append(d, list, json_string(metric_word((enum metric_type)t)));
    return list;
}

/* --- renames ------------------------------------------------------------------------------------------------------ */

/* The first place from `from` on whose key is not below; in steps that double, so that few keys beside many cost little. */
static size_t skip_to(const struct facts *f, size_t from, struct span key, uint64_t *steps) {
    size_t low = from, reach = 1;
    for (; low + reach <= f->n && span_cmp(f->list[low + reach - 1].key, key) < 0; reach *= 2, ++*steps)
        low += reach;
    size_t high = low + reach - 1 < f->n ? low + reach - 1 : f->n;
    for (; low < high; ++*steps) {
        size_t middle = low + (high - low) / 2;
        if (span_cmp(f->list[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* One metric may be compared with many others: by the fewer keys of both. */
static double same_keys(const struct facts *a, const struct facts *b, uint64_t *steps) {
    const struct facts *few = a->n < b->n ? a : b, *many = few == a ? b : a;
    size_t k = 0, both = 0;
    for (size_t i = 0; i < few->n && k < many->n; i++, ++*steps) {
        k = skip_to(many, k, few->list[i].key, steps);
        both += k < many->n && span_eq(many->list[k].key, few->list[i].key);
    }
    size_t all = a->n + b->n - both;
    return all ? (double)both / (double)all : 1;
}

static void consider(struct diff *d, size_t gone, size_t came) {
    const struct metric_facts *x = d->gone.metrics[gone], *y = d->came.metrics[came];
    size_t edits;
    double likelihood = WEIGHT_NAME * likeness(x->name, y->name, &edits) +
                        WEIGHT_TYPE * (x->types == y->types) +
                        WEIGHT_TAGS * same_keys(&x->keys, &y->keys, &d->steps);
    if (likelihood < LIKELY)
        return;
    if (!array_room(&d->pairs, d->n_pairs, &d->cap_pairs, sizeof *d->pairs)) {
        d->failed = true;
        return;
    }
    d->pairs[d->n_pairs++] = (struct rename_pair){gone, came, likelihood};
}

static int side_prepare(struct diff_side *side) {
    side->names = malloc((side->n + 1) * sizeof *side->names);
    side->paired = calloc(side->n + 1, sizeof *side->paired);
    for (size_t i = 0; side->names && i < side->n; i++)
        side->names[i] = side->metrics[i]->name;
    side->similar = side->names ? similar_new(side->n, side->names) : NULL;
    return side->similar && side->paired ? 0 : -1;
}

static void side_free(struct diff_side *side) {
    similar_free(side->similar);
    free(side->metrics);
    free(side->names);
    free(side->paired);
}

/* The likeliest first; among equals an order that does not depend on which side is called A. */
static int by_likelihood(const void *a, const void *b, void *arg) {
    const struct diff *d = arg;
    const struct rename_pair *x = a, *y = b;
    if (x->likelihood != y->likelihood)
        return x->likelihood > y->likelihood ? -1 : 1;
    struct span xg = d->gone.names[x->gone], xc = d->came.names[x->came];
    struct span yg = d->gone.names[y->gone], yc = d->came.names[y->came];
    bool xs = span_cmp(xg, xc) < 0, ys = span_cmp(yg, yc) < 0;
    int order = span_cmp(xs ? xg : xc, ys ? yg : yc);
    return order ? order : span_cmp(xs ? xc : xg, ys ? yc : yg);
}

static void find_renames(struct diff *d) {
    struct near near[CANDIDATES];
    if (side_prepare(&d->gone) || side_prepare(&d->came)) {
        d->failed = true;
        return;
    }
    for (size_t i = 0; i < d->gone.n; i++)
        for (size_t n = similar_find(d->came.similar, d->gone.names[i], CANDIDATES, near, &d->similar_steps);
             n-- > 0;)
            consider(d, i, near[n].i);
    for (size_t i = 0; i < d->came.n; i++)
        for (size_t n = similar_find(d->gone.similar, d->came.names[i], CANDIDATES, near, &d->similar_steps);
             n-- > 0;)
            consider(d, near[n].i, i);
    if (d->n_pairs)
        qsort_r(d->pairs, d->n_pairs, sizeof *d->pairs, by_likelihood, d);
    size_t kept = 0;
    for (size_t i = 0; i < d->n_pairs; i++) {
        struct rename_pair *p = &d->pairs[i];
        if (d->gone.paired[p->gone] || d->came.paired[p->came])
            continue;
        d->gone.paired[p->gone] = d->came.paired[p->came] = true;
        d->pairs[kept++] = *p;
    }
    d->n_pairs = kept;
}

/* --- what changed in a metric that both have ---------------------------------------------------------------------- */

/* Facts of one side only, in order; `value`: their values, else their keys. */
static void only_in(struct diff *d, const struct facts *a, const struct facts *b, json_t *list) {
    size_t k = 0;
    for (size_t i = 0; i < a->n; i++) {
        while (k < b->n && span_cmp(b->list[k].key, a->list[i].key) < 0)
            k++;
        if (k == b->n || !span_eq(b->list[k].key, a->list[i].key))
            append(d, list, text(a->list[i].key));
    }
}

static bool put_two(struct diff *d, json_t *object, const char *key, json_t *added, json_t *removed) {
    if (json_array_size(added) == 0 && json_array_size(removed) == 0) {
        json_decref(added);
        json_decref(removed);
        return false;
    }
    json_t *both = json_object();
    put_field(d, both, "added", added);
    put_field(d, both, "removed", removed);
    put_field(d, object, key, both);
    return true;
}

static bool tag_changes(struct diff *d, const struct metric_facts *a, const struct metric_facts *b,
                        json_t *change) {
    json_t *added = json_array(), *removed = json_array();
    only_in(d, &b->keys, &a->keys, added);
    only_in(d, &a->keys, &b->keys, removed);
    return put_two(d, change, "tags", added, removed);
}

/* The places of a key's values. Keys come in order, so the search goes on where the last one ended, at *to. */
static bool values_of_key(struct diff *d, const struct facts *f, struct span key, size_t *from, size_t *to) {
    size_t i = *to;
    for (; i < f->n && span_cmp(f->list[i].key, key) < 0; i++)
        d->steps++;
    *from = i;
    for (; i < f->n && span_eq(f->list[i].key, key); i++)
        d->steps++;
    *to = i;
    return *from < *to;
}

static void values_only_in(struct diff *d, const struct fact *a, size_t n, const struct fact *b, size_t m,
                           json_t *list) {
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        while (k < m && span_cmp(b[k].value, a[i].value) < 0)
            k++;
        if (k == m || !span_eq(b[k].value, a[i].value))
            append(d, list, text(a[i].value));
    }
}

/* Of keys for which both sides tell the values. */
static bool value_changes(struct diff *d, const struct metric_facts *a, const struct metric_facts *b,
                          json_t *change) {
    json_t *list = json_array();
    size_t a0, a1 = 0, b0, b1 = 0;
    for (size_t i = 0; i < a->keys.n; i++) {
        struct span key = a->keys.list[i].key;
        bool in_a = values_of_key(d, &a->values, key, &a0, &a1),
             in_b = values_of_key(d, &b->values, key, &b0, &b1);
        if (!in_a || !in_b)
            continue;
        json_t *one = json_object(), *added = json_array(), *removed = json_array();
        put_field(d, one, "tag", text(key));
        values_only_in(d, b->values.list + b0, b1 - b0, a->values.list + a0, a1 - a0, added);
        values_only_in(d, a->values.list + a0, a1 - a0, b->values.list + b0, b1 - b0, removed);
        bool some = json_array_size(added) || json_array_size(removed);
        put_field(d, one, "added", added);
        put_field(d, one, "removed", removed);
        if (some)
            append(d, list, one);
        else
            json_decref(one);
    }
    bool changed = json_array_size(list) > 0;
    if (changed)
        put_field(d, change, "values", list);
    else
        json_decref(list);
    return changed;
}

static size_t count_only_in(const struct facts *a, const struct facts *b) {
    size_t k = 0, n = 0;
    for (size_t i = 0; i < a->n; i++) {
        while (k < b->n && span_cmp(b->list[k].key, a->list[i].key) < 0)
            k++;
        n += k == b->n || !span_eq(b->list[k].key, a->list[i].key);
    }
    return n;
}

static void compare(struct diff *d, const struct metric_facts *a, const struct metric_facts *b) {
    json_t *change = json_object();
    bool changed = false;
    put_field(d, change, "name", text(a->name));
    if (a->types != b->types && a->types && b->types) {
        json_t *types = json_object();
        put_field(d, types, "from", types_json(d, a->types));
        put_field(d, types, "to", types_json(d, b->types));
        put_field(d, change, "types", types);
        changed = true;
    }
    changed |= tag_changes(d, a, b, change);
    changed |= value_changes(d, a, b, change);
    size_t added = 0, removed = 0;
    if (d->a->has_series && d->b->has_series) {
        added = count_only_in(&b->series, &a->series);
        removed = count_only_in(&a->series, &b->series);
    }
    if (added || removed) {
        json_t *series = json_object();
        put_field(d, series, "added", json_integer((json_int_t)added));
        put_field(d, series, "removed", json_integer((json_int_t)removed));
        put_field(d, change, "series", series);
        changed = true;
    }
    if (changed)
        append(d, d->changed, change);
    else
        json_decref(change);
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

static void walk(struct diff *d) {
    size_t i = 0, k = 0;
    while (i < d->a->n || k < d->b->n) {
        const struct metric_facts *x = i < d->a->n ? &d->a->metrics[i] : NULL;
        const struct metric_facts *y = k < d->b->n ? &d->b->metrics[k] : NULL;
        int order = !x ? 1 : !y ? -1 : span_cmp(x->name, y->name);
        if (order < 0)
            d->gone.metrics[d->gone.n++] = x;
        else if (order > 0)
            d->came.metrics[d->came.n++] = y;
        else
            compare(d, x, y);
        i += order <= 0;
        k += order >= 0;
    }
}

static void list_side(struct diff *d, const struct diff_side *side, json_t *list) {
    for (size_t i = 0; i < side->n; i++) {
        if (side->paired[i])
            continue;
        const struct metric_facts *m = side->metrics[i];
        json_t *one = json_object(), *tags = json_array();
        put_field(d, one, "name", text(m->name));
        put_field(d, one, "types", types_json(d, m->types));
        for (size_t k = 0; k < m->keys.n; k++)
            append(d, tags, text(m->keys.list[k].key));
        put_field(d, one, "tags", tags);
        append(d, list, one);
    }
}

static void list_renames(struct diff *d) {
    for (size_t i = 0; i < d->n_pairs; i++) {
        json_t *one = json_object();
        put_field(d, one, "from", text(d->gone.names[d->pairs[i].gone]));
        put_field(d, one, "to", text(d->came.names[d->pairs[i].came]));
        put_field(d, one, "likelihood", json_real((double)(int)(d->pairs[i].likelihood * 100 + 0.5) / 100));
        append(d, d->renamed, one);
    }
}

json_t *diff_report_counted(const struct inventory *a, const struct inventory *b, uint64_t *steps) {
    struct diff d = {.a = a,
                     .b = b,
                     .added = json_array(),
                     .removed = json_array(),
                     .renamed = json_array(),
                     .changed = json_array()};
    d.gone.metrics = malloc((a->n + 1) * sizeof(const struct metric_facts *));
    d.came.metrics = malloc((b->n + 1) * sizeof(const struct metric_facts *));
    d.failed = !d.gone.metrics || !d.came.metrics;
    if (!d.failed) {
        walk(&d);
        find_renames(&d);
    }
    if (!d.failed) {
        list_side(&d, &d.came, d.added);
        list_side(&d, &d.gone, d.removed);
        list_renames(&d);
    }
    bool same = json_array_size(d.added) + json_array_size(d.removed) + json_array_size(d.renamed) +
                    json_array_size(d.changed) ==
                0;
    json_t *report = json_object();
    put_field(&d, report, "same", json_boolean(same));
    put_field(&d, report, "added", d.added);
    put_field(&d, report, "removed", d.removed);
    put_field(&d, report, "renamed", d.renamed);
    put_field(&d, report, "changed", d.changed);
    if (d.similar_steps > SIMILAR_STEPS_MAX)
        put_field(&d, report, "renames_incomplete", json_true());
    *steps += d.steps + d.similar_steps;
    side_free(&d.gone);
    side_free(&d.came);
    free(d.pairs);
    if (!d.failed)
        return report;
    json_decref(report);
    return NULL;
}

json_t *diff_report(const struct inventory *a, const struct inventory *b) {
    uint64_t steps = 0;
    return diff_report_counted(a, b, &steps);
}
