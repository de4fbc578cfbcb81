/* statwit session new|ls|rm: isolated parts of a recording. */
#include "command/commands.h"
#include "command/remote.h"
#include "command/rows.h"
#include "command/table.h"
#include "command/when.h"
#include "core/clock.h"
#include "core/log.h"
#include <stdio.h>

static void print_json(const json_t *answer) {
    json_dumpf(answer, stdout, JSON_COMPACT);
    putchar('\n');
}

/* What an earlier session left in the shell would lead a client to that one's sockets. Empty counts as none, and every
 * shell knows export. */
static void print_emptied(const json_t *env) {
    static const char *const sockets[] = {"DD_DOGSTATSD_SOCKET", "DD_DOGSTATSD_STREAM_SOCKET"};
    for (size_t i = 0; i < 2; i++)
        if (!json_object_get(env, sockets[i]))
            printf("export %s=''\n", sockets[i]);
}

/* 'value', for a shell. */
static void print_quoted(const char *value) {
    putchar('\'');
    for (; *value; value++)
        if (*value == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*value);
    putchar('\'');
}

/* -1: it is not UTF-8, and cannot be sent. */
static int put_text(json_t *body, const char *key, const char *text) {
    if (json_object_set_new(body, key, json_string(text)) == 0)
        return 0;
    log_error("the %s of a session must be UTF-8", key);
    return -1;
}

static int session_new(const struct options *o, struct remote *remote) {
    json_t *answer, *value, *body = json_object();
    const char *name;
    if ((o->n_args > 1 && put_text(body, "name", o->args[1]) != 0) ||
        (option_given(o, OPT_SESSION_LABEL) &&
         put_text(body, "label", option_text(o, OPT_SESSION_LABEL)) != 0)) {
        json_decref(body);
        return EXIT_USAGE;
    }
    if (option_on(o, OPT_UNIX))
        json_object_set_new(body, "unix", json_true());
    if (option_given(o, OPT_TTL)) {
        int64_t seconds = (option_number(o, OPT_TTL) + NS_PER_S - 1) / NS_PER_S;
        json_object_set_new(body, "ttl_s", json_integer(seconds));
    }
    if (option_given(o, OPT_TIMESTAMPS))
        json_object_set_new(body, "timestamps", json_string(option_text(o, OPT_TIMESTAMPS)));
    int status = remote_call(remote, NULL, "/recorder/v1/sessions", body, &answer);
    json_decref(body);
    if (status != EXIT_PASS)
        return status;
    if (option_on(o, OPT_JSON))
        print_json(answer);
    else {
        print_emptied(json_object_get(answer, "env"));
        json_object_foreach(json_object_get(answer, "env"), name, value) {
            printf("export %s=", name);
            print_quoted(json_string_value(value));
            putchar('\n');
        }
    }
    json_decref(answer);
    return EXIT_PASS;
}

enum { NAME, STATE, UDP, UNIXGRAM, UNIXSTREAM, SAMPLES, SERIES, REJECTS, EXPIRES, LABEL, N };
static const struct column columns[N] = {
    [NAME] = {.title = "NAME", .colour = COLOUR_CYAN},
    [STATE] = {.title = "STATE", .optional = true},
    [UDP] = {.title = "UDP"},
    [UNIXGRAM] = {.title = "UNIXGRAM", .optional = true, .gives = true},
    [UNIXSTREAM] = {.title = "UNIXSTREAM", .optional = true, .gives = true},
    [SAMPLES] = {.title = "SAMPLES", .right = true},
    [SERIES] = {.title = "SERIES", .right = true},
    [REJECTS] = {.title = "REJECTS", .right = true},
    [EXPIRES] = {.title = "EXPIRES", .optional = true},
    [LABEL] = {.title = "LABEL", .optional = true, .gives = true},
};

static int session_ls(const struct options *o, struct remote *remote) {
    json_t *answer, *row;
    size_t i;
    int status = remote_call(remote, NULL, "/recorder/v1/sessions", NULL, &answer);
    if (status != EXIT_PASS)
        return status;
    if (option_on(o, OPT_JSON)) {
        print_json(answer);
        json_decref(answer);
        return EXIT_PASS;
    }
    struct text_table table;
    struct when when;
    char expires[WHEN_SIZE];
    when_begin(&when, option_on(o, OPT_UTC));
    table_begin(&table, N, columns);
    json_array_foreach(json_object_get(answer, "sessions"), i, row) {
        const json_t *at = json_object_get(row, "dogstatsd");
        table_cell(&table, row_text(row, "name"));
        bool ended = json_is_false(json_object_get(row, "open"));
        table_cell(&table, ended ? SPAN("ended") : SPAN(""));
        table_cell(&table, row_text(at, "udp"));
        table_cell(&table, row_text(at, "unixgram"));
        table_cell(&table, row_text(at, "unixstream"));
        table_number(&table, row_number(row, "samples"));
        table_number(&table, row_number(row, "series"));
        table_number(&table, row_number(row, "rejects"));
        table_cell(&table, when_show(&when, row_text(row, "expires_at"), expires));
        table_cell(&table, row_text(row, "label"));
    }
    table_end(&table);
    json_decref(answer);
    return EXIT_PASS;
}

static int session_rm(const struct options *o, struct remote *remote) {
    int status = EXIT_PASS;
    for (int i = 1; i < o->n_args; i++) {
        struct buf path = {.max = 4096};
        buf_str(&path, "/recorder/v1/sessions/");
        remote_segment(&path, o->args[i]);
        remote_arg(&path, "keep", option_on(o, OPT_KEEP) ? "1" : NULL);
        int one = remote_call(remote, "DELETE", path.p, NULL, NULL);
        status = status == EXIT_PASS ? one : status;
        buf_free(&path);
    }
    return status;
}

int session_command(const struct options *o) {
    static const char *const words[] = {"new", "ls", "rm"};
    static int (*const functions[])(const struct options *, struct remote *) = {session_new, session_ls,
                                                                                session_rm};
    static const int least[] = {1, 1, 2}, most[] = {2, 1, 1000000};
    const char *word = o->args[0];
    size_t i = 0;
    while (i < 3 && strcmp(word, words[i]) != 0)
        i++;
    if (i == 3 || o->n_args < least[i] || o->n_args > most[i]) {
        if (i == 3)
            log_error("statwit session takes new, ls or rm, not '%s'", word);
        else
            log_error("usage: statwit session %s", i == 0   ? "new [NAME]"
                                                   : i == 1 ? "ls"
                                                            : "rm [--keep] NAME…");
        return EXIT_USAGE;
    }
    struct remote remote;
    int status = remote_open(&remote, o);
    if (status == EXIT_PASS)
        status = functions[i](o, &remote);
    remote_close(&remote);
    return status;
}
