/* statwit expect: judge, and say why. */
#include "command/commands.h"
#include "command/judging.h"
#include "command/naming.h"
#include "command/rows.h"
#include "core/log.h"

static int collect(const struct options *o, struct judging *j) {
    int status = EXIT_PASS;
    for (int i = 0; i < o->n_args && status == EXIT_PASS; i++)
        status = judging_add_text(j, o->args[i]);
    for (size_t i = 0; i < o->list[OPT_EXPECT].n && status == EXIT_PASS; i++)
        status = judging_add_file(j, o->list[OPT_EXPECT].texts[i]);
    if (status == EXIT_PASS && j->n == 0 && !option_on(o, OPT_ALL_COVERED) && !option_on(o, OPT_NO_REJECTS) &&
        o->list[OPT_CATALOG].n == 0) {
        log_error(
            "no expectation is given: add one, as in: statwit expect 'incr login.attempt sum == 1', or a file "
            "of them with -f");
        status = EXIT_USAGE;
    }
    status = status == EXIT_PASS ? judging_check(j, o) : status;
    return status == EXIT_PASS ? naming_check(o) : status;
}

/* With --catalog alone there is nothing to judge but names and tags. */
static bool only_catalog(const struct options *o, const struct judging *j) {
    return j->n == 0 && !judging_all_covered(o) && !option_on(o, OPT_NO_REJECTS);
}

int expect_command(const struct options *o) {
    struct judging j = {0};
    json_t *report = NULL;
    int status = collect(o, &j);
    if (status == EXIT_PASS && only_catalog(o, &j))
        report = naming_empty_report();
    else if (status == EXIT_PASS && rows_from_file(o))
        status = judging_read(&j, o, &report);
    else if (status == EXIT_PASS) {
        struct remote remote;
        status = remote_open(&remote, o);
        if (status == EXIT_PASS)
            status = judging_ask(&j, o, &remote, &report);
        remote_close(&remote);
    }
    if (status == EXIT_PASS)
        status = naming_extend(o, NULL, report);
    if (status == EXIT_PASS)
        status = judging_show(o, report);
    json_decref(report);
    judging_free(&j);
    return status;
}
