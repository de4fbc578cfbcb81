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

/* For a line that begins with '_': anything that starts with _sc is a check, even "_score:5|g"; "_e:1|g" is a
 * metric. */
static const char *decode_underscore(struct dogstatsd *d, const char *p, struct stops *stops) {
    struct span rest = line_span(p, stops->end);
    bool event = span_starts(rest, SPAN("_e{"));
    if (!event && !span_starts(rest, SPAN("_sc")))
        return metric_decode(d, p, stops);
    const char *newline = line_find(p, stops->end, '\n');
    struct span line = line_span(p, line_part_end(p, '\n', newline));
    if (event)
        event_decode(d, line, newline);
    else
        check_decode(d, line, newline);
    stops_start(stops, newline, stops->end);
    stops_next(stops, &newline);
    return newline;
}

static size_t decode_lines(struct dogstatsd *d, const char *p, const char *end) {
    size_t lines = 0;
    struct stops stops;
    stops_start(&stops, p, end);
    while (p < end) {
        const char *after_cr = *p == '\r' ? p + 1 : p;
        if (after_cr == end || *after_cr == '\n') {
            stops_next(&stops, &p);
        } else {
            lines++;
            p = *p == '_' ? decode_underscore(d, p, &stops) : metric_decode(d, p, &stops);
        }
        if (p < end)
            p++;
    }
    return lines;
}

/* The last line, when a newline is required that it does not have. */
static size_t reject_tail(struct dogstatsd *d, const char *p, const char *end) {
    const char *line_end = line_part_end(p, '\n', end);
    if (p == line_end)
        return 0;
    line_reject(d, REASON_UNTERMINATED, SPAN("packet"), line_span(p, line_end), line_end,
                (struct span){NULL, 0});
    return 1;
}

size_t dogstatsd_decode(struct dogstatsd *d, struct span datagram, record_fn *emit, void *arg) {
    d->emit = emit;
    d->arg = arg;
    const char *p = datagram.p, *end = p + datagram.n;
    size_t lines = 0;
    if (p == end)
        return 0;
    while (end - p > DOGSTATSD_LINE_MAX) { /* no line may be longer than the scratch memory has room for */
        const char *newline = memrchr(p, '\n', DOGSTATSD_LINE_MAX);
        const char *cut = newline ? newline + 1 : p + DOGSTATSD_LINE_MAX;
        lines += decode_lines(d, p, cut);
        p = cut;
    }
    const char *tail = end;
    if (d->options.eol_required) {
        const char *newline = memrchr(p, '\n', (size_t)(end - p));
        tail = newline ? newline + 1 : p;
    }
    lines += decode_lines(d, p, tail);
    return lines + reject_tail(d, tail, end);
}
