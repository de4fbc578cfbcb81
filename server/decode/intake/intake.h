/* Bodies of Datadog's intake: one decompressed HTTP body in, records out.
 *
 * Pure: no I/O, no clock (the caller passes the time), no globals.
 * A series with many points comes out as several records of at most INTAKE_VALUES values.
 *
 * Clients send the same series again and again, and only the points differ. A caller that remembers series spares itself most of the
 * decoding: `learn` is told of one that was read as a whole, and `known` is asked with the bytes before and behind the points of the next.
 * What they return is the metric.known of the records that follow. `next` may guess, without having been told where the points are.
 *
 *     {"metric":"a","points":[[1700000000,1]],"tags":["b:c"]}
 *     ^^^^^^^^^^^^^^^^^^^^^^^                ^^^^^^^^^^^^^^^^   the same bytes, and points that can be read: the same series
 *
 *
 * Ownership: a record points into the body and into the decoder's scratch memory. Both are valid until the callback returns.
 * Threads: any; calls share nothing.
 * Errors: bad input is data. When the intake would refuse the whole body, the result is INTAKE_BAD with the intake's words, and
 * the caller must throw away the records that were already emitted. What the intake accepts and then drops comes out as
 * RECORD_REJECT.
 * Limits: INTAKE_* below. A body that needs more scratch memory than INTAKE_SCRATCH_MAX counts as too large.
 * Source: schema/protocol/datadog-http.md sections 3 to 8 and 12; fixtures/intake.
 */
#ifndef DECODE_INTAKE_INTAKE_H
#define DECODE_INTAKE_INTAKE_H

#include "core/record.h"

#define INTAKE_VALUES        512
#define INTAKE_TAGS_MAX      100
#define INTAKE_TAG_BYTES     200
#define INTAKE_TAGS_BYTES    (100 * 1024)
#define INTAKE_NAME_BYTES    350
#define INTAKE_HOST_BYTES    255
#define INTAKE_RESOURCES_MAX 500
#define INTAKE_AGE_MAX_S     3600
#define INTAKE_AHEAD_MAX_S   600
#define INTAKE_EVENT_AGE_S   (18 * 3600)
#define INTAKE_YEAR_9999_S   253402300799.0 /* what any_age keeps lies between 1970 and this second */
#define INTAKE_SCRATCH_MAX   ((size_t)128 << 20)

/* enum, the family of its rejects */
#define INTAKE_FORMATS(X)                                                                                    \
    X(INTAKE_SERIES_V1, "series")      /* JSON of /api/v1/series */                                          \
    X(INTAKE_DISTRIBUTIONS, "series")  /* JSON of /api/v1/distribution_points */                             \
    X(INTAKE_SERIES_V2_JSON, "series") /* JSON of /api/v2/series */                                          \
    X(INTAKE_SERIES_V2, "series")      /* protobuf MetricPayload */                                          \
    X(INTAKE_SERIES_V3, "series")      /* protobuf Payload: series and sketches in columns */                \
    X(INTAKE_SKETCHES, "sketch")       /* protobuf SketchPayload */                                          \
    X(INTAKE_CHECKS, "service_check")  /* JSON of /api/v1/check_run: a list, or one object */                \
    X(INTAKE_EVENT_V1, "event")        /* JSON of /api/v1/events: one object */                              \
    X(INTAKE_EVENT_V2, "event")        /* JSON of /api/v2/events: one object */                              \
    X(INTAKE_AGENT_EVENTS, "event")    /* JSON of /intake: lists of events by source */

enum intake_format {
#define X(id, family) id,
    INTAKE_FORMATS(X)
#undef X
        INTAKE_N_FORMATS
};

struct intake_options {
    int64_t now_s;   /* seconds since 1970: what is too old or too new depends on it */
    bool any_age;    /* points and events are kept however old or new they are */
    bool from_agent; /* the User-Agent starts with datadog-agent: v2 tags that are not UTF-8 are mended */
    /* All NULL, or all given (`next` may be NULL); `arg` is that of the records. A metric that they return must hold until the body is decoded, with its key.
     * `next`: any one of this kind whose key_name the bytes begin with, or NULL. */
    const struct metric *(*next)(void *arg, char key_kind, struct span bytes);
    const struct metric *(*known)(void *arg, char key_kind, struct span key_name, struct span key_rest);
    /* Returns the caller's copy, or NULL when it has no room. The metric has a key, and no values. */
    const struct metric *(*learn)(void *arg, const struct metric *metric);
};

enum intake_status {
    INTAKE_OK,
    INTAKE_BAD,       /* 400 */
    INTAKE_TOO_LARGE, /* 413: more than INTAKE_SCRATCH_MAX */
};

struct intake_error {
    enum reason reason; /* why, when INTAKE_BAD */
    char text[240];     /* the intake's words: "invalid character ':' after array element" */
    size_t offset;      /* of the byte in the body where reading failed; 0 when unknown */
};

enum intake_status intake_decode(enum intake_format format, struct span body,
                                 const struct intake_options *options, record_fn *emit, void *arg,
                                 struct intake_error *error);
/* "series", … */
const char *intake_family(enum intake_format format);

#endif
