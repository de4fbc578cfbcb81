#include "command/child.h"

#include "core/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const int passed_on[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
#define N_PASSED_ON (sizeof passed_on / sizeof passed_on[0])

static sigset_t before; /* the mask that the child gets back */

/* What would kill us for one write that fails: a reader that has gone, a file as large as a limit lets it be. The child gets them back. */
static const int of_writes[] = {SIGPIPE, SIGXFSZ};
#define N_OF_WRITES (sizeof of_writes / sizeof of_writes[0])
static void (*of_writes_before[N_OF_WRITES])(int);

static sigset_t waited_for(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (size_t i = 0; i < N_PASSED_ON; i++)
        sigaddset(&set, passed_on[i]);
    return set;
}

void child_block(void) {
    sigset_t set = waited_for();
    signal(SIGCHLD, SIG_DFL); /* ignored, its status would be lost */
    sigaddset(&set, SIGTTOU); /* giving the terminal away from the background must not stop us */
    sigprocmask(SIG_BLOCK, &set, &before);
    for (size_t i = 0; i < N_OF_WRITES; i++)
        of_writes_before[i] = signal(of_writes[i], SIG_IGN);
}

/* --- its environment ------------------------------------------------------------------------------------- */

/* Variables that would lead a client elsewhere, when we don't set them; and those meant for `run` with which a statwit
 * in the command would read an unfinished file instead of asking us, or write over our report. */
static const char *const leading_away[] = {"DD_DOGSTATSD_SOCKET",  "DD_DOGSTATSD_STREAM_SOCKET",
                                           "DD_DOGSTATSD_DISABLE", "STATWIT_DB",
                                           "STATWIT_TOKEN",        "STATWIT_CA_FILE",
                                           "STATWIT_SINCE",        "STATWIT_TO",
                                           "STATWIT_JUNIT",        "STATWIT_JSON_FILE"};

static bool names(const char *variable, const char *name) {
    size_t n = strlen(name);
    return strncmp(variable, name, n) == 0 && variable[n] == '=';
}

static bool replaced(const struct environment *env, const char *variable) {
    for (size_t i = 0; i < env->n; i++)
        if (names(variable, env->vars[i].name))
            return true;
    for (size_t i = 0; i < sizeof leading_away / sizeof leading_away[0]; i++)
        if (names(variable, leading_away[i]))
            return true;
    return false;
}

/* The array is to be freed, and with it the text of our variables, which lies behind it. */
static char **make_environment(const struct child_options *o) {
    const struct environment *env = o->environment;
    enum { SIZE = sizeof env->vars[0].value + 64 };
    size_t n = 0, at = 0;
    while (environ[n])
        n++;
    char **list = calloc(1, (n + env->n + 1) * sizeof *list + env->n * SIZE);
    if (!list)
        return NULL;
    char *text = (char *)(list + n + env->n + 1);
    for (size_t i = 0; i < n; i++)
        if (!replaced(env, environ[i]))
            list[at++] = environ[i];
    for (size_t i = 0; i < env->n; i++, text += SIZE) {
        bool url = o->dogstatsd_url && strcmp(env->vars[i].name, "DD_DOGSTATSD_URL") == 0;
        snprintf(text, SIZE, "%s=%s", env->vars[i].name, url ? o->dogstatsd_url : env->vars[i].value);
        list[at++] = text;
    }
    return list;
}

/* --- its life -------------------------------------------------------------------------------------------- */

static bool has_foreground(void) {
    return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

static void be_child(const struct child_options *o, char **environment, char **by_sh, bool foreground,
                     int told) {
    setpgid(0, 0);
    if (foreground)
        tcsetpgrp(STDIN_FILENO, getpid());
    sigprocmask(SIG_SETMASK, &before, NULL);
    for (size_t i = 0; i < N_OF_WRITES; i++)
        signal(of_writes[i], of_writes_before[i]);
    execvpe(o->argv[0], o->argv, environment);
    if (errno == ENOEXEC && by_sh)
        execve(by_sh[0], by_sh, environment);
    int error = errno;
    ssize_t ignored = write(told, &error, sizeof error);
    (void)ignored;
    _exit(127);
}

/* The pid once the command runs; -1 with err. A copy of this process, which may do what it likes before it becomes the command. */
static pid_t fork_child(const struct child_options *o, char **environment, char **by_sh, bool foreground,
                        struct err *err) {
    int pipe_fds[2], error = 0;
    if (pipe2(pipe_fds, O_CLOEXEC) != 0)
        return err_set(err, errno, "cannot start %s", o->argv[0]);
    pid_t pid = fork();
    if (pid == 0)
        be_child(o, environment, by_sh, foreground, pipe_fds[1]);
    int fork_error = errno;
    close(pipe_fds[1]);
    if (pid < 0) {
        close(pipe_fds[0]);
        return err_set(err, fork_error, "cannot start %s", o->argv[0]);
    }
    setpgid(pid, pid); /* it does so too: whoever comes first */
    ssize_t n;
    while ((n = read(pipe_fds[0], &error, sizeof error)) < 0 && errno == EINTR)
        ;
    close(pipe_fds[0]);
    if (n != (ssize_t)sizeof error)
        return pid;
    waitpid(pid, NULL, 0);
    return err_set(err, error, "cannot run %s", o->argv[0]);
}

/* The same without the copy, which costs a millisecond: each page that either of both writes to is copied, too. 0, or an error
 * number. */
static int spawn_child(const struct child_options *o, char **environment, pid_t *pid) {
    posix_spawnattr_t how;
    sigset_t defaults;
    sigemptyset(&defaults);
    for (size_t i = 0; i < N_OF_WRITES; i++)
        if (of_writes_before[i] != SIG_IGN)
            sigaddset(&defaults, of_writes[i]);
    int error = posix_spawnattr_init(&how);
    if (error)
        return error;
    posix_spawnattr_setpgroup(&how, 0);
    posix_spawnattr_setsigmask(&how, &before);
    posix_spawnattr_setsigdefault(&how, &defaults);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    error = posix_spawnp(pid, o->argv[0], NULL, &how, o->argv, environment);
    posix_spawnattr_destroy(&how);
    return error;
}

/* A script that does not say what runs it is given to sh, as a shell does; not every C library does so. To be freed, with its texts. */
static char **script_for_sh(char **argv) {
    size_t n = 0, size = strlen(argv[0]) + 2;
    const char *path = getenv("PATH");
    while (argv[n])
        n++;
    if (path)
        size += strlen(path);
    char **list = malloc((n + 2) * sizeof *list + size);
    if (!list)
        return NULL;
    char *file = (char *)(list + n + 2);
    snprintf(file, size, "%s", argv[0]);
    for (const char *at = path; at && *at && !strchr(argv[0], '/');) {
        size_t length = strcspn(at, ":");
        snprintf(file, size, "%.*s/%s", (int)length, at, argv[0]);
        if (length && access(file, X_OK) == 0)
            break;
        at += length + (at[length] == ':');
    }
    list[0] = (char *)(uintptr_t) "/bin/sh";
    list[1] = file;
    memcpy(list + 2, argv + 1, n * sizeof *list);
    return list;
}

/* Only a copy of us can take the terminal before it becomes the command. */
static pid_t start_child(const struct child_options *o, bool foreground, struct err *err) {
    char **environment = make_environment(o), **by_sh = NULL;
    if (!environment)
        return err_set(err, errno, "cannot start %s", o->argv[0]);
    pid_t pid = -1;
    int error = foreground ? 0 : spawn_child(o, environment, &pid);
    if (foreground || error == ENOEXEC)
        by_sh = script_for_sh(o->argv);
    if (by_sh)
        pid = fork_child(o, environment, by_sh, foreground, err);
    else if (error || foreground)
        pid = error == EAGAIN || error == ENOMEM || !error
                  ? err_set(err, error ? error : ENOMEM, "cannot start %s", o->argv[0])
                  : err_set(err, error, "cannot run %s", o->argv[0]);
    free(by_sh);
    free(environment);
    return pid;
}

/* Stopped from its terminal: we stop as well, so that the shell gets the terminal, and both go on together.
 */
static void stop_with_it(pid_t pid) {
    tcsetpgrp(STDIN_FILENO, getpgrp());
    raise(SIGSTOP);
    tcsetpgrp(STDIN_FILENO, pid);
    kill(-pid, SIGCONT);
}

/* Whether it has ended. */
static bool reap(pid_t pid, bool foreground, int *wait_status) {
    while (waitpid(pid, wait_status, WNOHANG | WUNTRACED) == pid) {
        if (!WIFSTOPPED(*wait_status))
            return true;
        if (foreground)
            stop_with_it(pid);
    }
    return false;
}

/* Waits for a signal until the deadline (0: none); 0 when that has passed. */
static int next_signal(const sigset_t *set, int64_t deadline) {
    if (deadline == 0)
        return sigwaitinfo(set, NULL);
    int64_t left = deadline - clock_mono_ns();
    left = left > 0 ? left : 0;
    struct timespec time = {.tv_sec = left / NS_PER_S, .tv_nsec = left % NS_PER_S};
    int number = sigtimedwait(set, NULL, &time);
    return number < 0 && errno == EAGAIN ? 0 : number;
}

static int wait_for(pid_t pid, const struct child_options *o, bool foreground, bool *timed_out) {
    sigset_t set = waited_for();
    int wait_status = 0;
    int64_t deadline = o->timeout_ns ? clock_mono_ns() + o->timeout_ns : 0;
    while (!reap(pid, foreground, &wait_status)) {
        int number = next_signal(&set, deadline);
        if (number > 0 && number != SIGCHLD) {
            kill(-pid, number);
            if (number == SIGTERM || number == SIGHUP) /* a stopped one hears of it only when it goes on */
                kill(-pid, SIGCONT);
        } else if (number == 0 && !*timed_out) {
            *timed_out = true;
            deadline = clock_mono_ns() + o->kill_after_ns;
            kill(-pid, SIGTERM);
            kill(-pid, SIGCONT);
        } else if (number == 0) {
            deadline = 0;
            kill(-pid, SIGKILL);
        }
    }
    if (*timed_out)
        kill(-pid, SIGKILL); /* the processes that are left of its group */
    return wait_status;
}

int child_run(const struct child_options *o, int *status, bool *timed_out, struct err *err) {
    bool foreground = has_foreground();
    pid_t pid = start_child(o, foreground, err);
    *timed_out = false;
    if (pid > 0) {
        int wait_status = wait_for(pid, o, foreground, timed_out);
        *status = WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
    }
    if (foreground)
        tcsetpgrp(STDIN_FILENO, getpgrp());
    return pid > 0 ? 0 : -1;
}

/* --- what comes after it --------------------------------------------------------------------------------- */

static struct {
    void (*work)(void *arg);
    void *arg;
    pthread_t waits, works;
    atomic_bool done;
} after;

static void *do_work(void *unused) {
    (void)unused;
    after.work(after.arg);
    after.done = true;
    pthread_kill(after.waits, SIGCHLD);
    return NULL;
}

/* Those that would end us: nohup and a shell's & ignore some. */
static sigset_t ending(void) {
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sigaction action;
        if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler == SIG_DFL)
            sigaddset(&set, numbers[i]);
    }
    return set;
}

void child_join(void) {
    pthread_join(after.works, NULL);
}

int child_after(void (*work)(void *arg), void *arg) {
    sigset_t set = ending();
    sigaddset(&set, SIGCHLD);
    after.done = false;
    after.work = work;
    after.arg = arg;
    after.waits = pthread_self();
    if (pthread_create(&after.works, NULL, do_work, NULL) != 0) {
        work(arg);
        return 0;
    }
    int number = 0;
    while (!after.done && (number <= 0 || number == SIGCHLD))
        number = sigwaitinfo(&set, NULL);
    if (after.done) {
        child_join();
        return 0;
    }
    sigdelset(&set, SIGCHLD); /* a second one does not wait for anything */
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    return number;
}

const char *child_signal_name(int number) {
    switch (number) { /* those of ending() */
    case SIGTERM:
        return "SIGTERM";
    case SIGINT:
        return "SIGINT";
    case SIGHUP:
        return "SIGHUP";
    case SIGQUIT:
        return "SIGQUIT";
    default:
        return "a signal";
    }
}

void child_end_by(int number) {
    sigprocmask(SIG_SETMASK, &before, NULL);
    raise(number);
    _exit(128 + number); /* it was blocked when we were started */
}
