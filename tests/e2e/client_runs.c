/* Runs and kept sessions from C against the real server. Run by 05_client.bats in an empty folder, which it may write to. */
#define _POSIX_C_SOURCE 200809L
#include <statwit.h>
#include <stdio.h>
#include <string.h>

static struct statwit_error error;
static int failures;

#define CHECK(condition) check((condition), __LINE__, #condition)
static void check(bool holds, int line, const char *what) {
    if (holds)
        return;
    failures++;
    fprintf(stderr, "client_runs.c:%d: %s\n  error: %s\n", line, what, error.text);
}

static void emit(struct statwit_session *session) {
    struct statwit_options options = {0};
    statwit_session_aim(session, &options);
    struct statwit_metrics *metrics = statwit_open(&options, &error);
    statwit_incr(metrics, "order.placed");
    statwit_close(metrics);
}

static enum statwit_verdict judge(struct statwit_session *session, int64_t since, const char *expectation) {
    struct statwit_expect_options options = {.since = since};
    struct statwit_report report;
    statwit_expect(session, expectation, &options, &report, &error);
    enum statwit_verdict verdict = report.verdict;
    statwit_report_free(&report);
    return verdict;
}

static struct statwit_recorder *start(void) {
    return statwit_recorder_start(&(struct statwit_start_options){.db = "runs.db"}, &error);
}

static void first_run(void) {
    struct statwit_recorder *recorder = start();
    struct statwit_session *session =
        statwit_session_open(recorder, &(struct statwit_session_options){.name = "checkout"}, &error);
    CHECK(session != NULL);
    emit(session);
    statwit_session_close_keep(session);
    statwit_session_close_keep(NULL);
    session = statwit_session_attach(recorder, "checkout", &error); /* it has ended, and can be asked about */
    CHECK(session && judge(session, 0, "incr order.placed sum == 1") == STATWIT_PASS);
    statwit_session_close(session);
    session = statwit_session_attach(recorder, NULL, &error);
    emit(session);
    CHECK(judge(session, 0, "incr order.placed sum == 1") == STATWIT_PASS);
    statwit_session_close(session);
    statwit_recorder_close(recorder);
}

static void second_run(void) {
    struct statwit_recorder *recorder = start();
    struct statwit_session *session =
        statwit_session_open(recorder, &(struct statwit_session_options){.name = "checkout"}, &error);
    CHECK(session && judge(session, STATWIT_EVERY_RUN, "no any *") == STATWIT_PASS);
    statwit_session_close(session);
    session = statwit_session_attach(recorder, NULL, &error);
    CHECK(judge(session, 0, "no any *") == STATWIT_PASS);
    CHECK(judge(session, STATWIT_EVERY_RUN, "incr order.placed sum == 1") == STATWIT_PASS);
    statwit_session_close(session);
    statwit_recorder_close(recorder);
}

int main(void) {
    first_run();
    second_run();
    if (failures == 0)
        puts("runs: ok");
    return failures > 0;
}
