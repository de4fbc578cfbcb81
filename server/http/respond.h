/* Turns the answer that a handler left in rq->answer into libmicrohttpd's: a body, a stream, or what a fault makes of it.
 *
 * Ownership: the body and the stream go with the answer.
 * Threads: the connection's.
 */
#ifndef HTTP_RESPOND_H
#define HTTP_RESPOND_H

#include "http/server.h"
#include <microhttpd.h>

/* MHD_NO: the connection is to end, without an answer. */
enum MHD_Result respond(struct http_request *rq);
/* The same as bytes, for a socket of our own (park.h): a body, neither a stream nor a fault. */
void respond_text(struct http_request *rq, struct buf *text);

#endif
