/* Samples of DogStatsD as bodies of /api/v2/series, so that clients of fakeintake find them by name, tags and value. fakeintake itself
 * has no DogStatsD. */
#include "compat/payloads.h"

#include "core/clock.h"
#include "core/json.h"
#include "core/metric.h"
#include <inttypes.h>
#include <math.h>

enum v2_type { V2_COUNT = 1, V2_GAUGE = 3 };

/* A count stands for as many as its rate says. A set's member is one more: what it is, no series can say. */
static double value_of(const struct sample_row *row, enum v2_type type) {
    const struct metric *m = row->spelling;
    if (m->type == METRIC_SET)
        return 1;
    bool has_rate = type == V2_COUNT && m->sample_rate > 0 && m->sample_rate <= 1;
    return has_rate ? row->value.number / m->sample_rate : row->value.number;
}

static void put_series(struct buf *b, const struct sample_row *row) {
    const struct metric *m = row->spelling;
    enum v2_type type = m->type == METRIC_COUNT ? V2_COUNT : V2_GAUGE;
    double value = value_of(row, type);
    int64_t at_s = row->value.timestamp ? row->value.timestamp : row->received_at / NS_PER_S;
    buf_str(b, "{\"metric\":");
    json_put_string(b, m->name);
    buf_printf(b, ",\"type\":%d,\"points\":[{\"timestamp\":%" PRId64 ",\"value\":", (int)type, at_s);
    json_put_number(b, isfinite(value) ? value : 0);
    buf_str(b, "}],\"tags\":");
    json_put_strings(b, m->n_tags, m->tags);
    if (m->origin.host.n) {
        buf_str(b, ",\"resources\":[{\"type\":\"host\",\"name\":");
        json_put_string(b, m->origin.host);
        buf_str(b, "}]");
    }
    buf_char(b, '}');
}

int synthesis_take(void *synthesis, const struct sample_row *row) {
    struct synthesis *s = synthesis;
    if (s->n == SYNTHESIS_SERIES)
        return 1;
    s->cursor = row->id;
    if (row->source == SOURCE_HTTP)
        return 0;
    if (s->n == 0) {
        s->received_at = row->received_at;
        buf_str(&s->series, "{\"series\":[");
    } else
        buf_char(&s->series, ',');
    put_series(&s->series, row);
    s->n++;
    return s->series.failed;
}

void synthesis_finish(struct synthesis *s) {
    if (s->n == 0)
        return;
    buf_str(&s->series, "]}");
    buf_str(s->page, s->any ? "," : "");
    payloads_put_head(s->page, s->received_at, SPAN(""));
    buf_str(s->page, ",\"data\":");
    json_put_base64(s->page, buf_view(&s->series));
    buf_str(s->page, ",\"encoding\":\"application/json\",\"content_type\":\"application/json\"}");
    s->any = true;
}
