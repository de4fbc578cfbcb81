#include "command/command.h"

#include "command/commands.h"
#include "command/help.h"
#include "command/moments.h"
#include "command/rows.h"
#include "core/log.h"
#include "core/version.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define ANY (-1)

/* clang-format off */
const struct command commands[] = {
    {"serve", "", 0, 0, false, GROUPS(TAKES_SERVE, TAKES_RECORDER, TAKES_QUIET),
     "run the recorder in the foreground",
     "When everything listens, one line of JSON goes to stdout (a few words for people on a terminal). SIGTERM and\n"
     "SIGINT drain the sockets, commit and end it with exit code 0. Logs go to stderr.",
     "  statwit serve\n"
     "  statwit serve --dogstatsd-port 0 --http-port 0 --db :memory: --ready-file ready.json\n"
     "  statwit serve --dogstatsd-socket /tmp/dsd.sock --retention-age 1h",
     serve_command},
    {"run", "[--] CMD…", 1, ANY, true, GROUPS(TAKES_RUN, TAKES_RECORDER, TAKES_JUDGE, TAKES_QUIET, TAKES_VIEW),
     "private recorder on free ports, CMD pointed at it, verdict, exit",
     "The command gets the variables that Datadog's and StatsD's clients read; its input and output stay its own. The\n"
     "report goes to stderr. Exit code: the command's own when that is not 0, else the verdict's.",
     "  statwit run -- pytest\n"
     "  statwit run --expect metrics.expect --junit statwit.xml -- npm test\n"
     "  statwit run -e 'incr login.attempt sum == 1' --timeout 1m -- ./login-test",
     run_command},
    {"expect", "[EXPECTATION…]", 0, ANY, false, GROUPS(TAKES_SERVER, TAKES_DB, TAKES_SESSION, TAKES_SINCE, TAKES_UNTIL, TAKES_EXPECT, TAKES_JUDGE, TAKES_JSON, TAKES_QUIET, TAKES_VIEW, TAKES_DB_VIEW),
     "judge what was recorded: pass, fail or inconclusive, and why",
     "An expectation: [no] TYPE NAME [{TAGS}|[TAGS]] [where FIELD OP VALUE [and …]] [STAT OP VALUE [+- TOLERANCE]] [and …].\n"
     "statwit-expect(7) has it all.",
     "  statwit expect 'incr login.attempt{instance:failure} sum == 1'\n"
     "  statwit expect --within 5s 'timing events.latency count >= 1 and p95 < 500'\n"
     "  statwit expect -f metrics.expect --all-covered --junit report.xml\n"
     "  statwit expect 'event \"Deploy*\" where alert_type == error samples == 1' 'no reject *'\n"
     "  statwit expect --db statwit.db 'no any errors.*'",
     expect_command},
    {"value", "TEXT", 1, 1, false, GROUPS(TAKES_SERVER, TAKES_DB, TAKES_SESSION, TAKES_SINCE, TAKES_UNTIL, TAKES_NUMBER, TAKES_VIEW, TAKES_DB_VIEW),
     "print one number of what was recorded, and nothing else",
     "TEXT: TYPE NAME [{TAGS}|[TAGS]] [where …] STAT, an expectation that ends with its stat. Of a check's status, the word is printed.\n"
     "Without a value (the last of no samples) nothing is printed, and the exit code is 1; after a loss that may matter it is 4.",
     "  statwit value 'incr login.attempt{instance:failure} sum'\n"
     "  statwit value 'timing events.latency where host == \"web-*\" p95'\n"
     "  test \"$(statwit value 'gauge queue.depth last')\" -lt 10",
     value_command},
    {"ls", "[GLOB]", 0, 1, false, GROUPS(TAKES_SERVER, TAKES_DB, TAKES_SESSION, TAKES_SINCE, TAKES_UNTIL, TAKES_FILTER, TAKES_LS, TAKES_TABLE, TAKES_TIMES, TAKES_JSON, TAKES_QUIET),
     "the series recorded: name, type, tags, samples, sum, average, p95, last", NULL,
     "  statwit ls\n"
     "  statwit ls --since 10s --sort samples\n"
     "  statwit ls 'login.*' --type count --tag instance:failure\n"
     "  statwit ls --session '*' --json\n"
     "  statwit ls 'db.*' --by name,tags\n"
     "  statwit ls login.attempt --by repo,branch,job --db 'clickhouse://ch/statwit?since=7d'",
     ls_command},
    {"samples", "[GLOB]", 0, 1, false, GROUPS(TAKES_SERVER, TAKES_DB, TAKES_SESSION, TAKES_SINCE, TAKES_UNTIL, TAKES_FILTER, TAKES_SAMPLES, TAKES_TABLE, TAKES_TIMES, TAKES_JSON, TAKES_QUIET),
     "the samples as they came in, newest last", NULL,
     "  statwit samples -n 20\n"
     "  statwit samples 'events.*' -f\n"
     "  statwit samples --db statwit.db --json",
     samples_command},
    {"events", "[GLOB]", 0, 1, false, GROUPS(TAKES_SERVER, TAKES_DB, TAKES_SESSION, TAKES_SINCE, TAKES_UNTIL, TAKES_RECORDS, TAKES_TABLE, TAKES_TIMES, TAKES_JSON, TAKES_QUIET),
     "the events, newest last", "GLOB is matched against the title.",
     "  statwit events\n"
     "  statwit events 'Deploy*' --tag env:ci --since 10m\n"
     "  statwit events --db statwit.db --json",
     events_command},
    {"checks", "[GLOB]", 0, 1, false, GROUPS(TAKES_SERVER, TAKES_DB, TAKES_SESSION, TAKES_SINCE, TAKES_UNTIL, TAKES_RECORDS, TAKES_TABLE, TAKES_TIMES, TAKES_JSON, TAKES_QUIET),
     "the service checks, newest last", NULL,
     "  statwit checks -n 20\n"
     "  statwit checks 'app.*' --since \"$mark\"\n"
     "  statwit checks --db statwit.db --json",
     checks_command},
    {"rejects", "", 0, 0, false, GROUPS(TAKES_SERVER, TAKES_DB, TAKES_SESSION, TAKES_SINCE, TAKES_UNTIL, TAKES_REJECTS, TAKES_TIMES, TAKES_JSON, TAKES_QUIET),
     "what was refused, why, with a caret under the place", NULL,
     "  statwit rejects\n"
     "  statwit rejects --remarks\n"
     "  statwit rejects --since 10m --json",
     rejects_command},
    {"datagrams", "", 0, 0, false, GROUPS(TAKES_SERVER, TAKES_DB, TAKES_SESSION, TAKES_SINCE, TAKES_UNTIL, TAKES_DATAGRAMS, TAKES_TABLE, TAKES_TIMES, TAKES_JSON, TAKES_QUIET),
     "the datagrams as they came, newest last (with --keep-datagrams)", "A byte that is no text is shown as \\xHH.",
     "  statwit datagrams -n 20\n"
     "  statwit datagrams --source unixgram --since 10m\n"
     "  statwit datagrams --db statwit.db --json",
     datagrams_command},
    {"status", "", 0, 0, false, GROUPS(TAKES_SERVER, TAKES_STATUS, TAKES_JSON, TAKES_QUIET),
     "listeners, counts, losses", NULL,
     "  statwit status\n"
     "  statwit status --wait 5s -q && ./run-tests",
     status_command},
    {"session", "new [NAME]|ls|rm [--keep] NAME…", 1, ANY, false, GROUPS(TAKES_SERVER, TAKES_NEW_SESSION, TAKES_TIMES, TAKES_JSON),
     "isolated sessions; new prints the environment to export",
     "A session has a UDP port, an API key and, with --unix, Unix sockets of its own: other sessions do not see what comes in there.",
     "  eval \"$(statwit session new checkout-test --ttl 10m)\"\n"
     "  statwit session ls\n"
     "  statwit session rm checkout-test\n"
     "  statwit session rm --keep checkout-test",
     session_command},
    {"mark", "[WHEN]", 0, 1, false, GROUPS(TAKES_SERVER, TAKES_DB, TAKES_SESSION, TAKES_JSON),
     "print a mark: a point in the recording, for --since and --until",
     "The point is now, behind all that was sent before. WHEN asks for another: an age (10s) or a time\n"
     "(2026-11-27T10:00:00Z), at which statwit received what came then.",
     "  mark=$(statwit mark); ./step-two; statwit expect --since \"$mark\" 'incr login.attempt sum == 1'\n"
     "  statwit mark 10s\n"
     "  statwit mark --db statwit.db 2026-11-27T10:00:00Z",
     mark_command},
    {"reset", "", 0, 0, false, GROUPS(TAKES_SERVER, TAKES_SESSION, TAKES_JSON, TAKES_QUIET),
     "forget what a session recorded", NULL,
     "  statwit reset\n"
     "  statwit reset --session checkout-test",
     reset_command},
    {"send", "[LINE…]", 0, ANY, false, GROUPS(TAKES_SERVER, TAKES_SESSION, TAKES_SEND, TAKES_QUIET),
     "send DogStatsD lines (or stdin)",
     "Where to: --to; else the server that --url or STATWIT_URL names; else where DD_DOGSTATSD_URL, DD_DOGSTATSD_SOCKET or\n"
     "DD_AGENT_HOST and DD_DOGSTATSD_PORT say; else the server on this host.",
     "  statwit send 'login.attempt:1|c|#instance:failure'\n"
     "  statwit send --to unixgram <lines.txt\n"
     "  statwit send --to udp://127.0.0.1:8125 'tasks.refreshed:42|g'",
     send_command},
    {"replay", "[FILE]", 0, 1, false, GROUPS(TAKES_SERVER, TAKES_DB, TAKES_SESSION, TAKES_SEND, TAKES_REPLAY, TAKES_QUIET),
     "send a recorded session or a file of lines again",
     "FILE is a recording or a text file of DogStatsD lines; - is stdin. Unless --to says otherwise they go over HTTP, where\n"
     "nothing is lost on the way.",
     "  statwit replay statwit.db --session again\n"
     "  statwit replay lines.txt --to udp",
     replay_command},
    {"export", "", 0, 0, false, GROUPS(TAKES_SERVER, TAKES_DB, TAKES_SESSION, TAKES_SINCE, TAKES_UNTIL, TAKES_FILTER, TAKES_EXPORT),
     "a whole session as jsonl, csv, dogstatsd or openmetrics", NULL,
     "  statwit export >session.jsonl\n"
     "  statwit export --db statwit.db --format csv -o samples.csv",
     export_command},
    {"flush", "[GLOB]", 0, 1, false, GROUPS(TAKES_SERVER, TAKES_DB, TAKES_SESSION, TAKES_SINCE, TAKES_FLUSH),
     "what a Datadog Agent would have sent to Datadog for it",
     "The Agent gathers DogStatsD samples in buckets of 10 s. Counts become rates, histograms and timings five series, distributions\n"
     "sketches. GLOB keeps series by the names that they have at Datadog. Series and sketches that came over HTTP are left out.",
     "  statwit flush\n"
     "  statwit flush --db statwit.db --format json\n"
     "  statwit flush 'events.latency.*' --explain events.latency\n"
     "  statwit flush --db statwit.db --flush-at 1700000010,1700000025",
     flush_command},
    {"view", "FILE [FILE]", 1, 2, false, GROUPS(TAKES_PAGE, TAKES_QUIET),
     "the live page on recordings, which it does not change",
     "It prints the page's address, and serves it on this host alone until SIGTERM or SIGINT. No byte of the files is changed. Of a\n"
     "second recording, the sessions are called 2:NAME, so that the two can be compared.",
     "  statwit view tests.db --open\n"
     "  statwit run --db tests.db --expect metrics.expect -- pytest || statwit view tests.db\n"
     "  statwit view main.db branch.db",
     view_command},
    {"import", "FILE…", 1, ANY, false, GROUPS(TAKES_IMPORT, TAKES_QUIET),
     "make a recording from a capture, with the times at which it arrived then",
     "FILE is a text with a line for each (seconds since 1970 with any decimals, a tab, a DogStatsD line), what the Agent's\n"
     "dogstatsd-capture wrote, or a pcap; each may be packed with zstd. - is stdin.",
     "  statwit import lines.txt --db new.db && statwit flush --db new.db\n"
     "  statwit import datadog-capture-1700000000.dog.zstd --db new.db\n"
     "  tcpdump -i lo -w - udp port 8125 | statwit import - --db new.db",
     import_command},
    {"push", "[FILE]", 0, 1, false, GROUPS(TAKES_PUSH, TAKES_JSON, TAKES_QUIET),
     "a recording into a fleet's ClickHouse",
     "All of the recording becomes visible at once, or nothing does; pushed again, it replaces what was there. User and password are\n"
     "STATWIT_CLICKHOUSE_USER and STATWIT_CLICKHOUSE_PASSWORD. Who reads: --db 'clickhouse://HOST/DATABASE?repo=shop&since=7d'.",
     "  statwit push --init --to clickhouse://ch:8123/statwit\n"
     "  statwit push statwit.db --to clickhouse://ch:8123/statwit --label branch=main\n"
     "  statwit ls 'login.*' --db 'clickhouse://ch:8123/statwit?branch=main&since=7d'",
     push_command},
    {"verify", "", 0, 0, false, GROUPS(TAKES_SERVER, TAKES_DB, TAKES_SESSION, TAKES_SINCE, TAKES_CATALOG, TAKES_VERIFY, TAKES_REPORT, TAKES_JSON, TAKES_QUIET, TAKES_VIEW, TAKES_DB_VIEW),
     "names, types and tags against a catalog",
     "What is not declared, of the wrong type, wrongly tagged or out of range fails; what is declared and was never seen is a\n"
     "warning unless --strict. statwit-catalog(5) describes catalogs.",
     "  statwit verify --catalog metadata.csv\n"
     "  statwit verify --catalog metrics.json --strict --junit report.xml\n"
     "  statwit verify --catalog metrics.json --near 80%\n"
     "  statwit verify --db statwit.db --catalog metrics.json --prefix sentry.",
     verify_command},
    {"lint", "", 0, 0, false, GROUPS(TAKES_SERVER, TAKES_DB, TAKES_SESSION, TAKES_SINCE, TAKES_CATALOG, TAKES_LINT, TAKES_REPORT, TAKES_JSON, TAKES_QUIET, TAKES_VIEW, TAKES_DB_VIEW),
     "what Datadog rewrites, drops or charges for",
     "Errors fail; warnings and notes do so only with --strict. A catalog can silence rules, for all metrics or for one.",
     "  statwit lint\n"
     "  statwit lint --silence reserved-key --strict\n"
     "  statwit lint --explain identifier-tag",
     lint_command},
    {"catalog", "infer|merge FILE…|fmt FILE…|convert FILE", 1, ANY, false, GROUPS(TAKES_SERVER, TAKES_DB, TAKES_SESSION, TAKES_SINCE, TAKES_FORMAT, TAKES_CHECK, TAKES_VIEW, TAKES_DB_VIEW),
     "make, merge, tidy and convert catalogs",
     "infer writes a catalog from what was recorded; verifying the same recording against it passes.",
     "  statwit catalog infer -o metrics.json\n"
     "  statwit catalog merge metadata.csv metrics.json -o all.json\n"
     "  statwit catalog fmt --check metrics.json\n"
     "  statwit catalog convert metadata.csv >metrics.json",
     catalog_command},
    {"snapshot", "[FILE]", 0, 1, false, GROUPS(TAKES_SERVER, TAKES_DB, TAKES_SESSION, TAKES_SINCE, TAKES_SNAPSHOT, TAKES_CHECK, TAKES_REPORT, TAKES_JSON, TAKES_QUIET, TAKES_VIEW, TAKES_DB_VIEW),
     "the series of a session as a text to keep beside a test",
     "Without FILE it goes to stdout. Values that look like identifiers, and the host, are shown as *.",
     "  statwit snapshot checkout.metrics\n"
     "  statwit snapshot --check checkout.metrics\n"
     "  statwit snapshot --update checkout.metrics --counts --mask user_id",
     snapshot_command},
    {"diff", "A B", 2, 2, false, GROUPS(TAKES_SERVER, TAKES_DB, TAKES_SESSION, TAKES_DIFF, TAKES_JSON, TAKES_QUIET),
     "what changed between two recordings, snapshots or catalogs",
     "A and B: files of any of these kinds, or session:NAME on the server. Exit code 1 when something\n"
     "changed, 4 when a loss could have made or hidden a change.",
     "  statwit diff main.db branch.db --markdown\n"
     "  statwit diff checkout.metrics session:default\n"
     "  statwit diff old/metadata.csv metadata.csv",
     diff_command},
    {"fault", "[ls|clear|http|dogstatsd|load] [FILE]", 0, 2, false, GROUPS(TAKES_SERVER, TAKES_SESSION, TAKES_FAULT, TAKES_JSON, TAKES_QUIET),
     "misbehave on purpose",
     "http and dogstatsd add a fault to the existing ones, load adds those of a file: {\"http\":[…]} as the API takes it, or\n"
     "WireMock's stub mappings. clear ends them all.",
     "  statwit fault http --path /api/v2/series --status 503 --times 3\n"
     "  statwit fault http --delay 2s --probability 0.1 --seed 1\n"
     "  statwit fault http --method POST --endpoint /totoro --body catbus --content-type text/plain --kept\n"
     "  statwit fault dogstatsd --drop 0.05\n"
     "  statwit fault load stubs.json\n"
     "  statwit fault clear",
     fault_command},
    {"completion", "bash|zsh|fish", 1, 1, false, GROUPS(TAKES_NONE),
     "shell completion", NULL,
     "  eval \"$(statwit completion bash)\"\n"
     "  statwit completion fish >~/.config/fish/completions/statwit.fish",
     completion_command},
};
/* clang-format on */
const size_t n_commands = sizeof commands / sizeof commands[0];

const struct command *command_find(const char *name) {
    for (size_t i = 0; i < n_commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int unknown_command(const char *name) {
    const char *names[sizeof commands / sizeof commands[0]];
    for (size_t i = 0; i < n_commands; i++)
        names[i] = commands[i].name;
    const char *near = option_nearest(name, n_commands, names);
    if (near)
        log_error("there is no command '%s': did you mean %s?", name, near);
    else
        log_error("there is no command '%s': statwit --help lists them", name);
    return EXIT_USAGE;
}

static int help(const char *name) {
    const struct command *command = name ? command_find(name) : NULL;
    if (name && !command)
        return unknown_command(name);
    if (command)
        help_command(command, stdout);
    else
        help_program(stdout);
    return EXIT_PASS;
}

static int command_run(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    if (!name[0]) {
        help_program(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0 || strcmp(name, "version") == 0) {
        printf("statwit %s\n", STATWIT_SERVER_VERSION);
        return EXIT_PASS;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return help(argc > 2 ? argv[2] : NULL);
    const struct command *command = command_find(name);
    if (!command)
        return unknown_command(name);

    if (command->run != run_command) /* which gives it back to its child: child.c */
        signal(SIGXFSZ, SIG_IGN);    /* a limit of a file's size is like a full disk */
    struct options o;
    struct err err = {0};
    int status = EXIT_USAGE;
    if (options_read(&o, command, argc - 2, argv + 2, &err) != 0)
        log_error("%s", err.text);
    else if (option_on(&o, OPT_HELP))
        status = help(name);
    else if ((status = rows_name_session(&o)) == EXIT_PASS && (status = moments_resolve(&o)) == EXIT_PASS)
        status = command->run(&o);
    options_free(&o);
    return status;
}

static bool nobody_reads(void) {
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && out.revents & POLLERR;
}

/* As the signal ends whatever is written to a pipe without a reader, also where it is ignored or was blocked for a request. */
static _Noreturn void end_by_pipe(void) {
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &pipe_only, NULL);
    raise(SIGPIPE);
    _exit(128 + SIGPIPE);
}

/* Output that could not be written was not seen by anybody, so a full disk is a failure. */
int command_main(int argc, char **argv) {
    int status = command_run(argc, argv);
    bool flushed = fflush(stdout) == 0;
    if (status == EXIT_CANNOT || (flushed && !ferror(stdout)))
        return status;
    if (nobody_reads()) /* head has what it wants */
        end_by_pipe();
    log_error("cannot write to stdout: %s", flushed ? "a part of it was not taken" : strerror(errno));
    return status == EXIT_PASS ? EXIT_CANNOT : status;
}
