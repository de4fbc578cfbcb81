/* A command that runs with some variables set: started in a process group of its own, with our stdin, stdout
 * and stderr, sent the signals that we get, ended when its time is up.
 *
 * On a terminal it has the foreground, as under a shell. What it leaves running when it ends stays, unless
 * its time was up. Threads: the main one; child_block first of all, before any other thread starts.
 */
#ifndef COMMAND_CHILD_H
#define COMMAND_CHILD_H

#include "core/err.h"
#include "http/environment.h"
#include <sys/types.h>

struct child_options {
    char **argv;
    const struct environment *environment;
    const char *dogstatsd_url; /* instead of the environment's; NULL: as it is */
    int64_t timeout_ns;        /* 0: none */
    int64_t kill_after_ns;
};

/* Blocks the signals that child_run passes on, for good: child_after says when one of them should end us. Ignores SIGPIPE, too.
 * The command gets what was before. */
void child_block(void);

/* Runs it to its end. Its status as a shell gives it (128 + N: ended by signal N) in *status, whether its
 * time was up in *timed_out. -1 with err when it could not be started. */
int child_run(const struct child_options *options, int *status, bool *timed_out, struct err *err);

/* Does work(arg) on a thread of its own. 0 when it is done; else the signal that is to end us and came first: then
 * the work goes on for as long as we do, or until child_join. What it uses must last as long. Not again before the work is done. */
int child_after(void (*work)(void *arg), void *arg);
/* Waits until the work is done, after child_after has returned a signal. */
void child_join(void);
/* The name of a signal that child_after returned, as SIGTERM. */
const char *child_signal_name(int number);
/* Ends us by the signal, as if it had never been blocked. */
_Noreturn void child_end_by(int number);

#endif
