/* GET /api/v1/query?from&to&query */
#include "api/query.h"
#include "core/json.h"

#include <math.h>

#define QUERIES_MAX 32 /* in one request, separated by commas */

static void put_tags(struct buf *b, const struct query_group *group) {
    buf_char(b, '[');
    bool first = true;
    for (size_t i = 0; i < group->n_tags; i++) {
        if (!group->tags[i].p)
            continue;
        if (!first)
            buf_char(b, ',');
        first = false;
        json_put_string(b, group->tags[i]);
    }
    buf_char(b, ']');
}

/* "*", the scope as asked for, or the group's tags. */
static void put_scope(struct buf *b, const struct query *q, const struct query_group *group) {
    struct buf text = {.max = 1 << 16};
    if (q->n_scope)
        buf_span(&text, q->scope_text);
    for (size_t i = 0; i < group->n_tags; i++) {
        if (!group->tags[i].p)
            continue;
        if (text.n)
            buf_char(&text, ',');
        buf_span(&text, group->tags[i]);
    }
    json_put_string(b, text.n ? buf_view(&text) : SPAN("*"));
    buf_free(&text);
}

static void put_group(struct buf *b, const struct query *q, size_t index, const struct query_result *result,
                      const struct query_group *group) {
    size_t first = result->n_buckets, last = 0, n = 0;
    for (size_t i = 0; i < result->n_buckets; i++)
        if (!isnan(group->values[i])) {
            first = i < first ? i : first;
            last = i;
            n++;
        }
    long long step = result->interval_s, start = result->start_s;
    buf_str(b, "{\"metric\":");
    json_put_string(b, q->name);
    buf_str(b, ",\"display_name\":");
    json_put_string(b, q->name);
    buf_str(b, ",\"expression\":");
    json_put_string(b, q->text);
    buf_str(b, ",\"scope\":");
    put_scope(b, q, group);
    buf_str(b, ",\"tag_set\":");
    put_tags(b, group);
    buf_printf(
        b, ",\"aggr\":null,\"query_index\":%zu,\"interval\":%lld,\"length\":%zu,\"start\":%lld,\"end\":%lld",
        index, step, n, (start + step * (long long)first) * 1000,
        (start + step * (long long)last + step) * 1000 - 1000);
    buf_str(b, ",\"attributes\":{},\"unit\":");
    read_put_unit(b, result->unit);
    buf_str(b, ",\"pointlist\":[");
    for (size_t i = first; i <= last && i < result->n_buckets; i++) {
        if (isnan(group->values[i]))
            continue;
        buf_printf(b, "%s[%lld,", i > first ? "," : "", (start + step * (long long)i) * 1000);
        json_put_number(b, group->values[i]);
        buf_char(b, ']');
    }
    buf_str(b, "]}");
}

/* Cuts "a{b,c} by {d}, e{*}" at the commas outside of braces and parentheses. */
static size_t split(struct span text, struct span *queries) {
    size_t n = 0, from = 0;
    int depth = 0;
    for (size_t i = 0; i <= text.n; i++) {
        char c = i < text.n ? text.p[i] : ',';
        depth += (c == '{' || c == '(') - (c == '}' || c == ')');
        if (i < text.n && (c != ',' || depth > 0))
            continue;
        if (n == QUERIES_MAX)
            return 0;
        queries[n++] = span_of(text.p + from, i - from);
        from = i + 1;
    }
    return n;
}

static bool answer_query(struct read *r, struct span text, size_t index, double from, double to,
                         bool *first) {
    struct query q;
    struct query_result result;
    struct err err = {0};
    const char *expected;
    size_t at;
    while (text.n && text.p[0] == ' ')
        text = span_from(text, 1);
    if (!query_parse(text, &q, &at, &expected)) {
        api_errors(r->rq, 400, "Error parsing query: unable to parse %.*s: at position %zu: expected %s",
                   SPAN_ARG(text), at, expected);
        return false;
    }
    bool ok = query_run(r, &q, from, to, 0, &result, &err) == 0;
    for (size_t i = 0; ok && i < result.n_groups; i++) {
        if (!*first)
            buf_char(&r->rq->answer.body, ',');
        *first = false;
        put_group(&r->rq->answer.body, &q, index, &result, result.groups[i]);
    }
    query_result_free(&result);
    if (!ok)
        read_failed(r, &err);
    return ok;
}

static void fill(struct read *r) {
    struct http_request *rq = r->rq;
    struct buf *b = &rq->answer.body;
    struct span text = http_arg(rq, "query"), queries[QUERIES_MAX];
    double from, to;
    bool first = true;
    if (!read_seconds(rq, "from", &from) || !read_seconds(rq, "to", &to)) {
        api_errors(rq, 400, "The parameters 'from' and 'to' are required and are seconds since 1970");
        return;
    }
    if (from >= to || text.n == 0) {
        api_errors(rq, 400,
                   text.n == 0 ? "The parameter 'query' is required" : "'from' must lie before 'to'");
        return;
    }
    size_t n = split(text, queries);
    api_answer(rq, 200, "application/json", "");
    buf_str(b, "{\"status\":\"ok\",\"resp_version\":1,\"res_type\":\"time_series\",\"query\":");
    json_put_string(b, text);
    buf_printf(
        b,
        ",\"from_date\":%lld,\"to_date\":%lld,\"message\":\"\",\"group_by\":[],\"values\":[],\"times\":[],\"series\":[",
        (long long)(from * 1000), (long long)(to * 1000));
    if (n == 0)
        api_errors(rq, 400, "At most %d queries in one request", QUERIES_MAX);
    for (size_t i = 0; i < n; i++)
        if (!answer_query(r, queries[i], i, from, to, &first))
            return;
    if (n)
        buf_str(b, "]}");
    http_add_header(rq, "X-RateLimit-Limit", "100");
    http_add_header(rq, "X-RateLimit-Period", "10");
    http_add_header(rq, "X-RateLimit-Remaining", "99");
    http_add_header(rq, "X-RateLimit-Reset", "1");
}

void api_query(struct http_request *rq) {
    api_read(rq, fill);
}
