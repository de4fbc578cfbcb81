/* The fake Datadog API: what clients and the Agent send (writes), and what is asked of Datadog (reads).
 *
 * Source: schema/protocol/datadog-http.md sections 1 to 11; every answer's status, content type and body is what a client of the real one
 * sees.
 */
#ifndef API_API_H
#define API_API_H

#include "decode/intake/intake.h"
#include "http/server.h"

extern const struct route_table api_routes;

/* --- answers (answer.c): each drops what was answered so far --------------------------------------------- */

void api_answer(struct http_request *rq, unsigned status, const char *content_type, const char *body);
/* {"errors":["…"]} */
void api_errors(struct http_request *rq, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* {"errors":[{"status":"400","title":"Bad Request","detail":"…"}]} */
void api_error_objects(struct http_request *rq, unsigned status, const char *title, const char *detail);
/* The status as Datadog answers it: the bodies of 403, 408, 413, 429, …; for faults too. */
void api_status(struct http_request *rq, unsigned status);

/* --- the gate (gate.c) ----------------------------------------------------------------------------------- */

/* Faults: false once an injected status has been answered. *note: what happened, static; else {NULL, 0}. */
bool api_is_undisturbed(struct http_request *rq, struct span *note);
/* The answer of a fault that has one. post_request gives it once what is kept has been answered as usual. */
void api_injected(struct http_request *rq);
/* Whether it is for a session that there is; else it is answered 404, and post_request records a reject. */
bool api_has_session(struct http_request *rq, struct span *note);
/* The same when its body did not come: too large (413), or in a transfer coding (501). */
bool api_has_body(struct http_request *rq, struct span *note);
/* Faults, the session and the key. */
bool api_admits(struct http_request *rq, struct span *note);

/* --- writes (write.c, raw.c) ----------------------------------------------------------------------------- */

void api_series_v1(struct http_request *rq);
void api_series_v2(struct http_request *rq);
void api_series_v3(struct http_request *rq);
void api_sketches(struct http_request *rq);
void api_distribution_points(struct http_request *rq);
void api_check_run(struct http_request *rq);
void api_event_v1(struct http_request *rq);
void api_event_v2(struct http_request *rq);
void api_intake(struct http_request *rq);
void api_proxy(struct http_request *rq);
/* Kept as they came. */
void api_raw(struct http_request *rq);
/* Any path that no route has: 404, or 202 for an Agent, and an entry in the list of requests. */
void api_unknown(struct http_request *rq);

/* An event's id: the same when it is posted and when it is asked for. */
int64_t api_event_id(struct span title, struct span text, int64_t received_at);

/* --- reads (read_*.c) ------------------------------------------------------------------------------------ */

void api_query(struct http_request *rq);
void api_query_timeseries(struct http_request *rq);
void api_query_scalar(struct http_request *rq);
void api_metrics(struct http_request *rq);
void api_metric_metadata(struct http_request *rq);
void api_search(struct http_request *rq);
void api_metrics_v2(struct http_request *rq);
void api_metric_all_tags(struct http_request *rq);
void api_metric_volumes(struct http_request *rq);
void api_metric_estimate(struct http_request *rq);
void api_metric_assets(struct http_request *rq);
void api_metric_active_configurations(struct http_request *rq);
void api_tag_configuration(struct http_request *rq);
void api_bulk_tags(struct http_request *rq);
void api_events(struct http_request *rq);
void api_event(struct http_request *rq);
void api_events_v2(struct http_request *rq);
void api_events_search(struct http_request *rq);
void api_event_of_v2(struct http_request *rq);
void api_hosts(struct http_request *rq);
void api_hosts_totals(struct http_request *rq);
void api_host_tags(struct http_request *rq);
void api_all_host_tags(struct http_request *rq);
void api_host_mute(struct http_request *rq);
void api_host_unmute(struct http_request *rq);
void api_info(struct http_request *rq);
void api_validate_v1(struct http_request *rq);
void api_validate_v2(struct http_request *rq);
void api_validate_keys(struct http_request *rq);

#endif
