/* {instance:failure, !canary, env:ci-*, url:"a,b"} or […]: at least these tags, or exactly these. */
#include "judge/language/parse.h"

#include "core/array.h"
#include "core/glob.h"
#include <stdlib.h>

int parse_check_pattern(struct cursor *c, size_t at, struct span pattern) {
    if (pattern.n > PARSE_PATTERN_MAX && glob_is_pattern(pattern))
        return cursor_fail(c, at, "the pattern is longer than the limit of %d bytes (pattern length)",
                           PARSE_PATTERN_MAX);
    return 0;
}

/* Reads to the ',' or closing bracket; quoted as a whole or from the value on. */
static int read_term(struct cursor *c, char close, struct span *text) {
    struct span line = c->line;
    size_t start = c->at;
    if (c->at < line.n && line.p[c->at] == '"')
        return cursor_quoted(c, text);
    while (c->at < line.n && line.p[c->at] != ',' && line.p[c->at] != close) {
        size_t after_colon = c->at + 1;
        if (line.p[c->at] == ':' && after_colon < line.n && line.p[after_colon] == '"' &&
            !memchr(line.p + start, ':', c->at - start)) {
            struct span key = span_of(line.p + start, after_colon - start), value;
            c->at = after_colon;
            if (cursor_quoted(c, &value) != 0)
                return -1;
            char *whole = arena_alloc(c->arena, key.n + value.n + 1);
            if (!whole)
                return cursor_no_memory(c);
            memcpy(whole, key.p, key.n);
            if (value.n)
                memcpy(whole + key.n, value.p, value.n);
            *text = span_of(whole, key.n + value.n);
            return 0;
        }
        c->at++;
    }
    size_t end = c->at;
    while (end > start && (line.p[end - 1] == ' ' || line.p[end - 1] == '\t'))
        end--;
    *text = span_of(line.p + start, end - start);
    return 0;
}

static int parse_term(struct cursor *c, char close, struct tag_term *term) {
    size_t start = c->at;
    term->negated = c->line.p[c->at] == '!';
    c->at += term->negated;
    size_t text_at = c->at;
    struct span text;
    if (read_term(c, close, &text) != 0)
        return -1;
    if (text.n == 0)
        return cursor_fail(c, text_at, "expected a tag%s", term->negated ? " after '!'" : "");
    if (parse_check_pattern(c, text_at, text) != 0)
        return -1;
    text = arena_copy(c->arena, text);
    term->text = arena_copy(c->arena, span_of(c->line.p + start, c->at - start));
    if (!text.p || !term->text.p)
        return cursor_no_memory(c);
    while (term->text.n && (term->text.p[term->text.n - 1] == ' ' || term->text.p[term->text.n - 1] == '\t'))
        term->text.n--;
    const char *colon = memchr(text.p, ':', text.n);
    term->has_value = colon != NULL;
    term->key = span_of(text.p, colon ? (size_t)(colon - text.p) : text.n);
    term->value = colon ? span_from(text, term->key.n + 1) : SPAN("");
    return 0;
}

int parse_tags(struct cursor *c, struct expectation *e) {
    e->exact = c->line.p[c->at] == '[';
    const char close = e->exact ? ']' : '}';
    const size_t open_at = c->at++;
    struct tag_term *terms = NULL;
    size_t cap = 0;
    int result = -1;
    for (;;) {
        cursor_skip_blanks(c);
        if (c->at < c->line.n && c->line.p[c->at] == close && e->n_terms == 0)
            break;
        if (c->at == c->line.n) {
            cursor_fail(c, c->at, "expected '%c' to close the tags that start at column %zu", close,
                        open_at + 1);
            goto out;
        }
        if (e->n_terms == PARSE_TERMS_MAX) {
            cursor_fail(c, c->at, "more tags than the limit of %d (tags of an expectation)", PARSE_TERMS_MAX);
            goto out;
        }
        if (!array_room(&terms, e->n_terms, &cap, sizeof *terms)) {
            cursor_no_memory(c);
            goto out;
        }
        if (parse_term(c, close, &terms[e->n_terms]) != 0)
            goto out;
        e->n_terms++;
        cursor_skip_blanks(c);
        if (c->at < c->line.n && c->line.p[c->at] == close)
            break;
        if (c->at < c->line.n && c->line.p[c->at] != ',') {
            cursor_fail(c, c->at, "expected ',' or '%c' after the tag", close);
            goto out;
        }
        c->at += c->at < c->line.n;
    }
    c->at++;
    e->terms = arena_alloc(c->arena, (e->n_terms + 1) * sizeof *terms);
    if (!e->terms) {
        cursor_no_memory(c);
        goto out;
    }
    if (e->n_terms)
        memcpy(e->terms, terms, e->n_terms * sizeof *terms);
    result = 0;
out:
    free(terms);
    return result;
}
