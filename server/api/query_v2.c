/* POST /api/v2/query/timeseries and /api/v2/query/scalar. */
#include "api/query.h"
#include "core/json.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#define QUERIES_MAX 32

struct asked {
    const char *name;      /* formulas speak of it */
    enum aggregate reduce; /* scalar: over the window */
    struct query query;
    struct query_result result;
    bool ran;
};

struct question {
    json_t *body;
    bool scalar;
    double from_s, to_s;
    int64_t interval_s;
    size_t n;
    struct asked asked[QUERIES_MAX];
    size_t n_columns;
    const struct asked *columns[QUERIES_MAX]; /* one for each formula, or each query when there is none */
};

static struct span text_of(const json_t *value) {
    return span_of(json_string_value(value), json_string_length(value));
}

static bool refuse(struct read *r, const char *why) {
    api_errors(r->rq, 400, "%s", why);
    return false;
}

static bool read_query(struct read *r, struct question *qn, const json_t *item) {
    struct asked *a = &qn->asked[qn->n];
    struct span text = text_of(json_object_get(item, "query"));
    const json_t *aggregator = json_object_get(item, "aggregator");
    const char *expected;
    size_t at;
    if (!json_is_string(json_object_get(item, "query")))
        return refuse(r, "API input validation failed: every query needs a 'query'.");
    if (!query_parse(text, &a->query, &at, &expected)) {
        api_errors(r->rq, 400, "Error parsing query: unable to parse %.*s: at position %zu: expected %s",
                   SPAN_ARG(text), at, expected);
        return false;
    }
    int reduce = json_is_string(aggregator) ? query_aggregate_of(text_of(aggregator)) : AGGREGATE_AVG;
    if (reduce < 0)
        return refuse(r, "API input validation failed: unknown aggregator.");
    a->reduce = (enum aggregate)reduce;
    a->name = json_string_value(json_object_get(item, "name"));
    qn->n++;
    return true;
}

static bool read_formulas(struct read *r, struct question *qn, const json_t *formulas) {
    size_t n = json_array_size(formulas);
    if (n > QUERIES_MAX)
        return refuse(r, "API input validation failed: too many formulas.");
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_object_get(json_array_get(formulas, i), "formula"));
        const struct asked *found = NULL;
        for (size_t k = 0; name && k < qn->n; k++)
            if (qn->asked[k].name && strcmp(qn->asked[k].name, name) == 0)
                found = &qn->asked[k];
        if (!found)
            return refuse(r, "A formula here must be the name of a query: arithmetic is not evaluated.");
        qn->columns[qn->n_columns++] = found;
    }
    for (size_t k = 0; n == 0 && k < qn->n; k++)
        qn->columns[qn->n_columns++] = &qn->asked[k];
    return true;
}

static bool read_question(struct read *r, struct question *qn) {
    const char *wanted = qn->scalar ? "scalar_request" : "timeseries_request";
    json_error_t error;
    qn->body = json_loadb(r->rq->body.p, r->rq->body.n, JSON_ALLOW_NUL, &error);
    const json_t *data = json_object_get(qn->body, "data");
    const json_t *attributes = json_object_get(data, "attributes");
    const json_t *type = json_object_get(data, "type");
    const json_t *queries = json_object_get(attributes, "queries");
    if (!qn->body) {
        api_errors(r->rq, 400, "API input validation failed: %s", error.text);
        return false;
    }
    if (!json_is_string(type) || strcmp(json_string_value(type), wanted) != 0) {
        api_errors(r->rq, 400, "API input validation failed: Invalid type. Expected \"%s\".", wanted);
        return false;
    }
    const json_t *from = json_object_get(attributes, "from"), *to = json_object_get(attributes, "to");
    if (!json_is_number(from) || !json_is_number(to) || json_number_value(from) >= json_number_value(to) ||
        fabs(json_number_value(from)) > 1e16 || fabs(json_number_value(to)) > 1e16)
        return refuse(r, "API input validation failed: 'from' and 'to' are milliseconds, from before to.");
    if (!json_array_size(queries) || json_array_size(queries) > QUERIES_MAX)
        return refuse(r, "API input validation failed: 'queries' must hold 1 to 32 queries.");
    qn->from_s = json_number_value(from) / 1000;
    qn->to_s = json_number_value(to) / 1000;
    qn->interval_s = json_integer_value(json_object_get(attributes, "interval")) / 1000;
    for (size_t i = 0; i < json_array_size(queries); i++)
        if (!read_query(r, qn, json_array_get(queries, i)))
            return false;
    return read_formulas(r, qn, json_object_get(attributes, "formulas"));
}

static bool run_queries(struct read *r, struct question *qn) {
    struct err err = {0};
    for (size_t i = 0; i < qn->n; i++) {
        struct asked *a = &qn->asked[i];
        a->ran = true;
        if (query_run(r, &a->query, qn->from_s, qn->to_s, qn->interval_s, &a->result, &err) != 0) {
            read_failed(r, &err);
            return false;
        }
    }
    return true;
}

/* --- timeseries ------------------------------------------------------------------------------------------ */

/* All queries share the window; where their rollups differ, the times are those of the first. */
static void put_timeseries(struct buf *b, const struct question *qn) {
    const struct query_result *first = qn->n_columns ? &qn->columns[0]->result : NULL;
    const char *comma = "";
    buf_str(b, "{\"data\":{\"id\":\"0\",\"type\":\"timeseries_response\",\"attributes\":{\"series\":[");
    for (size_t i = 0; i < qn->n_columns; i++)
        for (size_t g = 0; g < qn->columns[i]->result.n_groups; g++, comma = ",") {
            const struct query_group *group = qn->columns[i]->result.groups[g];
            const char *tag_comma = "";
            buf_printf(b, "%s{\"group_tags\":[", comma);
            for (size_t t = 0; t < group->n_tags; t++)
                if (group->tags[t].p) {
                    buf_str(b, tag_comma);
                    json_put_string(b, group->tags[t]);
                    tag_comma = ",";
                }
            buf_printf(b, "],\"query_index\":%zu,\"unit\":", i);
            read_put_unit(b, qn->columns[i]->result.unit);
            buf_char(b, '}');
        }
    buf_str(b, "],\"times\":[");
    for (size_t i = 0; first && i < first->n_buckets; i++)
        buf_printf(b, "%s%lld", i ? "," : "",
                   (long long)(first->start_s + first->interval_s * (int64_t)i) * 1000);
    buf_str(b, "],\"values\":[");
    comma = "";
    for (size_t i = 0; i < qn->n_columns; i++)
        for (size_t g = 0; g < qn->columns[i]->result.n_groups; g++, comma = ",") {
            const struct query_result *result = &qn->columns[i]->result;
            buf_printf(b, "%s[", comma);
            for (size_t k = 0; k < result->n_buckets; k++) {
                if (k)
                    buf_char(b, ',');
                json_put_number(b, result->groups[g]->values[k]);
            }
            buf_char(b, ']');
        }
    buf_str(b, "]}}}");
}

/* --- scalar ---------------------------------------------------------------------------------------------- */

static double reduce(const struct asked *a, const struct query_group *group) {
    double sum = 0, min = INFINITY, max = -INFINITY, last = NAN, n = 0;
    for (size_t i = 0; i < a->result.n_buckets; i++) {
        double v = group->values[i];
        if (isnan(v))
            continue;
        sum += v;
        n++;
        min = v < min ? v : min;
        max = v > max ? v : max;
        last = v;
    }
    switch (a->reduce) {
    case AGGREGATE_SUM:
        return sum;
    case AGGREGATE_MIN:
        return min;
    case AGGREGATE_MAX:
        return max;
    case AGGREGATE_COUNT:
        return n;
    case AGGREGATE_LAST:
        return last;
    default:
        return sum / n;
    }
}

/* Rows are the groups of the first column; another column's value stands where its group has the same tags.
 */
static const struct query_group *same_group(const struct asked *a, const struct query_group *row) {
    for (size_t g = 0; g < a->result.n_groups; g++) {
        const struct query_group *group = a->result.groups[g];
        bool same = group->n_tags == row->n_tags;
        for (size_t t = 0; same && t < row->n_tags; t++)
            same = span_eq(group->tags[t], row->tags[t]);
        if (same)
            return group;
    }
    return NULL;
}

static void put_group_column(struct buf *b, const struct asked *rows, size_t key) {
    struct span name = rows->query.by[key];
    buf_str(b, "{\"name\":");
    json_put_string(b, name);
    buf_str(b, ",\"type\":\"group\",\"values\":[");
    for (size_t g = 0; g < rows->result.n_groups; g++) {
        struct span tag = rows->result.groups[g]->tags[key];
        buf_str(b, g ? ",[" : "[");
        if (tag.p)
            json_put_string(b, span_from(tag, name.n + 1));
        buf_char(b, ']');
    }
    buf_str(b, "]}");
}

static void put_scalar(struct buf *b, const struct question *qn) {
    const struct asked *rows = qn->columns[0];
    buf_str(b, "{\"data\":{\"type\":\"scalar_response\",\"attributes\":{\"columns\":[");
    for (size_t k = 0; k < rows->query.n_by; k++) {
        put_group_column(b, rows, k);
        buf_char(b, ',');
    }
    for (size_t i = 0; i < qn->n_columns; i++) {
        const struct asked *a = qn->columns[i];
        buf_str(b, i ? ",{\"name\":" : "{\"name\":");
        json_put_string(b, a->name ? span_str(a->name) : a->query.text);
        buf_str(b, ",\"type\":\"number\",\"values\":[");
        for (size_t g = 0; g < rows->result.n_groups; g++) {
            const struct query_group *group = same_group(a, rows->result.groups[g]);
            if (g)
                buf_char(b, ',');
            json_put_number(b, group ? reduce(a, group) : NAN);
        }
        buf_str(b, "],\"meta\":{\"unit\":");
        read_put_unit(b, a->result.unit);
        buf_str(b, "}}");
    }
    buf_str(b, "]}}}");
}

/* --------------------------------------------------------------------------------------------------------------------
 */

static void fill(struct read *r, bool scalar) {
    struct question *qn = calloc(1, sizeof *qn);
    if (!qn) {
        api_status(r->rq, 503);
        return;
    }
    qn->scalar = scalar;
    if (read_question(r, qn) && run_queries(r, qn)) {
        api_answer(r->rq, 200, scalar ? "application/json" : "application/vnd.api+json", "");
        if (scalar)
            put_scalar(&r->rq->answer.body, qn);
        else
            put_timeseries(&r->rq->answer.body, qn);
    }
    for (size_t i = 0; i < qn->n; i++)
        if (qn->asked[i].ran)
            query_result_free(&qn->asked[i].result);
    json_decref(qn->body);
    free(qn);
}

static void fill_timeseries(struct read *r) {
    fill(r, false);
}

static void fill_scalar(struct read *r) {
    fill(r, true);
}

void api_query_timeseries(struct http_request *rq) {
    api_read(rq, fill_timeseries);
}

void api_query_scalar(struct http_request *rq) {
    api_read(rq, fill_scalar);
}
