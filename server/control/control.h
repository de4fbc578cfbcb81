/* The control API: /healthz, /readyz, /metrics and everything under /recorder/v1. */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "http/route.h"

extern const struct route_table control_routes;

/* status.c */
void control_health(struct http_request *rq);
void control_metrics(struct http_request *rq);
void control_status(struct http_request *rq);
/* openapi.c */
void control_openapi(struct http_request *rq);
/* lists.c */
void control_series(struct http_request *rq);
void control_samples(struct http_request *rq);
void control_events(struct http_request *rq);
void control_service_checks(struct http_request *rq);
void control_datagrams(struct http_request *rq);
void control_rejects(struct http_request *rq);
void control_requests(struct http_request *rq);
/* metrics.c, tags.c, timeline.c, histogram.c */
void control_names(struct http_request *rq);
void control_tags(struct http_request *rq);
void control_timeline(struct http_request *rq);
void control_histogram(struct http_request *rq);
/* stream.c, export.c, expect.c */
void control_stream(struct http_request *rq);
void control_export(struct http_request *rq);
void control_flush(struct http_request *rq);
void control_expect(struct http_request *rq);
/* verdicts.c */
void control_verdicts(struct http_request *rq);
/* sessions.c */
void control_sessions_list(struct http_request *rq);
void control_session_get(struct http_request *rq);
void control_session_new(struct http_request *rq);
void control_session_delete(struct http_request *rq);
void control_mark(struct http_request *rq);
void control_reset(struct http_request *rq);
/* faults.c */
void control_faults_get(struct http_request *rq);
void control_faults_put(struct http_request *rq);
void control_faults_delete(struct http_request *rq);
/* catalog.c */
void control_verify(struct http_request *rq);
void control_lint(struct http_request *rq);
void control_snapshot(struct http_request *rq);
void control_infer(struct http_request *rq);
void control_diff(struct http_request *rq);

#endif
