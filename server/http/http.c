/* DESIGN. Starting goes from what nobody sees to what everybody sees: watch thread, sockets, daemons.
 * Stopping goes the other way round: take no more connections, wake all who sleep, give what is in flight a
 * moment, end. New connections are closed as they come, for MHD_quiesce_daemon, which would leave them waiting,
 * races with the workers' epolls (0.9.75 and later) and then ends the process.
 */
#include "http/http.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/random.h"
#include "http/certificate.h"
#include "http/exchange.h"
#include "http/fault.h"
#include "http/listen.h"
#include "http/park.h"
#include "http/server.h"
#include "http/watch.h"
#include "http/work.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEM_MAX       (1 << 20)      /* bytes of a certificate or key file */
#define STOP_GRACE_NS (2 * NS_PER_S) /* for slow clients, since stopping began; */
#define STOP_LAST_NS  (NS_PER_S / 2) /* so long they have at least */
#define THREAD_STACK  (4 << 20)      /* touched only as far as it is used; jansson goes 2,048 levels deep */

static void log_mhd(void *cls, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void log_mhd(void *cls, const char *format, va_list args) {
    (void)cls;
    char text[512];
    int n = vsnprintf(text, sizeof text, format, args);
    while (n > 0 && n < (int)sizeof text && text[n - 1] == '\n')
        text[--n] = '\0';
    log_debug("http: %s", text);
}

/* A whole file as a string; NULL with err. */
static char *read_pem(const char *path, struct err *err) {
    struct buf text;
    struct err why = {0};
    if (file_read(path, PEM_MAX, &text, &why) == 0 && text.n > 0)
        return text.p;
    if (why.set && !text.failed)
        err_set(err, 0, "%s", why.text);
    else
        err_set(err, 0, "%s is not a PEM file: %s", path, text.failed ? "larger than 1 MiB" : "empty");
    buf_free(&text);
    return NULL;
}

static enum MHD_Result take_connection(void *cls, const struct sockaddr *address, socklen_t n) {
    (void)address;
    (void)n;
    const struct http *h = cls;
    return h->stopping ? MHD_NO : MHD_YES;
}

static int start_daemon(struct http *h, int fd, const char *cert, const char *key, struct err *err) {
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     (cert ? MHD_USE_TLS : 0u);
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)log_mhd, NULL}, /* first, so that the others can complain */
        {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
        {MHD_OPTION_THREAD_POOL_SIZE, HTTP_THREADS, NULL},
        {MHD_OPTION_THREAD_STACK_SIZE, THREAD_STACK, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, HTTP_IDLE_S, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_HEADER_MEMORY, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)exchange_begin, h},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)exchange_end, h},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)exchange_connection, h},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {cert ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, (void *)cert},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)key},
        {MHD_OPTION_END, 0, NULL},
    };
    errno = 0;
    struct MHD_Daemon *daemon = MHD_start_daemon(flags, 0, take_connection, h, exchange_step, h,
                                                 MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    if (!daemon) {
        int sys = cert && errno != EAGAIN ? 0 : errno; /* GnuTLS leaves any */
        close(fd);
        return err_set(
            err, sys, "cannot start the HTTP server%s",
            cert && !sys ? ": is the certificate a PEM file and the key the one that belongs to it?" : "");
    }
    h->daemons[h->n_daemons++] = daemon;
    return 0;
}

/* Without descriptors libmicrohttpd takes no connections until one of its own ends: a part is left for those. */
static size_t parked_max(void) {
    struct rlimit files;
    size_t most = getrlimit(RLIMIT_NOFILE, &files) == 0 ? (size_t)files.rlim_cur / 4 * 3 : 0;
    return most < HTTP_PARKED_MAX ? most : HTTP_PARKED_MAX;
}

static int start_daemons(struct http *h, struct err *err) {
    const struct http_options *o = &h->options;
    char *cert = NULL, *key = NULL;
    int fds[HTTP_LISTEN_MAX], n = -1, started = 0;
    if (o->n_tls_hosts
            ? certificate_make(o->n_tls_hosts, o->tls_hosts, HTTP_CA_FILE, &cert, &key, err) == 0
            : !o->tls_cert || ((cert = read_pem(o->tls_cert, err)) && (key = read_pem(o->tls_key, err))))
        n = listen_tcp(o->bind, o->port, cert ? "https" : "http", fds, HTTP_LISTEN_MAX, &h->port,
                       &h->loopback, h->url, sizeof h->url, err);
    bool parks = !cert;
    for (; started < n; started++)
        if (start_daemon(h, fds[started], cert, key, err) != 0)
            break;
    for (int i = started + 1; i < n; i++)
        close(fds[i]);
    free(cert);
    free(key);
    if (n <= 0 || started < n)
        return -1;
    h->parked_max = parked_max();
    h->last_ns = HTTP_LAST_MS * NS_PER_MS;
    h->still_ns = HTTP_STILL_MS * NS_PER_MS;
    h->stand_in = parks ? socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1; /* last */
    return 0;
}

static void session_ended(void *arg, uint64_t session_id) {
    watch_forget(arg, session_id);
}

/* 36 characters, of which 32 are random hexadecimal digits but for the version and the variant; without randomness, zeros. */
static void make_fakeintake_id(char id[37]) {
    char digits[33] = "00000000000000000000000000000000";
    random_hex(digits, 32);
    snprintf(id, 37, "%.8s-%.4s-4%.3s-8%.3s-%.12s", digits, digits + 8, digits + 13, digits + 17,
             digits + 20);
}

/* No job runs before there is a watch. */
static void tell_watch(void *arg) {
    const struct http *h = arg;
    watch_hear(h->watch);
}

struct http *http_start(struct store *store, struct pipeline *pipeline, struct ingest *ingest,
                        const struct http_options *options, struct err *err) {
    struct http *h = calloc(1, sizeof *h);
    if (!h) {
        err_set(err, ENOMEM, "cannot start the HTTP server");
        return NULL;
    }
    h->store = store;
    h->pipeline = pipeline;
    h->ingest = ingest;
    h->options = *options;
    h->started_at = clock_wall_ns();
    h->started_mono_ns = clock_mono_ns();
    pthread_mutex_init(&h->links_lock, NULL);
    pthread_mutex_init(&h->windows_lock, NULL);
    pthread_mutex_init(&h->kept_lock, NULL);
    pthread_mutex_init(&h->memos_lock, NULL);
    h->stand_in = -1;
    make_fakeintake_id(h->fakeintake_id);
    if ((h->faults = fault_new(err)) && (h->work = work_start(tell_watch, h, err)) &&
        (h->watch = watch_start(h, err)) && start_daemons(h, err) == 0) {
        ingest_on_session_end(ingest, session_ended, h);
        return h;
    }
    http_stop(h);
    return NULL;
}

/* Whoever is held is let go soon: by the pipeline, the workers or the watch. Then answers are sent, some to slow
 * clients. */
static void wait_for_answers(struct http *h, int64_t begun_ns) {
    struct timespec moment = {.tv_nsec = NS_PER_MS};
    while (h->n_held > 0)
        nanosleep(&moment, NULL);
    http_park_end(h);
    int64_t until = begun_ns + STOP_GRACE_NS, at_least = clock_mono_ns() + STOP_LAST_NS;
    if (until < at_least)
        until = at_least;
    while (h->n_held > 0 || (h->n_active > 0 && clock_mono_ns() < until))
        nanosleep(&moment, NULL);
}

void http_stop(struct http *h) {
    if (!h)
        return;
    int64_t begun_ns = clock_mono_ns();
    h->stopping = true;
    if (h->watch)
        watch_stop(h->watch);
    work_stop(h->work);
    wait_for_answers(h, begun_ns);
    for (size_t i = 0; i < h->n_daemons; i++)
        MHD_stop_daemon(h->daemons[i]);
    if (h->stand_in >= 0)
        close(h->stand_in);
    ingest_on_session_end(h->ingest, NULL, NULL);
    watch_free(h->watch);
    work_free(h->work);
    fault_free(h->faults);
    pthread_mutex_destroy(&h->links_lock);
    pthread_mutex_destroy(&h->windows_lock);
    pthread_mutex_destroy(&h->kept_lock);
    pthread_mutex_destroy(&h->memos_lock);
    if (h->memos)
        h->memos_free(h->memos);
    for (size_t i = 0; i < HTTP_KEPT; i++) {
        free(h->kept[i].question);
        free(h->kept[i].list);
    }
    free(h);
}

const char *http_url(const struct http *h) {
    return h->url;
}

int http_port(const struct http *h) {
    return h->port;
}

uint64_t http_keyless(const struct http *h) {
    return h->n_keyless;
}
