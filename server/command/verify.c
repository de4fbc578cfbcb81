/* statwit verify: names, types and tags against a catalog. */
#include "command/commands.h"
#include "command/judging.h"
#include "command/naming.h"
#include "core/log.h"

int verify_command(const struct options *o) {
    json_t *report = NULL;
    if (o->list[OPT_CATALOG].n == 0) {
        log_error(
            "no catalog is given: statwit verify --catalog metadata.csv (`statwit catalog infer` makes one)");
        return EXIT_USAGE;
    }
    int status = naming_verify(o, NULL, &report);
    if (status == EXIT_PASS)
        status = judging_show(o, report);
    json_decref(report);
    return status;
}
