/* POST /api/v2/query/timeseries and /api/v2/query/scalar. */
#include "api/query/v2.h"

#include "core/clock.h"
#include "core/json.h"
#include <math.h>
#include <stdlib.h>

#define YEAR_2010_MS 1262304000000.0
#define RETENTION_S  (456 * 86400.0) /* 15 months */

static struct span text_of(const json_t *value) {
    return span_of(json_string_value(value), json_string_length(value));
}

static bool refuse(struct v2_question *qn, const char *why) {
    return query_refuse(&qn->error, "%s", why) == 0;
}

/* --- queries ----------------------------------------------------------------------------------------------------- */

static bool read_query(struct v2_question *qn, const json_t *item) {
    struct v2_asked *a = &qn->asked[qn->n];
    const json_t *text = json_object_get(item, "query"), *aggregator = json_object_get(item, "aggregator");
    const json_t *source = json_object_get(item, "data_source"), *name = json_object_get(item, "name");
    if (!json_is_string(text))
        return refuse(qn, "API input validation failed: every query needs a 'query'.");
    if (source && (!json_is_string(source) || strcmp(json_string_value(source), "metrics") != 0))
        return refuse(qn, "API input validation failed: statwit answers the data_source \"metrics\" alone.");
    struct span one;
    size_t n;
    qn->parse.mode = QUERY_ONE_METRIC;
    if (query_parse(&qn->parse, text_of(text), 1, &qn->nodes[qn->n], &one, &n, &qn->error) != 0)
        return false;
    a->reduce = aggregator ? reduce_of(text_of(aggregator)) : REDUCE_AVG;
    if ((aggregator && !json_is_string(aggregator)) || (qn->scalar && a->reduce == REDUCE_NONE))
        return refuse(qn, "API input validation failed: unknown aggregator, expected one of"
                          " avg, min, max, sum, last, percentile, mean, l2norm, area.");
    for (size_t i = 0; name && i < qn->n; i++)
        if (span_eq(qn->names[i], text_of(name)))
            return refuse(qn, "API input validation failed: every query needs a 'name' of its own.");
    struct query_node *node = arena_alloc(&qn->arena, sizeof *node);
    if (!node)
        return query_no_memory(&qn->error) == 0;
    *node = *qn->nodes[qn->n];
    node->index = qn->n;
    a->node = qn->nodes[qn->n] = node;
    a->text = one;
    a->name = json_string_value(name);
    qn->names[qn->n++] = text_of(name);
    return true;
}

static bool read_queries(struct v2_question *qn, const json_t *queries) {
    size_t n = json_array_size(queries);
    if (n == 0 || n > QUERY_LIST_MAX)
        return refuse(qn, "API input validation failed: 'queries' must hold 1 to 256 queries.");
    for (size_t i = 0; i < n; i++)
        if (!read_query(qn, json_array_get(queries, i)))
            return false;
    return true;
}

/* --- formulas ---------------------------------------------------------------------------------------------------- */

static bool read_limit(struct v2_question *qn, const json_t *limit, struct v2_column *column) {
    if (!limit || json_is_null(limit))
        return true;
    const json_t *count = json_object_get(limit, "count"), *order = json_object_get(limit, "order");
    struct span how = order ? text_of(order) : SPAN("desc");
    if (!json_is_object(limit) || (count && !json_is_integer(count)) ||
        (count && (json_integer_value(count) < 1 || json_integer_value(count) > INT32_MAX)))
        return refuse(
            qn, "API input validation failed: 'limit.count' must be a whole number from 1 to 2147483647.");
    if ((order && !json_is_string(order)) || (!span_eq(how, SPAN("desc")) && !span_eq(how, SPAN("asc"))))
        return refuse(qn, "API input validation failed: 'limit.order' must be \"asc\" or \"desc\".");
    column->limit = count ? (size_t)json_integer_value(count) : INT32_MAX;
    column->ascending = span_eq(how, SPAN("asc"));
    return true;
}

static bool read_formula(struct v2_question *qn, const json_t *item) {
    struct v2_column *column = &qn->columns[qn->n_columns];
    const json_t *text = json_object_get(item, "formula"), *alias = json_object_get(item, "alias");
    if (!json_is_string(text))
        return refuse(qn, "API input validation failed: every formula needs a 'formula'.");
    size_t n;
    qn->parse.mode = QUERY_FORMULA;
    qn->parse.n_names = qn->n;
    qn->parse.names = qn->names;
    qn->parse.nodes = qn->nodes;
    if (query_parse(&qn->parse, text_of(text), 1, &column->node, &column->name, &n, &qn->error) != 0 ||
        !read_limit(qn, json_object_get(item, "limit"), column))
        return false;
    if (json_is_string(alias))
        column->name = text_of(alias);
    qn->n_columns++;
    return true;
}

static bool read_formulas(struct v2_question *qn, const json_t *formulas) {
    size_t n = json_array_size(formulas);
    if (n > QUERY_LIST_MAX)
        return refuse(qn, "API input validation failed: too many formulas, at most 256.");
    if (formulas && !json_is_array(formulas) && !json_is_null(formulas))
        return refuse(qn, "API input validation failed: 'formulas' must be a list.");
    for (size_t i = 0; i < n; i++)
        if (!read_formula(qn, json_array_get(formulas, i)))
            return false;
    for (size_t k = 0; n == 0 && k < qn->n; k++)
        qn->columns[qn->n_columns++] =
            (struct v2_column){.name = qn->asked[k].name ? span_str(qn->asked[k].name) : qn->asked[k].text,
                               .node = qn->asked[k].node};
    return true;
}

/* --- the rest ---------------------------------------------------------------------------------------------------- */

static bool read_window(struct v2_question *qn, const json_t *attributes) {
    const json_t *from = json_object_get(attributes, "from"), *to = json_object_get(attributes, "to");
    const json_t *interval = json_object_get(attributes, "interval");
    if (!json_is_number(from) || !json_is_number(to) || json_number_value(from) >= json_number_value(to) ||
        fabs(json_number_value(from)) > 1e16 || fabs(json_number_value(to)) > 1e16)
        return refuse(qn, "API input validation failed: 'from' and 'to' are milliseconds, from before to.");
    if (json_number_value(from) < YEAR_2010_MS)
        return refuse(qn, "Queries before 2010 are invalid");
    if (interval && !qn->scalar && !json_is_null(interval) &&
        (!json_is_integer(interval) || json_integer_value(interval) < 1))
        return refuse(qn, "API input validation failed: 'interval' is a number of milliseconds, at least 1.");
    qn->window.from_s = json_number_value(from) / 1000;
    qn->window.to_s = json_number_value(to) / 1000;
    qn->window.interval_s = qn->scalar ? 0 : json_integer_value(interval) / 1000;
    if (json_is_integer(interval) && !qn->scalar && qn->window.interval_s == 0)
        qn->window.interval_s = 1;
    return true;
}

static bool read_question(struct v2_question *qn) {
    const char *wanted = qn->scalar ? "scalar_request" : "timeseries_request";
    json_error_t error;
    qn->body = json_loadb(qn->read->rq->body.p, qn->read->rq->body.n, JSON_ALLOW_NUL, &error);
    const json_t *data = json_object_get(qn->body, "data");
    const json_t *attributes = json_object_get(data, "attributes");
    const json_t *type = json_object_get(data, "type");
    if (!qn->body)
        return query_refuse(&qn->error, "API input validation failed: %s", error.text) == 0;
    if (!json_is_string(type) || strcmp(json_string_value(type), wanted) != 0)
        return query_refuse(&qn->error, "API input validation failed: Invalid type. Expected \"%s\".",
                            wanted) == 0;
    return read_window(qn, attributes) && read_queries(qn, json_object_get(attributes, "queries")) &&
           read_formulas(qn, json_object_get(attributes, "formulas"));
}

static bool run_columns(struct v2_question *qn) {
    struct query_run run = {.read = qn->read, .arena = &qn->arena, .window = qn->window, .error = &qn->error};
    for (size_t i = 0; i < qn->n_columns; i++) {
        struct v2_column *c = &qn->columns[i];
        int failed = qn->scalar ? scalar_evaluate(qn, &run, c->node, 0, &c->table)
                                : query_evaluate(&run, c->node, 0, &c->table);
        if (failed)
            return false;
        if (c->limit && !reduce_select(&c->table, REDUCE_AVG, c->limit, c->ascending))
            return query_no_memory(&qn->error) == 0;
    }
    return true;
}

/* Datadog keeps points for 15 months. It refuses an older window; here that is one in which nothing is found, since a session with
 * `--timestamps any` may hold older points. */
static bool is_outdated(const struct v2_question *qn) {
    if (qn->window.to_s <= 0 || qn->window.to_s >= (double)qn->read->rq->received_at / NS_PER_S - RETENTION_S)
        return false;
    for (size_t i = 0; i < qn->n_columns && !qn->error.status; i++)
        if (qn->columns[i].table.n_groups)
            return false;
    return true;
}

static void fill(struct read *r, bool scalar) {
    struct v2_question *qn = calloc(1, sizeof *qn);
    if (!qn) {
        api_status(r->rq, 503);
        return;
    }
    qn->read = r;
    qn->scalar = scalar;
    qn->arena.max = QUERY_MEMORY_MAX;
    qn->parse.arena = &qn->arena;
    api_answer(r->rq, 200, "application/vnd.api+json", "");
    struct buf *b = &r->rq->answer.body;
    bool ok = read_question(qn) && run_columns(qn);
    if (is_outdated(qn))
        api_errors(r->rq, 400, "Queries ending outside the retention date are invalid");
    else if (!ok || !(scalar ? v2_put_scalar(b, qn) : v2_put_timeseries(b, qn)))
        api_errors(r->rq, qn->error.status, "%s", qn->error.text);
    arena_free(&qn->arena);
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
    api_read_metrics(rq, fill_timeseries);
}

void api_query_scalar(struct http_request *rq) {
    api_read_metrics(rq, fill_scalar);
}
