#include "judge/evaluate/settle.h"

/* A sum goes up as long as nobody has counted down. One that is to be zero, as of what is open or in flight, waits for that. */
static bool sum_grows(const struct expectation *e, const struct tally *t, const struct clause *c) {
    bool adds = !e->any_type && metric_is(e->type, METRIC_ADDS);
    return adds && c->value > 0 && (t->numbers == 0 || (t->min >= 0 && t->sum >= 0));
}

enum trend settle_trend_of(const struct expectation *e, const struct tally *t, const struct clause *c) {
    switch (c->stat) {
    case STAT_SAMPLES:
    case STAT_COUNT:
    case STAT_SERIES:
    case STAT_PER_SERIES:
    case STAT_DISTINCT:
    case STAT_MAX:
        return TREND_GROWS;
    case STAT_MIN:
        return TREND_FALLS;
    case STAT_SUM:
        return sum_grows(e, t, c) ? TREND_GROWS : TREND_ANY;
    default:
        return TREND_ANY;
    }
}

void settle_by_trend(struct finding *f, enum trend trend) {
    if (trend == TREND_ANY || !f->known)
        return;
    const struct clause *c = f->clause;
    bool grows = trend == TREND_GROWS, settled = false;
    double slack = clause_slack(c, f->value), low = f->ranged ? f->low : f->value,
           high = f->ranged ? f->high : f->value;
    bool beyond = grows ? low > c->value + slack : high < c->value - slack;
    switch (c->op) {
    case OP_GE:
    case OP_GT:
        settled = grows == f->holds;
        break;
    case OP_LE:
    case OP_LT:
        settled = grows != f->holds;
        break;
    default: /* == and ~ fail, and != holds, once the value has gone past */
        settled = beyond;
        break;
    }
    f->settled_later = f->settled_lost = settled;
}

void settle_number_asked(struct finding *f) {
    f->settled_later &= !f->clause->asks;
    f->settled_lost &= !f->clause->asks;
}

bool settle_can(const struct expectation *e, const struct tally *t, const struct clause *c, bool wanted) {
    enum trend trend = settle_trend_of(e, t, c);
    if (trend == TREND_ANY || c->stat == STAT_SUM) /* a sum may have lost what is below zero */
        return false;
    if (c->op == OP_EQ || c->op == OP_ABOUT)
        return !wanted;
    if (c->op == OP_NE)
        return wanted;
    bool up = c->op == OP_GE || c->op == OP_GT;
    return (up == (trend == TREND_GROWS)) == wanted;
}
