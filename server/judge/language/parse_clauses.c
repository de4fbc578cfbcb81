/* count >= 1 and p95 < 500 +- 5
 * STAT OP VALUE  STAT OP VALUE  TOLERANCE
 */
#include "core/number.h"
#include "judge/language/parse.h"

#include <stdio.h>
#include <stdlib.h>

#define STAT_WORDS                                                                                           \
    "samples, count, sum, last, first, min, max, avg, median, pNN, distinct, series, per_series, each, rate"

static bool is_stat_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

static bool is_digits(struct span s) {
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

/* p95, p99.9 */
static bool is_percentile(struct span word, double *percentile) {
    if (word.n < 2 || word.n > 16 || word.p[0] != 'p')
        return false;
    struct span number = span_from(word, 1);
    const char *point = memchr(number.p, '.', number.n);
    size_t whole = point ? (size_t)(point - number.p) : number.n;
    if (!is_digits(span_of(number.p, whole)) || (point && !is_digits(span_from(number, whole + 1))))
        return false;
    return number_parse(number, percentile) == NUMBER_OK;
}

/* Refuses a statistic that the subject does not have. */
static int check_stat(struct cursor *c, size_t at, const struct expectation *e, enum stat stat) {
    const char *word = stat_word(stat);
    bool counts = stat == STAT_SAMPLES || stat == STAT_COUNT;
    if (e->subject == SUBJECT_EVENT && !counts)
        return cursor_fail(c, at, "'%s' can't be asked of an event: expected samples or count", word);
    if (e->subject == SUBJECT_REJECT && !counts)
        return cursor_fail(c, at, "'%s' can't be asked of a reject: expected samples or count", word);
    if (e->subject == SUBJECT_CHECK && !counts && stat != STAT_STATUS)
        return cursor_fail(c, at, "'%s' can't be asked of a service check: expected status, samples or count",
                           word);
    if (e->subject == SUBJECT_METRIC && stat == STAT_STATUS)
        return cursor_fail(c, at, "'status' is for service checks: expected one of " STAT_WORDS);
    bool needs_number = stat != STAT_DISTINCT && stat != STAT_SERIES && stat != STAT_PER_SERIES &&
                        stat != STAT_RATE && !counts;
    if (e->subject == SUBJECT_METRIC && !e->any_type && metric_is(e->type, METRIC_TEXT) && needs_number)
        return cursor_fail(
            c, at,
            "'%s' can't be asked of a set, which holds texts: expected distinct, samples, count, "
            "series, per_series or rate; 'where value == …' asks for a member",
            word);
    return 0;
}

/* What may be meant by a word that stands where clauses or conditions are joined; "" where nothing is known. */
static const char *hint_joint(const struct cursor *at, const struct expectation *e) {
    static const struct {
        struct span written;
        const char *hint;
    } known[] = {
#define X(written, hint) {{written, sizeof written - 1}, hint},
        X("&&", "; did you mean 'and'?") X("&", "; did you mean 'and'?") X(",", "; did you mean 'and'?")
            X("+/-", "; did you mean '+-'?") X("\u00b1", "; did you mean '+-'?")
                X("or", "; there is no 'or': write one expectation for each")
                    X("||", "; there is no 'or': write one expectation for each")
                        X("ms", "; a number has no unit") X("s", "; a number has no unit")
                            X("us", "; a number has no unit") X("seconds", "; a number has no unit")
                                X("%", "; a number has no unit") X("times", "; did you mean 'samples == …'?")
#undef X
    };
    struct cursor ahead = *at;
    struct span word = cursor_word(&ahead);
    for (size_t i = 0; i < sizeof known / sizeof known[0] && (e->n_clauses || e->n_conditions); i++)
        if (span_eq(word, known[i].written))
            return known[i].hint;
    return "";
}

/* percentile95, 95p, 95th, q95, p: the number of them goes into *number, "95" where there is none. */
static bool is_like_percentile(struct span word, struct span *number) {
    static const struct span words[] = {{"p", 1},           {"th", 2},       {"q", 1},    {"pct", 3},
                                        {"percentile", 10}, {"quantile", 8}, {"perc", 4}, {"_", 1}};
    *number = SPAN("95");
    for (size_t i = 0, n; i < word.n; i += n) {
        struct span rest = span_from(word, i);
        for (n = 0; n < rest.n && ((rest.p[n] >= '0' && rest.p[n] <= '9') || (n && rest.p[n] == '.'));)
            n++;
        if (n > 0) {
            *number = span_of(rest.p, n);
            continue;
        }
        for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
            n = span_starts(rest, words[k]) && words[k].n > n ? words[k].n : n;
        if (n == 0)
            return false;
    }
    return word.n > 0 && word.n <= 16 && !is_digits(word);
}

/* Of several words without quotes the second one is read as a stat: event Deploy finished. */
static const char *hint_quotes(const struct cursor *at, const struct expectation *e) {
    if (e->n_clauses || at->at == 0 || (at->line.p[at->at - 1] != ' ' && at->line.p[at->at - 1] != '\t'))
        return "";
    if (e->n_conditions)
        return ": a text that holds blanks stands in double quotes";
    return e->n_terms == 0 && !e->exact ? ": a name that holds blanks stands in double quotes" : "";
}

/* gauge depth == 5, gauge depth 5: without what is compared. */
static const char *hint_stat(const struct cursor *at, const struct expectation *e) {
    struct cursor ahead = *at;
    char first = at->at < at->line.n ? at->line.p[at->at] : '\0';
    bool op = parse_op_word(&ahead) != OP_N || first == '=' || (first >= '0' && first <= '9');
    if (first == '{' || first == '[')
        return ": the tags stand once, in one pair of brackets";
    if (!op)
        return "";
    if (e->subject == SUBJECT_CHECK)
        return "; did you mean 'status'?";
    if (e->subject != SUBJECT_METRIC)
        return "; did you mean 'samples'?";
    if (e->any_type)
        return "; did you mean 'where value', or 'last'?";
    return metric_is(e->type, METRIC_TOTAL)   ? "; did you mean 'sum'?"
           : metric_is(e->type, METRIC_TEXT)  ? "; did you mean 'where value', or 'distinct'?"
           : metric_is(e->type, METRIC_LEVEL) ? "; did you mean 'last', or 'where value'?"
                                              : "; did you mean 'each', or 'where value'?";
}

/* count >= 1
 * ^^^^^
 */
static int parse_stat(struct cursor *c, const struct expectation *e, struct clause *clause) {
    static const struct span words[] = {
        {"samples", 7}, {"count", 5}, {"sum", 3},  {"last", 4},   {"first", 5},
        {"min", 3},     {"max", 3},   {"avg", 3},  {"median", 6}, {"distinct", 8},
        {"series", 6},  {"each", 4},  {"rate", 4}, {"status", 6}, {"per_series", 10},
    };
    static const struct span where = {"where", 5};
    size_t start = c->at;
    while (c->at < c->line.n && is_stat_byte(c->line.p[c->at]))
        c->at++;
    struct span word = span_of(c->line.p + start, c->at - start);
    char found[FOUND_SIZE], suggestion[SUGGESTION_SIZE];
    struct cursor at = *c;
    at.at = start;
    int stat = stat_of(word);
    if (is_percentile(word, &clause->percentile)) {
        stat = STAT_PERCENTILE;
        if (clause->percentile > 100)
            return cursor_fail(c, start, "a percentile is from p0 to p100");
    }
    if (stat < 0 && parse_is_field(e, word))
        return cursor_fail(c, start, "'%.*s' is a field, not a stat: did you mean 'where %.*s'?",
                           SPAN_ARG(word), SPAN_ARG(word));
    if (stat < 0 && e->n_conditions && span_eq(word, where))
        return cursor_fail(c, start, "'where' stands once: join its conditions with 'and'");
    if (stat < 0 && span_eq(word_meant(word, 1, &where), where))
        return cursor_fail(c, start, "expected a stat or 'where'; %s; did you mean 'where'?",
                           cursor_found(&at, found));
    const char *meant = stat < 0 ? hint_joint(&at, e) : "";
    struct span number;
    if (stat < 0 && !meant[0] && is_like_percentile(word, &number)) {
        snprintf(suggestion, sizeof suggestion, "; did you mean 'p%.*s'?", SPAN_ARG(number));
        meant = suggestion;
    }
    if (stat < 0 && !meant[0] && (word.n == 0 || is_digits(word)))
        meant = hint_stat(&at, e);
    if (stat < 0 && !meant[0])
        meant = cursor_suggest(word, sizeof words / sizeof words[0], words, suggestion);
    if (stat < 0 && !meant[0])
        meant = hint_quotes(&at, e);
    if (stat < 0)
        return cursor_fail(c, start, "expected a stat: " STAT_WORDS "; %s%s", cursor_found(&at, found),
                           meant);
    clause->stat = (enum stat)stat;
    if (stat == STAT_MEDIAN)
        clause->percentile = 50;
    return check_stat(c, start, e, clause->stat);
}

/* count >= 1
 *       ^^
 */
static int parse_op(struct cursor *c, struct clause *clause) {
    cursor_skip_blanks(c);
    size_t start = c->at;
    clause->op = parse_op_word(c);
    if (clause->op == OP_N)
        return parse_no_op(c, "== != < <= > >= ~");
    if (clause->op == OP_LIKE || clause->op == OP_UNLIKE)
        return cursor_fail(c, start,
                           "'%s' compares texts, behind 'where' and in tags: expected == != < <= > >= ~",
                           op_word(clause->op));
    if (clause->stat == STAT_STATUS && clause->op != OP_EQ && clause->op != OP_NE)
        return cursor_fail(c, start, "expected == or != after 'status'");
    return 0;
}

static int parse_clause(struct cursor *c, const struct expectation *e, struct clause *clause) {
    cursor_skip_blanks(c);
    size_t start = c->at;
    if (parse_stat(c, e, clause) != 0 || parse_op(c, clause) != 0)
        return -1;
    size_t end;
    if (clause->stat == STAT_STATUS) {
        if (parse_status(c, clause) != 0)
            return -1;
        end = c->at;
    } else if (parse_compared(c, clause, &end) != 0) {
        return -1;
    }
    clause->text = span_of(c->line.p + start, end - start);
    return 0;
}

/* What stands between two clauses must be an `and`. */
static int parse_and(struct cursor *c, const struct expectation *e, bool has_tolerance) {
    static const struct span words[] = {{"and", 3}, {"where", 5}};
    cursor_skip_blanks(c);
    struct cursor at = *c;
    struct span word = cursor_word(c);
    if (span_eq(word, words[0]))
        return 0;
    char found[FOUND_SIZE], suggestion[SUGGESTION_SIZE];
    if (span_eq(word, words[1]))
        return cursor_fail(c, at.at, "'where' stands before the first stat, behind the name and the tags");
    const char *meant = hint_joint(&at, e);
    return cursor_fail(c, at.at, "expected 'and'%s or the end; %s%s", has_tolerance ? "" : ", '+-'",
                       cursor_found(&at, found),
                       meant[0] ? meant : cursor_suggest(word, 1, words, suggestion));
}

int parse_clauses(struct cursor *c, struct expectation *e) {
    struct clause clauses[JUDGE_CLAUSES_MAX] = {0};
    for (;;) {
        if (e->n_clauses == JUDGE_CLAUSES_MAX)
            return cursor_fail(c, c->at, "more clauses joined by 'and' than the limit of %d",
                               JUDGE_CLAUSES_MAX);
        if (parse_clause(c, e, &clauses[e->n_clauses]) != 0)
            return -1;
        e->n_clauses++;
        if (cursor_at_end(c))
            break;
        if (parse_and(c, e, clauses[e->n_clauses - 1].has_tolerance) != 0)
            return -1;
    }
    e->clauses = arena_alloc(c->arena, e->n_clauses * sizeof *clauses);
    if (!e->clauses)
        return cursor_no_memory(c);
    memcpy(e->clauses, clauses, e->n_clauses * sizeof *clauses);
    return 0;
}

/* incr login.attempt sum
 *                    ^^^
 */
int parse_value(struct cursor *c, struct expectation *e) {
    char found[FOUND_SIZE];
    cursor_skip_blanks(c);
    size_t start = c->at;
    e->clauses = arena_alloc(c->arena, sizeof *e->clauses);
    if (!e->clauses)
        return cursor_no_memory(c);
    *e->clauses = (struct clause){.asks = true};
    e->n_clauses = 1;
    if (e->no)
        return cursor_fail(c, 0, "'no' claims something, and a number is asked for: leave it out");
    if (cursor_at_end(c))
        return cursor_fail(c, start, "expected the stat whose number is asked for, as in 'incr x sum'");
    if (parse_stat(c, e, e->clauses) != 0)
        return -1;
    if (clause_is_of_one_sample(e->clauses))
        return cursor_fail(c, start, "'%s' speaks of every sample: ask for one number, as min, max or last",
                           stat_word(e->clauses->stat));
    e->clauses->text = span_of(c->line.p + start, c->at - start);
    if (!cursor_at_end(c))
        return cursor_fail(c, c->at, "expected the end behind the stat whose number is asked for, %s",
                           cursor_found(c, found));
    return 0;
}
