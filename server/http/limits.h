/* Every limit of the HTTP side in one place. Past one the answer names it (413, 414, 400, 503), or MHD
 * answers 431. */
#ifndef HTTP_LIMITS_H
#define HTTP_LIMITS_H

#define HTTP_THREADS           4     /* libmicrohttpd's pool */
#define HTTP_WORKERS           2     /* for what is too long to do on a thread of the pool */
#define HTTP_WORKERS_FOR_SHORT 1     /* of those, never busy with what may take seconds */
#define HTTP_CONNECTIONS_MAX   12288 /* open at once, idle and waiting ones too; an idle one takes a few KiB */
#define HTTP_HEADER_MEMORY                                                                                   \
    (64 << 10)          /* bytes for a connection's request line and headers, and to send from */
#define HTTP_IDLE_S 120 /* a connection on which nothing moves is closed */
#define HTTP_REQUEST_HEAD_S                                                                                  \
    180                          /* from the last answer (or connecting) until the next headers are complete \
                                  */
#define HTTP_REQUEST_BODY_S  120 /* from the headers until the body is complete */
#define HTTP_ARGS_MAX        256 /* query arguments of one request */
#define HTTP_PARAMS_MAX      4   /* {…} in one path pattern */
#define HTTP_HEADERS_OUT_MAX 12  /* headers that a handler adds to its answer */
#define HTTP_BODY_MAX        (8 << 20) /* bytes of a body where the route says nothing else */
#define HTTP_SWALLOW_MAX                                                                                     \
    (64 << 20) /* bytes read of a body that is too large, to answer 413; then the connection is cut */
#define HTTP_BODIES_MAX (256 << 20) /* bytes of all bodies being received; past it 503 */

#endif
