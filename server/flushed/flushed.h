/* A recording as Datadog has it: the samples that came over DogStatsD as the series and sketches that an Agent makes of them, what
 * came over HTTP as it is. Events, checks, refused lines, losses and all else are those of the recording.
 *
 *     struct reader *d = flushed_open(r, &(struct flushed_options){.session = SPAN("default")}, &err);
 *     … ask d as any reader …
 *     reader_close(d);
 *
 * What is not due yet is flushed, too: nobody has to wait for an Agent's ten seconds. A row's id is that of the newest sample that
 * it was made of, its time when that one arrived. Several rows may have the same id.
 *
 * Ownership: reader_close frees it, not the recording's reader.
 * Threads: as the recording's reader, which must be between begin and end meanwhile.
 * Errors: NULL with err: out of memory, past a limit, or the recording cannot be read.
 * Limits: FLUSHED_POINTS_MAX points, FLUSHED_BYTES_MAX bytes of names, tags and sketches, and those of agent/agent.h.
 * Source: schema/protocol/dogstatsd.md section 7; fixtures/agent.
 */
#ifndef FLUSHED_FLUSHED_H
#define FLUSHED_FLUSHED_H

#include "agent/agent.h"
#include "core/reader.h"

#define FLUSHED_POINTS_MAX 4000000
#define FLUSHED_BYTES_MAX  ((size_t)512 << 20)

struct flushed_options {
    struct span session;   /* p == NULL, EVERY_SESSION: all; each has an Agent of its own */
    uint64_t since, until; /* as in a filter: the Agent sees only these */
    const struct agent_histogram_options *histograms; /* NULL: the Agent's defaults */
};

struct reader *flushed_open(struct reader *recording, const struct flushed_options *options, struct err *err);

#endif
