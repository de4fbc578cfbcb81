/* GET /api/v1/query?from&to&query */
#include "api/arguments.h"
#include "api/query/missing.h"
#include "api/query/query.h"
#include "core/json.h"

#include <math.h>
#include <stdlib.h>

struct asked {
    struct read *read;
    double from, to;
    size_t n;
    const struct query_node *nodes[QUERY_LIST_MAX];
    struct span texts[QUERY_LIST_MAX];
    bool any; /* something has been written */
};

static void put_text(struct buf *b, const char *key, struct buf *text) {
    buf_printf(b, ",\"%s\":", key);
    json_put_string(b, buf_view(text));
    buf_clear(text);
}

static void put_words(struct buf *b, const struct query_node *node, const struct query_table *t,
                      const struct query_group *group) {
    struct buf text = {.max = 1 << 20};
    query_put_name(&text, node);
    buf_str(b, "{\"metric\":");
    json_put_string(b, buf_view(&text));
    put_text(b, "display_name", &text);
    query_put_expression(&text, node, t, group);
    put_text(b, "expression", &text);
    query_put_scope(&text, node, t, group);
    put_text(b, "scope", &text);
    buf_str(b, ",\"tag_set\":");
    query_put_tags(b, t, group);
    const struct query_metric *m = query_first_metric(node)->metric;
    buf_str(b, ",\"aggr\":");
    if (m->aggregator.p && node->kind != QUERY_BINARY)
        json_put_string(b, m->aggregator);
    else
        buf_str(b, "null");
    buf_free(&text);
}

/* Points without a value are null; where there is no point there is nothing. */
static void put_points(struct buf *b, const struct query_table *t, const struct query_group *group) {
    const char *comma = "";
    buf_char(b, '[');
    for (size_t i = 0; i < t->n_times; i++) {
        if (isnan(group->values[i]))
            continue;
        buf_str(b, comma);
        buf_char(b, '[');
        if (t->times[i] < 0)
            buf_char(b, '-');
        buf_u64(b, (uint64_t)llabs((long long)t->times[i]) * 1000);
        buf_char(b, ',');
        json_put_number(b, group->values[i]);
        buf_char(b, ']');
        comma = ",";
    }
    buf_char(b, ']');
}

static void put_group(struct buf *b, const struct query_node *node, size_t index, const struct query_table *t,
                      const struct query_group *group) {
    size_t first = t->n_times, last = 0, n = 0;
    for (size_t i = 0; i < t->n_times; i++)
        if (!isnan(group->values[i])) {
            first = i < first ? i : first;
            last = i;
            n++;
        }
    put_words(b, node, t, group);
    long long step = t->interval_s, start = n ? t->times[first] : 0, end = n ? t->times[last] : 0;
    buf_printf(b, ",\"query_index\":%zu,\"interval\":%lld,\"length\":%zu,\"start\":%lld,\"end\":%lld", index,
               step, n, start * 1000, (end + step) * 1000 - 1000);
    buf_str(b, ",\"attributes\":{},\"unit\":");
    read_put_unit(b, t->unit);
    buf_str(b, ",\"pointlist\":");
    put_points(b, t, group);
    buf_char(b, '}');
}

static bool has_point(const struct query_table *t, const struct query_group *group) {
    for (size_t i = 0; i < t->n_times; i++)
        if (!isnan(group->values[i]))
            return true;
    return false;
}

static bool answer_query(struct asked *asked, size_t index) {
    struct buf *b = &asked->read->rq->answer.body;
    struct arena arena = {.max = QUERY_MEMORY_MAX};
    struct query_error error = {0};
    struct query_run run = {.read = asked->read,
                            .arena = &arena,
                            .window = {.from_s = asked->from, .to_s = asked->to},
                            .error = &error};
    struct query_table table;
    bool ok = query_evaluate(&run, asked->nodes[index], 0, &table) == 0;
    for (size_t g = 0; ok && g < table.n_groups; g++) {
        if (!has_point(&table, &table.groups[g]))
            continue;
        if (asked->any)
            buf_char(b, ',');
        asked->any = true;
        put_group(b, asked->nodes[index], index, &table, &table.groups[g]);
    }
    arena_free(&arena);
    if (!ok)
        api_errors(asked->read->rq, error.status, "%s", error.text);
    return ok;
}

/* The keys behind `by` of all queries. */
static void put_group_by(struct buf *b, const struct asked *asked) {
    struct span seen[QUERY_GROUPS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < asked->n; i++) {
        const struct query_metric *m = query_first_metric(asked->nodes[i])->metric;
        for (size_t k = 0; k < m->n_by && n < QUERY_GROUPS_MAX; k++) {
            size_t s = 0;
            while (s < n && !span_eq(seen[s], m->by[k]))
                s++;
            if (s == n)
                seen[n++] = m->by[k];
        }
    }
    json_put_strings(b, n, seen);
}

static void put_message(struct buf *b, const struct asked *asked) {
    struct buf text = {.max = 64 << 10};
    for (size_t i = 0; i < asked->n; i++)
        missing_put(&text, asked->read, asked->nodes[i]);
    json_put_string(b, buf_view(&text));
    buf_free(&text);
}

static void answer_queries(struct asked *asked, struct span text) {
    struct http_request *rq = asked->read->rq;
    struct buf *b = &rq->answer.body;
    api_answer(rq, 200, "application/json", "");
    buf_str(b, "{\"status\":\"ok\",\"resp_version\":1,\"res_type\":\"time_series\",\"query\":");
    json_put_string(b, text);
    buf_printf(b, ",\"from_date\":%lld,\"to_date\":%lld,\"message\":", (long long)(asked->from * 1000),
               (long long)(asked->to * 1000));
    put_message(b, asked);
    buf_str(b, ",\"group_by\":");
    put_group_by(b, asked);
    buf_str(b, ",\"values\":[],\"times\":[],\"series\":[");
    for (size_t i = 0; i < asked->n; i++)
        if (!answer_query(asked, i))
            return;
    buf_str(b, "]}");
    http_add_header(rq, "X-RateLimit-Limit", "100");
    http_add_header(rq, "X-RateLimit-Period", "10");
    http_add_header(rq, "X-RateLimit-Remaining", "99");
    http_add_header(rq, "X-RateLimit-Reset", "1");
}

static void fill(struct read *r) {
    struct http_request *rq = r->rq;
    struct span text = http_arg(rq, "query");
    struct asked asked = {.read = r};
    struct arena arena = {.max = QUERY_MEMORY_MAX};
    struct query_parse parse = {.mode = QUERY_ANY, .arena = &arena};
    struct query_error error = {0};
    arguments_seconds(rq, "from", &asked.from);
    arguments_seconds(rq, "to", &asked.to);
    if (text.n == 0)
        api_errors(rq, 400, "The parameter 'query' is required");
    else if (asked.from >= asked.to)
        api_errors(rq, 400, "'from' must lie before 'to'");
    else if (query_parse(&parse, text, QUERY_LIST_MAX, asked.nodes, asked.texts, &asked.n, &error) != 0)
        api_errors(rq, error.status, "%s", error.text);
    else
        answer_queries(&asked, text);
    arena_free(&arena);
}

void api_query(struct http_request *rq) {
    api_read_metrics(rq, fill);
}
