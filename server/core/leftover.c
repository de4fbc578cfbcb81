#include "core/leftover.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static const int ending[] = {SIGHUP, SIGINT, SIGTERM};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t n_leftovers;
static struct {
    atomic_bool is_there;
    char path[PATH_MAX];
} leftovers[LEFTOVERS];

static void take_along(int number) {
    for (size_t i = 0; i < LEFTOVERS; i++)
        if (leftovers[i].is_there)
            unlink(leftovers[i].path);
    for (size_t i = 0; i < LEFTOVERS; i++)
        if (leftovers[i].is_there)
            rmdir(leftovers[i].path);
    raise(number); /* as if there were no handler: it is reset */
}

/* From what would end the process to `to`, or back; what is ignored stays so. */
static void on_ending(void (*from)(int), void (*to)(int)) {
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++) {
        struct sigaction action;
        if (sigaction(ending[i], NULL, &action) == 0 && action.sa_handler == from)
            sigaction(ending[i], &(struct sigaction){.sa_handler = to, .sa_flags = (int)SA_RESETHAND}, NULL);
    }
}

void leftover_hold(sigset_t *before) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, before);
}

void leftover_release(const sigset_t *before) {
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

void leftover_add(const char *path) {
    size_t i = 0, n = strlen(path);
    pthread_mutex_lock(&lock);
    while (i < LEFTOVERS && leftovers[i].is_there)
        i++;
    if (i < LEFTOVERS && n < sizeof leftovers[i].path) {
        memcpy(leftovers[i].path, path, n + 1);
        leftovers[i].is_there = true;
        if (n_leftovers++ == 0)
            on_ending(SIG_DFL, take_along);
    }
    pthread_mutex_unlock(&lock);
}

void leftover_forget(const char *path) {
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < LEFTOVERS; i++) {
        if (!leftovers[i].is_there || strcmp(leftovers[i].path, path) != 0)
            continue;
        leftovers[i].is_there = false;
        if (--n_leftovers == 0)
            on_ending(take_along, SIG_DFL);
        break;
    }
    pthread_mutex_unlock(&lock);
}
