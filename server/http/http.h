/* The HTTP framework over libmicrohttpd. It serves the routes that it is handed and knows none itself.
 *
 * Ownership: borrows store, pipeline and ingest until http_stop.
 * Threads: libmicrohttpd's pool (HTTP_THREADS), and one watch thread that reads each commit once for all waiters.
 * Errors: NULL with err.
 * Limits: see limits.h.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "http/route.h"
#include "ingest/ingest.h"

#define HTTP_CA_FILE "statwit-ca.pem" /* in the current folder */

struct forward;
struct agent_histogram_options;

struct http_options {
    size_t n_tables; /* the routes, in the order in which they are tried */
    const struct route_table *const *tables;
    const char *bind;
    int port; /* 0: any free one */
    int view; /* so many recordings are only looked at: a route that would change one answers 403 (ROUTE_LOOKS); 0: it records */
    const char *token;              /* NULL: none asked for */
    const char *tls_cert, *tls_key; /* paths of PEM files, NULL: plain HTTP */
    /* Instead of tls_cert and tls_key: the server makes a certificate for these hosts at start, and writes its
     * authority to HTTP_CA_FILE. */
    size_t n_tls_hosts;
    const char *const *tls_hosts;
    size_t n_api_keys;
    const char *const *api_keys; /* none: any key is accepted */
    size_t n_allowed_hosts;
    const char *const *allowed_hosts; /* globs of names that the Host header may have besides ours */
    const char *advertise;   /* the host that sessions' environments name; NULL: the one that was asked */
    bool auto_sessions;      /* a session exists by being named: session.h */
    bool fakeintake;         /* be Datadog's fakeintake: compat/fakeintake.h */
    bool keep_bodies;        /* of writes, as they came: GET /fakeintake/payloads, /test/session/requests */
    bool accept_no_key;      /* ROUTE_KEY does not count */
    struct forward *forward; /* who passes requests on; NULL: nobody */
    const struct agent_histogram_options
        *histograms;    /* of the Agent whose view questions are about; NULL: its defaults */
    bool raw_queries;   /* Datadog's read paths show DogStatsD samples as they were sent */
    bool strict_intake; /* answer 400 to what Datadog would drop in silence */
};

struct http;
struct http *http_start(struct store *store, struct pipeline *pipeline, struct ingest *ingest,
                        const struct http_options *options, struct err *err);
/* Answers the requests in flight (waiting expectations end at once, as "stopping"), closes the sockets, ends the threads. */
void http_stop(struct http *h);
/* "http://127.0.0.1:8125" */
const char *http_url(const struct http *h);
int http_port(const struct http *h);
/* How many writes were refused because they had no API key. */
uint64_t http_keyless(const struct http *h);

#endif
