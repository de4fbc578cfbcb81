#include "api/api.h"
#include "api/post.h"

#define WIRE_V1 3200000
#define WIRE_V2 511999 /* fewer than 512,000 */

/* What is set stands in the recorded request, which keeps so much of a body. */
#define SET_MAX POST_BODY_KEPT

#define WRITE (ROUTE_FAULTS | ROUTE_TAKES_TOO_LARGE)

static const struct route routes[] = {
    {HTTP_POST, "/api/v1/series", api_series_v1, WRITE, WIRE_V1},
    {HTTP_POST, "/api/v2/series", api_series_v2, WRITE, WIRE_V2},
    {HTTP_POST, "/api/intake/metrics/v3/series", api_series_v3, WRITE, WIRE_V2},
    {HTTP_POST, "/api/intake/metrics/v3beta/series", api_series_v3, WRITE, WIRE_V2},
    {HTTP_POST, "/api/intake/metrics/v3/sketches", api_series_v3, WRITE, WIRE_V1},
    {HTTP_POST, "/api/beta/sketches", api_sketches, WRITE, WIRE_V1},
    {HTTP_POST, "/api/v1/distribution_points", api_distribution_points, WRITE, WIRE_V1},
    {HTTP_POST, "/api/v1/check_run", api_check_run, WRITE, WIRE_V1},
    {HTTP_POST, "/api/v1/events", api_event_v1, WRITE, WIRE_V1},
    {HTTP_POST, "/api/v2/events", api_event_v2, WRITE, WIRE_V1},
    {HTTP_POST, "/intake", api_intake, WRITE, WIRE_V1},
    {HTTP_POST, "/dogstatsd/v2/proxy", api_proxy, WRITE, 0},
    {HTTP_POST, "/dogstatsd/v1/proxy", api_proxy, WRITE, 0},
    {HTTP_GET, "/api/v1/validate", api_validate_v1, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v2/validate", api_validate_v2, ROUTE_FAULTS, 0},
    {HTTP_GET | HTTP_POST, "/api/v2/validate_keys", api_validate_keys, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v1/query", api_query, ROUTE_FAULTS, 0},
    {HTTP_POST, "/api/v2/query/timeseries", api_query_timeseries, ROUTE_FAULTS, 0},
    {HTTP_POST, "/api/v2/query/scalar", api_query_scalar, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v1/metrics", api_metrics, ROUTE_FAULTS, 0},
    {HTTP_GET | HTTP_PUT, "/api/v1/metrics/{name}", api_metric_metadata, ROUTE_FAULTS, SET_MAX},
    {HTTP_GET, "/api/v1/search", api_search, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v2/metrics", api_metrics_v2, ROUTE_FAULTS, 0},
    {HTTP_POST | HTTP_DELETE, "/api/v2/metrics/config/bulk-tags", api_bulk_tags, ROUTE_FAULTS, SET_MAX},
    {HTTP_GET | HTTP_POST | HTTP_PATCH | HTTP_DELETE, "/api/v2/metrics/{name}/tags", api_tag_configuration,
     ROUTE_FAULTS, SET_MAX},
    {HTTP_GET, "/api/v2/metrics/{name}/assets", api_metric_assets, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v2/metrics/{name}/estimate", api_metric_estimate, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v2/metrics/{name}/active-configurations", api_metric_active_configurations, ROUTE_FAULTS,
     0},
    {HTTP_GET, "/api/v2/metrics/{name}/all-tags", api_metric_all_tags, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v2/metrics/{name}/volumes", api_metric_volumes, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v1/events", api_events, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v1/events/{id}", api_event, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v2/events", api_events_v2, ROUTE_FAULTS, 0},
    {HTTP_POST, "/api/v2/events/search", api_events_search, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v2/events/{id}", api_event_of_v2, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v1/hosts", api_hosts, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v1/hosts/totals", api_hosts_totals, ROUTE_FAULTS, 0},
    {HTTP_GET, "/api/v1/tags/hosts", api_all_host_tags, ROUTE_FAULTS, 0},
    {HTTP_GET | HTTP_POST | HTTP_PUT | HTTP_DELETE, "/api/v1/tags/hosts/{host}", api_host_tags, ROUTE_FAULTS,
     SET_MAX},
    {HTTP_POST, "/api/v1/host/{host}/mute", api_host_mute, ROUTE_FAULTS, SET_MAX},
    {HTTP_POST, "/api/v1/host/{host}/unmute", api_host_unmute, ROUTE_FAULTS, SET_MAX},
    {HTTP_GET, "/info", api_info, ROUTE_FAULTS, 0},
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
    {HTTP_ANY, "/**", api_unknown, WRITE, 0},
};
const struct route_table api_routes = {routes, sizeof routes / sizeof routes[0], .lists_errors = true};
