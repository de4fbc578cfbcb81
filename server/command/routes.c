#include "command/routes.h"

#include "api/api.h"
#include "compat/compat.h"
#include "control/control.h"
#include "page/page.h"

/* Ours first: the intake's last route takes what nobody else does. */
const struct route_table *const served_routes[] = {&control_routes, &compat_routes, &page_routes,
                                                   &api_routes};
const size_t n_served_routes = sizeof served_routes / sizeof served_routes[0];
