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

/* 1|c|0.5 or 1|c|env:ci: a field without the letter that it begins with. */
const char *remark_hint(const struct remarks *r, size_t i) {
    struct span text = r->list[i].text;
    if (r->list[i].kind != REMARK_IGNORED_FIELD || text.n == 0)
        return NULL;
    size_t digits = 0;
    for (size_t k = 0; k < text.n; k++)
        digits += (text.p[k] >= '0' && text.p[k] <= '9') || text.p[k] == '.';
    if (digits == text.n)
        return "a sample rate begins with '@', a timestamp with 'T'";
    size_t before = r->list[i].offset < r->line.n ? r->list[i].offset : r->line.n;
    bool tagged = before && memmem(r->line.p, before, "|#", 2) != NULL;
    return !tagged && memchr(text.p, ':', text.n) ? "tags begin with '#'" : NULL;
}

int remark_of(struct span word) {
    for (int i = 0; i < REMARK_N; i++)
        if (span_eq(word, span_str(remarks[i].word)))
            return i;
    return -1;
}
