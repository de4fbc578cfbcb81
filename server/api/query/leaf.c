#include "api/query/leaf.h"

#include "api/names.h"
#include "api/query/scope.h"
#include "catalog/normalize.h"
#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

#define CADENCE_MAX_S 86400 /* a longer interval is a mistake of the sender */

/* --- which series, in which group ----------------------------------------------------------------------------- */

static bool has_name(const struct series_row *row, struct span name) {
    if (span_eq(row->name, name))
        return true;
    struct buf normal = {.max = 1 << 12};
    bool same = !(normalize_name(row->name, &normal) & NORMAL_DROPPED) && span_eq(buf_view(&normal), name);
    buf_free(&normal);
    return same;
}

static struct span find_tag(const struct query_series *series, struct span key) {
    for (size_t i = 0; i < series->n_tags; i++) {
        struct span tag = series->tags[i];
        if (tag.n > key.n && span_starts(tag, key) && tag.p[key.n] == ':')
            return tag;
    }
    return span_of(NULL, 0);
}

static int compare_tags(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

/* The set of the series with this type and these tags, in any order and each any number of times. SIZE_MAX: out of memory. */
static size_t set_of(struct leaf *leaf, enum metric_type type, const struct query_series *series) {
    size_t n = series->n_tags;
    struct span *tags = arena_alloc(&leaf->words, (n + 1) * sizeof *tags);
    struct buf text = {.max = 1 << 20};
    if (!tags)
        return SIZE_MAX;
    if (n) {
        memcpy(tags, series->tags, n * sizeof *tags);
        qsort(tags, n, sizeof *tags, compare_tags);
    }
    buf_printf(&text, "%d", (int)type);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !span_eq(tags[i], tags[i - 1])) {
            buf_char(&text, ',');
            buf_span(&text, tags[i]);
        }
    struct span whole = buf_view(&text);
    XXH128_hash_t hash = XXH3_128bits(whole.p, whole.n);
    struct span key = span_of((const char *)&hash, sizeof hash);
    bool failed = text.failed;
    buf_free(&text);
    size_t known = failed ? SIZE_MAX : group_find(&leaf->sets, &key);
    if (known != SIZE_MAX || failed)
        return known;
    struct span *kept = arena_alloc(&leaf->scratch, sizeof *kept);
    if (kept)
        *kept = arena_copy(&leaf->scratch, key);
    return kept && !leaf->scratch.failed ? group_add(&leaf->scratch, &leaf->sets, kept) : SIZE_MAX;
}

/* SIZE_MAX: out of memory. */
static size_t group_of(struct leaf *leaf, const struct query_series *series) {
    const struct query_metric *m = leaf->metric;
    struct arena *arena = leaf->run->arena;
    struct span found[QUERY_GROUPS_MAX];
    for (size_t i = 0; i < m->n_by; i++)
        found[i] = find_tag(series, m->by[i]);
    size_t known = group_find(&leaf->groups, found);
    if (known != SIZE_MAX)
        return known;
    struct span *tags = arena_alloc(arena, (m->n_by + 1) * sizeof *tags);
    for (size_t i = 0; tags && i < m->n_by; i++)
        tags[i] = arena_copy(arena, found[i]);
    return tags && !arena->failed ? group_add(&leaf->scratch, &leaf->groups, tags) : SIZE_MAX;
}

static int out_of_memory(struct leaf *leaf) {
    leaf->scratch.failed = true;
    return 1;
}

static bool add_chosen(struct leaf *leaf, const struct series_row *row, size_t group, size_t set) {
    if (leaf->n_chosen == leaf->cap_chosen) {
        size_t cap = leaf->cap_chosen ? leaf->cap_chosen * 2 : 64;
        struct query_chosen *list = arena_alloc(&leaf->scratch, cap * sizeof *list);
        if (!list)
            return false;
        if (leaf->n_chosen)
            memcpy(list, leaf->chosen, leaf->n_chosen * sizeof *list);
        leaf->chosen = list;
        leaf->cap_chosen = cap;
    }
    leaf->chosen[leaf->n_chosen++] = (struct query_chosen){
        .id = row->id, .first_id = row->first_id, .type = row->type, .group = group, .set = set};
    return true;
}

static int choose_series(void *arg, const struct series_row *row) {
    struct leaf *leaf = arg;
    if (row->type == METRIC_SET || row->samples == 0 || !has_name(row, leaf->metric->name))
        return 0;
    struct query_series series;
    arena_reset(&leaf->words);
    if (!query_scope_series(&leaf->words, row, &series))
        return out_of_memory(leaf);
    if (!query_scope_holds(leaf->metric->scope, &series))
        return 0;
    size_t group = group_of(leaf, &series), set = set_of(leaf, row->type, &series);
    bool ok = group != SIZE_MAX && set != SIZE_MAX && add_chosen(leaf, row, group, set);
    return ok ? 0 : out_of_memory(leaf);
}

static int compare_chosen(const void *x, const void *y) {
    const struct query_chosen *a = x, *b = y;
    if (a->set != b->set)
        return a->set < b->set ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

/* --- the buckets ------------------------------------------------------------------------------------------------- */

static int64_t interval_for(double window_s) {
    static const struct {
        double window_s;
        int64_t interval_s;
    } steps[] = {{300, 1},     {1800, 5},        {3600, 20},        {4 * 3600, 60},
                 {86400, 300}, {2 * 86400, 600}, {7 * 86400, 3600}, {31 * 86400, 14400}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (window_s <= steps[i].window_s)
            return steps[i].interval_s;
    return 86400;
}

/* How often each series is sent; returns the longest interval, -1 with the run's error. */
static int64_t read_cadences(struct leaf *leaf) {
    struct reader *reader = leaf->run->read->reader;
    int64_t longest = 0;
    for (size_t i = 0; i < leaf->n_chosen; i++) {
        struct query_chosen *c = &leaf->chosen[i];
        struct err err = {0};
        if (reader->ops->cadence(reader, c->id, c->first_id, &c->cadence, &err) != 0) {
            query_refuse(leaf->run->error, "%s", err.text);
            leaf->run->error->status = 500;
            return -1;
        }
        if (c->cadence.interval_s <= 0 || c->cadence.interval_s > CADENCE_MAX_S)
            c->cadence.interval_s = c->cadence.source == SOURCE_HTTP ? 0 : LEAF_FLUSH_S;
        longest = c->cadence.interval_s > longest ? c->cadence.interval_s : longest;
    }
    return longest;
}

static void lay_out(struct leaf *leaf, int64_t longest) {
    const struct query_window *w = &leaf->run->window;
    int64_t from = (int64_t)floor(w->from_s), to = (int64_t)floor(w->to_s);
    int64_t interval = leaf->metric->rollup_s ? leaf->metric->rollup_s : w->interval_s;
    if (interval <= 0)
        interval = interval_for(w->to_s - w->from_s);
    if (interval < longest)
        interval = longest;
    while ((w->to_s - w->from_s) / (double)interval > QUERY_BUCKETS_MAX)
        interval *= 2;
    int64_t past = from % interval;
    leaf->start_s = from - (past < 0 ? past + interval : past);
    if (w->whole) {
        leaf->start_s = from;
        interval = to - from + 1;
    }
    leaf->interval_s = interval;
    leaf->end_s = to + 1;
    leaf->n_buckets = to < leaf->start_s ? 0 : (size_t)((to - leaf->start_s) / interval + 1);
}

/* --- the table --------------------------------------------------------------------------------------------------- */

static bool has_points(const double *values, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i]))
            return true;
    return false;
}

/* as_rate of what was put together from single values: by second. */
static double pooled_rate(const struct leaf *leaf, double value) {
    const struct query_metric *m = leaf->metric;
    bool divides = m->as_rate && (m->over_series == QUERY_SUM || m->over_series == QUERY_COUNT) &&
                   leaf->n_chosen && leaf_is_pooled(leaf->chosen[0].type);
    return divides ? value / (double)leaf->interval_s : value;
}

static int fill_table(struct leaf *leaf, struct query_table *t) {
    struct arena *arena = leaf->run->arena;
    size_t n = leaf->n_buckets, n_groups = leaf->groups.n;
    int64_t *times = arena_alloc(arena, (n + 1) * sizeof *times);
    double *values = arena_alloc(arena, (n * n_groups + 1) * sizeof *values);
    t->groups = arena_alloc(arena, (n_groups + 1) * sizeof *t->groups);
    if (!times || !values || !t->groups)
        return query_no_memory(leaf->run->error);
    for (size_t i = 0; i < n; i++)
        times[i] = leaf->start_s + leaf->interval_s * (int64_t)i;
    for (size_t i = 0; i < n * n_groups; i++) {
        double value = leaf->cells[i].n != 0 ? bucket_value(&leaf->cells[i], leaf->metric->over_series) : NAN;
        values[i] = isnan(value) ? NAN : isfinite(value) ? pooled_rate(leaf, value) : QUERY_NULL;
    }
    bucket_percentiles(leaf, values);
    t->times = times;
    t->n_times = n;
    t->n_groups = 0;
    for (size_t g = 0; g < n_groups; g++)
        if (has_points(values + g * n, n))
            t->groups[t->n_groups++] = (struct query_group){leaf->groups.tags[g], values + g * n};
    return 0;
}

static int read_leaf(struct leaf *leaf, struct query_table *t) {
    struct query_run *run = leaf->run;
    struct reader *reader = run->read->reader;
    struct filter filter = run->read->filter;
    struct err err = {0};
    filter.name = names_spellings(&leaf->scratch, leaf->metric->name);
    if (!filter.name.p || reader->ops->series(reader, &filter, choose_series, leaf, &err) != 0) {
        query_refuse(run->error, "%s", err.text);
        run->error->status = 500;
        return -1;
    }
    if (leaf->scratch.failed || run->arena->failed)
        return query_no_memory(run->error);
    if (leaf->sets.n < leaf->n_chosen)
        qsort(leaf->chosen, leaf->n_chosen, sizeof *leaf->chosen, compare_chosen);
    int64_t longest = read_cadences(leaf);
    if (longest < 0)
        return -1;
    lay_out(leaf, longest);
    size_t n_cells = leaf->n_buckets * leaf->groups.n;
    leaf->cells =
        n_cells < SIZE_MAX / 64 ? arena_alloc(&leaf->scratch, (n_cells + 1) * sizeof *leaf->cells) : NULL;
    leaf->buckets = arena_alloc(&leaf->scratch, (leaf->n_buckets + 1) * sizeof *leaf->buckets);
    leaf->values = arena_alloc(&leaf->scratch, (leaf->n_buckets + 1) * sizeof *leaf->values);
    if (!leaf->cells || !leaf->buckets || !leaf->values)
        return query_no_memory(run->error);
    memset(leaf->cells, 0, n_cells * sizeof *leaf->cells);
    return bucket_series(leaf) != 0 ? -1 : fill_table(leaf, t);
}

int query_leaf(struct query_run *run, const struct query_metric *metric, int64_t shift_s,
               struct query_table *t) {
    struct leaf leaf = {.run = run,
                        .metric = metric,
                        .shift_s = shift_s,
                        .scratch = {.max = QUERY_MEMORY_MAX},
                        .words = {.max = QUERY_MEMORY_MAX},
                        .groups = {.n_by = metric->n_by},
                        .sets = {.n_by = 1}};
    *t = (struct query_table){0};
    int result = read_leaf(&leaf, t);
    free(leaf.weighed);
    free(leaf.stamped);
    t->interval_s = leaf.interval_s;
    t->n_by = metric->n_by;
    t->by = metric->by;
    t->unit = leaf.unit;
    t->has_default = metric->as_count || metric->as_rate;
    arena_free(&leaf.scratch);
    arena_free(&leaf.words);
    return result;
}
