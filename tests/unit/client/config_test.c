/* Options, environment, Sentry's settings as JSON. */
#include "emit/metrics.h"
#include "sink.h"
#include "unit.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct statwit_error error;

static struct statwit_metrics *open_env(const struct statwit_options *options, const char *const (*env)[2],
                                        size_t n) {
    for (size_t i = 0; i < n; i++)
        setenv(env[i][0], env[i][1], 1);
    struct statwit_metrics *metrics = statwit_open(options, &error);
    for (size_t i = 0; i < n; i++)
        unsetenv(env[i][0]);
    return metrics;
}

#define ENV(options, ...)                                                                                    \
    open_env(options, (const char *const[][2]){__VA_ARGS__},                                                 \
             sizeof((const char *const[][2]){__VA_ARGS__}) / sizeof(char *[2]))

static void test_address_from_environment(void) {
    struct statwit_metrics *metrics =
        ENV(NULL, {"DD_AGENT_HOST", "127.0.0.9"}, {"DD_DOGSTATSD_PORT", "7000"});
    EQ_STR(metrics->outbox.wire.host, "127.0.0.9");
    EQ_STR(metrics->outbox.wire.port, "7000");
    statwit_close(metrics);
    metrics = ENV(NULL, {"DD_DOGSTATSD_URL", "unix:///run/dsd.socket"}, {"DD_AGENT_HOST", "127.0.0.9"});
    EQ_INT(metrics->outbox.wire.kind, WIRE_UNIXGRAM);
    EQ_STR(metrics->outbox.wire.host, "/run/dsd.socket");
    EQ_INT(metrics->config.options.buffer_bytes, 8192);
    statwit_close(metrics);
    metrics = ENV(NULL, {"DD_DOGSTATSD_SOCKET", "/run/other.socket"});
    EQ_STR(metrics->outbox.wire.host, "/run/other.socket");
    statwit_close(metrics);
    struct statwit_options host = {.host = "127.0.0.3"};
    metrics = ENV(&host, {"DD_DOGSTATSD_URL", "unix:///run/dsd.socket"}, {"DD_DOGSTATSD_PORT", "7001"});
    EQ_STR(metrics->outbox.wire.host, "127.0.0.3");
    EQ_STR(metrics->outbox.wire.port, "7001");
    statwit_close(metrics);
    struct statwit_options alone = {.ignore_environment = true};
    metrics = ENV(&alone, {"DD_DOGSTATSD_URL", "unix:///run/dsd.socket"}, {"DD_ENV", "ci"});
    EQ_STR(metrics->outbox.wire.port, "8125");
    EQ_STR(metrics->config.wire_tags, "");
    statwit_close(metrics);
}

static void test_urls(void) {
    static const struct {
        const char *url, *host, *port;
    } good[] = {{"udp://127.0.0.1:9125", "127.0.0.1", "9125"},
                {"udp://agent", "agent", "8125"},
                {"udp://[::1]:99", "::1", "99"},
                {"udp://[::1]", "::1", "8125"},
                {"udp://::1", "::1", "8125"},
                {"unixstream:///a", "/a", ""},
                {"unixgram:///a", "/a", ""},
                {"udp://h:1/", "h", "1"}};
    static const char *const bad[] = {"tcp://h:1", "udp://",        "udp://h:", "udp://h:x",
                                      "udp://h:0", "udp://h:65536", "unix://",  "h:1"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct wire wire;
        EQ_INT(wire_open(&wire, &(struct statwit_options){.url = good[i].url}, &error), 0);
        EQ_STR(wire.host, good[i].host);
        EQ_STR(wire.port, good[i].port);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CU_ASSERT_PTR_NULL(statwit_open(&(struct statwit_options){.url = bad[i]}, &error));
        EQ_INT(error.code, STATWIT_INVALID);
    }
}

static void test_tags_and_fields(void) {
    struct statwit_metrics *metrics = ENV(NULL, {"DD_TAGS", "a:1,b:2 c|d"}, {"DD_ENV", "ci"},
                                          {"DD_EXTERNAL_ENV", "it-false"}, {"DD_CARDINALITY", "low"});
    EQ_STR(metrics->config.wire_tags, "a:1,b:2,c_d,env:ci");
    EQ_STR(metrics->config.wire_fields, "|e:it-false");
    EQ_STR(metrics->config.options.cardinality, "low");
    statwit_close(metrics);
    struct statwit_options container = {.container_id = "ci-abc", .external_env = "x"};
    metrics = statwit_open(&container, &error);
    EQ_STR(metrics->config.wire_fields, "|c:ci-abc|e:x");
    statwit_close(metrics);
}

static void test_api_from_environment(void) {
    struct statwit_options options = {.backend = "datadog"};
    struct statwit_metrics *metrics =
        ENV(&options, {"DD_API_KEY", "key"}, {"DD_APP_KEY", "app"}, {"DD_SITE", "datadoghq.eu"});
    EQ_STR(metrics->config.options.api_key, "key");
    EQ_STR(metrics->config.options.app_key, "app");
    EQ_STR(metrics->config.options.api_host, "https://api.datadoghq.eu");
    statwit_close(metrics);
    CU_ASSERT_PTR_NULL(statwit_open(&options, &error));
    CU_ASSERT(strstr(error.text, "API key") != NULL);
    options.api_key = "a\nb";
    CU_ASSERT_PTR_NULL(statwit_open(&options, &error));
}

static void test_disable(void) {
    struct statwit_metrics *metrics = ENV(NULL, {"DD_DOGSTATSD_DISABLE", "true"});
    EQ_INT(metrics->config.backend, BACKEND_DUMMY);
    statwit_incr(metrics, "a");
    statwit_close(metrics);
}

static void test_malformed(void) {
    static const struct statwit_options bad[] = {
        {.backend = "graphite"}, {.sample_rate = 1.5}, {.sample_rate = -1},       {.buffer_bytes = 70000},
        {.max_series = -1},      {.port = 70000},      {.flush_interval_ms = -5}, {.host = ""}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        memset(&error, 0, sizeof error);
        CU_ASSERT_PTR_NULL(statwit_open(&bad[i], &error));
        EQ_INT(error.code, STATWIT_INVALID);
        CU_ASSERT(strlen(error.text) > 20);
    }
}

#define S "SENTRY_METRICS_"

static void test_json(void) {
    struct statwit_metrics *metrics = statwit_open_json(
        "{\"" S "BACKEND\": \"sentry.metrics.dogstatsd.DogStatsdMetricsBackend\", \"" S
        "OPTIONS\": {\"statsd_host\": "
        "\"127.0.0.1\", \"statsd_port\": 9999, \"tags\": {\"env\": \"ci\", \"flag\": true, \"none\": null, \"n\": 3}}, "
        "\"" S "SAMPLE_RATE\": 0.5, \"" S "SKIP_INTERNAL_PREFIXES\": [\"a.\", \"b.\"]}",
        NULL, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(metrics);
    const struct statwit_options *options = &metrics->config.options;
    EQ_INT(metrics->config.backend, BACKEND_DOGSTATSD);
    EQ_STR(options->prefix, "sentry.");
    EQ_STR(metrics->outbox.wire.port, "9999");
    EQ_STR(options->tags[0].key, "env");
    EQ_STR(options->tags[1].value, "True");
    CU_ASSERT_PTR_NULL(options->tags[2].value);
    EQ_STR(options->tags[3].value, "3");
    CU_ASSERT(options->sample_rate == 0.5);
    EQ_STR(options->skip_internal_prefixes[1], "b.");
    statwit_close(metrics);
    metrics = statwit_open_json("{\"" S "BACKEND\": \"datadog\", \"" S
                                "OPTIONS\": {\"api_key\": \"k\", \"host\": \"web1\", "
                                "\"flush_interval\": 20}, \"" S "PREFIX\": \"\"}",
                                NULL, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(metrics);
    EQ_STR(metrics->config.options.hostname, "web1");
    EQ_STR(metrics->config.options.prefix, "");
    EQ_INT(metrics->config.options.flush_interval_ms, 20000);
    statwit_close(metrics);
}

static void test_bad_json(void) {
    static const struct {
        const char *json, *says;
    } bad[] = {{"{", "line 1"},
               {"[]", "not a JSON object"},
               {"{\"" S "BACKEN\": 1}", S "BACKEN"},
               {"{\"" S "BACKEND\": 1}", "not a string"},
               {"{\"" S "BACKEND\": \"x\"}", "no backend \"x\""},
               {"{\"" S "OPTIONS\": []}", "not an object"},
               {"{\"" S "OPTIONS\": {\"statsd_prt\": 1}}", "statsd_prt"},
               {"{\"" S "OPTIONS\": {\"statsd_port\": \"1\"}}", "whole number"},
               {"{\"" S "OPTIONS\": {\"tags\": 7}}", "set of tags"},
               {"{\"" S "OPTIONS\": {\"tags\": {\"a\": []}}}", "set of tags"},
               {"{\"" S "SAMPLE_RATE\": 2}", "rate"},
               {"{\"" S "SKIP_ALL_INTERNAL\": 0}", "true or false"},
               {"{\"" S "SKIP_INTERNAL_PREFIXES\": [1]}", "list of strings"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        memset(&error, 0, sizeof error);
        CU_ASSERT_PTR_NULL(statwit_open_json(bad[i].json, NULL, &error));
        if (!strstr(error.text, bad[i].says))
            fprintf(stderr, "%s: %s\n", bad[i].json, error.text);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, bad[i].says));
    }
}

static char logged[256];

static void on_log(void *context, const char *text) {
    (void)context;
    snprintf(logged + strlen(logged), sizeof logged - strlen(logged), "%s\n", text);
}

static void test_logging(void) {
    struct statwit_metrics *metrics =
        statwit_open(&(struct statwit_options){.backend = "logging", .log = on_log}, &error);
    statwit_incr(metrics, "key");
    statwit_timing(metrics, "key", 125);
    statwit_gauge(metrics, "key", 7);
    statwit_count(metrics, "key", -2.5);
    statwit_set(metrics, "key", "member");
    statwit_close(metrics);
    EQ_STR(logged, "'key': +1\n'key': 125 ms\n'key': 7\n'key': -2.5\n'key': member\n");
}

UNIT_MAIN("client/config", {"address from the environment", test_address_from_environment},
          {"urls", test_urls}, {"tags and fields", test_tags_and_fields},
          {"API from the environment", test_api_from_environment}, {"disable", test_disable},
          {"malformed", test_malformed}, {"json", test_json}, {"bad json", test_bad_json},
          {"logging", test_logging})
