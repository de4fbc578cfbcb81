#include "command/options.h"

#include "command/command.h"
#include "core/clock.h"
#include "core/distance.h"
#include "core/metric.h"
#include "core/number.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* clang-format off */
const struct option option_table[] = {
    {OPT_PRIVATE, GROUPS(TAKES_SERVE), KIND_FLAG, 0, "private", NULL, NULL, NULL, "for a test: free ports, --db :memory:, --quiet, --exit-with-stdin, and nothing from the environment; other flags still count"},

    /* Where to listen. `run` shares nothing with its surroundings: its ports are free ones, and the Agent's variables,
     * which say where others listen, are not for it. */
    {OPT_BIND, GROUPS(TAKES_SERVE), KIND_TEXT, 0, "bind", "ADDRESS", "DD_BIND_HOST", "127.0.0.1", "where to listen: an address, localhost (IPv4 and IPv6), 0.0.0.0 or ::"},
    {OPT_BIND, GROUPS(TAKES_RUN, RUN_BY_FLAG), KIND_TEXT, 0, "bind", "ADDRESS", NULL, "127.0.0.1", "where to listen"},
    {OPT_NON_LOCAL, GROUPS(TAKES_SERVE), KIND_FLAG, 0, "dogstatsd-non-local-traffic", NULL, "DD_DOGSTATSD_NON_LOCAL_TRAFFIC", NULL, "the same as --bind 0.0.0.0, unless --bind is given"},
    {OPT_DOGSTATSD_PORT, GROUPS(TAKES_SERVE), KIND_PORT, 0, "dogstatsd-port", "PORT", "DD_DOGSTATSD_PORT", "8125", "UDP port; 0: any free one"},
    {OPT_DOGSTATSD_PORT, GROUPS(TAKES_RUN, RUN_BY_FLAG), KIND_PORT, 0, "dogstatsd-port", "PORT", NULL, "0", "UDP port; 0: any free one"},
    {OPT_DOGSTATSD_SOCKET, GROUPS(TAKES_SERVE), KIND_TEXT, 0, "dogstatsd-socket", "PATH", "DD_DOGSTATSD_SOCKET", NULL, "Unix datagram socket to listen on as well"},
    {OPT_DOGSTATSD_SOCKET, GROUPS(TAKES_RUN, RUN_BY_FLAG), KIND_TEXT, 0, "dogstatsd-socket", "PATH", NULL, NULL, "Unix datagram socket to listen on as well"},
    {OPT_DOGSTATSD_STREAM_SOCKET, GROUPS(TAKES_SERVE), KIND_TEXT, 0, "dogstatsd-stream-socket", "PATH", "DD_DOGSTATSD_STREAM_SOCKET", NULL, "Unix stream socket (length-prefixed) to listen on as well"},
    {OPT_DOGSTATSD_STREAM_SOCKET, GROUPS(TAKES_RUN, RUN_BY_FLAG), KIND_TEXT, 0, "dogstatsd-stream-socket", "PATH", NULL, NULL, "Unix stream socket (length-prefixed) to listen on as well"},
    {OPT_SOCKET, GROUPS(TAKES_RUN, RUN_BY_FLAG), KIND_FLAG, 0, "socket", NULL, NULL, NULL, "also listen on Unix sockets in a private directory, and point the command at them"},
    {OPT_HTTP_PORT, GROUPS(TAKES_SERVE), KIND_PORT, 0, "http-port", "PORT", NULL, "8125", "TCP port of the Datadog API and of the control API; 0: any free one"},
    {OPT_HTTP_PORT, GROUPS(TAKES_RUN, RUN_BY_FLAG), KIND_PORT, 0, "http-port", "PORT", NULL, "0", "TCP port of the Datadog API and of the control API; 0: any free one"},

    /* What is recorded, and where. */
    {OPT_DB, GROUPS(TAKES_SERVE), KIND_TEXT, 0, "db", "FILE", NULL, "statwit.db", "the recording (SQLite); :memory: keeps nothing"},
    {OPT_DB, GROUPS(TAKES_RUN, RUN_BY_FLAG), KIND_TEXT, 0, "db", "FILE", NULL, ":memory:", "keep the recording in this file; what it held is forgotten"},
    {OPT_READY_FILE, GROUPS(TAKES_SERVE), KIND_TEXT, 0, "ready-file", "FILE", NULL, NULL, "write the ready line to this file, atomically, once everything listens"},
    {OPT_EXIT_WITH_STDIN, GROUPS(TAKES_SERVE), KIND_FLAG, 0, "exit-with-stdin", NULL, NULL, NULL, "end when stdin ends, that is, when the process at the other end of the pipe has ended (on a terminal: Ctrl-D)"},
    {OPT_RETENTION_AGE, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_TIME, 0, "retention-age", "TIME", NULL, NULL, "forget samples older than this (counted as evicted)"},
    {OPT_RETENTION_SAMPLES, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_COUNT, 0, "retention-samples", "N", NULL, NULL, "keep about this many samples (the rest is counted as evicted)"},
    {OPT_MAX_SERIES, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_COUNT_32, 0, "max-series", "N", NULL, NULL, "record at most this many series (default 2,000,000; more is counted as lost)"},
    {OPT_KEEP_DATAGRAMS, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_FLAG, 0, "keep-datagrams", NULL, NULL, NULL, "keep every raw datagram too"},
    {OPT_DOGSTATSD_TAGS, GROUPS(TAKES_SERVE), KIND_TEXT, 0, "dogstatsd-tags", "TAGS", "DD_DOGSTATSD_TAGS", NULL, "add these tags to whatever DogStatsD sends: env:ci,team:web"},
    {OPT_DOGSTATSD_TAGS, GROUPS(TAKES_RUN, RUN_BY_FLAG), KIND_TEXT, 0, "dogstatsd-tags", "TAGS", NULL, NULL, "add these tags to whatever DogStatsD sends: env:ci,team:web"},
    {OPT_IGNORE_ORIGIN, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_FLAG, 0, "ignore-origin", NULL, NULL, NULL, "don't read the fields c:, e: and card:, like an Agent without client origin detection"},
    {OPT_QUEUE_MEMORY, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_SIZE, 0, "queue-memory", "SIZE", NULL, "256M", "memory for what was received and is not stored yet"},
    {OPT_SO_RCVBUF, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_SIZE, 0, "so-rcvbuf", "SIZE", NULL, NULL, "receive buffer of each socket (default: as much as the system allows, 64M at most)"},

    /* Access. */
    {OPT_TLS_CERT, GROUPS(TAKES_SERVE), KIND_TEXT, 0, "tls-cert", "FILE", NULL, NULL, "serve https with this certificate (PEM)"},
    {OPT_TLS_KEY, GROUPS(TAKES_SERVE), KIND_TEXT, 0, "tls-key", "FILE", NULL, NULL, "the certificate's key (PEM)"},
    {OPT_TLS_SELF_SIGNED, GROUPS(TAKES_SERVE), KIND_LIST, 0, "tls-self-signed", "HOST", NULL, NULL, "serve https as this host (repeatable; localhost always), and write the authority to trust to statwit-ca.pem"},
    {OPT_TOKEN, GROUPS(TAKES_SERVE), KIND_TEXT, 0, "token", "TOKEN", NULL, NULL, "require this token on /recorder (better given as STATWIT_TOKEN: other users can see a command line)"},
    {OPT_NO_TOKEN, GROUPS(TAKES_SERVE), KIND_FLAG, 0, "no-token", NULL, NULL, NULL, "require no token, even when other hosts can reach the port"},
    {OPT_API_KEY, GROUPS(TAKES_SERVE), KIND_LIST, 0, "api-key", "KEY", NULL, NULL, "accept only these Datadog API keys (repeatable; default: any)"},
    {OPT_ALLOW_HOST, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_LIST, 0, "allow-host", "NAME", NULL, NULL, "also answer to this name in the Host header (repeatable, or a list with commas; globs: *.svc.cluster.local)"},
    {OPT_ADVERTISE, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_HOST, 0, "advertise", "HOST", NULL, NULL, "the host that the environment of a session names (default: the one by which the server was asked)"},
    {OPT_SESSION_PORTS, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_PORTS, 0, "session-ports", "A-B", NULL, NULL, "UDP ports of sessions, so that a container can publish them (default: any free ones)"},
    {OPT_ACCEPT_NO_KEY, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_FLAG, 0, "accept-no-key", NULL, NULL, NULL, "take writes over HTTP that have no API key too; Datadog answers 403"},
    {OPT_STRICT_INTAKE, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_FLAG, 0, "strict-intake", NULL, NULL, NULL, "answer 400 to what Datadog would accept and then drop, and 403 to an API key that is not 32 hexadecimal digits"},
    {OPT_TIMESTAMPS, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_WORD, 0, "timestamps", "datadog|any", NULL, "datadog", "points over HTTP: drop those that Datadog drops (over an hour old, or 10 minutes ahead), or keep any, for frozen clocks and recorded bodies"},
    {OPT_TIMESTAMPS, GROUPS(TAKES_NEW_SESSION), KIND_WORD, 0, "timestamps", "datadog|any", NULL, NULL, "the same for this session (default: as the server)"},
    {OPT_LOG_LEVEL, GROUPS(TAKES_RECORDER), KIND_WORD, 0, "log-level", "error|warning|info|debug", NULL, "info", "how much to say on stderr"},

    /* run. */
    {OPT_EXPECT, GROUPS(TAKES_RUN), KIND_LIST, 'e', "expect", "FILE", NULL, NULL, "judge this file of expectations, or this one expectation, when the command has ended (repeatable)"},
    {OPT_TIMEOUT, GROUPS(TAKES_RUN), KIND_TIME, 0, "timeout", "TIME", NULL, NULL, "end the command after this time (exit 124)"},
    {OPT_KILL_AFTER, GROUPS(TAKES_RUN), KIND_TIME, 0, "kill-after", "TIME", NULL, "5s", "after --timeout, how long it may take to end before it is killed"},

    /* Whom to ask. */
    {OPT_URL, GROUPS(TAKES_SERVER), KIND_TEXT, 0, "url", "URL", NULL, "http://127.0.0.1:8125", "the server"},
    {OPT_TOKEN, GROUPS(TAKES_SERVER), KIND_TEXT, 0, "token", "TOKEN", NULL, NULL, "the server's token (better given as STATWIT_TOKEN)"},
    {OPT_CA_FILE, GROUPS(TAKES_SERVER), KIND_TEXT, 0, "ca-file", "FILE", NULL, NULL, "certificates to trust for https (PEM)"},
    {OPT_ANSWER_TIMEOUT, GROUPS(TAKES_SERVER, TAKES_RUN), KIND_TIME, 0, "answer-timeout", "TIME", NULL, "5m", "how long the server may take to answer, or be silent in the midst of it; --within and --settle come on top"},
    {OPT_DB, GROUPS(TAKES_DB), KIND_TEXT, 0, "db", "FILE", NULL, NULL, "read this recording instead of asking a server"},
    {OPT_SESSION, GROUPS(TAKES_SESSION), KIND_TEXT, 's', "session", "NAME", NULL, NULL, "the session (default: default); * for all, also those that have ended"},
    {OPT_SESSION, GROUPS(TAKES_RUN, RUN_BY_FLAG), KIND_TEXT, 's', "session", "NAME", NULL, NULL, "judge this session, * for all as one (default: claims judge the session default, but `no` claims, --catalog and --all-covered every session)"},
    {OPT_SINCE, GROUPS(TAKES_SINCE), KIND_COUNT, 0, "since", "MARK", NULL, NULL, "only what was recorded after this mark"},
    {OPT_TYPE, GROUPS(TAKES_FILTER), KIND_TEXT, 't', "type", "TYPE", NULL, NULL, "only this type: " METRIC_WORDS "; of a server also event, check or any"},
    {OPT_TAG, GROUPS(TAKES_FILTER), KIND_LIST, 0, "tag", "TAG", NULL, NULL, "only what carries this tag (repeatable)"},
    {OPT_SOURCE, GROUPS(TAKES_SAMPLES), KIND_WORD, 0, "source", "udp|unixgram|unixstream|http", NULL, NULL, "only what came in this way"},
    {OPT_LIMIT, GROUPS(TAKES_SAMPLES), KIND_SOME, 'n', "limit", "N", NULL, NULL, "only the newest N"},
    {OPT_JSON, GROUPS(TAKES_JSON), KIND_FLAG, 'j', "json", NULL, NULL, NULL, "print JSON, for programs"},

    /* Judging. */
    {OPT_EXPECT, GROUPS(TAKES_EXPECT), KIND_LIST, 'f', "file", "FILE", NULL, NULL, "a file of expectations; - is stdin (repeatable)"},
    {OPT_WITHIN, GROUPS(TAKES_JUDGE), KIND_TIME, 0, "within", "TIME", NULL, NULL, "wait at most this long for all to hold"},
    {OPT_SETTLE, GROUPS(TAKES_JUDGE), KIND_TIME, 0, "settle", "TIME", NULL, NULL, "also require this long without new data"},
    {OPT_ALL_COVERED, GROUPS(TAKES_JUDGE), KIND_FLAG, 0, "all-covered", NULL, NULL, NULL, "fail when a recorded series is named by no expectation, nor declared by --catalog"},
    {OPT_NO_REJECTS, GROUPS(TAKES_JUDGE), KIND_FLAG, 0, "no-rejects", NULL, NULL, NULL, "fail when a line or a point was refused"},
    {OPT_PREFIX, GROUPS(TAKES_JUDGE, TAKES_NUMBER, TAKES_VERIFY), KIND_TEXT, 0, "prefix", "PREFIX", NULL, NULL, "put this before every name"},
    {OPT_IGNORE_TAGS, GROUPS(TAKES_JUDGE, TAKES_NUMBER, TAKES_VERIFY), KIND_TEXT, 0, "ignore-tags", "KEYS", NULL, NULL, "leave these tag keys out of comparisons: env,host"},
    {OPT_JUNIT, GROUPS(TAKES_JUDGE, TAKES_REPORT), KIND_TEXT, 0, "junit", "FILE", NULL, NULL, "write a JUnit report"},
    {OPT_TAP, GROUPS(TAKES_JUDGE, TAKES_REPORT), KIND_FLAG, 0, "tap", NULL, NULL, NULL, "print the report as TAP"},
    {OPT_JSON_FILE, GROUPS(TAKES_RUN), KIND_TEXT, 0, "json-file", "FILE", NULL, NULL, "write the report as JSON"},

    /* Of single commands. */
    {OPT_FOLLOW, GROUPS(TAKES_SAMPLES), KIND_FLAG, 'f', "follow", NULL, NULL, NULL, "go on printing what arrives"},
    {OPT_REMARKS, GROUPS(TAKES_REJECTS), KIND_FLAG, 0, "remarks", NULL, NULL, NULL, "instead, what an Agent ignores inside the lines that it takes"},
    {OPT_WAIT, GROUPS(TAKES_STATUS), KIND_TIME, 'w', "wait", "TIME", NULL, NULL, "wait at most this long until the server is ready; this needs no token, so a health check has enough with -q --wait"},
    {OPT_FORMAT, GROUPS(TAKES_EXPORT), KIND_WORD, 0, "format", "jsonl|csv|dogstatsd|openmetrics", NULL, "jsonl", "how to write it"},
    {OPT_CSV_SAFE, GROUPS(TAKES_EXPORT), KIND_FLAG, 0, "csv-safe", NULL, NULL, NULL, "csv: put ' before a text that a spreadsheet would take for a formula"},
    {OPT_OUTPUT, GROUPS(TAKES_EXPORT, TAKES_FORMAT), KIND_TEXT, 'o', "output", "FILE", NULL, NULL, "where to write it (default: stdout)"},
    {OPT_TO, GROUPS(TAKES_SEND), KIND_TEXT, 0, "to", "WHERE", NULL, NULL, "udp, unixgram, unixstream or http: that way to the server; or an address: udp://HOST:PORT, unixgram://PATH, unixstream://PATH"},
    {OPT_FROM, GROUPS(TAKES_REPLAY), KIND_TEXT, 0, "from", "NAME", NULL, NULL, "the session of the recording to send (default: default; * for all); --session says into which"},
    {OPT_UNIX, GROUPS(TAKES_NEW_SESSION), KIND_FLAG, 0, "unix", NULL, NULL, NULL, "with Unix sockets of its own"},
    {OPT_TTL, GROUPS(TAKES_NEW_SESSION), KIND_TIME, 0, "ttl", "TIME", NULL, NULL, "remove it after this time"},
    {OPT_KEEP, GROUPS(TAKES_NEW_SESSION), KIND_FLAG, 0, "keep", NULL, NULL, NULL, "rm: end it, but keep what it recorded"},
    {OPT_PATH, GROUPS(TAKES_FAULT), KIND_TEXT, 0, "path", "GLOB", NULL, NULL, "http: only requests to this path"},
    {OPT_STATUS, GROUPS(TAKES_FAULT), KIND_COUNT, 0, "status", "CODE", NULL, NULL, "http: answer with this status and store nothing"},
    {OPT_DELAY, GROUPS(TAKES_FAULT), KIND_TIME, 0, "delay", "TIME", NULL, NULL, "http: answer this much later"},
    {OPT_CUT, GROUPS(TAKES_FAULT), KIND_WORD, 0, "cut", "before|during|after", NULL, NULL, "http: cut the connection before storing, in the middle of the answer, or after storing"},
    {OPT_TIMES, GROUPS(TAKES_FAULT), KIND_SOME, 0, "times", "N", NULL, NULL, "http: only the next N requests"},
    {OPT_PROBABILITY, GROUPS(TAKES_FAULT), KIND_SHARE, 0, "probability", "SHARE", NULL, NULL, "http: only this share of the requests, 0 to 1"},
    {OPT_DROP, GROUPS(TAKES_FAULT), KIND_SHARE, 0, "drop", "SHARE", NULL, NULL, "dogstatsd: drop this share of the datagrams, 0 to 1"},
    {OPT_SEED, GROUPS(TAKES_FAULT), KIND_COUNT, 0, "seed", "N", NULL, NULL, "for --probability and --drop: the same choices again"},

    /* Names and tags. */
    {OPT_CATALOG, GROUPS(TAKES_CATALOG, TAKES_JUDGE), KIND_LIST, 0, "catalog", "FILE", NULL, NULL, "the catalog: metadata.csv or JSON (repeatable)"},
    {OPT_STRICT, GROUPS(TAKES_CATALOG, TAKES_JUDGE), KIND_FLAG, 0, "strict", NULL, NULL, NULL, "warnings fail too: a declared metric that was never seen, what lint only warns of"},
    {OPT_SILENCE, GROUPS(TAKES_LINT), KIND_LIST, 0, "silence", "RULE", NULL, NULL, "leave this rule out (repeatable)"},
    {OPT_EXPLAIN, GROUPS(TAKES_LINT), KIND_TEXT, 0, "explain", "RULE", NULL, NULL, "say what a rule means and why; all lists them"},
    {OPT_CATALOG_FORMAT, GROUPS(TAKES_FORMAT), KIND_WORD, 0, "format", "json|csv", NULL, NULL, "how to write it"},
    {OPT_CHECK, GROUPS(TAKES_CHECK), KIND_FLAG, 0, "check", NULL, NULL, NULL, "compare with the file and change nothing"},
    {OPT_WRITE, GROUPS(TAKES_FORMAT), KIND_FLAG, 'w', "write", NULL, NULL, NULL, "fmt: rewrite the files"},
    {OPT_UPDATE, GROUPS(TAKES_SNAPSHOT), KIND_FLAG, 0, "update", NULL, NULL, NULL, "rewrite the file (not where CI is set)"},
    {OPT_COUNTS, GROUPS(TAKES_SNAPSHOT), KIND_FLAG, 0, "counts", NULL, NULL, NULL, "with the number of samples"},
    {OPT_VALUES, GROUPS(TAKES_SNAPSHOT), KIND_FLAG, 0, "values", NULL, NULL, NULL, "with values: sums of counts, last values of gauges, ranges of the others"},
    {OPT_MASK, GROUPS(TAKES_SNAPSHOT), KIND_TEXT, 0, "mask", "KEYS", NULL, NULL, "show the values of these tag keys as *: user_id,trace"},
    {OPT_MARKDOWN, GROUPS(TAKES_DIFF), KIND_FLAG, 0, "markdown", NULL, NULL, NULL, "write tables for a pull request"},
    {OPT_QUIET, GROUPS(TAKES_QUIET), KIND_FLAG, 'q', "quiet", NULL, NULL, NULL, "say nothing that is not an error"},
    {OPT_HELP, GROUPS(TAKES_ALWAYS), KIND_FLAG, 'h', "help", NULL, NULL, NULL, "this text"},
};
/* clang-format on */
const size_t n_option_table = sizeof option_table / sizeof option_table[0];

bool option_groups_have(const struct option_groups *groups, enum option_group group) {
    for (size_t i = 0; groups->list[i] != TAKES_NONE; i++)
        if (groups->list[i] == group)
            return true;
    return false;
}

bool option_taken(const struct option *option, const struct command *command) {
    for (const enum option_group *group = option->groups.list; *group != TAKES_NONE; group++)
        if (*group == TAKES_ALWAYS || option_groups_have(&command->groups, *group))
            return true;
    return false;
}

void option_env(const struct option *option, char name[OPTION_ENV_SIZE]) {
    size_t n = (size_t)snprintf(name, OPTION_ENV_SIZE, "STATWIT_%s", option->flag);
    for (size_t i = 0; i < n && i < OPTION_ENV_SIZE; i++)
        name[i] = name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
}

int64_t option_parse_time(const char *text) {
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"ms", 1e6}, {"us", 1e3}, {"ns", 1}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
    size_t n = strspn(text, "0123456789.");
    double value;
    if (n == 0 || number_parse(span_of(text, n), &value) != NUMBER_OK)
        return -1;
    if (value == 0 && !text[n])
        return 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(text + n, units[i].unit) == 0)
            return value * units[i].ns < 9e18 ? (int64_t)(value * units[i].ns + 0.5) : -1;
    return -1;
}

int64_t option_parse_size(const char *text) {
    size_t n = strspn(text, "0123456789");
    int64_t value;
    if (n == 0 || number_parse_int(span_of(text, n), &value) != NUMBER_OK)
        return -1;
    const char *units = "BKMGT";
    int shift = 0;
    if (text[n]) {
        const char *unit = strchr(units, toupper((unsigned char)text[n]));
        if (!unit || !(text[n + 1] == '\0' || strcasecmp(text + n + 1, "iB") == 0 ||
                       strcasecmp(text + n + 1, "B") == 0))
            return -1;
        shift = (int)(unit - units) * 10;
    }
    return value > (INT64_MAX >> shift) ? -1 : value << shift;
}

static bool is_word(const char *text, const char *words) {
    size_t n = strlen(text);
    for (const char *at = words; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strncmp(at, text, n) == 0 && (at[n] == '|' || at[n] == '\0') && n)
            return true;
    return false;
}

static bool parse_flag(const char *text, int64_t *on) {
    static const char *const yes[] = {"1", "true", "yes", "on"}, *const no[] = {"0", "false", "no", "off"};
    for (size_t i = 0; i < 4; i++)
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *on = strcasecmp(text, yes[i]) == 0;
            return true;
        }
    return false;
}

/* Reads a value. On success *v is filled and the result is NULL; else the result says how such a value looks, for the error. */
static const char *parse_value(const struct option *option, const char *text, struct option_value *v) {
    bool whole =
        number_parse_int(span_str(text), &v->number) == NUMBER_OK && v->number >= 0 && text[0] != '+';
    switch (option->kind) {
    case KIND_FLAG:
        return parse_flag(text, &v->number) ? NULL : "true or false";
    case KIND_TEXT:
    case KIND_LIST:
        return NULL;
    case KIND_WORD:
        return is_word(text, option->arg) ? NULL : option->arg;
    case KIND_PORT:
        return whole && v->number <= 65535 ? NULL : "a port, 0 to 65535";
    case KIND_COUNT:
        return whole ? NULL : "a whole number";
    case KIND_COUNT_32:
        return whole && v->number <= UINT32_MAX ? NULL : "a whole number, at most 4294967295";
    case KIND_SOME:
        return whole && v->number > 0 ? NULL : "a whole number from 1";
    case KIND_SIZE:
        return (v->number = option_parse_size(text)) >= 0 ? NULL : "a size: 65536, 64K, 256M, 1G";
    case KIND_TIME:
        return (v->number = option_parse_time(text)) >= 0 ? NULL : "a time: 200ms, 5s, 10m, 2h, 7d";
    case KIND_SHARE:
        return number_parse(span_str(text), &v->share) == NUMBER_OK && v->share >= 0 && v->share <= 1
                   ? NULL
                   : "a share, 0 to 1";
    case KIND_HOST:
        return option_is_host(text) ? NULL : "a host's name or address, without a port";
    case KIND_PORTS:
        return (v->number = option_parse_ports(text)) > 0 ? NULL : "two port numbers, as 8130-8199";
    }
    return "something else";
}

/* The HTTP and C interfaces count in milliseconds, other programs in seconds: a bare number would be either. */
static bool lacks_unit(const struct option *option, const char *text) {
    size_t n = strlen(text);
    double value;
    return option->kind == KIND_TIME && n > 0 && strspn(text, "0123456789.") == n &&
           number_parse(span_of(text, n), &value) == NUMBER_OK;
}

/* `name` is what the user wrote: a flag or a variable. */
static int set_value(struct options *o, const struct option *option, enum option_origin from,
                     const char *name, const char *text, struct err *err) {
    struct option_value v = {.from = from, .text = text};
    const char *wanted = parse_value(option, text, &v);
    if (wanted && lacks_unit(option, text))
        return err_set(err, 0, "%s needs a unit: write %.40sms or %.40ss, not '%.40s'", name, text, text,
                       text);
    if (wanted)
        return err_set(err, 0, "%s must be %s, not '%.100s'", name, wanted, text);
    bool more = option->kind == KIND_LIST && from == FROM_FLAG && o->value[option->id].from == FROM_FLAG;
    o->value[option->id] = v;
    if (option->kind != KIND_LIST)
        return 0;
    size_t n = more ? o->list[option->id].n : 0;
    if (n == OPTION_LIST_MAX)
        return err_set(err, 0, "%s is given more than %d times", name, OPTION_LIST_MAX);
    const char **texts = realloc(o->list[option->id].texts, (n + 1) * sizeof *texts);
    if (!texts)
        return err_set(err, ENOMEM, "cannot read the options");
    texts[n] = text;
    o->list[option->id].texts = texts;
    o->list[option->id].n = n + 1;
    return 0;
}

/* Commands share a variable whose flag they take with words of their own: one is for those that know its word. */
static bool is_for_another(const struct option *option, const char *text) {
    bool takes = false;
    for (size_t i = 0; i < n_option_table && option->kind == KIND_WORD; i++) {
        const struct option *other = &option_table[i];
        if (other->kind != KIND_WORD || strcmp(other->flag, option->flag) != 0 || !is_word(text, other->arg))
            continue;
        if (other == option)
            return false;
        takes = true;
    }
    return takes;
}

/* A private recorder, and that of `run`, take nothing from the environment. */
static bool reads_environment(const struct options *o, const struct option *option) {
    bool run = option_groups_have(&o->command->groups, TAKES_RUN);
    if (option->id == OPT_HELP || o->value[option->id].from == FROM_FLAG)
        return false;
    return option->id == OPT_PRIVATE ||
           !(option_on(o, OPT_PRIVATE) || (run && option_groups_have(&option->groups, RUN_BY_FLAG)));
}

static int set_from_environment(struct options *o, const struct option *option, struct err *err) {
    char env[OPTION_ENV_SIZE];
    option_env(option, env);
    const struct {
        const char *name;
        enum option_origin from;
    } places[] = {{option->dd, FROM_DD}, {env, FROM_ENV}};
    for (size_t i = 0; i < 2 && reads_environment(o, option); i++) {
        const char *text = places[i].name ? getenv(places[i].name) : NULL;
        if (text && text[0] && !is_for_another(option, text) &&
            set_value(o, option, places[i].from, places[i].name, text, err) != 0)
            return -1;
    }
    return 0;
}

static int set_defaults(struct options *o, struct err *err) {
    for (size_t i = 0; i < n_option_table; i++) {
        const struct option *option = &option_table[i];
        if (option_taken(option, o->command) && option->fallback &&
            set_value(o, option, FROM_DEFAULT, option->flag, option->fallback, err) != 0)
            return -1;
    }
    return 0;
}

static const struct option *find_flag(const struct command *command, const char *flag, size_t n) {
    for (size_t i = 0; i < n_option_table; i++)
        if (option_taken(&option_table[i], command) && strlen(option_table[i].flag) == n &&
            memcmp(option_table[i].flag, flag, n) == 0)
            return &option_table[i];
    return NULL;
}

const struct option *option_find(const struct command *command, const char *arg) {
    return strncmp(arg, "--", 2) == 0 ? find_flag(command, arg + 2, strcspn(arg + 2, "=")) : NULL;
}

static const struct option *find_letter(const struct command *command, char letter) {
    for (size_t i = 0; i < n_option_table; i++)
        if (option_taken(&option_table[i], command) && option_table[i].letter == letter)
            return &option_table[i];
    return NULL;
}

static int unknown_flag(const struct command *command, const char *arg, struct err *err) {
    const char *flags[OPT_N * 2];
    size_t n = 0;
    for (size_t i = 0; i < n_option_table && n < OPT_N * 2; i++)
        if (option_taken(&option_table[i], command))
            flags[n++] = option_table[i].flag;
    const char *near = arg[1] == '-' ? option_nearest(arg + 2, n, flags) : NULL;
    return near ? err_set(err, 0, "unknown option %.100s: did you mean --%s?", arg, near)
                : err_set(err, 0, "unknown option %.100s: see statwit %s --help", arg, command->name);
}

/* --flag, --flag=VALUE, --flag VALUE. Returns how many arguments it took, -1 with err. */
static int read_long(struct options *o, int n, char **args, struct err *err) {
    const char *flag = args[0] + 2;
    size_t length = strcspn(flag, "=");
    const char *value = flag[length] ? flag + length + 1 : NULL;
    const struct option *option = find_flag(o->command, flag, length);
    if (!option)
        return unknown_flag(o->command, args[0], err);
    char name[OPTION_ENV_SIZE];
    snprintf(name, sizeof name, "--%s", option->flag);
    if (option->kind == KIND_FLAG)
        return set_value(o, option, FROM_FLAG, name, value ? value : "true", err) == 0 ? 1 : -1;
    if (!value && n < 2)
        return err_set(err, 0, "%s needs a value: %s", name, option->arg);
    return set_value(o, option, FROM_FLAG, name, value ? value : args[1], err) == 0 ? (value ? 1 : 2) : -1;
}

/* -q, -f VALUE, -fVALUE, and flags together: -qj. */
static int read_short(struct options *o, int n, char **args, struct err *err) {
    for (const char *at = args[0] + 1; *at; at++) {
        const struct option *option = find_letter(o->command, *at);
        if (!option)
            return unknown_flag(o->command, args[0], err);
        char name[3] = {'-', *at, '\0'};
        if (option->kind == KIND_FLAG) {
            if (set_value(o, option, FROM_FLAG, name, "true", err) != 0)
                return -1;
            continue;
        }
        if (!at[1] && n < 2)
            return err_set(err, 0, "%s needs a value: %s", name, option->arg);
        return set_value(o, option, FROM_FLAG, name, at[1] ? at + 1 : args[1], err) == 0 ? (at[1] ? 1 : 2)
                                                                                         : -1;
    }
    return 1;
}

static int check_args(const struct options *o, struct err *err) {
    const struct command *c = o->command;
    if (o->n_args < c->min_args)
        return err_set(err, 0, "statwit %s needs %s", c->name, c->args);
    if (c->max_args >= 0 && o->n_args > c->max_args)
        return err_set(err, 0, "statwit %s takes no '%.100s'", c->name, o->args[c->max_args]);
    return 0;
}

static int read_args(struct options *o, int n, char **args, struct err *err) {
    bool rest = false; /* what follows is no option */
    for (int i = 0, took; i < n; i += took) {
        took = 1;
        if (!rest && strcmp(args[i], "--") == 0)
            rest = o->dashes = true;
        else if (rest || args[i][0] != '-' || !args[i][1]) {
            o->args[o->n_args++] = args[i];
            rest = rest || o->command->stops_at_arg;
        } else if ((took = args[i][1] == '-' ? read_long(o, n - i, args + i, err)
                                             : read_short(o, n - i, args + i, err)) < 0)
            return -1;
    }
    o->args[o->n_args] = NULL;
    return 0;
}

/* Flags were read before, so that a variable is looked at only where no flag was given. --private is first in the table: it
 * says whether the others are looked at. */
static int set_environment(struct options *o, struct err *err) {
    for (size_t i = 0; i < n_option_table; i++)
        if (option_taken(&option_table[i], o->command) && set_from_environment(o, &option_table[i], err) != 0)
            return -1;
    return 0;
}

/* The options that --private sets where no flag says otherwise. */
static int set_private(struct options *o, struct err *err) {
    static const struct {
        enum option_id id;
        const char *text;
    } means[] = {{OPT_DOGSTATSD_PORT, "0"},
                 {OPT_HTTP_PORT, "0"},
                 {OPT_DB, ":memory:"},
                 {OPT_QUIET, "true"},
                 {OPT_EXIT_WITH_STDIN, "true"}};
    for (size_t i = 0; i < n_option_table && option_on(o, OPT_PRIVATE); i++)
        for (size_t k = 0; k < sizeof means / sizeof means[0]; k++)
            if (option_table[i].id == means[k].id && option_taken(&option_table[i], o->command) &&
                o->value[means[k].id].from != FROM_FLAG &&
                set_value(o, &option_table[i], FROM_DEFAULT, option_table[i].flag, means[k].text, err) != 0)
                return -1;
    return 0;
}

int options_read(struct options *o, const struct command *command, int n, char **args, struct err *err) {
    *o = (struct options){.command = command};
    o->args = malloc(((size_t)n + 1) * sizeof *o->args);
    if (!o->args)
        return err_set(err, ENOMEM, "cannot read the options");
    return set_defaults(o, err) != 0 || read_args(o, n, args, err) != 0 || set_environment(o, err) != 0 ||
                   set_private(o, err) != 0
               ? -1
           : option_on(o, OPT_HELP) ? 0
                                    : check_args(o, err);
}
void options_free(struct options *o) {
    for (size_t i = 0; i < OPT_N; i++)
        free(o->list[i].texts);
    free(o->args);
}

const char *option_nearest(const char *word, size_t n, const char *const *words) {
    size_t length = strcspn(word, "="), best = length < 5 ? 2 : 4;
    const char *nearest = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t edits = distance(span_of(word, length), span_str(words[i]), best - 1);
        if (edits < best) {
            best = edits;
            nearest = words[i];
        }
    }
    return nearest;
}
