#include "decode/intake/intake.h"

#include "decode/intake/series.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const families[INTAKE_N_FORMATS] = {
#define X(id, family) [id] = family,
    INTAKE_FORMATS(X)
#undef X
};

const char *intake_family(enum intake_format format) {
    return families[format];
}

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

enum intake_status intake_refuse(struct intake *in, enum reason reason, size_t offset, const char *format,
                                 ...) {
    va_list args;
    va_start(args, format);
    in->error->reason = reason;
    in->error->offset = offset;
    vsnprintf(in->error->text, sizeof in->error->text, format, args);
    va_end(args);
    return INTAKE_BAD;
}

#define REJECT_TEXT_MAX 4096

void intake_reject(struct intake *in, enum reason reason, struct span name, struct span text,
                   struct span detail) {
    if (text.n > REJECT_TEXT_MAX)
        text.n = REJECT_TEXT_MAX;
    struct record record = {
        .kind = RECORD_REJECT,
        .reject = {.reason = reason,
                   .family = span_str(families[in->format]),
                   .text = text,
                   .name = name,
                   .detail = detail},
    };
    in->emit(in->arg, &record);
}
