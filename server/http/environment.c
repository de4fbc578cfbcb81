#include "http/environment.h"

#include "core/json.h"
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

void environment_make(struct environment *env, const struct ingest_session *session, const char *url) {
    const struct ingest_addresses *at = &session->at;
    env->n = 0;
    if (at->udp[0]) {
        char host[INGEST_ADDRESS_SIZE], port[12], address[INGEST_ADDRESS_SIZE + 16],
            udp[INGEST_ADDRESS_SIZE + 32];
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
