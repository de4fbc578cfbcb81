#include "emit/config.h"

#include "emit/error.h"
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

void *config_alloc(struct config *config, size_t size) {
    assert(config->n_allocations < CONFIG_ALLOCATIONS);
    void *bytes = calloc(1, size);
    if (bytes)
        config->allocations[config->n_allocations++] = bytes;
    else
        config->failed = true;
    return bytes;
}

char *config_string(struct config *config, const char *string) {
    if (!string)
        return NULL;
    size_t size = strlen(string) + 1;
    char *copy = config_alloc(config, size);
    return copy ? memcpy(copy, string, size) : NULL;
}

void config_free(struct config *config) {
    for (size_t i = 0; i < config->n_allocations; i++)
        free(config->allocations[i]);
    config->n_allocations = 0;
}

/* The list and all its strings in one piece. */
static const struct statwit_tag *copy_tags(struct config *config, const struct statwit_tag *tags) {
    size_t n = 0, size = 0;
    for (; tags && tags[n].key; n++)
        size += strlen(tags[n].key) + 1 + (tags[n].value ? strlen(tags[n].value) + 1 : 0);
    struct statwit_tag *copy = n ? config_alloc(config, (n + 1) * sizeof *copy + size) : NULL;
    if (!copy)
        return NULL;
    char *at = (char *)(copy + n + 1);
    for (size_t i = 0; i < n; i++) {
        copy[i].key = at;
        at = stpcpy(at, tags[i].key) + 1;
        copy[i].value = tags[i].value ? at : NULL;
        at = tags[i].value ? stpcpy(at, tags[i].value) + 1 : at;
    }
    return copy;
}

static const char *const *copy_prefixes(struct config *config, const char *const *prefixes) {
    size_t n = 0, size = 0;
    for (; prefixes && prefixes[n]; n++)
        size += strlen(prefixes[n]) + 1;
    char **copy = n ? config_alloc(config, (n + 1) * sizeof *copy + size) : NULL;
    if (!copy)
        return NULL;
    char *at = (char *)(copy + n + 1);
    for (size_t i = 0; i < n; i++) {
        copy[i] = at;
        at = stpcpy(at, prefixes[i]) + 1;
    }
    return (const char *const *)copy;
}

static void copy_options(struct config *config, const struct statwit_options *options) {
    struct statwit_options *own = &config->options;
    *own = *options;
    const char **strings[] = {&own->backend,     &own->prefix,       &own->url,          &own->host,
                              &own->socket_path, &own->container_id, &own->external_env, &own->cardinality,
                              &own->api_key,     &own->app_key,      &own->api_host,     &own->hostname,
                              &own->ca_file};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        *strings[i] = config_string(config, *strings[i]);
    own->tags = copy_tags(config, options->tags);
    own->skip_internal_prefixes = copy_prefixes(config, options->skip_internal_prefixes);
}

static int choose_backend(struct config *config, struct statwit_error *error) {
    static const char *const names[] = {[BACKEND_DUMMY] = "dummy",
                                        [BACKEND_LOGGING] = "logging",
                                        [BACKEND_STATSD] = "statsd",
                                        [BACKEND_DOGSTATSD] = "dogstatsd",
                                        [BACKEND_DATADOG] = "datadog"};
    const char *name = config->options.backend ? config->options.backend : "dogstatsd";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0) {
            config->backend = (enum backend)i;
            return 0;
        }
    return error_set(
        error, STATWIT_INVALID,
        "there is no backend \"%.100s\": it is one of dummy, logging, statsd, dogstatsd, datadog", name);
}

static int check_ranges(const struct statwit_options *options, struct statwit_error *error) {
    if (!(options->sample_rate >= 0 && options->sample_rate <= 1))
        return error_set(error, STATWIT_INVALID, "a sample rate is from 0 to 1, not %g",
                         options->sample_rate);
    if (options->buffer_bytes > LINE_MAX_BYTES)
        return error_set(error, STATWIT_INVALID, "buffer_bytes is at most %d, not %zu", LINE_MAX_BYTES,
                         options->buffer_bytes);
    const int numbers[] = {options->max_series, options->backoff_ms, options->request_timeout_ms,
                           options->flush_interval_ms, options->close_timeout_ms};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i] < 0)
            return error_set(error, STATWIT_INVALID,
                             "an interval, a timeout or a maximum is %d: it cannot be negative", numbers[i]);
    return 0;
}

#define DEFAULT(member, value) options->member = options->member ? options->member : (value)

static void set_defaults(struct config *config, const struct wire *wire) {
    struct statwit_options *options = &config->options;
    bool datadog = config->backend == BACKEND_DATADOG;
    DEFAULT(prefix, "");
    if (!(options->sample_rate > 0))
        options->sample_rate = 1;
    DEFAULT(max_series, 10000);
    DEFAULT(backoff_ms, 1000);
    DEFAULT(request_timeout_ms, 10000);
    DEFAULT(close_timeout_ms, 2000);
    DEFAULT(flush_interval_ms, datadog ? 10000 : config->aggregating ? 2000 : 300);
    DEFAULT(queue_bytes, (size_t)(datadog ? 8 : 1) << 20);
    DEFAULT(buffer_bytes, (size_t)(wire->kind == WIRE_UDP ? 1432 : 8192));
    if (datadog) /* buckets begin at whole multiples of whole seconds */
        options->flush_interval_ms =
            options->flush_interval_ms < 1000 ? 1000 : options->flush_interval_ms / 1000 * 1000;
    if (datadog && !options->hostname) {
        char name[256] = "";
        gethostname(name, sizeof name - 1);
        options->hostname = config_string(config, name);
    }
    DEFAULT(api_host, "https://api.datadoghq.com");
}

int config_make(struct config *config, const struct statwit_options *options, struct wire *wire,
                struct statwit_error *error) {
    static const struct statwit_options none;
    *config = (struct config){.wire_tags = "", .wire_fields = ""};
    copy_options(config, options ? options : &none);
    environment_apply(config);
    int result = config->failed ? error_memory(error) : choose_backend(config, error);
    if (result == 0 && config->options.ignore_environment == false && config->backend != BACKEND_DATADOG) {
        const char *disable = getenv("DD_DOGSTATSD_DISABLE");
        if (disable && (strcasecmp(disable, "true") == 0 || strcmp(disable, "1") == 0 ||
                        strcasecmp(disable, "yes") == 0))
            config->backend = config->backend == BACKEND_LOGGING ? BACKEND_LOGGING : BACKEND_DUMMY;
    }
    config->sends_datagrams = config->backend == BACKEND_STATSD || config->backend == BACKEND_DOGSTATSD;
    config->aggregating = config->options.aggregate && config->backend == BACKEND_DOGSTATSD;
    *wire = (struct wire){.fd = -1};
    if (result == 0)
        result = check_ranges(&config->options, error);
    if (result == 0 && config->sends_datagrams)
        result = wire_open(wire, &config->options, error);
    if (result == 0)
        set_defaults(config, wire);
    if (result == 0 && config->backend == BACKEND_DATADOG && !config->options.api_key)
        result =
            error_set(error, STATWIT_INVALID, "the datadog backend needs an API key: api_key or DD_API_KEY");
    if (result == 0 && config->failed)
        result = error_memory(error);
    if (result)
        config_free(config);
    return result;
}
