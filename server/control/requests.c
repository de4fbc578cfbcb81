/* GET /recorder/v1/requests. */
#include "control/ask.h"
#include "control/control.h"
#include "control/listing.h"
#include "render/rows.h"
#include <strings.h>

#define BODY_SHOWN ((size_t)1024) /* bytes of a body that is shown unasked */

static void write_whole(struct buf *b, const void *row) {
    rows_request_json(b, row);
}

/* Without bodies that would make a list of requests hard to read. */
static void write_short(struct buf *b, const void *row) {
    struct request_row without = *(const struct request_row *)row;
    if (without.request.body.n > BODY_SHOWN)
        without.request.body = (struct span){NULL, 0};
    rows_request_json(b, &without);
}

static int refuse(struct http_request *rq, const char *name, struct span value, const char *wanted) {
    http_error(rq, 400, "'%s' is %s, not '%.*s'", name, wanted, (int)(value.n < 40 ? value.n : 40), value.p);
    return -1;
}

/* 403, or 4xx for all from 400 to 499. */
static int read_status(struct http_request *rq, struct filter *f) {
    struct span text = http_arg(rq, "status");
    if (!text.p)
        return 0;
    bool class = text.n == 3 && (text.p[1] | 0x20) == 'x' && (text.p[2] | 0x20) == 'x';
    uint64_t number;
    if (!ask_u64(class ? span_of(text.p, 1) : text, &number) || (class && (number < 1 || number > 5)) ||
        (!class && (number < 100 || number > 599)))
        return refuse(rq, "status", text, "a status such as 403, or a class of them such as 4xx");
    f->status_from = (int)(class ? number * 100 : number);
    f->status_to = (int)(class ? number * 100 + 99 : number);
    return 0;
}

/* The words that a request can have; in any case of letters. */
static int read_method(struct http_request *rq, struct filter *f) {
    static const char *const words[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    struct span text = http_arg(rq, "method");
    if (!text.p)
        return 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (text.n == strlen(words[i]) && strncasecmp(text.p, words[i], text.n) == 0) {
            f->method = span_str(words[i]);
            return 0;
        }
    return refuse(rq, "method", text, "GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS");
}

/* `path` is the same as `name`: a glob over the path. */
static int read_path(struct http_request *rq, struct filter *f) {
    struct span path = http_arg(rq, "path");
    if (path.p && f->name.p) {
        http_error(rq, 400, "'path' and 'name' are the same: give one of them");
        return -1;
    }
    if (path.p)
        f->name = path;
    return 0;
}

void control_requests(struct http_request *rq) {
    static const struct listing_format whole = {
        "application/json", "{\"requests\":[", ",\n", true, 1, {{LISTING_REQUESTS, "", "", write_whole}}};
    static const struct listing_format brief = {
        "application/json", "{\"requests\":[", ",\n", true, 1, {{LISTING_REQUESTS, "", "", write_short}}};
    struct ask ask;
    bool body = false;
    if (ask_list(rq, ASK_NAMES("path", "method", "status", "body"), &ask) == 0 &&
        ask_flag(rq, "body", &body) == 0 && read_path(rq, &ask.filter) == 0 &&
        read_method(rq, &ask.filter) == 0 && read_status(rq, &ask.filter) == 0)
        listing_answer(rq, &ask, body ? &whole : &brief);
}
