/* sum   ==   42   +- 5
 *       OP   VALUE  TOLERANCE
 *
 * What clauses and conditions share.
 */
#include "core/number.h"
#include "judge/language/parse.h"

#include <math.h>
#include <stdio.h>

enum op parse_op_word(struct cursor *c) {
    /* the longer ones first */
    static const enum op order[] = {OP_EQ, OP_NE, OP_LIKE, OP_UNLIKE, OP_LE, OP_GE, OP_LT, OP_GT, OP_ABOUT};
    cursor_skip_blanks(c);
    struct span rest = span_from(c->line, c->at);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        struct span word = span_str(op_word(order[i]));
        if (!span_starts(rest, word) || span_starts(rest, SPAN("<>")) || span_starts(rest, SPAN("~=")) ||
            span_starts(rest, SPAN("===")) || span_starts(rest, SPAN("!==")))
            continue;
        c->at += word.n;
        return order[i];
    }
    return OP_N;
}

int parse_no_op(struct cursor *c, const char *ops) {
    static const struct {
        struct span written;
        const char *meant;
    } known[] = {
#define X(written, meant) {{written, sizeof written - 1}, meant},
        X("===", "==") X("!==", "!=") X(":", "==") X("\u2264", "<=") X("\u2265", ">=") X("\u2260", "!=")
            X("\u2248", "~") X("\u00b1", "~ or == \u2026 +-") X("between", ">= \u2026 and \u2026 <=")
                X("=<", "<=") X("=>", ">=") X("<>", "!=") X("=", "==") X("is", "==") X("equals", "==")
                    X("eq", "==") X("!", "!=") X("not", "!=") X("contains", "== with a glob, as \"*text*\"")
                        X("+-", "~ or == … +-") X("like", "== with a glob, as \"*text*\"")
                            X("matches", "=~ \"…\"") X("in", "=~ \"a|b\"") X("in", ">= \u2026 and \u2026 <=")
#undef X
    };
    char found[FOUND_SIZE];
    struct span rest = span_from(c->line, c->at);
    if (span_starts(rest, SPAN("~=")))
        return cursor_fail(c, c->at, "expected an operator: %s; %s; did you mean '%s'?", ops,
                           cursor_found(c, found), strstr(ops, "=~") ? "=~" : "~");
    bool texts = strstr(ops, "=~") != NULL; /* globs and regular expressions are compared */
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (span_starts(rest, known[i].written) && (texts || !strchr(known[i].meant, '"')))
            return cursor_fail(c, c->at, "expected an operator: %s; %s; did you mean '%s'?", ops,
                               cursor_found(c, found), known[i].meant);
    return cursor_fail(c, c->at, "expected an operator: %s; %s", ops, cursor_found(c, found));
}

/* 1,5 is one and a half to many; 1,000 is a thousand. */
static bool is_decimal_comma(struct span word) {
    const char *comma = word.n ? memchr(word.p, ',', word.n) : NULL;
    size_t before = comma ? (size_t)(comma - word.p) : 0, behind = 0;
    if (!comma || before == 0)
        return false;
    while (before + 1 + behind < word.n && word.p[before + 1 + behind] >= '0' &&
           word.p[before + 1 + behind] <= '9')
        behind++;
    return behind > 0 && behind != 3 && !memchr(word.p, '.', word.n) &&
           !memchr(comma + 1, ',', word.n - before - 1);
}

/* 500ms, 1,000, "5": what people write for a number. Fills `hint` with what to write, or with "". */
#define HINT_SIZE 96
static void hint_number(struct span word, char hint[HINT_SIZE]) {
    size_t n = 0;
    char digits[32];
    double value;
    hint[0] = '\0';
    bool decimal = is_decimal_comma(word);
    for (size_t i = 0; i < word.n && n < sizeof digits; i++)
        if (decimal && word.p[i] == ',')
            digits[n++] = '.';
        else if (word.p[i] != ',' && word.p[i] != ';' && word.p[i] != '_' && word.p[i] != '"' &&
                 word.p[i] != '\'')
            digits[n++] = word.p[i];
    if (n == 0 || n == sizeof digits)
        return;
    if (number_parse(span_of(digits, n), &value) == NUMBER_OK) {
        snprintf(hint, HINT_SIZE, ": did you mean %.*s?", (int)n, digits);
        return;
    }
    size_t unit = n;
    while (unit > 0 && ((digits[unit - 1] >= 'a' && digits[unit - 1] <= 'z') ||
                        (digits[unit - 1] >= 'A' && digits[unit - 1] <= 'Z') || digits[unit - 1] == '%'))
        unit--;
    if (unit > 0 && unit < n && number_parse(span_of(digits, unit), &value) == NUMBER_OK)
        snprintf(hint, HINT_SIZE, ": a number has no unit; did you mean %.*s, in the unit that is sent?",
                 (int)unit, digits);
}

/* A number ends at a blank or at the +- of a tolerance. */
static int parse_number(struct cursor *c, const char *after, double *value) {
    cursor_skip_blanks(c);
    size_t start = c->at;
    char found[FOUND_SIZE], hint[HINT_SIZE];
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
    hint_number(word, hint);
    if (result != NUMBER_OK)
        return cursor_fail(c, start, "expected a number after '%s', %s%s", after,
                           end ? "found the end" : found, hint);
    if (!isfinite(*value))
        return cursor_fail(c, start, "expected a finite number after '%s': no sample holds NaN or infinity",
                           after);
    return 0;
}

/* check app.ok status == ok
 *                        ^^
 */
int parse_status(struct cursor *c, struct clause *clause) {
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

int parse_compared(struct cursor *c, struct clause *clause, size_t *end) {
    if (parse_number(c, op_word(clause->op), &clause->value) != 0)
        return -1;
    *end = c->at;
    cursor_skip_blanks(c);
    if (!span_starts(span_from(c->line, c->at), SPAN("+-")))
        return 0;
    c->at += 2;
    cursor_skip_blanks(c);
    size_t at = c->at;
    if (parse_number(c, "+-", &clause->tolerance) != 0)
        return -1;
    if (clause->tolerance < 0)
        return cursor_fail(c, at, "a tolerance must be 0 or more");
    clause->has_tolerance = true;
    *end = c->at;
    return 0;
}
