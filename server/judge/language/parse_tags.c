/* {instance:failure, !canary, env:ci-*, url:"a,b", az:(a|b), pod=~"web-[0-9]+"} or […]: at least these tags, or exactly these. */
#include "judge/language/parse.h"

#include "core/array.h"
#include "core/glob.h"
#include <stdlib.h>

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t';
}

static struct span trimmed(struct span s) {
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    while (s.n && is_blank(s.p[0]))
        s = span_from(s, 1);
    return s;
}

static bool stands(const struct cursor *c, const char *text) {
    return span_starts(span_from(c->line, c->at), span_str(text));
}

/* env:(ci|"a b"|test-*)
 *     ^^^^^^^^^^^^^^^^^
 */
static int read_alternatives(struct cursor *c, struct text_test *test) {
    const size_t open_at = c->at++;
    struct span globs[PARSE_ALTERNATIVES_MAX];
    for (;;) {
        cursor_skip_blanks(c);
        size_t start = c->at;
        struct span text;
        if (c->at < c->line.n && c->line.p[c->at] == '"') {
            if (cursor_quoted(c, &text) != 0)
                return -1;
        } else {
            while (c->at < c->line.n && c->line.p[c->at] != '|' && c->line.p[c->at] != ')')
                c->at++;
            text = trimmed(span_of(c->line.p + start, c->at - start));
            if (text.n && memchr(text.p, ',', text.n))
                return cursor_fail(c, start, "'|' stands between values in parentheses, found '%.*s'",
                                   text.n > 40 ? 40 : (int)text.n, text.p);
            if (text.n == 0 && c->at < c->line.n)
                return cursor_fail(c, start,
                                   "expected a value between '(', '|' and ')': \"\" is the empty one");
        }
        cursor_skip_blanks(c);
        if (c->at == c->line.n)
            return cursor_fail(
                c, c->at,
                "expected ')' to close the values that start at column %zu; in double quotes a "
                "'(' is itself",
                open_at + 1);
        if (test->n == PARSE_ALTERNATIVES_MAX)
            return cursor_fail(c, start, "more values in parentheses than the limit of %d",
                               PARSE_ALTERNATIVES_MAX);
        if (parse_check_pattern(c, start, text) != 0)
            return -1;
        globs[test->n++] = text;
        char byte = c->line.p[c->at++];
        if (byte == ')') {
            test->globs = arena_copy_list(c->arena, test->n, globs);
            return test->globs ? 0 : cursor_no_memory(c);
        }
        if (byte != '|')
            return cursor_fail(c, c->at - 1, "expected '|' or ')' after the value");
    }
}

/* A '|' outside of parentheses can't be meant: Datadog's own tags can't hold one. */
static int check_value(struct cursor *c, size_t at, struct span key, struct span value) {
    int n = value.n > 60 ? 60 : (int)value.n, k = key.n > 60 ? 60 : (int)key.n;
    if (value.n && is_blank(value.p[0]) && trimmed(value).n) {
        value = trimmed(value);
        return cursor_fail(c, at,
                           "a blank behind ':' is part of the value: write %.*s:%.*s, or quote the value", k,
                           key.p, value.n > 60 ? 60 : (int)value.n, value.p);
    }
    const char *blank = value.n ? memchr(value.p, ' ', value.n) : NULL;
    if (blank && memchr(blank, ':', (size_t)(value.p + value.n - blank)))
        return cursor_fail(
            c, at + (size_t)(blank - value.p),
            "a ',' stands between two tags: write one, or quote the value for a blank of its own");
    if (value.n > 2 && value.p[0] == '\'' && value.p[value.n - 1] == '\'')
        return cursor_fail(c, at, "a value stands in double quotes, or in none: write %.*s:%.*s", k, key.p,
                           n > 2 ? n - 2 : 0, value.p + 1);
    if (value.n > 1 && value.p[0] == '!')
        return cursor_fail(c, at, "'!' stands before the key: write !%.*s:%.*s, or quote the value", k, key.p,
                           n - 1, value.p + 1);
    if (value.n && value.p[0] == '=' && !span_starts(value, SPAN("=~"))) {
        while (value.n && value.p[0] == '=')
            value = span_from(value, 1);
        return cursor_fail(c, at, "a value stands behind ':' alone: write %.*s:%.*s, or quote the value", k,
                           key.p, value.n > 60 ? 60 : (int)value.n, value.p);
    }
    if (span_starts(value, SPAN("=~")) || span_starts(value, SPAN("!~")))
        return cursor_fail(c, at - 1, "a regular expression has no ':' before it: write %.*s%.*s", k, key.p,
                           n, value.p);
    if (value.n && memchr(value.p, '|', value.n))
        return cursor_fail(
            c, at,
            "'|' stands between values in parentheses: write %.*s:(%.*s), or quote the value for "
            "a '|' of its own",
            k, key.p, n, value.p);
    return 0;
}

/* env:ci, env:"a,b", env:(a|b)
 *     ^^      ^^^^^      ^^^^^
 */
static int read_value(struct cursor *c, char close, struct tag_term *term) {
    struct span line = c->line, value;
    size_t start = c->at;
    term->has_value = true;
    if (start < line.n && line.p[start] == '(')
        return read_alternatives(c, &term->value);
    if (start < line.n && line.p[start] == '"')
        return cursor_quoted(c, &value) == 0 ? parse_glob(c, start, value, &term->value) : -1;
    while (c->at < line.n && line.p[c->at] != ',' && line.p[c->at] != close)
        c->at++;
    value = span_of(line.p + start, c->at - start);
    while (value.n && is_blank(value.p[value.n - 1]))
        value.n--;
    if (check_value(c, start, term->key, value) != 0)
        return -1;
    return parse_glob(c, start, value, &term->value);
}

/* env=~"ci-[0-9]+", env!~"prod"
 *    ^^^^^^^^^^^^^     ^^^^^^^^
 */
static int read_regex(struct cursor *c, struct tag_term *term) {
    bool negated = c->line.p[c->at] == '!';
    struct span text;
    char found[FOUND_SIZE];
    if (negated && term->negated)
        return cursor_fail(c, c->at, "'!' before the key and '!~' behind it: write one of the two");
    term->negated |= negated;
    c->at += 2;
    cursor_skip_blanks(c);
    size_t at = c->at;
    if (c->at == c->line.n || c->line.p[c->at] != '"')
        return cursor_fail(c, c->at, "expected a regular expression in double quotes after '%s', %s",
                           negated ? "!~" : "=~", cursor_found(c, found));
    term->has_value = true;
    return cursor_quoted(c, &text) == 0 ? parse_regex(c, at, text, &term->value) : -1;
}

/* {env=ci}: in PromQL and in code it would be right. */
static int refuse_equals(struct cursor *c, size_t start, size_t equals, char close, bool negated) {
    struct span line = c->line;
    bool unequal = equals > start && line.p[equals - 1] == '!';
    struct span key = trimmed(span_of(line.p + start, equals - start - unequal)), value;
    negated |= unequal;
    size_t end = equals + 1 + (equals + 1 < line.n && line.p[equals + 1] == '=');
    size_t value_at = end;
    while (end < line.n && line.p[end] != ',' && line.p[end] != close)
        end++;
    value = trimmed(span_of(line.p + value_at, end - value_at));
    struct span whole = trimmed(span_of(line.p + start, end - start));
    if (value.n > 1 && value.p[0] == '"' && value.p[value.n - 1] == '"')
        value = span_of(value.p + 1, value.n - 2);
    int k = key.n > 50 ? 50 : (int)key.n, v = value.n > 50 ? 50 : (int)value.n;
    if (memchr(whole.p, '"', whole.n))
        return cursor_fail(c, equals, "expected ':' between key and value, found '=': write %s%.*s:%.*s",
                           negated ? "!" : "", k, key.p, v, value.p);
    return cursor_fail(
        c, equals,
        "expected ':' between key and value, found '=': write %s%.*s:%.*s, or \"%.*s\" for a tag of "
        "that text",
        negated ? "!" : "", k, key.p, v, value.p, whole.n > 80 ? 80 : (int)whole.n, whole.p);
}

/* A tag in quotes as a whole; one that =~ follows is a key. */
static int read_quoted(struct cursor *c, struct tag_term *term) {
    size_t start = c->at;
    struct span text;
    if (cursor_quoted(c, &text) != 0)
        return -1;
    struct cursor ahead = *c;
    cursor_skip_blanks(&ahead);
    const char *colon = text.n ? memchr(text.p, ':', text.n) : NULL;
    if (stands(&ahead, "=~") || stands(&ahead, "!~")) {
        *c = ahead;
        term->key = text;
        return colon ? cursor_fail(c, start, "the key of a tag holds no ':'") : read_regex(c, term);
    }
    if (!colon && stands(&ahead, ":"))
        return cursor_fail(c, start,
                           "key and value stand in one pair of double quotes, or in none: write %.*s:…",
                           text.n > 60 ? 60 : (int)text.n, text.p);
    if (parse_check_pattern(c, start, text) != 0)
        return -1;
    term->key = span_of(text.p, colon ? (size_t)(colon - text.p) : text.n);
    term->has_value = colon != NULL;
    return colon ? parse_glob(c, start, span_from(text, term->key.n + 1), &term->value) : 0;
}

/* {env :ci}, {'env':'ci'}, {not canary}, {!!canary}: taken for what they are, no tag would ever match. */
static int refuse_key(struct cursor *c, size_t start, const struct tag_term *term) {
    struct span key = term->key, line = c->line;
    int n = key.n > 60 ? 60 : (int)key.n;
    bool value = c->at < line.n && line.p[c->at] == ':';
    if (value && c->at > start + key.n)
        return cursor_fail(c, start + key.n,
                           "a blank before ':' is part of the key: write %.*s:…, or quote the tag", n, key.p);
    if (key.n > 2 && key.p[0] == '\'' && key.p[key.n - 1] == '\'')
        return cursor_fail(c, start, "a tag stands in double quotes, or in none: write %.*s", n - 2,
                           key.p + 1);
    if (key.n && key.p[0] == '!')
        return cursor_fail(c, start, "one '!' negates a tag: quote the tag for a '!' of its own");
    for (int i = 0; i < 2; i++) {
        struct span word = i ? SPAN("no ") : SPAN("not ");
        if (span_starts(key, word) && key.n > word.n)
            return cursor_fail(c, start, "a tag is negated by '!': write !%.*s, or quote the tag",
                               n - (int)word.n, key.p + word.n);
    }
    return 0;
}

/* Up to the ',' or the closing bracket, or to what separates key and value. */
static int read_plain(struct cursor *c, char close, struct tag_term *term) {
    struct span line = c->line;
    size_t start = c->at;
    while (c->at < line.n && line.p[c->at] != ',' && line.p[c->at] != close && line.p[c->at] != ':' &&
           line.p[c->at] != '=' && !stands(c, "!~"))
        c->at++;
    term->key = span_of(line.p + start, c->at - start);
    while (term->key.n && is_blank(term->key.p[term->key.n - 1]))
        term->key.n--;
    if (parse_check_pattern(c, start, term->key) != 0)
        return -1;
    char byte = c->at < line.n ? line.p[c->at] : close;
    if (stands(c, "=~") || stands(c, "!~"))
        return read_regex(c, term);
    if (byte == '=')
        return refuse_equals(c, start, c->at, close, term->negated);
    if (refuse_key(c, start, term) != 0)
        return -1;
    if (byte == ':') {
        term->key = span_of(line.p + start, c->at++ - start);
        return read_value(c, close, term);
    }
    if (term->key.n == 0)
        return cursor_fail(c, start, "expected a tag%s; \"\" is the empty tag",
                           term->negated ? " after '!'" : "");
    return 0;
}

static int parse_term(struct cursor *c, char close, struct tag_term *term) {
    size_t start = c->at;
    bool negated = c->line.p[c->at] == '!' && !stands(c, "!~");
    term->negated = negated;
    c->at += negated;
    bool quoted = c->at < c->line.n && c->line.p[c->at] == '"';
    if (quoted ? read_quoted(c, term) != 0 : read_plain(c, close, term) != 0)
        return -1;
    struct span text = span_of(c->line.p + start, c->at - start);
    while (text.n && is_blank(text.p[text.n - 1]))
        text.n--;
    term->key = arena_copy(c->arena, term->key);
    term->text = arena_copy(c->arena, text);
    term->key_globs = glob_is_pattern(term->key);
    return term->key.p && term->text.p ? 0 : cursor_no_memory(c);
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
        terms[e->n_terms] = (struct tag_term){0};
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
