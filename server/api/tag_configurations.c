/* /api/v2/metrics/{name}/tags and /api/v2/metrics/config/bulk-tags.
 *
 * DESIGN. All changes, of one metric and of many, are gathered first and put in order of time. Then each is applied to the object of
 * configurations. A change of many finds its metrics by their first sample: one that came later is not configured. */
#include "api/tag_configurations.h"

#include "core/array.h"
#include "core/clock.h"
#include "core/json.h"
#include <stdlib.h>

#define ONE      "/api/v2/metrics/{name}/tags"
#define MANY     "/api/v2/metrics/config/bulk-tags"
#define OVERRIDE "override_existing_configurations"

/* --- what was configured ----------------------------------------------------------------------------------- */

struct configuring {
    struct configuring_step {
        int64_t at;
        enum { CREATE, UPDATE, REMOVE } what;
        struct span name;        /* one metric; or the beginning of the names of many */
        bool many, keeps_others; /* many: those that are configured already are left alone */
        json_t *attributes;
    } * steps;
    size_t n, cap;
    bool failed;
    struct arena arena;
    /* metrics with their first sample */
    struct {
        struct span name;
        enum metric_type type;
        int64_t first_at;
    } * metrics;
    size_t n_metrics, cap_metrics;
};

/* What of a request's attributes the configuration keeps. */
static json_t *attributes_of(const json_t *data) {
    static const char *const kept[] = {"tags", "metric_type", "include_percentiles", "aggregations",
                                       "exclude_tags_mode"};
    const json_t *given = json_object_get(data, "attributes");
    json_t *attributes = json_object();
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        json_t *value = json_object_get(given, kept[i]);
        if (value && !json_is_null(value))
            json_object_set_new(attributes, kept[i], json_deep_copy(value));
    }
    return attributes;
}

static bool take_step(struct configuring *c, const struct change *change, bool many) {
    if (!array_room(&c->steps, c->n, &c->cap, sizeof *c->steps))
        return false;
    json_t *body = json_loadb(change->body.p, change->body.n, 0, NULL), *data = json_object_get(body, "data");
    const json_t *id = json_object_get(data, "id");
    struct span prefix = span_of(json_string_value(id), json_string_length(id));
    c->steps[c->n++] = (struct configuring_step){
        .at = change->at,
        .what = span_eq(change->method, SPAN("DELETE"))  ? REMOVE
                : span_eq(change->method, SPAN("PATCH")) ? UPDATE
                                                         : CREATE,
        .many = many,
        .keeps_others = json_is_false(json_object_get(json_object_get(data, "attributes"), OVERRIDE)),
        .name = many ? arena_copy(&c->arena, prefix) : names_normal(&c->arena, change->params[0]),
        .attributes = attributes_of(data),
    };
    json_decref(body);
    return c->steps[c->n - 1].attributes && !c->arena.failed;
}

static bool take_one(void *arg, const struct change *change) {
    return take_step(arg, change, false);
}

static bool take_many(void *arg, const struct change *change) {
    return take_step(arg, change, true);
}

static int take_metric(void *arg, const struct series_row *row, const struct query_series *series) {
    struct configuring *c = arg;
    if (c->n_metrics && span_eq(c->metrics[c->n_metrics - 1].name, series->name)) {
        int64_t *first = &c->metrics[c->n_metrics - 1].first_at;
        *first = row->first_at < *first ? row->first_at : *first;
        return 0;
    }
    if (!array_room(&c->metrics, c->n_metrics, &c->cap_metrics, sizeof *c->metrics)) {
        c->failed = true;
        return 1;
    }
    c->metrics[c->n_metrics].name = arena_copy(&c->arena, series->name);
    c->metrics[c->n_metrics].type = row->type;
    c->metrics[c->n_metrics++].first_at = row->first_at;
    return c->arena.failed;
}

static int compare_steps(const void *a, const void *b) {
    const struct configuring_step *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

/* Microseconds and an offset, as Datadog writes it: 2022-03-29T16:50:58.686271+00:00 */
static json_t *time_text(int64_t at) {
    char text[CLOCK_RFC3339_SIZE + 8];
    clock_rfc3339(at, text);
    strcpy(text + 26, "+00:00");
    return json_string(text);
}

static void apply_step(json_t *all, struct span name, const char *recorded_type,
                       const struct configuring_step *step) {
    json_t *known = json_object_getn(all, name.p, name.n);
    if (known && step->keeps_others)
        return;
    if (step->what == REMOVE) {
        json_object_deln(all, name.p, name.n);
        return;
    }
    json_t *next = known && step->what == UPDATE ? json_deep_copy(known) : json_object();
    json_object_update(next, step->attributes);
    if (!json_object_get(next, "tags"))
        json_object_set_new(next, "tags", json_array());
    if (!json_object_get(next, "created_at"))
        json_object_set_new(next, "created_at", time_text(step->at));
    json_object_set_new(next, "modified_at", time_text(step->at));
    if (!json_object_get(next, "metric_type") && recorded_type)
        json_object_set_new(next, "metric_type", json_string(recorded_type));
    const char *type = json_string_value(json_object_get(next, "metric_type"));
    bool distribution = type && strcmp(type, "distribution") == 0;
    if (distribution && !json_object_get(next, "include_percentiles"))
        json_object_set_new(next, "include_percentiles", json_false());
    if (!distribution && type && !json_object_get(next, "aggregations")) {
        const char *how = strcmp(type, "count") == 0 ? "sum" : "avg";
        json_object_set_new(next, "aggregations", json_pack("[{s:s,s:s}]", "space", how, "time", how));
    }
    json_object_setn_new(all, name.p, name.n, next);
}

json_t *tag_configurations(struct read *r, struct err *err) {
    struct configuring c = {.arena = {.max = NAMES_MEMORY_MAX}};
    struct names_filter filter = {.without_tags = true};
    json_t *all = json_object();
    int failed = changes_each(r, ONE, take_one, &c, err) || changes_each(r, MANY, take_many, &c, err) ||
                 (c.n && c.steps[c.n - 1].many && names_each(r, &filter, take_metric, &c, err)) || c.failed ||
                 !all;
    if (c.n)
        qsort(c.steps, c.n, sizeof *c.steps, compare_steps);
    for (size_t i = 0; !failed && i < c.n; i++) {
        const struct configuring_step *step = &c.steps[i];
        if (!step->many)
            apply_step(all, step->name, NULL, step);
        for (size_t k = 0; step->many && k < c.n_metrics; k++)
            if (step->name.n && c.metrics[k].first_at <= step->at &&
                span_starts(c.metrics[k].name, step->name))
                apply_step(all, c.metrics[k].name, names_type(c.metrics[k].type), step);
    }
    for (size_t i = 0; i < c.n; i++)
        json_decref(c.steps[i].attributes);
    free(c.steps);
    free(c.metrics);
    arena_free(&c.arena);
    if (!failed)
        return all;
    err_set(err, 0, "out of memory");
    json_decref(all);
    return NULL;
}

static bool names_key(const json_t *list, struct span key) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (span_eq(key, span_of(json_string_value(item), json_string_length(item))))
            return true;
    }
    return false;
}

bool tag_configuration_keeps(const json_t *configuration, struct span tag) {
    const char *colon = memchr(tag.p, ':', tag.n);
    struct span key = span_of(tag.p, colon ? (size_t)(colon - tag.p) : tag.n);
    bool named = names_key(json_object_get(configuration, "tags"), key);
    return !configuration || named != json_is_true(json_object_get(configuration, "exclude_tags_mode"));
}

/* --- one metric -------------------------------------------------------------------------------------------- */

static bool refuse(struct http_request *rq, const char *why) {
    api_errors(rq, 400, "Invalid payload: %s", why);
    return false;
}

static bool is_metric_type(const json_t *type) {
    static const char *const words[] = {"count", "distribution", "gauge", "rate"};
    for (size_t i = 0; i < sizeof words / sizeof words[0] && json_is_string(type); i++)
        if (strcmp(json_string_value(type), words[i]) == 0)
            return true;
    return false;
}

static bool is_flag(const json_t *flag) {
    return !flag || json_is_null(flag) || json_is_boolean(flag);
}

static bool check_attributes(struct http_request *rq, const json_t *attributes) {
    const json_t *tags = json_object_get(attributes, "tags"),
                 *type = json_object_get(attributes, "metric_type");
    const json_t *aggregations = json_object_get(attributes, "aggregations");
    const json_t *percentiles = json_object_get(attributes, "include_percentiles");
    if (!json_is_object(attributes))
        return refuse(rq, "data.attributes must be an object");
    if (tags ? !changes_is_texts(tags) : rq->method == HTTP_POST)
        return refuse(rq, "data.attributes.tags must be a list of strings");
    if (type ? !is_metric_type(type) : rq->method == HTTP_POST)
        return refuse(rq, "data.attributes.metric_type must be one of count, distribution, gauge, rate");
    if (aggregations && !json_is_array(aggregations))
        return refuse(rq, "data.attributes.aggregations must be a list");
    if (!is_flag(percentiles) || !is_flag(json_object_get(attributes, "exclude_tags_mode")))
        return refuse(rq, "include_percentiles and exclude_tags_mode must be true or false");
    if (json_is_true(percentiles) && type && strcmp(json_string_value(type), "distribution") != 0)
        return refuse(rq, "include_percentiles is for distributions alone");
    return true;
}

static bool check_body(struct http_request *rq, const json_t *body) {
    const json_t *data = json_object_get(body, "data"), *type = json_object_get(data, "type");
    const json_t *id = json_object_get(data, "id");
    if (!json_is_string(type) || strcmp(json_string_value(type), "manage_tags") != 0)
        return refuse(rq, "data.type must be \"manage_tags\"");
    if (!json_is_string(id) ||
        !span_eq(rq->params[0], span_of(json_string_value(id), json_string_length(id))))
        return refuse(rq, "data.id must be the metric's name, as in the path");
    return check_attributes(rq, json_object_get(data, "attributes"));
}

static void answer_configuration(struct http_request *rq, struct span name, const json_t *configuration) {
    char *text = json_dumps(configuration, JSON_COMPACT);
    api_answer(rq, rq->method == HTTP_POST ? 201 : 200, "application/json",
               "{\"data\":{\"type\":\"manage_tags\",\"id\":");
    json_put_string(&rq->answer.body, name);
    buf_str(&rq->answer.body, ",\"attributes\":");
    buf_str(&rq->answer.body, text ? text : "{}");
    buf_str(&rq->answer.body, "}}");
    free(text);
}

/* The body's change, on top of all before. */
static void change_configuration(struct http_request *rq, const json_t *data, json_t *all, struct span name) {
    struct configuring_step step = {.at = rq->received_at,
                                    .what = rq->method == HTTP_PATCH ? UPDATE : CREATE,
                                    .attributes = attributes_of(data)};
    apply_step(all, name, NULL, &step);
    json_decref(step.attributes);
    answer_configuration(rq, name, json_object_getn(all, name.p, name.n));
}

static void fill_configuration(struct read *r) {
    struct http_request *rq = r->rq;
    struct err err = {0};
    struct arena arena = {.max = 1 << 20};
    struct span name = names_normal(&arena, rq->params[0]);
    bool writes = rq->method == HTTP_POST || rq->method == HTTP_PATCH;
    json_t *body = writes ? changes_body(rq) : NULL, *all = NULL;
    if (writes && (!body || !check_body(rq, body))) {
        ; /* answered */
    } else if (!(all = tag_configurations(r, &err))) {
        read_failed(r, &err);
    } else if (!name.p && writes) {
        api_errors(rq, 400, "Invalid metric name");
    } else {
        json_t *known = name.p ? json_object_getn(all, name.p, name.n) : NULL;
        if (rq->method == HTTP_POST && known)
            api_errors(rq, 409, "a tag configuration of %.*s already exists", SPAN_ARG(name));
        else if (rq->method != HTTP_POST && !known)
            api_errors(rq, 404, "%.*s not found", SPAN_ARG(rq->params[0]));
        else if (writes)
            change_configuration(rq, json_object_get(body, "data"), all, name);
        else if (rq->method == HTTP_DELETE)
            api_answer(rq, 204, NULL, "");
        else
            answer_configuration(rq, name, known);
    }
    json_decref(body);
    json_decref(all);
    arena_free(&arena);
}

void api_tag_configuration(struct http_request *rq) {
    api_read_metrics(rq, fill_configuration);
}

/* --- many metrics ------------------------------------------------------------------------------------------ */

static bool check_bulk(struct http_request *rq, const json_t *data) {
    const json_t *type = json_object_get(data, "type"), *id = json_object_get(data, "id");
    const json_t *attributes = json_object_get(data, "attributes");
    const json_t *tags = json_object_get(attributes, "tags"), *emails = json_object_get(attributes, "emails");
    if (!json_is_string(type) || strcmp(json_string_value(type), "metric_bulk_configure_tags") != 0)
        return refuse(rq, "data.type must be \"metric_bulk_configure_tags\"");
    if (!json_is_string(id) || json_string_length(id) == 0)
        return refuse(rq, "data.id must be the beginning of the metrics' names");
    if (attributes && !json_is_object(attributes) && !json_is_null(attributes))
        return refuse(rq, "data.attributes must be an object");
    if ((tags && !changes_is_texts(tags)) || (emails && !changes_is_texts(emails)))
        return refuse(rq, "tags and emails must be lists of strings");
    if (!is_flag(json_object_get(attributes, "exclude_tags_mode")) ||
        !is_flag(json_object_get(attributes, OVERRIDE)))
        return refuse(rq, "exclude_tags_mode and " OVERRIDE " must be true or false");
    const json_t *window = json_object_get(attributes, "include_actively_queried_tags_window");
    if (window && !json_is_null(window))
        return refuse(rq, "statwit does not know which tags are queried: "
                          "include_actively_queried_tags_window cannot be obeyed");
    return true;
}

static void put_member(struct buf *b, const json_t *object, const char *key, const char *otherwise) {
    char *text = json_dumps(json_object_get(object, key), JSON_COMPACT | JSON_ENCODE_ANY);
    buf_printf(b, "\"%s\":%s", key, text ? text : otherwise);
    free(text);
}

static void fill_bulk(struct read *r) {
    struct http_request *rq = r->rq;
    struct buf *b = &rq->answer.body;
    json_t *body = changes_body(rq), *data = json_object_get(body, "data");
    if (body && check_bulk(rq, data)) {
        const json_t *attributes = json_object_get(data, "attributes");
        api_answer(rq, 202, "application/json", "{\"data\":{\"type\":\"metric_bulk_configure_tags\",");
        put_member(b, data, "id", "\"\"");
        buf_str(b, ",\"attributes\":{");
        if (rq->method == HTTP_POST) {
            put_member(b, attributes, "tags", "[]");
            buf_char(b, ',');
        }
        put_member(b, attributes, "emails", "[]");
        buf_str(b, ",\"status\":\"Accepted\",");
        if (rq->method == HTTP_POST) {
            put_member(b, attributes, "exclude_tags_mode", "null");
            buf_char(b, ',');
        }
        put_member(b, attributes, OVERRIDE, "true");
        if (rq->method == HTTP_POST) {
            buf_char(b, ',');
            put_member(b, attributes, "include_actively_queried_tags_window", "null");
        }
        buf_str(b, "}}}");
    }
    json_decref(body);
}

void api_bulk_tags(struct http_request *rq) {
    api_read_metrics(rq, fill_bulk);
}
