/* incr  login.attempt  {instance:failure}  sum == 1 and samples < 5
 * TYPE  NAME           TAGS                clause   and clause
 */
#include "core/glob.h"
#include "judge/language/parse.h"

#define TYPE_WORDS                                                                                           \
    "count (or incr), gauge, timing, histogram, distribution, set, rate, any, event, check, reject"
_Static_assert(sizeof TYPE_WORDS == sizeof(METRIC_TYPES(METRIC_WORD_COMMA) "any, event, check, reject"
                                                                           " (or incr)"),
               "TYPE_WORDS names every type");

/* login.attempt sum == 1: a name without its type; sum incr login.attempt: a stat in its place. */
static const char *hint_type(struct span word) {
    if (stat_of(word) >= 0)
        return ": a stat stands behind the name, as in 'incr a sum == 1'";
    if (word.n == 0 || span_eq(word, SPAN("no")))
        return "";
    return ": a type stands before the name, 'any' where it does not matter";
}

/* incr login.attempt{instance:failure} sum == 1
 * ^^^^
 */
static int parse_type(struct cursor *c, struct expectation *e) {
    static const struct span words[] = {
#define X(id, word, letter, nearest, weighing, family, traits) {word, sizeof word - 1},
        {"no", 2},     METRIC_TYPES(X){"incr", 4}, {"any", 3},    {"event", 5},   {"check", 5}, {"reject", 6},
        {"prefix", 6}, {"ignore-tags", 11},        {"within", 6}, {"session", 7},
#undef X
    };
    size_t start = c->at;
    struct span word = cursor_word(c);
    int type = metric_type_of(word);
    e->any_type = span_eq(word, SPAN("any"));
    if (span_eq(word, SPAN("event")))
        e->subject = SUBJECT_EVENT;
    else if (span_eq(word, SPAN("check")))
        e->subject = SUBJECT_CHECK;
    else if (span_eq(word, SPAN("reject")))
        e->subject = SUBJECT_REJECT;
    else if (type >= 0)
        e->type = (enum metric_type)type;
    else if (!e->any_type) {
        char found[FOUND_SIZE], suggestion[SUGGESTION_SIZE];
        struct cursor at = *c;
        at.at = start;
        const char *hint = cursor_suggest(word, sizeof words / sizeof words[0] - e->no, words + e->no,
                                          suggestion); /* behind "no" comes no other one */
        return cursor_fail(c, start, "expected %sa type: " TYPE_WORDS "; %s%s", e->no ? "" : "'no' or ",
                           cursor_found(&at, found), hint[0] ? hint : hint_type(word));
    }
    return 0;
}

/* incr login.attempt{instance:failure} sum == 1
 *      ^^^^^^^^^^^^^
 */
static int parse_name(struct cursor *c, struct span prefix, struct expectation *e) {
    cursor_skip_blanks(c);
    size_t start = c->at;
    struct span name;
    if (cursor_at_end(c))
        return cursor_fail(c, start, "expected a name, found the end");
    if (c->line.p[c->at] == '"') {
        if (cursor_quoted(c, &name) != 0)
            return -1;
        if (c->at < c->line.n && !strchr(" \t{[", c->line.p[c->at]))
            return cursor_fail(c, c->at, "expected a blank, '{', '[' or the end after the quoted name");
    } else {
        while (c->at < c->line.n && !strchr(" \t{[", c->line.p[c->at]))
            c->at++;
        name = span_of(c->line.p + start, c->at - start);
    }
    if (name.n == 0)
        return cursor_fail(c, start, "expected a name");
    if (parse_check_pattern(c, start, name) != 0)
        return -1;
    if (prefix.n > PARSE_PREFIX_MAX)
        return cursor_fail(c, start, "the prefix is longer than the limit of %d bytes (prefix length)",
                           PARSE_PREFIX_MAX);
    /* A name that has the prefix already means itself: twice the prefix matches nothing, and a `no` would
     * always hold. */
    e->prefixed = e->subject == SUBJECT_METRIC && prefix.n > 0 && !span_starts(name, prefix);
    char *full = arena_alloc(c->arena, prefix.n + name.n + 1);
    if (!full)
        return cursor_no_memory(c);
    size_t n = e->prefixed ? prefix.n : 0;
    if (n)
        memcpy(full, prefix.p, n);
    memcpy(full + n, name.p, name.n);
    e->name = span_of(full, n + name.n);
    e->literal = !glob_is_pattern(e->name);
    return 0;
}

/* Behind the name. *end: where what was read ends. */
static int parse_rest(struct cursor *c, bool values, struct expectation *e, size_t *end) {
    cursor_skip_blanks(c);
    bool tags = c->at < c->line.n && (c->line.p[c->at] == '{' || c->line.p[c->at] == '[');
    if (tags && e->subject == SUBJECT_REJECT)
        return cursor_fail(c, c->at,
                           "a reject has no tags: 'where text == \"*…*\"' looks at the refused line");
    if (tags && parse_tags(c, e) != 0)
        return -1;
    *end = c->at;
    cursor_skip_blanks(c);
    struct cursor ahead = *c;
    if (span_eq(cursor_word(&ahead), SPAN("where"))) {
        *c = ahead;
        if (parse_where(c, e) != 0)
            return -1;
        *end = c->at;
    }
    if (!values && cursor_at_end(c))
        return 0;
    if (values ? parse_value(c, e) != 0 : parse_clauses(c, e) != 0)
        return -1;
    struct span last = e->clauses[e->n_clauses - 1].text;
    *end = (size_t)(last.p - c->line.p) + last.n;
    return 0;
}

int parse_expectation(struct cursor *c, struct span prefix, bool values, struct expectation *e) {
    size_t start = c->at;
    struct cursor ahead = *c;
    if (span_eq(cursor_word(&ahead), SPAN("no"))) {
        e->no = true;
        *c = ahead;
        cursor_skip_blanks(c);
    }
    if (parse_type(c, e) != 0 || parse_name(c, prefix, e) != 0)
        return -1;
    size_t end = 0;
    if (parse_rest(c, values, e, &end) != 0)
        return -1;
    while (end > start && (c->line.p[end - 1] == ' ' || c->line.p[end - 1] == '\t'))
        end--;
    e->text = arena_copy(c->arena, span_of(c->line.p + start, end - start));
    for (size_t i = 0; i < e->n_clauses; i++)
        e->clauses[i].text = arena_copy(c->arena, e->clauses[i].text);
    return e->text.p ? 0 : cursor_no_memory(c);
}
