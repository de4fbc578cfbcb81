#include "core/metric.h"

#include <math.h>

_Static_assert(sizeof METRIC_WORDS == sizeof(METRIC_TYPES(METRIC_WORD_COMMA)),
               "METRIC_WORDS names every type");

const struct metric_info metric_table[METRIC_N_TYPES] = {
#define X(id, word, letter, nearest, weighing, family, traits)                                               \
    [id] = {word, letter, nearest, family, weighing, traits},
    METRIC_TYPES(X)
#undef X
};

unsigned metric_types_that_are(unsigned traits) {
    unsigned types = 0;
    for (unsigned i = 0; i < METRIC_N_TYPES; i++)
        types |= metric_is((enum metric_type)i, traits) ? 1u << i : 0;
    return types;
}

const char *metric_word(enum metric_type type) {
    return metric_table[type].word;
}

const char *metric_letter(enum metric_type type) {
    return metric_table[type].nearest;
}

const char *metric_family(enum metric_type type) {
    return metric_table[type].family;
}

int metric_type_of(struct span word) {
    if (span_eq(word, SPAN("incr")))
        return METRIC_COUNT;
    for (int i = 0; i < METRIC_N_TYPES; i++)
        if (word.n > 0 && (span_eq(word, span_str(metric_table[i].word)) ||
                           span_eq(word, span_str(metric_table[i].letter))))
            return i;
    return -1;
}

struct metric_weight metric_weigh(enum metric_type type, double rate) {
    if (rate == 1)
        return (struct metric_weight){1, 1};
    switch (metric_table[type].weighing) {
    case WEIGH_INVERSE:
        return (struct metric_weight){1 / rate, 1 / rate};
    case WEIGH_WHOLE:
        if (rate == 0)
            return (struct metric_weight){1, 1};
        return (struct metric_weight){trunc(1 / rate), 1 / rate};
    case WEIGH_WHOLE_SHARE:
        if (!(rate > 0 && rate <= 1))
            return (struct metric_weight){1, 1};
        return (struct metric_weight){trunc(1 / rate), 1 / rate};
    case WEIGH_ONE:
    default:
        return (struct metric_weight){1, 1};
    }
}
