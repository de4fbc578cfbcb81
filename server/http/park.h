/* A request that may wait for long leaves libmicrohttpd: its socket is all that is kept of its connection (decision 0034).
 *
 *     handler -> park -> [asleep] -> park_answer -> sent by ourselves -> the client sends more -> libmicrohttpd has it again
 *
 * Ownership: from park on the request is ours, and ends with park_answer. What it had from libmicrohttpd (headers) is gone but for the
 * session's token.
 * Threads: park: the connection's own, in a handler. park_answer: any, once.
 * Limits: HTTP_PARKED_MAX at once. Past it, with TLS, with HTTP/1.0, with "Connection: close" and where the client has already sent its next
 * request a connection stays where it is, asleep.
 */
#ifndef HTTP_PARK_H
#define HTTP_PARK_H

#include "http/server.h"

/* false: the connection stays with libmicrohttpd. */
bool park(struct http_request *rq);
void park_answer(struct http_request *rq);
/* How many bytes were read from a TCP socket since it was opened, by whomever; -1: the kernel does not say. */
int64_t park_bytes_read(int fd);

#endif
