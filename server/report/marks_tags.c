#include "report/marks_tags.h"

#include "core/glob.h"
#include "judge/language/parse.h"

#include <ctype.h>

#define LIKE_SHOWN 3 /* tags that are named for one term */

/* --- what a term is about -------------------------------------------------------------------------------- */

/* The term as a claim that a tag is there: with its value, or only its key. */
static struct tag_term positive(const struct tag_term *term, bool with_value) {
    struct tag_term copy = *term;
    copy.negated = false;
    copy.has_value &= with_value;
    return copy;
}

static bool takes(const struct tag_term *positive, struct span tag) {
    uint64_t steps = 0;
    struct tagged one = {.n = 1, .tags = &tag, .steps = &steps};
    return match_term(positive, &one);
}

/* The host and the device of a series are matched like tags. As tags they are "host:web" and "device:sda". */
static struct span field_tag(struct arena *arena, struct span key, struct span value) {
    char *p = value.p ? arena_alloc(arena, key.n + 1 + value.n) : NULL;
    if (!p)
        return (struct span){NULL, 0};
    memcpy(p, key.p, key.n);
    p[key.n] = ':';
    if (value.n)
        memcpy(p + key.n + 1, value.p, value.n);
    return span_of(p, key.n + 1 + value.n);
}

/* --- look-alikes ----------------------------------------------------------------------------------------- */

/* The same without blanks at its ends, in lower case, with ':' for the first '='. */
static size_t fold(struct span tag, char *out, size_t max) {
    while (tag.n && isspace((unsigned char)tag.p[0]))
        tag = span_from(tag, 1);
    while (tag.n && isspace((unsigned char)tag.p[tag.n - 1]))
        tag.n--;
    size_t n = tag.n < max ? tag.n : max;
    bool split = false;
    for (size_t i = 0; i < n; i++) {
        char c = tag.p[i];
        bool mark = !split && (c == ':' || c == '=');
        split |= mark;
        out[i] = mark ? ':' : (char)tolower((unsigned char)c);
    }
    return n;
}

/* Whether somebody who asks for `wanted` may have meant this tag. */
static bool is_like(struct span wanted, struct span tag) {
    char a[256], b[256];
    size_t n = fold(wanted, a, sizeof a), m = fold(tag, b, sizeof b);
    return n > 0 && n < sizeof a && n == m && memcmp(a, b, n) == 0;
}

/* Whether one glob says what the value must be, if any. */
static bool is_simple(const struct tag_term *term) {
    return !term->has_value || (term->value.n == 1 && !term->value.regex);
}

/* What the author wanted: a tag, or where that is no simple one, the term's text. */
static struct span text_of(const struct tag_term *term, struct buf *b) {
    buf_clear(b);
    if (!is_simple(term))
        return term->text;
    buf_span(b, term->key);
    if (term->has_value) {
        buf_char(b, ':');
        buf_span(b, term->value.globs[0]);
    }
    return buf_view(b);
}

/* {"fmt:v1,v2"} and |#fmt:v1,v2: two tags. */
static bool is_split_at_comma(struct span wanted, const struct candidate *c) {
    const char *comma = wanted.n ? memchr(wanted.p, ',', wanted.n) : NULL;
    struct span head = span_of(wanted.p, comma ? (size_t)(comma - wanted.p) : 0);
    for (size_t i = 0; comma && i < c->row.n_tags; i++)
        if (span_eq(c->row.tags[i], head))
            return true;
    return false;
}

/* --- marks ----------------------------------------------------------------------------------------------- */

/* The tags that decide: those that a negated term excludes; those of the same key; those that look alike. */
struct found {
    size_t n;
    struct span tags[LIKE_SHOWN];
};

static void find_tag(struct found *f, struct span tag) {
    if (tag.p && f->n < LIKE_SHOWN)
        f->tags[f->n++] = tag;
}

static void mark_found(struct marks *m, const char *mark, const struct found *f, const char *end,
                       struct span wanted) {
    static const char *const formats[] = {"", "has %", "has % and %", "has %, % and more"};
    struct buf format = {.max = 1024};
    struct span words[LIKE_SHOWN + 1];
    size_t n = f->n < 2 ? f->n : 2;
    memcpy(words, f->tags, n * sizeof *words);
    words[n] = wanted;
    buf_str(&format, formats[f->n]);
    buf_str(&format, end);
    marks_add(m, mark, format.p ? format.p : "", words);
    buf_free(&format);
}

static void mark_term(struct marks *m, const struct tag_term *term, const struct candidate *c,
                      struct arena *arena) {
    const struct series_row *row = &c->row;
    bool simple = is_simple(term);
    struct span fields[] = {field_tag(arena, SPAN("host"), row->host),
                            field_tag(arena, SPAN("device"), row->device)};
    struct tag_term wanted = positive(term, term->negated);
    struct found same = {0}, like = {0};
    struct buf b = {.max = 65536};
    struct span text = text_of(term, &b);
    for (size_t i = 0; i < row->n_tags + 2; i++) {
        struct span tag = i < row->n_tags ? row->tags[i] : fields[i - row->n_tags];
        if (!tag.p)
            continue;
        if (takes(&wanted, tag))
            find_tag(&same, tag);
        else if (!term->negated && simple && is_like(text, tag))
            find_tag(&like, tag);
    }
    if (term->negated)
        mark_found(m, "tag_extra", &same, ", which & excludes", term->text);
    else if (c->kin.dialect && term->has_value && simple &&
             dialect_has(row->name, term->key, term->value.globs[0]))
        MARK(m, "tag_in_name", "% is in its name", text);
    else if (simple && is_split_at_comma(text, c))
        MARK(m, "tag_value", "a comma separates tags, so % arrived as several", text);
    else if (same.n)
        mark_found(m, "tag_value", &same, simple ? ", not %" : ", not &", text);
    else if (like.n)
        mark_found(m, "tag_value", &like, ", not %", text);
    else if (!simple)
        MARK(m, "tag_missing", "tag & is missing", text);
    else
        MARK(m, "tag_missing", "tag % is missing", text);
    buf_free(&b);
}

void marks_add_tags(struct marks *m, const struct expectation *e, const struct candidate *c) {
    const struct series_row *row = &c->row;
    struct arena arena = {.max = 1 << 20};
    uint64_t steps = 0;
    struct tagged tagged = tagged_series(row, &steps);
    bool unmet[PARSE_TERMS_MAX] = {false};
    for (size_t i = 0; i < e->n_terms; i++) {
        unmet[i] = !match_term(&e->terms[i], &tagged);
        if (unmet[i])
            mark_term(m, &e->terms[i], c, &arena);
    }
    for (size_t i = 0; e->exact && i < row->n_tags; i++) {
        if (json_array_size(m->list) >= MARKS_MAX) {
            MARK_TEXT(m, "tag_extra", "and more differences of tags");
            break;
        }
        struct span tag = row->tags[i];
        bool told = false; /* as a term's other value */
        for (size_t k = 0; k < e->n_terms; k++) {
            struct tag_term key = positive(&e->terms[k], false);
            told |= unmet[k] && !e->terms[k].negated && takes(&key, tag);
        }
        if (!told && !match_allows(e, tag, &steps)) {
            if (tag.n)
                MARK(m, "tag_extra", "tag % is one too many", tag);
            else
                MARK_TEXT(m, "tag_extra", "an empty tag is one too many");
        }
    }
    arena_free(&arena);
}
