#include "judge/language/expectation.h"

#include <math.h>

#define RELATIVE_TOLERANCE 1e-6

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

double clause_slack(const struct clause *c, double observed) {
    if (c->has_tolerance)
        return c->tolerance;
    double larger = isfinite(observed) ? fmax(fabs(observed), fabs(c->value)) : fabs(c->value);
    return c->op == OP_ABOUT ? RELATIVE_TOLERANCE * larger : 0;
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
