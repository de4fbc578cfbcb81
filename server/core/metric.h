/* Metric types: the word we print, the letter on the wire, and what one sample stands for.
 *
 * Source: schema/protocol/dogstatsd.md sections 3 and 7.2 (what the Agent counts for a sample rate).
 */
#ifndef CORE_METRIC_H
#define CORE_METRIC_H

#include "core/span.h"

/* enum, word, wire letter ("" where DogStatsD has none). The order is stored in recordings: append only. */
#define METRIC_TYPES(X)                                                                                      \
    X(METRIC_COUNT, "count", "c")                                                                            \
    X(METRIC_GAUGE, "gauge", "g")                                                                            \
    X(METRIC_TIMING, "timing", "ms")                                                                         \
    X(METRIC_HISTOGRAM, "histogram", "h")                                                                    \
    X(METRIC_DISTRIBUTION, "distribution", "d")                                                              \
    X(METRIC_SET, "set", "s")                                                                                \
    X(METRIC_RATE, "rate", "")

enum metric_type {
#define X(id, word, letter) id,
    METRIC_TYPES(X)
#undef X
        METRIC_N_TYPES
};

/* "count", … : static, NUL-terminated. */
const char *metric_word(enum metric_type type);
/* "c", … ; "" for METRIC_RATE. */
const char *metric_letter(enum metric_type type);
/* Our words, the wire letters and Sentry's "incr"; -1 for anything else. */
int metric_type_of(struct span word);

/* What one sample received with this rate stands for, as the Agent takes it:
 *   count   how many it adds to `count`
 *   factor  what its value is multiplied by in `sum`
 * Counts take 1/rate unchecked (rate 0 gives +Inf), gauges, sets and rates ignore it, histograms and timings take
 * int(1/rate) as weight and 1/rate as factor (rate 0 counts as 1), distributions ignore a rate outside (0, 1]. */
struct metric_weight {
    double count;
    double factor;
};
struct metric_weight metric_weigh(enum metric_type type, double sample_rate);

#endif
