/* Routes: which function answers which path, what it is given and how it answers.
 *
 *     static void hello(struct http_request *rq) {
 *         buf_str(&rq->answer.body, "{\"hello\":true}");
 *     }
 *     static const struct route routes[] = {{HTTP_GET, "/hello/{name}", hello, .flags = ROUTE_TOKEN}};
 *     const struct route_table hello_routes = ROUTE_TABLE(routes);          (and a line in command/routes.c)
 *
 * What the router has done before a handler runs: the body is complete (bounded by the route's body_max) and
 * still encoded as sent; Host, Origin and token are fine; path and query are decoded; a doubled or trailing
 * slash makes no difference; /s/NAME before the path is taken off (session.h); GET handlers answer HEAD too; an unknown path is answered 404, another method
 * 405 with Allow, a body that is too large 413. More specific patterns stand before general ones in a table.
 *
 * A client that shuts down its side for writing (SHUT_WR) is taken for gone: while its request sleeps, it gets no answer.
 *
 * Ownership: everything in a request lives until its answer is sent. A handler fills rq->answer; its body and stream become
 * libmicrohttpd's.
 * Of `view`, the handler of one request may be called several times, one after the other (http_read_status), as long as it
 * was not parked.
 * Threads: a handler runs on one of HTTP_THREADS and must not wait for long: for that there is http_suspend.
 */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include "core/buf.h"
#include "core/retry.h"
#include "http/limits.h"
#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

struct http;
struct http_request;
struct MHD_Connection;

enum http_method {
    HTTP_GET = 1,
    HTTP_POST = 2,
    HTTP_PUT = 4,
    HTTP_PATCH = 8,
    HTTP_DELETE = 16,
    HTTP_ANY = 0xff,
};

enum route_flag {
    ROUTE_TOKEN = 1,  /* asks for http_options.token */
    ROUTE_FAULTS = 2, /* faults apply: see http_request.fault */
    ROUTE_TAKES_TOO_LARGE =
        4, /* answers 413 and 501 itself: called with `too_large` or `coded` set and no body */
    ROUTE_CHECKS_SESSION = 8,  /* session_unknown is answered 404 here */
    ROUTE_KEY = 16,            /* Datadog takes it with an API key only */
    ROUTE_KEY_HEADER = 32,     /* and looks for the key in the header alone */
    ROUTE_LOOKS = 128,         /* changes nothing, although it is no GET */
    ROUTE_ANY_HOST = 64,       /* takes data and tells nothing, so the Host header does not matter */
    ROUTE_OPEN_AS_FAKE = 256,  /* with --fakeintake, ROUTE_TOKEN does not count */
    ROUTE_MAKES_SESSION = 128, /* with auto_sessions a GET makes the session that it names, too */
};

struct route {
    unsigned methods;
    const char *path; /* a segment "{name}" takes any one segment, a last "**" any number of them, none too */
    void (*handle)(struct http_request *rq);
    unsigned flags;
    size_t body_max; /* bytes on the wire; 0: HTTP_BODY_MAX */
};

struct route_table {
    const struct route *routes;
    size_t n;
    bool lists_errors; /* http_error on its paths says {"errors":["…"]}, as Datadog does */
};
#define ROUTE_TABLE(array)                                                                                   \
    { (array), sizeof(array) / sizeof((array)[0]), false }

struct http_arg {
    struct span name, value; /* decoded: %xx and + */
};

/* The fault that /recorder/v1/faults set for this request. The router delays and cuts; the handler looks at
 * `status` and at `cut` so that it knows what to record: */
enum http_cut {
    HTTP_CUT_NOT,
    HTTP_CUT_BEFORE, /* nothing is stored but the request itself, nothing is answered */
    HTTP_CUT_DURING, /* stored; half of the answer is sent */
    HTTP_CUT_AFTER,  /* stored; nothing is answered */
};
struct fault_content;
struct http_fault {
    bool active;
    bool kept; /* what is answered replaces only the answer: the request is handled and stored as usual */
    unsigned
        status; /* 0: as usual; else: answer this, and unless `kept` store nothing but the request itself */
    struct fault_content
        *content; /* what to answer; NULL: what goes with the status. fault.h; the router releases it */
    int64_t delay_ms;
    enum http_cut cut;
};

/* 200, application/json and an empty body until the handler says otherwise. */
struct http_response {
    unsigned status;
    const char *content_type; /* static */
    struct buf body;
    size_t n_headers;
    struct http_header {
        const char *name;  /* static */
        const char *fixed; /* static; NULL: `value` */
        char value[128];
    } * headers; /* HTTP_HEADERS_OUT_MAX; NULL: none so far */
    /* Instead of `body` when set: writes at most max bytes to `to` and returns how many, HTTP_STREAM_END,
     * HTTP_STREAM_FAILED (the connection is cut), or 0 after http_stream_pause. Called one at a time, from
     * any thread of the pool. */
    ssize_t (*stream)(void *arg, char *to, size_t max);
    void (*stream_free)(void *arg);
    void *stream_arg;
};
#define HTTP_STREAM_END    (-1)
#define HTTP_STREAM_FAILED (-2)

#define HTTP_SESSION_SIZE 240 /* bytes of session_why */
struct http_request {
    struct http *http;
    const struct route *route;
    enum http_method method;
    struct span method_text;         /* "HEAD" too */
    struct span target;              /* the request line's, raw */
    struct span prefix;              /* NAME of /s/NAME, decoded; p == NULL: the path has no such prefix */
    struct span raw_path, raw_query; /* without the prefix */
    struct span path;                /* decoded, without doubled and trailing slashes */
    size_t n_params;
    struct span params[HTTP_PARAMS_MAX]; /* what the {…} took, decoded */
    size_t n_args;
    struct http_arg *args; /* in order */
    struct span body;      /* as sent, content encodings not undone */
    bool too_large;        /* the body was longer than route->body_max; it was read and dropped */
    bool coded; /* HTTP_CODED: the body has a Transfer-Encoding that nobody undoes; none of it was read */
    uint64_t wire_bytes; /* of the body */

    struct span content_type, content_encoding, user_agent; /* p == NULL: not given */
    struct span api_key;       /* DD-API-KEY, or the query's api_key; p == NULL: none */
    uint64_t session_id;       /* session.h says by what */
    struct span session_token; /* the prefix, else the token of header or query; p == NULL: none given */
    struct span
        unnamed_token; /* of --auto-sessions: what session_token is a name for; p == NULL: it is itself one */
    /* There is no such session, or two are named. session_id is then the default session's. */
    bool session_unknown;
    unsigned session_status; /* to answer then, with */
    struct buf session_why;
    enum { KEY_FINE, KEY_MISSING, KEY_REFUSED } key; /* what the gate of the fake Datadog said of it */
    int64_t received_at;                             /* wall clock, when the body was complete */
    struct http_fault fault;

    struct http_response answer;

    /* The router's: */
    struct MHD_Connection *connection;
    struct http_link *link;
    enum { REQUEST_NEW, REQUEST_BODY, REQUEST_WAITING, REQUEST_ANSWERED } state;
    bool refused;   /* answered before the handler; only the body is still read */
    bool abandoned; /* cut without an answer */
    bool changed;   /* what is viewed became something else while it was read: the handler is called anew */
    struct retry retry; /* for that */
    void **owner;       /* libmicrohttpd's pointer to it, while it is handled: NULL once parked */
    int parked_fd;      /* once it has left `connection`: its socket */
    char *token;        /* then, or where a name was made: of session_token */
    void (*resume)(struct http_request *rq); /* then: sends the answer */
    void (*free)(struct http_request *rq);
    size_t head_bytes;
    bool is_http11;
    atomic_bool suspended;
    bool counted;
    size_t n_counted_bytes; /* of `received` in http->n_body_bytes */
    struct buf received;
    char *decoded;
};

/* A header of the request; p == NULL: not there. Case-insensitive. */
struct span http_header(const struct http_request *rq, const char *name);
/* Calls fn for each, in the order in which they were sent. */
void http_headers_each(const struct http_request *rq,
                       void (*fn)(void *arg, struct span name, struct span value), void *arg);
/* How often it was given. */
size_t http_header_count(const struct http_request *rq, const char *name);
/* The first query argument of that name; p == NULL: not there. */
struct span http_arg(const struct http_request *rq, const char *name);

/* Adds a header to the answer. `name` is static. Longer values than fit are cut. */
void http_add_header(struct http_request *rq, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for a static value of any length. */
void http_add_fixed_header(struct http_request *rq, const char *name, const char *value);
/* What 501 says of a body in another transfer coding. */
#define HTTP_CODED                                                                                           \
    "a body is taken as it is, or with Transfer-Encoding: chunked; no other transfer coding is undone"
/* Drops what was answered so far and answers {"error":"…"} with this status; {"errors":["…"]} where the table of the path says so. */
void http_error(struct http_request *rq, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts the request to sleep without a thread: after the handler has returned, some other thread fills
 * rq->answer and calls http_resume, once. Until then the handler must not touch rq again. */
void http_suspend(struct http_request *rq);
void http_resume(struct http_request *rq);
/* Instead of http_resume: closes the connection without an answer, because the client has gone. */
void http_abandon(struct http_request *rq);
/* The client's socket, so that a caller can watch whether the client goes away. */
int http_socket(const struct http_request *rq);

/* For a stream that has nothing to send now: call this, then return 0. http_resume makes the router call `stream` again. */
void http_stream_pause(struct http_request *rq);

#endif
