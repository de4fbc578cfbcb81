/* count >= 1 and p95 < 500 +- 5
 * STAT OP VALUE  STAT OP VALUE  TOLERANCE
 */
#include "core/number.h"
#include "judge/language/parse.h"

#include <math.h>
#include <stdlib.h>

#define STAT_WORDS                                                                                           \
    "samples, count, sum, last, first, min, max, avg, median, pNN, distinct, series, each, rate"

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

static int stat_of(struct span word) {
    for (int i = 0; i < STAT_N; i++)
        if (i != STAT_PERCENTILE && span_eq(word, span_str(stat_word((enum stat)i))))
            return i;
    return -1;
}

/* Refuses a statistic that the subject does not have. */
static int check_stat(struct cursor *c, size_t at, const struct expectation *e, enum stat stat) {
    const char *word = stat_word(stat);
    bool counts = stat == STAT_SAMPLES || stat == STAT_COUNT;
    if (e->subject == SUBJECT_EVENT && !counts)
        return cursor_fail(c, at, "'%s' can't be asked of an event: expected samples or count", word);
    if (e->subject == SUBJECT_CHECK && !counts && stat != STAT_STATUS)
        return cursor_fail(c, at, "'%s' can't be asked of a service check: expected status, samples or count",
                           word);
    if (e->subject == SUBJECT_METRIC && stat == STAT_STATUS)
        return cursor_fail(c, at, "'status' is for service checks: expected one of " STAT_WORDS);
    bool needs_number = stat != STAT_DISTINCT && stat != STAT_SERIES && stat != STAT_RATE && !counts;
    if (e->subject == SUBJECT_METRIC && !e->any_type && metric_is(e->type, METRIC_TEXT) && needs_number)
        return cursor_fail(
            c, at,
            "'%s' can't be asked of a set, which holds texts: expected distinct, samples, count, "
            "series or rate",
            word);
    return 0;
}

/* count >= 1
 * ^^^^^
 */
static int parse_stat(struct cursor *c, const struct expectation *e, struct clause *clause) {
    static const struct span words[] = {
        {"samples", 7}, {"count", 5}, {"sum", 3},  {"last", 4},   {"first", 5},
        {"min", 3},     {"max", 3},   {"avg", 3},  {"median", 6}, {"distinct", 8},
        {"series", 6},  {"each", 4},  {"rate", 4}, {"status", 6},
    };
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
    if (stat < 0)
        return cursor_fail(c, start, "expected a stat: " STAT_WORDS "; %s%s", cursor_found(&at, found),
                           word.n ? cursor_suggest(word, sizeof words / sizeof words[0], words, suggestion)
                                  : "");
    clause->stat = (enum stat)stat;
    if (stat == STAT_MEDIAN)
        clause->percentile = 50;
    return check_stat(c, start, e, clause->stat);
}

/* count >= 1
 *       ^^
 */
static int parse_op(struct cursor *c, struct clause *clause) {
    /* the longer ones first */
    static const enum op order[] = {OP_EQ, OP_NE, OP_LE, OP_GE, OP_LT, OP_GT, OP_ABOUT};
    cursor_skip_blanks(c);
    struct span rest = span_from(c->line, c->at);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        struct span word = span_str(op_word(order[i]));
        if (span_starts(rest, word)) {
            clause->op = order[i];
            c->at += word.n;
            bool status = clause->stat == STAT_STATUS && clause->op != OP_EQ && clause->op != OP_NE;
            return status ? cursor_fail(c, c->at - word.n, "expected == or != after 'status'") : 0;
        }
    }
    char found[FOUND_SIZE];
    return cursor_fail(c, c->at, "expected an operator: == != < <= > >= ~; %s", cursor_found(c, found));
}

/* A number ends at a blank or at the +- of a tolerance. */
static int parse_number(struct cursor *c, const char *after, double *value) {
    cursor_skip_blanks(c);
    size_t start = c->at;
    char found[FOUND_SIZE];
    cursor_found(c, found);
    bool end = cursor_at_end(c);
    c->at = start;
    struct span word = end ? SPAN("") : cursor_word(c);
    for (size_t i = 1; i + 1 < word.n; i++)
        if (word.p[i] == '+' && word.p[i + 1] == '-') {
            c->at -= word.n - i;
            word.n = i;
        }
    enum number_result result = number_parse(word, value);
    if (result == NUMBER_OUT_OF_RANGE)
        return cursor_fail(c, start, "the number after '%s' does not fit a 64-bit float", after);
    if (result != NUMBER_OK)
        return cursor_fail(c, start, "expected a number after '%s', %s", after,
                           end ? "found the end" : found);
    if (!isfinite(*value))
        return cursor_fail(c, start, "expected a finite number after '%s': no sample holds NaN or infinity",
                           after);
    return 0;
}

/* check app.ok status == ok
 *                        ^^
 */
static int parse_status(struct cursor *c, struct clause *clause) {
    static const struct span words[] = {{"ok", 2}, {"warning", 7}, {"critical", 8}, {"unknown", 7}};
    cursor_skip_blanks(c);
    struct cursor at = *c;
    struct span word = cursor_word(c);
    for (int i = 0; i < 4; i++)
        if (span_eq(word, words[i]) || (word.n == 1 && word.p[0] == '0' + i)) {
            clause->value = i;
            return 0;
        }
    char found[FOUND_SIZE], suggestion[SUGGESTION_SIZE];
    return cursor_fail(c, at.at, "expected ok, warning, critical or unknown; %s%s", cursor_found(&at, found),
                       cursor_suggest(word, 4, words, suggestion));
}

static int parse_clause(struct cursor *c, const struct expectation *e, struct clause *clause) {
    cursor_skip_blanks(c);
    size_t start = c->at;
    if (parse_stat(c, e, clause) != 0 || parse_op(c, clause) != 0)
        return -1;
    if (clause->stat == STAT_STATUS) {
        if (parse_status(c, clause) != 0)
            return -1;
    } else if (parse_number(c, op_word(clause->op), &clause->value) != 0) {
        return -1;
    }
    size_t end = c->at;
    cursor_skip_blanks(c);
    if (clause->stat != STAT_STATUS && span_starts(span_from(c->line, c->at), SPAN("+-"))) {
        c->at += 2;
        cursor_skip_blanks(c);
        size_t at = c->at;
        if (parse_number(c, "+-", &clause->tolerance) != 0)
            return -1;
        if (clause->tolerance < 0)
            return cursor_fail(c, at, "a tolerance must be 0 or more");
        clause->has_tolerance = true;
        end = c->at;
    }
    clause->text = span_of(c->line.p + start, end - start);
    return 0;
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
        cursor_skip_blanks(c);
        struct cursor at = *c;
        if (!span_eq(cursor_word(c), SPAN("and"))) {
            char found[FOUND_SIZE];
            return cursor_fail(c, at.at, "expected 'and'%s or the end; %s",
                               clauses[e->n_clauses - 1].has_tolerance ? "" : ", '+-'",
                               cursor_found(&at, found));
        }
    }
    e->clauses = arena_alloc(c->arena, e->n_clauses * sizeof *clauses);
    if (!e->clauses)
        return cursor_no_memory(c);
    memcpy(e->clauses, clauses, e->n_clauses * sizeof *clauses);
    return 0;
}
