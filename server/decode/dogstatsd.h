/* DogStatsD: one datagram (or stream frame) in, records out.
 *
 * Pure: no I/O, no clock, no globals, no allocation but in dogstatsd_new.
 * A line gives one metric, event, check or reject. What the Agent ignores of a line stands in its record's remarks. Each value of a metric that is not finite becomes a reject of its own; the
 * metric with the other values comes before it.
 *
 * Ownership: a record points into the datagram and into the decoder's scratch memory. Both are valid until the callback
 * returns.
 * Threads: one decoder belongs to one thread.
 * Errors: bad input is data. It comes out as RECORD_REJECT with the Agent's reason. The reject's offset points at the piece that
 * could not be read, or at the place where a separator was missing.
 * Limits: a line longer than DOGSTATSD_LINE_MAX is cut there, and the rest is read as a line of its own. No datagram is that
 * long.
 * Source: schema/protocol/dogstatsd.md sections 2 to 6; fixtures/dogstatsd.
 */
#ifndef DECODE_DOGSTATSD_H
#define DECODE_DOGSTATSD_H

#include "core/record.h"

#define DOGSTATSD_LINE_MAX          65535
#define DOGSTATSD_CONSTANT_TAGS_MAX 100

struct dogstatsd_options {
    /* The Agent's dogstatsd_origin_detection_client: false. The fields c:, e: and card: are then unknown. */
    bool ignore_origin;
    /* The Agent's dogstatsd_no_aggregation_pipeline: false. The field T is then unknown. */
    bool ignore_timestamps;
    /* The Agent's dogstatsd_tags: added behind the tags of every metric, event and check. At most
     * DOGSTATSD_CONSTANT_TAGS_MAX. The caller keeps them for as long as the decoder lives. */
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
