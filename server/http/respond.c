#include "http/respond.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#define STREAM_BLOCK (32 << 10) /* bytes asked of a stream at a time */
#define HEAD_BYTES   256        /* of most answers: what stands before the body */

struct body_stream {
    ssize_t (*read)(void *arg, char *to, size_t max);
    void (*free)(void *arg);
    void *arg;
};

static ssize_t stream_read(void *cls, uint64_t position, char *to, size_t max) {
    (void)position;
    struct body_stream *s = cls;
    ssize_t n = s->read(s->arg, to, max);
    if (n == HTTP_STREAM_END)
        return MHD_CONTENT_READER_END_OF_STREAM;
    return n == HTTP_STREAM_FAILED ? MHD_CONTENT_READER_END_WITH_ERROR : n;
}

static void stream_free(void *cls) {
    struct body_stream *s = cls;
    if (s->free)
        s->free(s->arg);
    free(s);
}

/* The fault "cut during": half of the body, then the end of the connection. */
struct half {
    struct buf body;
    size_t at;
};

static ssize_t half_read(void *cls, uint64_t position, char *to, size_t max) {
    (void)position;
    struct half *half = cls;
    size_t n = half->body.n / 2 - half->at;
    if (n == 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    n = n < max ? n : max;
    memcpy(to, half->body.p + half->at, n);
    half->at += n;
    return (ssize_t)n;
}

static void half_free(void *cls) {
    struct half *half = cls;
    buf_free(&half->body);
    free(half);
}

static struct MHD_Response *respond_half(struct http_response *answer) {
    struct half *half = calloc(1, sizeof *half);
    if (!half || answer->body.n == 0) {
        free(half);
        return NULL;
    }
    half->body = answer->body;
    answer->body = (struct buf){0};
    return MHD_create_response_from_callback(half->body.n, STREAM_BLOCK, half_read, half, half_free);
}

static struct MHD_Response *respond_stream(struct http_response *answer) {
    struct body_stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    *s = (struct body_stream){answer->stream, answer->stream_free, answer->stream_arg};
    answer->stream_free = NULL;
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read, s, stream_free);
}

static struct MHD_Response *respond_body(struct http_response *answer) {
    if (answer->body.n == 0)
        return MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *r =
        MHD_create_response_from_buffer(answer->body.n, answer->body.p, MHD_RESPMEM_MUST_FREE);
    if (r)
        answer->body = (struct buf){0};
    return r;
}

static void put_header(struct buf *text, const char *name, const char *value) {
    buf_str(text, name);
    buf_str(text, ": ");
    buf_str(text, value);
    buf_str(text, "\r\n");
}

/* Many answers have the same second. */
static void put_date(struct buf *text) {
    static _Thread_local time_t second;
    static _Thread_local char date[64];
    time_t now = time(NULL);
    struct tm utc;
    if (now != second &&
        (!gmtime_r(&now, &utc) || strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &utc) == 0))
        return;
    second = now;
    put_header(text, MHD_HTTP_HEADER_DATE, date);
}

void respond_text(struct http_request *rq, struct buf *text) {
    struct http_response *answer = &rq->answer;
    assert(!answer->stream && !rq->fault.active);
    if (answer->body.failed)
        http_error(rq, 500, "the answer is too large, or memory is short");
    buf_reserve(text, answer->body.n + HEAD_BYTES);
    buf_str(text, "HTTP/1.1 ");
    buf_u64(text, answer->status);
    buf_char(text, ' ');
    buf_str(text, MHD_get_reason_phrase_for(answer->status));
    buf_str(text, "\r\n");
    put_date(text);
    if (answer->content_type)
        put_header(text, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
    if (rq->http->options.fakeintake)
        put_header(text, "Fakeintake-ID", rq->http->fakeintake_id);
    for (size_t i = 0; i < answer->n_headers; i++) {
        const struct http_header *header = &answer->headers[i];
        put_header(text, header->name, header->fixed ? header->fixed : header->value);
    }
    buf_str(text, MHD_HTTP_HEADER_CONTENT_LENGTH ": ");
    buf_u64(text, answer->body.n);
    buf_str(text, "\r\n\r\n");
    buf_span(text, buf_view(&answer->body));
}

enum MHD_Result respond(struct http_request *rq) {
    struct http_response *answer = &rq->answer;
    rq->state = REQUEST_ANSWERED;
    if (rq->abandoned || rq->fault.cut == HTTP_CUT_BEFORE || rq->fault.cut == HTTP_CUT_AFTER)
        return MHD_NO;
    if (answer->body.failed)
        http_error(rq, 500, "the answer is too large, or memory is short");
    struct MHD_Response *r = rq->fault.cut == HTTP_CUT_DURING ? respond_half(answer)
                             : answer->stream                 ? respond_stream(answer)
                                                              : respond_body(answer);
    if (!r)
        return MHD_NO;
    if (answer->content_type)
        MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
    if (rq->http->options.fakeintake)
        MHD_add_response_header(r, "Fakeintake-ID", rq->http->fakeintake_id);
    for (size_t i = 0; i < answer->n_headers; i++) {
        const struct http_header *header = &answer->headers[i];
        MHD_add_response_header(r, header->name, header->fixed ? header->fixed : header->value);
    }
    enum MHD_Result queued = MHD_queue_response(rq->connection, answer->status, r);
    MHD_destroy_response(r);
    return queued;
}
