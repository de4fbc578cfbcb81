/* statwit push: a recording into a fleet's ClickHouse. */
#include "command/commands.h"
#include "command/labels.h"
#include "command/pushing.h"
#include "core/log.h"
#include "store/open.h"
#include <stdlib.h>
#include <string.h>

static const char *target_of(const struct options *o) {
    const char *to = option_text(o, OPT_TO);
    return to ? to : getenv("STATWIT_PUSH");
}

/* --- the command -------------------------------------------------------------------------------------------- */

static int push_file(const struct options *o, const char *path, struct push_options *push) {
    struct err err = {0};
    struct push_result result;
    bool usage;
    if (reader_is_url(path)) {
        log_error("push takes the file of a recording, not %s", path);
        return EXIT_USAGE;
    }
    struct reader *from = reader_open(path, NULL, 0, &usage, &err);
    if (!from) {
        log_error("%s", err.text);
        return EXIT_CANNOT;
    }
    if (from->ops->note(from))
        log_info("%s %s", path, from->ops->note(from));
    pushing_show_progress(o, push);
    int status = push_run(from, push, &result, &err) == 0 ? EXIT_PASS : EXIT_CANNOT;
    reader_close(from);
    if (status == EXIT_PASS)
        pushing_tell(o, push, &result);
    else {
        char place[PUSHING_PLACE];
        log_error("not pushed to %s: %s", pushing_place(&push->url, place), pushing_why(push, &err));
    }
    return status;
}

static int make_tables(const struct options *o, const struct push_options *push) {
    struct err err = {0};
    if (push_init(push, &err) != 0) {
        log_error("%s", err.text);
        return EXIT_CANNOT;
    }
    char place[PUSHING_PLACE];
    if (!option_on(o, OPT_QUIET))
        log_info("%s has the tables of statwit", pushing_place(&push->url, place));
    return EXIT_PASS;
}

static bool cluster_is_name(const char *text) {
    return text[0] && strlen(text) <= 64 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(text);
}

int push_command(const struct options *o) {
    struct labels labels = {0};
    struct push_options push = {.init = option_on(o, OPT_INIT),
                                .cluster = option_text(o, OPT_CLUSTER),
                                .ca_file = option_text(o, OPT_CA_FILE),
                                .with_requests = option_on(o, OPT_WITH_REQUESTS),
                                .patience_ns = option_number(o, OPT_TIMEOUT)};
    const char *path = o->n_args ? o->args[0] : option_text(o, OPT_DB);
    int status = pushing_target(target_of(o), &push);
    if (status == EXIT_PASS && push.cluster && (!push.init || !cluster_is_name(push.cluster))) {
        log_error("--cluster takes the name of a cluster, in letters, digits and _, together with --init");
        status = EXIT_USAGE;
    }
    if (status == EXIT_PASS && !path && !push.init) {
        log_error("statwit push needs a recording: statwit push FILE");
        status = EXIT_USAGE;
    }
    if (status == EXIT_PASS)
        status = labels_collect(o, &labels, &push);
    if (status == EXIT_PASS)
        status = path ? push_file(o, path, &push) : make_tables(o, &push);
    labels_free(&labels);
    return status;
}
