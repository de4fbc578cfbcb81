#include "catalog/normalize.h"

#include "core/utf8.h"

#include <locale.h>
#include <pthread.h>
#include <wctype.h>

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/*   été.a--_.b_      leading bytes that are no letters go
 *     t_.a_.b_       a run of anything that is not allowed is one _
 *     t.a.b          no _ beside a dot, none at the end */
unsigned normalize_name(struct span raw, struct buf *out) {
    if (raw.n > NORMAL_MAX)
        return NORMAL_CUT | NORMAL_DROPPED;
    char text[NORMAL_MAX];
    size_t n = 0, i = 0;
    while (i < raw.n && !is_letter(raw.p[i]))
        i++;
    for (; i < raw.n; i++) {
        char c = raw.p[i];
        if (is_letter(c) || is_digit(c))
            text[n++] = c;
        else if (c == '.' && text[n - 1] == '_')
            text[n - 1] = '.';
        else if (c == '.')
            text[n++] = '.';
        else if (text[n - 1] != '.' && text[n - 1] != '_')
            text[n++] = '_';
    }
    if (n && text[n - 1] == '_')
        n--;
    if (n == 0)
        return NORMAL_DROPPED;
    buf_add(out, text, n);
    return span_eq(raw, span_of(text, n)) ? NORMAL_SAME : NORMAL_REWRITTEN;
}

/* Letters of every script need the system's table; it is in every glibc as C.UTF-8. */
static locale_t unicode;
static pthread_once_t unicode_once = PTHREAD_ONCE_INIT;

static void unicode_open(void) {
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static bool wide_is_letter(uint32_t c) {
    return !unicode || iswalpha_l((wint_t)c, unicode);
}

static uint32_t wide_lower(uint32_t c) {
    return unicode ? (uint32_t)towlower_l((wint_t)c, unicode) : c;
}

static size_t encode(uint32_t c, char text[4]) {
    if (c < 0x800) {
        text[0] = (char)(0xc0 | c >> 6);
        text[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    size_t n = c < 0x10000 ? 3 : 4;
    text[0] = (char)(n == 3 ? 0xe0 | c >> 12 : 0xf0 | c >> 18);
    for (size_t i = 1; i < n; i++)
        text[i] = (char)(0x80 | ((c >> 6 * (n - 1 - i)) & 0x3f));
    return n;
}

struct tag_text {
    char bytes[4 * NORMAL_MAX];
    size_t n, characters;
    unsigned changes;
    bool keep_case;
};

/* A character that the rules don't know becomes _; one _ for a run, none at the start. */
static void tag_replace(struct tag_text *t, char c) {
    bool skip = t->n == 0 || t->bytes[t->n - 1] == '_';
    if (c != '_' || skip)
        t->changes |= NORMAL_REWRITTEN;
    if (skip)
        return;
    t->bytes[t->n++] = '_';
    t->characters++;
}

static void tag_ascii(struct tag_text *t, char c) {
    bool starts = is_letter(c) || c == ':';
    if (!starts && !((is_digit(c) || c == '.' || c == '/' || c == '-') && t->n)) {
        tag_replace(t, c);
        return;
    }
    if (c >= 'A' && c <= 'Z' && !t->keep_case) {
        c = (char)(c - 'A' + 'a');
        t->changes |= NORMAL_LOWERED;
    }
    t->bytes[t->n++] = c;
    t->characters++;
}

static void tag_wide(struct tag_text *t, struct span s) {
    uint32_t c = utf8_decode(s, s.n), lower = c;
    if (!wide_is_letter(c)) {
        tag_replace(t, '?');
        return;
    }
    if (!t->keep_case)
        lower = wide_lower(c);
    if (lower != c)
        t->changes |= NORMAL_LOWERED;
    if (lower < 0x80)
        t->bytes[t->n++] = (char)lower;
    else
        t->n += encode(lower, t->bytes + t->n);
    t->characters++;
}

unsigned normalize_tag(struct span raw, struct buf *out) {
    pthread_once(&unicode_once, unicode_open);
    struct tag_text t = {.keep_case = span_starts(raw, SPAN("host:")) || span_starts(raw, SPAN("device:"))};
    for (size_t i = 0; i < raw.n;) {
        if (t.characters == NORMAL_MAX) {
            t.changes |= NORMAL_CUT;
            break;
        }
        struct span rest = span_from(raw, i);
        size_t length = utf8_length(rest);
        if ((unsigned char)raw.p[i] < 0x80)
            tag_ascii(&t, raw.p[i]);
        else if (length)
            tag_wide(&t, span_of(rest.p, length));
        else
            tag_replace(&t, '?');
        i += length ? length : 1;
    }
    while (t.n && (t.bytes[t.n - 1] == '_' || t.bytes[t.n - 1] == ':')) {
        t.n--;
        t.changes |= NORMAL_REWRITTEN;
    }
    if (t.n == 0)
        return NORMAL_DROPPED;
    buf_add(out, t.bytes, t.n);
    return t.changes;
}
