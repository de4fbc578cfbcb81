/* Events and service checks, on every backend. */
#include "emit/metrics.h"
#include <errno.h>
#include <stdlib.h>
#include <time.h>

static const struct statwit_event no_event;
static const struct statwit_check no_check;

/* An event or a check: one of the two. */
struct notice {
    const char *title, *text;
    const struct statwit_event *event;
    enum statwit_check_status status;
    const struct statwit_check *check;
};

static void collect(struct tags *tags, const struct config *config, const struct notice *notice) {
    struct statwit_call call = {.tags = notice->event ? notice->event->tags : notice->check->tags};
    struct sample sample = {.call = &call};
    format_collect(tags, config, &sample);
}

static void render(struct line *line, const struct config *config, const struct notice *notice) {
    struct tags tags;
    bool scoped = scope_any();
    if (scoped)
        scope_lock();
    collect(&tags, config, notice);
    if (notice->event)
        format_event(line, config, notice->title, notice->text, notice->event, &tags);
    else
        format_check(line, config, notice->title, notice->status, notice->check, &tags);
    if (scoped)
        scope_unlock();
}

static void put_line(struct statwit_metrics *metrics, const struct notice *notice) {
    char *buffer = malloc(LINE_MAX_BYTES);
    if (!buffer) {
        health_drop(&metrics->health, DROP_FULL, 1, "out of memory");
        return;
    }
    struct line line = line_in(buffer, LINE_MAX_BYTES - 1);
    render(&line, &metrics->config, notice);
    if (line.overflow)
        health_drop(&metrics->health, DROP_LARGE, 1, "an event or a check is larger than a datagram can be");
    else
        outbox_put_again(&metrics->outbox, notice->check ? notice->title : NULL, line.start, line_size(&line),
                         1);
    free(buffer);
}

/* ---- as JSON ---- */

static void put_key(struct text *json, const char *name) {
    text_puts(json, json->size > 1 ? ",\"" : "\"");
    text_puts(json, name);
    text_puts(json, "\":");
}

static void put_string(struct text *json, const char *name, const char *value) {
    if (value) {
        put_key(json, name);
        text_put_json(json, value, strlen(value));
    }
}

static void put_integer(struct text *json, const char *name, int64_t value) {
    put_key(json, name);
    text_printf(json, "%lld", (long long)value);
}

static void put_json_event(struct text *json, const struct notice *notice, const char *host) {
    const struct statwit_event *event = notice->event;
    put_string(json, "title", notice->title);
    put_string(json, "text", notice->text);
    put_integer(json, "date_happened", event->timestamp_s > 0 ? event->timestamp_s : time(NULL));
    put_string(json, "host", event->hostname ? event->hostname : host);
    put_string(json, "aggregation_key", event->aggregation_key);
    put_string(json, "priority", event->priority);
    put_string(json, "source_type_name", event->source_type);
    put_string(json, "alert_type", event->alert_type);
}

static void put_json_check(struct text *json, const struct notice *notice, const char *host) {
    const struct statwit_check *check = notice->check;
    put_string(json, "check", notice->title);
    put_string(json, "host_name", check->hostname ? check->hostname : host);
    put_integer(json, "status", notice->status);
    put_integer(json, "timestamp", check->timestamp_s > 0 ? check->timestamp_s : time(NULL));
    put_string(json, "message", check->message);
}

static void put_json(struct statwit_metrics *metrics, const struct notice *notice) {
    struct text json = {.max = (size_t)1 << 20};
    struct tags tags;
    const struct config *config = &metrics->config;
    text_puts(&json, "{");
    (notice->event ? put_json_event : put_json_check)(&json, notice, config->options.hostname);
    put_key(&json, "tags");
    bool scoped = scope_any();
    if (scoped)
        scope_lock();
    collect(&tags, config, notice);
    intake_put_tags(&json, config, &tags);
    if (scoped)
        scope_unlock();
    text_puts(&json, "}");
    intake_put_json(&metrics->intake, notice->event ? "/api/v1/events" : "/api/v1/check_run", &json);
    text_free(&json);
}

/* ---- */

static void emit(struct statwit_metrics *metrics, const struct notice *notice) {
    int before = errno;
    switch (metrics->config.backend) {
    case BACKEND_DUMMY:
        break;
    case BACKEND_LOGGING:
        health_log(&metrics->health, "'%.500s': %s", notice->title,
                   notice->event ? "event" : "service check");
        break;
    case BACKEND_STATSD:
        health_drop(&metrics->health, DROP_INVALID, 1, "plain StatsD has neither events nor service checks");
        break;
    case BACKEND_DOGSTATSD:
        put_line(metrics, notice);
        break;
    case BACKEND_DATADOG:
        put_json(metrics, notice);
        break;
    }
    errno = before;
}

void statwit_emit_event(struct statwit_metrics *metrics, const char *title, const char *text,
                        const struct statwit_event *event) {
    if (!metrics)
        return;
    if (!title || !*title) {
        health_drop(&metrics->health, DROP_INVALID, 1, "an event has no title");
        return;
    }
    health_add(&metrics->health.events, 1);
    emit(metrics,
         &(struct notice){.title = title, .text = text ? text : "", .event = event ? event : &no_event});
}

void statwit_emit_check(struct statwit_metrics *metrics, const char *name, enum statwit_check_status status,
                        const struct statwit_check *check) {
    if (!metrics)
        return;
    if (!name || !*name || (unsigned)status > STATWIT_CHECK_UNKNOWN) {
        health_drop(&metrics->health, DROP_INVALID, 1,
                    "a service check has no name, or a status that there is not");
        return;
    }
    health_add(&metrics->health.checks, 1);
    emit(metrics, &(struct notice){.title = name, .status = status, .check = check ? check : &no_check});
}
