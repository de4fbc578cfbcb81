#include "catalog/rules.h"

#include <assert.h>

static const struct lint_rule_info rules[] = {
#define X(id, name, severity, claim, found, why) [id] = {name, severity, claim, found, why},
    LINT_RULES(X)
#undef X
};
static_assert(LINT_N <= 64, "a set of rules is 64 bits");

const struct lint_rule_info *lint_rule_info(enum lint_rule rule) {
    return &rules[rule];
}

int lint_rule_of(struct span name) {
    for (int i = 0; i < LINT_N; i++)
        if (span_eq(name, span_str(rules[i].name)))
            return i;
    return -1;
}

const char *severity_word(enum severity severity) {
    static const char *const words[] = {"error", "warning", "note"};
    return words[severity];
}
