/* statwit view: the live page on one or two recordings that nobody is changing.
 *
 * The files are only read. The HTTP server also needs a writer and its sessions: those are of an empty recording in memory, which
 * listens nowhere. */
#include "command/commands.h"
#include "control/control.h"
#include "core/log.h"
#include "http/http.h"
#include "page/page.h"
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define QUEUE_BYTES ((size_t)16 << 20) /* nothing is ever in it */

static const struct route_table *const tables[] = {&control_routes, &page_routes};

struct viewing {
    struct store *looked_at, *empty;
    struct pipeline *pipeline;
    struct ingest *ingest;
    struct http *http;
};

static int start(struct viewing *v, const struct options *o, struct err *err) {
    const char *const *paths = (const char *const *)o->args;
    const struct store_options in_memory = {.path = ":memory:"};
    const struct ingest_options nowhere = {.listen = {.bind = "127.0.0.1", .udp_port = -1}, .quiet = true};
    const struct http_options http = {.n_tables = sizeof tables / sizeof tables[0],
                                      .tables = tables,
                                      .bind = "127.0.0.1",
                                      .port = (int)option_number(o, OPT_PORT),
                                      .view = (int)o->n_args};
    if (!(v->looked_at = store_open_view(paths, (size_t)o->n_args, err)) ||
        !(v->empty = store_open(&in_memory, err)) ||
        !(v->pipeline = pipeline_new(v->empty, QUEUE_BYTES, err)) ||
        !(v->ingest = ingest_start(v->empty, v->pipeline, &nowhere, err)))
        return -1;
    v->http = http_start(v->looked_at, v->pipeline, v->ingest, &http, err);
    return v->http ? 0 : -1;
}

static void stop(struct viewing *v) {
    http_stop(v->http);
    if (v->ingest)
        ingest_stop(v->ingest);
    if (v->pipeline)
        pipeline_free(v->pipeline);
    store_close(v->empty);
    store_close(v->looked_at);
}

/* In a group of its own: the Ctrl-C that ends us is not for the browser. */
static void open_browser(const char *url, const sigset_t *mask) {
    const char *browser = getenv("BROWSER");
    char *argv[] = {browser && browser[0] ? (char *)browser : "xdg-open", (char *)url, NULL};
    posix_spawnattr_t how;
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&how, mask);
    pid_t pid;
    int failed = posix_spawnp(&pid, argv[0], NULL, &how, argv, environ);
    posix_spawnattr_destroy(&how);
    if (failed)
        log_warning("cannot start %s (%s): open %s in a browser", argv[0], strerror(failed), url);
}

/* A program reads the URL alone. */
static int announce(const struct viewing *v, const struct options *o, struct err *err) {
    const char *url = http_url(v->http);
    if (isatty(STDOUT_FILENO))
        printf("statwit shows %s at\n\n  %s/\n\nCtrl-C ends it.\n", store_path(v->looked_at), url);
    else
        printf("%s/\n", url);
    if (fflush(stdout) != 0 || ferror(stdout))
        return err_set(err, errno, "cannot write to stdout");
    struct reader *r = store_reader_take(v->looked_at, err);
    const char *note = r ? r->ops->note(r) : NULL;
    if (note && !option_on(o, OPT_QUIET))
        log_info("%s %s", store_path(v->looked_at), note);
    if (r)
        store_reader_give(v->looked_at, r);
    return r ? 0 : -1;
}

int view_command(const struct options *o) {
    struct viewing v = {0};
    struct err err = {0};
    sigset_t ending, before;
    int number;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGHUP);
    sigprocmask(SIG_BLOCK, &ending, &before);
    signal(SIGPIPE, SIG_IGN);
    int status = EXIT_PASS;
    if (start(&v, o, &err) != 0 || announce(&v, o, &err) != 0) {
        log_error("%s", err.text);
        status = EXIT_CANNOT;
    } else {
        char url[200];
        snprintf(url, sizeof url, "%s/", http_url(v.http));
        if (option_on(o, OPT_OPEN))
            open_browser(url, &before);
        sigwait(&ending, &number);
    }
    stop(&v);
    return status;
}
