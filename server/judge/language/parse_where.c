/* gauge g{env:ci} where value == 5 and host == "web-*" samples == 2
 *                       condition      condition       clauses
 */
#include "core/glob.h"
#include "core/record.h"
#include "judge/language/parse.h"

#include "core/number.h"
#include <stdio.h>
#include <stdlib.h>

/* --- fields ---------------------------------------------------------------------------------------------- */

static const unsigned subjects[FIELD_N] = {
#define X(id, word, subjects) [id] = subjects,
    FIELDS(X)
#undef X
};

static bool is_set(const struct expectation *e) {
    return !e->any_type && metric_is(e->type, METRIC_TEXT);
}

/* A metric's text is what a set holds: others have a number. */
static bool has_field(const struct expectation *e, enum field field) {
    bool no_text = e->subject == SUBJECT_METRIC && field == FIELD_TEXT && !e->any_type &&
                   !metric_is(e->type, METRIC_TEXT);
    return (subjects[field] & 1u << e->subject) && !no_text;
}

static size_t list_fields(const struct expectation *e, struct span words[FIELD_N]) {
    size_t n = 0;
    for (int i = 0; i < FIELD_N; i++)
        if (has_field(e, (enum field)i))
            words[n++] = span_str(field_word((enum field)i));
    return n;
}

static int field_of(const struct expectation *e, struct span word) {
    for (int i = 0; i < FIELD_N; i++)
        if (has_field(e, (enum field)i) && span_eq(word, span_str(field_word((enum field)i))))
            return i;
    return -1;
}

bool parse_is_field(const struct expectation *e, struct span word) {
    return field_of(e, word) >= 0;
}

static const char *subject_word(const struct expectation *e) {
    static const char *const words[] = {"a metric", "an event", "a service check", "a reject"};
    static const char *const types[] = {
#define X(id, word, letter, nearest, weighing, family, traits) [id] = "a " word,
        METRIC_TYPES(X)
#undef X
    };
    return e->subject != SUBJECT_METRIC || e->any_type ? words[e->subject] : types[e->type];
}

/* What is no field, but is said in another way. */
static const char *hint_field(const struct cursor *at, struct span word) {
    if (at->at < at->line.n && at->line.p[at->at] == '(')
        return ": conditions stand without parentheses";
    if (span_eq(word, SPAN("not")) || (at->at < at->line.n && at->line.p[at->at] == '!'))
        return ": a condition is turned around by its operator, as in 'value != 5'";
    if (span_eq(word, SPAN("tags")) || span_eq(word, SPAN("tag")) || span_eq(word, SPAN("name")) ||
        span_eq(word, SPAN("title")))
        return ": name and tags stand before 'where', as in 'incr a{env:ci} where value == 5'";
    return "";
}

/* where value == 5
 *       ^^^^^
 */
static int parse_field(struct cursor *c, const struct expectation *e, enum field *field) {
    cursor_skip_blanks(c);
    size_t start = c->at;
    while (c->at < c->line.n &&
           ((c->line.p[c->at] >= 'a' && c->line.p[c->at] <= 'z') ||
            (c->line.p[c->at] >= 'A' && c->line.p[c->at] <= 'Z') || c->line.p[c->at] == '_'))
        c->at++;
    struct span word = span_of(c->line.p + start, c->at - start), words[FIELD_N];
    int known = field_of(e, word);
    if (known >= 0) {
        *field = (enum field)known;
        return 0;
    }
    char list[128], found[FOUND_SIZE], suggestion[SUGGESTION_SIZE];
    size_t n = list_fields(e, words), at = 0;
    for (size_t i = 0; i < n; i++) {
        const char *before = i == 0 ? "" : i + 1 < n ? ", " : " or ";
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%.*s", before, SPAN_ARG(words[i]));
    }
    if (stat_of(word) >= 0)
        return cursor_fail(
            c, start,
            "'%.*s' is a stat: it stands behind the conditions, without 'and' before it; a field "
            "of %s is %s",
            SPAN_ARG(word), subject_word(e), list);
    struct cursor here = *c;
    here.at = start;
    const char *hint = hint_field(&here, word);
    if (!hint[0] && word.n)
        hint = cursor_suggest(word, n, words, suggestion);
    return cursor_fail(c, start, "expected a field of %s: %s; %s%s", subject_word(e), list,
                       cursor_found(&here, found), hint);
}

/* --- what it is compared with ---------------------------------------------------------------------------- */

/* Where there are only so many words, any other one is a mistake that would match nothing. */
static int check_word(struct cursor *c, size_t at, enum field field, struct span word) {
    struct span words[(int)REASON_N + (int)SOURCE_N];
    size_t n = 0;
    if (glob_is_pattern(word))
        return 0;
    for (int i = 0; i < REASON_N && field == FIELD_REASON; i++)
        words[n++] = span_str(reason_word((enum reason)i));
    for (int i = 0; i < SOURCE_N && field == FIELD_SOURCE; i++)
        words[n++] = span_str(source_word((enum source)i));
    for (size_t i = 0; i < n; i++)
        if (span_eq(word, words[i]))
            return 0;
    char suggestion[SUGGESTION_SIZE];
    if (n == 0)
        return 0;
    return cursor_fail(c, at, "expected %s; found '%.*s'%s",
                       field == FIELD_SOURCE ? "udp, unixgram, unixstream or http"
                                             : "a reason, as `statwit rejects` shows it, or a glob",
                       word.n > 40 ? 40 : (int)word.n, word.p, cursor_suggest(word, n, words, suggestion));
}

/* == alice, == "*failed*", =~ "ci-[0-9]+"
 *    ^^^^^     ^^^^^^^^^^     ^^^^^^^^^^^
 */
static int parse_text(struct cursor *c, struct condition *condition) {
    bool regex = condition->op == OP_LIKE || condition->op == OP_UNLIKE;
    struct span text;
    cursor_skip_blanks(c);
    struct cursor at = *c;
    char found[FOUND_SIZE];
    if (cursor_at_end(c))
        return cursor_fail(c, at.at, "expected a text after '%s', found the end", op_word(condition->op));
    bool quoted = c->line.p[c->at] == '"';
    if (regex && !quoted)
        return cursor_fail(c, at.at, "expected a regular expression in double quotes after '%s', %s",
                           op_word(condition->op), cursor_found(&at, found));
    if (quoted ? cursor_quoted(c, &text) != 0 : (text = cursor_word(c), false))
        return -1;
    if (!quoted && text.p[0] == '\'')
        return cursor_fail(c, at.at, "a text stands in double quotes, found '%.*s'",
                           text.n > 40 ? 40 : (int)text.n, text.p);
    if (quoted && c->at < c->line.n && c->line.p[c->at] != ' ' && c->line.p[c->at] != '\t')
        return cursor_fail(c, c->at, "expected a blank or the end after the quoted text");
    condition->of_text = true;
    if (regex)
        return parse_regex(c, at.at, text, &condition->test);
    if (check_word(c, at.at, condition->field, text) != 0)
        return -1;
    return parse_glob(c, at.at, text, &condition->test);
}

/* Of metrics of any type, `value` is a number or, of a set, a text. */
static int parse_value_of_any(struct cursor *c, struct condition *condition, size_t *end) {
    struct cursor ahead = *c;
    double number;
    cursor_skip_blanks(&ahead);
    bool equality = condition->op == OP_EQ || condition->op == OP_NE;
    bool quoted = ahead.at < c->line.n && c->line.p[ahead.at] == '"';
    struct span word = cursor_word(&ahead);
    bool looks = number_parse(word, &number) != NUMBER_INVALID || memmem(word.p, word.n, "+-", 2);
    condition->of_number = !equality || (!quoted && looks);
    if (!condition->of_number)
        return parse_text(c, condition) == 0 ? (int)(*end = c->at, 0) : -1;
    if (parse_compared(c, &condition->number, end) != 0)
        return -1;
    condition->of_text = equality && !condition->number.has_tolerance;
    return condition->of_text ? parse_glob(c, *end, word, &condition->test) : 0;
}

/* --- a condition ----------------------------------------------------------------------------------------- */

enum kind { KIND_NUMBER, KIND_TEXT, KIND_STATUS, KIND_EITHER };

static enum kind kind_of(const struct expectation *e, enum field field) {
    switch (field) {
    case FIELD_VALUE:
        return is_set(e) ? KIND_TEXT : e->any_type ? KIND_EITHER : KIND_NUMBER;
    case FIELD_RATE:
    case FIELD_INTERVAL:
    case FIELD_TIMESTAMP:
        return KIND_NUMBER;
    case FIELD_STATUS:
        return KIND_STATUS;
    default:
        return KIND_TEXT;
    }
}

/* where value == 5
 *             ^^
 */
static int parse_op(struct cursor *c, enum kind kind, struct condition *condition) {
    static const char *const ops[] = {[KIND_NUMBER] = "== != < <= > >= ~",
                                      [KIND_TEXT] = "== != =~ !~",
                                      [KIND_STATUS] = "== !=",
                                      [KIND_EITHER] = "== != < <= > >= ~ =~ !~"};
    cursor_skip_blanks(c);
    size_t start = c->at;
    condition->op = parse_op_word(c);
    if (condition->op == OP_N)
        return parse_no_op(c, ops[kind]);
    bool equality = condition->op == OP_EQ || condition->op == OP_NE;
    bool regex = condition->op == OP_LIKE || condition->op == OP_UNLIKE;
    bool fits =
        equality || kind == KIND_EITHER || (kind == KIND_TEXT && regex) || (kind == KIND_NUMBER && !regex);
    if (fits)
        return 0;
    return cursor_fail(c, start, "'%s' can't compare '%s', which is a %s: expected %s",
                       op_word(condition->op), field_word(condition->field),
                       kind == KIND_TEXT     ? "text"
                       : kind == KIND_STATUS ? "status"
                                             : "number",
                       ops[kind]);
}

static int parse_condition(struct cursor *c, const struct expectation *e, struct condition *condition) {
    cursor_skip_blanks(c);
    size_t start = c->at, end = 0;
    if (parse_field(c, e, &condition->field) != 0)
        return -1;
    enum kind kind = kind_of(e, condition->field);
    if (parse_op(c, kind, condition) != 0)
        return -1;
    bool regex = condition->op == OP_LIKE || condition->op == OP_UNLIKE;
    condition->number =
        (struct clause){.stat = kind == KIND_STATUS ? STAT_STATUS : STAT_EACH, .op = condition->op};
    condition->of_number = kind == KIND_NUMBER || kind == KIND_STATUS;
    int result;
    if (kind == KIND_TEXT || regex)
        result = parse_text(c, condition);
    else if (kind == KIND_STATUS)
        result = parse_status(c, &condition->number);
    else if (kind == KIND_NUMBER)
        result = parse_compared(c, &condition->number, &end);
    else
        result = parse_value_of_any(c, condition, &end);
    if (result != 0)
        return -1;
    end = end ? end : c->at;
    condition->text = arena_copy(c->arena, span_of(c->line.p + start, end - start));
    return condition->text.p ? 0 : cursor_no_memory(c);
}

int parse_where(struct cursor *c, struct expectation *e) {
    struct condition *list = calloc(JUDGE_CONDITIONS_MAX, sizeof *list);
    int result = list ? 0 : cursor_no_memory(c);
    for (bool more = true; result == 0 && more;) {
        if (e->n_conditions == JUDGE_CONDITIONS_MAX) {
            result = cursor_fail(c, c->at, "more conditions behind 'where' than the limit of %d",
                                 JUDGE_CONDITIONS_MAX);
            break;
        }
        result = parse_condition(c, e, &list[e->n_conditions]);
        e->n_conditions += result == 0;
        struct cursor ahead = *c;
        cursor_skip_blanks(&ahead);
        more = span_eq(cursor_word(&ahead), SPAN("and"));
        c->at = result == 0 && more ? ahead.at : c->at;
    }
    e->conditions = result == 0 ? arena_alloc(c->arena, e->n_conditions * sizeof *list) : NULL;
    if (result == 0 && !e->conditions)
        result = cursor_no_memory(c);
    if (result == 0)
        memcpy(e->conditions, list, e->n_conditions * sizeof *list);
    free(list);
    return result;
}
