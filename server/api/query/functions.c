#include "api/query/functions.h"

#include <math.h>

#define DAY_S     86400
#define SHIFT_MAX (100LL * 366 * DAY_S)

static double fix(double value) {
    return isfinite(value) ? value : QUERY_NULL;
}

/* --- of a value (never a missing one, nor one that is null) --------------------------------------------------- */

static double point_abs(const struct query_call *c, double v) {
    (void)c;
    return fabs(v);
}

static double point_log2(const struct query_call *c, double v) {
    (void)c;
    return v > 0 ? log2(v) : QUERY_NULL;
}

static double point_log10(const struct query_call *c, double v) {
    (void)c;
    return v > 0 ? log10(v) : QUERY_NULL;
}

static double point_clamp_min(const struct query_call *c, double v) {
    return v < c->args[0].number ? c->args[0].number : v;
}

static double point_clamp_max(const struct query_call *c, double v) {
    return v > c->args[0].number ? c->args[0].number : v;
}

static double point_cutoff_min(const struct query_call *c, double v) {
    return v < c->args[0].number ? NAN : v;
}

static double point_cutoff_max(const struct query_call *c, double v) {
    return v > c->args[0].number ? NAN : v;
}

/* --- of a series ----------------------------------------------------------------------------------------------- */

static void series_default(const struct query_call *c, const struct query_table *t, double *v) {
    double value = c->n_args ? c->args[0].number : 0;
    for (size_t i = 0; i < t->n_times; i++)
        if (!isfinite(v[i]))
            v[i] = value;
}

static void series_cumsum(const struct query_call *c, const struct query_table *t, double *v) {
    (void)c;
    double sum = 0;
    for (size_t i = 0; i < t->n_times; i++)
        if (isfinite(v[i]))
            v[i] = fix(sum += v[i]);
}

/* Each value stands for the time since the one before it. */
static void series_integral(const struct query_call *c, const struct query_table *t, double *v) {
    (void)c;
    double sum = 0;
    int64_t before = 0;
    for (size_t i = 0, n = 0; i < t->n_times; i++) {
        if (!isfinite(v[i]))
            continue;
        if (n++)
            sum += v[i] * (double)(t->times[i] - before);
        before = t->times[i];
        v[i] = fix(sum);
    }
}

enum step { STEP_DIFF, STEP_MONOTONIC, STEP_DERIVATIVE, STEP_RATE };

/* From each value to the next; the first one goes. per: seconds of the rate's unit. */
static void series_step(const struct query_table *t, double *v, enum step step, double per) {
    double last = NAN;
    int64_t before = 0;
    for (size_t i = 0; i < t->n_times; i++) {
        if (!isfinite(v[i]))
            continue;
        double value = v[i], change = value - last;
        double seconds = (double)(t->times[i] - before);
        bool falls = (step == STEP_MONOTONIC || step == STEP_RATE) && change < 0;
        bool divides = step == STEP_DERIVATIVE || step == STEP_RATE;
        v[i] = isnan(last) || falls ? NAN : fix(divides ? change / seconds * per : change);
        last = value;
        before = t->times[i];
    }
}

static void series_diff(const struct query_call *c, const struct query_table *t, double *v) {
    (void)c;
    series_step(t, v, STEP_DIFF, 1);
}

static void series_monotonic_diff(const struct query_call *c, const struct query_table *t, double *v) {
    (void)c;
    series_step(t, v, STEP_MONOTONIC, 1);
}

static void series_derivative(const struct query_call *c, const struct query_table *t, double *v) {
    (void)c;
    series_step(t, v, STEP_DERIVATIVE, 1);
}

static void series_per(const struct query_call *c, const struct query_table *t, double *v) {
    series_step(t, v, STEP_RATE, (double)c->function->parameter);
}

/* y = sum of (1 - a)^k * x[i - k] / sum of (1 - a)^k, with a = 2 / (span + 1); k counts values, not times. */
static void series_ewma(const struct query_call *c, const struct query_table *t, double *v) {
    double keep = 1 - 2.0 / (double)(c->function->parameter + 1), above = 0, below = 0;
    for (size_t i = 0; i < t->n_times; i++) {
        if (!isfinite(v[i]))
            continue;
        above = above * keep + v[i];
        below = below * keep + 1;
        v[i] = fix(above / below);
    }
}

/* --- of a table ------------------------------------------------------------------------------------------------ */

/* The stretch of points that moving_rollup has summed up. */
struct stretch {
    double sum, min, max;
    size_t n;
};

static struct stretch stretch_of(double v) {
    return isfinite(v) ? (struct stretch){v, v, v, 1} : (struct stretch){0, INFINITY, -INFINITY, 0};
}

static struct stretch stretch_join(struct stretch a, struct stretch b) {
    return (struct stretch){a.sum + b.sum, a.min < b.min ? a.min : b.min, a.max > b.max ? a.max : b.max,
                            a.n + b.n};
}

static double stretch_value(struct stretch s, struct span how) {
    if (s.n == 0)
        return NAN;
    switch (how.p[1]) { /* avg sum min max count: the second letter tells them apart */
    case 'u':
        return fix(s.sum);
    case 'i':
        return s.min;
    case 'a':
        return s.max;
    case 'o':
        return (double)s.n;
    default:
        return fix(s.sum / (double)s.n);
    }
}

/* At each time the points of the last X seconds, (t - X, t]. Each point is looked at twice: `tails[i]` holds the points
 * from i to `split`, `recent` those behind it; when the window has passed the split, the tails are made anew. */
static void roll_series(const struct query_table *t, double *v, int64_t seconds, struct span how,
                        struct stretch *tails) {
    struct stretch recent = stretch_of(NAN);
    for (size_t i = 0, from = 0, split = 0; i < t->n_times; i++) {
        tails[i] = stretch_of(v[i]);
        recent = stretch_join(recent, tails[i]);
        while (t->times[i] - t->times[from] >= seconds)
            from++;
        if (from >= split) {
            for (size_t k = i; k > from; k--)
                tails[k - 1] = stretch_join(tails[k - 1], tails[k]);
            split = i + 1;
            recent = stretch_of(NAN);
        }
        v[i] = stretch_value(stretch_join(tails[from], recent), how);
    }
}

static int table_moving_rollup(const struct query_call *c, struct query_table *t) {
    struct stretch *tails = arena_alloc(c->run->arena, (t->n_times + 1) * sizeof *tails);
    if (!tails)
        return query_no_memory(c->run->error);
    for (size_t g = 0; g < t->n_groups; g++)
        roll_series(t, t->groups[g].values, (int64_t)c->args[0].number,
                    c->n_args > 1 ? c->args[1].word : SPAN("avg"), tails);
    return 0;
}

/* One series for all groups. */
static int table_merge(const struct query_call *c, struct query_table *t, double **values) {
    struct query_group *group = arena_alloc(c->run->arena, sizeof *group);
    *values = arena_alloc(c->run->arena, (t->n_times + 1) * sizeof **values);
    if (!group || !*values)
        return query_no_memory(c->run->error);
    *group = (struct query_group){.values = *values};
    t->groups = group;
    t->n_groups = t->n_groups ? 1 : 0;
    t->n_by = 0;
    t->unit = span_of(NULL, 0);
    t->has_default = false;
    return 0;
}

static int table_count(const struct query_call *c, struct query_table *t) {
    struct query_table before = *t;
    double *values;
    if (table_merge(c, t, &values) != 0)
        return -1;
    for (size_t i = 0; i < t->n_times; i++) {
        size_t points = 0, n = 0;
        for (size_t g = 0; g < before.n_groups; g++) {
            double v = before.groups[g].values[i];
            points += isnan(v) ? 0 : 1;
            n += isfinite(v) && (c->function->parameter || v != 0) ? 1 : 0;
        }
        values[i] = points ? (double)n : NAN;
    }
    return 0;
}

/* Seconds since the point before, of whichever group. */
static int table_dt(const struct query_call *c, struct query_table *t) {
    struct query_table before = *t;
    double *values;
    if (table_merge(c, t, &values) != 0)
        return -1;
    int64_t last = 0;
    bool first = true;
    for (size_t i = 0; i < t->n_times; i++) {
        bool has_point = false;
        for (size_t g = 0; !has_point && g < before.n_groups; g++)
            has_point = isfinite(before.groups[g].values[i]);
        values[i] = has_point && !first ? (double)(t->times[i] - last) : NAN;
        last = has_point ? t->times[i] : last;
        first &= !has_point;
    }
    return 0;
}

static int table_throughput(const struct query_call *c, struct query_table *t) {
    (void)c;
    for (size_t g = 0; g < t->n_groups; g++)
        for (size_t i = 0; i < t->n_times; i++)
            t->groups[g].values[i] /= (double)t->interval_s;
    t->missing /= (double)t->interval_s;
    return 0;
}

static int table_exclude_null(const struct query_call *c, struct query_table *t) {
    (void)c;
    size_t n = 0;
    for (size_t g = 0; g < t->n_groups; g++) {
        bool whole = true;
        for (size_t i = 0; i < t->n_by; i++)
            whole &= t->groups[g].tags[i].p != NULL;
        if (whole)
            t->groups[n++] = t->groups[g];
    }
    t->n_groups = n;
    return 0;
}

/* top(q, 5, 'mean', 'desc') */
static int table_rank(const struct query_call *c, struct query_table *t) {
    bool ascending = span_eq(c->args[2].word, SPAN("asc"));
    if (!reduce_select(t, reduce_of(c->args[1].word), (size_t)c->args[0].number, ascending))
        return query_no_memory(c->run->error);
    return 0;
}

/* top5_mean(q), bottom5_mean(q) */
static int table_rank_named(const struct query_call *c, struct query_table *t) {
    bool bottom = c->function->name[0] == 'b';
    if (!reduce_select(t, reduce_of(span_str(c->function->word)), (size_t)c->function->parameter, bottom))
        return query_no_memory(c->run->error);
    return 0;
}

/* --- the table ------------------------------------------------------------------------------------------------- */

// clang-format off
#define RANK(which, n, by) {.name = which #n "_" by, .kinds = "", .parameter = n, .word = by, .selects = true, .table = table_rank_named},
#define RANKS(which, n) RANK(which, n, "mean") RANK(which, n, "min") RANK(which, n, "max") RANK(which, n, "sum") \
    RANK(which, n, "last") RANK(which, n, "area") RANK(which, n, "l2norm")

static const struct query_function functions[] = {
    {.name = "abs",            .kinds = "",    .point = point_abs},
    {.name = "log2",           .kinds = "",    .point = point_log2},
    {.name = "log10",          .kinds = "",    .point = point_log10},
    {.name = "clamp_min",      .kinds = "n",   .n_min = 1, .point = point_clamp_min},
    {.name = "clamp_max",      .kinds = "n",   .n_min = 1, .point = point_clamp_max},
    {.name = "cutoff_min",     .kinds = "n",   .n_min = 1, .point = point_cutoff_min},
    {.name = "cutoff_max",     .kinds = "n",   .n_min = 1, .point = point_cutoff_max},
    {.name = "default_zero",   .kinds = "",    .series = series_default},
    {.name = "default",        .kinds = "n",   .n_min = 1, .series = series_default},
    {.name = "cumsum",         .kinds = "",    .series = series_cumsum},
    {.name = "integral",       .kinds = "",    .series = series_integral},
    {.name = "diff",           .kinds = "",    .series = series_diff},
    {.name = "monotonic_diff", .kinds = "",    .series = series_monotonic_diff},
    {.name = "derivative",     .kinds = "",    .series = series_derivative},
    {.name = "per_second",     .kinds = "",    .parameter = 1,    .series = series_per},
    {.name = "per_minute",     .kinds = "",    .parameter = 60,   .series = series_per},
    {.name = "per_hour",       .kinds = "",    .parameter = 3600, .series = series_per},
    {.name = "ewma_3",         .kinds = "",    .parameter = 3,    .series = series_ewma},
    {.name = "ewma_5",         .kinds = "",    .parameter = 5,    .series = series_ewma},
    {.name = "ewma_7",         .kinds = "",    .parameter = 7,    .series = series_ewma},
    {.name = "ewma_10",        .kinds = "",    .parameter = 10,   .series = series_ewma},
    {.name = "ewma_20",        .kinds = "",    .parameter = 20,   .series = series_ewma},
    {.name = "dt",             .kinds = "",    .table = table_dt},
    {.name = "throughput",     .kinds = "",    .table = table_throughput},
    {.name = "moving_rollup",  .kinds = "nt",  .n_min = 1, .table = table_moving_rollup},
    {.name = "count_nonzero",  .kinds = "",    .parameter = 0, .table = table_count},
    {.name = "count_not_null", .kinds = "",    .parameter = 1, .table = table_count},
    {.name = "exclude_null",   .kinds = "",    .selects = true, .table = table_exclude_null},
    {.name = "top",            .kinds = "ntt", .n_min = 3, .selects = true, .table = table_rank},
    {.name = "bottom",         .kinds = "ntt", .n_min = 3, .selects = true, .table = table_rank},
    {.name = "timeshift",      .kinds = "n",   .n_min = 1, .shifts = true},
    {.name = "hour_before",    .kinds = "",    .parameter = -3600,       .shifts = true},
    {.name = "day_before",     .kinds = "",    .parameter = -DAY_S,      .shifts = true},
    {.name = "week_before",    .kinds = "",    .parameter = -7 * DAY_S,  .shifts = true},
    {.name = "month_before",   .kinds = "",    .parameter = -28 * DAY_S, .shifts = true},
    RANKS("top", 5) RANKS("top", 10) RANKS("top", 15) RANKS("top", 20)
    RANKS("bottom", 5) RANKS("bottom", 10) RANKS("bottom", 15) RANKS("bottom", 20)
};
// clang-format on

const struct query_function *function_find(struct span name) {
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (span_eq(name, span_str(functions[i].name)))
            return &functions[i];
    return NULL;
}

static bool is_whole(double v, double min, double max) {
    return v >= min && v <= max && v == floor(v);
}

const char *function_check(const struct query_function *f, const struct query_argument *args, size_t n) {
    if (f->table == table_rank) {
        enum query_reduce by = reduce_of(args[1].word);
        if (!is_whole(args[0].number, 1, 1000000))
            return "a whole number of series from 1 to 1000000";
        if (by == REDUCE_NONE || by == REDUCE_PERCENTILE)
            return "'mean', 'min', 'max', 'sum', 'last', 'area' or 'l2norm'";
        if (!span_eq(args[2].word, SPAN("asc")) && !span_eq(args[2].word, SPAN("desc")))
            return "'asc' or 'desc'";
        if (f->name[0] == 'b' && !span_eq(args[2].word, SPAN("asc")))
            return "'asc' behind bottom: nothing says which series Datadog keeps with 'desc'";
    }
    if (f->table == table_moving_rollup) {
        static const char *const words[] = {"avg", "sum", "min", "max", "count"};
        bool known = n < 2;
        for (size_t i = 0; i < 5; i++)
            known |= n > 1 && span_eq(args[1].word, span_str(words[i]));
        if (!is_whole(args[0].number, 1, SHIFT_MAX))
            return "a whole number of seconds";
        if (!known)
            return "'avg', 'sum', 'min', 'max' or 'count'";
    }
    if (f->shifts && n && !is_whole(args[0].number, -(double)SHIFT_MAX, (double)SHIFT_MAX))
        return "a whole number of seconds, of at most a hundred years";
    return NULL;
}

int64_t function_shift(const struct query_node *call) {
    return call->n_args ? (int64_t)call->args[0].number : call->function->parameter;
}

int function_apply(struct query_run *run, const struct query_node *node, struct query_table *t) {
    const struct query_function *f = node->function;
    struct query_call call = {.run = run, .function = f, .args = node->args, .n_args = node->n_args};
    if (f->table)
        return f->table(&call, t);
    for (size_t g = 0; g < t->n_groups; g++) {
        double *v = t->groups[g].values;
        for (size_t i = 0; f->point && i < t->n_times; i++)
            if (isfinite(v[i]))
                v[i] = f->point(&call, v[i]);
        if (f->series)
            f->series(&call, t, v);
    }
    if (f->point && t->has_default)
        t->missing = f->point(&call, t->missing);
    t->has_default = t->has_default && f->point && isfinite(t->missing);
    return 0;
}
