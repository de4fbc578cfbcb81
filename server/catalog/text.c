#include "catalog/text.h"

#include "core/utf8.h"

bool text_is_clean(struct span s) {
    return s.n == 0 || (!memchr(s.p, 0, s.n) && utf8_valid(s));
}

struct span text_clean(struct arena *a, struct span s) {
    if (!s.p || text_is_clean(s))
        return arena_copy(a, s);
    char *copy = memory_take(a, 3 * s.n);
    if (!copy)
        return (struct span){NULL, 0};
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        size_t taken;
        struct span character = utf8_mended(span_from(s, i), &taken);
        if (s.p[i] == '\0')
            character = SPAN(UTF8_REPLACEMENT);
        memcpy(copy + n, character.p, character.n);
        n += character.n;
        i += taken;
    }
    return span_of(copy, n);
}

struct span tag_key(struct span tag) {
    const char *colon = tag.n ? memchr(tag.p, ':', tag.n) : NULL;
    return colon ? span_of(tag.p, (size_t)(colon - tag.p)) : tag;
}

struct span tag_value(struct span tag) {
    size_t n = tag_key(tag).n;
    return n < tag.n ? span_from(tag, n + 1) : SPAN("");
}

static void put_span(char *text, size_t *n, struct span s) {
    for (size_t i = 0; i < s.n && *n < TEXT_SERIES_SIZE - 8; i++)
        text[(*n)++] = s.p[i];
}

void text_series(const struct series_row *row, char text[TEXT_SERIES_SIZE]) {
    size_t n = 0;
    put_span(text, &n, span_str(metric_word(row->type)));
    put_span(text, &n, SPAN(" "));
    put_span(text, &n, row->name);
    for (size_t i = 0; i < row->n_tags && n < TEXT_SERIES_SIZE - 8; i++) {
        put_span(text, &n, i ? SPAN(",") : SPAN("{"));
        put_span(text, &n, row->tags[i]);
    }
    if (row->n_tags)
        put_span(text, &n, SPAN("}"));
    if (n == TEXT_SERIES_SIZE - 8) {
        while (n && ((unsigned char)text[n - 1] & 0xc0) == 0x80)
            n--;
        if (n && (unsigned char)text[n - 1] >= 0xc0)
            n--;
        memcpy(text + n, "…", 3);
        n += 3;
    }
    text[n] = '\0';
}

bool name_is_aggregate(struct span name, struct span *base, struct span *what) {
    static const char *const words[] = {"avg", "min", "max", "median", "sum", "count"};
    const char *dot = name.n ? memrchr(name.p, '.', name.n) : NULL;
    if (!dot || dot == name.p)
        return false;
    *base = span_of(name.p, (size_t)(dot - name.p));
    *what = span_from(name, base->n + 1);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (span_eq(*what, span_str(words[i])))
            return true;
    size_t digits = 0;
    while (digits < what->n && what->p[digits] >= '0' && what->p[digits] <= '9')
        digits++;
    return digits && span_eq(span_from(*what, digits), SPAN("percentile"));
}
