/* Requests to a recorder over libcurl. */
#include "emit/error.h"
#include "emit/text.h"
#include "report/recorder.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define BODY_MAX   ((size_t)256 << 20)
#define HEADER_MAX 16384 /* bytes of a value */

/* One request under way. */
struct exchange {
    struct statwit_recorder *recorder;
    const struct statwit_request *request;
    struct text body;
    bool stopped; /* by the caller's chunk function */
    int timeout_ms;
    curl_off_t moved; /* bytes so far, of a stream; and when the last of them came */
    int64_t moved_ms;
};

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The bytes of a 2xx answer go to the caller's function when there is one; all else is collected. */
static size_t take_body(char *bytes, size_t one, size_t size, void *context) {
    struct exchange *exchange = context;
    size *= one;
    long status = 0;
    exchange->recorder->curl->easy_getinfo(exchange->recorder->handle, CURLINFO_RESPONSE_CODE, &status);
    if (!exchange->request->chunk || status < 200 || status > 299) {
        text_put(&exchange->body, bytes, size);
        return exchange->body.failed ? 0 : size;
    }
    exchange->stopped = !exchange->request->chunk(exchange->request->context, bytes, size);
    return exchange->stopped ? 0 : size;
}

/* A stream may take as long as it likes, but not be silent for longer than its timeout. Called about once a second. */
static int on_progress(void *context, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                       curl_off_t up) {
    struct exchange *exchange = context;
    (void)down_all, (void)up_all;
    if (down + up != exchange->moved) {
        exchange->moved = down + up;
        exchange->moved_ms = now_ms();
    }
    return now_ms() - exchange->moved_ms >= exchange->timeout_ms;
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
    exchange->timeout_ms = request->timeout_ms ? request->timeout_ms : recorder->timeout_ms;
    exchange->moved_ms = now_ms();
    long timeout_ms = exchange->timeout_ms > 0 ? exchange->timeout_ms : 0;
    bool streams = request->chunk && timeout_ms;
    const char *method = request->method ? request->method : request->body ? "POST" : "GET";
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

static int add_header(const struct curl *curl, struct curl_slist **headers, const char *header,
                      const char *before, const char *value, struct statwit_error *error) {
    struct text line = {.max = HEADER_MAX + 256};
    if (check_value(header, value, error) != 0)
        return -1;
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

static int explain(const struct exchange *exchange, CURLcode code, struct statwit_error *error) {
    const struct statwit_recorder *recorder = exchange->recorder;
    const char *words = recorder->curl->easy_strerror(code);
    bool got_some = exchange->moved > 0;
    if (exchange->body.failed)
        return error_set(error, exchange->body.size ? STATWIT_PROTOCOL : STATWIT_NO_MEMORY,
                         "the answer of %.200s is larger than %zu MiB, or memory is out", recorder->url,
                         BODY_MAX >> 20);
    switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST: {
        long number = 0;
        recorder->curl->easy_getinfo(recorder->handle, CURLINFO_OS_ERRNO, &number);
        return error_set(error, STATWIT_UNREACHABLE,
                         "cannot reach %.200s: %s. Is `statwit serve` running? Start it, or give its address "
                         "with --url or STATWIT_URL",
                         recorder->url,
                         code == CURLE_COULDNT_CONNECT && number ? strerror((int)number) : words);
    }
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_ABORTED_BY_CALLBACK:
        return error_set(error, STATWIT_UNREACHABLE,
                         "%.200s %s %.100s for %g s: does it hang? Start it anew, or give it longer with "
                         "--answer-timeout or timeout_ms",
                         recorder->url, got_some ? "sent nothing more of" : "did not answer",
                         exchange->request->path, exchange->timeout_ms / 1000.0);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return error_set(
            error, STATWIT_UNREACHABLE,
            "%.200s is not trusted: %s. Give the certificate's CA file with --ca-file or STATWIT_CA_FILE",
            recorder->url, words);
    case CURLE_URL_MALFORMAT:
        return error_set(error, STATWIT_INVALID, "\"%.200s\" with \"%.100s\" is not a URL", recorder->url,
                         exchange->request->path);
    default:
        return error_set(error, STATWIT_UNREACHABLE, "no answer from %.200s to %.100s: %s", recorder->url,
                         exchange->request->path, words);
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

static int exchange_run(struct exchange *exchange, const char *url, struct statwit_response *response,
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
    text_put(&exchange->body, "", 0);
    if (exchange->body.failed)
        return error_memory(error);
    long status = 0;
    char *type = NULL;
    recorder->curl->easy_getinfo(recorder->handle, CURLINFO_RESPONSE_CODE, &status);
    recorder->curl->easy_getinfo(recorder->handle, CURLINFO_CONTENT_TYPE, &type);
    response->status = (int)status;
    snprintf(response->content_type, sizeof response->content_type, "%s", type ? type : "");
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
    struct text url = {.max = 1 << 20};
    text_puts(&url, recorder->url);
    text_puts(&url, request->path);
    int result = -1;
    if (url.failed) {
        error_memory(error);
    } else {
        pthread_mutex_lock(&recorder->lock);
        result = exchange_run(&exchange, url.bytes, response, error);
        pthread_mutex_unlock(&recorder->lock);
    }
    text_free(&url);
    text_free(&exchange.body);
    return result;
}

void statwit_response_free(struct statwit_response *response) {
    free(response->body);
    *response = (struct statwit_response){0};
}

int statwit_recorder_wait(struct statwit_recorder *recorder, int timeout_ms, struct statwit_error *error) {
    int64_t start_ms = now_ms();
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
        if (now_ms() - start_ms >= timeout_ms)
            return -1;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}
