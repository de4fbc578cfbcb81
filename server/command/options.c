/* The table. What is given is held against it in options_read.c. */
#include "command/options.h"

#include "command/command.h"
#include "core/metric.h"
#include <ctype.h>
#include <stdio.h>

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
    {OPT_READY_FILE, GROUPS(TAKES_SERVE), KIND_TEXT, 0, "ready-file", "FILE", NULL, NULL, "write the ready line to this file, atomically, once everything listens; - is stdout, which has it in any case, but for a terminal"},
    {OPT_EXIT_WITH_STDIN, GROUPS(TAKES_SERVE), KIND_FLAG, 0, "exit-with-stdin", NULL, NULL, NULL, "end when stdin ends, that is, when the process at the other end of the pipe has ended (on a terminal: Ctrl-D)"},
    {OPT_RETENTION_AGE, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_TIME, 0, "retention-age", "TIME", NULL, NULL, "forget samples older than this (counted as evicted)"},
    {OPT_RETENTION_SAMPLES, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_COUNT, 0, "retention-samples", "N", NULL, NULL, "keep about this many samples, the newest (the rest is counted as evicted)"},
    {OPT_MAX_SERIES, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_COUNT_32, 0, "max-series", "N", NULL, NULL, "record at most this many series (default 2,000,000; more is counted as lost)"},
    {OPT_KEEP_DATAGRAMS, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_FLAG, 0, "keep-datagrams", NULL, NULL, NULL, "keep every raw datagram too"},
    {OPT_KEEP_BODIES, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_FLAG, 0, "keep-bodies", NULL, NULL, NULL, "keep the body of every write over HTTP, as it came"},
    {OPT_RETENTION_BODIES, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_SIZE, 0, "retention-bodies", "SIZE", NULL, "1G", "forget the oldest bodies beyond this size, together with their requests"},
    {OPT_DOGSTATSD_TAGS, GROUPS(TAKES_SERVE), KIND_TEXT, 0, "dogstatsd-tags", "TAGS", "DD_DOGSTATSD_TAGS", NULL, "add these tags to whatever DogStatsD sends: env:ci,team:web"},
    {OPT_DOGSTATSD_TAGS, GROUPS(TAKES_RUN, RUN_BY_FLAG), KIND_TEXT, 0, "dogstatsd-tags", "TAGS", NULL, NULL, "add these tags to whatever DogStatsD sends: env:ci,team:web"},
    {OPT_IGNORE_ORIGIN, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_FLAG, 0, "ignore-origin", NULL, NULL, NULL, "don't read the fields c:, e: and card:, like an Agent without client origin detection"},
    {OPT_QUEUE_MEMORY, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_SIZE, 0, "queue-memory", "SIZE", NULL, NULL, "memory for what was received and is not stored yet (default: an eighth of the machine's, or of its control group's; at least 256M or half of it, at most 2G)"},
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
    {OPT_FAKEINTAKE, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_FLAG, 0, "fakeintake", NULL, NULL, NULL, "be Datadog's fakeintake: take any POST on any path and any key, keep its body, answer 200, keep points of any age"},
    {OPT_AUTO_SESSIONS, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_FLAG, 0, "auto-sessions", NULL, NULL, NULL, "a session exists by being named, in /s/NAME or a test session token, as with dd-apm-test-agent"},
    {OPT_RAW_QUERIES, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_FLAG, 0, "raw-queries", NULL, NULL, NULL, "Datadog's read paths show DogStatsD samples as they were sent, not as an Agent flushes them"},
    {OPT_FORWARD, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_LIST, 0, "forward", "URL", NULL, NULL, "pass on what is received (repeatable): datagrams to udp://HOST:PORT, unix://PATH or unixstream://PATH, requests to https://HOST, what an Agent makes of datagrams to agent+https://HOST"},
    {OPT_FORWARD_KEY_FILE, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_TEXT, 0, "forward-api-key-file", "FILE", NULL, NULL, "the API key for --forward stands in this file (or in STATWIT_FORWARD_API_KEY); without one, requests keep their own key"},
    {OPT_FORWARD_CA_FILE, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_TEXT, 0, "forward-ca-file", "FILE", NULL, NULL, "certificates that --forward trusts for https (PEM)"},
    {OPT_FORWARD_HOSTNAME, GROUPS(TAKES_SERVE), KIND_TEXT, 0, "forward-hostname", "NAME", "DD_HOSTNAME", NULL, "the host of what names none, for agent+ (default: this host's name)"},
    {OPT_FORWARD_HOSTNAME, GROUPS(TAKES_RUN, RUN_BY_FLAG), KIND_TEXT, 0, "forward-hostname", "NAME", NULL, NULL, "the host of what names none, for agent+ (default: this host's name)"},
    {OPT_FORWARD_INTERVAL, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_TIME, 0, "forward-interval", "TIME", NULL, "15s", "how often agent+ flushes; at the end it flushes what is left"},
    {OPT_FORWARD_BACKOFF, GROUPS(TAKES_RECORDER, RUN_BY_FLAG), KIND_TIME, 0, "forward-backoff", "TIME", NULL, "2s", "how long --forward pauses after a request failed; twice as long each time, 64 s at most"},
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
    {OPT_SINCE, GROUPS(TAKES_SINCE), KIND_MOMENT, 0, "since", "WHEN", NULL, NULL, "only what was recorded since then: a mark (statwit mark), an age (10s), a time (2026-11-27T10:00:00Z) or now"},
    {OPT_UNTIL, GROUPS(TAKES_UNTIL), KIND_MOMENT, 0, "until", "WHEN", NULL, NULL, "only what was recorded until then, as --since takes it"},
    {OPT_TYPE, GROUPS(TAKES_FILTER), KIND_TEXT, 't', "type", "TYPE", NULL, NULL, "only this type: " METRIC_WORDS "; of a server also event, check or any"},
    {OPT_TAG, GROUPS(TAKES_FILTER, TAKES_RECORDS), KIND_LIST, 0, "tag", "TAG", NULL, NULL, "only what carries this tag (repeatable)"},
    {OPT_SOURCE, GROUPS(TAKES_SAMPLES, TAKES_RECORDS, TAKES_DATAGRAMS), KIND_WORD, 0, "source", "udp|unixgram|unixstream|http", NULL, NULL, "only what came in this way"},
    {OPT_LIMIT, GROUPS(TAKES_SAMPLES, TAKES_RECORDS, TAKES_DATAGRAMS), KIND_SOME, 'n', "limit", "N", NULL, NULL, "only the newest N"},
    {OPT_SORT, GROUPS(TAKES_LS), KIND_WORD, 0, "sort", LS_ORDERS, NULL, "name", "by name, the largest first, the newest first, or as they came in"},
    {OPT_BY, GROUPS(TAKES_LS), KIND_TEXT, 0, "by", "WORDS", NULL, NULL, "who sends it instead: series put together by name, type, session, host, tags; of pushed recordings also repo, branch, commit, job, run, label.KEY"},
    {OPT_WIDE, GROUPS(TAKES_TABLE), KIND_FLAG, 0, "wide", NULL, NULL, NULL, "cut nothing, also where the terminal is narrower; ls: with host, count, min, max and times"},
    {OPT_UTC, GROUPS(TAKES_TIMES), KIND_FLAG, 0, "utc", NULL, NULL, NULL, "times in UTC (default: in the local zone)"},
    {OPT_JSON, GROUPS(TAKES_JSON), KIND_FLAG, 'j', "json", NULL, NULL, NULL, "print JSON, for programs"},

    /* Judging. */
    {OPT_EXPECT, GROUPS(TAKES_EXPECT), KIND_LIST, 'f', "file", "FILE", NULL, NULL, "a file of expectations; - is stdin (repeatable)"},
    {OPT_WITHIN, GROUPS(TAKES_JUDGE), KIND_TIME, 0, "within", "TIME", NULL, NULL, "wait at most this long for all to hold"},
    {OPT_SETTLE, GROUPS(TAKES_JUDGE), KIND_TIME, 0, "settle", "TIME", NULL, NULL, "also require this long without new data"},
    {OPT_ALL_COVERED, GROUPS(TAKES_JUDGE), KIND_FLAG, 0, "all-covered", NULL, NULL, NULL, "fail when a recorded series is named by no expectation, nor declared by --catalog"},
    {OPT_NO_REJECTS, GROUPS(TAKES_JUDGE), KIND_FLAG, 0, "no-rejects", NULL, NULL, NULL, "fail when a line or a point was refused"},
    {OPT_PREFIX, GROUPS(TAKES_JUDGE, TAKES_NUMBER, TAKES_VERIFY), KIND_TEXT, 0, "prefix", "PREFIX", NULL, NULL, "put this before every name"},
    {OPT_IGNORE_TAGS, GROUPS(TAKES_JUDGE, TAKES_NUMBER, TAKES_VERIFY), KIND_TEXT, 0, "ignore-tags", "KEYS", NULL, NULL, "leave these tag keys out of comparisons: env,host"},
    {OPT_JUNIT, GROUPS(TAKES_JUDGE, TAKES_REPORT), KIND_TEXT, 0, "junit", "FILE", NULL, NULL, "write a JUnit report; - is stdout, and what is printed there goes to stderr"},
    {OPT_TAP, GROUPS(TAKES_JUDGE, TAKES_REPORT), KIND_FLAG, 0, "tap", NULL, NULL, NULL, "print the report as TAP"},
    {OPT_JSON_FILE, GROUPS(TAKES_RUN), KIND_TEXT, 0, "json-file", "FILE", NULL, NULL, "write the report as JSON; - is stdout"},

    /* Of single commands. */
    {OPT_FOLLOW, GROUPS(TAKES_SAMPLES), KIND_FLAG, 'f', "follow", NULL, NULL, NULL, "go on printing what arrives"},
    {OPT_REMARKS, GROUPS(TAKES_REJECTS), KIND_FLAG, 0, "remarks", NULL, NULL, NULL, "instead, what an Agent ignores inside the lines that it takes"},
    {OPT_WAIT, GROUPS(TAKES_STATUS), KIND_TIME, 'w', "wait", "TIME", NULL, NULL, "wait at most this long until the server is ready; this needs no token, so a health check has enough with -q --wait"},
    {OPT_FORMAT, GROUPS(TAKES_EXPORT), KIND_WORD, 0, "format", "jsonl|csv|dogstatsd|openmetrics", NULL, "jsonl", "how to write it"},
    {OPT_CSV_SAFE, GROUPS(TAKES_EXPORT), KIND_FLAG, 0, "csv-safe", NULL, NULL, NULL, "csv: put ' before a text that a spreadsheet would take for a formula"},
    {OPT_RAW, GROUPS(TAKES_EXPORT), KIND_FLAG, 0, "raw", NULL, NULL, NULL, "dogstatsd: the datagrams byte for byte, as they came (recorded with --keep-datagrams)"},
    {OPT_OUTPUT, GROUPS(TAKES_EXPORT, TAKES_FORMAT), KIND_TEXT, 'o', "output", "FILE", NULL, NULL, "where to write it (default: -, which is stdout)"},
    {OPT_TO, GROUPS(TAKES_SEND), KIND_TEXT, 0, "to", "WHERE", NULL, NULL, "udp, unixgram, unixstream or http: that way to the server; or an address: udp://HOST:PORT, unixgram://PATH, unixstream://PATH"},
    {OPT_FROM, GROUPS(TAKES_REPLAY), KIND_TEXT, 0, "from", "NAME", NULL, NULL, "the session of the recording to send (default: default; * for all); --session says into which"},
    {OPT_TIMED, GROUPS(TAKES_REPLAY), KIND_FLAG, 0, "timed", NULL, NULL, NULL, "a recording: with the pauses that it was received with, all kinds of records in their order"},
    {OPT_UNIX, GROUPS(TAKES_NEW_SESSION), KIND_FLAG, 0, "unix", NULL, NULL, NULL, "with Unix sockets of its own"},
    {OPT_TTL, GROUPS(TAKES_NEW_SESSION), KIND_TIME, 0, "ttl", "TIME", NULL, NULL, "remove it after this time"},
    {OPT_SESSION_LABEL, GROUPS(TAKES_NEW_SESSION), KIND_TEXT, 0, "label", "TEXT", NULL, NULL, "new: any words that say whose it is, such as the name of a test"},
    {OPT_KEEP, GROUPS(TAKES_NEW_SESSION), KIND_FLAG, 0, "keep", NULL, NULL, NULL, "rm: end it, but keep what it recorded"},
    {OPT_PATH, GROUPS(TAKES_FAULT), KIND_TEXT, 0, "path", "GLOB", NULL, NULL, "http: only requests to this path"},
    {OPT_STATUS, GROUPS(TAKES_FAULT), KIND_COUNT, 0, "status", "CODE", NULL, NULL, "http: answer with this status, and store nothing unless --kept"},
    {OPT_METHOD, GROUPS(TAKES_FAULT), KIND_TEXT, 0, "method", "METHOD", NULL, NULL, "http: only requests with this method"},
    {OPT_ENDPOINT, GROUPS(TAKES_FAULT), KIND_TEXT, 0, "endpoint", "PATH", NULL, NULL, "http: only requests to exactly this path"},
    {OPT_BODY, GROUPS(TAKES_FAULT), KIND_TEXT, 0, "body", "TEXT|@FILE", NULL, NULL, "http: answer with this body, or with that of a file"},
    {OPT_CONTENT_TYPE, GROUPS(TAKES_FAULT), KIND_TEXT, 0, "content-type", "TYPE", NULL, NULL, "http: the content type of the answer"},
    {OPT_HEADER, GROUPS(TAKES_FAULT), KIND_LIST, 0, "header", "NAME: VALUE", NULL, NULL, "http: a header of the answer (repeatable)"},
    {OPT_KEPT, GROUPS(TAKES_FAULT), KIND_FLAG, 0, "kept", NULL, NULL, NULL, "http: store the request as usual all the same"},
    {OPT_DELAY, GROUPS(TAKES_FAULT), KIND_TIME, 0, "delay", "TIME", NULL, NULL, "http: answer this much later"},
    {OPT_CUT, GROUPS(TAKES_FAULT), KIND_WORD, 0, "cut", "before|during|after", NULL, NULL, "http: cut the connection before storing, in the middle of the answer, or after storing"},
    {OPT_TIMES, GROUPS(TAKES_FAULT), KIND_SOME, 0, "times", "N", NULL, NULL, "http: only the next N requests"},
    {OPT_PROBABILITY, GROUPS(TAKES_FAULT), KIND_SHARE, 0, "probability", "SHARE", NULL, NULL, "http: only this share of the requests, 0 to 1"},
    {OPT_DROP, GROUPS(TAKES_FAULT), KIND_SHARE, 0, "drop", "SHARE", NULL, NULL, "dogstatsd: drop this share of the datagrams, 0 to 1"},
    {OPT_SEED, GROUPS(TAKES_FAULT), KIND_COUNT, 0, "seed", "N", NULL, NULL, "for --probability and --drop: the same choices again"},

    /* Names and tags. */
    {OPT_CATALOG, GROUPS(TAKES_CATALOG, TAKES_JUDGE), KIND_LIST, 0, "catalog", "FILE", NULL, NULL, "the catalog: metadata.csv or JSON (repeatable)"},
    {OPT_STRICT, GROUPS(TAKES_CATALOG, TAKES_JUDGE), KIND_FLAG, 0, "strict", NULL, NULL, NULL, "warnings fail too: a declared metric that was never seen, what lint only warns of"},
    {OPT_NEAR, GROUPS(TAKES_VERIFY), KIND_SHARE, 0, "near", "SHARE", NULL, NULL, "note what has reached this share of its max_series or max_values: 80%, or 0.8"},
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

    /* What an Agent would send. */
    {OPT_AS, GROUPS(TAKES_VIEW), KIND_WORD, 0, "as", "datadog", NULL, NULL, "ask about what Datadog has once an Agent has flushed, instead of what was sent: rates, login.time.avg"},
    {OPT_INTERVAL, GROUPS(TAKES_FLUSH), KIND_TIME, 0, "interval", "TIME", NULL, "15s", "how often the Agent flushes, at multiples of this since 1970"},
    {OPT_FLUSH_AT, GROUPS(TAKES_FLUSH), KIND_TEXT, 0, "flush-at", "T,T…", NULL, NULL, "when the Agent flushes, instead: seconds since 1970"},
    {OPT_HOSTNAME, GROUPS(TAKES_FLUSH), KIND_TEXT, 0, "hostname", "NAME", "DD_HOSTNAME", "default-hostname", "the host of what names none"},
    {OPT_HISTOGRAM_AGGREGATES, GROUPS(TAKES_RUN, RUN_BY_FLAG), KIND_TEXT, 0, "histogram-aggregates", "WORDS", NULL, "max,median,avg,count", "what an Agent makes of a histogram, for --as datadog, queries and agent+: max, median, avg, count, min, sum"},
    {OPT_HISTOGRAM_PERCENTILES, GROUPS(TAKES_RUN, RUN_BY_FLAG), KIND_TEXT, 0, "histogram-percentiles", "SHARES", NULL, "0.95", "and its percentiles: 0.5,0.95,0.99"},
    {OPT_HISTOGRAM_AGGREGATES, GROUPS(TAKES_SERVE, TAKES_FLUSH, TAKES_DB_VIEW), KIND_TEXT, 0, "histogram-aggregates", "WORDS", "DD_HISTOGRAM_AGGREGATES", "max,median,avg,count", "what a histogram becomes: max, median, avg, count, min, sum"},
    {OPT_HISTOGRAM_PERCENTILES, GROUPS(TAKES_SERVE, TAKES_FLUSH, TAKES_DB_VIEW), KIND_TEXT, 0, "histogram-percentiles", "SHARES", "DD_HISTOGRAM_PERCENTILES", "0.95", "and its percentiles: 0.5,0.95,0.99"},
    {OPT_EXPLAIN, GROUPS(TAKES_FLUSH), KIND_TEXT, 0, "explain", "NAME", NULL, NULL, "show the samples that each point of this metric was made of; a glob"},
    {OPT_FORMAT, GROUPS(TAKES_FLUSH), KIND_WORD, 0, "format", "table|json|v2-protobuf|sketches-protobuf", NULL, "table", "how to write it"},
    {OPT_OUTPUT, GROUPS(TAKES_FLUSH), KIND_TEXT, 'o', "output", "FILE", NULL, NULL, "where to write it (default: -, which is stdout)"},
    {OPT_DOGSTATSD_PORT, GROUPS(TAKES_IMPORT), KIND_PORT, 0, "dogstatsd-port", "PORT", "DD_DOGSTATSD_PORT", "8125", "the UDP port of the datagrams in a pcap"},
    {OPT_DB, GROUPS(TAKES_IMPORT), KIND_TEXT, 0, "db", "FILE", NULL, NULL, "the recording to make; there is no such file yet"},
    {OPT_PORT, GROUPS(TAKES_PAGE), KIND_PORT, 0, "port", "PORT", NULL, "0", "TCP port of the page; 0: any free one"},
    {OPT_OPEN, GROUPS(TAKES_PAGE), KIND_FLAG, 0, "open", NULL, NULL, NULL, "start the browser on it (BROWSER, else xdg-open)"},

    /* A fleet's recordings. */
    {OPT_TO, GROUPS(TAKES_PUSH), KIND_TEXT, 0, "to", "URL", NULL, NULL, "where to: clickhouse://HOST[:PORT]/DATABASE, or clickhouses:// for TLS (default: STATWIT_PUSH)"},
    {OPT_DB, GROUPS(TAKES_PUSH), KIND_TEXT, 0, "db", "FILE", NULL, NULL, "the recording, when it is not given as FILE"},
    {OPT_LABEL, GROUPS(TAKES_PUSH, TAKES_RUN, RUN_BY_FLAG), KIND_LIST, 0, "label", "KEY=VALUE", NULL, NULL, "say where a pushed recording is from: repo, branch, commit, job, run, host or any other key (repeatable; default: STATWIT_LABELS, then what CI says, then git)"},
    {OPT_INIT, GROUPS(TAKES_PUSH), KIND_FLAG, 0, "init", NULL, NULL, NULL, "make the tables first, if they are not there"},
    {OPT_CLUSTER, GROUPS(TAKES_PUSH), KIND_TEXT, 0, "cluster", "NAME", NULL, NULL, "--init: for this cluster, once with each of its nodes"},
    {OPT_TIMEOUT, GROUPS(TAKES_PUSH), KIND_TIME, 0, "timeout", "TIME", NULL, "30s", "give up after this time without progress"},
    {OPT_WITH_REQUESTS, GROUPS(TAKES_PUSH), KIND_FLAG, 0, "with-requests", NULL, NULL, NULL, "push the bodies of HTTP requests, too"},
    {OPT_CA_FILE, GROUPS(TAKES_PUSH), KIND_TEXT, 0, "ca-file", "FILE", NULL, NULL, "certificates to trust for clickhouses:// (PEM)"},
    {OPT_PUSH, GROUPS(TAKES_RUN), KIND_TEXT, 0, "push", "URL", NULL, NULL, "then push the recording to clickhouse://HOST/DATABASE; a failure is a warning"},
    {OPT_PUSH_REQUIRED, GROUPS(TAKES_RUN), KIND_FLAG, 0, "push-required", NULL, NULL, NULL, "fail (exit 3) when the recording cannot be pushed"},
    {OPT_PUSH_TIMEOUT, GROUPS(TAKES_RUN), KIND_TIME, 0, "push-timeout", "TIME", NULL, "30s", "how long --push may take"},
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
