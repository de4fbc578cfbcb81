#include "command/recorder.h"

#include "command/command.h"
#include "command/forwarding.h"
#include "command/routes.h"
#include "core/clock.h"
#include "core/folder.h"
#include "core/json.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/random.h"
#include "core/version.h"
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SLOW_STOP_NS NS_PER_S /* a stop that takes longer says so */
/* Bytes of the queue that nobody gave a size. */
#define QUEUE_LEAST ((uint64_t)256 << 20)
#define QUEUE_MOST  ((uint64_t)(SIZE_MAX > UINT32_MAX ? 2048 : 256) << 20) /* less where addresses are few */

static bool address_is_loopback(const struct sockaddr *address) {
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 == 127;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static bool is_run(const struct options *o) {
    return option_groups_have(&o->command->groups, TAKES_RUN);
}

/* Whether only this host can reach it. A name that doesn't resolve is an error of who binds to it, not of
 * ours. */
static bool bind_is_loopback(const char *bind) {
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE}, *list = NULL;
    if (getaddrinfo(bind, "0", &hints, &list) != 0)
        return true;
    bool loopback = true;
    for (const struct addrinfo *at = list; at; at = at->ai_next)
        loopback = loopback && address_is_loopback(at->ai_addr);
    freeaddrinfo(list);
    return loopback;
}

static const char *bind_of(const struct options *o) {
    bool wide = option_on(o, OPT_NON_LOCAL) && o->value[OPT_NON_LOCAL].from >= o->value[OPT_BIND].from;
    return wide ? "0.0.0.0" : option_text(o, OPT_BIND);
}

/* The token to ask for, or NULL. */
static int choose_token(struct recorder *r, const struct options *o, const char **token, struct err *err) {
    const char *given = option_text(o, OPT_TOKEN);
    *token = option_on(o, OPT_NO_TOKEN) || !given || !given[0] ? NULL : given;
    if (*token || bind_is_loopback(bind_of(o)))
        return 0;
    if (option_on(o, OPT_NO_TOKEN)) {
        log_warning("whoever can reach %s may read and change the recordings (--no-token)", bind_of(o));
        return 0;
    }
    *token = r->token;
    return random_hex(r->token, sizeof r->token - 1) == 0 ? 0
                                                          : err_set(err, errno, "cannot make a random token");
}

/* --socket: both kinds in a directory that only this user can enter. */
static int private_sockets(struct recorder *r, struct ingest_listen *listen, char paths[2][128],
                           struct err *err) {
    if (folder_private(folder_temporary(FOLDER_OF_SOCKETS_MAX), "the sockets", r->folder, sizeof r->folder,
                       err) != 0)
        return -1;
    snprintf(paths[0], 128, "%s/dogstatsd.sock", r->folder);
    snprintf(paths[1], 128, "%s/dogstatsd-stream.sock", r->folder);
    if (!listen->unixgram)
        listen->unixgram = paths[0];
    if (!listen->unixstream)
        listen->unixstream = paths[1];
    return 0;
}

/* A burst waits in memory rather than being lost, where there is much of it. Where there is little it never takes more than half. */
static size_t queue_memory(const struct options *o) {
    uint64_t limit = memory_limit(""), share = limit / 8;
    uint64_t least = limit / 2 < QUEUE_LEAST ? limit / 2 : QUEUE_LEAST;
    if (option_given(o, OPT_QUEUE_MEMORY))
        return (size_t)option_number(o, OPT_QUEUE_MEMORY);
    if (limit == UINT64_MAX) /* nothing tells */
        return QUEUE_LEAST;
    return (size_t)(share < least ? least : share > QUEUE_MOST ? QUEUE_MOST : share);
}

static int start_store(struct recorder *r, const struct options *o, struct err *err) {
    struct store_options store = {
        .path = option_text(o, OPT_DB),
        .keep_datagrams = option_on(o, OPT_KEEP_DATAGRAMS),
        .retention_age_ns = option_number(o, OPT_RETENTION_AGE),
        .retention_samples = (uint64_t)option_number(o, OPT_RETENTION_SAMPLES),
        .retention_bodies = (uint64_t)option_number(o, OPT_RETENTION_BODIES),
        .max_series = (uint64_t)option_number(o, OPT_MAX_SERIES),
        .load_later = !is_run(o),
    };
    r->store = store_open(&store, err);
    /* Not judged by what an earlier one left. */
    if (r->store && is_run(o) && !store_is_new(r->store) && store_empty(r->store, err) != 0)
        return -1;
    if (r->store)
        store_earlier(r->store, 0, &r->earlier);
    r->pipeline = r->store ? pipeline_new(r->store, queue_memory(o), err) : NULL;
    return r->pipeline ? 0 : -1;
}

/* "env:ci team:x" or "env:ci,team:x". */
static int constant_tags(struct recorder *r, const char *text, struct dogstatsd_options *decode,
                         struct err *err) {
    decode->constant_tags = r->constant_tags;
    for (const char *at = text; at && *at; at += strspn(at, ", ")) {
        size_t n = strcspn(at, ", ");
        if (decode->n_constant_tags == DOGSTATSD_CONSTANT_TAGS_MAX)
            return err_set(err, 0, "--dogstatsd-tags holds more than %d tags", DOGSTATSD_CONSTANT_TAGS_MAX);
        if (n)
            r->constant_tags[decode->n_constant_tags++] = span_of(at, n);
        at += n;
    }
    return 0;
}

static int start_forward(struct recorder *r, const struct options *o, struct err *err) {
    struct dogstatsd_options decode = {.ignore_origin = option_on(o, OPT_IGNORE_ORIGIN)};
    if (agent_histogram_read(&r->histograms, option_text(o, OPT_HISTOGRAM_AGGREGATES),
                             option_text(o, OPT_HISTOGRAM_PERCENTILES), err) != 0)
        return -1;
    return constant_tags(r, option_text(o, OPT_DOGSTATSD_TAGS), &decode, err) == 0
               ? forwarding_start(o, &decode, &r->histograms, &r->forward, err)
               : -1;
}

static int start_ingest(struct recorder *r, const struct options *o, struct err *err) {
    char paths[2][128];
    struct ingest_options ingest = {
        .listen = {.bind = bind_of(o),
                   .udp_port = (int)option_number(o, OPT_DOGSTATSD_PORT),
                   .unixgram = option_text(o, OPT_DOGSTATSD_SOCKET),
                   .unixstream = option_text(o, OPT_DOGSTATSD_STREAM_SOCKET)},
        .first_port = (int)(option_number(o, OPT_SESSION_PORTS) >> 16),
        .last_port = (int)(option_number(o, OPT_SESSION_PORTS) & 0xffff),
        .so_rcvbuf = (size_t)option_number(o, OPT_SO_RCVBUF),
        .decode = {.ignore_origin = option_on(o, OPT_IGNORE_ORIGIN)},
        .any_age = strcmp(option_text(o, OPT_TIMESTAMPS), "any") == 0 ||
                   (option_on(o, OPT_FAKEINTAKE) && o->value[OPT_TIMESTAMPS].from == FROM_DEFAULT),
        .quiet = option_on(o, OPT_QUIET),
        .on_datagram = r->forward ? forwarding_datagram : NULL,
        .on_datagram_arg = r->forward,
    };
    if (constant_tags(r, option_text(o, OPT_DOGSTATSD_TAGS), &ingest.decode, err) != 0)
        return -1;
    if (option_on(o, OPT_SOCKET) && private_sockets(r, &ingest.listen, paths, err) != 0)
        return -1;
    r->ingest = ingest_start(r->store, r->pipeline, &ingest, err);
    return r->ingest ? ingest_session_find(r->ingest, SPAN("default"), &r->session, err) : -1;
}

/* The doubles that --fakeintake and --auto-sessions stand in for give bodies back. */
static bool keeps_bodies(const struct options *o) {
    return option_on(o, OPT_KEEP_BODIES) || option_on(o, OPT_FAKEINTAKE) || option_on(o, OPT_AUTO_SESSIONS);
}

static int start_http(struct recorder *r, const struct options *o, struct err *err) {
    struct http_options http = {
        .n_tables = n_served_routes,
        .tables = served_routes,
        .bind = bind_of(o),
        .port = (int)option_number(o, OPT_HTTP_PORT),
        .tls_cert = option_text(o, OPT_TLS_CERT),
        .tls_key = option_text(o, OPT_TLS_KEY),
        .n_tls_hosts = o->list[OPT_TLS_SELF_SIGNED].n,
        .tls_hosts = o->list[OPT_TLS_SELF_SIGNED].texts,
        .n_api_keys = o->list[OPT_API_KEY].n,
        .api_keys = o->list[OPT_API_KEY].texts,
        .n_allowed_hosts = o->list[OPT_ALLOW_HOST].n,
        .allowed_hosts = o->list[OPT_ALLOW_HOST].texts,
        .advertise = option_text(o, OPT_ADVERTISE),
        .accept_no_key = option_on(o, OPT_ACCEPT_NO_KEY) || option_on(o, OPT_FAKEINTAKE),
        .strict_intake = option_on(o, OPT_STRICT_INTAKE),
        .fakeintake = option_on(o, OPT_FAKEINTAKE),
        .auto_sessions = option_on(o, OPT_AUTO_SESSIONS),
        .keep_bodies = keeps_bodies(o),
        .forward = r->forward,
        .histograms = &r->histograms,
        .raw_queries = option_on(o, OPT_RAW_QUERIES),
    };
    if (choose_token(r, o, &http.token, err) != 0)
        return -1;
    r->http = http_start(r->store, r->pipeline, r->ingest, &http, err);
    if (!r->http)
        return -1;
    struct environment_reach reach;
    environment_reach(r->http, (struct span){NULL, 0}, &reach);
    environment_make(&r->environment, &r->session, &reach);
    if (is_run(o))
        environment_add(&r->environment, "STATWIT_TOKEN", r->token);
    return 0;
}

struct recorder *recorder_start(const struct options *o, struct err *err) {
    struct recorder *r = calloc(1, sizeof *r);
    if (!r) {
        err_set(err, ENOMEM, "cannot start");
        return NULL;
    }
    if (start_store(r, o, err) == 0 && start_forward(r, o, err) == 0 && start_ingest(r, o, err) == 0 &&
        start_http(r, o, err) == 0 &&
        forwarding_check(r->forward, &r->session.at, http_port(r->http), err) == 0)
        return r;
    recorder_stop(r);
    return NULL;
}

/* Says so when stopping takes long, whatever it is that does. */
struct patience {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool is_over;
};

static void *lose_patience(void *arg) {
    struct patience *p = arg;
    int64_t until_ns = clock_mono_ns() + SLOW_STOP_NS;
    struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};
    pthread_mutex_lock(&p->lock);
    while (!p->is_over && pthread_cond_timedwait(&p->over, &p->lock, &until) == 0) {
    }
    if (!p->is_over)
        log_warning(
            "still stopping: the recorder stores what it has received; after %d s in all it counts the rest "
            "as lost",
            (int)((INGEST_END_NS + NS_PER_S - 1) / NS_PER_S));
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static bool patience_start(struct patience *p) {
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->over, &attr);
    pthread_condattr_destroy(&attr);
    p->is_over = false;
    return pthread_create(&p->thread, NULL, lose_patience, p) == 0;
}

static void patience_end(struct patience *p, bool started) {
    pthread_mutex_lock(&p->lock);
    p->is_over = true;
    pthread_cond_signal(&p->over);
    pthread_mutex_unlock(&p->lock);
    if (started)
        pthread_join(p->thread, NULL);
    pthread_cond_destroy(&p->over);
    pthread_mutex_destroy(&p->lock);
}

/* What was sent before the end is marked first: then answering, which may take a while, keeps nothing coming in. */
static void stop_all(struct recorder *r) {
    if (r->ingest)
        ingest_end(r->ingest);
    if (r->http)
        http_stop(r->http);
    if (r->ingest)
        ingest_stop(r->ingest);
    forward_stop(r->forward);
    if (r->pipeline && pipeline_unsaved_loss(r->pipeline))
        store_spoil_run(r->store);
    if (r->pipeline)
        pipeline_free(r->pipeline);
    if (r->store)
        store_close(r->store);
}

void recorder_stop(struct recorder *r) {
    if (!r)
        return;
    struct patience patience;
    bool started = patience_start(&patience);
    stop_all(r);
    patience_end(&patience, started);
    if (r->folder[0])
        rmdir(r->folder);
    free(r);
}

void recorder_ready_json(const struct recorder *r, struct buf *b) {
    char recording[RECORDING_NAME_SIZE];
    store_recording(r->store, recording);
    buf_printf(b,
               "{\"ready\":true,\"version\":\"" STATWIT_SERVER_VERSION "\",\"api\":%d,\"pid\":%d,\"http\":",
               STATWIT_API_NUMBER, (int)getpid());
    json_put_string(b, span_str(http_url(r->http)));
    buf_str(b, ",\"dogstatsd\":");
    environment_dogstatsd_json(&r->session.at, b);
    buf_str(b, ",\"db\":");
    json_put_string(b, span_str(store_path(r->store)));
    buf_printf(b,
               ",\"recording\":\"%s\",\"earlier\":{\"records\":%" PRIu64 ",\"samples\":%" PRIu64
               ",\"sessions\":%" PRIu64 "}",
               recording, r->earlier.records, r->earlier.samples, r->earlier.sessions);
    buf_str(b, ",\"session\":");
    json_put_string(b, span_str(r->session.name));
    buf_str(b, ",\"env\":");
    environment_json(&r->environment, b);
    buf_char(b, '}');
}
