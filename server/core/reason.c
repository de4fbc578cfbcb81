#include "core/reason.h"

static const struct {
    const char *word;
    const char *sentence;
} reasons[REASON_N] = {
#define X(id, word, sentence) [id] = {word, sentence},
    REASONS(X)
#undef X
};

const char *reason_word(enum reason reason) {
    return reasons[reason].word;
}

const char *reason_sentence(enum reason reason) {
    return reasons[reason].sentence;
}

int reason_of(struct span word) {
    for (int i = 0; i < REASON_N; i++)
        if (span_eq(word, span_str(reasons[i].word)))
            return i;
    return -1;
}
