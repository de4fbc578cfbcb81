#include "core/metric.h"

#include <math.h>

static const struct {
    const char *word;
    const char *letter;
} types[METRIC_N_TYPES] = {
#define X(id, word, letter) [id] = {word, letter},
    METRIC_TYPES(X)
#undef X
};

const char *metric_word(enum metric_type type) {
    return types[type].word;
}

const char *metric_letter(enum metric_type type) {
    return types[type].letter;
}

int metric_type_of(struct span word) {
    if (span_eq(word, SPAN("incr")))
        return METRIC_COUNT;
    for (int i = 0; i < METRIC_N_TYPES; i++)
        if (word.n > 0 &&
            (span_eq(word, span_str(types[i].word)) || span_eq(word, span_str(types[i].letter))))
            return i;
    return -1;
}

struct metric_weight metric_weigh(enum metric_type type, double rate) {
    if (rate == 1)
        return (struct metric_weight){1, 1};
    switch (type) {
    case METRIC_COUNT:
        return (struct metric_weight){1 / rate, 1 / rate};
    case METRIC_TIMING:
    case METRIC_HISTOGRAM:
        if (rate == 0)
            return (struct metric_weight){1, 1};
        return (struct metric_weight){trunc(1 / rate), 1 / rate};
    case METRIC_DISTRIBUTION:
        if (!(rate > 0 && rate <= 1))
            return (struct metric_weight){1, 1};
        return (struct metric_weight){trunc(1 / rate), 1 / rate};
    case METRIC_GAUGE:
    case METRIC_SET:
    case METRIC_RATE:
    default:
        return (struct metric_weight){1, 1};
    }
}
