#include "api/query/arithmetic.h"

#include "api/query/group.h"
#include <math.h>

static double calculate(char op, double a, double b) {
    double value = op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : a / b;
    return isfinite(a) && isfinite(b) && isfinite(value) ? value : QUERY_NULL;
}

static void set_missing(char op, struct query_table *t, double left, double right, bool both) {
    t->missing = calculate(op, left, right);
    t->has_default = both && isfinite(t->missing);
}

void arithmetic_number(char op, struct query_table *t, double number, bool number_is_left) {
    for (size_t g = 0; g < t->n_groups; g++)
        for (size_t i = 0; i < t->n_times; i++) {
            double *v = &t->groups[g].values[i];
            if (!isnan(*v))
                *v = number_is_left ? calculate(op, number, *v) : calculate(op, *v, number);
        }
    set_missing(op, t, number_is_left ? number : t->missing, number_is_left ? t->missing : number,
                t->has_default);
}

/* --- which groups meet --------------------------------------------------------------------------------------- */

/* order[i]: where the left's key i stands in the right's tags. */
static bool match_keys(const struct query_table *left, const struct query_table *right, size_t *order) {
    if (left->n_by != right->n_by)
        return false;
    for (size_t i = 0; i < left->n_by; i++) {
        size_t k = 0;
        while (k < right->n_by && !span_eq(left->by[i], right->by[k]))
            k++;
        if (k == right->n_by)
            return false;
        order[i] = k;
    }
    return true;
}

/* partners[g]: the right group of the left group g; SIZE_MAX: none. false: out of memory. */
static bool find_partners(struct query_run *run, const struct query_table *left,
                          const struct query_table *right, const size_t *order, size_t *partners) {
    struct group_index index = {.n_by = left->n_by};
    for (size_t g = 0; g < right->n_groups; g++) {
        struct span *tags = arena_alloc(run->arena, (left->n_by + 1) * sizeof *tags);
        if (!tags)
            return false;
        for (size_t i = 0; i < left->n_by; i++)
            tags[i] = right->groups[g].tags[order[i]];
        if (group_add(run->arena, &index, tags) == SIZE_MAX)
            return false;
    }
    for (size_t g = 0; g < left->n_groups; g++)
        partners[g] = group_find(&index, left->groups[g].tags);
    return true;
}

/* --- when they meet ------------------------------------------------------------------------------------------ */

/* The times of both, and where each of them stood on either side (SIZE_MAX: nowhere). */
struct meeting {
    size_t n;
    int64_t *times;
    size_t *left, *right;
};

static bool meet(struct query_run *run, const struct query_table *left, const struct query_table *right,
                 struct meeting *m) {
    size_t most = left->n_times + right->n_times + 1;
    m->times = arena_alloc(run->arena, most * sizeof *m->times);
    m->left = arena_alloc(run->arena, most * sizeof *m->left);
    m->right = arena_alloc(run->arena, most * sizeof *m->right);
    if (!m->times || !m->left || !m->right)
        return false;
    m->n = 0;
    for (size_t i = 0, k = 0; i < left->n_times || k < right->n_times; m->n++) {
        bool from_left = i < left->n_times && (k == right->n_times || left->times[i] <= right->times[k]);
        bool from_right = k < right->n_times && (i == left->n_times || right->times[k] <= left->times[i]);
        m->times[m->n] = from_left ? left->times[i] : right->times[k];
        m->left[m->n] = from_left ? i++ : SIZE_MAX;
        m->right[m->n] = from_right ? k++ : SIZE_MAX;
    }
    return true;
}

static double value_at(const double *values, size_t at) {
    return at == SIZE_MAX ? NAN : values[at];
}

static void fill_group(char op, const struct meeting *m, const struct query_table *left,
                       const struct query_table *right, const double *a, const double *b, double *values) {
    for (size_t i = 0; i < m->n; i++) {
        double x = value_at(a, m->left[i]), y = value_at(b, m->right[i]);
        if (isnan(x) && isnan(y)) {
            values[i] = NAN;
            continue;
        }
        x = isnan(x) && left->has_default ? left->missing : x;
        y = isnan(y) && right->has_default ? right->missing : y;
        values[i] = calculate(op, x, y);
    }
}

int arithmetic_tables(struct query_run *run, char op, struct query_table *left,
                      const struct query_table *right) {
    size_t order[QUERY_GROUPS_MAX] = {0};
    bool left_alone = left->n_by == 0, right_alone = right->n_by == 0;
    if (!left_alone && !right_alone && !match_keys(left, right, order))
        return query_refuse(run->error,
                            "Error parsing query: both sides of '%c' must be grouped by the same tags", op);
    const struct query_table *many = left_alone ? right : left;
    struct meeting m;
    struct query_group *groups = arena_alloc(run->arena, (many->n_groups + 1) * sizeof *groups);
    size_t *partners = arena_alloc(run->arena, (left->n_groups + 1) * sizeof *partners), n = 0;
    if (!groups || !partners || !meet(run, left, right, &m) ||
        (!left_alone && !right_alone && !find_partners(run, left, right, order, partners)))
        return query_no_memory(run->error);
    for (size_t g = 0; g < many->n_groups; g++) {
        size_t a = left_alone ? 0 : g, b = right_alone ? 0 : left_alone ? g : partners[g];
        if (a >= left->n_groups || b >= right->n_groups)
            continue;
        groups[n].tags = many->groups[g].tags;
        groups[n].values = arena_alloc(run->arena, (m.n + 1) * sizeof(double));
        if (!groups[n].values)
            return query_no_memory(run->error);
        fill_group(op, &m, left, right, left->groups[a].values, right->groups[b].values, groups[n++].values);
    }
    bool same_unit =
        left->unit.p && right->unit.p && span_eq(left->unit, right->unit) && op != '*' && op != '/';
    struct query_table result = {.interval_s = left->interval_s < right->interval_s ? left->interval_s
                                                                                    : right->interval_s,
                                 .n_times = m.n,
                                 .times = m.times,
                                 .n_by = many->n_by,
                                 .by = many->by,
                                 .n_groups = n,
                                 .groups = groups,
                                 .unit = same_unit ? left->unit : span_of(NULL, 0)};
    set_missing(op, &result, left->missing, right->missing, left->has_default && right->has_default);
    *left = result;
    return 0;
}
