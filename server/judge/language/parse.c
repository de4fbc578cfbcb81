/* Sources into lines, and the lines that apply to their whole source: prefix, ignore-tags, within, session. */
#include "judge/language/parse.h"

#include "core/array.h"
#include "core/number.h"

#include <math.h>
#include <stdlib.h>

/* The directives of a source. */
struct file_scope {
    struct span prefix;
    size_t prefix_line; /* 0: not in this source */
    struct ignored *ignored;
};

/* 5s, 200ms, 1.5m, 2h, 1d, 0 */
static int parse_duration(struct cursor *c, int64_t *ms) {
    static const struct {
        struct span word;
        double ms;
    } units[] = {
        {{"ms", 2}, 1}, {{"s", 1}, 1000}, {{"m", 1}, 60000}, {{"h", 1}, 3600000}, {{"d", 1}, 86400000}};
    size_t start = c->at;
    char found[FOUND_SIZE];
    const char *what = cursor_found(c, found);
    struct span word = cursor_word(c);
    double value = -1;
    for (size_t i = 0; i < sizeof units / sizeof units[0] && value < 0; i++) {
        struct span unit = units[i].word;
        if (word.n > unit.n && span_eq(span_from(word, word.n - unit.n), unit) &&
            number_parse(span_of(word.p, word.n - unit.n), &value) == NUMBER_OK)
            value *= units[i].ms;
        else
            value = -1;
    }
    if (span_eq(word, SPAN("0")))
        value = 0;
    if (!(value >= 0))
        return cursor_fail(c, start, "expected a duration such as 200ms, 5s or 1m; %s", what);
    if (value > JUDGE_WITHIN_MS_MAX)
        return cursor_fail(c, start, JUDGE_WITHIN_TOO_LONG);
    *ms = (int64_t)ceil(value);
    return 0;
}

static size_t count_ignored(const struct ignored *ignored) {
    return ignored->n + (ignored->more ? ignored->more->n : 0);
}

/* Room for what the list adds, and not more: there may be a scope for each of 100,000 expectations. */
static int reserve_ignored(struct cursor *c, struct span list, struct ignored *ignored) {
    size_t n = ignored->n + 1;
    for (size_t i = 0; i < list.n; i++)
        n += list.p[i] == ',';
    struct span *keys = arena_alloc(c->arena, (n < PARSE_TERMS_MAX ? n : PARSE_TERMS_MAX) * sizeof *keys);
    if (!keys)
        return cursor_no_memory(c);
    if (ignored->n)
        memcpy(keys, ignored->keys, ignored->n * sizeof *keys);
    ignored->keys = keys;
    return 0;
}

/* ignore-tags env, host
 *             ^^^^^^^^^
 */
static int parse_ignored(struct cursor *c, struct span list, struct ignored *ignored) {
    if (reserve_ignored(c, list, ignored) != 0)
        return -1;
    for (size_t i = 0; i <= list.n;) {
        const char *comma = i < list.n ? memchr(list.p + i, ',', list.n - i) : NULL;
        size_t end = comma ? (size_t)(comma - list.p) : list.n;
        size_t a = i, b = end;
        while (a < b && (list.p[a] == ' ' || list.p[a] == '\t'))
            a++;
        while (b > a && (list.p[b - 1] == ' ' || list.p[b - 1] == '\t'))
            b--;
        if (a == b)
            return cursor_fail(c, c->at + i, "expected the key of a tag to ignore");
        if (count_ignored(ignored) == PARSE_TERMS_MAX)
            return cursor_fail(c, c->at + a, "more tags to ignore than the limit of %d", PARSE_TERMS_MAX);
        ignored->keys[ignored->n] = arena_copy(c->arena, span_of(list.p + a, b - a));
        if (!ignored->keys[ignored->n++].p)
            return cursor_no_memory(c);
        i = end + 1;
    }
    return 0;
}

/* The source's own list behind the one of all sources. */
static int own_ignored(struct cursor *c, const struct ignored *common, struct file_scope *scope) {
    if (scope->ignored != common)
        return 0;
    scope->ignored = arena_alloc(c->arena, sizeof *scope->ignored);
    if (!scope->ignored)
        return cursor_no_memory(c);
    *scope->ignored = (struct ignored){.more = common};
    return 0;
}

static int parse_prefix(struct cursor *c, struct file_scope *scope) {
    if (scope->prefix_line)
        return cursor_fail(c, c->at, "a prefix was given in line %zu already", scope->prefix_line);
    struct span text;
    if (c->at < c->line.n && c->line.p[c->at] == '"') {
        if (cursor_quoted(c, &text) != 0)
            return -1;
    } else {
        text = arena_copy(c->arena, cursor_word(c));
        if (!text.p)
            return cursor_no_memory(c);
    }
    scope->prefix = text;
    scope->prefix_line = c->line_number;
    return 0;
}

/* session NAME; all sources must name the same one. */
static int parse_session(struct cursor *c, struct parsed *out) {
    size_t start = c->at;
    struct span name;
    if (c->at < c->line.n && c->line.p[c->at] == '"') {
        if (cursor_quoted(c, &name) != 0)
            return -1;
    } else {
        name = cursor_word(c);
        if (name.n > 2 && name.p[0] == '\'' && name.p[name.n - 1] == '\'') /* as in a shell */
            name = span_of(name.p + 1, name.n - 2);
    }
    if (name.n == 0)
        return cursor_fail(c, start, "expected a session's name, or * for every session");
    if (out->session.p && !span_eq(out->session, name))
        return cursor_fail(
            c, start, "the session '%.*s' was chosen in line %zu%s%.*s already: a question is about one",
            out->session.n > 60 ? 60 : (int)out->session.n, out->session.p, out->session_line,
            out->session_file.p ? " of " : "", out->session_file.n > 60 ? 60 : (int)out->session_file.n,
            out->session_file.p ? out->session_file.p : "");
    if (out->session.p)
        return 0;
    out->session = arena_copy(c->arena, name);
    out->session_file = c->file;
    out->session_line = c->line_number;
    return out->session.p ? 0 : cursor_no_memory(c);
}

/* as datadog */
static int parse_as(struct cursor *c, struct parsed *out) {
    size_t start = c->at;
    char found[FOUND_SIZE];
    const char *what = cursor_found(c, found);
    if (!span_eq(cursor_word(c), SPAN("datadog")))
        return cursor_fail(
            c, start, "expected 'datadog': as datadog judges what an Agent makes of the samples; %s", what);
    out->as_datadog_line = c->line_number;
    return 0;
}

enum directive {
    DIRECTIVE_NONE,
    DIRECTIVE_PREFIX,
    DIRECTIVE_IGNORE_TAGS,
    DIRECTIVE_WITHIN,
    DIRECTIVE_SESSION,
    DIRECTIVE_AS
};

static enum directive directive_of(const struct cursor *c) {
    static const char *const words[] = {"prefix", "ignore-tags", "within", "session", "as"};
    struct cursor ahead = *c;
    struct span word = cursor_word(&ahead);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (span_eq(word, span_str(words[i])))
            return (enum directive)(DIRECTIVE_PREFIX + i);
    return DIRECTIVE_NONE;
}

static int parse_directive(struct cursor *c, enum directive directive, struct file_scope *scope,
                           struct parsed *out) {
    struct span word = cursor_word(c);
    size_t end = c->at;
    if (cursor_at_end(c))
        return cursor_fail(c, end, "expected %s after '%.*s'",
                           directive == DIRECTIVE_PREFIX        ? "a prefix"
                           : directive == DIRECTIVE_IGNORE_TAGS ? "keys of tags"
                           : directive == DIRECTIVE_SESSION     ? "a session's name"
                           : directive == DIRECTIVE_AS          ? "'datadog'"
                                                                : "a duration",
                           SPAN_ARG(word));
    cursor_skip_blanks(c);
    if (directive == DIRECTIVE_IGNORE_TAGS) {
        size_t stop = c->at; /* keys hold no blank and '#' */
        while (stop < c->line.n &&
               !(c->line.p[stop] == '#' && (c->line.p[stop - 1] == ' ' || c->line.p[stop - 1] == '\t')))
            stop++;
        int result = own_ignored(c, out->ignored, scope);
        if (result == 0)
            result = parse_ignored(c, span_of(c->line.p + c->at, stop - c->at), scope->ignored);
        c->at = c->line.n;
        return result;
    }
    int64_t ms = 0;
    if (directive == DIRECTIVE_PREFIX    ? parse_prefix(c, scope) != 0
        : directive == DIRECTIVE_SESSION ? parse_session(c, out) != 0
        : directive == DIRECTIVE_AS      ? parse_as(c, out) != 0
                                         : parse_duration(c, &ms) != 0)
        return -1;
    if (directive == DIRECTIVE_WITHIN && ms > out->within_ms)
        out->within_ms = ms;
    char found[FOUND_SIZE];
    size_t at = c->at;
    if (!cursor_at_end(c))
        return cursor_fail(c, at, "expected the end of the line, %s", cursor_found(c, found));
    return 0;
}

/* The next line of the source; false after the last one. */
static bool next_line(struct cursor *c, struct span text, size_t *offset) {
    if (*offset > text.n || (*offset == text.n && c->line_number > 0))
        return false;
    const char *p = text.p ? text.p + *offset : "";
    size_t left = text.n - *offset;
    const char *newline = left ? memchr(p, '\n', left) : NULL;
    size_t n = newline ? (size_t)(newline - p) : left;
    *offset += n + 1;
    c->line = span_of(p, n && p[n - 1] == '\r' ? n - 1 : n);
    c->at = 0;
    c->line_number++;
    return true;
}

static struct expectation *add(struct parsed *out) {
    if (!array_room(&out->list, out->n, &out->cap, sizeof *out->list))
        return NULL;
    struct expectation *e = &out->list[out->n];
    memset(e, 0, sizeof *e);
    return e;
}

static int parse_line(struct cursor *c, const struct file_scope *scope, struct parsed *out) {
    if (c->line.n > JUDGE_EXPECTATION_MAX)
        return cursor_fail(c, JUDGE_EXPECTATION_MAX,
                           "the expectation is longer than the limit of %d bytes "
                           "(expectation length)",
                           JUDGE_EXPECTATION_MAX);
    if (out->n == JUDGE_EXPECTATIONS_MAX)
        return cursor_fail(c, 0, "more expectations than the limit of %d in one question",
                           JUDGE_EXPECTATIONS_MAX);
    struct expectation *e = add(out);
    if (!e)
        return cursor_no_memory(c);
    e->file = c->file;
    e->line = c->line_number;
    e->ignored = scope->ignored;
    if (parse_expectation(c, scope->prefix, out->values, e) != 0)
        return -1;
    out->n++;
    return 0;
}

static int parse_options(struct cursor c, struct parsed *out, const struct judge_options *options) {
    if (out->ignored)
        return 0;
    out->prefix = arena_copy(&out->arena, options->prefix);
    out->ignored = arena_alloc(&out->arena, sizeof *out->ignored);
    if (!out->ignored)
        return cursor_no_memory(&c);
    *out->ignored = (struct ignored){0};
    c.line = options->ignore_tags;
    c.line_number = 1;
    return options->ignore_tags.n ? parse_ignored(&c, c.line, out->ignored) : 0;
}

/* Twice over the lines: a directive applies to its whole source, also to lines above it. */
int parse_source(struct parsed *out, const struct judge_source *source, const struct judge_options *options,
                 struct judge_error *error) {
    struct cursor c = {.arena = &out->arena, .error = error, .regex_steps = &out->regex_steps};
    c.file = arena_copy(&out->arena, source->file);
    if (parse_options(c, out, options) != 0)
        return -1;
    struct file_scope scope = {.prefix = out->prefix, .ignored = out->ignored};
    bool marked = span_starts(source->text, SPAN("\xef\xbb\xbf")); /* as some editors do */
    for (int pass = 0; pass < 2; pass++) {
        c.line_number = 0;
        for (size_t offset = marked ? 3 : 0; next_line(&c, source->text, &offset);) {
            if (cursor_at_end(&c))
                continue;
            cursor_skip_blanks(&c);
            enum directive directive = directive_of(&c);
            int result = 0;
            if (pass == 0 && directive != DIRECTIVE_NONE)
                result = parse_directive(&c, directive, &scope, out);
            else if (pass == 1 && directive == DIRECTIVE_NONE)
                result = parse_line(&c, &scope, out);
            if (result != 0)
                return -1;
        }
    }
    return 0;
}

void parsed_free(struct parsed *parsed) {
    arena_free(&parsed->arena);
    free(parsed->list);
    *parsed = (struct parsed){0};
}
