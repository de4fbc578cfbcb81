#include "control/control.h"

/* The control API in one table; schema/openapi.yaml describes it and tests/e2e/api_test.py holds both to each
 * other. */
#define V1               "/recorder/v1"
#define CATALOG_BODY_MAX (64 << 20) /* catalogs with what they include, and snapshots */
#define GET(path, handler)                                                                                   \
    { HTTP_GET, path, handler, ROUTE_CHECKS_SESSION, 0 }
#define LOOKS (ROUTE_CHECKS_SESSION | ROUTE_LOOKS)
static const struct route routes[] = {
    {HTTP_GET, "/healthz", control_health, 0, 0},
    {HTTP_GET, "/readyz", control_health, 0, 0},
    {HTTP_GET, "/metrics", control_metrics, 0, 0},
    GET(V1 "/openapi.yaml", control_openapi),
    GET(V1 "/status", control_status),
    GET(V1 "/series", control_series),
    GET(V1 "/samples", control_samples),
    GET(V1 "/events", control_events),
    GET(V1 "/service_checks", control_service_checks),
    GET(V1 "/rejects", control_rejects),
    GET(V1 "/requests", control_requests),
    GET(V1 "/datagrams", control_datagrams),
    GET(V1 "/metrics", control_names),
    GET(V1 "/tags", control_tags),
    GET(V1 "/timeline", control_timeline),
    GET(V1 "/histogram", control_histogram),
    GET(V1 "/stream", control_stream),
    GET(V1 "/export", control_export),
    GET(V1 "/flush", control_flush),
    GET(V1 "/sessions", control_sessions_list),
    {HTTP_POST, V1 "/sessions", control_session_new, ROUTE_CHECKS_SESSION, 64 << 10},
    GET(V1 "/sessions/{name}", control_session_get),
    {HTTP_DELETE, V1 "/sessions/{name}", control_session_delete, ROUTE_CHECKS_SESSION, 64 << 10},
    {HTTP_POST, V1 "/marks", control_mark, LOOKS, 64 << 10},
    {HTTP_POST, V1 "/expect", control_expect, LOOKS, 0},
    GET(V1 "/verdicts", control_verdicts),
    {HTTP_POST, V1 "/verify", control_verify, LOOKS, CATALOG_BODY_MAX},
    {HTTP_POST, V1 "/lint", control_lint, LOOKS, CATALOG_BODY_MAX},
    {HTTP_POST, V1 "/snapshot", control_snapshot, LOOKS, CATALOG_BODY_MAX},
    {HTTP_POST, V1 "/infer", control_infer, LOOKS, CATALOG_BODY_MAX},
    {HTTP_POST, V1 "/diff", control_diff, LOOKS, CATALOG_BODY_MAX},
    {HTTP_POST, V1 "/reset", control_reset, ROUTE_CHECKS_SESSION, 64 << 10},
    GET(V1 "/faults", control_faults_get),
    {HTTP_PUT, V1 "/faults", control_faults_put, ROUTE_CHECKS_SESSION, 8 << 20},
    {HTTP_DELETE, V1 "/faults", control_faults_delete, ROUTE_CHECKS_SESSION, 64 << 10},
};
const struct route_table control_routes = ROUTE_TABLE(routes);
