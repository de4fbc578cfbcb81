#include "core/record.h"

static const char *const sources[SOURCE_N] = {
#define X(id, word) [id] = word,
    SOURCES(X)
#undef X
};

const char *source_word(enum source source) {
    return sources[source];
}

int source_of(struct span word) {
    for (int i = 0; i < SOURCE_N; i++)
        if (span_eq(word, span_str(sources[i])))
            return i;
    return -1;
}
