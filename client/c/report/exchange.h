/* One request under way, for request.c and the two ways that it can go: plain.c for http, request_curl.c for https. */
#ifndef CLIENT_REPORT_EXCHANGE_H
#define CLIENT_REPORT_EXCHANGE_H

#include "emit/text.h"
#include "report/recorder.h"

#define BODY_MAX   ((size_t)256 << 20)
#define HEADER_MAX 16384 /* bytes of a value */

struct exchange {
    struct statwit_recorder *recorder;
    const struct statwit_request *request;
    struct text body;
    bool stopped;   /* by the caller's chunk function */
    bool got_some;  /* of the answer */
    int status;     /* of the answer, as soon as it is known */
    int timeout_ms; /* 0: none */
    bool streams;   /* then the timeout is for a silence */
    int64_t moved;  /* bytes so far, of a stream; and when the last of them came */
    int64_t moved_ms;
};

int64_t exchange_now_ms(void);
const char *exchange_method(const struct exchange *exchange);
/* A piece of the body: for the caller, or kept. False: no more of it. */
bool exchange_take(struct exchange *exchange, const char *bytes, size_t size);
/* Why there is no answer. All return -1. */
int exchange_unreachable(const struct exchange *exchange, const char *words, struct statwit_error *error);
int exchange_timed_out(const struct exchange *exchange, struct statwit_error *error);
int exchange_too_large(const struct exchange *exchange, struct statwit_error *error);
int exchange_bad_url(const struct exchange *exchange, struct statwit_error *error);
int exchange_no_answer(const struct exchange *exchange, const char *words, struct statwit_error *error);

/* request_curl.c: status and type of the answer go into the response, its body into the exchange. */
int exchange_by_curl(struct exchange *exchange, struct statwit_response *response,
                     struct statwit_error *error);

#endif
