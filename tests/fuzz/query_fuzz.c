/* Datadog's query language: any text is either refused with a message, or its tree can be named and evaluated over a few
 * series; the expression of what was accepted is accepted again. The first byte chooses the mode.
 */
#include "api/query/query.h"
#include "core/utf8.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

#define START_S 1795000000

static const struct span tags[] = {{"env:ci", 6}, {"x", 1}};
static const struct series_row rows[] = {
    {.id = 1, .name = {"a", 1}, .type = METRIC_COUNT, .n_tags = 2, .tags = tags, .samples = 40},
    {.id = 2, .name = {"a", 1}, .type = METRIC_GAUGE, .host = {"Web", 3}, .samples = 40},
    {.id = 3, .name = {"b.c", 3}, .type = METRIC_DISTRIBUTION, .device = {"sda", 3}, .samples = 40},
    {.id = 4, .name = {"b__c", 4}, .type = METRIC_RATE, .n_tags = 1, .tags = tags, .samples = 40},
};
#define N_ROWS (sizeof rows / sizeof rows[0])

static int read_series(struct reader *r, const struct filter *f,
                       int (*row)(void *, const struct series_row *), void *arg, struct err *err) {
    (void)r, (void)f, (void)err;
    for (size_t i = 0; i < N_ROWS; i++)
        if (row(arg, &rows[i]))
            break;
    return 0;
}

static int read_points(struct reader *r, uint64_t series_id, int (*row)(void *, const struct points_row *),
                       void *arg, struct err *err) {
    (void)r, (void)err;
    const struct series_row *series = &rows[series_id - 1];
    struct metric spelling = {.type = series->type, .name = series->name, .sample_rate = 0.5, .interval = 10};
    int64_t at[40];
    double values[40];
    uint64_t ids[40];
    for (int i = 0; i < 40; i++) {
        ids[i] = (uint64_t)i * 3 + series_id; /* those of two series stand between each other */
        at[i] = START_S + i * 7 * (int64_t)series_id;
        values[i] = i % 5 ? i - 3 : 1e308;
    }
    static const int32_t keys[] = {-1338, 0, 1338};
    static const uint32_t counts[] = {1, 2, 3};
    struct sketch sketch = {.count = 6,
                            .sum = 2,
                            .min = -1,
                            .max = 1,
                            .avg = 1.0 / 3,
                            .n_bins = 3,
                            .keys = keys,
                            .counts = counts};
    struct points_row some = {.spelling = &spelling,
                              .source = series_id % 2 ? SOURCE_HTTP : SOURCE_UDP,
                              .n = 40,
                              .at_s = at,
                              .values = values,
                              .ids = series_id % 3 ? ids : NULL};
    struct points_row one = {.spelling = &spelling,
                             .source = SOURCE_HTTP,
                             .n = 1,
                             .at_s = at,
                             .values = values,
                             .sketch = &sketch};
    return row(arg, &some) == 0 && series_id == 3 ? row(arg, &one), 0 : 0;
}

static int read_cadence(struct reader *r, uint64_t series_id, uint64_t first_id, struct cadence *cadence,
                        struct err *err) {
    (void)r, (void)first_id, (void)err;
    *cadence = (struct cadence){series_id % 2 ? 10 : 0, series_id % 2 ? SOURCE_HTTP : SOURCE_UDP};
    return 0;
}

static const struct reader_ops ops = {.series = read_series, .points = read_points, .cadence = read_cadence};

static void check_table(const struct query_table *t) {
    CHECK(t->n_groups <= N_ROWS && t->interval_s > 0);
    for (size_t i = 1; i < t->n_times; i++)
        CHECK(t->times[i] > t->times[i - 1]);
    for (size_t g = 0; g < t->n_groups; g++)
        for (size_t i = 0; i < t->n_times; i++)
            CHECK(t->groups[g].values[i] != -INFINITY);
}

static void evaluate(const struct query_node *node, bool again) {
    struct arena arena = {.max = QUERY_MEMORY_MAX};
    struct reader reader = {&ops};
    struct read read = {.reader = &reader};
    struct query_error error = {0};
    struct query_run run = {
        .read = &read, .arena = &arena, .window = {START_S, START_S + 600, 0, false}, .error = &error};
    struct query_table table;
    if (query_evaluate(&run, node, 0, &table) != 0) {
        CHECK(error.status == 400 && error.text[0]);
        arena_free(&arena);
        return;
    }
    check_table(&table);
    struct buf b = {.max = 1 << 20};
    query_put_name(&b, node);
    buf_clear(&b);
    query_put_expression(&b, node, &table, NULL);
    struct query_parse parse = {.mode = QUERY_ANY, .arena = &arena};
    const struct query_node *nodes[1];
    struct span texts[1], text = buf_view(&b);
    size_t n;
    if (again && !b.failed && text.n < QUERY_TEXT_MAX && query_first_metric(node)->metric->scope_text.n < 64)
        CHECK(query_parse(&parse, text, 1, nodes, texts, &n, &error) == 0 || strstr(error.text, "at most"));
    buf_free(&b);
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n == 0)
        return 0;
    struct arena arena = {.max = 16 << 20};
    struct query_parse parse = {.mode = QUERY_ANY, .arena = &arena};
    struct query_error error = {0};
    const struct query_node *nodes[4], *named[1];
    struct span texts[4], name = SPAN("q");
    size_t n_nodes;
    CHECK(query_parse(&parse, SPAN("sum:a{*}"), 1, named, texts, &n_nodes, &error) == 0);
    parse.mode = (enum query_mode)(data[0] % 3);
    parse.n_names = 1;
    parse.names = &name;
    parse.nodes = named;
    if (query_parse(&parse, span_of((const char *)data + 1, n - 1), 4, nodes, texts, &n_nodes, &error) != 0)
        CHECK(error.status == 400 && error.text[0]);
    else
        for (size_t i = 0; i < n_nodes && i < 2; i++)
            evaluate(nodes[i], parse.mode == QUERY_ANY);
    arena_free(&arena);
    return 0;
}
