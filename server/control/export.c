/* GET /recorder/v1/export?format=jsonl|csv|dogstatsd|openmetrics: a whole session (or what the filters leave
 * of it). */
#include "control/export.h"

#include "control/control.h"
#include "http/reading.h"
#include "render/openmetrics.h"
#include "render/rows.h"
#include <errno.h>

/* {"kind":"sample","id":…}: the list's row with its kind before everything else. */
static void put_kind(struct buf *b, const char *kind, void (*write)(struct buf *, const void *),
                     const void *row) {
    buf_str(b, "{\"kind\":\"");
    buf_str(b, kind);
    buf_char(b, '"');
    size_t brace = b->n;
    write(b, row);
    if (!b->failed)
        b->p[brace] = ',';
}

#define KIND(name, kind, type)                                                                               \
    static void json_##name(struct buf *b, const void *row) {                                                \
        rows_##name##_json(b, (const struct type *)row);                                                     \
    }                                                                                                        \
    static void kind_##name(struct buf *b, const void *row) {                                                \
        put_kind(b, kind, json_##name, row);                                                                 \
    }
KIND(sample, "sample", sample_row)
KIND(event, "event", event_row)
KIND(check, "service_check", check_row)
KIND(reject, "reject", reject_row)

static void line_sample(struct buf *b, const void *row) {
    rows_sample_dogstatsd(b, row);
}
static void line_event(struct buf *b, const void *row) {
    rows_event_dogstatsd(b, row);
}
static void line_check(struct buf *b, const void *row) {
    rows_check_dogstatsd(b, row);
}
static void csv_sample(struct buf *b, const void *row) {
    rows_sample_csv(b, row, false);
}
static void csv_safe_sample(struct buf *b, const void *row) {
    rows_sample_csv(b, row, true);
}

static const struct listing_format jsonl = {.content_type = "application/jsonl",
                                            .head = "",
                                            .separator = "",
                                            .n_phases = 4,
                                            .phases = {{LISTING_SAMPLES, "", "\n", kind_sample},
                                                       {LISTING_EVENTS, "", "\n", kind_event},
                                                       {LISTING_CHECKS, "", "\n", kind_check},
                                                       {LISTING_REJECTS, "", "\n", kind_reject}}};
static const struct listing_format dogstatsd = {.content_type = "text/plain; charset=utf-8",
                                                .head = "",
                                                .separator = "",
                                                .n_phases = 3,
                                                .phases = {{LISTING_SAMPLES, "", "\n", line_sample},
                                                           {LISTING_EVENTS, "", "\n", line_event},
                                                           {LISTING_CHECKS, "", "\n", line_check}}};
static const struct listing_format csv = {.content_type = "text/csv; charset=utf-8",
                                          .head = ROWS_SAMPLE_CSV_HEAD "\r\n",
                                          .separator = "",
                                          .n_phases = 1,
                                          .phases = {{LISTING_SAMPLES, "", "\r\n", csv_sample}}};

static void raw_datagram(struct buf *b, const void *row) {
    rows_datagram_raw(b, row);
}
const struct listing_format export_raw = {.content_type = "application/octet-stream",
                                          .head = "",
                                          .separator = "",
                                          .n_phases = 1,
                                          .phases = {{LISTING_DATAGRAMS, "", "", raw_datagram}}};

static const struct listing_format csv_safe = {.content_type = "text/csv; charset=utf-8",
                                               .head = ROWS_SAMPLE_CSV_HEAD "\r\n",
                                               .separator = "",
                                               .n_phases = 1,
                                               .phases = {{LISTING_SAMPLES, "", "\r\n", csv_safe_sample}}};

const struct listing_format *export_format(struct span name, bool safe) {
    if (span_eq(name, SPAN("jsonl")))
        return &jsonl;
    if (span_eq(name, SPAN("csv")))
        return safe ? &csv_safe : &csv;
    return span_eq(name, SPAN("dogstatsd")) ? &dogstatsd : NULL;
}

static void openmetrics_answer(struct http_request *rq, const struct ask *ask) {
    struct filter f = ask->filter;
    uint64_t last_id;
    if (ask_settled(rq, ask->session_id, &last_id) != 0 || ask_marks(rq, f.since, f.until, last_id) != 0)
        return;
    struct err err = {0};
    struct reader *r = http_read_begin(rq->http, ask->session_id, f.session, &err);
    int failed = !r || openmetrics_write(r, &f, ask->limit, &rq->answer.body, &err);
    http_read_end(rq->http, r);
    rq->answer.content_type = OPENMETRICS_TYPE;
    if (failed && err.sys == EFBIG)
        http_error(rq, 400, "too many series for this format; ask for jsonl, or for fewer with name=");
    else if (failed)
        http_read_failed(rq, "read the recording", &err);
}

void control_export(struct http_request *rq) {
    struct ask ask;
    bool safe = false, raw = false;
    if (ask_list(rq, ASK_NAMES("format", "csv_safe", "raw"), &ask) != 0 ||
        ask_flag(rq, "csv_safe", &safe) != 0 || ask_flag(rq, "raw", &raw) != 0)
        return;
    struct span name = http_arg(rq, "format").p ? http_arg(rq, "format") : SPAN("jsonl");
    const struct listing_format *format = export_format(name, safe);
    if (!http_arg(rq, "limit").p)
        ask.limit = UINT64_MAX - 1;
    if (ask.newest || ask.cursor)
        http_error(rq, 400, "an export takes neither newest nor cursor");
    else if (safe && !span_eq(name, SPAN("csv")))
        http_error(rq, 400, "csv_safe is for format=csv");
    else if (raw && !span_eq(name, SPAN("dogstatsd")))
        http_error(rq, 400, "raw is for format=dogstatsd");
    else if (raw && (ask.filter.name.p || ask.type.p || ask.filter.n_tags))
        http_error(rq, 400, "raw datagrams are whole: name, type and tag do not choose among their lines");
    else if (raw) {
        if (lists_keep_datagrams(rq))
            listing_answer(rq, &ask, &export_raw);
    } else if (format)
        listing_answer(rq, &ask, format);
    else if (span_eq(name, SPAN("openmetrics")))
        openmetrics_answer(rq, &ask);
    else
        http_error(rq, 400, "format must be jsonl, csv, dogstatsd or openmetrics, not '%.*s'",
                   SPAN_ARG(name));
}
