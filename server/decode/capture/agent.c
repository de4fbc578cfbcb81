/* What `agent dogstatsd-capture` writes:
 *
 *   D4 74 D0 60 Fv FF 00 00      v: the version
 *   { length, message }…         uint32, little-endian; a protobuf: 1 time, 2 length of the payload, 3 payload, …
 *   length 0, state              from version 2 on; of no use here
 *
 * The time is in seconds before version 3, in nanoseconds from then on. */
#include "decode/capture/capture.h"

#include "decode/intake/wire.h"
#include <inttypes.h>

#define HEAD_SIZE   8
#define VERSION_MAX 3
#define VERSION_NS  3

static ssize_t read_agent_record(struct capture *c, struct span bytes, bool last, struct err *err);

bool capture_is_agent(struct span head) {
    static const unsigned char magic[HEAD_SIZE] = {0xD4, 0x74, 0xD0, 0x60, 0xF0, 0xFF, 0x00, 0x00};
    return head.n >= HEAD_SIZE && memcmp(head.p, magic, 4) == 0 &&
           ((unsigned char)head.p[4] & 0xF0) == 0xF0 && memcmp(head.p + 5, magic + 5, 3) == 0;
}

ssize_t capture_read_agent_head(struct capture *c, struct span bytes, bool last, struct err *err) {
    (void)last;
    c->version = (unsigned char)bytes.p[4] & 0x0F;
    if (c->version > VERSION_MAX)
        return err_set(err, 0, "this is a capture of version %u: versions 1 to %d are read", c->version,
                       VERSION_MAX);
    c->read = read_agent_record;
    return HEAD_SIZE;
}

static int take_message(struct capture *c, struct span message, struct err *err) {
    struct wire w = wire_of(message);
    struct wire_field f;
    struct span payload = SPAN("");
    int64_t time = 0, n = 0;
    while (wire_next(&w, &f))
        switch (f.number) {
        case 1:
            time = (int64_t)wire_integer(&w, &f);
            break;
        case 2:
            n = (int64_t)wire_integer(&w, &f);
            break;
        case 3:
            wire_bytes(&w, &f, &payload);
            break;
        default:
            break;
        }
    bool in_ns = c->version >= VERSION_NS;
    if (w.failed)
        return err_set(err, 0, "the record at byte %" PRIu64 " is no message of a capture", c->at);
    if (time < 0 || (!in_ns && time > CAPTURE_S_MAX))
        return err_set(err, 0, "the record at byte %" PRIu64 " has the time %" PRId64, c->at, time);
    if (n > 0 && (uint64_t)n < payload.n)
        payload.n = (size_t)n;
    return c->take(c->arg, in_ns ? time : time * CAPTURE_NS_PER_S, SOURCE_UNIXGRAM, payload, err);
}

static ssize_t read_agent_record(struct capture *c, struct span bytes, bool last, struct err *err) {
    (void)last;
    if (bytes.n < 4)
        return 0;
    uint32_t n = capture_u32(bytes.p, false);
    if (n == 0) {
        c->done = true;
        return 4;
    }
    if (n > CAPTURE_RECORD_MAX - 4)
        return err_set(err, 0,
                       "the record at byte %" PRIu64 " says that it has %" PRIu32 " bytes: %zu are the most",
                       c->at, n, CAPTURE_RECORD_MAX);
    if (bytes.n - 4 < n)
        return 0;
    return take_message(c, span_of(bytes.p + 4, n), err) == 0 ? (ssize_t)n + 4 : -1;
}
