/* GET and PUT /api/v1/metrics/{name}: what was PUT, and else what the recording tells. */
#include "api/changes.h"
#include "api/names.h"
#include "core/json.h"

#include <stdlib.h>

struct metadata {
    struct arena arena;
    struct span name;
    bool found;
    enum metric_type type;
    json_t *put;
};

static int take_type(void *arg, const struct series_row *row, const struct query_series *series) {
    struct metadata *m = arg;
    (void)series;
    m->found = true;
    m->type = row->type;
    return 1;
}

static void merge_put(struct metadata *m, json_t *put) {
    if (m->put)
        json_object_update(m->put, put);
    else
        m->put = json_incref(put);
}

static bool take_put(void *arg, const struct change *change) {
    struct metadata *m = arg;
    if (!span_eq(names_normal(&m->arena, change->params[0]), m->name))
        return true;
    json_t *put = json_loadb(change->body.p, change->body.n, 0, NULL);
    if (json_is_object(put))
        merge_put(m, put);
    json_decref(put);
    return !m->arena.failed;
}

static void put_metadata(struct http_request *rq, const struct metadata *m) {
    static const char *const fields[] = {"description", "per_unit", "short_name", "statsd_interval", "unit"};
    struct buf *b = &rq->answer.body;
    const json_t *type = json_object_get(m->put, "type");
    api_answer(rq, 200, "application/json", "{\"type\":");
    json_put_string(b, span_str(json_is_string(type) ? json_string_value(type) : metric_word(m->type)));
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char *text = json_dumps(json_object_get(m->put, fields[i]), JSON_ENCODE_ANY | JSON_COMPACT);
        buf_printf(b, ",\"%s\":%s", fields[i], text ? text : "null");
        free(text);
    }
    buf_str(b, ",\"integration\":null}");
}

/* Those that Datadog takes; none is fine. Its words for another are not known: only that it is a 400. */
static bool is_type(const json_t *type) {
    static const char *const words[] = {"count", "distribution", "gauge", "rate"};
    bool found = !type || json_is_null(type);
    for (size_t i = 0; i < sizeof words / sizeof words[0] && json_is_string(type); i++)
        found = found || strcmp(json_string_value(type), words[i]) == 0;
    return found;
}

/* Whether its fields hold; else it is answered. */
static bool check_put(struct http_request *rq, const json_t *put) {
    static const char *const texts[] = {"description", "per_unit", "short_name", "unit"};
    const json_t *interval = json_object_get(put, "statsd_interval");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const json_t *text = json_object_get(put, texts[i]);
        if (!text || json_is_null(text) || json_is_string(text))
            continue;
        api_errors(rq, 400, "Invalid %s: it must be a string", texts[i]);
        return false;
    }
    if (interval && !json_is_null(interval) && !json_is_integer(interval)) {
        api_errors(rq, 400, "Invalid statsd_interval: it must be a whole number of seconds");
        return false;
    }
    if (!is_type(json_object_get(put, "type"))) {
        api_errors(rq, 400, "Invalid metric type: it must be count, distribution, gauge or rate");
        return false;
    }
    return true;
}

static void fill_metadata(struct read *r) {
    struct http_request *rq = r->rq;
    struct metadata m = {.arena = {.max = 1 << 20}};
    struct err err = {0};
    m.name = names_normal(&m.arena, rq->params[0]);
    struct names_filter filter = {.name = m.name, .without_tags = true};
    json_t *put = rq->method == HTTP_PUT ? changes_body(rq) : NULL;
    bool failed = m.name.p && (names_each(r, &filter, take_type, &m, &err) != 0 ||
                               changes_each(r, "/api/v1/metrics/{name}", take_put, &m, &err) != 0);
    if (rq->method == HTTP_PUT && rq->body.n == 0) {
        api_errors(rq, 400, "request data must be valid JSON: it is empty");
    } else if (rq->method == HTTP_PUT && !put) {
        ; /* answered */
    } else if (failed) {
        read_failed(r, &err);
    } else if (!m.found) {
        api_errors(rq, 404, "metric_name not found");
    } else if (!put || check_put(rq, put)) {
        if (put)
            merge_put(&m, put);
        put_metadata(rq, &m);
    }
    json_decref(put);
    json_decref(m.put);
    arena_free(&m.arena);
}

void api_metric_metadata(struct http_request *rq) {
    api_read_metrics(rq, fill_metadata);
}
