/* Private to the DogStatsD decoder: what its parts share.
 *
 * One line goes through: its family's decoder (metric.c, event.c, check.c), which reads what only that family
 * has and hands every other field to fields_take; then `enrich`, which turns fields and tags into an origin
 * and the tags that remain; then line_emit.
 */
#ifndef DECODE_DOGSTATSD_LINE_H
#define DECODE_DOGSTATSD_LINE_H

#include "decode/dogstatsd.h"

/* The worst lines: "a:1|c|#,,,,…" has a tag for each byte, "a:1:1:1…|c" a value for every second. */
struct dogstatsd {
    struct dogstatsd_options options;
    record_fn *emit;
    void *arg;
    struct record
        metric; /* kept, as most of a metric is the same from line to line: what only HTTP fills stays 0 */
    struct span tags[DOGSTATSD_LINE_MAX];
    struct value values[DOGSTATSD_LINE_MAX / 2];
    char text[DOGSTATSD_LINE_MAX]; /* texts that differ from the line: unescaped, or with a field taken out */
};

/* Fields that any family may carry, verbatim; the last of each kind wins. p == NULL: not given. */
struct fields {
    struct span tags;
    struct span local;
    struct span external;
    struct span cardinality;
};

void metric_decode(struct dogstatsd *d, struct span line);
void event_decode(struct dogstatsd *d, struct span line);
void check_decode(struct dogstatsd *d, struct span line);

/* Notes the field when it is one of `struct fields`; any other is ignored, as the Agent does. */
void fields_take(const struct dogstatsd_options *options, struct fields *fields, struct span field);
/* Sets the origin and the tags, less those that the Agent consumes. */
void enrich(struct dogstatsd *d, const struct fields *fields, struct origin *origin, const struct span **tags,
            size_t *n_tags);

/* `at` points into the line (or at its end): where reading failed. */
void line_reject(struct dogstatsd *d, enum reason reason, struct span family, struct span line,
                 const char *at, struct span name);

/* Where byte c first stands in [p, end); end when it does not. */
static inline const char *line_find(const char *p, const char *end, char c) {
    const char *at = p < end ? memchr(p, c, (size_t)(end - p)) : NULL;
    return at ? at : end;
}

static inline struct span line_span(const char *p, const char *end) {
    return span_of(p, (size_t)(end - p));
}

#endif
