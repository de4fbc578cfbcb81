/* Requests to a recorder: what is the same however they go. */
#include "report/exchange.h"

#include "emit/error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- headers ------------------------------------------------------------------------------------------------ */

/* A value that would end its header early, or be cut, must not be sent as another one. */
static int check_value(const char *header, const char *value, struct statwit_error *error) {
    size_t size = strlen(value);
    for (size_t i = 0; i < size; i++)
        if (((unsigned char)value[i] < ' ' && value[i] != '\t') || value[i] == 0x7f)
            return error_set(error, STATWIT_INVALID,
                             "the value for the header %s holds a line break or another control character",
                             header);
    if (size <= HEADER_MAX)
        return 0;
    return error_set(error, STATWIT_INVALID, "the value for the header %s has %zu bytes, at most %d are sent",
                     header, size, HEADER_MAX);
}

static const char *content_type(const struct exchange *exchange) {
    const char *type = exchange->request->content_type;
    return !exchange->request->body ? NULL : type ? type : "application/json";
}

static int check_values(const struct exchange *exchange, struct statwit_error *error) {
    const char *type = content_type(exchange), *token = exchange->recorder->token;
    return (type && check_value("Content-Type", type, error) != 0) ||
                   (token && check_value("Authorization", token, error) != 0)
               ? -1
               : 0;
}

/* --- http, without libcurl ---------------------------------------------------------------------------------- */

static bool take_plain(void *context, const char *bytes, size_t size) {
    struct exchange *exchange = ((void **)context)[0];
    const struct plain_exchange *plain = ((void **)context)[1];
    exchange->status = plain->status;
    return exchange_take(exchange, bytes, size);
}

static int explain_plain(struct exchange *exchange, const struct plain_exchange *plain, enum plain_end end,
                         struct statwit_error *error) {
    const char *words = plain->words;
    exchange->got_some = plain->got_some;
    if ((end == PLAIN_UNREACHABLE || end == PLAIN_LOST) && plain->number)
        words = strerror(plain->number);
    switch (end) {
    case PLAIN_UNRESOLVED:
    case PLAIN_UNREACHABLE:
        return exchange_unreachable(exchange, words ? words : "no address of it answers", error);
    case PLAIN_TIMED_OUT:
        return exchange_timed_out(exchange, error);
    case PLAIN_URL_BAD_PATH:
        return exchange_bad_url(exchange, error);
    case PLAIN_NO_MEMORY:
        return error_memory(error);
    default:
        return exchange_no_answer(exchange, words ? words : "the connection was closed", error);
    }
}

static int exchange_by_plain(struct exchange *exchange, struct statwit_response *response,
                             struct statwit_error *error) {
    struct statwit_recorder *recorder = exchange->recorder;
    const struct statwit_request *request = exchange->request;
    const char *type = content_type(exchange), *token = recorder->token;
    struct text headers = {.max = 2 * HEADER_MAX + 256};
    const char *const lines[][3] = {{"Content-Type: ", type, "\r\n"},
                                    {"Authorization: Bearer ", token && *token ? token : NULL, "\r\n"}};
    text_puts(&headers, "");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        for (size_t k = 0; k < 3 && lines[i][1]; k++)
            text_puts(&headers, lines[i][k]);
    void *both[2] = {exchange, NULL};
    struct plain_exchange plain = {
        .method = exchange_method(exchange),
        .path = request->path,
        .headers = headers.bytes,
        .body = request->body,
        .size = request->size,
        .timeout_ms = exchange->timeout_ms,
        .streams = exchange->streams,
        .take = take_plain,
        .context = both,
    };
    both[1] = &plain;
    enum plain_end end = headers.failed ? PLAIN_NO_MEMORY : plain_run(&recorder->plain, &plain);
    text_free(&headers);
    if (exchange->body.failed)
        return exchange_too_large(exchange, error);
    if (end != PLAIN_DONE && !exchange->stopped)
        return explain_plain(exchange, &plain, end, error);
    response->status = plain.status;
    snprintf(response->content_type, sizeof response->content_type, "%s", plain.content_type);
    return 0;
}

/* --- either ------------------------------------------------------------------------------------------------- */

static int exchange_run(struct exchange *exchange, struct statwit_response *response,
                        struct statwit_error *error) {
    struct statwit_recorder *recorder = exchange->recorder;
    int timeout_ms = exchange->request->timeout_ms ? exchange->request->timeout_ms : recorder->timeout_ms;
    exchange->timeout_ms = timeout_ms > 0 ? timeout_ms : 0;
    exchange->streams = exchange->request->chunk && exchange->timeout_ms;
    if (recorder->bad_url)
        return exchange_bad_url(exchange, error);
    if (check_values(exchange, error) != 0 ||
        (recorder->plain.host ? exchange_by_plain(exchange, response, error)
                              : exchange_by_curl(exchange, response, error)) != 0)
        return -1;
    text_put(&exchange->body, "", 0);
    if (exchange->body.failed)
        return error_memory(error);
    response->body = exchange->body.bytes;
    response->size = exchange->body.size;
    exchange->body.bytes = NULL;
    return 0;
}

int statwit_request(struct statwit_recorder *recorder, const struct statwit_request *request,
                    struct statwit_response *response, struct statwit_error *error) {
    *response = (struct statwit_response){0};
    if (!recorder)
        return missing_tell(error);
    if (!request->path || request->path[0] != '/')
        return error_set(error, STATWIT_INVALID, "the path of a request starts with /, not \"%.100s\"",
                         request->path ? request->path : "");
    struct exchange exchange = {.recorder = recorder, .request = request, .body = {.max = BODY_MAX}};
    pthread_mutex_lock(&recorder->lock);
    int result = exchange_run(&exchange, response, error);
    pthread_mutex_unlock(&recorder->lock);
    text_free(&exchange.body);
    return result;
}

void statwit_response_free(struct statwit_response *response) {
    free(response->body);
    *response = (struct statwit_response){0};
}

int statwit_recorder_wait(struct statwit_recorder *recorder, int timeout_ms, struct statwit_error *error) {
    int64_t start_ms = exchange_now_ms();
    if (!recorder)
        return missing_tell(error);
    for (;;) {
        struct statwit_response response;
        struct statwit_request ask = {.path = "/readyz", .timeout_ms = timeout_ms > 0 ? timeout_ms : 0};
        int answered = statwit_request(recorder, &ask, &response, error);
        int status = response.status;
        statwit_response_free(&response);
        if (answered == 0 && status == 200)
            return 0;
        if (answered == 0) {
            error_set(error, STATWIT_REFUSED, "%.200s is not ready: it answered /readyz with %d",
                      recorder->url, status);
            if (error)
                error->status = status;
        }
        if (exchange_now_ms() - start_ms >= timeout_ms)
            return -1;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}
