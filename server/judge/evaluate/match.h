/* Whether a recorded series, event or check is one that an expectation is about.
 *
 * Threads: any.
 * Limits: what matching takes is counted in steps, for the caller to bound.
 */
#ifndef JUDGE_EVALUATE_MATCH_H
#define JUDGE_EVALUATE_MATCH_H

#include "core/reader.h"
#include "judge/language/expectation.h"

/* The client's telemetry: matched only by names that spell this out. */
#define TELEMETRY_NAMES "datadog.dogstatsd.client."
#define TELEMETRY       SPAN(TELEMETRY_NAMES)
/* The telemetry that counts metrics which the client threw away before it sent them. They are a loss like any other. */
bool match_tells_drops(struct span name, enum metric_type type);
#define DROPPED_BY_CLIENT "dropped by a client before sending, as its own telemetry says"

/* The names that an aggregating HTTP client makes of a timing, histogram or distribution: NAME.avg, … */
#define FORMS(X)                                                                                             \
    X(FORM_AVG, ".avg")                                                                                      \
    X(FORM_MIN, ".min")                                                                                      \
    X(FORM_MAX, ".max")                                                                                      \
    X(FORM_MEDIAN, ".median")                                                                                \
    X(FORM_COUNT, ".count")                                                                                  \
    X(FORM_SUM, ".sum")                                                                                      \
    X(FORM_PERCENTILE, "percentile")

enum form {
    FORM_NONE, /* the metric itself */
#define X(id, suffix) id,
    FORMS(X)
#undef X
        FORM_RATE, /* of a count: its sum, divided by the interval */
    FORM_RIVAL /* no form, but samples of the metric's name that are not asked for: where they are, forms tell nothing */
};

/* FORM_NONE when the name has no such ending; else the name before it, and the percentile of `.95percentile`.
 */
enum form form_of(struct span name, struct span *base, double *percentile);

/* The tags that a pattern is looked for in. */
struct tagged {
    size_t n;
    const struct span *tags;
    struct span host, device; /* p == NULL: not given */
    uint64_t *steps;          /* counts what matching took */
};

/* *steps: counts what matching took. */
bool match_name(const struct expectation *e, struct span name, uint64_t *steps);
bool match_type(const struct expectation *e, enum metric_type type);
bool match_tags(const struct expectation *e, const struct tagged *t);
/* Whether the tag has the key that the term asks for. */
bool match_key(const struct tag_term *term, struct span tag, uint64_t *steps);
/* One term alone: whether it is true of these tags. */
bool match_term(const struct tag_term *term, const struct tagged *t);
/* Whether [exactly] has a place for the tag: a term takes it, or its key is ignored. */
bool match_allows(const struct expectation *e, struct span tag, uint64_t *steps);
/* Whether the expectation is also about the aggregated forms of a metric: NAME.avg and the like. */
bool match_has_forms(const struct expectation *e);
/* Whether a series of this type can be that form of a metric. */
bool match_form_type(enum form form, enum metric_type type);
/* Whether the expectation is also about rates, as which an aggregating client sends counts. */
bool match_has_rates(const struct expectation *e);

static inline struct tagged tagged_series(const struct series_row *row, uint64_t *steps) {
    return (struct tagged){row->n_tags, row->tags, row->host, row->device, steps};
}

#endif
