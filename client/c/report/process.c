/* A recorder of one's own: starting `statwit serve`, reading its ready line, ending it. */
#include "emit/error.h"
#include "report/recorder.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGUMENTS_MAX 64
#define READY_MAX     16384
#define READY_MS      60000
#define END_MS                                                                                               \
    15000 /* more than a recorder takes for what is received, for who still reads and for what is passed on; then it is killed */

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
    /* --private: whatever DD_* and STATWIT_* this machine has set, it is a recorder like any other test's. */
    const char *const fixed[] = {binary, "serve", "--private", "--db",
                                 options->db ? options->db : ":memory:"};
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

/* ---- our ends of the servers' stdin ---- */

/* A child that the program forks, and that runs no other program, would keep the server alive after us: it closes its copies.
 * Each holds a descriptor + 1; 0: free. Without locks, as fork may come at any moment. */
#define HELD_MAX 64
static atomic_int held[HELD_MAX];

static void close_held(void) {
    for (int i = 0; i < HELD_MAX; i++)
        if (held[i])
            close(held[i] - 1);
}

static void close_in_forks(void) {
    pthread_atfork(NULL, NULL, close_held);
}

static void hold(int fd) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, close_in_forks);
    for (int i = 0, nothing = 0; i < HELD_MAX; i++, nothing = 0)
        if (atomic_compare_exchange_strong(&held[i], &nothing, fd + 1))
            return;
}

static void let_go(int fd) {
    for (int i = 0; i < HELD_MAX; i++) {
        int is = fd + 1;
        if (atomic_compare_exchange_strong(&held[i], &is, 0))
            break;
    }
    close(fd);
}

/* ---- starting ---- */

/* The server's stdin. It ends when this process ends, in whatever way, because no other process has the other end. */
struct server {
    pid_t pid;
    int in;  /* our end of its stdin */
    int out; /* and of its stdout */
};

/* In the child, between fork and exec: only what is safe there. failure tells the parent why exec failed. */
static void become_server(const char *const *arguments, int in, int out, int failure) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* A program that closed its own standard streams gets pipes with their numbers. */
    in = fcntl(in, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    out = fcntl(out, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    failure = fcntl(failure, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
        execvp(arguments[0], (char *const *)arguments);
    int number = errno;
    ssize_t ignored = write(failure, &number, sizeof number);
    (void)ignored;
    _exit(127);
}

#define N_PIPES 3
enum { STDIN_PIPE, STDOUT_PIPE, FAILURE_PIPE };

static void close_all(int pipes[N_PIPES][2]) {
    for (int i = 0; i < N_PIPES; i++)
        for (int end = 0; end < 2; end++)
            if (pipes[i][end] >= 0)
                close(pipes[i][end]);
}

static int make_pipes(int pipes[N_PIPES][2], struct statwit_error *error) {
    for (int i = 0; i < N_PIPES; i++)
        pipes[i][0] = pipes[i][1] = -1;
    for (int i = 0; i < N_PIPES; i++)
        if (pipe2(pipes[i], O_CLOEXEC) != 0) {
            error_set(error, STATWIT_SYSTEM, "no pipe: %s", strerror(errno));
            close_all(pipes);
            return -1;
        }
    return 0;
}

static void keep_end(int *end, int *kept) {
    *kept = *end;
    *end = -1;
}

/* 0 once exec has succeeded; else why it, or fork, did not. */
static int fork_and_exec(const char *const *arguments, int pipes[N_PIPES][2], pid_t *child) {
    int number = 0;
    ssize_t told;
    *child = fork();
    if (*child == 0)
        become_server(arguments, pipes[STDIN_PIPE][0], pipes[STDOUT_PIPE][1], pipes[FAILURE_PIPE][1]);
    if (*child < 0)
        return errno;
    close(pipes[FAILURE_PIPE][1]);
    pipes[FAILURE_PIPE][1] = -1;
    while ((told = read(pipes[FAILURE_PIPE][0], &number, sizeof number)) < 0 && errno == EINTR)
        ;
    if (told != (ssize_t)sizeof number)
        return 0;
    while (waitpid(*child, NULL, 0) < 0 && errno == EINTR)
        ;
    return number;
}

static int spawn(const char *const *arguments, struct server *server, struct statwit_error *error) {
    int pipes[N_PIPES][2];
    if (make_pipes(pipes, error) != 0)
        return -1;
    int number = fork_and_exec(arguments, pipes, &server->pid);
    if (number == 0) {
        keep_end(&pipes[STDIN_PIPE][1], &server->in);
        hold(server->in);
        keep_end(&pipes[STDOUT_PIPE][0], &server->out);
    }
    close_all(pipes);
    if (number == 0)
        return 0;
    return error_set(error, STATWIT_SYSTEM,
                     "cannot start %.200s: %s. Name the binary with STATWIT_BIN, or put `statwit` on PATH",
                     arguments[0], strerror(number));
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

static void end_server(pid_t server, int in) {
    int64_t deadline_ms = now_ms() + END_MS;
    let_go(in);
    kill(server, SIGTERM);
    while (waitpid(server, NULL, WNOHANG) == 0) {
        if (now_ms() > deadline_ms)
            kill(server, SIGKILL);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

/* The server got no token but one among its arguments, whatever this program's environment has for others. */
static const char *token_of(const char *const *arguments) {
    const char *token = "";
    for (; *arguments; arguments++)
        if (strcmp(*arguments, "--token") == 0 && arguments[1])
            token = arguments[1];
        else if (strncmp(*arguments, "--token=", 8) == 0)
            token = *arguments + 8;
    return token;
}

static struct statwit_recorder *connect_to(const char *line, const char *const *arguments,
                                           struct statwit_error *error) {
    json_t *ready = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
    const char *url = answer_string(ready, "http", NULL);
    struct statwit_connect_options connect = {.token = token_of(arguments)};
    struct statwit_recorder *recorder = NULL;
    if (!url)
        error_set(error, STATWIT_PROTOCOL, "the ready line of `statwit serve` names no URL: %.200s", line);
    else if (recorder_check_api(ready, arguments[0], error) == 0)
        recorder = statwit_recorder_connect(url, &connect, error);
    if (recorder)
        recorder->known = true;
    json_decref(ready);
    return recorder;
}

static struct statwit_recorder *start_server(const struct statwit_start_options *options,
                                             struct statwit_error *error) {
    static const struct statwit_start_options none;
    const char *arguments[ARGUMENTS_MAX];
    char path[4096], line[READY_MAX];
    struct server server = {.in = -1, .out = -1};
    options = options ? options : &none;
    if (make_arguments(options, choose_binary(options->binary, path), arguments, error) != 0 ||
        spawn(arguments, &server, error) != 0)
        return NULL;
    struct statwit_recorder *recorder = NULL;
    if (read_line(server.out, line, options->timeout_ms > 0 ? options->timeout_ms : READY_MS, error) == 0)
        recorder = connect_to(line, arguments, error);
    close(server.out);
    if (!recorder) {
        end_server(server.pid, server.in);
        return NULL;
    }
    recorder->server = server.pid;
    recorder->server_in = server.in;
    recorder->parent = getpid();
    return recorder;
}

struct statwit_recorder *statwit_recorder_start(const struct statwit_start_options *options,
                                                struct statwit_error *error) {
    struct statwit_error why = {0};
    struct statwit_recorder *recorder = start_server(options, &why);
    if (!recorder)
        missing_keep(&why, error);
    return recorder;
}

void process_end(struct statwit_recorder *recorder) {
    if (recorder->server > 0 && recorder->parent == getpid())
        end_server(recorder->server, recorder->server_in);
    recorder->server = 0;
}
