/* Options: one table says everything about each (flag, environment, default, kind, help, who takes it).
 *
 * A value comes from the flag, else STATWIT_<FLAG>, else the Datadog Agent's variable, else the default. Each
 * is checked when it is read, so that a command finds only good ones. --private, and
 * RUN_BY_FLAG in the table, keep the environment out.
 *
 * Ownership: options_free gives everything back; texts are argv's, the environment's, the table's or copies, and valid until
 * then.
 * Threads: one.
 * Errors: options_read returns -1 with err, a sentence that names the flag or the variable.
 * Limits: OPTION_LIST_MAX values of a repeatable option; numbers as the kind says.
 */
#ifndef COMMAND_OPTIONS_H
#define COMMAND_OPTIONS_H

#include "core/buf.h"
#include "core/err.h"
#include <stdint.h>

struct command;

#define OPTION_LIST_MAX 4096

enum option_id {
    OPT_HELP,
    OPT_PRIVATE,
    OPT_BIND,
    OPT_NON_LOCAL,
    OPT_DOGSTATSD_PORT,
    OPT_DOGSTATSD_SOCKET,
    OPT_DOGSTATSD_STREAM_SOCKET,
    OPT_DOGSTATSD_TAGS,
    OPT_IGNORE_ORIGIN,
    OPT_HTTP_PORT,
    OPT_DB,
    OPT_READY_FILE,
    OPT_EXIT_WITH_STDIN,
    OPT_RETENTION_AGE,
    OPT_RETENTION_SAMPLES,
    OPT_MAX_SERIES,
    OPT_KEEP_DATAGRAMS,
    OPT_QUEUE_MEMORY,
    OPT_SO_RCVBUF,
    OPT_TLS_CERT,
    OPT_TLS_KEY,
    OPT_TLS_SELF_SIGNED,
    OPT_TOKEN,
    OPT_NO_TOKEN,
    OPT_API_KEY,
    OPT_ALLOW_HOST,
    OPT_ADVERTISE,
    OPT_SESSION_PORTS,
    OPT_ACCEPT_NO_KEY,
    OPT_STRICT_INTAKE,
    OPT_FAKEINTAKE,
    OPT_AUTO_SESSIONS,
    OPT_KEEP_BODIES,
    OPT_RETENTION_BODIES,
    OPT_TIMESTAMPS,
    OPT_QUIET,
    OPT_LOG_LEVEL,
    OPT_URL,
    OPT_CA_FILE,
    OPT_ANSWER_TIMEOUT,
    OPT_SESSION,
    OPT_TYPE,
    OPT_TAG,
    OPT_SOURCE,
    OPT_SINCE,
    OPT_UNTIL,
    OPT_LIMIT,
    OPT_FOLLOW,
    OPT_UTC,
    OPT_WIDE,
    OPT_SORT,
    OPT_BY,
    OPT_REMARKS,
    OPT_CSV_SAFE,
    OPT_RAW,
    OPT_JSON,
    OPT_FORMAT,
    OPT_OUTPUT,
    OPT_WAIT,
    OPT_TO,
    OPT_FROM,
    OPT_TIMED,
    OPT_UNIX,
    OPT_TTL,
    OPT_SESSION_LABEL,
    OPT_KEEP,
    OPT_EXPECT,
    OPT_WITHIN,
    OPT_SETTLE,
    OPT_ALL_COVERED,
    OPT_NO_REJECTS,
    OPT_PREFIX,
    OPT_IGNORE_TAGS,
    OPT_JSON_FILE,
    OPT_JUNIT,
    OPT_TAP,
    OPT_TIMEOUT,
    OPT_KILL_AFTER,
    OPT_SOCKET,
    OPT_PORT,
    OPT_OPEN,
    OPT_PATH,
    OPT_STATUS,
    OPT_METHOD,
    OPT_ENDPOINT,
    OPT_BODY,
    OPT_CONTENT_TYPE,
    OPT_HEADER,
    OPT_KEPT,
    OPT_DELAY,
    OPT_CUT,
    OPT_TIMES,
    OPT_PROBABILITY,
    OPT_SEED,
    OPT_DROP,
    OPT_CATALOG,
    OPT_STRICT,
    OPT_NEAR,
    OPT_SILENCE,
    OPT_EXPLAIN,
    OPT_CATALOG_FORMAT,
    OPT_CHECK,
    OPT_WRITE,
    OPT_UPDATE,
    OPT_COUNTS,
    OPT_VALUES,
    OPT_MASK,
    OPT_MARKDOWN,
    OPT_AS,
    OPT_RAW_QUERIES,
    OPT_FORWARD,
    OPT_FORWARD_KEY_FILE,
    OPT_FORWARD_CA_FILE,
    OPT_FORWARD_HOSTNAME,
    OPT_FORWARD_INTERVAL,
    OPT_FORWARD_BACKOFF,
    OPT_INTERVAL,
    OPT_FLUSH_AT,
    OPT_HOSTNAME,
    OPT_HISTOGRAM_AGGREGATES,
    OPT_HISTOGRAM_PERCENTILES,
    OPT_LABEL,
    OPT_INIT,
    OPT_CLUSTER,
    OPT_WITH_REQUESTS,
    OPT_PUSH,
    OPT_PUSH_REQUIRED,
    OPT_PUSH_TIMEOUT,
    OPT_N
};

/* A command lists the groups whose options it takes (commands[]); an option lists the groups that it is in. */
enum option_group {
    TAKES_NONE,     /* ends a list */
    TAKES_ALWAYS,   /* every command */
    TAKES_SERVE,    /* serve alone */
    TAKES_RUN,      /* run alone */
    TAKES_RECORDER, /* who starts a recorder */
    TAKES_SERVER,   /* who talks to one */
    TAKES_DB,       /* who can read a file instead */
    TAKES_SESSION,
    TAKES_SINCE,
    TAKES_UNTIL,
    TAKES_FILTER,
    TAKES_SAMPLES,
    TAKES_RECORDS,
    TAKES_DATAGRAMS, /* events, checks */
    TAKES_TIMES,     /* who prints times for people */
    TAKES_TABLE,     /* who prints a table */
    TAKES_LS,        /* ls alone */
    TAKES_REJECTS,
    TAKES_JSON,
    TAKES_JUDGE,  /* how expectations are judged, and where the report goes */
    TAKES_EXPECT, /* expect alone */
    TAKES_NUMBER, /* value alone */
    TAKES_EXPORT,
    TAKES_STATUS,
    TAKES_SEND,
    TAKES_NEW_SESSION,
    TAKES_FAULT,
    TAKES_QUIET,
    TAKES_REPLAY,
    TAKES_CATALOG,  /* who holds a recording against a catalog */
    TAKES_VERIFY,   /* with a prefix and tags to ignore */
    TAKES_REPORT,   /* who reports as JUnit and TAP */
    TAKES_LINT,     /* lint alone */
    TAKES_FORMAT,   /* catalog alone */
    TAKES_SNAPSHOT, /* snapshot alone */
    TAKES_DIFF,     /* diff alone */
    TAKES_CHECK,    /* who can look only */
    TAKES_FLUSH,    /* flush alone */
    TAKES_IMPORT,   /* import alone */
    TAKES_PUSH,     /* push alone */
    TAKES_VIEW,     /* who can ask about what Datadog has */
    TAKES_DB_VIEW,  /* and of a file makes it */
    TAKES_PAGE,     /* view alone */
    RUN_BY_FLAG,    /* no group: in `run` the flag alone sets the option, never the environment */
};

/* --sort of ls */
#define LS_ORDERS "name|samples|sum|avg|p95|last|newest|arrival"

/* One list of groups, in the two tables. */
#define OPTION_GROUPS_MAX 12
struct option_groups {
    enum option_group list[OPTION_GROUPS_MAX];
};
/* clang-format off */
#define GROUPS(...) {{__VA_ARGS__, TAKES_NONE}}
/* clang-format on */
bool option_groups_have(const struct option_groups *groups, enum option_group group);

enum option_kind {
    KIND_FLAG, /* no value; in the environment 1/true/yes/on or 0/false/no/off */
    KIND_TEXT,
    KIND_LIST,     /* text, repeatable; in the environment one value */
    KIND_WORD,     /* one of those in `arg`, separated by '|' */
    KIND_PORT,     /* 0 to 65535 */
    KIND_COUNT,    /* a whole number */
    KIND_COUNT_32, /* the same, 4294967295 at most */
    KIND_SOME,     /* a whole number from 1 */
    KIND_SIZE,     /* bytes: 64K, 256M, 1G */
    KIND_TIME,     /* 200ms, 5s, 10m, 2h, 7d; kept in nanoseconds; a unit is needed, but for 0 */
    KIND_SHARE,    /* 0 to 1 */
    KIND_HOST,     /* a name or an address, without a port */
    KIND_PORTS,    /* A-B; kept as A << 16 | B */
    KIND_MOMENT,   /* core/moment.h; before the command runs, moments_resolve makes a mark of it */
};

struct option {
    enum option_id id;
    struct option_groups groups;
    enum option_kind kind;
    char letter; /* 0: none */
    const char *flag;
    const char *arg;      /* the value's name in the help; NULL for KIND_FLAG */
    const char *dd;       /* the Agent's variable; NULL: none */
    const char *fallback; /* the default; NULL: none */
    const char *help;
};

enum option_origin { FROM_DEFAULT, FROM_DD, FROM_ENV, FROM_FLAG };

struct option_value {
    enum option_origin from;
    const char *text; /* NULL: not given */
    int64_t number;   /* flag: 0/1; port, count; bytes; nanoseconds */
    double share;
};

struct options {
    const struct command *command;
    struct option_value value[OPT_N];
    struct {
        size_t n;
        const char **texts;
    } list[OPT_N];
    char session[65];  /* OPT_SESSION's, once a name was made of a token */
    char marks[2][24]; /* the texts of OPT_SINCE and OPT_UNTIL once they are marks */
    int n_args;
    char **args;
    bool dashes; /* "--" was given */
};

/* The table, for help and completion. */
extern const struct option option_table[];
extern const size_t n_option_table;
/* "STATWIT_HTTP_PORT" */
#define OPTION_ENV_SIZE 64
void option_env(const struct option *option, char name[OPTION_ENV_SIZE]);

/* Whether the command takes the option. */
bool option_taken(const struct option *option, const struct command *command);

/* Reads the arguments after the command's name and the environment. */
int options_read(struct options *o, const struct command *command, int n, char **args, struct err *err);
void options_free(struct options *o);

static inline const char *option_text(const struct options *o, enum option_id id) {
    return o->value[id].text;
}
static inline int64_t option_number(const struct options *o, enum option_id id) {
    return o->value[id].number;
}
static inline bool option_on(const struct options *o, enum option_id id) {
    return o->value[id].number != 0;
}
static inline bool option_given(const struct options *o, enum option_id id) {
    return o->value[id].text != NULL;
}

/* The option of this command that `arg` spells ("--junit", "--junit=x"), or NULL. */
const struct option *option_find(const struct command *command, const char *arg);

/* "5s" to nanoseconds (a bare number other than 0 is none); "256M" to bytes. -1: not one. */
int64_t option_parse_time(const char *text);
int64_t option_parse_size(const char *text);

bool option_is_host(const char *text);
/* "8130-8199"; -1: not a range of ports. */
int64_t option_parse_ports(const char *text);

/* The nearest of n words to `word`, for "did you mean"; NULL when none is near. */
const char *option_nearest(const char *word, size_t n, const char *const *words);

#endif
