/* A flush as bytes: JSON in the form of the reference cases, text for people, or the protobuf of Datadog's intake.
 *
 * JSON: [{"flush_at":T,"series":[…],"sketches":[…],"no_aggregation_series":[…]},…]. A number that is not finite is "NaN", "+Inf" or
 * "-Inf". With an explanation a series has "samples" beside "points": a list of samples for each point. A flush with events or
 * checks has "events" and "service_checks", too.
 * Protobuf: PAYLOAD_SERIES is one MetricPayload (POST /api/v2/series) of all series of all flushes, PAYLOAD_SKETCHES one SketchPayload
 * (POST /api/beta/sketches). Payloads of protobuf that stand one behind the other are one payload.
 *
 * Ownership: the struct is the caller's; it holds nothing. The text is appended to `out`.
 * Errors: `out` fails past its maximum. Source: schema/protocol/datadog-http.md sections 3 and 5.
 */
#ifndef AGENT_PAYLOAD_H
#define AGENT_PAYLOAD_H

#include "agent/agent.h"

enum payload_format { PAYLOAD_JSON, PAYLOAD_TABLE, PAYLOAD_SERIES, PAYLOAD_SKETCHES };

struct agent_payload {
    enum payload_format format;
    bool show_empty;  /* a flush that sends nothing is shown too */
    bool explains;    /* the samples are shown */
    const char *only; /* a glob: series with such names; NULL: all */
    struct buf *out;  /* where the text goes */
    bool any;         /* some flush was shown */
    /* Of the flush that is under way: */
    int64_t at_ns;
    bool begun; /* its head stands */
    int part;   /* 0: series, 1: sketches, 2: timestamped ones */
    bool any_in_part;
    struct buf events, checks; /* that came since the flush before; payload_free */
};

/* A sink's functions; its arg is the payload. */
extern const struct agent_sink payload_sink;
/* What stands before the first flush and behind the last. */
void payload_begin(struct agent_payload *p);
void payload_end(struct agent_payload *p);
void payload_free(struct agent_payload *p);
/* An event or a check, as JSON (agent/records.h), for the next flush. Not shown in a protobuf, nor where series are chosen by name. */
void payload_record(struct agent_payload *p, bool is_check, struct span json);
const char *payload_content_type(enum payload_format format);
/* -1: none of these: json, table, v2-protobuf, sketches-protobuf. */
int payload_format_of(struct span word);

/* Each writes one series, in its file. */
void payload_json_series(struct buf *b, const struct agent_series *s, bool explains);
void payload_json_sketch(struct buf *b, const struct agent_sketch_series *s, bool explains);
void payload_table_series(struct buf *b, const struct agent_series *s, bool explains, bool timed);
void payload_table_sketch(struct buf *b, const struct agent_sketch_series *s, bool explains);
void payload_protobuf_series(struct buf *b, const struct agent_series *s);
void payload_protobuf_sketch(struct buf *b, const struct agent_sketch_series *s);
/* A time in seconds, with as many decimals as it needs. */
void payload_put_seconds(struct buf *b, int64_t ns);

#endif
