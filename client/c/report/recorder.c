/* A recorder from connecting to closing. */
#include "report/recorder.h"

#include "emit/error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define TIMEOUT_MS  30000
#define DEFAULT_URL "http://127.0.0.1:8125"

static const char *or_environment(const char *value, const char *name) {
    if (value)
        return value;
    value = getenv(name);
    return value && *value ? value : NULL;
}

static char *copy_or_null(const char *string, bool *failed) {
    char *copy = string ? strdup(string) : NULL;
    if (string && !copy)
        *failed = true;
    return copy;
}

static struct statwit_recorder *connect_to(const char *url, const struct statwit_connect_options *options,
                                           struct statwit_error *error) {
    static const struct statwit_connect_options none;
    if (!options)
        options = &none;
    url = or_environment(url, "STATWIT_URL");
    if (!url)
        url = DEFAULT_URL;
    if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0) {
        error_set(error, STATWIT_INVALID,
                  "\"%.200s\" is not a URL of a recorder: it starts with http:// or https://", url);
        return NULL;
    }
    struct plain plain;
    const struct curl *curl = NULL;
    enum plain_url kind = plain_init(&plain, url);
    if (kind == PLAIN_URL_OTHER && !(curl = curl_load(error)))
        return NULL;
    struct statwit_recorder *recorder = calloc(1, sizeof *recorder);
    bool failed = !recorder || kind == PLAIN_URL_NO_MEMORY;
    if (!recorder)
        plain_close(&plain);
    if (recorder) {
        pthread_mutex_init(&recorder->lock, NULL);
        recorder->bad_url = kind == PLAIN_URL_BAD;
        recorder->plain = plain;
        recorder->curl = curl;
        recorder->timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
        recorder->url = copy_or_null(url, &failed);
        recorder->token = copy_or_null(or_environment(options->token, "STATWIT_TOKEN"), &failed);
        recorder->ca_file = copy_or_null(or_environment(options->ca_file, "STATWIT_CA_FILE"), &failed);
    }
    if (failed) {
        error_memory(error);
        statwit_recorder_close(recorder);
        return NULL;
    }
    for (size_t n = strlen(recorder->url); n > 0 && recorder->url[n - 1] == '/'; n--)
        recorder->url[n - 1] = '\0';
    return recorder;
}

struct statwit_recorder *statwit_recorder_connect(const char *url,
                                                  const struct statwit_connect_options *options,
                                                  struct statwit_error *error) {
    struct statwit_error why = {0};
    struct statwit_recorder *recorder = connect_to(url, options, &why);
    if (!recorder)
        missing_keep(&why, error);
    return recorder;
}

int recorder_check_api(const json_t *told, const char *who, struct statwit_error *error) {
    const json_t *api = json_object_get(told, "api");
    if (json_is_integer(api) && json_integer_value(api) == RECORDER_API)
        return 0;
    char number[32] = "of no number";
    if (json_is_integer(api))
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(api));
    return error_set(
        error, STATWIT_PROTOCOL,
        "%.200s speaks api %s, and this library (%s) speaks api %d: install the two of one version", who,
        number, STATWIT_VERSION, RECORDER_API);
}

int recorder_check(struct statwit_recorder *recorder, struct statwit_error *error) {
    if (!recorder || recorder->known)
        return 0; /* the call itself says that there is none */
    json_t *status = answer_get(recorder, "GET", "/recorder/v1/status", NULL, 0, error);
    const int result = status ? recorder_check_api(status, recorder->url, error) : -1;
    recorder->known = result == 0;
    json_decref(status);
    return result;
}

const char *statwit_recorder_url(const struct statwit_recorder *recorder) {
    return recorder ? recorder->url : "";
}

void statwit_recorder_close(struct statwit_recorder *recorder) {
    if (!recorder)
        return;
    if (recorder->handle && recorder->pid == getpid())
        recorder->curl->easy_cleanup(recorder->handle);
    plain_close(&recorder->plain);
    process_end(recorder);
    pthread_mutex_destroy(&recorder->lock);
    free(recorder->url);
    free(recorder->token);
    free(recorder->ca_file);
    free(recorder);
}
