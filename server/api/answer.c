#include "api/api.h"
#include "core/json.h"

#include <stdarg.h>
#include <stdio.h>

void api_answer(struct http_request *rq, unsigned status, const char *content_type, const char *body) {
    rq->answer.status = status;
    rq->answer.content_type = content_type;
    buf_clear(&rq->answer.body);
    buf_str(&rq->answer.body, body);
}

void api_errors(struct http_request *rq, unsigned status, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    api_answer(rq, status, "application/json", "{\"errors\":[");
    json_put_string(&rq->answer.body, span_str(text));
    buf_str(&rq->answer.body, "]}");
}

void api_error_objects(struct http_request *rq, unsigned status, const char *title, const char *detail) {
    struct buf *b = &rq->answer.body;
    api_answer(rq, status, "application/json", "");
    buf_printf(b, "{\"errors\":[{\"status\":\"%u\",\"title\":\"%s\",\"detail\":", status, title);
    json_put_string(b, span_str(detail));
    buf_str(b, "}]}");
}

/* The object that stands behind 403 and 413. */
static void answer_page(struct http_request *rq, unsigned status, const char *error) {
    api_answer(rq, status, "application/json", "");
    buf_printf(&rq->answer.body,
               "{\"status\":\"error\",\"code\":%u,\"errors\":[\"%s\"],\"statuspage\":"
               "\"http://status.datadoghq.com\",\"twitter\":\"http://twitter.com/datadogops\","
               "\"email\":\"support@datadoghq.com\"}",
               status, error);
}

#define RATE_LIMIT_PERIOD_S 10

static void answer_rate_limit(struct http_request *rq) {
    api_errors(rq, 429, "Too Many Requests");
    http_add_header(rq, "X-RateLimit-Limit", "100");
    http_add_header(rq, "X-RateLimit-Period", "%d", RATE_LIMIT_PERIOD_S);
    http_add_header(rq, "X-RateLimit-Remaining", "0");
    http_add_header(rq, "X-RateLimit-Reset", "%d", 1);
    http_add_header(rq, "Retry-After", "%d", 1);
}

void api_status(struct http_request *rq, unsigned status) {
    static const struct {
        unsigned status;
        const char *text;
    } others[] = {
        {400, "Bad Request"},     {401, "Unauthorized"},
        {404, "Not found"},       {408, "Request Timeout"},
        {409, "Conflict"},        {500, "Internal Server Error"},
        {502, "Bad Gateway"},     {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    if (status == 403) {
        answer_page(rq, status, "Forbidden");
    } else if (status == 413) {
        answer_page(rq, status, "Payload too large");
    } else if (status == 429) {
        answer_rate_limit(rq);
    } else if (status < 400) {
        api_answer(rq, status, "application/json", "{\"errors\":[]}");
    } else {
        const char *text = "Error";
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
            if (others[i].status == status)
                text = others[i].text;
        api_errors(rq, status, "%s", text);
    }
}
