#include "api/changes.h"

#include "core/arena.h"
#include "http/router.h"

struct gathered_changes {
    const char *pattern;
    bool (*take)(void *arg, const struct change *change);
    void *arg;
    struct arena arena;
    bool failed;
};

/*   api_key=k&source=chef
 *             ^^^^^^^^^^^ */
static struct span find_source(struct span query, char **room) {
    for (size_t at = 0; at < query.n;) {
        const char *end = memchr(query.p + at, '&', query.n - at);
        size_t to = end ? (size_t)(end - query.p) : query.n;
        struct span pair = span_of(query.p + at, to - at);
        if (span_starts(pair, SPAN("source=")))
            return router_decode(span_from(pair, strlen("source=")), true, room);
        at = to + 1;
    }
    return span_of(NULL, 0);
}

static bool changes_something(const struct request *request) {
    return request->status >= 200 && request->status < 300 && !span_eq(request->method, SPAN("GET")) &&
           !span_eq(request->method, SPAN("HEAD")) && !span_starts(request->note, SPAN("fault: status")) &&
           !span_starts(request->note, SPAN("fault: cut before"));
}

static int take_request(void *arg, const struct request_row *row) {
    struct gathered_changes *g = arg;
    const struct request *request = &row->request;
    struct change change = {.method = request->method, .body = request->body, .at = row->received_at};
    if (!changes_something(request) ||
        !router_matches(g->pattern, request->path, change.params, &change.n_params))
        return 0;
    arena_reset(&g->arena);
    char *room = arena_alloc(&g->arena, request->path.n + request->query.n + 1);
    for (size_t i = 0; room && i < change.n_params; i++)
        change.params[i] = router_decode(change.params[i], false, &room);
    if (room)
        change.source = find_source(request->query, &room);
    g->failed = !room || !g->take(g->arg, &change);
    return g->failed;
}

int changes_each(struct read *r, const char *pattern, bool (*take)(void *arg, const struct change *change),
                 void *arg, struct err *err) {
    struct gathered_changes g = {.pattern = pattern, .take = take, .arg = arg, .arena = {.max = 1 << 20}};
    int failed = r->reader->ops->requests(r->reader, &r->filter, take_request, &g, err);
    arena_free(&g.arena);
    return g.failed ? err_set(err, 0, "out of memory") : failed;
}

struct change changes_this(const struct http_request *rq) {
    struct change change = {.method = rq->method_text,
                            .n_params = rq->n_params,
                            .source = http_arg(rq, "source"),
                            .body = rq->body,
                            .at = rq->received_at};
    for (size_t i = 0; i < rq->n_params; i++)
        change.params[i] = rq->params[i];
    return change;
}

json_t *changes_body(struct http_request *rq) {
    struct span body = rq->body.n ? rq->body : SPAN("{}");
    json_t *object = json_loadb(body.p, body.n, 0, NULL);
    if (json_is_object(object))
        return object;
    json_decref(object);
    api_errors(rq, 400, "request data must be valid JSON: an object");
    return NULL;
}

bool changes_is_texts(const json_t *list) {
    bool good = json_is_array(list);
    for (size_t i = 0; good && i < json_array_size(list); i++)
        good = json_is_string(json_array_get(list, i));
    return good;
}
