/* statwit serve: the recorder in the foreground. */
#include "command/commands.h"
#include "command/file.h"
#include "command/recorder.h"
#include "core/log.h"
#include "store/open.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define READY_MAX     (64 << 10) /* bytes of the ready line */
#define FILE_TEXT_MAX 4600       /* of a sentence with a path in it */
#define FIFO_MS       20         /* how often to look whether --ready-file's FIFO has a reader */

/* A sentence about the records of earlier runs in the file, which no judgement of this run looks at; "" when there are none. */
static void describe_earlier(const struct recorder *r, char *text, size_t size) {
    const struct store_earlier *e = &r->earlier;
    text[0] = '\0';
    if (e->records)
        snprintf(
            text, size,
            "%s holds %" PRIu64 " sample%s in %" PRIu64
            " session%s of earlier runs: judgements leave them out (--since 0 takes them in), lists show them; "
            "`statwit reset --session '*'` forgets them, another --db begins anew",
            store_path(r->store), e->samples, e->samples == 1 ? "" : "s", e->sessions,
            e->sessions == 1 ? "" : "s");
}

static void banner(const struct recorder *r) {
    const struct ingest_addresses *at = &r->session.at;
    bool usual = http_port(r->http) == 8125;
    char url[200] = "";
    if (!usual)
        snprintf(url, sizeof url, " --url %s", http_url(r->http));
    printf("statwit listens, and records to %s\n\n", store_path(r->store));
    if (r->earlier.records)
        printf("  It goes on from earlier runs: %" PRIu64 " sample%s in %" PRIu64
               " session%s.\n  Judgements leave them out; statwit reset%s --session '*' forgets them.\n\n",
               r->earlier.samples, r->earlier.samples == 1 ? "" : "s", r->earlier.sessions,
               r->earlier.sessions == 1 ? "" : "s", url);
    if (at->udp[0])
        printf("  DogStatsD   udp         %s\n", at->udp);
    if (at->unixgram[0])
        printf("              unixgram    %s\n", at->unixgram);
    if (at->unixstream[0])
        printf("              unixstream  %s\n", at->unixstream);
    printf("  HTTP        %s\n  Live page   %s/\n\nTry this in another terminal:\n\n"
           "  statwit send%s 'login.attempt:1|c|#instance:failure'\n"
           "  statwit ls%s\n"
           "  statwit expect%s 'incr login.attempt sum == 1'\n\nCtrl-C ends it.\n",
           http_url(r->http), http_url(r->http), url, url, url);
}

static void put_ready_line(const struct recorder *r, struct buf *line) {
    *line = (struct buf){.max = READY_MAX};
    recorder_ready_json(r, line);
    buf_char(line, '\n');
}

/* A failed write shows in one of these three calls; which one depends on the buffer of stdio. */
static int print_ready(const struct recorder *r, struct span line, bool as_file, struct err *err) {
    errno = 0;
    if (!as_file && isatty(STDOUT_FILENO))
        banner(r);
    else
        fwrite(line.p, 1, line.n, stdout);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    return err_set(err, errno, "cannot write the ready line to stdout");
}

static bool is_fifo(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* A FIFO is written to when somebody reads it: see wait_for_end. */
static int announce(const struct recorder *r, const struct options *o, struct err *err) {
    struct buf line;
    put_ready_line(r, &line);
    const char *path = option_text(o, OPT_READY_FILE);
    bool as_file = file_is_stdout(path); /* the line comes there in any case, once */
    int result = path && !as_file && !is_fifo(path) ? file_replace(path, buf_view(&line), err) : 0;
    if (result == 0 && r->token[0])
        fprintf(stderr,
                "statwit: others than this host can reach it, so it asks for a token:\n  STATWIT_TOKEN=%s\n",
                r->token);
    char earlier[FILE_TEXT_MAX];
    describe_earlier(r, earlier, sizeof earlier);
    if (result == 0 && earlier[0])
        log_warning("%s", earlier);
    if (result == 0)
        result = print_ready(r, buf_view(&line), as_file, err);
    buf_free(&line);
    return result;
}

/* A thousand sessions with their sockets, or waiting clients, are more than the usual 1,024. */
static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int check_tls(const struct options *o) {
    bool cert = option_given(o, OPT_TLS_CERT);
    if (cert == option_given(o, OPT_TLS_KEY) && !(cert && o->list[OPT_TLS_SELF_SIGNED].n))
        return EXIT_PASS;
    log_error(cert && option_given(o, OPT_TLS_KEY) ? "--tls-cert and --tls-self-signed exclude each other"
                                                   : "--tls-cert and --tls-key go together");
    return EXIT_USAGE;
}

/* --- the end --------------------------------------------------------------------------------------------- */

/* A file and /dev/null are at their end from the start: then it would end before anybody could use it. */
static int check_stdin(const struct options *o) {
    struct stat st;
    if (!option_on(o, OPT_EXIT_WITH_STDIN))
        return EXIT_PASS;
    bool open = fstat(STDIN_FILENO, &st) == 0;
    if (open && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(STDIN_FILENO)))
        return EXIT_PASS;
    log_error("--exit-with-stdin needs a pipe, a socket or a terminal as stdin, not %s: add "
              "--exit-with-stdin=false to run without one",
              !open                 ? "a closed one"
              : S_ISREG(st.st_mode) ? "a file, which ends at once"
                                    : "/dev/null or the like, which ends at once");
    return EXIT_USAGE;
}

/* Whether stdin is at its end. What comes in before is of no interest. A terminal that is not ours to read any more, as this
 * process went to the background, is left alone: then *fd becomes -1. */
static bool stdin_ended(int *fd) {
    char ignored[4096];
    ssize_t n = read(*fd, ignored, sizeof ignored);
    if (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)))
        return false;
    if (n < 0 && isatty(*fd) && tcgetpgrp(*fd) != getpgrp()) {
        *fd = -1;
        return false;
    }
    return true;
}

/* Whether a reader was there and got the line. */
static bool wrote_to_fifo(const char *path, const struct recorder *r) {
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    struct buf line;
    put_ready_line(r, &line);
    bool written = write(fd, line.p, line.n) == (ssize_t)line.n;
    buf_free(&line);
    close(fd);
    return written;
}

/* Returns when a signal, or the end of stdin, says so. A reader of --ready-file's FIFO may come at any time. */
static int wait_for_end(const struct recorder *r, const struct options *o, const sigset_t *ending,
                        struct err *err) {
    const char *fifo = option_text(o, OPT_READY_FILE);
    fifo = fifo && !file_is_stdout(fifo) && is_fifo(fifo) ? fifo : NULL;
    struct pollfd fds[2] = {{.fd = signalfd(-1, ending, SFD_CLOEXEC), .events = POLLIN},
                            {.fd = option_on(o, OPT_EXIT_WITH_STDIN) ? STDIN_FILENO : -1, .events = POLLIN}};
    if (fds[0].fd < 0)
        return err_set(err, errno, "cannot wait for signals");
    signal(SIGTTIN, SIG_IGN);
    do {
        fds[0].revents = fds[1].revents = 0;
        poll(fds, 2, fifo ? FIFO_MS : -1);
        if (fifo && wrote_to_fifo(fifo, r))
            fifo = NULL;
    } while (!fds[0].revents && !(fds[1].revents && stdin_ended(&fds[1].fd)));
    close(fds[0].fd);
    return 0;
}

int serve_command(const struct options *o) {
    if (check_tls(o) != EXIT_PASS || check_stdin(o) != EXIT_PASS)
        return EXIT_USAGE;
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGHUP);
    sigprocmask(SIG_BLOCK, &ending, NULL);
    signal(SIGPIPE, SIG_IGN);
    log_set_level(option_on(o, OPT_QUIET) ? LOG_ERROR
                                          : (enum log_level)log_level_of(option_text(o, OPT_LOG_LEVEL)));

    raise_descriptor_limit();
    struct err err = {0};
    if (reader_is_url(option_text(o, OPT_DB))) {
        log_error("a recorder writes to a file: record with --db FILE, then statwit push FILE --to %s",
                  option_text(o, OPT_DB));
        return EXIT_USAGE;
    }
    struct recorder *r = recorder_start(o, &err);
    if (!r || announce(r, o, &err) != 0 || wait_for_end(r, o, &ending, &err) != 0) {
        recorder_stop(r);
        log_error("%s", err.text);
        return EXIT_CANNOT;
    }
    recorder_stop(r);
    if (option_given(o, OPT_READY_FILE))
        file_remove(option_text(o, OPT_READY_FILE));
    return EXIT_PASS;
}
