#include "forward/private.h"

#include "core/clock.h"
#include "core/log.h"
#include <string.h>

static char *copy_text(const char *text) {
    return text ? strdup(text) : NULL;
}

static int start_all(struct forward *f, struct err *err) {
    const struct forward_options *o = &f->options;
    if (o->n_urls > FORWARD_URLS_MAX)
        return err_set(err, 0, "--forward is given more than %d times", FORWARD_URLS_MAX);
    for (size_t i = 0; i < o->n_urls; i++) {
        f->targets[i] = target_new(f, o->urls[i], err);
        if (!f->targets[i])
            return -1;
        f->n_targets++;
    }
    for (size_t i = 0; i < f->n_targets; i++)
        if (target_start(f->targets[i], err) != 0)
            return -1;
    return 0;
}

struct forward *forward_start(const struct forward_options *options, struct err *err) {
    struct forward *f = calloc(1, sizeof *f);
    if (!f) {
        err_set(err, 0, "out of memory");
        return NULL;
    }
    f->options = *options;
    f->api_key = copy_text(options->api_key);
    f->hostname = copy_text(options->hostname);
    f->ca_file = copy_text(options->ca_file);
    if (start_all(f, err) == 0)
        return f;
    forward_stop(f);
    return NULL;
}

static void tell_rest(const struct forward_status *s) {
    uint64_t lost = s->dropped + s->lines_dropped + s->refused;
    if (lost)
        log_warning("%llu of %llu %s were not passed on to %s%s%s", (unsigned long long)lost,
                    (unsigned long long)(s->taken + s->lines_dropped), "datagrams or requests", s->url,
                    s->why[0] ? ": " : "", s->why);
}

static void tell_one(void *arg, const struct forward_status *s) {
    (void)arg;
    tell_rest(s);
}

void forward_stop(struct forward *f) {
    if (!f)
        return;
    int64_t end_ns = clock_mono_ns() + FORWARD_STOP_NS;
    for (size_t i = 0; i < f->n_targets; i++)
        target_stop(f->targets[i], end_ns);
    forward_each(f, tell_one, NULL);
    for (size_t i = 0; i < f->n_targets; i++)
        target_free(f->targets[i]);
    free(f->api_key);
    free(f->hostname);
    free(f->ca_file);
    free(f);
}

void forward_datagram(struct forward *f, int64_t at_ns, struct span bytes) {
    for (size_t i = 0; i < f->n_targets; i++)
        if (f->targets[i]->kind != FORWARD_HTTP && bytes.n)
            target_put_datagram(f->targets[i], at_ns, bytes);
}

/* What stands behind /s/NAME, by which a client chose a session of ours. */
static struct span without_session(struct span path) {
    if (!span_starts(path, SPAN("/s/")))
        return path;
    const char *slash = memchr(path.p + 3, '/', path.n - 3);
    return slash ? span_from(path, (size_t)(slash - path.p)) : path;
}

static bool is_key(struct span pair) {
    return span_starts(pair, SPAN("api_key=")) || span_starts(pair, SPAN("application_key=")) ||
           span_starts(pair, SPAN("test_session_token="));
}

/* Ours to know, and keys stand in a header. */
static void put_query(struct buf *to, struct span query) {
    for (size_t at = 0; at < query.n;) {
        struct span rest = span_from(query, at);
        const char *end = memchr(rest.p, '&', rest.n);
        struct span pair = span_of(rest.p, end ? (size_t)(end - rest.p) : rest.n);
        if (pair.n && !is_key(pair)) {
            buf_str(to, to->n ? "&" : "");
            buf_span(to, pair);
        }
        at += pair.n + 1;
    }
}

void forward_post(struct forward *f, const struct forward_request *request) {
    struct forward_request r = *request;
    struct buf query = {.max = 64 << 10};
    r.path = without_session(r.path);
    put_query(&query, r.query);
    r.query = query.failed ? SPAN("") : buf_view(&query);
    bool lines = span_starts(r.path, SPAN("/dogstatsd/"));
    for (size_t i = 0; i < f->n_targets; i++) {
        if (f->targets[i]->kind == FORWARD_HTTP)
            target_put_request(f->targets[i], &r);
        else if (lines && r.content_encoding.n == 0) /* as if they had come by UDP */
            target_put_datagram(f->targets[i], clock_wall_ns(), r.body);
    }
    buf_free(&query);
}

static void read_status(struct forward_target *t, struct forward_status *s, char why[200]) {
    pthread_mutex_lock(&t->lock);
    *s = t->status;
    memcpy(why, t->why, sizeof t->why);
    pthread_mutex_unlock(&t->lock);
    s->url = t->url;
    s->why = why;
}

void forward_each(struct forward *f, void (*fn)(void *arg, const struct forward_status *status), void *arg) {
    for (size_t i = 0; i < f->n_targets; i++) {
        struct forward_status s;
        char why[200];
        read_status(f->targets[i], &s, why);
        if (f->targets[i]->poster) {
            uint64_t lines = s.dropped;
            read_status(f->targets[i]->poster, &s, why);
            s.url = f->targets[i]->url;
            s.lines_dropped = lines;
        }
        fn(arg, &s);
    }
}

/* --- loops ------------------------------------------------------------------------------------------------------------- */

/* "127.0.0.1:8125/x": whether it is this host, and its port; 0: none is named. */
static bool is_here(const char *where, int *port) {
    size_t n = strcspn(where, "/?");
    char host[128];
    if (n >= sizeof host)
        return false;
    memcpy(host, where, n);
    host[n] = '\0';
    char *bracket = strrchr(host, ']'), *colon = strrchr(host, ':');
    *port = 0;
    if (colon && (!bracket || bracket < colon)) {
        *port = atoi(colon + 1);
        *colon = '\0';
    }
    return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0 ||
           strcmp(host, "0.0.0.0") == 0 || strcmp(host, "[::]") == 0;
}

bool forward_loops(const struct forward *f, int udp_port, int http_port, const char *unixgram,
                   const char *unixstream, struct err *err) {
    for (size_t i = 0; i < f->n_targets; i++) {
        const struct forward_target *t = f->targets[i];
        const char *host = strstr(t->where, "://") ? strstr(t->where, "://") + 3 : t->where;
        int port = 0;
        bool here = is_here(host, &port), loops = false;
        switch (t->kind) {
        case FORWARD_UDP:
            loops = here && port == udp_port;
            break;
        case FORWARD_HTTP:
        case FORWARD_AGENT:
            loops = here && port == http_port;
            break;
        case FORWARD_UNIXGRAM:
            loops = strcmp(t->where, unixgram) == 0;
            break;
        case FORWARD_UNIXSTREAM:
            loops = strcmp(t->where, unixstream) == 0;
            break;
        }
        if (loops) {
            err_set(err, 0, "--forward %s leads back to this recorder", t->url);
            return true;
        }
    }
    return false;
}
