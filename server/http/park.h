/* A request that may wait for long leaves libmicrohttpd: its socket is all that is kept of its connection (decision 0035).
 *
 *     handler -> http_wait -> [asleep] -> http_resume -> sent by ourselves -> the client sends more -> libmicrohttpd has it again
 *
 * Ownership: from http_wait on the request is ours, and ends with its answer.
 * Threads: http_wait: the connection's own, in a handler. http_resume: any, once.
 * Limits: HTTP_PARKED_MAX and 3/4 of the descriptors at once. Past it, with TLS, with HTTP/1.0, with "Connection: close" and where the client has already sent its next
 * request a connection stays where it is, asleep. One that asks again while libmicrohttpd has HTTP_CONNECTIONS_MAX is closed.
 */
#ifndef HTTP_PARK_H
#define HTTP_PARK_H

#include "http/server.h"

/* http_suspend for a request that may wait for long. What the request has from its headers is gone then, but for session_token. */
void http_wait(struct http_request *rq);

/* The server ends, and every question has its answer: slow clients have HTTP_LAST_MS for the rest, all together, one who takes nothing
 * HTTP_STILL_MS. http_stop. */
void http_park_end(struct http *h);

#endif
