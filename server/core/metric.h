/* Metric types: the word we print, the letter on the wire, and what one sample stands for.
 *
 * Source: schema/protocol/dogstatsd.md sections 3 and 7.2 (what the Agent counts for a sample rate).
 */
#ifndef CORE_METRIC_H
#define CORE_METRIC_H

#include "core/span.h"
#include <stdbool.h>

/* The traits of a type. Code asks for a trait (metric_is) and never for a list of types, so that a new type is a row here. */
enum metric_trait {
    /* What its values are: one of these. */
    METRIC_TOTAL = 1 << 0,      /* amounts that add up; an aggregating client sends them on as a rate */
    METRIC_LEVEL = 1 << 1,      /* the newest one counts */
    METRIC_POOLED = 1 << 2,     /* observations, told as count, sum, min, max and percentiles */
    METRIC_TEXT = 1 << 3,       /* texts, of which the different ones are counted */
    METRIC_PER_SECOND = 1 << 4, /* amounts a second: times its interval they add up */
    /* More about it. */
    METRIC_TIMED = 1 << 5,        /* DogStatsD takes a timestamp with it */
    METRIC_MILLISECONDS = 1 << 6, /* its values are durations */
    METRIC_SKETCHED = 1 << 7, /* may come as a sketch of many values, which has no first and no last one */
    /* Groups. */
    METRIC_COUNTED = METRIC_TOTAL | METRIC_PER_SECOND,
    METRIC_ADDS = METRIC_TOTAL | METRIC_POOLED, /* the sum of its samples means something */
};

/* How a sample rate counts; see metric_weigh. */
enum metric_weighing { WEIGH_ONE, WEIGH_INVERSE, WEIGH_WHOLE, WEIGH_WHOLE_SHARE };

/* enum, word, wire letter ("" where DogStatsD has none), letter of the nearest that DogStatsD has, weighing, family in
 * OpenMetrics, traits. The order is stored in recordings: append only. */
/* clang-format off */
#define METRIC_TYPES(X) \
    X(METRIC_COUNT, "count", "c", "c", WEIGH_INVERSE, "counter", METRIC_TOTAL | METRIC_TIMED) \
    X(METRIC_GAUGE, "gauge", "g", "g", WEIGH_ONE, "gauge", METRIC_LEVEL | METRIC_TIMED) \
    X(METRIC_TIMING, "timing", "ms", "ms", WEIGH_WHOLE, "summary", METRIC_POOLED | METRIC_MILLISECONDS) \
    X(METRIC_HISTOGRAM, "histogram", "h", "h", WEIGH_WHOLE, "summary", METRIC_POOLED) \
    X(METRIC_DISTRIBUTION, "distribution", "d", "d", WEIGH_WHOLE_SHARE, "summary", METRIC_POOLED | METRIC_SKETCHED) \
    X(METRIC_SET, "set", "s", "s", WEIGH_ONE, "gauge", METRIC_TEXT) \
    X(METRIC_RATE, "rate", "", "g", WEIGH_ONE, "gauge", METRIC_PER_SECOND | METRIC_TIMED)
/* clang-format on */

enum metric_type {
#define X(id, word, letter, nearest, weighing, family, traits) id,
    METRIC_TYPES(X)
#undef X
        METRIC_N_TYPES
};

/* For lists of the words: METRIC_TYPES(METRIC_WORD_COMMA) is "count, gauge, … rate, ". */
#define METRIC_WORD_COMMA(id, word, letter, nearest, weighing, family, traits) word ", "
#define METRIC_SPACE_WORD(id, word, letter, nearest, weighing, family, traits) " " word
/* The words in a sentence: "count, gauge, … set or rate". The compiler counts its letters. */
#define METRIC_WORDS "count, gauge, timing, histogram, distribution, set or rate"

struct metric_info {
    const char *word, *letter, *nearest, *family;
    enum metric_weighing weighing;
    unsigned traits;
};
extern const struct metric_info metric_table[METRIC_N_TYPES];

/* Whether the type has one of these traits. */
static inline bool metric_is(enum metric_type type, unsigned traits) {
    return (metric_table[type].traits & traits) != 0;
}
/* The types that have one of these traits, as bits (1 << type). */
unsigned metric_types_that_are(unsigned traits);

/* "count", … : static, NUL-terminated. */
const char *metric_word(enum metric_type type);
/* "c", … ; for a type without a letter that of the nearest one. */
const char *metric_letter(enum metric_type type);
/* "counter", "gauge" or "summary": what OpenMetrics calls it. */
const char *metric_family(enum metric_type type);
/* Our words, the wire letters and Sentry's "incr"; -1 for anything else. */
int metric_type_of(struct span word);

/* The weight of one sample that was received with this rate, as the Agent takes it:
 *   count   how many it adds to `count`
 *   factor  what its value is multiplied by in `sum`
 * WEIGH_INVERSE takes 1/rate unchecked (rate 0 gives +Inf), WEIGH_ONE ignores the rate, WEIGH_WHOLE takes int(1/rate) as
 * weight and 1/rate as factor (rate 0 counts as 1), WEIGH_WHOLE_SHARE does so too but ignores a rate outside (0, 1]. */
struct metric_weight {
    double count;
    double factor;
};
struct metric_weight metric_weigh(enum metric_type type, double sample_rate);

#endif
