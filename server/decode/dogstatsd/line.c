#include "decode/dogstatsd/line.h"

void line_reject(struct dogstatsd *d, enum reason reason, struct span family, struct span line,
                 const char *at, struct span name) {
    struct record record;
    record.kind = RECORD_REJECT;
    record.reject = (struct reject){.reason = reason,
                                    .family = family,
                                    .text = line,
                                    .offset = (size_t)(at - line.p),
                                    .name = name.n ? name : (struct span){NULL, 0}};
    d->emit(d->arg, &record);
}
