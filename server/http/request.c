/* The functions that a handler reads its request with; route.h documents each. */
#include "core/json.h"
#include "http/router.h"
#include "http/server.h"

#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct span http_header(const struct http_request *rq, const char *name) {
    const char *value = NULL;
    size_t n = 0;
    if (MHD_lookup_connection_value_n(rq->connection, MHD_HEADER_KIND, name, strlen(name), &value, &n) !=
        MHD_YES)
        return (struct span){NULL, 0};
    return span_of(value ? value : "", n);
}

struct header_call {
    void (*fn)(void *arg, struct span name, struct span value);
    void *arg;
};

static enum MHD_Result call_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value) {
    const struct header_call *call = arg;
    (void)kind;
    call->fn(call->arg, span_str(name), span_str(value ? value : ""));
    return MHD_YES;
}

void http_headers_each(const struct http_request *rq,
                       void (*fn)(void *arg, struct span name, struct span value), void *arg) {
    struct header_call call = {fn, arg};
    MHD_get_connection_values(rq->connection, MHD_HEADER_KIND, call_header, &call);
}

struct header_count {
    const char *name;
    size_t n;
};

static enum MHD_Result count_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value) {
    struct header_count *count = arg;
    (void)kind, (void)value;
    count->n += strcasecmp(name, count->name) == 0;
    return MHD_YES;
}

size_t http_header_count(const struct http_request *rq, const char *name) {
    struct header_count count = {name, 0};
    MHD_get_connection_values(rq->connection, MHD_HEADER_KIND, count_header, &count);
    return count.n;
}

struct span http_arg(const struct http_request *rq, const char *name) {
    for (size_t i = 0; i < rq->n_args; i++)
        if (span_eq(rq->args[i].name, span_str(name)))
            return rq->args[i].value;
    return (struct span){NULL, 0};
}

/* The next header to fill; NULL: there are enough, or memory is short. Those who wait mostly have none. */
static struct http_header *new_header(struct http_response *answer) {
    if (!answer->headers)
        answer->headers = calloc(HTTP_HEADERS_OUT_MAX, sizeof *answer->headers);
    return answer->headers && answer->n_headers < HTTP_HEADERS_OUT_MAX ? &answer->headers[answer->n_headers++]
                                                                       : NULL;
}

void http_add_header(struct http_request *rq, const char *name, const char *format, ...) {
    struct http_header *header = new_header(&rq->answer);
    if (!header)
        return;
    header->name = name;
    header->fixed = NULL;
    va_list args;
    va_start(args, format);
    vsnprintf(header->value, sizeof header->value, format, args);
    va_end(args);
}

void http_add_fixed_header(struct http_request *rq, const char *name, const char *value) {
    struct http_header *header = new_header(&rq->answer);
    if (header)
        *header = (struct http_header){.name = name, .fixed = value};
}

void http_error(struct http_request *rq, unsigned status, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct http_response *answer = &rq->answer;
    answer->status = status;
    answer->content_type = "application/json";
    buf_clear(&answer->body);
    const struct http_options *o = &rq->http->options;
    bool list = router_lists_errors(o->tables, o->n_tables, rq->raw_path);
    buf_str(&answer->body, list ? "{\"errors\":[" : "{\"error\":");
    json_put_string(&answer->body, span_of(text, n < (int)sizeof text ? (size_t)n : sizeof text - 1));
    buf_str(&answer->body, list ? "]}" : "}\n");
}

/* --- sleeping -------------------------------------------------------------------------------------------- */

int http_socket(const struct http_request *rq) {
    if (!rq->connection)
        return rq->parked_fd;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(rq->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

void http_stream_pause(struct http_request *rq) {
    rq->http->n_held++;
    MHD_suspend_connection(rq->connection);
}

void http_suspend(struct http_request *rq) {
    rq->suspended = true;
    http_stream_pause(rq);
}

void http_resume(struct http_request *rq) {
    struct http *h = rq->http;
    if (rq->resume) {
        rq->resume(rq);
        return;
    }
    MHD_resume_connection(rq->connection); /* rq may be gone now */
    h->n_held--;
}

void http_abandon(struct http_request *rq) {
    rq->abandoned = true;
    http_resume(rq);
}
