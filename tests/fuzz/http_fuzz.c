/* The HTTP layer: raw bytes of a connection, given to the whole server (in memory, in this process) through a socket pair.
 *
 * Whatever they are, every answer has a status that is not 500 (which means "our fault"), and once the client has gone
 * nothing of it is left: no request counted, no connection kept.
 */
#include "command/routes.h"
#include "core/clock.h"
#include "core/log.h"
#include "http/fault.h"
#include "http/http.h"
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RUNS_OF_A_SERVER 2000            /* sessions and samples of earlier runs add up */
#define QUIET_MS         200             /* an answer that still waits for something: the client goes */
#define GONE_NS          (50 * NS_PER_S) /* less than what libFuzzer grants an input */

static struct {
    struct store *store;
    struct pipeline *pipeline;
    struct ingest *ingest;
    struct http *http;
    unsigned runs;
} server;

static void die(const char *what, const char *text) {
    fprintf(stderr, "http_fuzz: %s: %s\n", what, text);
    abort();
}

static void stop(void) {
    http_stop(server.http);
    ingest_stop(server.ingest);
    pipeline_free(server.pipeline);
    store_close(server.store);
}

static void start(void) {
    struct err err = {0};
    struct store_options store = {.path = ":memory:", .keep_datagrams = true};
    struct ingest_options ingest = {.listen = {.bind = "127.0.0.1"}, .quiet = true};
    struct http_options http = {.n_tables = n_served_routes, .tables = served_routes, .bind = "127.0.0.1"};
    log_set_level(LOG_ERROR);
    if (!(server.store = store_open(&store, &err)) ||
        !(server.pipeline = pipeline_new(server.store, PIPELINE_CAP_MIN, &err)) ||
        !(server.ingest = ingest_start(server.store, server.pipeline, &ingest, &err)) ||
        !(server.http = http_start(server.store, server.pipeline, server.ingest, &http, &err)))
        die("start", err.text);
}

static int open_connection(void) {
    int fds[2];
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(1)};
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
        die("socketpair", strerror(errno));
    if (MHD_add_connection(server.http->daemons[0], fds[1], (struct sockaddr *)&from, sizeof from) != MHD_YES)
        die("MHD_add_connection", strerror(errno));
    return fds[0];
}

/* Sends it all, reading meanwhile; the beginning of what was answered stands in `answer`. */
static size_t talk(int fd, const uint8_t *data, size_t size, char *answer, size_t cap) {
    size_t sent = 0, got = 0;
    bool open = true;
    while (open) {
        struct pollfd ready = {fd, (short)(POLLIN | (sent < size ? POLLOUT : 0)), 0};
        if (poll(&ready, 1, QUIET_MS) <= 0)
            break;
        if (ready.revents & POLLOUT) {
            ssize_t n = send(fd, data + sent, size - sent, MSG_NOSIGNAL);
            sent = n < 0 ? size : sent + (size_t)n;
            if (sent == size)
                shutdown(fd, SHUT_WR);
        }
        if (ready.revents & ~POLLOUT) {
            char piece[65536];
            ssize_t n = recv(fd, piece, sizeof piece, 0);
            open = n > 0 || (n < 0 && errno == EAGAIN);
            if (n > 0 && got < cap) {
                size_t kept = (size_t)n < cap - got ? (size_t)n : cap - got;
                memcpy(answer + got, piece, kept);
                got += kept;
            }
        }
    }
    close(fd);
    return got;
}

static bool is_idle(struct http *h) {
    pthread_mutex_lock(&h->links_lock);
    bool idle = h->links == NULL && h->n_active == 0;
    pthread_mutex_unlock(&h->links_lock);
    return idle;
}

static void forget_faults(struct faults *f) {
    pthread_mutex_lock(&f->lock);
    f->n_rules = f->n_drops = 0;
    pthread_mutex_unlock(&f->lock);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (server.runs == 0) {
        start();
        atexit(stop);
    } else if (server.runs % RUNS_OF_A_SERVER == 0) {
        stop();
        start();
    }
    server.runs++;
    char answer[16];
    size_t n = talk(open_connection(), data, size, answer, sizeof answer - 1);
    answer[n] = '\0';
    int status = 0;
    if (n >= 13 && (sscanf(answer, "HTTP/1.%*d %d", &status) != 1 || status < 200 || status == 500))
        die("answered", answer);
    int64_t until = clock_mono_ns() + GONE_NS;
    while (!is_idle(server.http)) {
        if (clock_mono_ns() > until)
            die("the client is gone", "its request is not");
        sched_yield();
    }
    forget_faults(server.http->faults);
    return 0;
}
