#include "decode/intake/series.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const families[INTAKE_N_FORMATS] = {
#define X(id, family) [id] = family,
    INTAKE_FORMATS(X)
#undef X
};

const char *intake_family(enum intake_format format) {
    return families[format];
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
