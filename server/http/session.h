/* Whose session a request speaks of.
 *
 * In this order: the path's prefix /s/NAME, the header X-Datadog-Test-Session-Token or the query argument test_session_token, the API
 * key, else the default session. A prefix together with a token or a key of another session is a conflict and is refused: one of them
 * is a mistake, and either session would be the wrong one for somebody.
 *
 * With http_options.auto_sessions a name that is used makes its session: every request but a GET does so, and a GET to a route
 * with ROUTE_MAKES_SESSION. Questions make none, so a name that is misspelt in a question is still a 404.
 *
 * Threads: making a session waits for the ingest loop.
 * Errors: session_unknown with session_status and session_why; session_id is then the default session's.
 * Limits: INGEST_SESSIONS_MAX sessions; then 429.
 */
#ifndef HTTP_SESSION_H
#define HTTP_SESSION_H

#include "core/err.h"
#include "http/route.h"

#define HTTP_NAME_SIZE ((size_t)65)   /* of a name that is made of a token */
#define HTTP_LABEL_MAX ((size_t)1024) /* bytes */
/* Gives an open session its label, of which at most HTTP_LABEL_MAX bytes are kept. Any thread but the loop's; waits for that. */
int http_session_label(struct http *h, uint64_t session_id, struct span label, struct err *err);
/* The name of the session that such a token has made: the token itself where it is a name, else one that is made of it, in `name`.
 * Two tokens have one name only if a hash of 64 bits is the same. */
struct span http_session_name(struct span token, char name[HTTP_NAME_SIZE]);
/* The token as it came, where session_token is a name that was made of it. */
struct span http_session_token(const struct http_request *rq);
/* Fills api_key, session_token, session_id and session_unknown. After router_find: rq->route may be NULL. */
void http_session_read(struct http_request *rq);

#endif
