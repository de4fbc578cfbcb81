#include "decode/frame.h"

#define HEAD_SIZE sizeof((struct frame *)0)->head

static uint32_t length_of(const unsigned char head[HEAD_SIZE]) {
    return (uint32_t)head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 24;
}

static size_t min_size(size_t a, size_t b) {
    return a < b ? a : b;
}

enum frame_result frame_feed(struct frame *f, struct span bytes,
                             void (*payload)(void *arg, struct span bytes), void *arg) {
    f->body.max = FRAME_MAX;
    for (;;) {
        if (f->n_head < HEAD_SIZE) {
            size_t n = min_size(HEAD_SIZE - f->n_head, bytes.n);
            if (n == 0)
                return FRAME_OK;
            memcpy(f->head + f->n_head, bytes.p, n);
            f->n_head += n;
            bytes = span_from(bytes, n);
            if (f->n_head < HEAD_SIZE)
                return FRAME_OK;
            f->length = length_of(f->head);
        }
        if (f->length == 0 || f->length > FRAME_MAX)
            return FRAME_BAD;
        size_t missing = f->length - f->body.n;
        if (bytes.n < missing) {
            if (bytes.n > 0)
                buf_add(&f->body, bytes.p, bytes.n);
            return f->body.failed ? FRAME_BAD : FRAME_OK;
        }
        if (f->body.n == 0) { /* whole within these bytes: no copy */
            payload(arg, span_of(bytes.p, missing));
        } else {
            buf_add(&f->body, bytes.p, missing);
            if (f->body.failed)
                return FRAME_BAD;
            payload(arg, buf_view(&f->body));
            buf_clear(&f->body);
        }
        bytes = span_from(bytes, missing);
        f->n_head = 0;
    }
}

size_t frame_pending(const struct frame *f) {
    return f->n_head + f->body.n;
}

void frame_free(struct frame *f) {
    buf_free(&f->body);
    *f = (struct frame){0};
}
