/* Shared by the renderers: they read a report without trusting its shape. */
#ifndef REPORT_RENDER_H
#define REPORT_RENDER_H

#include "core/span.h"
#include <jansson.h>

/* The string, or {NULL, 0} when it is none. */
static inline struct span render_text(const json_t *string) {
    return (struct span){json_string_value(string), json_string_length(string)};
}

static inline struct span render_text_of(const json_t *object, const char *key) {
    return render_text(json_object_get(object, key));
}

struct render_counts {
    size_t passed, failed, inconclusive;
};

static inline struct render_counts render_count(const json_t *report) {
    const json_t *results = json_object_get(report, "results");
    struct render_counts counts = {0, 0, 0};
    for (size_t i = 0; i < json_array_size(results); i++) {
        struct span verdict = render_text_of(json_array_get(results, i), "verdict");
        if (span_eq(verdict, SPAN("pass")))
            counts.passed++;
        else if (span_eq(verdict, SPAN("fail")))
            counts.failed++;
        else
            counts.inconclusive++;
    }
    return counts;
}

/* Of the claim that every series is covered: a verdict; {NULL, 0} when that was not claimed. */
static inline struct span render_covered(const json_t *report) {
    const json_t *uncovered = json_object_get(report, "uncovered");
    struct span covered = render_text_of(report, "covered");
    if (!uncovered || covered.n)
        return covered;
    return json_array_size(uncovered) ? SPAN("fail") : SPAN("pass"); /* of a server that does not tell */
}

/* Whether it is a loss alone that makes the report inconclusive, and no result of it tells: lint found nothing. */
static inline bool render_untold(const json_t *report) {
    struct render_counts counts = render_count(report);
    return span_eq(render_text_of(report, "verdict"), SPAN("inconclusive")) && counts.failed == 0 &&
           counts.inconclusive == 0 && !span_eq(render_covered(report), SPAN("inconclusive"));
}

#define RENDER_UNTOLD        "nothing was lost"
#define RENDER_UNTOLD_UNSURE "what was lost could have changed the verdict"

#define RENDER_COVERED        "every series is covered"
#define RENDER_COVERED_UNSURE "what was lost could have been of any series"

#endif
