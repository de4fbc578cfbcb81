/* Records, which decoders produce and the store keeps: one metric (with all its values), event, service check or reject.
 *
 * Ownership: a record owns nothing. Every span and array points into the decoder's input or scratch and is valid until
 * the decoder's callback returns; copy it to keep it.
 * A record says what arrived, not where or when: the store learns session, source and arrival time from store_arrival.
 */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include "core/metric.h"
#include "core/reason.h"
#include "core/remark.h"
#include <stdint.h>

/* Where records come in; the order is stored in recordings: append only. */
#define SOURCES(X)                                                                                           \
    X(SOURCE_UDP, "udp")                                                                                     \
    X(SOURCE_UNIXGRAM, "unixgram")                                                                           \
    X(SOURCE_UNIXSTREAM, "unixstream")                                                                       \
    X(SOURCE_HTTP, "http")

enum source {
#define X(id, word) id,
    SOURCES(X)
#undef X
        SOURCE_N
};
const char *source_word(enum source source);
int source_of(struct span word); /* -1: unknown */

/* A DDSketch as the intake receives it. Key to value: gamma 1.015625, bias 1338 (schema/protocol/dogstatsd.md section 7.4). */
struct sketch {
    int64_t count;
    double sum, min, max, avg;
    size_t n_bins;
    const int32_t *keys;
    const uint32_t *counts;
};

/* One value of a metric. For sets `text` is the value and `number` is 0. For the other types `text` is the value as it
 * stood on the wire ({NULL, 0} when it came in binary) and `number` what it means, always finite.
 * timestamp: seconds since 1970 given by the client, 0 when none was. sketch: NULL but for intake sketches (then
 * number is the sketch's avg). */
struct value {
    double number;
    struct span text;
    int64_t timestamp;
    const struct sketch *sketch;
};

/* Origin fields that any kind of record can carry. A span with p == NULL was not given. */
struct origin {
    struct span host; /* "" with p != NULL: given as explicitly empty */
    struct span container_id;
    struct span external_data;
    struct span cardinality;
    struct span entity_id; /* dd.internal.entity_id: the pod's uid */
    struct span jmx_check_name;
    bool has_inode;
    uint64_t inode;
};

/* What a store found out about a metric that its caller keeps, so that it need not find that out again. All zero: nothing yet. Only the
 * store's writer reads and writes it. */
struct metric_note {
    uint64_t session_id, era, table;
    uint32_t context;
};

struct metric {
    enum metric_type type;
    struct span name;
    double sample_rate; /* 1 when not given; any float, NaN and 0 included */
    size_t n_tags;
    const struct span *tags; /* as received, in order and with repeats, less those the Agent consumes */
    size_t n_values;
    const struct value *values;
    bool json; /* each value's text is a JSON number, too (core/number.h); false: perhaps */
    struct origin origin;
    /* Only over HTTP: */
    struct span device; /* the resource "device"; DogStatsD's `device:` stays a tag */
    struct span unit;
    struct span source_type;
    int64_t interval;      /* seconds, 0: none */
    struct span resources; /* other resources and metadata.origin, one JSON object as text; {NULL,0}: none */
    /* Some decoders set these: everything that tells this metric's series and spelling from another's, verbatim (of a line its name, and all
     * after the first '|' but a T field; of a protobuf series what stands before and behind its points). Equal keys of one kind mean
     * equal metrics but for the values, so the store need not look further. key_name.n == 0: not available, compare the fields. */
    struct span key_name;
    struct span key_rest;
    char key_kind; /* 0: a line */
    /* Of a series that the decoder's caller remembers (decode/intake), all but type, name and values stands there. NULL: it stands here. */
    const struct metric *known;
    struct metric_note *note;      /* NULL: the store can note nothing */
    const struct remarks *remarks; /* NULL: none */
};

struct event {
    struct span title, text; /* unescaped */
    int64_t timestamp;       /* 0: none given */
    struct span aggregation_key, priority, alert_type, source_type_name;
    size_t n_tags;
    const struct span *tags;
    struct origin origin;
    const struct remarks *remarks; /* NULL: none */
};

struct service_check {
    struct span name;
    int status; /* 0 ok, 1 warning, 2 critical, 3 unknown */
    int64_t timestamp;
    struct span message;
    size_t n_tags;
    const struct span *tags;
    struct origin origin;
    const struct remarks *remarks; /* NULL: none */
};

struct reject {
    enum reason reason;
    /* "metric", "event", "service_check" or "packet"; over HTTP the name of the route: "series", "sketch", … */
    struct span family;
    struct span text;   /* the whole line, or the offending piece of a body */
    size_t offset;      /* of the byte in `text` where reading failed */
    struct span name;   /* the metric's or check's name when it was readable */
    struct span detail; /* beyond the reason's sentence; {NULL, 0}: nothing to add */
};

enum record_kind { RECORD_METRIC, RECORD_EVENT, RECORD_SERVICE_CHECK, RECORD_REJECT };

struct record {
    enum record_kind kind;
    union {
        struct metric metric;
        struct event event;
        struct service_check check;
        struct reject reject;
    };
};

/* A decoder calls this for each record, in order. */
typedef void record_fn(void *arg, const struct record *record);

#endif
