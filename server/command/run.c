/* statwit run: a private recorder around one command. */
#include "command/child.h"
#include "command/commands.h"
#include "command/file.h"
#include "command/judging.h"
#include "command/naming.h"
#include "command/pushing.h"
#include "command/recorder.h"
#include "command/refused.h"
#include "command/rows.h"
#include "command/table.h"
#include "core/log.h"
#include <inttypes.h>
#include <unistd.h>

static bool asked(const struct options *o, const struct judging *j) {
    return j->n > 0 || option_on(o, OPT_ALL_COVERED) || option_on(o, OPT_NO_REJECTS) ||
           o->list[OPT_CATALOG].n > 0;
}

/* Refuses a report of nothing, and options that stand behind the command and would go to it in silence. */
static int check_asked(const struct options *o, const struct judging *j) {
    static const enum option_id judging[] = {OPT_JUNIT, OPT_TAP, OPT_JSON_FILE, OPT_WITHIN, OPT_SETTLE};
    for (size_t i = 0; i < sizeof judging / sizeof judging[0] && !asked(o, j); i++)
        if (option_given(o, judging[i]) && o->value[judging[i]].from == FROM_FLAG) {
            log_error("nothing is judged: add --expect, --all-covered, --no-rejects or --catalog");
            return EXIT_USAGE;
        }
    if (file_is_stdout(option_text(o, OPT_JUNIT)) && file_is_stdout(option_text(o, OPT_JSON_FILE))) {
        log_error("--junit and --json-file cannot both be stdout");
        return EXIT_USAGE;
    }
    for (int i = 1; i < o->n_args && !o->dashes; i++)
        if (option_find(o->command, o->args[i]))
            log_warning(
                "%s is for %s, as it comes behind it; statwit run's own options come first, and -- ends them",
                o->args[i], o->args[0]);
    return EXIT_PASS;
}

/* --expect: a file, or else an expectation, which has blanks in it. */
static int collect(const struct options *o, struct judging *j) {
    int status = EXIT_PASS;
    for (size_t i = 0; i < o->list[OPT_EXPECT].n && status == EXIT_PASS; i++) {
        const char *text = o->list[OPT_EXPECT].texts[i];
        bool file = access(text, F_OK) == 0 || !strchr(text, ' ');
        status = file ? judging_add_file(j, text) : judging_add_text(j, text);
    }
    if (status == EXIT_PASS)
        status = check_asked(o, j);
    if (status == EXIT_PASS)
        status = judging_check(j, o);
    if (status == EXIT_PASS)
        status = pushing_check(o);
    return status == EXIT_PASS ? naming_check(o) : status;
}

/* A signal ends the recorder while it is still asked: what asks has the address and the token to itself. */
struct verdict_work {
    const struct options *o;
    const struct judging *j;
    char url[160], token[sizeof((struct recorder *)NULL)->token];
    bool stopped;   /* the command was, and has nothing more to come: then nothing is waited for */
    json_t *report; /* NULL: nothing was judged, or a signal came first */
    int status;
};

static bool pushes(const struct options *o) {
    const char *to = option_text(o, OPT_PUSH);
    return to && to[0];
}

/* A report that says later what became of the push is written twice, so that it is there whatever happens meanwhile. */
static int show(struct verdict_work *w, json_t *report) {
    int status = judging_print(w->o, report, stderr);
    int failed = judging_write(w->o, report, pushes(w->o) ? JUDGING_FIRST : JUDGING_LAST);
    w->report = json_incref(report);
    return failed && status == EXIT_PASS ? EXIT_CANNOT : status;
}

/* Through the front door: one way to judge, for everybody. */
static int judge(struct verdict_work *w) {
    const struct options *o = w->o;
    const struct judging *j = w->j;
    struct options to = *o;
    if (w->stopped)
        to.value[OPT_WITHIN] = to.value[OPT_SETTLE] = (struct option_value){.text = "0"};
    struct remote remote;
    json_t *report = NULL;
    to.value[OPT_URL].text = w->url;
    to.value[OPT_TOKEN].text = w->token; /* "": none, whatever STATWIT_TOKEN is for */
    int status = remote_open(&remote, &to);
    if (status == EXIT_PASS && (j->n || judging_all_covered(o) || option_on(o, OPT_NO_REJECTS)))
        status = judging_ask(j, &to, &remote, &report);
    else if (status == EXIT_PASS)
        report = naming_empty_report();
    if (!option_given(o, OPT_SESSION))
        to.value[OPT_SESSION].text = EVERY_SESSION;
    if (status == EXIT_PASS)
        status = naming_extend(&to, &remote, report);
    remote_close(&remote);
    if (status == EXIT_PASS)
        status = show(w, report);
    json_decref(report);
    return status;
}

/* --- what the report doesn't say ---------------------------------------------------------------------------- */

struct unjudged {
    struct span judged;
    uint64_t samples, others, sessions;
};

static int count_unjudged(void *arg, const struct session_row *row) {
    struct unjudged *u = arg;
    uint64_t others = row->events + row->checks;
    if (span_eq(row->name, u->judged) || row->samples + others == 0)
        return 0;
    u->samples += row->samples;
    u->others += others;
    u->sessions++;
    return 0;
}

/* Tests with a session each, and claims about the session default: all would be green, whatever they sent. */
static void tell_unjudged(const struct recorder *r, const struct options *o, const struct judging *j) {
    const char *session = rows_session(o);
    bool everywhere =
        j->no_everywhere && (j->has_no || option_on(o, OPT_ALL_COVERED) || o->list[OPT_CATALOG].n);
    struct unjudged u = {.judged = span_str(session)};
    struct err err = {0};
    if (everywhere || j->has_session || strcmp(session, EVERY_SESSION) == 0)
        return;
    struct reader *reader = store_reader_take(r->store, &err);
    if (reader && reader->ops->begin(reader, &err) == 0) {
        reader->ops->sessions(reader, count_unjudged, &u, &err);
        reader->ops->end(reader);
    }
    if (reader)
        store_reader_give(r->store, reader);
    uint64_t n = u.samples + u.others;
    if (n)
        log_warning("%" PRIu64 " %s%s in %" PRIu64
                    " other session%s %s not judged: --session '*' judges all sessions as one, "
                    "`no` claims and --catalog look at every session",
                    n, u.others ? "record" : "sample", n == 1 ? "" : "s", u.sessions,
                    u.sessions == 1 ? "" : "s", n == 1 ? "was" : "were");
}

/* In production these would be lost, whatever a test says. */
static void tell_keyless(const struct recorder *r) {
    uint64_t n = http_keyless(r->http);
    if (n)
        log_warning("%" PRIu64 " request%s had no API key, so %s refused as Datadog would (403): "
                    "DD_API_KEY says which key to send, --accept-no-key takes them without",
                    n, n == 1 ? "" : "s", n == 1 ? "it was" : "they were");
}

/* What was kept can be looked at. */
static void tell_view(const char *db) {
    if (strcmp(db, ":memory:") == 0)
        return;
    struct buf quoted = {.max = 64 << 10};
    text_quoted(&quoted, db);
    log_info("`statwit view %s%s` shows what was recorded, and the verdicts", db[0] == '-' ? "./" : "",
             quoted.p ? quoted.p : db);
    buf_free(&quoted);
}

static uint64_t count_lost(const struct store_stats *stats) {
    uint64_t lost = 0;
    for (int i = 0; i < LOSS_N; i++)
        lost += loss_kinds((enum loss)i) == LOST_IN_DOUBT ? 0 : stats->losses[i];
    return lost;
}

/* Warnings that the report does not hold, although claims may hold or fail because of them. */
static void tell_more(const struct recorder *r, const char *db) {
    struct store_stats stats;
    pipeline_stats(r->pipeline, r->store, &stats);
    if (stats.samples + stats.events + stats.checks + stats.rejects + count_lost(&stats) == 0)
        log_warning(
            "nothing at all was received: does the command send where DD_AGENT_HOST and DD_DOGSTATSD_PORT, "
            "DD_DOGSTATSD_URL, STATSD_HOST or DD_URL say?");
    tell_keyless(r);
    refused_tell(r, stats.rejects, db);
}

/* Without expectations: what there was. */
static void summarize(const struct recorder *r, const char *db) {
    struct store_stats stats;
    struct err err = {0};
    uint64_t last_id;
    ingest_barrier(r->ingest, INGEST_ALL, &last_id, &err);
    pipeline_stats(r->pipeline, r->store, &stats);
    log_info("recorded %" PRIu64 " sample%s in %" PRIu64 " series; %" PRIu64 " refused, %" PRIu64 " lost",
             stats.samples, stats.samples == 1 ? "" : "s", stats.series, stats.rejects, count_lost(&stats));
    tell_keyless(r);
    refused_tell(r, stats.rejects, db);
}

static void judge_after(void *arg) {
    struct verdict_work *w = arg;
    w->status = judge(w);
}

/* --- pushing -------------------------------------------------------------------------------------------------- */

struct push_work {
    const struct options *o;
    const struct recorder *r;
    json_t *told;
    atomic_bool stop;
    int status;
};

static void push_now(void *arg) {
    struct push_work *w = arg;
    const char *db = option_text(w->o, OPT_DB);
    struct err err = {0};
    uint64_t last_id;
    ingest_barrier(w->r->ingest, INGEST_ALL, &last_id, &err);
    struct reader *from = store_reader_take(w->r->store, &err);
    if (!from) {
        log_error("%s", err.text);
        w->status = option_on(w->o, OPT_PUSH_REQUIRED) ? EXIT_CANNOT : EXIT_PASS;
        return;
    }
    w->status = pushing_after(w->o, from, strcmp(db, ":memory:") == 0 ? NULL : db, &w->stop, &w->told);
    store_reader_give(w->r->store, from);
}

/* The verdict stands, whatever comes of this. Gives the report back. */
static int push_recording(const struct options *o, const struct recorder *r, json_t *report, int *ended_by) {
    struct push_work work = {.o = o, .r = r, .status = EXIT_PASS};
    if (pushes(o)) {
        *ended_by = child_after(push_now, &work);
        if (*ended_by) {
            work.stop = true;
            child_join();
        }
    }
    if (work.told && report)
        json_object_set(report, "push", work.told);
    if (pushes(o) && report && judging_write(o, report, JUDGING_LAST) != 0 && work.status == EXIT_PASS)
        work.status = EXIT_CANNOT;
    json_decref(work.told);
    json_decref(report);
    return work.status;
}

/* *ended_by: the signal that came while it was judged; 0: none. */
static int run_child(const struct options *o, const struct recorder *r, const struct judging *j,
                     int *ended_by) {
    char url[sizeof r->session.at.unixgram + 16];
    snprintf(url, sizeof url, "unix://%s", r->session.at.unixgram);
    struct child_options child = {
        .argv = o->args,
        .environment = &r->environment,
        .dogstatsd_url = option_on(o, OPT_SOCKET) ? url : NULL,
        .timeout_ns = option_number(o, OPT_TIMEOUT),
        .kill_after_ns = option_number(o, OPT_KILL_AFTER),
    };
    struct err err = {0};
    int status = 0;
    bool timed_out;
    if (child_run(&child, &status, &timed_out, &err) != 0) {
        log_error("%s", err.text);
        return EXIT_CANNOT;
    }
    if (timed_out)
        log_error("%s did not end within --timeout %s", o->args[0], option_text(o, OPT_TIMEOUT));
    static struct verdict_work work; /* outlives us when a signal comes first */
    work = (struct verdict_work){.o = o, .j = j, .stopped = timed_out || status > 128, .status = EXIT_PASS};
    snprintf(work.url, sizeof work.url, "%s", http_url(r->http));
    memcpy(work.token, r->token, sizeof work.token);
    if (!asked(o, j))
        summarize(r, option_text(o, OPT_DB));
    else {
        *ended_by = child_after(judge_after, &work);
        if (*ended_by) { /* `work` is still being written to */
            log_error("ended by %s while it judged: there is no verdict", child_signal_name(*ended_by));
            return 128 + *ended_by;
        }
        tell_more(r, option_text(o, OPT_DB));
        if (work.status != EXIT_USAGE && work.status != EXIT_CANNOT)
            tell_unjudged(r, o, j);
    }
    if (timed_out || status || work.status)
        tell_view(option_text(o, OPT_DB));
    int pushed = push_recording(o, r, work.report, ended_by);
    return timed_out ? EXIT_TIMEOUT : status ? status : work.status ? work.status : pushed;
}

int run_command(const struct options *o) {
    struct judging j = {0};
    struct err err = {0};
    int ended_by = 0;
    log_set_level(option_on(o, OPT_QUIET) ? LOG_ERROR
                                          : (enum log_level)log_level_of(option_text(o, OPT_LOG_LEVEL)));
    int status = collect(o, &j);
    j.no_everywhere = !option_given(o, OPT_SESSION);
    if (status == EXIT_PASS) {
        child_block();
        struct recorder *r = recorder_start(o, &err);
        if (r)
            status = run_child(o, r, &j, &ended_by);
        else {
            log_error("%s", err.text);
            status = EXIT_CANNOT;
        }
        recorder_stop(r);
        if (ended_by) /* the judging thread may still look at what is ours: nothing is given back */
            child_end_by(ended_by);
    }
    judging_free(&j);
    return status;
}
