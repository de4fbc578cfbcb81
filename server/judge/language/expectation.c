#include "judge/language/expectation.h"

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

const char *op_word(enum op op) {
    static const char *const words[OP_N] = {"==", "!=", "<", "<=", ">", ">=", "~"};
    return words[op];
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
