/* fixtures/sentry: the library puts on the wire what Sentry's Python backends do for the same calls. */
#include "jsonl.h"
#include "sink.h"
#include "statwit.h"
#include "unit.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct statwit_tag tag_pool[2048];
static char number_pool[2048][STATWIT_NUMBER_SIZE];
static size_t n_tags;

static const char *tag_value(const json_t *value, char text[STATWIT_NUMBER_SIZE]) {
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_boolean(value))
        return STATWIT_BOOL(json_is_true(value));
    if (json_is_integer(value))
        return statwit_integer_text(text, json_integer_value(value));
    return json_is_real(value) ? statwit_real_text(text, json_real_value(value)) : NULL;
}

static const struct statwit_tag *read_tags(json_t *object) {
    struct statwit_tag *first = &tag_pool[n_tags];
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        tag_pool[n_tags] = (struct statwit_tag){key, tag_value(value, number_pool[n_tags])};
        n_tags++;
    }
    tag_pool[n_tags++] = (struct statwit_tag){0};
    return first;
}

static const char *string(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}

static void emit_notice(struct statwit_metrics *metrics, const json_t *call) {
    if (string(call, "title")) {
        struct statwit_event event = {.hostname = string(call, "hostname"),
                                      .aggregation_key = string(call, "aggregation_key"),
                                      .source_type = string(call, "source_type_name"),
                                      .priority = string(call, "priority"),
                                      .alert_type = string(call, "alert_type"),
                                      .timestamp_s =
                                          json_integer_value(json_object_get(call, "date_happened")),
                                      .tags = read_tags(json_object_get(call, "tags"))};
        statwit_emit_event(metrics, string(call, "title"), string(call, "text"), &event);
    } else {
        struct statwit_check check = {.hostname = string(call, "hostname"),
                                      .message = string(call, "message"),
                                      .timestamp_s = json_integer_value(json_object_get(call, "timestamp")),
                                      .tags = read_tags(json_object_get(call, "tags"))};
        enum statwit_check_status status =
            (enum statwit_check_status)json_integer_value(json_object_get(call, "status"));
        statwit_emit_check(metrics, string(call, "name"), status, &check);
    }
}

static void emit(struct statwit_metrics *metrics, const json_t *call) {
    static const char *const types[] = {"incr", "gauge", "timing", "histogram", "distribution", "set"};
    const char *function = string(call, "call"), *key = string(call, "key");
    const json_t *value = json_object_get(call, json_object_get(call, "amount") ? "amount" : "value");
    struct statwit_call options = {.instance = string(call, "instance"),
                                   .tags = read_tags(json_object_get(call, "tags")),
                                   .sample_rate = json_number_value(json_object_get(call, "sample_rate"))};
    if (!key) {
        emit_notice(metrics, call);
        return;
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(function, types[i]) != 0)
            continue;
        enum statwit_type type = (enum statwit_type)i;
        if (!value)
            statwit_emit_incr(metrics, key, &options);
        else if (json_is_string(value))
            statwit_emit_text(metrics, type, key, json_string_value(value), &options);
        else if (json_is_integer(value))
            statwit_emit_integer(metrics, type, key, json_integer_value(value), &options);
        else
            statwit_emit_real(metrics, type, key, json_real_value(value), &options);
    }
}

static void compare(const char *got, const char *wanted, const char *name) {
    char line[8192];
    snprintf(line, sizeof line, "%s", got);
    /* The reference clients end only metrics with a newline. */
    if (wanted[strlen(wanted) - 1] != '\n' && line[0] && line[strlen(line) - 1] == '\n')
        line[strlen(line) - 1] = '\0';
    if (strcmp(line, wanted) != 0)
        fprintf(stderr, "case \"%s\"\n", name);
    EQ_STR(line, wanted);
}

static void run_calls(struct statwit_metrics *metrics, const json_t *test, int fd) {
    size_t i;
    json_t *call;
    char got[8192];
    struct statwit_scope scopes[8];
    json_t *globals = json_object_get(test, "globals");
    size_t n_scopes = json_array_size(globals);
    for (i = 0; i < n_scopes; i++)
        statwit_scope_push(&scopes[i], i % 2 == 0 && n_scopes > 1, read_tags(json_array_get(globals, i)));
    json_array_foreach(json_object_get(test, "calls"), i, call) {
        long n = -1;
        /* A sampled call is repeated until it is sent. */
        for (int attempt = 0; attempt < 10000 && n < 0; attempt++) {
            struct statwit_health before, after;
            statwit_health(metrics, &before);
            emit(metrics, call);
            statwit_health(metrics, &after);
            if (after.packets_sent > before.packets_sent)
                n = sink_read(fd, got, sizeof got, PATIENCE_MS);
        }
        CU_ASSERT(n > 0);
        compare(n > 0 ? got : "", json_string_value(json_array_get(json_object_get(test, "wire"), i)),
                string(test, "case"));
    }
    while (n_scopes > 0)
        statwit_scope_pop(&scopes[--n_scopes]);
}

static void run_case(void *context, const json_t *test) {
    int port, fd = sink_udp(&port);
    const char *name;
    json_t *value;
    (void)context;
    n_tags = 0;
    json_object_foreach(json_object_get(test, "env"), name, value)
        setenv(name, json_string_value(value), 1);
    struct statwit_options options = {.backend = string(test, "backend"),
                                      .prefix = string(test, "prefix"),
                                      .tags = read_tags(json_object_get(test, "tags")),
                                      .port = port,
                                      .unbuffered = true};
    struct statwit_error error = {0};
    struct statwit_metrics *metrics = statwit_open(&options, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(metrics);
    run_calls(metrics, test, fd);
    statwit_close(metrics);
    json_object_foreach(json_object_get(test, "env"), name, value)
        unsetenv(name);
    close(fd);
}

static void test_fixtures(void) {
    EQ_INT(jsonl_each("fixtures/sentry/wire.jsonl", run_case, NULL), 16);
}

UNIT_MAIN("client/wire", {"the same bytes as Sentry's backends", test_fixtures})
