/* statwit serve: the recorder in the foreground. */
#include "command/commands.h"
#include "command/file.h"
#include "command/recorder.h"
#include "core/log.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define READY_MAX     (64 << 10) /* bytes of the ready line */
#define FILE_TEXT_MAX 4600       /* of a sentence with a path in it */

/* What the file already holds: it is no part of what this run is judged by. "" for nothing. */
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
    printf("  HTTP        %s\n\nTry this in another terminal:\n\n"
           "  statwit send%s 'login.attempt:1|c|#instance:failure'\n"
           "  statwit ls%s\n"
           "  statwit expect%s 'incr login.attempt sum == 1'\n\nCtrl-C ends it.\n",
           http_url(r->http), url, url, url);
}

static int announce(const struct recorder *r, const struct options *o, struct err *err) {
    struct buf line = {.max = READY_MAX};
    recorder_ready_json(r, &line);
    buf_char(&line, '\n');
    const char *path = option_text(o, OPT_READY_FILE);
    int result = path ? file_replace(path, buf_view(&line), err) : 0;
    if (result == 0 && r->token[0])
        fprintf(stderr,
                "statwit: others than this host can reach it, so it asks for a token:\n  STATWIT_TOKEN=%s\n",
                r->token);
    char earlier[FILE_TEXT_MAX];
    describe_earlier(r, earlier, sizeof earlier);
    if (result == 0 && earlier[0])
        log_warning("%s", earlier);
    if (result == 0 && isatty(STDOUT_FILENO))
        banner(r);
    else if (result == 0)
        fwrite(line.p, 1, line.n, stdout);
    if (result == 0 && fflush(stdout) != 0)
        result = err_set(err, errno, "cannot write the ready line to stdout");
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

int serve_command(const struct options *o) {
    if (check_tls(o) != EXIT_PASS)
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
    struct recorder *r = recorder_start(o, &err);
    if (!r || announce(r, o, &err) != 0) {
        recorder_stop(r);
        log_error("%s", err.text);
        return EXIT_CANNOT;
    }
    int number;
    sigwait(&ending, &number);
    recorder_stop(r);
    if (option_given(o, OPT_READY_FILE))
        file_remove(option_text(o, OPT_READY_FILE));
    return EXIT_PASS;
}
