/* A recorder of one's own: starting it under signals, and in a program without standard streams. The servers are
 * scripts. */
#include "sink.h"
#include "statwit.h"
#include "unit.h"
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

static void test_no_standard_streams(void) {
    char directory[64], script[96];
    sink_directory(directory);
    write_script(script, directory, "echo '{\"http\":\"http://127.0.0.1:1\"}'; exec sleep 20");
    pid_t pid = fork();
    if (pid == 0) {
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        close(STDERR_FILENO);
        struct statwit_recorder *recorder =
            statwit_recorder_start(&(struct statwit_start_options){.binary = script}, NULL);
        statwit_recorder_close(recorder);
        _exit(recorder ? 0 : 1);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    EQ_INT(status, 0);
    sink_remove(directory);
}

UNIT_MAIN("client/process", {"never ready", test_never_ready}, {"no binary", test_no_binary},
          {"no standard streams", test_no_standard_streams})
