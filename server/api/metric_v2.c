/* What /api/v2/metrics/{name}/… tells of one recorded metric. */
#include "api/arguments.h"
#include "api/tag_configurations.h"
#include "core/clock.h"
#include "core/json.h"

#include <stdlib.h>

struct one_metric {
    struct http_request *rq;
    struct arena arena;
    struct span name;
    struct names_filter filter;
    bool found;
    enum metric_type type;
    struct names list; /* its tags; or, of an estimate and of volumes, its sets of tags */
    const json_t *configuration;
    struct names kept; /* its sets of tags as the configuration leaves them */
    double start_s, end_s;
};

/* Begins, finds the metric with `take` and writes the answer with `put`; 404 when there is none. */
static void tell(struct read *r, struct one_metric *m, names_row_fn *take,
                 void (*put)(struct one_metric *m)) {
    struct err err = {0};
    json_t *configurations = NULL;
    m->rq = r->rq;
    m->arena.max = 16 << 20;
    m->name = names_normal(&m->arena, r->rq->params[0]);
    m->filter.name = m->name;
    bool failed = !(configurations = tag_configurations(r, &err));
    if (m->name.p)
        m->configuration = json_object_getn(configurations, m->name.p, m->name.n);
    failed = failed || (m->name.p && names_each(r, &m->filter, take, m, &err) != 0);
    names_sort(&m->list);
    names_sort(&m->kept);
    if (failed || m->list.arena.failed || m->kept.arena.failed) {
        err_set(&err, 0, "more than 256 MiB of tags");
        read_failed(r, &err);
    } else if (!m->found && !m->configuration) {
        api_errors(r->rq, 404, "%.*s not found", SPAN_ARG(r->rq->params[0]));
    } else {
        put(m);
    }
    json_decref(configurations);
    names_free(&m->list);
    names_free(&m->kept);
    arena_free(&m->arena);
}

static void begin_answer(struct one_metric *m, const char *content_type, const char *type) {
    struct buf *b = &m->rq->answer.body;
    api_answer(m->rq, 200, content_type, "");
    buf_printf(b, "{\"data\":{\"type\":\"%s\",\"id\":", type);
    json_put_string(b, m->name);
}

static void read_window(struct http_request *rq, struct one_metric *m) {
    int64_t window_s = arguments_whole(rq, "window[seconds]", 0);
    if (window_s)
        m->filter.from_s = (double)rq->received_at / NS_PER_S - (double)window_s;
}

/* --- all-tags ---------------------------------------------------------------------------------------------- */

static int take_all_tags(void *arg, const struct series_row *row, const struct query_series *series) {
    struct one_metric *m = arg;
    (void)row;
    m->found = true;
    struct span part = http_arg(m->rq, "filter[match]");
    bool keys = arguments_flag(m->rq, "filter[include_tag_values]") == 0;
    for (size_t i = 0; i < series->n_tags; i++) {
        struct span tag = series->tags[i];
        if (!tag_configuration_keeps(m->configuration, tag) ||
            (part.n && !memmem(tag.p, tag.n, part.p, part.n)))
            continue;
        const char *colon = keys ? memchr(tag.p, ':', tag.n) : NULL;
        names_add(&m->list, colon ? span_of(tag.p, (size_t)(colon - tag.p)) : tag);
    }
    return m->list.arena.failed;
}

static void put_all_tags(struct one_metric *m) {
    size_t limit = (size_t)arguments_whole(m->rq, "page[limit]", INT32_MAX);
    m->list.n = m->list.n < limit ? m->list.n : limit;
    begin_answer(m, "application/json", "metrics");
    buf_str(&m->rq->answer.body, ",\"attributes\":{\"tags\":");
    names_put(&m->rq->answer.body, &m->list);
    buf_str(&m->rq->answer.body, "}}}");
}

static int take_existence(void *arg, const struct series_row *row, const struct query_series *series) {
    struct one_metric *m = arg;
    (void)series;
    m->found = true;
    m->type = row->type;
    return 1;
}

static void fill_all_tags(struct read *r) {
    struct one_metric m = {.found = false}, any = {.filter = {.without_tags = true}};
    struct arena arena = {.max = 16 << 20};
    read_window(r->rq, &m);
    if (read_tag_filter(r->rq, "filter[tags]", &arena, &m.filter.tags)) {
        /* a metric that the filter leaves nothing of has no tags; one that is not there is a 404 */
        tell(r, &any, take_existence, put_all_tags);
        if (r->rq->answer.status == 200) {
            m.found = true;
            tell(r, &m, take_all_tags, put_all_tags);
        }
    }
    arena_free(&arena);
}

void api_metric_all_tags(struct http_request *rq) {
    api_read_metrics(rq, fill_all_tags);
}

/* --- volumes and the estimate: how many sets of tags -------------------------------------------------------- */

/* The tags that are kept, one behind the other. */
static void add_set(struct names *sets, const struct query_series *series, const json_t *configuration,
                    const json_t *keys) {
    struct buf text = {.max = 1 << 20};
    struct names kept = {0};
    for (size_t i = 0; i < series->n_tags; i++)
        if (tag_configuration_keeps(configuration, series->tags[i]) &&
            (!keys || tag_configuration_keeps(keys, series->tags[i])))
            names_add(&kept, series->tags[i]);
    names_sort(&kept);
    for (size_t i = 0; i < kept.n; i++) {
        buf_span(&text, kept.texts[i]);
        buf_char(&text, ',');
    }
    names_add(sets, buf_view(&text));
    names_free(&kept);
    buf_free(&text);
}

static int take_volume(void *arg, const struct series_row *row, const struct query_series *series) {
    struct one_metric *m = arg;
    m->found = true;
    m->type = row->type;
    add_set(&m->list, series, NULL, NULL);
    add_set(&m->kept, series, m->configuration, NULL);
    return m->list.arena.failed || m->kept.arena.failed;
}

static void put_volumes(struct one_metric *m) {
    begin_answer(m, "application/json", "metric_volumes");
    buf_printf(&m->rq->answer.body, ",\"attributes\":{\"indexed_volume\":%zu,\"ingested_volume\":%zu}}}",
               m->kept.n, m->list.n);
}

static void fill_volumes(struct read *r) {
    struct one_metric m = {.found = false};
    read_window(r->rq, &m);
    tell(r, &m, take_volume, put_volumes);
}

void api_metric_volumes(struct http_request *rq) {
    api_read_metrics(rq, fill_volumes);
}

/* filter[groups]=env,host as a configuration of these tags; NULL: not given. */
static json_t *groups_of(const struct http_request *rq) {
    struct span groups = http_arg(rq, "filter[groups]");
    json_t *keys = groups.n ? json_pack("{s:[]}", "tags") : NULL;
    for (size_t from = 0; keys && from < groups.n;) {
        const char *comma = memchr(groups.p + from, ',', groups.n - from);
        size_t to = comma ? (size_t)(comma - groups.p) : groups.n;
        json_array_append_new(json_object_get(keys, "tags"), json_stringn(groups.p + from, to - from));
        from = to + 1;
    }
    if (keys && arguments_flag(rq, "filter[exclude_tags_mode]") == 1)
        json_object_set_new(keys, "exclude_tags_mode", json_true());
    return keys;
}

struct estimating {
    struct one_metric metric; /* first */
    json_t *groups;
};

static int take_estimate(void *arg, const struct series_row *row, const struct query_series *series) {
    struct estimating *e = arg;
    struct one_metric *m = &e->metric;
    m->found = true;
    m->type = row->type;
    if ((double)row->last_at / NS_PER_S >= m->start_s && (double)row->first_at / NS_PER_S <= m->end_s)
        add_set(&m->list, series, NULL, e->groups);
    return m->list.arena.failed;
}

/* filter[num_aggregations] and filter[pct] have no effect any more. */
static void put_estimate(struct one_metric *m) {
    char at[CLOCK_RFC3339_SIZE + 2];
    clock_rfc3339(m->rq->received_at, at);
    strcpy(at + 26, "Z");
    begin_answer(m, "application/json", "metric_cardinality_estimate");
    buf_printf(&m->rq->answer.body,
               ",\"attributes\":{\"estimated_output_series\":%zu,\"estimate_type\":\"%s\","
               "\"estimated_at\":\"%s\"}}}",
               m->list.n, m->type == METRIC_DISTRIBUTION ? "distribution" : "count_or_gauge", at);
}

static void fill_estimate(struct read *r) {
    struct http_request *rq = r->rq;
    double now_s = (double)rq->received_at / NS_PER_S;
    struct estimating e = {.metric = {.start_s = 0, .end_s = now_s}, .groups = groups_of(rq)};
    int64_t hours_ago = arguments_whole(rq, "filter[hours_ago]", 0);
    int64_t hours = arguments_whole(rq, "filter[timespan_h]", 0);
    if (hours_ago || hours)
        e.metric.start_s = now_s - 3600.0 * (double)(hours_ago ? hours_ago : hours);
    if (hours && hours_ago)
        e.metric.end_s = e.metric.start_s + 3600.0 * (double)hours;
    tell(r, &e.metric, take_estimate, put_estimate);
    json_decref(e.groups);
}

void api_metric_estimate(struct http_request *rq) {
    api_read_metrics(rq, fill_estimate);
}

/* --- what statwit has none of ------------------------------------------------------------------------------- */

static void put_assets(struct one_metric *m) {
    begin_answer(m, "application/vnd.api+json", "metrics");
    buf_str(&m->rq->answer.body,
            ",\"relationships\":{\"dashboards\":{\"data\":[]},\"monitors\":{\"data\":[]},"
            "\"notebooks\":{\"data\":[]},\"slos\":{\"data\":[]}}},\"included\":[]}");
}

static void fill_assets(struct read *r) {
    struct one_metric m = {.filter = {.without_tags = true}};
    tell(r, &m, take_existence, put_assets);
}

void api_metric_assets(struct http_request *rq) {
    api_read_metrics(rq, fill_assets);
}

static void put_active(struct one_metric *m) {
    begin_answer(m, "application/json", "actively_queried_configurations");
    buf_str(&m->rq->answer.body, ",\"attributes\":{\"active_tags\":[],\"active_aggregations\":[]}}}");
}

static void fill_active(struct read *r) {
    struct one_metric m = {.filter = {.without_tags = true}};
    tell(r, &m, take_existence, put_active);
}

void api_metric_active_configurations(struct http_request *rq) {
    api_read_metrics(rq, fill_active);
}
