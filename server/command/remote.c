#include "command/remote.h"

#include "core/clock.h"
#include "core/log.h"
#include <limits.h>
#include <stdio.h>

static int timeout_of(int64_t ms) {
    return ms < 1 ? 1 : ms < INT_MAX ? (int)ms : INT_MAX;
}

int remote_open(struct remote *r, const struct options *o) {
    r->answer_ms = option_number(o, OPT_ANSWER_TIMEOUT) / NS_PER_MS;
    struct statwit_connect_options connect = {
        .timeout_ms = timeout_of(r->answer_ms),
        .token = option_text(o, OPT_TOKEN),
        .ca_file = option_text(o, OPT_CA_FILE),
    };
    struct statwit_error error;
    r->alive = false;
    r->recorder = statwit_recorder_connect(option_text(o, OPT_URL), &connect, &error);
    if (r->recorder)
        return EXIT_PASS;
    log_error("%s", error.text);
    return error.code == STATWIT_INVALID ? EXIT_USAGE : EXIT_CANNOT;
}

void remote_close(struct remote *r) {
    statwit_recorder_close(r->recorder);
    r->recorder = NULL;
}

/* {"error":"…"}; who answers otherwise is somebody else. */
static int refused(const struct remote *r, const struct statwit_request *request,
                   const struct statwit_response *response) {
    json_t *body = json_loadb(response->body, response->size, 0, NULL);
    const char *words = json_string_value(json_object_get(body, "error"));
    if (response->status == 401)
        log_error(
            "%s asks for a token: set STATWIT_TOKEN to the one that it was given or that it printed when it started",
            statwit_recorder_url(r->recorder));
    else if (words)
        log_error("%s", words);
    else
        log_error("%s answered %d to %.100s: is it the URL of a statwit server?",
                  statwit_recorder_url(r->recorder), response->status, request->path);
    bool usage = words && (response->status == 400 || response->status == 404 || response->status == 409 ||
                           response->status == 413);
    json_decref(body);
    return usage ? EXIT_USAGE : EXIT_CANNOT;
}

static int perform(struct remote *r, const struct statwit_request *request,
                   struct statwit_response *response) {
    struct statwit_error error;
    if (statwit_request(r->recorder, request, response, &error) != 0) {
        log_error("%s", error.text);
        return error.code == STATWIT_INVALID ? EXIT_USAGE : EXIT_CANNOT;
    }
    return response->status >= 200 && response->status <= 299 ? EXIT_PASS : refused(r, request, response);
}

/* Many a server answers 200 to whatever it is asked, and what it says would be taken for a recording in which there is nothing. */
static int check_ours(const struct remote *r, const struct statwit_response *response) {
    json_t *body = json_loadb(response->body, response->size, 0, NULL);
    const char *word = json_string_value(json_object_get(body, "status"));
    bool ours = word && strcmp(word, "ok") == 0;
    json_decref(body);
    if (!ours)
        log_error("%s does not answer /healthz as a statwit server does: is it the URL of one?",
                  statwit_recorder_url(r->recorder));
    return ours ? EXIT_PASS : EXIT_CANNOT;
}

static int check_alive(struct remote *r) {
    int64_t ms = r->answer_ms < REMOTE_ALIVE_MS ? r->answer_ms : REMOTE_ALIVE_MS;
    struct statwit_request request = {.path = "/healthz", .timeout_ms = timeout_of(ms)};
    struct statwit_response response = {0};
    int status = r->alive || perform(r, &request, &response) == EXIT_PASS ? EXIT_PASS : EXIT_CANNOT;
    if (status == EXIT_PASS && !r->alive)
        status = check_ours(r, &response);
    r->alive = status == EXIT_PASS;
    statwit_response_free(&response);
    return status;
}

static int call(struct remote *r, const char *method, const char *path, const json_t *body,
                int64_t waiting_ms, json_t **answer) {
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    struct statwit_request request = {.method = method,
                                      .path = path,
                                      .body = text,
                                      .size = text ? strlen(text) : 0,
                                      .timeout_ms = timeout_of(r->answer_ms + waiting_ms)};
    struct statwit_response response = {0};
    int status = body && !text ? EXIT_CANNOT : check_alive(r);
    if (status == EXIT_PASS)
        status = perform(r, &request, &response);
    free(text);
    if (status == EXIT_PASS && answer) {
        json_error_t error;
        *answer = json_loadb(response.body, response.size, JSON_ALLOW_NUL, &error);
        if (!*answer) {
            log_error("%s%s did not answer with JSON: is it a statwit server?",
                      statwit_recorder_url(r->recorder), path);
            status = EXIT_CANNOT;
        }
    }
    statwit_response_free(&response);
    return status;
}

int remote_call(struct remote *r, const char *method, const char *path, const json_t *body, json_t **answer) {
    return call(r, method, path, body, 0, answer);
}

int remote_ask(struct remote *r, const char *path, const json_t *question, int64_t waiting_ms,
               json_t **answer) {
    return call(r, NULL, path, question, waiting_ms, answer);
}

int remote_stream(struct remote *r, const char *path, statwit_chunk chunk, void *context) {
    struct statwit_request request = {.path = path, .chunk = chunk, .context = context};
    struct statwit_response response = {0};
    int status = check_alive(r);
    if (status == EXIT_PASS)
        status = perform(r, &request, &response);
    statwit_response_free(&response);
    return status;
}

int remote_post(struct remote *r, const char *path, const void *bytes, size_t n, const char *content_type) {
    struct statwit_request request = {.path = path, .body = bytes, .size = n, .content_type = content_type};
    struct statwit_response response = {0};
    int status = perform(r, &request, &response);
    statwit_response_free(&response);
    return status;
}

void remote_segment(struct buf *path, const char *text) {
    static const char hex[] = "0123456789ABCDEF";
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') ||
                     strchr("-._~", *at);
        if (plain)
            buf_char(path, (char)*at);
        else
            buf_add(path, (char[]){'%', hex[*at >> 4], hex[*at & 15]}, 3);
    }
}

void remote_arg(struct buf *path, const char *name, const char *value) {
    if (!value)
        return;
    buf_char(path, path->n && memchr(path->p, '?', path->n) ? '&' : '?');
    buf_str(path, name);
    buf_char(path, '=');
    remote_segment(path, value);
}
