#include "decode/intake/intake.h"

#include "decode/intake/series.h"

#include <stdio.h>
#include <stdlib.h>

static enum intake_status (*const decoders[INTAKE_N_FORMATS])(struct intake *, struct span) = {
    [INTAKE_SERIES_V1] = series_v1_decode,
    [INTAKE_DISTRIBUTIONS] = series_v1_decode,
    [INTAKE_SERIES_V2_JSON] = series_v2_json_decode,
    [INTAKE_SERIES_V2] = series_v2_decode,
    [INTAKE_SERIES_V3] = series_v3_decode,
    [INTAKE_SKETCHES] = sketches_decode,
    [INTAKE_CHECKS] = checks_decode,
    [INTAKE_EVENT_V1] = event_v1_decode,
    [INTAKE_EVENT_V2] = event_v2_decode,
    [INTAKE_AGENT_EVENTS] = agent_events_decode,
};

enum intake_status intake_decode(enum intake_format format, struct span body,
                                 const struct intake_options *options, record_fn *emit, void *arg,
                                 struct intake_error *error) {
    *error = (struct intake_error){.reason = REASON_INVALID_BODY};
    struct intake in = {
        .format = format,
        .options = *options,
        .emit = emit,
        .arg = arg,
        .error = error,
        .scratch = {.max = INTAKE_SCRATCH_MAX},
        .series = malloc(sizeof *in.series),
    };
    enum intake_status status = INTAKE_TOO_LARGE;
    if (in.series) {
        in.series->resources = (struct buf){.max = 1 << 20};
        in.series->again = false;
        status = decoders[format](&in, body);
        buf_free(&in.series->resources);
    }
    if (!in.series || in.scratch.failed) {
        status = INTAKE_TOO_LARGE;
        snprintf(error->text, sizeof error->text, "Payload too large");
    }
    free(in.series);
    arena_free(&in.scratch);
    return status;
}
