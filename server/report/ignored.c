#include "report/ignored.h"

#define SENTENCE_MAX ((size_t)IGNORED_SHOWN * 512)

/* The sentence of each kind once: several pieces of one kind stand together. */
static void say_kind(const struct remarks *r, enum remark_kind kind, struct buf *b) {
    size_t n = 0;
    const char *hint = NULL;
    for (size_t i = 0; i < r->n; i++) {
        struct span text = r->list[i].text;
        if (r->list[i].kind != kind || n == IGNORED_SHOWN)
            continue;
        hint = hint ? hint : remark_hint(r, i);
        buf_str(b, n++ ? ", " : "");
        if (text.n == 0) {
            buf_str(b, "a part of the line");
            continue;
        }
        bool cut = text.n > IGNORED_TEXT_MAX;
        buf_char(b, '\'');
        buf_span(b, cut ? span_of(text.p, IGNORED_TEXT_MAX) : text);
        buf_str(b, cut ? "…'" : "'");
    }
    buf_printf(b, " %s ignored: %s", n == 1 ? "was" : "were", remark_sentence(kind));
    if (hint)
        buf_printf(b, "; %s", hint);
}

void ignored_say(const struct remarks *r, struct buf *b) {
    unsigned said = 0;
    for (size_t i = 0; r && i < r->n && b->n < SENTENCE_MAX; i++) {
        if (said >> r->list[i].kind & 1)
            continue;
        buf_str(b, b->n ? "; " : "");
        say_kind(r, r->list[i].kind, b);
        said |= 1u << r->list[i].kind;
    }
}

struct ignored_call {
    struct buf *sentence;
    size_t n;
};

static int on_spelling(void *arg, const struct spelling_row *row) {
    struct ignored_call *call = arg;
    ignored_say(row->spelling->remarks, call->sentence);
    return ++call->n == IGNORED_SHOWN;
}

int ignored_of_series(struct reader *reader, uint64_t series_id, uint64_t since, struct buf *sentence,
                      struct err *err) {
    struct ignored_call call = {.sentence = sentence};
    struct filter filter = {.series_id = series_id, .since = since, .remarked = true};
    return reader->ops->spellings(reader, &filter, on_spelling, &call, err);
}
