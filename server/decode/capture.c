#include "decode/capture/capture.h"

#include <inttypes.h>
#include <stdlib.h>

#define HEAD_MIN 8 /* bytes that tell the formats apart */

struct capture *capture_new(int port, capture_fn *take, void *arg) {
    struct capture *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->port = port;
    c->take = take;
    c->arg = arg;
    return c;
}

void capture_free(struct capture *c) {
    if (!c)
        return;
    capture_unpacking_free(c->packed);
    buf_free(&c->held);
    free(c);
}

struct capture_skipped capture_skipped(const struct capture *c) {
    return c->skipped;
}

static int choose_format(struct capture *c, struct span head, struct err *err) {
    if (head.n >= 4 && memcmp(head.p, "\x0A\x0D\x0D\x0A", 4) == 0)
        return err_set(
            err, 0, "this is a pcapng, which is not read: `tcpdump -r FILE -w NEW.pcap` makes a pcap of it");
    c->read = capture_is_agent(head)  ? capture_read_agent_head
              : capture_is_pcap(head) ? capture_read_pcap_head
                                      : capture_read_text;
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

static int feed_plain(struct capture *c, struct span bytes, struct err *err) {
    if (c->done)
        return 0;
    buf_span(&c->held, bytes);
    return c->held.failed ? err_set(err, 0, "out of memory") : read_records(c, false, err);
}

/* The first bytes are held until they tell whether the file is packed; then they are fed again. */
static int feed_packed(struct capture *c, struct err *err) {
    struct buf head = c->held;
    c->held = (struct buf){0};
    c->packed = capture_unpacking_new();
    int failed = c->packed ? capture_unpack(c->packed, buf_view(&head), feed_plain, c, err)
                           : err_set(err, 0, "out of memory");
    buf_free(&head);
    return failed;
}

int capture_feed(struct capture *c, struct span bytes, struct err *err) {
    if (c->packed)
        return capture_unpack(c->packed, bytes, feed_plain, c, err);
    if (c->read || c->done)
        return feed_plain(c, bytes, err);
    buf_span(&c->held, bytes);
    if (c->held.failed)
        return err_set(err, 0, "out of memory");
    return capture_is_packed(buf_view(&c->held)) ? feed_packed(c, err) : read_records(c, false, err);
}

int capture_end(struct capture *c, struct err *err) {
    if (read_records(c, true, err) != 0)
        return -1;
    return c->packed ? capture_unpacking_end(c->packed, err) : 0;
}
