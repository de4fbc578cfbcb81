#include "api/api.h"

#define WIRE_V1 3200000
#define WIRE_V2 511999 /* fewer than 512,000 */

#define ASKED  (ROUTE_FAULTS | ROUTE_ANY_HOST)
#define TAKEN  (ASKED | ROUTE_TAKES_TOO_LARGE)
#define WRITE  (TAKEN | ROUTE_KEY)
#define WRITE2 (WRITE | ROUTE_KEY_HEADER)

static const struct route routes[] = {
    {HTTP_POST, "/api/v1/series", api_series_v1, WRITE, WIRE_V1},
    {HTTP_POST, "/api/v2/series", api_series_v2, WRITE2, WIRE_V2},
    {HTTP_POST, "/api/intake/metrics/v3/series", api_series_v3, WRITE, WIRE_V2},
    {HTTP_POST, "/api/intake/metrics/v3beta/series", api_series_v3, WRITE, WIRE_V2},
    {HTTP_POST, "/api/intake/metrics/v3/sketches", api_series_v3, WRITE, WIRE_V1},
    {HTTP_POST, "/api/beta/sketches", api_sketches, WRITE, WIRE_V1},
    {HTTP_POST, "/api/v1/distribution_points", api_distribution_points, WRITE, WIRE_V1},
    {HTTP_POST, "/api/v1/check_run", api_check_run, WRITE, WIRE_V1},
    {HTTP_POST, "/api/v1/events", api_event_v1, WRITE, WIRE_V1},
    {HTTP_POST, "/api/v2/events", api_event_v2, WRITE, WIRE_V1},
    {HTTP_POST, "/intake", api_intake, WRITE, WIRE_V1},
    {HTTP_POST, "/dogstatsd/v2/proxy", api_proxy, TAKEN, 0},
    {HTTP_GET, "/api/v1/validate", api_validate_v1, ASKED, 0},
    {HTTP_GET, "/api/v2/validate", api_validate_v2, ASKED, 0},
    {HTTP_GET | HTTP_POST, "/api/v2/validate_keys", api_validate_keys, ASKED, 0},
    {HTTP_GET, "/api/v1/query", api_query, ROUTE_FAULTS, 0},
    {HTTP_POST, "/api/v2/query/timeseries", api_query_timeseries, ROUTE_FAULTS, 0},
    {HTTP_POST, "/api/v2/query/scalar", api_query_scalar, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v1/metrics", api_metrics, ROUTE_FAULTS, 0},
    {HTTP_GET | HTTP_PUT, "/api/v1/metrics/{name}", api_metric_metadata, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v1/search", api_search, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v2/metrics", api_metrics_v2, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v2/metrics/{name}/all-tags", api_metric_all_tags, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v2/metrics/{name}/volumes", api_metric_volumes, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v1/events", api_events, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v1/events/{id}", api_event, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v1/hosts", api_hosts, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v1/hosts/totals", api_hosts_totals, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v1/tags/hosts", api_all_host_tags, ROUTE_FAULTS, 0},
    {HTTP_GET | HTTP_POST | HTTP_PUT | HTTP_DELETE, "/api/v1/tags/hosts/{host}", api_host_tags, ROUTE_FAULTS,
     0},
    {HTTP_ANY, "/intake/**", api_raw, WRITE, 0},
    {HTTP_ANY, "/api/v1/metadata", api_raw, WRITE, 0},
    {HTTP_ANY, "/api/v2/host_metadata", api_raw, WRITE, 0},
    {HTTP_ANY, "/api/v1/collector", api_raw, WRITE, 0},
    {HTTP_ANY, "/api/v1/container", api_raw, WRITE, 0},
    {HTTP_ANY, "/api/v1/connections", api_raw, WRITE, 0},
    {HTTP_ANY, "/api/v1/discovery", api_raw, WRITE, 0},
    {HTTP_ANY, "/api/v1/orchestrator", api_raw, WRITE, 0},
    {HTTP_ANY, "/api/v1/sketches", api_raw, WRITE, 0},
    {HTTP_ANY, "/api/v2/orch", api_raw, WRITE, 0},
    {HTTP_ANY, "/api/v2/orchmanif", api_raw, WRITE, 0},
    {HTTP_ANY, "/api/v2/proclcycle", api_raw, WRITE, 0},
    {HTTP_ANY, "/api/v2/service_checks", api_raw, WRITE, 0},
    {HTTP_ANY, "/support/flare", api_raw, WRITE, 0},
    {HTTP_ANY, "/**", api_unknown, TAKEN, 0},
};
const struct route_table api_routes = ROUTE_TABLE(routes);
