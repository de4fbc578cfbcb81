#include "command/judging.h"

#include "command/file.h"
#include "command/naming.h"
#include "command/rows.h"
#include "command/table.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/utf8.h"
#include "flushed/flushed.h"
#include "report/report.h"
#include "store/store.h"
#include <errno.h>
#include <unistd.h>

#define REPORT_MAX ((size_t)256 << 20)

/* --- expectations ---------------------------------------------------------------------------------------- */

static int add_source(struct judging *j, struct span text, struct span file, struct buf kept) {
    struct judge_source *sources = realloc(j->sources, (j->n + 1) * sizeof *sources);
    struct buf *texts = realloc(j->texts, (j->n + 1) * sizeof *texts);
    j->sources = sources ? sources : j->sources;
    j->texts = texts ? texts : j->texts;
    if (!sources || !texts) {
        buf_free(&kept);
        log_error("out of memory");
        return EXIT_CANNOT;
    }
    j->sources[j->n] = (struct judge_source){.text = text, .file = file};
    j->texts[j->n++] = kept;
    return EXIT_PASS;
}

int judging_add_text(struct judging *j, const char *text) {
    return add_source(j, span_str(text), (struct span){NULL, 0}, (struct buf){0});
}

int judging_add_file(struct judging *j, const char *path) {
    struct buf text;
    if (naming_read(path, JUDGING_FILE_MAX, &text) == EXIT_PASS)
        return add_source(j, buf_view(&text), span_str(strcmp(path, "-") == 0 ? "stdin" : path), text);
    buf_free(&text);
    return EXIT_USAGE;
}

void judging_free(struct judging *j) {
    for (size_t i = 0; i < j->n; i++)
        buf_free(&j->texts[i]);
    free(j->texts);
    free(j->sources);
}

/* --- judging --------------------------------------------------------------------------------------------- */

/* Words that are often given instead of an expectation. */
static void explain_arguments(const struct options *o) {
    for (int i = 0; i < o->n_args; i++)
        if (access(o->args[i], F_OK) == 0) {
            log_error("%s is a file: -f reads expectations from it", o->args[i]);
            return;
        }
    if (o->n_args > 1 && !strchr(o->args[0], ' '))
        log_error("each expectation is one argument: quote it, as in 'incr login.attempt sum == 1'");
}

bool judging_all_covered(const struct options *o) {
    return option_on(o, OPT_ALL_COVERED) && o->list[OPT_CATALOG].n == 0;
}

static struct judge *parse(const struct judging *j, const struct options *o) {
    struct judge_options options = {
        .session = span_str(option_text(o, OPT_SESSION)),
        .since = (uint64_t)option_number(o, OPT_SINCE),
        .until = (uint64_t)option_number(o, OPT_UNTIL),
        .prefix = span_str(option_text(o, OPT_PREFIX)),
        .ignore_tags = span_str(option_text(o, OPT_IGNORE_TAGS)),
        .all_covered = judging_all_covered(o),
        .no_rejects = option_on(o, OPT_NO_REJECTS),
        .values = j->values,
        .as_datadog = option_given(o, OPT_AS),
    };
    struct judge_error error = {0};
    struct judge *judge = judge_parse(j->sources, j->n, &options, &error);
    if (judge)
        return judge;
    if (error.file.p)
        log_error("%.*s:%zu:%zu: %s", SPAN_ARG(error.file), error.line, error.column, error.message);
    else if (j->n == 1 && j->sources[0].file.p) /* of the file as a whole: it claims nothing */
        log_error("%.*s: %s", SPAN_ARG(j->sources[0].file), error.message);
    else
        log_error("%s", error.message);
    if (error.excerpt[0])
        fprintf(stderr, "%s\n", error.excerpt);
    if (!error.file.p && option_groups_have(&o->command->groups, TAKES_EXPECT))
        explain_arguments(o);
    return NULL;
}

static int check_wait(const struct options *o, enum option_id id, int64_t max_ms, const char *too_long) {
    if (option_number(o, id) <= max_ms * NS_PER_MS)
        return EXIT_PASS;
    log_error("'%.100s': %s", option_text(o, id), too_long);
    return EXIT_USAGE;
}

int judging_check(struct judging *j, const struct options *o) {
    int status = check_wait(o, OPT_WITHIN, JUDGE_WITHIN_MS_MAX, JUDGE_WITHIN_TOO_LONG);
    if (status == EXIT_PASS)
        status = check_wait(o, OPT_SETTLE, JUDGE_SETTLE_MS_MAX, JUDGE_SETTLE_TOO_LONG);
    if (status != EXIT_PASS ||
        (j->n == 0 && !option_on(o, OPT_NO_REJECTS))) /* --all-covered or --catalog alone */
        return status;
    struct judge *judge = parse(j, o);
    if (!judge)
        return EXIT_USAGE;
    j->waiting_ms = judge_within_ms(judge);
    j->has_no = judge_has_no(judge);
    j->has_session = judge_session_line(judge).p != NULL;
    judge_free(judge);
    return EXIT_PASS;
}

static json_t *make_report(struct judge *judge, struct reader *r, struct err *err) {
    return judge_start(judge, r, err) == 0 ? judge_report(judge, r, err) : NULL;
}

static json_t *make_report_as_datadog(struct judge *judge, struct reader *r, struct span session,
                                      const struct agent_histogram_options *histograms, struct err *err) {
    struct flushed_options options = {.session = session,
                                      .since = judge_since(judge),
                                      .until = judge_until(judge),
                                      .histograms = histograms};
    struct reader *view = flushed_open(r, &options, err);
    json_t *report = view ? make_report(judge, view, err) : NULL;
    reader_close(view);
    return report;
}

static int read_report(struct judge *judge, struct reader *r, const struct options *o, json_t **report) {
    struct err err = {0};
    struct agent_histogram_options histograms;
    if (naming_histograms(o, &histograms) != EXIT_PASS)
        return EXIT_USAGE;
    int status = r->ops->begin(r, &err) == 0 ? EXIT_PASS : EXIT_CANNOT;
    if (status == EXIT_PASS) {
        struct span line = judge_session_line(judge);
        struct span session = line.p ? line : span_str(rows_session(o));
        status = rows_find_session(r, o, session, &err);
        if (status == EXIT_PASS) {
            *report = judge_as_datadog(judge) ? make_report_as_datadog(judge, r, session, &histograms, &err)
                                              : make_report(judge, r, &err);
            status = *report ? EXIT_PASS : EXIT_CANNOT;
        }
        r->ops->end(r);
    }
    if (status != EXIT_PASS)
        log_error("%s", err.text);
    return status;
}

int judging_read(const struct judging *j, const struct options *o, json_t **report) {
    struct judge *judge = parse(j, o);
    if (!judge)
        return EXIT_USAGE;
    int status;
    struct reader *r = rows_open_file(o, &status);
    if (r)
        status = read_report(judge, r, o, report);
    reader_close(r);
    judge_free(judge);
    return status;
}

/* NULL where the bytes are not UTF-8. */
static json_t *make_source(const struct judge_source *source) {
    json_t *text = json_stringn(source->text.p, source->text.n);
    if (!text || !source->file.p)
        return text;
    return json_pack("{s:o, s:o}", "text", text, "file", json_stringn(source->file.p, source->file.n));
}

static json_t *make_question(const struct judging *j, const struct options *o) {
    json_t *question = json_object(), *list = json_array();
    json_object_set_new(question, "expect", list);
    for (size_t i = 0; i < j->n; i++)
        if (json_array_append_new(list, make_source(&j->sources[i])) != 0) {
            log_error("%.*s is not UTF-8",
                      SPAN_ARG(j->sources[i].file.p ? j->sources[i].file : SPAN("an expectation")));
            json_decref(question);
            return NULL;
        }
    if (option_given(o, OPT_SESSION))
        json_object_set_new(question, "session", json_string(option_text(o, OPT_SESSION)));
    if (option_given(o, OPT_SINCE))
        json_object_set_new(question, "since", json_integer(option_number(o, OPT_SINCE)));
    if (option_given(o, OPT_UNTIL))
        json_object_set_new(question, "until", json_integer(option_number(o, OPT_UNTIL)));
    if (option_given(o, OPT_WITHIN))
        json_object_set_new(question, "within_ms", json_integer(option_number(o, OPT_WITHIN) / NS_PER_MS));
    if (option_given(o, OPT_SETTLE))
        json_object_set_new(question, "settle_ms", json_integer(option_number(o, OPT_SETTLE) / NS_PER_MS));
    if (option_given(o, OPT_PREFIX))
        json_object_set_new(question, "prefix", json_string(option_text(o, OPT_PREFIX)));
    if (option_given(o, OPT_IGNORE_TAGS))
        json_object_set_new(question, "ignore_tags", json_string(option_text(o, OPT_IGNORE_TAGS)));
    json_object_set_new(question, "all_covered", json_boolean(judging_all_covered(o)));
    if (option_on(o, OPT_NO_REJECTS))
        json_object_set_new(question, "no_rejects", json_true());
    if (option_given(o, OPT_AS))
        json_object_set_new(question, "as", json_string(option_text(o, OPT_AS)));
    if (j->values)
        json_object_set_new(question, "value", json_true());
    if (j->no_everywhere)
        json_object_set_new(question, "no_everywhere", json_true());
    return question;
}

/* A verdict, and nothing beside it that says otherwise: who only looks like a recorder has passed nothing. */
static bool is_report(const json_t *report, bool claims) {
    struct span verdict = row_text(report, "verdict");
    const json_t *results = json_object_get(report, "results"), *result;
    bool pass = span_eq(verdict, SPAN("pass")), holds = json_is_array(results);
    size_t i;
    if (pass && claims && json_array_size(results) == 0)
        return false;
    json_array_foreach(results, i, result)
        holds = holds && (!pass || span_eq(row_text(result, "verdict"), SPAN("pass")));
    return holds && (pass || span_eq(verdict, SPAN("fail")) || span_eq(verdict, SPAN("inconclusive")));
}

int judging_ask(const struct judging *j, const struct options *o, struct remote *remote, json_t **report) {
    json_t *question = naming_no_histograms(o) == EXIT_PASS ? make_question(j, o) : NULL;
    if (!question)
        return EXIT_USAGE;
    int64_t settle_ms = option_number(o, OPT_SETTLE) / NS_PER_MS;
    int64_t waiting_ms =
        option_given(o, OPT_WITHIN) ? option_number(o, OPT_WITHIN) / NS_PER_MS : j->waiting_ms;
    waiting_ms = (waiting_ms > 0 ? waiting_ms : 0) + JUDGE_SETTLES_MAX * settle_ms;
    int status = remote_ask(remote, "/recorder/v1/expect", question, waiting_ms, report);
    json_decref(question);
    if (status == EXIT_PASS && !is_report(*report, j->n > 0)) {
        log_error("%s did not answer with a report: is it a statwit server?",
                  statwit_recorder_url(remote->recorder));
        status = EXIT_CANNOT;
    }
    return status;
}

/* --- showing --------------------------------------------------------------------------------------------- */

static void report_json(const json_t *report, struct buf *out) {
    char *text = json_dumps(report, JSON_COMPACT | JSON_REAL_PRECISION(17));
    buf_str(out, text ? text : "");
    buf_char(out, '\n');
    free(text);
}

static int print_file(struct span text, struct err *err) {
    errno = 0;
    if (text_write(stdout, text) && fflush(stdout) == 0)
        return 0;
    return err_set(err, errno, "cannot write the report to stdout");
}

/* 0, or -1 once the error was printed. */
static int write_file(const char *path, const json_t *report, enum judging_write when,
                      void (*render)(const json_t *, struct buf *)) {
    if (!path || (when == JUDGING_FIRST && !file_is_replaced(path)))
        return 0;
    struct buf text = {.max = REPORT_MAX};
    render(report, &text);
    struct err err = {0};
    int failed =
        file_is_stdout(path) ? print_file(buf_view(&text), &err) : file_replace(path, buf_view(&text), &err);
    if (failed)
        log_error("%s", err.text);
    buf_free(&text);
    return failed;
}

static bool coloured(FILE *to) {
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fileno(to)) && !(no && no[0]) && !(term && strcmp(term, "dumb") == 0);
}

/* A line under "closest" starts with what was received. */
static void write_report(FILE *to, struct span report) {
    struct buf text = {.max = REPORT_MAX};
    bool started = false;
    if (text_on_github())
        text_guard(&text, report, &started);
    else
        buf_span(&text, report);
    fwrite(text.p ? text.p : "", 1, text.n, to);
    buf_free(&text);
}

static void print_report(const struct options *o, const json_t *report, bool pass, FILE *to) {
    struct buf text = {.max = REPORT_MAX};
    if (option_on(o, OPT_JSON))
        report_json(report, &text);
    else if (option_on(o, OPT_TAP))
        report_tap(report, &text);
    else if (!pass || !option_on(o, OPT_QUIET))
        report_text(report, coloured(to), &text);
    if (option_on(o, OPT_JSON))
        text_write(to, buf_view(&text)); /* JSON lets most of what drives a terminal stand */
    else
        write_report(to, buf_view(&text));
    buf_free(&text);
}

static void print_annotations(const json_t *report) {
    if (!text_on_github())
        return;
    struct buf text = {.max = REPORT_MAX};
    report_github(report, &text);
    fwrite(text.p ? text.p : "", 1, text.n, stderr);
    buf_free(&text);
}

int judging_print(const struct options *o, const json_t *report, FILE *to) {
    struct span verdict = row_text(report, "verdict");
    bool pass = span_eq(verdict, SPAN("pass"));
    print_report(o, report, pass, to);
    fflush(to);
    print_annotations(report);
    return pass ? EXIT_PASS : span_eq(verdict, SPAN("fail")) ? EXIT_FAIL : EXIT_INCONCLUSIVE;
}

int judging_write(const struct options *o, const json_t *report, enum judging_write when) {
    int failed = write_file(option_text(o, OPT_JUNIT), report, when, report_junit);
    return write_file(option_text(o, OPT_JSON_FILE), report, when, report_json) | failed;
}

FILE *judging_output(const struct options *o) {
    return file_is_stdout(option_text(o, OPT_JUNIT)) ? stderr : stdout;
}

int judging_show(const struct options *o, const json_t *report) {
    int status = judging_print(o, report, judging_output(o));
    return judging_write(o, report, JUDGING_LAST) == 0 || status != EXIT_PASS ? status : EXIT_CANNOT;
}
