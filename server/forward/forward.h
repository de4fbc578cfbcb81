/* Passes on what is received: to a real Agent, to Datadog, or to another statwit.
 *
 *     udp://HOST:PORT  unix://PATH  unixstream://PATH   datagrams as they came, to an Agent
 *     https://HOST[:PORT]  http://…                     requests to the Datadog paths as they came
 *     agent+https://…  agent+http://…                   datagrams as an Agent flushes them: series, sketches, checks, events
 *
 * Each URL has a queue and a thread of its own (agent+: two). Recording never waits for them: what does not fit into the queue is
 * dropped and counted. What was taken is sent until forward_stop, which gives the rest FORWARD_STOP_NS.
 *
 * Ownership: forward_start copies the URLs and the key; the decoder's constant tags stay the caller's. forward_stop frees.
 * Threads: forward_datagram and forward_post from any thread; they take one lock for as long as a copy takes.
 * Errors: NULL with err: a URL that cannot be, a host that is not known, no libcurl. What cannot be passed on later is counted, and the
 * first error of a kind is logged. The API key is never logged.
 * Limits: FORWARD_QUEUE_MAX bytes wait for each URL. FORWARD_URLS_MAX URLs.
 * Source: schema/protocol/datadog-http.md sections 2 to 6: paths, headers, limits of a body, which answers are tried again.
 */
#ifndef FORWARD_FORWARD_H
#define FORWARD_FORWARD_H

#include "agent/agent.h"
#include "core/err.h"
#include "decode/dogstatsd.h"

#define FORWARD_URLS_MAX    16
#define FORWARD_QUEUE_MAX   ((size_t)64 << 20)
#define FORWARD_STOP_NS     (5 * 1000000000LL)
#define FORWARD_TIMEOUT_MS  20000 /* of a request, as forwarder_timeout */
#define FORWARD_BACKOFF_MAX 64    /* seconds between two tries, as forwarder_backoff_max */

struct forward_options {
    size_t n_urls;
    const char *const *urls;
    const char *api_key;  /* NULL: requests keep the key that they came with; agent+ needs one */
    const char *ca_file;  /* certificates to trust; NULL: the system's */
    const char *hostname; /* of what names no host, for agent+ */
    int64_t interval_ns;  /* between two flushes of agent+ */
    int64_t backoff_ns;   /* before the first further try; doubled each time */
    struct dogstatsd_options decode;
    struct agent_histogram_options histograms;
};

struct forward;
struct forward *forward_start(const struct forward_options *options, struct err *err);
/* NULL is allowed. Flushes agent+, also what an Agent would keep for its next flush. */
void forward_stop(struct forward *f);
/* Whether a URL leads back here: then err names it. Addresses as they are listened at; "": none. */
bool forward_loops(const struct forward *f, int udp_port, int http_port, const char *unixgram,
                   const char *unixstream, struct err *err);

/* A datagram, or a frame's content, that arrived at_ns (wall). */
void forward_datagram(struct forward *f, int64_t at_ns, struct span bytes);

struct forward_request {
    struct span method, path, query; /* raw */
    struct span content_type, content_encoding, user_agent, api_key;
    struct span body; /* encoded as it came */
};
void forward_post(struct forward *f, const struct forward_request *request);

struct forward_status {
    const char *url;
    uint64_t taken;   /* datagrams or requests; agent+: requests that it made */
    uint64_t passed;  /* sent; over HTTP: and accepted */
    uint64_t waiting; /* in the queue, or being sent */
    uint64_t dropped; /* the queue was full, or the end came */
    uint64_t refused; /* sent, and not accepted: never tried again */
    uint64_t retries;
    uint64_t lines_dropped; /* agent+: datagrams that did not fit into its queue */
    const char *why;        /* what went wrong last; "": nothing */
};
void forward_each(struct forward *f, void (*fn)(void *arg, const struct forward_status *status), void *arg);

#endif
