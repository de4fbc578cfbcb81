#include "api/query.h"

#include "core/glob.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* What a series (or, for distributions, a group) has in one bucket. */
struct bucket {
    double sum, n, min, max, last;
};

struct chosen {
    uint64_t id;
    enum metric_type type;
    size_t group;
    struct bucket *buckets;
};

struct run {
    const struct query *q;
    struct query_result *result;
    struct arena scratch; /* chosen series and their buckets */
    struct chosen *chosen;
    size_t n_chosen, cap_chosen, cap_groups;
    int64_t end_s;
};

/* --- which series, in which group ------------------------------------------------------------------------ */

static bool is_tag(struct span pattern, struct span key, struct span value) {
    return pattern.n > key.n && span_starts(pattern, key) && pattern.p[key.n] == ':' &&
           glob_match(span_from(pattern, key.n + 1), value);
}

static bool has_tag(const struct series_row *row, struct span pattern) {
    if ((row->host.p && is_tag(pattern, SPAN("host"), row->host)) ||
        (row->device.p && is_tag(pattern, SPAN("device"), row->device)))
        return true;
    for (size_t i = 0; i < row->n_tags; i++)
        if (glob_match(pattern, row->tags[i]))
            return true;
    return false;
}

static bool in_scope(const struct query *q, const struct series_row *row) {
    for (size_t i = 0; i < q->n_scope; i++)
        if (has_tag(row, q->scope[i].tag) == q->scope[i].negated)
            return false;
    return true;
}

/* "key:value" of the series; {NULL, 0} when it has no such tag. */
static struct span group_tag(struct run *run, const struct series_row *row, struct span key) {
    struct span value = {NULL, 0};
    if (span_eq(key, SPAN("host")))
        value = row->host;
    else if (span_eq(key, SPAN("device")) && row->device.p)
        value = row->device;
    for (size_t i = 0; !value.p && i < row->n_tags; i++)
        if (row->tags[i].n > key.n && span_starts(row->tags[i], key) && row->tags[i].p[key.n] == ':')
            value = span_from(row->tags[i], key.n + 1);
    char *text = value.p ? arena_alloc(&run->result->arena, key.n + 1 + value.n) : NULL;
    if (!text)
        return (struct span){NULL, 0};
    memcpy(text, key.p, key.n);
    text[key.n] = ':';
    if (value.n)
        memcpy(text + key.n + 1, value.p, value.n);
    return span_of(text, key.n + 1 + value.n);
}

static bool same_tags(const struct query_group *a, const struct query_group *b) {
    for (size_t i = 0; i < a->n_tags; i++)
        if (!span_eq(a->tags[i], b->tags[i]))
            return false;
    return true;
}

/* Grows a list that lives in an arena. */
static void *grow(struct arena *arena, void *list, size_t n, size_t *cap, size_t size) {
    if (n < *cap)
        return list;
    size_t more = *cap ? *cap * 2 : 64;
    void *to = arena_alloc(arena, more * size);
    if (to && n)
        memcpy(to, list, n * size);
    *cap = to ? more : *cap;
    return to;
}

/* SIZE_MAX: out of memory. */
static size_t group_of(struct run *run, const struct series_row *row) {
    struct query_result *result = run->result;
    struct query_group group = {.n_tags = run->q->n_by};
    for (size_t i = 0; i < group.n_tags; i++)
        group.tags[i] = group_tag(run, row, run->q->by[i]);
    for (size_t i = 0; i < result->n_groups; i++)
        if (same_tags(&group, result->groups[i]))
            return i;
    struct query_group *kept = arena_alloc(&result->arena, sizeof *kept);
    group.values = arena_alloc(&result->arena, result->n_buckets * sizeof *group.values);
    struct query_group **groups = grow(&result->arena, result->groups, result->n_groups, &run->cap_groups,
                                       sizeof(struct query_group *));
    if (!kept || !group.values || !groups)
        return SIZE_MAX;
    for (size_t i = 0; i < result->n_buckets; i++)
        group.values[i] = NAN;
    *kept = group;
    result->groups = groups;
    result->groups[result->n_groups] = kept;
    return result->n_groups++;
}

static int choose(void *arg, const struct series_row *row) {
    struct run *run = arg;
    if (!span_eq(row->name, run->q->name) || row->type == METRIC_SET || !in_scope(run->q, row))
        return 0;
    struct chosen *list = grow(&run->scratch, run->chosen, run->n_chosen, &run->cap_chosen, sizeof *list);
    size_t group = list ? group_of(run, row) : SIZE_MAX;
    if (group == SIZE_MAX) {
        run->scratch.failed = true;
        return 1;
    }
    run->chosen = list;
    run->chosen[run->n_chosen++] = (struct chosen){.id = row->id, .type = row->type, .group = group};
    return 0;
}

/* --- samples into buckets -------------------------------------------------------------------------------- */

static struct chosen *find(struct run *run, uint64_t id) {
    size_t low = 0, high = run->n_chosen;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (run->chosen[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < run->n_chosen && run->chosen[low].id == id ? &run->chosen[low] : NULL;
}

static void add(struct bucket *b, double sum, double n, double min, double max, double last) {
    b->min = b->n == 0 || min < b->min ? min : b->min;
    b->max = b->n == 0 || max > b->max ? max : b->max;
    b->sum += sum;
    b->n += n;
    b->last = last;
}

static int take_sample(void *arg, const struct sample_row *row) {
    struct run *run = arg;
    struct query_result *result = run->result;
    struct chosen *c = find(run, row->series_id);
    int64_t at = row->value.timestamp ? row->value.timestamp : row->received_at / 1000000000;
    if (!c || at < result->start_s || at >= run->end_s)
        return 0;
    if (!c->buckets) {
        c->buckets = arena_alloc(&run->scratch, result->n_buckets * sizeof *c->buckets);
        if (!c->buckets)
            return 1;
        memset(c->buckets, 0, result->n_buckets * sizeof *c->buckets);
    }
    if (!result->unit.p && row->spelling->unit.n)
        result->unit = arena_copy(&result->arena, row->spelling->unit);
    struct bucket *b = &c->buckets[(at - result->start_s) / result->interval_s];
    double v = row->value.number;
    const struct sketch *sketch = row->value.sketch;
    struct metric_weight weight = metric_weigh(c->type, row->spelling->sample_rate);
    if (sketch)
        add(b, sketch->sum, (double)sketch->count, sketch->min, sketch->max, sketch->avg);
    else if (c->type == METRIC_COUNT)
        add(b, v * weight.factor, 1, v * weight.factor, v * weight.factor, v * weight.factor);
    else if (c->type == METRIC_RATE && run->q->as_count && row->spelling->interval > 0)
        add(b, v * (double)row->spelling->interval, 1, v, v, v);
    else if (c->type == METRIC_GAUGE || c->type == METRIC_RATE)
        add(b, v, 1, v, v, v);
    else
        add(b, v * weight.factor, weight.count, v, v, v);
    return 0;
}

/* --- buckets into values --------------------------------------------------------------------------------- */

static double aggregate(const struct bucket *b, enum aggregate how) {
    switch (how) {
    case AGGREGATE_SUM:
        return b->sum;
    case AGGREGATE_MIN:
        return b->min;
    case AGGREGATE_MAX:
        return b->max;
    case AGGREGATE_COUNT:
        return b->n;
    case AGGREGATE_LAST:
        return b->last;
    default:
        return b->sum / b->n;
    }
}

static bool is_pooled(enum metric_type type) {
    return type == METRIC_DISTRIBUTION || type == METRIC_HISTOGRAM || type == METRIC_TIMING;
}

/* One series' value of a bucket, over time. */
static double over_time(const struct run *run, const struct chosen *c, const struct bucket *b) {
    bool counted = c->type == METRIC_COUNT || (c->type == METRIC_RATE && run->q->as_count);
    enum aggregate how = run->q->has_rollup ? run->q->over_time : counted ? AGGREGATE_SUM : AGGREGATE_AVG;
    double value = aggregate(b, how);
    return run->q->as_rate && c->type == METRIC_COUNT ? value / (double)run->result->interval_s : value;
}

static void put_together(struct run *run) {
    struct query_result *result = run->result;
    struct bucket *all = arena_alloc(&run->scratch, (result->n_groups + 1) * sizeof *all);
    if (!all)
        return;
    for (size_t i = 0; i < result->n_buckets; i++) {
        memset(all, 0, result->n_groups * sizeof *all);
        for (size_t k = 0; k < run->n_chosen; k++) {
            const struct chosen *c = &run->chosen[k];
            const struct bucket *b = c->buckets ? &c->buckets[i] : NULL;
            if (!b || b->n == 0)
                continue;
            if (is_pooled(c->type)) {
                add(&all[c->group], b->sum, b->n, b->min, b->max, b->last);
                continue;
            }
            double value = over_time(run, c, b);
            add(&all[c->group], value, 1, value, value, value);
        }
        for (size_t g = 0; g < result->n_groups; g++)
            if (all[g].n != 0)
                result->groups[g]->values[i] = aggregate(&all[g], run->q->over_series);
    }
}

static bool has_data(const struct query_result *result, const struct query_group *group) {
    for (size_t i = 0; i < result->n_buckets; i++)
        if (!isnan(group->values[i]))
            return true;
    return false;
}

static void drop_empty_groups(struct query_result *result) {
    size_t n = 0;
    for (size_t i = 0; i < result->n_groups; i++)
        if (has_data(result, result->groups[i]))
            result->groups[n++] = result->groups[i];
    result->n_groups = n;
}

/* --- the window ------------------------------------------------------------------------------------------ */

static int64_t interval_for(double window_s) {
    static const struct {
        double window_s;
        int64_t interval_s;
    } steps[] = {{1800, 5},        {3600, 20},        {4 * 3600, 60},     {86400, 300},
                 {2 * 86400, 600}, {7 * 86400, 3600}, {31 * 86400, 14400}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (window_s <= steps[i].window_s)
            return steps[i].interval_s;
    return 86400;
}

static void set_window(struct run *run, double from_s, double to_s, int64_t interval_s) {
    struct query_result *result = run->result;
    if (run->q->rollup_s)
        interval_s = run->q->rollup_s;
    if (interval_s <= 0)
        interval_s = interval_for(to_s - from_s);
    while ((to_s - from_s) / (double)interval_s > QUERY_BUCKETS_MAX)
        interval_s *= 2;
    int64_t from = (int64_t)floor(from_s), to = (int64_t)floor(to_s);
    int64_t past = from % interval_s;
    result->interval_s = interval_s;
    result->start_s = from - (past < 0 ? past + interval_s : past);
    run->end_s = to + 1;
    result->n_buckets = to < result->start_s ? 0 : (size_t)((to - result->start_s) / interval_s + 1);
}

int query_run(struct read *r, const struct query *q, double from_s, double to_s, int64_t interval_s,
              struct query_result *result, struct err *err) {
    *result = (struct query_result){.arena = {.max = QUERY_MEMORY_MAX}};
    struct run run = {.q = q, .result = result, .scratch = {.max = QUERY_MEMORY_MAX}};
    set_window(&run, from_s, to_s, interval_s);
    struct filter filter = r->filter;
    filter.name = q->name;
    const struct reader_ops *ops = r->reader->ops;
    int failed = ops->series(r->reader, &filter, choose, &run, err);
    if (!failed && run.n_chosen && result->n_buckets)
        failed = ops->samples(r->reader, &filter, false, take_sample, &run, err);
    if (!failed && run.n_chosen && result->n_buckets)
        put_together(&run);
    if (!failed && (run.scratch.failed || result->arena.failed))
        failed = err_set(err, ENOMEM,
                         "the query needs too much memory: a shorter window or a longer rollup helps");
    drop_empty_groups(result);
    arena_free(&run.scratch);
    return failed;
}

void query_result_free(struct query_result *result) {
    arena_free(&result->arena);
}
