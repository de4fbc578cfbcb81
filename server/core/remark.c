#include "core/remark.h"

static const struct {
    const char *word;
    const char *sentence;
} remarks[REMARK_N] = {
#define X(id, word, sentence) [id] = {word, sentence},
    REMARKS(X)
#undef X
};

const char *remark_word(enum remark_kind kind) {
    return remarks[kind].word;
}

const char *remark_sentence(enum remark_kind kind) {
    return remarks[kind].sentence;
}

int remark_of(struct span word) {
    for (int i = 0; i < REMARK_N; i++)
        if (span_eq(word, span_str(remarks[i].word)))
            return i;
    return -1;
}
