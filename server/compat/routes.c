#include "compat/compat.h"

/* fakeintake's clients have no token to show. */
#define FAKEINTAKE (ROUTE_CHECKS_SESSION | ROUTE_MAKES_SESSION | ROUTE_TOKEN | ROUTE_OPEN_AS_FAKE)
#define TEST_AGENT (ROUTE_TOKEN)

static const struct route routes[] = {
    {HTTP_ANY, "/fakeintake/health", compat_health, FAKEINTAKE, 0},
    {HTTP_GET, "/fakeintake/payloads", compat_payloads, FAKEINTAKE, 0},
    {HTTP_GET, "/fakeintake/routestats", compat_routestats, FAKEINTAKE, 0},
    {HTTP_ANY, "/fakeintake/flushPayloads", compat_flush, FAKEINTAKE, 0},
    {HTTP_ANY, "/fakeintake/configure/override", compat_override, FAKEINTAKE, 2 << 20},
    {HTTP_GET, "/test/session/start", compat_start, TEST_AGENT | ROUTE_CHECKS_SESSION | ROUTE_MAKES_SESSION,
     0},
    {HTTP_GET, "/test/session/clear", compat_clear, TEST_AGENT, 0},
    {HTTP_GET, "/test/session/requests", compat_requests, TEST_AGENT, 0},
    {HTTP_GET, "/test/session/stats", compat_stats, TEST_AGENT, 0},
};
const struct route_table compat_routes = {routes, sizeof routes / sizeof routes[0], .lists_errors = true};
