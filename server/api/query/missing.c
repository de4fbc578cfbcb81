#include "api/query/missing.h"

#include "api/names.h"

struct missing_search {
    struct arena arena;
    struct span name;
    bool found;
    enum metric_type type;
};

static int take_series(void *arg, const struct series_row *row) {
    struct missing_search *s = arg;
    if (!span_eq(names_normal(&s->arena, row->name), s->name))
        return 0;
    s->found = true;
    s->type = row->type;
    return 1;
}

static void find(struct missing_search *s, struct reader *r, const struct filter *all) {
    struct filter filter = *all;
    struct err ignored = {0};
    filter.name = names_spellings(&s->arena, s->name);
    s->found = false;
    if (filter.name.p)
        r->ops->series(r, &filter, take_series, s, &ignored);
}

static void put_metric(struct buf *to, struct read *read, struct span name) {
    struct missing_search s = {.arena = {.max = 1 << 20}, .name = name};
    find(&s, read->reader, &read->filter);
    bool there = s.found;
    if (!there)
        find(&s, read->recording, &read->filter);
    if (!there && s.found && (s.type == METRIC_TIMING || s.type == METRIC_HISTOGRAM))
        buf_printf(
            to,
            "%s%.*s is a %s: an Agent makes %.*s.avg, .count and so on of it (`statwit flush` shows them), and "
            "Datadog has nothing under the name itself",
            to->n ? ". " : "", SPAN_ARG(name), metric_word(s.type), SPAN_ARG(name));
    arena_free(&s.arena);
}

void missing_put(struct buf *to, struct read *read, const struct query_node *node) {
    if (!node || read->reader == read->recording)
        return;
    if (node->kind == QUERY_METRIC)
        put_metric(to, read, node->metric->name);
    missing_put(to, read, node->left);
    missing_put(to, read, node->right);
}
