#include "core/loss.h"

static const struct {
    const char *word;
    const char *sentence;
    unsigned kinds;
} losses[LOSS_N] = {
#define X(id, word, sentence, kinds) [id] = {word, sentence, kinds},
    LOSSES(X)
#undef X
};

const char *loss_word(enum loss loss) {
    return losses[loss].word;
}

const char *loss_sentence(enum loss loss) {
    return losses[loss].sentence;
}

unsigned loss_kinds(enum loss loss) {
    return losses[loss].kinds;
}

int loss_of(struct span word) {
    for (int i = 0; i < LOSS_N; i++)
        if (span_eq(word, span_str(losses[i].word)))
            return i;
    return -1;
}

bool loss_is_of_oldest(enum loss loss) {
    return loss == LOSS_EVICTED || loss == LOSS_EVICTED_EVENTS || loss == LOSS_EVICTED_CHECKS ||
           loss == LOSS_EVICTED_REJECTS;
}
