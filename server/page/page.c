#include "page/page.h"

#include "core/embed.h"
#include <stdio.h>
#include <xxhash.h>

/* clang-format off */
#define PAGE_FILES(X) \
    X(index, "index.html", "text/html; charset=utf-8") \
    X(icon, "icon.svg", "image/svg+xml") \
    X(style, "style.css", "text/css; charset=utf-8") \
    X(app, "app.js", "text/javascript; charset=utf-8") \
    X(api, "api.js", "text/javascript; charset=utf-8") \
    X(dom, "dom.js", "text/javascript; charset=utf-8") \
    X(format, "format.js", "text/javascript; charset=utf-8") \
    X(chart, "chart.js", "text/javascript; charset=utf-8") \
    X(browse, "browse.js", "text/javascript; charset=utf-8") \
    X(spark, "spark.js", "text/javascript; charset=utf-8") \
    X(metrics, "metrics.js", "text/javascript; charset=utf-8") \
    X(metric, "metric.js", "text/javascript; charset=utf-8") \
    X(live, "live.js", "text/javascript; charset=utf-8") \
    X(rejects, "rejects.js", "text/javascript; charset=utf-8") \
    X(events, "events.js", "text/javascript; charset=utf-8") \
    X(losses, "losses.js", "text/javascript; charset=utf-8") \
    X(report, "report.js", "text/javascript; charset=utf-8") \
    X(verdicts, "verdicts.js", "text/javascript; charset=utf-8") \
    X(compare, "compare.js", "text/javascript; charset=utf-8") \
    X(expect, "expect.js", "text/javascript; charset=utf-8") \
    X(sessions, "sessions.js", "text/javascript; charset=utf-8")
/* clang-format on */

#define X(id, file, type) EMBED(page_text_##id, "server/page/" file);
PAGE_FILES(X)
#undef X

static const struct page_file {
    const char *name, *type, *text, *end;
} files[] = {
#define X(id, file, type) {file, type, page_text_##id, page_text_##id##_end},
    PAGE_FILES(X)
#undef X
};
#define N_FILES (sizeof files / sizeof files[0])

#define POLICY                                                                                               \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "          \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "      \
    "trusted-types 'none'"

static void answer_file(struct http_request *rq, const struct page_file *file) {
    struct span text = span_of(file->text, (size_t)(file->end - file->text));
    char etag[24];
    snprintf(etag, sizeof etag, "\"%016llx\"", (unsigned long long)XXH3_64bits(text.p, text.n));
    rq->answer.content_type = file->type;
    if (span_eq(http_header(rq, "If-None-Match"), span_str(etag))) /* the browser has it */
        rq->answer.status = 304;
    else
        buf_span(&rq->answer.body, text);
    http_add_header(rq, "ETag", "%s", etag);
    http_add_fixed_header(rq, "Content-Security-Policy", POLICY);
    http_add_fixed_header(rq, "X-Content-Type-Options", "nosniff");
    http_add_fixed_header(rq, "Referrer-Policy", "no-referrer");
    http_add_fixed_header(rq, "Cross-Origin-Opener-Policy", "same-origin");
    http_add_fixed_header(rq, "Cross-Origin-Resource-Policy", "same-origin");
    http_add_fixed_header(rq, "Cache-Control", "no-cache");
}

/* The page asks at absolute paths and keeps its session in the fragment. */
static void page_index(struct http_request *rq) {
    if (rq->prefix.p && !rq->session_unknown) {
        rq->answer.status = 302;
        http_add_header(rq, "Location", "/#/metrics?session=%.*s", SPAN_ARG(rq->prefix));
        return;
    }
    answer_file(rq, &files[0]);
}

static void page_icon(struct http_request *rq) {
    answer_file(rq, &files[1]);
}

static void page_file(struct http_request *rq) {
    for (size_t i = 1; i < N_FILES; i++)
        if (span_eq(rq->params[0], span_str(files[i].name))) {
            answer_file(rq, &files[i]);
            return;
        }
    http_error(rq, 404, "the page has no file '%.*s'", SPAN_ARG(rq->params[0]));
}

static const struct route routes[] = {
    {HTTP_GET, "/", page_index, 0, 0},
    {HTTP_GET, "/favicon.ico", page_icon, 0, 0},
    {HTTP_GET, "/page/{file}", page_file, 0, 0},
};
const struct route_table page_routes = ROUTE_TABLE(routes);
