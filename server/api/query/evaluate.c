#include "api/query/arithmetic.h"
#include "api/query/functions.h"

/* The parser bounds how deep this goes (QUERY_STEPS_MAX). */
int query_evaluate(struct query_run *run, const struct query_node *node, int64_t shift_s,
                   struct query_table *t) {
    if (node->kind == QUERY_METRIC)
        return query_leaf(run, node->metric, shift_s, t);
    if (node->kind == QUERY_CALL) {
        if (node->function->shifts)
            return query_evaluate(run, node->left, shift_s + function_shift(node), t);
        return query_evaluate(run, node->left, shift_s, t) != 0 ? -1 : function_apply(run, node, t);
    }
    if (node->left->kind == QUERY_NUMBER || node->right->kind == QUERY_NUMBER) {
        bool left = node->left->kind == QUERY_NUMBER;
        if (query_evaluate(run, left ? node->right : node->left, shift_s, t) != 0)
            return -1;
        arithmetic_number(node->op, t, left ? node->left->number : node->right->number, left);
        return 0;
    }
    struct query_table right;
    if (query_evaluate(run, node->left, shift_s, t) != 0 ||
        query_evaluate(run, node->right, shift_s, &right) != 0)
        return -1;
    return arithmetic_tables(run, node->op, t, &right);
}
