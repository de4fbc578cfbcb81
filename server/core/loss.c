#include "core/loss.h"

static const struct {
    const char *word;
    const char *sentence;
} losses[LOSS_N] = {
#define X(id, word, sentence) [id] = {word, sentence},
    LOSSES(X)
#undef X
};

const char *loss_word(enum loss loss) {
    return losses[loss].word;
}

const char *loss_sentence(enum loss loss) {
    return losses[loss].sentence;
}

int loss_of(struct span word) {
    for (int i = 0; i < LOSS_N; i++)
        if (span_eq(word, span_str(losses[i].word)))
            return i;
    return -1;
}
