/* DESIGN.
 *
 *     any   = all { "OR" all }
 *     all   = one { ("AND" | ",") one }
 *     one   = ("NOT" | "!") one | "(" any ")" | "*" | tag | key ["NOT"] "IN" "(" value { "," value } ")"
 *
 * The tree's nodes have lists of children, so that neither stack grows with the length of the text. */
#include "api/query/scope.h"

#include "api/query/parser.h"
#include "catalog/normalize.h"
#include "core/array.h"
#include "core/glob.h"

enum scope_kind { SCOPE_ALL, SCOPE_ANY, SCOPE_NOT, SCOPE_TAGS };

struct query_scope {
    enum scope_kind kind;
    const struct query_scope *first; /* children */
    const struct query_scope *next;
    size_t n_tags;
    struct span *tags; /* SCOPE_TAGS: one of them is enough; globs */
};

bool query_scope_holds(const struct query_scope *scope, const struct query_series *series) {
    if (!scope)
        return true;
    switch (scope->kind) {
    case SCOPE_ALL:
        for (const struct query_scope *s = scope->first; s; s = s->next)
            if (!query_scope_holds(s, series))
                return false;
        return true;
    case SCOPE_ANY:
        for (const struct query_scope *s = scope->first; s; s = s->next)
            if (query_scope_holds(s, series))
                return true;
        return false;
    case SCOPE_NOT:
        return !query_scope_holds(scope->first, series);
    case SCOPE_TAGS:
    default:
        for (size_t i = 0; i < scope->n_tags; i++)
            for (size_t k = 0; k < series->n_tags; k++)
                if (glob_match(scope->tags[i], series->tags[k]))
                    return true;
        return false;
    }
}

/* --- normal spelling ---------------------------------------------------------------------------------------- */

/* Between two wildcards any byte may begin or end a piece: a letter on each side keeps the rules for a tag's ends away. */
static void put_piece(struct buf *out, struct span piece, bool begins, bool ends, bool keep_case) {
    struct buf raw = {.max = 1 << 16}, normal = {.max = 1 << 16};
    struct span before = begins ? SPAN("") : keep_case ? SPAN("host:a") : SPAN("a");
    buf_span(&raw, before);
    buf_span(&raw, piece);
    if (!ends)
        buf_char(&raw, 'a');
    normalize_tag(buf_view(&raw), &normal);
    struct span view = buf_view(&normal);
    if (view.n >= before.n + !ends)
        buf_add(out, view.p + before.n, view.n - before.n - !ends);
    buf_free(&raw);
    buf_free(&normal);
}

struct span query_scope_pattern(struct arena *arena, struct span tag) {
    struct buf out = {.max = 1 << 16};
    bool keep_case = span_starts(tag, SPAN("host:")) || span_starts(tag, SPAN("device:"));
    for (size_t from = 0; from <= tag.n;) {
        const char *star = memchr(tag.p + from, '*', tag.n - from);
        size_t end = star ? (size_t)(star - tag.p) : tag.n;
        if (end > from)
            put_piece(&out, span_of(tag.p + from, end - from), from == 0, end == tag.n, keep_case);
        if (star)
            buf_char(&out, '*');
        from = end + 1;
    }
    struct span copy = arena_copy(arena, buf_view(&out));
    buf_free(&out);
    return copy;
}

/* `prefix` is "host:" or "device:", or nothing. */
static void add_tag(struct arena *arena, struct buf *b, struct span prefix, struct span tag,
                    struct query_series *series, struct span *tags) {
    struct buf raw = {.max = 1 << 20};
    buf_clear(b);
    if (prefix.n) {
        buf_span(&raw, prefix);
        buf_span(&raw, tag);
        tag = buf_view(&raw);
    }
    if (!(normalize_tag(tag, b) & NORMAL_DROPPED))
        tags[series->n_tags++] = arena_copy(arena, buf_view(b));
    buf_free(&raw);
}

bool query_scope_series(struct arena *arena, const struct series_row *row, struct query_series *series) {
    struct buf b = {.max = 1 << 16};
    struct span *tags = arena_alloc(arena, (row->n_tags + 2) * sizeof *tags);
    *series = (struct query_series){.tags = tags};
    if (!tags)
        return false;
    for (size_t i = 0; i < row->n_tags; i++)
        add_tag(arena, &b, SPAN(""), row->tags[i], series, tags);
    if (row->host.n)
        add_tag(arena, &b, SPAN("host:"), row->host, series, tags);
    if (row->device.n)
        add_tag(arena, &b, SPAN("device:"), row->device, series, tags);
    bool ok = !b.failed && !arena->failed;
    buf_free(&b);
    return ok;
}

/* --- reading ------------------------------------------------------------------------------------------------ */

struct scope_parser {
    struct parser *p;
    size_t n_tags;
    bool has_symbols, has_words, has_parentheses;
};

static struct query_scope *parse_any(struct scope_parser *s);

static struct query_scope *new_scope(struct scope_parser *s, enum scope_kind kind,
                                     const struct query_scope *first) {
    struct query_scope *scope = parser_alloc(s->p, sizeof *scope);
    if (scope) {
        scope->kind = kind;
        scope->first = first;
    }
    return scope;
}

static bool ends_token(char c) {
    return memchr(" \t\r\n,{}()", c, 10) != NULL;
}

/* Up to a blank, a comma or a bracket. */
static struct span parse_token(struct scope_parser *s) {
    struct parser *p = s->p;
    parser_blanks(p);
    size_t from = p->at;
    while (p->at < p->text.n && p->text.p[p->at] && !ends_token(p->text.p[p->at]))
        p->at++;
    return span_of(p->text.p + from, p->at - from);
}

/* Whether the next token is that word, in any case; takes it. */
static bool take_word(struct scope_parser *s, const char *word) {
    size_t before = s->p->at;
    struct span token = parse_token(s);
    bool is_it = token.n == strlen(word);
    for (size_t i = 0; is_it && i < token.n; i++)
        is_it = (token.p[i] | 0x20) == word[i];
    if (!is_it)
        s->p->at = before;
    else
        s->has_words = true;
    return is_it;
}

static bool add_pattern(struct scope_parser *s, struct query_scope *scope, size_t *cap, struct span tag) {
    if (++s->n_tags > QUERY_SCOPE_MAX)
        return parser_fail(s->p, "scope_expr", "at most 1024 tags");
    if (scope->n_tags == *cap) {
        size_t more = *cap ? *cap * 4 : 1;
        struct span *tags = parser_alloc(s->p, more * sizeof *tags);
        if (!tags)
            return false;
        if (scope->n_tags)
            memcpy(tags, scope->tags, scope->n_tags * sizeof *tags);
        scope->tags = tags;
        *cap = more;
    }
    struct span pattern = query_scope_pattern(s->p->p->arena, tag);
    scope->tags[scope->n_tags++] = pattern;
    return pattern.p || parser_fail(s->p, "memory", "a shorter query");
}

/*   zone IN (a, b*)
 *           ^
 */
static struct query_scope *parse_list(struct scope_parser *s, struct span key) {
    struct query_scope *scope = new_scope(s, SCOPE_TAGS, NULL);
    struct buf tag = {.max = 1 << 16};
    size_t cap = 0;
    bool ok = scope && (parser_take(s->p, '(') || parser_fail(s->p, "scope_expr", "'(' after IN"));
    while (ok) {
        struct span value = parse_token(s);
        if (value.n && value.p[0] == '!')
            s->has_symbols = true;
        buf_clear(&tag);
        buf_span(&tag, key);
        buf_char(&tag, ':');
        buf_span(&tag, value);
        ok = value.n ? add_pattern(s, scope, &cap, buf_view(&tag))
                     : parser_fail(s->p, "scope_expr", "a value in the list");
        if (!ok || !parser_take(s->p, ','))
            break;
    }
    ok = ok && (parser_take(s->p, ')') || parser_fail(s->p, "scope_expr", "',' or ')'"));
    buf_free(&tag);
    return ok ? scope : NULL;
}

static struct query_scope *parse_tag(struct scope_parser *s) {
    struct parser *p = s->p;
    struct span token = parse_token(s);
    if (token.n == 0 || token.p[0] == '$') {
        p->at = (size_t)(token.p - p->text.p);
        parser_fail(p, "scope_expr", "a tag or * in the braces");
        return NULL;
    }
    if (take_word(s, "in"))
        return parse_list(s, token);
    size_t before = p->at;
    if (take_word(s, "not")) {
        struct query_scope *list = take_word(s, "in") ? parse_list(s, token) : NULL;
        if (!list)
            p->at = p->expected ? p->at : before;
        if (!list && !p->expected)
            parser_fail(p, "scope_expr", "AND, OR, ',' or '}'");
        return list ? new_scope(s, SCOPE_NOT, list) : NULL;
    }
    if (span_eq(token, SPAN("*")))
        return new_scope(s, SCOPE_ALL, NULL);
    /* "pod_name: web-*": a blank may follow the colon. */
    if (token.p[token.n - 1] == ':' && !ends_token(parser_peek(p)) && p->at < p->text.n) {
        struct span value = parse_token(s);
        struct buf joined = {.max = 1 << 16};
        buf_span(&joined, token);
        buf_span(&joined, value);
        token = arena_copy(p->p->arena, buf_view(&joined));
        buf_free(&joined);
    }
    struct query_scope *scope = new_scope(s, SCOPE_TAGS, NULL);
    size_t cap = 0;
    return scope && token.p && add_pattern(s, scope, &cap, token) ? scope : NULL;
}

static struct query_scope *parse_one(struct scope_parser *s) {
    struct parser *p = s->p;
    if (!parser_enter(p))
        return NULL;
    struct query_scope *scope;
    bool bang = parser_take(p, '!');
    s->has_symbols |= bang;
    if (bang || take_word(s, "not")) {
        scope = parse_one(s);
        scope = scope ? new_scope(s, SCOPE_NOT, scope) : NULL;
    } else if (parser_take(p, '(')) {
        s->has_parentheses = true;
        scope = parse_any(s);
        if (scope && !parser_take(p, ')')) {
            parser_fail(p, "scope_expr", "')'");
            scope = NULL;
        }
    } else {
        scope = parse_tag(s);
    }
    parser_leave(p);
    return scope;
}

static struct query_scope *parse_all(struct scope_parser *s) {
    struct query_scope *first = parse_one(s), *last = first;
    for (size_t n = 0; last; n++) {
        bool comma = parser_take(s->p, ',');
        s->has_symbols |= comma;
        if (!comma && !take_word(s, "and"))
            return n ? new_scope(s, SCOPE_ALL, first) : first;
        struct query_scope *more = parse_one(s);
        last->next = more;
        last = more;
    }
    return NULL;
}

static struct query_scope *parse_any(struct scope_parser *s) {
    struct query_scope *first = parse_all(s), *last = first;
    for (size_t n = 0; last; n++) {
        if (!take_word(s, "or"))
            return n ? new_scope(s, SCOPE_ANY, first) : first;
        struct query_scope *more = parse_all(s);
        last->next = more;
        last = more;
    }
    return NULL;
}

const struct query_scope *parser_scope(struct parser *p, bool *has_words) {
    struct scope_parser s = {.p = p};
    const struct query_scope *scope = parse_any(&s);
    *has_words = s.has_words || s.has_parentheses;
    if (s.has_symbols && s.has_words)
        p->words = "Error parsing query: 'AND' and 'OR' cannot be mixed with ','";
    else if (scope && parser_peek(p) != '}')
        parser_fail(p, "scope_expr", "AND, OR, ',' or '}'");
    return p->words || p->expected ? NULL : scope;
}

int query_scope_read(struct arena *arena, struct span text, const struct query_scope **scope,
                     struct query_error *error) {
    struct query_parse parse = {.arena = arena};
    char *copy = arena_alloc(arena, text.n + 1);
    bool has_words;
    *scope = NULL;
    if (!copy || text.n > QUERY_TEXT_MAX)
        return query_refuse(error, "statwit reads at most %d bytes", QUERY_TEXT_MAX);
    if (text.n)
        memcpy(copy, text.p, text.n);
    copy[text.n] = '}'; /* what ends a scope */
    struct parser p = {.p = &parse, .text = span_of(copy, text.n + 1)};
    *scope = parser_scope(&p, &has_words);
    if (*scope && p.at != text.n)
        parser_fail(&p, "scope_expr", "AND, OR, ',' or the end");
    if (p.words)
        return query_refuse(error, "%s", p.words);
    if (p.expected)
        return query_refuse(error, "expected %s at position %zu", p.expected, p.failed_at);
    return 0;
}
