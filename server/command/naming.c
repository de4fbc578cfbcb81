#include "command/naming.h"

#include "command/file.h"
#include "command/rows.h"
#include "command/table.h"
#include "core/file.h"
#include "core/log.h"
#include "flushed/flushed.h"
#include "store/store.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* --- files ----------------------------------------------------------------------------------------------- */

int naming_read(const char *path, size_t max, struct buf *text) {
    struct err err = {0};
    int result = strcmp(path, "-") == 0 ? file_read_from(STDIN_FILENO, path, max, text, &err)
                                        : file_read(path, max, text, &err);
    if (result == 0)
        return EXIT_PASS;
    log_error("%s", err.text);
    return EXIT_USAGE;
}

int naming_write(const char *path, struct span text) {
    struct err err = {0};
    if (!path || file_is_stdout(path))
        text_write(stdout, text);
    else if (file_replace(path, text, &err) != 0) {
        log_error("%s", err.text);
        return EXIT_CANNOT;
    }
    return EXIT_PASS;
}

void naming_print_error(const struct catalog_error *e) {
    struct buf text = {.max = 65536};
    catalog_error_print(e, &text);
    log_error("%.*s", SPAN_ARG(buf_view(&text)));
    buf_free(&text);
}

/* --- catalogs -------------------------------------------------------------------------------------------- */

/* Keeps what it opens. */
static char *open_and_keep(void *arg, const char *path, size_t *n, struct err *err) {
    json_t *files = arg;
    char *text = catalog_open_file(NULL, path, n, err);
    json_t *kept = text ? json_stringn(text, *n) : NULL;
    if (text && !kept)
        err_set(err, 0, "%s is not UTF-8", path);
    if (text &&
        (!kept || json_array_append_new(files, json_pack("{s:s, s:o}", "file", path, "text", kept)) != 0)) {
        free(text);
        return NULL;
    }
    return text;
}

/* One file that includes them all, where there are several. */
static int add_root(json_t *files, size_t n, const char *const *paths) {
    json_t *include = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(include, json_string(paths[i]));
    json_t *root = json_pack("{s:o}", "include", include);
    char *text = root ? json_dumps(root, 0) : NULL;
    json_t *file = text ? json_pack("{s:s, s:s}", "file", "all catalogs", "text", text) : NULL;
    int failed = json_array_insert_new(files, 0, file);
    free(text);
    json_decref(root);
    return failed;
}

int naming_catalogs(size_t n, const char *const *paths, json_t **files) {
    struct catalog_error error = {0};
    *files = json_array();
    struct catalog *c = catalog_load(n, paths, open_and_keep, *files, &error);
    int status = EXIT_PASS;
    if (!c) {
        naming_print_error(&error);
        status = EXIT_USAGE;
    } else if (n > 1 && add_root(*files, n, paths) != 0) {
        log_error("cannot send the names of the catalogs: they are not UTF-8");
        status = EXIT_USAGE;
    }
    catalog_free(c);
    if (status != EXIT_PASS) {
        json_decref(*files);
        *files = NULL;
    }
    return status;
}

/* --- asking ---------------------------------------------------------------------------------------------- */

static const char *const paths[] = {
    [ASK_VERIFY] = "/recorder/v1/verify",     [ASK_LINT] = "/recorder/v1/lint",
    [ASK_SNAPSHOT] = "/recorder/v1/snapshot", [ASK_INFER] = "/recorder/v1/infer",
    [ASK_DIFF] = "/recorder/v1/diff",
};

int naming_histograms(const struct options *o, struct agent_histogram_options *histograms) {
    struct err err = {0};
    if (agent_histogram_read(histograms, option_text(o, OPT_HISTOGRAM_AGGREGATES),
                             option_text(o, OPT_HISTOGRAM_PERCENTILES), &err) == 0)
        return EXIT_PASS;
    log_error("--histogram-aggregates, --histogram-percentiles: %s", err.text);
    return EXIT_USAGE;
}

int naming_no_histograms(const struct options *o) {
    bool given = o->value[OPT_HISTOGRAM_AGGREGATES].from == FROM_FLAG ||
                 o->value[OPT_HISTOGRAM_PERCENTILES].from == FROM_FLAG;
    if (!given || !option_groups_have(&o->command->groups, TAKES_DB_VIEW))
        return EXIT_PASS;
    log_error(
        "--histogram-aggregates and --histogram-percentiles go with --db: a server has those that `serve` was given");
    return EXIT_USAGE;
}

static json_t *answer_from(struct catalog_question *q, struct reader *r,
                           const struct agent_histogram_options *histograms, struct err *err) {
    struct flushed_options options = {.histograms = histograms};
    if (!catalog_question_as_datadog(q, &options.session, &options.since))
        return catalog_question_answer(q, r, err);
    struct reader *view = flushed_open(r, &options, err);
    json_t *answer = view ? catalog_question_answer(q, view, err) : NULL;
    reader_close(view);
    return answer;
}

static int answer_in(struct catalog_question *q, struct reader *r, const struct options *o, json_t **answer) {
    struct err err = {0};
    struct agent_histogram_options histograms;
    if (naming_histograms(o, &histograms) != EXIT_PASS)
        return EXIT_USAGE;
    int status = r->ops->begin(r, &err) == 0 ? EXIT_PASS : EXIT_CANNOT;
    if (status == EXIT_PASS) {
        status = rows_find_session(r, o, span_str(rows_session(o)), &err);
        if (status == EXIT_PASS) {
            *answer = answer_from(q, r, &histograms, &err);
            status = *answer ? EXIT_PASS : EXIT_CANNOT;
        }
        r->ops->end(r);
    }
    if (status != EXIT_PASS)
        log_error("%s", err.text);
    return status;
}

static int ask_file(const struct options *o, enum catalog_kind kind, const json_t *question,
                    json_t **answer) {
    struct catalog_error error = {0};
    struct catalog_question *q = catalog_question_new(kind, question, &error);
    if (!q) {
        naming_print_error(&error);
        return EXIT_USAGE;
    }
    int status;
    struct reader *r = rows_open_file(o, &status);
    if (r)
        status = answer_in(q, r, o, answer);
    reader_close(r);
    catalog_question_free(q);
    return status;
}

/* Answers without a `text`: a snapshot, a catalog, a diff. */
static void tell_earlier(enum catalog_kind kind, const json_t *answer) {
    json_int_t n = json_integer_value(json_object_get(answer, "earlier"));
    if (n > 0 && !json_object_get(answer, "verdict"))
        log_info("left out: %lld record%s of earlier runs%s", (long long)n, n == 1 ? "" : "s",
                 kind == ASK_DIFF ? "" : " (--since 0 takes them in)");
}

bool naming_lost(const json_t *answer, const char *side) {
    const json_t *losses = json_object_get(answer, "losses");
    bool lost = false;
    for (size_t i = 0; i < json_array_size(losses); i++) {
        const json_t *one = json_array_get(losses, i);
        int loss = loss_of(row_text(one, "loss")); /* -1: "client" */
        bool doubt = loss >= 0 && loss_kinds((enum loss)loss) == LOST_IN_DOUBT;
        lost |= !doubt && (!side || span_eq(row_text(one, "side"), span_str(side)));
    }
    return lost;
}

static void tell_losses(const json_t *answer) {
    const json_t *losses = json_object_get(answer, "losses");
    for (size_t i = 0; i < json_array_size(losses) && !json_object_get(answer, "verdict"); i++) {
        const json_t *one = json_array_get(losses, i);
        struct span text = row_text(one, "text"), detail = row_text(one, "detail");
        log_warning("lost, so that it is not in here: %lld %.*s%s%.*s%s",
                    (long long)json_integer_value(json_object_get(one, "n")), (int)text.n,
                    text.n ? text.p : "", detail.n ? " (" : "", (int)detail.n, detail.n ? detail.p : "",
                    detail.n ? ")" : "");
    }
}

static int ask_server(const struct options *o, enum catalog_kind kind, const json_t *question,
                      struct remote *remote, json_t **answer) {
    struct remote own;
    int status = naming_no_histograms(o);
    if (status == EXIT_PASS && !remote)
        status = remote_open(&own, o);
    if (status == EXIT_PASS)
        status = remote_call(remote ? remote : &own, NULL, paths[kind], question, answer);
    if (status == EXIT_PASS)
        tell_earlier(kind, *answer);
    if (!remote)
        remote_close(&own);
    return status;
}

int naming_ask(const struct options *o, enum catalog_kind kind, json_t *question, struct remote *remote,
               json_t **answer) {
    bool scoped = kind != ASK_DIFF;
    if (scoped && option_given(o, OPT_SESSION))
        json_object_set_new(question, "session", json_string(option_text(o, OPT_SESSION)));
    if (scoped && option_given(o, OPT_SINCE))
        json_object_set_new(question, "since", json_integer(option_number(o, OPT_SINCE)));
    if (scoped && option_given(o, OPT_AS))
        json_object_set_new(question, "as", json_string(option_text(o, OPT_AS)));
    int status = !remote && rows_from_file(o) ? ask_file(o, kind, question, answer)
                                              : ask_server(o, kind, question, remote, answer);
    if (status == EXIT_PASS)
        tell_losses(*answer);
    return status;
}

/* --- expect and run -------------------------------------------------------------------------------------- */

static json_t *verify_question(const struct options *o, json_t *files) {
    json_t *question = json_pack("{s:o, s:b}", "catalog", files, "strict", option_on(o, OPT_STRICT));
    if (option_given(o, OPT_PREFIX))
        json_object_set_new(question, "prefix", json_string(option_text(o, OPT_PREFIX)));
    if (option_given(o, OPT_NEAR))
        json_object_set_new(question, "near", json_real(o->value[OPT_NEAR].share));
    if (option_given(o, OPT_IGNORE_TAGS))
        json_object_set_new(question, "ignore_tags", json_string(option_text(o, OPT_IGNORE_TAGS)));
    return question;
}

int naming_verify(const struct options *o, struct remote *remote, json_t **answer) {
    json_t *files = NULL;
    int status = naming_catalogs(o->list[OPT_CATALOG].n, o->list[OPT_CATALOG].texts, &files);
    if (status != EXIT_PASS)
        return status;
    json_t *question = verify_question(o, files);
    status = naming_ask(o, ASK_VERIFY, question, remote, answer);
    json_decref(question);
    return status;
}

int naming_check(const struct options *o) {
    json_t *files = NULL;
    int status = o->list[OPT_CATALOG].n
                     ? naming_catalogs(o->list[OPT_CATALOG].n, o->list[OPT_CATALOG].texts, &files)
                     : EXIT_PASS;
    json_decref(files);
    return status;
}

/* Fail before inconclusive before pass. */
static int weight(const json_t *report) {
    struct span verdict = row_text(report, "verdict");
    return span_eq(verdict, SPAN("fail")) ? 2 : span_eq(verdict, SPAN("pass")) ? 0 : 1;
}

json_t *naming_empty_report(void) {
    return json_pack("{s:s, s:[], s:[]}", "verdict", "pass", "results", "losses");
}

int naming_extend(const struct options *o, struct remote *remote, json_t *report) {
    json_t *answer = NULL;
    if (o->list[OPT_CATALOG].n == 0)
        return EXIT_PASS;
    int status = naming_verify(o, remote, &answer);
    if (status == EXIT_PASS) {
        json_array_extend(json_object_get(report, "results"), json_object_get(answer, "results"));
        if (weight(answer) > weight(report))
            json_object_set(report, "verdict", json_object_get(answer, "verdict"));
        if (json_array_size(json_object_get(report, "losses")) == 0)
            json_object_set(report, "losses", json_object_get(answer, "losses"));
        json_object_del(report, "text");
    }
    json_decref(answer);
    return status;
}
