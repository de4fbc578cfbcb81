#include "api/query/functions.h"
#include "core/json.h"
#include "core/number.h"

#include <stdlib.h>

const struct query_node *query_first_metric(const struct query_node *node) {
    while (node->kind != QUERY_METRIC)
        node = node->kind == QUERY_BINARY && node->left->kind == QUERY_NUMBER ? node->right : node->left;
    return node;
}

static void put_number(struct buf *b, double number) {
    char text[NUMBER_SIZE];
    buf_add(b, text, number_format(number, text));
}

/* "(a / b)", "abs(a)" */
void query_put_name(struct buf *b, const struct query_node *node) {
    switch (node->kind) {
    case QUERY_NUMBER:
        put_number(b, node->number);
        return;
    case QUERY_METRIC:
        buf_span(b, node->metric->name);
        return;
    case QUERY_CALL:
        if (!node->function->selects)
            buf_printf(b, "%s(", node->function->name);
        query_put_name(b, node->left);
        if (!node->function->selects)
            buf_char(b, ')');
        return;
    case QUERY_BINARY:
    default:
        buf_char(b, '(');
        query_put_name(b, node->left);
        buf_printf(b, " %c ", node->op);
        query_put_name(b, node->right);
        buf_char(b, ')');
    }
}

/* --- scopes ------------------------------------------------------------------------------------------------------ */

static int compare_spans(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

/* "env:bar,host:a": the scope's tags and the group's, sorted; a scope with words comes first as it was written. */
static void put_scope(struct buf *b, const struct query_metric *m, const struct query_table *t,
                      const struct query_group *group) {
    struct span list[QUERY_SCOPE_MAX + QUERY_GROUPS_MAX];
    size_t n = 0, first = 0;
    if (m->scope_has_words) {
        list[n++] = m->scope_text;
        first = 1;
    } else {
        for (size_t from = 0; from <= m->scope_text.n;) {
            const char *comma = memchr(m->scope_text.p + from, ',', m->scope_text.n - from);
            size_t end = comma ? (size_t)(comma - m->scope_text.p) : m->scope_text.n;
            struct span tag = span_of(m->scope_text.p + from, end - from);
            while (tag.n && tag.p[0] == ' ')
                tag = span_from(tag, 1);
            while (tag.n && tag.p[tag.n - 1] == ' ')
                tag.n--;
            if (!span_eq(tag, SPAN("*")) && n < QUERY_SCOPE_MAX)
                list[n++] = tag;
            from = end + 1;
        }
    }
    for (size_t i = 0; group && i < t->n_by; i++)
        if (group->tags[i].p)
            list[n++] = group->tags[i];
    if (n > first)
        qsort(list + first, n - first, sizeof *list, compare_spans);
    size_t put = 0;
    for (size_t i = 0; i < n; i++) {
        if (i && span_eq(list[i], list[i - 1]))
            continue;
        if (put++)
            buf_char(b, ',');
        buf_span(b, list[i]);
    }
    if (!put)
        buf_char(b, '*');
}

void query_put_scope(struct buf *b, const struct query_node *node, const struct query_table *t,
                     const struct query_group *group) {
    put_scope(b, query_first_metric(node)->metric, t, group);
}

static void put_metric(struct buf *b, const struct query_metric *m, const struct query_table *t,
                       const struct query_group *group) {
    if (m->aggregator.p) {
        buf_span(b, m->aggregator);
        buf_char(b, ':');
    }
    buf_span(b, m->name);
    buf_char(b, '{');
    put_scope(b, m, t, m->n_by ? group : NULL);
    buf_char(b, '}');
    struct span modifiers = m->modifiers;
    while (modifiers.n && strchr(" \t\r\n", modifiers.p[modifiers.n - 1]))
        modifiers.n--;
    buf_span(b, modifiers);
}

void query_put_expression(struct buf *b, const struct query_node *node, const struct query_table *t,
                          const struct query_group *group) {
    switch (node->kind) {
    case QUERY_NUMBER:
        put_number(b, node->number);
        return;
    case QUERY_METRIC:
        put_metric(b, node->metric, t, t->n_by ? group : NULL);
        return;
    case QUERY_CALL:
        buf_printf(b, "%s(", node->function->name);
        query_put_expression(b, node->left, t, group);
        for (size_t i = 0; i < node->n_args; i++) {
            buf_str(b, ", ");
            if (node->args[i].word.p)
                buf_printf(b, "'%.*s'", SPAN_ARG(node->args[i].word));
            else
                put_number(b, node->args[i].number);
        }
        buf_char(b, ')');
        return;
    case QUERY_BINARY:
    default:
        buf_char(b, '(');
        query_put_expression(b, node->left, t, group);
        buf_printf(b, " %c ", node->op);
        query_put_expression(b, node->right, t, group);
        buf_char(b, ')');
    }
}

void query_put_tags(struct buf *b, const struct query_table *t, const struct query_group *group) {
    const char *comma = "";
    buf_char(b, '[');
    for (size_t i = 0; i < t->n_by; i++) {
        if (!group->tags[i].p)
            continue;
        buf_str(b, comma);
        json_put_string(b, group->tags[i]);
        comma = ",";
    }
    buf_char(b, ']');
}
