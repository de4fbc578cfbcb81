/* emit SETTINGS CALLS: makes the calls with libstatwit; prints what its callback for internal metrics was told, as JSON.
 * The files are those that emit.py reads. */
#include "statwit.h"
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TAGS_MAX 16

static struct statwit_metrics *metrics;

struct tag_list {
    struct statwit_tag tags[TAGS_MAX + 1];
    char numbers[TAGS_MAX][STATWIT_NUMBER_SIZE];
};

static void stop(const char *why, const char *text) {
    fprintf(stderr, "emit: %s: %s\n", why, text);
    exit(2);
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

static const struct statwit_tag *read_tags(json_t *call, const char *name, struct tag_list *list) {
    const char *key;
    json_t *value;
    size_t n = 0;
    memset(list, 0, sizeof *list);
    json_object_foreach(json_object_get(call, name), key, value) {
        if (n == TAGS_MAX)
            stop("too many tags", key);
        list->tags[n] = (struct statwit_tag){key, tag_text(value, list->numbers[n])};
        n++;
    }
    return list->tags;
}

static void busy(int64_t ms) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t until_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + ms * 1000000;
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec < until_ns);
}

static void make_calls(json_t *calls);

static void make_timer(json_t *call, const struct statwit_call *options) {
    struct tag_list list;
    const char *key = json_string_value(json_object_get(call, "key"));
    struct statwit_timer timer;
    statwit_timer_start(&timer, metrics, key, options);
    for (const struct statwit_tag *tag = read_tags(call, "add", &list); tag->key; tag++)
        statwit_timer_tag(&timer, tag->key, tag->value);
    busy(json_integer_value(json_object_get(call, "busy_ms")));
    make_calls(json_object_get(call, "calls"));
    if (json_is_true(json_object_get(call, "fail")))
        statwit_timer_fail(&timer);
    statwit_timer_stop(&timer);
}

static void make_metric(json_t *call, const char *what, const struct statwit_call *options) {
    const char *key = json_string_value(json_object_get(call, "key"));
    bool counts = strcmp(what, "incr") == 0;
    enum statwit_type type = counts                       ? STATWIT_COUNT
                             : strcmp(what, "gauge") == 0 ? STATWIT_GAUGE
                                                          : STATWIT_TIMING;
    const json_t *value = json_object_get(call, counts ? "amount" : "value");
    if (!value)
        statwit_emit_incr(metrics, key, options);
    else if (json_is_integer(value))
        statwit_emit_integer(metrics, type, key, json_integer_value(value), options);
    else if (json_is_string(value)) /* "nan": JSON has no word for what is not finite */
        statwit_emit_real(metrics, type, key, strtod(json_string_value(value), NULL), options);
    else
        statwit_emit_real(metrics, type, key, json_real_value(value), options);
}

static void *run_thread(void *calls) {
    make_calls(calls);
    return NULL;
}

static void make_call(json_t *call) {
    struct tag_list list;
    const char *what = json_string_value(json_object_get(call, "call"));
    json_t *calls = json_object_get(call, "calls");
    struct statwit_call options = {.instance = json_string_value(json_object_get(call, "instance")),
                                   .tags = read_tags(call, "tags", &list),
                                   .sample_rate = json_number_value(json_object_get(call, "sample_rate")),
                                   .internal = json_is_false(json_object_get(call, "skip_internal"))};
    if (strcmp(what, "global_tags") == 0) {
        statwit_global_tags(scope, json_is_true(json_object_get(call, "all_threads")), options.tags);
        make_calls(calls);
    } else if (strcmp(what, "thread") == 0) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, run_thread, calls) != 0 || pthread_join(thread, NULL) != 0)
            stop("thread", "it does not start or end");
    } else if (strcmp(what, "timer") == 0) {
        make_timer(call, &options);
    } else {
        make_metric(call, what, &options);
    }
}

static void make_calls(json_t *calls) {
    size_t i;
    json_t *call;
    json_array_foreach(calls, i, call) {
        const json_t *times = json_object_get(call, "times");
        for (int64_t n = times ? json_integer_value(times) : 1; n > 0; n--)
            make_call(call);
    }
}

/* The calls are made by one thread at a time, so this needs no lock. */
static void count_internal(void *context, const char *key, int64_t amount) {
    json_int_t before = json_integer_value(json_object_get(context, key));
    json_object_set_new(context, key, json_integer(before + amount));
}

static void log_trouble(void *context, const char *text) {
    (void)context;
    fprintf(stderr, "libstatwit: %s\n", text);
}

static json_t *load(const char *path) {
    json_error_t error;
    json_t *value = json_load_file(path, JSON_DECODE_ANY, &error);
    if (!value)
        stop(path, error.text);
    return value;
}

int main(int argc, char **argv) {
    if (argc != 3)
        stop("usage", "emit SETTINGS CALLS");
    json_t *settings = load(argv[1]), *calls = load(argv[2]), *internal = json_object();
    char *text = json_dumps(settings, 0);
    struct statwit_options base = {.internal = count_internal, .log = log_trouble, .context = internal};
    struct statwit_error error;
    metrics = statwit_open_json(text, &base, &error);
    if (!metrics)
        stop("statwit_open_json", error.text);
    make_calls(calls);
    statwit_close(metrics);
    json_dumpf(internal, stdout, JSON_SORT_KEYS);
    json_decref(internal);
    json_decref(calls);
    json_decref(settings);
    free(text);
}
