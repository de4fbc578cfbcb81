/* Names and tags from C against the real server. Run by 05_client.bats in an empty folder, which it may write to. */
#define _POSIX_C_SOURCE 200809L
#include <statwit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct statwit_error error;
static struct statwit_recorder *recorder;
static struct statwit_session *session;
static int failures;

static void check(bool holds, int line, const char *what) {
    if (holds)
        return;
    failures++;
    fprintf(stderr, "client_names.c:%d: %s\n  error: %s\n", line, what, error.text);
}
#define CHECK(condition)  check((condition), __LINE__, #condition)
#define HAS(text, needle) check(strstr((text), (needle)) != NULL, __LINE__, (text))
#define IS(text, wanted)  check((text) && strcmp((text), (wanted)) == 0, __LINE__, (text) ? (text) : "NULL")
#define FIRST(report)                                                                                        \
    ((report).n_results ? &(report).results[0] : &(struct statwit_result){.expectation = "none"})

static void put_file(const char *path, const char *text) {
    FILE *file = fopen(path, "we");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        exit(3);
}

static void get_file(const char *path, char text[4096]) {
    FILE *file = fopen(path, "re");
    text[file ? fread(text, 1, 4095, file) : 0] = '\0';
    if (file)
        fclose(file);
}

static void emit(const char *key, const char *env) {
    struct statwit_options options = {0};
    statwit_session_aim(session, &options);
    struct statwit_metrics *metrics = statwit_open(&options, &error);
    statwit_incr(metrics, key, .tags = STATWIT_TAGS({"env", env}));
    statwit_close(metrics);
}

static enum statwit_verdict verify(const char *catalog, const struct statwit_verify_options *options,
                                   struct statwit_report *report) {
    error = (struct statwit_error){0};
    statwit_verify_catalog(session, catalog, options, report, &error);
    return report->verdict;
}

static void catalogs(void) {
    struct statwit_report report;
    mkdir("cat", 0700);
    mkdir("cat/more", 0700);
    put_file("cat/main.json",
             "{\"include\": [\"./more/../rest.csv\"],\n"
             " \"metrics\": {\"login.attempt\": {\"type\": \"count\", \"tags\": {\"env\": {}}}}}\n");
    put_file("cat/rest.csv", "metric_name,metric_type\nqueue.depth,gauge\n");
    CHECK(verify("cat/main.json", NULL, &report) == STATWIT_PASS);
    CHECK(report.n_results > 0);
    statwit_report_free(&report);
    CHECK(verify("cat/main.json", &(struct statwit_verify_options){.strict = true}, &report) == STATWIT_FAIL);
    IS(FIRST(report)->name, "queue.depth");
    IS(FIRST(report)->file, "cat/rest.csv");
    CHECK(FIRST(report)->line == 2);
    HAS(report.text, "queue.depth");
    statwit_report_free(&report);

    put_file("cat/other.json",
             "{\"metrics\": {\"login.atempt\": {\"type\": \"count\", \"tags\": {\"env\": {}}}}}");
    CHECK(verify("cat/other.json", NULL, &report) == STATWIT_FAIL);
    HAS(report.text, "is one letter from login.atempt");
    statwit_report_free(&report);
    int64_t mark = statwit_mark(session, &error);
    CHECK(verify("cat/other.json", &(struct statwit_verify_options){.since = mark}, &report) == STATWIT_PASS);
    statwit_report_free(&report);
}

static void bad_catalogs(void) {
    struct statwit_report report;
    put_file("cat/bad.json", "{\"metrics\": {\n  \"a\": {\"typ\": \"count\"}}}");
    CHECK(verify("cat/bad.json", NULL, &report) == STATWIT_ERROR && error.code == STATWIT_INVALID);
    HAS(error.text, "cat/bad.json:2:");
    CHECK(verify("cat/none.json", NULL, &report) == STATWIT_ERROR && error.code == STATWIT_INVALID);
    HAS(error.text, "cannot read cat/none.json");
    put_file("cat/lost.json", "{\"include\": [\"none.json\"]}");
    CHECK(verify("cat/lost.json", NULL, &report) == STATWIT_ERROR);
    HAS(error.text, "cat/lost.json includes cannot read cat/none.json");
    put_file("cat/a.json", "{\"include\": [\"../cat/b.json\"]}");
    put_file("cat/b.json", "{\"include\": [\"../cat/a.json\"]}");
    CHECK(verify("cat/a.json", NULL, &report) == STATWIT_ERROR && error.code == STATWIT_INVALID);
    HAS(error.text, "circle");
    put_file("cat/bytes.json", "{\"comment\": \"\xff\"}");
    CHECK(verify("cat/bytes.json", NULL, &report) == STATWIT_ERROR);
    HAS(error.text, "is not UTF-8");
    FILE *file = fopen("cat/huge.json", "we");
    CHECK(file && ftruncate(fileno(file), 33 << 20) == 0);
    fclose(file);
    CHECK(verify("cat/huge.json", NULL, &report) == STATWIT_ERROR);
    HAS(error.text, "larger than 32 MiB");
    statwit_report_free(&report);
}

static void lints(void) {
    struct statwit_report report;
    CHECK(statwit_lint(session, NULL, &report, &error) == 0 && report.verdict == STATWIT_PASS);
    statwit_report_free(&report);
    emit("9lives-left", "ci");
    CHECK(statwit_lint(session, NULL, &report, &error) == 0 && report.verdict == STATWIT_FAIL);
    IS(FIRST(report)->rule, "name-rewritten");
    IS(FIRST(report)->severity, "error");
    IS(FIRST(report)->name, "9lives-left");
    statwit_report_free(&report);
    struct statwit_lint_options silent = {.silence = "name-rewritten, reserved-key"};
    CHECK(statwit_lint(session, &silent, &report, &error) == 0 && report.verdict == STATWIT_PASS);
    CHECK(report.n_results == 0);
    statwit_report_free(&report);
    put_file("cat/silent.json", "{\"silence\": [\"name-rewritten\"], \"metrics\": {}}");
    struct statwit_lint_options by_file = {.catalog = "cat/silent.json", .strict = true};
    CHECK(statwit_lint(session, &by_file, &report, &error) == 0 && report.verdict == STATWIT_FAIL);
    IS(FIRST(report)->rule, "reserved-key");
    statwit_report_free(&report);
    struct statwit_lint_options unknown = {.silence = "no-such-rule"};
    CHECK(statwit_lint(session, &unknown, &report, &error) == -1 && error.code == STATWIT_INVALID);
    HAS(error.text, "no-such-rule");
}

static void snapshots(void) {
    struct statwit_report report;
    struct statwit_snapshot_options counted = {.counts = true, .mask = "env"};
    char text[4096];
    CHECK(statwit_snapshot_check(session, "my.snapshot", NULL, &report, &error) == -1);
    HAS(error.text, "STATWIT_UPDATE=1 writes it");
    setenv("STATWIT_UPDATE", "1", 1);
    setenv("CI", "true", 1);
    CHECK(statwit_snapshot_check(session, "my.snapshot", &counted, &report, &error) == -1);
    HAS(error.text, "CI is set");
    CHECK(access("my.snapshot", F_OK) != 0);
    unsetenv("CI");
    CHECK(statwit_snapshot_check(session, "my.snapshot", &counted, &report, &error) == 0);
    CHECK(report.verdict == STATWIT_PASS);
    statwit_report_free(&report);
    get_file("my.snapshot", text);
    HAS(text, "count login.attempt[env:*] samples == 1");
    char *same = statwit_snapshot(session, &counted, &error);
    IS(same, text);
    free(same);

    unsetenv("STATWIT_UPDATE");
    CHECK(statwit_snapshot_check(session, "my.snapshot", NULL, &report, &error) == 0);
    CHECK(report.verdict == STATWIT_PASS);
    IS(report.diff, "");
    statwit_report_free(&report);
    emit("login.attempt", "prod");
    CHECK(statwit_snapshot_check(session, "my.snapshot", NULL, &report, &error) == 0);
    CHECK(report.verdict == STATWIT_FAIL);
    HAS(report.diff, "- count login.attempt[env:*] samples == 1");
    HAS(report.diff, "+ count login.attempt[env:*] samples == 2");
    statwit_report_free(&report);
    setenv("STATWIT_UPDATE", "1", 1);
    CHECK(statwit_snapshot_check(session, "my.snapshot", NULL, &report, &error) == 0);
    statwit_report_free(&report);
    unsetenv("STATWIT_UPDATE");
    get_file("my.snapshot", text);
    HAS(text, "count login.attempt[env:*] samples == 2"); /* masked and counted as before */

    put_file("torn.snapshot", "# statwit snapshot 1\n<<<<<<< HEAD\ncount a[]\n");
    CHECK(statwit_snapshot_check(session, "torn.snapshot", NULL, &report, &error) == -1);
    HAS(error.text, "torn.snapshot:2:1");
    CHECK(error.code == STATWIT_INVALID);
}

static void diffs(void) {
    struct statwit_diff diff;
    struct statwit_side live = {.session = statwit_session_name(session)}, kept = {.snapshot = "my.snapshot"};
    CHECK(statwit_diff(recorder, &live, &kept, &diff, &error) == 0);
    CHECK(diff.same && diff.n_changes == 0);
    statwit_diff_free(&diff);
    emit("brand.new", "ci");
    CHECK(statwit_diff(recorder, &kept, &live, &diff, &error) == 0);
    CHECK(!diff.same && diff.n_changes == 1);
    if (diff.n_changes) {
        CHECK(diff.changes[0].kind == STATWIT_ADDED);
        IS(diff.changes[0].name, "brand.new");
    }
    HAS(diff.text, "+ count brand.new");
    HAS(diff.markdown, "brand.new");
    statwit_diff_free(&diff);
    struct statwit_side before = {.catalog = "cat/main.json"}, after = {.catalog = "cat/other.json"};
    CHECK(statwit_diff(recorder, &before, &after, &diff, &error) == 0);
    const struct statwit_change *renamed = NULL;
    for (size_t i = 0; i < diff.n_changes; i++)
        if (diff.changes[i].kind == STATWIT_RENAMED)
            renamed = &diff.changes[i];
    CHECK(renamed && renamed->likelihood > 0.5);
    IS(renamed ? renamed->name : "none", "login.attempt");
    IS(renamed ? renamed->to : "none", "login.atempt");
    statwit_diff_free(&diff);
    struct statwit_side both = {.session = "default", .catalog = "cat/main.json"};
    CHECK(statwit_diff(recorder, &both, &live, &diff, &error) == -1 && error.code == STATWIT_INVALID);
    CHECK(diff.changes == NULL);
    HAS(error.text, "needs one of session, snapshot and catalog");
}

int main(void) {
    unsetenv("CI");
    unsetenv("STATWIT_UPDATE");
    recorder = statwit_recorder_start(NULL, &error);
    session = recorder ? statwit_session_open(recorder, NULL, &error) : NULL;
    CHECK(session != NULL);
    if (!session)
        return 3;
    emit("login.attempt", "ci");
    catalogs();
    bad_catalogs();
    lints();
    snapshots();
    diffs();
    statwit_session_close(session);
    statwit_recorder_close(recorder);
    if (failures == 0)
        puts("names: ok");
    return failures > 0;
}
