/* What a request needs however it goes: where its body goes, and why there is no answer. */
#include "report/exchange.h"

#include "emit/error.h"
#include <time.h>

int64_t exchange_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *exchange_method(const struct exchange *exchange) {
    const struct statwit_request *request = exchange->request;
    return request->method ? request->method : request->body ? "POST" : "GET";
}

/* The bytes of a 2xx answer go to the caller's function when there is one; all else is collected. */
bool exchange_take(struct exchange *exchange, const char *bytes, size_t size) {
    if (!exchange->request->chunk || exchange->status < 200 || exchange->status > 299) {
        text_put(&exchange->body, bytes, size);
        return !exchange->body.failed;
    }
    exchange->stopped = !exchange->request->chunk(exchange->request->context, bytes, size);
    return !exchange->stopped;
}

/* --- why there is no answer --------------------------------------------------------------------------------- */

int exchange_unreachable(const struct exchange *exchange, const char *words, struct statwit_error *error) {
    return error_set(error, STATWIT_UNREACHABLE,
                     "cannot reach %.200s: %s. Is `statwit serve` running? Start it, or give its address "
                     "with --url or STATWIT_URL",
                     exchange->recorder->url, words);
}

int exchange_timed_out(const struct exchange *exchange, struct statwit_error *error) {
    return error_set(error, STATWIT_UNREACHABLE,
                     "%.200s %s %.100s for %g s: does it hang? Start it anew, or give it longer with "
                     "--answer-timeout or timeout_ms",
                     exchange->recorder->url, exchange->got_some ? "sent nothing more of" : "did not answer",
                     exchange->request->path, exchange->timeout_ms / 1000.0);
}

int exchange_too_large(const struct exchange *exchange, struct statwit_error *error) {
    return error_set(error, exchange->body.size ? STATWIT_PROTOCOL : STATWIT_NO_MEMORY,
                     "the answer of %.200s is larger than %zu MiB, or memory is out", exchange->recorder->url,
                     BODY_MAX >> 20);
}

int exchange_bad_url(const struct exchange *exchange, struct statwit_error *error) {
    return error_set(error, STATWIT_INVALID, "\"%.200s\" with \"%.100s\" is not a URL",
                     exchange->recorder->url, exchange->request->path);
}

int exchange_no_answer(const struct exchange *exchange, const char *words, struct statwit_error *error) {
    return error_set(error, STATWIT_UNREACHABLE, "no answer from %.200s to %.100s: %s",
                     exchange->recorder->url, exchange->request->path, words);
}
