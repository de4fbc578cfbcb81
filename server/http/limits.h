/* Every limit of the HTTP side in one place. When a request exceeds one, the answer names the limit (413, 414, 400, 503), or
 * libmicrohttpd answers 431. */
#ifndef HTTP_LIMITS_H
#define HTTP_LIMITS_H

#define HTTP_THREADS           4 /* libmicrohttpd's pool */
#define HTTP_WORKERS           2 /* threads for work that would take a thread of the pool too long */
#define HTTP_WORKERS_FOR_SHORT 1 /* of those, kept free of work that may take seconds */
#define HTTP_KEPT              4 /* metrics whose samples (GLANCE_SAMPLES_MAX of 32 bytes) are kept for the next look */
#define HTTP_CONNECTIONS_MAX   12288 /* open at once, idle and waiting ones too; an idle one takes a few KiB */
/* Questions that wait outside of libmicrohttpd, if that is no more than 3/4 of the descriptors: park.h. */
#define HTTP_PARKED_MAX 12288
#define HTTP_LAST_MS    1000 /* for the rest of all such answers when the server ends */
#define HTTP_STILL_MS   200  /* of these, for a client that takes nothing */
/* Bytes for a connection's request line and headers, and to send from: a query of 64 KiB fits and is answered by its handler. A connection
 * keeps them from its first request on. Past them libmicrohttpd answers 414 or 431 by itself, in HTML. */
#define HTTP_HEADER_MEMORY (128 << 10)
/* A connection on which nothing moves is closed after this time. */
#define HTTP_IDLE_S 120
/* From the last answer (or from connecting) until the next headers are complete. */
#define HTTP_REQUEST_HEAD_S  180
#define HTTP_REQUEST_BODY_S  120       /* from the headers until the body is complete */
#define HTTP_ARGS_MAX        256       /* query arguments of one request */
#define HTTP_PARAMS_MAX      4         /* {…} in one path pattern */
#define HTTP_HEADERS_OUT_MAX 12        /* headers that a handler adds to its answer */
#define HTTP_BODY_MAX        (8 << 20) /* bytes of a body where the route says nothing else */
/* Bytes that are read of a body that is too large, so that the client gets its 413. Then the connection is cut. */
#define HTTP_SWALLOW_MAX (64 << 20)
/* Bytes of all bodies that are being received. Past it the answer is 503. */
#define HTTP_BODIES_MAX (256 << 20)

#endif
