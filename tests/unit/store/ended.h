/* Recordings whose recorder is gone: it came to an end, or was killed. */
#ifndef STORE_ENDED_H
#define STORE_ENDED_H

#include "store/fixture.h"
#include <sys/wait.h>

static inline void put_numbers(const char *path, const char *name, int n, bool ends) {
    struct store *s = open_at(path);
    for (int i = 0; i < n; i++)
        put_number(s, name, i * 1.37);
    COMMIT(s);
    if (ends)
        store_close(s);
}

static inline void record(const char *path, const char *name, int n) {
    put_numbers(path, name, n, true);
}

/* The log keeps the rows. */
static inline void record_killed(const char *path, const char *name, int n) {
    pid_t child = fork();
    if (child == 0) {
        put_numbers(path, name, n, false);
        _exit(CU_get_number_of_failures() > 0);
    }
    int status;
    waitpid(child, &status, 0);
    EQ_INT(status, 0);
}

#endif
