/* DESIGN.
 *
 *     any  = all { "OR" all }
 *     all  = one { ["AND"] one }
 *     one  = ("NOT" | "-") one | "(" any ")" | [key ":"] ( value | "(" any ")" )
 *
 * Inside `key:( … )` a value without a key has that one. Nodes have lists of children, as those of a query's scope. */
#include "api/event_search.h"

#include "api/api.h"
#include "api/events.h"
#include "api/query/scope.h"
#include "core/glob.h"
#include <stdio.h>

enum search_kind { SEARCH_ALL, SEARCH_ANY, SEARCH_NOT, SEARCH_TERM };

struct event_search {
    enum search_kind kind;
    struct event_search *first, *next; /* children */
    struct span key;                   /* of a term; n == 0: the words of the event */
    struct span value;                 /* small letters; of a tag: the whole tag, normalized */
};

struct search_parser {
    struct arena *arena;
    struct span text;
    size_t at;
    unsigned depth;
    size_t n_terms;
    char *why;
    size_t cap_why;
};

/* --- what holds -------------------------------------------------------------------------------------------- */

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_part_of_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c < 0;
}

static bool equals(struct span small, struct span text) {
    if (!glob_is_pattern(small)) {
        bool same = small.n == text.n;
        for (size_t i = 0; same && i < small.n; i++)
            same = small.p[i] == lower(text.p[i]);
        return same;
    }
    char copy[1024];
    size_t n = text.n < sizeof copy ? text.n : sizeof copy;
    for (size_t i = 0; i < n; i++)
        copy[i] = lower(text.p[i]);
    return glob_match(small, span_of(copy, n));
}

/* Whole words; with a wildcard, one word of the text. */
static bool stands_in(struct span small, struct span text) {
    bool pattern = glob_is_pattern(small);
    for (size_t i = 0; i < text.n; i++) {
        if (i > 0 && is_part_of_word(text.p[i - 1]))
            continue;
        size_t n = small.n;
        if (pattern)
            for (n = 0; i + n < text.n && !memchr(" \t\r\n", text.p[i + n], 4); n++)
                ;
        if (i + n > text.n || (i + n < text.n && !pattern && is_part_of_word(text.p[i + n])))
            continue;
        if (equals(small, span_of(text.p + i, n)))
            return true;
    }
    return false;
}

static bool id_equals(struct span value, const struct event_row *row) {
    char id[32];
    const struct event *e = &row->event;
    int n = snprintf(id, sizeof id, "%lld", (long long)api_event_id(e->title, e->text, row->received_at));
    return equals(value, span_of(id, (size_t)n));
}

static bool term_holds(const struct event_search *s, const struct event_row *row, size_t n_tags,
                       const struct span *tags) {
    const struct event *e = &row->event;
    struct span key = s->key;
    if (key.n == 0)
        return stands_in(s->value, e->title) || stands_in(s->value, e->text);
    if (span_eq(key, SPAN("source")) && equals(s->value, event_source(row)))
        return true;
    if (span_eq(key, SPAN("host")) || span_eq(key, SPAN("@hostname")))
        return equals(s->value, e->origin.host);
    if (span_eq(key, SPAN("status")) || span_eq(key, SPAN("@status")))
        return equals(s->value, e->alert_type.n ? e->alert_type : SPAN("info"));
    if (span_eq(key, SPAN("priority")) || span_eq(key, SPAN("@priority")))
        return equals(s->value, e->priority.n ? e->priority : SPAN("normal"));
    if (span_eq(key, SPAN("@title")))
        return equals(s->value, e->title) || stands_in(s->value, e->title);
    if (span_eq(key, SPAN("@aggregation_key")))
        return equals(s->value, e->aggregation_key);
    if (span_eq(key, SPAN("@evt.id")))
        return id_equals(s->value, row);
    for (size_t i = 0; i < n_tags; i++)
        if (glob_match(s->value, tags[i]))
            return true;
    return false;
}

bool event_search_holds(const struct event_search *search, const struct event_row *row, size_t n_tags,
                        const struct span *tags) {
    if (!search)
        return true;
    switch (search->kind) {
    case SEARCH_ALL:
        for (const struct event_search *s = search->first; s; s = s->next)
            if (!event_search_holds(s, row, n_tags, tags))
                return false;
        return true;
    case SEARCH_ANY:
        for (const struct event_search *s = search->first; s; s = s->next)
            if (event_search_holds(s, row, n_tags, tags))
                return true;
        return false;
    case SEARCH_NOT:
        return !event_search_holds(search->first, row, n_tags, tags);
    case SEARCH_TERM:
    default:
        return term_holds(search, row, n_tags, tags);
    }
}

/* --- reading ----------------------------------------------------------------------------------------------- */

static struct event_search *parse_any(struct search_parser *p, struct span key);

static void *fail(struct search_parser *p, const char *what) {
    if (!p->why[0])
        snprintf(p->why, p->cap_why, "%s at position %zu", what, p->at);
    return NULL;
}

static struct event_search *new_search(struct search_parser *p, enum search_kind kind,
                                       struct event_search *first) {
    struct event_search *s = arena_alloc(p->arena, sizeof *s);
    if (!s)
        return fail(p, "the query is too long");
    *s = (struct event_search){.kind = kind, .first = first};
    return s;
}

static char peek(struct search_parser *p) {
    while (p->at < p->text.n && memchr(" \t\r\n", p->text.p[p->at], 4))
        p->at++;
    return p->at < p->text.n ? p->text.p[p->at] : '\0';
}

static bool ends_token(char c) {
    return memchr(" \t\r\n()\"", c, 7) != NULL;
}

/* AND, OR, NOT: only in capitals */
static bool take_operator(struct search_parser *p, const char *word) {
    size_t n = strlen(word);
    peek(p);
    if (!span_starts(span_from(p->text, p->at), span_str(word)) ||
        (p->at + n < p->text.n && !ends_token(p->text.p[p->at + n])))
        return false;
    p->at += n;
    return true;
}

/* A quoted text, or up to a blank or a bracket; in small letters. `\` takes away the meaning of the next byte. key: stops at ':'. */
static struct span parse_text(struct search_parser *p, bool key) {
    bool quoted = p->at < p->text.n && p->text.p[p->at] == '"';
    size_t from = p->at += quoted, n = 0;
    for (; p->at < p->text.n; p->at++) {
        char c = p->text.p[p->at];
        if (quoted ? c == '"' : ends_token(c) || (key && c == ':'))
            break;
        p->at += c == '\\' && p->at + 1 < p->text.n;
    }
    char *to = arena_alloc(p->arena, p->at - from + 1);
    if (!to) {
        fail(p, "the query is too long");
        return span_of("", 0);
    }
    for (size_t i = from; i < p->at; i++) {
        i += p->text.p[i] == '\\' && i + 1 < p->at;
        to[n++] = lower(p->text.p[i]);
    }
    if (quoted && p->at >= p->text.n)
        fail(p, "expected the closing quote");
    p->at += quoted;
    return span_of(to, n);
}

static bool is_attribute(struct span key) {
    static const char *const known[] = {"@title",    "@status",          "@priority",
                                        "@hostname", "@aggregation_key", "@evt.id"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (span_eq(key, span_str(known[i])))
            return true;
    return false;
}

static bool is_field(struct span key) {
    static const char *const fields[] = {"source", "host", "status", "priority"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (span_eq(key, span_str(fields[i])))
            return true;
    return key.n == 0 || key.p[0] == '@';
}

/* The tag "key:value" as Datadog spells it; of `tags:x` just x. */
static struct span tag_of(struct search_parser *p, struct span key, struct span value) {
    struct buf tag = {.max = 1 << 16};
    if (!span_eq(key, SPAN("tags"))) {
        buf_span(&tag, key);
        buf_char(&tag, ':');
    }
    buf_span(&tag, value);
    /* a tag holds no '?', so one is a wildcard; normalizing would replace it */
    bool one = memchr(value.p, '?', value.n) != NULL;
    struct span pattern =
        one ? arena_copy(p->arena, buf_view(&tag)) : query_scope_pattern(p->arena, buf_view(&tag));
    buf_free(&tag);
    return pattern;
}

static struct event_search *new_term(struct search_parser *p, struct span key, struct span value) {
    if (p->why[0])
        return NULL;
    if (value.n == 0)
        return fail(p, "expected a word");
    if (++p->n_terms > EVENT_SEARCH_TERMS_MAX)
        return fail(p, "expected at most 512 words");
    if (value.p[0] == '[' || value.p[0] == '{' || value.p[0] == '>' || value.p[0] == '<')
        return fail(p, "statwit reads no ranges and comparisons");
    if (key.n == 0 && span_eq(value, SPAN("*")))
        return new_search(p, SEARCH_ALL, NULL);
    struct event_search *s = new_search(p, SEARCH_TERM, NULL);
    if (s) {
        s->key = key;
        s->value = is_field(key) ? value : tag_of(p, key, value);
    }
    return s;
}

/*   env:dev*   "rolled back"   source:(a OR b)
 *   ^          ^               ^ */
static struct event_search *parse_term(struct search_parser *p, struct span key) {
    bool quoted = peek(p) == '"';
    struct span text = parse_text(p, true);
    if (quoted || p->at >= p->text.n || p->text.p[p->at] != ':')
        return new_term(p, key, text);
    p->at++;
    if (text.n && text.p[0] == '@' && !is_attribute(text))
        return fail(p, "statwit keeps no such attribute of an event");
    if (p->at < p->text.n && p->text.p[p->at] == '(') {
        p->at++;
        struct event_search *list = parse_any(p, text);
        if (list && peek(p) != ')')
            return fail(p, "expected ')'");
        p->at++;
        return list;
    }
    return new_term(p, text, parse_text(p, false));
}

static struct event_search *parse_one(struct search_parser *p, struct span key) {
    struct event_search *s = NULL;
    if (++p->depth > EVENT_SEARCH_DEPTH_MAX)
        return fail(p, "expected at most 64 levels of parentheses");
    bool minus = peek(p) == '-';
    p->at += minus;
    if (minus || take_operator(p, "NOT")) {
        s = parse_one(p, key);
        s = s ? new_search(p, SEARCH_NOT, s) : NULL;
    } else if (peek(p) == '(') {
        p->at++;
        s = parse_any(p, key);
        if (s && peek(p) != ')')
            s = fail(p, "expected ')'");
        p->at++;
    } else if (peek(p) == '\0' || peek(p) == ')') {
        fail(p, "expected a word");
    } else {
        s = parse_term(p, key);
    }
    p->depth--;
    return s;
}

static bool begins_another(struct search_parser *p) {
    size_t before = p->at;
    bool or = take_operator(p, "OR");
    p->at = before;
    char c = peek(p);
    return ! or &&c != '\0' && c != ')';
}

static struct event_search *parse_all(struct search_parser *p, struct span key) {
    struct event_search *first = parse_one(p, key), *last = first;
    while (last && (take_operator(p, "AND") || begins_another(p))) {
        last->next = parse_one(p, key);
        last = last->next;
    }
    return last ? new_search(p, SEARCH_ALL, first) : NULL;
}

static struct event_search *parse_any(struct search_parser *p, struct span key) {
    struct event_search *first = parse_all(p, key), *last = first;
    while (last && take_operator(p, "OR")) {
        last->next = parse_all(p, key);
        last = last->next;
    }
    return last ? new_search(p, SEARCH_ANY, first) : NULL;
}

struct event_search *event_search_read(struct arena *arena, struct span text, char *why, size_t cap_why) {
    struct search_parser p = {.arena = arena, .text = text, .why = why, .cap_why = cap_why};
    why[0] = '\0';
    if (text.n > EVENT_SEARCH_TEXT_MAX) {
        snprintf(why, cap_why, "statwit reads at most %d bytes", EVENT_SEARCH_TEXT_MAX);
        return NULL;
    }
    if (peek(&p) == '\0' && p.at == text.n)
        return NULL;
    struct event_search *s = parse_any(&p, span_of(NULL, 0));
    if (s && p.at < text.n)
        fail(&p, "expected a word");
    return why[0] ? NULL : s;
}
