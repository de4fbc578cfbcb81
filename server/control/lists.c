/* GET /recorder/v1/series, samples, events, service_checks, rejects. */
#include "control/control.h"
#include "control/listing.h"
#include "control/reasons.h"
#include "render/rows.h"

bool lists_keep_datagrams(struct http_request *rq) {
    struct store_stats stats;
    store_stats(rq->http->store, &stats);
    if (stats.datagrams || store_keeps_datagrams(rq->http->store))
        return true;
    if (rq->http->options.view > 1)
        http_error(rq, 409, "of two recordings no datagrams are told: view one of them");
    else if (rq->http->options.view)
        http_error(rq, 409, "this recording holds no datagrams: it was made without --keep-datagrams");
    else
        http_error(rq, 409, "this server keeps no datagrams: start it with --keep-datagrams");
    return false;
}

#define WRITER(name, type)                                                                                   \
    static void write_##name(struct buf *b, const void *row) {                                               \
        rows_##name##_json(b, (const struct type *)row);                                                     \
    }
WRITER(series, series_row)
WRITER(sample, sample_row)
WRITER(event, event_row)
WRITER(check, check_row)
WRITER(reject, reject_row)
WRITER(datagram, datagram_row)

#define LIST_OF_LINES(path, rows, writer) LIST_WITH(path, rows, writer, ASK_NAMES("remarked"))
#define LIST_WITH(path, rows, writer, ...)                                                                   \
    void control_##path(struct http_request *rq) {                                                           \
        static const struct listing_format format = {                                                        \
            "application/json", "{\"" #path "\":[", ",\n", true, 1, {{rows, "", "", write_##writer}}};       \
        struct ask ask;                                                                                      \
        if (ask_list(rq, __VA_ARGS__, &ask) == 0)                                                            \
            listing_answer(rq, &ask, &format);                                                               \
    }

/* ?p95=true: with a percentile, which takes reading all samples. */
void control_series(struct http_request *rq) {
    static const struct listing_format format = {
        "application/json", "{\"series\":[", ",\n", true, 1, {{LISTING_SERIES, "", "", write_series}}};
    struct ask ask;
    if (ask_list(rq, ASK_NAMES("p95"), &ask) != 0 || ask_flag(rq, "p95", &ask.p95) != 0)
        return;
    if (ask.p95 && (ask.filter.since || ask.filter.until || ask.filter.has_source))
        http_error(rq, 400, "p95 is of whole series: it takes neither since nor until nor source");
    else
        listing_answer(rq, &ask, &format);
}
LIST_OF_LINES(samples, LISTING_SAMPLES, sample)
LIST_OF_LINES(events, LISTING_EVENTS, event)
LIST_OF_LINES(service_checks, LISTING_CHECKS, check)

/* ?group=true: a row for each reason. */
void control_rejects(struct http_request *rq) {
    static const struct listing_format format = {
        "application/json", "{\"rejects\":[", ",\n", true, 1, {{LISTING_REJECTS, "", "", write_reject}}};
    struct ask ask;
    bool group = false;
    if (ask_list(rq, ASK_NAMES("reason", "group"), &ask) != 0 || ask_flag(rq, "group", &group) != 0)
        return;
    if (group && (http_arg(rq, "limit").p || http_arg(rq, "cursor").p || ask.newest))
        http_error(rq, 400, "group takes neither limit nor cursor nor newest");
    else if (group)
        reasons_answer(rq, &ask);
    else
        listing_answer(rq, &ask, &format);
}

void control_datagrams(struct http_request *rq) {
    static const struct listing_format format = {"application/json",
                                                 "{\"datagrams\":[",
                                                 ",\n",
                                                 true,
                                                 1,
                                                 {{LISTING_DATAGRAMS, "", "", write_datagram}}};
    struct ask ask;
    if (ask_some(rq, ASK_NAMES("session", "source", "since", "until", "limit", "cursor", "newest", "settled"),
                 &ask) == 0 &&
        lists_keep_datagrams(rq))
        listing_answer(rq, &ask, &format);
}
