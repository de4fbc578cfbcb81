#include "decode/frame.h"

#include "core/utf8.h"
#include <inttypes.h>
#include <stdio.h>

#define HEAD_SIZE sizeof((struct frame *)0)->head

static uint32_t length_of(const unsigned char head[HEAD_SIZE]) {
    return (uint32_t)head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 24;
}

static bool is_length(uint32_t n) {
    return n > 0 && n <= FRAME_MAX;
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
        if (!is_length(f->length)) {
            buf_add(&f->body, bytes.p, min_size(bytes.n, FRAME_KEPT));
            return FRAME_BAD;
        }
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
        f->n_whole++;
    }
}

size_t frame_pending(const struct frame *f) {
    return f->n_head + f->body.n;
}

/* --- why it is none ------------------------------------------------------------------------------------------------ */

/* Whether the bytes can be the beginning of lines, which no length of a frame can be. */
static bool is_text(struct span s) {
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' ? !strchr("\t\r\n", s.p[i]) || !s.p[i] : s.p[i] == 0x7f)
            return false;
    for (size_t n; s.n > 0; s = span_from(s, n))
        if ((n = utf8_length(s)) == 0) /* only the last character may be cut */
            return utf8_invalid_length(s) == s.n && s.n < 4 && (unsigned char)s.p[0] >= 0xC2;
    return true;
}

/* 'a:1|', or 00 00 00 08 when it is no text. */
static void show_bytes(struct span s, char text[32]) {
    bool plain = is_text(s);
    size_t at = 0;
    text[at++] = plain ? '\'' : '\0';
    at -= !plain;
    for (size_t i = 0; i < s.n && i < 4; i++) {
        unsigned char c = (unsigned char)s.p[i];
        const char *escaped = c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : NULL;
        if (!plain)
            at += (size_t)sprintf(text + at, "%s%02x", i ? " " : "", c);
        else if (escaped)
            at += (size_t)sprintf(text + at, "%s", escaped);
        else
            at += (size_t)sprintf(text + at, c < 0x80 ? "%c" : "\\x%02x", c);
    }
    if (plain)
        text[at++] = '\'';
    text[at] = '\0';
}

static void explain_head(const struct frame *f, struct frame_fault *fault) {
    struct span head = span_of((const char *)f->head, f->n_head);
    char bytes[32], where[64] = "the first";
    show_bytes(head, bytes);
    if (f->n_whole > 0)
        snprintf(where, sizeof where, "after %" PRIu64 " good frame%s the next", f->n_whole,
                 f->n_whole == 1 ? "" : "s");
    uint32_t swapped = __builtin_bswap32(f->length);
    if (is_text(head)) {
        fault->cause = "no length in front";
        snprintf(fault->why, sizeof fault->why, "%s: %s %zu bytes are text, %s", fault->cause, where, head.n,
                 bytes);
    } else if (is_length(swapped)) {
        fault->cause = "big-endian length";
        snprintf(fault->why, sizeof fault->why,
                 "%s: %s 4 bytes, %s, are %" PRIu32 " in big-endian order, and the order is little-endian",
                 fault->cause, where, bytes, swapped);
    } else if (f->length == 0) {
        fault->cause = "a length of 0";
        snprintf(fault->why, sizeof fault->why, "%s: %s 4 bytes are 0, and a frame holds at least one byte",
                 fault->cause, where);
    } else {
        fault->cause = "a length above the limit";
        snprintf(fault->why, sizeof fault->why,
                 "%s: %s 4 bytes, %s, are the length %" PRIu32 ", and %d bytes are the most", fault->cause,
                 where, bytes, f->length, FRAME_MAX);
    }
}

struct frame_fault frame_explain(const struct frame *f, bool reset) {
    struct frame_fault fault = {.offset = 0};
    struct span head = span_of((const char *)f->head, f->n_head);
    const char *end = reset ? "was reset" : "ended";
    bool whole = f->n_head == HEAD_SIZE;
    if ((whole && !is_length(f->length)) || (f->n_head == 3 && is_text(head))) {
        explain_head(f, &fault);
        return fault;
    }
    fault.offset = frame_pending(f);
    fault.cause = whole ? "cut inside a frame" : "cut inside a length";
    if (whole)
        snprintf(fault.why, sizeof fault.why, "%s: the connection %s after %zu of its %" PRIu32 " bytes",
                 fault.cause, end, f->body.n, f->length);
    else
        snprintf(fault.why, sizeof fault.why, "%s: the connection %s after %zu of its 4 bytes", fault.cause,
                 end, f->n_head);
    return fault;
}

size_t frame_rest(const struct frame *f, char bytes[FRAME_KEPT]) {
    size_t n = min_size(f->body.n, FRAME_KEPT - f->n_head);
    memcpy(bytes, f->head, f->n_head);
    memcpy(bytes + f->n_head, buf_view(&f->body).p, n);
    return f->n_head + n;
}

void frame_free(struct frame *f) {
    buf_free(&f->body);
    *f = (struct frame){0};
}
