#include "emit/metrics.h"

#include "emit/error.h"
#include "emit/random.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define STACK_LINE 1536

static const struct statwit_call no_call;

/* ---- opening and closing ---- */

static void on_tick(void *context) {
    struct statwit_metrics *metrics = context;
    if (metrics->config.aggregating)
        aggregate_flush(&metrics->aggregate);
    telemetry_put(metrics, false);
}

struct statwit_metrics *statwit_open(const struct statwit_options *options, struct statwit_error *error) {
    struct statwit_metrics *metrics = aligned_alloc(_Alignof(struct statwit_metrics), sizeof *metrics);
    if (!metrics) {
        error_memory(error);
        return NULL;
    }
    memset(metrics, 0, sizeof *metrics);
    if (config_make(&metrics->config, options, &metrics->outbox.wire, error)) {
        free(metrics);
        return NULL;
    }
    const struct statwit_options *own = &metrics->config.options;
    health_init(&metrics->health, own);
    pthread_mutex_init(&metrics->telemetry.lock, NULL);
    if (metrics->config.sends_datagrams) {
        /* Python's statsd sends a metric alone without a newline, datadogpy with one. */
        bool newline = !own->unbuffered || metrics->config.backend == BACKEND_DOGSTATSD;
        outbox_init(&metrics->outbox, own, newline, &metrics->health);
        metrics->outbox.context = metrics;
        if (metrics->config.aggregating || own->telemetry)
            metrics->outbox.tick = on_tick;
    }
    if (metrics->config.aggregating)
        aggregate_init(&metrics->aggregate, &metrics->config, &metrics->outbox);
    if (metrics->config.backend == BACKEND_DATADOG &&
        intake_open(&metrics->intake, &metrics->config, &metrics->health, error)) {
        config_free(&metrics->config);
        free(metrics);
        return NULL;
    }
    clients_add(metrics);
    return metrics;
}

bool statwit_flush(struct statwit_metrics *metrics, int timeout_ms) {
    if (!metrics)
        return true;
    if (metrics->config.aggregating)
        aggregate_flush(&metrics->aggregate);
    if (metrics->config.sends_datagrams)
        return outbox_flush(&metrics->outbox, timeout_ms);
    return metrics->config.backend == BACKEND_DATADOG ? intake_flush(&metrics->intake, timeout_ms) : true;
}

void statwit_close(struct statwit_metrics *metrics) {
    if (!metrics)
        return;
    int timeout_ms = metrics->config.options.close_timeout_ms;
    if (metrics->config.aggregating)
        aggregate_close(&metrics->aggregate);
    if (metrics->config.sends_datagrams) {
        telemetry_put(metrics, true);
        outbox_stop(&metrics->outbox, timeout_ms);
    } else if (metrics->config.backend == BACKEND_DATADOG) {
        intake_close(&metrics->intake, timeout_ms);
    }
}

/* ---- one metric ---- */

/* Renders into a buffer on the stack, or, what is larger, into one of the largest size. */
typedef void (*renderer)(struct line *line, struct statwit_metrics *metrics, const struct sample *sample);

static void put_rendered(struct statwit_metrics *metrics, renderer render, const struct sample *sample) {
    char buffer[STACK_LINE], *large = NULL;
    struct line line = line_in(buffer, sizeof buffer);
    render(&line, metrics, sample);
    if (line.overflow) {
        large = malloc(LINE_MAX_BYTES);
        if (!large) {
            health_drop(&metrics->health, DROP_FULL, 1, "out of memory");
            return;
        }
        line = line_in(large, LINE_MAX_BYTES - 1);
        render(&line, metrics, sample);
    }
    if (line.overflow)
        health_drop(&metrics->health, DROP_LARGE, 1, "a metric of over %d bytes or %d tags", LINE_MAX_BYTES,
                    TAGS_MAX);
    else
        outbox_put(&metrics->outbox, sample->type == STATWIT_GAUGE ? sample->key : NULL, line.start,
                   line_size(&line));
    free(large);
}

static void render_dogstatsd(struct line *line, struct statwit_metrics *metrics,
                             const struct sample *sample) {
    struct tags tags;
    bool scoped = !sample->no_scopes && scope_any();
    if (scoped)
        scope_lock();
    format_collect(&tags, &metrics->config, sample);
    format_name(line, &metrics->config, sample->key);
    line_char(line, ':');
    format_value(line, sample);
    format_tail(line, &metrics->config, sample, &tags);
    if (scoped)
        scope_unlock();
}

static void render_statsd(struct line *line, struct statwit_metrics *metrics, const struct sample *sample) {
    format_statsd(line, &metrics->config, sample);
}

static void log_sample(struct statwit_metrics *metrics, const struct sample *sample) {
    char text[1024];
    struct line line = line_in(text, sizeof text - 1);
    format_log(&line, &metrics->config, sample);
    *line.at = '\0';
    health_add(&metrics->health.metrics, 1);
    health_log(&metrics->health, "%s", text);
}

static bool sampled_out(struct statwit_metrics *metrics, const struct sample *sample) {
    enum backend backend = metrics->config.backend;
    if (sample->rate >= 1 || (backend != BACKEND_STATSD && backend != BACKEND_DOGSTATSD))
        return false;
    if (metrics->config.aggregating && !sample_packs(sample))
        return false;
    if (random_unit() <= sample->rate)
        return false;
    health_add(&metrics->health.sampled_out, 1);
    return true;
}

static void send_sample(struct statwit_metrics *metrics, const struct sample *sample) {
    if (sampled_out(metrics, sample))
        return;
    switch (metrics->config.backend) {
    case BACKEND_DUMMY:
        break;
    case BACKEND_LOGGING:
        log_sample(metrics, sample);
        break;
    case BACKEND_STATSD:
        put_rendered(metrics, render_statsd, sample);
        break;
    case BACKEND_DOGSTATSD:
        if (!metrics->config.aggregating || !aggregate_put(&metrics->aggregate, sample))
            put_rendered(metrics, render_dogstatsd, sample);
        else if (!metrics->outbox.running)
            outbox_start(&metrics->outbox);
        break;
    case BACKEND_DATADOG:
        intake_put(&metrics->intake, sample);
        break;
    }
}

/* Sentry's internal metrics: a counter of the caller's, and one metric that says which. */
static void count_internal(struct statwit_metrics *metrics, const struct sample *sample) {
    const struct statwit_options *options = &metrics->config.options;
    if (options->skip_all_internal || (sample->rate < 1 && random_unit() < 1 - sample->rate))
        return;
    for (const char *const *prefix = options->skip_internal_prefixes; prefix && *prefix; prefix++)
        if (strncmp(sample->key, *prefix, strlen(*prefix)) == 0)
            return;
    const char *instance = sample->call->instance;
    char key[1024];
    bool named = instance && *instance;
    snprintf(key, sizeof key, "%s%s%s", sample->key, named ? "." : "", named ? instance : "");
    double amount = (sample->kind == VALUE_REAL ? sample->real : (double)sample->integer) / sample->rate;
    if (options->internal)
        options->internal(options->context, key, fabs(amount) < 0x1p63 ? (int64_t)amount : 0);
    struct statwit_call call = {.instance = sample->key};
    struct sample count = {.type = STATWIT_COUNT,
                           .key = "internal_metrics.incr",
                           .integer = 1,
                           .rate = sample->rate,
                           .call = &call,
                           .no_scopes = true};
    send_sample(metrics, &count);
}

static void emit_sample(struct statwit_metrics *metrics, struct sample *sample) {
    bool finite = sample->kind != VALUE_REAL || isfinite(sample->real);
    bool fits = sample->kind == VALUE_TEXT ? sample->type == STATWIT_SET && sample->text && *sample->text
                                           : (unsigned)sample->type <= STATWIT_SET;
    if (!sample->key || !*sample->key || !finite || !fits) {
        health_drop(&metrics->health, DROP_INVALID, 1, "%.100s has %s",
                    sample->key && *sample->key ? sample->key : "a metric",
                    !sample->key || !*sample->key ? "no key"
                    : finite                      ? "a value of the wrong kind"
                                                  : "a value that is not finite");
        return;
    }
    double rate = sample->call->sample_rate;
    sample->rate = rate > 0 && rate <= 1 ? rate : metrics->config.options.sample_rate;
    send_sample(metrics, sample);
    if (sample->call->internal && sample->type == STATWIT_COUNT)
        count_internal(metrics, sample);
}

/* A timer that ends with its block must not change the reason why the block was left. */
static inline void emit(struct statwit_metrics *metrics, struct sample *sample) {
    int before = errno;
    emit_sample(metrics, sample);
    errno = before;
}

static inline bool nothing_to_do(const struct statwit_metrics *metrics, const struct statwit_call *call) {
    return !metrics || (metrics->config.backend == BACKEND_DUMMY && !(call && call->internal));
}

void statwit_emit_incr(struct statwit_metrics *metrics, const char *key, const struct statwit_call *call) {
    if (nothing_to_do(metrics, call))
        return;
    call = call ? call : &no_call;
    struct sample sample = {
        .type = STATWIT_COUNT, .key = key, .integer = call->amount ? call->amount : 1, .call = call};
    emit(metrics, &sample);
}

void statwit_emit_integer(struct statwit_metrics *metrics, enum statwit_type type, const char *key,
                          int64_t value, const struct statwit_call *call) {
    if (nothing_to_do(metrics, call))
        return;
    struct sample sample = {.type = type, .key = key, .integer = value, .call = call ? call : &no_call};
    emit(metrics, &sample);
}

void statwit_emit_real(struct statwit_metrics *metrics, enum statwit_type type, const char *key, double value,
                       const struct statwit_call *call) {
    if (nothing_to_do(metrics, call))
        return;
    struct sample sample = {
        .type = type, .kind = VALUE_REAL, .key = key, .real = value, .call = call ? call : &no_call};
    emit(metrics, &sample);
}

void statwit_emit_text(struct statwit_metrics *metrics, enum statwit_type type, const char *key,
                       const char *value, const struct statwit_call *call) {
    if (nothing_to_do(metrics, call))
        return;
    struct sample sample = {
        .type = type, .kind = VALUE_TEXT, .key = key, .text = value, .call = call ? call : &no_call};
    emit(metrics, &sample);
}
