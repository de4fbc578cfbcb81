#include "agent/records.h"

#include "core/json.h"
#include <stdlib.h>

static int by_bytes(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

static void put_field(struct buf *b, const char *name, struct span text) {
    buf_printf(b, ",\"%s\":", name);
    json_put_string(b, text);
}

static void put_number(struct buf *b, const char *name, int64_t n) {
    buf_printf(b, ",\"%s\":%lld", name, (long long)n);
}

/* null where there are none. */
static void put_tags(struct buf *b, size_t n_tags, const struct span *tags) {
    struct span *sorted = n_tags ? malloc(n_tags * sizeof *sorted) : NULL;
    size_t n = 0;
    buf_str(b, ",\"tags\":");
    if (!sorted) {
        buf_str(b, "null");
        b->failed |= n_tags > 0;
        return;
    }
    memcpy(sorted, tags, n_tags * sizeof *sorted);
    qsort(sorted, n_tags, sizeof *sorted, by_bytes);
    for (size_t i = 0; i < n_tags; i++)
        if (n == 0 || !span_eq(sorted[n - 1], sorted[i]))
            sorted[n++] = sorted[i];
    json_put_strings(b, n, sorted);
    free(sorted);
}

static struct span host_of(const struct origin *origin, struct span hostname) {
    return origin->host.p ? origin->host : hostname;
}

struct span records_source(const struct event *event) {
    return event->source_type_name.n ? event->source_type_name : SPAN("api");
}

void records_put_event(struct buf *b, const struct event *e, struct span hostname, int64_t at_s) {
    buf_str(b, "{\"msg_title\":");
    json_put_string(b, e->title);
    put_field(b, "msg_text", e->text);
    put_number(b, "timestamp", e->timestamp ? e->timestamp : at_s);
    put_field(b, "priority", e->priority.n ? e->priority : SPAN("normal"));
    put_field(b, "host", host_of(&e->origin, hostname));
    if (e->n_tags)
        put_tags(b, e->n_tags, e->tags);
    put_field(b, "alert_type", e->alert_type.n ? e->alert_type : SPAN("info"));
    if (e->aggregation_key.n)
        put_field(b, "aggregation_key", e->aggregation_key);
    if (e->source_type_name.n)
        put_field(b, "source_type_name", e->source_type_name);
    buf_char(b, '}');
}

void records_put_check(struct buf *b, const struct service_check *c, struct span hostname, int64_t at_s) {
    buf_str(b, "{\"check\":");
    json_put_string(b, c->name);
    put_field(b, "host_name", host_of(&c->origin, hostname));
    put_number(b, "timestamp", c->timestamp ? c->timestamp : at_s);
    put_number(b, "status", c->status);
    put_field(b, "message", c->message);
    put_tags(b, c->n_tags, c->tags);
    buf_char(b, '}');
}
