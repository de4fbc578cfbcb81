#include "decode/capture/capture.h"

#include <inttypes.h>
#include <stdlib.h>

#define HEAD_MIN 8 /* bytes that tell the formats apart */

struct capture *capture_new(capture_fn *take, void *arg) {
    struct capture *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->take = take;
    c->arg = arg;
    return c;
}

void capture_free(struct capture *c) {
    if (!c)
        return;
    buf_free(&c->held);
    free(c);
}

static int choose_format(struct capture *c, struct span head, struct err *err) {
    (void)head, (void)err;
    c->read = capture_read_text;
    c->name = "text";
    return 0;
}

/* Reads what is there, and keeps the rest. */
static int read_records(struct capture *c, bool last, struct err *err) {
    struct span rest = buf_view(&c->held);
    if (!c->read && (rest.n >= HEAD_MIN || last) && choose_format(c, rest, err) != 0)
        return -1;
    while (c->read && rest.n && !c->done) {
        ssize_t n = c->read(c, rest, last, err);
        if (n < 0)
            return -1;
        if (n == 0 && rest.n >= CAPTURE_RECORD_MAX)
            return err_set(err, 0, "the record at byte %" PRIu64 " is longer than %zu bytes", c->at,
                           CAPTURE_RECORD_MAX);
        if (n == 0)
            break;
        rest = span_from(rest, (size_t)n);
        c->at += (uint64_t)n;
    }
    if (c->done)
        rest.n = 0;
    if (last && rest.n)
        return err_set(err, 0, "the file is cut short: the record at byte %" PRIu64 " is not whole", c->at);
    if (rest.n)
        memmove(c->held.p, rest.p, rest.n);
    c->held.n = rest.n;
    return 0;
}

int capture_feed(struct capture *c, struct span bytes, struct err *err) {
    if (c->done)
        return 0;
    buf_span(&c->held, bytes);
    return c->held.failed ? err_set(err, 0, "out of memory") : read_records(c, false, err);
}

int capture_end(struct capture *c, struct err *err) {
    return read_records(c, true, err);
}
