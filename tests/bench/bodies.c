#include "bodies.h"

#include "core/clock.h"
#include <stdio.h>

static long long now_s(void) {
    return (long long)(clock_wall_ns() / NS_PER_S);
}

void body_json(struct buf *b, int n_series, int n_points) {
    buf_str(b, "{\"series\":[");
    for (int i = 0; i < n_series; i++) {
        buf_printf(b, "%s{\"metric\":\"app.requests.%d\",\"points\":[", i ? "," : "", i % 1000);
        for (int k = 0; k < n_points; k++)
            buf_printf(b, "%s[%lld,%d.5]", k ? "," : "", now_s() - k, i + k);
        buf_printf(
            b,
            "],\"tags\":[\"env:ci\",\"service:web\",\"route:/a/%d\",\"version:1.2.3\"],\"host\":\"web-1\","
            "\"type\":\"gauge\",\"interval\":10}",
            i % 10);
    }
    buf_str(b, "]}");
}

static void put_varint(struct buf *b, uint64_t value) {
    for (; value >= 128; value >>= 7)
        buf_char(b, (char)(value | 128));
    buf_char(b, (char)value);
}

static void put_bytes(struct buf *b, unsigned field, struct span bytes) {
    put_varint(b, field << 3 | 2);
    put_varint(b, bytes.n);
    buf_span(b, bytes);
}

void body_protobuf(struct buf *b, int n_series, int n_points) {
    struct buf series = {0}, point = {0};
    for (int i = 0; i < n_series; i++) {
        char text[64];
        buf_clear(&series);
        put_bytes(&series, 1, SPAN("\x0a\x04host\x12\x05web-1"));
        snprintf(text, sizeof text, "app.requests.%d", i % 1000);
        put_bytes(&series, 2, span_str(text));
        put_bytes(&series, 3, SPAN("env:ci"));
        put_bytes(&series, 3, SPAN("service:web"));
        snprintf(text, sizeof text, "route:/a/%d", i % 10);
        put_bytes(&series, 3, span_str(text));
        put_bytes(&series, 3, SPAN("version:1.2.3"));
        put_bytes(&series, 5, SPAN(""));
        series.n -= 2;
        buf_add(&series, "\x28\x03", 2);
        for (int k = 0; k < n_points; k++) {
            double value = i + k + 0.5;
            buf_clear(&point);
            buf_char(&point, 0x10);
            put_varint(&point, (uint64_t)(now_s() - k));
            buf_char(&point, 0x09);
            buf_add(&point, &value, sizeof value);
            put_bytes(&series, 4, buf_view(&point));
        }
        put_bytes(b, 1, buf_view(&series));
    }
    buf_free(&series);
    buf_free(&point);
}
