/* What lies about when a signal ends the process. */
#include "core/leftover.h"

#include "unit.h"
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], file[96];

static void make(void) {
    strcpy(folder, "/tmp/statwit-leftover-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/file", folder);
    close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static bool is_there(const char *path) {
    return access(path, F_OK) == 0;
}

/* A process adds the two, and gets the signal. */
static int end_by(int number, void (*then)(void)) {
    int status = 0;
    make();
    pid_t child = fork();
    if (child == 0) {
        leftover_add(folder);
        leftover_add(file);
        then();
        raise(number);
        _exit(7);
    }
    waitpid(child, &status, 0);
    return status;
}

static void nothing(void) {
}

static void forget(void) {
    leftover_forget(file);
    leftover_forget(folder);
    leftover_forget("what was not added");
}

static void ignore(void) {
    signal(SIGTERM, SIG_IGN);
}

static void hold(void) {
    sigset_t before;
    leftover_hold(&before);
}

static void expect_stays(void) {
    CU_ASSERT(is_there(file));
    unlink(file);
    CU_ASSERT_EQUAL(rmdir(folder), 0);
}

static void ended(void) {
    static const int numbers[] = {SIGHUP, SIGINT, SIGTERM};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int status = end_by(numbers[i], nothing);
        CU_ASSERT(WIFSIGNALED(status));
        EQ_INT(WTERMSIG(status), numbers[i]);
        CU_ASSERT(!is_there(folder));
    }
}

static void not_taken(void) {
    int status = end_by(SIGTERM, forget);
    CU_ASSERT(WIFSIGNALED(status));
    expect_stays();
    status = end_by(SIGTERM, ignore);
    EQ_INT(WEXITSTATUS(status), 7);
    expect_stays();
    status = end_by(SIGTERM, hold);
    EQ_INT(WEXITSTATUS(status), 7);
    expect_stays();
}

/* There is room again. */
static void many(void) {
    char name[32];
    for (int i = 0; i < 3 * LEFTOVERS; i++) {
        snprintf(name, sizeof name, "/nowhere/%d", i);
        leftover_add(name);
    }
    for (int i = 0; i < 3 * LEFTOVERS; i++) {
        snprintf(name, sizeof name, "/nowhere/%d", i);
        leftover_forget(name);
    }
    ended();
}

UNIT_MAIN("core/leftover", {"ended", ended}, {"not taken", not_taken}, {"many", many})
