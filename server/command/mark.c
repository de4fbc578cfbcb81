/* statwit mark: a point in the recording, for --since and --until. */
#include "command/commands.h"
#include "command/moments.h"
#include "command/rows.h"
#include <inttypes.h>
#include <stdio.h>

int mark_command(const struct options *o) {
    uint64_t mark;
    bool later;
    int status = moments_mark(o, o->n_args ? o->args[0] : NULL, &mark, &later);
    if (status == EXIT_PASS)
        printf(option_on(o, OPT_JSON) ? "{\"mark\":%" PRIu64 "}\n" : "%" PRIu64 "\n", mark);
    return status;
}
