#include "http/router.h"

#include "unit.h"

static void handle(struct http_request *rq) {
    (void)rq;
}

static const struct route routes[] = {
    {HTTP_GET, "/", handle, 0, 1},
    {HTTP_GET, "/a/b", handle, 0, 2},
    {HTTP_POST | HTTP_PUT, "/a/b", handle, 0, 3},
    {HTTP_GET, "/m/active", handle, 0, 4},
    {HTTP_GET, "/m/{name}", handle, 0, 5},
    {HTTP_GET, "/m/{name}/tags/{tag}", handle, 0, 6},
    {HTTP_ANY, "/any/**", handle, 0, 7},
};
static const struct route_table table = ROUTE_TABLE(routes);
static const struct route_table *const tables[] = {&table};

static _Alignas(16) char room[8192];
static struct http_request rq;
static unsigned allowed;

/* The number of the route (its body_max), 0 when there is none. */
static size_t find(const char *method, const char *target) {
    memset(&rq, 0, sizeof rq);
    rq.target = span_str(target);
    rq.method = router_method(span_str(method));
    if (router_room(rq.target) > sizeof room || router_parse(&rq, room) != 0)
        return 999;
    const struct route *route = router_find(tables, 1, &rq, &allowed);
    return route ? route->body_max : 0;
}

static void test_paths(void) {
    static const struct {
        const char *method, *target;
        size_t route;
    } cases[] = {
        {"GET", "/", 1},
        {"GET", "", 1},
        {"GET", "//", 1},
        {"HEAD", "/a/b", 2},
        {"GET", "/a/b/", 2},
        {"GET", "//a///b//?x=1", 2},
        {"GET", "http://host:1/a/b?q", 2},
        {"GET", "https://host", 1},
        {"GET", "/%61/b", 2},
        {"PUT", "/a/b", 3},
        {"GET", "/m/active", 4},
        {"GET", "/m/activ", 5},
        {"GET", "/m/a%2Fb/tags/x", 6},
        {"DELETE", "/any", 7},
        {"WHATEVER", "/any/x/y", 0},
        {"GET", "/any/x/y", 7},
        {"GET", "/a", 0},
        {"GET", "/a/b/c", 0},
        {"GET", "/A/B", 0},
        {"GET", "/a/./b", 0},
        {"GET", "/a/../a/b", 0},
        {"GET", "/a%2Fb", 0},
        {"GET", "/m/x/tags", 0},
        {"GET", "/a/b%00", 0},
        {"GET", "*", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t found = find(cases[i].method, cases[i].target);
        if (found != cases[i].route)
            fprintf(stderr, "%s %s: route %zu, not %zu\n", cases[i].method, cases[i].target, found,
                    cases[i].route);
        CU_ASSERT_EQUAL(found, cases[i].route);
    }
}

static void test_parameters(void) {
    EQ_INT(find("GET", "/m/a%2Fb%20c/tags/%zz%4"), 6);
    EQ_INT(rq.n_params, 2);
    EQ_SPAN(rq.params[0], SPAN("a/b c"));
    EQ_SPAN(rq.params[1], SPAN("%zz%4"));
    EQ_SPAN(rq.path, SPAN("/m/a/b c/tags/%zz%4"));
    EQ_SPAN(rq.raw_path, SPAN("/m/a%2Fb%20c/tags/%zz%4"));
}

static void test_methods(void) {
    EQ_INT(find("DELETE", "/a/b"), 0);
    EQ_INT(allowed, HTTP_GET | HTTP_POST | HTTP_PUT);
    struct buf text = {0};
    router_methods(allowed, &text);
    EQ_STR(text.p, "GET, HEAD, POST, PUT");
    buf_free(&text);
    EQ_INT(find("BREW", "/a/b"), 0);
    EQ_INT(allowed, HTTP_GET | HTTP_POST | HTTP_PUT);
    EQ_INT(find("GET", "/nowhere"), 0);
    EQ_INT(allowed, 0);
}

static void test_arguments(void) {
    EQ_INT(find("GET", "/a/b?x=1&&y&=z&t=a%3Db+c&t=&%78=2#f?"), 2);
    EQ_SPAN(rq.raw_query, SPAN("x=1&&y&=z&t=a%3Db+c&t=&%78=2"));
    EQ_INT(rq.n_args, 6);
    EQ_SPAN(rq.args[0].name, SPAN("x"));
    EQ_SPAN(rq.args[0].value, SPAN("1"));
    EQ_SPAN(rq.args[1].name, SPAN("y"));
    EQ_SPAN(rq.args[1].value, SPAN(""));
    EQ_SPAN(rq.args[2].name, SPAN(""));
    EQ_SPAN(rq.args[3].value, SPAN("a=b c"));
    EQ_SPAN(rq.args[4].value, SPAN(""));
    EQ_SPAN(rq.args[5].name, SPAN("x"));
}

static void test_too_many_arguments(void) {
    struct buf target = {0};
    buf_str(&target, "/a/b?");
    for (int i = 0; i < HTTP_ARGS_MAX; i++)
        buf_str(&target, i ? "&a" : "a");
    struct http_request many = {.target = buf_view(&target)};
    char *memory = malloc(router_room(many.target));
    EQ_INT(router_parse(&many, memory), 0);
    EQ_INT(many.n_args, HTTP_ARGS_MAX);
    free(memory);
    buf_str(&target, "&a");
    many = (struct http_request){.target = buf_view(&target)};
    memory = malloc(router_room(many.target));
    EQ_INT(router_parse(&many, memory), -1);
    free(memory);
    buf_free(&target);
}

UNIT_MAIN("http/router", {"paths", test_paths}, {"parameters", test_parameters}, {"methods", test_methods},
          {"arguments", test_arguments}, {"too many arguments", test_too_many_arguments})
