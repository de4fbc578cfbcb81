/* statwit value: one number, for a script. */
#include "command/commands.h"
#include "command/judging.h"
#include "command/rows.h"
#include "core/log.h"
#include "core/number.h"

/* The number as short as it can be without being another one; a status as its word. False: there is none. */
static bool print_observed(const json_t *observed) {
    char text[NUMBER_SIZE];
    if (json_is_string(observed))
        return puts(json_string_value(observed)) >= 0;
    if (!json_is_number(observed))
        return false;
    number_format(json_number_value(observed), text);
    return puts(text) >= 0;
}

static int show(const json_t *report) {
    const json_t *result = json_array_get(json_object_get(report, "results"), 0);
    const json_t *clause = json_array_get(json_object_get(result, "clauses"), 0);
    struct span why = row_text(result, "why");
    bool known = print_observed(json_object_get(clause, "observed"));
    if (span_eq(row_text(report, "verdict"), SPAN("inconclusive"))) {
        log_error("%.*s", SPAN_ARG(why));
        return EXIT_INCONCLUSIVE;
    }
    if (known)
        return EXIT_PASS;
    log_error("%.*s", SPAN_ARG(why));
    return EXIT_FAIL;
}

int value_command(const struct options *o) {
    struct judging j = {.values = true};
    json_t *report = NULL;
    int status = judging_add_text(&j, o->args[0]);
    if (status == EXIT_PASS)
        status = judging_check(&j, o);
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
        status = show(report);
    json_decref(report);
    judging_free(&j);
    return status;
}
