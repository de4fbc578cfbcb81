#include "http/environment.h"

#include "core/json.h"
#include "http/guard.h"
#include "http/server.h"
#include <stdio.h>

void environment_add(struct environment *env, const char *name, const char *value) {
    if (env->n == ENVIRONMENT_MAX || !value[0])
        return;
    env->vars[env->n].name = name;
    snprintf(env->vars[env->n].value, sizeof env->vars[env->n].value, "%s", value);
    env->n++;
}

/* "127.0.0.1:8125" -> "127.0.0.1", "[::1]:8125" -> "::1", "0.0.0.0:8125" -> "127.0.0.1". */
static void host_of(const char *address, char *host, size_t size) {
    const char *end = strrchr(address, ':');
    struct span s = span_of(address, end ? (size_t)(end - address) : strlen(address));
    if (s.n >= 2 && s.p[0] == '[')
        s = span_of(s.p + 1, s.n - 2);
    if (span_eq(s, SPAN("0.0.0.0")))
        s = SPAN("127.0.0.1");
    else if (span_eq(s, SPAN("::")))
        s = SPAN("::1");
    snprintf(host, size, "%.*s", SPAN_ARG(s));
}

/* A name or an address, with nothing that means something in a URL or a shell. */
static bool is_plain(struct span host, size_t max) {
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !strchr(".-_:", c))
            return false;
    }
    return host.n > 0 && host.n < max;
}

static const char *scheme_of(const struct http *h) {
    return strncmp(h->url, "https", 5) == 0 ? "https" : "http";
}

static void put_url(const struct http *h, struct span host, struct span port, char *url, size_t size) {
    bool v6 = memchr(host.p, ':', host.n) != NULL;
    snprintf(url, size, "%s://%s%.*s%s%.*s", scheme_of(h), v6 ? "[" : "", SPAN_ARG(host), v6 ? "]" : "",
             SPAN_ARG(port));
}

/* ":8125"; "" when there is none. A published port may be another one than ours. */
static struct span port_of(struct span asked, struct span name) {
    size_t skip = (size_t)(name.p - asked.p) + name.n;
    if (skip < asked.n && asked.p[skip] == ']')
        skip++;
    return span_from(asked, skip);
}

void environment_reach(const struct http *h, struct span asked, struct environment_reach *reach) {
    char own[16];
    snprintf(own, sizeof own, ":%d", h->port);
    snprintf(reach->url, sizeof reach->url, "%s", h->url);
    reach->host[0] = '\0';
    reach->needs_token = h->options.token != NULL;
    if (h->options.advertise) {
        snprintf(reach->host, sizeof reach->host, "%s", h->options.advertise);
        put_url(h, span_str(reach->host), span_str(own), reach->url, sizeof reach->url);
        return;
    }
    struct span name = asked.p && !h->loopback ? guard_name(asked) : (struct span){NULL, 0};
    if (!name.p || !is_plain(name, sizeof reach->host))
        return;
    struct span port = port_of(asked, name);
    if (!guard_is_loopback(name)) {
        snprintf(reach->host, sizeof reach->host, "%.*s", SPAN_ARG(name));
        put_url(h, name, port, reach->url, sizeof reach->url);
    } else if (!span_eq(port, span_str(own))) {
        put_url(h, SPAN("127.0.0.1"), port, reach->url, sizeof reach->url);
    }
}

void environment_make(struct environment *env, const struct ingest_session *session,
                      const struct environment_reach *reach) {
    const char *url = reach->url;
    const struct ingest_addresses *at = &session->at;
    env->n = 0;
    if (at->udp[0]) {
        char host[sizeof reach->host], port[12], address[sizeof host + 16], udp[sizeof host + 32];
        if (reach->host[0])
            memcpy(host, reach->host, sizeof host);
        else
            host_of(at->udp, host, sizeof host);
        snprintf(port, sizeof port, "%d", at->udp_port);
        snprintf(address, sizeof address, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
        snprintf(udp, sizeof udp, "udp://%s", address);
        environment_add(env, "DD_AGENT_HOST", host);
        environment_add(env, "DD_DOGSTATSD_HOST", host);
        environment_add(env, "DD_DOGSTATSD_PORT", port);
        environment_add(env, "DD_DOGSTATSD_URL", udp);
        environment_add(env, "STATSD_HOST", host);
        environment_add(env, "STATSD_PORT", port);
        environment_add(env, "STATSD_ADDR", address);
    }
    environment_add(env, "DD_DOGSTATSD_SOCKET", at->unixgram);
    environment_add(env, "DD_DOGSTATSD_STREAM_SOCKET", at->unixstream);
    environment_add(env, "DD_API_KEY", session->api_key);
    environment_add(env, "DATADOG_API_KEY", session->api_key);
    environment_add(env, "DD_URL", url);
    environment_add(env, "DD_DD_URL", url);
    environment_add(env, "DATADOG_HOST", url);
    environment_add(env, "DATADOG_API_HOST", url);
    environment_add(env, "STATWIT_URL", url);
    environment_add(env, "STATWIT_SESSION", session->name);
    char own[sizeof env->vars[0].value];
    int n = snprintf(own, sizeof own, "%s/s/%s", url, session->name);
    environment_add(env, "STATWIT_SESSION_URL", n < (int)sizeof own ? own : "");
    environment_add(env, "STATWIT_NEEDS_TOKEN", reach->needs_token ? "true" : "false");
}

void environment_json(const struct environment *env, struct buf *b) {
    buf_char(b, '{');
    for (size_t i = 0; i < env->n; i++) {
        buf_str(b, i ? "," : "");
        json_put_string(b, span_str(env->vars[i].name));
        buf_char(b, ':');
        json_put_string(b, span_str(env->vars[i].value));
    }
    buf_char(b, '}');
}

static void address_json(const char *name, const char *address, struct buf *b) {
    buf_printf(b, "\"%s\":", name);
    if (address[0])
        json_put_string(b, span_str(address));
    else
        buf_str(b, "null");
}

void environment_dogstatsd_json(const struct ingest_addresses *at, struct buf *b) {
    buf_char(b, '{');
    address_json("udp", at->udp, b);
    buf_char(b, ',');
    address_json("unixgram", at->unixgram, b);
    buf_char(b, ',');
    address_json("unixstream", at->unixstream, b);
    buf_char(b, '}');
}
