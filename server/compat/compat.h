/* Control APIs of other doubles, for their clients: Datadog's fakeintake, and dd-apm-test-agent.
 *
 * They ask behind the barrier, as all questions do, and are about the session that the request names (http/session.h).
 *
 * Source: schema/protocol/fakeintake.md, schema/protocol/test-agent.md.
 */
#ifndef COMPAT_COMPAT_H
#define COMPAT_COMPAT_H

#include "http/server.h"

extern const struct route_table compat_routes;

/* fakeintake.c, payloads.c */
void compat_health(struct http_request *rq);
void compat_payloads(struct http_request *rq);
void compat_routestats(struct http_request *rq);
void compat_flush(struct http_request *rq);
void compat_override(struct http_request *rq);
/* test_agent.c */
void compat_start(struct http_request *rq);
void compat_clear(struct http_request *rq);
void compat_requests(struct http_request *rq);
void compat_stats(struct http_request *rq);

#endif
