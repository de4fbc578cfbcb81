/* statwit expect: judge, and say why. */
#include "command/commands.h"
#include "command/judging.h"
#include "command/rows.h"
#include "core/log.h"

static int collect(const struct options *o, struct judging *j) {
    int status = EXIT_PASS;
    for (int i = 0; i < o->n_args && status == EXIT_PASS; i++)
        status = judging_add_text(j, o->args[i]);
    for (size_t i = 0; i < o->list[OPT_EXPECT].n && status == EXIT_PASS; i++)
        status = judging_add_file(j, o->list[OPT_EXPECT].texts[i]);
    if (status == EXIT_PASS && j->n == 0 && !option_on(o, OPT_ALL_COVERED)) {
        log_error(
            "what is expected? Give an expectation, as in: statwit expect 'incr login.attempt sum == 1', or a file "
            "of them with -f");
        status = EXIT_USAGE;
    }
    return status == EXIT_PASS ? judging_check(j, o) : status;
}

int expect_command(const struct options *o) {
    struct judging j = {0};
    json_t *report = NULL;
    int status = collect(o, &j);
    if (status == EXIT_PASS && rows_from_file(o))
        status = judging_read(&j, o, &report);
    else if (status == EXIT_PASS) {
        struct remote remote;
        status = remote_open(&remote, o);
        if (status == EXIT_PASS)
            status = judging_ask(&j, o, &remote, &report);
        remote_close(&remote);
    }
    if (status == EXIT_PASS)
        status = judging_show(o, report, stdout);
    json_decref(report);
    judging_free(&j);
    return status;
}
