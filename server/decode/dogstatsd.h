/* DogStatsD: one datagram (or stream frame) in, records out.
 *
 * Pure: no I/O, no clock, no globals, no allocation but in dogstatsd_new.
 * Ownership: the decoder holds the scratch memory that records point into, besides the datagram itself; both
 * are valid until the callback returns. Threads: one decoder belongs to one thread. Errors: bad input is
 * data: it comes out as RECORD_REJECT with the Agent's reason. A line gives one metric, event, check or
 * reject; what of it the Agent would ignore is in the record's remarks. Of a metric, each value that is not finite becomes a reject, after the metric with the others (if
 * any). Where a reject's offset points: at the piece that could not be read, or at the place where a
 * separator was missing. Limits: a line longer than DOGSTATSD_LINE_MAX, which no datagram holds, is cut there
 * and goes on as a line of its own. Source: schema/protocol/dogstatsd.md sections 2 to 6; fixtures/dogstatsd.
 */
#ifndef DECODE_DOGSTATSD_H
#define DECODE_DOGSTATSD_H

#include "core/record.h"

#define DOGSTATSD_LINE_MAX          65535
#define DOGSTATSD_CONSTANT_TAGS_MAX 100

struct dogstatsd_options {
    bool ignore_origin; /* as the Agent with dogstatsd_origin_detection_client: false: c: e: card: are unknown
                           fields */
    bool ignore_timestamps; /* as with dogstatsd_no_aggregation_pipeline: false: T is an unknown field */
    /* Added behind the tags of every metric, event and check, as the Agent's dogstatsd_tags; at most
     * DOGSTATSD_CONSTANT_TAGS_MAX, the caller's for as long as the decoder lives. */
    size_t n_constant_tags;
    const struct span *constant_tags;
    bool eol_required; /* an unterminated last line is rejected, family "packet" */
};

struct dogstatsd;
/* NULL when out of memory. */
struct dogstatsd *dogstatsd_new(const struct dogstatsd_options *options);
void dogstatsd_free(struct dogstatsd *d);
/* Calls emit(arg, record) for each record, in order. Returns the number of lines that were not empty. */
size_t dogstatsd_decode(struct dogstatsd *d, struct span datagram, record_fn *emit, void *arg);

#endif
