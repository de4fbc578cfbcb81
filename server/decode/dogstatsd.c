#include "decode/dogstatsd.h"

#include "decode/dogstatsd/line.h"
#include <stdlib.h>

struct dogstatsd *dogstatsd_new(const struct dogstatsd_options *options) {
    /* calloc: the pages of the scratch arrays exist only once a line needs them. */
    struct dogstatsd *d = calloc(1, sizeof *d);
    if (d) {
        d->options = *options;
        d->metric.kind = RECORD_METRIC;
    }
    return d;
}

void dogstatsd_free(struct dogstatsd *d) {
    free(d);
}

void line_reject(struct dogstatsd *d, enum reason reason, struct span family, struct span line,
                 const char *at, struct span name) {
    struct record record = {
        .kind = RECORD_REJECT,
        .reject = {.reason = reason,
                   .family = family,
                   .text = line,
                   .offset = (size_t)(at - line.p),
                   .name = name.n ? name : (struct span){NULL, 0}},
    };
    d->emit(d->arg, &record);
}

/* Anything that starts with _sc is a check, even "_score:5|g"; "_e:1|g" is a metric. */
static void decode_line(struct dogstatsd *d, struct span line) {
    if (line.p[0] != '_')
        metric_decode(d, line);
    else if (span_starts(line, SPAN("_e{")))
        event_decode(d, line);
    else if (span_starts(line, SPAN("_sc")))
        check_decode(d, line);
    else
        metric_decode(d, line);
}

size_t dogstatsd_decode(struct dogstatsd *d, struct span datagram, record_fn *emit, void *arg) {
    d->emit = emit;
    d->arg = arg;
    size_t lines = 0;
    const char *end = datagram.p + datagram.n;
    for (const char *p = datagram.p; p < end;) {
        const char *stop = end - p > DOGSTATSD_LINE_MAX ? p + DOGSTATSD_LINE_MAX : end;
        const char *newline = line_find(p, stop, '\n');
        const char *line_end = newline > p && newline[-1] == '\r' ? newline - 1 : newline;
        struct span line = line_span(p, line_end);
        if (line.n > 0) {
            lines++;
            if (newline == end && d->options.eol_required)
                line_reject(d, REASON_UNTERMINATED, SPAN("packet"), line, line_end, (struct span){NULL, 0});
            else
                decode_line(d, line);
        }
        p = newline < end && *newline == '\n' ? newline + 1 : newline;
    }
    return lines;
}
