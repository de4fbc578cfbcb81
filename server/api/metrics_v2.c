/* GET /api/v2/metrics. */
#include "api/arguments.h"
#include "api/tag_configurations.h"
#include "core/clock.h"
#include "core/json.h"

#include <stdlib.h>

#define PAGE_DEFAULT 10000

struct metric_list {
    struct http_request *rq;
    struct span type;   /* p == NULL: any */
    struct names names; /* the metrics that have samples */
    json_t *configurations;
};

/* --- which metrics ----------------------------------------------------------------------------------------- */

static int take_metric(void *arg, const struct series_row *row, const struct query_series *series) {
    struct metric_list *l = arg;
    const char *type = names_type(row->type);
    bool distribution = row->type == METRIC_DISTRIBUTION;
    if (!l->type.p || span_eq(l->type, span_str(type)) ||
        (!distribution && span_eq(l->type, SPAN("non_distribution"))))
        names_add(&l->names, series->name);
    return l->names.arena.failed;
}

static bool has_configured_tags(const json_t *configuration, struct span tags) {
    for (size_t from = 0; from < tags.n;) {
        const char *comma = memchr(tags.p + from, ',', tags.n - from);
        size_t to = comma ? (size_t)(comma - tags.p) : tags.n;
        bool excludes = json_is_true(json_object_get(configuration, "exclude_tags_mode"));
        if (tag_configuration_keeps(configuration, span_of(tags.p + from, to - from)) == excludes)
            return false;
        from = to + 1;
    }
    return true;
}

/* What the filters say of a metric's configuration, which may be none. */
static bool is_wanted(const struct metric_list *l, struct span name) {
    const json_t *configuration = json_object_getn(l->configurations, name.p, name.n);
    struct span tags = http_arg(l->rq, "filter[tags_configured]");
    int configured = arguments_flag(l->rq, "filter[configured]");
    int percentiles = arguments_flag(l->rq, "filter[include_percentiles]");
    if (configured >= 0 && configured != (configuration != NULL))
        return false;
    if (tags.n && (!configuration || !has_configured_tags(configuration, tags)))
        return false;
    const json_t *included = json_object_get(configuration, "include_percentiles");
    return percentiles < 0 || (json_is_boolean(included) && percentiles == json_is_true(included));
}

/* A configured metric is listed also when it has no samples. */
static void add_configured(struct metric_list *l) {
    const char *name;
    json_t *configuration;
    json_object_foreach(l->configurations, name, configuration) {
        const char *type = json_string_value(json_object_get(configuration, "metric_type"));
        bool distribution = type && strcmp(type, "distribution") == 0;
        if (!l->type.p || (type && span_eq(l->type, span_str(type))) ||
            (!distribution && span_eq(l->type, SPAN("non_distribution"))))
            names_add(&l->names, span_str(name));
    }
}

static void keep_wanted(struct metric_list *l) {
    size_t n = 0;
    /* there are no assets here, and every metric may be configured */
    bool none = arguments_flag(l->rq, "filter[related_assets]") == 1 ||
                arguments_flag(l->rq, "filter[is_configurable]") == 0;
    for (size_t i = 0; i < l->names.n && !none; i++)
        if (is_wanted(l, l->names.texts[i]))
            l->names.texts[n++] = l->names.texts[i];
    l->names.n = n;
}

/* --- the answer -------------------------------------------------------------------------------------------- */

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

static void put_metric(struct buf *b, const struct metric_list *l, struct span name) {
    const json_t *configuration = json_object_getn(l->configurations, name.p, name.n);
    buf_str(b, configuration ? "{\"type\":\"manage_tags\",\"id\":" : "{\"type\":\"metrics\",\"id\":");
    json_put_string(b, name);
    if (configuration) {
        char *text = json_dumps(configuration, JSON_COMPACT);
        buf_printf(b, ",\"attributes\":");
        buf_str(b, text ? text : "{}");
        free(text);
    }
    buf_char(b, '}');
}

/* The same question for the page behind that cursor. A cursor is a normalized name, which needs no escapes. */
static void put_link(struct buf *b, const struct http_request *rq, struct span cursor) {
    struct buf url = {.max = 1 << 20};
    buf_str(&url, "http://");
    buf_span(&url, http_header(rq, "Host"));
    buf_span(&url, rq->raw_path);
    const char *separator = "?";
    for (size_t at = 0; at < rq->raw_query.n;) {
        struct span rest = span_from(rq->raw_query, at);
        const char *end = memchr(rest.p, '&', rest.n);
        struct span pair = span_of(rest.p, end ? (size_t)(end - rest.p) : rest.n);
        bool is_cursor =
            span_starts(pair, SPAN("page[cursor]=")) || span_starts(pair, SPAN("page%5Bcursor%5D="));
        bool is_key = span_starts(pair, SPAN("api_key=")) || span_starts(pair, SPAN("application_key="));
        if (pair.n && !is_cursor && !is_key) {
            buf_str(&url, separator);
            buf_span(&url, pair);
            separator = "&";
        }
        at += pair.n + 1;
    }
    if (cursor.p) {
        buf_printf(&url, "%spage[cursor]=", separator);
        buf_span(&url, cursor);
    }
    json_put_string(b, buf_view(&url));
    buf_free(&url);
}

static void put_pagination(struct buf *b, const struct http_request *rq, struct span next, size_t size) {
    struct span cursor = http_arg(rq, "page[cursor]");
    buf_str(b, ",\"meta\":{\"pagination\":{\"cursor\":");
    if (cursor.p)
        json_put_string(b, cursor);
    else
        buf_str(b, "null");
    buf_str(b, ",\"next_cursor\":");
    if (next.p)
        json_put_string(b, next);
    else
        buf_str(b, "null");
    buf_printf(b, ",\"limit\":%zu,\"type\":\"cursor_limit\"}},\"links\":{\"self\":", size);
    put_link(b, rq, cursor);
    buf_str(b, ",\"first\":");
    put_link(b, rq, span_of(NULL, 0));
    buf_str(b, ",\"next\":");
    if (next.p)
        put_link(b, rq, next);
    else
        buf_str(b, "null");
    buf_str(b, ",\"last\":null,\"prev\":null}");
}

static void put_page(const struct metric_list *l) {
    struct http_request *rq = l->rq;
    struct buf *b = &rq->answer.body;
    struct span cursor = http_arg(rq, "page[cursor]");
    size_t size = (size_t)arguments_whole(rq, "page[size]", PAGE_DEFAULT);
    size_t from = page_start(&l->names, cursor), to = l->names.n - from > size ? from + size : l->names.n;
    bool more = to < l->names.n;
    api_answer(rq, 200, "application/json", "{\"data\":[");
    for (size_t i = from; i < to; i++) {
        buf_str(b, i > from ? "," : "");
        put_metric(b, l, l->names.texts[i]);
    }
    buf_char(b, ']');
    if (more || cursor.p || http_arg(rq, "page[size]").p)
        put_pagination(b, rq, more ? l->names.texts[to - 1] : span_of(NULL, 0), size);
    buf_char(b, '}');
}

static void fill_metrics_v2(struct read *r) {
    struct http_request *rq = r->rq;
    struct metric_list l = {.rq = rq, .type = http_arg(rq, "filter[metric_type]")};
    struct arena arena = {.max = 16 << 20};
    struct names_filter filter = {.without_tags = true};
    struct err err = {0};
    int64_t window_s = arguments_whole(rq, "window[seconds]", 0);
    if (window_s)
        filter.from_s = (double)rq->received_at / NS_PER_S - (double)window_s;
    if (read_tag_filter(rq, "filter[tags]", &arena, &filter.tags)) {
        if (!(l.configurations = tag_configurations(r, &err)) ||
            names_each(r, &filter, take_metric, &l, &err) != 0) {
            read_failed(r, &err);
        } else {
            if (!filter.tags && !window_s)
                add_configured(&l);
            names_sort(&l.names);
            keep_wanted(&l);
            put_page(&l);
        }
    }
    json_decref(l.configurations);
    names_free(&l.names);
    arena_free(&arena);
}

void api_metrics_v2(struct http_request *rq) {
    api_read_metrics(rq, fill_metrics_v2);
}
