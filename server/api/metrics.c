/* /api/v1/metrics and /api/v1/search. */
#include "api/arguments.h"
#include "api/names.h"
#include "api/query/query.h"
#include "core/json.h"

#include <strings.h>

/* --- lists ----------------------------------------------------------------------------------------------- */

/* Whether the argument, which may be missing, is a filter of tags; else it has been answered. */
bool read_tag_filter(struct http_request *rq, const char *name, struct arena *arena,
                     const struct query_scope **scope) {
    struct query_error error = {0};
    struct span text = http_arg(rq, name);
    *scope = NULL;
    if (text.n == 0 || query_scope_read(arena, text, scope, &error) == 0)
        return true;
    api_errors(rq, 400, "The parameter '%s' is no filter of tags: %s", name, error.text);
    return false;
}

static void fill_metrics(struct read *r) {
    struct http_request *rq = r->rq;
    struct span from = http_arg(rq, "from"), host = http_arg(rq, "host");
    struct arena arena = {.max = 16 << 20};
    struct names_filter filter = {.host = host.n ? host : span_of(NULL, 0)};
    struct names names = {0};
    struct err err = {0};
    arguments_seconds(rq, "from", &filter.from_s);
    if (host.n && http_arg(rq, "tag_filter").n) {
        api_errors(rq, 400, "The parameter 'tag_filter' cannot be combined with 'host'");
    } else if (read_tag_filter(rq, "tag_filter", &arena, &filter.tags)) {
        if (names_metrics(r, &filter, &names, &err) != 0) {
            read_failed(r, &err);
        } else {
            api_answer(rq, 200, "application/json", "{\"from\":");
            json_put_string(&rq->answer.body, from);
            buf_str(&rq->answer.body, ",\"metrics\":");
            names_put(&rq->answer.body, &names);
            buf_char(&rq->answer.body, '}');
        }
    }
    names_free(&names);
    arena_free(&arena);
}

void api_metrics(struct http_request *rq) {
    api_read_metrics(rq, fill_metrics);
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
    const struct names_filter all = {0};
    struct err err = {0};
    bool only_metrics = span_starts(q, SPAN("metrics:")), only_hosts = span_starts(q, SPAN("hosts:"));
    if (only_metrics)
        q = span_from(q, strlen("metrics:"));
    if (only_hosts)
        q = span_from(q, strlen("hosts:"));
    int failed = only_hosts ? 0 : names_metrics(r, &all, &metrics, &err);
    if (!failed && !only_metrics)
        failed = names_hosts(r, &all, &hosts, &err);
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
    api_read_metrics(rq, fill_search);
}
