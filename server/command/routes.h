/* The routes that a recorder serves: the one place that knows both the fake Datadog and the control API.
 *
 * The HTTP framework is handed these tables (struct http_options); it includes no handler.
 */
#ifndef COMMAND_ROUTES_H
#define COMMAND_ROUTES_H

#include "http/route.h"

extern const struct route_table *const served_routes[];
extern const size_t n_served_routes;

#endif
