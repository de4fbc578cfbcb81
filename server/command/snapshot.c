/* statwit snapshot: what a session recorded, as a file beside the test. */
#include "catalog/snapshot.h"

#include "command/commands.h"
#include "command/judging.h"
#include "command/naming.h"
#include "command/rows.h"
#include "command/table.h"
#include "core/log.h"
#include <stdlib.h>
#include <unistd.h>

/* The flags; else what the file has that is to be updated. */
static json_t *question_of(const struct options *o, const struct snapshot *old) {
    bool flags = option_on(o, OPT_COUNTS) || option_on(o, OPT_VALUES) || option_given(o, OPT_MASK);
    json_t *question = json_object();
    if (flags || !old) {
        json_object_set_new(question, "counts", json_boolean(option_on(o, OPT_COUNTS)));
        json_object_set_new(question, "values", json_boolean(option_on(o, OPT_VALUES)));
        if (option_given(o, OPT_MASK))
            json_object_set_new(question, "mask", json_string(option_text(o, OPT_MASK)));
    } else {
        json_object_set_new(question, "counts", json_boolean(old->options.counts));
        json_object_set_new(question, "values", json_boolean(old->options.values));
        if (old->options.mask.n)
            json_object_set_new(question, "mask", json_stringn(old->options.mask.p, old->options.mask.n));
    }
    return question;
}

static int write_snapshot(const struct options *o, const char *path, const struct snapshot *old) {
    json_t *question = question_of(o, old), *answer = NULL;
    int status = naming_ask(o, ASK_SNAPSHOT, question, NULL, &answer);
    if (status == EXIT_PASS)
        status = naming_write(path, row_text(answer, "snapshot"));
    json_decref(question);
    json_decref(answer);
    return status;
}

static int read_snapshot(const char *path, struct buf *text, struct snapshot **s) {
    struct catalog_error error = {0};
    int status = naming_read(path, SNAPSHOT_MAX, text);
    if (status != EXIT_PASS)
        return status;
    *s = snapshot_parse(path, buf_view(text), &error);
    if (*s)
        return EXIT_PASS;
    naming_print_error(&error);
    return EXIT_USAGE;
}

static void print_diff(const struct options *o, const json_t *report) {
    struct span diff = row_text(report, "diff");
    if (!option_on(o, OPT_JSON) && !option_on(o, OPT_TAP) && diff.n)
        text_write(judging_output(o), diff);
}

static int check(const struct options *o, const char *path, struct span text) {
    json_t *question = json_pack("{s:s%, s:s}", "check", text.p, text.n, "file", path), *report = NULL;
    if (!question) {
        log_error("%s is not UTF-8", path);
        return EXIT_USAGE;
    }
    int status = naming_ask(o, ASK_SNAPSHOT, question, NULL, &report);
    if (status == EXIT_PASS) {
        print_diff(o, report);
        status = judging_show(o, report);
    }
    json_decref(question);
    json_decref(report);
    return status;
}

/* In CI a test must compare, not agree with whatever came. */
static bool in_ci(void) {
    const char *ci = getenv("CI");
    return ci && ci[0] && strcmp(ci, "false") != 0 && strcmp(ci, "0") != 0;
}

int snapshot_command(const struct options *o) {
    const char *path = o->n_args ? o->args[0] : NULL;
    bool checks = option_on(o, OPT_CHECK), updates = option_on(o, OPT_UPDATE);
    if ((checks || updates) && (!path || checks == updates)) {
        log_error(path ? "--check or --update, not both" : "--check and --update need the snapshot's file");
        return EXIT_USAGE;
    }
    bool exists = path && access(path, F_OK) == 0;
    if (path && !checks && in_ci()) {
        log_error("CI is set: a snapshot is not written there; --check compares it");
        return EXIT_USAGE;
    }
    if (exists && !checks && !updates) {
        log_error("%s is there already: --check compares it, --update rewrites it", path);
        return EXIT_USAGE;
    }
    struct buf text = {0};
    struct snapshot *old = NULL;
    int status = checks || exists ? read_snapshot(path, &text, &old) : EXIT_PASS;
    if (status == EXIT_PASS)
        status = checks ? check(o, path, buf_view(&text)) : write_snapshot(o, path, old);
    snapshot_free(old);
    buf_free(&text);
    return status;
}
