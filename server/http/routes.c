#include "http/api/api.h"
#include "http/control/control.h"
#include "http/server.h"

/* Ours first: the intake's last route takes what nobody else does. */
const struct route_table *const http_tables[] = {&control_routes, &api_routes};
const size_t http_n_tables = sizeof http_tables / sizeof http_tables[0];
