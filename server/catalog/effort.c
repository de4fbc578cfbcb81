#include "catalog/effort.h"

#include <inttypes.h>

static uint64_t limit_of(const struct effort *effort) {
    return effort->max ? effort->max : EFFORT_MAX;
}

bool effort_is_spent(const struct effort *effort) {
    return effort->steps > limit_of(effort);
}

bool effort_was_enough(const struct effort *effort, struct err *err) {
    if (!effort_is_spent(effort))
        return true;
    err_set(err, 0,
            "more than the limit of %" PRIu64
            " steps: use fewer wildcards, patterns and required tags, or ask about fewer series",
            limit_of(effort));
    return false;
}
