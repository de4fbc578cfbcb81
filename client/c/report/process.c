/* A recorder of one's own: starting `statwit serve`, reading its ready line, ending it. */
#include "emit/error.h"
#include "report/recorder.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGUMENTS_MAX 64
#define READY_MAX     16384
#define READY_MS      10000
#define END_MS        5000 /* for draining and committing; after that it is killed */

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- which binary ---- */

/* `statwit` beside the running program. */
static bool beside(char path[static 4096]) {
    ssize_t size = readlink("/proc/self/exe", path, 4000);
    if (size <= 0 || size >= 4000)
        return false;
    path[size] = '\0';
    strcpy(strrchr(path, '/') + 1, "statwit");
    return access(path, X_OK) == 0;
}

/* A name without a slash is searched on PATH. path holds the result when it has to be put together. */
static const char *choose_binary(const char *wanted, char path[static 4096]) {
    const char *environment = getenv("STATWIT_BIN");
    if (wanted)
        return wanted;
    if (environment && *environment)
        return environment;
    return beside(path) ? path : "statwit";
}

static int make_arguments(const struct statwit_start_options *options, const char *binary,
                          const char *arguments[ARGUMENTS_MAX], struct statwit_error *error) {
    const char *const fixed[] = {
        binary,   "serve",       "--bind", "127.0.0.1", "--dogstatsd-port",
        "0",      "--http-port", "0",      "--db",      options->db ? options->db : ":memory:",
        "--quiet"};
    size_t n = sizeof fixed / sizeof fixed[0];
    memcpy(arguments, fixed, sizeof fixed);
    for (const char *const *more = options->arguments; more && *more; more++) {
        if (n == ARGUMENTS_MAX - 1)
            return error_set(error, STATWIT_INVALID, "more than %d arguments for `statwit serve`",
                             ARGUMENTS_MAX);
        arguments[n++] = *more;
    }
    arguments[n] = NULL;
    return 0;
}

/* ---- starting ---- */

/* In the child, between fork and exec: only what is safe there. failure tells the parent why exec failed. */
static void become_server(const char *const *arguments, int out, int failure, bool die_with_parent,
                          pid_t parent) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (die_with_parent && (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent))
        _exit(127);
    /* A program that closed its own standard streams gets pipes with their numbers. */
    out = fcntl(out, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    failure = fcntl(failure, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (dup2(out, STDOUT_FILENO) >= 0)
        execvp(arguments[0], (char *const *)arguments);
    int number = errno;
    ssize_t ignored = write(failure, &number, sizeof number);
    (void)ignored;
    _exit(127);
}

/* Its pid, with the reading end of its stdout; -1 and an error. */
static pid_t spawn(const char *const *arguments, int *out, struct statwit_error *error) {
    int ready[2], failure[2], number = 0;
    if (pipe2(ready, O_CLOEXEC) != 0)
        return error_set(error, STATWIT_SYSTEM, "no pipe: %s", strerror(errno));
    if (pipe2(failure, O_CLOEXEC) != 0) {
        close(ready[0]);
        close(ready[1]);
        return error_set(error, STATWIT_SYSTEM, "no pipe: %s", strerror(errno));
    }
    pid_t parent = getpid();
    /* The signal comes when the thread that forked ends: of the main thread only that is the program's end.
     */
    bool main_thread = gettid() == parent;
    pid_t child = fork();
    if (child == 0)
        become_server(arguments, ready[1], failure[1], main_thread, parent);
    int fork_errno = errno;
    close(ready[1]);
    close(failure[1]);
    ssize_t told = 0;
    if (child > 0)
        while ((told = read(failure[0], &number, sizeof number)) < 0 && errno == EINTR)
            ;
    if (told == (ssize_t)sizeof number) {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
        child = -1;
    }
    close(failure[0]);
    *out = ready[0];
    if (child > 0)
        return child;
    close(ready[0]);
    return error_set(error, STATWIT_SYSTEM,
                     "cannot start %.200s: %s. Name the binary with STATWIT_BIN, or put `statwit` on PATH",
                     arguments[0], strerror(number ? number : fork_errno));
}

/* One line, within timeout_ms. */
static int read_line(int fd, char line[READY_MAX], int timeout_ms, struct statwit_error *error) {
    int64_t deadline_ms = now_ms() + timeout_ms;
    for (size_t size = 0; size < READY_MAX - 1;) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        int64_t left_ms = deadline_ms - now_ms();
        int n_ready = left_ms > 0 ? poll(&readable, 1, (int)left_ms) : 0;
        if (n_ready < 0 && errno == EINTR) /* read would now wait without end */
            continue;
        if (n_ready == 0)
            return error_set(error, STATWIT_UNREACHABLE, "`statwit serve` was not ready within %d ms",
                             timeout_ms);
        ssize_t more = read(fd, line + size, READY_MAX - 1 - size);
        if (more < 0 && errno == EINTR)
            continue;
        if (more <= 0)
            return error_set(error, STATWIT_UNREACHABLE,
                             "`statwit serve` ended before it was ready: see what it wrote");
        size += (size_t)more;
        line[size] = '\0';
        if (strchr(line, '\n'))
            return 0;
    }
    return error_set(error, STATWIT_PROTOCOL, "the ready line of `statwit serve` has over %d bytes",
                     READY_MAX);
}

static void end(pid_t server) {
    int64_t deadline_ms = now_ms() + END_MS;
    kill(server, SIGTERM);
    while (waitpid(server, NULL, WNOHANG) == 0) {
        if (now_ms() > deadline_ms)
            kill(server, SIGKILL);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static struct statwit_recorder *connect_to(const char *line, struct statwit_error *error) {
    json_t *ready = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
    const char *url = answer_string(ready, "http", NULL);
    struct statwit_recorder *recorder = NULL;
    if (url)
        recorder = statwit_recorder_connect(url, NULL, error);
    else
        error_set(error, STATWIT_PROTOCOL, "the ready line of `statwit serve` names no URL: %.200s", line);
    json_decref(ready);
    return recorder;
}

struct statwit_recorder *statwit_recorder_start(const struct statwit_start_options *options,
                                                struct statwit_error *error) {
    static const struct statwit_start_options none;
    const char *arguments[ARGUMENTS_MAX];
    char path[4096], line[READY_MAX];
    int out = -1;
    options = options ? options : &none;
    if (make_arguments(options, choose_binary(options->binary, path), arguments, error))
        return NULL;
    pid_t server = spawn(arguments, &out, error);
    if (server < 0)
        return NULL;
    struct statwit_recorder *recorder = NULL;
    if (read_line(out, line, options->timeout_ms > 0 ? options->timeout_ms : READY_MS, error) == 0)
        recorder = connect_to(line, error);
    close(out);
    if (!recorder) {
        end(server);
        return NULL;
    }
    recorder->server = server;
    recorder->parent = getpid();
    return recorder;
}

void process_end(struct statwit_recorder *recorder) {
    if (recorder->server > 0 && recorder->parent == getpid())
        end(recorder->server);
    recorder->server = 0;
}
