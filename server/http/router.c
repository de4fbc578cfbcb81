/* DESIGN. A pattern is matched segment by segment against the raw path, so that %2F inside a segment is not a
 * separator; the segment is decoded before it is compared. Empty segments are skipped: "/a//b/" is "/a/b".
 * There are about a hundred routes, most of which part from the path at the first or second segment; a walk
 * over them costs less than a microsecond.
 */
#include "http/router.h"

static int hex(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct span router_decode(struct span s, bool plus, char **room) {
    char *start = *room, *to = start;
    for (size_t i = 0; i < s.n; i++) {
        int high, low;
        if (s.p[i] == '%' && i + 2 < s.n && (high = hex(s.p[i + 1])) >= 0 && (low = hex(s.p[i + 2])) >= 0) {
            *to++ = (char)(high << 4 | low);
            i += 2;
        } else
            *to++ = s.p[i] == '+' && plus ? ' ' : s.p[i];
    }
    *room = to;
    return span_of(start, (size_t)(to - start));
}

static size_t index_of(struct span s, char c) {
    const char *p = s.n ? memchr(s.p, c, s.n) : NULL;
    return p ? (size_t)(p - s.p) : s.n;
}

/* Takes the next segment that is not empty off the path; false at its end. */
static bool next_segment(struct span *path, struct span *segment) {
    while (path->n && path->p[0] == '/')
        *path = span_from(*path, 1);
    if (path->n == 0)
        return false;
    size_t n = index_of(*path, '/');
    *segment = span_of(path->p, n);
    *path = span_from(*path, n);
    return true;
}

static size_t count_args(struct span query) {
    size_t n = query.n > 0;
    for (size_t i = 0; i < query.n; i++)
        n += query.p[i] == '&';
    return n;
}

/* "http://host:1/path" (absolute form) -> "/path" */
static struct span strip_authority(struct span target) {
    struct span scheme = SPAN("http://"), tls = SPAN("https://");
    size_t skip = span_starts(target, scheme) ? scheme.n : span_starts(target, tls) ? tls.n : 0;
    if (skip == 0)
        return target;
    struct span rest = span_from(target, skip);
    return span_from(rest, index_of(rest, '/'));
}

/*   /s/checkout/api/v2/series
 *      ^^^^^^^^ rq->prefix, decoded; the raw path is what follows
 */
static void take_prefix(struct http_request *rq, char **room) {
    if (!span_starts(rq->raw_path, SPAN("/s/")))
        return;
    struct span rest = span_from(rq->raw_path, 3);
    size_t n = index_of(rest, '/');
    rq->prefix = router_decode(span_of(rest.p, n), false, room);
    rq->raw_path = n < rest.n ? span_from(rest, n) : SPAN("/");
}

size_t router_room(struct span target) {
    size_t n = count_args(target);
    if (n > HTTP_ARGS_MAX)
        n = HTTP_ARGS_MAX;
    /* the arguments, the decoded path, the decoded parameters, the decoded arguments */
    return n * sizeof(struct http_arg) + 3 * (target.n + 2);
}

int router_parse(struct http_request *rq, char *room) {
    struct span target = strip_authority(rq->target);
    target.n = index_of(target, '#');
    size_t end = index_of(target, '?');
    rq->raw_path = span_of(target.p, end);
    rq->raw_query = end < target.n ? span_from(target, end + 1) : span_of(target.p + end, 0);

    rq->args = (void *)room;
    size_t n_args = count_args(rq->raw_query);
    if (n_args > HTTP_ARGS_MAX)
        return -1;
    room += n_args * sizeof *rq->args;
    for (struct span query = rq->raw_query; query.n > 0;) {
        size_t n = index_of(query, '&');
        struct span pair = span_of(query.p, n);
        query = span_from(query, n < query.n ? n + 1 : n);
        if (pair.n == 0)
            continue;
        size_t equals = index_of(pair, '=');
        struct http_arg *arg = &rq->args[rq->n_args++];
        arg->name = router_decode(span_of(pair.p, equals), true, &room);
        arg->value = router_decode(span_from(pair, equals < pair.n ? equals + 1 : equals), true, &room);
    }

    take_prefix(rq, &room);
    char *path = room;
    struct span segment, rest = rq->raw_path;
    while (next_segment(&rest, &segment)) {
        *room++ = '/';
        router_decode(segment, false, &room);
    }
    if (room == path)
        *room++ = '/';
    rq->path = span_of(path, (size_t)(room - path));
    rq->decoded = room; /* where router_find puts the parameters */
    return 0;
}

/* Whether the raw segment says what the pattern's literal one does. Patterns hold nothing that needs an
 * escape. */
static bool segment_is(struct span segment, struct span literal) {
    if (!memchr(segment.p, '%', segment.n))
        return span_eq(segment, literal);
    if (segment.n > 3 * literal.n)
        return false;
    char bytes[3 * 64];
    if (literal.n > sizeof bytes / 3)
        return false;
    char *room = bytes;
    return span_eq(router_decode(segment, false, &room), literal);
}

bool router_matches(const char *pattern, struct span path, struct span params[HTTP_PARAMS_MAX],
                    size_t *n_params) {
    struct span want, got, rest = span_str(pattern);
    *n_params = 0;
    while (next_segment(&rest, &want)) {
        if (span_eq(want, SPAN("**")))
            return true;
        if (!next_segment(&path, &got))
            return false;
        if (want.p[0] == '{')
            params[(*n_params)++] = got;
        else if (!segment_is(got, want))
            return false;
    }
    return !next_segment(&path, &got);
}

const struct route *router_find(const struct route_table *const *tables, size_t n_tables,
                                struct http_request *rq, unsigned *allowed) {
    *allowed = 0;
    for (size_t t = 0; t < n_tables; t++)
        for (size_t i = 0; i < tables[t]->n; i++) {
            const struct route *route = &tables[t]->routes[i];
            if (!router_matches(route->path, rq->raw_path, rq->params, &rq->n_params))
                continue;
            if (*allowed &&
                strcmp(route->path, "/**") == 0) /* the path is somebody's, only not with this method */
                continue;
            if (rq->method && (route->methods & rq->method)) {
                char *room = rq->decoded;
                for (size_t k = 0; k < rq->n_params; k++)
                    rq->params[k] = router_decode(rq->params[k], false, &room);
                return route;
            }
            *allowed |= route->methods;
        }
    rq->n_params = 0;
    return NULL;
}

const struct route *router_last(const struct route_table *const *tables, size_t n_tables) {
    const struct route_table *last = tables[n_tables - 1];
    return &last->routes[last->n - 1];
}

bool router_lists_errors(const struct route_table *const *tables, size_t n_tables, struct span path) {
    struct span params[HTTP_PARAMS_MAX];
    size_t n_params;
    for (size_t t = 0; t < n_tables; t++)
        for (size_t i = 0; i < tables[t]->n; i++)
            if (strcmp(tables[t]->routes[i].path, "/**") != 0 &&
                router_matches(tables[t]->routes[i].path, path, params, &n_params))
                return tables[t]->lists_errors;
    return false;
}

static const struct {
    const char *word;
    enum http_method method;
} methods_by_word[] = {{"GET", HTTP_GET}, {"HEAD", HTTP_GET},    {"POST", HTTP_POST},
                       {"PUT", HTTP_PUT}, {"PATCH", HTTP_PATCH}, {"DELETE", HTTP_DELETE}};
#define N_METHODS (sizeof methods_by_word / sizeof methods_by_word[0])

enum http_method router_method(struct span word) {
    for (size_t i = 0; i < N_METHODS; i++)
        if (span_eq(word, span_str(methods_by_word[i].word)))
            return methods_by_word[i].method;
    return 0;
}

void router_methods(unsigned methods, struct buf *text) {
    for (size_t i = 0; i < N_METHODS; i++)
        if (methods & methods_by_word[i].method) {
            buf_str(text, text->n ? ", " : "");
            buf_str(text, methods_by_word[i].word);
        }
}
