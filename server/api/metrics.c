/* /api/v1/metrics, /api/v1/search and /api/v2/metrics. */
#include "api/names.h"
#include "core/json.h"
#include "core/number.h"

#include <jansson.h>
#include <stdlib.h>

/* --- lists ----------------------------------------------------------------------------------------------- */

static void fill_metrics(struct read *r) {
    struct http_request *rq = r->rq;
    struct span from = http_arg(rq, "from");
    struct names names = {0};
    struct err err = {0};
    double from_s;
    if (!read_seconds(rq, "from", &from_s)) {
        api_errors(rq, 400, "The parameter 'from' is required and is in seconds since 1970");
    } else if (names_metrics(r, (struct span){NULL, 0}, from_s, &names, &err) != 0) {
        read_failed(r, &err);
    } else {
        api_answer(rq, 200, "application/json", "{\"from\":");
        json_put_string(&rq->answer.body, from);
        buf_str(&rq->answer.body, ",\"metrics\":");
        names_put(&rq->answer.body, &names);
        buf_char(&rq->answer.body, '}');
    }
    names_free(&names);
}

void api_metrics(struct http_request *rq) {
    api_read(rq, fill_metrics);
}

static bool contains(struct span text, struct span part) {
    return part.n == 0 || memmem(text.p, text.n, part.p, part.n) != NULL;
}

static void keep_containing(struct names *names, struct span part) {
    size_t n = 0;
    for (size_t i = 0; i < names->n; i++)
        if (contains(names->texts[i], part))
            names->texts[n++] = names->texts[i];
    names->n = n;
}

/* q=metrics:part, q=hosts:part or q=part for both */
static void fill_search(struct read *r) {
    struct http_request *rq = r->rq;
    struct span q = http_arg(rq, "q");
    struct names metrics = {0}, hosts = {0};
    struct err err = {0};
    bool only_metrics = span_starts(q, SPAN("metrics:")), only_hosts = span_starts(q, SPAN("hosts:"));
    if (only_metrics)
        q = span_from(q, strlen("metrics:"));
    if (only_hosts)
        q = span_from(q, strlen("hosts:"));
    int failed = only_hosts ? 0 : names_metrics(r, (struct span){NULL, 0}, 0, &metrics, &err);
    if (!failed && !only_metrics)
        failed = names_hosts(r, &hosts, &err);
    keep_containing(&metrics, q);
    keep_containing(&hosts, q);
    if (failed) {
        read_failed(r, &err);
    } else {
        api_answer(rq, 200, "application/json", "{\"results\":{\"metrics\":");
        names_put(&rq->answer.body, &metrics);
        buf_str(&rq->answer.body, ",\"hosts\":");
        names_put(&rq->answer.body, &hosts);
        buf_str(&rq->answer.body, "}}");
    }
    names_free(&metrics);
    names_free(&hosts);
}

void api_search(struct http_request *rq) {
    api_read(rq, fill_search);
}

/* --- one metric's metadata: what was PUT, and else what the recording tells ------------------------------ */

struct metadata {
    struct span name, path;
    bool found;
    enum metric_type type;
    json_t *put;
};

static int take_type(void *arg, const struct series_row *row) {
    struct metadata *m = arg;
    m->found = m->found || span_eq(row->name, m->name);
    m->type = row->type;
    return m->found;
}

static int take_put(void *arg, const struct request_row *row) {
    struct metadata *m = arg;
    const struct request *request = &row->request;
    if (request->status != 200 || !span_eq(request->method, SPAN("PUT")) || !span_eq(request->path, m->path))
        return 0;
    json_t *put = json_loadb(request->body.p, request->body.n, 0, NULL);
    if (!json_is_object(put)) {
        json_decref(put);
        return 0;
    }
    json_t *before = m->put;
    if (before)
        json_object_update(before, put);
    else
        m->put = json_incref(put);
    json_decref(put);
    return 0;
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
    buf_char(b, '}');
}

/* Those that Datadog takes; none is fine. Its words for another are not known: only that it is a 400. */
static bool is_type(const json_t *type) {
    static const char *const words[] = {"count", "distribution", "gauge", "rate"};
    bool found = !type || json_is_null(type);
    for (size_t i = 0; i < sizeof words / sizeof words[0] && json_is_string(type); i++)
        found = found || strcmp(json_string_value(type), words[i]) == 0;
    return found;
}

static void fill_metadata(struct read *r) {
    struct http_request *rq = r->rq;
    struct metadata m = {.name = rq->params[0], .path = rq->raw_path};
    struct filter filter = r->filter;
    struct err err = {0};
    filter.name = m.name;
    int failed = r->reader->ops->series(r->reader, &filter, take_type, &m, &err);
    if (!failed && m.found)
        failed = r->reader->ops->requests(r->reader, &r->filter, take_put, &m, &err);
    if (failed) {
        read_failed(r, &err);
    } else if (!m.found) {
        api_errors(rq, 404, "metric_name not found");
    } else if (rq->method == HTTP_PUT) {
        json_t *put = json_loadb(rq->body.p, rq->body.n, 0, NULL);
        if (!m.put && json_is_object(put))
            m.put = json_incref(put);
        else if (m.put && put)
            json_object_update(m.put, put);
        if (!json_is_object(put))
            api_errors(rq, 400, "The body must be a JSON object");
        else if (!is_type(json_object_get(put, "type")))
            api_errors(rq, 400, "Invalid metric type: it must be count, distribution, gauge or rate");
        else
            put_metadata(rq, &m);
        json_decref(put);
    } else {
        put_metadata(rq, &m);
    }
    json_decref(m.put);
}

void api_metric_metadata(struct http_request *rq) {
    api_read(rq, fill_metadata);
}

/* --- /api/v2/metrics ------------------------------------------------------------------------------------- */

#define PAGE_MAX     10000
#define PAGE_DEFAULT 10000

/* The first name after the cursor, which is the last one of the page before and may be gone since. */
static size_t page_start(const struct names *names, struct span cursor) {
    size_t low = 0, high = cursor.n ? names->n : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (span_cmp(names->texts[middle], cursor) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void put_page(struct http_request *rq, const struct names *names, bool paged, uint64_t size,
                     struct span cursor) {
    struct buf *b = &rq->answer.body;
    size_t from = page_start(names, cursor), to = names->n - from > size ? from + (size_t)size : names->n;
    api_answer(rq, 200, "application/json", "{\"data\":[");
    for (size_t i = from; i < to; i++) {
        buf_str(b, i > from ? ",{\"type\":\"metrics\",\"id\":" : "{\"type\":\"metrics\",\"id\":");
        json_put_string(b, names->texts[i]);
        buf_char(b, '}');
    }
    buf_char(b, ']');
    if (paged) {
        struct span next = to < names->n ? names->texts[to - 1] : (struct span){NULL, 0};
        buf_str(b, ",\"meta\":{\"pagination\":{\"cursor\":");
        json_put_string(b, cursor.p ? cursor : SPAN(""));
        buf_str(b, ",\"next_cursor\":");
        if (next.p)
            json_put_string(b, next);
        else
            buf_str(b, "null");
        buf_printf(
            b, ",\"limit\":%llu,\"type\":\"cursor_limit\"}},\"links\":{\"self\":", (unsigned long long)size);
        json_put_string(b, rq->target);
        buf_str(b, ",\"first\":null,\"last\":null,\"next\":null,\"prev\":null}");
    }
    buf_char(b, '}');
}

static void fill_metrics_v2(struct read *r) {
    struct http_request *rq = r->rq;
    struct span size_text = http_arg(rq, "page[size]"), cursor = http_arg(rq, "page[cursor]");
    struct names names = {0};
    struct err err = {0};
    int64_t size = PAGE_DEFAULT;
    if (size_text.p && (number_parse_int(size_text, &size) != NUMBER_OK || size < 1 || size > PAGE_MAX))
        api_errors(rq, 400, "page[size] must be a number from 1 to %d", PAGE_MAX);
    else if (names_metrics(r, (struct span){NULL, 0}, 0, &names, &err) != 0)
        read_failed(r, &err);
    else
        put_page(rq, &names, size_text.p || cursor.p, (uint64_t)size, cursor);
    names_free(&names);
}

void api_metrics_v2(struct http_request *rq) {
    api_read(rq, fill_metrics_v2);
}

/* {"data":{"type":TYPE,"id":NAME,"attributes":{"KEY":…}}} of a recorded metric, else 404. */
static void put_resource(struct read *r, const char *type, bool tags) {
    struct http_request *rq = r->rq;
    struct buf *b = &rq->answer.body;
    struct names found = {0}, list = {0};
    struct err err = {0};
    int failed = names_metrics(r, rq->params[0], 0, &found, &err);
    if (!failed && tags)
        failed = names_tags(r, rq->params[0], &list, &err);
    if (failed) {
        read_failed(r, &err);
    } else if (found.n == 0) {
        api_errors(rq, 404, "%.*s not found", SPAN_ARG(rq->params[0]));
    } else {
        api_answer(rq, 200, "application/json", "");
        buf_printf(b, "{\"data\":{\"type\":\"%s\",\"id\":", type);
        json_put_string(b, rq->params[0]);
        buf_str(b, ",\"attributes\":{");
        if (tags) {
            buf_str(b, "\"tags\":");
            names_put(b, &list);
        } else {
            buf_printf(b, "\"indexed_volume\":%zu,\"ingested_volume\":%zu", found.n, found.n);
        }
        buf_str(b, "}}}");
    }
    names_free(&found);
    names_free(&list);
}

static void fill_all_tags(struct read *r) {
    put_resource(r, "metrics", true);
}

static void fill_volumes(struct read *r) {
    put_resource(r, "metric_volumes", false);
}

void api_metric_all_tags(struct http_request *rq) {
    api_read(rq, fill_all_tags);
}

void api_metric_volumes(struct http_request *rq) {
    api_read(rq, fill_volumes);
}
