#include "api/query/arithmetic.h"
#include "api/query/v2.h"

#include <math.h>

static bool has_arithmetic(const struct query_node *node) {
    while (node->kind == QUERY_CALL)
        node = node->left;
    return node->kind == QUERY_BINARY;
}

/* A table of one time. */
static int reduce_table(struct query_run *run, enum query_reduce how, struct query_table *t) {
    int64_t *time = arena_alloc(run->arena, sizeof *time);
    double *values = arena_alloc(run->arena, (t->n_groups + 1) * sizeof *values);
    if (!time || !values)
        return query_no_memory(run->error);
    *time = 0;
    for (size_t g = 0; g < t->n_groups; g++) {
        double value = reduce_values(how, t, t->groups[g].values);
        values[g] = isfinite(value) ? value : QUERY_NULL;
    }
    for (size_t g = 0; g < t->n_groups; g++)
        t->groups[g].values = &values[g];
    t->n_times = 1;
    t->times = time;
    return 0;
}

/* Over time first, then one number. */
static int reduce_node(const struct v2_question *qn, struct query_run *run, const struct query_node *node,
                       int64_t shift_s, struct query_table *t) {
    enum query_reduce how = qn->asked[query_first_metric(node)->index].reduce;
    run->window.whole = how == REDUCE_PERCENTILE;
    int result = query_evaluate(run, node, shift_s, t);
    run->window.whole = false;
    return result != 0 ? -1 : reduce_table(run, how, t);
}

int scalar_evaluate(const struct v2_question *qn, struct query_run *run, const struct query_node *node,
                    int64_t shift_s, struct query_table *t) {
    if (!has_arithmetic(node))
        return reduce_node(qn, run, node, shift_s, t);
    if (node->kind == QUERY_CALL) {
        const struct query_function *f = node->function;
        if (f->shifts)
            return scalar_evaluate(qn, run, node->left, shift_s + function_shift(node), t);
        if (!f->point && !f->selects && f != function_find(SPAN("default_zero")) &&
            f != function_find(SPAN("default")))
            return reduce_node(qn, run, node, shift_s, t);
        return scalar_evaluate(qn, run, node->left, shift_s, t) != 0 ? -1 : function_apply(run, node, t);
    }
    if (node->left->kind == QUERY_NUMBER || node->right->kind == QUERY_NUMBER) {
        bool left = node->left->kind == QUERY_NUMBER;
        if (scalar_evaluate(qn, run, left ? node->right : node->left, shift_s, t) != 0)
            return -1;
        arithmetic_number(node->op, t, left ? node->left->number : node->right->number, left);
        return 0;
    }
    struct query_table right;
    if (scalar_evaluate(qn, run, node->left, shift_s, t) != 0 ||
        scalar_evaluate(qn, run, node->right, shift_s, &right) != 0)
        return -1;
    return arithmetic_tables(run, node->op, t, &right);
}
