/* The control API's routes: /healthz, /readyz, /metrics and everything under /recorder/v1. */
#ifndef HTTP_CONTROL_CONTROL_H
#define HTTP_CONTROL_CONTROL_H

#include "http/route.h"

extern const struct route_table control_routes;

/* lists.c */
void control_series(struct http_request *rq);
void control_samples(struct http_request *rq);
void control_events(struct http_request *rq);
void control_service_checks(struct http_request *rq);
void control_rejects(struct http_request *rq);
void control_requests(struct http_request *rq);

#endif
