/* GET /recorder/v1/series, samples, events, service_checks, rejects. */
#include "control/control.h"
#include "control/listing.h"
#include "render/rows.h"

#define WRITER(name, type)                                                                                   \
    static void write_##name(struct buf *b, const void *row) {                                               \
        rows_##name##_json(b, (const struct type *)row);                                                     \
    }
WRITER(series, series_row)
WRITER(sample, sample_row)
WRITER(event, event_row)
WRITER(check, check_row)
WRITER(reject, reject_row)

#define LIST(path, rows, writer) LIST_WITH(path, rows, writer, 0, NULL)
#define LIST_OF_LINES(path, rows, writer) LIST_WITH(path, rows, writer, ASK_NAMES("remarked"))
#define LIST_WITH(path, rows, writer, ...)                                                                   \
    void control_##path(struct http_request *rq) {                                                           \
        static const struct listing_format format = {                                                        \
            "application/json", "{\"" #path "\":[", ",\n", true, 1, {{rows, "", "", write_##writer}}};       \
        struct ask ask;                                                                                      \
        if (ask_list(rq, __VA_ARGS__, &ask) == 0)                                                                \
            listing_answer(rq, &ask, &format);                                                               \
    }
LIST(series, LISTING_SERIES, series)
LIST_OF_LINES(samples, LISTING_SAMPLES, sample)
LIST_OF_LINES(events, LISTING_EVENTS, event)
LIST_OF_LINES(service_checks, LISTING_CHECKS, check)
LIST(rejects, LISTING_REJECTS, reject)
