#include "compat/payloads.h"

#include "core/json.h"

void payloads_put_head(struct buf *b, int64_t received_at, struct span api_key) {
    buf_str(b, "{\"timestamp\":");
    json_put_time(b, received_at);
    buf_str(b, ",\"api_key\":");
    json_put_string(b, api_key.p ? api_key : SPAN(""));
}

struct span payloads_encoding(const struct payload_row *row) {
    bool by_type = row->encoding.n == 0 || span_eq(row->payload.path, SPAN("/support/flare"));
    struct span encoding = by_type ? row->content_type : row->encoding;
    return encoding.p ? encoding : SPAN("");
}
