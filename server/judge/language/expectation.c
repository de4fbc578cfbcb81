#include "judge/language/expectation.h"

#include "core/glob.h"

#include <math.h>

#define RELATIVE_TOLERANCE 1e-6 /* of ~ */
#define ROUNDING_TOLERANCE 1e-9 /* of == and != on what was computed */

const char *stat_word(enum stat stat) {
    static const char *const words[STAT_N] = {
#define X(id, word) [id] = word,
        STATS(X)
#undef X
    };
    return words[stat];
}

int stat_of(struct span word) {
    for (int i = 0; i < STAT_N; i++)
        if (i != STAT_PERCENTILE && span_eq(word, span_str(stat_word((enum stat)i))))
            return i;
    return -1;
}

const char *op_word(enum op op) {
    static const char *const words[OP_N] = {"==", "!=", "<", "<=", ">", ">=", "~", "=~", "!~"};
    return words[op];
}

const char *field_word(enum field field) {
    static const char *const words[FIELD_N] = {
#define X(id, word, subjects) [id] = word,
        FIELDS(X)
#undef X
    };
    return words[field];
}

bool text_test_fits(const struct text_test *test, struct span text, uint64_t *steps) {
    text = text.p ? text : SPAN("");
    if (test->regex)
        return pattern_match_counted(test->regex, text, steps);
    for (size_t i = 0; i < test->n; i++)
        if (glob_match_counted(test->globs[i], text, steps))
            return true;
    return false;
}

/* What was not given is unlike everything. */
bool condition_holds(const struct condition *c, const struct field_value *value, uint64_t *steps) {
    bool unlike = c->op == OP_NE || c->op == OP_UNLIKE;
    ++*steps;
    if (value->is_text)
        return c->of_text ? text_test_fits(&c->test, value->text, steps) != unlike : unlike;
    return c->of_number && value->known ? clause_holds(&c->number, value->number) : unlike;
}

bool clause_asks_between(const struct clause *c, bool no) {
    return no ? c->op == OP_EQ || c->op == OP_ABOUT : c->op == OP_NE;
}

static bool is_whole(double value) {
    return fabs(value) <= 0x1p53 && trunc(value) == value;
}

/* 0.1 + 0.2 + 0.3 is 0.6000000000000001 to a computer, and 0.6 to a person. Between whole numbers there is no rounding. */
static bool is_rounded(const struct clause *c, double observed) {
    bool computed = c->stat == STAT_SUM || c->stat == STAT_COUNT || c->stat == STAT_AVG;
    return computed && (c->op == OP_EQ || c->op == OP_NE) && !(is_whole(observed) && is_whole(c->value));
}

double clause_slack(const struct clause *c, double observed) {
    if (c->has_tolerance)
        return c->tolerance;
    double larger = isfinite(observed) ? fmax(fabs(observed), fabs(c->value)) : fabs(c->value);
    if (c->op == OP_ABOUT)
        return RELATIVE_TOLERANCE * larger;
    return is_rounded(c, observed) ? ROUNDING_TOLERANCE * larger : 0;
}

bool clause_is_of_one_sample(const struct clause *c) {
    return c->stat == STAT_EACH || c->stat == STAT_RATE;
}

bool clause_holds(const struct clause *c, double observed) {
    if (c->asks)
        return true;
    double slack = clause_slack(c, observed);
    switch (c->op) {
    case OP_EQ:
    case OP_ABOUT:
        return fabs(observed - c->value) <= slack;
    case OP_NE:
        return fabs(observed - c->value) > slack;
    case OP_LT:
        return observed < c->value + slack;
    case OP_LE:
        return observed <= c->value + slack;
    case OP_GT:
        return observed > c->value - slack;
    default: /* OP_GE */
        return observed >= c->value - slack;
    }
}

bool expectation_asks_for_one(const struct expectation *e) {
    size_t n = 0;
    for (size_t i = 0; i < e->n_clauses; i++)
        n += clause_is_of_one_sample(&e->clauses[i]);
    return e->no && n > 1;
}
