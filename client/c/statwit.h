/* libstatwit: emit Datadog metrics, and assert in tests on what a statwit server recorded.
 *
 * Purpose: two halves that share this header and nothing else. EMITTING is a metrics client for production;
 * ASSERTING controls a recorder (`statwit serve`) and judges what it received.
 *
 * Ownership: what a _open, _connect, _start or _new function returned is yours until you give it to the
 * matching _close or _free, which take NULL as well. Strings that you pass are read during the call and never
 * kept. Errors: functions of the asserting half return 0 or -1 (or NULL) and fill the caller's struct
 * statwit_error, which may be NULL. Functions that emit never fail: what could not be sent is counted
 * (statwit_health). Units: in the names (_ms, _s, _bytes). C++: from C++11 on, with statwit.hpp, whose functions and
 * classes stand for the macros that emit: those are made of what only C has (compound literals, _Generic), and C++ does not
 * see them.
 */
#ifndef STATWIT_H
#define STATWIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* a function may have the name of a struct */
#endif

#define STATWIT_API __attribute__((visibility("default")))

enum statwit_error_code {
    STATWIT_OK = 0,
    STATWIT_INVALID,     /* an argument, an option or an expectation is malformed */
    STATWIT_UNREACHABLE, /* no connection, or it broke or took too long */
    STATWIT_REFUSED,     /* the server answered, with a status that is not 2xx */
    STATWIT_PROTOCOL,    /* the answer is not what a statwit server says */
    STATWIT_NO_MEMORY,
    STATWIT_SYSTEM, /* the system refused: a process, a file, a library */
};

/* The error and what to do about it, in a sentence or two for a person. */
struct statwit_error {
    enum statwit_error_code code;
    int status; /* the HTTP status behind STATWIT_REFUSED, else 0 */
    char text[500];
};

/* ---- EMITTING ----------------------------------------------------------------------------------------
 *
 *     struct statwit_metrics *metrics = statwit_open(&(struct statwit_options){.prefix = "shop."}, NULL);
 *     statwit_incr(metrics, "login.attempt", .instance = "failure");
 *     statwit_gauge(metrics, "queue.depth", 42, .tags = STATWIT_TAGS({"shard", "7"}));
 *     statwit_timing(metrics, "events.latency", 12.5,
 *                    .tags = STATWIT_TAGS({"from_relay", STATWIT_BOOL(true)}));
 *     statwit_close(metrics);
 *
 * A call never blocks on the network, never fails, never ends the program and leaves errno as it was. What cannot be sent
 * is dropped, counted (statwit_health) and reported to the log function. metrics may be NULL: then nothing happens.
 *
 * Key: the prefix and the key, as they are. ':', '|', control characters and bytes that are not UTF-8 become '_'. A
 *   call with a NULL or empty key is dropped.
 * Value: integers and reals are kept apart: 3 is sent as 3, 3.0 as 3.0. Reals are sent in the shortest form that reads
 *   back as the same double. NaN and infinity are dropped, since no Agent keeps them.
 * Tags: from scopes for all threads, scopes of the thread, the call, the options, and the instance, in this order. A
 *   later tag replaces an earlier one of the same key, in the earlier one's place. The tags of the environment (DD_TAGS,
 *   DD_ENV, …) follow, unmerged. Characters other than letters, digits and "_-:/." become '_'. A metric with more than
 *   512 tags, or with a line over 65,507 bytes, is dropped.
 * Sampling: a call with a rate below 1 is sent with that probability, unscaled, with |@rate. The datadog backend ignores
 *   the rate, and so do aggregated counts, gauges and sets: they lose nothing by it.
 * Threads: any, at the same time. As long as threads take turns, what they emit arrives in the order of the calls. What threads emit at
 *   the same time may change places, but each thread's own stays in order, and the gauge, or the status of a check, that was set last
 *   arrives last. statwit_close may run while other threads still call; their later calls are dropped.
 * fork: the child goes on with a socket and a thread of its own. The parent sends what it had buffered.
 * Signals: no function of this library may be called from a signal handler. Its threads have all signals blocked.
 * Source: Sentry's metrics API (sentry.utils.metrics) and datadogpy, whose bytes the fixtures hold.
 */
struct statwit_metrics;

/* One tag. value NULL is sent as None; an empty key makes a bare tag of the value. */
struct statwit_tag {
    const char *key, *value;
};

/* .tags = STATWIT_TAGS({"env", "ci"}, {"cached", STATWIT_BOOL(hit)}, {"shard", STATWIT_INTEGER(7)}) */
#define STATWIT_NUMBER_SIZE 32
#define STATWIT_BOOL(value) ((value) ? "True" : "False")
#ifndef __cplusplus
#define STATWIT_TAGS(...)      ((const struct statwit_tag[]){__VA_ARGS__, {NULL, NULL}})
#define STATWIT_INTEGER(value) statwit_integer_text((char[STATWIT_NUMBER_SIZE]){0}, (value))
#define STATWIT_REAL(value)    statwit_real_text((char[STATWIT_NUMBER_SIZE]){0}, (value))
#endif
/* Writes the number as a tag spells it and returns text. */
STATWIT_API const char *statwit_integer_text(char text[STATWIT_NUMBER_SIZE], int64_t value);
STATWIT_API const char *statwit_real_text(char text[STATWIT_NUMBER_SIZE], double value);

enum statwit_type {
    STATWIT_COUNT,
    STATWIT_GAUGE,
    STATWIT_TIMING,
    STATWIT_HISTOGRAM,
    STATWIT_DISTRIBUTION,
    STATWIT_SET,
};

/* The optional arguments of a call, beside key and value. */
struct statwit_call {
    const char *instance;           /* the tag instance:X, when not empty */
    const struct statwit_tag *tags; /* ended by a key of NULL */
    double sample_rate;             /* above 0, at most 1; else the options' */
    int64_t amount;                 /* of statwit_incr; 0 stands for 1 */
    int64_t timestamp_s;            /* Unix clock; of counts and gauges, with datadog of all; 0: now */
    const char *cardinality;        /* none, low, orchestrator or high; NULL: the options' */
    bool internal;                  /* counts only: also an internal metric (Sentry's skip_internal=False) */
    int reserved;                   /* 0 */
};

/* Every call takes the members of struct statwit_call behind its value:
 *
 *     statwit_incr(metrics, "key", .amount = 2, .instance = "x", .tags = STATWIT_TAGS(…), .sample_rate = 0.1)
 *     statwit_count(metrics, "key", number, …)          and so gauge, timing (milliseconds), histogram, distribution
 *     statwit_set(metrics, "key", string or number, …)
 *
 * statwit_incr cannot send a zero, since .amount = 0 stands for 1: use statwit_count for that. */
#ifndef __cplusplus
#define statwit_incr(metrics, ...) STATWIT_INCR_(metrics, __VA_ARGS__, .reserved = 0)
#define statwit_count(metrics, key, ...)                                                                     \
    STATWIT_EMIT_(metrics, STATWIT_COUNT, key, __VA_ARGS__, .reserved = 0)
#define statwit_gauge(metrics, key, ...)                                                                     \
    STATWIT_EMIT_(metrics, STATWIT_GAUGE, key, __VA_ARGS__, .reserved = 0)
#define statwit_timing(metrics, key, ...)                                                                    \
    STATWIT_EMIT_(metrics, STATWIT_TIMING, key, __VA_ARGS__, .reserved = 0)
#define statwit_histogram(metrics, key, ...)                                                                 \
    STATWIT_EMIT_(metrics, STATWIT_HISTOGRAM, key, __VA_ARGS__, .reserved = 0)
#define statwit_distribution(metrics, key, ...)                                                              \
    STATWIT_EMIT_(metrics, STATWIT_DISTRIBUTION, key, __VA_ARGS__, .reserved = 0)
#define statwit_set(metrics, key, ...) STATWIT_EMIT_(metrics, STATWIT_SET, key, __VA_ARGS__, .reserved = 0)

#define STATWIT_INCR_(metrics, key, ...)                                                                     \
    statwit_emit_incr(metrics, key, &(const struct statwit_call){__VA_ARGS__})
#define STATWIT_EMIT_(metrics, type, key, value, ...)                                                        \
    _Generic((value),                                                                                        \
        float: statwit_emit_real,                                                                            \
        double: statwit_emit_real,                                                                           \
        char *: statwit_emit_text,                                                                           \
        const char *: statwit_emit_text,                                                                     \
        default: statwit_emit_integer)(metrics, type, key, value, &(const struct statwit_call){__VA_ARGS__})
#endif

/* The plain functions beneath; call may be NULL. statwit_emit_text is for sets. */
STATWIT_API void statwit_emit_incr(struct statwit_metrics *metrics, const char *key,
                                   const struct statwit_call *call);
STATWIT_API void statwit_emit_integer(struct statwit_metrics *metrics, enum statwit_type type,
                                      const char *key, int64_t value, const struct statwit_call *call);
STATWIT_API void statwit_emit_real(struct statwit_metrics *metrics, enum statwit_type type, const char *key,
                                   double value, const struct statwit_call *call);
STATWIT_API void statwit_emit_text(struct statwit_metrics *metrics, enum statwit_type type, const char *key,
                                   const char *value, const struct statwit_call *call);

/* A timer is a scope: when the block that holds it is left, in whatever way, it sends a timing of the
 * monotonic clock in MILLISECONDS (Sentry's own timer sends seconds, labelled ms) with the tag result:success
 * or result:failure.
 *
 *     {
 *         statwit_timer(timer, metrics, "job.duration", .tags = STATWIT_TAGS({"queue", name}));
 *         if (work())
 *             statwit_timer_fail(&timer);
 *     }
 *
 * Its members are private. Key, tags and call are borrowed until it stops. */
#define STATWIT_TIMER_TAGS 16
struct statwit_timer {
    struct statwit_metrics *metrics;
    const char *key;
    struct statwit_call call;
    struct statwit_tag tags[STATWIT_TIMER_TAGS];
    int n_tags;
    bool failed;
    int64_t started_ns;
};
#ifndef __cplusplus
#define statwit_timer(name, metrics, ...) STATWIT_TIMER_(name, metrics, __VA_ARGS__, .reserved = 0)
#define STATWIT_TIMER_(name, metrics, key, ...)                                                              \
    __attribute__((cleanup(statwit_timer_stop))) struct statwit_timer name;                                  \
    statwit_timer_start(&name, metrics, key, &(const struct statwit_call){__VA_ARGS__})
#endif
STATWIT_API void statwit_timer_start(struct statwit_timer *timer, struct statwit_metrics *metrics,
                                     const char *key, const struct statwit_call *call);
/* Adds or replaces a tag of what will be sent; at most STATWIT_TIMER_TAGS of them, the rest is ignored. */
STATWIT_API void statwit_timer_tag(struct statwit_timer *timer, const char *key, const char *value);
STATWIT_API void statwit_timer_fail(struct statwit_timer *timer);
/* Sends; a second call does nothing. */
STATWIT_API void statwit_timer_stop(struct statwit_timer *timer);

/* Adds tags to everything that any client emits while a scope is open, in this thread or in all threads.
 *
 *     statwit_global_tags(scope, false, STATWIT_TAGS({"tenant", tenant}));   // until the end of the block
 *
 * The scope and its tags must live until the pop. A thread pops its own scopes, innermost first. */
struct statwit_scope {
    const struct statwit_tag *tags;
    bool all_threads;
    struct statwit_scope *above, *below;
};
#ifndef __cplusplus
#define statwit_global_tags(name, all_threads, ...)                                                          \
    __attribute__((cleanup(statwit_scope_pop))) struct statwit_scope name;                                   \
    statwit_scope_push(&name, all_threads, __VA_ARGS__)
#endif
STATWIT_API void statwit_scope_push(struct statwit_scope *scope, bool all_threads,
                                    const struct statwit_tag *tags);
STATWIT_API void statwit_scope_pop(struct statwit_scope *scope);

/* statwit_event(metrics, "title", "text", .alert_type = "error", .tags = …);
 * Events and checks are sent without the prefix. */
struct statwit_event {
    const char *hostname, *aggregation_key, *source_type;
    const char *priority;   /* normal, low */
    const char *alert_type; /* info, success, warning, error */
    int64_t timestamp_s;
    const struct statwit_tag *tags;
    int reserved;
};
#ifndef __cplusplus
#define statwit_event(metrics, title, ...) STATWIT_EVENT_(metrics, title, __VA_ARGS__, .reserved = 0)
#define STATWIT_EVENT_(metrics, title, text, ...)                                                            \
    statwit_emit_event(metrics, title, text, &(const struct statwit_event){__VA_ARGS__})
#endif
STATWIT_API void statwit_emit_event(struct statwit_metrics *metrics, const char *title, const char *text,
                                    const struct statwit_event *event);

enum statwit_check_status {
    STATWIT_CHECK_OK,
    STATWIT_CHECK_WARNING,
    STATWIT_CHECK_CRITICAL,
    STATWIT_CHECK_UNKNOWN,
};
/* statwit_check(metrics, "app.ok", STATWIT_CHECK_OK, .message = "fine"); */
struct statwit_check {
    const char *hostname, *message;
    int64_t timestamp_s;
    const struct statwit_tag *tags;
    int reserved;
};
#ifndef __cplusplus
#define statwit_check(metrics, name, ...) STATWIT_CHECK_(metrics, name, __VA_ARGS__, .reserved = 0)
#define STATWIT_CHECK_(metrics, name, status, ...)                                                           \
    statwit_emit_check(metrics, name, status, &(const struct statwit_check){__VA_ARGS__})
#endif
STATWIT_API void statwit_emit_check(struct statwit_metrics *metrics, const char *name,
                                    enum statwit_check_status status, const struct statwit_check *check);

/* ---- EMITTING: opening and closing ------------------------------------------------------------------- */

/* All zero is a good start. Strings and tags are copied. What is not given here is taken from the environment
 * (unless ignore_environment): DD_DOGSTATSD_URL, DD_DOGSTATSD_SOCKET, DD_AGENT_HOST, DD_DOGSTATSD_PORT;
 * DD_API_KEY or DATADOG_API_KEY, DD_APP_KEY, DATADOG_HOST, DD_SITE; DD_TAGS, DD_ENTITY_ID, DD_ENV,
 * DD_SERVICE, DD_VERSION, DD_EXTERNAL_ENV, DD_CARDINALITY; DD_DOGSTATSD_DISABLE turns statsd and dogstatsd
 * into dummy. */
struct statwit_options {
    const char *backend; /* dummy, logging, statsd, dogstatsd (NULL), datadog */
    const char *prefix;  /* of every key, with its dot; NULL: none */
    double sample_rate;  /* of calls that name none; 0: 1 */
    const struct statwit_tag *tags;
    bool ignore_environment;

    const char *url; /* udp://host:port, unix:///path, unixgram://…, unixstream://…; beats host and port */
    const char *host;        /* NULL: localhost */
    int port;                /* 0: 8125 */
    const char *socket_path; /* of a Unix datagram socket; beats host and port */
    bool unbuffered;         /* one metric a datagram, sent by the caller */
    size_t buffer_bytes;     /* of one datagram; 0: 1,432 (UDP) or 8,192 (Unix); at most 65,507 */
    bool aggregate;          /* counts, gauges and sets are summed up, values of the others are packed */
    int max_series;          /* that aggregation holds (the datadog backend too); 0: 10,000 */
    bool telemetry;          /* every 10 s the client's own datadog.dogstatsd.client.* */
    bool origin_detection;   /* send this container's id, found in /proc/self/cgroup */
    const char *container_id, *external_env, *cardinality;

    const char *api_key, *app_key;
    const char *api_host; /* NULL: https://api.datadoghq.com */
    const char *hostname; /* of the points; NULL: this host's */
    const char *ca_file;  /* NULL: the system's */
    int backoff_ms;       /* the first pause before a batch is sent again, doubled up to 64 times; 0: 1,000 */
    int request_timeout_ms; /* 0: 10,000 */

    int flush_interval_ms; /* 0: 300; aggregating 2,000; datadog 10,000 (at least 1,000: whole seconds) */
    size_t queue_bytes;    /* what waits to be sent is at most this; 0: 1 MiB, datadog 8 MiB */
    int close_timeout_ms;  /* statwit_close waits at most this for what is unsent; 0: 2,000 */

    /* Called from any thread, also from within a metrics call: at most one text per kind of trouble in 10 s,
     * and with the logging backend one for each metric (on stderr when log is NULL). It must not call back
     * into the client. */
    void (*log)(void *context, const char *text);
    /* Internal metrics: key or key.instance grew by amount. Called by the thread that emits. */
    void (*internal)(void *context, const char *key, int64_t amount);
    void *context;
    bool skip_all_internal;
    const char *const *skip_internal_prefixes; /* ended by NULL */
};

/* options may be NULL. NULL and an error when an option is malformed, never because nobody listens. */
STATWIT_API struct statwit_metrics *statwit_open(const struct statwit_options *options,
                                                 struct statwit_error *error);
/* Options as Sentry's settings spell them, over those of base (which may be NULL):
 *   {"SENTRY_METRICS_BACKEND": "sentry.metrics.dogstatsd.DogStatsdMetricsBackend" or "dogstatsd",
 *    "SENTRY_METRICS_OPTIONS": {"statsd_host": "localhost", "statsd_port": 8125, "tags": {"env": "ci"}},
 *    "SENTRY_METRICS_SAMPLE_RATE": 1.0, "SENTRY_METRICS_PREFIX": "sentry.",
 *    "SENTRY_METRICS_SKIP_ALL_INTERNAL": false, "SENTRY_METRICS_SKIP_INTERNAL_PREFIXES": []}
 * The prefix is "sentry." unless one is given. OPTIONS are those of the backend in Sentry: statsd_host,
 * statsd_port, statsd_socket_path, host, port, tags, api_key, app_key, api_host, flush_interval (seconds). An
 * unknown name is an error. */
STATWIT_API struct statwit_metrics *statwit_open_json(const char *json, const struct statwit_options *base,
                                                      struct statwit_error *error);
/* Sends now what is buffered or aggregated; true when all of it left within timeout_ms. The datadog backend
 * sends the intervals that are over; the current one leaves when it is over, or at close. */
STATWIT_API bool statwit_flush(struct statwit_metrics *metrics, int timeout_ms);
/* Sends what is left, within close_timeout_ms, and ends the client. About 3 KiB stay behind for calls that
 * come late, so that closing needs no agreement with other threads. */
STATWIT_API void statwit_close(struct statwit_metrics *metrics);

/* The fate of what was emitted since statwit_open. All but the bytes count metrics, events and checks;
 * with the datadog backend what was sent and dropped after aggregation counts series. */
struct statwit_health {
    uint64_t metrics, events, checks; /* calls, without those sampled out */
    uint64_t sampled_out;
    uint64_t packets_sent, bytes_sent; /* datagrams or requests */
    uint64_t dropped_invalid;          /* key, value or option of the call */
    uint64_t dropped_large;            /* over the size that a datagram or request can have */
    uint64_t dropped_full;             /* queue_bytes waited already, or memory was out */
    uint64_t dropped_refused;          /* the socket or the server would not have it */
    uint64_t dropped_late;             /* after statwit_close, or not sent in time by it */
    uint64_t retries;                  /* of requests */
    uint64_t waiting_bytes;            /* in the queue now */
    char last_trouble[200];            /* empty: none */
};
STATWIT_API void statwit_health(struct statwit_metrics *metrics, struct statwit_health *health);

/* ---- ASSERTING: a recorder ---------------------------------------------------------------------------
 *
 * Threads: any. The calls on one recorder are done one after the other, so a thread that waits in an expectation keeps the
 *   others waiting. Give each thread a recorder of its own.
 * fork: the child may go on using the recorder, over a connection of its own.
 * Libraries: http:// needs none. The first call that needs https:// loads libcurl.so.4.
 */
struct statwit_recorder;

struct statwit_connect_options {
    /* NULL: STATWIT_TOKEN, else none. "": none. At most 16,384 bytes, without control characters. */
    const char *token;
    const char *ca_file; /* certificates to trust for https; NULL: STATWIT_CA_FILE, else the system's */
    int timeout_ms;      /* for one answer; 0: 30,000; -1: none */
};

/* url NULL: STATWIT_URL, else http://127.0.0.1:8125. Sends nothing yet: the first request tells whether a
 * server is there. The first session asks what the server is: STATWIT_PROTOCOL when it is no statwit, or one of
 * another API. options may be NULL. */
STATWIT_API struct statwit_recorder *statwit_recorder_connect(const char *url,
                                                              const struct statwit_connect_options *options,
                                                              struct statwit_error *error);
/* Where it is, without a trailing slash. Belongs to the recorder. */
STATWIT_API const char *statwit_recorder_url(const struct statwit_recorder *recorder);
/* Waits until the server says that it listens, at most timeout_ms (0: asks once). */
STATWIT_API int statwit_recorder_wait(struct statwit_recorder *recorder, int timeout_ms,
                                      struct statwit_error *error);
/* Ends the server as well when statwit_recorder_start started it. */
STATWIT_API void statwit_recorder_close(struct statwit_recorder *recorder);

/* Receives the body of a 2xx answer piece by piece; false ends the request early, which is no error. */
typedef bool (*statwit_chunk)(void *context, const char *bytes, size_t size);

struct statwit_request {
    const char *method; /* NULL: GET, or POST when there is a body */
    const char *path;   /* with the query: "/recorder/v1/series?type=count" */
    const void *body;   /* NULL: none */
    size_t size;
    const char *content_type; /* of the body; NULL: application/json */
    int timeout_ms;           /* 0: the recorder's; -1: none, and then only a lost connection ends it */
    statwit_chunk chunk; /* NULL: the body is collected in the response; else timeout_ms is for a silence */
    void *context;
};

struct statwit_response {
    int status;            /* HTTP */
    char *body;            /* NUL-terminated; empty when chunk took it */
    size_t size;           /* bytes, at most 256 MiB */
    char content_type[96]; /* empty when the server named none */
};

/* Any request to the recorder over its kept-alive connection. 0 as soon as there is an answer, whatever its
 * status: look at response->status. The response is to be freed; after -1 it is empty. A connection that the
 * server closed meanwhile is opened anew. */
STATWIT_API int statwit_request(struct statwit_recorder *recorder, const struct statwit_request *request,
                                struct statwit_response *response, struct statwit_error *error);
STATWIT_API void statwit_response_free(struct statwit_response *response);

/* Starts a private recorder: `statwit serve` on free ports of the loopback interface, its recording in
 * memory. The binary is the first of options->binary, STATWIT_BIN, `statwit` beside the running program,
 * `statwit` on PATH. It runs as `statwit serve --private`: no DD_* and no STATWIT_* variable of this program changes what it
 * does. It ends with statwit_recorder_close, and also when the program ends in any other way, kill -9 included. */
struct statwit_start_options {
    const char *binary;
    const char *db;               /* keep the recording in this file; NULL: in memory */
    const char *const *arguments; /* more for `statwit serve`, ended by NULL */
    int timeout_ms;               /* to be ready; 0: 60,000 */
};
STATWIT_API struct statwit_recorder *statwit_recorder_start(const struct statwit_start_options *options,
                                                            struct statwit_error *error);

/* ---- ASSERTING: sessions -----------------------------------------------------------------------------
 *
 * A session is an isolated part of a recording, with addresses and an API key of its own. Other sessions do not see what is
 * sent there.
 * Ownership: close a session before its recorder.
 * Threads: any; as with the recorder, calls are done one after the other.
 */
struct statwit_session;
/* Every function takes NULL for a recorder or session. Then it fails, and reports why the recorder or session could not be
 * opened. So a test may look at its assertions alone. */

struct statwit_session_options {
    const char *name;  /* NULL: the server finds one */
    bool unix_sockets; /* as well as UDP */
    int ttl_s;         /* removed by itself after so long; 0: never */
    /* "any": points over HTTP are kept however old or new they are, for frozen clocks; "datadog": those that Datadog
     * would drop are rejects; NULL: as the server was told. */
    const char *timestamps;
};
/* options may be NULL. */
STATWIT_API struct statwit_session *statwit_session_open(struct statwit_recorder *recorder,
                                                         const struct statwit_session_options *options,
                                                         struct statwit_error *error);
/* Uses a session that exists already; NULL is "default". Closing it removes nothing. */
STATWIT_API struct statwit_session *statwit_session_attach(struct statwit_recorder *recorder,
                                                           const char *name, struct statwit_error *error);
/* Removes the session with what it recorded. */
STATWIT_API void statwit_session_close(struct statwit_session *session);
/* Ends the session, and keeps what it recorded: --session '*' and the recorder's file have it. */
STATWIT_API void statwit_session_close_keep(struct statwit_session *session);
STATWIT_API const char *statwit_session_name(const struct statwit_session *session);
/* The value of a variable, such as "DD_DOGSTATSD_PORT", of the environment that makes an unmodified application send its
 * metrics to this session. NULL: no such variable. */
STATWIT_API const char *statwit_session_variable(const struct statwit_session *session, const char *variable);
/* Sets all these variables in the environment of this process, for statwit_open(NULL, …) or a child. It uses setenv, so no
 * other thread may read the environment meanwhile. */
STATWIT_API int statwit_session_export(const struct statwit_session *session, struct statwit_error *error);
/* Points the options at the session without touching the environment. Strings belong to the session; with NULL nothing will be
 * sent (the dummy backend). */
STATWIT_API void statwit_session_aim(const struct statwit_session *session, struct statwit_options *options);

/* A point in the recording, for statwit_expect_options.since and statwit_filter.since; -1 on error. */
STATWIT_API int64_t statwit_mark(struct statwit_session *session, struct statwit_error *error);
/* Forgets what the session recorded. */
STATWIT_API int statwit_reset(struct statwit_session *session, struct statwit_error *error);

/* ---- ASSERTING: expectations ------------------------------------------------------------------------- */

enum statwit_verdict {
    STATWIT_PASS,
    STATWIT_FAIL,
    STATWIT_INCONCLUSIVE, /* something was lost on the way that could have changed the verdict */
    STATWIT_ERROR,        /* there is no verdict: see the error */
};

/* As `since`: also what the recorder's file held when it started. */
#define STATWIT_EVERY_RUN (-1)

struct statwit_expect_options {
    int within_ms; /* judged again as data arrives, until all hold, or this is over */
    int settle_ms; /* also require this long without new data */
    int64_t since; /* a mark; 0: what the recorder recorded since it started; or STATWIT_EVERY_RUN */
    bool all_covered;
    bool no_rejects;         /* nothing was refused, as the expectation `no reject *` says */
    const char *prefix;      /* before every name */
    const char *ignore_tags; /* "env,host" */
    const char *file;        /* where the expectations came from, for the report */
    bool as_datadog; /* about what Datadog has once an Agent has flushed, as a line `as datadog` says */
};

struct statwit_result {
    const char *expectation;
    enum statwit_verdict verdict;
    const char *observed, *why; /* sentences; "" when there is nothing to say */
    /* Of names and tags; else NULL and 0. */
    const char *rule, *severity; /* of lint; error, warning, note */
    const char *name;            /* the metric's */
    const char *file;            /* of the catalog or snapshot */
    size_t line;
};

struct statwit_report {
    enum statwit_verdict verdict; /* of all: fail before inconclusive before pass */
    size_t n_results;
    struct statwit_result *results;
    const char *text; /* for a person: expected, observed, the closest series */
    const char *diff; /* of a snapshot: the lines that changed, with - and +; else "" */
    double waited_ms;
    void *document; /* private */
};

/* Judges expectations, one a line, in the language of statwit-expect(7):
 *
 *     incr login.attempt{instance:failure} sum == 1
 *
 * Returns 0 when there is a verdict, whatever it is. Free the report with statwit_report_free. After -1 it is empty, and its
 * verdict is STATWIT_ERROR. STATWIT_INVALID: an expectation is malformed, and the error shows where. */
STATWIT_API int statwit_expect(struct statwit_session *session, const char *expectations,
                               const struct statwit_expect_options *options, struct statwit_report *report,
                               struct statwit_error *error);
STATWIT_API void statwit_report_free(struct statwit_report *report);
/* Prints the report, or the error where there is none, on stderr unless the verdict is pass; returns the verdict. what:
 * "expectation", "catalog", …; file and line: of the test. */
STATWIT_API enum statwit_verdict statwit_report_show(const struct statwit_report *report,
                                                     const struct statwit_error *error, const char *what,
                                                     const char *file, int line);

/* statwit_assert(session, "incr a sum == 1") for programs with assert: prints the report on stderr, with file
 * and line, and aborts unless the verdict is pass. Never compiled out. CUnit: statwit_cunit.h. */
#define statwit_assert(session, expectations) statwit_assert_within(session, expectations, 0)
#define statwit_assert_within(session, expectations, within_ms)                                              \
    statwit_require(session, expectations, within_ms, __FILE__, __LINE__)
STATWIT_API void statwit_require(struct statwit_session *session, const char *expectations, int within_ms,
                                 const char *file, int line);
/* The same without abort: prints the report unless the verdict is pass, and returns the verdict. */
STATWIT_API enum statwit_verdict statwit_verify(struct statwit_session *session, const char *expectations,
                                                int within_ms, const char *file, int line);

/* One number of what was recorded: `what` is an expectation's text without its claim, `stat` a stat of statwit-expect(7).
 *
 *     double sum;
 *     statwit_expect_value(session, "incr login.attempt{instance:failure}", "sum", &sum);
 *
 * STATWIT_PASS: it is in *number. STATWIT_INCONCLUSIVE: so it is, as far as was received. STATWIT_FAIL: there is no value, as the
 * `last` of no samples. Then, and after STATWIT_ERROR, *number is NaN. All but a pass is told on stderr. The `status` of checks: 0 ok,
 * 1 warning, 2 critical, 3 unknown. */
STATWIT_API enum statwit_verdict statwit_expect_value(struct statwit_session *session, const char *what,
                                                      const char *stat, double *number);

/* ---- ASSERTING: names and tags -----------------------------------------------------------------------
 *
 * What the commands verify, lint, snapshot and diff say (statwit(1)), about a session. The reports are those of
 * statwit_expect; free them with statwit_report_free. Files are read by this process, relative to its working directory;
 * what a catalog includes is read too. STATWIT_INVALID: a file cannot be read or is malformed; the error says where.
 * Limits: 32 MiB a file, 256 files, 64 MiB of a snapshot, and 64 MiB of all that is sent.
 */
struct statwit_verify_options {
    int64_t since;           /* as in statwit_expect_options */
    bool strict;             /* what is declared and was not seen fails, too */
    const char *prefix;      /* before every name of the catalog */
    const char *ignore_tags; /* "env,host" */
    bool as_datadog;         /* as in statwit_expect_options */
};
/* Against a catalog: JSON (statwit-catalog(5)) or Datadog's metadata.csv. options may be NULL. */
STATWIT_API int statwit_verify_catalog(struct statwit_session *session, const char *catalog,
                                       const struct statwit_verify_options *options,
                                       struct statwit_report *report, struct statwit_error *error);

struct statwit_lint_options {
    int64_t since;
    bool strict;         /* warnings and notes fail, too */
    const char *catalog; /* whose "silence" lists hold; NULL: none */
    const char *silence; /* "reserved-key,key-spelling": rules that are left out */
    bool as_datadog;
};
/* Finds what Datadog would rewrite, drop or charge for. options may be NULL. */
STATWIT_API int statwit_lint(struct statwit_session *session, const struct statwit_lint_options *options,
                             struct statwit_report *report, struct statwit_error *error);

struct statwit_snapshot_options {
    int64_t since; /* as in statwit_expect_options; no mark with counts or values */
    bool counts, values;
    const char *mask; /* "user_id,request_id": keys whose values are left out */
    bool as_datadog;
};
/* What the session recorded as canonical text, to be kept beside a test; NULL on error, else to be given to free().
 * options may be NULL. */
STATWIT_API char *statwit_snapshot(struct statwit_session *session,
                                   const struct statwit_snapshot_options *options,
                                   struct statwit_error *error);
/* Compares with the snapshot in the file, taken in the way that its first line tells; of the options only since and as_datadog hold.
 *
 * With STATWIT_UPDATE set in the environment (and not 0) the file is written instead, and the verdict is pass: that
 * makes the first snapshot, by the options, and accepts changes, by the options where there are any, else by the file's
 * own. Where CI is set, nothing is written: STATWIT_INVALID. */
STATWIT_API int statwit_snapshot_check(struct statwit_session *session, const char *file,
                                       const struct statwit_snapshot_options *options,
                                       struct statwit_report *report, struct statwit_error *error);

/* One side of a comparison: exactly one of these. */
struct statwit_side {
    const char *session;  /* a name */
    const char *snapshot; /* a file */
    const char *catalog;  /* a file */
};

enum statwit_change_kind {
    STATWIT_ADDED,
    STATWIT_REMOVED,
    STATWIT_RENAMED,
    STATWIT_CHANGED, /* its types, tags or series; the texts say how */
};

struct statwit_change {
    enum statwit_change_kind kind;
    const char *name;
    const char *to;    /* of what was renamed; else NULL */
    double likelihood; /* of what was renamed: 0 to 1; else 0 */
};

struct statwit_diff {
    bool same; /* nothing changed */
    size_t n_changes;
    struct statwit_change *changes;
    const char *text, *markdown; /* for a terminal; for a pull request */
    void *document;              /* private */
};
/* 0 when they could be compared. The diff is to be freed; after -1 it is empty. */
STATWIT_API int statwit_diff(struct statwit_recorder *recorder, const struct statwit_side *a,
                             const struct statwit_side *b, struct statwit_diff *diff,
                             struct statwit_error *error);
STATWIT_API void statwit_diff_free(struct statwit_diff *diff);

/* ---- ASSERTING: lists --------------------------------------------------------------------------------
 *
 * Ownership: a list owns all that it points to; statwit_list_free. After -1 it is empty.
 * Limits: 1,000,000 rows.
 */
struct statwit_filter {
    const char *name;               /* a glob */
    const char *type;               /* count gauge timing histogram distribution set rate */
    const struct statwit_tag *tags; /* all of them; a NULL value: any value or none */
    const char *source;             /* udp unixgram unixstream http */
    int64_t since;                  /* a mark */
    int limit;                      /* rows; 0: all */
};

struct statwit_series {
    const char *name, *type, *host; /* host NULL: none */
    size_t n_tags;
    const char **tags; /* "key:value" */
    uint64_t samples;
    double count, sum, min, max, last; /* NaN: none, as for sets */
    const char *first_at, *last_at;    /* RFC 3339 */
};

struct statwit_sample {
    uint64_t id;
    const char *name, *type, *host, *source, *received_at;
    double value;     /* NaN for sets */
    const char *text; /* of sets; else NULL */
    double sample_rate;
    size_t n_tags;
    const char **tags;   /* as received */
    int64_t timestamp_s; /* 0: none */
};

struct statwit_reject {
    uint64_t id;
    const char *reason; /* a word */
    const char *detail; /* a sentence */
    const char *text;   /* the line */
    size_t offset;      /* of the byte in it where reading failed */
};

struct statwit_list {
    size_t n;
    struct statwit_series *series;  /* of statwit_list_series */
    struct statwit_sample *samples; /* of statwit_list_samples, newest last */
    struct statwit_reject *rejects; /* of statwit_list_rejects */
    void *pages;                    /* private */
};

/* filter may be NULL. */
STATWIT_API int statwit_list_series(struct statwit_session *session, const struct statwit_filter *filter,
                                    struct statwit_list *list, struct statwit_error *error);
STATWIT_API int statwit_list_samples(struct statwit_session *session, const struct statwit_filter *filter,
                                     struct statwit_list *list, struct statwit_error *error);
STATWIT_API int statwit_list_rejects(struct statwit_session *session, const struct statwit_filter *filter,
                                     struct statwit_list *list, struct statwit_error *error);
STATWIT_API void statwit_list_free(struct statwit_list *list);

/* The losses that the recorder has counted since it started, in all sessions. */
struct statwit_losses {
    uint64_t kernel_drop, truncated, queue_full, disk_full, evicted, series_limit;
};
STATWIT_API int statwit_recorder_losses(struct statwit_recorder *recorder, struct statwit_losses *losses,
                                        struct statwit_error *error);

#ifdef __cplusplus
#pragma GCC diagnostic pop
}
#endif

#endif
