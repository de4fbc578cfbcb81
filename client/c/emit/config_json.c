/* Options as Sentry's settings spell them. */
#include "emit/error.h"
#include "emit/tags.h"
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>

#define SETTING "SENTRY_METRICS_"

/* The memory that the options point to until statwit_open has copied them. */
struct scratch {
    struct statwit_options options;
    struct statwit_tag tags[TAGS_MAX + 1];
    char numbers[TAGS_MAX][STATWIT_NUMBER_SIZE]; /* tags whose value is not a string */
    const char *prefixes[257];
    struct statwit_error *error;
};

static int wrong(const struct scratch *scratch, const char *name, const char *wanted) {
    return error_set(scratch->error, STATWIT_INVALID, "\"%.100s\" is not %s", name, wanted);
}

/* ---- one value ---- */

static int read_string(struct scratch *scratch, const char *name, const json_t *value, const char **string) {
    if (json_is_null(value))
        return 0;
    *string = json_string_value(value);
    return *string ? 0 : wrong(scratch, name, "a string");
}

static int read_int(struct scratch *scratch, const char *name, const json_t *value, int *number) {
    json_int_t integer = json_integer_value(value);
    if (!json_is_integer(value) || integer < 0 || integer > INT_MAX)
        return wrong(scratch, name, "a whole number");
    *number = (int)integer;
    return 0;
}

static int read_bool(struct scratch *scratch, const char *name, const json_t *value, bool *flag) {
    *flag = json_is_true(value);
    return json_is_boolean(value) ? 0 : wrong(scratch, name, "true or false");
}

static const char *tag_text(const json_t *value, char number[STATWIT_NUMBER_SIZE]) {
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_boolean(value))
        return STATWIT_BOOL(json_is_true(value));
    if (json_is_integer(value))
        return statwit_integer_text(number, json_integer_value(value));
    return json_is_real(value) ? statwit_real_text(number, json_real_value(value)) : NULL;
}

/* {"env": "ci"} or ["env:ci"] */
static int read_tags(struct scratch *scratch, const char *name, const json_t *value) {
    const char *key;
    json_t *item;
    size_t n = 0;
    if (json_object_size(value) > TAGS_MAX || json_array_size(value) > TAGS_MAX)
        return wrong(scratch, name, "a set of at most 512 tags");
    if (json_is_object(value)) {
        json_object_foreach((json_t *)value, key, item) {
            if (json_is_object(item) || json_is_array(item))
                return wrong(scratch, name, "a set of tags: a value is a list or an object");
            scratch->tags[n] = (struct statwit_tag){key, tag_text(item, scratch->numbers[n])};
            n++;
        }
    } else if (json_is_array(value)) {
        for (; n < json_array_size(value); n++) {
            scratch->tags[n] = (struct statwit_tag){"", json_string_value(json_array_get(value, n))};
            if (!scratch->tags[n].value)
                return wrong(scratch, name, "a list of strings");
        }
    } else if (!json_is_null(value)) {
        return wrong(scratch, name, "a set of tags");
    }
    scratch->options.tags = scratch->tags;
    return 0;
}

static int read_prefixes(struct scratch *scratch, const char *name, const json_t *value) {
    size_t n = json_array_size(value);
    if (!json_is_array(value) || n > 256)
        return wrong(scratch, name, "a list of at most 256 strings");
    for (size_t i = 0; i < n; i++) {
        scratch->prefixes[i] = json_string_value(json_array_get(value, i));
        if (!scratch->prefixes[i])
            return wrong(scratch, name, "a list of strings");
    }
    scratch->options.skip_internal_prefixes = scratch->prefixes;
    return 0;
}

/* "dogstatsd", or the path of Sentry's class: sentry.metrics.dogstatsd.DogStatsdMetricsBackend */
static int read_backend(struct scratch *scratch, const char *name, const json_t *value) {
    static const char *const classes[][2] = {
        {"sentry.metrics.dummy.DummyMetricsBackend", "dummy"},
        {"sentry.metrics.logging.LoggingBackend", "logging"},
        {"sentry.metrics.statsd.StatsdMetricsBackend", "statsd"},
        {"sentry.metrics.dogstatsd.DogStatsdMetricsBackend", "dogstatsd"},
        {"sentry.metrics.datadog.DatadogMetricsBackend", "datadog"}};
    if (read_string(scratch, name, value, &scratch->options.backend))
        return -1;
    for (size_t i = 0; scratch->options.backend && i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(scratch->options.backend, classes[i][0]) == 0)
            scratch->options.backend = classes[i][1];
    return 0;
}

/* ---- the objects ---- */

static int read_option(struct scratch *scratch, const char *name, const json_t *value) {
    struct statwit_options *options = &scratch->options;
    bool datadog = options->backend && strcmp(options->backend, "datadog") == 0;
    const struct {
        const char *name;
        const char **string;
    } strings[] = {{"statsd_host", &options->host},
                   {"host", datadog ? &options->hostname : &options->host},
                   {"statsd_socket_path", &options->socket_path},
                   {"api_key", &options->api_key},
                   {"app_key", &options->app_key},
                   {"api_host", &options->api_host}};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        if (strcmp(name, strings[i].name) == 0)
            return read_string(scratch, name, value, strings[i].string);
    if (strcmp(name, "statsd_port") == 0 || strcmp(name, "port") == 0)
        return read_int(scratch, name, value, &options->port);
    if (strcmp(name, "tags") == 0)
        return read_tags(scratch, name, value);
    if (strcmp(name, "flush_interval") == 0) {
        double seconds = json_number_value(value);
        if (!json_is_number(value) || !(seconds > 0 && seconds <= 86400))
            return wrong(scratch, name, "a number of seconds, at most a day");
        options->flush_interval_ms = (int)(seconds * 1000);
        return 0;
    }
    return wrong(scratch, name, "an option of a backend");
}

static int read_options(struct scratch *scratch, const char *name, json_t *value) {
    const char *option;
    json_t *item;
    if (!json_is_object(value))
        return wrong(scratch, name, "an object");
    json_object_foreach(value, option, item)
        if (read_option(scratch, option, item))
            return -1;
    return 0;
}

static int read_setting(struct scratch *scratch, const char *name, json_t *value) {
    if (strcmp(name, SETTING "BACKEND") == 0)
        return 0; /* was read first: what an option means depends on it */
    if (strcmp(name, SETTING "OPTIONS") == 0)
        return read_options(scratch, name, value);
    if (strcmp(name, SETTING "PREFIX") == 0)
        return read_string(scratch, name, value, &scratch->options.prefix);
    if (strcmp(name, SETTING "SKIP_ALL_INTERNAL") == 0)
        return read_bool(scratch, name, value, &scratch->options.skip_all_internal);
    if (strcmp(name, SETTING "SKIP_INTERNAL_PREFIXES") == 0)
        return read_prefixes(scratch, name, value);
    if (strcmp(name, SETTING "SAMPLE_RATE") == 0) {
        scratch->options.sample_rate = json_number_value(value);
        bool rate =
            json_is_number(value) && scratch->options.sample_rate > 0 && scratch->options.sample_rate <= 1;
        return rate ? 0 : wrong(scratch, name, "a rate above 0, at most 1");
    }
    return wrong(scratch, name, "a setting of the metrics");
}

static int read_settings(struct scratch *scratch, json_t *settings) {
    const char *name;
    json_t *value;
    json_t *backend = json_object_get(settings, SETTING "BACKEND");
    if (!json_is_object(settings))
        return error_set(scratch->error, STATWIT_INVALID, "the settings are not a JSON object");
    if (backend && read_backend(scratch, SETTING "BACKEND", backend))
        return -1;
    json_object_foreach(settings, name, value)
        if (read_setting(scratch, name, value))
            return -1;
    return 0;
}

struct statwit_metrics *statwit_open_json(const char *json, const struct statwit_options *base,
                                          struct statwit_error *error) {
    json_error_t where;
    json_t *settings = json_loads(json, JSON_REJECT_DUPLICATES, &where);
    struct scratch *scratch = calloc(1, sizeof *scratch);
    struct statwit_metrics *metrics = NULL;
    if (!settings) {
        error_set(error, STATWIT_INVALID, "line %d, column %d: %s", where.line, where.column, where.text);
    } else if (!scratch) {
        error_memory(error);
    } else {
        scratch->error = error;
        scratch->options = base ? *base : (struct statwit_options){0};
        if (!scratch->options.prefix)
            scratch->options.prefix = "sentry.";
        if (read_settings(scratch, settings) == 0)
            metrics = statwit_open(&scratch->options, error);
    }
    free(scratch);
    json_decref(settings);
    return metrics;
}
