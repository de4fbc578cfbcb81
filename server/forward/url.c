/* A URL becomes a target with a thread. */
#include "forward/private.h"

#include <string.h>

static const struct {
    const char *scheme;
    enum forward_kind kind;
    bool keeps_scheme; /* of what is asked for */
    size_t skip;
} schemes[] = {
    {"udp://", FORWARD_UDP, false, 6},
    {"unixstream://", FORWARD_UNIXSTREAM, false, 13},
    {"unixgram://", FORWARD_UNIXGRAM, false, 11},
    {"unix://", FORWARD_UNIXGRAM, false, 7},
    {"https://", FORWARD_HTTP, true, 0},
    {"http://", FORWARD_HTTP, true, 0},
    {"agent+https://", FORWARD_AGENT, true, 6},
    {"agent+http://", FORWARD_AGENT, true, 6},
};

static int read_url(struct forward_target *t, const char *url, struct err *err) {
    size_t i = 0, n = sizeof schemes / sizeof schemes[0];
    while (i < n && strncmp(url, schemes[i].scheme, strlen(schemes[i].scheme)) != 0)
        i++;
    if (i == n)
        return err_set(err, 0,
                       "--forward takes udp://HOST:PORT, unix://PATH, unixstream://PATH, https://HOST or "
                       "agent+https://HOST, not '%.100s'",
                       url);
    const char *rest = url + strlen(schemes[i].scheme);
    if (!rest[0])
        return err_set(err, 0, "--forward %s names no %s", url,
                       schemes[i].kind == FORWARD_UNIXGRAM || schemes[i].kind == FORWARD_UNIXSTREAM ? "path"
                                                                                                    : "host");
    const char *at = strchr(rest, '@');
    if (schemes[i].keeps_scheme && at && at < rest + strcspn(rest, "/?#"))
        return err_set(err, 0, "--forward takes no user and no password in a URL");
    if (schemes[i].keeps_scheme && strpbrk(rest, "?#"))
        return err_set(err, 0,
                       "--forward takes a URL without a query: an API key is given as "
                       "STATWIT_FORWARD_API_KEY or --forward-api-key-file");
    t->kind = schemes[i].kind;
    t->url = strdup(url);
    if (!t->url)
        return err_set(err, 0, "out of memory");
    size_t length = strlen(t->url);
    while (schemes[i].keeps_scheme && t->url[length - 1] == '/')
        t->url[--length] = '\0';
    t->where = t->url + schemes[i].skip;
    return 0;
}

static void init_lock(struct forward_target *t) {
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, &attr);
    pthread_condattr_destroy(&attr);
}

static int prepare(struct forward_target *t, struct err *err) {
    if (t->kind == FORWARD_UDP)
        return datagram_connect_udp(t, err);
    if (t->kind == FORWARD_HTTP || t->kind == FORWARD_AGENT)
        return request_prepare(err);
    return 0;
}

struct forward_target *target_new(struct forward *f, const char *url, struct err *err) {
    struct forward_target *t = calloc(1, sizeof *t);
    if (!t) {
        err_set(err, 0, "out of memory");
        return NULL;
    }
    t->forward = f;
    t->fd = -1;
    init_lock(t);
    int failed = read_url(t, url, err);
    if (!failed && t->kind == FORWARD_AGENT && !f->api_key)
        failed = err_set(err, 0,
                         "--forward %s needs an API key: STATWIT_FORWARD_API_KEY or "
                         "--forward-api-key-file",
                         url);
    if (!failed)
        failed = prepare(t, err);
    if (!failed && t->kind == FORWARD_AGENT) {
        t->poster = target_new(f, t->where, err);
        failed = t->poster ? 0 : -1;
    }
    if (!failed)
        return t;
    target_free(t);
    return NULL;
}

int target_start(struct forward_target *t, struct err *err) {
    void *(*run)(void *) = t->kind == FORWARD_HTTP    ? request_run
                           : t->kind == FORWARD_AGENT ? flush_run
                                                      : datagram_run;
    if (t->poster && target_start(t->poster, err) != 0)
        return -1;
    int failed = pthread_create(&t->thread, NULL, run, t);
    if (failed)
        return err_set(err, failed, "cannot start a thread for --forward");
    pthread_setname_np(t->thread, "forward");
    t->started = true;
    return 0;
}
