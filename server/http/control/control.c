#include "http/control/control.h"

#include "http/server.h"

static void health(struct http_request *rq) {
    buf_str(&rq->answer.body, "{\"status\":\"ok\"}\n");
}

static const struct route routes[] = {
    {HTTP_GET, "/healthz", health, 0, 0},
    {HTTP_GET, "/readyz", health, 0, 0},
};
const struct route_table control_routes = ROUTE_TABLE(routes);
