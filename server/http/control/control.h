/* The control API's routes: /healthz, /readyz, /metrics and everything under /recorder/v1. */
#ifndef HTTP_CONTROL_CONTROL_H
#define HTTP_CONTROL_CONTROL_H

#include "http/route.h"

extern const struct route_table control_routes;

#endif
