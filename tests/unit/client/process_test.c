/* A recorder of one's own: starting it under signals, and in a program without standard streams. The servers are
 * scripts. */
#include "sink.h"
#include "statwit.h"
#include "unit.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static void on_alarm(int number) {
    (void)number;
}

/* SIGALRM after `us`, and again every `again_us`, interrupts what waits. */
static void alarm_after(suseconds_t us, suseconds_t again_us) {
    struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, again_us}, {0, us}}, NULL);
}

static void write_script(char path[96], const char directory[64], const char *commands) {
    snprintf(path, 96, "%s/server", directory);
    FILE *script = fopen(path, "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(script);
    fprintf(script, "#!/bin/sh\n%s\n", commands);
    fclose(script);
    chmod(path, 0755);
}

/* However slowly it starts. */
static struct statwit_recorder *start_script(const char *script, struct statwit_error *error) {
    struct statwit_start_options options = {.binary = script, .timeout_ms = PATIENCE_MS};
    return statwit_recorder_start(&options, error);
}

/* One signal while it is awaited: the time it has to get ready is over all the same. */
static void test_never_ready(void) {
    char directory[64], script[96];
    struct statwit_error error = {0};
    sink_directory(directory);
    write_script(script, directory, "exec sleep 20");
    alarm_after(100000, 0);
    CU_ASSERT_PTR_NULL(
        statwit_recorder_start(&(struct statwit_start_options){.binary = script, .timeout_ms = 300}, &error));
    EQ_INT(error.code, STATWIT_UNREACHABLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "was not ready within 300 ms"));
    sink_remove(directory);
}

/* Signals while the new process says why it cannot run. */
static void test_no_binary(void) {
    struct statwit_error error = {0};
    alarm_after(50, 50);
    for (int i = 0; i < 100; i++) {
        CU_ASSERT_PTR_NULL(
            statwit_recorder_start(&(struct statwit_start_options){.binary = "/nowhere/statwit"}, &error));
        EQ_INT(error.code, STATWIT_SYSTEM);
    }
    alarm_after(0, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "No such file"));
    EQ_INT(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

/* Another version was taken for ours, and misunderstood later. */
static void test_another_version(void) {
    static const char *const ready[][2] = {
        {"{\"http\":\"http://127.0.0.1:1\"}", "speaks api of no number, and this library ("},
        {"{\"api\":\"1\",\"http\":\"http://127.0.0.1:1\"}", "speaks api of no number"},
        {"{\"api\":99,\"http\":\"http://127.0.0.1:1\"}", "speaks api 99"}};
    char directory[64], script[96], commands[256];
    sink_directory(directory);
    for (size_t i = 0; i < sizeof ready / sizeof *ready; i++) {
        struct statwit_error error = {0};
        snprintf(commands, sizeof commands, "echo '%s'; exec cat >/dev/null", ready[i][0]);
        write_script(script, directory, commands);
        CU_ASSERT_PTR_NULL(start_script(script, &error));
        EQ_INT(error.code, STATWIT_PROTOCOL);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, script));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, ready[i][1]));
        EQ_INT(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    }
    sink_remove(directory);
}

static void test_no_standard_streams(void) {
    char directory[64], script[96];
    sink_directory(directory);
    write_script(script, directory, "echo '{\"api\":1,\"http\":\"http://127.0.0.1:1\"}'; exec sleep 20");
    pid_t pid = fork();
    if (pid == 0) {
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        close(STDERR_FILENO);
        struct statwit_recorder *recorder = start_script(script, NULL);
        statwit_recorder_close(recorder);
        _exit(recorder ? 0 : 1);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    EQ_INT(status, 0);
    sink_remove(directory);
}

/* A program that looked at no error had a segmentation fault, and not a word. */
static void test_nothing_was_opened(void) {
    struct statwit_error error = {0};
    struct statwit_report report;
    struct statwit_list rows;
    struct statwit_losses losses;
    struct statwit_options options = {0};
    struct statwit_response response;
    char why[sizeof error.text];
    CU_ASSERT_PTR_NULL(
        statwit_recorder_start(&(struct statwit_start_options){.binary = "/nowhere/statwit"}, NULL));
    CU_ASSERT_PTR_NULL(statwit_session_open(NULL, NULL, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "cannot start /nowhere/statwit: No such file"));
    EQ_INT(error.code, STATWIT_SYSTEM);
    strcpy(why, error.text);
#define TELLS(call)                                                                                          \
    do {                                                                                                     \
        error = (struct statwit_error){0};                                                                   \
        CU_ASSERT(call);                                                                                     \
        EQ_STR(error.text, why);                                                                             \
    } while (0)
    TELLS(statwit_session_attach(NULL, NULL, &error) == NULL);
    TELLS(statwit_expect(NULL, "incr a", NULL, &report, &error) == -1 && report.verdict == STATWIT_ERROR);
    TELLS(statwit_lint(NULL, NULL, &report, &error) == -1 && report.verdict == STATWIT_ERROR);
    TELLS(statwit_snapshot(NULL, NULL, &error) == NULL);
    TELLS(statwit_mark(NULL, &error) == -1);
    TELLS(statwit_reset(NULL, &error) == -1);
    TELLS(statwit_session_export(NULL, &error) == -1);
    TELLS(statwit_list_series(NULL, NULL, &rows, &error) == -1 && rows.n == 0);
    TELLS(statwit_list_samples(NULL, NULL, &rows, &error) == -1);
    TELLS(statwit_list_rejects(NULL, NULL, &rows, &error) == -1);
    TELLS(statwit_recorder_losses(NULL, &losses, &error) == -1);
    TELLS(statwit_recorder_wait(NULL, 0, &error) == -1);
    TELLS(statwit_request(NULL, &(struct statwit_request){.path = "/"}, &response, &error) == -1);
    EQ_STR(statwit_session_name(NULL), "");
    EQ_STR(statwit_recorder_url(NULL), "");
    CU_ASSERT_PTR_NULL(statwit_session_variable(NULL, "DD_AGENT_HOST"));
    statwit_session_aim(NULL, &options);
    EQ_STR(options.backend, "dummy");
    EQ_INT(statwit_verify(NULL, "incr a", 0, __FILE__, __LINE__), STATWIT_ERROR);
    statwit_session_close(NULL);
    statwit_recorder_close(NULL);
}

/* Whether the server script, which ends with its stdin, has written its last word. */
static bool has_ended(const char *directory) {
    char path[96];
    snprintf(path, sizeof path, "%s/ended", directory);
    return access(path, F_OK) == 0;
}

static void *start_and_stay(void *script) {
    struct statwit_recorder *recorder = start_script(script, NULL);
    pid_t lasting = recorder ? fork() : -1; /* inherits everything, and outlives us */
    if (lasting == 0) {
        sleep(600);
        _exit(0);
    }
    ssize_t ignored = write(STDOUT_FILENO, &lasting, sizeof lasting);
    (void)ignored;
    pause();
    return NULL;
}

/* kill -9 of a test that started its recorder on another thread, and whose child goes on: the server stayed. */
static void test_killed_off_the_main_thread(void) {
    char directory[64], script[96], commands[256];
    int from_test[2];
    sink_directory(directory);
    snprintf(commands, sizeof commands,
             "echo '{\"api\":1,\"http\":\"http://127.0.0.1:1\"}'; cat >/dev/null; >%s/ended", directory);
    write_script(script, directory, commands);
    EQ_INT(pipe(from_test), 0);
    pid_t test = fork();
    if (test == 0) {
        pthread_t thread;
        dup2(from_test[1], STDOUT_FILENO);
        pthread_create(&thread, NULL, start_and_stay, script);
        pthread_join(thread, NULL);
        _exit(1);
    }
    pid_t lasting = -1;
    EQ_INT(read(from_test[0], &lasting, sizeof lasting), sizeof lasting);
    CU_ASSERT_FATAL(lasting > 0);
    CU_ASSERT(!has_ended(directory));
    kill(test, SIGKILL);
    waitpid(test, NULL, 0);
    for (int i = 0; i < 60000 && !has_ended(directory); i++)
        usleep(1000);
    CU_ASSERT(has_ended(directory));
    EQ_INT(kill(lasting, SIGKILL), 0);
    close(from_test[0]);
    close(from_test[1]);
    sink_remove(directory);
}

UNIT_MAIN("client/process", {"nothing was opened", test_nothing_was_opened},
          {"killed off the main thread", test_killed_off_the_main_thread}, {"never ready", test_never_ready},
          {"no binary", test_no_binary}, {"another version", test_another_version},
          {"no standard streams", test_no_standard_streams})
