/* Requests over libcurl, for https and what else plain.c leaves to it. */
#include "emit/error.h"
#include "emit/text.h"
#include "report/exchange.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static size_t take_body(char *bytes, size_t one, size_t size, void *context) {
    struct exchange *exchange = context;
    long status = 0;
    exchange->recorder->curl->easy_getinfo(exchange->recorder->handle, CURLINFO_RESPONSE_CODE, &status);
    exchange->status = (int)status;
    return exchange_take(exchange, bytes, one * size) ? one * size : 0;
}

/* A stream may take as long as it likes, but not be silent for longer than its timeout. Called about once a second. */
static int on_progress(void *context, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                       curl_off_t up) {
    struct exchange *exchange = context;
    (void)down_all, (void)up_all;
    if (down + up != exchange->moved) {
        exchange->moved = down + up;
        exchange->moved_ms = exchange_now_ms();
    }
    return exchange_now_ms() - exchange->moved_ms >= exchange->timeout_ms;
}

static int fresh_handle(struct statwit_recorder *recorder, struct statwit_error *error) {
    /* A handle inherited through fork shares its socket with the parent: it is left alone, not cleaned up. */
    if (recorder->handle && recorder->pid != getpid())
        recorder->handle = NULL;
    if (!recorder->handle)
        recorder->handle = recorder->curl->easy_init();
    recorder->pid = getpid();
    return recorder->handle ? 0 : error_memory(error);
}

static int prepare(struct exchange *exchange, const char *url, const struct curl_slist *headers) {
    const struct statwit_recorder *recorder = exchange->recorder;
    const struct statwit_request *request = exchange->request;
    const struct curl *curl = recorder->curl;
    CURL *handle = recorder->handle;
    long timeout_ms = exchange->timeout_ms;
    bool streams = exchange->streams;
    const char *method = exchange_method(exchange);
    exchange->moved_ms = exchange_now_ms();
    bool failed = false;
#define SET(option, value) failed |= curl->easy_setopt(handle, option, value) != CURLE_OK
    SET(CURLOPT_URL, url);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROXY, ""); /* a recorder is on this host or near: http_proxy is meant for others */
    SET(CURLOPT_TCP_NODELAY, 1L);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_TIMEOUT_MS, streams ? 0 : timeout_ms);
    SET(CURLOPT_NOPROGRESS, streams ? 0L : 1L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, exchange);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, exchange);
    if (recorder->ca_file)
        SET(CURLOPT_CAINFO, recorder->ca_file);
    SET(CURLOPT_HTTPGET, 1L); /* undoes what an earlier request on this handle set */
    SET(CURLOPT_NOBODY, strcmp(method, "HEAD") == 0 ? 1L : 0L);
    if (request->body) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->size);
        SET(CURLOPT_POSTFIELDS, request->body);
    }
    SET(CURLOPT_CUSTOMREQUEST, method);
#undef SET
    return failed ? -1 : 0;
}

static int add_header(const struct curl *curl, struct curl_slist **headers, const char *header,
                      const char *before, const char *value, struct statwit_error *error) {
    struct text line = {.max = HEADER_MAX + 256};
    const char *const pieces[] = {header, ": ", before, value};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
        text_puts(&line, pieces[i]);
    struct curl_slist *longer = line.failed ? NULL : curl->slist_append(*headers, line.bytes);
    text_free(&line);
    if (!longer)
        return error_memory(error);
    *headers = longer;
    return 0;
}

/* NULL with an error. */
static struct curl_slist *make_headers(const struct exchange *exchange, struct statwit_error *error) {
    const struct curl *curl = exchange->recorder->curl;
    const char *type = exchange->request->content_type, *token = exchange->recorder->token;
    struct curl_slist *headers = curl->slist_append(NULL, "Expect:");
    if (!headers)
        error_memory(error);
    else if ((exchange->request->body &&
              add_header(curl, &headers, "Content-Type", "", type ? type : "application/json", error) != 0) ||
             (token && *token && add_header(curl, &headers, "Authorization", "Bearer ", token, error) != 0)) {
        curl->slist_free_all(headers);
        headers = NULL;
    }
    return headers;
}

static int explain(struct exchange *exchange, CURLcode code, struct statwit_error *error) {
    const struct statwit_recorder *recorder = exchange->recorder;
    const char *words = recorder->curl->easy_strerror(code);
    exchange->got_some = exchange->moved > 0;
    if (exchange->body.failed)
        return exchange_too_large(exchange, error);
    switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST: {
        long number = 0;
        recorder->curl->easy_getinfo(recorder->handle, CURLINFO_OS_ERRNO, &number);
        return exchange_unreachable(
            exchange, code == CURLE_COULDNT_CONNECT && number ? strerror((int)number) : words, error);
    }
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_ABORTED_BY_CALLBACK:
        return exchange_timed_out(exchange, error);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return error_set(
            error, STATWIT_UNREACHABLE,
            "%.200s is not trusted: %s. Give the certificate's CA file with --ca-file or STATWIT_CA_FILE",
            recorder->url, words);
    case CURLE_URL_MALFORMAT:
        return exchange_bad_url(exchange, error);
    default:
        return exchange_no_answer(exchange, words, error);
    }
}

/* libcurl leaves SIGPIPE to the TLS library's caller: none may reach a program because its server went away.
 */
static CURLcode perform(const struct statwit_recorder *recorder) {
    sigset_t pipe_only, before, pending;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    CURLcode code = recorder->curl->easy_perform(recorder->handle);
    if (!sigismember(&pending, SIGPIPE))
        while (sigtimedwait(&pipe_only, NULL, &(struct timespec){0}) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

static int run_prepared(struct exchange *exchange, const char *url, struct statwit_response *response,
                        struct statwit_error *error) {
    struct statwit_recorder *recorder = exchange->recorder;
    if (fresh_handle(recorder, error))
        return -1;
    struct curl_slist *headers = make_headers(exchange, error);
    if (!headers)
        return -1;
    CURLcode code = prepare(exchange, url, headers) ? CURLE_OUT_OF_MEMORY : perform(recorder);
    recorder->curl->easy_setopt(recorder->handle, CURLOPT_HTTPHEADER, NULL);
    recorder->curl->slist_free_all(headers);
    if (code == CURLE_OUT_OF_MEMORY)
        return error_memory(error);
    if (code != CURLE_OK && !exchange->stopped)
        return explain(exchange, code, error);
    long status = 0;
    char *type = NULL;
    recorder->curl->easy_getinfo(recorder->handle, CURLINFO_RESPONSE_CODE, &status);
    recorder->curl->easy_getinfo(recorder->handle, CURLINFO_CONTENT_TYPE, &type);
    response->status = (int)status;
    snprintf(response->content_type, sizeof response->content_type, "%s", type ? type : "");
    return 0;
}

int exchange_by_curl(struct exchange *exchange, struct statwit_response *response,
                     struct statwit_error *error) {
    struct text url = {.max = 1 << 20};
    text_puts(&url, exchange->recorder->url);
    text_puts(&url, exchange->request->path);
    int result = url.failed ? error_memory(error) : run_prepared(exchange, url.bytes, response, error);
    text_free(&url);
    return result;
}
