/* Private to api/: which query arguments each Datadog path takes, and what their values may be.
 *
 * api_read asks before it answers: an argument that a path does not have, a wrong value and a repeated one are refused with 400 and
 * words that name it. None is passed over in silence. `api_key`, `application_key` and `test_session_token` are welcome on every path.
 *
 * Threads: any. Ownership: spans point into the request.
 * Source: schema/protocol/datadog-http.md section 10.
 */
#ifndef API_ARGUMENTS_H
#define API_ARGUMENTS_H

#include "api/api.h"

/* Larger times are milliseconds that somebody took for seconds. */
#define ARGUMENTS_SECONDS_MAX 1e11

/* Whether all arguments of the request hold; else it has been answered. */
bool arguments_hold(struct http_request *rq);

/* The values of arguments that hold. */
bool arguments_seconds(const struct http_request *rq, const char *name, double *seconds);
int64_t arguments_whole(const struct http_request *rq, const char *name, int64_t otherwise);
/* 1, 0, or -1 when it is not given. */
int arguments_flag(const struct http_request *rq, const char *name);

#endif
